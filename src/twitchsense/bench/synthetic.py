"""Synthetic nights of any length: a tile of signal that is repeated when it is read.

They are made for measuring speed, not accuracy: every stage of the detector has something to
process (mains, ECG, twitches, jerks, movements), and reading them takes almost no time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from twitchsense.model.channels import Samples
from twitchsense.model.recording import Recording

#: Length of a tile, s.
TILE_S: Final = 600.0
#: Sampling rate of the EMG, Hz.
FS_EMG: Final = 1000.0
#: Sampling rate of the accelerometer, Hz.
FS_ACC: Final = 100.0
#: Share of the jerks among all events; events that are neither jerk nor movement are twitches.
JERK_SHARE: Final = 0.08
#: Share of the movements among all events.
MOVEMENT_SHARE: Final = 0.12
#: Upper limit of the movement rate: movements are long and would fill a dense night.
MAX_MOVEMENTS_PER_H: Final = 60.0
#: RMS of the EMG noise, µV.
NOISE_UV: Final = 3.0
#: Standard deviation of the accelerometer noise per axis, g.
NOISE_G: Final = 0.0015

Arrays = dict[str, tuple[Samples, float]]


@dataclass(frozen=True, slots=True)
class TiledSamples:
    """A tile repeated up to a length; needs only the memory of the tile.

    Attributes
    ----------
    tile : ndarray of float32, shape (m, width)
    length : int
        Total number of samples.
    """

    tile: Samples
    length: int

    def __len__(self) -> int:
        return self.length

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``[start, stop)``, shape (n, width)."""
        stop, m = min(stop, self.length), len(self.tile)
        first, n = start % m, max(0, stop - start)
        if first + n <= m:
            return self.tile[first : first + n]
        return self.tile.take(np.arange(first, first + n), axis=0, mode="wrap")


def make_tile(
    *,
    events_per_h: float = 75.0,
    n_emg: int = 2,
    acc: bool = True,
    heart: bool = True,
    hum: bool = True,
    seconds: float = TILE_S,
    seed: int = 1,
) -> Arrays:
    """Synthesize some minutes of one leg.

    Parameters
    ----------
    events_per_h : float
        Twitches, jerks and movements together.
    n_emg : int
        Number of EMG channels at 1000 Hz; they see the same events at different amplitudes.
    acc : bool
        Whether there is an accelerometer of three axes at 100 Hz.
    heart, hum : bool
        Whether the EMG holds heart beats, and mains hum.
    seconds : float
        Length of the signals.
    seed : int
        Seed of the random generator.

    Returns
    -------
    dict of str to (ndarray of float32, float)
        Column name to samples and sampling rate in Hz, as `Recording.from_arrays` takes them.
    """
    rng = np.random.default_rng(seed)
    n, m = round(seconds * FS_EMG), round(seconds * FS_ACC)
    emg, acc_g = np.zeros(n), np.zeros((m, 3))
    _add_events(emg, acc_g, events_per_h, rng)
    common = _ecg(n, rng) * heart
    common += 4.0 * hum * np.sin(2 * np.pi * 50 * np.arange(n) / FS_EMG)
    arrays: Arrays = {}
    for i in range(n_emg):
        gain = rng.uniform(0.6, 1.2)
        x = _band_noise(n, NOISE_UV, rng) + common + gain * emg
        arrays[f"emg{i + 1}_uv"] = (x.astype(np.float32), FS_EMG)
    if acc:
        g = rng.normal((0.1, 0.2, 0.97), NOISE_G, (m, 3)) + acc_g
        for i, axis in enumerate("xyz"):
            arrays[f"acc_{axis}_g"] = (g[:, i].astype(np.float32), FS_ACC)
    return arrays


