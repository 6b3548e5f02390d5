"""Removal of mains hum from an EMG, only while hum is present.

EMG guidelines advise against a permanent notch filter, because it removes muscle power and rings
after every potential. Here hum is predicted and subtracted (`hum_tracker`). The signal is examined
in blocks of half a second, counted from the start of the segment. The hum of a block is predicted
from the blocks before it, so the result does not depend on how the samples arrived, and nothing is
delayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from twitchsense.dsp.buffers import Framer, moving_sum, ordered_sum
from twitchsense.dsp.engine import kernels
from twitchsense.dsp.filters import BURST_BAND_HZ, MAX_BAND_FRACTION
from twitchsense.dsp.hum_tracker import HumTracker
from twitchsense.dsp.native import lines
from twitchsense.dsp.native.hum import NativeHumTracker

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
Ints = NDArray[np.int64]

#: Fundamental frequencies of mains hum, Hz.
LINES_HZ = (50.0, 60.0)
#: Length of a block, s.
BLOCK_S = 0.5
#: Distance from a line of the power that is the noise of its measurement, Hz.
BESIDE_HZ = (3.0, 9.0)
#: Least variance of an amplitude, µV².
LEAST_NOISE = 1e-9
#: Share of the power on the lines above which a block is mostly hum [E]; white noise has 0.08 to
#: 0.12 there.
STRONG_SHARE = 0.4
#: Blocks over which the phase of weak hum must advance steadily.
STEADY_BLOCKS = 8
#: Coherence of a line from block to block above which it is steady: noise alone has 0.4 on
#: average, and reaches 0.85 once in 10,000 blocks.
MIN_COHERENCE = 0.85
#: Minimum ratio of the power of a steady line to that of the noise beside it [E].
MIN_LINE_TO_NOISE = 4.0
#: Power of the steady lines, as a share of the power in the burst band, above which hum is
#: subtracted [E].
START_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Measurements of consecutive blocks.

    Attributes
    ----------
    amplitude : ndarray of complex, shape (n_blocks, n_harmonics)
        Amplitude of each harmonic of all of `LINES_HZ` in µV, with its phase in the middle of the
        block.
    noise : ndarray, shape (n_blocks, n_harmonics)
        Variance of these amplitudes, from the power beside the lines, µV².
    power : ndarray, shape (n_blocks,)
        Power in the burst band, µV².
    """

    amplitude: Complex
    noise: Floats
    power: Floats

    def __len__(self) -> int:
        return len(self.power)

    def __getitem__(self, at: slice) -> _Blocks:
        return _Blocks(self.amplitude[at], self.noise[at], self.power[at])

    def after(self, earlier: _Blocks) -> _Blocks:
        """Return these blocks with earlier blocks before them."""
        return _Blocks(
            np.concatenate([earlier.amplitude, self.amplitude]),
            np.concatenate([earlier.noise, self.noise]),
            np.concatenate([earlier.power, self.power]),
        )


