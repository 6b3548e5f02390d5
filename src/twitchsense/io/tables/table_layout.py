"""Which columns of a table hold times and signals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from twitchsense.errors import InputError
from twitchsense.io.channels.capture import ColumnMapping
from twitchsense.io.tables.header_words import nominal_rate
from twitchsense.io.tables.time_reading import (
    ANY_TIME,
    FOREIGN_TIME_HEADERS,
    OTHER_TIME_HEADERS,
    TIME_COLUMNS,
)
from twitchsense.model.column_names import (
    COUNT_UNIT,
    ChannelPlan,
    is_signal_name,
    plan_channels,
)
from twitchsense.model.map_pairs import typed_map

#: Name of the time of a table whose rows have a sampling rate instead of a time column.
ROW_TIME = ""
_CLOCK_WORD: Final = re.compile(r"hh?:mm|clock|of day|uhr|date", re.IGNORECASE)
_TIME_WORD: Final = re.compile(r"time|zeit|temps|tiempo|stamp|date|\bsec", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TimeGroup:
    """A time column and the channels that have their times in it.

    Attributes
    ----------
    time : str
        Name of the time column in the file, or of the clock of its rows.
    name : str
        Name of the time column in this package; `ROW_TIME` if rows have a clock instead.
    plans : tuple of ChannelPlan
        `ChannelPlan.names` are column names of the file.
    """

    time: str
    name: str
    plans: tuple[ChannelPlan, ...]


@dataclass(frozen=True, slots=True)
class TableLayout:
    """Columns of a table that a capture uses.

    Attributes
    ----------
    groups : tuple of TimeGroup
        At least one.
    ignored : tuple of str
        Columns that are neither time nor signal.
    """

    groups: tuple[TimeGroup, ...]
    ignored: tuple[str, ...]

    @property
    def plans(self) -> tuple[ChannelPlan, ...]:
        """All channels."""
        return tuple(plan for group in self.groups for plan in group.plans)

    @property
    def times(self) -> tuple[str, ...]:
        """Names of all time columns in the file."""
        return tuple(dict.fromkeys(group.time for group in self.groups if group.name != ROW_TIME))

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of all signal columns in the file."""
        return tuple(name for plan in self.plans for name in plan.names)


def is_header(names: Sequence[str], mapping: ColumnMapping) -> bool:
    """Return whether names are those of a time column and a signal, after mapping.

    With a stated sampling rate, a signal suffices.

    Parameters
    ----------
    names : sequence of str
    mapping : ColumnMapping
    """
    ours = [mapping.preview(name).casefold() for name in names]
    words = {*TIME_COLUMNS, *FOREIGN_TIME_HEADERS, *OTHER_TIME_HEADERS}
    timed = mapping.fs is not None or any(name in words for name in ours)
    return timed and any(is_signal_name(name) for name in ours)


