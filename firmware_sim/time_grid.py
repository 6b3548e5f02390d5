"""Waveforms on a fine time grid, seeded random generators and common shapes.

Events are generated on a fine, fixed "analogue" grid and then interpolated at the times at
which a sensor samples.  An event is therefore the same whatever the sampling rate,
the clock error or the block size.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

Floats: TypeAlias = NDArray[np.float64]

#: Rate (Hz) of the grid of EMG events.  Surface EMG ends near 400 Hz, so that the error of
#: cubic interpolation is far below one converter step.
ANALOG_EMG_HZ = 4000.0
#: Rate (Hz) of the grid of limb movements, which lie below 40 Hz (docs/definitions.md, Signal
#: bands).
ANALOG_LIMB_HZ = 1000.0


@dataclass(frozen=True, slots=True)
class Waveform:
    """A short multi-channel waveform that is zero outside its span.

    Attributes
    ----------
    start_s : float
        Time of the first sample, seconds from the start of the recording.
    fs : float
        Rate of the grid, Hz.
    samples : ndarray of float64, shape (samples, channels)
    """

    start_s: float
    fs: float
    samples: Floats

    @property
    def end_s(self) -> float:
        """Time just after the last sample."""
        return self.start_s + len(self.samples) / self.fs

    def times(self) -> Floats:
        """Return the time of every sample of the fine grid."""
        return self.start_s + np.arange(len(self.samples)) / self.fs

    def add_to(self, target: Floats, times: Floats) -> None:
        """Add the waveform to a block of samples, in place.

        Parameters
        ----------
        target : ndarray of float64, shape (n, channels)
        times : ndarray of float64, shape (n,)
            Times of the samples, s, sorted.
        """
        last = self.start_s + (len(self.samples) - 1) / self.fs
        low, high = np.searchsorted(times, (self.start_s, last))
        if high > low:
            # Position in whole grid steps: the spline then has well-scaled knots.
            position = (times[low:high] - self.start_s) * self.fs
            # One spline over the whole waveform: the same bytes wherever a block ends.
            spline = CubicSpline(np.arange(len(self.samples)), self.samples)
            target[low:high] += spline(position)


def make_rng(seed: int, *keys: int | str) -> np.random.Generator:
    """Return the random generator of a seed and a name.

    Every event and every tile of noise has its own stream, so that none depends on how many
    numbers were drawn from the others.

    Parameters
    ----------
    seed : int
    *keys : int or str
        Name of the stream.

    Returns
    -------
    numpy.random.Generator
    """
    words = [zlib.crc32(key.encode()) if isinstance(key, str) else key for key in keys]
    return np.random.default_rng([seed, *words])


def raised_cosine(position: Floats) -> Floats:
    """Return a smooth 0-to-1 step for positions 0 to 1, clamped outside."""
    step: Floats = 0.5 - 0.5 * np.cos(np.pi * np.clip(position, 0.0, 1.0))
    return step


def minimum_jerk(position: Floats) -> Floats:
    """Return the minimum-jerk path from 0 to 1 (Flash & Hogan 1985, from memory)."""
    x = np.clip(position, 0.0, 1.0)
    path: Floats = x**3 * (10.0 - 15.0 * x + 6.0 * x**2)
    return path


def moving_rms(samples: Floats, width: int) -> Floats:
    """Return the centred moving RMS over an odd number of samples."""
    kernel = np.full(width, 1.0 / width)
    power = np.convolve(samples**2, kernel, mode="same")
    rms: Floats = np.sqrt(np.maximum(power, 0.0))
    return rms


def extent_above(envelope: Floats, share: float) -> tuple[int, int]:
    """Return the first and last index at which the envelope is at least share x maximum."""
    above = np.flatnonzero(envelope >= share * envelope.max())
    return int(above[0]), int(above[-1])


def peak_to_peak(samples: Floats) -> float:
    """Return the largest minus the smallest sample."""
    return float(samples.max() - samples.min())


def add_templates(
    target: Floats,
    first_index: int,
    fs: float,
    centres: Floats,
    gains: Floats,
    shape: Callable[[Floats], Floats],
    before_s: float,
    after_s: float,
) -> None:
    """Add one copy of a shape at each centre to a block of samples, in place.

    Parameters
    ----------
    target : ndarray of float64, shape (n,)
        The block, one channel.
    first_index : int
        Index of the first sample of the block; sample n is at n / fs.
    fs : float
        Sampling rate, Hz.
    centres, gains : ndarray of float64, shape (copies,)
        Time (s) and amplitude of each copy.
    shape : callable
        Function of the time (s) from the centre.
    before_s, after_s : float
        Extent of the shape before and after its centre, s.
    """
    low, high = first_index / fs - after_s, (first_index + len(target)) / fs + before_s
    chosen = (centres >= low) & (centres <= high)
    centres, gains = centres[chosen], gains[chosen]
    reach = np.arange(int((before_s + after_s) * fs) + 2)
    index = np.floor((centres - before_s) * fs).astype(np.int64)[:, None] + reach
    values = gains[:, None] * shape(index / fs - centres[:, None])
    local = index - first_index
    inside = (local >= 0) & (local < len(target))
    np.add.at(target, local[inside], values[inside])