class MainsCanceller:
    """Removes hum from one segment of one EMG channel.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz.
    """

    def __init__(self, fs: float) -> None:
        self._fs = fs
        self._size = round(BLOCK_S * fs)
        self._kernels = kernels()
        self._framer = Framer(self._size)
        self._spectrum = _LineSpectrum(fs, self._size)
        self._recent = self._spectrum.measure(np.empty((0, self._size)))  # the last blocks
        self._tracker: HumTracker | None = None
        self._hum = np.zeros(self._size)  # predicted for the unfinished block
        self._count = 0  # samples of the unfinished block already returned

    def push(self, x: NDArray[Any], out: Floats | None = None) -> Floats:
        """Return the next samples without hum.

        Parameters
        ----------
        x : ndarray of float32 or float64, shape (n,)
            In µV.
        out : ndarray, shape (n,), optional
            Where the result is written; by default a new array.

        Returns
        -------
        ndarray, shape (n,)
        """
        out = np.empty(len(x)) if out is None else out
        frames = self._framer.push(x)
        predicted = [self._hum]
        if len(frames):
            predicted += self._predict(self._spectrum.measure(frames))
            self._hum = predicted[-1][-self._size :]
        at, self._count = -self._count, (self._count + len(x)) % self._size
        if self._tracker is None and not any(hum.any() for hum in predicted):
            out[:] = x
            return out
        for hum in predicted:
            first, stop = max(0, at), min(len(x), at + len(hum))
            if first < stop:
                np.subtract(x[first:stop], hum[first - at : stop - at], out=out[first:stop])
            at += len(hum)
        return out

    def _predict(self, blocks: _Blocks) -> list[Floats]:
        """Take in finished blocks; return the hum predicted for the blocks after each of them."""
        known = blocks.after(self._recent)
        before = len(self._recent)
        self._recent = known[-STEADY_BLOCKS:]
        lines: list[int] = []  # of the new blocks, where no hum is being subtracted
        out: list[Floats] = []
        k = before
        while k < len(known):
            if self._tracker is not None:
                at = self._spectrum.lines[LINES_HZ.index(self._tracker.line_hz)]
                hum, present = self._tracker.follow(known.amplitude[k:, at], known.noise[k:, at])
                out.append(hum.ravel())
                k += len(hum)
                if not present:
                    self._tracker = None
                continue
            lines = lines or _present_lines(known, self._spectrum.lines)[before:].tolist()
            if lines[k - before] >= 0:
                self._tracker = self._begin(lines[k - before], known, k)
                # faded in, because a sudden end of the hum would look like a burst
                out.append(self._tracker.predict() * _fade_in(self._size))
            else:
                out.append(np.zeros(self._size))
            k += 1
        return out

    def _begin(self, line: int, known: _Blocks, k: int) -> HumTracker:
        """Return a model of the hum in block `k`."""
        at = self._spectrum.lines[line]
        amplitude, noise = known.amplitude[:, at], known.noise[:, at]
        at_line = LINES_HZ[line], self._size, self._fs
        measured = amplitude[k], amplitude[k - 1], noise[k]
        if self._kernels is None:
            return HumTracker(*at_line, *measured)
        return NativeHumTracker(self._kernels, *at_line, *measured)


@lru_cache
def _fade_in(size: int) -> Floats:
    """Return a raised cosine from 0 to 1."""
    return 0.5 - 0.5 * np.cos(np.pi * (np.arange(size) + 0.5) / size)


def _present_lines(blocks: _Blocks, lines: list[slice]) -> NDArray[np.int64]:
    """Return which of `LINES_HZ` is present in each block, given the blocks before; -1: none.

    Strong hum is present from the second of two blocks that are mostly hum. Weaker hum is present
    where the phases of its harmonics have advanced steadily for `STEADY_BLOCKS`.
    """
    n, last = len(blocks), slice(STEADY_BLOCKS - 1, None)
    score = np.zeros((len(LINES_HZ), n))
    powers = _squared(blocks.amplitude) / 2
    if n >= STEADY_BLOCKS:
        steady = _steady(blocks.amplitude, blocks.noise)
        usual = np.median(sliding_window_view(blocks.power, STEADY_BLOCKS), axis=1)
        usual = np.maximum(usual, 1e-12)
    for row, at in zip(score, lines, strict=True):
        of_lines = np.ascontiguousarray(powers[:, at])
        total = of_lines.sum(axis=1)
        mostly = total > STRONG_SHARE * blocks.power
        strong = mostly[1:] & mostly[:-1]
        row[1:][strong] = total[1:][strong]
        if n >= STEADY_BLOCKS:
            share = np.where(steady[:, at], of_lines[last], 0.0).sum(axis=1) / usual
            row[last][share > START_SHARE] = total[last][share > START_SHARE]
    return np.where(score.max(axis=0) > 0, score.argmax(axis=0), -1)


def _steady(amplitude: Complex, noise: Floats) -> NDArray[np.bool_]:
    """Whether each harmonic has been steady for `STEADY_BLOCKS`; one row per window of blocks."""
    size = np.maximum(np.sqrt(_squared(amplitude)), 1e-12)
    # every block counts alike, so that one burst cannot stand for a steady line
    turn, sizes = _product(amplitude[1:], np.conj(amplitude[:-1])), size[1:] * size[:-1]
    last = STEADY_BLOCKS - 1
    re, im = moving_sum(turn.real / sizes, last), moving_sum(turn.imag / sizes, last)
    coherence = np.sqrt(np.square(re) + np.square(im)) / last
    power = moving_sum(np.square(size), STEADY_BLOCKS)
    beside = moving_sum(noise, STEADY_BLOCKS)
    return np.asarray((coherence > MIN_COHERENCE) & (power > MIN_LINE_TO_NOISE * beside))


