"""Series of single events: hiccups and clusters of jerks; counts of all trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.event_table import EVENT_COLUMNS, REJECTED_COLUMNS
from twitchsense.scoring.indices.rates import rate_block
from twitchsense.scoring.indices.valid_hours import ValidHours
from twitchsense.scoring.trains.burst_trains import Train, find_runs, regular_members
from twitchsense.settings import TrainSettings

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

#: Reasons of rejected candidates without muscle activity that may be hiccup jolts.
JOLT_REASONS: Final = ("bump", "acc_micro_event")
#: Columns of text of the event table that the rejected table lacks.
_EVENT_ONLY_COLUMNS: Final = tuple(
    {c.name for c in EVENT_COLUMNS if c.dtype == "str"} - {c.name for c in REJECTED_COLUMNS}
)
#: Confidence of a jolt in a hiccup train: rhythm alone is weak evidence
#: (docs/definitions.md, Hiccups).
HICCUP_CONFIDENCE: Final = 0.4
#: Maximum distance (s) between the onsets of jerks of two legs that count as one, by analogy
#: with bilateral leg movements (Ferri et al. 2016, doi:10.1016/j.sleep.2016.10.010).
BILATERAL_S: Final = 0.5


def find_hiccups(
    events: pd.DataFrame, rejected: pd.DataFrame, rule: TrainSettings
) -> tuple[pd.DataFrame, pd.DataFrame, list[Train]]:
    """Find hiccup-like trains of jolts, and turn rejected jolts into events.

    A jolt is a short acceleration while the leg's EMG is silent, below
    ``hiccup_uv``, or not recorded. A single jolt is a knock at the bed; at least
    ``hiccup_least`` of them at a steady rhythm and of similar size are hiccup-like.

    Parameters
    ----------
    events, rejected : DataFrame
        Tables of the detector.
    rule : TrainSettings
        Limits under ``hiccup_*``.

    Returns
    -------
    events, rejected : DataFrame
        New tables; the jolts of trains have moved from the second to the first.
    trains : list of Train
        Rows refer to the new event table.
    """
    short = rule.hiccup_ms / 1000
    silent = rejected["reason"].isin(JOLT_REASONS) & (rejected["duration"] < short)
    quiet = ~(events["amplitude_uv"] >= rule.hiccup_uv)
    jerks = (events["trial_type"] == "jerk") & quiet & (events["duration"] < short)
    pool = pd.concat(
        [
            rejected[silent].assign(old=np.flatnonzero(silent), known=False),
            events[jerks].assign(old=np.flatnonzero(jerks), known=True),
        ]
    ).sort_values(["onset", "channel"], kind="stable", ignore_index=True)
    found: list[tuple[Ints, Floats]] = []
    # both legs record the same jolt; a body has one train of hiccups
    first = _first_of_each(pool["onset"].to_numpy(np.float64), rule.hiccup_s[0])
    times = pool["onset"].to_numpy(np.float64)[first]
    size = np.log(np.maximum(pool["peak_g"].to_numpy(np.float64)[first], 1e-6))
    for run in find_runs(times, *rule.hiccup_s):
        kept = run[regular_members(times[run], rule.hiccup_cv)]
        # knocks at the bed vary in size, the hiccups of one person do not
        if len(kept) >= rule.hiccup_least and size[kept].std(ddof=1) <= rule.hiccup_size:
            found.append((first[kept], times[kept]))
    if not found:
        return events, rejected, []
    rows = pool.iloc[np.concatenate([members for members, _ in found])]
    added = rows[~rows["known"].to_numpy(bool)]
    names = [c.name for c in EVENT_COLUMNS]
    hiccups = added.assign(trial_type="jolt", confidence=HICCUP_CONFIDENCE)
    hiccups = hiccups.reindex(columns=names).fillna(dict.fromkeys(_EVENT_ONLY_COLUMNS, ""))
    moved = np.zeros(len(rejected), bool)
    moved[added["old"].to_numpy(np.int64)] = True
    keys = ["onset", "channel", "trial_type", "duration"]
    joined = hiccups if events.empty else pd.concat([events, hiccups])
    joined = joined.sort_values(keys, kind="stable", ignore_index=True)
    onset = joined["onset"].to_numpy(np.float64)
    kind = joined["trial_type"].to_numpy(object)
    trains = []
    for _, at in found:
        here = np.isin(onset, at) & np.isin(kind, ("jolt", "jerk"))
        members = tuple(np.flatnonzero(here).tolist())
        trains.append(Train("hiccup", members, len(at), rule.hiccup_least))
    return joined, rejected[~moved].reset_index(drop=True), trains


def _first_of_each(times: Floats, apart: float) -> Ints:
    """Return the times that follow the last one kept by at least `apart` seconds."""
    kept: list[int] = []
    for k, time in enumerate(times.tolist()):
        if not kept or time - times[kept[-1]] >= apart - 1e-9:
            kept.append(k)
    return np.array(kept, np.int64)


def find_jerk_clusters(events: pd.DataFrame, rule: TrainSettings, taken: Bools) -> list[Train]:
    """Find jerks in quick succession: three within a minute, or ten within an hour.

    Only jerks of at least moderate grade outside other trains count. Jerks of a
    one-minute cluster do not count for the ten within an hour, so that a cluster does
    not extend to single jerks an hour away. Simultaneous jerks of both legs count once.

    Parameters
    ----------
    events : DataFrame
        Event table.
    rule : TrainSettings
        Limits under ``jerks_*``.
    taken : ndarray of bool, shape (events,)
        Events that belong to another train.

    Returns
    -------
    list of Train
        With pattern ``violent`` where enough jerks are violent, else ``jerks``.
    """
    strong = (events["trial_type"] == "jerk") & events["grade"].isin(("moderate", "violent"))
    rows = np.flatnonzero(strong.to_numpy() & ~taken)
    trains: list[Train] = []
    for least, span in ((rule.jerks_least, rule.jerks_s), (rule.jerks_per_h, 3600.0)):
        onset = events["onset"].to_numpy(np.float64)[rows]
        violent = (events["grade"] == "violent").to_numpy()[rows]
        moment = _moments(onset, events["leg"].to_numpy(object)[rows])
        after = np.searchsorted(onset, onset + span + 1e-9, side="right")
        full = np.flatnonzero(moment[after - 1] - moment >= least - 1)
        member, is_violent = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
        for k in full.tolist():
            member[k : after[k]] = True
            n_violent = len(np.unique(moment[k : after[k]][violent[k : after[k]]]))
            is_violent[k : after[k]] |= n_violent >= rule.jerks_violent
        for pattern, selected in (("violent", is_violent), ("jerks", member & ~is_violent)):
            inside = np.flatnonzero(selected)
            apart = np.flatnonzero(np.diff(onset[inside]) > span)
            for group in np.split(inside, apart + 1) if len(inside) else []:
                first = onset[group][np.diff(moment[group], prepend=-1) > 0]
                members = tuple(rows[group].tolist())
                trains.append(Train(pattern, members, len(first), least))
        rows = rows[~member]
    return trains


def _moments(onset: Floats, leg: NDArray[np.object_]) -> Ints:
    """Return the moment of each jerk; jerks of two legs within `BILATERAL_S` share one."""
    numbers = np.zeros(len(onset), np.int64)
    start, legs, current = -np.inf, set[object](), -1
    for i, (at, side) in enumerate(zip(onset.tolist(), leg.tolist(), strict=True)):
        if at - start > BILATERAL_S or side in legs:
            start, legs, current = at, set(), current + 1
        legs.add(side)
        numbers[i] = current
    return numbers


def train_block(
    events: pd.DataFrame, min_counts: Mapping[str, int], hours: ValidHours
) -> dict[str, Any]:
    """Count the trains and series of each label.

    ``robust`` counts the trains that would remain trains without any one burst.

    Parameters
    ----------
    events : DataFrame
        Labelled event table.
    min_counts : mapping of str to int
        Fewest bursts or movements of each train, by its name in the column ``series``.
    hours : ValidHours
        Valid hours of the recording.

    Returns
    -------
    dict
        The value of ``trains`` in ``summary.json``.
    """
    total_h = hours.total("acc")
    out: dict[str, Any] = {}
    named = events[events["series"] != ""]
    size = named["evidence"].str.extract(r"(\d+) in the train")[0].astype(float)
    for label, rows in named.assign(size=size).groupby("label", sort=True):
        counts = rows.groupby("series")["size"].max()
        out[str(label)] = {
            "trains": rate_block(len(counts), total_h),
            "events": len(rows),
            "robust": int((counts > counts.index.map(min_counts)).sum()),
        }
    return out
