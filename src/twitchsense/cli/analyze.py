"""``twitchsense analyze``: captures in, tables and a report out."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from twitchsense.cli.options import (
    USER_PATH,
    AnalysisOptions,
    analysis_options,
    capture_options,
    engine_option,
    page_options,
    verbosity,
    via_option,
)
from twitchsense.cli.text_output import open_page, print_table, print_text
from twitchsense.errors import InputError
from twitchsense.text import printable

if TYPE_CHECKING:
    from twitchsense.report.protocols import NightLike

#: Maximum number of notes that are printed.
_MAX_NOTES: Final = 8


@click.command(short_help="Analyse one night: captures in, tables and a report out.")
@click.argument("captures", metavar="CAPTURE...", nargs=-1, required=True, type=USER_PATH)
@click.option(
    "--out", metavar="DIR", required=True, type=USER_PATH, help="Directory of the results."
)
@click.option(
    "--hypnogram",
    metavar="FILE",
    type=USER_PATH,
    help="Sleep stages: a table, or the file of a sleep laboratory, a watch or YASA. Without "
    "them, sleep is estimated from acceleration.",
)
@click.option(
    "--respiratory",
    metavar="FILE",
    type=USER_PATH,
    help="Respiratory events: onset, duration, or the file of a sleep laboratory; leg movements "
    "near them are counted separately.",
)
@analysis_options
@via_option
@capture_options
@engine_option
@page_options
@click.option("--no-report", is_flag=True, help="Leave report.html out.")
@click.option("--open", "show", is_flag=True, help="Open the report in the browser.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json on stdout as well.")
@verbosity
def analyze(
    captures: tuple[Path, ...],
    out: Path,
    hypnogram: Path | None,
    respiratory: Path | None,
    options: AnalysisOptions,
    via: str | None,
    stated: dict[str, Any],
    words: str | None,
    compare: tuple[Path, ...],
    no_report: bool,
    show: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Analyse one night: CAPTURE files in, tables and a report into DIR.

    Several files given together are one recording.
    """
    from twitchsense.output_files import check_output_directory
    from twitchsense.results.save import RESULT_FILES, to_json
    from twitchsense.trend.nights import find_result_directories

    if show and no_report:
        raise InputError("--open", "has no report to open", "leave out --no-report")
    if compare and no_report:
        raise InputError("--compare", "is for the report", "leave out --no-report")
    check_output_directory(out)
    find_result_directories(compare)  # before the analysis, which takes long
    optional = (hypnogram, respiratory, *options.files)
    inputs = [*captures, *(p for p in optional if p is not None)]
    _check_not_overwritten(inputs, out, RESULT_FILES)
    settings = options.settings()

    from twitchsense.cli.progress import show_steps
    from twitchsense.io.read import read
    from twitchsense.results.inputs import unused_stages_notes
    from twitchsense.results.night import analyze as run

    with show_steps(quiet=quiet) as steps:
        steps.start("reading")
        recording = read(
            *captures,
            columns=settings.columns,
            legs=settings.legs,
            zone=settings.zone,
            via=via,
            **stated,
        )
        if hypnogram is None:
            notes = unused_stages_notes(captures)
            recording = replace(recording, notes=(*recording.notes, *notes))
        steps.start("analysing")
        night = run(
            recording,
            hypnogram=hypnogram,
            respiratory=respiratory,
            settings=settings,
            progress=steps.update,
        )
        replaced = describe_replaced_results(night.summary_dict()["provenance"], out)
        steps.start("writing")
        night.save(out, report=not no_report, words=words, compare=compare)
    if as_json:
        click.echo(to_json(night.summary_dict()), nl=False)
    if replaced and not quiet:
        print_text(f"Note: {replaced}", err=True, indent="  ")
    if not quiet:
        print_summary(night, out, report=not no_report)
    if show:
        open_page(out / "report.html")


def _check_not_overwritten(inputs: list[Path], out: Path, names: tuple[str, ...]) -> None:
    """Raise `InputError` if a result file would overwrite an input."""
    targets = {os.path.realpath(out / name) for name in names}
    for path in inputs:
        if os.path.realpath(path) in targets:
            raise InputError(
                str(path), "would be overwritten by the results", "choose another --out"
            )


def describe_replaced_results(provenance: dict[str, Any], out: Path) -> str:
    """Return a note on results of another recording in a directory.

    Parameters
    ----------
    provenance : dict
        Of the new results, with ``source`` and ``sha256``.
    out : Path
        The directory.

    Returns
    -------
    str
        Empty if it holds no results of another recording. A night that is still recorded has
        other content in each analysis, which is not told.
    """
    try:
        old = json.loads((out / "summary.json").read_text("utf-8"))["provenance"]
        name, content = str(old["source"]), str(old["sha256"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    is_same_name = name == provenance["source"]
    if content == provenance["sha256"] or (is_same_name and name.endswith(".night")):
        return ""
    what = f"another {name}" if is_same_name else f"another recording ({name})"
    return f"{out} held results of {what}, which are replaced"


def print_summary(night: NightLike, out: Path, *, report: bool) -> None:
    """Print the result in a few lines on stderr.

    Valid time, sleep onset, counts by label, the notes that change the result with their cure,
    and the path of the results.

    Parameters
    ----------
    night : NightLike
    out : Path
        Directory of the results.
    report : bool
        Whether it holds a report.
    """
    from twitchsense.report.summary_sentences import (
        quality_word,
        sleep_onset_sentence,
        valid_time_sentences,
    )

    quality = f"Was the recording good? {quality_word(night)}. {valid_time_sentences(night)}"
    print_text(quality, err=True)
    onset = sleep_onset_sentence(night)
    if re.search(r"\d\d:\d\d", onset) and night.recording.zone in (None, "UTC"):
        onset += " Times are in UTC."
    print_text(onset, err=True)
    if len(night.events):
        _print_counts(night)
    else:
        print_text("No event in the valid signal.", err=True)
    for note in night.main_notes[:_MAX_NOTES]:
        print_text(f"Note: {note}", err=True, indent="  ")
    others = len(night.notes) - min(len(night.main_notes), _MAX_NOTES)
    if others > 0:
        place = "at the end of the report" if report else "in summary.json"
        more = " more" if night.main_notes else ""
        notes = "note is" if others == 1 else "notes are"
        print_text(f"{others}{more} {notes} {place}.", err=True, dim=True)
    click.echo(
        f"{'Report' if report else 'Results'}: "
        f"{printable(str(out / 'report.html' if report else out), '?')}",
        err=True,
    )


def _print_counts(night: NightLike) -> None:
    from twitchsense.report.tables import count_events

    counts = count_events(night.events)
    rows = [[str(name), *map(str, row)] for name, *row in counts.itertuples()]
    print_table(["events", *counts.columns], rows, err=True)
