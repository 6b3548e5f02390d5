"""Movesense JSON: files of Movesense Showcase, and of log converters (sbem2json).

The text is a long list of packets, each with the time of its first sample in milliseconds of
the sensor's clock and some vectors in m/s². It is scanned for these in blocks, so that memory
stays bounded whatever surrounds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from twitchsense.errors import InputError
from twitchsense.io.channels.capture import ColumnMapping
from twitchsense.io.tables.local_clock import TimeOptions
from twitchsense.io.tables.table_capture import CHUNK_ROWS, TableBlock, TableCapture
from twitchsense.io.tables.table_layout import TableLayout, parse_header
from twitchsense.io.tables.typed_table import TypedTable
from twitchsense.io.text.csv_rows import open_stream

#: Bytes read at once.
_READ_BYTES: Final = 1 << 20
#: Longest packet in bytes.
_MAX_PACKET_BYTES: Final = 1 << 16
#: A packet of acceleration: the time of its first sample and its vectors.
_PACKET: Final = re.compile(
    rb'"Timestamp"\s*:\s*(\d+)\s*,\s*"ArrayAcc"\s*:\s*\[([^\]]*)\]'
    rb'|"ArrayAcc"\s*:\s*\[([^\]]*)\]\s*,\s*"Timestamp"\s*:\s*(\d+)'
)
_AXIS: Final = re.compile(rb'"([xyz])"\s*:\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(?=,|$)')
_HEADERS: Final = ("Timestamp", "x", "y", "z")


class MovesenseJson(TypedTable):
    """A Movesense JSON file as a `Table`.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    mapping : ColumnMapping

    Raises
    ------
    InputError
        If the file holds no acceleration, or the first packet is damaged.
    """

    headers = _HEADERS

    def __init__(self, path: Path, source: str, mapping: ColumnMapping) -> None:
        self.path = path
        self.source = source
        presets = {"Timestamp": "time_ms"} | {axis: f"acc_{axis}_ms2" for axis in "xyz"}
        self.layout: TableLayout = parse_header(source, _HEADERS, mapping, presets=presets)
        if next(self._packets(), None) is None:
            raise InputError(
                source,
                "this JSON file holds no acceleration of a Movesense sensor",
                "give a file with ArrayAcc (Showcase or sbem2json), or export CSV; sleep data of a "
                "watch goes with --hypnogram",
            )

    def blocks(self, rows: int = CHUNK_ROWS) -> Iterator[TableBlock]:
        """Yield all samples in blocks.

        Parameters
        ----------
        rows : int
            Maximum number of samples of a block, but for the last packet.

        Raises
        ------
        InputError
            If a sample is not three numbers.
        """
        times: list[int] = []
        samples: list[tuple[float, float, float]] = []
        first_row = 0
        for time, vectors in self._packets():
            times += [time] * len(vectors)
            samples += vectors
            if len(times) >= rows:
                yield self._block(first_row, times, samples)
                first_row += len(times)
                times, samples = [], []
        if times:
            yield self._block(first_row, times, samples)

    def time_resolution_ns(self, time: str, unit_ns: float) -> int:
        """Return the resolution of the times: a millisecond.

        Parameters
        ----------
        time : str
        unit_ns : float
        """
        return round(unit_ns)

    def locate_row(self, row: int) -> str:
        """Return the number of a sample, counted from one."""
        return f"sample {row + 1}"

    @staticmethod
    def _block(
        first_row: int, times: list[int], samples: list[tuple[float, float, float]]
    ) -> TableBlock:
        values = np.array(samples, np.float64).reshape(-1, 3)
        signals = {axis: values[:, i] for i, axis in enumerate("xyz")}
        return TableBlock(first_row, {"Timestamp": pd.Series(times)}, signals)

    def _packets(self) -> Iterator[tuple[int, list[tuple[float, float, float]]]]:
        """Yield the time (ms) and the vectors of each packet."""
        rest = b""
        with open_stream(self.path) as stream:
            while data := stream.read(_READ_BYTES):
                data = rest + data
                end = 0
                for match in _PACKET.finditer(data):
                    end = match.end()
                    body = match[2] if match[1] is not None else match[3]
                    time = int(match[1] if match[1] is not None else match[4])
                    yield time, self._vectors(body, time)
                rest = data[end:][-_MAX_PACKET_BYTES:]

    def _vectors(self, body: bytes, time: int) -> list[tuple[float, float, float]]:
        """Return the vectors of the packet of a time (ms)."""
        vectors = []
        for part in body.split(b"}"):
            if not part.strip():  # after the last vector
                continue
            axes = {m[1]: float(m[2]) for m in _AXIS.finditer(part)}
            if len(axes) != 3:
                raise InputError(
                    self.source,
                    "a sample is not three numbers x, y and z",
                    "export the file again",
                    f"Timestamp {time}",
                )
            vectors.append((axes[b"x"], axes[b"y"], axes[b"z"]))
        return vectors


def open_movesense_json(
    path: Path, source: str, mapping: ColumnMapping, zone: str | None
) -> TableCapture:
    """Open a Movesense JSON file.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    mapping : ColumnMapping
    zone : str or None
        Unused: the sensor's clock has no date.

    Returns
    -------
    TableCapture
    """
    notes = [f"{source}: read as Movesense JSON; times are those of the sensor's clock"]
    return TableCapture(MovesenseJson(path, source, mapping), TimeOptions(zone=zone), None, notes)
