"""``twitchsense cohort``: a list of nights in, one Parquet dataset out."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from twitchsense.cli.options import Asked, analysis, verbosity
from twitchsense.errors import InputError

if TYPE_CHECKING:
    from twitchsense.cohort.run import OnNight, Tally
    from twitchsense.cohort.task import Outcome
    from twitchsense.settings import Settings

_FILE = click.Path(path_type=Path)
#: Between lines of progress where there is no terminal.
_TALK_S: Final = 30.0
_SHOWN: Final = 5


@click.command(short_help="Analyse thousands of nights into one Parquet dataset.")
@click.argument("nights", metavar="LIST", type=_FILE)
@click.option("--out", metavar="DIR", required=True, type=_FILE, help="Where the dataset goes.")
@click.option(
    "--executor",
    metavar="processes|dask://HOST:PORT",
    default="processes",
    show_default=True,
    help="Who does the work: this computer, or a Dask cluster that exists.",
)
@click.option(
    "--workers", metavar="N", type=click.IntRange(min=1), help="Processes.  [default: one a core]"
)
@click.option(
    "--part",
    metavar="I/N",
    default="1/1",
    help="Do part I of N; all parts may run at once into one DIR.",
)
@analysis
@click.option("--json", "as_json", is_flag=True, help="Say how it went for programs, on stdout.")
@verbosity
def cohort(
    nights: Path,
    out: Path,
    executor: str,
    workers: int | None,
    part: str,
    asked: Asked,
    as_json: bool,
    quiet: bool,
) -> None:
    """Analyse every night of LIST, one task each, into Parquet tables in DIR.

    LIST is a table with a column captures (and, if you like, night, hypnogram, respiratory,
    settings, profile, map, zone, stages), or plain text with one night on each line; files of
    one night are separated by ";". Run the same command again to go on after an interruption
    or with a longer list: what is finished and has not changed is not done again.
    """
    from twitchsense.cohort.manifest import read_list
    from twitchsense.cohort.run import run_cohort
    from twitchsense.results.files import check_output_directory
    from twitchsense.results.save import to_json

    share = _parse_part(part)
    check_output_directory(out)

    def make_settings(words: Mapping[str, str], own: Path | None) -> Settings:
        its = replace(
            asked,
            files=(*asked.files, *([] if own is None else [own])),
            profile=words.get("profile", asked.profile),
            pairs=(*asked.pairs, *([words["map"]] if "map" in words else [])),
            stages=words.get("stages", asked.stages),
            zone=words.get("zone", asked.zone),
        )
        return its.settings()

    listed = read_list(nights, make_settings)
    try:
        with _progress(quiet=quiet) as show:
            tally = run_cohort(
                listed, out, executor=executor, workers=workers, part=share, on_night=show
            )
    except KeyboardInterrupt:
        click.echo("interrupted; finished nights are kept, the same command goes on", err=True)
        raise SystemExit(130) from None
    if as_json:
        facts = {name: getattr(tally, name) for name in ("total", "done", "kept", "failed")}
        click.echo(to_json({**facts, "failures": tally.failures}), nl=False)
    if not quiet:
        _say(tally, out)
    if tally.total and tally.failed == tally.total:
        first = next(iter(tally.failures.values()))
        raise InputError(str(nights), f"none of its {tally.total} nights could be analysed", first)


def _parse_part(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    first, of = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= first <= of:
        raise InputError("--part", f"{text!r} is no part", "write I/N, such as 3/50, from 1 to N")
    return first, of


@contextmanager
def _progress(*, quiet: bool) -> Iterator[OnNight | None]:
    """Show how far it is: a bar on a terminal, elsewhere a line every half minute."""
    from twitchsense.cli.progress import steps

    with steps(quiet=quiet) as bar:
        bar.step("nights")
        next_line = time.monotonic() + _TALK_S

        def show(tally: Tally, outcome: Outcome) -> None:
            nonlocal next_line
            bar.progress(tally.ended, tally.total)
            if outcome.status == "failed" and tally.failed <= _SHOWN:
                bar.say(f"failed: {outcome.night}: {outcome.reason}")
            if not bar.visible and time.monotonic() >= next_line:
                bar.say(_line(tally))
                next_line = time.monotonic() + _TALK_S

        yield None if quiet else show


def _line(tally: Tally) -> str:
    text = f"{tally.ended} of {tally.total} nights, {tally.failed} failed"
    return text if tally.left_s is None else f"{text}, {_time(tally.left_s)} left"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _say(tally: Tally, out: Path) -> None:
    click.echo(
        f"{tally.total} nights: {tally.done} analysed, {tally.kept} kept, {tally.failed} failed",
        err=True,
    )
    if tally.failed:
        click.echo(f"Why: {out / 'failed'}", err=True)
    click.echo(f"Dataset: {out}", err=True)
