"""Leg-movement rules applied to a recording: its event table and its valid time.

`find_leg_movements` applies one set of rules to an event table, for the labels.
`leg_movement_block` computes the indices of ``summary.json``. Every index is a count
over the valid hours of its state, with an exact Poisson interval. An index that cannot
be computed is None, with the reason in ``not_computable``; zero means that movements
were searched for and none was found.

`twitchsense.scoring.leg_movements.score_event_list` applies the same rules to an event list
without a recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.candidates import LARGE_KINDS, LONG_KINDS
from twitchsense.model.intervals import run_bounds
from twitchsense.scoring.event_lists.legs import LEFT, RIGHT
from twitchsense.scoring.indices.rates import finite_or_none, rate_block
from twitchsense.scoring.indices.valid_hours import ValidHours, sleep_wake_hours
from twitchsense.scoring.leg_movements.input import (
    NOT_LM_LABELS,
    respiratory_from_frame,
)
from twitchsense.scoring.leg_movements.rules import (
    RULES,
    UNDEFINED,
    LegMovementRules,
    LegMovements,
    S,
    combine_leg_movements,
    containing_movement,
    find_intervals,
    find_respiratory,
    find_series,
    find_short_intervals,
    get_rules,
    without_candidates,
)
from twitchsense.settings import Settings
from twitchsense.sleep.context import Context
from twitchsense.sleep.context_intervals import SLEEP_CONTEXTS, WAKE_CONTEXTS
from twitchsense.sleep.hypnogram.model import to_us
from twitchsense.sleep.hypnogram.stage_codes import SLEEP

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Rules that are always scored, in addition to the rules of the settings.
SCORED: Final = ("wasm2016", "aasm")
#: Reason why a recording without EMG has no index.
NEEDS_EMG: Final = "needs EMG: acceleration alone misses movements"
#: Width of the bins of the interval histogram, s.
IMI_BIN_S: Final = 2
#: Upper end of the interval histogram, s (docs/definitions.md, Leg movements).
IMI_MAX_S: Final = 90
#: Fewest consecutive intervals of 10-90 s that count for the index of Ferri et al. 2006.
_FERRI_MIN_RUN: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class EventLegMovements:
    """Leg movements of an event table, by one set of rules.

    Attributes
    ----------
    rules : LegMovementRules
        The rules applied.
    movements : LegMovements
        Movements after joining marks and combining legs.
    series : ndarray of int64, shape (movements,)
        Number of the periodic series, from 1; 0 outside series.
    short : ndarray of bool, shape (movements,)
        Whether the interval before is below the minimum of the rules.
    of_event : ndarray of int64, shape (events,)
        Index of the movement that contains each event; -1 for none.
    """

    rules: LegMovementRules
    movements: LegMovements
    series: Ints
    short: Bools
    of_event: Ints


def find_leg_movements(events: pd.DataFrame, rules: str, taken: Bools) -> EventLegMovements:
    """Apply leg-movement rules to an event table.

    The marks are events of kind ``movement``: where there is EMG, activity in the
    10-100 Hz band that rises 8 µV above rest and ends 2 µV above it. A gross movement
    or a posture change is a movement that is not a candidate and ends a series. Events
    of other trains are not leg movements. All events without a leg are on one leg.

    Parameters
    ----------
    events : DataFrame
        Columns ``onset``, ``duration`` (s), ``trial_type`` and ``leg``.
    rules : str
        Name of the rules, a key of `twitchsense.scoring.leg_movements.rules.RULES`.
    taken : ndarray of bool, shape (events,)
        Events that belong to another train.

    Returns
    -------
    EventLegMovements
    """
    rule = get_rules(rules)
    kind = events["trial_type"].to_numpy(object)
    rows = np.flatnonzero(np.isin(kind, LONG_KINDS) & ~taken)
    start = to_us(events["onset"].to_numpy(np.float64)[rows])
    length = to_us(events["duration"].fillna(0.0).to_numpy(np.float64)[rows])
    large = np.isin(kind[rows], LARGE_KINDS)
    leg = np.where(events["leg"].to_numpy(object)[rows] == "right", RIGHT, LEFT)
    movements = combine_leg_movements(start, start + length, leg, rule)
    of_event = np.full(len(events), -1, np.int64)
    of_event[rows] = containing_movement(movements, start, start + length)
    movements = without_candidates(movements, of_event[rows[large]])
    interval = find_intervals(movements.onset, movements.clm)
    return EventLegMovements(
        rule,
        movements,
        find_series(interval, rule),
        find_short_intervals(interval, rule),
        of_event,
    )


def leg_movement_block(
    events: pd.DataFrame,
    context: Context,
    hours: ValidHours,
    settings: Settings,
    respiratory: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Score the leg movements of a recording by each set of rules.

    Without a hypnogram, sleep is estimated from the accelerometer, and ``sleep_by``
    reports that. Without EMG there are counts, but no index: acceleration alone misses
    movements, and takes others for large ones, which end a series.

    Parameters
    ----------
    events : DataFrame
        Labelled event table.
    context : Context
        Sleep and wake of the recording.
    hours : ValidHours
        Valid hours of the recording.
    settings : Settings
        ``settings.limb.rules`` names the rules behind the labels.
    respiratory : DataFrame, optional
        Respiratory events, ``onset`` and ``duration`` in seconds.

    Returns
    -------
    dict
        The value of ``leg_movements`` in ``summary.json``.
    """
    names = dict.fromkeys((settings.limb.rules, *SCORED))
    taken = events["label"].isin(NOT_LM_LABELS).to_numpy()
    staged = context.hypnogram is not None
    has_emg = bool((hours.table["sensor"] == "emg").any()) if len(hours.table) else False
    return {
        "labels_by": settings.limb.rules,
        "sleep_by": "hypnogram" if staged else "accelerometer (estimate)",
        "sensor": "emg" if has_emg else "acc",
        "respiratory_events_given": respiratory is not None,
        "rules": {
            name: score if has_emg else _without_indices(score)
            for name, score in (
                (n, _score(find_leg_movements(events, n, taken), context, hours, respiratory))
                for n in names
            )
        },
    }


