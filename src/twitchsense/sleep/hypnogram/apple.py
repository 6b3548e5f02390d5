"""Sleep stages from Apple Health's ``export.xml``.

The file holds years of everything and may have gigabytes, so it is read as a
stream of elements, none of which is kept. It declares its own elements at the
top; entities have no place there, and a file that declares one is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NoReturn
from xml.parsers import expat

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import NightClock, read_clock_times
from twitchsense.sleep.hypnogram.hypnogram import Hypnogram
from twitchsense.sleep.hypnogram.stage_intervals import Stretch, align, near, overlap_us, paint

_KIND: Final = "HKCategoryTypeIdentifierSleepAnalysis"
_VALUE: Final = "HKCategoryValueSleepAnalysis"
#: In bed says nothing of sleep, and sleep without stage less than a stage: what
#: stands further down lies over what stands above it.
_LAYERS: Final = (
    {"InBed": ""},
    {"Asleep": "S", "AsleepUnspecified": "S"},
    {"AsleepCore": "N2", "AsleepDeep": "N3", "AsleepREM": "R"},
    {"Awake": "W"},
)
_NUMBERS: Final = ("InBed", "Asleep", "Awake", "AsleepCore", "AsleepDeep", "AsleepREM")
_PIECE: Final = 1 << 20
#: Longest name of an app that is told.
_NAME: Final = 60


def read_apple(path: Path, source: str, clock: NightClock) -> Hypnogram:
    """Read the night of a recording.

    Several apps write into one export and overlap; the one that stages most of
    the recording is taken, and named in the notes.

    Raises
    ------
    InputError
        If the file is no such export, is damaged, declares entities, or holds
        no sleep of this night; or the recording has no clock time.
    """
    clock.need_utc(source)
    records = _read_records(path, source)
    by_app: dict[str, list[list[Stretch]]] = {}
    for app, layer, stretch in records:
        by_app.setdefault(app, [[] for _ in _LAYERS])[layer].append(stretch)
    nights = {
        app: painted
        for app, layers in by_app.items()
        if (painted := paint([near(layer, clock, source) for layer in layers]))
    }
    if not nights:
        problem = f"has {len(records)} sleep records, none within 12 h of the recording"
        raise InputError(source, problem, "export again after the night, or check the dates")
    told = {
        app: (
            overlap_us([s for s in night if s.stage not in ("", "S")], clock, source),
            overlap_us([s for s in night if s.stage], clock, source),
        )
        for app, night in nights.items()
    }
    best = max(sorted(nights), key=lambda app: told[app])
    others = sorted(set(nights) - {best})
    notes = [f"Apple Health: stages of {best!r}; light sleep (core) stands as N2"]
    if others:
        notes.append(f"Apple Health: left out {', '.join(map(repr, others))}")
    return align(nights[best], clock, source, notes)


def _read_records(path: Path, source: str) -> list[tuple[str, int, Stretch]]:
    records: list[tuple[str, int, Stretch]] = []
    seen_root = False
    parser = expat.ParserCreate()

    def begin(name: str, attributes: dict[str, str]) -> None:
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

    def refuse(*_: object) -> NoReturn:
        raise InputError(
            source, "declares XML entities", "give the export as Apple Health made it",
            f"line {parser.CurrentLineNumber}",
        )  # fmt: skip

    parser.StartElementHandler = begin
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = expat.errors.messages.get(error.code, str(error))
        raise InputError(
            source, f"is damaged XML ({reason})", "export it again", f"line {error.lineno}"
        ) from error
    except (LookupError, ValueError) as error:  # an encoding that nobody knows
        raise InputError(source, f"is damaged XML ({error})", "export it again") from error
    return records


def _record(attributes: dict[str, str], source: str, place: str) -> tuple[str, int, Stretch] | None:
    value = attributes.get("value", "").removeprefix(_VALUE)
    if value.isdecimal() and len(value) == 1 and int(value) < len(_NUMBERS):
        value = _NUMBERS[int(value)]
    times = []
    for name in ("startDate", "endDate"):
        if name not in attributes:
            raise InputError(source, f"a sleep record has no {name}", "export it again", place)
        no_zone = NightClock(0, 0)  # Apple writes the offset with each time
        times.append(int(read_clock_times([attributes[name]], no_zone, source, lambda _: place)[0]))
    for layer, stages in enumerate(_LAYERS):
        if value in stages:
            stretch = Stretch(times[0], times[1], stages[value])
            return attributes.get("sourceName", "")[:_NAME], layer, stretch
    return None  # a value of the future is no reason to refuse the night
