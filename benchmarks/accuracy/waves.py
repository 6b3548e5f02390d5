"""Filters, edges and placing of waveforms, shared by all composers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import signal

#: The band in which amplitudes and noise are stated.
EMG_BAND_HZ = (20.0, 450.0)
#: The band in which acceleration is called dynamic.
ACC_BAND_HZ = (0.5, 40.0)
#: Templates of unit potentials are kept on this grid: linear reading is then exact to 0.5 %.
TEMPLATE_HZ = 16_000.0
#: First and last point at which the clean waveform is at least this share of its peak.
EDGE_SHARE = 0.1
#: Window of the alternative edges, those of the RMS envelope.
ENVELOPE_S = 0.010


@lru_cache
def band_filter(fs: float, low: float, high: float) -> np.ndarray:
    """Return second-order sections of a Butterworth band-pass below 0.45 fs."""
    return signal.butter(2, (low, min(high, 0.45 * fs)), "bandpass", fs=fs, output="sos")


def in_band(x: np.ndarray, fs: float, band: tuple[float, float] = EMG_BAND_HZ) -> np.ndarray:
    """Return the zero-phase band of `x` along its first axis; it is zero outside its ends."""
    pad = int(0.15 * fs) if band[0] > 5 else int(2 * fs)
    wide = np.pad(x, [(pad, pad)] + [(0, 0)] * (x.ndim - 1))
    return signal.sosfiltfilt(band_filter(fs, *band), wide, axis=0, padlen=0)[pad:-pad]


def moving_rms(x: np.ndarray, width: int) -> np.ndarray:
    """Return the centred moving RMS."""
    return np.sqrt(np.maximum(np.convolve(x**2, np.full(width, 1 / width), "same"), 0))


def edges(x: np.ndarray, share: float = EDGE_SHARE) -> tuple[int, int]:
    """Return the first and last index at which |x| is at least share x its maximum."""
    size = np.abs(x)
    above = np.flatnonzero(size >= share * size.max())
    return int(above[0]), int(above[-1])


def peak_to_peak(x: np.ndarray) -> float:
    """Return the largest minus the smallest sample."""
    return float(np.ptp(x)) if len(x) else 0.0


def peak_g(motion: np.ndarray, fs: float) -> float:
    """Return the peak magnitude of the dynamic part of three axes."""
    return float(np.linalg.norm(in_band(motion, fs, ACC_BAND_HZ), axis=1).max())


def resampled(x: np.ndarray, fs: float, to: float) -> np.ndarray:
    """Return `x` at another rate, zero phase."""
    if fs == to:
        return np.asarray(x, float)
    scale = np.gcd(round(fs), round(to))
    return signal.resample_poly(np.asarray(x, float), round(to) // scale, round(fs) // scale)


def tapered(x: np.ndarray, share: float) -> np.ndarray:
    """Return `x` with raised-cosine ends that take `share` of it together."""
    window = signal.windows.tukey(len(x), share)
    return x * (window if x.ndim == 1 else window[:, None])


def add_copies(
    target: np.ndarray,
    fs: float,
    times: np.ndarray,
    gains: np.ndarray,
    template: np.ndarray,
    stretch: float = 1.0,
) -> None:
    """Add a copy of `template` (on the template grid, centred) at each time, in place."""
    half = len(template) // 2
    reach = int(np.ceil(half * stretch / TEMPLATE_HZ * fs)) + 1
    steps = np.arange(-reach, reach + 1)
    for first in range(0, len(times), 4096):  # a bound on memory
        t, g = times[first : first + 4096], gains[first : first + 4096]
        index = np.round(t * fs).astype(np.int64)[:, None] + steps
        position = (index / fs - t[:, None]) * TEMPLATE_HZ / stretch + half
        whole = np.floor(position).astype(np.int64)
        good = (whole >= 0) & (whole < len(template) - 1) & (index >= 0) & (index < len(target))
        w, part = whole[good], (position - whole)[good]
        values = template[w] * (1 - part) + template[w + 1] * part
        row = np.broadcast_to(g[:, None], good.shape)[good]
        np.add.at(target, index[good], (values * row).astype(target.dtype))


def looped(x: np.ndarray, n: int, fade: int, rng: np.random.Generator) -> np.ndarray:
    """Return `n` samples of random stretches of `x` joined by equal-power crossfades."""
    out = np.zeros(n + 2 * fade)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade, endpoint=False))
    shortest = min(len(x), max(4 * fade, len(x) // 3))
    at = 0
    while at < n + fade:
        length = int(rng.integers(shortest, len(x) + 1))
        start = int(rng.integers(0, len(x) - length + 1))
        piece = x[start : start + length] * rng.choice((-1.0, 1.0))
        if rng.random() < 0.3:
            piece = piece[::-1]
        piece = piece.copy()
        piece[:fade] *= ramp
        piece[-fade:] *= ramp[::-1]
        room = min(length, len(out) - at)
        out[at : at + room] += piece[:room]
        at += length - fade
    return out[fade : fade + n]
