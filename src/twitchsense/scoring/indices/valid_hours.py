"""Valid hours: the denominators of rates, by sensor, leg, context and stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from twitchsense.model.channels import Channel, leg_by_channel
from twitchsense.model.per_second import PerSecond
from twitchsense.sleep.context import Context
from twitchsense.sleep.context_intervals import SLEEP_CONTEXTS, SLEEP_ONSET_CONTEXTS, WAKE_CONTEXTS
from twitchsense.sleep.hypnogram.stage_codes import NREM, SLEEP, UNSTAGED
from twitchsense.sleep.valid_time import union_of_valid

#: Sensor that a kind of event requires; its valid time is the denominator.
SENSOR_OF_KIND: Final[dict[str, str]] = {
    "twitch": "emg",
    "brief_contraction": "emg",
    "movement": "emg",
    "jerk": "acc",
    "gross_movement": "acc",
    "posture_change": "acc",
    "jolt": "acc",
}
#: Kind of the events that get a label (``twitch`` if absent); it determines the sensor.
KIND_OF_LABEL: Final[dict[str, str]] = {
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
#: Contexts in which a label can occur; labels that are absent can occur in all. Only the
#: valid time in these contexts is the denominator.
CONTEXTS_OF_LABEL: Final[dict[str, tuple[str, ...]]] = {
    "sleep_start": SLEEP_ONSET_CONTEXTS,
    "hypnagogic_twitch": SLEEP_ONSET_CONTEXTS,
    "myoclonic_jerk_asleep": SLEEP_CONTEXTS,
    "myoclonic_jerk_awake": WAKE_CONTEXTS,
    "myoclonic_jerk_like": ("unknown",),
    "fragmentary_myoclonus_like": ("asleep",),
    "rem_twitch": ("asleep",),
    "fasciculation_like": ("wake", "unknown"),
    "rhythmic_movement_like": ("drowsy", "sleep_onset", "asleep", "unknown"),
}
#: Kinds that no other sensor can replace: without it, a count of zero is not a rate.
SENSOR_BOUND_KINDS: Final = ("twitch", "brief_contraction", "jerk", "posture_change", "jolt")


@dataclass(frozen=True, eq=False)
class ValidHours:
    """Hours of valid signal, by sensor, leg, context and stage.

    Attributes
    ----------
    table : DataFrame
        Columns ``sensor`` (`emg` | `acc`), ``leg`` (`left`, `right`, ``""`` for
        an unnamed leg, `any` for all legs together), ``context``, ``stage``,
        ``hours``. Time that two channels share counts once, so `any` is the time in
        which at least one leg has valid signal.
    """

    table: pd.DataFrame

    def for_kind(self, kind: str, count: int, context: str | None = None) -> float:
        """Return the hours in which a kind of event could be detected.

        Parameters
        ----------
        kind : str
            Value of ``trial_type``.
        count : int
            Number of events found. Events found without the required sensor (a jerk
            by one sensor alone) are counted over the time of the other sensor.
        context : str, optional
            Restrict the hours to one context.

        Returns
        -------
        float
            0 without the required sensor, if no event was found.
        """
        sensor = SENSOR_OF_KIND.get(kind, "emg")
        if kind in SENSOR_BOUND_KINDS and not count and sensor not in self._sensors:
            return 0.0
        return self.total(sensor, context=context)

    def for_label(self, label: str, count: int) -> float:
        """Return the hours in which a label could be given; see `CONTEXTS_OF_LABEL`.

        Parameters
        ----------
        label : str
            Value of ``label``.
        count : int
            Number of events found; see `for_kind`.

        Returns
        -------
        float
        """
        kind = KIND_OF_LABEL.get(label, "twitch")
        sensor = SENSOR_OF_KIND.get(kind, "emg")
        if kind in SENSOR_BOUND_KINDS and not count and sensor not in self._sensors:
            return 0.0
        return self.total(
            sensor, context=CONTEXTS_OF_LABEL.get(label), stage=stages_of_label(label)
        )

    def total(
        self,
        sensor: str,
        *,
        leg: str | None = None,
        context: str | Sequence[str] | None = None,
        stage: str | Sequence[str] | None = None,
    ) -> float:
        """Return the hours of one sensor, or of the other if the recording lacks it.

        Parameters
        ----------
        sensor : {"emg", "acc"}
            Preferred sensor.
        leg : str, optional
            One leg; by default, time in which any leg has valid signal.
        context, stage : str or sequence of str, optional
            Contexts and stages whose hours are added; by default all.

        Returns
        -------
        float
        """
        if sensor not in self._sensors:
            sensor = "acc" if sensor == "emg" else "emg"
        leg = "any" if leg is None else leg
        contexts, stages = _as_sequence(context), _as_sequence(stage)
        # plain tuples: the table is small and queried hundreds of times
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


def sleep_wake_hours(context: Context, hours: ValidHours) -> tuple[float, float]:
    """Return the valid hours of EMG in sleep and in wake.

    Parameters
    ----------
    context : Context
        Its hypnogram, or without one its contexts, separate sleep from wake.
    hours : ValidHours
        Valid hours of the recording.

    Returns
    -------
    sleep_h, wake_h : float
    """
    if context.hypnogram is not None:
        return hours.total("emg", stage=SLEEP), hours.total("emg", stage="W")
    sleep_h = hours.total("emg", context=SLEEP_CONTEXTS)
    return sleep_h, hours.total("emg", context=WAKE_CONTEXTS)


def _as_sequence(value: str | Sequence[str] | None) -> Sequence[str] | None:
    """Wrap a single string in a list."""
    return [value] if isinstance(value, str) else value


def stages_of_label(label: str) -> tuple[str, ...] | None:
    """Return the stages in which a label can occur.

    Parameters
    ----------
    label : str
        Value of ``label``.

    Returns
    -------
    tuple of str or None
        None for all stages.
    """
    if label == "rem_twitch":
        return ("R",)
    return (*NREM, UNSTAGED, "") if label == "fragmentary_myoclonus_like" else None


def measure_valid_hours(
    channels: Sequence[Channel],
    seconds: Mapping[str, PerSecond],
    context: Context,
    legs: Mapping[str, str] | None = None,
) -> ValidHours:
    """Measure the valid hours of a recording in each context and stage.

    Parameters
    ----------
    channels : sequence of Channel
        Channels of the recording.
    seconds : mapping of channel name to PerSecond
        Per-second statistics.
    context : Context
        Sleep and wake of the recording.
    legs : mapping of channel name to leg, optional
        Legs of channels that do not name their own (`Settings.legs`).

    Returns
    -------
    ValidHours
    """
    edges = [context.intervals.edge_us]
    if context.hypnogram is not None:
        edges += list(context.hypnogram.bounds_us)
    extent = [s.time_ns // 1000 for s in seconds.values() if len(s.time_ns)]
    edges += [np.array([e.min() - 1, e.max() + 2_000_000]) for e in extent]
    edge = np.unique(np.concatenate(edges)) / 1e6
    start, stop = edge[:-1], edge[1:]
    where, stage = context.at(start), context.stage_at(start)
    named = leg_by_channel(channels, legs or {})
    parts = []
    for sensor in sorted({c.kind for c in channels}):
        groups: dict[str, list[PerSecond]] = {"any": []}
        for channel in channels:
            if channel.kind == sensor:
                groups["any"].append(seconds[channel.name])
                leg = named[channel.name]
                groups.setdefault(leg, []).append(seconds[channel.name])
        for leg, members in groups.items():
            hours = union_of_valid(members).seconds_between(start, stop) / 3600
            part = pd.DataFrame({"context": where, "stage": stage, "hours": hours})
            part = part.groupby(["context", "stage"], as_index=False).sum()
            parts.append(part.assign(sensor=sensor, leg=leg))
    if not parts:
        return ValidHours(pd.DataFrame(columns=["sensor", "leg", "context", "stage", "hours"]))
    return ValidHours(pd.concat(parts, ignore_index=True))
