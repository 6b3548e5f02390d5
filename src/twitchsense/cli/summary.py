"""What ``analyze`` says when it is done: a few lines for a person, on stderr."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from twitchsense.text import printable

if TYPE_CHECKING:
    from twitchsense.results.night import Night


def print_summary(night: Night, out: Path, *, report: bool) -> None:
    """Print valid time, sleep onset, counts by label and where the results are."""
    from twitchsense.report.summary_sentences import (
        quality_word,
        sleep_onset_sentence,
        valid_time_sentences,
    )

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(
        escape(f"Was the recording good? {quality_word(night)}. {valid_time_sentences(night)}")
    )
    console.print(escape(sleep_onset_sentence(night)))
    if len(night.events):
        console.print(_counts(night))
    else:
        console.print("No event in the valid signal.")
    where = out / "report.html" if report else out
    console.print(f"{'Report' if report else 'Results'}: {escape(printable(str(where), '?'))}")


def _counts(night: Night) -> Table:
    from twitchsense.report.palette import context_name, label_name

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("events")
    counts = night.events.groupby(["label", "context"]).size()
    contexts = [c for c in _ORDER if c in counts.index.get_level_values("context")]
    for context in contexts:
        table.add_column(context_name(context), justify="right")
    for label in counts.groupby("label").sum().sort_values(ascending=False).index:
        cells = [str(int(counts.get((label, c), 0))) for c in contexts]
        table.add_row(escape(label_name(str(label))), *cells)
    return table


_ORDER = ("wake", "drowsy", "sleep_onset", "asleep", "unknown")
