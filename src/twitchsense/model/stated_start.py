"""The start of a recording as the user states it, for files whose clock is missing or wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from twitchsense.errors import InputError

#: Years that are accepted: nanoseconds since 1970 fit into 64 bits.
_YEARS: Final = range(1970, 2262)
_EXAMPLE: Final = "2026-03-01T22:30:00+01:00"


def check_zone(zone: str) -> None:
    """Check the name of a time zone.

    Parameters
    ----------
    zone : str
        IANA time zone, such as ``Europe/Berlin``.

    Raises
    ------
    InputError
        If there is no such zone.
    """
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            "--zone", f"no such time zone as {zone!r}", "give an IANA name like Europe/Berlin"
        ) from error


def parse_start(start: str | datetime, zone: str | None) -> int:
    """Return the start of a recording in UTC.

    Parameters
    ----------
    start : str or datetime
        Date and time, as ISO 8601 if it is text; without an offset it is local time of `zone`.
    zone : str or None
        IANA time zone.

    Returns
    -------
    int
        Nanoseconds since 1970, UTC.

    Raises
    ------
    InputError
        If it is not a date and time, has neither offset nor zone, occurs twice or never on the
        night of a clock change, or lies outside 1970 to 2261.
    """
    at = _parse(start.strip()) if isinstance(start, str) else start
    if not isinstance(at, datetime):
        raise InputError(
            "start", f"is of the type {type(at).__name__}", f"give a datetime, or text: {_EXAMPLE}"
        )
    if at.tzinfo is None:
        if zone is None:
            raise InputError(
                "start",
                "has no time zone",
                f"end it with an offset ({_EXAMPLE}), or give the zone (--zone, zone=)",
            )
        at = at.replace(tzinfo=ZoneInfo(zone))
        if at.utcoffset() != at.replace(fold=1).utcoffset():
            raise InputError(
                "start",
                f"{at:%Y-%m-%d %H:%M} occurs twice or never in {zone}, for the clocks change",
                f"end it with an offset ({_EXAMPLE})",
            )
    if at.year not in _YEARS:
        raise InputError("start", f"lies in the year {at.year}", "give a year from 1970 to 2261")
    since = at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def _parse(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            "start", f"{text[:40]!r} is not a date and time", f"write it like {_EXAMPLE}"
        ) from error
    if len(text) <= len("2026-03-01"):
        raise InputError("start", f"{text!r} has no time of day", f"write it like {_EXAMPLE}")
    return at