def _score(
    found: EventLegMovements, context: Context, hours: ValidHours, respiratory: pd.DataFrame | None
) -> dict[str, Any]:
    """Return the indices by one set of rules."""
    movements, clm = found.movements, found.movements.clm
    asleep, in_wake = _sleep_wake_masks(context, movements.onset / S)
    sleep_h, wake_h = sleep_wake_hours(context, hours)
    total_h = hours.total("emg")
    plm = found.series > 0
    isolated = clm & ~plm & ~found.short
    n_plms = int((plm & asleep).sum())
    interval = find_intervals(movements.onset, clm)
    missing: dict[str, str] = {}
    out: dict[str, Any] = {
        "title": RULES[found.rules.name].title,
        "sleep_h": sleep_h,
        "wake_h": wake_h,
        "n_lm": len(movements),
        "n_bilateral_lm": int((movements.leg == 2).sum()),
        "n_clm": int(clm.sum()),
        "n_plm": int(plm.sum()),
        "n_plms": n_plms,
        "n_plmw": int((plm & in_wake).sum()),
        "n_series": int(found.series.max(initial=0)),
        "n_short_imi": int(found.short.sum()),
        "n_isolated": int(isolated.sum()),
        "plm_index": rate_block(int(plm.sum()), total_h),
        "plms_index": rate_block(n_plms, sleep_h),
        "plmw_index": rate_block(int((plm & in_wake).sum()), wake_h),
        "clms_index": rate_block(int((clm & asleep).sum()), sleep_h),
        "short_imi_sleep_index": rate_block(int((found.short & asleep).sum()), sleep_h),
        "isolated_sleep_index": rate_block(int((isolated & asleep).sum()), sleep_h),
        "pi_sleep": _share(n_plms, int((clm & asleep).sum())),
        "pi_sleep_formula": "PLMS / CLM in sleep",
        "pi_ferri2006": _periodicity_index(interval, asleep),
        "pi_ferri2006_formula": "intervals of 10-90 s (10 not included) in runs of 3 and more / "
        "all intervals between CLM in sleep (Ferri 2006, from memory)",
        "mean_plms_duration_s": _mean((movements.stop - movements.onset)[plm & asleep] / S),
        "intervals": _interval_distribution(interval[asleep]),
    }
    if not sleep_h > 0:
        missing |= dict.fromkeys(
            ("plms_index", "clms_index", "short_imi_sleep_index", "isolated_sleep_index"),
            "no valid signal in sleep",
        )
    if not wake_h > 0:
        missing["plmw_index"] = "no valid signal in wake"
    if out["pi_sleep"] is None:
        missing["pi_sleep"] = "no candidate leg movement in sleep"
    if out["pi_ferri2006"] is None:
        missing["pi_ferri2006"] = "no interval between candidates in sleep"
    if respiratory is None:
        names = ("n_clmr", "n_clm_nr", "n_plm_nr", "n_plms_nr", "plms_nr_index")
        out |= dict.fromkeys(names)
        missing |= dict.fromkeys(names, "no respiratory events were given")
    else:
        out |= _without_respiratory(found, asleep, sleep_h, respiratory)
        if not sleep_h > 0:
            missing["plms_nr_index"] = "no valid signal in sleep"
    return {**out, "not_computable": missing}


