"""The figures that sleep laboratories print, from a recording: named rules, valid time.

Every index is a count over the valid hours of its state, with an exact Poisson
interval. What can't be computed is None and says why: a zero means that it was
looked for and not there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.intervals import run_bounds
from twitchsense.model.per_second import PerSecond
from twitchsense.scoring.active_wake import resting_seconds
from twitchsense.scoring.fragmentary_myoclonus import ASLEEP, count_mini_epochs, find_efm, in_sleep
from twitchsense.scoring.leg_movements.input import take_respiratory
from twitchsense.scoring.leg_movements.rules import (
    RULES,
    UNDEFINED,
    S,
    find_intervals,
    find_respiratory,
    find_series,
)
from twitchsense.scoring.rates import ValidHours, rate
from twitchsense.scoring.series import LegMoves, find_leg_moves
from twitchsense.settings import Settings
from twitchsense.sleep.hypnogram.hypnogram import to_us
from twitchsense.sleep.hypnogram.stage_codes import NREM, SLEEP
from twitchsense.sleep.tagging import Context

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

#: Rules that are always scored side by side.
SCORED: Final = ("wasm2016", "aasm")
#: Labels of trains whose bursts are no leg movements of the rules.
NO_LM: Final = (
    "tremor_like",
    "alma_like",
    "hypnagogic_foot_tremor_like",
    "high_freq_leg_movement",
)
AWAKE: Final = ("wake", "drowsy")
#: Intervals are shown in bins of 2 s up to 90 s (docs/definitions.md, Leg movements).
IMI_BIN_S, IMI_MOST_S = 2, 90
#: Neighbours nearer than this on both sides make a twitch continual (Sleutjes 2016).
ISOLATED_S: Final = 0.25
_TRAIN_LEAST: Final = {"tremor": 5, "hiccup": 5, "violent": 3}


def leg_movement_block(
    events: pd.DataFrame,
    context: Context,
    hours: ValidHours,
    settings: Settings,
    respiratory: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Score the leg movements of a recording by each set of rules.

    Without a hypnogram sleep is what the accelerometer calls so, and says so.
    """
    names = dict.fromkeys((settings.limb.rules, *SCORED))
    taken = events["label"].isin(NO_LM).to_numpy()
    staged = context.hypnogram is not None
    has_emg = bool((hours.table["sensor"] == "emg").any()) if len(hours.table) else False
    return {
        "labels_by": settings.limb.rules,
        "sleep_by": "hypnogram" if staged else "accelerometer (estimate)",
        "sensor": "emg" if has_emg else "acc",
        "respiratory_events_given": respiratory is not None,
        "rules": {
            name: _score(find_leg_moves(events, name, taken), context, hours, respiratory)
            for name in names
        },
    }


