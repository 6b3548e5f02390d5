"""The devices of the simulator: ``--device sim``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from twitchsense.errors import InputError

if TYPE_CHECKING:
    from twitchsense.acquire.adapter import Adapter, Advertisement
    from twitchsense.cli.device_options import RequestedDevice

#: Maximum duration (s) of the scan for a simulated wearable.
SIMULATOR_SCAN_S: Final = 10.0
#: Duration (s) of the scan for a second simulated wearable.
_SECOND_SCAN_S: Final = 1.5


def split_device(text: str) -> tuple[str, str]:
    """Split a device name into the plug-in and its transport.

    Parameters
    ----------
    text : str
        ``sim``, ``sim@TRANSPORT``, or the address or name of a wearable.

    Returns
    -------
    plugin, transport : str
        Both empty for a wearable that is not simulated.
    """
    plugin, _, transport = text.partition("@")
    return (plugin, transport) if plugin == "sim" else ("", "")


async def find_simulated(
    adapter: Adapter, served: bool, stop: asyncio.Event
) -> list[Advertisement]:
    """Return the wearables of the simulator.

    Parameters
    ----------
    adapter : Adapter
    served : bool
        Whether there may be several, of any kind.
    stop : asyncio.Event
        Ends the search.

    Returns
    -------
    list of Advertisement
        Sorted by address: in the order of ``--option peer=KIND+KIND``.

    Raises
    ------
    InputError
        If there is none.
    """
    from twitchsense.acquire.adapter import DeviceSelector

    found = []
    if not served:
        found = await adapter.scan(SIMULATOR_SCAN_S, DeviceSelector("", "ts-0001"))
    else:
        deadline_s = asyncio.get_running_loop().time() + SIMULATOR_SCAN_S
        while not found and not stop.is_set() and asyncio.get_running_loop().time() < deadline_s:
            found = await adapter.scan(_SECOND_SCAN_S)  # there may be several
    if not found and not stop.is_set():
        raise InputError("sim", "no simulated wearable was found", "start firmware_sim serve")
    return sorted(found, key=lambda advertisement: advertisement.address)


def assign_simulated(
    requested: Sequence[RequestedDevice], found: Sequence[Advertisement]
) -> list[RequestedDevice]:
    """Return one request for each device of the simulator.

    Parameters
    ----------
    requested : sequence of RequestedDevice
        One for all devices, or one for each.
    found : sequence of Advertisement

    Returns
    -------
    list of RequestedDevice
        With addresses and names.

    Raises
    ------
    InputError
        If there are several requests, and not as many devices.
    """
    if len(requested) not in (1, len(found)):
        raise InputError(
            "--leg, --gain",
            f"given {len(requested)} times, and simulated devices: {len(found)}",
            "give each once, or once for each kind of --option peer=KIND+KIND in their order",
        )
    wanted = list(requested) * (len(found) if len(requested) == 1 else 1)
    return [replace(r, address=a.address, name=a.name) for r, a in zip(wanted, found, strict=True)]


def each_simulated(
    requested: Sequence[RequestedDevice], options: tuple[str, ...]
) -> list[RequestedDevice]:
    """Return one request for each device, of which the simulator may have several.

    Parameters
    ----------
    requested : sequence of RequestedDevice
    options : tuple of str
        Values of ``--option``.

    Returns
    -------
    list of RequestedDevice
        Those given, if there is no simulator.

    Raises
    ------
    InputError
        As `assign_simulated`; or if there is no simulated device.
    """
    from twitchsense.acquire.adapter import open_adapter
    from twitchsense.cli.device_options import parse_options

    plugin, transport = split_device(requested[0].device)
    if not plugin:
        return list(requested)
    parsed = parse_options(options)

    async def find() -> list[Advertisement]:
        async with open_adapter(plugin, **{"transport": transport, **parsed}) as adapter:
            served = bool(transport) or "peer" in parsed
            return await find_simulated(adapter, served, asyncio.Event())

    return assign_simulated(requested, asyncio.run(find()))
