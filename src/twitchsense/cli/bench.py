"""``twitchsense bench``: measure the speed of detection on this computer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from twitchsense.cli.options import engine_option, verbosity
from twitchsense.cli.text_output import table_lines, terminal_width

TableRows = Iterator[tuple[str, str, str]]


@click.command(short_help="Measure how fast detection is on this computer.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--minutes",
    type=click.FloatRange(1, 10080),
    default=30,
    show_default=True,
    help="Length of the synthetic night.",
)
@engine_option
@verbosity
def bench(as_json: bool, minutes: float, quiet: bool) -> None:
    """Measure how fast detection is on this computer: throughput, delay, memory, start-up.

    A synthetic night is analysed (two EMG channels at 1000 Hz, an accelerometer at 100 Hz).
    None of your files are read, and nothing is kept.
    """
    from twitchsense.bench.suite import run_suite
    from twitchsense.cli.progress import show_steps

    figures: dict[str, Any] = {}
    with show_steps(quiet=quiet) as steps:
        steps.start("synthesizing a night")
        for name, measure in run_suite(minutes):
            steps.start(name)
            figures[name] = measure()
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        click.echo(format_table(figures, terminal_width()))


def format_table(figures: dict[str, Any], width: int | None = None) -> str:
    """Format the figures as a table for people.

    Parameters
    ----------
    figures : dict
        As ``--json`` prints them.
    width : int or None
        Characters of a line; None sets no limit.

    Returns
    -------
    str
    """
    rows = [
        [name.replace("  ", "· ", 1), figure, note] for name, figure, note in iter_rows(figures)
    ]
    lines = table_lines(["measured", "", ""], rows, width, left=(0, 2))
    return "\n".join([*lines, "Times exclude the processor time of other programs."])


def iter_rows(figures: dict[str, Any]) -> TableRows:
    """Iterate over the rows of the table.

    Parameters
    ----------
    figures : dict
        As ``--json`` prints them.

    Yields
    ------
    name, figure, note : str
        The quantity, its value, and a value for comparison.
    """
    about, arrays, csv = figures["about"], figures["arrays"], figures["csv"]
    live, memory, start = figures["live"], figures["memory"], figures["start"]
    yield "twitchsense", about["twitchsense"], f"{about['processor']}, {about['cores']} cores"
    yield (
        f"arrays of {_format_length(arrays['hours'])} → events",
        f"{arrays['seconds']:.2f} s",
        f"{arrays['times_real_time']:,.0f} × real time; {arrays['times_sum']:.0f} times as long as "
        "a sum of all samples (numpy.sum)",
    )
    engines = figures["engines"]
    other = (
        f"scipy {engines['scipy_s']:.2f} s, {engines['scipy_over_native']:.1f} times as long"
        if engines["native_s"] is not None
        else engines["why_not_native"]
    )
    yield f"  engine: {about['engine']}", f"{engines[about['engine'] + '_s']:.2f} s", other
    for stage, seconds in arrays["stages"].items():
        yield f"  {stage}", f"{seconds:.3f} s", f"{100 * seconds / arrays['seconds']:.0f} %"
    yield (
        f"CSV of {_format_length(csv['hours'])} → result files",
        f"{csv['seconds']:.2f} s",
        f"{csv['megabytes']:.0f} MB; {csv['times_parse']:.1f} times as long as pandas "
        "takes to read it",
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
            f"final after {live['settled_s'][kind]['p50']:.2f} s",
        )
    if memory["above_mb"] is not None:
        yield (
            f"memory for {_format_length(memory['hours'])}",
            f"{memory['above_mb']:.0f} MB",
            f"above Python with numpy, scipy and pandas ({memory['base_mb']:.0f} MB)",
        )
    yield "twitchsense --help", f"{start['help_s']:.2f} s", ""
    yield (
        "import twitchsense",
        f"{start['import_s']:.3f} s",
        f"beyond numpy; {start['analyze_s']:.2f} s with the modules that analyze needs",
    )


def _format_length(hours: float) -> str:
    return f"{60 * hours:.0f} min" if hours < 2 else f"{hours:.0f} h"
