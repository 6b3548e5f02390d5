"""Computes the per-second statistics of a channel while its samples arrive."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.sensors.emg_quality import EmgQuality
from twitchsense.dsp.buffers import Framer
from twitchsense.model.channels import NS
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import Settings

Floats = NDArray[np.float64]

#: Minimum number of samples at the extreme value in a saturated second.
STUCK_SAMPLES: Final = 5
#: Minimum half range of a saturated second, µV.
STUCK_UV: Final = 500.0


class _Rows:
    """A growing table of float32, stored compactly: a week has 600,000 rows.

    Parameters
    ----------
    width : int
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._values = array("f")

    def __len__(self) -> int:
        return len(self._values) // self._width

    def add(self, rows: Floats) -> None:
        """Add rows, shape ``(n, width)``."""
        self._values.frombytes(rows.astype(np.float32).tobytes())

    def take(self) -> NDArray[np.float32]:
        """Remove and return all rows, shape ``(n, width)``."""
        values, self._values = self._values, array("f")
        return np.frombuffer(values, np.float32).reshape(-1, self._width)


@dataclass(frozen=True, slots=True)
class SearchedEnvelope:
    """The part of the burst envelope that the per-second statistics read.

    Attributes
    ----------
    medians, floor : ndarray, shape (n_seconds,)
        Median of the 10-ms RMS and its noise floor in each second that has ended, µV.
    active : ndarray of bool, shape (n,)
        Whether each value of the envelope is above the closing threshold, and far enough above
        the noise floor for muscle activity (`MovementSettings.fall_uv`): noise that grows by a
        quarter is not.
    """

    medians: NDArray[np.float64]
    floor: NDArray[np.float64]
    active: NDArray[np.bool_]


class EmgPerSecond:
    """Computes the per-second statistics of one EMG segment.

    Parameters
    ----------
    start_ns : int
        Time of the first sample of the segment.
    fs : float
        Sampling rate, Hz.
    size : int
        Number of samples in a second.
    hops : int
        Number of envelope values in a second.
    settings : Settings
    quality : EmgQuality
        Receives the quality of every second.
    """

    def __init__(
        self,
        start_ns: int,
        fs: float,
        size: int,
        hops: int,
        settings: Settings,
        quality: EmgQuality,
    ) -> None:
        self._start_ns, self._fs, self._size = start_ns, fs, size
        self._flat_uv = settings.emg.flat_uv
        self._n = 0  # samples
        self._active = Framer(hops)
        self._samples, self._envelope = _Rows(2), _Rows(2)  # min, max; level, active fraction
        self._quality = quality

    def push(self, n: int, seconds: Floats) -> None:
        """Add samples.

        Parameters
        ----------
        n : int
            Number of samples.
        seconds : ndarray, shape (n_seconds, 5)
            Statistics of the seconds that have ended, as in `BandPiece`.
        """
        self._n += n
        if not len(seconds):  # most chunks of a live stream complete no second
            return
        self._samples.add(seconds[:, :2])
        power, extreme, repeats = seconds[:, 2:].T
        # neither flat nor saturated
        stuck = (repeats >= STUCK_SAMPLES) & (extreme >= STUCK_UV)
        self._quality.add_signal((np.sqrt(power) > self._flat_uv) & ~stuck)

    def push_envelope(self, medians: Floats, floor: Floats, active: NDArray[np.bool_]) -> None:
        """Add the statistics of the envelope.

        Parameters
        ----------
        medians, floor : ndarray, shape (n_seconds,)
            Median of the envelope and its noise floor in the next seconds, µV.
        active : ndarray of bool, shape (n,)
            Whether each of the next values is above the threshold.
        """
        frames = self._active.push(active)
        if not (len(frames) or len(medians)):  # most chunks of a live stream complete no second
            return
        fractions = frames.mean(axis=1)
        if len(medians) > len(fractions):  # the segment ends within a second
            fractions = np.append(fractions, self._active.remainder.mean())
        self._envelope.add(np.column_stack([medians, fractions]))
        self._quality.add_floor(floor)

    def discard(self) -> None:
        """Discard the rows, which only `finish` needs."""
        self._samples.take()
        self._envelope.take()

    def finish(self, last: Floats) -> PerSecond:
        """Return the table; the remainder at the end of the segment is a shorter second.

        Parameters
        ----------
        last : ndarray, shape (0 or 1, 5)
            Statistics of the remainder.

        Returns
        -------
        PerSecond
        """
        rest = self._n % self._size
        if rest > 1:
            self.push(0, last)
        samples, envelope = self._samples.take(), self._envelope.take()
        n = len(samples)
        # the envelope is a hop shorter than the samples, and empty in a very short segment
        known = min(n, len(envelope))
        filled = np.zeros((n, 2), np.float32)
        filled[:known] = envelope[:known]
        return PerSecond(
            time_ns=_starts(self._start_ns, n, self._size, self._fs),
            length_s=_lengths(n, self._size, rest, self._fs),
            valid=self._quality.valid(n, known),
            min=samples[:, 0].copy(),
            max=samples[:, 1].copy(),
            level=filled[:, 0].copy(),
            active_fraction=filled[:, 1].copy(),
            mean_vector=np.empty((n, 0), np.float32),
            kind="emg",
        )


