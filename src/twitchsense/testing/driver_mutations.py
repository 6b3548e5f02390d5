"""Drivers that are wrong on purpose: a case must notice each of them.

Each mutation changes the packets or the streams of a right driver, as a mistake in its decoder
would. One that does not apply to a stream (the order of axes of a single channel) returns it
unchanged, and then counts as not applicable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from twitchsense.devices.contract import Decoded, Decoder, Driver, Message, SamplePacket
from twitchsense.devices.streams import SampleClock, SampleCounter, StreamDescription
from twitchsense.testing.driver_case import DriverCase
from twitchsense.testing.driver_checks import CheckError, check_driver

#: Outcomes of mutations that no check notices.
UNCHANGED: Final = "does not apply"
SURVIVED: Final = "survives"


def _same_stream(spec: StreamDescription) -> StreamDescription:
    return spec


def _same_packet(packet: SamplePacket) -> SamplePacket:
    return packet


@dataclass(frozen=True)
class DriverMutation:
    """One mistake of a driver.

    Attributes
    ----------
    wrong : str
        Description of the mistake.
    stream : callable
        Changes the description of a stream.
    packet : callable
        Changes a packet.
    """

    wrong: str
    stream: Callable[[StreamDescription], StreamDescription] = _same_stream
    packet: Callable[[SamplePacket], SamplePacket] = _same_packet


class MutatedDecoder:
    """A decoder with a mutation; see `Decoder`."""

    def __init__(self, decoder: Decoder, mutation: DriverMutation) -> None:
        self._decoder = decoder
        self._mutation = mutation
        #: Whether the mutation changed anything.
        self.changed = False

    @property
    def streams(self) -> tuple[StreamDescription, ...]:
        """Streams of the right decoder, with the mutation."""
        right = self._decoder.streams
        wrong = tuple(map(self._mutation.stream, right))
        self.changed |= wrong != right
        return wrong

    def push(self, message: Message) -> list[Decoded]:
        """Decode one value, with the mutation."""
        decoded: list[Decoded] = []
        for item in self._decoder.push(message):
            wrong = item
            if isinstance(item, SamplePacket):
                wrong = self._mutation.packet(item)
                self.changed |= wrong is not item
            decoded.append(wrong)
        return decoded


class MutatedDriver:
    """A driver whose decoders have a mutation; everything else is that of the right driver."""

    def __init__(self, driver: Driver, mutation: DriverMutation) -> None:
        self._driver = driver
        self._mutation = mutation
        self.decoders: list[MutatedDecoder] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def make_decoder(self) -> MutatedDecoder:
        """Return a new decoder with the mutation."""
        decoder = MutatedDecoder(self._driver.make_decoder(), self._mutation)
        self.decoders.append(decoder)
        return decoder


def surviving_mutations(driver: Driver, case: DriverCase) -> list[str]:
    """Return the mutations that no check notices with a case.

    Parameters
    ----------
    driver : Driver
        The right driver.
    case : DriverCase

    Returns
    -------
    list of str
        Names of the mutations that change what the driver decodes and pass every check. A case
        that leaves some is too weak: it needs negative values, different axes, a loss, a
        wrapped counter.
    """
    outcomes = mutation_outcomes(driver, case)
    return [name for name, outcome in outcomes.items() if outcome == SURVIVED]


def mutation_outcomes(driver: Driver, case: DriverCase) -> dict[str, str]:
    """Return what becomes of each mutation with a case.

    Parameters
    ----------
    driver : Driver
        The right driver.
    case : DriverCase

    Returns
    -------
    dict of str to str
        By mutation: name of the check that notices it, `UNCHANGED` if it changes nothing that
        the driver decodes, or `SURVIVED`.
    """
    outcomes = {}
    for name, mutation in MUTATIONS.items():
        mutated: Any = MutatedDriver(driver, mutation)
        try:
            with np.errstate(all="ignore"):  # floating-point numbers with their bytes exchanged
                check_driver(mutated, case)
        except CheckError as error:
            outcomes[name] = error.check
            continue
        changed = any(decoder.changed for decoder in mutated.decoders)
        outcomes[name] = SURVIVED if changed else UNCHANGED
    return outcomes


def _swap_bytes(packet: SamplePacket) -> SamplePacket:
    return replace(packet, samples=packet.samples.byteswap())


def _negate(packet: SamplePacket) -> SamplePacket:
    return replace(packet, samples=-packet.samples.astype(np.float64))


def _reverse_axes(packet: SamplePacket) -> SamplePacket:
    if packet.samples.shape[1] == 1:
        return packet
    return replace(packet, samples=packet.samples[:, ::-1])


def _reverse_time(packet: SamplePacket) -> SamplePacket:
    if len(packet.samples) == 1:
        return packet
    return replace(packet, samples=packet.samples[::-1])


def _drop_last(packet: SamplePacket) -> SamplePacket:
    if len(packet.samples) == 1:
        return packet
    return replace(packet, samples=packet.samples[:-1])


def _ignore_restart(packet: SamplePacket) -> SamplePacket:
    return replace(packet, restarted=False) if packet.restarted else packet


def _change_modulus(factor: float) -> Callable[[StreamDescription], StreamDescription]:
    def change(spec: StreamDescription) -> StreamDescription:
        timing = spec.timing
        if isinstance(timing, SampleCounter | SampleClock) and timing.modulus is not None:
            return replace(spec, timing=replace(timing, modulus=round(timing.modulus * factor)))
        return spec

    return change


def _change_clock(**changes: Any) -> Callable[[StreamDescription], StreamDescription]:
    def change(spec: StreamDescription) -> StreamDescription:
        if isinstance(spec.timing, SampleClock):
            return replace(spec, timing=replace(spec.timing, **changes))
        return spec

    return change


def _exchange_first_and_last(spec: StreamDescription) -> StreamDescription:
    if not isinstance(spec.timing, SampleClock):
        return spec
    other: Any = {"first": "last", "last": "first"}[spec.timing.sample]
    return replace(spec, timing=replace(spec.timing, sample=other))


#: The mutations by name.
MUTATIONS: Final[Mapping[str, DriverMutation]] = MappingProxyType(
    {
        "byte-order": DriverMutation("bytes of a value exchanged", packet=_swap_bytes),
        "scale": DriverMutation(
            "twice the value", lambda s: replace(s, counts_per_unit=s.counts_per_unit / 2)
        ),
        "sign": DriverMutation("opposite sign", packet=_negate),
        "axis-order": DriverMutation("axes or channels in reverse order", packet=_reverse_axes),
        "time-order": DriverMutation("samples of a packet in reverse order", packet=_reverse_time),
        "last-sample": DriverMutation("last sample of each packet missing", packet=_drop_last),
        "rate": DriverMutation("rate 4 % too high", lambda s: replace(s, fs=s.fs * 1.04)),
        "unit": DriverMutation(
            "another unit", lambda s: replace(s, unit="mV" if s.unit == "uV" else "uV")
        ),
        "counter-width": DriverMutation("one bit more in the counter", _change_modulus(2)),
        "counter-narrow": DriverMutation("one bit less in the counter", _change_modulus(0.5)),
        "first-last": DriverMutation(
            "time of the first sample taken for that of the last", _exchange_first_and_last
        ),
        "epoch": DriverMutation("another epoch", _change_clock(epoch="1970-01-01T00:00:00Z")),
        "tick-rate": DriverMutation("another tick rate", _change_clock(tick_hz=1_000_003)),
        "restart": DriverMutation("restart of the counter not seen", packet=_ignore_restart),
    }
)
