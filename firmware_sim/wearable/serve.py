"""The wearable for another process, over HCI: ``python -m firmware_sim serve``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from bumble.transport import open_transport

from firmware_sim.wearable.plug import Air, Plan, make_wearable, start_wearables
from firmware_sim.wearable.radio import RadioController

_CENTRAL = "F0:F1:F2:F3:F4:F5"


@asynccontextmanager
async def offer(transport: str, plans: Sequence[Plan]) -> AsyncIterator[Air]:
    """Put wearables on a virtual air, and a controller for a host of someone else's.

    Parameters
    ----------
    transport : str
        In Bumble's words: ``tcp-server:127.0.0.1:9000``, ``unix-server:PATH``, ``pty``,
        ``vhci`` (then this computer's own Bluetooth is the host).
    plans : sequence of Plan
    """
    async with AsyncExitStack() as stack:
        air = await stack.enter_async_context(start_wearables(plans))
        assert air.link is not None
        controller = RadioController("central", air.link, _CENTRAL)
        # a kernel begins to talk at once: what it says must find the controller there
        pipe = await stack.enter_async_context(await open_transport(transport))
        pipe.source.set_packet_sink(controller)
        controller.set_packet_sink(pipe.sink)
        yield air


async def serve(transport: str, plans: Sequence[Plan], *, real: bool = False) -> None:
    """Advertise until cancelled.

    Parameters
    ----------
    transport : str
        See `offer`. With `real`, a controller to be used, such as ``usb:0``: then the
        wearable is on air.
    plans : sequence of Plan
    real : bool
    """
    if real:
        async with await open_transport(transport) as pipe:
            wearable = make_wearable(plans[0], 0)
            await wearable.power_on(pipe.source, pipe.sink, "C4:C3:C2:C1:C0:00")
            _say(f"on air as {wearable.model.name}")
            await wearable.run()
        return
    async with offer(transport, plans) as air:
        _say(f"serving {', '.join(w.model.name for w in air.wearables)} on {transport}")
        await asyncio.get_running_loop().create_future()


def _say(text: str) -> None:
    sys.stderr.write(f"firmware_sim: {text}\n")
    sys.stderr.flush()
