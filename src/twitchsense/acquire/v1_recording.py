"""Records a device that speaks twitchsense v1: start, fill gaps, acknowledge.

The host decides which frames are missing and which are lost. Nothing here decodes samples or
writes to the disk: `Recorder` does both and reports what is stored.
"""

from __future__ import annotations

import asyncio
from typing import Final

from twitchsense.acquire.adapter import Advertisement
from twitchsense.acquire.backoff import sleep_unless_set
from twitchsense.acquire.connection import Connection, DeviceConnectionError, FailureReason
from twitchsense.acquire.device_recording import RecordingContext
from twitchsense.acquire.frame_queue import FrameSource, Notification, StoredFrame
from twitchsense.acquire.frame_tracker import FrameTracker
from twitchsense.acquire.retransmit import OVERFLOW, RetransmissionRequester
from twitchsense.acquire.v1_requests import ControlPoint, read_clock, require_state, start_device
from twitchsense.devices.contract import Message
from twitchsense.devices.v1 import v1_control, v1_frames
from twitchsense.devices.v1.v1_control import DeviceState
from twitchsense.nightfile.records import (
    BatteryReading,
    Boot,
    ClockReading,
    Device,
    FirstFrame,
    Loss,
)

#: Reason of a loss: the device restarted, which empties its ring buffer.
REBOOT: Final = "reboot"

#: Time (s) between checks for missing frames.
_POLL_S: Final = 0.5
#: Time (s) between readings of the device's clock and battery.
_CLOCK_PERIOD_S: Final = 600.0
#: Maximum time (s) without data before a connection counts as broken.
_DATA_TIMEOUT_S: Final = 10.0
#: At the end of the night: maximum time (s) without a frame that was requested again.
_DRAIN_TIMEOUT_S: Final = 5.0


