"""The devices of the simulator: ``--device sim``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from twitchsense.errors import InputError

if TYPE_CHECKING:
    from twitchsense.acquire.adapter import Adapter

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


async def find_simulated(adapter: Adapter, served: bool, stop: asyncio.Event) -> list[str]:
    """Return the addresses of the wearables of the simulator.

    Parameters
    ----------
    adapter : Adapter
    served : bool
        Whether there may be several, of any kind.
    stop : asyncio.Event
        Ends the search.

    Returns
    -------
    list of str

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
    return [s.address for s in found]
