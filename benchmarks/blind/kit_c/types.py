"""Public records of the kit: one truth row and one composed recording."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """One true event.

    Attributes
    ----------
    onset : float
        Time (s) of the first EMG activity above noise, or of the first acceleration without EMG.
    duration : float
        EMG duration (s); that of the acceleration without EMG.
    kind : str
        twitch, jerk, movement, gross_movement, posture_change, brief_contraction, unclear, artefact.
    waveform : str
        Family of waveform or cause.
    amplitude_uv : float
        Input-referred peak to peak (µV) of the clean event in the pass band of the amplifier.
    snr : float
        Peak to peak of the clean event in 20–450 Hz over the resting noise RMS (hum included) there.
    peak_g : float
        True (unsampled) peak of the dynamic acceleration; 0 if none.
    bursts : tuple of float
        Onset of every burst (s).
    in_activity : bool
        Lies within voluntary activity.
    note : str
        Free text: what the recorder kept of it, clipping, why unclear.
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
    """A composed recording: columns as a converter gives them, the truth and the settings."""

    signals: dict[str, tuple[Array, float]]
    truth: list[Truth]
    meta: dict[str, object] = field(default_factory=dict)
