"""Data types of the kit: what one composed recording holds."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """One thing that really happened in the recording.

    Attributes
    ----------
    onset : float
        First EMG activity above noise (s), or first acceleration if there is no EMG.
    duration : float
        EMG duration (s); acceleration duration if there is no EMG.
    kind : str
        twitch, jerk, movement, gross_movement, posture_change, brief_contraction,
        unclear or artefact.
    waveform : str
        Family of the waveform or the cause.
    amplitude_uv : float
        Peak to peak at the electrode (before the amplifier's filters), strongest channel.
    snr : float
        Peak to peak of the recorded event in 20-450 Hz over the local noise RMS in that band.
    peak_g : float
        True peak of the noise-free dynamic acceleration (0.5 Hz high-pass), 0 if none.
    bursts : tuple of float
        Onset of every burst (one for single events).
    in_activity : bool
        Lies within walking or voluntary activity.
    note : str
        Plain words.
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
    """A recording with its exact truth.

    Attributes
    ----------
    signals : dict
        Column name -> (samples, sampling rate in Hz); EMG in microvolts, acceleration in g.
    truth : list of Truth
        Every event, in time order.
    meta : dict
        Noise, mains, converter and rates.
    """

    signals: dict[str, tuple[FloatArray, float]]
    truth: list[Truth]
    meta: dict[str, Any] = field(default_factory=dict)
