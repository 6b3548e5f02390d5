"""``twitchsense analyze``: captures in, tables and a report out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from twitchsense.cli.options import Asked, analysis, verbosity
from twitchsense.errors import InputError

if TYPE_CHECKING:
    from twitchsense.results.night import Night

_FILE = click.Path(path_type=Path)


@click.command(short_help="Analyse one night: captures in, tables and a report out.")
@click.argument("captures", metavar="CAPTURE...", nargs=-1, required=True, type=_FILE)
@click.option("--out", metavar="DIR", required=True, type=_FILE, help="Where the results go.")
@click.option(
    "--hypnogram",
    metavar="FILE",
    type=_FILE,
    help="Sleep stages: CSV, TSV, EDF+, YASA, Apple Health, Fitbit. Without them, sleep is "
    "estimated from acceleration.",
)
@click.option(
    "--respiratory",
    metavar="FILE",
    type=_FILE,
    help="Respiratory events: onset, duration; leg movements near them are told apart.",
)
@analysis
@click.option("--no-report", is_flag=True, help="Leave report.html out.")
@verbosity
def analyze(
    captures: tuple[Path, ...],
    out: Path,
    hypnogram: Path | None,
    respiratory: Path | None,
    asked: Asked,
    no_report: bool,
    quiet: bool,
) -> None:
    """Analyse one night: CAPTURE files in, tables and a report into DIR.

    Several files given together are one recording.
    """
    from twitchsense.results.files import check_output_directory
    from twitchsense.results.save import RESULT_FILES

    check_output_directory(out)
    extra = (hypnogram, respiratory, *asked.files)
    given = [*captures, *(p for p in extra if p is not None)]
    _guard_inputs(given, out, RESULT_FILES)
    settings = asked.settings()

    from twitchsense.cli.progress import steps
    from twitchsense.io.read import read
    from twitchsense.results.night import analyze as run

    with steps(quiet=quiet) as show:
        show.step("reading")
        recording = read(
            *captures, columns=settings.columns, legs=settings.legs, zone=settings.zone
        )
        show.step("analysing")
        night = run(
            recording,
            hypnogram=hypnogram,
            respiratory=respiratory,
            settings=settings,
            progress=show.progress,
        )
        show.step("writing")
        night.save(out, report=not no_report)
    if not quiet:
        _say(night, out, report=not no_report)


def _guard_inputs(given: list[Path], out: Path, names: tuple[str, ...]) -> None:
    """Refuse to write over what we were asked to read."""
    targets = {(out / name).resolve() for name in names}
    for path in given:
        if path.resolve() in targets:
            raise InputError(
                str(path), "would be overwritten by the results", "choose another --out"
            )


def _say(night: Night, out: Path, *, report: bool) -> None:
    from twitchsense.cli.summary import print_summary

    print_summary(night, out, report=report)