def _score(
    legs: LegMoves, context: Context, hours: ValidHours, respiratory: pd.DataFrame | None
) -> dict[str, Any]:
    moves, clm = legs.moves, legs.moves.clm
    onset_s = moves.onset / S
    asleep, awake = _states(context, onset_s)
    sleep_h, wake_h = _state_hours(context, hours)
    total_h = hours.of("emg")
    plm = legs.series > 0
    interval = find_intervals(moves.onset, clm)
    why: dict[str, str] = {}
    out: dict[str, Any] = {
        "title": RULES[legs.rules.name].title,
        "sleep_h": sleep_h,
        "wake_h": wake_h,
        "n_lm": len(moves),
        "n_bilateral_lm": int((moves.leg == 2).sum()),
        "n_clm": int(clm.sum()),
        "n_plm": int(plm.sum()),
        "n_plms": int((plm & asleep).sum()),
        "n_plmw": int((plm & awake).sum()),
        "n_series": int(legs.series.max(initial=0)),
        "n_short_imi": int(legs.short.sum()),
        "n_isolated": int((clm & ~plm & ~legs.short).sum()),
        "plm_index": rate_block(int(plm.sum()), total_h),
        "plms_index": rate_block(int((plm & asleep).sum()), sleep_h),
        "plmw_index": rate_block(int((plm & awake).sum()), wake_h),
        "clms_index": rate_block(int((clm & asleep).sum()), sleep_h),
        "short_imi_sleep_index": rate_block(int((legs.short & asleep).sum()), sleep_h),
        "isolated_sleep_index": rate_block(int((clm & ~plm & ~legs.short & asleep).sum()), sleep_h),
        "pi_sleep": _share(int((plm & asleep).sum()), int((clm & asleep).sum())),
        "pi_sleep_formula": "PLMS / CLM in sleep",
        "pi_ferri2006": _ferri(interval, asleep),
        "pi_ferri2006_formula": "intervals of 10-90 s (10 not included) in runs of 3 and more / "
        "all intervals between CLM in sleep (Ferri 2006, from memory)",
        "mean_plms_duration_s": _mean((moves.stop - moves.onset)[plm & asleep] / S),
        "intervals": _intervals(interval[asleep]),
    }
    if not sleep_h > 0:
        why |= dict.fromkeys(
            ("plms_index", "clms_index", "short_imi_sleep_index", "isolated_sleep_index"),
            "no valid signal in sleep",
        )
    if not wake_h > 0:
        why["plmw_index"] = "no valid signal in wake"
    if out["pi_sleep"] is None:
        why["pi_sleep"] = "no candidate leg movement in sleep"
    if out["pi_ferri2006"] is None:
        why["pi_ferri2006"] = "no interval between candidates in sleep"
    if respiratory is None:
        names = ("n_clmr", "n_clm_nr", "n_plm_nr", "n_plms_nr", "plms_nr_index")
        out |= dict.fromkeys(names)
        why |= dict.fromkeys(names, "no respiratory events were given")
    else:
        out |= _without_respiratory(legs, asleep, sleep_h, respiratory)
        if not sleep_h > 0:
            why["plms_nr_index"] = "no valid signal in sleep"
    return {**out, "not_computable": why}


def _without_respiratory(
    legs: LegMoves, asleep: Bools, sleep_h: float, respiratory: pd.DataFrame
) -> dict[str, Any]:
    moves, clm = legs.moves, legs.moves.clm
    breath = find_respiratory(moves, *take_respiratory(respiratory), legs.rules)
    # a respiratory movement that is no candidate stays, and still ends series
    kept = ~(breath & clm)
    plm = np.zeros(len(moves), bool)
    plm[kept] = find_series(find_intervals(moves.onset[kept], clm[kept]), legs.rules) > 0
    return {
        "n_clmr": int((breath & clm).sum()),
        "n_clm_nr": int((clm & ~breath).sum()),
        "n_plm_nr": int(plm.sum()),
        "n_plms_nr": int((plm & asleep).sum()),
        "plms_nr_index": rate_block(int((plm & asleep).sum()), sleep_h),
    }


