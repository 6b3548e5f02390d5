"""Plain data types of the kit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Truth:
    """One true event of a recording.

    Attributes
    ----------
    onset, duration : float
        Seconds; first and last EMG above the noise (acceleration if the recording has no EMG).
    kind, waveform, note : str
        What it is, which cause wrote it, and remarks.
    amplitude_uv, snr, peak_g : float
        Peak to peak at the electrode; recorded peak to peak over the noise RMS (20-450 Hz); peak
        dynamic acceleration of the event alone (0.5-40 Hz).
    bursts : tuple of float
        Onset of every burst (s).
    in_activity : bool
        Lies within walking or tonic contraction.
    """

    onset: float
    duration: float
    kind: str
    waveform: str
    amplitude_uv: float = 0.0
    snr: float = 0.0
    peak_g: float = 0.0
    bursts: tuple[float, ...] = ()
    in_activity: bool = False
    note: str = ""


@dataclass(frozen=True)
class Composed:
    """A recording, its truth and how it was made.

    Attributes
    ----------
    signals : dict
        Column name -> (samples, sampling rate).
    truth : list of Truth
        In order of onset.
    meta : dict
        Noise, mains, bits, rates and filters.
    """

    signals: dict[str, tuple[np.ndarray, float]]
    truth: list[Truth]
    meta: dict[str, Any] = field(default_factory=dict)
