"""A night file followed while a recorder writes it.

Only what is on disk is shown, so the view can neither lose nor delay a sample: it
reads what was committed, in the order of its rows, and may be closed at any time.
"""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from bisect import insort
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from twitchsense.devices.framing import PacketError
from twitchsense.devices.v1_frames import MARKER_TYPE, Frame, decode_frame
from twitchsense.errors import InputError
from twitchsense.live.device_stream import DeviceStream
from twitchsense.live.event_updates import EventUpdate
from twitchsense.live.waveform_buffer import WaveformBuffer
from twitchsense.model.channels import NS, Chunk
from twitchsense.nightfile.lock import is_being_written
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.report.palette import kind_name
from twitchsense.report.time_labels import format_duration
from twitchsense.text import printable

#: Rows read at once; more wait for the next look.
BATCH_ROWS: Final = 4000
#: Events kept for showing.
_MAX_EVENTS: Final = 50
_MAX_MARKER_CHARS: Final = 200
#: What the newest entry of a device in the log of the connection means.
_STATUS_TEXTS: Final = {
    "connected": "connected",
    "lost": "connection lost, trying again",
    "failed": "not connected, trying again",
    "refused": "answers with what is no sense, trying again",
    "error": "an error, trying again",
    "stopped": "the recording was ended",
}
#: Without a frame for so long, the link is called silent; so often it is asked if anyone records.
SILENT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """A movement, as found while recording; until it is settled it may still change."""

    time_ns: int
    kind: str
    duration_s: float
    channel: str
    settled: bool

    @property
    def told(self) -> list[Any]:
        """Time in s, kind in words, duration in s, channel, settled: what a view shows."""
        seconds = round(self.duration_s, 3)
        return [self.time_ns / NS, kind_name(self.kind), seconds, self.channel, self.settled]


