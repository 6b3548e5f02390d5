"""What a composed recording is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Truth:
    """One event that is really in the recording.

    Attributes
    ----------
    onset : float
        Seconds; first muscle activity above the noise (first acceleration where there is no EMG).
    duration : float
        Seconds of EMG activity (of acceleration where there is no EMG).
    kind, waveform : str
        What the published criteria call it, and the physical cause or shape.
    amplitude_uv : float
        Peak to peak of the clean potential between the electrodes, before the amplifier.
    snr : float
        ``amplitude_uv`` over the resting RMS of the 20-450 Hz band (noise, quantisation, mains).
    peak_g : float
        Peak of the clean dynamic acceleration (0.5-40 Hz, vector length), 0 if none.
    bursts : tuple of float
        Onset of each burst.
    in_activity : bool
        Lies within voluntary activity or walking.
    note : str
        Anything an examiner should know.
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
    """Signals as a converter would give them, with their truth."""

    signals: dict[str, tuple[np.ndarray, float]]
    truth: list[Truth]
    meta: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Rig:
    """Amplifier, converter, electrodes' noise and accelerometer of one recording."""

    minutes: float
    fs_emg: float | None = 1000.0
    fs_acc: float | None = 100.0
    n_ch: int = 1
    bits: int = 16
    range_uv: float = 6000.0
    hp_hz: float = 10.0
    hp_order: int = 2
    lp_hz: float = 450.0
    noise_uv: float = 2.0
    pink: float = 0.4
    wander_uv: float = 20.0
    mains_hz: float = 50.0
    mains_uv: tuple[float, ...] = ()
    mains_depth: float = 0.2
    ecg_uv: float = 0.0
    heart_hz: float = 1.0
    acc_noise_ug: float = 150.0
    acc_bits: int = 16
    acc_range_g: float = 8.0
    pulse_mg: float = 0.0
    standing: bool = False

    @property
    def fs_syn(self) -> float:
        """Rate at which the analogue signal is computed (Hz)."""
        fs = self.fs_emg or 500.0
        return 8000.0 if fs > 1000 else 4000.0 if fs == 1000 else 2000.0

    @property
    def lsb_uv(self) -> float:
        """Converter step (uV)."""
        return 2.0 * self.range_uv / 2**self.bits

    @property
    def rest_uv(self) -> float:
        """Resting RMS in the 20-450 Hz band: noise, quantisation and mains (uV)."""
        hum = 0.5 * sum(a * a for a in self.mains_uv)
        return float(np.sqrt(self.noise_uv**2 + self.lsb_uv**2 / 12.0 + hum))

    @property
    def rest_low_uv(self) -> float:
        """Resting RMS in the 10-100 Hz band of the leg movement rule (uV), about."""
        base = self.mains_hz
        hum = 0.5 * sum(a * a for k, a in enumerate(self.mains_uv, start=1) if k * base <= 105)
        return float(np.sqrt((0.5 * self.noise_uv) ** 2 + self.lsb_uv**2 / 48.0 + hum))
