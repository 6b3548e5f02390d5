"""The simulator as a Bluetooth plug-in: entry point ``sim`` of the group ``twitchsense.radios``.

`open_air` runs wearables on virtual controllers and returns back ends of bleak on a virtual
central. twitchsense finds it by name, so that neither package imports the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from bumble.controller import Controller
from bumble.device import Device
from bumble.host import Host
from bumble.transport import open_transport

from firmware_sim import scenarios
from firmware_sim.wearable.bleak_bumble import BumbleClient, BumbleScanner, make_backends
from firmware_sim.wearable.bumble_host import make_device
from firmware_sim.wearable.capture_source import CaptureSource, make_streams
from firmware_sim.wearable.clock import DriftingClock
from firmware_sim.wearable.encoder import Encoder
from firmware_sim.wearable.faults import Fault, parse_faults
from firmware_sim.wearable.firmware import DeviceModel, SampleSource
from firmware_sim.wearable.mutations import MUTATIONS, MutatedEncoder
from firmware_sim.wearable.peripheral import Wearable
from firmware_sim.wearable.radio_channel import RadioChannel, RadioController

if TYPE_CHECKING:
    from firmware_sim.capture import CaptureSettings

_CENTRAL: Final = "F0:F1:F2:F3:F4:F5"
_DEVICE: Final = 0x5453_0000_0000_0001


@dataclass(frozen=True)
class WearableOptions:
    """Options of one simulated wearable.

    Attributes
    ----------
    minutes, seed, scenario, leg
        See `CaptureSettings`.
    drift_ppm, wander_ppm, wander_s : float
        See `DriftingClock`.
    error_rate : float
        Share of radio packets that fail.
    ring_frames : int
        Capacity of the ring buffer (frames).
    faults : tuple of Fault
        Faults to inject.
    mutate : str
        Name of a mutation of the protocol; empty for none.
    boot_count : int
        Boot count at the start.
    source : callable, optional
        Returns the source of samples for a device; by default the simulated capture.
    """

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
    source: Callable[[DeviceModel], SampleSource] | None = None

    def model(self, number: int) -> DeviceModel:
        """Return the fixed properties of the device; `number` distinguishes several."""
        return DeviceModel(_DEVICE + number, make_streams(), self.leg, ring_frames=self.ring_frames)

    @property
    def settings(self) -> CaptureSettings:
        """Settings of the simulated capture."""
        from firmware_sim.capture import CaptureSettings

        return CaptureSettings(
            minutes=self.minutes,
            seed=self.seed,
            scenario=self.scenario,
            leg=self.leg,
            drift_ppm=self.drift_ppm,
            acc_drift_ppm=self.drift_ppm,
        )


@dataclass
class SimulatedRadio:
    """Simulated wearables, and back ends of bleak that reach them.

    Attributes
    ----------
    scanner, client : type or None
        Back ends of bleak.
    channel : RadioChannel or None
        Radio channel of this process.
    wearables : list of Wearable
        Wearables of this process.
    """

    scanner: type[BumbleScanner] | None = None
    client: type[BumbleClient] | None = None
    channel: RadioChannel | None = None
    wearables: list[Wearable] = field(default_factory=list)


@asynccontextmanager
async def start_wearables(
    wearable_options: Sequence[WearableOptions],
) -> AsyncIterator[SimulatedRadio]:
    """Run wearables on virtual controllers until the end of the block."""
    radio = SimulatedRadio(channel=RadioChannel(wearable_options[0].seed))
    tasks = []
    for number, plan in enumerate(wearable_options):
        address = f"C4:C3:C2:C1:C0:{number:02X}"
        assert radio.channel is not None
        controller = RadioController(f"wearable {number}", radio.channel, address)
        wearable = make_wearable(plan, number, radio.channel, controller)
        radio.channel.set_conditions(controller, error_rate=plan.error_rate)
        pipe = ControllerTransport(controller)
        await wearable.power_on(pipe, pipe, address)
        radio.wearables.append(wearable)
        tasks.append(asyncio.create_task(wearable.run()))
    try:
        yield radio
    finally:
        for task in tasks:
            task.cancel()
        for done in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(done, Exception):
                logging.getLogger(__name__).error("a wearable failed: %r", done)


def make_wearable(
    plan: WearableOptions, number: int, radio: Any = None, controller: Any = None
) -> Wearable:
    """Assemble one wearable from its options."""
    model = plan.model(number)
    if plan.source is not None:
        source: SampleSource = plan.source(model)
    else:
        from firmware_sim.capture import SimulatedCapture  # slow import

        source = CaptureSource(SimulatedCapture(plan.settings), model.streams)
    clock = DriftingClock(model.tick_hz, plan.drift_ppm, plan.wander_ppm, plan.wander_s)
    encoder = MutatedEncoder(MUTATIONS[plan.mutate]) if plan.mutate else Encoder()
    return Wearable(
        model,
        source,
        clock,
        encoder,
        plan.faults,
        radio,
        controller,
        seed=plan.seed + number,
        boot_count=plan.boot_count,
    )


@asynccontextmanager
async def open_air(
    transport: str = "",
    wearable_options: Sequence[WearableOptions] = (),
    mtu: int = 247,
    peer: str = "",
    **options: Any,
) -> AsyncIterator[SimulatedRadio]:
    """Open a simulated Bluetooth adapter.

    Parameters
    ----------
    transport : str
        Transport of a controller, such as ``tcp-client:127.0.0.1:9000`` for
        ``python -m firmware_sim serve``. Empty: everything runs in this process.
    wearable_options : sequence of WearableOptions
        Wearables; if empty, one is made from `options`.
    mtu : int
        ATT MTU that the central requests.
    peer : str
        Kind of a device of another maker (`firmware_sim.peers.by_kind`) to simulate instead;
        several are joined by ``+``.
    **options
        Fields of `WearableOptions`; `faults` may be a text.

    Yields
    ------
    SimulatedRadio
    """
    async with contextlib.AsyncExitStack() as stack:
        if peer:
            from firmware_sim.peers.by_kind import make_models
            from firmware_sim.peers.gatt_server import serve_models  # imports this module

            models = make_models(peer, **options)
            served, _, _ = await stack.enter_async_context(serve_models(models, mtu=mtu))
            yield served
            return
        if transport:
            pipe = await stack.enter_async_context(await open_transport(transport))
            radio = SimulatedRadio()
            host = await make_central(pipe.source, pipe.sink)
        else:
            radio = await stack.enter_async_context(
                start_wearables(wearable_options or [make_options(**options)])
            )
            assert radio.channel is not None
            controller = RadioController("central", radio.channel, _CENTRAL)
            both = ControllerTransport(controller)
            host = await make_central(both, both)
        stack.push_async_callback(_power_off, host)
        radio.scanner, radio.client = make_backends(host, mtu)
        yield radio


def next_boot_count() -> int:
    """Return a boot count that rises from call to call across processes: the present time."""
    return int(time.time()) & 0x7FFFFFFF


def check_options(
    device: str, options: Mapping[str, object], defaults: Mapping[str, object]
) -> None:
    """Refuse options that a simulated device does not have, and text in place of a number.

    Parameters
    ----------
    device : str
        For the message.
    options : mapping with str keys
    defaults : mapping with str keys
        The options that it has.

    Raises
    ------
    ValueError
        With the cure after a semicolon.
    """
    for name, value in options.items():
        if name not in defaults:
            known = [
                n for n, d in defaults.items() if isinstance(d, str | int | float) or n == "faults"
            ]
            listed = ", ".join(sorted(known)) or "none"
            raise ValueError(f"the simulated {device} has no option {name}; choose from: {listed}")
        if isinstance(value, str) and not isinstance(defaults[name], str):
            raise ValueError(f"{name}={value} of the simulated {device}; write a number")
    for name, choice in (("scenario", scenarios.NAMES), ("mutate", ("", *MUTATIONS))):
        if name in defaults and options.get(name, choice[0]) not in choice:
            listed = ", ".join(filter(None, choice))
            raise ValueError(f"no simulated {name} {options[name]}; choose from: {listed}")


def make_options(faults: str | tuple[Fault, ...] = (), **options: Any) -> WearableOptions:
    """Return options of a wearable from options of the command line."""
    check_options("wearable", options, {f.name: f.default for f in fields(WearableOptions)})
    options.setdefault("boot_count", next_boot_count())
    return WearableOptions(
        faults=parse_faults(faults) if isinstance(faults, str) else faults, **options
    )


async def make_central(source: Any, sink: Any) -> Device:
    """Return a host that is switched on, for the central on a controller."""
    host = make_device("central", _CENTRAL, source, sink)
    await host.power_on()
    return host


async def _power_off(host: Device) -> None:
    with contextlib.suppress(Exception):
        await host.power_off()


class ControllerTransport:
    """A controller in this process as source and sink of a host."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    def set_packet_sink(self, sink: Host) -> None:
        """Send the packets of the controller to a host."""
        self._controller.set_packet_sink(sink)

    def on_packet(self, packet: bytes) -> None:
        """Pass a packet of the host to the controller in the next iteration of the loop."""
        asyncio.get_running_loop().call_soon(self._controller.on_packet, packet)