def fragmentary_block(
    events: pd.DataFrame,
    context: Context,
    seconds: Mapping[str, PerSecond],
    hours: ValidHours,
    settings: Settings,
) -> dict[str, Any]:
    """Return mini-epochs an hour, potentials a minute, and the EFM pattern."""
    twitch = (events["trial_type"] == "twitch").to_numpy()
    onset = events["onset"].to_numpy(np.float64)
    epoch_s = settings.labels.fm_epoch_s
    efm = find_efm(events, context, seconds, settings)
    has_emg = any(s.kind == "emg" for s in seconds.values())
    groups: dict[str, tuple[Bools, float]] = {
        "sleep": (in_sleep(context, onset, nrem=False), _emg_hours(context, hours, None))
    }
    staged = context.hypnogram is not None
    if staged:
        stage = context.stage_at(onset)
        groups["nrem"] = (np.isin(stage, NREM), _emg_hours(context, hours, NREM))
        groups["rem"] = (stage == "R", _emg_hours(context, hours, ("R",)))
    why: dict[str, str] = {}
    if not has_emg:
        why["fm_index"] = "no muscle signal (EMG)"
    elif not groups["sleep"][1] > 0:
        why["fm_index"] = "no valid muscle signal in sleep"
    if not staged:
        why["nrem"] = "no hypnogram: sleep of all stages together"
    out: dict[str, Any] = {
        "rule": f"{epoch_s:g}-s mini-epochs with a potential, per hour (Lins 1993)",
        "fm_index": {},
        "potentials_per_min": {},
    }
    for name, (inside, valid_h) in groups.items():
        hours_here = valid_h if has_emg else 0.0
        mini = count_mini_epochs(onset[twitch & inside], epoch_s)
        out["fm_index"][name] = rate_block(mini, hours_here)
        minutes = rate_block(int((twitch & inside).sum()), 60 * hours_here)
        out["potentials_per_min"][name] = per_minute(minutes)
    out["efm_pattern"] = {
        "rule": f"{settings.labels.efm_per_min} potentials a minute for "
        f"{settings.labels.efm_min:g} min of NREM sleep in all (AASM: EFM)",
        "verdict": efm.verdict,
        "minutes": efm.minutes,
        "minutes_low": efm.low,
        "minutes_high": efm.high,
        "judged_min": efm.judged,
        "sleep": "NREM" if efm.staged else "sleep, stage unknown",
    }
    return {**out, "not_computable": why}


def fasciculation_block(
    events: pd.DataFrame, context: Context, seconds: Mapping[str, PerSecond], settings: Settings
) -> dict[str, Any]:
    """Return fasciculation-like twitches per minute of wake at rest, by channel.

    Time in active wake is in no denominator, as twitches there are not counted.
    """
    out: dict[str, Any] = {
        "rule": "twitches of 50 uV and more (setting) per valid minute of wake at rest",
        "channels": {},
    }
    why: dict[str, str] = {}
    mine = (events["label"] == "fasciculation_like").to_numpy()
    for name, table in seconds.items():
        if table.kind != "emg":
            continue
        middle = table.middle_s
        rest = resting_seconds(table, context, settings)
        rest &= np.isin(context.at(middle), ("wake", "unknown"))
        minutes = float(table.length_s[rest].sum(dtype=np.float64)) / 60
        onset = events["onset"].to_numpy(np.float64)[mine & (events["channel"] == name).to_numpy()]
        cell = per_minute(rate_block(len(onset), minutes))
        for width in (1, 2):
            cell[f"most_in_{width}_min"] = _most(onset, table, rest, 60.0 * width)
        gap = np.diff(onset)
        far = np.concatenate([[True], gap > ISOLATED_S]), np.concatenate([gap > ISOLATED_S, [True]])
        cell["n_isolated"] = int((far[0] & far[1]).sum()) if len(onset) else 0
        out["channels"][name] = cell
        if not minutes > 0:
            why[name] = "no valid wake at rest"
    if not out["channels"]:
        why["channels"] = "no muscle signal (EMG)"
    return {**out, "not_computable": why}


def _most(onset: NDArray[np.float64], table: PerSecond, rest: Bools, width_s: float) -> int | None:
    """Return the most twitches in any whole window of rest; None without one."""
    at = np.floor(table.middle_s / width_s).astype(np.int64)
    if not rest.any():
        return None
    first = int(at.min())
    rested = np.bincount((at - first)[rest], weights=table.length_s[rest])
    whole = np.flatnonzero(rested >= width_s - 1.5) + first
    if len(whole) == 0:
        return None
    count = pd.Series(np.floor(onset / width_s).astype(np.int64)).value_counts()
    return int(count.reindex(whole, fill_value=0).max())


