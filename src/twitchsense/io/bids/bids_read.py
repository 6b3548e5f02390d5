"""Captures in BIDS data sets: EMG in EDF or BDF, tables of motion, EMG and physiology.

The sidecars say which channels are EMG or acceleration, and in which unit; ``scans.tsv`` says
when a file begins.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.bids.bids_names import (
    find_start,
    number_of,
    read_sidecar_json,
    read_sidecar_table,
)
from twitchsense.io.channels.capture import ColumnMapping, ignored_columns_note
from twitchsense.io.channels.channel_builder import ChannelBuilder
from twitchsense.io.channels.labelled_signals import LabelledSignal, plan_signals
from twitchsense.io.channels.local_start import local_to_utc
from twitchsense.io.edf.edf import EdfCapture
from twitchsense.model.channels import NS
from twitchsense.model.notes import Note, with_source
from twitchsense.model.units import parse_unit

#: Rows that are read at once.
_BLOCK_ROWS: Final = 1 << 17
_LEG: Final = re.compile(r"(?:^|[^a-z])(left|right|l|r)(?:$|[^a-z])|^(left|right)", re.IGNORECASE)
_LEGS: Final = {"left": "left", "l": "left", "right": "right", "r": "right"}
#: Types of channels: of EMG and an accelerometer, and of the column of times.
_EMG: Final = "EMG"
_ACCEL: Final = "ACCEL"
_LATENCY: Final = "LATENCY"


class BidsEmgCapture(EdfCapture):
    """EMG of a BIDS data set as a `Capture`: EDF or BDF with ``channels.tsv``.

    Channels marked as bad are left out. See `EdfCapture` for the parameters.
    """

    def __init__(self, path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> None:
        self._rows = {row.get("name", ""): row for row in read_sidecar_table(path, "channels")}
        self._bad = [n for n, row in self._rows.items() if row.get("status") == "bad"]
        self._path = path
        self._start_note = ""
        super().__init__(path, source, mapping, zone)
        if self._start_note:
            self.notes += (with_source(source, self._start_note),)
        if self._bad:
            self.notes += (
                Note("unread", f"{source}: marked as bad and left out: {', '.join(self._bad)}"),
            )

    def _describe(self) -> list[LabelledSignal | None]:
        """Describe the signals by ``channels.tsv``, where it has them."""
        described: list[LabelledSignal | None] = []
        count = 0
        for signal in self._header.signals:
            row = self._rows.get(signal.label)
            own = signal.described
            if own is None or row is None or signal.label in self._bad:
                described.append(None if signal.label in self._bad else own)
                continue
            unit = own.unit if parse_unit(own.unit) else row.get("units", "") or own.unit
            suggested = ""
            if row.get("type") == _EMG:
                count += 1
                suggested = _emg_name(count, row)
            described.append(LabelledSignal(own.label, unit, suggested))
        return described

    def _find_zero(self, zone: str | None) -> tuple[str, int]:
        """Return time axis and zero by the header, or by ``scans.tsv`` if it has no start."""
        if self._header.start_utc(zone) is None:
            utc_ns, since_s, self._start_note = _start_of(self._path, zone)
            if utc_ns is not None:
                return "time_utc", utc_ns - self._first_onset_ns()
            if since_s is not None and zone is None:
                return "time_s", round(since_s * NS) - self._first_onset_ns()
        return super()._find_zero(zone)


class BidsTableCapture:
    """A table of a BIDS data set without a header as a `Capture`: motion, EMG or physiology.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    mapping : ColumnMapping
        Of the names in ``channels.tsv``, or of the columns in the JSON file.
    zone : str or None
        IANA time zone of the times in ``scans.tsv``, if they have none.

    Raises
    ------
    InputError
        If nothing names the columns, or there is no signal or no sampling rate.
    """

    def __init__(self, path: Path, source: str, mapping: ColumnMapping, zone: str | None) -> None:
        self.source = source
        self._path = path
        sidecar = read_sidecar_json(path, source)
        rows = _columns_of(sidecar) or read_sidecar_table(path, "channels")
        if not rows:
            raise InputError(
                source,
                "has no channels.tsv, and no JSON file that names its Columns",
                "add one beside the file",
            )
        self.headers: Sequence[str] = tuple(row.get("name", "") for row in rows)
        plan = plan_signals(source, _describe_columns(rows), mapping)
        self.plans = plan.channels
        self._index, self._factors = plan.index, plan.factors
        types = [row.get("type", "") for row in rows]
        self._latency = types.index(_LATENCY) if _LATENCY in types else None
        self._fs = number_of(sidecar, ("SamplingFrequencyEffective", "SamplingFrequency"))
        if self._latency is None and self._fs is None:
            raise InputError(
                source,
                "has neither a LATENCY channel nor a SamplingFrequency",
                "add SamplingFrequency to its JSON file",
            )
        utc_ns, since_s, start_note = _start_of(path, zone)
        self.time_axis = "time_s" if utc_ns is None else "time_utc"
        self._zero_ns = round((since_s or 0.0) * NS) if utc_ns is None else utc_ns
        begin_s = sidecar.get("StartTime")  # of physiology, after the data beside it
        if isinstance(begin_s, (int, float)) and abs(begin_s) < _MAX_LATENCY_S:
            self._zero_ns += round(begin_s * NS)
        self.notes = (
            *ignored_columns_note(source, plan.ignored),
            *plan.notes,
            *((with_source(source, start_note),) if start_note else ()),
        )

    def first_time_ns(self) -> int:
        """Return the time of the first row in ns."""
        for times_ns, _ in self._blocks(1):
            return int(times_ns[0])
        raise InputError(self.source, "has no rows", "give a capture with samples")

    def read_into(self, builders: Mapping[str, ChannelBuilder]) -> tuple[int, int]:
        """Append all samples to the builders of their channels; see `Capture.read_into`."""
        ends: list[int] = []
        for times_ns, values in self._blocks(_BLOCK_ROWS):
            early = ends and times_ns[0] <= ends[-1]
            if early or (np.diff(times_ns) <= 0).any():
                raise InputError(
                    self.source, "time runs backwards", "sort its rows by time", "column LATENCY"
                )
            ends += int(times_ns[0]), int(times_ns[-1])
            for plan in self.plans:
                columns = [values[self._index[n]] * self._factors[n] for n in plan.names]
                builders[plan.name].append(times_ns, columns)
        return ends[0], ends[-1]

    def locate(self, time_ns: int) -> str | None:
        """Return a time as seconds from the start of the file, for messages."""
        return f"{(time_ns - self._zero_ns) / NS:.3f} s"

    def _blocks(
        self, rows: int
    ) -> Iterator[tuple[NDArray[np.int64], dict[int, NDArray[np.float64]]]]:
        """Yield times and the used columns of blocks of rows."""
        used = sorted({*self._index.values(), *([] if self._latency is None else [self._latency])})
        try:
            with pd.read_csv(
                self._path,
                sep="\t",
                header=None,
                chunksize=rows,
                na_values=["n/a"],
                encoding_errors="replace",
            ) as reader:
                done = 0
                for table in reader:
                    if table.shape[1] != len(self.headers):
                        raise ValueError(f"it has {table.shape[1]}")
                    values = {
                        i: pd.to_numeric(table[i], errors="coerce").to_numpy(np.float64)
                        for i in used
                    }
                    if len(table):
                        yield self._times(values, done, len(table)), values
                    done += len(table)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(
                self.source, f"damaged gzip data ({error})", "compress or copy it again"
            ) from error
        except (ValueError, pd.errors.ParserError) as error:
            raise InputError(
                self.source,
                f"is not a table of {len(self.headers)} columns ({error})",
                "export it again",
            ) from error

    def _times(
        self, values: Mapping[int, NDArray[np.float64]], first: int, count: int
    ) -> NDArray[np.int64]:
        if self._latency is None:
            assert self._fs is not None
            seconds = np.arange(first, first + count) / self._fs
        else:
            seconds = values[self._latency]
            bad = np.flatnonzero(~(np.abs(seconds) < _MAX_LATENCY_S))
            if len(bad):
                raise InputError(
                    self.source,
                    "the latency is not a number of seconds",
                    "correct it or leave the row out",
                    f"line {first + int(bad[0]) + 1}",
                )
        times: NDArray[np.int64] = self._zero_ns + np.rint(seconds * NS).astype(np.int64)
        return times


#: Largest latency in s that is a latency.
_MAX_LATENCY_S: Final = 1e8


def _describe_columns(rows: Sequence[Mapping[str, str]]) -> list[LabelledSignal | None]:
    """Describe the columns of a table; names for acceleration by the tracked point."""
    points = list(
        dict.fromkeys(r.get("tracked_point", "") for r in rows if r.get("type") == _ACCEL)
    )
    described: list[LabelledSignal | None] = []
    count = 0
    for row in rows:
        axis = row.get("component", "").casefold()
        if row.get("type") == _LATENCY or row.get("status") == "bad":
            described.append(None)
            continue
        suggested = ""
        if row.get("type") == _EMG:
            count += 1
            suggested = _emg_name(count, row)
        elif row.get("type") == _ACCEL and axis in ("x", "y", "z"):
            point = row.get("tracked_point", "")
            number = str(points.index(point) + 1) if len(points) > 1 else ""
            leg = _leg(f"{point} {row.get('placement', '')}")
            suggested = f"acc{number}{leg}_{axis}"
        described.append(LabelledSignal(row.get("name", ""), row.get("units", ""), suggested))
    return described


def _columns_of(sidecar: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the columns that the JSON file of physiology names, as rows of ``channels.tsv``."""
    names = sidecar.get("Columns")
    rows: list[dict[str, str]] = []
    for name in map(str, names if isinstance(names, list) else []):
        about = sidecar.get(name)
        unit = str(about.get("Units", "")) if isinstance(about, dict) else ""
        rows.append({"name": name, "units": unit})
    return rows


def _emg_name(number: int, row: Mapping[str, str]) -> str:
    """Return our name of an EMG channel, with the leg of its muscle."""
    where = " ".join(row.get(key, "") for key in ("name", "target_muscle", "group"))
    return f"emg{number}{_leg(where)}"


def _leg(text: str) -> str:
    match = _LEG.search(text.replace("_", " "))
    return f"_{_LEGS[(match[1] or match[2]).casefold()]}" if match else ""


def _start_of(path: Path, zone: str | None) -> tuple[int | None, float | None, str]:
    """Return what ``scans.tsv`` says of the first sample.

    Returns
    -------
    utc_ns : int or None
        None if it is unknown.
    since_s : float or None
        Seconds after the earliest file of the table.
    note : str
        As of `local_to_utc`.
    """
    start, since_s = find_start(path)
    note = ""
    if start is not None and start.tzinfo is None and zone is not None:
        start, note = local_to_utc(start, zone)
    if start is None or start.tzinfo is None:
        return None, since_s, ""
    return round(start.astimezone(UTC).timestamp() * 1e6) * 1000, since_s, note
