"""``twitchsense trend``: compare nights, and associate them with a diary."""

from __future__ import annotations

from pathlib import Path

import click

from twitchsense.cli.options import USER_PATH, verbosity
from twitchsense.cli.text_output import open_page, print_text
from twitchsense.text import printable


@click.command(short_help="Compare many nights, optionally with a diary.")
@click.argument("results", metavar="DIR...", nargs=-1, required=True, type=USER_PATH)
@click.option(
    "--diary",
    metavar="FILE",
    type=USER_PATH,
    help="CSV, TOML or YAML: date is the evening on which a night began, as 2026-03-01.",
)
@click.option(
    "--exposure",
    "exposures",
    metavar="COLUMN",
    multiple=True,
    help="Exposures to compare, at most three, chosen before looking at the data: alcohol_g, "
    "'caffeine_mg>200', exercise=run.",
)
@click.option(
    "--out", metavar="DIR", type=USER_PATH, help="Directory of the page.  [default: trend]"
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; write files only with --out.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
@verbosity
def trend(
    results: tuple[Path, ...],
    diary: Path | None,
    exposures: tuple[str, ...],
    out: Path | None,
    as_json: bool,
    show: bool,
    quiet: bool,
) -> None:
    """Compare the results of analyze: rates, their spread, and associations with a diary.

    DIR is a result directory, or one that holds several.
    """
    from twitchsense.output_files import check_output_directory
    from twitchsense.report.trend_page import trend_sentences
    from twitchsense.results.save import save_weeks, to_json
    from twitchsense.trend.weeks import read_weeks

    target = out or (None if as_json else Path("trend"))
    if target is not None:
        check_output_directory(target)
    weeks = read_weeks(results, diary, exposures)
    if target is not None:
        save_weeks(weeks, target)
    if as_json:
        click.echo(to_json(weeks.to_dict()), nl=False)
        return
    if show and target is not None:
        open_page(target / "trend.html")
    if quiet or target is None:
        return
    for line in (*trend_sentences(weeks), *(f"Note: {n}" for n in weeks.notes)):
        print_text(line, err=True, indent="  " if line.startswith("Note: ") else "")
    click.echo(f"Page: {printable(str(target / 'trend.html'), '?')}", err=True)
