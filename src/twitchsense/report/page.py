"""The report: one HTML file that works offline, with pictures that still work without scripts."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from twitchsense.model.event_table import CONTEXTS, EVENT_COLUMNS, GRADES, LABELS, TRIAL_TYPES
from twitchsense.report import page_data, palette, sentences, static_text, tables
from twitchsense.report.artifact_minutes import disturbed
from twitchsense.report.clinical_table import indices, periodicity
from twitchsense.report.event_windows import Trace, gather
from twitchsense.report.interval_histogram import movement_intervals, plot_intervals
from twitchsense.report.overview import night_height, plot_night
from twitchsense.report.palette import kind_name
from twitchsense.report.plain import show
from twitchsense.report.protocols import NightLike
from twitchsense.report.svg import data_uri, new_figure
from twitchsense.report.time_labels import Clock
from twitchsense.report.waveform_clusters import find_shapes
from twitchsense.report.waveforms import plot_average, plot_event, plot_shape

_SHOWN: Final = {"jerk": 3, "twitch": 3, "movement": 3}
#: An average of fewer events is no average.
_LEAST_AVERAGED: Final = 3


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of the page, with the words for those who don't see it."""

    source: Markup
    alt: str
    caption: str = ""
    detail: str = ""


def render(night: NightLike, traces: list[Trace] | None = None) -> str:
    """Return the report of a night as HTML.

    Parameters
    ----------
    night : Night
    traces : list of Trace, optional
        The waveforms of its events; read from the recording unless given.
    """
    traces = gather(night) if traces is None else traces
    template = make_environment().get_template("report.html.j2")
    clock = Clock.of(night.recording)
    start, stop = night.recording.start_ns / 1e9, night.recording.end_ns / 1e9
    facts = night.summary_dict()
    script = read_script("plot.js", "report.js")
    return template.render(
        title=_title(clock, start, stop),
        source=facts["provenance"]["source"],
        span=f"{clock.short(start)}–{clock.short(stop)}" if clock.known else "",
        zone=clock.name,
        answers=sentences.answers(night),
        overview=_overview(night),
        disturbed=bool(disturbed(night)),
        rates=tables.rates(night, facts),
        indices=indices(facts),
        averages=_averages(night),
        patterns=_patterns(night, traces, periodicity(facts)),
        strongest=_strongest(night),
        jerks=tables.jerks(night),
        channels=tables.channels(night, facts),
        rejected=tables.rejected(night),
        notes=list(night.notes),
        method=tables.method(night),
        provenance=tables.provenance(facts),
        glossary=_glossary(),
        static_text=static_text,
        palette=palette,
        script=script,
        digest=digest(script),
        page_data=page_data.build(night, traces),
    )


def make_environment() -> Environment:
    """Return the templates, with every text escaped."""
    return Environment(
        loader=PackageLoader("twitchsense.report", "templates"),
        autoescape=True,
        finalize=show,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def read_script(*names: str) -> Markup:
    """Return our own scripts as one text that stands in a page."""
    home = files("twitchsense.report") / "templates"
    return Markup("\n".join((home / name).read_text("utf-8") for name in names))


def digest(script: str) -> str:
    """Return the hash by which the page's policy lets this script run, and no other."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def _title(clock: Clock, start: float, stop: float) -> str:
    dates = clock.night(start, stop)
    return f"Night of {dates}" if dates else "A night"


def _overview(night: NightLike) -> Picture:
    alt = "The whole night on one time axis: signals, events, sleep and valid time. "
    alt += " ".join(text for _, text in sentences.answers(night))
    figure = new_figure(10.4, night_height(night))
    plot_night(night, figure.add_subplot())
    return Picture(data_uri(figure), alt)


def _averages(night: NightLike) -> list[Picture]:
    pictures: list[Picture] = []
    counts = night.events["trial_type"].value_counts()
    for kind in ("twitch", "jerk", "brief_contraction", "movement"):
        if counts.get(kind, 0) >= _LEAST_AVERAGED:
            figure = new_figure(3.9, 2.2)
            plot_average(night, kind, figure.add_subplot()).set_title("", loc="left")
            many = f"{counts[kind]} {kind_name(kind, 2)}"
            pictures.append(
                Picture(
                    data_uri(figure),
                    f"Average waveform of {many}",
                    f"The average of {many}",
                )
            )
    return pictures


def _patterns(night: NightLike, traces: list[Trace], steady: str) -> list[Picture]:
    """Return what repeats: intervals between leg movements, twitches of one shape."""
    pictures: list[Picture] = []
    gap = movement_intervals(night)
    if len(gap) >= 5:
        figure = new_figure(3.9, 2.2)
        plot_intervals(night, figure.add_subplot()).set_title("", loc="left")
        inside = int(((gap >= 10) & (gap <= 90)).sum())
        text = f"{inside} of {len(gap)} are 10–90 s long, as in periodic series (grey)"
        rhythm = f" Periodicity in sleep: {steady}." if steady else ""
        pictures.append(
            Picture(
                data_uri(figure),
                f"Histogram of the time from one leg movement to the next; {text}",
                "From one leg movement to the next",
                f"{text}. An even spread has no rhythm; a hill between 15 and 35 s has.{rhythm}",
            )
        )
    clock = Clock.of(night.recording)
    onset = night.events["onset"].to_numpy(float)
    for shape in find_shapes(night, traces):
        figure = new_figure(3.9, 2.2)
        plot_shape(shape, figure.add_subplot())
        first, last = (clock.short(float(onset[shape.rows[i]])) for i in (0, -1))
        many = len(shape.rows)
        pictures.append(
            Picture(
                data_uri(figure),
                f"{many} twitches of one shape on {shape.channel}, over each other",
                f"One shape, {many} times on {shape.channel}",
                f"First {first}, last {last}. Twitches this alike may come from the same muscle "
                "fibres; that is common and no sign of anything by itself.",
            )
        )
    return pictures


def _strongest(night: NightLike) -> list[Picture]:
    pictures: list[Picture] = []
    for kind, most in _SHOWN.items():
        rows = night.events[night.events["trial_type"] == kind]
        keys = ["amplitude_uv", "peak_g"] if kind == "twitch" else ["peak_g", "amplitude_uv"]
        rows = rows.sort_values(keys, ascending=False, na_position="last").head(most)
        pictures += [_event(night, row) for _, row in rows.iterrows()]
    return pictures


def _event(night: NightLike, row: pd.Series[Any]) -> Picture:
    caption, detail = tables.describe(night, row)
    alt = f"Waveform of a {caption}: {detail}"
    return Picture(data_uri(plot_event(night, row)), alt, caption, detail)


def _glossary() -> list[dict[str, Any]]:
    levels = [
        ("Kinds: what the signal looks like", TRIAL_TYPES),
        ("Labels: the kind read in its sleep context", LABELS),
        ("Contexts", CONTEXTS),
        ("Grades of jerks", GRADES),
        ("Columns of events.csv", {c.name: _column(c.description, c.unit) for c in EVENT_COLUMNS}),
    ]
    return [{"title": title, "entries": entries} for title, entries in levels]


def _column(description: str, unit: str) -> str:
    return f"{description} ({unit})" if unit else description
