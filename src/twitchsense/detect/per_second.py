"""Per-second statistics of a channel, gathered while it streams by."""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.emg_quality import EmgQuality
from twitchsense.dsp.buffers import Framer, row_medians
from twitchsense.model.channels import NS
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import Settings

Floats = NDArray[np.float64]

#: A signal that repeats its extreme value this often in a second, that far from
#: zero, stands at the limit of its amplifier.
STUCK_SAMPLES, STUCK_UV = 5, 500.0


class _Rows:
    """Rows of float32 that grow: a week has 600,000 seconds.

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
        """Hand over all rows."""
        values, self._values = self._values, array("f")
        return np.frombuffer(values, np.float32).reshape(-1, self._width)


class EmgPerSecond:
    """Gathers the seconds of one EMG segment.

    Parameters
    ----------
    start_ns : int
    fs : float
    size : int
        Samples in a second.
    hops : int
        Envelope values in a second.
    settings : Settings
    quality : EmgQuality
        Is told of every second.
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
        self._levels, self._floors, self._high = Framer(hops), Framer(hops), Framer(hops)
        self._samples, self._envelope = _Rows(2), _Rows(2)  # low, high; level, busy
        self._quality = quality

    def push(self, raw: Floats, burst: Floats) -> None:
        """Take samples, unfiltered and in the burst band, µV."""
        self._add_samples(self._raw.push(raw), self._burst.push(burst))

    def push_envelope(self, envelope: Floats, floor: Floats, high: NDArray[np.bool_]) -> None:
        """Add envelope values (µV), their noise floor, and whether each is above the threshold."""
        self._add_envelope(
            self._levels.push(envelope),
            self._floors.push(floor),
            self._high.push(high.astype(np.float64)),
        )

    def discard(self) -> None:
        """Discard the rows, which only `finish` needs."""
        self._samples.take()
        self._envelope.take()

    def _add_samples(self, raw: Floats, burst: Floats) -> None:
        """Add whole seconds, shape ``(n, samples)``."""
        if not len(raw):  # most chunks of a live stream end no second
            return
        low, high, rms, extreme, repeats = _sample_statistics(raw, burst).T
        self._samples.add(np.column_stack([low, high]))
        # neither flat nor at the limit of its amplifier
        stuck = (repeats >= STUCK_SAMPLES) & (extreme >= STUCK_UV)
        self._quality.add_signal((rms > self._flat_uv) & ~stuck)

    def _add_envelope(self, envelope: Floats, floor: Floats, high: Floats) -> None:
        """Add whole seconds, shape ``(n, hops)``."""
        if not len(envelope):
            return
        level, floors, busy = _envelope_statistics(envelope, floor, high).T
        self._envelope.add(np.column_stack([level, busy]))
        self._quality.add_floor(floors)

    def finish(self) -> PerSecond:
        """Return the table; the rest at the end of the segment is a short second."""
        rest = len(self._raw.remainder)
        if rest > 1:
            self._add_samples(self._raw.remainder[None], self._burst.remainder[None])
        if len(self._levels.remainder):
            left = (self._levels.remainder, self._floors.remainder, self._high.remainder)
            self._add_envelope(*(x[None] for x in left))
        samples, envelope = self._samples.take(), self._envelope.take()
        n = len(samples)
        # the envelope is a hop shorter than the samples, or missing in a scrap of signal
        judged = min(n, len(envelope))
        filled = np.zeros((n, 2), np.float32)
        filled[:judged] = envelope[:judged]
        return PerSecond(
            time_ns=_starts(self._start_ns, n, self._size, self._fs),
            length_s=_lengths(n, self._size, rest, self._fs),
            valid=self._quality.valid(n, judged),
            min=samples[:, 0].copy(),
            max=samples[:, 1].copy(),
            level=filled[:, 0].copy(),
            active_fraction=filled[:, 1].copy(),
            mean_vector=np.empty((n, 0), np.float32),
            kind="emg",
        )


class AccPerSecond:
    """Gathers the seconds of one accelerometer segment.

    Parameters
    ----------
    start_ns : int
    fs : float
    size : int
        Samples in a second.
    hops : int
        Values of the thresholded magnitude in a second.
    """

    def __init__(self, start_ns: int, fs: float, size: int, hops: int) -> None:
        self._start_ns, self._fs, self._size = start_ns, fs, size
        self._blocks = Framer(size)
        self._hops = Framer(hops)
        self._rows: _Rows | None = None  # greatest and mean magnitude, mean vector
        self._busy = _Rows(1)
        self._alive = bytearray()

    def push(self, raw: Floats, magnitude: Floats) -> None:
        """Take samples ``(n, width)`` in g and their dynamic magnitude ``(n,)``."""
        if self._rows is None:
            self._rows = _Rows(2 + raw.shape[1])
        self._add(self._blocks.push(np.column_stack([magnitude, raw])))

    def _add(self, seconds: Floats) -> None:
        """Add whole seconds, shape ``(n, samples, 1 + width)``."""
        if len(seconds) and self._rows is not None:
            rows = _acc_statistics(seconds)
            self._rows.add(np.delete(rows, 2, axis=1))
            # a sensor that gives one value for a second is not moving, it is dead
            self._alive += (rows[:, 2] > 0).tobytes()

    def push_active(self, moving: NDArray[np.bool_]) -> None:
        """Take whether the magnitude is above its closing threshold, per hop."""
        hops = self._hops.push(moving.astype(np.float64))
        if len(hops):
            self._busy.add(hops.mean(axis=1, keepdims=True))

    def discard(self) -> None:
        """Drop all that only `finish` needs."""
        if self._rows is not None:
            self._rows.take()
        self._busy.take()
        self._alive.clear()

    def finish(self) -> PerSecond:
        """Return the table; the rest at the end of the segment is a short second."""
        assert self._rows is not None  # a segment has samples
        rest = len(self._blocks.remainder)
        if rest > 1:
            self._add(self._blocks.remainder[None])
        rows, busy = self._rows.take(), self._busy.take()[:, 0]
        n = len(rows)
        filled = np.zeros(n, np.float32)
        filled[: min(n, len(busy))] = busy[:n]
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
    if len(raw) == 0:
        return np.empty((0, 5))
    low, high = burst.min(axis=1), burst.max(axis=1)
    rms = np.sqrt(np.square(burst).mean(axis=1))
    top, bottom = raw.max(axis=1), raw.min(axis=1)
    repeats = np.maximum((raw == top[:, None]).sum(axis=1), (raw == bottom[:, None]).sum(axis=1))
    return np.stack([low, high, rms, (top - bottom) / 2, repeats.astype(np.float64)], axis=1)


def _envelope_statistics(envelope: Floats, floor: Floats, high: Floats) -> Floats:
    if len(envelope) == 0:
        return np.empty((0, 3))
    return np.stack([row_medians(envelope), floor.max(axis=1), high.mean(axis=1)], axis=1)


def _acc_statistics(blocks: Floats) -> Floats:
    """Columns: greatest and mean magnitude, range, mean vector."""
    if len(blocks) == 0:
        return np.empty((0, 3 + blocks.shape[2] - 1))
    magnitude, raw = blocks[:, :, 0], blocks[:, :, 1:]
    spread = np.ptp(raw, axis=1).max(axis=1)
    return np.column_stack(
        [magnitude.max(axis=1), magnitude.mean(axis=1), spread, raw.mean(axis=1)]
    )
