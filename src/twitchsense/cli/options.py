"""Options that several verbs share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from twitchsense.errors import InputError
from twitchsense.text import printable

if TYPE_CHECKING:
    from pathlib import Path

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


def gather_settings(
    files: Sequence[Path],
    profile: str | None,
    pairs: Sequence[str],
    zone: str | None,
    stages: str | None = None,
) -> Settings:
    """Put the settings of an analysis together: profile, then files, then options."""
    from twitchsense.settings import get_profile, load_settings

    settings = get_profile(profile or DEFAULT_PROFILE)
    for file in files:
        settings = load_settings(file, settings)
    changes: dict[str, Any] = {}
    if pairs:
        changes["columns"] = {**settings.columns, **parse_map(pairs)}
    if zone:
        _check_zone(zone)
        changes["zone"] = zone
    if stages:
        from twitchsense.context.stagecodes import parse_codes

        changes["stages"] = {**settings.stages, **parse_codes(stages)}
    return settings.model_copy(update=changes)


def _check_zone(zone: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            "--zone", f"no such time zone as {zone!r}", "give an IANA name like Europe/Berlin"
        ) from error
