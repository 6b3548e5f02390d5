"""``twitchsense report``: write the report of a result directory again, and open it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from twitchsense.cli.options import verbosity
from twitchsense.cli.text_output import open_page
from twitchsense.text import printable

if TYPE_CHECKING:
    import pandas as pd

#: File that every result directory has.
SUMMARY: Final = "summary.json"
_PATH = click.Path(path_type=Path)


@click.command(short_help="Make the report of a result directory again.")
@click.argument("directories", metavar="DIR...", nargs=-1, required=True, type=_PATH)
@click.option("--words", metavar="TEXT", default="", help="Your own words on the night.")
@click.option(
    "--compare",
    metavar="DIR",
    multiple=True,
    type=_PATH,
    help="Results of your other nights, or a folder of them: from five nights on, the report "
    "compares this night with them. May be given several times.",
)
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
    words: str,
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
        path = _write_visit(directories, words)
    elif len(directories) > 1:
        raise click.UsageError("give one DIR, or several with --for-visit")
    else:
        path = _write_report(directories[0], words, compare)
    if not quiet:
        click.echo(f"Report: {printable(str(path), '?')}", err=True)
    if show:
        open_page(path)


def _write_report(directory: Path, words: str, compare: tuple[Path, ...]) -> Path:
    from twitchsense.output_files import write_file
    from twitchsense.report.page import render_report
    from twitchsense.results.load import open_result

    if not (directory / SUMMARY).exists() and (directory / "result" / SUMMARY).exists():
        directory /= "result"  # the directory of a demo
    night = open_result(directory)
    own = _other_nights(compare, directory) if compare else None
    page = render_report(night, night.traces, words=words, own_nights=own)
    return write_file(directory / "report.html", page)


def _write_visit(directories: tuple[Path, ...], words: str) -> Path:
    from twitchsense.output_files import write_file
    from twitchsense.report.visit_sheet import render_visit
    from twitchsense.results.load import open_result
    from twitchsense.trend.nights import find_result_directories

    nights = {}
    for path in find_result_directories(directories):
        night = open_result(path)
        nights[night.recording.sha256 or str(path)] = night  # a recording given twice counts once
    return write_file(directories[0] / "visit.html", render_visit(list(nights.values()), words))


def _other_nights(given: tuple[Path, ...], directory: Path) -> pd.DataFrame:
    """Return the table of the nights given, without the night of `directory` itself."""
    from twitchsense.scoring.summary import read_summary
    from twitchsense.trend.nights import find_result_directories, read_nights

    own_hash = read_summary(directory)["provenance"].get("sha256")
    others = [
        path
        for path in find_result_directories(given)
        if path.resolve() != directory.resolve()
        and (not own_hash or read_summary(path)["provenance"].get("sha256") != own_hash)
    ]
    return read_nights(others)[0]
