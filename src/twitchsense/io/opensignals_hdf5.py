"""OpenSignals HDF5 files (extra ``h5``) of BITalino and biosignalsplux (PLUX).

One group for each device, with its settings as attributes and the counts of each channel
under ``raw``; the same transfer functions as in text files make microvolts of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError, MissingExtraError
from twitchsense.io.channels.capture import ColumnMapping
from twitchsense.io.tables.header_words import channel_name, find_leg
from twitchsense.io.tables.local_clock import TimeOptions
from twitchsense.io.tables.row_clock import RowClock
from twitchsense.io.tables.table_capture import CHUNK_ROWS, TableBlock, TableCapture
from twitchsense.io.tables.table_layout import TableLayout, parse_header
from twitchsense.io.tables.transfer import Transfer
from twitchsense.io.tables.typed_table import TypedTable
from twitchsense.io.text.dialects.opensignals_text import (
    emg_transfer,
    no_emg_sensor,
    read_rate,
    start_of,
)

#: Number of values of the sequence number of a BITalino.
_NSEQ_VALUES: Final = 16


class OpenSignalsHdf5(TypedTable):
    """An OpenSignals HDF5 file as a `Table`.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    mapping : ColumnMapping

    Raises
    ------
    InputError
        If the file is damaged, or not of OpenSignals.
    MissingExtraError
        If h5py is not installed.
    """

    def __init__(self, path: Path, source: str, mapping: ColumnMapping) -> None:
        try:
            import h5py
        except ImportError as error:
            raise MissingExtraError("h5", "reading OpenSignals HDF5") from error
        self.path = path
        self.source = source
        self._paths: dict[str, str] = {}
        self._transfers: dict[str, Transfer] = {}
        self._others: dict[str, str] = {}
        self._counters: dict[str, str] = {}
        self.clocks: dict[str, RowClock] = {}
        names: dict[str, str] = {}
        groups: dict[str, str] = {}
        try:
            with h5py.File(path, "r") as file:
                for mac in file:
                    if "raw" not in file[mac]:
                        continue
                    self._add_device(file[mac], names, groups, mapping.fs)
        except (OSError, KeyError, ValueError, RuntimeError) as error:
            raise InputError(
                source, f"this is not an HDF5 file, or it is damaged ({error})", "copy it again"
            ) from error
        if not self._paths:
            raise InputError(
                source,
                "this HDF5 file is not one of OpenSignals",
                "export it as CSV or EDF",
            )
        self.headers = tuple(self._paths)
        self.layout: TableLayout = parse_header(
            source,
            self.headers,
            mapping,
            presets=names,
            time_groups=groups,
            no_signal=no_emg_sensor(self._others),
        )

    def blocks(self, rows: int = CHUNK_ROWS) -> Iterator[TableBlock]:
        """Yield all rows in blocks.

        Parameters
        ----------
        rows : int
            Maximum number of rows of a block.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        import h5py

        first_row = 0
        try:
            with h5py.File(self.path, "r") as file:
                data = {name: file[self._paths[name]] for name in self.layout.signals}
                counters = {name: file[path] for name, path in self._counters.items()}
                total = max(len(d) for d in data.values())
                while first_row < total:
                    stop = min(first_row + rows, total)
                    signals = {
                        name: self._transfers[name].apply(_column(dataset, first_row, stop))
                        for name, dataset in data.items()
                    }
                    times = {
                        name: pd.Series(_column(dataset, first_row, stop))
                        for name, dataset in counters.items()
                    }
                    yield TableBlock(first_row, times, signals)
                    first_row = stop
        except (OSError, KeyError, ValueError, RuntimeError) as error:
            raise InputError(
                self.source, f"the file is damaged ({error})", "copy it again",
                self.locate_row(first_row),
            ) from error  # fmt: skip

    def _add_device(
        self, group: Any, names: dict[str, str], groups: dict[str, str], fs: float | None
    ) -> None:
        """Add the channels of a device, and its clock."""
        attributes = _attributes(group)
        kind = str(attributes.get("device", ""))
        mac = group.name.strip("/")
        raw = group["raw"]
        keys = [key for key in raw if key.startswith("channel_")]
        resolution = [int(b) for b in np.ravel(attributes.get("resolution", []))]
        resolution = resolution[len(resolution) - len(keys) :] if resolution else []
        counter = None
        if "nSeq" in raw:
            counter = f"nSeq of {mac}"
            self._counters[counter] = raw["nSeq"].name
        bitalino = kind.casefold().startswith("bitalino")
        self.clocks[mac] = RowClock(
            fs or read_rate(attributes), start_of(attributes), is_utc=False,
            counter=counter, modulus=_NSEQ_VALUES if bitalino else None,
        )  # fmt: skip
        for i, key in enumerate(keys):
            dataset = raw[key]
            found = _attributes(dataset)
            sensor = str(found.get("sensor", "")).upper()
            header = key if key not in self._paths else f"{key} ({mac})"
            bits = resolution[i] if len(resolution) == len(keys) else 10 if bitalino else 16
            self._paths[header] = dataset.name
            groups[header] = mac
            self._transfers[header] = emg_transfer(kind, bits)
            if sensor.endswith("EMG"):
                number = sum(name.startswith("emg") for name in names.values()) + 1
                leg = find_leg(str(found.get("label", "")))
                names[header] = channel_name(f"emg{number}", leg, "uv")
            else:
                self._others[header] = sensor


def _column(dataset: Any, start: int, stop: int) -> NDArray[np.float64]:
    """Return rows of a data set, with NaN beyond its end."""
    values = np.full(stop - start, np.nan)
    found = np.asarray(dataset[start : min(stop, len(dataset))], np.float64).reshape(-1)
    values[: len(found)] = found
    return values


def _attributes(item: Any) -> dict[str, Any]:
    """Return the attributes of a group or data set; text is decoded."""
    return {
        key: value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        for key, value in item.attrs.items()
    }


def open_opensignals_hdf5(
    path: Path, source: str, mapping: ColumnMapping, zone: str | None
) -> TableCapture:
    """Open an OpenSignals HDF5 file.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    mapping : ColumnMapping
    zone : str or None
        IANA time zone of the start.

    Returns
    -------
    TableCapture
    """
    table = OpenSignalsHdf5(path, source, mapping)
    notes = [f"{source}: read as OpenSignals (PLUX, BITalino)"]
    return TableCapture(table, TimeOptions(zone=zone), table.clocks, notes)
