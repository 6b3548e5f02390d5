"""What the tracks hand to the fusion: bursts, leg-movement runs, episodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Burst:
    """A stretch of muscle activity on one EMG channel (or an artefact like one).

    Attributes
    ----------
    channel : str
    onset_ns, offset_ns, peak_ns : int
        Edges and greatest deflection, measured at full rate.
    filled_s : float
        How much of its length is activity: less than all in a pair of potentials.
    amplitude_uv : float
        Peak to peak in the burst band.
    rise_ms : float
        Onset to half of the envelope's peak.
    snr_db : float
        Peak of the envelope over the noise floor.
    margin : float
        Peak of the envelope over the opening threshold, as a ratio.
    floor_uv : float
        Noise floor (RMS) that held at the onset.
    slow_share : float
        Share of the raw power that lies below the burst band, after a line
        through the signal before and after is taken off.
    look : ndarray of float32, shape (13,)
        Features of its shape (`detect.burst_measures.LOOK`).
    log_pitch : float
        Log of its frequency in Hz (`detect.burst_measures.log_pitch`).
    contact : float
        Probability that the burst is a bad contact's, by these.
    mains_share : float
        Share of the burst-band power within 1.5 Hz of 50 or 60 Hz and harmonics.
    stuck : bool
        The raw signal stands at one extreme value.
    shape : ndarray of float32, shape (64,)
        Waveform around the peak, 64 points over 64 ms, unit energy.
    """

    channel: str
    onset_ns: int
    offset_ns: int
    peak_ns: int
    filled_s: float
    amplitude_uv: float
    rise_ms: float
    snr_db: float
    margin: float
    floor_uv: float
    slow_share: float
    look: NDArray[np.float32]
    log_pitch: float
    contact: float
    mains_share: float
    stuck: bool
    shape: NDArray[np.float32]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return (self.offset_ns - self.onset_ns) / 1e9


@dataclass(frozen=True, slots=True)
class LegRun:
    """A run of the +8/+2 µV rule on one EMG channel.

    `median_uv` is the median of the 0.15-s RMS over resting, for the morphology
    rule of WASM 2016.
    """

    channel: str
    onset_ns: int
    offset_ns: int
    median_uv: float


@dataclass(frozen=True, slots=True)
class Trace:
    """A piece of the accelerometer's envelope.

    Attributes
    ----------
    start_ns : int
        Time of the first hop.
    hop_ns : float
        Length of a hop.
    magnitude, jerk : ndarray of float32, shape (hops,)
        Greatest dynamic acceleration (g) and jerk (g/s) in each hop.
    """

    start_ns: int
    hop_ns: float
    magnitude: NDArray[np.float32]
    jerk: NDArray[np.float32]

    @property
    def stop_ns(self) -> int:
        """Time just after the last hop."""
        return self.start_ns + round(len(self.magnitude) * self.hop_ns)


NO_TRACE = Trace(0, 1.0, np.empty(0, np.float32), np.empty(0, np.float32))


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of dynamic acceleration on one accelerometer.

    Attributes
    ----------
    channel : str
    onset_ns, offset_ns : int
    peak_g : float
        Greatest dynamic acceleration.
    jerk_g_s : float
        Greatest rate of change.
    rise_ms : float
        Onset to peak.
    turn_deg : float
        Angle between the orientation before and after; NaN if unknown.
    margin : float
        Peak over the opening threshold, as a ratio.
    trace : Trace
        The episode itself with its surroundings, for questions asked later.
    """

    channel: str
    onset_ns: int
    offset_ns: int
    peak_g: float
    jerk_g_s: float
    rise_ms: float
    turn_deg: float
    margin: float
    trace: Trace = NO_TRACE

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return (self.offset_ns - self.onset_ns) / 1e9