class V1Recording:
    """Records one device that resends what is missing; see `DeviceRecording`.

    Parameters
    ----------
    context : RecordingContext

    Attributes
    ----------
    trackers : dict of Boot to FrameTracker
        Bookkeeping of each boot.
    tracker : FrameTracker or None
        Bookkeeping of the boot that is connected.
    """

    def __init__(self, context: RecordingContext) -> None:
        self.trackers: dict[Boot, FrameTracker] = {}
        self.tracker: FrameTracker | None = None
        self._context = context
        self._control: ControlPoint | None = None
        self._requester: RetransmissionRequester | None = None
        self._last_data_s = 0.0
        self._acknowledged = -1
        self._device_recorded = False
        #: Frames that existed at the first connection; they are no measure of the link.
        self._n_before: int | None = None

    def on_message(self, message: Message) -> None:
        """Do nothing: frames are queued by the subscription to *data*."""

    def on_stored(self, stored: StoredFrame) -> None:
        """Record that a frame is on disk."""
        tracker = self.trackers.get(stored.source.boot)
        if tracker is not None and tracker.mark_stored(stored.frame.seq):
            self._context.status.add_frame(stored)
        requester = self._requester
        if requester is not None and stored.source.boot == requester.tracker.boot:
            requester.on_stored(stored.frame)

    # -- connecting ----------------------------------------------------------------

    async def start(self, connection: Connection, advertisement: Advertisement) -> None:
        """Read the description of the device, subscribe to its data and start it."""
        if not connection.has(v1_frames.DATA_UUID):
            raise DeviceConnectionError(
                FailureReason.FOREIGN, "the device has no twitchsense service"
            )
        raw_info = await connection.read(v1_frames.INFO_UUID)
        info = v1_frames.decode_info(raw_info)
        self._context.device_key = f"{info.device:016X}"
        if not self._device_recorded:
            serial = await _read_text(connection, v1_frames.SERIAL_UUID)
            firmware = await _read_text(connection, v1_frames.FIRMWARE_UUID)
            texts = (advertisement.address, advertisement.name, serial, firmware)
            device = Device(self._context.device_key, *texts, raw_info)
            self._context.record_device(device, info.leg)
            self._device_recorded = True
        await self._read_battery(connection)
        # data may arrive as soon as they are subscribed to: their source must exist before
        control = self._control = ControlPoint(connection)
        await control.subscribe()
        reading = await self._read_clock(control)
        boot = reading.boot
        before = require_state(await control.request(v1_control.encode_status))
        if before.next < self._context.night.next_seq(boot):
            # new frames would be mistaken for the stored ones that have the same numbers
            raise DeviceConnectionError(
                FailureReason.FOREIGN,
                "its frame numbers start again although its boot count did not change: "
                "record into another night file",
            )
        source = FrameSource(info, boot, before.next, self.on_stored)
        self._last_data_s = asyncio.get_running_loop().time()
        await connection.subscribe(
            v1_frames.DATA_UUID, lambda message: self._on_notification(source, message)
        )
        state = await start_device(control, self._context.session_id, self._log_take_over)
        # frames of the previous connection must be on disk before missing frames are determined
        await self._context.flush()
        self._context.record(reading)
        self._open_tracker(boot, before, state)
        detail = f"boot {boot.count}, ring {state.oldest} to {state.next}, dropped {state.dropped}"
        self._context.log_event("connected", detail)

    def _log_take_over(self, session_id: int) -> None:
        self._context.log_event("take_over", f"session {session_id:08x} ended")

    async def _read_clock(self, control: ControlPoint) -> ClockReading:
        return await read_clock(control, self._context.device_key, self._context.now_ns)

    async def _read_battery(self, connection: Connection) -> None:
        data = await connection.read_optional(v1_frames.BATTERY_UUID) or b""
        percent = data[0] if len(data) == 1 and data[0] <= 100 else None
        context = self._context
        context.status.battery = percent
        if percent is not None:
            context.record(BatteryReading(context.device_key, context.now_ns(), percent))

    def _open_tracker(self, boot: Boot, before: DeviceState, state: DeviceState) -> None:
        """Begin or resume the bookkeeping of a boot; close that of earlier boots."""
        if boot not in self.trackers:
            stored = self._context.night.stored_seqs(boot)
            # frames produced before START belong to the night only if it had started the device
            resumed = before.session == self._context.session_id
            first_seq = self._context.night.first_seq(boot)
            if first_seq is None:
                first_seq = before.oldest if resumed else state.next
                self._context.record(FirstFrame(boot, first_seq, self._context.now_ns()))
            self.trackers[boot] = FrameTracker(
                boot, first_seq, stored, self._context.night.lost_ranges(boot)
            )
            for count in self._context.night.boot_counts(boot.device):
                if count != boot.count:
                    self._close_boot(Boot(boot.device, count))
        self.tracker = self.trackers[boot]
        self.tracker.extend(state.next)
        if self._n_before is None:
            self._n_before = sum(t.end_seq - t.first_seq for t in self.trackers.values())
        self._requester = RetransmissionRequester(self.tracker, self._mark_lost)
        self._acknowledged = -1
        self._mark_lost(0, state.oldest - 1, OVERFLOW)

    def _close_boot(self, boot: Boot) -> None:
        """Record the missing frames of a boot as lost: a restart empties the ring buffer."""
        if self._context.night.is_boot_complete(boot):
            return
        tracker = self.trackers.get(boot)
        if tracker is None:
            first_seq = self._context.night.first_seq(boot) or 0
            stored, lost = (
                self._context.night.stored_seqs(boot),
                self._context.night.lost_ranges(boot),
            )
            tracker = FrameTracker(boot, first_seq, stored, lost)
            self.trackers[boot] = tracker
        for first, last in tracker.missing_ranges():
            self._record_loss(tracker, first, last, REBOOT)
        # the number of frames produced after the last known one is unknown
        self._context.record(Loss(boot, tracker.end_seq, None, REBOOT, self._context.now_ns()))

    # -- streaming -------------------------------------------------------------------

    def _on_notification(self, source: FrameSource, message: Message) -> None:
        """Queue a notification with its arrival; nothing else happens in bleak's callback."""
        self._last_data_s = asyncio.get_running_loop().time()
        self._context.queue.put(Notification(source, message.arrival_ns, message.data))

    async def run(self, connection: Connection, stop: asyncio.Event) -> None:
        """Request missing frames, acknowledge and read the clock until `stop` is set."""
        loop, control = asyncio.get_running_loop(), self._control
        assert control is not None
        next_ack_s = next_clock_s = loop.time()
        while not stop.is_set():
            now = loop.time()
            if connection.lost.is_set():
                raise DeviceConnectionError(FailureReason.LOST, "the connection was lost")
            if now - self._last_data_s > _DATA_TIMEOUT_S:
                raise DeviceConnectionError(
                    FailureReason.STALLED, f"no data for {_DATA_TIMEOUT_S:g} s"
                )
            await self._request_missing(control)
            if now >= next_ack_s:
                await self._acknowledge(control)
                next_ack_s = now + 1.0
            if now >= next_clock_s:
                self._context.record(await self._read_clock(control))
                await self._read_battery(connection)
                next_clock_s = now + _CLOCK_PERIOD_S
            await sleep_unless_set(_POLL_S, stop, connection.lost)
        await self._stop_recording(control)

    async def _stop_recording(self, control: ControlPoint) -> None:
        """Stop sampling and fetch the frames that are still missing."""
        await control.request(lambda t: v1_control.encode_stop(t, self._context.session_id))
        state = require_state(await control.request(v1_control.encode_status))
        assert self.tracker is not None
        self.tracker.extend(state.next)
        await self._context.flush()  # frames that were received but not written are not missing
        loop = asyncio.get_running_loop()
        last_arrival_s, n_stored = loop.time(), -1
        while self.tracker.missing_ranges() and loop.time() - last_arrival_s < _DRAIN_TIMEOUT_S:
            await self._request_missing(control)
            await asyncio.sleep(_POLL_S)
            if self.tracker.n_stored != n_stored:
                last_arrival_s, n_stored = loop.time(), self.tracker.n_stored
        missing = self.tracker.missing_ranges()
        self._context.status.n_missing = sum(last - first + 1 for first, last in missing)
        await self._acknowledge(control)
        self._context.log_event("stopped", "")

    async def _request_missing(self, control: ControlPoint) -> None:
        assert self._requester is not None
        await self._requester.request_missing(control)
        self._context.status.n_missing = self._requester.n_missing
        self._context.status.n_produced = sum(
            t.end_seq - t.first_seq for t in self.trackers.values()
        ) - (self._n_before or 0)

    async def _acknowledge(self, control: ControlPoint) -> None:
        """Allow the device to discard frames that are on disk."""
        assert self.tracker is not None
        seq = self.tracker.ack_seq
        if seq is not None and seq > self._acknowledged:
            response = await control.request(lambda t: v1_control.encode_ack(t, seq))
            if response.state is not None:
                self._acknowledged = seq

    # -- records --------------------------------------------------------------------

    def _mark_lost(self, first: int, last: int, reason: str) -> None:
        if self.tracker is not None:
            self._record_loss(self.tracker, first, min(last, self.tracker.end_seq - 1), reason)

    def _record_loss(self, tracker: FrameTracker, first: int, last: int, reason: str) -> None:
        for start, stop in tracker.mark_lost(first, last):
            self._context.record(Loss(tracker.boot, start, stop, reason, self._context.now_ns()))
            self._context.status.n_lost += stop - start + 1


async def _read_text(connection: Connection, uuid: str) -> str:
    """Read a text; empty if the device does not have the characteristic."""
    return (await connection.read_optional(uuid) or b"").decode("utf-8", "replace").strip("\0")
