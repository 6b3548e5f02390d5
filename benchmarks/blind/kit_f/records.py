"""What the kit hands out: one recording with its exact truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """One true event.

    Attributes
    ----------
    onset : float
        Seconds; first EMG activity above noise (first acceleration if there is no EMG).
    duration : float
        Seconds of EMG activity (of acceleration without EMG).
    kind : str
        twitch, jerk, movement, gross_movement, posture_change, brief_contraction, unclear or artefact.
    waveform : str
        Family of cause and shape.
    amplitude_uv : float
        Peak to peak at the electrode, before the amplifier's filters.
    snr : float
        Peak to peak in 20-450 Hz over the RMS of the resting noise (with mains) in that band.
    peak_g : float
        True peak dynamic acceleration, 0 if none.
    bursts : tuple of float
        Onset of every burst, in seconds.
    in_activity : bool
        Lies within voluntary activity or walking.
    note : str
        Anything else, for example the channel.
    """

    onset: float
    duration: float
    kind: str
    waveform: str
    amplitude_uv: float
    snr: float
    peak_g: float
    bursts: tuple[float, ...]
    in_activity: bool
    note: str


@dataclass(frozen=True)
class Composed:
    """A recording: columns, true events and facts about the recorder.

    Attributes
    ----------
    signals : dict
        Column name to (samples, sampling rate in Hz); microvolts and g.
    truth : list of Truth
        Sorted by onset.
    meta : dict
        Noise RMS, mains level, bits, rates, electrode geometry.
    """

    signals: dict[str, tuple[Array, float]]
    truth: list[Truth]
    meta: dict[str, Any] = field(default_factory=dict)
