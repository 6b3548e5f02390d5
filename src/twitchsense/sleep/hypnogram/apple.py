"""Sleep stages from Apple Health's ``export.xml``, read as a stream of elements.

The export contains years of all kinds of records and may be gigabytes long. Its document type
declaration is damaged in the exports of some iOS versions, and names of apps may contain
control characters, which XML does not allow; both are passed over. A file that declares an
entity is refused.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from xml.parsers import expat

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_text import parse_clock_time
from twitchsense.sleep.hypnogram.clock_times import NightClock, read_clock_times
from twitchsense.sleep.hypnogram.model import (
    Hypnogram,
    StageInterval,
    align_to_recording,
    overlap_us,
    overlay,
    select_night,
)
from twitchsense.sleep.hypnogram.stage_words import name_words

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
#: Longest app name kept, in characters.
_MAX_APP_NAME: Final = 60
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
#: Bytes decoded and parsed at a time.
_BLOCK_BYTES: Final = 1 << 18
#: The root element begins within this many characters.
_MAX_PROLOG: Final = 1 << 22
_ROOT: Final = re.compile(r"<HealthData[\s/>]")
_ENCODING: Final = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)["']""")
#: Characters that XML 1.0 does not allow, as such and as references.
_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&#(?:0*(?:[0-8]|1[124-9]|2\\d|3[01])|x0*(?:[0-8bBcCeEfF]|1[\\da-fA-F]));"
)
#: Longest reference to a character that may be cut by the end of a block.
_LONGEST_REFERENCE: Final = 12


@dataclass(slots=True)
class _SleepRecords:
    """Sleep records of an export, and what was left out of it."""

    count: int = 0
    by_app: dict[str, list[list[StageInterval]]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)


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
    records = _read_records(path, source, clock)
    nights = {
        app: intervals
        for app, layers in records.by_app.items()
        if (intervals := overlay([select_night(layer, clock, source) for layer in layers]))
    }
    if not nights:
        problem = f"has {records.count} sleep records, none within 12 h of the recording"
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
    notes = [f"Apple Health: stages of {best!r}; light sleep (core) is taken as N2"]
    if others:
        notes.append(f"Apple Health: left out {', '.join(map(repr, others))}")
    if records.unreadable:
        listed = name_words(records.unreadable)
        notes.append(f"Apple Health: left out records of other years with odd dates: {listed}")
    if records.unknown:
        listed = name_words(records.unknown.elements())
        notes.append(f"Apple Health: left out values that are not known: {listed}")
    return align_to_recording(nights[best], clock, source, notes)


def _read_records(path: Path, source: str, clock: NightClock) -> _SleepRecords:
    """Return the intervals of each app by layer."""
    records = _SleepRecords()
    seen_root = False

    def start_element(name: str, attributes: dict[str, str], line: int) -> None:
        nonlocal seen_root
        if not seen_root:
            seen_root = True
            if name != "HealthData":
                raise InputError(
                    source, f"is XML of another kind (<{name}>)",
                    "give Apple Health's export.xml, or NSRR or Profusion XML",
                )  # fmt: skip
        if name == "Record" and attributes.get("type") == _KIND:
            records.count += 1
            _add_record(records, attributes, source, f"line {line}", clock)

    parse_apple_xml(path, source, start_element)
    return records


def _add_record(
    records: _SleepRecords, attributes: dict[str, str], source: str, place: str, clock: NightClock
) -> None:
    """Add the interval of a record to its app and layer, or note why it is left out."""
    value = attributes.get("value", "").removeprefix(_VALUE)
    if value.isdecimal() and len(value) == 1 and int(value) < len(_NUMBERS):
        value = _NUMBERS[int(value)]
    times = []
    for name in ("startDate", "endDate"):
        if name not in attributes:
            raise InputError(source, f"a sleep record has no {name}", "export it again", place)
        no_zone = NightClock(0, 0)  # the times carry their UTC offset
        try:
            found = read_clock_times([attributes[name]], no_zone, source, lambda _: place)
        except InputError:
            written = _YEAR.findall(attributes[name])
            if not written or _years(clock) & set(written):
                raise
            records.unreadable.append(attributes[name])
            return
        times.append(int(found.utc_us[0]))
    first = parse_clock_time(attributes["startDate"], source, place)
    if isinstance(first, datetime):
        clock.require_date(source, first, place)
        clock.require_offset(source, place, first)
    app = attributes.get("sourceName", "")[:_MAX_APP_NAME]
    for layer, stages in enumerate(_LAYERS):
        if value in stages:
            interval = StageInterval(times[0], times[1], stages[value])
            records.by_app.setdefault(app, [[] for _ in _LAYERS])[layer].append(interval)
            return
    if value:
        records.unknown[value] += 1


def _years(clock: NightClock) -> set[str]:
    """Return the years within two days of the recording."""
    zero = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=clock.zero_us or 0)
    ends = (timedelta(microseconds=clock.start_us, days=-2),
            timedelta(microseconds=clock.stop_us, days=2))  # fmt: skip
    first, last = ((zero + end).year for end in ends)
    return {str(year) for year in range(first, last + 1)}


def parse_apple_xml(
    path: Path, source: str, start_element: Callable[[str, dict[str, str], int], None]
) -> None:
    """Call a function for the start of each element.

    Parameters
    ----------
    path : Path
        Apple Health's ``export.xml``.
    source : str
        Name of the file in messages.
    start_element : callable
        Receives the name of the element, its attributes and its line.

    Raises
    ------
    InputError
        If the XML is damaged outside its document type, or declares entities.
    """
    blocks = _decoded(path, source)
    prolog = ""
    for block in blocks:
        prolog += block
        if _ROOT.search(prolog) or len(prolog) > _MAX_PROLOG:
            break
    root = _ROOT.search(prolog)
    head = prolog[: root.start()] if root else prolog
    if "<!ENTITY" in head:
        line = head[: head.index("<!ENTITY")].count("\n") + 1
        cure = "give the export as written by Apple Health"
        raise InputError(source, "declares XML entities", cure, f"line {line}")
    skipped = head.count("\n") if root else 0
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = lambda name, attributes: start_element(
        name, attributes, parser.CurrentLineNumber + skipped
    )
    try:
        parser.Parse((prolog[root.start() :] if root else prolog).encode(), False)
        for block in blocks:
            parser.Parse(block.encode(), False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = expat.errors.messages.get(error.code, str(error))
        raise InputError(
            source, f"is damaged XML ({reason})", "export it again; if that does not help, delete "
            "the element on this line", f"line {error.lineno + skipped}",
        ) from error  # fmt: skip


def _decoded(path: Path, source: str) -> Iterator[str]:
    """Yield the text in blocks, without characters that XML does not allow."""
    with path.open("rb") as file:
        declared = _ENCODING.match(file.read(200).removeprefix(b"\xef\xbb\xbf"))
        file.seek(0)
        try:
            name = declared[1].decode() if declared else "utf-8"
            name = "utf-8-sig" if codecs.lookup(name).name == "utf-8" else name
            decoder = codecs.getincrementaldecoder(name)(errors="replace")
        except (LookupError, ValueError) as error:
            raise InputError(source, f"is damaged XML ({error})", "export it again") from error
        rest = ""
        while block := file.read(_BLOCK_BYTES):
            text = rest + decoder.decode(block)
            cut = text.rfind("&", len(text) - _LONGEST_REFERENCE)
            rest = text[cut:] if cut >= 0 else ""
            yield _CONTROL.sub("", text[: len(text) - len(rest)])
        yield _CONTROL.sub("", rest + decoder.decode(b"", final=True))
