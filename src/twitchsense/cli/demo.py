"""``twitchsense demo``: simulate a night and analyse it in one command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import click

from twitchsense.cli.options import verbosity
from twitchsense.errors import InputError, TwitchsenseError

#: Exit status of the simulator if its folder cannot be written.
_BAD_INPUT: Final = 2


@click.command(short_help="Simulate a night and analyse it.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("twitchsense-demo"),
    show_default=True,
    help="Directory of the capture and the results.",
)
@click.option("--minutes", type=click.FloatRange(2, 600), default=60, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@verbosity
@click.pass_context
def demo(ctx: click.Context, out: Path, minutes: float, seed: int, quiet: bool) -> None:
    """Simulate a night, analyse it, and leave the report in DIR/result/report.html.

    The events that the simulator generated are in DIR/truth.csv.
    """
    from twitchsense.cli.analyze import analyze, print_summary
    from twitchsense.output_files import staged
    from twitchsense.results.load import open_result

    with staged(out, last="result/summary.json") as folder:
        _simulate(folder, minutes, seed)
        captures = (folder / "emg.csv", folder / "acc.csv")
        # quiet: the results are not at their place yet
        ctx.invoke(analyze, captures=captures, out=folder / "result", quiet=True)
    if not quiet:
        print_summary(open_result(out / "result"), out / "result", report=True)


def _simulate(out: Path, minutes: float, seed: int) -> None:
    """Write a simulated capture into a folder."""
    # a separate process: the simulator and twitchsense share no code
    command = [sys.executable, "-m", "firmware_sim", "capture"]
    command += ["--out", str(out), "--minutes", f"{minutes:g}", "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        if done.returncode == _BAD_INPUT:
            raise InputError(str(out), lines[-1], "choose another --out or free some space")
        raise TwitchsenseError(f"the simulator failed: {lines[-1]}")
