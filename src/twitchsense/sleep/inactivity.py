"""Stillness from the accelerometer: the raw material of sleep without EEG.

Sustained inactivity after van Hees 2015: the orientation does not change by
more than 5° for at least 5 min, here with the angle between 5-s median vectors
instead of the angle to one axis, so that it does not matter how the sensor
sits on the leg; and the 30-s activity stays below 15 mg (docs/definitions.md).

The events twitchsense looks for are leg activity themselves. Counted as wake
they would push sleep onset behind the very jerks that belong to it, so they
are masked; large movements and changes of posture are evidence of wake and
stay. Nothing here was ever validated on an ankle against EEG.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.intervals import mask_of, run_bounds
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import ContextSettings

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

EPOCH_S: Final = 30
BIN_S: Final = 5
BINS: Final = EPOCH_S // BIN_S
#: Kinds that are masked, and kinds that undo a mask.
MASKED: Final = ("twitch", "jerk", "brief_contraction", "movement")
AWAKE: Final = ("gross_movement", "posture_change")
#: A bin counts as seen if at least one whole second of it is valid [E].
_SEEN_S: Final = 0.99
#: At least this share of a still block must be valid and not masked [E].
_EVIDENCE: Final = 0.5

#: States of a bin or epoch, in the order in which a tie is decided.
ASLEEP, WAKE, UNDECIDED, UNKNOWN = 0, 1, 2, 3


#: Bins whose vectors are taken together: those of a week need tens of megabytes.
_AT_ONCE: Final = 17_280


@dataclass(frozen=True, slots=True)
class Grid:
    """30-s epochs on the recording's axis, each of six 5-s bins.

    Attributes
    ----------
    first : int
        Index of the first epoch: it starts at ``30 * first`` seconds.
    n : int
        Number of epochs.
    """

    first: int
    n: int

    @classmethod
    def over(cls, start_ns: int, end_ns: int) -> Grid:
        """Return the grid that covers a stretch of time."""
        width = EPOCH_S * 1_000_000_000
        first = start_ns // width
        return cls(first, max(0, -(-end_ns // width) - first))

    @property
    def epochs_s(self) -> Floats:
        """Start of each epoch in seconds."""
        return np.arange(self.first, self.first + self.n, dtype=np.float64) * EPOCH_S

    @property
    def bins_s(self) -> Floats:
        """Start of each bin in seconds."""
        first = self.first * BINS
        return np.arange(first, first + self.n * BINS, dtype=np.float64) * BIN_S


@dataclass(frozen=True, slots=True, eq=False)
class Stillness:
    """What the accelerometers of a recording say, joined over channels.

    Attributes
    ----------
    grid : Grid
    seen : ndarray of bool, one per bin
        A channel has valid signal, masked or not.
    evidence_s : ndarray, one per bin
        Seconds of signal that are valid and not masked.
    turn_deg : ndarray, one per bin
        Greatest change of orientation since the bin before; NaN unknown.
    activity : ndarray, one per epoch
        Greatest mean dynamic acceleration (g) of any channel, without masked
        seconds; NaN unknown.
    peak : ndarray, one per bin
        Greatest dynamic acceleration (g) likewise.
    """

    grid: Grid
    seen: Bools
    evidence_s: Floats
    turn_deg: Floats
    activity: Floats
    peak: Floats


def measure_stillness(
    channels: Sequence[PerSecond], events: pd.DataFrame, grid: Grid, settings: ContextSettings
) -> Stillness:
    """Measure turning and activity of each accelerometer, leg events masked.

    Parameters
    ----------
    channels : sequence of Seconds
        One per accelerometer.
    events : DataFrame
        Columns ``onset``, ``duration``, ``trial_type`` and ``peak_g``.
    grid : Grid
    settings : ContextSettings
    """
    n = grid.n * BINS
    seen, evidence = np.zeros(n, bool), np.zeros(n)
    turn, activity, peak = np.full(n, np.nan), np.full(grid.n, np.nan), np.full(n, np.nan)
    for seconds in channels:
        masked = mask_events(seconds, events, settings)
        fine = seconds.valid & ~masked
        at = np.floor(seconds.middle_s / BIN_S).astype(np.int64) - grid.first * BINS
        length = seconds.length_s.astype(np.float64)
        valid_s = np.bincount(at, weights=length * seconds.valid, minlength=n)[:n]
        clear_s = np.bincount(at, weights=length * fine, minlength=n)[:n]
        known = valid_s >= _SEEN_S
        seen |= known
        evidence = np.maximum(evidence, clear_s)
        vectors = _median_vectors(at[fine], seconds.mean_vector[fine], n)
        turn = np.fmax(turn, _turns(vectors, known))
        level = np.bincount(at[fine], weights=(length * seconds.level)[fine], minlength=n)[:n]
        with np.errstate(invalid="ignore"):  # no clear second in an epoch: 0/0 is unknown
            mean = level.reshape(-1, BINS).sum(axis=1) / clear_s.reshape(-1, BINS).sum(axis=1)
        activity = np.fmax(activity, mean)
        inside = fine & (at >= 0) & (at < n)
        np.fmax.at(peak, at[inside], seconds.max[inside].astype(np.float64))
    return Stillness(grid, seen, evidence, turn, activity, peak)


class Timed(Protocol):
    """A table with one row per second."""

    @property
    def time_ns(self) -> NDArray[np.int64]:
        """Start of each row."""
        ...

    @property
    def length_s(self) -> NDArray[np.floating]:
        """Length of each row."""
        ...


def mask_events(seconds: Timed, events: pd.DataFrame, settings: ContextSettings) -> Bools:
    """Return which seconds hold a leg event, give or take `mask_s`.

    A twitch too small to be felt by the accelerometer (below ``quiet_g``) needs
    no mask, and gets none: it would only throw away good signal. Seconds of a
    large movement or a change of posture are never masked.
    """
    if not settings.mask_events:
        return np.zeros(len(seconds.time_ns), bool)
    kind = events["trial_type"].to_numpy(object)
    small = ~(events["peak_g"].to_numpy(np.float64) >= settings.quiet_g)
    hide = np.isin(kind, MASKED) & ~((kind == "twitch") & small)
    masked = _touched(seconds, events[hide], settings.mask_s)
    return masked & ~_touched(seconds, events[np.isin(kind, AWAKE)], 0.0)


def _touched(seconds: Timed, events: pd.DataFrame, margin_s: float) -> Bools:
    start = events["onset"].to_numpy(np.float64) - margin_s
    stop = start + np.nan_to_num(events["duration"].to_numpy(np.float64)) + 2 * margin_s
    begin = seconds.time_ns / 1e9
    first = np.searchsorted(begin + seconds.length_s, start, side="right")
    after = np.searchsorted(begin, stop, side="right")
    return mask_of(first, after, len(begin))


def _median_vectors(at: NDArray[np.int64], vector: NDArray[np.float32], n: int) -> Floats:
    """Return the median vector of each bin, made a unit vector; NaN where there is none.

    A sensor with fewer than three axes gets the missing part of gravity as one
    more axis, √(1 − |v|²): its sign can't be known, and need not be for small turns.
    """
    width = vector.shape[1]
    out = np.full((n, width), np.nan)
    for first in range(0, n, _AT_ONCE):  # seconds are in order of time
        here = slice(*np.searchsorted(at, [first, first + _AT_ONCE]).tolist())
        table = pd.DataFrame(vector[here].astype(np.float64)).groupby(at[here]).median()
        out[table.index.to_numpy(np.int64)] = table.to_numpy(np.float64)
    if width < 3:
        rest = np.sqrt(np.maximum(0.0, 1.0 - np.square(out).sum(axis=1)))
        out = np.column_stack([out, rest])
    norm = np.linalg.norm(out, axis=1, keepdims=True)
    unit: Floats = np.divide(out, norm, out=np.full_like(out, np.nan), where=norm > 0)
    return unit


def _turns(vectors: Floats, known: Bools) -> Floats:
    """Return the angle (degrees) between each bin's vector and the one before it.

    A masked bin has no vector: the next one is compared with the last before
    the mask, so that a movement that ends elsewhere is seen. Across a bin
    without signal nothing is compared.
    """
    turn = np.full(len(vectors), np.nan)
    have = np.flatnonzero(known & np.isfinite(vectors).all(axis=1))
    dot = np.einsum("ij,ij->i", vectors[have[1:]], vectors[have[:-1]])
    holes = np.cumsum(~known)
    joined = holes[have[1:]] == holes[have[:-1]]
    angle = np.degrees(np.arccos(np.clip(dot, -1.0, 1.0)))
    turn[have[1:]] = np.where(joined, angle, np.nan)
    return turn


def find_still(
    still: Stillness,
    settings: ContextSettings,
    *,
    minutes: float | None = None,
    angle: bool = True,
    activity: bool = True,
    immobile: bool = False,
) -> NDArray[np.int8]:
    """Judge each bin: `ASLEEP` (sustained inactivity), `WAKE`, `UNDECIDED`, `UNKNOWN`.

    A stretch that is still for too short a time is wake if movement ends it,
    undecided if a gap or the end of the recording cuts it off: a gap is never
    counted as quiet. (The start of the recording is no cut: one who has just
    put the sensor on is awake.)

    Parameters
    ----------
    still : Stillness
    settings : ContextSettings
    minutes : float, optional
        How long; `settings.still_min` by default.
    angle, activity : bool
        Which of the two criteria to use.
    immobile : bool
        Whether no movement at all may reach `immobile_g`.
    """
    minutes = settings.still_min if minutes is None else minutes
    quiet = still.seen.copy()
    if angle:
        quiet &= ~(still.turn_deg > settings.still_deg)
    if activity:
        quiet &= ~np.repeat(still.activity >= settings.quiet_g, BINS)
    if immobile:
        quiet &= ~(still.peak >= settings.immobile_g)
    state = np.where(still.seen, WAKE, UNKNOWN).astype(np.int8)
    starts, stops = run_bounds(quiet)
    clear = np.concatenate([[0.0], np.cumsum(still.evidence_s)])
    begin = int(np.argmax(still.seen)) if still.seen.any() else 0
    for start, stop in zip(starts, stops, strict=True):
        length_s = (stop - start) * BIN_S
        enough = clear[stop] - clear[start] >= _EVIDENCE * length_s
        cut_before = start > begin and not still.seen[start - 1]
        cut_after = stop == len(quiet) or not still.seen[stop]
        if length_s >= minutes * 60:
            state[start:stop] = ASLEEP if enough else UNDECIDED
        elif cut_before or cut_after:
            state[start:stop] = UNDECIDED
    return state


def judge_epochs(bins: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the state most of an epoch's bins have; a tie goes to the earlier constant."""
    count = np.stack([(bins.reshape(-1, BINS) == s).sum(axis=1) for s in range(4)])
    most: NDArray[np.int8] = np.argmax(count, axis=0).astype(np.int8)
    return most