def _without_indices(score: dict[str, Any]) -> dict[str, Any]:
    """Return a score of acceleration alone: counts without rates and shares."""
    out, missing = dict(score), dict(score["not_computable"])
    for key, value in score.items():
        if isinstance(value, dict) and "rate_per_h" in value:
            out[key] = {**value, "rate_per_h": None, "low": None, "high": None}
        elif key in ("pi_sleep", "pi_ferri2006"):
            out[key] = None
        else:
            continue
        missing[key] = NEEDS_EMG
    return {**out, "not_computable": missing}


def _without_respiratory(
    found: EventLegMovements, asleep: Bools, sleep_h: float, respiratory: pd.DataFrame
) -> dict[str, Any]:
    """Return the indices after removal of candidates at respiratory events (CLMr)."""
    movements, clm = found.movements, found.movements.clm
    touches = find_respiratory(movements, *respiratory_from_frame(respiratory), found.rules)
    # a respiratory movement that is not a candidate is kept and still ends a series
    kept = ~(touches & clm)
    plm = np.zeros(len(movements), bool)
    plm[kept] = find_series(find_intervals(movements.onset[kept], clm[kept]), found.rules) > 0
    return {
        "n_clmr": int((touches & clm).sum()),
        "n_clm_nr": int((clm & ~touches).sum()),
        "n_plm_nr": int(plm.sum()),
        "n_plms_nr": int((plm & asleep).sum()),
        "plms_nr_index": rate_block(int((plm & asleep).sum()), sleep_h),
    }


def _sleep_wake_masks(context: Context, onset_s: Floats) -> tuple[Bools, Bools]:
    """Return which onsets lie in sleep, and which in wake."""
    if context.hypnogram is not None:
        stage = context.stage_at(onset_s)
        return np.isin(stage, SLEEP), np.asarray(stage == "W")
    where = context.at(onset_s)
    return np.isin(where, SLEEP_CONTEXTS), np.isin(where, WAKE_CONTEXTS)


def _periodicity_index(interval: Ints, asleep: Bools) -> float | None:
    """Return the periodicity index over intervals in sleep.

    The share of intervals that are longer than 10 s, at most 90 s, and in a run of at
    least three such intervals (Ferri et al. 2006, Sleep 29:759,
    doi:10.1093/sleep/29.6.759).
    """
    defined = (interval != UNDEFINED) & asleep
    if not defined.any():
        return None
    periodic = defined & (interval > 10 * S) & (interval <= 90 * S)
    starts, stops = run_bounds(periodic)
    length = stops - starts
    return float(length[length >= _FERRI_MIN_RUN].sum() / defined.sum())


def _interval_distribution(interval: Ints) -> dict[str, Any]:
    """Return the distribution of the intervals between candidates in sleep."""
    defined_s = interval[interval != UNDEFINED] / S
    edges = np.arange(0, IMI_MAX_S + IMI_BIN_S, IMI_BIN_S)
    # integer microseconds, so that 10 s falls into the bin that begins at 10 s
    bins = to_us(defined_s) // (IMI_BIN_S * S)
    count = np.bincount(bins[bins < len(edges) - 1], minlength=len(edges) - 1)
    log = np.log(defined_s[defined_s > 0])
    return {
        "n": len(defined_s),
        "n_over_90_s": int((defined_s > IMI_MAX_S).sum()),
        "bin_s": IMI_BIN_S,
        "counts": count[: len(edges) - 1].tolist(),
        "ln_mean": _mean(log),
        "ln_sd": finite_or_none(float(log.std(ddof=1))) if len(log) > 1 else None,
        "median_s": finite_or_none(float(np.median(defined_s))) if len(defined_s) else None,
    }


def _mean(values: Floats) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _share(count: int, of: int) -> float | None:
    return count / of if of else None
