"""Causal IIR filters whose output does not depend on how the input is cut into chunks.

`scipy.signal.sosfilt` with carried state is bitwise equal for every chunking;
zero-phase, FFT and running-sum filters are not. The cost of causality is a delay,
which is known and subtracted from the event times.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from twitchsense.dsp.engine import kernels
from twitchsense.dsp.native import sample_kernels as native
from twitchsense.dsp.native.sample_kernels import rounds_like_scipy
from twitchsense.model.channels import NS

Floats = NDArray[np.float64]

#: Highest corner frequency as a fraction of the sampling rate. Above it, the bilinear
#: transform compresses the upper band edge towards the Nyquist frequency.
MAX_BAND_FRACTION = 0.45
#: Band of twitches and jerks in Hz. Below 20 Hz, movement of the electrode dominates
#: (De Luca et al. 2010, doi:10.1016/j.jbiomech.2010.01.027).
BURST_BAND_HZ = (20.0, 450.0)
#: Band of leg movements in Hz, on which the +8/+2 µV rules are defined (AASM;
#: docs/definitions.md, Leg movements).
LEG_MOVEMENT_BAND_HZ = (10.0, 100.0)
#: Band of the dynamic acceleration in Hz; without its lower limit, it would contain gravity.
DYNAMIC_BAND_HZ = (0.5, 40.0)


class CausalFilter:
    """Second-order sections applied along axis 0 of a signal that arrives in chunks.

    Parameters
    ----------
    sos : ndarray, shape (n_sections, 6)
        As in `scipy.signal.sosfilt`.
    delay_s : float
        Group delay in s in the band where events have their power.
    """

    def __init__(self, sos: Floats, delay_s: float) -> None:
        self.delay_s = delay_s
        self._sos = sos
        self._state: Floats | None = None
        library = kernels()
        self._kernels = library if library is not None and rounds_like_scipy(library) else None

    def push(self, x: Floats) -> Floats:
        """Filter the next samples.

        The initial state is the steady state for the first sample, so that a
        constant (an electrode's offset, gravity) causes no transient.

        Parameters
        ----------
        x : ndarray, shape (n,) or (n, width)

        Returns
        -------
        ndarray, shape of `x`
        """
        if len(x) == 0:
            return x
        state = self._state_for(x)
        if self._kernels is not None and native.supports(self._sos, x[0].size):
            return native.filter_samples(self._kernels, self._sos, x, state)
        y, self._state = signal.sosfilt(self._sos, x, axis=0, zi=state)
        return np.asarray(y, np.float64)

    def sections(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the sections and the state before the first samples.

        Parameters
        ----------
        x : ndarray, shape (n,) or (n, width)
            The first samples; at least one.

        Returns
        -------
        ndarray, shape (n_sections, 6)
        ndarray, shape (n_sections, 2) or (n_sections, 2, width)
        """
        return self._sos, self._state_for(x)

    def _state_for(self, x: Floats) -> Floats:
        """Return the state before the samples; the steady state for the first of all."""
        if self._state is None:
            steady = _steady_state(self._sos.tobytes())
            self._state = steady.reshape(steady.shape + (1,) * (x.ndim - 1)) * x[0]
        return self._state


@lru_cache
def _steady_state(sections: bytes) -> Floats:
    """Return the steady state for a constant input of 1, shape ``(n_sections, 2)``."""
    return np.asarray(signal.sosfilt_zi(np.frombuffer(sections).reshape(-1, 6)), np.float64)


def bandpass(low_hz: float, high_hz: float, fs: float, *, order: tuple[int, int]) -> CausalFilter:
    """Return a Butterworth high-pass followed by a Butterworth low-pass.

    Parameters
    ----------
    low_hz, high_hz : float
        Corner frequencies in Hz; `high_hz` is limited to `MAX_BAND_FRACTION` of `fs`.
    fs : float
        Sampling rate in Hz.
    order : (int, int)
        Orders of the high-pass and of the low-pass.

    Returns
    -------
    CausalFilter
    """
    return CausalFilter(*_design_bandpass(low_hz, high_hz, fs, order))


@lru_cache
def _design_bandpass(
    low_hz: float, high_hz: float, fs: float, order: tuple[int, int]
) -> tuple[Floats, float]:
    """Return sections and delay, designed once for all segments of a recording."""
    top = min(high_hz, MAX_BAND_FRACTION * fs)
    sos = np.concatenate(
        [
            signal.butter(order[0], low_hz, "highpass", fs=fs, output="sos"),
            signal.butter(order[1], top, "lowpass", fs=fs, output="sos"),
        ]
    )
    # the power of surface EMG and of limb movement lies around a third of the band
    centre = np.geomspace(max(2 * low_hz, top / 8), top / 2, 32)
    return sos, group_delay(sos, centre, fs)


def group_delay(sos: Floats, freqs_hz: Floats, fs: float) -> float:
    """Return the mean group delay over several frequencies, −dφ/dω.

    Parameters
    ----------
    sos : ndarray, shape (n_sections, 6)
    freqs_hz : ndarray, shape (n,)
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    float
        In s.
    """
    step = 1e-4 * freqs_hz
    _, below = signal.freqz_sos(sos, freqs_hz - step, fs=fs)
    _, above = signal.freqz_sos(sos, freqs_hz + step, fs=fs)
    turn = np.angle(above / below)
    return float(np.mean(-turn / (2 * np.pi * 2 * step)))


def burst_band(fs: float) -> CausalFilter:
    """Return the filter for twitches and jerks, of the band `BURST_BAND_HZ`.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    CausalFilter
    """
    return bandpass(*BURST_BAND_HZ, fs, order=(4, 4))


def leg_movement_band(fs: float) -> CausalFilter:
    """Return the filter for leg movements, of the band `LEG_MOVEMENT_BAND_HZ`.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    CausalFilter
    """
    return bandpass(*LEG_MOVEMENT_BAND_HZ, fs, order=(2, 4))


def dynamic_band(fs: float) -> CausalFilter:
    """Return the filter for dynamic acceleration, of the band `DYNAMIC_BAND_HZ`.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    CausalFilter
    """
    return bandpass(*DYNAMIC_BAND_HZ, fs, order=(2, 4))


@dataclass(frozen=True, slots=True)
class FilterClock:
    """Converts between sample indices of a filtered segment and times.

    Attributes
    ----------
    start_ns : int
        Time of the first sample of the segment.
    fs : float
        Sampling rate, Hz.
    delay_s : float
        Group delay of the filter, subtracted from the times, s.
    """

    start_ns: int
    fs: float
    delay_s: float

    @property
    def delay(self) -> int:
        """Group delay in samples."""
        return round(self.delay_s * self.fs)

    def time_ns(self, sample: int) -> int:
        """Return the time of a sample of the filtered signal.

        Parameters
        ----------
        sample : int

        Returns
        -------
        int
            In ns, with the delay of the filter subtracted.
        """
        seconds = sample / self.fs - self.delay_s
        return self.start_ns + round(seconds * NS)

    def sample(self, time_ns: int) -> int:
        """Return the sample of the filtered signal nearest to a time.

        Parameters
        ----------
        time_ns : int

        Returns
        -------
        int
        """
        return round(((time_ns - self.start_ns) / NS + self.delay_s) * self.fs)
