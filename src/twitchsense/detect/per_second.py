"""Computes the per-second statistics of a channel while its samples arrive."""

from __future__ import annotations

from array import array
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.emg_quality import EmgQuality
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
        self._raw, self._burst = Framer(size), Framer(size)
        self._active = Framer(hops)
        self._samples, self._envelope = _Rows(2), _Rows(2)  # min, max; level, active fraction
        self._quality = quality

    def push(self, raw: Floats, burst: Floats) -> None:
        """Add samples, as recorded and in the burst band, µV.

        Parameters
        ----------
        raw, burst : ndarray, shape (n,)
        """
        self._add_samples(self._raw.push(raw), self._burst.push(burst))

    def push_envelope(self, medians: Floats, floor: Floats, active: NDArray[np.bool_]) -> None:
        """Add the statistics of the envelope.

        Parameters
        ----------
        medians, floor : ndarray, shape (n_seconds,)
            Median of the envelope and its noise floor in the next seconds, µV.
        active : ndarray of bool, shape (n,)
            Whether each of the next values is above the threshold.
        """
        fractions = self._active.push(active).mean(axis=1)
        if len(medians) > len(fractions):  # the segment ends within a second
            fractions = np.append(fractions, self._active.remainder.mean())
        self._envelope.add(np.column_stack([medians, fractions]))
        self._quality.add_floor(floor)

    def discard(self) -> None:
        """Discard the rows, which only `finish` needs."""
        self._samples.take()
        self._envelope.take()

    def _add_samples(self, raw: Floats, burst: Floats) -> None:
        """Add whole seconds, shape ``(n, samples)``."""
        if not len(raw):  # most chunks of a live stream complete no second
            return
        low, high, rms, extreme, repeats = _sample_statistics(raw, burst).T
        self._samples.add(np.column_stack([low, high]))
        # neither flat nor saturated
        stuck = (repeats >= STUCK_SAMPLES) & (extreme >= STUCK_UV)
        self._quality.add_signal((rms > self._flat_uv) & ~stuck)

    def finish(self) -> PerSecond:
        """Return the table; the remainder at the end of the segment is a shorter second.

        Returns
        -------
        PerSecond
        """
        rest = len(self._raw.remainder)
        if rest > 1:
            self._add_samples(self._raw.remainder[None], self._burst.remainder[None])
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
    """

    def __init__(self, start_ns: int, fs: float, size: int, hops: int) -> None:
        self._start_ns, self._fs, self._size = start_ns, fs, size
        self._blocks = Framer(size)
        self._hops = Framer(hops)
        self._rows: _Rows | None = None  # maximum and mean magnitude, mean vector
        self._active = _Rows(1)
        self._alive = bytearray()

    def push(self, raw: Floats, magnitude: Floats) -> None:
        """Add samples ``(n, width)`` and their dynamic magnitude ``(n,)``, g.

        Parameters
        ----------
        raw : ndarray, shape (n, width)
            Acceleration, g.
        magnitude : ndarray, shape (n,)
            Dynamic magnitude, g.
        """
        if self._rows is None:
            self._rows = _Rows(2 + raw.shape[1])
        self._add(self._blocks.push(np.column_stack([magnitude, raw])))

    def _add(self, seconds: Floats) -> None:
        """Add whole seconds, shape ``(n, samples, 1 + width)``."""
        if len(seconds) and self._rows is not None:
            rows = _acc_statistics(seconds)
            self._rows.add(np.delete(rows, 2, axis=1))
            # a sensor that gives one value for a whole second has failed
            self._alive += (rows[:, 2] > 0).tobytes()

    def push_active(self, moving: NDArray[np.bool_]) -> None:
        """Add whether the magnitude is above its closing threshold, per hop.

        Parameters
        ----------
        moving : ndarray of bool, shape (hops,)
        """
        hops = self._hops.push(moving.astype(np.float64))
        if len(hops):
            self._active.add(hops.mean(axis=1, keepdims=True))

    def discard(self) -> None:
        """Discard the statistics that only `finish` needs."""
        if self._rows is not None:
            self._rows.take()
        self._active.take()
        self._alive.clear()

    def finish(self) -> PerSecond:
        """Return the table; the remainder at the end of the segment is a shorter second.

        Returns
        -------
        PerSecond
        """
        assert self._rows is not None  # a segment has samples
        rest = len(self._blocks.remainder)
        if rest > 1:
            self._add(self._blocks.remainder[None])
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


def _sample_statistics(raw: Floats, burst: Floats) -> Floats:
    """Return minimum, maximum, RMS of the burst band, half range, and repeats of an extreme."""
    if len(raw) == 0:
        return np.empty((0, 5))
    low, high = burst.min(axis=1), burst.max(axis=1)
    rms = np.sqrt(np.square(burst).mean(axis=1))
    top, bottom = raw.max(axis=1), raw.min(axis=1)
    repeats = np.maximum((raw == top[:, None]).sum(axis=1), (raw == bottom[:, None]).sum(axis=1))
    return np.stack([low, high, rms, (top - bottom) / 2, repeats.astype(np.float64)], axis=1)


def _acc_statistics(blocks: Floats) -> Floats:
    """Return maximum and mean magnitude, range of the samples, and mean vector."""
    if len(blocks) == 0:
        return np.empty((0, 3 + blocks.shape[2] - 1))
    magnitude, raw = np.ascontiguousarray(blocks[:, :, 0]), blocks[:, :, 1:]
    # axis by axis in one piece: reducing along the middle of an array is slow
    axes = np.ascontiguousarray(raw.transpose(2, 0, 1))
    spread = (axes.max(axis=2) - axes.min(axis=2)).max(axis=0)
    return np.column_stack(
        [magnitude.max(axis=1), magnitude.mean(axis=1), spread, raw.mean(axis=1)]
    )
