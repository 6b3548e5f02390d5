"""``twitchsense report``: write the report of a result directory again, and open it."""

from __future__ import annotations

from pathlib import Path

import click

from twitchsense.cli.options import verbosity


@click.command(short_help="Make the report of a result directory again.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
@verbosity
def report(directory: Path, show: bool, quiet: bool) -> None:
    """Make report.html in DIR from the files that analyze wrote there.

    Needs no recording: the waveforms of the events are in traces.npz.
    """
    from twitchsense.output_files import write_file
    from twitchsense.report.page import render_report
    from twitchsense.results.load import open_result

    night = open_result(directory)
    path = write_file(directory / "report.html", render_report(night, night.traces))
    if not quiet:
        click.echo(f"Report: {path}", err=True)
    if show:
        click.launch(str(path))
