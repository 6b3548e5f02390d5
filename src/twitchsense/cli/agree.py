"""``twitchsense agree``: events against annotations, one to one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twitchsense.cli.options import verbosity

if TYPE_CHECKING:
    from twitchsense.scoring.agreement import Agreement

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("events", metavar="EVENTS", type=_FILE)
@click.argument("truth", metavar="TRUTH", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@verbosity
def agree(events: Path, truth: Path, as_json: bool, quiet: bool) -> None:
    """Compare EVENTS with TRUTH, one to one, with intervals.

    Both are tables with onset, duration and, if known, trial_type and leg: an
    events.csv, the truth of a simulation, or a human scoring.
    """
    from twitchsense.results import to_json
    from twitchsense.scoring.agreement import match, read_events

    found = match(read_events(events), read_events(truth))
    if as_json:
        click.echo(to_json(found.to_dict()), nl=False)
    else:
        _show(found)


def _show(found: Agreement) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    names = ("kind", "truth", "found", "matched", "sensitivity", "precision", "F1", "onset error",
             "truth touched", "found touching")  # fmt: skip
    for i, name in enumerate(names):
        table.add_column(name, justify="left" if i == 0 else "right", no_wrap=True)
    for row in found.table().to_dict("records"):
        error = float(row["onset_error_s"])
        table.add_row(
            escape(str(row["kind"])),
            *(str(row[k]) for k in ("n_truth", "n_found", "tp")),
            *(
                _share(row[k], row[f"{k}_low"], row[f"{k}_high"])
                for k in ("sensitivity", "precision", "f1")
            ),
            f"{1000 * error:+.0f} ms" if math.isfinite(error) else "–",
            *(
                _share(row[k], row[f"{k}_low"], row[f"{k}_high"])
                for k in ("overlap_sensitivity", "overlap_precision")
            ),
        )
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200
    console.print(table)
    console.print(
        "sensitivity, precision, F1: one to one, with 95 % intervals; onset error: median; "
        "touched: overlaps anything of the other table, however often that was used",
        style="dim",
    )


def _share(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return "–"
    return f"{value:.2f} ({low:.2f}–{high:.2f})"
