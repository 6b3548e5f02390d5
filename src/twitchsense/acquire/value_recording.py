"""Records a device by its driver: every value that passes between host and device is stored."""

from __future__ import annotations

import asyncio
from typing import Final, cast

from twitchsense.acquire.adapter import Advertisement
from twitchsense.acquire.backoff import sleep_unless_set
from twitchsense.acquire.connection import Connection, DeviceConnectionError, FailureReason
from twitchsense.acquire.device_recording import RecordingContext
from twitchsense.acquire.dialogue_executor import DialogueExecutor
from twitchsense.acquire.frame_queue import ReceivedValue, StoredPacket, ValueSource
from twitchsense.acquire.sample_decoder import SampleDecoder
from twitchsense.devices.contract import (
    Direction,
    Driver,
    Message,
    PacketError,
    StartRefusedError,
    StoringDriver,
)
from twitchsense.devices.streams import StreamDescription
from twitchsense.nightfile.records import ConnectionStart, Device

#: Time (s) between checks of the connection.
_CHECK_S: Final = 0.5
#: Maximum time (s) without samples before a connection counts as broken. Devices with a buffer
#: of their own deliver up to 15 s late.
_DATA_TIMEOUT_S: Final = 30.0


class ValueRecording:
    """Records one device that does not resend what is lost; see `DeviceRecording`.

    Parameters
    ----------
    context : RecordingContext
    driver : Driver
    """

    def __init__(self, context: RecordingContext, driver: Driver) -> None:
        self._context = context
        self._driver = driver
        storing = driver.abilities.resend == "after_night"
        self._storing = cast(StoringDriver, driver) if storing else None
        self._options = {k: v for k, v in context.options.items() if k in driver.options}
        self._decoder = SampleDecoder(driver)
        self._source: ValueSource | None = None
        self._executor: DialogueExecutor | None = None
        self._n_values = 0
        self._last_data_s = 0.0

    @property
    def streams(self) -> tuple[StreamDescription, ...]:
        """Streams of which samples have arrived."""
        return self._decoder.streams

    def on_message(self, message: Message) -> None:
        """Queue a value; nothing else happens in bleak's callback."""
        if (
            message.direction is Direction.NOTIFY
            and message.characteristic in self._decoder.sample_characteristics
        ):
            self._last_data_s = asyncio.get_running_loop().time()
        if self._source is not None:
            # a value that does not fit into the queue leaves a gap in the numbers
            self._context.queue.put(ReceivedValue(self._source, self._n_values, message))
            self._n_values += 1

    def on_stored(self, stored: StoredPacket) -> None:
        """Count samples that are on disk."""
        self._context.status.add_packet(stored)

    async def start(self, connection: Connection, advertisement: Advertisement) -> None:
        """Run the dialogue that starts the streams; see `DeviceRecording`."""
        context, driver = self._context, self._driver
        address = advertisement.address
        if not context.device_key:
            key = f"{driver.kind}:{address}"
            context.record_device(Device(key, address, advertisement.name, "", "", b""))
        start = ConnectionStart(context.device_key, context.now_ns(), driver.kind, driver.version)
        context.record(start)
        # values are stored from the first on: they hold the settings
        self._n_values = 0
        self._source = ValueSource(start, self._decoder, self.on_stored, context.settings)
        self._executor = DialogueExecutor(connection)
        options = {k: v for k, v in context.options.items() if k in driver.options}
        await self._executor.run(driver.open(options))
        context.log_event("connected", "")

    async def run(self, connection: Connection, stop: asyncio.Event) -> None:
        """Poll the device until `stop` is set, then stop it; see `DeviceRecording`."""
        assert self._executor is not None
        loop = asyncio.get_running_loop()
        self._last_data_s = loop.time()
        next_poll_s = loop.time() + self._driver.poll_period_s
        is_silent = self._storing is not None and self._storing.is_silent(self._options)
        while not stop.is_set():
            now = loop.time()
            if connection.lost.is_set():
                raise DeviceConnectionError(FailureReason.LOST, "the connection was lost")
            if not is_silent and now - self._last_data_s > _DATA_TIMEOUT_S:
                raise DeviceConnectionError(
                    FailureReason.STALLED, f"no samples for {_DATA_TIMEOUT_S:g} s"
                )
            if now >= next_poll_s:
                await self._executor.run(self._driver.poll())
                next_poll_s = now + self._driver.poll_period_s
            self._update_status()
            await sleep_unless_set(_CHECK_S, stop, connection.lost)
        if self._storing is not None:
            await self._fetch(self._storing)
        await self._executor.run(self._driver.close())
        self._source = None
        await self._context.flush()
        seconds = self._context.status.seconds
        for name, logged_s in self._decoder.logged_s.items():
            # a log holds what was sent, and more
            seconds[name] = max(seconds.get(name, 0.0), logged_s)
        self._update_status()
        self._context.log_event("stopped", "")

    async def _fetch(self, driver: StoringDriver) -> None:
        """Fetch what the device logged, if the options say that it does."""
        assert self._executor is not None
        try:
            await self._executor.run(driver.fetch(self._options))
        except (StartRefusedError, PacketError, DeviceConnectionError) as error:
            self._context.log_event("not fetched", str(error))
            if isinstance(error, DeviceConnectionError):
                raise

    def _update_status(self) -> None:
        self._context.status.loss_text = self._decoder.describe_loss()
        self._context.status.battery = self._decoder.battery
