"""Puts a `PeripheralModel` on a virtual controller, so that Bluetooth clients can reach it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, cast

from bumble import att, core, gatt, hci
from bumble.device import Device
from bumble.transport import open_transport

from firmware_sim.peers.peripheral_model import CharacteristicModel, PeripheralModel
from firmware_sim.wearable.bleak_bumble import make_backends
from firmware_sim.wearable.bumble_host import make_device
from firmware_sim.wearable.plug import ControllerTransport, SimulatedRadio, make_central
from firmware_sim.wearable.radio_channel import RadioChannel, RadioController

log = logging.getLogger(__name__)

_CENTRAL: Final = "F0:F1:F2:F3:F4:F5"
#: Time (s) between calls of the model.
_STEP_S: Final = 0.01
#: Packets in the host's queue beyond which a notification is lost: these devices have no memory.
_MAX_QUEUED_PACKETS: Final = 16
#: Longest advertisement and scan response, bytes.
_MAX_ADVERTISEMENT: Final = 31
_PROPERTIES: Final = {
    "read": gatt.Characteristic.Properties.READ,
    "write": gatt.Characteristic.Properties.WRITE,
    "write_without_response": gatt.Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
    "notify": gatt.Characteristic.Properties.NOTIFY,
    "indicate": gatt.Characteristic.Properties.INDICATE,
}


class GattPeripheral:
    """A peripheral on a controller.

    Parameters
    ----------
    model : PeripheralModel

    Attributes
    ----------
    sent : list of (str, bytes)
        Notifications given to the radio.
    dropped : list of (str, bytes)
        Notifications lost because the radio was slower than the device.
    """

    def __init__(self, model: PeripheralModel) -> None:
        self.model = model
        self.sent: list[tuple[str, bytes]] = []
        self.dropped: list[tuple[str, bytes]] = []
        self._connection: Any = None
        self._characteristics: dict[str, Any] = {}
        self._indicated: set[str] = set()
        self._tasks: set[asyncio.Future[Any]] = set()
        self._running = True
        self._loop = asyncio.get_running_loop()

    async def power_on(self, source: Any, sink: Any, address: str) -> None:
        """Start the host on a controller and advertise."""
        self.device = make_device(self.model.name, address, source, sink)
        for uuid, characteristics in self.model.services.items():
            made = [self._make(one) for one in characteristics]
            self.device.add_services([gatt.Service(core.UUID(uuid), made)])
        self.device.on(Device.EVENT_CONNECTION, self._on_connection)
        await self.device.power_on()
        await self._advertise()

    async def run(self) -> None:
        """Call the model and send its notifications until cancelled."""
        try:
            while True:
                await asyncio.sleep(_STEP_S)
                self._send()
        finally:
            self._running = False
            for task in self._tasks:
                task.cancel()

    # -- GATT ----------------------------------------------------------------------------

    def _make(self, model: CharacteristicModel) -> gatt.Characteristic[Any]:
        flags = gatt.Characteristic.Properties(0)
        for name in model.properties:
            flags |= _PROPERTIES[name]
        value = gatt.CharacteristicValue(
            read=partial(self._on_read, model.uuid), write=partial(self._on_write, model.uuid)
        )
        made: Any = gatt.Characteristic(
            core.UUID(model.uuid),
            flags,
            gatt.Characteristic.READABLE | gatt.Characteristic.WRITEABLE,
            cast("Any", value),
        )
        made.on(made.EVENT_SUBSCRIPTION, partial(self._on_subscription, model.uuid))
        self._characteristics[model.uuid] = made
        return cast("gatt.Characteristic[Any]", made)

    def _on_read(self, uuid: str, connection: Any) -> bytes:
        return self.model.read(uuid, self._loop.time())

    def _on_write(self, uuid: str, connection: Any, data: bytes) -> None:
        self.model.write(uuid, bytes(data), self._loop.time())
        self._loop.call_soon(self._send)  # after the response to the write

    def _on_subscription(self, uuid: str, connection: Any, notify: bool, indicate: bool) -> None:
        self._indicated.discard(uuid)
        if indicate and not notify:
            self._indicated.add(uuid)
        if notify or indicate:
            self.model.subscribe(uuid, self._loop.time())
        else:
            self.model.subscribed.discard(uuid)

    def _send(self) -> None:
        for uuid, data in self.model.notifications(self._loop.time()):
            if self._connection is None or uuid not in self.model.subscribed:
                continue
            queue = self.device.host.get_data_packet_queue(self._connection.handle)
            data = data[: self._connection.att_mtu - 3]  # as the stacks of small chips do
            if queue is None or queue.pending >= _MAX_QUEUED_PACKETS:
                self.dropped.append((uuid, data))
                continue
            self.sent.append((uuid, data))
            handle = self._characteristics[uuid].handle
            if uuid in self._indicated:
                self._create_task(
                    self.device.gatt_server.indicate_subscriber(
                        self._connection, self._characteristics[uuid], data
                    )
                )
                continue
            pdu = att.ATT_Handle_Value_Notification(handle, data)
            self.device.gatt_server.send_gatt_pdu(self._connection, bytes(pdu))

    # -- connection ------------------------------------------------------------------------

    async def _advertise(self) -> None:
        structures: list[tuple[int, bytes]] = [(core.AdvertisingData.FLAGS, bytes([6]))]
        for text in self.model.advertised_uuids:
            uuid = core.UUID(text)
            short = text.endswith("-0000-1000-8000-00805f9b34fb") and text.startswith("0000")
            if short:
                kind = core.AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS
                structures.append((kind, int(text[:8], 16).to_bytes(2, "little")))
            else:
                kind = core.AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS
                structures.append((kind, bytes(uuid)))
        name = (core.AdvertisingData.COMPLETE_LOCAL_NAME, self.model.name.encode())
        fits = sum(2 + len(data) for _, data in (*structures, name)) <= _MAX_ADVERTISEMENT
        response = [] if fits else [name]
        structures += [name] if fits else []
        self.device.advertising_data = bytes(core.AdvertisingData(cast("Any", structures)))
        self.device.scan_response_data = bytes(core.AdvertisingData(cast("Any", response)))
        self.device.advertising_interval_min = self.device.advertising_interval_max = 300.0
        with contextlib.suppress(core.BaseBumbleError, hci.HCI_Error):
            await self.device.start_advertising(own_address_type=hci.OwnAddressType.RANDOM)

    def _on_connection(self, connection: Any) -> None:
        self._connection = connection
        self._indicated.clear()
        self.model.connect(self._loop.time())
        connection.on(connection.EVENT_DISCONNECTION, self._on_disconnection)
        self._create_task(self._request_parameters(connection))

    async def _request_parameters(self, connection: Any) -> None:
        """Request a supervision timeout that outlasts a turn of the body."""
        await asyncio.sleep(0.5)
        self.device.l2cap_channel_manager.connection_parameters_update_response = None
        with contextlib.suppress(core.BaseBumbleError, asyncio.CancelledError, TimeoutError):
            await asyncio.wait_for(
                self.device.update_connection_parameters(
                    connection, 15.0, 30.0, 0, 6000.0, use_l2cap=True
                ),
                30.0,
            )

    def _on_disconnection(self, reason: int) -> None:
        self._connection = None
        self.model.disconnect(self._loop.time())
        if self._running:
            self._create_task(self._advertise())

    def _create_task(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@asynccontextmanager
async def serve_models(
    models: Sequence[PeripheralModel], error_rate: float = 0.0, seed: int = 1, mtu: int = 247
) -> AsyncIterator[tuple[SimulatedRadio, list[GattPeripheral], Device]]:
    """Run peripherals on virtual controllers until the end of the block.

    Parameters
    ----------
    models : sequence of PeripheralModel
    error_rate : float
        Share of radio packets that fail, and are sent again by the link.
    seed : int
        Of the radio.
    mtu : int
        ATT MTU that the back ends request.

    Yields
    ------
    radio : SimulatedRadio
        Its `scanner` and `client` are back ends of bleak that reach the peripherals.
    peripherals : list of GattPeripheral
    central : Device
        Host of the central, for `patch_bleak`.
    """
    channel = RadioChannel(seed)
    radio = SimulatedRadio(channel=channel)
    central_controller = RadioController("central", channel, _CENTRAL)
    peripherals, tasks = await _power_on(models, channel, error_rate)
    both = ControllerTransport(central_controller)
    central = await make_central(both, both)
    radio.scanner, radio.client = make_backends(central, mtu)
    try:
        yield radio, peripherals, central
    finally:
        with contextlib.suppress(Exception):
            await central.power_off()
        await _cancel(tasks)


@asynccontextmanager
async def expose_models(
    transport: str, models: Sequence[PeripheralModel]
) -> AsyncIterator[list[GattPeripheral]]:
    """Run peripherals, with a controller for an external host, until the end of the block.

    Parameters
    ----------
    transport : str
        See `firmware_sim.wearable.serve.expose_controller`.
    models : sequence of PeripheralModel

    Yields
    ------
    list of GattPeripheral
    """
    channel = RadioChannel(1)
    controller = RadioController("central", channel, _CENTRAL)
    peripherals, tasks = await _power_on(models, channel, 0.0)
    try:
        async with await open_transport(transport) as pipe:
            pipe.source.set_packet_sink(controller)
            controller.set_packet_sink(pipe.sink)
            yield peripherals
    finally:
        await _cancel(tasks)


async def _power_on(
    models: Sequence[PeripheralModel], channel: RadioChannel, error_rate: float
) -> tuple[list[GattPeripheral], list[asyncio.Task[None]]]:
    peripherals, tasks = [], []
    for number, model in enumerate(models):
        address = f"C4:C3:C2:C1:D0:{number:02X}"
        controller = RadioController(model.name, channel, address)
        channel.set_conditions(controller, error_rate=error_rate)
        pipe = ControllerTransport(controller)
        peripheral = GattPeripheral(model)
        await peripheral.power_on(pipe, pipe, address)
        peripherals.append(peripheral)
        tasks.append(asyncio.create_task(peripheral.run()))
    return peripherals, tasks


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for done in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(done, Exception):
            log.error("a peripheral failed: %r", done)
