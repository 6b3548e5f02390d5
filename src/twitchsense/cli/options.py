"""Command-line options shared by several verbs, and the logging set-up."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from twitchsense.dsp.native import ENGINES
from twitchsense.model.map_pairs import parse_map
from twitchsense.regular_file import unreadable
from twitchsense.text import printable

if TYPE_CHECKING:
    from twitchsense.settings import Settings


Command = TypeVar("Command", bound=Callable[..., Any])


class PathType(click.Path):
    """A path; one that the system can never open is refused before anything is done with it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the `Path`; fail if its name is too long, or it is a loop of links."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        try:
            path.stat()
        except (OSError, ValueError) as error:
            if getattr(error, "errno", None) in (errno.ELOOP, errno.ENAMETOOLONG, None):
                raise unreadable(str(path)[:100], error) from error
        return path


USER_PATH: Final = PathType()


def verbosity(command: Command) -> Command:
    """Add ``-v`` and ``-q``."""
    verbose = click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_configure_logging,
        is_eager=True,
        help="Print more messages on stderr, and a traceback on failure.",
    )
    quiet = click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
    return verbose(quiet(command))


def page_options(command: Command) -> Command:
    """Add ``--words`` and ``--compare``, which add to a report."""
    words = click.option(
        "--words", metavar="TEXT", help="Your own words on the night; they stay with the results."
    )
    compare = click.option(
        "--compare",
        metavar="DIR",
        multiple=True,
        type=USER_PATH,
        help="Results of your other nights, or a folder of them: from five nights on, the report "
        "compares this night with them. May be given several times.",
    )
    return words(compare(command))


class PrintableFormatter(logging.Formatter):
    """Log formatter that removes terminal control characters from messages."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record; line breaks are kept."""
        return "\n".join(printable(line, "?") for line in super().format(record).split("\n"))


