"""The wearable for another process, over HCI: ``python -m firmware_sim serve``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from bumble.transport import open_transport

from firmware_sim.wearable.plug import (
    SimulatedRadio,
    WearableOptions,
    make_wearable,
    start_wearables,
)
from firmware_sim.wearable.radio_channel import RadioController

_CENTRAL = "F0:F1:F2:F3:F4:F5"


@asynccontextmanager
async def expose_controller(
    transport: str, wearable_options: Sequence[WearableOptions]
) -> AsyncIterator[SimulatedRadio]:
    """Run wearables on a virtual radio channel, with a controller for an external host.

    Parameters
    ----------
    transport : str
        Transport in Bumble's notation: ``tcp-server:127.0.0.1:9000``, ``unix-server:PATH``,
        ``pty``, ``vhci`` (the Bluetooth of this computer is the host).
    wearable_options : sequence of WearableOptions
        Wearables to run.

    Yields
    ------
    SimulatedRadio
    """
    async with AsyncExitStack() as stack:
        radio = await stack.enter_async_context(start_wearables(wearable_options))
        assert radio.channel is not None
        controller = RadioController("central", radio.channel, _CENTRAL)
        # a kernel sends packets at once: the controller must exist before
        pipe = await stack.enter_async_context(await open_transport(transport))
        pipe.source.set_packet_sink(controller)
        controller.set_packet_sink(pipe.sink)
        yield radio


async def serve(
    transport: str, wearable_options: Sequence[WearableOptions], *, real: bool = False
) -> None:
    """Advertise until cancelled.

    Parameters
    ----------
    transport : str
        See `expose_controller`. If `real`, a Bluetooth controller such as ``usb:0``, which
        transmits.
    wearable_options : sequence of WearableOptions
        Wearables to run; only the first with `real`.
    real : bool
        Whether `transport` is a real controller.
    """
    if real:
        async with await open_transport(transport) as pipe:
            wearable = make_wearable(wearable_options[0], 0)
            await wearable.power_on(pipe.source, pipe.sink, "C4:C3:C2:C1:C0:00")
            _print(f"on radio as {wearable.model.name}")
            await wearable.run()
        return
    async with expose_controller(transport, wearable_options) as radio:
        _print(f"serving {', '.join(w.model.name for w in radio.wearables)} on {transport}")
        await asyncio.get_running_loop().create_future()


def _print(text: str) -> None:
    sys.stderr.write(f"firmware_sim: {text}\n")
    sys.stderr.flush()