class AccPerSecond:
    """Computes the per-second statistics of one accelerometer segment.

    Parameters
    ----------
    start_ns : int
        Time of the first sample of the segment.
    fs : float
        Sampling rate, Hz.
    size : int
        Number of samples in a second.
    hops : int
        Number of values of the thresholded magnitude in a second.
    width : int
        Number of axes.
    """

    def __init__(self, start_ns: int, fs: float, size: int, hops: int, width: int) -> None:
        self._start_ns, self._fs, self._size = start_ns, fs, size
        self._n = 0  # samples
        self._hops = Framer(hops)
        self._rows = _Rows(2 + width)  # maximum and mean magnitude, mean vector
        self._active = _Rows(1)
        self._alive = bytearray()

    def push(self, n: int, seconds: Floats) -> None:
        """Add samples.

        Parameters
        ----------
        n : int
            Number of samples.
        seconds : ndarray, shape (n_seconds, 3 + width)
            Statistics of the seconds that have ended, as in `MotionPiece`.
        """
        self._n += n
        if len(seconds):
            self._rows.add(np.delete(seconds, 2, axis=1))
            # a sensor that gives one value for a whole second has failed
            self._alive += (seconds[:, 2] > 0).tobytes()

    def push_active(self, moving: NDArray[np.bool_]) -> None:
        """Add whether the magnitude is above its closing threshold, per hop.

        Parameters
        ----------
        moving : ndarray of bool, shape (hops,)
        """
        hops = self._hops.push(moving)
        if len(hops):
            self._active.add(hops.mean(axis=1, keepdims=True))

    def discard(self) -> None:
        """Discard the statistics that only `finish` needs."""
        self._rows.take()
        self._active.take()
        self._alive.clear()

    def finish(self, last: Floats) -> PerSecond:
        """Return the table; the remainder at the end of the segment is a shorter second.

        Parameters
        ----------
        last : ndarray, shape (0 or 1, 3 + width)
            Statistics of the remainder.

        Returns
        -------
        PerSecond
        """
        rest = self._n % self._size
        if rest > 1:
            self.push(0, last)
        rows, active = self._rows.take(), self._active.take()[:, 0]
        n = len(rows)
        filled = np.zeros(n, np.float32)
        filled[: min(n, len(active))] = active[:n]
        return PerSecond(
            time_ns=_starts(self._start_ns, n, self._size, self._fs),
            length_s=_lengths(n, self._size, rest, self._fs),
            valid=np.frombuffer(self._alive, np.bool_).copy(),
            min=np.zeros(n, np.float32),
            max=rows[:, 0].copy(),
            level=rows[:, 1].copy(),
            active_fraction=filled,
            mean_vector=rows[:, 2:].copy(),
            kind="acc",
        )


def _starts(start_ns: int, n: int, size: int, fs: float) -> NDArray[np.int64]:
    return np.asarray(start_ns + np.rint(np.arange(n) * (size * NS / fs)), np.int64)


def _lengths(n: int, size: int, rest: int, fs: float) -> NDArray[np.float32]:
    lengths = np.full(n, size / fs, np.float32)
    if rest > 1:
        lengths[-1] = rest / fs
    return lengths
