"""``twitchsense decode``: raw notifications of a device become captures."""

from __future__ import annotations

from pathlib import Path

import click

from twitchsense.cli.options import USER_PATH, verbosity
from twitchsense.text import printable


@click.command(short_help="Decode a raw log of notifications into captures.")
@click.argument("log", metavar="LOG", type=USER_PATH)
@click.option("--device", "kind", metavar="KIND", required=True, help="Kind of the device.")
@click.option(
    "--out",
    metavar="DIR",
    required=True,
    type=USER_PATH,
    help="Directory of the captures and decode.json.",
)
@verbosity
def decode(log: Path, kind: str, out: Path, quiet: bool) -> None:
    """Write one capture for each stream, and decode.json with what was lost or refused.

    LOG is a CSV file with the columns time_s, characteristic (full UUID), direction (notify,
    write or read; notify if there is no such column) and hex. 'twitchsense devices --known' lists
    the kinds of devices.
    """
    from twitchsense.devices.registry import get_driver
    from twitchsense.io.device_logs.decode_log import decode_log

    report = decode_log(log, get_driver(kind), out)
    if quiet:
        return
    for name, stream in report["streams"].items():
        click.echo(
            f"{printable(name)}: {stream['samples']} samples at {stream['rate']:g} Hz, "
            f"{stream['loss_in_words']}: {out / stream['file']}",
            err=True,
        )
    if report["refused_count"]:
        reasons = ", ".join(f"{n} {reason}" for reason, n in report["refused_reasons"].items())
        click.echo(
            f"{report['refused_count']} values were refused ({printable(reasons)}): "
            f"{out / 'decode.json'}",
            err=True,
        )
    if report["ignored_count"]:
        click.echo(
            f"{report['ignored_count']} values hold nothing that the driver decodes: "
            f"{out / 'decode.json'}",
            err=True,
        )
    if report["waiting"]:
        click.echo(
            f"{report['waiting']} values at the end were not decoded: the log holds too little to "
            "know their rate or format. Record the commands and answers too, or a longer log",
            err=True,
        )
    if not report["streams"]:
        click.echo(
            f"no samples: is the log of a {printable(kind)}, and does it hold the commands and "
            "answers (direction write and read)?",
            err=True,
        )
