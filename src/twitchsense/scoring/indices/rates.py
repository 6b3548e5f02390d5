"""Counts and rates per hour of valid signal, with exact confidence intervals.

The denominator of every rate is the valid time of the sensor that the events need, in
the contexts and stages in which they can occur; never clock time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import Any, Final

import pandas as pd

from twitchsense.errors import InputError
from twitchsense.scoring.indices.confidence_intervals import poisson_interval
from twitchsense.scoring.indices.valid_hours import (
    CONTEXTS_OF_LABEL,
    SENSOR_OF_KIND,
    ValidHours,
    stages_of_label,
)

#: Columns by which valid time can be grouped, as well as events.
_TIME_COLUMNS: Final = ("leg", "context", "stage")
_GROUP_COLUMNS: Final = ("trial_type", "label", "grade", *_TIME_COLUMNS)
RATE_COLUMNS: Final = ("count", "hours", "rate_per_h", "low", "high")


def rate(count: int, hours: float, level: float = 0.95) -> tuple[float, float, float]:
    """Return events per hour with the exact Poisson interval.

    Parameters
    ----------
    count : int
        Number of events.
    hours : float
        Hours of valid signal.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    rate, low, high : float
        Per hour; all NaN without valid time, because no signal is not zero events.
    """
    if not hours > 0:
        return (float("nan"),) * 3
    low, high = poisson_interval(count, level)
    return count / hours, float(low) / hours, float(high) / hours


def finite_or_none(value: float | None) -> float | None:
    """Replace numbers that are not finite by None, because JSON has no NaN.

    Parameters
    ----------
    value : float or None
        Any number.

    Returns
    -------
    float or None
    """
    return None if value is None or not math.isfinite(value) else float(value)


def rate_block(count: int, hours: float) -> dict[str, Any]:
    """Compute a rate with its exact 95 % interval, for JSON.

    Parameters
    ----------
    count : int
        Number of events.
    hours : float
        Hours of valid signal.

    Returns
    -------
    dict
        ``count``, ``hours``, ``rate_per_h``, ``low``, ``high``; None where undefined.
    """
    per_hour, low, high = rate(count, hours)
    return {
        "count": count,
        "hours": hours,
        "rate_per_h": finite_or_none(per_hour),
        "low": finite_or_none(low),
        "high": finite_or_none(high),
    }


def per_minute_block(block: dict[str, Any]) -> dict[str, Any]:
    """Convert a `rate_block` that was computed with minutes for hours.

    Parameters
    ----------
    block : dict
        From `rate_block`.

    Returns
    -------
    dict
        ``count``, ``minutes``, ``rate_per_min``, ``low``, ``high``.
    """
    return {
        "count": block["count"],
        "minutes": block["hours"],
        "rate_per_min": block["rate_per_h"],
        "low": block["low"],
        "high": block["high"],
    }


def summary_table(
    events: pd.DataFrame, hours: ValidHours, by: str | Sequence[str] = ("label", "context")
) -> pd.DataFrame:
    """Return counts, rates per valid hour and exact 95 % intervals.

    Parameters
    ----------
    events : DataFrame
        Labelled event table.
    hours : ValidHours
        From `measure_valid_hours`.
    by : str or sequence of str
        Any of ``trial_type``, ``label``, ``grade``, ``context``, ``stage``, ``leg``.

    Returns
    -------
    DataFrame
        The columns of `by`, then ``count``, ``hours``, ``rate_per_h``, ``low``,
        ``high``. There is a row for every combination of the labels (or kinds, grades)
        that occur with the contexts, stages and legs that have valid time, even if its
        count is zero.

    Notes
    -----
    The hours are the valid time of the sensor that the events need, in the row's context, stage
    and leg: EMG for twitches, brief contractions and leg movements; the accelerometer
    for jerks, gross movements and posture changes; the other sensor if a recording
    lacks one. A row that mixes both has the hours of the EMG. A label that can occur
    only in some contexts (`CONTEXTS_OF_LABEL`) has only their hours.

    Raises
    ------
    InputError
        If `by` contains another column.
    """
    by = [by] if isinstance(by, str) else list(by)
    for name in by:
        if name not in _GROUP_COLUMNS:
            raise InputError(
                "by", f"can't group by {name!r}", f"use any of {', '.join(_GROUP_COLUMNS)}"
            )
    event_columns = [name for name in by if name not in _TIME_COLUMNS]
    time_columns = [name for name in by if name in _TIME_COLUMNS]
    sensor = _sensor_of_groups(events, event_columns)
    time_groups = _time_groups(hours, time_columns)
    occurring = events[by].drop_duplicates() if by else pd.DataFrame(index=[0])
    event_groups: list[tuple[Any, ...]] = [()]
    if event_columns:
        event_groups = sorted(set(occurring[event_columns].itertuples(index=False, name=None)))
    combos = {
        tuple(dict(zip([*event_columns, *time_columns], (*e, *t), strict=True))[n] for n in by)
        for e, t in product(event_groups, time_groups)
    }
    combos |= set(occurring.itertuples(index=False, name=None)) if by else {()}
    counts = Counter(events[by].itertuples(index=False, name=None)) if by else {(): len(events)}
    rows = []
    for combo in sorted(combos):
        cell = dict(zip(by, combo, strict=True))
        required = sensor.get(tuple(cell[name] for name in event_columns), "emg")
        where: dict[str, Any] = {name: cell[name] for name in time_columns}
        if "label" in cell and "context" not in cell:
            where.setdefault("context", CONTEXTS_OF_LABEL.get(cell["label"]))
            where.setdefault("stage", stages_of_label(cell["label"]))
        valid = hours.total(required, **where)
        n = counts.get(combo, 0)
        rows.append((*combo, n, valid, *rate(n, valid)))
    table = pd.DataFrame(rows, columns=[*by, *RATE_COLUMNS])
    return table.astype({"count": "int64", **dict.fromkeys(RATE_COLUMNS[1:], "float64")})


def _sensor_of_groups(
    events: pd.DataFrame, event_columns: list[str]
) -> dict[tuple[object, ...], str]:
    """Return the sensor of each group: EMG, unless all its kinds need the accelerometer."""
    out: dict[tuple[object, ...], str] = {}
    kinds = events[[*event_columns, "trial_type"]].drop_duplicates()
    if not event_columns:
        return out
    for row in kinds.itertuples(index=False, name=None):
        key, required = row[: len(event_columns)], SENSOR_OF_KIND.get(row[-1], "emg")
        out[key] = "acc" if required == "acc" and out.get(key, "acc") == "acc" else "emg"
    return out


def _time_groups(hours: ValidHours, time_columns: list[str]) -> list[tuple[str, ...]]:
    """Return the combinations of context, stage and leg that have valid time."""
    table = hours.table[hours.table["hours"] > 0]
    if not time_columns:
        return [()]
    by_leg = "leg" in time_columns
    table = table[table["leg"] != "any"] if by_leg else table[table["leg"] == "any"]
    return sorted(set(table[time_columns].itertuples(index=False, name=None)))
