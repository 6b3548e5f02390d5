"""``twitchsense agree``: compare events with annotations, one to one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from twitchsense.cli.options import USER_PATH, night_file_options, verbosity
from twitchsense.cli.score_limb import format_index
from twitchsense.cli.text_output import print_table, print_text
from twitchsense.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from twitchsense.scoring.agreement.category_agreement import CategoryAgreement
    from twitchsense.scoring.agreement.compare_events import Agreement
    from twitchsense.scoring.leg_movements.compare_lists import ComparedIndices
    from twitchsense.sleep.hypnogram.clock_times import NightClock

#: Maximum number of kinds whose confusion is printed.
_MAX_PRINTED_KINDS: Final = 40


@click.command(short_help="Compare events with marks of a scorer, one to one.")
@click.argument("events", metavar="EVENTS", type=USER_PATH)
@click.argument("truth", metavar="TRUTH", type=USER_PATH)
@click.option(
    "--hours",
    type=click.FloatRange(min=0, min_open=True),
    help="Hours of valid signal, for false alarms per hour.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Largest difference (s) of the onsets of a pair that does not overlap, for all kinds; "
    "else 0.1 for twitches and jerks, 5 for changes of posture, 0.5 for the others.",
)
@click.option(
    "--leg-movements",
    is_flag=True,
    help="Set the leg-movement indices of both lists beside each other, by every rule set.",
)
@click.option(
    "--indices",
    type=USER_PATH,
    help="With --leg-movements: indices of other programs, a column index and one for each.",
)
@night_file_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@verbosity
def agree(
    events: Path,
    truth: Path,
    hours: float | None,
    tolerance: float | None,
    leg_movements: bool,
    indices: Path | None,
    hypnogram: Path | None,
    stages: str | None,
    respiratory: Path | None,
    start: str | None,
    zone: str | None,
    kind_pairs: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Compare EVENTS with TRUTH, one to one, with intervals.

    Both are tables with onset (or start) and duration (or end), in seconds or clock times, and,
    if known, trial_type and leg: an events.csv, the truth of a simulation, or a human scoring.
    They may be EDF+ annotations, Luna .annot, or MNE annotations as CSV. A TRUTH without
    trial_type is compared with events of all kinds, with --leg-movements with the leg movements.
    The files of the night serve --leg-movements.
    """
    from twitchsense.model.stated_start import check_zone
    from twitchsense.results.save import to_json
    from twitchsense.scoring.agreement.agreement_notes import names_kinds
    from twitchsense.scoring.agreement.category_agreement import compare_pairs
    from twitchsense.scoring.agreement.compare_events import match
    from twitchsense.scoring.event_lists.mark_files import read_mark_list
    from twitchsense.scoring.event_lists.mark_kinds import check_kinds_used, parse_kinds
    from twitchsense.scoring.leg_movements.input import leg_movements_of
    from twitchsense.scoring.leg_movements.sleep_files import movements_clock

    if not leg_movements:
        given = {"--indices": indices, "--hypnogram": hypnogram, "--respiratory": respiratory,
                 "--stages": stages}  # fmt: skip
        for name, value in given.items():
            if value is not None:
                raise InputError(name, "is used with --leg-movements only", "add --leg-movements")
    if zone is not None:
        check_zone(zone)
    kinds = parse_kinds(kind_pairs)
    paths = (events, truth, hypnogram, respiratory)
    clock, clock_notes = movements_clock(start, zone, paths, events)
    lists = (read_mark_list(events, kinds, clock), read_mark_list(truth, kinds, clock))
    check_kinds_used(kinds, (word for mark_list in lists for word in mark_list.words))
    tables = (lists[0].frame, lists[1].frame)
    if leg_movements and not names_kinds(tables[1]):
        tables = (leg_movements_of(lists[0]), tables[1])
    agreement = match(*tables, tolerance_s=tolerance, hours=hours)
    read_notes = (*clock_notes, *lists[0].notes, *lists[1].notes)
    agreement = replace(agreement, notes=(*read_notes, *agreement.notes))
    categories = compare_pairs(agreement.pairs, *tables)
    compared = None
    if leg_movements:
        moved = {"events": leg_movements_of(lists[0]), "truth": leg_movements_of(lists[1])}
        compared = _compare(moved, (hypnogram, respiratory, indices), stages, clock)
    if as_json:
        found = agreement.to_dict()
        found["categories"] = {name: c.to_dict() for name, c in categories.items()}
        if compared is not None:
            found["leg_movements"] = compared.to_dict()
        click.echo(to_json(found), nl=False)
        return
    if not quiet:
        for note in agreement.notes:
            print_text(f"Note: {note}", err=True, indent="  ")
    _print_agreement(agreement, categories)
    if compared is not None:
        _print_indices(compared)


