"""The tables of the report as rows of text for the page's template."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import pandas as pd

from twitchsense.model.candidates import SHORT_KINDS
from twitchsense.model.event_table import REJECT_REASONS
from twitchsense.report.explanations import format_grade, format_quantity
from twitchsense.report.number_text import format_interval
from twitchsense.report.palette import (
    CONTEXT_NAMES,
    KIND_NAMES,
    context_name,
    kind_name,
    label_name,
)
from twitchsense.report.protocols import NightLike
from twitchsense.report.time_labels import (
    WallClock,
    format_duration,
    format_event_duration,
    format_minutes_from_onset,
)
from twitchsense.scoring.glossary import fill_levels
from twitchsense.scoring.indices.rates import rate
from twitchsense.settings import PROFILES, Settings

#: Maximum number of jerks listed.
_MAX_JERKS: Final = 60
#: Valid time (h) below which no rate is shown: its interval would be too wide to use.
_MIN_RATE_HOURS: Final = 1 / 60
#: Kinds listed in the table of rates even if none was found.
_KINDS_ALWAYS_LISTED: Final = ("twitch", "jerk", "movement")
#: Kinds with a single label of another name; a row of its own would repeat the kind's row.
_ONLY_LABEL: Final = {"movement": "leg_movement"}


def count_events(events: pd.DataFrame) -> pd.DataFrame:
    """Return the number of events by label and context.

    Parameters
    ----------
    events : DataFrame
        At least one event.

    Returns
    -------
    DataFrame
        A row per label, the most frequent first, and a column per context that occurs; both
        have the names that the report shows.
    """
    counts = pd.crosstab(events["label"].astype(str), events["context"].astype(str))
    counts = counts[[c for c in CONTEXT_NAMES if c in counts]]
    order = counts.sum(axis=1).sort_values(ascending=False, kind="stable").index
    counts = counts.loc[order]
    counts.index = pd.Index([label_name(str(name)) for name in order], name="events")
    return counts.rename(columns=context_name).rename_axis(columns=None)


def rate_table(night: NightLike, summary: dict[str, Any]) -> dict[str, Any]:
    """Return the table of rates: a row per kind and label, a column per context.

    A kind that was not found has a count of zero with its interval. A label that does not
    occur in a context has a dash there: labels are kinds in a context, so that zero carries
    no information.

    Parameters
    ----------
    night : Night
    summary : dict
        The content of ``summary.json``.

    Returns
    -------
    dict
        ``columns``: names of the columns; ``hours``: their valid time; ``rows``: dictionaries
        with ``name``, ``is_kind`` and ``cells``, see `_rate_cell`.
    """
    events = night.events
    present = set(night.epochs["context"].astype(str))
    contexts = [
        c
        for c in CONTEXT_NAMES
        if c in present and (c != "unknown" or _is_unknown_relevant(summary))
    ]
    if not any(_has_valid_time(summary, c) for c in contexts if c != "unknown"):
        contexts = []
    columns: list[str | None] = [None, *contexts]  # None: the whole night
    counts = events["trial_type"].value_counts()
    found = [k for k in (*KIND_NAMES, *sorted(counts.index)) if counts.get(k, 0)]
    rows = []
    for kind in dict.fromkeys((*_KINDS_ALWAYS_LISTED, *found)):
        of_kind = events[events["trial_type"] == kind]
        visible = _is_visible(night, kind)
        hours = [_valid_hours(summary, kind, context) for context in columns]
        cells = [
            _rate_cell(_count(of_kind, context), h, visible=visible)
            for context, h in zip(columns, hours, strict=True)
        ]
        rows.append({"name": kind_name(kind, 2).capitalize(), "is_kind": True, "cells": cells})
        labels = of_kind["label"].value_counts()
        if list(labels.index) == [_ONLY_LABEL.get(kind, kind)]:
            continue
        for label in labels.index:
            of_label = of_kind[of_kind["label"] == label]
            cells = [
                _rate_cell(_count(of_label, context), h, visible=visible, zero_as_dash=True)
                for context, h in zip(columns, hours, strict=True)
            ]
            rows.append({"name": label_name(str(label)), "is_kind": False, "cells": cells})
    return {
        "columns": ["whole night", *map(context_name, contexts)],
        "hours": [_hours_text(night, summary, context) for context in columns],
        "rows": rows,
    }


def _hours_text(night: NightLike, summary: dict[str, Any], context: str | None) -> str:
    """Return the valid time of a column, of both sensors if they differ by over a tenth."""
    hours = {
        name: _valid_hours(summary, kind, context)
        for name, kind, sensor in (("EMG", "twitch", "emg"), ("acceleration", "jerk", "acc"))
        if any(c.kind == sensor for c in night.recording.channels)
    }
    texts = {n: f"{h:.1f} h" if h >= 1 else format_duration(h * 3600) for n, h in hours.items()}
    if max(hours.values(), default=0.0) <= 1.1 * min(hours.values(), default=0.0):
        return next(iter(texts.values()), "")
    return ", ".join(f"{name} {text}" for name, text in texts.items())


def _is_unknown_relevant(summary: dict[str, Any]) -> bool:
    """Return whether unknown context has events, or more than 2 % of the valid time."""
    cells = summary["by_context"]["unknown"]["by_kind"]
    whole = summary["by_kind"]
    return any(c["count"] or c["hours"] > 0.02 * whole[k]["hours"] for k, c in cells.items())


def _has_valid_time(summary: dict[str, Any], context: str) -> bool:
    return any(c["hours"] > 0 for c in summary["by_context"][context]["by_kind"].values())


def _valid_hours(summary: dict[str, Any], kind: str, context: str | None) -> float:
    group = summary if context is None else summary["by_context"][context]
    cells = group["by_kind"]
    # a plug-in's kind has no entry where it did not occur; its valid time is that of twitches
    return float(cells.get(kind, cells["twitch"])["hours"])


def _count(events: pd.DataFrame, context: str | None) -> int:
    return len(events) if context is None else int((events["context"] == context).sum())


def _is_visible(night: NightLike, kind: str) -> bool:
    """Return whether the sensors of a night can show a kind; a short burst needs EMG."""
    return kind not in SHORT_KINDS or any(c.kind == "emg" for c in night.recording.channels)


def _rate_cell(
    count: int, hours: float, *, visible: bool, zero_as_dash: bool = False
) -> dict[str, Any]:
    """Return a cell: texts ``count`` and ``rate``, and whether it is ``empty``."""
    if not visible:
        return _empty_cell("no EMG")
    if not hours > 0:
        return _empty_cell("no valid signal")
    if hours < _MIN_RATE_HOURS:
        return _empty_cell("under a minute")
    if zero_as_dash and count == 0:
        return _empty_cell("–")
    per_hour, low, high = rate(count, hours)
    return {
        "count": f"{count:,}",
        "rate": format_interval(per_hour, low, high, "per h"),
        "empty": False,
    }


def _empty_cell(text: str) -> dict[str, Any]:
    return {"count": text, "rate": "", "empty": True}


def jerk_table(night: NightLike) -> dict[str, Any]:
    """Return the list of jerks in the order of the night; of more than 60 the strongest.

    Parameters
    ----------
    night : Night

    Returns
    -------
    dict
        ``rows``: a dictionary of texts per jerk, and ``event``, its row in the event table;
        ``total``: number of jerks; ``has_legs``: whether any row names a leg.
    """
    table = night.events[night.events["trial_type"] == "jerk"]
    clock = WallClock.of(night.recording)
    listed = table
    if len(table) > _MAX_JERKS:
        listed = table.sort_values("peak_g", ascending=False).head(_MAX_JERKS)
        listed = listed.sort_values("onset")
    rows = [
        {
            "time": clock.format_second(float(jerk["onset"])),
            "position": format_minutes_from_onset(float(jerk["min_from_onset"]))
            or context_name(str(jerk["context"])),
            "label": label_name(str(jerk["label"])),
            "grade": format_grade(jerk, night.settings),
            "peak": format_quantity(float(jerk["peak_g"]), "g", 2),
            "emg_duration": format_event_duration(float(jerk["duration"]))
            if math.isfinite(float(jerk["amplitude_uv"]))
            else "no EMG",
            "amplitude": format_quantity(float(jerk["amplitude_uv"]), "µV", 0),
            "confidence": format_quantity(float(jerk["confidence"]), "", 2),
            "leg": str(jerk["leg"]),
            "event": row,
        }
        for row, (_, jerk) in zip(listed.index.to_list(), listed.iterrows(), strict=True)
    ]
    return {"rows": rows, "total": len(table), "has_legs": any(row["leg"] for row in rows)}


def channel_table(night: NightLike, summary: dict[str, Any]) -> list[dict[str, str]]:
    """Return sampling rate, valid share, gaps and noise floor of each channel.

    Parameters
    ----------
    night : Night
    summary : dict
        The content of ``summary.json``.

    Returns
    -------
    list of dict
    """
    rows: list[dict[str, str]] = []
    for channel in night.recording.channels:
        clock = summary["clock"]["channels"][channel.name]
        start, end = clock["start_s"], clock["end_s"]
        recorded_s = 0.0 if start is None else end - start - clock["lost_s"]
        seconds = night.seconds.get(channel.name)
        valid_s = seconds.valid_s if seconds is not None else 0.0
        floor = math.nan
        if seconds is not None and seconds.valid.any():
            floor = float(np.median(seconds.level[seconds.valid]))
        is_emg = channel.kind == "emg"
        n_gaps = clock["n_gaps"]
        known = channel.fs_error < 1e-6 * channel.fs  # less than the six digits that are shown
        fs_error = "" if known else f" ± {channel.fs_error:.1g}"
        rows.append(
            {
                "name": channel.name,
                "sensor": "EMG" if is_emg else "acceleration",
                "leg": channel.leg or "",
                "fs": f"{channel.fs:.6g} Hz{fs_error}",
                "recorded": format_duration(recorded_s),
                "valid": _valid_text(valid_s, recorded_s, clock["lost_s"]),
                "gaps": f"{n_gaps} ({format_duration(clock['lost_s'])})" if n_gaps > 0 else "none",
                "noise_floor": format_quantity(floor, "µV", 1)
                if is_emg
                else format_quantity(floor * 1000, "mg", 1),
            }
        )
    return rows


def _valid_text(valid_s: float, recorded_s: float, lost_s: float) -> str:
    """Return the valid share of the time from the first sample to the last, gaps included."""
    if not recorded_s:
        return "no signal"
    text = f"{100 * min(1.0, valid_s / (recorded_s + lost_s)):.1f} %"
    return "over 99.9 %" if lost_s > 0 and text == "100.0 %" else text


def rejected_table(night: NightLike) -> list[dict[str, Any]]:
    """Return the number of rejected candidates per reason, the most frequent first."""
    counts = night.rejected["reason"].value_counts()
    meanings = fill_levels(REJECT_REASONS, night.settings)
    return [
        {"reason": str(reason), "meaning": meanings.get(str(reason), ""), "count": f"{n:,}"}
        for reason, n in counts.items()
    ]


def describe_settings(settings: Settings) -> str:
    """Return the profile of the settings, and each setting that differs from it.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    str
        Such as ``profile default-2026, but twitch.min_uv = 30``. Of all profiles it names the
        one with the fewest differences.
    """
    differences = {name: _differences(settings, profile) for name, profile in PROFILES.items()}
    name = min(differences, key=lambda n: len(differences[n]))
    text = f"profile {name}"
    if name == next(iter(PROFILES)):
        text += " (the default)"
    return f"{text}, but {', '.join(differences[name])}" if differences[name] else text


def _differences(settings: Settings, profile: Settings) -> list[str]:
    given, standard = settings.model_dump(), profile.model_dump()
    out: list[str] = []
    for group, value in given.items():
        if value == standard[group]:
            continue
        if isinstance(value, dict) and isinstance(standard[group], dict) and standard[group]:
            out += [
                f"{group}.{key} = {v}" for key, v in value.items() if v != standard[group].get(key)
            ]
        elif isinstance(value, dict):
            out += [f"{group}.{key} = {v}" for key, v in value.items()]
        else:
            out.append(f"{group} = {value}")
    return out


def provenance_rows(summary: dict[str, Any], settings: Settings) -> list[tuple[str, str]]:
    """Return name and value of everything the result depends on; no paths of the machine.

    Parameters
    ----------
    summary : dict
        The content of ``summary.json``.
    settings : Settings
        Settings of the analysis.

    Returns
    -------
    list of tuple of str
    """
    provenance = summary["provenance"]
    versions = ", ".join(f"{name} {v}" for name, v in provenance["versions"].items())
    return [
        ("recording", provenance["source"]),
        ("SHA-256 of the input", provenance["sha256"] or "none (not read from files)"),
        ("settings", describe_settings(settings)),
        ("hash of all settings", provenance["settings"]),
        (
            "sleep from",
            "a hypnogram"
            if provenance["hypnogram"]
            else "estimated from how still the leg lay, if known",
        ),
        ("signal processing", provenance.get("engine", "scipy")),
        ("versions", versions),
    ]
