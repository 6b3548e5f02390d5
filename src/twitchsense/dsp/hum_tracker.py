"""A model of mains hum: one frequency, and the amplitude and phase of each harmonic.

Hum is a sum of sinusoids at a frequency that the grid keeps within 0.2 Hz, and at its multiples.
A Kalman filter with one complex state per harmonic follows it from block to block. The variance of
a measurement is the power beside the line, so a block in which the muscle is active hardly changes
the model, and hum can be predicted through a contraction. Subtracting the prediction does not
ring, unlike a notch filter.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

#: Maximum deviation of the line from its nominal frequency, Hz [E]: grids keep within 0.2 Hz in
#: operation, and the clock of a recorder adds up to 0.01 Hz.
MAX_DEVIATION_HZ: Final = 0.5
#: Change of the amplitude of a harmonic from block to block, as a fraction of it (SD) [E].
AMPLITUDE_CHANGE: Final = 0.03
#: Change of the frequency from block to block, Hz (SD) [E].
FREQUENCY_CHANGE_HZ: Final = 0.002
#: Largest phase uncertainty, rad, of a harmonic that corrects the frequency; beyond it, the phase
#: could have turned once more than it seems.
MAX_PHASE_SD: Final = 0.6
#: Innovation over its expected SD from which hum has changed abruptly [E].
ABRUPT: Final = 4.0
#: Ratio of the power of the hum to the variance of the model above which hum is present [E].
SIGNIFICANT: Final = 4.0
#: Grid on which the frequency is rounded for the synthesis, Hz; it makes the tables of sinusoids
#: reusable.
GRID_HZ: Final = 0.002


class HumTracker:
    """Kalman filter of the harmonics of one mains line.

    Parameters
    ----------
    line_hz : float
        Nominal frequency, 50 or 60 Hz.
    size : int
        Samples per block.
    fs : float
        Sampling rate, Hz.
    n_harmonics : int
    first, previous : ndarray of complex, shape (n_harmonics,)
        Amplitudes of the newest block and of the one before, as `LineSpectrum` measures them.
    variance : ndarray, shape (n_harmonics,)
        Variance of a measurement.
    """

    def __init__(
        self,
        line_hz: float,
        size: int,
        fs: float,
        first: Complex,
        previous: Complex,
        variance: Floats,
    ) -> None:
        self.line_hz = line_hz
        self._size, self._fs = size, fs
        self._orders = np.arange(1, len(first) + 1, dtype=np.float64)
        self._block_s = size / fs
        self._amplitude = first.copy()
        self._variance = variance.copy()
        self._deviation_hz, self._deviation_var = self._first_deviation(first, previous)

    def predict(self) -> Floats:
        """Advance the model by one block and return the hum in it.

        Returns
        -------
        ndarray, shape (size,)
            In µV.
        """
        turn = 2 * np.pi * (self.line_hz + self._deviation_hz) * self._block_s * self._orders
        self._amplitude = self._amplitude * np.exp(1j * turn)
        self._variance = self._variance + AMPLITUDE_CHANGE**2 * _power(self._amplitude)
        self._deviation_var += FREQUENCY_CHANGE_HZ**2
        table = _sinusoids(
            self.line_hz,
            round(self._deviation_hz / GRID_HZ),
            len(self._orders),
            self._size,
            self._fs,
        )
        both = np.concatenate([self._amplitude.real, -self._amplitude.imag])
        return np.asarray(both @ table)

    def correct(self, measured: Complex, noise: Floats) -> None:
        """Correct the model with the block that `predict` predicted.

        Parameters
        ----------
        measured : ndarray of complex, shape (n_harmonics,)
            Amplitude of each harmonic in the block.
        noise : ndarray, shape (n_harmonics,)
            Variance of each measurement.
        """
        innovation = measured - self._amplitude
        size = _power(innovation)
        abrupt = size > ABRUPT**2 * (self._variance + noise)
        variance = np.where(abrupt, np.maximum(self._variance, size - noise), self._variance)
        self._correct_frequency(innovation, noise, abrupt)
        gain = variance / (variance + noise)
        self._amplitude = self._amplitude + gain * innovation
        self._variance = (1 - gain) * variance

    @property
    def significant(self) -> bool:
        """Whether the hum is larger than the uncertainty of the model."""
        return float(_power(self._amplitude).sum()) > SIGNIFICANT * float(self._variance.sum())

    def _first_deviation(self, first: Complex, previous: Complex) -> tuple[float, float]:
        """Return the deviation, Hz, and its variance.

        The phase advance of the strongest of the low harmonics gives it.
        """
        k = int(np.argmax(np.abs(first[:3]) * np.abs(previous[:3])))
        seconds_rad = 2 * np.pi * self._block_s * float(self._orders[k])
        nominal = np.exp(-1j * seconds_rad * self.line_hz)
        hz = float(np.angle(first[k] * np.conj(previous[k]) * nominal)) / seconds_rad
        both = np.square(np.abs(first[k])), np.square(np.abs(previous[k]))
        phase_var = float(self._variance[k] * (1 / both[0] + 1 / both[1])) / 2
        variance = phase_var / seconds_rad**2 + FREQUENCY_CHANGE_HZ**2
        return float(np.clip(hz, -MAX_DEVIATION_HZ, MAX_DEVIATION_HZ)), variance

    def _correct_frequency(
        self, innovation: Complex, noise: Floats, abrupt: NDArray[np.bool_]
    ) -> None:
        """Correct the frequency with the phase error of all harmonics whose phase is certain."""
        seconds_rad = 2 * np.pi * self._block_s * self._orders
        power = np.maximum(_power(self._amplitude), 1e-12)
        certain = seconds_rad * np.sqrt(self._deviation_var) < MAX_PHASE_SD
        certain &= ~abrupt & (power > 4 * noise)
        if not certain.any():
            return
        error = np.imag(innovation * np.conj(self._amplitude)) / power
        variance = (noise + self._variance) / (2 * power)
        weight = np.where(certain, np.square(seconds_rad) / np.maximum(variance, 1e-6), 0.0)
        total = float(weight.sum())
        hz = float((weight * error / seconds_rad).sum()) / total
        gain = self._deviation_var / (self._deviation_var + 1 / total)
        deviation = self._deviation_hz + gain * hz
        self._deviation_hz = float(np.clip(deviation, -MAX_DEVIATION_HZ, MAX_DEVIATION_HZ))
        self._deviation_var *= 1 - gain


def _power(x: Complex) -> Floats:
    """Return the squared magnitudes."""
    return np.asarray(np.square(x.real) + np.square(x.imag))


@lru_cache(maxsize=128)
def _sinusoids(line_hz: float, step: int, n_harmonics: int, size: int, fs: float) -> Floats:
    """Return cosines and sines of all harmonics over one block, phase zero in its middle."""
    t = (np.arange(size) - (size - 1) / 2) / fs
    phase = 2 * np.pi * (line_hz + step * GRID_HZ) * t * np.arange(1, n_harmonics + 1)[:, None]
    table = np.concatenate([np.cos(phase), np.sin(phase)])
    table.flags.writeable = False
    return table
