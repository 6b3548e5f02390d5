"""A result directory, opened again: what the report needs, without the recording.

`analyze` leaves ``traces.npz`` beside its tables: how each channel looked second by
second, and the samples around each event. Together with the tables that is enough to
draw everything the report shows.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.model.detections import Seconds
from twitchsense.model.event_table import EVENT_COLUMNS, REJECTED_COLUMNS
from twitchsense.model.recording import NS, ArraySamples, Channel, Recording, Segment
from twitchsense.report.event_windows import MISSING, QUANTUM, Trace, gather
from twitchsense.scoring.summary_file import CURE, read_summary, read_text
from twitchsense.settings import Settings

if TYPE_CHECKING:
    from twitchsense.report.protocols import NightLike

TRACES: Final = "traces.npz"


@dataclass(frozen=True, slots=True)
class SavedOnset:
    """Sleep onset as ``summary.json`` has it."""

    time_s: float | None
    low_s: float | None
    high_s: float | None
    source: str


@dataclass(frozen=True)
class SavedNight:
    """A night read from the files of `analyze`: the fields that views read.

    Attributes
    ----------
    directory : Path
    facts : dict
        The content of ``summary.json``.
    settings : Settings
    recording : Recording
        Only the samples around events; its length is that of the night.
    events, rejected, epochs : DataFrame
    seconds : mapping of channel name to Seconds
    traces : list of Trace
    """

    directory: Path
    facts: dict[str, Any]
    settings: Settings
    recording: Recording
    events: pd.DataFrame
    rejected: pd.DataFrame
    epochs: pd.DataFrame
    seconds: Mapping[str, Seconds]
    traces: list[Trace]

    @cached_property
    def onset(self) -> SavedOnset:
        """Sleep onset."""
        given = self.facts["sleep_onset"]
        return SavedOnset(given["time_s"], given["low_s"], given["high_s"], given["source"])

    @property
    def notes(self) -> Sequence[str]:
        """What the reader and the analysis wanted the user to know."""
        return [str(n) for n in self.facts["notes"]]

    @property
    def valid_s(self) -> Mapping[str, float]:
        """Seconds of valid signal per channel."""
        return {name: float(s) for name, s in self.facts["valid_s"].items()}

    def summary_dict(self) -> dict[str, Any]:
        """Return the content of ``summary.json``."""
        return self.facts


def pack(night: NightLike) -> bytes:
    """Return the content of ``traces.npz`` for a night."""
    arrays: dict[str, NDArray[Any]] = {}
    meta = {
        "version": 1,
        "start_ns": night.recording.start_ns,
        "end_ns": night.recording.end_ns,
        "settings": night.settings.model_dump(mode="json"),
        "channels": [
            {f.name: getattr(c, f.name) for f in fields(Channel)} for c in night.recording.channels
        ],
        "traces": [],
    }
    traces = gather(night)
    for name, table in night.seconds.items():
        for field in fields(Seconds):
            arrays[f"seconds/{name}/{field.name}"] = getattr(table, field.name)
    for channel in night.recording.channels:
        mine = [t.samples for t in traces if t.channel == channel.name]
        arrays[f"samples/{channel.name}"] = np.concatenate(
            [*mine, np.empty((0, channel.width), np.int16)]
        )
    meta["traces"] = [[t.event, t.channel, t.start_ns, t.fs, len(t.samples)] for t in traces]
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def open_saved(directory: Path) -> SavedNight:
    """Open the results of `analyze`.

    Raises
    ------
    InputError
        If a file is missing or is not as `analyze` writes it.
    """
    facts = read_summary(directory)
    events = read_table(directory / "events.csv", EVENT_COLUMNS)
    rejected = read_table(directory / "rejected.csv", REJECTED_COLUMNS)
    epochs = _epochs(directory / "epochs.csv")
    path = directory / TRACES
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            meta = json.loads(arrays["meta"].tobytes())
            channels = tuple(
                Channel(**{**c, "columns": tuple(c["columns"])}) for c in meta["channels"]
            )
            seconds = {
                c.name: Seconds(*(arrays[f"seconds/{c.name}/{f.name}"] for f in fields(Seconds)))
                for c in channels
                if f"seconds/{c.name}/time_ns" in arrays
            }
            traces = _traces(
                meta["traces"], {c.name: arrays[f"samples/{c.name}"] for c in channels}
            )
            settings = Settings.model_validate(meta["settings"])
            bounds = int(meta["start_ns"]), int(meta["end_ns"])
        segments = _segments(channels, traces)
        recording = Recording(
            channels,
            segments,
            facts["clock"]["start_utc_ns"],
            facts["clock"]["zone"],
            facts["provenance"]["source"],
            facts["provenance"]["sha256"],
            covers_ns=bounds,
        )
        if any(t.event >= len(events) for t in traces):
            raise ValueError("more events than rows")
    except FileNotFoundError as error:
        raise InputError(str(path), "is missing", CURE) from error
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(str(path), f"cannot be used ({error})", CURE) from error
    return SavedNight(
        directory, facts, settings, recording, events, rejected, epochs, seconds, traces
    )


def read_table(path: Path, columns: Sequence[Any]) -> pd.DataFrame:
    """Return an event table as `analyze` wrote it.

    Raises
    ------
    InputError
        If it is missing, or a column of the schema is.
    """
    kinds = {c.name: c.dtype for c in columns}
    text = {name: "object" for name, kind in kinds.items() if kind != "float64"}
    try:
        empty = {name: [""] for name in kinds if name not in text}
        table = pd.read_csv(
            io.StringIO(read_text(path)), dtype=text, keep_default_na=False, na_values=empty
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(str(path), f"is no table of events ({error})", CURE) from error
    for name, kind in kinds.items():
        if name not in table:
            raise InputError(str(path), f"has no column {name!r}", CURE)
        if kind == "float64":
            table[name] = pd.to_numeric(table[name], errors="coerce")
    return table


def _epochs(path: Path) -> pd.DataFrame:
    table = pd.read_csv(io.StringIO(read_text(path)), keep_default_na=False)
    for name in ("onset", "duration", "context"):
        if name not in table:
            raise InputError(str(path), f"has no column {name!r}", CURE)
    return table


def _traces(rows: list[list[Any]], samples: Mapping[str, NDArray[np.int16]]) -> list[Trace]:
    done = dict.fromkeys(samples, 0)
    out: list[Trace] = []
    for event, channel, start_ns, fs, n in rows:
        first = done[channel]
        done[channel] = first + int(n)
        out.append(
            Trace(
                int(event), channel, int(start_ns), float(fs), samples[channel][first : first + n]
            )
        )
    return out


def _segments(channels: Sequence[Channel], traces: list[Trace]) -> tuple[Segment, ...]:
    """Return the windows as gap-free segments that don't overlap."""
    out: list[Segment] = []
    for channel in channels:
        mine = sorted((t for t in traces if t.channel == channel.name), key=lambda t: t.start_ns)
        end_ns = -math.inf
        period = NS / channel.fs
        for t in mine:
            seen = t.samples[:, 0] != MISSING
            edges = np.flatnonzero(np.diff(np.concatenate([[0], seen.astype(np.int8), [0]])))
            for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
                start = t.start_ns + round(a * period)
                if start < end_ns - period / 2:  # what the window before it holds already
                    a += round((end_ns - start) / period)
                    start = t.start_ns + round(a * period)
                if a >= b:
                    continue
                values = (t.samples[a:b] * QUANTUM[channel.kind]).astype(np.float32)
                out.append(Segment(channel.name, start, ArraySamples(values)))
                end_ns = t.start_ns + round(b * period)
    return tuple(out)
