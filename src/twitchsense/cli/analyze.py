"""``twitchsense analyze``: captures in, tables and a report out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from twitchsense.cli.options import (
    AnalysisOptions,
    analysis_options,
    capture_options,
    engine_option,
    verbosity,
    via_option,
)
from twitchsense.errors import InputError
from twitchsense.text import printable

if TYPE_CHECKING:
    from rich.table import Table

    from twitchsense.report.protocols import NightLike

_FILE = click.Path(path_type=Path)
#: Order of the contexts in the table of counts.
_CONTEXTS: Final = ("wake", "drowsy", "sleep_onset", "asleep", "unknown")


@click.command(short_help="Analyse one night: captures in, tables and a report out.")
@click.argument("captures", metavar="CAPTURE...", nargs=-1, required=True, type=_FILE)
@click.option("--out", metavar="DIR", required=True, type=_FILE, help="Directory of the results.")
@click.option(
    "--hypnogram",
    metavar="FILE",
    type=_FILE,
    help="Sleep stages: a table, or the file of a sleep laboratory, a watch or YASA. Without "
    "them, sleep is estimated from acceleration.",
)
@click.option(
    "--respiratory",
    metavar="FILE",
    type=_FILE,
    help="Respiratory events: onset, duration, or the file of a sleep laboratory; leg movements "
    "near them are counted separately.",
)
@analysis_options
@via_option
@capture_options
@engine_option
@click.option("--no-report", is_flag=True, help="Leave report.html out.")
@verbosity
def analyze(
    captures: tuple[Path, ...],
    out: Path,
    hypnogram: Path | None,
    respiratory: Path | None,
    options: AnalysisOptions,
    via: str | None,
    stated: dict[str, Any],
    no_report: bool,
    quiet: bool,
) -> None:
    """Analyse one night: CAPTURE files in, tables and a report into DIR.

    Several files given together are one recording.
    """
    from twitchsense.output_files import check_output_directory
    from twitchsense.results.save import RESULT_FILES

    check_output_directory(out)
    optional = (hypnogram, respiratory, *options.files)
    inputs = [*captures, *(p for p in optional if p is not None)]
    _check_not_overwritten(inputs, out, RESULT_FILES)
    settings = options.settings()

    from twitchsense.cli.progress import show_steps
    from twitchsense.io.read import read
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
        steps.start("analysing")
        night = run(
            recording,
            hypnogram=hypnogram,
            respiratory=respiratory,
            settings=settings,
            progress=steps.update,
        )
        steps.start("writing")
        night.save(out, report=not no_report)
    if not quiet:
        print_summary(night, out, report=not no_report)


def _check_not_overwritten(inputs: list[Path], out: Path, names: tuple[str, ...]) -> None:
    """Raise `InputError` if a result file would overwrite an input."""
    targets = {os.path.realpath(out / name) for name in names}
    for path in inputs:
        if os.path.realpath(path) in targets:
            raise InputError(
                str(path), "would be overwritten by the results", "choose another --out"
            )


def print_summary(night: NightLike, out: Path, *, report: bool) -> None:
    """Print valid time, sleep onset, counts by label and the path of the results on stderr.

    Parameters
    ----------
    night : Night or SavedNight
    out : Path
        Directory of the results.
    report : bool
        Whether it has a report.
    """
    from rich.console import Console
    from rich.markup import escape

    from twitchsense.report.summary_sentences import (
        quality_word,
        sleep_onset_sentence,
        valid_time_sentences,
    )

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    quality = f"Was the recording good? {quality_word(night)}. {valid_time_sentences(night)}"
    console.print(escape(quality))
    console.print(escape(sleep_onset_sentence(night)))
    if len(night.events):
        console.print(_count_table(night))
    else:
        console.print("No event in the valid signal.")
    path = out / "report.html" if report else out
    console.print(f"{'Report' if report else 'Results'}: {escape(printable(str(path), '?'))}")


def _count_table(night: NightLike) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from twitchsense.report.palette import context_name, label_name

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("events")
    counts = night.events.groupby(["label", "context"]).size()
    contexts = [c for c in _CONTEXTS if c in counts.index.get_level_values("context")]
    for context in contexts:
        table.add_column(context_name(context), justify="right")
    for label in counts.groupby("label").sum().sort_values(ascending=False).index:
        cells = [str(int(counts.get((label, c), 0))) for c in contexts]
        table.add_row(escape(label_name(str(label))), *cells)
    return table
