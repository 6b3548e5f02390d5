"""``twitchsense demo``: simulate a night, analyse it, and compare the result with the truth."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from twitchsense.cli.options import PathType, verbosity
from twitchsense.cli.text_output import open_page, print_table, print_text
from twitchsense.errors import InputError, TwitchsenseError

if TYPE_CHECKING:
    from twitchsense.scoring.agreement.compare_events import Agreement

#: Counts of the comparison: events that were simulated, found as their kind, found as another
#: kind, and not found; and events found where nothing was simulated.
COLUMNS: Final = ("simulated", "found", "as another kind", "missed", "false")
#: Exit status of the simulator if its folder cannot be written.
_BAD_INPUT: Final = 2


@click.command(short_help="Simulate a night, analyse it, and compare with the truth.")
@click.option(
    "--out",
    metavar="DIR",
    type=PathType(file_okay=False),
    default=Path("twitchsense-demo"),
    show_default=True,
    help="Directory of the recording and the results.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(2, 600),
    default=240,
    show_default=True,
    help="Length of the night.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Another number simulates another night.",
)
@click.option("--force", is_flag=True, help="Replace the files of an earlier demo in DIR.")
@click.option("--open", "show", is_flag=True, help="Open the report in the browser.")
@verbosity
def demo(out: Path, minutes: float, seed: int, force: bool, show: bool, quiet: bool) -> None:
    """Simulate a night with its sleep stages, analyse it, and compare the events with the truth.

    The report is DIR/result/report.html, the events that were simulated are in DIR/truth.csv.
    """
    from twitchsense.output_files import check_output_directory, staged

    check_output_directory(out)
    if not force and out.is_dir() and any(out.iterdir()):
        raise InputError(str(out), "is there already", "add --force, or choose another --out")
    from twitchsense.cli.progress import show_steps

    with staged(out, last="result/summary.json") as folder, show_steps(quiet=quiet) as steps:
        if not quiet and not steps.visible:
            print_text(f"Simulating and analysing a night of {minutes / 60:.3g} h", err=True)
        steps.start("simulating a night")
        _simulate(folder, minutes, seed)
        # imported while the bar is shown: these modules take a second to load
        steps.start("reading")
        from twitchsense.io.read import read
        from twitchsense.results.night import analyze

        recording = read(folder / "emg.csv", folder / "acc.csv")
        steps.start("analysing")
        night = analyze(recording, hypnogram=folder / "hypnogram.csv", progress=steps.update)
        steps.start("writing")
        night.save(folder / "result")
    if not quiet:
        _print_result(out)
    if show:
        open_page(out / "result" / "report.html")


def _simulate(out: Path, minutes: float, seed: int) -> None:
    """Write a simulated recording into a folder."""
    # a separate process: the simulator and twitchsense share no code
    command = [sys.executable, "-m", "firmware_sim", "capture"]
    command += ["--out", str(out), "--minutes", f"{minutes:g}", "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        if done.returncode == _BAD_INPUT:
            raise InputError(str(out), lines[-1], "choose another --out or free some space")
        raise TwitchsenseError(f"the simulator failed: {lines[-1]}")


def _print_result(out: Path) -> None:
    from twitchsense.cli.analyze import print_summary
    from twitchsense.results.load import open_result
    from twitchsense.scoring.agreement.compare_events import match, read_events

    agreement = match(read_events(out / "result" / "events.csv"), read_events(out / "truth.csv"))
    click.echo(err=True)
    _print_comparison(agreement)
    click.echo(err=True)
    print_summary(open_result(out / "result"), out / "result", report=True)


def comparison_rows(agreement: Agreement) -> list[tuple[str | int, ...]]:
    """Return the rows of the table that compares found events with simulated ones.

    Parameters
    ----------
    agreement : Agreement

    Returns
    -------
    list of tuple
        Name of the kind, then the counts of `COLUMNS`; the last row is their sum.
    """
    from twitchsense.report.palette import kind_name
    from twitchsense.scoring.agreement.agreement_input import UNMATCHED

    pairs = agreement.confusion
    rows: list[tuple[str | int, ...]] = []
    totals = [0] * len(COLUMNS)
    for kind in pairs.index.drop(UNMATCHED):
        simulated, found = int(pairs.loc[kind].sum()), int(pairs.loc[kind, kind])
        missed, false = int(pairs.loc[kind, UNMATCHED]), int(pairs.loc[UNMATCHED, kind])
        counts = simulated, found, simulated - found - missed, missed, false
        rows.append((kind_name(str(kind), 2), *counts))
        totals = [sum(pair) for pair in zip(totals, counts, strict=True)]
    return [*rows, ("all", *totals)]


def _print_comparison(agreement: Agreement) -> None:
    """Print how many of the simulated events were found."""
    rows = [[str(cell) for cell in row] for row in comparison_rows(agreement)]
    print_table(["simulated night", *COLUMNS], rows, err=True)
    print_text(
        "Recordings of people are harder: docs/accuracy-blind.md has the figures.",
        err=True,
        dim=True,
    )
