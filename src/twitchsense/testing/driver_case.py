"""A log of a device with its true samples: what a driver is checked against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.contract import Advertised, Driver, Message, PacketError, SamplePacket
from twitchsense.devices.sample_timing.loss import LossCount
from twitchsense.devices.streams import StreamDescription, Timing
from twitchsense.io.device_logs.decoded_stream import DecodedStream
from twitchsense.model.channels import NS


@dataclass(frozen=True, eq=False)
class ExpectedStream:
    """The truth about one stream.

    Attributes
    ----------
    unit : str
        Unit of `samples`.
    fs : float
        Stated sampling rate, Hz.
    samples : ndarray, shape (n, width)
        All samples that the log holds, in `unit`, in order of time.
    times_s : ndarray, shape (n,), optional
        When each was taken, on the clock of the log's arrivals, s.
    time_tolerance_s : float
        Largest error of a decoded time, the smallest delay of delivery included, s.
    lost : int, optional
        True number of lost samples.
    timing : SampleCounter, SampleClock or None
        Timing that the driver must declare.
    relative_tolerance : float
        Largest relative error of a value: zero, but for the rounding of one division.
    """

    unit: str
    fs: float
    samples: NDArray[Any]
    timing: Timing
    times_s: NDArray[np.float64] | None = None
    time_tolerance_s: float = 0.05
    lost: int | None = None
    relative_tolerance: float = 1e-12


@dataclass(frozen=True, eq=False)
class DriverCase:
    """A log and its expected content.

    Attributes
    ----------
    log : tuple of Message
        From a real device, from its maker's documentation, or from a `SimulatedSession`.
    expected : mapping of str to ExpectedStream
        By name of the stream: all streams of the log.
    advertised : Advertised, optional
        An advertisement of the device.
    refused : int
        Values of the log that the driver must refuse.
    """

    log: tuple[Message, ...]
    expected: Mapping[str, ExpectedStream]
    advertised: Advertised | None = None
    refused: int = 0


@dataclass
class DecodedCase:
    """The log as a driver decodes it.

    Attributes
    ----------
    specs : dict of str to StreamDescription
    samples : dict of str to ndarray, shape (n, width)
        In the unit of the stream.
    times_s : dict of str to ndarray, shape (n,)
    loss : dict of str to LossCount
    refused : int
    packets : list of SamplePacket
        All packets, in order.
    """

    specs: dict[str, StreamDescription] = field(default_factory=dict)
    samples: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    times_s: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    loss: dict[str, LossCount] = field(default_factory=dict)
    refused: int = 0
    packets: list[SamplePacket] = field(default_factory=list)


def decode_case(driver: Driver, log: tuple[Message, ...]) -> DecodedCase:
    """Decode a log, and place its samples in time.

    Parameters
    ----------
    driver : Driver
    log : tuple of Message

    Returns
    -------
    DecodedCase
    """
    decoder = driver.make_decoder()
    result = DecodedCase()
    streams: dict[str, DecodedStream] = {}
    for message in log:
        try:
            decoded = decoder.push(message)
        except PacketError:
            result.refused += 1
            continue
        for packet in decoded:
            if not isinstance(packet, SamplePacket):
                continue
            result.packets.append(packet)
            if packet.stream not in streams:
                spec = next(s for s in decoder.streams if s.name == packet.stream)
                streams[packet.stream] = DecodedStream(spec)
            streams[packet.stream].push(packet)
    for name, stream in streams.items():
        stream.close()
        blocks = list(stream.blocks())
        if not blocks:
            continue  # nothing but a log
        raw = np.concatenate([samples for _, samples in blocks])
        result.specs[name] = stream.spec
        result.samples[name] = stream.spec.to_physical(raw)
        result.times_s[name] = np.concatenate([t for t, _ in blocks]) / NS
        result.loss[name] = stream.loss
    return result
