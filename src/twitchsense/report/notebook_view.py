"""A night as a short HTML fragment for notebooks."""

from __future__ import annotations

from markupsafe import escape

from twitchsense.report.protocols import NightLike
from twitchsense.report.summary_sentences import (
    quality_word,
    sleep_onset_sentence,
    valid_time_sentences,
)
from twitchsense.report.tables import count_events


def night_html(night: NightLike) -> str:
    """Return signal quality, sleep onset and the counts of a night as HTML.

    Parameters
    ----------
    night : Night or SavedNight

    Returns
    -------
    str
        A heading line, a paragraph and a table, without styles of their own.
    """
    title = f"{night.recording.source}: {len(night.events):,} events"
    text = f"{quality_word(night)}. {valid_time_sentences(night)} {sleep_onset_sentence(night)}"
    table = count_events(night.events).to_html(border=0) if len(night.events) else ""
    return f"<div><strong>{escape(title)}</strong><p>{escape(text)}</p>{table}</div>"