@dataclass
class NightFollower:
    """What a live view shows. All methods may be called from any thread.

    Parameters
    ----------
    path : Path
        A night file, being written or finished.

    Attributes
    ----------
    frames : int
        Frames read so far; `lost` were given up by the recorder.
    batteries : dict of str to int
        Percent left, by key of the device.
    events : list of LiveEvent
        The newest 50.
    counts : Counter
        Events of each kind since the view was opened.
    """

    path: Path
    frames: int = 0
    lost: int = 0
    batteries: dict[str, int] = field(default_factory=dict)
    newest_ns: int = 0
    events: list[LiveEvent] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    trails: dict[str, WaveformBuffer] = field(default_factory=dict)
    _lanes: dict[int, DeviceStream] = field(default_factory=dict)
    _links: dict[str, str] = field(default_factory=dict)
    _after: dict[str, int] = field(
        default_factory=lambda: {"packet": 0, "loss": 0, "link": 0, "battery": 0}
    )
    _fluid: dict[tuple[int, int], LiveEvent] = field(default_factory=dict)  # not settled yet
    _asked_s: float = -math.inf
    _recorded: bool = True
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def look(self) -> int:
        """Read what is new; return how many frames that was.

        Raises
        ------
        InputError
            If the file is no night file, or damaged.
        """
        with self._lock:
            reader = NightFileReader(self.path)
            try:
                for source in reader.boots:
                    if source.id not in self._lanes:
                        self._open(source.id, source.device, source.info)
                rows = self._new(reader, "packet", "boot, arrival_ns, data")
                came: dict[int, list[tuple[Frame, int]]] = {}
                for boot, arrival_ns, data in rows:
                    frame = self._decode(int(boot), bytes(data))
                    if frame is not None:
                        self.newest_ns = max(self.newest_ns, int(arrival_ns))
                        came.setdefault(int(boot), []).append((frame, int(arrival_ns)))
                for boot, frames in came.items():
                    lane = self._lanes[boot]
                    for row in lane.push(frames):
                        astray_ns = lane.astray_ns(row.finding.onset_ns)
                        self._note((boot, row.number), row, astray_ns)
                for first, last in self._new(reader, "loss", "first, last"):
                    self.lost += 0 if last is None else int(last) - int(first) + 1
                for device, event in self._new(reader, "link", "device, event"):
                    if str(event) in _STATUS_TEXTS:
                        self._links[str(device)] = str(event)
                for row_id, device, percent in reader.battery_readings(self._after["battery"]):
                    self._after["battery"], self.batteries[device] = row_id, percent
            finally:
                reader.close()
            self.frames += len(rows)
            return len(rows)

    @property
    def link(self) -> str:
        """How it stands with the connections, in words."""
        words = {key: _STATUS_TEXTS[event] for key, event in self._links.items()}
        if len(set(words.values())) > 1:
            return ", ".join(f"{printable(key[-4:])}: {w}" for key, w in words.items())
        return next(iter(words.values()), "waiting for the first connection")

    def mark(self, text: str) -> None:
        """Store a marker in the night file, beside what the recorder writes.

        Raises
        ------
        InputError
            If it can't be stored.
        """
        clean = printable(text[:_MAX_MARKER_CHARS]).strip()
        uri = self.path.absolute().as_uri() + "?mode=rw"
        try:
            with self._lock:
                db = sqlite3.connect(uri, uri=True, timeout=10)
                try:
                    with db:
                        db.execute(
                            "INSERT INTO marker (time_ns, text) VALUES (?, ?)",
                            (time.time_ns(), clean or "marker"),
                        )
                finally:
                    db.close()
        except sqlite3.Error as error:
            raise InputError(
                str(self.path), f"took no marker ({error})", "try again, or write the time down"
            ) from error

    def state(self, *, counts: bool, now_s: float | None = None) -> dict[str, Any]:
        """Return what is to be shown, as plain data.

        Parameters
        ----------
        counts : bool
            Whether to tell how many events there were; at night better not.
        now_s : float, optional
            UTC; the right edge of the trails. The newest sample, if that is not near.
        """
        with self._lock:
            newest = self.newest_ns / NS
            now = time.time() if now_s is None else now_s
            until = now if abs(now - newest) < 60 else newest
            ended = bool(self._links) and set(self._links.values()) == {"stopped"}
            silent = bool(self.newest_ns) and not ended and now - newest > SILENT_S
            over = ended or (silent and not self._is_recorded())
            return {
                "link": self._tell_link(now - newest, ended=ended, silent=silent, over=over),
                "silent": silent,
                "over": over,
                "frames": self.frames,
                "lost": self.lost,
                "battery": " and ".join(f"{p} %" for p in self.batteries.values()) or "unknown",
                "until": until,
                "newest": newest,
                "trails": [
                    {
                        "name": name,
                        "kind": trail.channel.kind,
                        "columns": trail.columns(until),
                    }
                    for name, trail in self.trails.items()
                ],
                "events": [e.told for e in self.events[:-9:-1]],
                "counts": {kind_name(k, n): n for k, n in self.counts.items()} if counts else None,
            }

    def _tell_link(self, age_s: float, *, ended: bool, silent: bool, over: bool) -> str:
        if over and self.newest_ns:
            last = datetime.fromtimestamp(self.newest_ns / NS)
            when = f"{last:%H:%M}" if age_s < 12 * 3600 else f"{last:%H:%M on %Y-%m-%d}"
            told = "ended" if ended else "broke off"
            return f"the recording {told} at {when}{'' if ended else '; nobody records it now'}"
        return f"no signal for {format_duration(age_s)}: {self.link}" if silent else self.link

    def _is_recorded(self) -> bool:
        """Whether someone writes the file, as asked not long ago."""
        now = time.monotonic()
        if now - self._asked_s > SILENT_S:
            self._asked_s, self._recorded = now, is_being_written(self.path)
        return self._recorded

    def _open(self, boot: int, device: str, info: Any) -> None:
        def show(chunk: Chunk) -> None:
            self.trails[chunk.channel].push(
                chunk,
                lane.astray_ns(
                    chunk.segment_start_ns
                    + round(chunk.first_index / channels[chunk.channel].fs * NS)
                ),
            )

        lane = DeviceStream(device, info, on_chunk=show)
        channels = {channel.name: channel for channel in lane.channels}
        self._lanes[boot] = lane
        for channel in lane.channels:
            self.trails[channel.name] = WaveformBuffer(channel)

    def _new(self, reader: NightFileReader, table: str, columns: str) -> list[tuple[Any, ...]]:
        rows = reader.query(
            f"SELECT id, {columns} FROM {table} WHERE id > ? ORDER BY id LIMIT {BATCH_ROWS}",
            self._after[table],
        )
        if rows:
            self._after[table] = int(str(rows[-1][0]))
        return [row[1:] for row in rows]

    def _decode(self, boot: int, data: bytes) -> Frame | None:
        try:
            frame = decode_frame(data, self._lanes[boot].info)
        except PacketError:
            return None
        return None if frame.type == MARKER_TYPE else frame

    def _note(self, key: tuple[int, int], row: EventUpdate, astray_ns: int) -> None:
        """Show a row, or what has become of it."""
        f, old = row.finding, self._fluid.pop(key, None)
        length_s = (f.offset_ns - f.onset_ns) / NS
        event = LiveEvent(f.onset_ns + astray_ns, f.kind, length_s, f.channel, row.settled)
        if old is not None:
            self.counts[old.kind] -= 1
            if old in self.events:
                self.events.remove(old)
        if not row.gone:
            self.counts[event.kind] += 1
            insort(self.events, event, key=lambda e: e.time_ns)
            del self.events[:-_MAX_EVENTS]
        if not row.settled:
            self._fluid[key] = event
        self.counts = +self.counts  # no kind that is there no more
