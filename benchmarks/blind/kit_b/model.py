"""Data classes of the kit: what a composed recording and its truth look like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """One event that is really in the recording.

    Attributes
    ----------
    onset : float
        Seconds; first EMG activity above noise, or first acceleration if there is no EMG.
    duration : float
        Seconds of EMG activity (of acceleration if there is no EMG).
    kind : str
        twitch, jerk, movement, gross_movement, posture_change, brief_contraction, unclear or artefact.
    waveform : str
        Family of waveform or cause.
    amplitude_uv : float
        Peak to peak at the electrode (before the amplifier), 0 without EMG.
    snr : float
        Peak to peak of the event alone, through the amplifier and 20-450 Hz, over the RMS of the
        resting noise (hum included) of the same band.
    peak_g : float
        True peak of the dynamic acceleration vector before the sensor, 0 if none.
    bursts : tuple of float
        Onset of every burst.
    in_activity : bool
        Lies within voluntary activity or walking.
    note : str
        Plain remark.

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
    """A recording, its truth and the facts about its making.

    Attributes
    ----------
    signals : dict
        Column name -> (samples, sampling rate).
    truth : list of Truth
        In order of onset.
    meta : dict
        Noise, mains, bits, rates and so on.

    """

    signals: dict[str, tuple[Array, float]]
    truth: list[Truth]
    meta: dict[str, Any]


@dataclass(frozen=True)
class Setup:
    """The device, the skin and the surroundings of one recording.

    Attributes
    ----------
    minutes : float
        Length.
    emg_fs, acc_fs : float
        Output rates in Hz; 0 leaves the signal out.
    hp, hp_order, lp, lp_order : float, int, float, int
        Corner frequencies (Hz) and orders of the amplifier; hp 0 is DC-coupled.
    bits, half_range_uv : int, float
        EMG converter.
    acc_bits, acc_range_g, acc_density_ug : int, float, float
        Accelerometer converter and noise density (µg per root Hz).
    noise_uv, noise_kind : float, str
        RMS of 20-450 Hz noise at the electrode and which real noise it is made from.
    pink : float
        Weight of the 1/f part of the skin-electrode noise.
    hum_uv, hum_hz, hum_drift, hum_odd, hum_even : float
        RMS of the mains hum, its frequency, drift (Hz), and relative sizes of harmonics.
    ecg_uv : float
        Height of the R wave in the EMG.
    pulse_mg : float
        Peak of the arterial pulse in the acceleration.
    wander_uv : float
        RMS of the slow wander of the electrode potential.
    second : bool
        Give a second EMG channel on the same leg.

    """

    minutes: float
    emg_fs: float = 1000.0
    acc_fs: float = 100.0
    hp: float = 10.0
    hp_order: int = 2
    lp: float = 450.0
    lp_order: int = 4
    bits: int = 16
    half_range_uv: float = 6000.0
    acc_bits: int = 16
    acc_range_g: float = 8.0
    acc_density_ug: float = 180.0
    noise_uv: float = 2.5
    noise_kind: str = "skin"
    pink: float = 0.3
    hum_uv: float = 0.0
    hum_hz: float = 50.0
    hum_drift: float = 0.0
    hum_odd: float = 0.2
    hum_even: float = 0.05
    ecg_uv: float = 0.0
    pulse_mg: float = 0.0
    wander_uv: float = 0.0
    second: bool = False
