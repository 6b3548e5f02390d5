"""Fragmentary myoclonus: index, potentials per minute, and the excessive pattern (EFM)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.per_second import PerSecond
from twitchsense.scoring.indices.rates import per_minute_block, rate_block
from twitchsense.scoring.indices.valid_hours import ValidHours, sleep_wake_hours
from twitchsense.settings import Settings
from twitchsense.sleep.context import Context
from twitchsense.sleep.context_intervals import SLEEP_CONTEXTS
from twitchsense.sleep.hypnogram.model import to_us
from twitchsense.sleep.hypnogram.stage_codes import NREM
from twitchsense.sleep.valid_time import ValidIntervals, union_of_valid

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_MINUTE_US: Final = 60_000_000
#: Seconds of valid EMG that a minute needs to be evaluated [E].
_MIN_VALID_S: Final = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class EfmPattern:
    """Minutes with the pattern of excessive fragmentary myoclonus.

    Attributes
    ----------
    minutes : int
        Minutes with at least ``efm_per_min`` potentials.
    low, high : int
        The same count if each minute must hold one potential more, or one less: the
        effect of one false or missed twitch per minute.
    evaluated : int
        Minutes of sleep with enough valid EMG.
    state : str
        ``present`` if `low` reaches the limit, ``absent`` if `high` does not,
        ``borderline`` in between, ``not computable`` if fewer minutes were evaluated
        than the pattern requires.
    staged : bool
        Whether NREM sleep is known; otherwise all sleep counts.
    member : ndarray of bool, shape (events,)
        Twitches in the minutes counted.
    """

    minutes: int
    low: int
    high: int
    evaluated: int
    state: str
    staged: bool
    member: Bools


def emg_valid_intervals(seconds: Mapping[str, PerSecond]) -> ValidIntervals:
    """Return the time in which at least one EMG channel is valid.

    Parameters
    ----------
    seconds : mapping of channel name to PerSecond
        Per-second statistics.

    Returns
    -------
    ValidIntervals
    """
    return union_of_valid([s for s in seconds.values() if s.kind == "emg"])


def is_asleep(context: Context, times_s: Floats, nrem: bool) -> Bools:
    """Return whether times lie in sleep.

    Parameters
    ----------
    context : Context
        Sleep and wake of the recording.
    times_s : ndarray of float64
        Seconds from the start of the recording.
    nrem : bool
        Whether only NREM sleep counts, if the hypnogram has any.

    Returns
    -------
    ndarray of bool
    """
    if context.hypnogram is None:
        return np.isin(context.at(times_s), SLEEP_CONTEXTS)
    stage = context.stage_at(times_s)
    if nrem and np.isin(context.hypnogram.stage, NREM).any():
        return np.isin(stage, NREM)
    return ~np.isin(stage, ("", "W"))


def find_efm(
    events: pd.DataFrame, context: Context, seconds: Mapping[str, PerSecond], settings: Settings
) -> EfmPattern:
    """Find the minutes of sleep with at least ``labels.efm_per_min`` potentials.

    Minutes are whole minutes of the recording's time axis whose middle lies in (NREM)
    sleep and which hold at least 30 s of valid EMG. The pattern follows the AASM manual
    (docs/definitions.md, Fragmentary myoclonus).

    Parameters
    ----------
    events : DataFrame
        Columns ``onset`` (s) and ``trial_type``.
    context : Context
        Sleep and wake of the recording.
    seconds : mapping of channel name to PerSecond
        Per-second statistics.
    settings : Settings
        ``labels.efm_per_min`` and ``labels.efm_min``.

    Returns
    -------
    EfmPattern
    """
    rule = settings.labels
    twitch = (events["trial_type"] == "twitch").to_numpy()
    onset = to_us(events["onset"].to_numpy(np.float64))
    valid = emg_valid_intervals(seconds)
    none = np.zeros(len(events), bool)
    staged = context.hypnogram is not None and bool(np.isin(context.hypnogram.stage, NREM).any())
    if len(valid.start_us) == 0:
        return EfmPattern(0, 0, 0, 0, "not computable", staged, none)
    first = int(valid.start_us[0] // _MINUTE_US)
    n = int(-(-valid.stop_us[-1] // _MINUTE_US)) - first
    start_s = np.asarray((first + np.arange(n)) * 60.0, np.float64)
    asleep = is_asleep(context, start_s + 30.0, nrem=True)
    evaluated = asleep & (valid.seconds_between(start_s, start_s + 60.0) >= _MIN_VALID_S)
    minute = onset // _MINUTE_US - first
    counted = (
        twitch
        & (minute >= 0)
        & (minute < n)
        & is_asleep(context, np.asarray(onset / 1e6, np.float64), nrem=True)
    )
    count = np.bincount(minute[counted], minlength=n)[:n]
    minutes, low, high = (
        int((evaluated & (count >= rule.efm_per_min + k)).sum()) for k in (0, 1, -1)
    )
    member = none.copy()
    full = evaluated & (count >= rule.efm_per_min)
    member[counted] = full[minute[counted]]
    if evaluated.sum() < rule.efm_min:
        state = "not computable"
    elif low >= rule.efm_min:
        state = "present"
    else:
        state = "borderline" if high >= rule.efm_min else "absent"
    if state in ("absent", "not computable"):
        member = none
    return EfmPattern(minutes, low, high, int(evaluated.sum()), state, staged, member)


def count_mini_epochs(onset_s: Floats, epoch_s: float) -> int:
    """Return the number of mini-epochs that hold at least one potential.

    This is the numerator of the fragmentary-myoclonus index of Lins et al. 1993
    (docs/definitions.md, Fragmentary myoclonus). Mini-epochs start at the zero of the
    recording's axis.

    Parameters
    ----------
    onset_s : ndarray of float64
        Onsets of the potentials, s.
    epoch_s : float
        Length of a mini-epoch, s.

    Returns
    -------
    int
    """
    return len(np.unique(to_us(onset_s) // round(epoch_s * 1e6)))


def fragmentary_block(
    events: pd.DataFrame,
    context: Context,
    seconds: Mapping[str, PerSecond],
    hours: ValidHours,
    settings: Settings,
) -> dict[str, Any]:
    """Compute mini-epochs per hour, potentials per minute, and the EFM pattern.

    Parameters
    ----------
    events : DataFrame
        Event table.
    context : Context
        Sleep and wake of the recording.
    seconds : mapping of channel name to PerSecond
        Per-second statistics.
    hours : ValidHours
        Valid hours of the recording.
    settings : Settings
        Settings under ``labels``.

    Returns
    -------
    dict
        The value of ``fragmentary_myoclonus`` in ``summary.json``.
    """
    twitch = (events["trial_type"] == "twitch").to_numpy()
    onset = events["onset"].to_numpy(np.float64)
    epoch_s = settings.labels.fm_epoch_s
    efm = find_efm(events, context, seconds, settings)
    has_emg = any(s.kind == "emg" for s in seconds.values())
    groups: dict[str, tuple[Bools, float]] = {
        "sleep": (is_asleep(context, onset, nrem=False), sleep_wake_hours(context, hours)[0])
    }
    staged = context.hypnogram is not None
    if staged:
        stage = context.stage_at(onset)
        groups["nrem"] = (np.isin(stage, NREM), hours.total("emg", stage=NREM))
        groups["rem"] = (stage == "R", hours.total("emg", stage=("R",)))
    missing: dict[str, str] = {}
    if not has_emg:
        missing["fm_index"] = "no muscle signal (EMG)"
    elif not groups["sleep"][1] > 0:
        missing["fm_index"] = "no valid muscle signal in sleep"
    if not staged:
        missing["nrem"] = "no hypnogram: sleep of all stages together"
    out: dict[str, Any] = {
        "rule": f"{epoch_s:g}-s mini-epochs with a potential, per hour (Lins 1993)",
        "fm_index": {},
        "potentials_per_min": {},
    }
    for name, (inside, valid_h) in groups.items():
        group_h = valid_h if has_emg else 0.0
        mini_epochs = count_mini_epochs(onset[twitch & inside], epoch_s)
        out["fm_index"][name] = rate_block(mini_epochs, group_h)
        by_minute = rate_block(int((twitch & inside).sum()), 60 * group_h)
        out["potentials_per_min"][name] = per_minute_block(by_minute)
    out["efm_pattern"] = {
        "rule": f"{settings.labels.efm_per_min} potentials a minute for "
        f"{settings.labels.efm_min:g} min of NREM sleep in all (AASM: EFM)",
        "verdict": efm.state,
        "minutes": efm.minutes,
        "minutes_low": efm.low,
        "minutes_high": efm.high,
        "judged_min": efm.evaluated,
        "sleep": "NREM" if efm.staged else "sleep, stage unknown",
    }
    return {**out, "not_computable": missing}