def parse_header(
    source: str,
    headers: Sequence[str],
    mapping: ColumnMapping,
    *,
    presets: Mapping[str, str] | None = None,
    time_groups: Mapping[str, str] | None = None,
    has_rate: bool = False,
    hidden: Sequence[str] = (),
    no_signal: tuple[str, str] | None = None,
) -> TableLayout:
    """Find the time columns and the signal columns of a table.

    Parameters
    ----------
    source : str
        Name of the file in messages.
    headers : sequence of str
        Column names of the file.
    mapping : ColumnMapping
    presets : mapping of str to str, optional
        Names of columns that the format of the file fixes; the user's mapping precedes.
    time_groups : mapping of str to str, optional
        Name of a signal column to that of its time column, where there are several.
    has_rate : bool
        Whether rows have times without a time column.
    hidden : sequence of str
        Columns that the notes do not name.
    no_signal : tuple of str, optional
        Problem and cure if no column is a signal, where the format of the file tells them.

    Returns
    -------
    TableLayout

    Raises
    ------
    InputError
        If a name occurs twice or cannot be parsed, or if the time column or all signal
        columns are missing.
    """
    presets = presets or {}
    mapping.times_used = True
    if any(
        mapping.preview(h).casefold() in TIME_COLUMNS and mapping.preview(h) != h for h in headers
    ):
        # the user names the time column: that of the format does not count
        presets = {h: n for h, n in presets.items() if not n.startswith(ANY_TIME)}
        time_groups = None
    listed = ", ".join(h for h in headers if h) or "none"
    seen: set[str] = set()
    times: dict[str, str] = {}
    signals: dict[str, str] = {}
    ignored: list[str] = []
    for header in headers:
        name = mapping.rename(header)
        if name == header:
            name = presets.get(header, header)
            if header in hidden and header not in presets:
                continue
        if name.casefold() in TIME_COLUMNS or (name == ANY_TIME and header in presets):
            times[header] = name.casefold()
        elif is_signal_name(name):
            signals[header] = name
        else:
            ignored.append(header)
            continue
        if header in seen:
            raise InputError(
                source, "the header names it twice", "rename one of them", f"column {header}"
            )
        seen.add(header)
    if not times and not has_rate and not time_groups:
        free = [h for h in ignored if mapping.rename(h) == h]
        foreign = [h for h in free if h.casefold() in FOREIGN_TIME_HEADERS]
        foreign = foreign or [h for h in free if h.casefold() in OTHER_TIME_HEADERS]
        if len(foreign) == 1:
            times[foreign[0]] = ANY_TIME
            ignored.remove(foreign[0])
    if len(times) > 1 and not time_groups:
        raise InputError(
            source,
            f"more than one time column ({', '.join(times)})",
            f"keep one, or leave one out with {typed_map(list(times)[1], 'ignore')}",
            "header",
        )
    if not times and not has_rate and not time_groups:
        raise InputError(
            source,
            f"no time column among: {listed}",
            f"name it time_s (seconds) or time_utc, map it ({_map_time(headers)}), "
            f"or state the sampling rate (--fs {nominal_rate(signals.values())})",
            "header",
        )
    if not signals:
        shown = [h for h in headers if h and h not in times and h not in hidden]
        shown = shown or [h for h in headers if h and h not in times] or ["EMG"]
        example = next((h for h in shown if "emg" in h.casefold()), shown[-1])
        problem, cure = no_signal or (
            f"no signal column among: {listed}",
            "name one like emg1_uv or acc_x_g, with its unit, or map it: "
            f"{typed_map(example, 'emg1_uv')} if it is EMG in uV",
        )
        raise InputError(source, problem, cure, "header")
    mapping.gain_used |= any(
        name.casefold().endswith(f"_{COUNT_UNIT}") for name in signals.values()
    )
    groups = _group(source, times, signals, time_groups or {}, mapping.gain)
    return TableLayout(groups, tuple(h for h in ignored if h and h not in hidden))


def _map_time(headers: Sequence[str]) -> str:
    """Return the option that maps the first column that may hold times."""
    named = [h for h in headers if h]
    header = next((h for h in named if _TIME_WORD.search(h)), named[0] if named else "Time")
    unit = re.search(r"(?:[\W_]|^)([mun\u00b5\u03bc]s)\W*$", header)
    prefix = unit[1][0].replace("\u00b5", "u").replace("\u03bc", "u") if unit else ""
    name = f"time_{prefix}s"
    return typed_map(header, "time_local" if _CLOCK_WORD.search(header) else name)


def _group(
    source: str,
    times: Mapping[str, str],
    signals: Mapping[str, str],
    time_groups: Mapping[str, str],
    gain: float | None,
) -> tuple[TimeGroup, ...]:
    """Return the channels by time column; the axes of one accelerometer share the first."""
    groups: dict[str, list[ChannelPlan]] = {}
    for plan in plan_channels(signals, source, gain):
        time = time_groups.get(plan.names[0], next(iter(times), ROW_TIME))
        groups.setdefault(time, []).append(plan)
    return tuple(
        TimeGroup(time, times.get(time, ROW_TIME), tuple(plans)) for time, plans in groups.items()
    )
