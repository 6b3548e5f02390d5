"""``twitchsense export``: a night or a capture, or the events of results, in other formats."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from twitchsense.cli.options import (
    USER_PATH,
    capture_options,
    map_option,
    verbosity,
    via_option,
    zone_option,
)
from twitchsense.cli.text_output import print_text
from twitchsense.errors import InputError
from twitchsense.model.map_pairs import parse_map

if TYPE_CHECKING:
    from twitchsense.model.recording import Recording

#: Formats of samples, and of the events of a result directory.
_SAMPLES: Final = ("csv", "parquet", "edf", "bids")
_EVENTS: Final = ("annot", "nsrr", "mne")
_EDF_GAPS: Final = (
    "EDF+D keeps them (discontinuous); a program that joins the parts, such as MNE, shows later "
    "samples too early."
)
#: How the formats keep gaps.
_GAPS: Final = {
    "csv": "They are missing rows.",
    "parquet": "They are missing rows.",
    "edf": _EDF_GAPS,
    "bids": f"EMG: {_EDF_GAPS} Acceleration: the column LATENCY keeps them.",
}


@click.command(short_help="Write samples or events in the formats of other programs.")
@click.argument(
    "inputs", metavar="FILE.night|CAPTURE...|RESULTS", nargs=-1, required=True, type=USER_PATH
)
@click.option("--to", "kind", type=click.Choice([*_SAMPLES, *_EVENTS]), required=True)
@click.option("--out", metavar="DIR", required=True, type=USER_PATH, help="Directory of the files.")
@click.option(
    "--events",
    "results",
    metavar="RESULTS",
    type=USER_PATH,
    help="With --to bids: add the events of this directory that `analyze` wrote.",
)
@click.option("--force", is_flag=True, help="Replace the files of an earlier export in DIR.")
@map_option
@zone_option
@via_option
@capture_options
@verbosity
def export(
    inputs: tuple[Path, ...],
    kind: str,
    out: Path,
    results: Path | None,
    force: bool,
    pairs: tuple[str, ...],
    zone: str | None,
    via: str | None,
    stated: dict[str, Any],
    quiet: bool,
) -> None:
    """Write samples in µV and g, gaps as gaps; `analyze` reads them again.

    EDF holds local time: that of --zone, or else UTC, which its header says.
    BIDS is a data set for other programs: EMG as EDF+, acceleration in m/s² as motion.

    Of RESULTS, a directory that `analyze` wrote, the events are written: for Luna (annot), as
    XML of the NSRR (nsrr), or as MNE annotations (mne).
    """
    if results is not None and kind != "bids":
        raise InputError("--events", f"does not go with --to {kind}", "use --to bids")
    if force and kind == "bids":
        raise InputError(
            "--force", "does not replace a BIDS data set", "delete it, or choose another --out"
        )
    if force and any(path.resolve().parent == out.resolve() for path in inputs):
        raise InputError("--out", "holds an input, which --force may replace", "choose another")
    if kind in _EVENTS:
        paths = [_write_events(inputs, kind, out, force)]
    else:
        how = {"columns": parse_map(pairs), "zone": zone, "via": via, **stated}
        paths, gaps = _write_samples(inputs, kind, out, results, how, force)
        if gaps and not quiet:
            print_text(f"{gaps} {_GAPS[kind]}", err=True)
    for path in paths:
        if not quiet:
            click.echo(str(path), err=True)


def _write_events(inputs: tuple[Path, ...], kind: str, out: Path, force: bool) -> Path:
    from twitchsense.results.annotation_export import write_events
    from twitchsense.results.load import open_result

    if len(inputs) > 1:
        raise InputError(str(inputs[1]), "is more than one input", f"give one for --to {kind}")
    if inputs[0].is_file():
        raise InputError(
            str(inputs[0]),
            "is a file, which has no events",
            "give a directory that `twitchsense analyze` wrote",
        )
    return write_events(open_result(inputs[0]), kind, out, force=force)


def _write_samples(
    inputs: tuple[Path, ...],
    kind: str,
    out: Path,
    results: Path | None,
    how: dict[str, Any],
    force: bool,
) -> tuple[list[Path], str]:
    """Return the files, and a sentence on the gaps of the recording."""
    from twitchsense.io.bids.bids_write import write_bids
    from twitchsense.io.capture_export import export as write
    from twitchsense.io.read import read

    recording = read(*inputs, **how)
    if results is None:
        return write(recording, kind, out, force=force), _describe_gaps(recording)
    from twitchsense.results.annotation_export import bids_events
    from twitchsense.results.load import open_result

    paths = write_bids(recording, out, bids_events(open_result(results), recording))
    return paths, _describe_gaps(recording)


def _describe_gaps(recording: Recording) -> str:
    """Return how many gaps the channel with the most has, and how long they are."""
    from twitchsense.model.channels import NS

    most, longest_s = 0, 0.0
    for channel in recording.channels:
        segments = recording.segments_of(channel.name)
        seconds = [
            (after.start_ns - recording.segment_end_ns(before)) / NS
            for before, after in pairwise(segments)
        ]
        most, longest_s = max(most, len(seconds)), max(longest_s, sum(seconds))
    if not most:
        return ""
    number = "1 gap" if most == 1 else f"{most} gaps"
    return f"The recording has {number} of {longest_s:.1f} s in all."
