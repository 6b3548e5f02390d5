"""``twitchsense agree``: compare events with annotations, one to one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twitchsense.cli.options import verbosity
from twitchsense.text import printable

if TYPE_CHECKING:
    from rich.table import Table

    from twitchsense.scoring.agreement import Agreement

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("events", metavar="EVENTS", type=_FILE)
@click.argument("truth", metavar="TRUTH", type=_FILE)
@click.option(
    "--hours",
    type=click.FloatRange(min=0, min_open=True),
    help="Hours of valid signal, for false alarms per hour.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@verbosity
def agree(events: Path, truth: Path, hours: float | None, as_json: bool, quiet: bool) -> None:
    """Compare EVENTS with TRUTH, one to one, with intervals.

    Both are tables with onset, duration and, if known, trial_type and leg: an
    events.csv, the truth of a simulation, or a human scoring.
    """
    from twitchsense.results.save import to_json
    from twitchsense.scoring.agreement import match, read_events

    agreement = match(read_events(events), read_events(truth), hours=hours)
    if as_json:
        click.echo(to_json(agreement.to_dict()), nl=False)
    else:
        _print_agreement(agreement)


def _print_agreement(agreement: Agreement) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    names = ["kind", "truth", "found", "matched", "sensitivity", "precision", "F1", "onset error",
             "duration error", "truth touched", "found touching"]  # fmt: skip
    shares = ["sensitivity", "precision", "f1"]
    if agreement.hours is not None:
        names.insert(7, "false per hour")
        shares.append("false_alarms_per_h")
    for i, name in enumerate(names):
        table.add_column(name, justify="left" if i == 0 else "right", no_wrap=True)
    for row in agreement.table().to_dict("records"):
        table.add_row(
            escape(printable(str(row["kind"]), "?")),
            *(str(row[k]) for k in ("n_truth", "n_found", "tp")),
            *(_format_estimate(row[k], row[f"{k}_low"], row[f"{k}_high"]) for k in shares),
            *(_format_milliseconds(float(row[k])) for k in ("onset_error_s", "duration_error_s")),
            *(
                _format_estimate(row[k], row[f"{k}_low"], row[f"{k}_high"])
                for k in ("overlap_sensitivity", "overlap_precision")
            ),
        )
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200
    console.print(table)
    console.print(
        "sensitivity, precision, F1: one to one, with 95 % intervals; errors: median, found minus "
        "truth; touched: overlaps any event of the other table, matched or not",
        style="dim",
    )
    if agreement.confusion.size > 1:
        console.print()
        console.print(_confusion_table(agreement))
        console.print("rows: truth, columns: found", style="dim")


def _confusion_table(agreement: Agreement) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for kind in agreement.confusion.columns:
        table.add_column(escape(printable(str(kind), "?")), justify="right", no_wrap=True)
    for kind, counts in zip(agreement.confusion.index, agreement.confusion.to_numpy(), strict=True):
        table.add_row(escape(printable(str(kind), "?")), *map(str, counts))
    return table


def _format_milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:+.0f} ms" if math.isfinite(seconds) else "–"


def _format_estimate(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return "–"
    return f"{value:.2f} ({low:.2f}–{high:.2f})"
