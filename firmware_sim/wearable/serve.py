"""Serves wearables to another process, over HCI: ``python -m firmware_sim serve``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from bumble.transport import open_transport

from firmware_sim.wearable.plug import Plan, make_wearable, start_wearables
from firmware_sim.wearable.radio import RadioController

_CENTRAL = "F0:F1:F2:F3:F4:F5"


async def serve(transport: str, plans: Sequence[Plan], *, real: bool = False) -> None:
    """Advertise until cancelled.

    Parameters
    ----------
    transport : str
        In Bumble's words: ``tcp-server:127.0.0.1:9000``, ``unix-server:PATH``, ``pty``,
        ``vhci``: there a controller answers, whose host is the other process.
        With `real`, a controller to be used, such as ``usb:0``: then the wearable is on air.
    plans : sequence of Plan
    real : bool
    """
    async with await open_transport(transport) as pipe:
        if real:
            wearable = make_wearable(plans[0], 0)
            await wearable.power_on(pipe.source, pipe.sink, "C4:C3:C2:C1:C0:00")
            _say(f"on air as {wearable.model.name}")
            await wearable.run()
            return
        async with start_wearables(plans) as air:
            assert air.link is not None
            controller = RadioController("central", air.link, _CENTRAL)
            pipe.source.set_packet_sink(controller)
            controller.set_packet_sink(pipe.sink)
            _say(f"serving {', '.join(w.model.name for w in air.wearables)} on {transport}")
            await asyncio.get_running_loop().create_future()


def _say(text: str) -> None:
    sys.stderr.write(f"firmware_sim: {text}\n")
    sys.stderr.flush()
