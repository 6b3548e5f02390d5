"""Streams of a device: kind, rate, unit, and how its samples are placed in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.column_names import STANDARD_GRAVITY

StreamKind = Literal["emg", "acc", "ecg", "gyro", "mag"]
Unit = Literal["uV", "mV", "g", "dps", "uT", "count"]

#: Suffix of the columns of a capture, by unit.
_COLUMN_UNITS: Final[dict[str, str]] = {
    "uV": "uv", "mV": "mv", "g": "g", "dps": "dps", "uT": "ut", "count": "count",
}  # fmt: skip
_AXES: Final = ("x", "y", "z")
#: m/s² per g, for `StreamDescription.counts_per_unit` of devices that send m/s².
MS2_PER_G: Final = STANDARD_GRAVITY


@dataclass(frozen=True, slots=True)
class SampleCounter:
    """The position of a packet is the count of its first sample.

    Packets that are numbered and hold `n` samples each have a sample counter too: `n` times
    the number of the packet, with `n` times the modulus.

    Attributes
    ----------
    modulus : int or None
        The counter counts modulo this number of samples: a loss of fewer is known exactly. None
        if it never wraps.
    """

    modulus: int | None


@dataclass(frozen=True, slots=True)
class SampleClock:
    """The position of a packet is a time of the device.

    Attributes
    ----------
    tick_hz : int
        Ticks per second.
    sample : {'first', 'last'}
        Sample of the packet that the time belongs to.
    modulus : int or None
        The clock counts modulo this number of ticks; None if it never wraps.
    epoch : str
        What tick zero is: ``power-on``, or a UTC time in ISO 8601.
    jitter_s : float
        Largest error of a single time, its resolution included, s.
    samples_per_packet : int or None
        Samples of every packet, if constant: what the radio loses is whole packets then.
    """

    tick_hz: int
    sample: Literal["first", "last"]
    modulus: int | None = None
    epoch: str = "power-on"
    jitter_s: float = 0.001
    samples_per_packet: int | None = None


Timing = SampleCounter | SampleClock | None


@dataclass(frozen=True, slots=True)
class StreamDescription:
    """One stream of samples.

    Attributes
    ----------
    name : str
        Unique among the streams of a device: ``emg``, ``acc``, ``ecg``; the name of its capture.
    kind : {'emg', 'acc', 'ecg', 'gyro', 'mag'}
    width : int
        Values in a sample: channels (EMG, ECG), or three axes x, y, z.
    fs : float
        Sampling rate that the device states, Hz.
    unit : {'uV', 'mV', 'g', 'dps', 'uT', 'count'}
        ``count`` for EMG whose gain is not known.
    counts_per_unit : float
        A value divided by it is in `unit`. (The division keeps scales such as 0.2 µV exact.)
    timing : SampleCounter, SampleClock or None
        What `SamplePacket.position` is; None if packets carry no position, so that only their
        arrival places them.
    resolution : float
        Smallest step of a value, in `unit`.
    limits : (float, float) or None
        Smallest and largest value that the device can send, in `unit`: a value there is clipped.
    band_hz : (float, float or None)
        Pass band of the device, Hz: what lies outside cannot be seen with it. None: no filter
        below half the sampling rate is known.
    fs_tolerance : float
        Largest relative error of `fs`.
    """

    name: str
    kind: StreamKind
    width: int
    fs: float
    unit: Unit
    counts_per_unit: float
    timing: Timing
    resolution: float
    limits: tuple[float, float] | None = None
    band_hz: tuple[float, float | None] = (0.0, None)
    fs_tolerance: float = 1e-3

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns in a capture: ``emg1_uv``, ``acc_x_g``, ``ecg_mv``."""
        unit = _COLUMN_UNITS[self.unit]
        if self.kind in ("emg", "ecg"):
            alone = self.kind == "ecg" and self.width == 1
            numbers = [""] if alone else [str(i + 1) for i in range(self.width)]
            return tuple(f"{self.kind}{number}_{unit}" for number in numbers)
        return tuple(f"{self.kind}_{axis}_{unit}" for axis in _AXES[: self.width])

    def to_physical(self, samples: NDArray[Any]) -> NDArray[np.float64]:
        """Convert samples to the unit of the stream.

        Parameters
        ----------
        samples : ndarray, shape (n, width)
            As sent by the device.

        Returns
        -------
        ndarray of float64, shape (n, width)
        """
        return samples.astype(np.float64) / self.counts_per_unit
