"""Sleep onset: its definitions, the estimate and its range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.intervals import runs_of
from twitchsense.settings import ContextSettings
from twitchsense.sleep.hypnogram.model import Hypnogram
from twitchsense.sleep.inactivity import (
    ASLEEP,
    BIN_S,
    BINS_PER_EPOCH,
    EPOCH_S,
    UNKNOWN,
    WAKE,
    LegMotion,
    find_sustained_inactivity,
)
from twitchsense.sleep.sleep_probability import (
    ASLEEP_PROBABILITY,
    estimate_onset,
    load_calibration,
)

Source = Literal["hypnogram", "accelerometer", "none"]

#: Largest published bias of actigraphy, s: it places sleep onset 9-20 min too early,
#: because one can lie still while awake (docs/definitions.md, Hypnic jerks and sleep
#: onset).
ACTIGRAPHY_BIAS_S: Final = 20 * 60.0
#: Uninterrupted sleep (s) of a persistent onset in a hypnogram (latency to persistent
#: sleep, LPS).
PERSISTENT_S: Final = 600.0
#: Inactivity (min) of a persistent onset without a hypnogram.
PERSISTENT_MIN: Final = 10.0
#: Shortest recording (min of signal) for which the probability of sleep is used; the nights of
#: its training are longer [E].
MIN_SIGNAL_MIN: Final = 20.0
#: Immobility (min) of ``immobile_5min``: of 4 to 15 min, 5 min gave the best sleep
#: latency (Chae et al. 2009, Sleep Med 10:621, doi:10.1016/j.sleep.2008.07.009).
IMMOBILE_MIN: Final = 5.0


@dataclass(frozen=True, slots=True)
class SleepOnset:
    """Time of sleep onset with its range.

    Attributes
    ----------
    time_s : float or None
        Seconds from the start of the recording; None if no sleep was found.
    low_s, high_s : float or None
        Earliest and latest plausible time; see `onset_from_hypnogram`,
        `onset_from_probability` and `onset_from_motion`.
    source : {'hypnogram', 'accelerometer', 'none'}
        Source of the estimate.
    definition : str
        ``first_epoch``, ``persistent_10min`` or ``immobile_5min``.
    by_method : mapping of str to float or None
        Onset (s) by each method and definition; None where it finds no sleep.
    """

    time_s: float | None
    low_s: float | None
    high_s: float | None
    source: Source
    definition: str = "first_epoch"
    by_method: Mapping[str, float | None] = field(default_factory=dict)


def onset_from_hypnogram(hypnogram: Hypnogram, definition: str) -> SleepOnset:
    """Return the sleep onset of a hypnogram, plus or minus half an epoch.

    Parameters
    ----------
    hypnogram : Hypnogram
        Scored epochs.
    definition : {'first_epoch', 'persistent_10min', 'immobile_5min'}
        ``first_epoch`` is the first epoch of any sleep stage (AASM manual);
        ``persistent_10min`` the first epoch that begins 10 min of uninterrupted sleep,
        where unscored epochs and gaps interrupt. ``immobile_5min`` requires an
        accelerometer; ``first_epoch`` is used instead.

    Returns
    -------
    SleepOnset
    """
    found = {name: _first_epoch(hypnogram, name) for name in ("first_epoch", "persistent_10min")}
    name = "persistent_10min" if definition == "persistent_10min" else "first_epoch"
    by_method = {k: None if v is None else float(hypnogram.onset_s[v]) for k, v in found.items()}
    at = found[name]
    if at is None:
        return SleepOnset(None, None, None, "none", name, by_method)
    time, half = float(hypnogram.onset_s[at]), float(hypnogram.duration_s[at]) / 2
    return SleepOnset(time, time - half, time + half, "hypnogram", name, by_method)


def _first_epoch(hypnogram: Hypnogram, definition: str) -> int | None:
    """Return the index of the epoch of sleep onset; None without sleep."""
    asleep = np.flatnonzero(hypnogram.asleep)
    if definition == "persistent_10min" and len(asleep):
        start, stop = hypnogram.bounds_us
        # a run of sleep continues where the next sleep epoch touches the previous one
        is_first = np.concatenate([[True], start[asleep[1:]] != stop[asleep[:-1]]])
        is_last = np.concatenate([is_first[1:], [True]])
        run_us = stop[asleep[is_last]] - start[asleep[is_first]]
        asleep = asleep[is_first][run_us >= round(PERSISTENT_S * 1e6)]
    return int(asleep[0]) if len(asleep) else None


def classify_bins(motion: LegMotion, settings: ContextSettings) -> NDArray[np.int8]:
    """Classify each bin as asleep or awake by the selected definition of sleep onset.

    Parameters
    ----------
    motion : LegMotion
        Motion of the leg.
    settings : ContextSettings
        ``definition`` and the limits of inactivity.

    Returns
    -------
    ndarray of int8, shape (bins,)
        States of `twitchsense.sleep.inactivity`.
    """
    if settings.definition == "immobile_5min":
        return find_sustained_inactivity(
            motion, settings, minutes=IMMOBILE_MIN, angle=True, activity=False, immobile=True
        )
    minimum = PERSISTENT_MIN if settings.definition == "persistent_10min" else 0.0
    return find_sustained_inactivity(motion, settings, minutes=max(minimum, settings.still_min))


def onset_from_motion(
    motion: LegMotion,
    settings: ContextSettings,
    reference_onsets: Mapping[str, float | None] | None = None,
) -> SleepOnset:
    """Estimate sleep onset as the start of the first sustained inactivity.

    Parameters
    ----------
    motion : LegMotion
        Motion of the leg.
    settings : ContextSettings
        ``definition`` and the limits of inactivity.
    reference_onsets : mapping of str to float or None, optional
        Onsets by other algorithms, from
        `twitchsense.sleep.actigraphy.onsets_by_algorithm`.

    Returns
    -------
    SleepOnset

    Notes
    -----
    The range spans these methods, as far as they find sleep: the selected definition;
    10 min of inactivity; the angle criterion alone; the activity criterion alone; 5 min
    without any movement; and `reference_onsets` except HDCZA, whose sleep period is the
    time in bed.

    If 10 min of inactivity, the angle or the activity criterion never occur, the late
    end is the end of the recording. The late end is then extended by the largest known
    bias of actigraphy, 20 min; the estimate itself is not shifted. If there is no
    signal just before the early end, sleep may have begun in that gap, and the early
    end moves to the start of the gap.
    """
    others = dict(reference_onsets or {})
    first = _first_asleep(classify_bins(motion, settings))
    if first is None:
        return SleepOnset(None, None, None, "none", settings.definition, others)
    start = motion.grid.bins_s
    end = float(start[np.flatnonzero(motion.valid)[-1]] + BIN_S)
    persistent = max(PERSISTENT_MIN, settings.still_min)
    states = {
        "first_epoch": find_sustained_inactivity(motion, settings),
        "persistent_10min": find_sustained_inactivity(motion, settings, minutes=persistent),
        "angle_alone": find_sustained_inactivity(motion, settings, activity=False),
        "activity_alone": find_sustained_inactivity(motion, settings, angle=False),
        "immobile_5min": find_sustained_inactivity(
            motion, settings, minutes=IMMOBILE_MIN, activity=False, immobile=True
        ),
    }
    bins = {name: _first_asleep(state) for name, state in states.items()}
    by_method = {k: None if v is None else float(start[v]) for k, v in bins.items()}
    open_ended = ("persistent_10min", "angle_alone", "activity_alone")
    candidates = [end if by_method[name] is None else by_method[name] for name in open_ended]
    candidates += [*by_method.values(), *(v for k, v in others.items() if k != "hdcza")]
    candidates.append(float(start[first]))
    times = [t for t in candidates if t is not None]
    earliest = round((min(times) - float(start[0])) / BIN_S)
    return SleepOnset(
        float(start[first]),
        float(start[_start_of_gap_before(motion.valid, earliest)]),
        min(max(times) + ACTIGRAPHY_BIAS_S, end),
        "accelerometer",
        settings.definition,
        {**by_method, **others},
    )


def onset_from_probability(
    motion: LegMotion,
    probability: NDArray[np.float64],
    settings: ContextSettings,
    by_rules: SleepOnset,
) -> SleepOnset:
    """Estimate sleep onset from the probability of sleep of each epoch, with its 90 % interval.

    Parameters
    ----------
    motion : LegMotion
        Motion of the leg.
    probability : ndarray of float64, shape (epochs,)
        From `twitchsense.sleep.sleep_probability.sleep_probability`; NaN unknown.
    settings : ContextSettings
        ``definition``: for ``persistent_10min``, the first 10 min after the estimate in which
        every epoch is sleep.
    by_rules : SleepOnset
        Onsets by sustained inactivity and by the reference algorithms.

    Returns
    -------
    SleepOnset
    """
    found = estimate_onset(probability, load_calibration())
    start = float(motion.grid.epochs_s[0])
    time = None if found is None else start + found.time_s
    by_method = {**by_rules.by_method, "probability": time}
    if found is not None and settings.definition == "persistent_10min":
        first = round(found.time_s / EPOCH_S)
        epochs = round(PERSISTENT_MIN * 60 / EPOCH_S)
        asleep = probability[first:] >= ASLEEP_PROBABILITY
        run = next((a for a, b in runs_of(asleep) if b - a >= epochs), None)
        time = None if run is None else start + float((first + run) * EPOCH_S)
    if found is None or time is None:
        return SleepOnset(None, None, None, "none", settings.definition, by_method)
    low, high = min(start + found.low_s, time), max(start + found.high_s, time)
    first_valid, last_valid = np.flatnonzero(motion.valid)[[0, -1]]
    low = max(low, min(float(motion.grid.bins_s[first_valid]), time))
    high = min(high, max(float(motion.grid.bins_s[last_valid] + BIN_S), time))
    return SleepOnset(time, low, high, "accelerometer", settings.definition, by_method)


def classify_epochs(motion: LegMotion, probability: NDArray[np.float64]) -> NDArray[np.int8]:
    """Classify each bin as asleep or awake by the probability of sleep of its epoch.

    Parameters
    ----------
    motion : LegMotion
        Motion of the leg.
    probability : ndarray of float64, shape (epochs,)
        NaN unknown.

    Returns
    -------
    ndarray of int8, shape (bins,)
        States of `twitchsense.sleep.inactivity`.
    """
    asleep = np.repeat(probability >= ASLEEP_PROBABILITY, BINS_PER_EPOCH)
    unknown = ~motion.valid | np.repeat(np.isnan(probability), BINS_PER_EPOCH)
    return np.select([unknown, asleep], [UNKNOWN, ASLEEP], WAKE).astype(np.int8)


def _first_asleep(state: NDArray[np.int8]) -> int | None:
    """Return the first bin that is asleep; None without one."""
    found = np.flatnonzero(state == ASLEEP)
    return int(found[0]) if len(found) else None


def _start_of_gap_before(valid: NDArray[np.bool_], at: int) -> int:
    """Return the first bin of the gap that ends at a bin; the bin itself without a gap."""
    before = np.flatnonzero(valid[:at])
    return int(before[-1]) + 1 if len(before) else 0
