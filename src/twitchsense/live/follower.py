"""Follows a night file while a recorder writes it: polling, status, events and markers.

Only committed rows are read, in their order, so a view can neither lose nor delay a sample and
may be opened and closed at any time.
"""

from __future__ import annotations

import math
import threading
import time
from bisect import insort
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from twitchsense.devices.contract import PacketError
from twitchsense.devices.v1.v1_frames import MARKER_TYPE, DeviceInfo, Frame, decode_frame
from twitchsense.live.driver_stream import LiveDecoder
from twitchsense.live.event_updates import EventUpdate
from twitchsense.live.v1_stream import V1Stream
from twitchsense.live.waveform_buffer import WaveformBuffer
from twitchsense.model.channels import NS, Channel, Chunk
from twitchsense.nightfile.lock import is_being_written
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.recorder_clock import host_boot, host_ticks_ns
from twitchsense.nightfile.records import HostClockReading
from twitchsense.nightfile.schema import add_marker
from twitchsense.nightfile.stored_values import read_devices
from twitchsense.report.palette import kind_name
from twitchsense.report.time_labels import format_duration
from twitchsense.text import printable

#: Maximum number of rows read by one poll.
BATCH_ROWS: Final = 4000
#: Maximum number of events that are kept.
_MAX_EVENTS: Final = 50
_MAX_MARKER_CHARS: Final = 200
#: Text shown for each event of the connection log; the newest event of a device is shown.
_STATUS_TEXTS: Final = {
    "connected": "connected",
    "lost": "connection lost, trying again",
    "failed": "not connected, trying again",
    "refused": "the wearable sends invalid data, trying again",
    "error": "an error occurred, trying again",
    "stopped": "the recording was ended",
}
#: Time (s) without a frame after which the connection counts as silent; also the period of the
#: checks whether a recorder still writes the file.
SILENT_S: Final = 5.0
#: Time (ns) in which a recorder reads its clock again.
_FRESH_NS: Final = 120 * NS


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An event found while recording; until it is final it may still change."""

    time_ns: int
    kind: str
    duration_s: float
    channel: str
    final: bool

    def as_row(self) -> list[Any]:
        """Return the row of a view: time (s), name of the kind, duration (s), channel, final."""
        seconds = round(self.duration_s, 3)
        return [self.time_ns / NS, kind_name(self.kind), seconds, self.channel, self.final]


@dataclass
class NightFollower:
    """The content of a live view. All methods may be called from any thread.

    Parameters
    ----------
    path : Path
        A night file, being written or finished.

    Attributes
    ----------
    frames, lost : int
        Frames or packets of samples read so far, and frames that the recorder gave up.
    batteries : dict of str to int
        Battery level (percent) by key of the device.
    newest_ns : int
        Arrival of the newest frame (UTC, ns).
    events : list of LiveEvent
        The newest 50 events, sorted by time.
    counts : Counter
        Events of each kind since the view was opened.
    waveforms : dict of str to WaveformBuffer
        The last 30 s of each channel, by name.
    on_update : callable or None
        Called with the key of each event that is new or has changed, its state, and the
        correction of its times (ns).
    """

    path: Path
    frames: int = 0
    lost: int = 0
    batteries: dict[str, int] = field(default_factory=dict)
    newest_ns: int = 0
    events: list[LiveEvent] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    waveforms: dict[str, WaveformBuffer] = field(default_factory=dict)
    on_update: Callable[[Hashable, EventUpdate, int], None] | None = None
    _streams: dict[int, V1Stream] = field(default_factory=dict)
    _decoders: dict[str, LiveDecoder] = field(default_factory=dict)
    _connection_events: dict[str, str] = field(default_factory=dict)
    #: Id of the last row that was read, by table.
    _last_ids: dict[str, int] = field(
        default_factory=lambda: {"packet": 0, "loss": 0, "link": 0, "battery": 0}
    )
    _provisional: dict[tuple[int | str, int], LiveEvent] = field(default_factory=dict)
    _recorder_checked_s: float = -math.inf
    _is_recorded: bool = True
    _host_clock: HostClockReading | None = None
    #: When the newest rows were read (monotonic, s), if they were written while the view was open.
    _newest_read_s: float | None = None
    _has_caught_up: bool = False
    #: Whether the structure of the file was checked, which is done once.
    _is_checked: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def poll(self) -> int:
        """Read new rows, at most `BATCH_ROWS` of each table.

        Returns
        -------
        int
            Number of frames read.

        Raises
        ------
        InputError
            If the file is not a night file, or is damaged.
        """
        with self._lock:
            reader = NightFileReader(self.path, check=not self._is_checked)
            self._is_checked = True
            try:
                for boot in reader.boots:
                    if boot.id not in self._streams:
                        self._add_stream(boot.id, boot.device, boot.info)
                rows = self._read_new_rows(reader, "packet")
                received: dict[int, list[tuple[Frame, int]]] = {}
                for boot_id, _, arrival_ns, data in rows:
                    frame = self._decode(boot_id, data)
                    if frame is not None:
                        self.newest_ns = max(self.newest_ns, arrival_ns)
                        received.setdefault(boot_id, []).append((frame, arrival_ns))
                for boot_id, frames in received.items():
                    stream = self._streams[boot_id]
                    for update in stream.push(frames):
                        drift_ns = stream.drift_ns(update.candidate.onset_ns)
                        self._update_event((boot_id, update.number), update, drift_ns)
                n_packets = self._poll_drivers(reader)
                for _, first, last, _, _ in self._read_new_rows(reader, "loss"):
                    self.lost += 0 if last is None else last - first + 1
                for device, _, event, _ in self._read_new_rows(reader, "link"):
                    if event in _STATUS_TEXTS:
                        self._connection_events[device] = event
                for device, _, percent in self._read_new_rows(reader, "battery"):
                    self.batteries[device] = percent
                self._host_clock = reader.last_host_clock()
            finally:
                reader.close()
            if n_packets or rows:
                is_new = self._has_caught_up
                self._newest_read_s = time.monotonic() if is_new else None
            self._has_caught_up = len(rows) + n_packets < BATCH_ROWS
            self.frames += len(rows) + n_packets
            return len(rows) + n_packets

    @property
    def connection_status(self) -> str:
        """State of the connections in words, one for each device if they differ."""
        texts = {key: _STATUS_TEXTS[event] for key, event in self._connection_events.items()}
        if len(set(texts.values())) > 1:
            return ", ".join(f"{printable(key[-4:])}: {text}" for key, text in texts.items())
        return next(iter(texts.values()), "waiting for the first connection")

    def now_ns(self) -> int:
        """Return the present time by the clock of the recorder (UTC, ns).

        That of this computer may have been set since the recorder started.
        """
        with self._lock:
            reading = self._host_clock
            if reading is not None and reading.boot == host_boot():
                now_ns = reading.time_ns - reading.ticks_ns + host_ticks_ns()
                if reading.boot or abs(now_ns - reading.time_ns) < _FRESH_NS:
                    return now_ns
            now_ns = time.time_ns()
            if self._newest_read_s is not None and abs(now_ns - self.newest_ns) > _FRESH_NS:
                # not recorded here, or by an earlier version: by the rows that are being written
                return self.newest_ns + round((time.monotonic() - self._newest_read_s) * NS)
            return now_ns

    def add_marker(self, text: str) -> None:
        """Store a marker with the present time in the night file.

        Parameters
        ----------
        text : str
            At most 200 characters are stored; empty becomes "marker".

        Raises
        ------
        InputError
            If it cannot be stored.
        """
        clean = printable(text[:_MAX_MARKER_CHARS]).strip()
        with self._lock:
            add_marker(self.path, self.now_ns(), clean or "marker")

    def state(self, *, counts: bool, now_s: float | None = None) -> dict[str, Any]:
        """Return the content of the view as plain data.

        Parameters
        ----------
        counts : bool
            Whether to include the number of events of each kind.
        now_s : float, optional
            Present time (UTC, s); by default that of the recorder. It is the right edge of the
            waveforms, unless the newest sample is more than a minute away from it.

        Returns
        -------
        dict
            Plain values that can be written as JSON.
        """
        with self._lock:
            newest = self.newest_ns / NS
            now = self.now_ns() / NS if now_s is None else now_s
            until = now if abs(now - newest) < 60 else newest
            events = set(self._connection_events.values())
            ended = events == {"stopped"}
            silent = bool(self.newest_ns) and not ended and now - newest > SILENT_S
            over = ended or (silent and not self._check_recorder())
            return {
                "link": self._status_text(now - newest, ended=ended, silent=silent, over=over),
                "silent": silent,
                "over": over,
                "frames": self.frames,
                "lost": self.lost,
                "battery": " and ".join(f"{p} %" for p in self.batteries.values()) or "unknown",
                "until": until,
                "newest": newest,
                "waveforms": [
                    {
                        "name": name,
                        "kind": waveform.channel.kind,
                        "columns": waveform.columns(until),
                    }
                    for name, waveform in self.waveforms.items()
                ],
                "events": [e.as_row() for e in self.events[:-9:-1]],
                "counts": {kind_name(k, n): n for k, n in self.counts.items()} if counts else None,
            }

    def _status_text(self, age_s: float, *, ended: bool, silent: bool, over: bool) -> str:
        if over and self.newest_ns:
            last = datetime.fromtimestamp(self.newest_ns / NS)
            when = f"{last:%H:%M}" if age_s < 12 * 3600 else f"{last:%H:%M on %Y-%m-%d}"
            verb = "ended" if ended else "stopped unexpectedly"
            return f"the recording {verb} at {when}{'' if ended else '; no recorder is running'}"
        status = self.connection_status
        return f"no signal for {format_duration(age_s)}: {status}" if silent else status

    def _check_recorder(self) -> bool:
        """Return whether a process writes the file; checked every `SILENT_S` seconds."""
        now = time.monotonic()
        if now - self._recorder_checked_s > SILENT_S:
            self._recorder_checked_s = now
            self._is_recorded = is_being_written(self.path)
        return self._is_recorded

    def _poll_drivers(self, reader: NightFileReader) -> int:
        """Read new values of devices that a driver decodes; return the number of packets."""
        n_packets = 0
        for device in read_devices(reader):
            if device.key not in self._decoders:
                self._decoders[device.key] = LiveDecoder(device, self._add_to_waveform)
            decoder = self._decoders[device.key]
            n_read, updates = decoder.poll(reader, BATCH_ROWS)
            n_packets += n_read
            self.newest_ns = max(self.newest_ns, decoder.newest_ns)
            for update in updates:
                drift_ns = decoder.stream.drift_ns(update.candidate.onset_ns)
                self._update_event((device.key, update.number), update, drift_ns)
        return n_packets

    def _add_to_waveform(self, channel: Channel, chunk: Chunk, drift_ns: int) -> None:
        buffer = self.waveforms.setdefault(channel.name, WaveformBuffer(channel))
        if buffer.channel is channel:  # not one of another device with the same name
            buffer.push(chunk, drift_ns)

    def _add_stream(self, boot_id: int, device: str, info: DeviceInfo) -> None:
        def add_to_waveform(chunk: Chunk) -> None:
            offset_ns = round(chunk.first_index / channels[chunk.channel].fs * NS)
            drift_ns = stream.drift_ns(chunk.segment_start_ns + offset_ns)
            self.waveforms[chunk.channel].push(chunk, drift_ns)

        stream = V1Stream(device, info, on_chunk=add_to_waveform)
        channels = {channel.name: channel for channel in stream.channels}
        self._streams[boot_id] = stream
        for channel in stream.channels:
            self.waveforms[channel.name] = WaveformBuffer(channel)

    def _read_new_rows(self, reader: NightFileReader, table: str) -> list[tuple[Any, ...]]:
        """Return the columns of the sound rows that are new."""
        rows, self._last_ids[table] = reader.rows_read(table, self._last_ids[table], BATCH_ROWS)
        return [row[1:] for row in rows]

    def _decode(self, boot_id: int, data: bytes) -> Frame | None:
        if boot_id not in self._streams:
            return None
        try:
            frame = decode_frame(data, self._streams[boot_id].info)
        except PacketError:
            return None
        return None if frame.type == MARKER_TYPE else frame

    def _update_event(self, key: tuple[int | str, int], update: EventUpdate, drift_ns: int) -> None:
        """Add, replace or remove an event that is shown."""
        if self.on_update is not None:
            self.on_update(key, update, drift_ns)
        candidate, previous = update.candidate, self._provisional.pop(key, None)
        event = LiveEvent(
            candidate.onset_ns + drift_ns,
            candidate.kind,
            (candidate.offset_ns - candidate.onset_ns) / NS,
            candidate.channel,
            update.final,
        )
        if previous is not None:
            self.counts[previous.kind] -= 1
            if previous in self.events:
                self.events.remove(previous)
        if not update.withdrawn:
            self.counts[event.kind] += 1
            insort(self.events, event, key=lambda e: e.time_ns)
            del self.events[:-_MAX_EVENTS]
        if not update.final:
            self._provisional[key] = event
        self.counts = +self.counts  # drops kinds whose count is 0
