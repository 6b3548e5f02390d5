"""Fragmentary myoclonus: mini-epochs with a potential, and minutes full of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.per_second import PerSecond
from twitchsense.settings import Settings
from twitchsense.sleep.coverage import Coverage, cover
from twitchsense.sleep.hypnogram.hypnogram import to_us
from twitchsense.sleep.hypnogram.stage_codes import NREM
from twitchsense.sleep.tagging import Context

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

ASLEEP: Final = ("sleep_onset", "asleep")
_MINUTE_US: Final = 60_000_000
#: A minute with less valid EMG than this is not judged [E].
_LEAST_S: Final = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Efm:
    """Minutes of the pattern of excessive fragmentary myoclonus.

    Attributes
    ----------
    minutes : int
        Minutes with at least so many potentials.
    low, high : int
        The same with one potential more, and one less, asked of each minute: what
        one false or missed twitch a minute could make of it.
    judged : int
        Minutes of such sleep that could be judged.
    verdict : str
        ``present`` if `low` is enough, ``absent`` if `high` is not, ``borderline``
        in between, ``not computable`` with fewer judged minutes than it takes.
    staged : bool
        Whether NREM is known; else all sleep counts.
    member : ndarray of bool
        Events (twitches) in the minutes counted.
    """

    minutes: int
    low: int
    high: int
    judged: int
    verdict: str
    staged: bool
    member: Bools


def emg_cover(seconds: Mapping[str, PerSecond]) -> Coverage:
    """Return the time in which at least one EMG channel is valid."""
    return cover([s for s in seconds.values() if s.kind == "emg"])


def in_sleep(context: Context, times_s: NDArray[np.float64], nrem: bool) -> Bools:
    """Return whether times lie in sleep; with a hypnogram and `nrem`, in NREM sleep."""
    if context.hypnogram is None:
        return np.isin(context.at(times_s), ASLEEP)
    stage = context.stage_at(times_s)
    if nrem and np.isin(context.hypnogram.stage, NREM).any():
        return np.isin(stage, NREM)
    return ~np.isin(stage, ("", "W"))


def find_efm(
    events: pd.DataFrame, context: Context, seconds: Mapping[str, PerSecond], settings: Settings
) -> Efm:
    """Find the minutes of sleep with `efm_per_min` potentials and more.

    Minutes are whole minutes of the recording's axis that lie in (NREM) sleep by
    their middle and have half a minute of valid EMG.
    """
    rule = settings.labels
    twitch = (events["trial_type"] == "twitch").to_numpy()
    onset = to_us(events["onset"].to_numpy(np.float64))
    valid = emg_cover(seconds)
    none = np.zeros(len(events), bool)
    staged = context.hypnogram is not None and bool(np.isin(context.hypnogram.stage, NREM).any())
    if len(valid.start_us) == 0:
        return Efm(0, 0, 0, 0, "not computable", staged, none)
    first = int(valid.start_us[0] // _MINUTE_US)
    n = int(-(-valid.stop_us[-1] // _MINUTE_US)) - first
    start_s = np.asarray((first + np.arange(n)) * 60.0, np.float64)
    asleep = in_sleep(context, start_s + 30.0, nrem=True)
    judged = asleep & (valid.between(start_s, start_s + 60.0) >= _LEAST_S)
    at = onset // _MINUTE_US - first
    mine = (
        twitch
        & (at >= 0)
        & (at < n)
        & in_sleep(context, np.asarray(onset / 1e6, np.float64), nrem=True)
    )
    count = np.bincount(at[mine], minlength=n)[:n]
    minutes, low, high = (int((judged & (count >= rule.efm_per_min + k)).sum()) for k in (0, 1, -1))
    member = none.copy()
    full = judged & (count >= rule.efm_per_min)
    member[mine] = full[at[mine]]
    if judged.sum() < rule.efm_min:
        verdict = "not computable"
    elif low >= rule.efm_min:
        verdict = "present"
    else:
        verdict = "borderline" if high >= rule.efm_min else "absent"
    if verdict in ("absent", "not computable"):
        member = none
    return Efm(minutes, low, high, int(judged.sum()), verdict, staged, member)


def count_mini_epochs(onset_s: NDArray[np.float64], epoch_s: float) -> int:
    """Return how many mini-epochs hold one potential or more (Lins 1993).

    Mini-epochs are laid from the zero of the recording's axis.
    """
    return len(np.unique(to_us(onset_s) // round(epoch_s * 1e6)))
