"""Causal filters with carried state: the same output however the input is cut.

`scipy.signal.sosfilt` with its state carried over is bitwise equal for every
chunking; zero-phase, FFT and running-sum filters are not. The price of
causality is a delay, which is known and taken off the event times.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Floats = NDArray[np.float64]

#: Fraction of the sampling rate that a band may reach. Above it the bilinear
#: transform squeezes the band's upper edge against the Nyquist frequency.
MAX_BAND_FRACTION = 0.45
#: Where twitches and jerks have their power; below it, movement of the electrode
#: (De Luca 2010).
BURST_BAND_HZ = (20.0, 450.0)


class CausalFilter:
    """Second-order sections over axis 0, fed piece by piece.

    Parameters
    ----------
    sos : ndarray, shape (sections, 6)
    delay_s : float
        Group delay in seconds in the band where events have their power.
    """

    def __init__(self, sos: Floats, delay_s: float) -> None:
        self.delay_s = delay_s
        self._sos = sos
        self._state: Floats | None = None

    def push(self, x: Floats) -> Floats:
        """Filter the next samples, shape ``(n,)`` or ``(n, width)``, float64.

        The state starts as if the first sample had stood for ever, so that a
        constant (an electrode's offset, gravity) makes no transient.
        """
        if len(x) == 0:
            return x
        if self._state is None:
            steady = _steady(self._sos.tobytes())
            self._state = steady.reshape(steady.shape + (1,) * (x.ndim - 1)) * x[0]
        y, self._state = signal.sosfilt(self._sos, x, axis=0, zi=self._state)
        return np.asarray(y, np.float64)


@lru_cache
def _steady(sections: bytes) -> Floats:
    """Return the state that a constant 1 leaves sections in, shape ``(sections, 2)``."""
    return np.asarray(signal.sosfilt_zi(np.frombuffer(sections).reshape(-1, 6)), np.float64)


def bandpass(low_hz: float, high_hz: float, fs: float, *, order: tuple[int, int]) -> CausalFilter:
    """Butterworth high-pass then low-pass.

    Parameters
    ----------
    low_hz, high_hz : float
        Corners in Hz; `high_hz` is lowered to 0.45 `fs` where need be.
    fs : float
        Sampling rate in Hz.
    order : (int, int)
        Orders of the high-pass and of the low-pass.
    """
    return CausalFilter(*_design_bandpass(low_hz, high_hz, fs, order))


@lru_cache
def _design_bandpass(
    low_hz: float, high_hz: float, fs: float, order: tuple[int, int]
) -> tuple[Floats, float]:
    """Return sections and delay; once for all segments of a recording with many gaps."""
    top = min(high_hz, MAX_BAND_FRACTION * fs)
    sos = np.concatenate(
        [
            signal.butter(order[0], low_hz, "highpass", fs=fs, output="sos"),
            signal.butter(order[1], top, "lowpass", fs=fs, output="sos"),
        ]
    )
    # power of surface EMG and of limb movement sits around a third of the band
    heart = np.geomspace(max(2 * low_hz, top / 8), top / 2, 32)
    return sos, group_delay(sos, heart, fs)


def group_delay(sos: Floats, freqs_hz: Floats, fs: float) -> float:
    """Mean group delay in seconds over some frequencies: −dφ/dω."""
    step = 1e-4 * freqs_hz
    _, below = signal.freqz_sos(sos, freqs_hz - step, fs=fs)
    _, above = signal.freqz_sos(sos, freqs_hz + step, fs=fs)
    turn = np.angle(above / below)
    return float(np.mean(-turn / (2 * np.pi * 2 * step)))


def burst_band(fs: float) -> CausalFilter:
    """Return the 20-450 Hz band in which twitches and jerks are found."""
    return bandpass(*BURST_BAND_HZ, fs, order=(4, 4))


def leg_movement_band(fs: float) -> CausalFilter:
    """Return the 10-100 Hz band on which the +8/+2 µV rules are defined (AASM)."""
    return bandpass(10.0, 100.0, fs, order=(2, 4))


def dynamic_band(fs: float) -> CausalFilter:
    """Return the 0.5-40 Hz band of dynamic acceleration: gravity out, movement in."""
    return bandpass(0.5, 40.0, fs, order=(2, 4))