def tile_recording(arrays: Arrays, seconds: float) -> Recording:
    """Make a recording that repeats the arrays up to a length.

    Parameters
    ----------
    arrays : dict of str to (ndarray of float32, float)
        Column name to samples and sampling rate in Hz.
    seconds : float
        Length of the recording.

    Returns
    -------
    Recording
        Its samples are `TiledSamples`.
    """
    recording = Recording.from_arrays(arrays)
    segments = []
    for segment in recording.segments:
        tile = segment.samples.read(0, len(segment.samples))
        length = round(seconds * recording.channel(segment.channel).fs)
        segments.append(replace(segment, samples=TiledSamples(tile, length)))
    return replace(recording, segments=tuple(segments), source="made up")


def repeat_arrays(arrays: Arrays, seconds: float) -> Arrays:
    """Repeat the arrays in memory up to a length in seconds."""
    return {name: (np.resize(x, round(seconds * fs)), fs) for name, (x, fs) in arrays.items()}


def _add_events(
    emg: NDArray[np.float64], acc_g: NDArray[np.float64], per_h: float, rng: np.random.Generator
) -> None:
    seconds = len(emg) / FS_EMG
    count = round(per_h * seconds / 3600)
    if not count:
        return
    interval_s = seconds / count
    movements = min(round(MOVEMENT_SHARE * count), round(MAX_MOVEMENTS_PER_H * seconds / 3600))
    jerks = round(JERK_SHARE * count)
    kinds = np.array(["movement"] * movements + ["jerk"] * jerks + ["twitch"] * count)[:count]
    rng.shuffle(kinds)
    onsets_s = interval_s * (np.arange(count) + rng.uniform(0.2, 0.6, count))
    for onset_s, kind in zip(onsets_s.tolist(), kinds, strict=True):
        if kind == "twitch":
            wave = _motor_unit_potential(rng)
        else:
            length_s = 0.12 if kind == "jerk" else float(rng.uniform(1.0, 2.5))
            wave = _band_noise(round(length_s * FS_EMG), 150.0, rng)
            acceleration = _limb_acceleration(length_s, rng)[:, None] * (0.5, 0.9, 0.4)
            _add(acc_g, onset_s + 0.04, FS_ACC, acceleration)
        _add(emg, onset_s, FS_EMG, wave)


def _add(x: NDArray[np.float64], onset_s: float, fs: float, wave: NDArray[np.float64]) -> None:
    first = round(onset_s * fs)
    x[first : first + len(wave)] += wave[: len(x) - first]


def _band_noise(n: int, rms: float, rng: np.random.Generator) -> NDArray[np.float64]:
    sos = signal.butter(4, (20, 400), "bandpass", fs=FS_EMG, output="sos")
    x: NDArray[np.float64] = signal.sosfilt(sos, rng.normal(size=n + 500))[500:]
    return x / max(float(x.std()), 1e-9) * rms


def _motor_unit_potential(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the potential of one motor unit in µV, 80 to 400 µV peak to peak."""
    t = np.arange(-0.02, 0.02, 1 / FS_EMG) / rng.uniform(0.0025, 0.0045)
    x = -t * np.exp(-(t**2) / 2)
    return x / float(np.ptp(x)) * rng.uniform(80, 400)


def _limb_acceleration(length_s: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the acceleration in g: a damped oscillation for a jerk, a slow one otherwise."""
    t = np.arange(0, max(length_s, 0.6), 1 / FS_ACC)
    if length_s < 0.5:
        return rng.uniform(0.25, 0.9) * np.exp(-t / 0.08) * np.sin(2 * np.pi * 7 * t)
    return np.asarray(0.1 * np.sin(2 * np.pi * 1.7 * t) * np.hanning(len(t)))


def _ecg(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return an ECG of about 20 µV in µV, one beat per second."""
    t = np.arange(-0.1, 0.4, 1 / FS_EMG)
    beat = 20 * np.exp(-((t / 0.012) ** 2) / 2) - 7 * np.exp(-(((t - 0.035) / 0.014) ** 2) / 2)
    x = np.zeros(n)
    for second in range(int(n / FS_EMG) - 1):
        _add(x, second + 0.2 + rng.uniform(-0.03, 0.03), FS_EMG, beat)
    return x
