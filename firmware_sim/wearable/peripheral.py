"""The wearable as a Bluetooth peripheral: firmware, clock, GATT server, fault injection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol, cast

from bumble import att, core, gatt, hci
from bumble.device import Device

from firmware_sim.wearable.bumble_host import make_device
from firmware_sim.wearable.clock import DriftingClock
from firmware_sim.wearable.encoder import CONTROL, DATA, INFO, SERVICE, Encoder
from firmware_sim.wearable.faults import Fault
from firmware_sim.wearable.firmware import DeviceModel, Firmware, SampleSource

log = logging.getLogger(__name__)

#: Maximum number of packets in the host's queue; the rest stays in the ring buffer.
_MAX_QUEUED_PACKETS: Final = 8
#: Duration of a reboot (s).
_BOOT_S: Final = 2.0
#: Battery life of a full charge (s).
_BATTERY_S: Final = 20 * 3600.0


class RadioEnvironment(Protocol):
    """Radio channel whose conditions faults can change; a real one has none."""

    def set_conditions(self, controller: Any, **changes: Any) -> None:
        """Change range or error rate of a controller."""
        ...


class Wearable:
    """One simulated wearable on a controller.

    Parameters
    ----------
    model : DeviceModel
    source : SampleSource
        Needs a `restart(seconds)` method if faults reboot the device.
    clock : DriftingClock, optional
    encoder : Encoder, optional
    faults : tuple of Fault
    environment : RadioEnvironment, optional
    controller : Controller, optional
        Radio channel and controller, for faults of the radio.
    """

    def __init__(
        self,
        model: DeviceModel,
        source: SampleSource,
        clock: DriftingClock | None = None,
        encoder: Encoder | None = None,
        faults: tuple[Fault, ...] = (),
        environment: RadioEnvironment | None = None,
        controller: Any = None,
        seed: int = 0,
        boot_count: int = 1,
    ) -> None:
        self.model = model
        self.clock = clock or DriftingClock(model.tick_hz)
        self.firmware = Firmware(model, source, encoder or Encoder(), boot_count)
        self.faults = faults
        self.on_stored: Callable[[Firmware], None] | None = None
        self._environment = environment
        self._controller = controller
        self._rng = random.Random(seed)
        self._damage_rate = 0.0
        self._is_silent = False
        self._running = True
        self._connection: Any = None
        self._subscribed: set[str] = set()
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Future[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._start = self.boot_time_s = self._loop.time()

    async def power_on(self, source: Any, sink: Any, address: str) -> None:
        """Start the host on a controller and advertise."""
        self.device = make_device(self.model.name, address, source, sink)
        self._add_services()
        self.device.on(Device.EVENT_CONNECTION, self._on_connection)
        await self.device.power_on()
        self.boot_time_s = self._loop.time()
        await self._advertise()

    async def run(self) -> None:
        """Sample, send and inject faults until cancelled."""
        work = [
            asyncio.create_task(self._send_loop()),
            asyncio.create_task(self.inject_faults(self.faults)),
        ]
        try:
            await asyncio.gather(*work)
        finally:
            self._running = False  # a connection that ends now must not restart advertising
            for task in (*work, *self._tasks):
                task.cancel()

    # -- GATT ----------------------------------------------------------------------------

    def _add_services(self) -> None:
        info = self.firmware.encoder.info(
            self.model.streams, self.model.tick_hz, self.model.device, self.model.leg
        )
        intercept = self.firmware.encoder.intercept
        properties, readable = gatt.Characteristic.Properties, gatt.Characteristic.READABLE

        def uuid(place: str, standard: str | core.UUID) -> core.UUID:
            number = core.UUID(standard) if isinstance(standard, str) else standard
            return core.UUID.from_bytes(intercept(place, number.to_bytes()))

        self._data: Any = gatt.Characteristic(uuid("data uuid", DATA), properties.NOTIFY, readable)
        self._control: Any = gatt.Characteristic(
            uuid("control uuid", CONTROL),
            properties.WRITE | properties.NOTIFY,
            gatt.Characteristic.WRITEABLE,
            cast("Any", gatt.CharacteristicValue(write=self._on_control)),
        )
        reads = {
            "manufacturer": (gatt.GATT_MANUFACTURER_NAME_STRING_CHARACTERISTIC, b"twitchsense"),
            "model": (gatt.GATT_MODEL_NUMBER_STRING_CHARACTERISTIC, b"simulated"),
            "serial": (gatt.GATT_SERIAL_NUMBER_STRING_CHARACTERISTIC, self.model.serial.encode()),
            "firmware": (gatt.GATT_FIRMWARE_REVISION_STRING_CHARACTERISTIC, b"1.0"),
        }
        battery: Any = gatt.Characteristic(
            gatt.GATT_BATTERY_LEVEL_CHARACTERISTIC,
            properties.READ | properties.NOTIFY,
            readable,
            cast(
                "Any",
                gatt.CharacteristicValue(
                    read=lambda _: intercept("battery", bytes([self._battery()]))
                ),
            ),
        )
        info_characteristic = gatt.Characteristic(
            uuid("info uuid", INFO), properties.READ, readable, info
        )
        self.device.add_services(
            [
                gatt.Service(SERVICE, [info_characteristic, self._control, self._data]),
                gatt.Service(gatt.GATT_BATTERY_SERVICE, [battery]),
                gatt.Service(
                    gatt.GATT_DEVICE_INFORMATION_SERVICE,
                    [
                        gatt.Characteristic(
                            number, properties.READ, readable, intercept(name, value)
                        )
                        for name, (number, value) in reads.items()
                    ],
                ),
            ]
        )
        for name, one in (("data", self._data), ("control", self._control)):
            one.on(one.EVENT_SUBSCRIPTION, self._make_listener(name))

    def _make_listener(self, name: str) -> Callable[..., None]:
        def listen(connection: Any, notify: bool, indicate: bool) -> None:
            if notify:
                self._subscribed.add(name)
            else:
                self._subscribed.discard(name)
            if name == "data":
                self._sample()
                if notify:
                    self.firmware.subscribe()
                else:
                    self.firmware.unsubscribe()

        return listen

    def _on_control(self, connection: Any, request: bytes) -> None:
        if "control" not in self._subscribed:
            raise att.ATT_Error(self.firmware.encoder.intercept("refusal", bytes([0xFD]))[0])
        self._sample()
        answer = self.firmware.control(bytes(request))
        self._loop.call_soon(self._notify, self._control, answer)  # after the response to the write
        self._wake.set()

    def _notify(self, characteristic: Any, value: bytes) -> None:
        # Bumble's own method formats each notification for the log, which is slow
        if self._connection is not None:
            pdu = att.ATT_Handle_Value_Notification(characteristic.handle, value)
            self.device.gatt_server.send_gatt_pdu(self._connection, bytes(pdu))

    def _battery(self) -> int:
        used = (self._loop.time() - self._start) / _BATTERY_S
        return max(0, min(100, round(100 * (1 - used))))

    # -- connection ------------------------------------------------------------------------

    async def _advertise(self) -> None:
        data = core.AdvertisingData(
            [
                (core.AdvertisingData.FLAGS, bytes([6])),
                (
                    core.AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
                    self.firmware.encoder.intercept("service uuid", bytes(core.UUID(SERVICE))),
                ),
            ]
        )
        data.ad_structures.append(
            (
                core.AdvertisingData.COMPLETE_LOCAL_NAME,
                self.firmware.encoder.intercept("name", self.model.name.encode()),
            )
        )
        self.device.advertising_data = bytes(data)
        self.device.advertising_interval_min = self.device.advertising_interval_max = 300.0
        with contextlib.suppress(core.BaseBumbleError, hci.HCI_Error):
            await self.device.start_advertising(own_address_type=hci.OwnAddressType.RANDOM)

    def _on_connection(self, connection: Any) -> None:
        self._connection = connection
        self._subscribed.clear()
        self.firmware.unsubscribe()
        connection.on(connection.EVENT_DISCONNECTION, self._on_disconnection)
        queue = self.device.host.get_data_packet_queue(connection.handle)
        if queue is not None and not queue.listeners("flow"):
            queue.on("flow", self._wake.set)
        self._create_task(self._request_parameters(connection))

    async def _request_parameters(self, connection: Any) -> None:
        await asyncio.sleep(0.5)
        manager = self.device.l2cap_channel_manager
        # a request that was lost with its connection must not block the next one
        manager.connection_parameters_update_response = None
        with contextlib.suppress(core.BaseBumbleError, asyncio.CancelledError, TimeoutError):
            await asyncio.wait_for(
                self.device.update_connection_parameters(
                    connection, 15.0, 30.0, 0, 6000.0, use_l2cap=True
                ),
                30.0,
            )

    def _on_disconnection(self, reason: int) -> None:
        log.info("%s: disconnected, reason 0x%02x", self.model.name, reason)
        self._connection = None
        self._subscribed.clear()
        self.firmware.unsubscribe()
        if self._running:
            self._create_task(self._advertise())

    def _create_task(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine from a synchronous callback."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- sampling and sending -----------------------------------------------------------------

    def _sample(self) -> None:
        """Let the firmware sample up to the present time."""
        if self._running:
            ticks = int(self.clock.ticks(self._loop.time() - self.boot_time_s))
            self.firmware.advance(ticks)
            if self.on_stored is not None:
                self.on_stored(self.firmware)

    async def _send_loop(self) -> None:
        while True:
            self._wake.clear()
            self._sample()
            self._send()
            due = self.firmware.next_tick() if self._running else None
            wait = None
            if due is not None:
                wait = self.clock.seconds_until(due, self._loop.time() - self.boot_time_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    def _send(self) -> None:
        connection = self._connection
        if connection is None or self._is_silent or not self._running:
            return
        queue = self.device.host.get_data_packet_queue(connection.handle)
        while queue is not None and queue.pending < _MAX_QUEUED_PACKETS:
            frame = self.firmware.next_frame()
            if frame is None:
                return
            if self._damage_rate and self._rng.random() < self._damage_rate:
                bit = self._rng.randrange(8 * len(frame))
                damaged = int.from_bytes(frame, "little") ^ (1 << bit)
                frame = damaged.to_bytes(len(frame), "little")
            for piece in self.firmware.encoder.pieces(frame, connection.att_mtu):
                self._notify(self._data, piece)

    # -- faults --------------------------------------------------------------------------------

    async def inject_faults(self, faults: tuple[Fault, ...]) -> None:
        """Inject faults; their times count from this call."""
        start = self._loop.time()
        for fault in faults:
            await asyncio.sleep(max(0.0, start + fault.start - self._loop.time()))
            await self._start_fault(fault)

    async def _start_fault(self, fault: Fault) -> None:
        log.info("%s: %s", self.model.name, fault)
        later = self._loop.call_later
        if fault.name == "range" and self._environment is not None:
            self._environment.set_conditions(self._controller, in_range=False)
            later(fault.seconds, lambda: self._set_conditions(in_range=True))
        elif fault.name == "noise" and self._environment is not None:
            self._environment.set_conditions(self._controller, error_rate=fault.value)
            later(fault.seconds, lambda: self._set_conditions(error_rate=0.0))
        elif fault.name == "silence":
            self._is_silent = True
            later(fault.seconds, self._end_silence)
        elif fault.name == "damage":
            self._damage_rate = fault.value
            later(fault.seconds, self._end_damage)
        elif fault.name == "skip":
            self._sample()
            self.firmware.skip_samples(fault.value)
        elif fault.name == "button":
            self._sample()
            self.firmware.press_button()
            self._wake.set()
        elif fault.name == "hangup" and self._connection is not None:
            with contextlib.suppress(core.BaseBumbleError, hci.HCI_Error):
                await self._connection.disconnect()
        elif fault.name == "reboot":
            await self._reboot()

    def _set_conditions(self, **changes: Any) -> None:
        assert self._environment is not None
        self._environment.set_conditions(self._controller, **changes)

    def _end_silence(self) -> None:
        self._is_silent = False
        self._wake.set()

    def _end_damage(self) -> None:
        self._damage_rate = 0.0

    async def _reboot(self) -> None:
        """Drop the connection without notice and restart with the next boot count."""
        self._sample()
        self._running = False
        self.firmware.reboot()
        connection, controller = self._connection, self._controller
        if connection is not None and hasattr(controller, "drop"):
            there = controller.find_le_connection_by_handle(connection.handle)
            if there is not None:
                controller.drop(there, 0x08)
        await asyncio.sleep(_BOOT_S)
        self.boot_time_s = self._loop.time()
        boot = getattr(self.firmware.source, "restart", None)
        if boot is not None:
            boot(self.boot_time_s - self._start)
        self._running = True
        await self._advertise()
        self._wake.set()
