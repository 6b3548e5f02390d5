"""Made-up nights of any length: a tile of signal, repeated when it is read.

They are there to be timed, not to judge what is found: every stage of the
detector has something to do (mains, a heart, twitches, jerks, movements), and
the generator costs next to nothing while the detector runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from twitchsense.model.recording import Recording, Samples

#: Length of a tile.
TILE_S = 600.0
FS_EMG, FS_ACC = 1000.0, 100.0
#: Of all events; the rest are twitches. Longer ones would fill a dense night.
JERKS, MOVEMENTS = 0.08, 0.12
MOST_MOVEMENTS_PER_H = 60.0
NOISE_UV, NOISE_G = 3.0, 0.0015

Arrays = dict[str, tuple[Samples, float]]


@dataclass(frozen=True, slots=True)
class TiledSamples:
    """A tile repeated without end, cut to a length; takes the memory of the tile.

    Attributes
    ----------
    tile : ndarray of float32, shape (m, width)
    length : int
        Samples in all.
    """

    tile: Samples
    length: int

    def __len__(self) -> int:
        return self.length

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``[start, stop)``."""
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
    seconds: float = TILE_S,
    seed: int = 1,
) -> Arrays:
    """Make some minutes of one leg.

    Parameters
    ----------
    events_per_h : float
        Twitches, jerks and movements together.
    n_emg : int
        EMG channels at 1000 Hz; they see the same events at different sizes.
    acc : bool
        Whether there is an accelerometer of three axes at 100 Hz.
    seconds : float
    seed : int

    Returns
    -------
    dict of str to (ndarray of float32, float)
        Column name to samples and rate, as `Recording.from_arrays` takes them.
    """
    rng = np.random.default_rng(seed)
    n, m = round(seconds * FS_EMG), round(seconds * FS_ACC)
    muscle, limb = np.zeros(n), np.zeros((m, 3))
    _add_events(muscle, limb, events_per_h, rng)
    common = _heart(n, rng) + 4.0 * np.sin(2 * np.pi * 50 * np.arange(n) / FS_EMG)
    arrays: Arrays = {}
    for i in range(n_emg):
        gain = rng.uniform(0.6, 1.2)
        x = _band_noise(n, NOISE_UV, rng) + common + gain * muscle
        arrays[f"emg{i + 1}_uv"] = (x.astype(np.float32), FS_EMG)
    if acc:
        g = rng.normal((0.1, 0.2, 0.97), NOISE_G, (m, 3)) + limb
        for i, axis in enumerate("xyz"):
            arrays[f"acc_{axis}_g"] = (g[:, i].astype(np.float32), FS_ACC)
    return arrays


def tile_recording(arrays: Arrays, seconds: float) -> Recording:
    """Return a recording of any length that repeats the arrays."""
    recording = Recording.from_arrays(arrays)
    segments = []
    for segment in recording.segments:
        tile = segment.samples.read(0, len(segment.samples))
        length = round(seconds * recording.channel(segment.channel).fs)
        segments.append(replace(segment, samples=TiledSamples(tile, length)))
    return replace(recording, segments=tuple(segments), source="made up")


def repeat_arrays(arrays: Arrays, seconds: float) -> Arrays:
    """Return the arrays repeated in memory up to a length."""
    return {name: (np.resize(x, round(seconds * fs)), fs) for name, (x, fs) in arrays.items()}


def _add_events(
    muscle: NDArray[np.float64], limb: NDArray[np.float64], per_h: float, rng: np.random.Generator
) -> None:
    seconds = len(muscle) / FS_EMG
    count = round(per_h * seconds / 3600)
    if not count:
        return
    space = seconds / count
    movements = min(round(MOVEMENTS * count), round(MOST_MOVEMENTS_PER_H * seconds / 3600))
    jerks = round(JERKS * count)
    kinds = np.array(["movement"] * movements + ["jerk"] * jerks + ["twitch"] * count)[:count]
    rng.shuffle(kinds)
    onsets = space * (np.arange(count) + rng.uniform(0.2, 0.6, count))
    for at, kind in zip(onsets.tolist(), kinds, strict=True):
        if kind == "twitch":
            wave = _potential(rng)
        else:
            length = 0.12 if kind == "jerk" else float(rng.uniform(1.0, 2.5))
            wave = _band_noise(round(length * FS_EMG), 150.0, rng)
            _add(limb, at + 0.04, FS_ACC, _swing(length, rng)[:, None] * (0.5, 0.9, 0.4))
        _add(muscle, at, FS_EMG, wave)


def _add(x: NDArray[np.float64], at_s: float, fs: float, wave: NDArray[np.float64]) -> None:
    first = round(at_s * fs)
    x[first : first + len(wave)] += wave[: len(x) - first]


def _band_noise(n: int, rms: float, rng: np.random.Generator) -> NDArray[np.float64]:
    sos = signal.butter(4, (20, 400), "bandpass", fs=FS_EMG, output="sos")
    x: NDArray[np.float64] = signal.sosfilt(sos, rng.normal(size=n + 500))[500:]
    return x / max(float(x.std()), 1e-9) * rms


def _potential(rng: np.random.Generator) -> NDArray[np.float64]:
    """Potential of one motor unit, 80 to 400 µV peak to peak."""
    t = np.arange(-0.02, 0.02, 1 / FS_EMG) / rng.uniform(0.0025, 0.0045)
    x = -t * np.exp(-(t**2) / 2)
    return x / float(np.ptp(x)) * rng.uniform(80, 400)


def _swing(length: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Answer of the limb: a damped swing to a jerk, a sway as long as a movement."""
    t = np.arange(0, max(length, 0.6), 1 / FS_ACC)
    if length < 0.5:
        return rng.uniform(0.25, 0.9) * np.exp(-t / 0.08) * np.sin(2 * np.pi * 7 * t)
    return np.asarray(0.1 * np.sin(2 * np.pi * 1.7 * t) * np.hanning(len(t)))


def _heart(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Beats of about 20 µV, one a second."""
    t = np.arange(-0.1, 0.4, 1 / FS_EMG)
    beat = 20 * np.exp(-((t / 0.012) ** 2) / 2) - 7 * np.exp(-(((t - 0.035) / 0.014) ** 2) / 2)
    x = np.zeros(n)
    for second in range(int(n / FS_EMG) - 1):
        _add(x, second + 0.2 + rng.uniform(-0.03, 0.03), FS_EMG, beat)
    return x
