"""A model of mains hum: one frequency, and the amplitude and phase of each harmonic.

Hum is a sum of sinusoids at a frequency that the grid keeps within 0.2 Hz, and at its multiples.
A Kalman filter with one complex state per harmonic follows it from block to block. The variance of
a measurement is the power beside the line, so a block in which the muscle is active hardly changes
the model, and hum can be predicted through a contraction. Subtracting the prediction does not
ring, unlike a notch filter.

Complex numbers are kept as real and imaginary parts, sums are taken in order, and sine and cosine
of the frequency's deviation are sums of their series, so that the compiled engine gives the same
bits.
"""

from __future__ import annotations

from functools import lru_cache
from math import factorial, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.buffers import ordered_sum

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
#: Consecutive blocks without hum that stop the subtraction [E].
STOP_BLOCKS: Final = 4

#: Coefficients of the series of sine and cosine in the square of the angle, highest power first;
#: up to a quarter turn, the rest is smaller than the rounding.
SINE_SERIES: Final = tuple((-1) ** k / factorial(2 * k + 1) for k in range(11, -1, -1))
COSINE_SERIES: Final = tuple((-1) ** k / factorial(2 * k) for k in range(11, -1, -1))


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
        self._block_s = size / fs
        self._seconds_rad, self._nominal_re, self._nominal_im = _orders(
            line_hz, len(first), self._block_s
        )
        self._re, self._im = first.real.copy(), first.imag.copy()
        self._variance = variance.copy()
        self._deviation_hz, self._deviation_var = self._first_deviation(first, previous)
        self._quiet = 0  # consecutive blocks without hum

    def follow(self, measured: Complex, noise: Floats) -> tuple[Floats, bool]:
        """Correct the model with each block, and predict the hum of the block after it.

        Parameters
        ----------
        measured : ndarray of complex, shape (n, n_harmonics)
            Amplitude of each harmonic in each block.
        noise : ndarray, shape (n, n_harmonics)
            Variance of each measurement.

        Returns
        -------
        hum : ndarray, shape (m, size)
            In µV.
        present : bool
            False if the hum has ended; then it is zero after the last of the `m` blocks, and the
            blocks from there on were not used.
        """
        hum = np.zeros((len(measured), self._size))
        for k in range(len(measured)):
            self._correct(measured.real[k], measured.imag[k], noise[k])
            self._quiet = 0 if self._significant() else self._quiet + 1
            if self._quiet >= STOP_BLOCKS:
                return hum[: k + 1], False
            hum[k] = self.predict()
        return hum, True

    def predict(self) -> Floats:
        """Advance the model by one block and return the hum in it.

        Returns
        -------
        ndarray, shape (size,)
            In µV.
        """
        cosine, sine = self._rotation()
        turn_re = self._nominal_re * cosine - self._nominal_im * sine
        turn_im = self._nominal_re * sine + self._nominal_im * cosine
        re, im = self._re, self._im
        self._re, self._im = re * turn_re - im * turn_im, re * turn_im + im * turn_re
        self._variance = self._variance + AMPLITUDE_CHANGE**2 * _power(self._re, self._im)
        self._deviation_var += FREQUENCY_CHANGE_HZ**2
        factors = np.concatenate([self._re, -self._im])[:, None]
        table = self._sinusoids(round(self._deviation_hz / GRID_HZ))
        # reduced along the slower axis, products are added row by row
        return np.asarray(np.add.reduce(factors * table, axis=0))

    def _rotation(self) -> tuple[Floats, Floats]:
        """Return cosine and sine of the turn that the deviation adds to each harmonic."""
        angle = 2 * np.pi * self._deviation_hz * self._block_s
        square = angle * angle
        first_cosine, first_sine = _horner(COSINE_SERIES, square), _horner(SINE_SERIES, square)
        first_sine *= angle
        cosine, sine = [first_cosine], [first_sine]
        for _ in range(1, len(self._re)):
            c, s = cosine[-1], sine[-1]
            cosine.append(c * first_cosine - s * first_sine)
            sine.append(c * first_sine + s * first_cosine)
        return np.array(cosine), np.array(sine)

    def _sinusoids(self, step: int) -> Floats:
        return _sinusoids(self.line_hz, step, len(self._re), self._size, self._fs)

    def _correct(self, re: Floats, im: Floats, noise: Floats) -> None:
        """Correct the model with the block that `predict` predicted."""
        off_re, off_im = re - self._re, im - self._im
        size = _power(off_re, off_im)
        abrupt = size > ABRUPT**2 * (self._variance + noise)
        variance = np.where(abrupt, np.maximum(self._variance, size - noise), self._variance)
        self._correct_frequency(off_re, off_im, noise, abrupt)
        gain = variance / (variance + noise)
        self._re, self._im = self._re + gain * off_re, self._im + gain * off_im
        self._variance = (1 - gain) * variance

    def _significant(self) -> bool:
        """Whether the hum is larger than the uncertainty of the model."""
        power = ordered_sum(_power(self._re, self._im))
        return bool(power > SIGNIFICANT * ordered_sum(self._variance))

    def _first_deviation(self, first: Complex, previous: Complex) -> tuple[float, float]:
        """Return the deviation, Hz, and its variance.

        The phase advance of the strongest of the low harmonics gives it.
        """
        k = int(np.argmax(np.abs(first[:3]) * np.abs(previous[:3])))
        seconds_rad = float(self._seconds_rad[k])
        nominal = np.exp(-1j * seconds_rad * self.line_hz)
        hz = float(np.angle(first[k] * np.conj(previous[k]) * nominal)) / seconds_rad
        both = np.square(np.abs(first[k])), np.square(np.abs(previous[k]))
        phase_var = float(self._variance[k] * (1 / both[0] + 1 / both[1])) / 2
        variance = phase_var / seconds_rad**2 + FREQUENCY_CHANGE_HZ**2
        return float(np.clip(hz, -MAX_DEVIATION_HZ, MAX_DEVIATION_HZ)), variance

    def _correct_frequency(
        self, off_re: Floats, off_im: Floats, noise: Floats, abrupt: NDArray[np.bool_]
    ) -> None:
        """Correct the frequency with the phase error of all harmonics whose phase is certain."""
        seconds_rad = self._seconds_rad
        power = np.maximum(_power(self._re, self._im), 1e-12)
        certain = seconds_rad * sqrt(self._deviation_var) < MAX_PHASE_SD
        certain &= ~abrupt & (power > 4 * noise)
        if not certain.any():
            return
        error = (off_im * self._re - off_re * self._im) / power
        variance = (noise + self._variance) / (2 * power)
        weight = np.where(certain, seconds_rad * seconds_rad / np.maximum(variance, 1e-6), 0.0)
        total = float(ordered_sum(weight))
        hz = float(ordered_sum(weight * error / seconds_rad)) / total
        gain = self._deviation_var / (self._deviation_var + 1 / total)
        deviation = self._deviation_hz + gain * hz
        self._deviation_hz = min(max(deviation, -MAX_DEVIATION_HZ), MAX_DEVIATION_HZ)
        self._deviation_var *= 1 - gain


