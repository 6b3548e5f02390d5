"""Selects the placement for the timing of a stream."""

from __future__ import annotations

from twitchsense.devices.sample_timing.by_arrival import ArrivalPlacement
from twitchsense.devices.sample_timing.by_clock import ClockPlacement
from twitchsense.devices.sample_timing.by_full_counter import FullCounterPlacement
from twitchsense.devices.sample_timing.placed import StreamPlacement
from twitchsense.devices.streams import SampleClock, SampleCounter, StreamDescription


def make_placement(stream: StreamDescription) -> StreamPlacement:
    """Return the placement for the timing of a stream.

    Parameters
    ----------
    stream : StreamDescription

    Returns
    -------
    StreamPlacement
    """
    match stream.timing:
        case SampleCounter(modulus=None):
            return FullCounterPlacement(stream)
        case SampleClock():
            return ClockPlacement(stream, stream.timing)
        case SampleCounter(modulus=int(modulus)):
            return ArrivalPlacement(stream, modulus)
        case _:
            return ArrivalPlacement(stream, None)
