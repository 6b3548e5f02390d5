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

from twitchsense.cli.options import USER_PATH, AnalysisOptions, analysis_options, verbosity
from twitchsense.cli.text_output import format_duration
from twitchsense.errors import InputError, TwitchsenseError

if TYPE_CHECKING:
    from twitchsense.cohort.run import CohortProgress, NightCallback
    from twitchsense.cohort.task import Outcome
    from twitchsense.settings import Settings

#: Period (s) of the progress lines where there is no terminal.
_LINE_PERIOD_S: Final = 30.0
#: Failed nights that are named while the cohort runs.
_MAX_FAILURES_SHOWN: Final = 5


@click.command(short_help="Analyse thousands of nights into one Parquet dataset.")
@click.argument("nights", metavar="LIST", type=USER_PATH)
@click.option(
    "--out", metavar="DIR", required=True, type=USER_PATH, help="Directory of the dataset."
)
@click.option(
    "--executor",
    metavar="processes|dask://HOST:PORT",
    default="processes",
    show_default=True,
    help="Where nights are analysed: on this computer, or on an existing Dask cluster.",
)
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(min=1),
    help="Number of processes.  [default: one per core]",
)
@click.option(
    "--part",
    metavar="I/N",
    default="1/1",
    help="Analyse part I of N; all parts may run concurrently into one DIR.",
)
@analysis_options
@click.option("--strict", is_flag=True, help="Exit with status 1 if any night failed.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON on stdout.")
@verbosity
def cohort(
    nights: Path,
    out: Path,
    executor: str,
    workers: int | None,
    part: str,
    options: AnalysisOptions,
    strict: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Analyse every night of LIST, one task each, into Parquet tables in DIR.

    LIST is a table with a column captures (optionally also night, hypnogram, respiratory,
    settings, profile, map, zone, stages), or plain text with one night per line; files of one
    night are separated by ";". Run the same command again to resume after an interruption or
    with a longer list: finished nights that have not changed are not analysed again.
    """
    from twitchsense.cohort.manifest import read_manifest
    from twitchsense.cohort.run import run_cohort
    from twitchsense.output_files import check_output_directory
    from twitchsense.results.save import to_json

    parsed_part = _parse_part(part)
    check_output_directory(out)

    def make_settings(values: Mapping[str, str], settings_file: Path | None) -> Settings:
        own_options = replace(
            options,
            files=(*options.files, *([] if settings_file is None else [settings_file])),
            profile=values.get("profile", options.profile),
            pairs=(*options.pairs, *([values["map"]] if "map" in values else [])),
            stages=values.get("stages", options.stages),
            zone=values.get("zone", options.zone),
        )
        return own_options.settings()

    entries = read_manifest(nights, make_settings)
    try:
        with _show_progress(quiet=quiet) as show:
            progress = run_cohort(
                entries, out, executor=executor, workers=workers, part=parsed_part, on_night=show
            )
    except KeyboardInterrupt:
        click.echo("interrupted; finished nights are kept, the same command resumes", err=True)
        raise SystemExit(130) from None
    if as_json:
        facts = {name: getattr(progress, name) for name in ("total", "done", "kept", "failed")}
        click.echo(to_json({**facts, "failures": progress.failures}), nl=False)
    if not quiet:
        _print_progress(progress, out)
    if progress.total and progress.failed == progress.total:
        first = next(iter(progress.failures.values()))
        raise InputError(
            str(nights), f"none of its {progress.total} nights could be analysed", first
        )
    if strict and progress.failed:
        raise TwitchsenseError(f"{progress.failed} of {progress.total} nights failed (--strict)")


def _parse_part(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    first, of = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= first <= of:
        raise InputError(
            "--part", f"{text!r} is not a part", "write I/N, such as 3/50, from 1 to N"
        )
    return first, of


@contextmanager
def _show_progress(*, quiet: bool) -> Iterator[NightCallback | None]:
    """Show the progress: a bar on a terminal, elsewhere a line every half minute."""
    from twitchsense.cli.progress import show_steps

    with show_steps(quiet=quiet) as bar:
        bar.start("nights")
        next_line = time.monotonic() + _LINE_PERIOD_S

        def show(progress: CohortProgress, outcome: Outcome) -> None:
            nonlocal next_line
            bar.update(progress.finished, progress.total)
            if outcome.status == "failed" and progress.failed <= _MAX_FAILURES_SHOWN:
                bar.print(f"failed: {outcome.night}: {outcome.reason}")
            if not bar.visible and time.monotonic() >= next_line:
                bar.print(format_progress(progress))
                next_line = time.monotonic() + _LINE_PERIOD_S

        yield None if quiet else show


def format_progress(progress: CohortProgress) -> str:
    """Return the progress as one line."""
    text = f"{progress.finished} of {progress.total} nights, {progress.failed} failed"
    if progress.remaining_s is None:
        return text
    return f"{text}, {format_duration(progress.remaining_s)} left"


def _print_progress(progress: CohortProgress, out: Path) -> None:
    click.echo(
        f"{progress.total} nights: {progress.done} analysed, {progress.kept} kept, "
        f"{progress.failed} failed",
        err=True,
    )
    if progress.failed:
        click.echo(f"Reasons: {out / 'failed'}", err=True)
    click.echo(f"Dataset: {out}", err=True)
