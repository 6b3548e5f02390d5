"""The report: one HTML file that works offline, without scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from twitchsense.events import CONTEXTS, EVENT_COLUMNS, GRADES, LABELS, TRIAL_TYPES
from twitchsense.view import sections, texts, words
from twitchsense.view.clock import Clock
from twitchsense.view.nightlike import NightLike
from twitchsense.view.overview import plot_night
from twitchsense.view.palette import kind_name
from twitchsense.view.svg import data_uri, new_figure
from twitchsense.view.waveforms import plot_average, plot_event

_SHOWN = {"jerk": 4, "twitch": 4, "movement": 4}


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of the page, with the words for those who don't see it."""

    source: str
    alt: str
    caption: str = ""
    detail: str = ""


def render(night: NightLike) -> str:
    """Return the report of a night as HTML."""
    environment = Environment(
        loader=PackageLoader("twitchsense.view", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("report.html.j2")
    clock = Clock.of(night.recording)
    start, stop = night.recording.start_ns / 1e9, night.recording.end_ns / 1e9
    facts = night.summary_dict()
    return template.render(
        title=_title(clock, start, stop),
        source=facts["provenance"]["source"],
        span=f"{clock.short(start)}–{clock.short(stop)}" if clock.known else "",
        zone=clock.name,
        sentences=words.sentences(night),
        overview=_overview(night, narrow=False),
        overview_narrow=_overview(night, narrow=True),
        rates=sections.rates(night, facts),
        averages=_averages(night),
        strongest=_strongest(night),
        jerks=sections.jerks(night),
        channels=sections.channels(night),
        rejected=sections.rejected(night),
        notes=list(night.notes),
        method=sections.method(night),
        provenance=sections.provenance(facts),
        glossary=_glossary(),
        texts=texts,
    )


def _title(clock: Clock, start: float, stop: float) -> str:
    dates = clock.night(start, stop)
    return f"Night of {dates}" if dates else "A night"


def _overview(night: NightLike, *, narrow: bool) -> Picture:
    alt = "The whole night on one time axis: signals, events, sleep and valid time. "
    alt += " ".join(words.sentences(night))
    return Picture(data_uri(plot_night(night, narrow=narrow)), alt)


def _averages(night: NightLike) -> list[Picture]:
    pictures: list[Picture] = []
    counts = night.events["trial_type"].value_counts()
    for kind in ("twitch", "jerk"):
        if counts.get(kind, 0) >= 5:
            figure = new_figure(3.9, 2.2)
            plot_average(night, kind, figure.add_subplot()).set_title("", loc="left")
            many = f"{counts[kind]} {kind_name(kind, 2)}"
            pictures.append(
                Picture(
                    data_uri(figure),
                    f"Average waveform of {many}",
                    f"The average of {many}",
                    "Dark, left scale: strength of the muscle signal. "
                    "Brown, right scale: acceleration in thousandths of g.",
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
    caption, detail = sections.describe(night, row)
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