def _squared(x: Complex) -> Floats:
    """Return the squared magnitudes."""
    return np.asarray(np.square(x.real) + np.square(x.imag), np.float64)


def _product(x: Complex, y: Complex) -> Complex:
    """Return the products of complex numbers.

    numpy multiplies most of an array with fused multiply-add and the rest without; the rounding
    would depend on the number of blocks.
    """
    out = np.empty(x.shape, np.complex128)
    out.real = x.real * y.real - x.imag * y.imag
    out.imag = x.real * y.imag + x.imag * y.real
    return out


class _LineSpectrum:
    """Measures the harmonics of the mains in blocks of a signal.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz.
    size : int
        Samples per block.

    Attributes
    ----------
    lines : list of slice
        The harmonics of each of `LINES_HZ`.
    """

    def __init__(self, fs: float, size: int) -> None:
        self._kernels = kernels()
        top = min(BURST_BAND_HZ[1], MAX_BAND_FRACTION * fs)
        freqs = np.fft.rfftfreq(size, 1 / fs)
        self._window = np.hanning(size + 2)[1:-1]
        self._scale = 2 / self._window.sum()
        # power of a Hann-windowed spectrum, summed over all bins, in units of the variance
        self._power_scale = 2 / (size * np.square(self._window).sum())
        band = np.flatnonzero((freqs >= BURST_BAND_HZ[0]) & (freqs <= top))
        self._band = slice(int(band[0]), int(band[-1]) + 1)
        nearest, farthest = (round(hz * size / fs) for hz in BESIDE_HZ)
        reach = np.arange(nearest, farthest + 1)
        harmonics = [np.arange(line, top, line) for line in LINES_HZ]
        stops = np.cumsum([len(h) for h in harmonics]).tolist()
        self.lines = [slice(a, b) for a, b in pairwise([0, *stops])]
        self._bins = bins = np.rint(np.concatenate(harmonics) * size / fs).astype(np.int64)
        beside = bins[:, None] + np.concatenate([-reach, reach])
        self._beside = np.clip(beside, 1, len(freqs) - 1)
        self._factor = np.exp(1j * np.pi * bins * (size - 1) / size) * self._scale

    def measure(self, frames: NDArray[Any]) -> _Blocks:
        """Measure blocks of samples, shape ``(n_blocks, size)``, in µV."""
        centred = frames.astype(np.float64)
        centred -= centred.mean(axis=1, keepdims=True)
        centred *= self._window
        spectrum = np.fft.rfft(centred, axis=1)
        where = self._bins, self._factor, self._beside, self._scale**2
        if self._kernels is None:
            amplitude, noise, power = measure_lines(spectrum, *where, LEAST_NOISE, self._band)
        else:
            amplitude, noise, power = lines.measure_lines(
                self._kernels, spectrum, *where, LEAST_NOISE, self._band
            )
        power *= self._power_scale
        return _Blocks(amplitude, noise, power)


def measure_lines(
    spectra: Complex,
    bins: Ints,
    factor: Complex,
    beside: Ints,
    square_scale: float,
    least: float,
    band: slice,
) -> tuple[Complex, Floats, Floats]:
    """Return the amplitudes of harmonics, their variances, and the power of a band.

    Parameters
    ----------
    spectra : ndarray of complex, shape (n_blocks, n_bins)
    bins : ndarray of int64, shape (n_harmonics,)
    factor : ndarray of complex, shape (n_harmonics,)
        From the value of a bin to an amplitude.
    beside : ndarray of int64, shape (n_harmonics, n_beside)
        Bins that hold noise only.
    square_scale : float
        From the power of a bin to the variance of an amplitude.
    least : float
        Lower bound of a variance.
    band : slice
        Bins of the band.

    Returns
    -------
    amplitude : ndarray of complex, shape (n_blocks, n_harmonics)
    variance : ndarray, shape (n_blocks, n_harmonics)
    power : ndarray, shape (n_blocks,)
    """
    # the memory layout, and with it the rounding, must not depend on the number of blocks
    near = ordered_sum(_squared(spectra[:, beside])) / beside.shape[1]
    noise = np.asarray(np.maximum(near * square_scale, least), np.float64)
    power = np.asarray(ordered_sum(_squared(spectra[:, band])), np.float64)
    return _product(spectra[:, bins], factor), noise, power