def _compare(
    lists: dict[str, pd.DataFrame],
    files: tuple[Path | None, Path | None, Path | None],
    stages: str | None,
    clock: NightClock | None,
) -> ComparedIndices:
    """Score both lists by the leg-movement rules."""
    from twitchsense.scoring.leg_movements.compare_lists import compare_lists, read_program_indices
    from twitchsense.scoring.leg_movements.sleep_files import read_sleep_files
    from twitchsense.sleep.hypnogram.stage_codes import parse_codes

    codes = parse_codes(stages) if stages else None
    hypnogram, respiratory, indices = files
    night = read_sleep_files(lists["truth"], hypnogram, respiratory, codes, clock)
    programs = {} if indices is None else read_program_indices(indices)
    return compare_lists(lists, night.hypnogram, night.respiratory, programs, night.notes)


def _print_indices(compared: ComparedIndices) -> None:
    from twitchsense.scoring.leg_movements.rules import RULES
    from twitchsense.scoring.leg_movements.score_event_list import INDEX_DESCRIPTIONS

    columns = {
        f"{name}, {rules}": by_rules[rules]
        for rules in RULES
        for name, by_rules in compared.lists.items()
    }
    columns |= compared.programs
    rows = [
        [index, *(format_index(values.get(index)) for values in columns.values()), meaning]
        for index, meaning in INDEX_DESCRIPTIONS.items()
    ]
    click.echo()
    click.echo("Leg movements:")
    print_table(["index", *columns, "meaning"], rows, left=(0, len(columns) + 1))
    for note in compared.notes:
        print_text(f"Note: {note}", indent="  ")


def _print_agreement(agreement: Agreement, categories: dict[str, CategoryAgreement]) -> None:
    names = ["kind", "truth", "found", "matched", "sensitivity", "precision", "F1", "onset error",
             "duration error", "truth overlapped", "found overlapped"]  # fmt: skip
    shares = ["sensitivity", "precision", "f1"]
    if agreement.hours is not None:
        names.insert(7, "false per hour")
        shares.append("false_alarms_per_h")
    scores = agreement.table()
    if len(scores) == 2:  # one kind, whose row all kinds together would repeat
        scores = scores.iloc[:1]
    rows = [
        [
            str(row["kind"]),
            *(str(row[k]) for k in ("n_truth", "n_found", "tp")),
            *(_format_estimate(row[k], row[f"{k}_low"], row[f"{k}_high"]) for k in shares),
            *(_format_milliseconds(float(row[k])) for k in ("onset_error_s", "duration_error_s")),
            *(
                _format_estimate(row[k], row[f"{k}_low"], row[f"{k}_high"])
                for k in ("overlap_sensitivity", "overlap_precision")
            ),
        ]
        for row in scores.to_dict("records")
    ]
    print_table(names, rows)
    print_text(
        "sensitivity, precision, F1: one to one, with 95 % intervals; errors: median, found minus "
        "truth; overlapped: rows that overlap any row of the other table, matched or not",
        dim=True,
    )
    print_text(_describe_tolerance(agreement.tolerance_s), dim=True)
    if categories:
        click.echo()
        _print_categories(categories)
    if len(agreement.confusion) > _MAX_PRINTED_KINDS:
        kinds = len(agreement.confusion) - 1
        print_text(f"The confusion of {kinds} kinds is not printed; --json has it.", dim=True)
    elif agreement.confusion.size > 1:
        click.echo()
        _print_confusion(agreement)
        print_text("rows: truth, columns: found", dim=True)


def _describe_tolerance(tolerance_s: Mapping[str, float]) -> str:
    """Say when two rows may match."""
    from twitchsense.scoring.agreement.agreement_notes import list_words

    kinds: dict[float, list[str]] = {}
    for kind, seconds in tolerance_s.items():
        kinds.setdefault(seconds, []).append(kind)
    said = " or ".join(
        f"{seconds:g} s" + (f" ({list_words(kinds[seconds])})" if len(kinds) > 1 else "")
        for seconds in sorted(kinds)
    )
    return f"matched: rows that overlap, or whose onsets are at most {said or '0 s'} apart"


def _print_categories(categories: dict[str, CategoryAgreement]) -> None:
    """Print on how many matched pairs both tables name the same kind and the same label."""
    rows = [
        [
            name,
            str(c.n_pairs),
            str(c.n_equal),
            _format_estimate(c.share, c.share_low, c.share_high),
            _format_estimate(c.kappa, c.kappa_low, c.kappa_high),
        ]
        for name, c in categories.items()
    ]
    print_table(["of matched pairs", "pairs", "equal", "share", "Cohen's kappa"], rows)


def _print_confusion(agreement: Agreement) -> None:
    kinds = [str(kind) for kind in agreement.confusion.columns]
    rows = [
        [str(kind), *map(str, counts)]
        for kind, counts in zip(
            agreement.confusion.index, agreement.confusion.to_numpy(), strict=True
        )
    ]
    print_table(["", *kinds], rows)


def _format_milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:+.0f} ms" if math.isfinite(seconds) else "–"


def _format_estimate(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return "–"
    return f"{value:.2f} ({low:.2f}–{high:.2f})"
