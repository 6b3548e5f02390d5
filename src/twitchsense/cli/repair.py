"""``twitchsense repair``: recover the sound packets of a damaged night file."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from twitchsense.cli.options import USER_PATH, verbosity, zone_option
from twitchsense.errors import InputError
from twitchsense.text import printable

#: Maximum number of gaps that are printed; JSON holds all.
_MAX_GAPS: Final = 50


@click.command(short_help="Recover the sound packets of a damaged night file.")
@click.argument("night", metavar="FILE.night", type=USER_PATH)
@click.option(
    "--out", metavar="NEW.night", required=True, type=USER_PATH, help="The recovered night."
)
@click.option(
    "--like",
    metavar="OTHER.night",
    type=USER_PATH,
    help="Another night of the same wearable: its description is used if that of this night "
    "is lost.",
)
@zone_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@verbosity
def repair(
    night: Path, out: Path, like: Path | None, zone: str | None, as_json: bool, quiet: bool
) -> None:
    """Write every packet whose checksum is right into a new night file.

    The damaged file and the log beside it (FILE.night-wal) are only read. What is missing is
    listed with its time. `analyze` reads the new file like any other.
    """
    from twitchsense.nightfile.recovery import recover

    if out.suffix != ".night":
        raise InputError(
            "--out", f"{out.name} is not the name of a night file", "name it FILE.night"
        )
    report = recover(night, out, like)
    if as_json:
        fields: dict[str, Any] = dataclasses.asdict(report)
        fields |= {"n_received": report.n_received, "n_missing": report.n_missing}
        click.echo(json.dumps(fields, indent=2))
        return
    click.echo(f"{report.n_received} packets recovered, {report.n_missing} missing")
    for gap in report.missing[:_MAX_GAPS]:
        click.echo(
            f"device {printable(gap.device[-4:])}: {gap.count} packets between "
            f"{_format(gap.after_ns, zone)} and {_format(gap.before_ns, zone)}"
        )
    if len(report.missing) > _MAX_GAPS:
        click.echo(f"{len(report.missing) - _MAX_GAPS} more gaps are listed with --json")
    for remark in report.remarks:
        click.echo(printable(remark))
    if not quiet:
        click.echo(f"Night: {printable(str(out))}", err=True)


def _format(time_ns: int, zone: str | None) -> str:
    when = datetime.fromtimestamp(time_ns / 1e9, ZoneInfo(zone) if zone else UTC)
    return f"{when:%H:%M:%S.%f}"[:-4] + ("" if zone else " UTC")
