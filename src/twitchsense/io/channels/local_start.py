"""The start of a recording in local time, in the night in which the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from twitchsense.model.notes import Note

#: Needless where the start of the recording is stated.
STATE_OFFSET: Final = (
    "if events lie an hour off against a hypnogram, state the start with its offset from UTC "
    "(--start)"
)


def local_to_utc(local: datetime, zone: str) -> tuple[datetime, str]:
    """Return the UTC of a start, and a note if its local time occurs twice or never.

    Parameters
    ----------
    local : datetime
        Without a zone.
    zone : str
        IANA time zone.

    Returns
    -------
    utc : datetime
        The earlier one of a time that occurs twice. A skipped time is that of a clock that was
        not yet set forward.
    note : str
        A `Note` without its file; empty if the time occurs once.
    """
    first, second = (local.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    utc = first.astimezone(UTC)
    if first.utcoffset() == second.utcoffset():
        return utc, ""
    how_often = "occurs twice" if utc < second.astimezone(UTC) else "does not occur"
    return utc, Note(
        "times",
        f"the start {local:%Y-%m-%d %H:%M:%S} {how_often} in {zone}; it is read as "
        f"{utc:%H:%M:%S} UTC",
        STATE_OFFSET,
    )
