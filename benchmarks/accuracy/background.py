"""Background: hours of noise with the spectrum of real skin and amplifiers, real stretches in it.

Surrogates are white Gaussian noise through a filter with the averaged amplitude spectrum of a
real stretch; every minute or two a real stretch itself is laid in with equal-power crossfades.
Below 20 Hz, where the real recordings were high-passed, electrode noise is simulated.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage, signal

from benchmarks.accuracy.parts import Parts, Piece
from benchmarks.accuracy.waves import EMG_BAND_HZ, band_filter, resampled

TAPS = 1024
FADE_S = 0.1


def _band_rms(x: np.ndarray, fs: float) -> float:
    return float(np.std(signal.sosfilt(band_filter(fs, *EMG_BAND_HZ), x)[round(0.1 * fs) :]))


def _shaping_filter(pieces: list[Piece], fs: float) -> np.ndarray:
    """Return a linear-phase filter with the spectrum of pieces of one rate."""
    own = pieces[0].fs
    spectra = [signal.welch(p.x, own, nperseg=512)[1] for p in pieces if p.fs == own]
    power = ndimage.median_filter(np.mean(spectra, axis=0), 7)  # drops mains lines
    grid = np.fft.rfftfreq(TAPS, 1 / fs)
    size = np.interp(grid, np.fft.rfftfreq(512, 1 / own), np.sqrt(power))
    return np.roll(np.fft.irfft(size), TAPS // 2) * np.hanning(TAPS)


def make_noise(
    parts: Parts, seconds: float, fs: float, level_uv: float, rng: np.random.Generator
) -> tuple[np.ndarray, str]:
    """Return noise of `level_uv` RMS in the EMG band, and its source."""
    n = round(seconds * fs)
    families: dict[str, list[Piece]] = {}
    for piece in parts.noises:
        name = "amplifier" if "amplifier" in piece.source else piece.source
        families.setdefault(name, []).append(piece)
    family = families[str(rng.choice(sorted(families)))]
    taps = _shaping_filter(family, fs)
    white = rng.standard_normal(n + TAPS, dtype=np.float32)
    noise = signal.oaconvolve(white, taps.astype(np.float32), "valid")[:n]
    noise *= level_uv / _band_rms(noise[: round(60 * fs)], fs)
    fade = round(FADE_S * fs)
    at = float(rng.uniform(2, 30))
    while at < seconds:
        piece = family[rng.integers(len(family))]
        real = resampled(piece.x, piece.fs, fs) * rng.choice((-1.0, 1.0))
        real *= level_uv / _band_rms(real, fs)
        first = round(at * fs)
        room = min(len(real), n - first)
        if room > 3 * fade:
            ramp = np.minimum(1, np.minimum(np.arange(room), np.arange(room)[::-1]) / fade)
            part = noise[first : first + room]
            part *= np.cos(ramp * np.pi / 2)
            part += real[:room] * np.sin(ramp * np.pi / 2)
        at += float(rng.uniform(20, 120))
    slow = rng.standard_normal(n, dtype=np.float32)
    slow = signal.sosfilt(signal.butter(2, (0.3, 6.0), "bandpass", fs=fs, output="sos"), slow)
    noise += (float(rng.uniform(1, 6)) / np.std(slow)) * slow
    return noise.astype(np.float32), family[0].source


def slow_drift(seconds: float, spread: float, rng: np.random.Generator) -> np.ndarray:
    """Return a positive factor of median 1 per second, wandering over minutes."""
    steps = rng.standard_normal(int(seconds) + 2)
    wander = signal.lfilter([1], [1, -np.exp(-1 / 300)], steps)
    return np.exp(spread * wander / np.sqrt(150))


def accelerometer_noise(n: int, fs: float, rng: np.random.Generator) -> np.ndarray:
    """Return simulated noise of a small accelerometer, three axes (g): 110 to 300 µg/√Hz."""
    density = rng.uniform(110e-6, 300e-6)
    return (density * np.sqrt(fs / 2) * rng.standard_normal((n, 3))).astype(np.float32)
