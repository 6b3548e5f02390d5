"""A night as a short HTML fragment for notebooks."""

from __future__ import annotations

from typing import Final

import pandas as pd
from markupsafe import escape

from twitchsense.report.palette import context_name, label_name
from twitchsense.report.protocols import NightLike
from twitchsense.report.summary_sentences import (
    quality_word,
    sleep_onset_sentence,
    valid_time_sentences,
)

#: Order of the contexts in the table of counts.
_CONTEXTS: Final = ("wake", "drowsy", "sleep_onset", "asleep", "unknown")


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
    table = _counts(night.events).to_html(border=0) if len(night.events) else ""
    return f"<div><strong>{escape(title)}</strong><p>{escape(text)}</p>{table}</div>"


def _counts(events: pd.DataFrame) -> pd.DataFrame:
    """Return the number of events by label (most frequent first) and context."""
    counts = pd.crosstab(events["label"].astype(str), events["context"].astype(str))
    counts = counts[[c for c in _CONTEXTS if c in counts]]
    order = counts.sum(axis=1).sort_values(ascending=False, kind="stable").index
    counts = counts.loc[order]
    counts.index = pd.Index([label_name(str(name)) for name in order], name="events")
    return counts.rename(columns=context_name).rename_axis(columns=None)