def _power(re: Floats, im: Floats) -> Floats:
    """Return the squared magnitudes."""
    return np.asarray(re * re + im * im)


def _horner(coefficients: tuple[float, ...], x: float) -> float:
    """Return the value of a polynomial, highest power first."""
    value = 0.0
    for coefficient in coefficients:
        value = value * x + coefficient
    return value


@lru_cache
def _orders(line_hz: float, n: int, block_s: float) -> tuple[Floats, Floats, Floats]:
    """Return the turn per Hz and block of each harmonic, rad, and its nominal turn (cos, sin)."""
    seconds_rad = 2 * np.pi * block_s * np.arange(1, n + 1, dtype=np.float64)
    return seconds_rad, np.cos(seconds_rad * line_hz), np.sin(seconds_rad * line_hz)


@lru_cache(maxsize=128)
def _sinusoids(line_hz: float, step: int, n_harmonics: int, size: int, fs: float) -> Floats:
    """Return cosines and sines of all harmonics over one block, phase zero in its middle."""
    t = (np.arange(size) - (size - 1) / 2) / fs
    phase = 2 * np.pi * (line_hz + step * GRID_HZ) * t * np.arange(1, n_harmonics + 1)[:, None]
    table = np.concatenate([np.cos(phase), np.sin(phase)])
    table.flags.writeable = False
    return table
