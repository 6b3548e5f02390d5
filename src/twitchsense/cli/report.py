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
_DIRECTORY = click.Path(path_type=Path)


@click.command(short_help="Make the report of a result directory again.")
@click.argument("directory", metavar="DIR", type=_DIRECTORY)
@click.option("--words", metavar="TEXT", default="", help="Your own words on the night.")
@click.option(
    "--compare",
    metavar="DIR",
    multiple=True,
    type=_DIRECTORY,
    help="Results of your other nights, or a folder of them: from five nights on, the report "
    "compares this night with them. May be given several times.",
)
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
@verbosity
def report(directory: Path, words: str, compare: tuple[Path, ...], show: bool, quiet: bool) -> None:
    """Make report.html again from the results in DIR.

    DIR is a directory that analyze or demo wrote. The recording is not needed: the waveforms
    of the events are in traces.npz.
    """
    from twitchsense.output_files import write_file
    from twitchsense.report.page import render_report
    from twitchsense.results.load import open_result

    if not (directory / SUMMARY).exists() and (directory / "result" / SUMMARY).exists():
        directory /= "result"  # the directory of a demo
    night = open_result(directory)
    own = _other_nights(compare, directory) if compare else None
    page = render_report(night, night.traces, words=words, own_nights=own)
    path = write_file(directory / "report.html", page)
    if not quiet:
        click.echo(f"Report: {printable(str(path), '?')}", err=True)
    if show:
        open_page(path)


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
