"""Per-second statistics of a channel, gathered while it streams by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.detection import Seconds
from twitchsense.dsp.blocks import Blocks, medians
from twitchsense.recording import NS
from twitchsense.settings import EmgSettings

Floats = NDArray[np.float64]

#: A signal that repeats its extreme value this often in a second, that far from
#: zero, stands at the limit of its amplifier.
STUCK_SAMPLES, STUCK_UV = 5, 500.0


class EmgSeconds:
    """Gathers the seconds of one EMG segment.

    Parameters
    ----------
    start_ns : int
    fs : float
    size : int
        Samples in a second.
    hops : int
        Envelope values in a second.
    settings : EmgSettings
    """

    def __init__(
        self, start_ns: int, fs: float, size: int, hops: int, settings: EmgSettings
    ) -> None:
        self._start_ns, self._fs, self._size = start_ns, fs, size
        self._settings = settings
        self._raw, self._burst = Blocks(size), Blocks(size)
        self._levels, self._floors, self._high = Blocks(hops), Blocks(hops), Blocks(hops)
        self._samples: list[Floats] = []  # low, high, rms, range, repeats
        self._envelope: list[Floats] = []  # level, floor, busy
        self._alive: list[bool] = []
        self._quiet: list[bool] = []
        self._first = 0  # second that these begin with

    def push(self, raw: Floats, burst: Floats) -> None:
        """Take samples, unfiltered and in the burst band, µV."""
        rows = _sample_statistics(self._raw.push(raw), self._burst.push(burst))
        if len(rows):  # most chunks of a live stream end no second
            self._samples.append(rows)
        self._alive += self._is_alive(rows).tolist()

    def note(self, envelope: Floats, floor: Floats, high: NDArray[np.bool_]) -> None:
        """Take envelope values with their floor and whether they open a burst."""
        rows = _envelope_statistics(
            self._levels.push(envelope),
            self._floors.push(floor),
            self._high.push(high.astype(np.float64)),
        )
        if len(rows):
            self._envelope.append(rows)
        self._quiet += self._is_quiet(rows).tolist()

    def usable(self, second: int) -> bool:
        """Whether muscle can be judged in a second that has passed."""
        at = second - self._first
        alive = at >= len(self._alive) or self._alive[at]
        return at < 0 or (alive and (at >= len(self._quiet) or self._quiet[at]))

    def forget(self, before: int) -> None:
        """Drop what came before a second, and all that only `finish` needs."""
        self._samples.clear()
        self._envelope.clear()
        drop = min(before - self._first, len(self._alive), len(self._quiet))
        if drop > 0:
            del self._alive[:drop], self._quiet[:drop]
            self._first += drop

    def _is_alive(self, rows: Floats) -> NDArray[np.bool_]:
        """Whether the signal is neither flat nor at the limit of its amplifier."""
        _, _, rms, extreme, repeats = rows.T
        stuck = (repeats >= STUCK_SAMPLES) & (extreme >= STUCK_UV)
        return np.asarray((rms > self._settings.flat_uv) & ~stuck)

    def _is_quiet(self, rows: Floats) -> NDArray[np.bool_]:
        return np.asarray(rows[:, 1] <= self._settings.max_floor_uv)

    def finish(self) -> Seconds:
        """Return the table; the rest at the end of the segment is a short second."""
        samples = np.concatenate([np.empty((0, 5)), *self._samples])
        envelope = np.concatenate([np.empty((0, 3)), *self._envelope])
        rest = len(self._raw.rest)
        if rest > 1:
            last = _sample_statistics(self._raw.rest[None], self._burst.rest[None])
            samples = np.concatenate([samples, last])
        if len(self._levels.rest):
            left = (self._levels.rest[None], self._floors.rest[None], self._high.rest[None])
            envelope = np.concatenate([envelope, _envelope_statistics(*left)])
        n = len(samples)
        # the envelope is a hop shorter than the samples, or missing in a scrap of signal
        filled = np.zeros((n, 3))
        filled[: min(n, len(envelope))] = envelope[:n]
        judged = np.arange(n) < len(envelope)
        low, high = samples[:, 0], samples[:, 1]
        level, _, busy = filled.T
        return Seconds(
            time_ns=_starts(self._start_ns, n, self._size, self._fs),
            length_s=_lengths(n, self._size, rest, self._fs),
            valid=self._is_alive(samples) & self._is_quiet(filled) & judged,
            low=low.astype(np.float32),
            high=high.astype(np.float32),
            level=level.astype(np.float32),
            busy=busy.astype(np.float32),
            vector=np.empty((n, 0), np.float32),
        )


class AccSeconds:
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
        self._blocks = Blocks(size)
        self._hops = Blocks(hops)
        self._rows: list[Floats] = []
        self._busy: list[Floats] = []

    def push(self, raw: Floats, magnitude: Floats) -> None:
        """Take samples ``(n, width)`` in g and their dynamic magnitude ``(n,)``."""
        seconds = self._blocks.push(np.column_stack([magnitude, raw]))
        if len(seconds) or not self._rows:  # one at least, for its width
            self._rows.append(_acc_statistics(seconds))

    def note(self, moving: NDArray[np.bool_]) -> None:
        """Take whether the magnitude is above its closing threshold, per hop."""
        hops = self._hops.push(moving.astype(np.float64))
        if len(hops):
            self._busy.append(hops.mean(axis=1))

    def forget(self) -> None:
        """Drop all that only `finish` needs."""
        self._rows.clear()
        self._busy.clear()

    def finish(self) -> Seconds:
        """Return the table; the rest at the end of the segment is a short second."""
        rows, busy = np.concatenate(self._rows), np.concatenate([np.empty(0), *self._busy])
        rest = len(self._blocks.rest)
        if rest > 1:
            rows = np.concatenate([rows, _acc_statistics(self._blocks.rest[None])])
        n = len(rows)
        filled = np.zeros(n)
        filled[: min(n, len(busy))] = busy[:n]
        return Seconds(
            time_ns=_starts(self._start_ns, n, self._size, self._fs),
            length_s=_lengths(n, self._size, rest, self._fs),
            # a sensor that gives one value for a second is not moving, it is dead
            valid=rows[:, 2] > 0,
            low=np.zeros(n, np.float32),
            high=rows[:, 0].astype(np.float32),
            level=rows[:, 1].astype(np.float32),
            busy=filled.astype(np.float32),
            vector=rows[:, 3:].astype(np.float32),
        )


def join(parts: list[Seconds], width: int) -> Seconds:
    """Put the segments of a channel one after the other."""
    if not parts:
        empty = np.empty(0, np.float32)
        none = np.empty(0, np.int64)
        return Seconds(
            none,
            empty,
            np.empty(0, bool),
            empty,
            empty,
            empty,
            empty,
            np.empty((0, width), np.float32),
        )
    return Seconds(*(np.concatenate([getattr(p, k) for p in parts]) for k in Seconds.__slots__))


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
    return np.stack([medians(envelope), floor.max(axis=1), high.mean(axis=1)], axis=1)


def _acc_statistics(blocks: Floats) -> Floats:
    """Columns: greatest and mean magnitude, range, mean vector."""
    if len(blocks) == 0:
        return np.empty((0, 3 + blocks.shape[2] - 1))
    magnitude, raw = blocks[:, :, 0], blocks[:, :, 1:]
    spread = np.ptp(raw, axis=1).max(axis=1)
    return np.column_stack(
        [magnitude.max(axis=1), magnitude.mean(axis=1), spread, raw.mean(axis=1)]
    )
