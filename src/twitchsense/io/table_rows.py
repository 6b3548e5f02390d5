"""A table as a capture: its rows go to the tracks of its channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twitchsense.errors import InputError
from twitchsense.io.channel_builder import Track
from twitchsense.io.table_capture import Table, ignored_note
from twitchsense.io.time_column import check_order, read_times
from twitchsense.model.column_names import ChannelPlan


@dataclass(frozen=True, slots=True)
class TableCapture:
    """A file of rows.

    Attributes
    ----------
    table : Table
    """

    table: Table

    @property
    def source(self) -> str:
        """How messages call the file."""
        return self.table.source

    @property
    def clock(self) -> str:
        """``time_s`` or ``time_utc``."""
        return self.table.layout.clock

    @property
    def plans(self) -> tuple[ChannelPlan, ...]:
        """Channels of this file."""
        return self.table.layout.plans

    @property
    def headers(self) -> Sequence[str]:
        """Column names of this file."""
        return self.table.headers

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the header."""
        return ignored_note(self.source, self.table.layout.ignored)

    def first_stamp(self) -> int:
        """Return the first time in ns, to put files in order.

        Raises
        ------
        InputError
            If there is no row, or its time can't be read.
        """
        for block in self.table.blocks(1000):
            stamps, _ = read_times(self.table, block)
            if len(stamps):
                return int(stamps[0])
        raise InputError(
            self.source, "no rows after the header", "give a capture with samples", "header"
        )

    def feed(self, tracks: Mapping[str, Track]) -> tuple[int, int]:
        """Give all rows to the tracks of their channels.

        Returns
        -------
        first_ns, last_ns : int
            Times of the first and the last row, whether they hold a signal or not.

        Raises
        ------
        InputError
            For a time that can't be read, repeats or runs backwards.
        UnsteadyRateError
        """
        first: int | None = None
        last: int | None = None
        for block in self.table.blocks():
            stamps, kept = read_times(self.table, block)
            if not len(stamps):
                continue
            check_order(self.table, block, stamps, kept, last)
            last = int(stamps[-1])
            first = int(stamps[0]) if first is None else first
            for plan in self.plans:
                columns = [block.signals[name] for name in plan.names]
                if kept is not None:
                    columns = [c[kept] for c in columns]
                tracks[plan.name].add(stamps, columns)
        if first is None or last is None:  # the rows of `first_stamp` are gone by now
            raise InputError(self.source, "no rows after the header", "try again", "header")
        return first, last

    def place(self, time_ns: int) -> str | None:
        """Say where the row of a time is, or None if it is not in this file."""
        for block in self.table.blocks():
            stamps, kept = read_times(self.table, block)
            at = int(np.searchsorted(stamps, time_ns))
            if at < len(stamps) and stamps[at] == time_ns:
                return self.table.place(block.first_row + (at if kept is None else int(kept[at])))
        return None
