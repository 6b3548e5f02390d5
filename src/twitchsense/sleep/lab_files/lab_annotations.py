"""Annotations of one file of a sleep laboratory, on the time axis of the recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from twitchsense.model.notes import GIVE_STAGE_TIMES, Note
from twitchsense.sleep.hypnogram.clock_times import NightClock, read_clock_times

_CURE_ZONE: Final = "both are placed with --zone (such as Europe/Berlin)"
_CURE_CLOCK: Final = (
    "both are placed with --zone (such as Europe/Berlin) if the recording holds its local start, "
    "otherwise with --start as well"
)
#: ``stage`` and ``event`` if the program itself separates them, otherwise ``any``.
AnnotationKind = Literal["stage", "event", "any"]


@dataclass(frozen=True, slots=True)
class LabAnnotation:
    """One annotation.

    Attributes
    ----------
    onset_us : int
        Start on the time axis of the recording, microseconds.
    duration_us : int or None
        None if the file does not give it.
    text : str
        As written in the file.
    place : str
        Line or time in the file, for messages.
    kind : {'stage', 'event', 'any'}
        What the program says it is.
    channel : str
        Channel in which it was scored, if the file has one.
    meta : str
        More, as pairs ``key=value`` separated by bars.
    """

    onset_us: int
    duration_us: int | None
    text: str
    place: str
    kind: AnnotationKind = "any"
    channel: str = ""
    meta: str = ""


@dataclass(frozen=True, slots=True)
class LabFile:
    """The annotations of one file.

    Attributes
    ----------
    program : str
        Name of the program or format, for messages.
    annotations : tuple of LabAnnotation
        In the order of the file.
    stage_codes : mapping of str to str
        Stage words of this program that others use differently or do not have.
    notes : tuple of str
        Assumptions made.
    starts_at : str
        Clock time of second 0 of the file, as its header gives it; empty if unknown.
    """

    program: str
    annotations: tuple[LabAnnotation, ...]
    stage_codes: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    starts_at: str = ""


def place_file_start(
    start: datetime | timedelta | None, clock: NightClock | None, source: str
) -> tuple[int, tuple[str, ...]]:
    """Return where second 0 of a file lies on the time axis of the recording.

    Parameters
    ----------
    start : datetime, timedelta or None
        Local start of the file by its header (a time since midnight if it has no date).
    clock : NightClock or None
        Of the recording; None if there is no recording, as for ``score-limb``.
    source : str
        Name of the file in messages.

    Returns
    -------
    zero_us : int
        Microseconds.
    notes : tuple of str
        An assumption, if the start or the clock of the recording is unknown.
    """
    if clock is None:
        return 0, ()
    if clock.own_file:
        return clock.start_us, ()
    if start is None:
        text = f"{source}: has no start time: taken to begin with the recording"
        return clock.start_us, (Note("stages", text, GIVE_STAGE_TIMES),)
    aware = isinstance(start, datetime) and start.tzinfo is not None
    if clock.zero_us is None or (clock.zone is None and not aware):
        text = (
            f"{source}: no time zone or clock time: the file is taken to begin with the recording"
        )
        cure = _CURE_CLOCK if clock.zero_us is None else _CURE_ZONE
        return clock.start_us, (Note("stages", text, cure),)
    when = start.isoformat() if isinstance(start, datetime) else clock_text(start)
    found = read_clock_times([when], clock, source, lambda _: "header", one_clock=True)
    return int(found.utc_us[0]) - clock.zero_us, ()


def place_clock_times(
    texts: Sequence[str], clock: NightClock, source: str, place: Callable[[int], str]
) -> tuple[list[int], tuple[str, ...]]:
    """Return clock times of a laboratory on the time axis of the recording.

    Parameters
    ----------
    texts : sequence of str
        In the order of the file. The clock of a laboratory's recorder is taken to ignore
        a change to or from daylight saving time.
    clock : NightClock
        Of the recording.
    source : str
        Name of the file in messages.
    place : callable
        Maps a row number (from 0) to its place in the file, for messages.

    Returns
    -------
    times_us : list of int
        Microseconds.
    notes : tuple of str

    Raises
    ------
    InputError
        For a malformed time, or if the clock time or zone of the recording is unknown.
    """
    zero = clock.require_utc(source)
    found = read_clock_times(texts, clock, source, place, one_clock=True)
    return [int(t) - zero for t in found.utc_us], found.notes


def clock_text(since_midnight: timedelta) -> str:
    """Return a time of day as text.

    Parameters
    ----------
    since_midnight : timedelta
        Less than a day.

    Returns
    -------
    str
        ``22:30:00`` with a fraction of a second where there is one.
    """
    return (datetime(1970, 1, 1) + since_midnight).time().isoformat()
