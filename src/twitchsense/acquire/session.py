"""One device for one night: find, lock, connect, record, and reconnect when the link is lost.

What is read and written during a connection depends on the device, and is the work of a
`DeviceRecording`.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from typing import Final

from twitchsense.acquire.adapter import Adapter, AdapterError, Advertisement, DeviceSelector
from twitchsense.acquire.backoff import Backoff, sleep_unless_set
from twitchsense.acquire.connection import DeviceConnectionError, FailureReason, open_connection
from twitchsense.acquire.device_recording import DeviceRecording, RecordingContext
from twitchsense.acquire.frame_queue import FrameQueue
from twitchsense.acquire.lsl_adapter import LslAdapter
from twitchsense.acquire.status import SessionStatus
from twitchsense.acquire.v1_recording import V1Recording
from twitchsense.acquire.value_recording import ValueRecording
from twitchsense.devices.contract import Driver, Message, PacketError, StartRefusedError
from twitchsense.devices.lsl.lsl_driver import LslDriver
from twitchsense.devices.registry import get_driver, installed_drivers
from twitchsense.devices.streams import StreamDescription
from twitchsense.errors import InputError, TwitchsenseError
from twitchsense.nightfile.schema import StorageError
from twitchsense.nightfile.writer import NightFileWriter

log = logging.getLogger(__name__)

#: Maximum duration (s) of a scan for the device.
_SCAN_TIMEOUT_S: Final = 10.0


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
    """One device for one night.

    Parameters
    ----------
    adapter : Adapter
        Scans and connects.
    address : str
        Which device, as in ``--device``: address, name, KIND or KIND:ID.
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
    settings : mapping of str to str
        What the night file keeps of the device: ``leg``, ``gain``.
    options : mapping of str to str
        Options of drivers.
    on_message : callable, optional
        Called with every value that passes between host and device.

    Attributes
    ----------
    status : SessionStatus
        State and counts of the session.
    recording : DeviceRecording or None
        What is done during a connection; None until the device was found.
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
    settings: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    on_message: Callable[[Message], None] | None = None
    status: SessionStatus = field(default_factory=SessionStatus)
    recording: DeviceRecording | None = None
    #: Locks on each address under which the device was found.
    _locks: dict[str, ExitStack] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._driver: Driver | None = None
        self._selector = DeviceSelector.parse(self.address, installed_drivers())
        if self._selector.kind == LslDriver.kind:
            self.adapter = LslAdapter()
        self._context = RecordingContext(
            self.address,
            self.session_id,
            self.night,
            self.queue,
            self.now_ns,
            self.flush,
            self.status,
            self.settings,
            self.options,
        )

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
        InputError
            If the device does not offer what the options say, or the night contradicts them.
        """
        try:
            await self._run(stop)
        finally:
            while self._locks:
                self._locks.popitem()[1].close()

    @property
    def device_key(self) -> str:
        """Key of the device in the night file; empty until it was connected."""
        return self._context.device_key

    @property
    def has_emg_in_counts(self) -> bool:
        """Whether the device sends EMG without a unit; known once it was found."""
        streams: Iterable[StreamDescription] = ()
        if isinstance(self.recording, ValueRecording):
            streams = self.recording.streams
        if self._driver is not None:
            streams = streams or self._driver.typical_streams
        return any(s.kind == "emg" and s.unit == "count" for s in streams)

    @property
    def lacks_gain(self) -> bool:
        """Whether the device sends EMG without a unit, and nobody stated its gain."""
        return self.has_emg_in_counts and not self._context.has_gain

    async def _run(self, stop: asyncio.Event) -> None:
        n_failures = 0
        ended = False
        while not stop.is_set():
            try:
                async with AsyncExitStack() as stack:
                    async with self.connect_lock:
                        advertisement = await self._find()
                        recording = self._recording_of(advertisement)
                        self.status.rssi = advertisement.rssi
                        self.status.name = advertisement.name or self.status.name
                        connection = await stack.enter_async_context(
                            open_connection(
                                self.adapter, advertisement, self.now_ns, self._on_message
                            )
                        )
                    await recording.start(connection, advertisement)
                    self._set_connected()
                    n_failures = 0
                    await recording.run(connection, stop)
                    ended = True
            except (DeviceConnectionError, AdapterError) as error:
                self._log_failure("lost" if self.status.connected else "failed", str(error))
                if isinstance(error, DeviceConnectionError):
                    self.status.no_adapter_since = None
                elif self.status.no_adapter_since is None:
                    self.status.no_adapter_since = asyncio.get_running_loop().time()
            except (PacketError, StartRefusedError) as error:
                self._log_failure("refused", str(error))
            except (OSError, StorageError) as error:
                self._log_failure("error", str(error))
            except InputError as error:
                # the recording of this device never began: its night is left as it is
                self.status.last_error = error.command_message
                raise
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
            self._context.log_event("stopped", "without a connection")

    async def _find(self) -> Advertisement:
        advertisement = await self.adapter.find(_SCAN_TIMEOUT_S, self._selector)
        if advertisement is None:
            is_lsl = self._selector.kind == LslDriver.kind
            absence = "is not a stream of this network" if is_lsl else "does not advertise"
            raise DeviceConnectionError(FailureReason.NOT_FOUND, f"{self.address} {absence}")
        self._lock_device(advertisement.address)
        if not self._selector.name or self._selector.kind == LslDriver.kind:
            # any device of this kind, or a stream of this type; from now on this one
            self._selector = DeviceSelector(self._selector.kind, advertisement.address)
        return advertisement

    def _recording_of(self, advertisement: Advertisement) -> DeviceRecording:
        """Return what records the device: the one of the connections before, if there were any."""
        if self.recording is None:
            driver = self._driver = self._driver_of(advertisement)
            if driver.abilities.resend == "live":
                self.recording = V1Recording(self._context)
            else:
                self.recording = ValueRecording(self._context, driver)
        return self.recording

    def _driver_of(self, advertisement: Advertisement) -> Driver:
        if self._selector.kind:
            return get_driver(self._selector.kind)
        if advertisement.driver is None:
            raise DeviceConnectionError(
                FailureReason.FOREIGN,
                "no driver recognises it; give its kind (--device KIND:ID), or another device",
            )
        return advertisement.driver

    def _lock_device(self, address: str) -> None:
        """Lock the device until the night is over, outages included."""
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

    def _on_message(self, message: Message) -> None:
        if self.on_message is not None:
            self.on_message(message)
        if self.recording is not None:
            self.recording.on_message(message)

    def _set_connected(self) -> None:
        self.status.connected = True
        self.status.no_adapter_since = None
        self.status.n_connections += 1
        if self.status.connected_at is None:
            self.status.connected_at = asyncio.get_running_loop().time()

    def _log_failure(self, event: str, detail: str) -> None:
        self.status.last_error = detail
        self._context.log_event(event, detail)
