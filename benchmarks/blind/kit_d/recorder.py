"""Amplifiers, converters and accelerometers, good and cheap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from .leg import FS as LEG_FS


@dataclass(frozen=True)
class Recorder:
    """One recorder.

    Attributes
    ----------
    fs, acc_fs : float
        EMG and acceleration rates; 0 = that sensor is missing.
    bits, range_uv : float
        Converter and its half range at the input.
    high, low : float
        Corner frequencies (Hz); ``high`` 0 = DC coupled, ``low`` 0 = only the anti-alias filter.
    acc_bits, acc_range, acc_noise : float
        Accelerometer resolution, half range (g) and noise density (g per root Hz).
    channels : int
        EMG leads.
    mains : float
        50 or 60 Hz.
    """

    fs: float = 1000.0
    acc_fs: float = 100.0
    bits: int = 16
    range_uv: float = 10000.0
    high: float = 10.0
    low: float = 450.0
    acc_bits: int = 14
    acc_range: float = 8.0
    acc_noise: float = 180e-6
    channels: int = 1
    mains: float = 50.0

    @property
    def work(self) -> float:
        """Working rate of the simulation (Hz)."""
        return 4000.0 if self.fs >= 2000 else 2000.0

    @property
    def delay(self) -> float:
        """Delay of the low-pass (s), for the truth."""
        return 0.42 / self.low if 0 < self.low < 0.4 * self.fs else 0.0

    def analogue(self, x: np.ndarray) -> np.ndarray:
        """Causal analogue chain at the working rate (last axis is time)."""
        if self.high > 0:
            order = 1 if self.high < 8 else 2
            sos = signal.butter(order, self.high, "highpass", fs=self.work, output="sos")
            zi = signal.sosfilt_zi(sos)
            if x.ndim == 1:
                x = signal.sosfilt(sos, x, zi=zi * x[0])[0]
            else:
                x = np.stack([signal.sosfilt(sos, row, zi=zi * row[0])[0] for row in x])
        if 0 < self.low < 0.45 * self.work:
            sos = signal.butter(2, self.low, "lowpass", fs=self.work, output="sos")
            x = signal.sosfilt(sos, x)
        return x

    def convert(self, x: np.ndarray) -> np.ndarray:
        """Filter, decimate, clip and quantise one EMG lead (µV at the working rate)."""
        if self.high > 0:  # a front end in front of the filter saturates too
            x = np.clip(x, -60 * self.range_uv, 60 * self.range_uv)
        y = self.analogue(x)
        q = int(round(self.work / self.fs))
        if q > 1:
            y = signal.resample_poly(y, 1, q)
        step = 2 * self.range_uv / 2**self.bits
        return np.clip(np.round(y / step) * step, -self.range_uv, self.range_uv - step)

    def convert_acc(self, rng: np.random.Generator, acc: np.ndarray) -> np.ndarray:
        """Sample the 500-Hz acceleration (n, 3) with noise, gain and zero errors, and steps."""
        sos = signal.butter(2, min(0.42 * self.acc_fs, 200.0), "lowpass", fs=LEG_FS, output="sos")
        y = acc + rng.normal(0, self.acc_noise * np.sqrt(LEG_FS / 2), acc.shape)
        zi = signal.sosfilt_zi(sos)[:, :, None] * y[0]
        y = signal.sosfilt(sos, y, axis=0, zi=zi)[0]
        n = int(acc.shape[0] / LEG_FS * self.acc_fs)
        t = np.arange(n) / self.acc_fs + 0.3 / self.acc_fs
        src = np.arange(acc.shape[0]) / LEG_FS
        y = np.stack([np.interp(t, src, y[:, k]) for k in range(3)], 1)
        y = y * (1 + rng.normal(0, 0.008, 3)) + rng.normal(0, 0.012, 3)
        step = 2 * self.acc_range / 2**self.acc_bits
        return np.clip(np.round(y / step) * step, -self.acc_range, self.acc_range - step)
