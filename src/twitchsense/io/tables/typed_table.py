"""What tables have in common whose cells have types: DataFrames and Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.io.channels.capture import ColumnMapping
from twitchsense.io.tables.number_cells import to_floats
from twitchsense.io.tables.table_layout import TableLayout, parse_header
from twitchsense.io.tables.transfer import Transfer
from twitchsense.io.tables.unit_columns import stated_units
from twitchsense.model.notes import with_source


class TypedTable:
    """What tables have in common whose cells have types, so that there is no text to parse.

    A base class of a `Table`.
    """

    source: str
    headers: tuple[str, ...]
    unit_notes: tuple[str, ...] = ()
    _transfers: Mapping[str, Transfer] = MappingProxyType({})

    def _find_layout(self, mapping: ColumnMapping) -> TableLayout:
        """Return the columns that the capture uses; names may state units as in text files."""
        found = stated_units(self.headers)
        self.unit_notes = tuple(with_source(self.source, note) for note in found.notes)
        self._transfers = {h: t for h, t in found.transfers.items() if mapping.preview(h) == h}
        has_rate = mapping.fs is not None
        return parse_header(
            self.source, self.headers, mapping, presets=found.names, has_rate=has_rate,
            hidden=found.others,
        )  # fmt: skip

    def _values(self, name: str, column: pd.Series) -> NDArray[np.float64]:
        """Return the numbers of a signal in the unit of its name."""
        values = to_floats(column)
        return self._transfers[name].apply(values) if name in self._transfers else values

    @property
    def notes(self) -> list[str]:
        """Return no remarks: typed cells have one reading."""
        return []

    def locate_row(self, row: int) -> str:
        """Return the number of a row, counted from one, such as ``row 17``."""
        return f"row {row + 1}"

    def decimal_sign(self, name: str) -> str:
        """Return a point.

        Parameters
        ----------
        name : str
        """
        return "."

    def cells(self, name: str) -> Iterator[pd.Series]:
        """Yield nothing: typed cells have no text.

        Parameters
        ----------
        name : str
        """
        yield from ()

    def time_resolution_ns(self, time: str, unit_ns: float) -> int:
        """Return 0: the resolution of the times is unknown.

        Parameters
        ----------
        time : str
        unit_ns : float
        """
        return 0
