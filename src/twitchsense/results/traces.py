"""The file ``traces.npz``: per-second statistics and the samples around each event."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import NS, ArraySamples, Channel, Kind, Segment
from twitchsense.model.intervals import runs_of
from twitchsense.model.per_second import PerSecond
from twitchsense.report.event_windows import (
    MISSING_SAMPLE,
    RESOLUTION,
    EventWindow,
    cut_event_windows,
)
from twitchsense.settings import Settings

if TYPE_CHECKING:
    from twitchsense.report.protocols import NightLike

TRACES_FILE: Final = "traces.npz"
_VERSION: Final = 1


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
    """

    settings: Settings
    channels: tuple[Channel, ...]
    bounds_ns: tuple[int, int]
    seconds: dict[str, PerSecond]
    traces: list[EventWindow]


def pack_traces(night: NightLike) -> bytes:
    """Return the content of ``traces.npz`` for a night.

    Parameters
    ----------
    night : Night

    Returns
    -------
    bytes
        A compressed npz archive without pickled objects.
    """
    traces = cut_event_windows(night)
    arrays: dict[str, NDArray[Any]] = {}
    for name, table in night.seconds.items():
        for member, values in _pack_seconds(table).items():
            arrays[f"seconds/{name}/{member}"] = values
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
        channels = tuple(Channel(**{**c, "columns": tuple(c["columns"])}) for c in meta["channels"])
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
        )


def to_segments(channels: Sequence[Channel], traces: Sequence[EventWindow]) -> tuple[Segment, ...]:
    """Join the windows of each channel into gap-free segments that don't overlap.

    Parameters
    ----------
    channels : sequence of Channel
    traces : sequence of EventWindow

    Returns
    -------
    tuple of Segment
        In the order of the channels, then of time.
    """
    segments: list[Segment] = []
    for channel in channels:
        windows = sorted((t for t in traces if t.channel == channel.name), key=lambda t: t.start_ns)
        end_ns = -math.inf
        period = NS / channel.fs
        for t in windows:
            present = t.samples[:, 0] != MISSING_SAMPLE
            for first, stop in runs_of(present):
                start_ns = t.start_ns + round(first * period)
                if start_ns < end_ns - period / 2:  # overlaps the window before it
                    first += round((end_ns - start_ns) / period)
                    start_ns = t.start_ns + round(first * period)
                if first >= stop:
                    continue
                values = (t.samples[first:stop] * RESOLUTION[channel.kind]).astype(np.float32)
                segments.append(Segment(channel.name, start_ns, ArraySamples(values)))
                end_ns = t.start_ns + round(stop * period)
    return tuple(segments)


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
    }


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
