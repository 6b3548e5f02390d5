"""Counts and rates per hour of valid signal, with exact intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Final

import numpy as np
import pandas as pd

from twitchsense.errors import InputError
from twitchsense.model.channels import Channel
from twitchsense.model.per_second import PerSecond
from twitchsense.scoring.confidence_intervals import count_interval
from twitchsense.scoring.movement_bursts import leg_names
from twitchsense.sleep.coverage import cover
from twitchsense.sleep.hypnogram.stage_codes import NREM, UNSTAGED
from twitchsense.sleep.tagging import Context

#: The sensor without which a kind can't be found: its valid time is the denominator.
SENSOR: Final[dict[str, str]] = {
    "twitch": "emg",
    "brief_contraction": "emg",
    "movement": "emg",
    "jerk": "acc",
    "gross_movement": "acc",
    "posture_change": "acc",
    "jolt": "acc",
}
#: The kind that a label is given to, where it is no twitch: it decides the sensor.
KIND_OF: Final[dict[str, str]] = {
    "posture_change": "posture_change",
    "gross_movement": "gross_movement",
    **dict.fromkeys(
        (
            "tremor_like",
            "hypnagogic_foot_tremor_like",
            "alma_like",
            "high_freq_leg_movement",
            "periodic_leg_movement_like",
            "isolated_leg_movement",
            "short_interval_leg_movement",
            "leg_movement",
        ),
        "movement",
    ),
    "rhythmic_movement_like": "gross_movement",
    "hiccup_like": "jolt",
    **dict.fromkeys(
        (
            "repetitive_violent_jerks",
            "sleep_start",
            "myoclonic_jerk_asleep",
            "myoclonic_jerk_awake",
            "myoclonic_jerk_like",
        ),
        "jerk",
    ),
}
#: Contexts in which a label can occur, where it is bound to some: only their valid
#: time is its denominator.
WHERE: Final[dict[str, tuple[str, ...]]] = {
    "sleep_start": ("drowsy", "sleep_onset"),
    "hypnagogic_twitch": ("drowsy", "sleep_onset"),
    "myoclonic_jerk_asleep": ("sleep_onset", "asleep"),
    "myoclonic_jerk_awake": ("wake", "drowsy"),
    "myoclonic_jerk_like": ("unknown",),
    "fragmentary_myoclonus_like": ("asleep",),
    "rem_twitch": ("asleep",),
    "fasciculation_like": ("wake", "unknown"),
    "rhythmic_movement_like": ("drowsy", "sleep_onset", "asleep", "unknown"),
}
#: Kinds that no other sensor can stand in for: without theirs, none found says nothing.
BOUND: Final = ("twitch", "brief_contraction", "jerk", "posture_change", "jolt")
#: Columns of the event table that cut time as well as events.
_TIME_CUTS: Final = ("leg", "context", "stage")
_CUTS: Final = ("trial_type", "label", "grade", *_TIME_CUTS)
RATE_COLUMNS: Final = ("count", "hours", "rate_per_h", "low", "high")


def rate(count: int, hours: float, level: float = 0.95) -> tuple[float, float, float]:
    """Return events per hour with its exact Poisson interval.

    Parameters
    ----------
    count : int
    hours : float
        Hours of valid signal.
    level : float
        Of the interval.

    Returns
    -------
    rate, low, high : float
        Per hour; all NaN without a valid hour: no signal is not zero events.
    """
    if not hours > 0:
        return (float("nan"),) * 3
    low, high = count_interval(count, level)
    return count / hours, float(low) / hours, float(high) / hours


@dataclass(frozen=True, eq=False)
class ValidHours:
    """Hours of valid signal, by sensor, leg, context and stage.

    Attributes
    ----------
    table : DataFrame
        Columns ``sensor`` (`emg` | `acc`), ``leg`` (`left`, `right`, ``""`` for
        an unnamed leg, `any` for all legs together), ``context``, ``stage``,
        ``hours``. Time that two channels share counts once; so `any` is time in
        which at least one leg can be judged.
    """

    table: pd.DataFrame

    def for_kind(self, kind: str, count: int, context: str | None = None) -> float:
        """Return the hours in which a kind could be found; none without its sensor.

        An event that was found all the same (a jerk by one sensor alone) counts
        over the time of the sensor that is there.
        """
        sensor = SENSOR.get(kind, "emg")
        if kind in BOUND and not count and sensor not in self._sensors:
            return 0.0
        return self.of(sensor, context=context)

    def for_label(self, label: str, count: int) -> float:
        """Return the hours in which a label could be given, see `WHERE`."""
        kind = KIND_OF.get(label, "twitch")
        sensor = SENSOR.get(kind, "emg")
        if kind in BOUND and not count and sensor not in self._sensors:
            return 0.0
        return self.of(sensor, context=WHERE.get(label), stage=_stages_of(label))

    def of(
        self,
        sensor: str,
        *,
        leg: str | None = None,
        context: str | Sequence[str] | None = None,
        stage: str | Sequence[str] | None = None,
    ) -> float:
        """Return hours of one sensor, or of the other if the recording lacks it.

        `context` and `stage` may be several: their hours are added.
        """
        if sensor not in self._sensors:
            sensor = "acc" if sensor == "emg" else "emg"
        leg = "any" if leg is None else leg
        contexts, stages = _several(context), _several(stage)
        # a table of some dozen rows that is asked hundreds of times
        hours = [
            h
            for its_sensor, its_leg, its_context, its_stage, h in self._rows
            if its_sensor == sensor
            and its_leg == leg
            and (contexts is None or its_context in contexts)
            and (stages is None or its_stage in stages)
        ]
        return float(np.sum(hours))

    @cached_property
    def _rows(self) -> list[tuple[str, str, str, str, float]]:
        columns = ["sensor", "leg", "context", "stage", "hours"]
        return list(self.table[columns].itertuples(index=False, name=None))

    @cached_property
    def _sensors(self) -> set[str]:
        return {row[0] for row in self._rows}


def _several(value: str | Sequence[str] | None) -> Sequence[str] | None:
    return [value] if isinstance(value, str) else value


def _stages_of(label: str) -> tuple[str, ...] | None:
    if label == "rem_twitch":
        return ("R",)
    return (*NREM, UNSTAGED, "") if label == "fragmentary_myoclonus_like" else None


def measure_hours(
    channels: Sequence[Channel],
    seconds: Mapping[str, PerSecond],
    context: Context,
    legs: Mapping[str, str] | None = None,
) -> ValidHours:
    """Measure the valid hours of a recording in each context and stage.

    Parameters
    ----------
    channels : sequence of Channel
    seconds : mapping of channel name to Seconds
    context : Context
    legs : mapping of channel name to leg, optional
        Where the channel itself doesn't say (`Settings.legs`).
    """
    edges = [context.spans.edge_us]
    if context.hypnogram is not None:
        edges += list(context.hypnogram.bounds_us)
    extent = [s.time_ns // 1000 for s in seconds.values() if len(s.time_ns)]
    edges += [np.array([e.min() - 1, e.max() + 2_000_000]) for e in extent]
    edge = np.unique(np.concatenate(edges)) / 1e6
    start, stop = edge[:-1], edge[1:]
    where, stage = context.at(start), context.stage_at(start)
    named = leg_names(channels, legs or {})
    parts = []
    for sensor in sorted({c.kind for c in channels}):
        groups: dict[str, list[PerSecond]] = {"any": []}
        for channel in channels:
            if channel.kind == sensor:
                groups["any"].append(seconds[channel.name])
                leg = named[channel.name]
                groups.setdefault(leg, []).append(seconds[channel.name])
        for leg, members in groups.items():
            hours = cover(members).between(start, stop) / 3600
            part = pd.DataFrame({"context": where, "stage": stage, "hours": hours})
            part = part.groupby(["context", "stage"], as_index=False).sum()
            parts.append(part.assign(sensor=sensor, leg=leg))
    if not parts:
        return ValidHours(pd.DataFrame(columns=["sensor", "leg", "context", "stage", "hours"]))
    return ValidHours(pd.concat(parts, ignore_index=True))


def summary_table(
    events: pd.DataFrame, hours: ValidHours, by: Sequence[str] = ("label", "context")
) -> pd.DataFrame:
    """Return counts, rates per valid hour and exact 95 % intervals.

    Parameters
    ----------
    events : DataFrame
        Tagged and labelled.
    hours : ValidHours
        From `measure_hours`.
    by : sequence of str
        Of ``trial_type``, ``label``, ``grade``, ``context``, ``stage``, ``leg``.

    Returns
    -------
    DataFrame
        The columns of `by`, then ``count``, ``hours``, ``rate_per_h``, ``low``,
        ``high``. Every combination of what occurs with the contexts, stages and
        legs that have valid time has a row, with a count of zero if need be.

    Notes
    -----
    The hours are those of the sensor the events need, in the row's context,
    stage and leg: EMG for twitches, brief contractions and leg movements, the
    accelerometer for jerks, large movements and changes of posture; the other
    one if a recording lacks it. A row that mixes both has the EMG's hours. A label
    that is bound to some contexts (`WHERE`) has their hours alone.

    Raises
    ------
    InputError
        For a column that can't be grouped by.
    """
    by = list(by)
    for name in by:
        if name not in _CUTS:
            raise InputError("by", f"can't group by {name!r}", f"use any of {', '.join(_CUTS)}")
    things = [name for name in by if name not in _TIME_CUTS]
    cuts = [name for name in by if name in _TIME_CUTS]
    sensor = _sensor_of(events, things)
    times = _levels(hours, cuts)
    seen = events[by].drop_duplicates() if by else pd.DataFrame(index=[0])
    what = sorted(set(seen[things].itertuples(index=False, name=None))) if things else [()]
    combos = {
        tuple(dict(zip([*things, *cuts], (*w, *t), strict=True))[name] for name in by)
        for w, t in product(what, times)
    }
    combos |= set(seen.itertuples(index=False, name=None)) if by else {()}
    counts = Counter(events[by].itertuples(index=False, name=None)) if by else {(): len(events)}
    rows = []
    for combo in sorted(combos):
        cell = dict(zip(by, combo, strict=True))
        need = sensor.get(tuple(cell[name] for name in things), "emg")
        asked: dict[str, Any] = {name: cell[name] for name in cuts}
        if "label" in cell and "context" not in cell:
            asked.setdefault("context", WHERE.get(cell["label"]))
            asked.setdefault("stage", _stages_of(cell["label"]))
        valid = hours.of(need, **asked)
        n = counts.get(combo, 0)
        rows.append((*combo, n, valid, *rate(n, valid)))
    table = pd.DataFrame(rows, columns=[*by, *RATE_COLUMNS])
    return table.astype({"count": "int64", **dict.fromkeys(RATE_COLUMNS[1:], "float64")})


def _sensor_of(events: pd.DataFrame, things: list[str]) -> dict[tuple[object, ...], str]:
    """Return the sensor each group needs: EMG unless all its kinds need the other."""
    out: dict[tuple[object, ...], str] = {}
    kinds = events[[*things, "trial_type"]].drop_duplicates()
    if not things:
        return out
    for row in kinds.itertuples(index=False, name=None):
        key, need = row[: len(things)], SENSOR.get(row[-1], "emg")
        out[key] = "acc" if need == "acc" and out.get(key, "acc") == "acc" else "emg"
    return out


def _levels(hours: ValidHours, cuts: list[str]) -> list[tuple[str, ...]]:
    t = hours.table[hours.table["hours"] > 0]
    t = t[t["leg"] != "any"] if "leg" in cuts else t[t["leg"] == "any"]
    if not cuts:
        return [()]
    return sorted(set(t[cuts].itertuples(index=False, name=None)))
