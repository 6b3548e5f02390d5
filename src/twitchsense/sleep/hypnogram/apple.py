"""Sleep stages from Apple Health's ``export.xml``.

The export contains years of all kinds of records and may be gigabytes long, so it
is parsed as a stream and only sleep records are kept. Its document type declaration
lists elements but never entities; a file that declares an entity is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NoReturn
from xml.parsers import expat

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import NightClock, read_clock_times
from twitchsense.sleep.hypnogram.model import (
    Hypnogram,
    StageInterval,
    align_to_recording,
    overlap_us,
    overlay,
    select_night,
)

_KIND: Final = "HKCategoryTypeIdentifierSleepAnalysis"
_VALUE: Final = "HKCategoryValueSleepAnalysis"
#: Values by priority; where records overlap, a later layer overrides an earlier one.
#: ``InBed`` carries no information on sleep; unstaged sleep yields to any stage.
_LAYERS: Final = (
    {"InBed": ""},
    {"Asleep": "S", "AsleepUnspecified": "S"},
    {"AsleepCore": "N2", "AsleepDeep": "N3", "AsleepREM": "R"},
    {"Awake": "W"},
)
#: Values of old exports that write the enumeration as a number.
_NUMBERS: Final = ("InBed", "Asleep", "Awake", "AsleepCore", "AsleepDeep", "AsleepREM")
#: Bytes parsed at a time.
_BLOCK_BYTES: Final = 1 << 20
#: Longest app name kept, in characters.
_MAX_APP_NAME: Final = 60


def read_apple(path: Path, source: str, clock: NightClock) -> Hypnogram:
    """Read the sleep stages of the recording's night.

    Several apps write into one export and their records overlap. The app that stages
    most of the recording is used, and named in the notes.

    Parameters
    ----------
    path : Path
        Apple Health's ``export.xml``.
    source : str
        Name of the file in messages.
    clock : NightClock
        Of the recording.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        If the file is not an Apple Health export, is damaged, declares entities, or
        contains no sleep of this night; or if the recording has no clock time.
    """
    clock.require_utc(source)
    records = _read_records(path, source)
    by_app: dict[str, list[list[StageInterval]]] = {}
    for app, layer, interval in records:
        by_app.setdefault(app, [[] for _ in _LAYERS])[layer].append(interval)
    nights = {
        app: intervals
        for app, layers in by_app.items()
        if (intervals := overlay([select_night(layer, clock, source) for layer in layers]))
    }
    if not nights:
        problem = f"has {len(records)} sleep records, none within 12 h of the recording"
        raise InputError(source, problem, "export again after the night, or check the dates")
    coverage_us = {
        app: (
            overlap_us([s for s in night if s.stage not in ("", "S")], clock, source),
            overlap_us([s for s in night if s.stage], clock, source),
        )
        for app, night in nights.items()
    }
    best = max(sorted(nights), key=lambda app: coverage_us[app])
    others = sorted(set(nights) - {best})
    notes = [f"Apple Health: stages of {best!r}; light sleep (core) stands as N2"]
    if others:
        notes.append(f"Apple Health: left out {', '.join(map(repr, others))}")
    return align_to_recording(nights[best], clock, source, notes)


def _read_records(path: Path, source: str) -> list[tuple[str, int, StageInterval]]:
    """Return the app, the layer and the interval of each sleep record."""
    records: list[tuple[str, int, StageInterval]] = []
    seen_root = False
    parser = expat.ParserCreate()

    def start_element(name: str, attributes: dict[str, str]) -> None:
        nonlocal seen_root
        if not seen_root:
            seen_root = True
            if name != "HealthData":
                raise InputError(
                    source, f"is XML of another kind (<{name}>)", "give Apple Health's export.xml"
                )
        if name == "Record" and attributes.get("type") == _KIND:
            place = f"line {parser.CurrentLineNumber}"
            record = _record(attributes, source, place)
            if record is not None:
                records.append(record)

    def refuse_entity(*_: object) -> NoReturn:
        raise InputError(
            source, "declares XML entities", "give the export as written by Apple Health",
            f"line {parser.CurrentLineNumber}",
        )  # fmt: skip

    parser.StartElementHandler = start_element
    parser.EntityDeclHandler = refuse_entity
    parser.ExternalEntityRefHandler = refuse_entity
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                parser.Parse(block, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = expat.errors.messages.get(error.code, str(error))
        raise InputError(
            source, f"is damaged XML ({reason})", "export it again", f"line {error.lineno}"
        ) from error
    except (LookupError, ValueError) as error:  # an unknown encoding
        raise InputError(source, f"is damaged XML ({error})", "export it again") from error
    return records


def _record(
    attributes: dict[str, str], source: str, place: str
) -> tuple[str, int, StageInterval] | None:
    """Return the app, the layer and the interval of a record; None for unknown values."""
    value = attributes.get("value", "").removeprefix(_VALUE)
    if value.isdecimal() and len(value) == 1 and int(value) < len(_NUMBERS):
        value = _NUMBERS[int(value)]
    times = []
    for name in ("startDate", "endDate"):
        if name not in attributes:
            raise InputError(source, f"a sleep record has no {name}", "export it again", place)
        no_zone = NightClock(0, 0)  # the times carry their UTC offset
        times.append(int(read_clock_times([attributes[name]], no_zone, source, lambda _: place)[0]))
    for layer, stages in enumerate(_LAYERS):
        if value in stages:
            interval = StageInterval(times[0], times[1], stages[value])
            return attributes.get("sourceName", "")[:_MAX_APP_NAME], layer, interval
    return None  # values added to the format later are skipped
