"""One wearable for one night: connect, subscribe, start, fill gaps, and reconnect when lost.

A session decides which frames are missing and which are lost. It neither decodes samples nor
writes to the disk: `Recorder` does both and reports to the session what is stored.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from typing import Final

from twitchsense.acquire.adapter import Adapter, AdapterError, Advertisement
from twitchsense.acquire.backoff import Backoff, sleep_unless_set
from twitchsense.acquire.connection import (
    Connection,
    DeviceConnectionError,
    FailureReason,
    open_connection,
)
from twitchsense.acquire.device_requests import read_clock, require_state, start_device
from twitchsense.acquire.frame_queue import FrameQueue, FrameSource, Notification, StoredFrame
from twitchsense.acquire.frame_tracker import FrameTracker
from twitchsense.acquire.retransmit import OVERFLOW, RetransmissionRequester
from twitchsense.acquire.status import SessionStatus
from twitchsense.devices import v1_control, v1_frames
from twitchsense.devices.contract import PacketError
from twitchsense.devices.v1_control import DeviceState
from twitchsense.errors import InputError, TwitchsenseError
from twitchsense.nightfile.records import (
    BatteryReading,
    Boot,
    ClockReading,
    Device,
    FirstFrame,
    LinkEvent,
    Loss,
    Record,
)
from twitchsense.nightfile.schema import StorageError
from twitchsense.nightfile.writer import NightFileWriter

log = logging.getLogger(__name__)

#: Reason of a loss: the device restarted, which empties its ring buffer.
REBOOT: Final = "reboot"

#: Maximum duration (s) of a scan for the wearable.
_SCAN_TIMEOUT_S: Final = 10.0
#: Time (s) between checks for missing frames.
_POLL_S: Final = 0.5
#: Time (s) between readings of the device's clock and battery.
_CLOCK_PERIOD_S: Final = 600.0
#: Maximum time (s) without data before a connection counts as broken.
_DATA_TIMEOUT_S: Final = 10.0
#: At the end of the night: maximum time (s) without a frame that was requested again.
_DRAIN_TIMEOUT_S: Final = 5.0


class SessionError(TwitchsenseError):
    """A session failed because of a bug in twitchsense; what it received is in the night file.

    Parameters
    ----------
    address : str
        Address or name of the device.
    cause : Exception
        The unexpected error.
    """

    def __init__(self, address: str, cause: Exception) -> None:
        super().__init__(
            f"{address}: recording stopped because of an error in twitchsense ({cause!r}); run the "
            "same command again to continue the night file, and report the messages above"
        )


@dataclass
class Session:
    """One wearable for one night.

    Parameters
    ----------
    adapter : Adapter
        Scans and connects.
    address : str
        Address or name of the device.
    session_id : int
        Session id of the night, not 0.
    night : NightFileWriter
        Read once for each boot, to resume a night that exists.
    queue : FrameQueue
        Receives notifications and records.
    now_ns : callable
        Returns UTC in ns.
    flush : callable
        Writes the queue, and returns when it is on disk.
    connect_lock : asyncio.Lock
        Held while scanning and connecting, shared by all sessions: operating systems handle
        two scans or two attempts to connect at once badly.
    backoff : Backoff
        Delay between attempts to connect.
    rng : random.Random
        Jitter of the delay.

    Attributes
    ----------
    status : SessionStatus
        State and counts of the session.
    trackers : dict of Boot to FrameTracker
        Bookkeeping of each boot.
    tracker : FrameTracker or None
        Bookkeeping of the boot that is connected.
    """

    adapter: Adapter
    address: str
    session_id: int
    night: NightFileWriter
    queue: FrameQueue
    now_ns: Callable[[], int]
    flush: Callable[[], Awaitable[None]]
    connect_lock: asyncio.Lock
    backoff: Backoff = field(default_factory=Backoff)
    rng: random.Random = field(default_factory=random.Random)
    status: SessionStatus = field(default_factory=SessionStatus)
    trackers: dict[Boot, FrameTracker] = field(default_factory=dict)
    tracker: FrameTracker | None = None
    _device_key: str = ""
    _requester: RetransmissionRequester | None = None
    _last_data_s: float = 0.0
    _acknowledged: int = -1
    _device_recorded: bool = False
    #: Locks on each address under which the wearable was found.
    _locks: dict[str, ExitStack] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Record until `stop` is set.

        Parameters
        ----------
        stop : asyncio.Event
            Ends the session.

        Raises
        ------
        SessionError
            If a bug in twitchsense causes an error, which a new attempt would only repeat.
        """
        try:
            await self._run(stop)
        finally:
            while self._locks:
                self._locks.popitem()[1].close()

    async def _run(self, stop: asyncio.Event) -> None:
        n_failures = 0
        ended = False
        while not stop.is_set():
            try:
                async with AsyncExitStack() as stack:
                    async with self.connect_lock:
                        advertisement = await self._find()
                        connection = await stack.enter_async_context(
                            open_connection(self.adapter, advertisement)
                        )
                    await self._start_recording(connection, advertisement)
                    n_failures = 0
                    await self._stream(connection, stop)
                    ended = True
            except (DeviceConnectionError, AdapterError) as error:
                self._log_failure("lost" if self.status.connected else "failed", str(error))
            except PacketError as error:
                self._log_failure("refused", str(error))
            except (OSError, StorageError) as error:
                self._log_failure("error", str(error))
            except Exception as error:
                # connection and adapter translate the errors of back ends: this is a bug of
                # twitchsense, and retrying for the rest of the night would hide it
                log.exception("%s: an error in twitchsense", self.address)
                self._log_failure("error", repr(error))
                raise SessionError(self.address, error) from error
            finally:
                self.status.connected = False
            if stop.is_set():
                break
            await sleep_unless_set(self.backoff.delay(n_failures, self.rng), stop)
            n_failures += 1
        if not ended:
            # the last attempts to connect failed: the log of the night must show it
            self._log_event("stopped", "without a connection")

    def on_stored(self, stored: StoredFrame) -> None:
        """Record that a frame is on disk."""
        tracker = self.trackers.get(stored.source.boot)
        if tracker is not None and tracker.mark_stored(stored.frame.seq):
            self.status.add_frame(stored)
        requester = self._requester
        if requester is not None and stored.source.boot == requester.tracker.boot:
            requester.on_stored(stored.frame)

    # -- connecting ----------------------------------------------------------------

    async def _find(self) -> Advertisement:
        for advertisement in await self.adapter.scan(_SCAN_TIMEOUT_S, self.address):
            if advertisement.matches(self.address):
                self._lock_device(advertisement.address)
                return advertisement
        raise DeviceConnectionError(FailureReason.NOT_FOUND, f"{self.address} does not advertise")

    def _lock_device(self, address: str) -> None:
        """Lock the wearable until the night is over, outages included."""
        if address in self._locks:
            return
        lock = ExitStack()
        try:
            lock.enter_context(self.adapter.lock(address))
        except InputError as error:
            raise DeviceConnectionError(
                FailureReason.TAKEN, f"{address} {error.problem}"
            ) from error
        self._locks[address] = lock

    async def _start_recording(self, connection: Connection, advertisement: Advertisement) -> None:
        """Read the description of the device, subscribe to its data and start it."""
        raw_info = await connection.read(v1_frames.INFO_UUID)
        info = v1_frames.decode_info(raw_info)
        self._device_key = f"{info.device:016X}"
        if not self._device_recorded:
            serial = await connection.read_text(v1_frames.SERIAL_UUID)
            firmware = await connection.read_text(v1_frames.FIRMWARE_UUID)
            texts = (advertisement.address, advertisement.name, serial, firmware)
            self._record(Device(self._device_key, *texts, raw_info))
            self._device_recorded = True
        await self._read_battery(connection)
        # data may arrive as soon as they are subscribed to: their source must exist before
        await connection.subscribe_responses()
        reading = await self._read_clock(connection)
        boot = reading.boot
        before = require_state(await connection.request(v1_control.encode_status))
        if before.next < self.night.next_seq(boot):
            # new frames would be mistaken for the stored ones that have the same numbers
            raise DeviceConnectionError(
                FailureReason.FOREIGN,
                "its frame numbers start again although its boot count did not change: "
                "record into another night file",
            )
        source = FrameSource(info, boot, before.next, self.on_stored)
        self._last_data_s = asyncio.get_running_loop().time()
        await connection.subscribe_data(lambda data: self._on_notification(source, data))
        state = await start_device(connection, self.session_id, self._log_take_over)
        # frames of the previous connection must be on disk before missing frames are determined
        await self.flush()
        self._record(reading)
        self._open_tracker(boot, before, state)
        self.status.connected = True
        self.status.n_connections += 1
        if self.status.connected_at is None:
            self.status.connected_at = asyncio.get_running_loop().time()
        detail = f"boot {boot.count}, ring {state.oldest} to {state.next}, dropped {state.dropped}"
        self._log_event("connected", detail)

    def _log_take_over(self, session_id: int) -> None:
        self._log_event("take_over", f"session {session_id:08x} ended")

    async def _read_clock(self, connection: Connection) -> ClockReading:
        return await read_clock(connection, self._device_key, self.now_ns)

    async def _read_battery(self, connection: Connection) -> None:
        self.status.battery = await connection.read_percent(v1_frames.BATTERY_UUID)
        if self.status.battery is not None:
            self._record(BatteryReading(self._device_key, self.now_ns(), self.status.battery))

    def _open_tracker(self, boot: Boot, before: DeviceState, state: DeviceState) -> None:
        """Begin or resume the bookkeeping of a boot; close that of earlier boots."""
        if boot not in self.trackers:
            stored = self.night.stored_seqs(boot)
            # frames produced before START belong to the night only if it had started the device
            resumed = before.session == self.session_id
            first_seq = self.night.first_seq(boot)
            if first_seq is None:
                first_seq = before.oldest if resumed else state.next
                self._record(FirstFrame(boot, first_seq, self.now_ns()))
            self.trackers[boot] = FrameTracker(
                boot, first_seq, stored, self.night.lost_ranges(boot)
            )
            for count in self.night.boot_counts(boot.device):
                if count != boot.count:
                    self._close_boot(Boot(boot.device, count))
        self.tracker = self.trackers[boot]
        self.tracker.extend(state.next)
        self._requester = RetransmissionRequester(self.tracker, self._mark_lost)
        self._acknowledged = -1
        self._mark_lost(0, state.oldest - 1, OVERFLOW)

    def _close_boot(self, boot: Boot) -> None:
        """Record the missing frames of a boot as lost: a restart empties the ring buffer."""
        if self.night.is_boot_complete(boot):
            return
        tracker = self.trackers.get(boot)
        if tracker is None:
            first_seq = self.night.first_seq(boot) or 0
            stored, lost = self.night.stored_seqs(boot), self.night.lost_ranges(boot)
            tracker = FrameTracker(boot, first_seq, stored, lost)
            self.trackers[boot] = tracker
        for first, last in tracker.missing_ranges():
            self._record_loss(tracker, first, last, REBOOT)
        # the number of frames produced after the last known one is unknown
        self._record(Loss(boot, tracker.end_seq, None, REBOOT, self.now_ns()))

    # -- streaming -------------------------------------------------------------------

    def _on_notification(self, source: FrameSource, data: bytes) -> None:
        """Queue a notification with its arrival; nothing else happens in bleak's callback."""
        self._last_data_s = asyncio.get_running_loop().time()
        self.queue.put(Notification(source, self.now_ns(), data))

    async def _stream(self, connection: Connection, stop: asyncio.Event) -> None:
        """Request missing frames, acknowledge and read the clock until `stop` is set."""
        loop = asyncio.get_running_loop()
        next_ack_s = next_clock_s = loop.time()
        while not stop.is_set():
            now = loop.time()
            if connection.lost.is_set():
                raise DeviceConnectionError(FailureReason.LOST, "the connection was lost")
            if now - self._last_data_s > _DATA_TIMEOUT_S:
                raise DeviceConnectionError(
                    FailureReason.STALLED, f"no data for {_DATA_TIMEOUT_S:g} s"
                )
            await self._request_missing(connection)
            if now >= next_ack_s:
                await self._acknowledge(connection)
                next_ack_s = now + 1.0
            if now >= next_clock_s:
                self._record(await self._read_clock(connection))
                await self._read_battery(connection)
                next_clock_s = now + _CLOCK_PERIOD_S
            await sleep_unless_set(_POLL_S, stop, connection.lost)
        await self._stop_recording(connection)

    async def _stop_recording(self, connection: Connection) -> None:
        """Stop sampling and fetch the frames that are still missing."""
        await connection.request(lambda t: v1_control.encode_stop(t, self.session_id))
        state = require_state(await connection.request(v1_control.encode_status))
        assert self.tracker is not None
        self.tracker.extend(state.next)
        await self.flush()  # frames that were received but not written are not missing
        loop = asyncio.get_running_loop()
        last_arrival_s, n_stored = loop.time(), -1
        while self.tracker.missing_ranges() and loop.time() - last_arrival_s < _DRAIN_TIMEOUT_S:
            await self._request_missing(connection)
            await asyncio.sleep(_POLL_S)
            if self.tracker.n_stored != n_stored:
                last_arrival_s, n_stored = loop.time(), self.tracker.n_stored
        missing = self.tracker.missing_ranges()
        self.status.n_missing = sum(last - first + 1 for first, last in missing)
        await self._acknowledge(connection)
        self._log_event("stopped", "")

    async def _request_missing(self, connection: Connection) -> None:
        assert self._requester is not None
        await self._requester.request_missing(connection)
        self.status.n_missing = self._requester.n_missing
        self.status.n_produced = sum(t.end_seq - t.first_seq for t in self.trackers.values())

    async def _acknowledge(self, connection: Connection) -> None:
        """Allow the device to discard frames that are on disk."""
        assert self.tracker is not None
        seq = self.tracker.ack_seq
        if seq is not None and seq > self._acknowledged:
            response = await connection.request(lambda t: v1_control.encode_ack(t, seq))
            if response.state is not None:
                self._acknowledged = seq

    # -- records --------------------------------------------------------------------

    def _mark_lost(self, first: int, last: int, reason: str) -> None:
        if self.tracker is not None:
            self._record_loss(self.tracker, first, min(last, self.tracker.end_seq - 1), reason)

    def _record_loss(self, tracker: FrameTracker, first: int, last: int, reason: str) -> None:
        for start, stop in tracker.mark_lost(first, last):
            self._record(Loss(tracker.boot, start, stop, reason, self.now_ns()))
            self.status.n_lost += stop - start + 1

    def _log_failure(self, event: str, detail: str) -> None:
        self.status.last_error = detail
        self._log_event(event, detail)

    def _log_event(self, event: str, detail: str) -> None:
        log.info("%s: %s %s", self.address, event, detail)
        device = self._device_key or self.address
        self._record(LinkEvent(device, self.now_ns(), event, detail))

    def _record(self, record: Record) -> None:
        self.queue.put_record(record)
