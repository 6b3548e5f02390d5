"""``twitchsense bench``: how fast detection is on this computer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from twitchsense.cli.options import verbosity

Rows = Iterator[tuple[str, str, str]]


@click.command(short_help="Measure how fast detection is on this computer.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "--minutes",
    type=click.FloatRange(1, 10080),
    default=30,
    show_default=True,
    help="Length of the made-up night.",
)
@verbosity
def bench(as_json: bool, minutes: float, quiet: bool) -> None:
    """Measure how fast detection is on this computer: throughput, delay, memory, start-up.

    A made-up night is analysed (two EMG channels at 1000 Hz, an accelerometer at 100 Hz);
    nothing is read from you and nothing is kept.
    """
    from twitchsense.bench.suite import run_suite
    from twitchsense.cli.progress import steps

    told: dict[str, Any] = {}
    with steps(quiet=quiet) as show:
        show.step("making a night up")
        for name, measure in run_suite(minutes):
            show.step(name)
            told[name] = measure()
    if as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo(table(told))


def table(told: dict[str, Any]) -> str:
    """Return the figures for a person."""
    lines = [f"{what:<40}{figure:>10}  {note}".rstrip() for what, figure, note in rows(told)]
    return "\n".join([*lines, "Times leave out what other programs took from the processor."])


def rows(told: dict[str, Any]) -> Rows:
    """Yield what is measured, the figure, and what to compare it with."""
    about, arrays, csv = told["about"], told["arrays"], told["csv"]
    live, memory, start = told["live"], told["memory"], told["start"]
    yield "twitchsense", about["twitchsense"], f"{about['processor']}, {about['cores']} cores"
    yield (
        f"arrays of {_length(arrays['hours'])} → events",
        f"{arrays['seconds']:.2f} s",
        f"{arrays['times_real_time']:,.0f} × real time; {arrays['times_sum']:.0f} × numpy.sum",
    )
    for stage, seconds in arrays["stages"].items():
        yield f"  {stage}", f"{seconds:.3f} s", f"{100 * seconds / arrays['seconds']:.0f} %"
    yield (
        f"CSV of {_length(csv['hours'])} → result files",
        f"{csv['seconds']:.2f} s",
        f"{csv['megabytes']:.0f} MB; {csv['times_parse']:.1f} × parsing it with pandas",
    )
    yield (
        "live: computing per packet",
        f"{live['p50_ms']:.2f} ms",
        f"99 of 100 under {live['p99_ms']:.2f} ms; {100 * live['share_of_core']:.1f} % of a core",
    )
    for kind, delay in live["shown_s"].items():
        yield (
            f"live: end of a {kind.replace('_', ' ')} → its row",
            f"{delay['p50']:.2f} s",
            f"at most {delay['most']:.2f} s; {delay['count']} seen; "
            f"settled after {live['settled_s'][kind]['p50']:.2f} s",
        )
    if memory["above_mb"] is not None:
        yield (
            f"memory for {_length(memory['hours'])}",
            f"{memory['above_mb']:.0f} MB",
            f"above Python with numpy, scipy and pandas ({memory['base_mb']:.0f} MB)",
        )
    yield "twitchsense --help", f"{start['help_s']:.2f} s", ""
    yield (
        "import twitchsense",
        f"{start['import_s']:.3f} s",
        f"beyond numpy; {start['analyze_s']:.2f} s with all that analyze needs",
    )


def _length(hours: float) -> str:
    return f"{60 * hours:.0f} min" if hours < 2 else f"{hours:.0f} h"
