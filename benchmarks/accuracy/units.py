"""Real potentials of single motor units.

Two kinds of source: bipolar averages, triggered by the decomposed firings, of a 13 x 5 grid of
electrodes (the sample file inside the `openhdemg` package: vastus lateralis, 2048 Hz, 8 mm
apart), and repeating potentials of weak contractions in ordinary bipolar recordings of the leg.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import io, signal

from benchmarks.accuracy.waves import TEMPLATE_HZ, in_band

GRID_FILE = "openhdemg/library/decomposed_test_files/otb_testfile.mat"
GRID_HZ = 2048.0
#: Channel of each row, by column: the wires of the 13 x 5 matrix run up and down in turn.
GRID = np.array(
    [[63, 38, 37, 12, 11]] + [[63 - r, 38 + r, 37 - r, 12 + r, 11 - r] for r in range(1, 13)]
)
HALF_S = 0.022
#: Least and greatest length of a drawn potential: needle-like to slow and scattered.
DRAWN_S = (0.005, 0.02)
NO_INTERVALS = np.empty(0)


@dataclass(frozen=True)
class Unit:
    """One motor unit: its waveform at several electrode pairs, and its firing intervals.

    Parameters
    ----------
    name
        Source, as it goes into the truth.
    waves
        Shape (pairs, samples) on the template grid; the largest has unit peak to peak,
        ratios between pairs are real.
    places
        Column and row of each pair; pairs of neighbours have neighbouring waveforms.
    intervals
        Real inter-spike intervals in seconds, in their order; may be empty.
    """

    name: str
    waves: np.ndarray
    places: np.ndarray
    intervals: np.ndarray


def _finished(average: np.ndarray, fs: float) -> np.ndarray:
    """Return an averaged waveform on the template grid, its noisy ends faded to nothing."""
    n = len(average)
    fine = signal.resample(average, round(n * TEMPLATE_HZ / fs))
    # What is left of other units before and after is noise: keep what hangs together with the
    # peak, at most 14 ms to either side.
    size = np.sqrt(np.convolve(fine**2, np.full(48, 1 / 48), "same"))
    peak, most, gap = int(np.argmax(size)), round(0.014 * TEMPLATE_HZ), round(0.002 * TEMPLATE_HZ)
    above = np.flatnonzero(size > 0.1 * size.max())
    joined = np.split(above, np.flatnonzero(np.diff(above) > gap) + 1)
    own = next(run for run in joined if run[0] <= peak <= run[-1])
    left, right = max(own[0], peak - most), min(own[-1], peak + most)
    fade = round(0.005 * TEMPLATE_HZ)
    window = np.interp(np.arange(len(fine)), [left - fade, left, right, right + fade], [0, 1, 1, 0])
    return fine * (0.5 - 0.5 * np.cos(np.pi * window))


def grid_units(folder: Path, numbers: tuple[int, ...]) -> list[Unit]:
    """Return the units of the grid recording, seen by pairs 16 and 24 mm apart."""
    data = io.loadmat(folder / GRID_FILE)["Data"][0, 0]
    emg = in_band(data[:, :64].astype(float), GRID_HZ)
    half = round(HALF_S * GRID_HZ)
    found = []
    for number in numbers:
        fired = np.flatnonzero(data[:, 64 + number] > 0.5)
        intervals = np.diff(fired) / GRID_HZ
        inside = fired[(fired > 3 * half) & (fired < len(emg) - 3 * half)]
        span = np.arange(-3 * half, 3 * half)
        average = np.mean(emg[inside[:, None] + span], axis=0).T
        pairs, places = [], []
        for apart in (2, 3):
            for column in range(5):
                for row in range(13 - apart):
                    if column == 4 and row + apart == 12:
                        continue  # this corner of the grid has no electrode
                    pairs.append(average[GRID[row, column]] - average[GRID[row + apart, column]])
                    places.append((column, row + apart / 2))
        bipolar = np.array(pairs)
        height = np.ptp(bipolar, axis=1)
        # The trigger marks the filtered source, not the potential: centre on the energy.
        profile = np.sum(bipolar[height > 0.5 * height.max()] ** 2, axis=0)
        centre = int(np.argmax(np.convolve(profile, np.ones(20), "same")))
        centre = int(np.clip(centre, half, 5 * half))
        bipolar = bipolar[:, centre - half : centre + half]
        height = np.ptp(bipolar, axis=1)
        seen = height > 0.2 * height.max()
        waves = np.array([_finished(wave, GRID_HZ) for wave in bipolar[seen]])
        found.append(
            Unit(
                f"openhdemg sample, vastus lateralis unit {number}",
                waves / np.ptp(waves, axis=1).max(),
                np.array(places)[seen],
                intervals[(intervals > 0.03) & (intervals < 0.4)],
            )
        )
    return found


def single_units(x: np.ndarray, fs: float, name: str) -> list[Unit]:
    """Return units whose potentials repeat in one bipolar channel of weak contraction.

    Large peaks are aligned, grouped by the correlation of their shapes, and each group of
    eight or more is averaged.
    """
    x = in_band(x, fs)
    scale = np.median(np.abs(x)) * 1.4826
    peaks, _ = signal.find_peaks(np.abs(x), height=4.5 * scale, distance=round(0.02 * fs))
    half = round(0.012 * fs)
    wide = round(HALF_S * fs)
    peaks = peaks[(peaks > wide) & (peaks < len(x) - wide)]
    if len(peaks) < 8:
        return []
    shapes = x[peaks[:, None] + np.arange(-half, half)]
    shapes = shapes / np.linalg.norm(shapes, axis=1, keepdims=True)
    alike = shapes @ shapes.T
    left = np.ones(len(peaks), bool)
    found: list[Unit] = []
    while left.sum() >= 8 and len(found) < 3:
        votes = np.where(left, np.sum((alike > 0.75) & left, axis=1), 0)
        group = left & (alike[int(np.argmax(votes))] > 0.75)
        if group.sum() < 8:
            break
        left &= ~group
        average = np.mean(x[peaks[group][:, None] + np.arange(-wide, wide)], axis=0)
        wave = _finished(average, fs)
        gaps = np.diff(np.sort(peaks[group])) / fs
        found.append(
            Unit(
                f"{name} unit {len(found)}",
                wave[None] / np.ptp(wave),
                np.zeros((1, 2)),
                gaps[(gaps > 0.03) & (gaps < 0.4)],
            )
        )
    return found


def drawn_unit(rng: np.random.Generator, pairs: int = 4) -> Unit:
    """Return a unit of one to three fibre groups, each with a potential of two or three phases.

    A group's potential is the first or second derivative of a Gaussian, the usual forms of
    a propagating dipole and tripole seen by two electrodes; each further pair sees the
    groups a little later and weighed otherwise.
    """
    half = round(HALF_S * TEMPLATE_HZ)
    t = np.arange(-half, half) / TEMPLATE_HZ
    seconds = float(np.exp(rng.uniform(*np.log(DRAWN_S))))
    groups = int(rng.integers(1, 4))
    # a derivative of a Gaussian is over after some six of its widths
    width = seconds / 6 * rng.uniform(0.5, 1.0, groups) ** (groups > 1)
    at = rng.uniform(-0.5, 0.5, groups) * (seconds - 6 * width)
    order = rng.integers(1, 3, groups)
    share = rng.uniform(0.4, 1.0, groups) * rng.choice((-1.0, 1.0), groups)
    waves = []
    for _ in range(pairs):
        weight = share * rng.uniform(0.6, 1.0, groups)
        late = at + rng.normal(0, 0.05 * seconds, groups)
        x = (t[None] - late[:, None]) / width[:, None]
        form = np.where(order[:, None] == 1, -x, x**2 - 1) * np.exp(-(x**2) / 2)
        wave = weight @ (form / np.ptp(form, axis=1, keepdims=True))
        waves.append(wave / np.ptp(wave) * rng.uniform(0.5, 1.0))
    stacked = np.array(waves)
    places = np.array([(0, k) for k in range(pairs)], float)
    return Unit(
        f"drawn, {1000 * seconds:.0f} ms", stacked / np.ptp(stacked, axis=1).max(), places,
        NO_INTERVALS,
    )  # fmt: skip
