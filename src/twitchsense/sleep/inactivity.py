"""Sustained inactivity: sleep without EEG, from the accelerometer alone.

The rule follows van Hees et al. 2015 (PLoS ONE 10:e0142533,
doi:10.1371/journal.pone.0142533): the orientation changes by at most 5° for at least
5 min. Here the angle is measured between 5-s median orientation vectors instead of to
one axis, so that it does not depend on how the sensor is mounted, and the activity of
each 30-s epoch must stay below 15 mg (docs/definitions.md, Hypnic jerks and sleep onset).

The events that twitchsense detects are leg activity themselves. Counted as wake they
would delay sleep onset beyond the very jerks that belong to it, so they are masked.
Gross movements and posture changes are evidence of wake and are not masked. No rule in
this module has been validated against EEG on the ankle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.candidates import LARGE_KINDS
from twitchsense.model.intervals import mask_of, prefix_sums, run_bounds
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import ContextSettings

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
States = NDArray[np.int8]

#: Length of an epoch, s.
EPOCH_S: Final = 30
#: Length of a bin, over which the orientation is the median, s.
BIN_S: Final = 5
BINS_PER_EPOCH: Final = EPOCH_S // BIN_S
#: Kinds of event that are masked.
MASKED_KINDS: Final = ("twitch", "jerk", "brief_contraction", "movement")
#: Seconds of valid signal that make a bin valid: one whole second [E].
_MIN_VALID_S: Final = 0.99
#: Smallest share of an inactive period that must be valid and not masked [E].
_MIN_UNMASKED_SHARE: Final = 0.5
#: Bins per block in computing median vectors; bounds memory in week-long recordings.
_BINS_PER_BLOCK: Final = 17_280

#: States of a bin or epoch; in a tie the smaller number wins.
ASLEEP, WAKE, UNDECIDED, UNKNOWN = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class EpochGrid:
    """30-s epochs on the time axis of the recording, each of six 5-s bins.

    Attributes
    ----------
    first : int
        Index of the first epoch, which starts at ``30 * first`` seconds.
    n : int
        Number of epochs.
    """

    first: int
    n: int

    @classmethod
    def over(cls, start_ns: int, end_ns: int) -> EpochGrid:
        """Return the smallest grid that covers a time span.

        Parameters
        ----------
        start_ns, end_ns : int
            Start and end on the time axis of the recording, ns.

        Returns
        -------
        EpochGrid
        """
        width = EPOCH_S * 1_000_000_000
        first = start_ns // width
        return cls(first, max(0, -(-end_ns // width) - first))

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return self.n * BINS_PER_EPOCH

    @property
    def first_bin(self) -> int:
        """Index of the first bin, which starts at ``5 * first_bin`` seconds."""
        return self.first * BINS_PER_EPOCH

    @property
    def epochs_s(self) -> Floats:
        """Start of each epoch, s."""
        return np.arange(self.first, self.first + self.n, dtype=np.float64) * EPOCH_S

    @property
    def bins_s(self) -> Floats:
        """Start of each bin, s."""
        first = self.first_bin
        return np.arange(first, first + self.n_bins, dtype=np.float64) * BIN_S


@dataclass(frozen=True, slots=True, eq=False)
class LegMotion:
    """Orientation changes and activity of the leg, combined over accelerometers.

    Attributes
    ----------
    grid : EpochGrid
        Epochs and bins of the arrays.
    valid : ndarray of bool, shape (bins,)
        Whether any channel has valid signal, masked or not.
    unmasked_s : ndarray of float64, shape (bins,)
        Seconds of signal that are valid and not masked.
    angle_change_deg : ndarray of float64, shape (bins,)
        Largest change of orientation since the previous bin, degrees; NaN unknown.
    activity : ndarray of float64, shape (epochs,)
        Largest mean dynamic acceleration of any channel without masked seconds, g; NaN
        unknown.
    peak_g : ndarray of float64, shape (bins,)
        Largest dynamic acceleration without masked seconds, g; NaN unknown.
    """

    grid: EpochGrid
    valid: Bools
    unmasked_s: Floats
    angle_change_deg: Floats
    activity: Floats
    peak_g: Floats


def measure_motion(
    channels: Sequence[PerSecond], events: pd.DataFrame, grid: EpochGrid, settings: ContextSettings
) -> LegMotion:
    """Measure orientation changes and activity, with leg events masked.

    Parameters
    ----------
    channels : sequence of PerSecond
        Per-second statistics, one per accelerometer.
    events : DataFrame
        Columns ``onset``, ``duration``, ``trial_type`` and ``peak_g``.
    grid : EpochGrid
        Epochs of the recording.
    settings : ContextSettings
        ``mask_events``, ``mask_s`` and ``quiet_g``.

    Returns
    -------
    LegMotion
    """
    n = grid.n_bins
    valid, unmasked = np.zeros(n, bool), np.zeros(n)
    angle, activity, peak = np.full(n, np.nan), np.full(grid.n, np.nan), np.full(n, np.nan)
    for seconds in channels:
        masked = mask_events(seconds, events, settings)
        usable = seconds.valid & ~masked
        at = np.floor(seconds.middle_s / BIN_S).astype(np.int64) - grid.first_bin
        length = seconds.length_s.astype(np.float64)
        valid_s = np.bincount(at, weights=length * seconds.valid, minlength=n)[:n]
        usable_s = np.bincount(at, weights=length * usable, minlength=n)[:n]
        known = valid_s >= _MIN_VALID_S
        valid |= known
        unmasked = np.maximum(unmasked, usable_s)
        vectors = _median_vectors(at[usable], seconds.mean_vector[usable], n)
        angle = np.fmax(angle, _angle_changes(vectors, known))
        level = np.bincount(at[usable], weights=(length * seconds.level)[usable], minlength=n)[:n]
        level, usable_s = level.reshape(-1, BINS_PER_EPOCH), usable_s.reshape(-1, BINS_PER_EPOCH)
        with np.errstate(invalid="ignore"):  # 0/0 where an epoch has no usable second
            mean = level.sum(axis=1) / usable_s.sum(axis=1)
        activity = np.fmax(activity, mean)
        inside = usable & (at >= 0) & (at < n)
        np.fmax.at(peak, at[inside], seconds.max[inside].astype(np.float64))
    return LegMotion(grid, valid, unmasked, angle, activity, peak)


class SecondsTable(Protocol):
    """A table with one row per second."""

    @property
    def time_ns(self) -> NDArray[np.int64]:
        """Start of each row, ns."""
        ...

    @property
    def length_s(self) -> NDArray[np.floating]:
        """Length of each row, s."""
        ...


def mask_events(seconds: SecondsTable, events: pd.DataFrame, settings: ContextSettings) -> Bools:
    """Return which seconds overlap a leg event, widened by ``mask_s`` on both sides.

    A twitch below ``quiet_g`` is not visible to the accelerometer and is not masked,
    because the mask would only discard good signal. Seconds of a gross movement or a
    posture change are never masked.

    Parameters
    ----------
    seconds : SecondsTable
        Rows in time order.
    events : DataFrame
        Columns ``onset``, ``duration``, ``trial_type`` and ``peak_g``.
    settings : ContextSettings
        ``mask_events``, ``mask_s`` and ``quiet_g``.

    Returns
    -------
    ndarray of bool, shape (seconds,)
    """
    if not settings.mask_events:
        return np.zeros(len(seconds.time_ns), bool)
    kind = events["trial_type"].to_numpy(object)
    small = ~(events["peak_g"].to_numpy(np.float64) >= settings.quiet_g)
    hide = np.isin(kind, MASKED_KINDS) & ~((kind == "twitch") & small)
    masked = _overlaps_event(seconds, events[hide], settings.mask_s)
    return masked & ~_overlaps_event(seconds, events[np.isin(kind, LARGE_KINDS)], 0.0)


def _overlaps_event(seconds: SecondsTable, events: pd.DataFrame, margin_s: float) -> Bools:
    """Return which seconds overlap any event, widened by a margin on both sides."""
    start = events["onset"].to_numpy(np.float64) - margin_s
    stop = start + np.nan_to_num(events["duration"].to_numpy(np.float64)) + 2 * margin_s
    begin = seconds.time_ns / 1e9
    first = np.searchsorted(begin + seconds.length_s, start, side="right")
    after = np.searchsorted(begin, stop, side="right")
    return mask_of(first, after, len(begin))


def _median_vectors(at: NDArray[np.int64], vector: NDArray[np.float32], n: int) -> Floats:
    """Return the median unit vector of each bin; NaN in bins without signal.

    For a sensor with fewer than three axes, the missing part of gravity, √(1 − |v|²),
    is appended as one more axis. Its sign is unknown, which does not matter for small
    angles.
    """
    width = vector.shape[1]
    out = np.full((n, width), np.nan)
    for first in range(0, n, _BINS_PER_BLOCK):
        block = slice(*np.searchsorted(at, [first, first + _BINS_PER_BLOCK]).tolist())
        table = pd.DataFrame(vector[block].astype(np.float64)).groupby(at[block]).median()
        out[table.index.to_numpy(np.int64)] = table.to_numpy(np.float64)
    if width < 3:
        rest = np.sqrt(np.maximum(0.0, 1.0 - np.square(out).sum(axis=1)))
        out = np.column_stack([out, rest])
    norm = np.linalg.norm(out, axis=1, keepdims=True)
    unit: Floats = np.divide(out, norm, out=np.full_like(out, np.nan), where=norm > 0)
    return unit


def _angle_changes(vectors: Floats, known: Bools) -> Floats:
    """Return the angle (degrees) between each bin's vector and the previous one.

    A masked bin has no vector; the next vector is compared with the last one before
    the mask, so that a movement into another position is detected. Vectors are not compared
    across a bin without signal.
    """
    angle_change = np.full(len(vectors), np.nan)
    have = np.flatnonzero(known & np.isfinite(vectors).all(axis=1))
    dot = np.einsum("ij,ij->i", vectors[have[1:]], vectors[have[:-1]])
    gaps = np.cumsum(~known)
    joined = gaps[have[1:]] == gaps[have[:-1]]
    angle = np.degrees(np.arccos(np.clip(dot, -1.0, 1.0)))
    angle_change[have[1:]] = np.where(joined, angle, np.nan)
    return angle_change


def find_sustained_inactivity(
    motion: LegMotion,
    settings: ContextSettings,
    *,
    minutes: float | None = None,
    angle: bool = True,
    activity: bool = True,
    immobile: bool = False,
) -> States:
    """Classify each bin as asleep (sustained inactivity), awake, undecided or unknown.

    An inactive period that is too short is wake if movement ends it, and undecided if
    a gap or the end of the recording does: a gap never counts as inactivity. The start
    of the recording is treated as movement, because the sensor has just been put on.

    Parameters
    ----------
    motion : LegMotion
        From `measure_motion`.
    settings : ContextSettings
        ``still_min``, ``still_deg``, ``quiet_g`` and ``immobile_g``.
    minutes : float, optional
        Minimum length of a period; ``still_min`` by default.
    angle, activity : bool
        Whether to apply the criteria of orientation and of activity.
    immobile : bool
        Whether no second may reach ``immobile_g``.

    Returns
    -------
    ndarray of int8, shape (bins,)
        `ASLEEP`, `WAKE`, `UNDECIDED` or `UNKNOWN`.
    """
    minutes = settings.still_min if minutes is None else minutes
    inactive = motion.valid.copy()
    if angle:
        inactive &= ~(motion.angle_change_deg > settings.still_deg)
    if activity:
        inactive &= ~np.repeat(motion.activity >= settings.quiet_g, BINS_PER_EPOCH)
    if immobile:
        inactive &= ~(motion.peak_g >= settings.immobile_g)
    state = np.where(motion.valid, WAKE, UNKNOWN).astype(np.int8)
    starts, stops = run_bounds(inactive)
    unmasked = prefix_sums(motion.unmasked_s)
    begin = int(np.argmax(motion.valid)) if motion.valid.any() else 0
    for start, stop in zip(starts, stops, strict=True):
        length_s = (stop - start) * BIN_S
        enough = unmasked[stop] - unmasked[start] >= _MIN_UNMASKED_SHARE * length_s
        cut_before = start > begin and not motion.valid[start - 1]
        cut_after = stop == len(inactive) or not motion.valid[stop]
        if length_s >= minutes * 60:
            state[start:stop] = ASLEEP if enough else UNDECIDED
        elif cut_before or cut_after:
            state[start:stop] = UNDECIDED
    return state


def majority_per_epoch(bins: States) -> States:
    """Return the most frequent state of the bins of each epoch.

    Parameters
    ----------
    bins : ndarray of int8, shape (6 * epochs,)
        State of each bin.

    Returns
    -------
    ndarray of int8, shape (epochs,)
        In a tie, the smaller constant: asleep before awake.
    """
    count = np.stack([(bins.reshape(-1, BINS_PER_EPOCH) == s).sum(axis=1) for s in range(4)])
    most_frequent: States = np.argmax(count, axis=0).astype(np.int8)
    return most_frequent
