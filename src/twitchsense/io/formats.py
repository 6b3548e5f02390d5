"""The capture formats: one row for each, with its file name endings and its reader.

To add a format, write a reader class that implements `Capture` and add a row to `FORMATS`.
The readers are imported when they are needed, because some depend on optional or slow
libraries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twitchsense.errors import InputError
from twitchsense.io.bids.bids_names import DATA_FILE, PHYSIO_FILE
from twitchsense.io.channels.capture import Capture, ColumnMapping
from twitchsense.io.unsupported_formats import refuse_known

#: Path, name in messages, column mapping and time zone to an open capture.
Opener = Callable[[Path, str, ColumnMapping, str | None], Capture]


@dataclass(frozen=True, slots=True)
class CaptureFormat:
    """A format that `read` accepts.

    Attributes
    ----------
    name : str
    suffixes : tuple of str
        Endings of file names, in lower case.
    open : callable
        Opens a file of this format and parses its header.
    """

    name: str
    suffixes: tuple[str, ...]
    open: Opener


def _open_csv(path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> Capture:
    from twitchsense.io.text.csv import open_csv

    return open_csv(path, source, mapping, zone)


def _open_parquet(path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> Capture:
    from twitchsense.io.tables.local_clock import TimeOptions
    from twitchsense.io.tables.parquet import ParquetTable
    from twitchsense.io.tables.row_clock import RowClock
    from twitchsense.io.tables.table_capture import TableCapture
    from twitchsense.io.tables.table_layout import ROW_TIME

    options = TimeOptions(zone=zone, unit=mapping.time_unit, fs=mapping.fs)
    clocks = {} if mapping.fs is None else {ROW_TIME: RowClock(mapping.fs)}
    table = ParquetTable(path, source, mapping)
    return TableCapture(table, options, clocks, table.unit_notes)


def _open_edf(path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> Capture:
    from twitchsense.io.edf.edf import EdfCapture

    return EdfCapture(path, source, mapping, zone)


def _open_night_file(path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> Capture:
    from twitchsense.io.device_logs.night_file import NightFileCapture

    return NightFileCapture(path, source, mapping, zone)


def _open_axivity(path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> Capture:
    from twitchsense.io.accelerometers.axivity import AxivityBlocks
    from twitchsense.io.accelerometers.block_capture import BlockCapture

    return BlockCapture(AxivityBlocks(path, source), source, mapping, zone)


def _open_geneactiv(path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> Capture:
    from twitchsense.io.accelerometers.block_capture import BlockCapture
    from twitchsense.io.accelerometers.geneactiv import GeneactivBlocks

    return BlockCapture(GeneactivBlocks(path, source), source, mapping, zone)


def _open_actigraph(path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> Capture:
    from twitchsense.io.accelerometers.actigraph import ActigraphBlocks
    from twitchsense.io.accelerometers.block_capture import BlockCapture

    return BlockCapture(ActigraphBlocks(path, source), source, mapping, zone)


def _open_xdf(path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> Capture:
    from twitchsense.io.xdf.xdf import XdfCapture

    return XdfCapture(path, source, mapping, zone)


def _open_bids(path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> Capture:
    from twitchsense.io.bids.bids_read import BidsEmgCapture, BidsTableCapture

    if ".tsv" in path.suffixes:
        return BidsTableCapture(path, source, mapping, zone)
    return BidsEmgCapture(path, source, mapping, zone)


def _open_mne(path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> Capture:
    from twitchsense.io.mne_raw import MneCapture

    return MneCapture(path, source, mapping, zone)


def _open_movesense_json(
    path: Path, source: str, mapping: ColumnMapping, zone: str | None
) -> Capture:
    from twitchsense.io.text.movesense_json import open_movesense_json

    return open_movesense_json(path, source, mapping, zone)


def _open_opensignals_hdf5(
    path: Path, source: str, mapping: ColumnMapping, zone: str | None
) -> Capture:
    from twitchsense.io.opensignals_hdf5 import open_opensignals_hdf5

    return open_opensignals_hdf5(path, source, mapping, zone)


FORMATS: Final = (
    CaptureFormat("CSV", (".csv", ".csv.gz", ".txt", ".txt.gz", ".tsv", ".tsv.gz"), _open_csv),
    CaptureFormat("Parquet", (".parquet",), _open_parquet),
    CaptureFormat("EDF, EDF+ and BDF", (".edf", ".bdf", ".rec"), _open_edf),
    CaptureFormat("Movesense JSON", (".json", ".json.gz"), _open_movesense_json),
    CaptureFormat("OpenSignals HDF5", (".h5",), _open_opensignals_hdf5),
    CaptureFormat("XDF", (".xdf",), _open_xdf),
    CaptureFormat("Axivity", (".cwa",), _open_axivity),
    CaptureFormat("GENEActiv", (".bin",), _open_geneactiv),
    CaptureFormat("ActiGraph", (".gt3x",), _open_actigraph),
    CaptureFormat("night file", (".night",), _open_night_file),
)


#: Data files of BIDS data sets, which are known by their whole name.
BIDS: Final = CaptureFormat("BIDS", (), _open_bids)
#: Programs that read formats of their own (`read(via=...)`, ``--via``).
VIA: Final = {"mne": CaptureFormat("MNE", (), _open_mne)}


def find_format(path: Path, source: str, via: str | None = None) -> CaptureFormat:
    """Return the format of a file, by the ending of its name.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    via : str, optional
        Key of `VIA`, which then decides.

    Returns
    -------
    CaptureFormat

    Raises
    ------
    InputError
        If `path` is a folder, or its name has none of the known endings.
    """
    if via is not None:
        if via not in VIA:
            raise InputError("via", f"'{via}' is not known", f"use one of: {', '.join(VIA)}")
        return VIA[via]
    if path.is_dir():
        refuse_known(path, source)
        raise InputError(source, "is a folder", "give the capture files in it")
    name = path.name.casefold()
    if DATA_FILE.fullmatch(path.name) or PHYSIO_FILE.fullmatch(path.name):
        return BIDS
    for capture_format in FORMATS:
        if name.endswith(capture_format.suffixes):
            return capture_format
    refuse_known(path, source)
    endings = ", ".join(suffix for f in FORMATS for suffix in f.suffixes)
    raise InputError(
        source,
        "the file name has none of the known endings",
        f"name it one of {endings}",
    )