def _configure_logging(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    logger = logging.getLogger("twitchsense")
    logger.setLevel(logging.INFO if value else logging.WARNING)
    if value and not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(PrintableFormatter("%(name)s: %(message)s"))
        logger.addHandler(handler)
        logger.propagate = False  # else a configured root logger repeats each message


def _select_engine(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        from twitchsense.dsp.engine import engine

        ctx.with_resource(engine(value))


engine_option = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    expose_value=False,
    callback=_select_engine,
    help="Signal processing by compiled code or by scipy, with equal results; auto: compiled if "
    "it was built.",
)


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """Options of an analysis from which its settings are made.

    Attributes
    ----------
    files : tuple of Path
        Settings files; later ones override earlier ones.
    profile : str or None
        Name of the profile; None is `settings.DEFAULT_PROFILE`.
    pairs : tuple of str
        Values of ``--map``.
    stages : str or None
        Value of ``--stages``.
    zone : str or None
        Value of ``--zone``.
    """

    files: tuple[Path, ...] = ()
    profile: str | None = None
    pairs: tuple[str, ...] = ()
    stages: str | None = None
    zone: str | None = None

    def settings(self) -> Settings:
        """Make the settings: profile, overridden by files, overridden by options.

        Returns
        -------
        Settings

        Raises
        ------
        InputError
            If a value or a file cannot be used.
        """
        from twitchsense.settings import DEFAULT_PROFILE, get_profile, load_settings

        settings = get_profile(self.profile or DEFAULT_PROFILE)
        for file in self.files:
            settings = load_settings(file, settings)
        changes: dict[str, Any] = {}
        if self.pairs:
            changes["columns"] = {**settings.columns, **parse_map(self.pairs)}
        if self.zone:
            from twitchsense.model.stated_start import check_zone

            check_zone(self.zone)
            changes["zone"] = self.zone
        if self.stages:
            from twitchsense.sleep.hypnogram.stage_codes import parse_codes

            changes["stages"] = {**settings.stages, **parse_codes(self.stages)}
        return settings.model_copy(update=changes)


def analysis_options(command: Command) -> Command:
    """Add the options of an analysis; the command receives them as `options`."""

    @wraps(command)
    def run(
        *args: Any,
        settings_file: Path | None,
        profile: str | None,
        pairs: tuple[str, ...],
        stages: str | None,
        zone: str | None,
        **arguments: Any,
    ) -> Any:
        files = () if settings_file is None else (settings_file,)
        return command(
            *args, options=AnalysisOptions(files, profile, pairs, stages, zone), **arguments
        )

    for option in reversed(_ANALYSIS_OPTIONS):
        run = option(run)
    return cast("Command", run)


map_option = click.option(
    "--map",
    "pairs",
    metavar="THEIRS=OURS,...",
    multiple=True,
    help='Headers of foreign captures: "Time=time_s,EMG(uV)=emg1_uv".',
)
zone_option = click.option(
    "--zone", metavar="ZONE", help="Time zone of the wearer, such as Europe/Berlin."
)

via_option = click.option(
    "--via",
    type=click.Choice(["mne"]),
    help="Read captures of formats that only MNE knows: fif, BrainVision, EEGLAB, GDF, …",
)


def capture_options(command: Command) -> Command:
    """Add what the user may state about captures; the command receives it as `stated`."""

    @wraps(command)
    def run(
        *args: Any,
        time_unit: str | None,
        fs: float | None,
        leg: str | None,
        start: str | None,
        gain: float | None,
        skip_rows: int,
        names: str,
        **arguments: Any,
    ) -> Any:
        stated = {"time_unit": time_unit, "fs": fs, "leg": leg, "start": start, "gain": gain}
        lines = {"skip_rows": skip_rows, "names": names.split(",") if names else ()}
        return command(*args, stated={**stated, **lines}, **arguments)

    for option in reversed(_CAPTURE_OPTIONS):
        run = option(run)
    return cast("Command", run)


_CAPTURE_OPTIONS: Final = (
    click.option(
        "--time-unit",
        type=click.Choice(["s", "ms", "us", "ns"]),
        help="Unit of the time column of text captures, if it is not that of its name.",
    ),
    click.option(
        "--fs",
        type=float,
        metavar="HZ",
        help="Sampling rate of text and Parquet captures without a time column, or with an "
        "unclear one.",
    ),
    click.option(
        "--leg",
        type=click.Choice(["left", "right"]),
        help="Leg of the channels that name none, or of a night that was recorded as the other "
        "leg.",
    ),
    click.option(
        "--start",
        metavar="TIME",
        help="Clock time of the first row, if the files have none or a wrong one: "
        "2026-03-01T22:30:00+01:00, or local time with --zone.",
    ),
    click.option(
        "--gain",
        type=float,
        metavar="COUNTS",
        help="Counts per mV of EMG without a unit: columns like emg1_count, and such nights.",
    ),
    click.option(
        "--skip-rows",
        type=click.IntRange(min=0),
        default=0,
        metavar="N",
        help="Lines of text captures to leave out before the header.",
    ),
    click.option(
        "--columns",
        "names",
        default="",
        metavar="NAME,...",
        help="Column names of text captures without a header: time_s,emg1_uv,ignore.",
    ),
)

_NIGHT_FILE_OPTIONS: Final = (
    click.option(
        "--hypnogram",
        type=USER_PATH,
        help="Stages: onset, duration, stage (W N1 N2 N3 R), or the file of a sleep laboratory.",
    ),
    click.option(
        "--stages", metavar="CODES", help="Meaning of numbers in it: yasa, nsrr, 0=W,1=N1,…"
    ),
    click.option(
        "--respiratory",
        type=USER_PATH,
        help="Respiratory events: onset, duration, or the file of a sleep laboratory.",
    ),
    click.option(
        "--start",
        metavar="TIME",
        help="Clock time of second 0 of the marks (22:30:00), for files with clock times; else "
        "that of the recording, if the list is the events.csv of a night whose start is known.",
    ),
    click.option("--zone", metavar="ZONE", help="Time zone of local times, such as Europe/Berlin."),
    click.option(
        "--kinds",
        "kind_pairs",
        metavar="WORD=KIND,...",
        multiple=True,
        help='Meaning of the words of a scorer: "LM=movement,Zuckung=twitch".',
    ),
)


def night_file_options(command: Command) -> Command:
    """Add the options of lists of marks, and of the files that belong to them."""
    for option in reversed(_NIGHT_FILE_OPTIONS):
        command = option(command)
    return command


_ANALYSIS_OPTIONS: Final = (
    click.option(
        "--stages",
        metavar="CODES",
        help='Meaning of numbers in a hypnogram: yasa, nsrr, or "0=W,1=N1,2=N2,3=N3,4=R".',
    ),
    click.option(
        "--settings",
        "settings_file",
        metavar="FILE.toml",
        type=USER_PATH,
        help="Settings file.",
    ),
    click.option(
        "--profile", metavar="NAME", help="A named set of settings, such as default-2026."
    ),
    map_option,
    zone_option,
)
