"""Logs whatever a device without a driver sends: the raw log that a report about it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twitchsense.acquire.adapter import Adapter, DeviceSelector
from twitchsense.acquire.backoff import sleep_unless_set
from twitchsense.acquire.connection import DeviceConnectionError, FailureReason, open_connection
from twitchsense.devices.contract import Message

#: Maximum duration (s) of the scan for the device.
_SCAN_TIMEOUT_S: Final = 10.0


async def log_device(
    adapter: Adapter,
    address: str,
    seconds: float,
    now_ns: Callable[[], int],
    on_message: Callable[[Message], None],
) -> None:
    """Read every characteristic of a device that can be read, and receive those that notify.

    Nothing is written, because a command may do harm; a device that waits for a command sends
    nothing.

    Parameters
    ----------
    adapter : Adapter
    address : str
        Address or name of the device.
    seconds : float
        Time for which notifications are received, s.
    now_ns : callable
        Returns UTC in ns.
    on_message : callable
        Called with every value.

    Raises
    ------
    AdapterError
        If Bluetooth cannot be used.
    DeviceConnectionError
        If the device is not found, or the connection ends.
    """
    wanted = DeviceSelector("", address)
    found = await adapter.scan(_SCAN_TIMEOUT_S, wanted, unknown=True)
    device = next((a for a in found if wanted.matches(a)), None)
    if device is None:
        raise DeviceConnectionError(FailureReason.NOT_FOUND, f"{address} does not advertise")
    async with open_connection(adapter, device, now_ns, on_message) as connection:
        for uuid, properties in connection.characteristics():
            if "read" in properties:
                await connection.read_optional(uuid)
            if properties & {"notify", "indicate"}:
                try:
                    await connection.subscribe(uuid)
                except DeviceConnectionError:
                    if connection.lost.is_set():
                        raise
        await sleep_unless_set(seconds, connection.lost)
        if connection.lost.is_set():
            raise DeviceConnectionError(FailureReason.LOST, "the connection was lost")