def train_block(events: pd.DataFrame, hours: ValidHours) -> dict[str, Any]:
    """Return how many trains of each label there are, and whether they hang by a thread.

    ``robust`` counts the trains that would stand with any one of their bursts less.
    """
    total = hours.of("acc")
    out: dict[str, Any] = {}
    named = events[events["series"] != ""]
    size = named["evidence"].str.extract(r"(\d+) in the train")[0].astype(float)
    for label, rows in named.assign(size=size).groupby("label", sort=True):
        per = rows.groupby("series")["size"].max()
        least = pd.Series(per.index.str.rsplit("-", n=1).str[0], per.index).map(
            lambda pattern: _TRAIN_LEAST.get(str(pattern), 4)
        )
        out[str(label)] = {
            "trains": rate_block(len(per), total),
            "events": len(rows),
            "robust": int((per > least).sum()),
        }
    return out


def rate_block(count: int, hours: float) -> dict[str, Any]:
    """Return a count with its hours, its rate and its exact interval."""
    per_hour, low, high = rate(count, hours)
    return {
        "count": count,
        "hours": hours,
        "rate_per_h": _plain(per_hour),
        "low": _plain(low),
        "high": _plain(high),
    }


def per_minute(block: dict[str, Any]) -> dict[str, Any]:
    """Return a rate block that was given minutes under its proper names."""
    return {
        "count": block["count"],
        "minutes": block["hours"],
        "rate_per_min": block["rate_per_h"],
        "low": block["low"],
        "high": block["high"],
    }


def _states(context: Context, onset_s: NDArray[np.float64]) -> tuple[Bools, Bools]:
    """Return which times are asleep, and which awake."""
    if context.hypnogram is not None:
        stage = context.stage_at(onset_s)
        return np.isin(stage, SLEEP), np.asarray(stage == "W")
    where = context.at(onset_s)
    return np.isin(where, ASLEEP), np.isin(where, AWAKE)


def _state_hours(context: Context, hours: ValidHours) -> tuple[float, float]:
    if context.hypnogram is not None:
        return hours.of("emg", stage=SLEEP), hours.of("emg", stage="W")
    return hours.of("emg", context=ASLEEP), hours.of("emg", context=AWAKE)


def _emg_hours(context: Context, hours: ValidHours, stages: tuple[str, ...] | None) -> float:
    if stages is not None:
        return hours.of("emg", stage=stages)
    return _state_hours(context, hours)[0]


def _ferri(interval: Ints, asleep: Bools) -> float | None:
    """Return the periodicity index of Ferri et al. 2006 over intervals in sleep."""
    defined = (interval != UNDEFINED) & asleep
    if not defined.any():
        return None
    fits = defined & (interval > 10 * S) & (interval <= 90 * S)
    starts, stops = run_bounds(fits)
    length = stops - starts
    return float(length[length >= 3].sum() / defined.sum())


def _intervals(interval: Ints) -> dict[str, Any]:
    """Return the distribution of the intervals between candidates in sleep."""
    told = interval[interval != UNDEFINED] / S
    edges = np.arange(0, IMI_MOST_S + IMI_BIN_S, IMI_BIN_S)
    # integer microseconds, so that 10 s is in the bin that begins there
    bins = to_us(told) // (IMI_BIN_S * S)
    count = np.bincount(bins[bins < len(edges) - 1], minlength=len(edges) - 1)
    log = np.log(told[told > 0])
    return {
        "n": len(told),
        "n_over_90_s": int((told > IMI_MOST_S).sum()),
        "bin_s": IMI_BIN_S,
        "counts": count[: len(edges) - 1].tolist(),
        "ln_mean": _mean(log),
        "ln_sd": _plain(float(log.std(ddof=1))) if len(log) > 1 else None,
        "median_s": _plain(float(np.median(told))) if len(told) else None,
    }


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _share(count: int, of: int) -> float | None:
    return count / of if of else None


def _plain(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
