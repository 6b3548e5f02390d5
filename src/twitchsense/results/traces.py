"""The file ``traces.npz``: per-second statistics, samples around each event, exact numbers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.channels import Channel, Kind
from twitchsense.model.per_second import PerSecond
from twitchsense.report.event_windows import EventWindow
from twitchsense.report.protocols import NightLike
from twitchsense.settings import Settings

TRACES_FILE: Final = "traces.npz"
_VERSION: Final = 1
#: Tables of a night whose numbers are stored exactly.
_TABLES: Final = ("events", "rejected", "epochs")


class NightWithHours(NightLike, Protocol):
    """A night whose valid time and samples around events are known."""

    def event_windows(self) -> list[EventWindow]:
        """Return the samples around each event."""
        ...

    def valid_hours(self) -> pd.DataFrame:
        """Return the hours of valid signal by sensor, leg, context and stage."""
        ...

    def _result_files(
        self, words: str | None, report: Callable[[], str] | None
    ) -> Iterable[tuple[str, str | bytes]]:
        """Return names and contents of the result files; see `results.save.format_files`."""
        ...


@dataclass(frozen=True, slots=True)
class StoredTraces:
    """The content of ``traces.npz``.

    Attributes
    ----------
    settings : Settings
        Settings of the analysis.
    channels : tuple of Channel
    bounds_ns : (int, int)
        Start and end of the recording on its own axis.
    seconds : dict of channel name to PerSecond
    traces : list of EventWindow
        Samples around each event.
    exact : dict of table name to dict of column name to ndarray of float64
        The numbers of the tables, which are rounded in the CSV files; empty in files of
        earlier versions.
    valid_hours : DataFrame or None
        Hours of valid signal by sensor, leg, context and stage; None in files of earlier
        versions.
    """

    settings: Settings
    channels: tuple[Channel, ...]
    bounds_ns: tuple[int, int]
    seconds: dict[str, PerSecond]
    traces: list[EventWindow]
    exact: dict[str, dict[str, NDArray[np.float64]]]
    valid_hours: pd.DataFrame | None


def pack_traces(night: NightWithHours) -> bytes:
    """Return the content of ``traces.npz`` for a night.

    Parameters
    ----------
    night : Night

    Returns
    -------
    bytes
        A compressed npz archive without pickled objects.
    """
    traces = night.event_windows()
    arrays: dict[str, NDArray[Any]] = {}
    for name, seconds in night.seconds.items():
        for member, values in _pack_seconds(seconds).items():
            arrays[f"seconds/{name}/{member}"] = values
    for table_name in _TABLES:
        table = getattr(night, table_name)
        for column in table.columns[table.dtypes == np.float64]:
            arrays[f"{table_name}/{column}"] = table[column].to_numpy()
    for channel in night.recording.channels:
        samples = [t.samples for t in traces if t.channel == channel.name]
        arrays[f"samples/{channel.name}"] = np.concatenate(
            [*samples, np.empty((0, channel.width), np.int16)]
        )
    meta = {
        "version": _VERSION,
        "start_ns": night.recording.start_ns,
        "end_ns": night.recording.end_ns,
        "settings": night.settings.model_dump(mode="json"),
        "channels": [_pack_channel(c) for c in night.recording.channels],
        "valid_hours": night.valid_hours().to_dict(orient="split", index=False),
        "traces": [[t.event, t.channel, t.start_ns, t.fs, len(t.samples)] for t in traces],
    }
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack_traces(content: bytes) -> StoredTraces:
    """Read the content of ``traces.npz``.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    StoredTraces

    Raises
    ------
    ValueError, KeyError, TypeError, OSError, zipfile.BadZipFile
        If the content is not as `pack_traces` writes it.
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        meta = json.loads(arrays["meta"].tobytes())
        channels = tuple(_unpack_channel(c) for c in meta["channels"])
        seconds = {
            c.name: _unpack_seconds(arrays, f"seconds/{c.name}/", c.kind)
            for c in channels
            if f"seconds/{c.name}/time_ns" in arrays
        }
        samples = {c.name: arrays[f"samples/{c.name}"] for c in channels}
        return StoredTraces(
            Settings.model_validate(meta["settings"]),
            channels,
            (int(meta["start_ns"]), int(meta["end_ns"])),
            seconds,
            _unpack_windows(meta["traces"], samples),
            {name: _unpack_numbers(arrays, name) for name in _TABLES},
            pd.DataFrame(**hours) if (hours := meta.get("valid_hours")) is not None else None,
        )


def _pack_channel(channel: Channel) -> dict[str, Any]:
    return {
        "name": channel.name,
        "kind": channel.kind,
        "unit": channel.unit,
        "fs": channel.fs,
        "columns": channel.columns,
        "leg": channel.leg,
        "fs_error": channel.fs_error,
        "clock": channel.clock,
        "clock_error_s": channel.clock_error_s,
        "clock_errors": channel.clock_errors,
    }


def _unpack_channel(stored: dict[str, Any]) -> Channel:
    errors = tuple((int(at), float(e)) for at, e in stored.get("clock_errors", ()))
    return Channel(**{**stored, "columns": tuple(stored["columns"]), "clock_errors": errors})


def _pack_seconds(table: PerSecond) -> dict[str, NDArray[Any]]:
    """Name the arrays as they are named in the file."""
    return {
        "time_ns": table.time_ns,
        "length_s": table.length_s,
        "valid": table.valid,
        "low": table.min,
        "high": table.max,
        "level": table.level,
        "busy": table.active_fraction,
        "vector": table.mean_vector,
    }


def _unpack_seconds(arrays: Mapping[str, NDArray[Any]], prefix: str, kind: Kind) -> PerSecond:
    return PerSecond(
        time_ns=arrays[f"{prefix}time_ns"],
        length_s=arrays[f"{prefix}length_s"],
        valid=arrays[f"{prefix}valid"],
        min=arrays[f"{prefix}low"],
        max=arrays[f"{prefix}high"],
        level=arrays[f"{prefix}level"],
        active_fraction=arrays[f"{prefix}busy"],
        mean_vector=arrays[f"{prefix}vector"],
        kind=kind,
    )


def _unpack_numbers(
    arrays: Mapping[str, NDArray[Any]], table: str
) -> dict[str, NDArray[np.float64]]:
    keys = [key for key in arrays if key.startswith(f"{table}/")]
    return {key.partition("/")[2]: arrays[key].astype(np.float64) for key in keys}


def _unpack_windows(
    rows: Sequence[Sequence[Any]], samples: Mapping[str, NDArray[np.int16]]
) -> list[EventWindow]:
    position = dict.fromkeys(samples, 0)
    traces: list[EventWindow] = []
    for event, channel, start_ns, fs, n in rows:
        first = position[channel]
        position[channel] = first + int(n)
        window = samples[channel][first : first + n]
        traces.append(EventWindow(int(event), channel, int(start_ns), float(fs), window))
    return traces
