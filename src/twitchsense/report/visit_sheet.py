"""One sheet for a doctor's visit: one night, or the nights of two weeks.

It shows the strongest raw bursts, rates with their intervals, and what the recording cannot
tell; no labels of a disease and no advice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from twitchsense.report import explanations, palette, static_text, tables
from twitchsense.report.event_windows import channels_shown
from twitchsense.report.figures import new_figure, own_settings, svg_data_uri
from twitchsense.report.night_intervals import artifact_minutes
from twitchsense.report.number_text import as_dict, format_interval, format_number, is_finite
from twitchsense.report.overview import overview_height, plot_night
from twitchsense.report.page import PageFigure, make_environment
from twitchsense.report.protocols import NightLike
from twitchsense.report.reference_ranges import (
    FM_90TH_PER_H,
    PLMS_90TH_PER_H,
    SOURCES,
    compare_with_published,
    leg_movement_score,
)
from twitchsense.report.sleep_statistics import has_hypnogram, sleep_rows
from twitchsense.report.time_labels import WallClock, format_duration
from twitchsense.report.waveforms import event_figure
from twitchsense.trend.nights import MIN_VALID_HOURS

#: Most nights on one sheet: two weeks.
MAX_NIGHTS: Final = 14
#: Kinds whose strongest events are shown, and by what they are ranked.
_STRONGEST: Final = (
    ("twitch", "amplitude_uv", 1),
    ("jerk", "peak_g", 2),
    ("movement", "amplitude_uv", 1),
)
_ONE_NIGHT_FIGURE_WIDTH: Final = 10.4


@own_settings()
def render_visit(nights: Sequence[NightLike], words: str = "") -> str:
    """Return the sheet as HTML.

    Parameters
    ----------
    nights : sequence of Night
        One, or several; of more than 14 the last.
    words : str
        The person's own words.

    Returns
    -------
    str
    """
    ordered = sorted(nights, key=lambda n: n.recording.start_utc_ns or 0)
    shown = ordered[-MAX_NIGHTS:]
    summaries = [night.summary_dict() for night in shown]
    one = shown[0] if len(shown) == 1 else None
    return make_environment().get_template("visit.html.j2").render(
        title=_title(shown),
        words=words,
        n_left_out=len(ordered) - len(shown),
        overview=None if one is None else _overview(one),
        comparisons=[] if one is None else compare_with_published(one, summaries[0]),
        sleep_rows=[] if one is None else sleep_rows(one, summaries[0])[:-1],  # PLMS index above
        kind_rows=[] if one is None else _kind_rows(one, summaries[0]),
        night_table=None if one is not None else _night_table(shown, summaries),
        strongest=_strongest(shown),
        recording_rows=_recording_rows(shown, summaries),
        limits=_limits(shown, summaries),
        sources=SOURCES,
        static_text=static_text,
        palette=palette,
    )  # fmt: skip


def _title(nights: Sequence[NightLike]) -> str:
    dates = [_date(night) for night in nights]
    if len(nights) == 1:
        return f"Night of {dates[0]}" if dates[0] else "One night"
    known = [date for date in dates if date]
    return f"{len(nights)} nights" + (f", {known[0]} to {known[-1]}" if known else "")


def _date(night: NightLike) -> str:
    clock = WallClock.of(night.recording)
    start, stop = night.recording.start_ns / 1e9, night.recording.end_ns / 1e9
    return clock.format_dates(start, stop)


def _overview(night: NightLike) -> PageFigure:
    figure = new_figure(_ONE_NIGHT_FIGURE_WIDTH, overview_height(night))
    plot_night(night, figure.add_subplot())
    return PageFigure(svg_data_uri(figure), "The whole night: events, sleep and signals")


def _kind_rows(night: NightLike, summary: dict[str, Any]) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    table = tables.rate_table(night, summary)
    for row in table["rows"]:
        cell = row["cells"][0]
        if row["is_kind"]:
            rows.append({"name": row["name"], "count": cell["count"], "rate": cell["rate"]})
    return rows


def _night_table(
    nights: Sequence[NightLike], summaries: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return a row per night, and of nights of two hours the median with the range."""
    columns = ("PLMS index, per h", "FM index, per h", "twitches, per h", "jerks, per h")
    cells = [[_cell_of_night(summary, k) for k in range(len(columns))] for summary in summaries]
    rows = [
        {
            "date": _date(night) or f"night {k + 1}",
            "valid": _valid_text(night),
            "cells": [
                format_interval(c.get("rate_per_h"), c.get("low"), c.get("high")) for c in of_night
            ],
        }
        for k, (night, of_night) in enumerate(zip(nights, cells, strict=True))
    ]
    medians = []
    for k in range(len(columns)):
        of_nights = [c[k] for c in cells if is_finite(c[k].get("rate_per_h"))]
        values = [
            c["rate_per_h"]
            for c in of_nights
            if is_finite(c.get("hours")) and c["hours"] >= MIN_VALID_HOURS
        ]
        medians.append(
            f"{format_number(float(np.median(values)))} ({format_number(min(values))}–"
            f"{format_number(max(values))})"
            if values
            else "–"
        )
    limits = (f"up to {limit} in 90 of 100" for limit in (PLMS_90TH_PER_H, FM_90TH_PER_H))
    ranges = (*limits, "none", "none")
    return {"columns": columns, "rows": rows, "medians": medians, "ranges": ranges}


