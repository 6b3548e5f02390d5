"""Render the report: one HTML file that works offline, and in part without scripts."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Final

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from twitchsense.model.notes import without_folders
from twitchsense.model.recording import Recording
from twitchsense.report import explanations, palette, static_text, tables
from twitchsense.report.clinical_table import clinical_rows, format_periodicity
from twitchsense.report.event_windows import EventWindow, cut_event_windows, join_windows
from twitchsense.report.figures import new_figure, own_settings, svg_data_uri
from twitchsense.report.interval_histogram import (
    TYPICAL_INTERVAL_S,
    movement_intervals,
    periodic_interval_s,
    plot_intervals,
)
from twitchsense.report.night_intervals import artifact_minutes
from twitchsense.report.number_text import unbroken
from twitchsense.report.overview import overview_height, plot_night
from twitchsense.report.page_data import MAX_DESCRIBED, build_page_data
from twitchsense.report.palette import CONTEXT_NAMES, kind_name
from twitchsense.report.protocols import NightLike
from twitchsense.report.reference_ranges import SOURCES, compare_with_own, compare_with_published
from twitchsense.report.sleep_statistics import has_hypnogram, sleep_rows
from twitchsense.report.summary_sentences import summary_answers
from twitchsense.report.time_labels import INTO_RECORDING, WallClock
from twitchsense.report.waveform_clusters import cluster_waveforms
from twitchsense.report.waveforms import MAX_AVERAGED, draw_average, event_figure, plot_cluster
from twitchsense.text import display_text

#: Number of the strongest events shown of each kind.
_N_STRONGEST: Final = {"jerk": 3, "twitch": 3, "movement": 3}
#: Kinds whose average waveform is shown, if there are at least `_MIN_AVERAGED` events.
_AVERAGED_KINDS: Final = ("twitch", "jerk", "brief_contraction", "movement")
_MIN_AVERAGED: Final = 3
#: Maximum number of notes on the first screen.
_MAX_MAIN_NOTES: Final = 3
#: Minimum number of intervals for their histogram.
_MIN_INTERVALS: Final = 5


@dataclass(frozen=True, slots=True)
class PageFigure:
    """An image of the page.

    Attributes
    ----------
    source : Markup
        ``data:`` URI.
    alt : str
        Description for readers who do not see the image.
    caption, detail : str
    """

    source: Markup
    alt: str
    caption: str = ""
    detail: str = ""


@own_settings()
def render_report(
    night: NightLike,
    windows: list[EventWindow] | None = None,
    *,
    words: str | None = None,
    own_nights: pd.DataFrame | None = None,
) -> str:
    """Return the report of a night as HTML.

    Parameters
    ----------
    night : Night
    windows : list of EventWindow, optional
        The waveforms of its events; by default they are cut from the recording.
    words : str, optional
        What the person says of the night, shown below the title; by default what was saved
        with it.
    own_nights : DataFrame, optional
        The person's other nights, from `twitchsense.trend.nights.read_nights`.

    Returns
    -------
    str
    """
    windows = cut_event_windows(night) if windows is None else windows
    # waveforms are drawn from the samples that the result files keep: a report that is made
    # again shows the same
    drawn = replace(night.recording, segments=join_windows(night.recording.channels, windows))
    template = make_environment().get_template("report.html.j2")
    clock = WallClock.of(night.recording)
    start, stop = night.recording.start_ns / 1e9, night.recording.end_ns / 1e9
    summary = night.summary_dict()
    script = load_scripts("plot.js", "report.js")
    published = compare_with_published(night, summary)
    own = [] if own_nights is None else compare_with_own(night, own_nights)
    time_range = f"{clock.format_minute(start)}–{clock.format_minute(stop)}"
    return template.render(
        title=_title(clock, start, stop),
        source=summary["provenance"]["source"],
        time_range=time_range if clock.is_known else "",
        zone=clock.zone_name,
        words=summary.get("words", "") if words is None else words,
        answers=summary_answers(night, [*own, *published]),
        comparisons=[*own, *published],
        sources=SOURCES,
        sleep_rows=sleep_rows(night, summary),
        has_hypnogram=has_hypnogram(night),
        overview=_overview(night),
        contexts=_contexts_shown(night),
        has_artifact_minutes=bool(artifact_minutes(night)),
        rate_table=tables.rate_table(night, summary),
        clinical_rows=clinical_rows(summary),
        averages=_averages(night.events, drawn),
        patterns=_patterns(night, windows, format_periodicity(summary)),
        strongest=_strongest(night, drawn),
        jerk_table=tables.jerk_table(night),
        channel_table=tables.channel_table(night, summary),
        rejected_table=tables.rejected_table(night),
        main_notes=_notes_to_read_first(night),
        notes=[without_folders(note) for note in night.notes],
        method_paragraphs=explanations.method_paragraphs(night),
        provenance_rows=tables.provenance_rows(summary, night.settings),
        glossary=static_text.glossary(night.settings),
        static_text=static_text,
        palette=palette,
        script=script,
        script_hash=script_hash(script),
        page_data=build_page_data(night, windows),
        n_described=MAX_DESCRIBED,
        n_marks_only=max(0, len(night.events) - MAX_DESCRIBED),
    )


def make_environment() -> Environment:
    """Return the Jinja environment of the report's templates; it escapes every text."""
    environment = Environment(
        loader=PackageLoader("twitchsense.report", "templates"),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = unbroken
    return environment


def _finalize(value: Any) -> Any:
    """Remove invisible characters from text, and bound its length; markup is left as it is."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return display_text(value) if is_text else value


def load_scripts(*names: str) -> Markup:
    """Return scripts of the template directory, joined to one text.

    Parameters
    ----------
    *names : str
        File names.

    Returns
    -------
    Markup
    """
    directory = files("twitchsense.report") / "templates"
    return Markup("\n".join((directory / name).read_text("utf-8") for name in names))


def script_hash(script: str) -> str:
    """Return the SHA-256 (base64) by which a page's content security policy allows a script."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def _title(clock: WallClock, start: float, stop: float) -> str:
    dates = clock.format_dates(start, stop)
    return f"Night of {dates}" if dates else "A night"


def _notes_to_read_first(night: NightLike) -> list[str]:
    """Return the most important notes that question the result."""
    return [without_folders(note) for note in night.main_notes[:_MAX_MAIN_NOTES]]


def _contexts_shown(night: NightLike) -> list[tuple[str, str]]:
    """Return identifier and name of the contexts of a night, for the legend."""
    present = set(night.epochs["context"].astype(str))
    return [(c, name) for c, name in CONTEXT_NAMES.items() if c in present and c != "unknown"]


def _overview(night: NightLike) -> PageFigure:
    alt = "The whole night on one time axis: events, sleep and signals. "
    alt += " ".join(text for _, text in summary_answers(night))
    figure = new_figure(10.4, overview_height(night))
    plot_night(night, figure.add_subplot())
    return PageFigure(svg_data_uri(figure), alt)


def _averages(events: pd.DataFrame, recording: Recording) -> list[PageFigure]:
    figures: list[PageFigure] = []
    counts = events["trial_type"].value_counts()
    for kind in _AVERAGED_KINDS:
        if counts.get(kind, 0) >= _MIN_AVERAGED:
            figure = new_figure(3.6, 2.2)
            draw_average(figure.add_subplot(), events, recording, kind).set_title("", loc="left")
            counted = f"{counts[kind]:,} {kind_name(kind, 2)}"
            if counts[kind] > MAX_AVERAGED:
                counted = f"{MAX_AVERAGED} of {counted}"
            alt, caption = f"Average waveform of {counted}", f"The average of {counted}"
            figures.append(PageFigure(svg_data_uri(figure), alt, caption))
    return figures


def _patterns(night: NightLike, windows: list[EventWindow], periodicity: str) -> list[PageFigure]:
    """Return the figures of repetition: intervals between movements, clusters of twitches."""
    figures: list[PageFigure] = []
    interval = movement_intervals(night)
    if len(interval) >= _MIN_INTERVALS:
        figure = new_figure(3.6, 2.2)
        plot_intervals(night, figure.add_subplot()).set_title("", loc="left")
        low, high = periodic_interval_s(night.settings)
        n_periodic = int(((interval >= low) & (interval <= high)).sum())
        text = (
            f"{n_periodic} of {len(interval)} are {low:g}–{high:g} s long, as in periodic series "
            "(shaded)"
        )
        index = f" Periodicity in sleep: {periodicity}." if periodicity else ""
        figures.append(
            PageFigure(
                svg_data_uri(figure),
                f"Histogram of the time from one leg movement to the next; {text}",
                "From one leg movement to the next",
                f"{text}. An even distribution shows no rhythm; a peak between "
                f"{TYPICAL_INTERVAL_S[0]:g} and {TYPICAL_INTERVAL_S[1]:g} s shows one.{index}",
            )
        )
    clock = WallClock.of(night.recording)
    onset = night.events["onset"].to_numpy(float)
    for cluster in cluster_waveforms(night, windows):
        figure = new_figure(3.6, 2.2)
        plot_cluster(cluster, figure.add_subplot())
        first, last = (clock.format_minute(float(onset[cluster.events[i]])) for i in (0, -1))
        n = len(cluster.events)
        figures.append(
            PageFigure(
                svg_data_uri(figure),
                f"{n} twitches with the same waveform on {cluster.channel}, overlaid",
                f"The same waveform, {n} times on {cluster.channel}",
                f"First {first.removesuffix(INTO_RECORDING)}, last {last}. Twitches this similar "
                "may come from the same muscle fibres; this is common and by itself no sign of "
                "disease.",
            )
        )
    return figures


def _strongest(night: NightLike, recording: Recording) -> list[PageFigure]:
    figures: list[PageFigure] = []
    for kind, n in _N_STRONGEST.items():
        rows = night.events[night.events["trial_type"] == kind]
        keys = ["amplitude_uv", "peak_g"] if kind == "twitch" else ["peak_g", "amplitude_uv"]
        rows = rows.sort_values(keys, ascending=False, na_position="last").head(n)
        for _, event in rows.iterrows():
            caption, measurements = explanations.describe_event(night, event)
            alt = f"Waveform of a {caption}: {measurements}"
            source = svg_data_uri(event_figure(recording, event))
            figures.append(PageFigure(source, alt, caption, measurements))
    return figures
