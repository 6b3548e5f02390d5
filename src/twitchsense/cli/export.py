"""``twitchsense export``: write a night or a capture as CSV, Parquet, EDF+ or BIDS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from twitchsense.cli.options import (
    capture_options,
    map_option,
    parse_map,
    verbosity,
    via_option,
    zone_option,
)

_FILE = click.Path(path_type=Path)


@click.command(short_help="Write a night or a capture as CSV, Parquet, EDF+ or BIDS.")
@click.argument("captures", metavar="FILE.night|CAPTURE...", nargs=-1, required=True, type=_FILE)
@click.option("--to", "kind", type=click.Choice(["csv", "parquet", "edf", "bids"]), required=True)
@click.option("--out", metavar="DIR", required=True, type=_FILE, help="Directory of the files.")
@map_option
@zone_option
@via_option
@capture_options
@verbosity
def export(
    captures: tuple[Path, ...],
    kind: str,
    out: Path,
    pairs: tuple[str, ...],
    zone: str | None,
    via: str | None,
    stated: dict[str, Any],
    quiet: bool,
) -> None:
    """Write samples in µV and g, gaps as gaps; `analyze` reads them again.

    EDF holds local time: that of --zone, or else UTC, which its header says.
    BIDS is a data set for other programs: EMG as EDF+, acceleration in m/s² as motion.
    """
    from twitchsense.io.export import export as write
    from twitchsense.io.read import read

    recording = read(*captures, columns=parse_map(pairs), zone=zone, via=via, **stated)
    for path in write(recording, kind, out):
        if not quiet:
            click.echo(str(path), err=True)