def _cell_of_night(summary: dict[str, Any], column: int) -> dict[str, Any]:
    by_kind = as_dict(summary.get("by_kind"))
    score = leg_movement_score(as_dict(summary.get("leg_movements")))
    fm_index = as_dict(as_dict(summary.get("fragmentary_myoclonus")).get("fm_index"))
    return (
        as_dict(score.get("plms_index")),
        as_dict(fm_index.get("sleep")),
        as_dict(by_kind.get("twitch")),
        as_dict(by_kind.get("jerk")),
    )[column]


def _valid_text(night: NightLike) -> str:
    parts = []
    for kind, name in (("emg", "EMG"), ("acc", "acc")):
        seconds = [night.valid_s.get(c.name, 0.0) for c in night.recording.channels
                   if c.kind == kind]  # fmt: skip
        if seconds:
            parts.append(f"{name} {max(seconds) / 3600:.1f} h")
    return ", ".join(parts)


def _strongest(nights: Sequence[NightLike]) -> list[PageFigure]:
    """Return the strongest twitch, jerks and leg movement of all nights, as raw signals."""
    figures: list[PageFigure] = []
    for kind, measure, n in _STRONGEST:
        found: list[tuple[float, int, pd.Series[Any]]] = []
        for k, night in enumerate(nights):
            of_kind = night.events[night.events["trial_type"] == kind]
            best = of_kind.nlargest(n, measure)
            found += [(float(row[measure]), k, row) for _, row in best.iterrows()]
        found = [f for f in found if math.isfinite(f[0])]
        for _, k, row in sorted(found, key=lambda f: -f[0])[:n]:
            night = nights[k]
            caption, measured = explanations.describe_event(night, row)
            if len(nights) > 1:
                caption += f", {_date(night) or f'night {k + 1}'}"
            if channels_shown(night.recording, row):
                source = svg_data_uri(event_figure(night.recording, row))
                figures.append(PageFigure(source, f"Raw signal of a {kind}", caption, measured))
    return figures


def _recording_rows(
    nights: Sequence[NightLike], summaries: Sequence[dict[str, Any]]
) -> list[tuple[str, str]]:
    last, summary = nights[-1], summaries[-1]
    lengths = [(n.recording.end_ns - n.recording.start_ns) / 1e9 for n in nights]
    channels = "; ".join(
        f"{row['name']} ({row['sensor']}{', ' + row['leg'] if row['leg'] else ''}): {row['fs']}, "
        f"noise {row['noise_floor']}, valid {row['valid']}"
        for row in tables.channel_table(last, summary)
    )
    disturbed = sum(length for night in nights for _, length in artifact_minutes(night))
    score = leg_movement_score(as_dict(summary.get("leg_movements")))
    rules = str(score.get("title", "none"))
    if not as_dict(summary.get("leg_movements")).get("respiratory_events_given"):
        rules += ", not corrected for breathing"
    version = as_dict(as_dict(summary.get("provenance")).get("versions")).get("twitchsense", "?")
    return [
        ("recorded", format_duration(sum(lengths))),
        ("channels" if len(nights) == 1 else "channels of the last night", channels),
        ("many artefacts", format_duration(disturbed) if disturbed else "none"),
        ("sleep from", _sleep_source(nights)),
        ("leg movements by", rules),
        ("program", f"twitchsense {version}, {tables.describe_settings(last.settings)}"),
    ]


def _sleep_source(nights: Sequence[NightLike]) -> str:
    n = sum(has_hypnogram(night) for night in nights)
    if n == len(nights):
        return "a hypnogram"
    estimate = "estimated from how still the leg lay" if _has_acc(nights) else "not known"
    return estimate if not n else f"a hypnogram in {n} of {len(nights)} nights, else {estimate}"


def _has_acc(nights: Sequence[NightLike]) -> bool:
    return any(c.kind == "acc" for night in nights for c in night.recording.channels)


def _limits(nights: Sequence[NightLike], summaries: Sequence[dict[str, Any]]) -> list[str]:
    """Return what the recordings cannot tell."""
    legs = {c.leg for night in nights for c in night.recording.channels if c.leg}
    out = []
    if not all(has_hypnogram(night) for night in nights):
        out.append(
            "Sleep stages and arousals: no EEG was recorded. Lying still awake can count as sleep, "
            "so sleep may have begun later and been less efficient than estimated."
            if _has_acc(nights)
            else "Sleep stages, sleep efficiency and arousals: no EEG was recorded. Without "
            "acceleration it is not known when the person was awake or asleep."
        )
    if not all(as_dict(s.get("leg_movements")).get("respiratory_events_given") for s in summaries):
        out.append("Whether leg movements follow breathing events: no airflow was recorded.")
    if len(legs) < 2:
        out.append("The other leg, and every muscle but the one below the sensor.")
    if not all(any(c.kind == "emg" for c in n.recording.channels) for n in nights):
        out.append("Twitches where no muscle signal was recorded.")
    out.append(
        "The cause of any event. Names that end in “-like” say what a pattern resembles; "
        "fasciculation and fragmentary myoclonus have the same shape on one channel and are named "
        "by wake and sleep."
    )
    if len(nights) == 1:
        out.append("How nights differ: periodic leg movements need about five nights.")
    return out
