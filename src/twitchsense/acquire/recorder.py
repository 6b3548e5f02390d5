"""Records all wearables of a night into one file, with a commit about once a second."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from twitchsense.acquire.adapter import Adapter
from twitchsense.acquire.backoff import Backoff
from twitchsense.acquire.device_recording import START_S
from twitchsense.acquire.frame_queue import (
    FrameQueue,
    Stored,
    StoredFrame,
    decode_notifications,
)
from twitchsense.acquire.session import Session
from twitchsense.devices.contract import Message
from twitchsense.errors import InputError
from twitchsense.model.channels import NS
from twitchsense.nightfile.recorder_clock import MIN_STEP_NS, RecorderClock
from twitchsense.nightfile.records import HostClockReading, Record
from twitchsense.nightfile.schema import StorageError
from twitchsense.nightfile.writer import NightFileWriter

log = logging.getLogger(__name__)

#: Default time (s) between commits.
COMMIT_PERIOD_S: Final = 1.0
#: Time (ns) between stored readings of the computer's clock; if it is set, one is stored at once.
_HOST_CLOCK_PERIOD_NS: Final = 60 * NS


class Recorder:
    """Records one or more wearables into one night file.

    Parameters
    ----------
    adapter : Adapter
        Scans and connects.
    night : NightFileWriter
        Its metadata hold the session id of the night.
    addresses : sequence of str
        Address or name of each wearable.
    now_ns : callable
        Returns UTC in ns; one clock for all wearables. The readings of a `RecorderClock` are
        stored.
    inline : bool
        Write on the event loop instead of in a thread. Needed in virtual time, which must not
        advance while a thread works.
    period_s : float
        Time (s) between commits.
    on_stored : callable, optional
        Called on the event loop with the frames of each commit.
    backoff : Backoff, optional
        Delay between attempts to connect.
    settings : mapping of str to mapping, optional
        What the night file keeps of a device (leg, gain), by the item of `addresses`.
    options : mapping of str to str, optional
        Options of the drivers; each takes those that it has.
    on_message : callable, optional
        Called with every value that passes between host and devices.

    Attributes
    ----------
    sessions : list of Session
        One for each wearable.
    queue : FrameQueue
        Notifications and records that are not on disk yet.
    storage_error : str
        Message of the last failed commit; empty once a commit succeeded.
    """

    def __init__(
        self,
        adapter: Adapter,
        night: NightFileWriter,
        addresses: Sequence[str],
        *,
        now_ns: Callable[[], int],
        inline: bool = False,
        period_s: float = COMMIT_PERIOD_S,
        on_stored: Callable[[list[Stored]], None] | None = None,
        backoff: Backoff | None = None,
        settings: Mapping[str, Mapping[str, str]] | None = None,
        options: Mapping[str, str] | None = None,
        on_message: Callable[[Message], None] | None = None,
    ) -> None:
        session_id = int(night.meta()["session"])
        self.night = night
        self.queue = FrameQueue()
        self.storage_error = ""
        connect_lock = asyncio.Lock()
        self.sessions = [
            Session(
                adapter,
                address,
                session_id,
                night,
                self.queue,
                now_ns,
                self.flush,
                connect_lock,
                backoff or Backoff(),
                settings=(settings or {}).get(address, {}),
                options=options or {},
                on_message=on_message,
            )
            for address in addresses
        ]
        self._period_s = period_s
        self._on_stored = on_stored
        self._pool = None if inline else ThreadPoolExecutor(1, "night")
        self._flush_lock = asyncio.Lock()
        self._records: list[Record] = []
        self._frames: list[Stored] = []
        self._clock = now_ns if isinstance(now_ns, RecorderClock) else None
        self._last_reading: HostClockReading | None = None
        self._reported: list[BaseException] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Record until `stop` is set, then stop the wearables and write the remaining frames.

        Parameters
        ----------
        stop : asyncio.Event
            Ends the recording.

        Raises
        ------
        StorageError
            If the last frames could not be written.
        SessionError
            If a session failed because of a bug in twitchsense.
        InputError
            If an option cannot be used with a device or, during the first minute, contradicts the
            night. During the first minute this ends the recording of all devices, later that of
            the device alone.
        """
        tasks = [asyncio.create_task(s.run(stop)) for s in self.sessions]
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        try:
            while not all(t.done() for t in tasks):
                self._read_host_clock()
                await asyncio.wait(tasks, timeout=self._period_s)
                await self.flush()
                if loop.time() - start_s < START_S and any(
                    isinstance(_error_of(t), InputError) for t in tasks
                ):
                    stop.set()
                else:
                    self._report_failures(tasks)
            for task in tasks:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._read_host_clock(store=True)
            await self.flush()
            if self._pool is not None:
                self._pool.shutdown()
        if self.storage_error:
            raise StorageError(self.storage_error)

    def _report_failures(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Log at once why a session failed, if others go on: `run` raises it at the end only."""
        if all(task.done() for task in tasks):
            return
        for task in tasks:
            error = _error_of(task)
            if error is not None and error not in self._reported:
                self._reported.append(error)
                text = error.command_message if isinstance(error, InputError) else str(error)
                log.error("%s; the other devices are recorded", text)

    def _read_host_clock(self, *, store: bool = False) -> None:
        """Store how the computer's clock relates to that of the recorder, if it changed."""
        if self._clock is None:
            return
        reading, last = self._clock.read(), self._last_reading
        if last is not None and not store:
            change_ns = (reading.wall_ns - reading.time_ns) - (last.wall_ns - last.time_ns)
            is_due = reading.time_ns - last.time_ns >= _HOST_CLOCK_PERIOD_NS
            if abs(change_ns) >= MIN_STEP_NS:
                log.warning(
                    "the computer's clock was set %s by %.3f s; the recording keeps its own clock",
                    "forward" if change_ns > 0 else "back",
                    abs(change_ns) / NS,
                )
            elif not is_due:
                return
        self._last_reading = reading
        self.queue.put_record(reading)

    async def flush(self) -> None:
        """Write the queue to disk; items that cannot be written are kept for the next call."""
        async with self._flush_lock:
            items = self.queue.drain()
            if items:
                records, frames = decode_notifications(items)
                self._records += records
                self._frames += frames
            if not self._records and self.night.is_in_place():
                return
            self.queue.n_uncommitted = len(self._records)
            try:
                if self._pool is None:
                    self.night.write(self._records)
                else:
                    loop = asyncio.get_running_loop()
                    await loop.run_in_executor(self._pool, self.night.write, self._records)
            except StorageError as error:
                if not self.storage_error:
                    log.error("%s", error)
                self.storage_error = str(error)
                return
            self.storage_error = ""
            self.queue.n_uncommitted = 0
            frames, self._records, self._frames = self._frames, [], []
        for frame in frames:
            if isinstance(frame, StoredFrame):
                frame.source.on_stored(frame)
            else:
                frame.source.on_stored(frame)
        if self._on_stored is not None and frames:
            self._on_stored(frames)


def _error_of(task: asyncio.Task[None]) -> BaseException | None:
    """Return the exception that ended a task, if one did."""
    return task.exception() if task.done() and not task.cancelled() else None


def make_metadata() -> dict[str, str]:
    """Return the metadata of a new night file: a random session id, not 0."""
    return {"session": str(secrets.randbelow(2**32 - 1) + 1)}
