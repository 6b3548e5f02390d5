"""Annotations of Compumedics Profusion and of the NSRR, which converts them.

NSRR files (``<PSGAnnotation>``) list stages and events together; the concept holds the
stage and its number, ``Stage 2 sleep|2``. Profusion files (``<CMPStudyConfig>``) hold one
number for each epoch, and the events by name. Both count seconds from the start of the EDF.
A file that declares an entity is refused.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, NoReturn
from xml.parsers import expat

from twitchsense.errors import InputError
from twitchsense.regular_file import read_limited
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.lab_files.lab_annotations import (
    AnnotationKind,
    LabAnnotation,
    LabFile,
    clock_text,
    place_file_start,
)

ROOTS: Final = ("PSGAnnotation", "CMPStudyConfig")
#: Stage concepts of the NSRR and stage numbers of Profusion, in lower case.
_STAGES: Final = {
    **{"wake|0": "W", "stage 1 sleep|1": "N1", "stage 2 sleep|2": "N2", "stage 3 sleep|3": "N3"},
    **{"stage 4 sleep|4": "N3", "rem sleep|5": "R", "movement|6": "?", "unscored|9": "?"},
    **{"0": "W", "1": "N1", "2": "N2", "3": "N3", "4": "N3", "5": "R", "6": "?", "9": "?"},
    **{"7": "?", "8": "?", "unsure|unsure": "?"},
}
_TIME: Final = re.compile(r"(\d{1,2})[.:](\d{2})[.:](\d{2})")
_CURE: Final = "export the annotations again"


def read_profusion(path: Path, source: str, clock: NightClock | None) -> LabFile:
    """Read an XML file of the NSRR or of Compumedics Profusion.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    clock : NightClock or None
        Of the recording.

    Returns
    -------
    LabFile

    Raises
    ------
    InputError
        If the file is damaged or a number in it is invalid.
    """
    elements = read_xml_elements(path, source)
    events: defaultdict[int, dict[str, XmlElement]] = defaultdict(dict)
    epochs: list[XmlElement] = []
    epoch_s = 30.0
    for element in elements:
        if "ScoredEvent" in element.path[:-1]:
            events[element.parent][element.path[-1]] = element
        elif element.path[-1] == "SleepStage":
            epochs.append(element)
        elif element.path[-1] == "EpochLength":
            epoch_s = _number({"EpochLength": element}, "EpochLength", source)
    start = _start(events.values())
    zero_us, notes = place_file_start(start, clock, source)
    made = [
        LabAnnotation(
            zero_us + round(k * epoch_s * 1e6), round(epoch_s * 1e6), e.text, f"line {e.line}",
            "stage",
        )
        for k, e in enumerate(epochs)
    ]  # fmt: skip
    for event in events.values():
        name = event.get("EventConcept") or event.get("Name")
        if name is None:
            continue
        concept = name.text
        if concept.lower().startswith("recording start time"):
            continue
        kind: AnnotationKind = "event"
        if "EventType" in event and event["EventType"].text.lower().startswith("stages"):
            kind = "stage"
        onset, length = (_number(event, key, source) for key in ("Start", "Duration"))
        where = event.get("SignalLocation") or event.get("Input")
        made.append(
            LabAnnotation(
                zero_us + round(onset * 1e6), round(length * 1e6), concept, f"line {name.line}",
                kind, "" if where is None else where.text,
            )
        )  # fmt: skip
    return LabFile(
        "NSRR or Profusion XML", tuple(made), _STAGES, notes, clock_text(start) if start else ""
    )


def _start(events: object) -> timedelta | None:
    """Return the time of day of ``Recording Start Time``; its date is removed from NSRR files."""
    for event in events:  # type: ignore[attr-defined]
        text = event["ClockTime"].text if "ClockTime" in event else ""
        matches = _TIME.findall(text)
        if matches:
            hour, minute, second = map(int, matches[-1])
            if hour < 24 and minute < 60 and second < 60:
                return timedelta(hours=hour, minutes=minute, seconds=second)
    return None


def _number(event: dict[str, XmlElement], key: str, source: str) -> float:
    """Return a number of seconds."""
    if key not in event:
        line = next(iter(event.values())).line
        raise InputError(source, f"a scored event has no {key}", _CURE, f"line {line}")
    element = event[key]
    try:
        value = float(element.text)
    except ValueError:
        value = math.nan
    if not -1e7 < value < 1e7 or (key == "EpochLength" and value <= 0):
        raise InputError(source, f"{key} is {element.text!r}", _CURE, f"line {element.line}")
    return value


@dataclass(frozen=True, slots=True)
class XmlElement:
    """An element without children.

    Attributes
    ----------
    path : tuple of str
        Names of the elements it lies in, and its own.
    text : str
    line : int
    parent : int
        Number of the element it lies in, counted over the file.
    """

    path: tuple[str, ...]
    text: str
    line: int
    parent: int


def read_xml_elements(path: Path, source: str) -> list[XmlElement]:
    """Return the elements without children, in the order of the file.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.

    Returns
    -------
    list of XmlElement

    Raises
    ------
    InputError
        If the XML is damaged or declares entities.
    """
    out: list[XmlElement] = []
    stack: list[tuple[str, int, int]] = []  # name, number, line
    text: list[str] = []
    count, leaf = 0, False
    parser = expat.ParserCreate()

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal count, leaf
        stack.append((name, count, parser.CurrentLineNumber))
        count += 1
        leaf = True
        text.clear()

    def end(_: str) -> None:
        nonlocal leaf
        if leaf:
            names = tuple(name for name, _, _ in stack)
            parent = stack[-2][1] if len(stack) > 1 else -1
            out.append(XmlElement(names, "".join(text).strip(), stack[-1][2], parent))
        leaf = False
        stack.pop()

    def refuse_entity(*_: object) -> NoReturn:
        raise InputError(
            source, "declares XML entities", "give the file as its program wrote it",
            f"line {parser.CurrentLineNumber}",
        )  # fmt: skip

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.EntityDeclHandler = refuse_entity
    data = read_limited(path, source)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        reason = expat.errors.messages.get(error.code, str(error))
        raise InputError(
            source, f"is damaged XML ({reason})", "export it again", f"line {error.lineno}"
        ) from error
    except (LookupError, ValueError) as error:  # an unknown encoding
        raise InputError(source, f"is damaged XML ({error})", "export it again") from error
    return out
