"""The simulator as a radio, for whoever looks for one by name (entry point ``sim``).

`open_air` starts wearables on virtual controllers and gives back ends of bleak on a
virtual central. It is found by name, so that neither side imports the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bumble.controller import Controller
from bumble.device import Device
from bumble.host import Host
from bumble.transport import open_transport

from firmware_sim.wearable.bleak_bumble import BumbleClient, BumbleScanner, make_backends
from firmware_sim.wearable.body import Body, make_streams
from firmware_sim.wearable.crystal import Crystal
from firmware_sim.wearable.faults import Fault, parse_faults
from firmware_sim.wearable.firmware import Model, Source
from firmware_sim.wearable.host import make_device
from firmware_sim.wearable.mutate import MUTATIONS, Broken
from firmware_sim.wearable.peripheral import Wearable
from firmware_sim.wearable.radio import RadioController, RadioLink
from firmware_sim.wearable.wire import Wire

if TYPE_CHECKING:
    from firmware_sim.capture import Settings

_CENTRAL: Final = "F0:F1:F2:F3:F4:F5"
_DEVICE: Final = 0x5453_0000_0000_0001


@dataclass(frozen=True)
class Plan:
    """One wearable to simulate."""

    minutes: float = 1.0
    seed: int = 1
    scenario: str = "night"
    leg: str = ""
    drift_ppm: float = 20.0
    wander_ppm: float = 0.0
    wander_s: float = 10800.0
    error_rate: float = 0.02
    ring_frames: int = 20000
    faults: tuple[Fault, ...] = ()
    mutate: str = ""
    boot_count: int = 1
    source: Callable[[Model], Source] | None = None

    def model(self, number: int) -> Model:
        """Describe the device; `number` tells several apart."""
        return Model(_DEVICE + number, make_streams(), self.leg, ring_frames=self.ring_frames)

    @property
    def settings(self) -> Settings:
        """What the body and its sensors do."""
        from firmware_sim.capture import Settings

        return Settings(
            minutes=self.minutes,
            seed=self.seed,
            scenario=self.scenario,
            leg=self.leg,
            drift_ppm=self.drift_ppm,
            acc_drift_ppm=self.drift_ppm,
        )


@dataclass
class Air:
    """What is on the air, and back ends of bleak to hear it."""

    scanner: type[BumbleScanner] | None = None
    client: type[BumbleClient] | None = None
    link: RadioLink | None = None
    wearables: list[Wearable] = field(default_factory=list)


@asynccontextmanager
async def start_wearables(plans: Sequence[Plan]) -> AsyncIterator[Air]:
    """Run wearables on virtual controllers, until the end of the block."""
    air = Air(link=RadioLink(plans[0].seed))
    tasks = []
    for number, plan in enumerate(plans):
        address = f"C4:C3:C2:C1:C0:{number:02X}"
        assert air.link is not None
        controller = RadioController(f"wearable {number}", air.link, address)
        wearable = make_wearable(plan, number, air.link, controller)
        air.link.set_weather(controller, error_rate=plan.error_rate)
        pipe = _Pipe(controller)
        await wearable.power_on(pipe, pipe, address)
        air.wearables.append(wearable)
        tasks.append(asyncio.create_task(wearable.run()))
    try:
        yield air
    finally:
        for task in tasks:
            task.cancel()
        for done in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(done, Exception):
                logging.getLogger(__name__).error("a wearable failed: %r", done)


def make_wearable(plan: Plan, number: int, air: Any = None, controller: Any = None) -> Wearable:
    """Put one wearable together."""
    model = plan.model(number)
    if plan.source is not None:
        source: Source = plan.source(model)
    else:
        from firmware_sim.capture import Capture  # half a second of libraries

        source = Body(Capture(plan.settings), model.streams)
    crystal = Crystal(model.tick_hz, plan.drift_ppm, plan.wander_ppm, plan.wander_s)
    wire = Broken(MUTATIONS[plan.mutate]) if plan.mutate else Wire()
    return Wearable(
        model,
        source,
        crystal,
        wire,
        plan.faults,
        air,
        controller,
        seed=plan.seed + number,
        boot_count=plan.boot_count,
    )


@asynccontextmanager
async def open_air(
    transport: str = "", plans: Sequence[Plan] = (), mtu: int = 247, **options: Any
) -> AsyncIterator[Air]:
    """Open a simulated radio.

    Parameters
    ----------
    transport : str
        Where a central's controller answers, such as ``tcp-client:127.0.0.1:9000`` of
        ``python -m firmware_sim serve``. Empty: everything in this process.
    plans : sequence of Plan
        Wearables; one is made from `options` if there is none.
    mtu : int
        ATT MTU the central asks for.
    **options
        Fields of `Plan`; `faults` may be a text.
    """
    async with contextlib.AsyncExitStack() as stack:
        if transport:
            pipe = await stack.enter_async_context(await open_transport(transport))
            air = Air()
            host = await _make_central(pipe.source, pipe.sink)
        else:
            air = await stack.enter_async_context(start_wearables(plans or [make_plan(**options)]))
            assert air.link is not None
            controller = RadioController("central", air.link, _CENTRAL)
            both = _Pipe(controller)
            host = await _make_central(both, both)
        stack.push_async_callback(_power_off, host)
        air.scanner, air.client = make_backends(host, mtu)
        yield air


def count_boot() -> int:
    """Return a boot count for a wearable that is made now: it rises, as a real one's must."""
    return int(time.time()) & 0x7FFFFFFF


def make_plan(faults: str | tuple[Fault, ...] = (), **options: Any) -> Plan:
    """Make a plan from options of the command line."""
    options.setdefault("boot_count", count_boot())
    return Plan(faults=parse_faults(faults) if isinstance(faults, str) else faults, **options)


async def _make_central(source: Any, sink: Any) -> Device:
    host = make_device("central", _CENTRAL, source, sink)
    await host.power_on()
    return host


async def _power_off(host: Device) -> None:
    with contextlib.suppress(Exception):
        await host.power_off()


class _Pipe:
    """A controller in this process, as the source and the sink of a host."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    def set_packet_sink(self, sink: Host) -> None:
        """Send packets of the controller to a host."""
        self._controller.set_packet_sink(sink)

    def on_packet(self, packet: bytes) -> None:
        """Take a packet of the host, on the next turn of the loop."""
        asyncio.get_running_loop().call_soon(self._controller.on_packet, packet)
