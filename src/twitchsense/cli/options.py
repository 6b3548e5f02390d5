"""Options that several verbs share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from twitchsense.errors import InputError
from twitchsense.text import printable

if TYPE_CHECKING:
    from twitchsense.settings import Settings

DEFAULT_PROFILE: Final = "default-2026"

Command = TypeVar("Command", bound=Callable[..., Any])


def verbosity(command: Command) -> Command:
    """Add ``-v`` and ``-q``."""
    more = click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_verbose,
        is_eager=True,
        help="Say more on stderr; show a traceback if we fail.",
    )
    less = click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
    return more(less(command))


class _Plain(logging.Formatter):
    """What a device or a file says does not steer the terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a message."""
        return "\n".join(printable(line, "?") for line in super().format(record).split("\n"))


def _verbose(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    logger = logging.getLogger("twitchsense")
    logger.setLevel(logging.INFO if value else logging.WARNING)
    if value and not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_Plain("%(name)s: %(message)s"))
        logger.addHandler(handler)
        logger.propagate = False  # libraries that set up logging would say it again


def parse_map(pairs: Sequence[str]) -> dict[str, str]:
    """Read ``--map "Time=time_s,EMG(uV)=emg1_uv"``.

    Raises
    ------
    InputError
        For a pair without ``=``, or with an empty side.
    """
    columns: dict[str, str] = {}
    for text in pairs:
        for pair in text.split(","):
            theirs, equals, ours = pair.rpartition("=")
            if not (equals and theirs.strip() and ours.strip()):
                raise InputError(
                    "--map", f"{pair!r} is no pair", 'write "Time=time_s,EMG(uV)=emg1_uv"'
                )
            columns[theirs.strip()] = ours.strip()
    return columns


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of an analysis.

    Attributes
    ----------
    files : tuple of Path
        Files of settings, the later ones over the earlier.
    profile : str or None
    pairs : tuple of str
        Of ``--map``.
    stages, zone : str or None
    """

    files: tuple[Path, ...] = ()
    profile: str | None = None
    pairs: tuple[str, ...] = ()
    stages: str | None = None
    zone: str | None = None

    def settings(self) -> Settings:
        """Put the settings together: profile, then files, then options.

        Raises
        ------
        InputError
            For what can't be used.
        """
        from twitchsense.settings import get_profile, load_settings

        settings = get_profile(self.profile or DEFAULT_PROFILE)
        for file in self.files:
            settings = load_settings(file, settings)
        changes: dict[str, Any] = {}
        if self.pairs:
            changes["columns"] = {**settings.columns, **parse_map(self.pairs)}
        if self.zone:
            _check_zone(self.zone)
            changes["zone"] = self.zone
        if self.stages:
            from twitchsense.sleep.hypnogram.stage_codes import parse_codes

            changes["stages"] = {**settings.stages, **parse_codes(self.stages)}
        return settings.model_copy(update=changes)


def analysis(command: Command) -> Command:
    """Add the options of an analysis; the command gets them as `asked`."""

    @wraps(command)
    def run(
        *args: Any,
        settings_file: Path | None,
        profile: str | None,
        pairs: tuple[str, ...],
        stages: str | None,
        zone: str | None,
        **more: Any,
    ) -> Any:
        files = () if settings_file is None else (settings_file,)
        return command(*args, asked=Asked(files, profile, pairs, stages, zone), **more)

    for option in reversed(_ANALYSIS):
        run = option(run)
    return cast("Command", run)


_ANALYSIS: Final = (
    click.option(
        "--stages",
        metavar="CODES",
        help='What numbers in a hypnogram mean: yasa, nsrr, or "0=W,1=N1,2=N2,3=N3,4=R".',
    ),
    click.option(
        "--settings",
        "settings_file",
        metavar="FILE.toml",
        type=click.Path(path_type=Path),
        help="Your settings.",
    ),
    click.option(
        "--profile", metavar="NAME", help="A named set of settings, such as default-2026."
    ),
    click.option(
        "--map",
        "pairs",
        metavar="THEIRS=OURS,...",
        multiple=True,
        help='Headers of foreign captures: "Time=time_s,EMG(uV)=emg1_uv".',
    ),
    click.option("--zone", metavar="ZONE", help="Time zone of the wearer, such as Europe/Berlin."),
)


def _check_zone(zone: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            "--zone", f"no such time zone as {zone!r}", "give an IANA name like Europe/Berlin"
        ) from error
