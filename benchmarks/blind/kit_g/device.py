"""Recording systems: amplifier filters, sampling, converter; accelerometer likewise."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, freqz_sos, sosfilt

from .records import FloatArray


@dataclass(frozen=True)
class Amplifier:
    """EMG channel.

    Attributes
    ----------
    fs, step : float, int
        Sampling rate and how many times finer the simulation runs.
    hp_hz, lp_hz : float
        Band (hp 0 = DC coupled); orders below; causal Butterworth as in hardware.
    bits, range_uv : int, float
        Converter over +-range_uv.
    white_uv : float
        Input noise RMS in 20-450 Hz of the amplifier itself.
    """

    name: str
    fs: float
    step: int
    hp_hz: float
    lp_hz: float
    bits: int
    range_uv: float
    white_uv: float
    hp_order: int = 1
    lp_order: int = 3

    @property
    def fs_sim(self) -> float:
        """Simulation rate."""
        return self.fs * self.step

    @property
    def lsb(self) -> float:
        """Size of one count in microvolts."""
        return 2 * self.range_uv / 2 ** self.bits

    def _lp(self) -> FloatArray:
        return np.asarray(butter(self.lp_order, self.lp_hz, "low", fs=self.fs_sim, output="sos"))

    def chain(self, x: FloatArray) -> FloatArray:
        """Filter and sample (linear part), settled at the first value."""
        first = x[0]
        y = sosfilt(self._lp(), x - first)
        if self.hp_hz > 0:
            sos = butter(self.hp_order, self.hp_hz, "high", fs=self.fs_sim, output="sos")
            y, first = sosfilt(sos, y), 0.0
        return y[:: self.step] + first

    def delay(self) -> float:
        """Delay of the low-pass at 40-80 Hz (s)."""
        f = np.array([0.25, 0.5]) * min(self.lp_hz, 160.0)
        _, h = freqz_sos(self._lp(), worN=f, fs=self.fs_sim)
        ph = np.unwrap(np.angle(h))
        return float(-(ph[1] - ph[0]) / (2 * np.pi * (f[1] - f[0])))

    def convert(self, x: FloatArray) -> FloatArray:
        """Quantise and clip."""
        top = self.range_uv - self.lsb
        return np.clip(np.round(x / self.lsb) * self.lsb, -self.range_uv, top)


@dataclass(frozen=True)
class Accelerometer:
    """Three-axis MEMS sensor; noise density in micro-g per root hertz."""

    name: str
    fs: float
    step: int
    bits: int
    range_g: float
    noise_ug: float
    lp_hz: float

    @property
    def fs_sim(self) -> float:
        """Simulation rate."""
        return self.fs * self.step

    @property
    def lsb(self) -> float:
        """One count in g."""
        return 2 * self.range_g / 2 ** self.bits

    def chain(self, x: FloatArray) -> FloatArray:
        """Internal low-pass and sampling; starts settled at the first value."""
        sos = butter(2, min(self.lp_hz, 0.49 * self.fs_sim), "low", fs=self.fs_sim, output="sos")
        first = x[..., :1]
        return (sosfilt(sos, x - first, axis=-1) + first)[..., :: self.step]

    def convert(self, x: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Add sensor noise, quantise, clip."""
        noisy = x + rng.standard_normal(x.shape) * self.noise_ug * 1e-6 * np.sqrt(min(self.lp_hz, self.fs / 2) * 1.2)
        return np.clip(np.round(noisy / self.lsb) * self.lsb, -self.range_g, self.range_g - self.lsb)


AMPS: dict[str, Amplifier] = {a.name: a for a in (
    Amplifier("esp32_12", 1000, 2, 10.0, 450.0, 12, 1650.0, 1.6, 1, 2),
    Amplifier("esp32_16", 1000, 2, 20.0, 450.0, 16, 6000.0, 1.0, 2, 2),
    Amplifier("bitalino_10", 1000, 2, 25.0, 480.0, 10, 1635.0, 1.2, 1, 2),
    Amplifier("bitalino_12", 1000, 2, 10.0, 400.0, 12, 1635.0, 1.2, 1, 2),
    Amplifier("psg_wide", 512, 4, 0.3, 100.0, 16, 3200.0, 0.7, 1, 4),
    Amplifier("psg_narrow", 512, 4, 10.0, 200.0, 16, 3200.0, 0.7, 1, 4),
    Amplifier("psg_500", 500, 4, 10.0, 200.0, 16, 8190.0, 0.8, 1, 3),
    Amplifier("holter_250", 250, 8, 1.0, 110.0, 12, 5000.0, 1.2, 1, 4),
    Amplifier("armband_200", 200, 10, 5.0, 95.0, 8, 640.0, 5.0, 1, 3),
    Amplifier("research_2k", 2000, 2, 10.0, 500.0, 24, 187500.0, 0.4, 2, 4),
    Amplifier("research_4k", 4000, 1, 10.0, 900.0, 24, 187500.0, 0.5, 2, 4),
    Amplifier("dc_24", 1000, 2, 0.0, 262.0, 24, 187500.0, 0.7, 1, 3),
    Amplifier("lp150_16", 1000, 2, 10.0, 150.0, 16, 5000.0, 1.0, 2, 3),
    Amplifier("senid_16", 1000, 2, 20.0, 450.0, 16, 5000.0, 0.8, 2, 4),
)}
ACCS: dict[str, Accelerometer] = {a.name: a for a in (
    Accelerometer("mems_100_4g", 100, 4, 16, 4.0, 110.0, 45.0),
    Accelerometer("mems_100_8g", 100, 4, 14, 8.0, 180.0, 45.0),
    Accelerometer("mems_100_2g", 100, 4, 12, 2.0, 220.0, 40.0),
    Accelerometer("mems_52", 52, 8, 16, 4.0, 90.0, 24.0),
    Accelerometer("mems_128", 128, 4, 16, 8.0, 120.0, 50.0),
    Accelerometer("armband_50", 50, 8, 12, 8.0, 300.0, 25.0),
)}
