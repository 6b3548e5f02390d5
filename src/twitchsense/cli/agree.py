"""``twitchsense agree``: compare events with annotations, one to one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from twitchsense.cli.options import check_zone, night_file_options, verbosity
from twitchsense.cli.score_limb import format_index
from twitchsense.errors import InputError
from twitchsense.text import printable

if TYPE_CHECKING:
    from rich.table import Table

    from twitchsense.scoring.agreement import Agreement
    from twitchsense.scoring.leg_movements.compare_lists import ComparedIndices

_FILE = click.Path(path_type=Path)
#: Maximum number of kinds whose confusion is printed.
_MAX_PRINTED_KINDS: Final = 40


@click.command(short_help="Compare events with marks of a scorer, one to one.")
@click.argument("events", metavar="EVENTS", type=_FILE)
@click.argument("truth", metavar="TRUTH", type=_FILE)
@click.option(
    "--hours",
    type=click.FloatRange(min=0, min_open=True),
    help="Hours of valid signal, for false alarms per hour.",
)
@click.option(
    "--leg-movements",
    is_flag=True,
    help="Set the leg-movement indices of both lists beside each other, by every rule set.",
)
@click.option(
    "--indices",
    type=_FILE,
    help="With --leg-movements: indices of other programs, a column index and one for each.",
)
@night_file_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@verbosity
def agree(
    events: Path,
    truth: Path,
    hours: float | None,
    leg_movements: bool,
    indices: Path | None,
    hypnogram: Path | None,
    stages: str | None,
    respiratory: Path | None,
    start: str | None,
    zone: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Compare EVENTS with TRUTH, one to one, with intervals.

    Both are tables with onset, duration and, if known, trial_type and leg: an
    events.csv, the truth of a simulation, or a human scoring. The files of the night
    serve --leg-movements.
    """
    from twitchsense.results.save import to_json
    from twitchsense.scoring.agreement import match, read_events

    if not leg_movements:
        given = {"--indices": indices, "--hypnogram": hypnogram, "--respiratory": respiratory,
                 "--stages": stages, "--start": start, "--zone": zone}  # fmt: skip
        for name, value in given.items():
            if value is not None:
                raise InputError(name, "is used with --leg-movements only", "add --leg-movements")
    agreement = match(read_events(events), read_events(truth), hours=hours)
    compared = None
    if leg_movements:
        files = (hypnogram, respiratory, indices)
        compared = _compare(events, truth, files, stages, start, zone)
    if as_json:
        found = agreement.to_dict()
        if compared is not None:
            found["leg_movements"] = compared.to_dict()
        click.echo(to_json(found), nl=False)
        return
    _print_agreement(agreement)
    if compared is not None:
        _print_indices(compared)


def _compare(
    events: Path,
    truth: Path,
    files: tuple[Path | None, Path | None, Path | None],
    stages: str | None,
    start: str | None,
    zone: str | None,
) -> ComparedIndices:
    """Score both lists by the leg-movement rules."""
    from twitchsense.scoring.leg_movements.compare_lists import compare_lists, read_program_indices
    from twitchsense.scoring.leg_movements.input import read_movements
    from twitchsense.scoring.leg_movements.night_files import read_night_files
    from twitchsense.sleep.hypnogram.stage_codes import parse_codes

    if zone is not None:
        check_zone(zone)
    codes = parse_codes(stages) if stages else None
    hypnogram, respiratory, indices = files
    lists = {"events": read_movements(events), "truth": read_movements(truth)}
    night = read_night_files(lists["truth"], hypnogram, respiratory, codes, start, zone)
    programs = {} if indices is None else read_program_indices(indices)
    return compare_lists(lists, night.hypnogram, night.respiratory, programs, night.notes)


def _print_indices(compared: ComparedIndices) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from twitchsense.scoring.leg_movements.rules import RULES
    from twitchsense.scoring.leg_movements.score_event_list import INDEX_DESCRIPTIONS

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("index", no_wrap=True)
    columns = [by_rules[rules] for rules in RULES for by_rules in compared.lists.values()]
    for rules in RULES:
        for name in compared.lists:
            table.add_column(f"{name}, {rules}", justify="right")
    for program in compared.programs:
        table.add_column(escape(printable(program, "?")), justify="right")
    for index in INDEX_DESCRIPTIONS:
        cells = [format_index(values[index]) for values in columns]
        cells += [format_index(values.get(index)) for values in compared.programs.values()]
        table.add_row(index, *cells)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200
    console.print()
    console.print("Leg movements:")
    console.print(table)
    for note in compared.notes:
        console.print(f"Note: {escape(printable(note, '?'))}")


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
    if len(agreement.confusion) > _MAX_PRINTED_KINDS:
        kinds = len(agreement.confusion) - 1
        console.print(f"The confusion of {kinds} kinds is not printed; --json has it.", style="dim")
    elif agreement.confusion.size > 1:
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
