"""``twitchsense report``: write the report of a result directory again, and open it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from twitchsense.cli.options import USER_PATH, page_options, verbosity
from twitchsense.cli.text_output import open_page
from twitchsense.text import printable

#: File that every result directory has.
SUMMARY: Final = "summary.json"


@click.command(short_help="Make the report of a result directory again.")
@click.argument("directories", metavar="DIR...", nargs=-1, required=True, type=USER_PATH)
@page_options
@click.option(
    "--for-visit",
    is_flag=True,
    help="Make visit.html instead: one sheet for a doctor's visit, of one night or of the last "
    "14 of the nights given.",
)
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
@verbosity
def report(
    directories: tuple[Path, ...],
    words: str | None,
    compare: tuple[Path, ...],
    for_visit: bool,
    show: bool,
    quiet: bool,
) -> None:
    """Make report.html in DIR from the files that analyze or demo wrote there.

    Needs no recording: the waveforms of the events are in traces.npz. Several directories, or a
    folder of them, make one sheet with --for-visit, in the first DIR.
    """
    if for_visit:
        if compare:
            raise click.UsageError("--compare and --for-visit exclude each other")
        path = _write_visit(directories, words or "")
    elif len(directories) > 1:
        raise click.UsageError("give one DIR, or several with --for-visit")
    else:
        path = _write_report(directories[0], words, compare)
    if not quiet:
        click.echo(f"Report: {printable(str(path), '?')}", err=True)
    if show:
        open_page(path)


def _write_report(directory: Path, words: str | None, compare: tuple[Path, ...]) -> Path:
    from twitchsense.results.load import open_result, refuse_unusable

    if not (directory / SUMMARY).exists() and (directory / "result" / SUMMARY).exists():
        directory /= "result"  # the directory of a demo
    night = open_result(directory)
    with refuse_unusable(night):
        return night.report(directory / "report.html", words=words, compare=compare)


def _write_visit(directories: tuple[Path, ...], words: str) -> Path:
    from twitchsense.output_files import write_file
    from twitchsense.report.visit_sheet import render_visit
    from twitchsense.results.load import open_result, refuse_unusable
    from twitchsense.trend.nights import find_result_directories

    nights = {}
    for path in find_result_directories(directories):
        night = open_result(path)
        nights[night.recording.sha256 or str(path)] = night  # a recording given twice counts once
    with refuse_unusable(*nights.values()):
        page = render_visit(list(nights.values()), words)
    return write_file(directories[0] / "visit.html", page)
