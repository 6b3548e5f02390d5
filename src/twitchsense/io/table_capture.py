"""What CSV and Parquet captures share: a header, a time column, signal columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.column_mapping import HeaderMap
from twitchsense.model.column_names import ChannelPlan, is_signal_name, plan_channels

TIME_COLUMNS: Final = ("time_s", "time_utc")
#: Rows read at once; bounds memory, never changes the result.
CHUNK_ROWS: Final = 1 << 17


@dataclass(frozen=True, slots=True)
class Layout:
    """What the header of a table says.

    Attributes
    ----------
    time : str
        Their name of the time column.
    clock : {'time_s', 'time_utc'}
    plans : tuple of ChannelPlan
        Channels of this file; `ChannelPlan.names` are their names.
    ignored : tuple of str
        Columns that are not ours.
    """

    time: str
    clock: str
    plans: tuple[ChannelPlan, ...]
    ignored: tuple[str, ...]

    @property
    def signals(self) -> tuple[str, ...]:
        """Their names of all signal columns."""
        return tuple(name for plan in self.plans for name in plan.names)


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a table, as read.

    Attributes
    ----------
    first_row : int
        Number of the first row, counted from zero after the header.
    time : Series
        The time column, numbers or text.
    signals : mapping of str to ndarray of float64
        NaN where there is no number.
    """

    first_row: int
    time: pd.Series
    signals: Mapping[str, NDArray[np.float64]]


class Table(Protocol):
    """A file with rows."""

    @property
    def source(self) -> str:
        """How messages call the file."""
        ...

    @property
    def layout(self) -> Layout:
        """What its header says."""
        ...

    @property
    def headers(self) -> Sequence[str]:
        """Its column names."""
        ...

    def blocks(self, rows: int = ...) -> Iterator[Block]:
        """Yield the rows, some at a time."""
        ...

    def place(self, row: int) -> str:
        """Say where a row is: ``line 17``."""
        ...


def read_layout(source: str, headers: Sequence[str], mapping: HeaderMap) -> Layout:
    """Find time and signals among column names.

    Raises
    ------
    InputError
        For names that repeat or can't be read, and if time or signals are missing.
    """
    listed = ", ".join(h for h in headers if h) or "none"
    seen: set[str] = set()
    times: dict[str, str] = {}
    signals: dict[str, str] = {}
    ignored: list[str] = []
    for theirs in headers:
        ours = mapping.ours(theirs)
        if ours.casefold() in TIME_COLUMNS:
            times[theirs] = ours.casefold()
        elif is_signal_name(ours):
            signals[theirs] = ours
        else:
            ignored.append(theirs)
            continue
        if theirs in seen:
            raise InputError(
                source, "the header names it twice", "rename one of them", f"column {theirs}"
            )
        seen.add(theirs)
    if len(times) > 1:
        raise InputError(
            source,
            f"more than one time column ({', '.join(times)})",
            f"keep one, or leave one out with --map '{list(times)[1]}=ignore'",
            "header",
        )
    if not times:
        raise InputError(
            source,
            f"no time column among: {listed}",
            "name it time_s (seconds) or time_utc, or map it (--map 'Time=time_s')",
            "header",
        )
    if not signals:
        raise InputError(
            source,
            f"no signal column among: {listed}",
            "name one like emg1_uv or acc_x_g, or map it (--map 'EMG=emg1_uv')",
            "header",
        )
    time, clock = next(iter(times.items()))
    return Layout(time, clock, plan_channels(signals, source), tuple(h for h in ignored if h))


def to_floats(column: pd.Series) -> NDArray[np.float64]:
    """Return numbers, NaN where there is none."""
    if pd.api.types.is_bool_dtype(column):
        return np.full(len(column), np.nan)
    if not pd.api.types.is_numeric_dtype(column):
        column = pd.to_numeric(column.astype(str), errors="coerce")
    return column.to_numpy(np.float64, na_value=np.nan)


def ignored_note(source: str, names: Sequence[str]) -> tuple[str, ...]:
    """Say which columns were left out."""
    return (f"{source}: left out: {', '.join(names)}",) if names else ()
