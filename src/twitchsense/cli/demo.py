"""``twitchsense demo``: simulate a night and analyse it in one command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from twitchsense.cli.options import verbosity
from twitchsense.errors import TwitchsenseError


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
    from twitchsense.cli.analyze import analyze
    from twitchsense.results.files import check_output_directory

    check_output_directory(out)
    # a separate process: the simulator and twitchsense share no code
    command = [sys.executable, "-m", "firmware_sim", "capture"]
    command += ["--out", str(out), "--minutes", f"{minutes:g}", "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise TwitchsenseError(f"the simulator failed: {lines[-1]}")
    captures = (out / "emg.csv", out / "acc.csv")
    ctx.invoke(analyze, captures=captures, out=out / "result", quiet=quiet)
