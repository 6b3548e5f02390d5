"""Columns whose names state a unit: ``Time (s)``, ``EMG_L [mV]``, ``Accel X, g``, ``t/ms``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from twitchsense.io.channels.signal_labels import is_other_muscle, parse_leg_label
from twitchsense.io.tables.header_words import channel_name, find_leg, read_unit
from twitchsense.io.tables.time_reading import ANY_TIME, TIME_COLUMNS
from twitchsense.io.tables.transfer import Transfer

_NAME_AND_UNIT: Final = re.compile(
    r"(?P<name>.+?)[\s_]*(?:[(\[](?P<unit>[^)\]]+)[)\]]|,\s*(?P<u2>\S+)"
    r"|/\s*(?P<u3>[mnu\u00b5\u03bc]?v|[mnu\u00b5\u03bc]?s|m?g|m/s\^?2))",
    re.IGNORECASE,
)
#: Maximum length of a header that may state a unit: the search takes its square.
_MAX_LENGTH: Final = 1000
_TIME: Final = re.compile(
    r"(?:elapsed[\s_]?)?(?:time(?:[\s_-]?stamps?)?|zeit|uhrzeit|temps|heure|tiempo|hora|tempo|ora|tid|t)",
    re.IGNORECASE,
)
#: Units of time, and the names of such columns.
TIME_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "sek"), "time_s"),
    **dict.fromkeys(("ms", "msec", "milliseconds"), "time_ms"),
    **dict.fromkeys(("us", "\u00b5s", "\u03bcs"), "time_us"),
}
_EMG: Final = re.compile(r"(?:^|[\W_\d])emg(?:$|[\W_\d])", re.IGNORECASE)
_ACC: Final = re.compile(r"(?P<label>.*?acc\w*?)[\s._-]*(?P<axis>[xyz])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class UnitColumns:
    """Columns of a table by the units that their names state.

    Attributes
    ----------
    names : dict of str to str
        Headers to column names of this package; at most one is a time.
    transfers : dict of str to Transfer
        For columns whose unit is not one of this package.
    others : tuple of str
        EMG of other muscles.
    """

    names: dict[str, str] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    others: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know about the recognition."""
        notes = [f"{header} is read as {name}" for header, name in self.names.items()]
        if self.others:
            notes.append(f"left out, EMG of another muscle: {', '.join(self.others)}")
        return tuple(notes)


def split_units(headers: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the names and the units of headers; a unit is empty if there is none.

    Parameters
    ----------
    headers : sequence of str
    """
    parts = [
        _NAME_AND_UNIT.fullmatch(header) if len(header) <= _MAX_LENGTH else None
        for header in headers
    ]
    names = [m["name"].strip() if m else h for h, m in zip(headers, parts, strict=True)]
    return names, [(m["unit"] or m["u2"] or m["u3"]).strip() if m else "" for m in parts]


def stated_units(headers: Sequence[str]) -> UnitColumns:
    """Return the columns whose own names state their units.

    Parameters
    ----------
    headers : sequence of str
    """
    names, units = split_units(headers)
    stated = [i for i, unit in enumerate(units) if unit]
    found = find_unit_columns(
        [headers[i] for i in stated], [names[i] for i in stated], [units[i] for i in stated]
    )
    if any(header.casefold() in TIME_COLUMNS for header in headers):
        kept = {h: n for h, n in found.names.items() if not n.startswith(ANY_TIME)}
        return UnitColumns(kept, found.transfers, found.others)
    return found


def find_unit_columns(
    headers: Sequence[str], names: Sequence[str], units: Sequence[str]
) -> UnitColumns:
    """Return what columns are by their names and units.

    Parameters
    ----------
    headers : sequence of str
        Names in the file.
    names, units : sequence of str
        The name and the unit of each column.
    """
    ours: dict[str, str] = {}
    transfers: dict[str, Transfer] = {}
    others: list[str] = []
    sensors: dict[str, str] = {}
    for header, name, text in zip(headers, names, units, strict=True):
        if header.casefold() in TIME_COLUMNS:
            ours[header] = header.casefold()
        if _TIME.fullmatch(name):
            ours[header] = TIME_UNITS.get(text.casefold(), ANY_TIME)
        unit = read_unit(text)
        if unit is None:
            continue
        kind, column, transfer = unit
        leg = parse_leg_label(name)
        axis = _ACC.fullmatch(name)
        side = find_leg(name) or (leg.side if leg else "")
        if kind == "emg" and is_other_muscle(name):
            others.append(header)
        elif kind == "emg" and (leg or _EMG.search(name)):
            number = sum(n.startswith("emg") for n in ours.values()) + 1
            ours[header] = channel_name(f"emg{number}", side, column)
        elif kind == "acc" and axis:
            count = len(sensors) + 1
            stem = sensors.setdefault(
                axis["label"], channel_name(f"acc{count}" if count > 1 else "acc", side)
            )
            ours[header] = f"{stem}_{axis['axis'].casefold()}_{column}"
        if transfer and header in ours:
            transfers[header] = transfer
    times = [h for h, n in ours.items() if n.startswith(ANY_TIME)]
    kept = {h: n for h, n in ours.items() if h not in times[1:]}
    return UnitColumns(kept, transfers, tuple(others))
