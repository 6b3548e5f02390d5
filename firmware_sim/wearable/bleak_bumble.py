"""Back ends of bleak on a Bumble host, so that unmodified clients reach the simulator.

They implement what bleak's interface requires. Errors of Bumble become errors of bleak, and so
do the futures that Bumble cancels when a connection is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast
from uuid import UUID

import bleak
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError, BleakGATTProtocolError
from bumble import att, core, gatt, hci
from bumble.device import ConnectionParametersPreferences, Device, Peer

T = TypeVar("T")

#: Connection interval (ms) that BlueZ starts with.
_INTERVAL_MS = 30.0
#: Supervision timeout (ms) that BlueZ starts with.
_TIMEOUT_MS = 420
#: Parts of an advertisement that list services.
_UUID_LISTS = (
    core.AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    core.AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
)


class BumbleScanner(BaseBleakScanner):
    """A scanner on the Bumble host `host`, set by `make_backends`."""

    host: Device

    def __init__(
        self, detection_callback: Any, service_uuids: Any, scanning_mode: str, **options: Any
    ) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        """Start scanning."""
        self.seen_devices = {}
        self.host.on(Device.EVENT_ADVERTISEMENT, self._on_advertisement)
        await self.host.start_scanning(legacy=True)

    async def stop(self) -> None:
        """Stop scanning."""
        self.host.remove_listener(Device.EVENT_ADVERTISEMENT, self._on_advertisement)
        await self.host.stop_scanning(legacy=True)

    def _on_advertisement(self, advertisement: Any) -> None:
        data = advertisement.data
        name = data.get(core.AdvertisingData.COMPLETE_LOCAL_NAME) or data.get(
            core.AdvertisingData.SHORTENED_LOCAL_NAME
        )
        services = [_uuid(uuid) for number in _UUID_LISTS for uuid in data.get(number) or []]
        if not self.is_allowed_uuid(services):
            return
        seen = AdvertisementData(
            local_name=name,
            manufacturer_data={},
            service_data={},
            service_uuids=services,
            tx_power=None,
            rssi=advertisement.rssi,
            platform_data=(advertisement,),
        )
        address = advertisement.address.to_string(with_type_qualifier=False)
        device = self.create_or_update_device(address, address, name, advertisement.address, seen)
        self.call_detection_callbacks(device, seen)


class BumbleClient(BaseBleakClient):
    """A client on the Bumble host `host`, set by `make_backends`."""

    host: Device
    att_mtu = 247

    def __init__(self, address_or_ble_device: BLEDevice | str, **options: Any) -> None:
        options.pop("services", None)
        super().__init__(address_or_ble_device, **options)
        details = getattr(address_or_ble_device, "details", None)
        self._peer_address = details or hci.Address(self.address)
        self._connection: Any = None
        self._peer: Any = None
        self._closing = False
        self._listeners: dict[int, Callable[[bytes], None]] = {}

    @property
    def name(self) -> str:
        """Name of the device."""
        return self.address

    @property
    def mtu_size(self) -> int:
        """ATT MTU."""
        return int(self._connection.att_mtu) if self._connection is not None else 23

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self._connection is not None

    async def connect(self, pair: bool, **options: Any) -> None:
        """Connect, exchange the MTU and discover all services."""
        preferences = ConnectionParametersPreferences(
            connection_interval_min=_INTERVAL_MS,
            connection_interval_max=_INTERVAL_MS,
            supervision_timeout=_TIMEOUT_MS,
        )
        try:
            self._connection = await self.host.connect(
                self._peer_address,
                connection_parameters_preferences={hci.HCI_LE_1M_PHY: preferences},
                timeout=self._timeout,
            )
        except (core.BaseBumbleError, TimeoutError, asyncio.InvalidStateError) as error:
            raise BleakError(f"could not connect: {error!r}") from error
        self._connection.on(self._connection.EVENT_DISCONNECTION, self._on_disconnection)
        self._peer = Peer(self._connection)
        try:
            if self.att_mtu > 23:
                await self._guard(self._peer.request_mtu(self.att_mtu))
            await self._guard(self._peer.discover_all())
        except BleakError:
            await self.disconnect()
            raise
        self.services = self._collect()

    async def disconnect(self) -> None:
        """Disconnect."""
        connection = self._connection
        if connection is None:
            return
        self._closing = True
        with contextlib.suppress(core.BaseBumbleError, hci.HCI_Error, TimeoutError):
            await asyncio.wait_for(connection.disconnect(), 10)
        self._connection = None

    async def pair(self, *args: Any, **options: Any) -> None:
        """Do nothing: pairing is not needed."""

    async def unpair(self) -> None:
        """Do nothing: pairing is not needed."""

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **options: Any
    ) -> bytearray:
        """Read a characteristic, long ones too."""
        return bytearray(await self._guard(self._peer.read_value(characteristic.obj)))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **options: Any
    ) -> bytearray:
        """Read a descriptor."""
        return bytearray(await self._guard(self._peer.read_value(descriptor.obj)))

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: Any, response: bool
    ) -> None:
        """Write a characteristic."""
        work = self._peer.write_value(characteristic.obj, bytes(data), with_response=response)
        await self._guard(work)

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: Any) -> None:
        """Write a descriptor."""
        await self._guard(self._peer.write_value(descriptor.obj, bytes(data), with_response=True))

    async def start_notify(
        self,
        characteristic: BleakGATTCharacteristic,
        callback: Callable[[bytearray], None],
        **options: Any,
    ) -> None:
        """Subscribe."""

        def take(value: bytes) -> None:
            callback(bytearray(value))

        self._listeners[characteristic.handle] = take
        await self._guard(self._peer.subscribe(characteristic.obj, take))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Unsubscribe."""
        take = self._listeners.pop(characteristic.handle, None)
        await self._guard(self._peer.unsubscribe(characteristic.obj, take))

    async def _guard(self, work: Coroutine[Any, Any, T]) -> T:
        connection = self._connection
        if connection is None:
            work.close()
            raise BleakError("not connected")
        task = asyncio.ensure_future(work)
        try:
            # Bumble cancels the future when the connection ends: that must not be mistaken
            # for the cancellation of this task
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.cancelled():
            raise BleakError("disconnected")
        error = task.exception()
        if isinstance(error, att.ATT_Error):
            raise BleakGATTProtocolError(error.error_code) from error
        if isinstance(error, (core.BaseBumbleError, hci.HCI_Error, TimeoutError)):
            raise BleakError(repr(error)) from error
        return task.result()

    def _on_disconnection(self, reason: int) -> None:
        self._connection = None
        if self._disconnected_callback is not None and not self._closing:
            self._disconnected_callback()

    def _collect(self) -> BleakGATTServiceCollection:
        found = BleakGATTServiceCollection()
        for service in self._peer.services:
            ours = BleakGATTService(service, service.handle, _uuid(service.uuid))
            found.add_service(ours)
            for one in service.characteristics:
                properties = [
                    (p.name or "").lower().replace("_", "-")
                    for p in gatt.Characteristic.Properties
                    if p in one.properties
                ]
                mine = BleakGATTCharacteristic(
                    one,
                    one.handle,
                    _uuid(one.uuid),
                    cast("Any", properties),
                    lambda: self.mtu_size - 3,
                    ours,
                )
                found.add_characteristic(mine)
                for descriptor in one.descriptors:
                    found.add_descriptor(
                        BleakGATTDescriptor(
                            descriptor, descriptor.handle, _uuid(descriptor.type), mine
                        )
                    )
        return found


def _uuid(uuid: Any) -> str:
    return str(UUID(bytes=bytes(uuid.to_bytes(force_128=True))[::-1]))


def make_backends(host: Device, mtu: int = 247) -> tuple[type[BumbleScanner], type[BumbleClient]]:
    """Return back ends of bleak on one Bumble host.

    Parameters
    ----------
    host : Device
        The Bumble host.
    mtu : int
        ATT MTU to request.

    Returns
    -------
    scanner, client : type
    """
    scanner = type("BumbleScanner", (BumbleScanner,), {"host": host})
    client = type("BumbleClient", (BumbleClient,), {"host": host, "att_mtu": mtu})
    return scanner, client


@contextlib.contextmanager
def patch_bleak(host: Device) -> Any:
    """Make bleak use a Bumble host by default, for clients that select no back end."""
    scanner, client = make_backends(host)
    module: Any = bleak
    old = (module.get_platform_scanner_backend_type, module.get_platform_client_backend_type)
    module.get_platform_scanner_backend_type = lambda: (scanner, "bumble")
    module.get_platform_client_backend_type = lambda: (client, "bumble")
    try:
        yield
    finally:
        module.get_platform_scanner_backend_type, module.get_platform_client_backend_type = old
