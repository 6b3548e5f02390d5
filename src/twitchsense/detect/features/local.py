"""Local features: activity in the 2.5 s before and after a burst.

A motor unit that fires continuously shows its waveform again and again within seconds, even
where it is too small to be a burst; a twitch stands out from its surroundings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.features.electrode_artifact import hanning
from twitchsense.dsp.buffers import ordered_sum
from twitchsense.dsp.engine import kernels
from twitchsense.dsp.native import repeats as native
from twitchsense.dsp.native.repeats import LocalLimits
from twitchsense.model.candidates import NAN

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Signal examined on either side of the peak, s.
REACH_S: Final = 2.5
#: Half the length of the waveform that is searched for, s.
HALF_S: Final = 0.012
#: Minimum of that half length in samples: fewer samples would correlate with any signal.
MIN_HALF_SAMPLES: Final = 6
#: Signal left out on either side: the burst itself and its doublet, s.
EXCLUDED_S: Final = 0.12
#: Minimum correlation of a repeat with the waveform.
MIN_CORRELATION: Final = 0.65
#: Range of the height of a repeat, relative to the waveform.
HEIGHT_RANGE: Final = (0.6, 1.7)
#: Minimum energy of a repeat, relative to the waveform. No signal of less energy reaches the lowest
#: height, so that its height need not be known.
LEAST_ENERGY: Final = 0.999 * HEIGHT_RANGE[0] ** 2
#: Repeats and windows within this time count as near, s.
NEAR_S: Final = 0.6
#: Minimum distance between two repeats, s.
MIN_SEPARATION_S: Final = 0.025
#: Length of the windows whose peak-to-peak amplitudes describe the background, s.
WINDOW_S: Final = 0.025
#: Quantiles of these amplitudes that are reported.
QUANTILES: Final = (0.1, 0.75)
#: A window is large if its amplitude exceeds this fraction of that of the burst.
LARGE_FRACTION: Final = 0.5
#: Minimum duration of a contraction of many units, s: of consecutive large windows. A contraction
#: is no evidence of a unit that fires continuously [E].
CONTRACTION_S: Final = 0.5
#: Range of rates of tremor and of steady firing, Hz: above heart rates and below harmonics.
RHYTHM_HZ: Final = (2.5, 10.0)
#: Minimum signal on one side of a burst for its quantiles, s.
MIN_SIDE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class LocalFeatures:
    """Activity in the 2.5 s before and after a burst.

    Attributes
    ----------
    n_repeats, n_repeats_near : int
        Repeats of the waveform outside contractions, and repeats within 0.6 s. A unit that fires
        continuously has both, a unit that twitches often only the first.
    n_large_windows, n_large_windows_near : int
        Windows of 25 ms at least half as large as the burst outside contractions, and those
        within 0.6 s.
    interval_cv : float
        Coefficient of variation of the intervals between the repeats, the burst included; NaN with
        fewer than two repeats. A unit that fires in a contraction does so regularly.
    rhythmicity : float
        Greatest share of the variance of the window amplitudes that one rate of 2.5-10 Hz
        explains.
    rel_p10, rel_p75 : float
        Lowest decile and upper quartile of the window amplitudes on the calmer side, relative
        to the amplitude of the burst.
    """

    n_repeats: int
    n_repeats_near: int
    n_large_windows: int
    n_large_windows_near: int
    interval_cv: float
    rhythmicity: float
    rel_p10: float
    rel_p75: float


#: Local features of a burst whose surroundings are not examined.
NO_NEIGHBOURS: Final = LocalFeatures(0, 0, 0, 0, NAN, 0.0, 0.0, 0.0)


def measure_local_features(bands: Floats, at: int, fs: float) -> list[LocalFeatures]:
    """Measure the activity around bursts.

    Parameters
    ----------
    bands : ndarray, shape (k, n)
        Burst band around the peak of each of `k` bursts, µV.
    at : int
        Index of the peaks.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    list of LocalFeatures
        One for each burst; it does not depend on the other bursts.
    """
    half = max(MIN_HALF_SAMPLES, round(HALF_S * fs))
    limits = LocalLimits(
        at=at,
        half=half,
        excluded=round(EXCLUDED_S * fs),
        window=max(2, round(WINDOW_S * fs)),
        contraction=round(CONTRACTION_S / WINDOW_S),
        template_first=max(0, at - half),
        near=(NEAR_S - EXCLUDED_S) * fs,
        separation=MIN_SEPARATION_S * fs,
        shortest_side=MIN_SIDE_S * fs,
        large=LARGE_FRACTION,
        lowest=HEIGHT_RANGE[0],
        highest=HEIGHT_RANGE[1],
        least_energy=LEAST_ENERGY,
        correlation=MIN_CORRELATION,
        quantile=QUANTILES,
    )
    library = kernels()
    if library is None or not np.isfinite(bands).all():
        counts, values, windows = measure_repeats(bands, limits)
    else:
        counts, values, windows = native.measure_repeats(library, bands, limits)
    columns = *counts.T, values[:, 0], _rhythmicity(windows, WINDOW_S), *values[:, 1:].T
    return list(map(LocalFeatures, *(column.tolist() for column in columns)))


def measure_repeats(bands: Floats, limits: LocalLimits) -> tuple[Ints, Floats, Floats]:
    """Measure the activity around bursts, without its rhythm.

    Parameters
    ----------
    bands : ndarray, shape (k, n)
        Burst band around the peak of each of `k` bursts, µV.
    limits : LocalLimits

    Returns
    -------
    counts : ndarray of int64, shape (k, 4)
        The counts of `LocalFeatures`.
    values : ndarray, shape (k, 3)
        ``interval_cv``, ``rel_p10`` and ``rel_p75``.
    windows : ndarray, shape (k, n // window)
        Amplitudes of all windows, relative to the burst, at most 1.
    """
    at, half, excluded, window = limits.at, limits.half, limits.excluded, limits.window
    waves = bands[:, limits.template_first : at + half + 1]
    amplitude = np.maximum(np.ptp(waves, axis=1), 1e-9)[:, None]
    n = len(bands)
    repeats, repeats_near, many, many_near = np.zeros((4, n), np.int64)
    quantiles: list[Floats] = []
    times: list[tuple[Ints, Floats]] = [
        (np.arange(n), np.zeros(n))
    ]  # burst, and samples from it to a repeat
    # both sides run away from the burst
    sides = (
        (-1.0, bands[:, : max(0, at - excluded)][:, ::-1], waves[:, ::-1]),
        (1.0, bands[:, at + excluded :], waves),
    )
    for sign, side, templates in sides:
        amplitudes = _window_amplitudes(side, window) / amplitude
        large = amplitudes > limits.large
        outside = ~_inside_contraction(large, limits.contraction)
        rows, found = _find_repeats(side, templates, limits)
        found += half
        times.append((rows, np.asarray(sign * (found + excluded), np.float64)))
        where = np.minimum(found // window, amplitudes.shape[1] - 1)
        if amplitudes.shape[1]:
            counted = outside[rows, where]
            rows, where = rows[counted], where[counted]
        repeats += np.bincount(rows, minlength=n)
        repeats_near += np.bincount(rows[where * window < limits.near], minlength=n)
        rows, where = np.nonzero(large & outside)
        many += np.bincount(rows, minlength=n)
        many_near += np.bincount(rows[where * window < limits.near], minlength=n)
        if side.shape[1] >= limits.shortest_side:
            quantiles.append(_quantiles(amplitudes))
    windows = np.minimum(_window_amplitudes(bands, window) / amplitude, 1.0)
    counts = np.stack([repeats, repeats_near, many, many_near], axis=1)
    return counts, np.column_stack([_interval_cv(times, n), _calmer(quantiles, n)]), windows


def _calmer(quantiles: list[Floats], n: int) -> Floats:
    """Return the quantiles of the side with the lower upper quartile, shape (n, 2)."""
    if not quantiles:
        return np.zeros((n, len(QUANTILES)))
    first, last = quantiles[0], quantiles[-1]
    left = first[:, 1] <= last[:, 1]
    return np.where(left[:, None], first, last)


def _interval_cv(times: list[tuple[Ints, Floats]], n: int) -> Floats:
    """Return the coefficient of variation of the intervals between the times of each burst."""
    rows, at = (np.concatenate(parts) for parts in zip(*times, strict=True))
    counts = np.bincount(rows, minlength=n)
    variation = np.full(n, NAN)
    enough = counts >= 3
    if not enough.any():
        return variation
    order = np.lexsort((at, rows))
    order = order[enough[rows[order]]]
    rows, at, length = rows[order], at[order], counts - 1
    intervals, row = np.diff(at)[rows[1:] == rows[:-1]], rows[1:][rows[1:] == rows[:-1]]
    # unlike numpy.sum, bincount adds in the order of the values
    mean = np.bincount(row, intervals, n)[enough] / length[enough]
    of_row = np.zeros(n)
    of_row[enough] = mean
    variance = np.bincount(row, np.square(intervals - of_row[row]), n)[enough] / length[enough]
    variation[enough] = np.sqrt(variance) / mean
    return variation


def _rhythmicity(amplitudes: Floats, step_s: float) -> Floats:
    """Return the share of the variance that the strongest rate explains, for each row."""
    n = amplitudes.shape[1]
    if n * step_s < 2 * MIN_SIDE_S:
        return np.zeros(len(amplitudes))
    change = amplitudes - amplitudes.mean(axis=1, keepdims=True)
    power = np.square(np.abs(np.fft.rfft(change * hanning(n))))
    # a Hann window spreads a line over three bins
    padded = np.pad(power, ((0, 0), (1, 1)))
    near = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    rhythms = near[:, _rhythm_bins(n, step_s)]
    return np.asarray(rhythms.max(axis=1, initial=0.0) / np.maximum(power.sum(axis=1), 1e-12))


@lru_cache
def _rhythm_bins(n: int, step_s: float) -> NDArray[np.bool_]:
    """Return which bins of the spectrum of `n` windows lie within `RHYTHM_HZ`."""
    hz = np.fft.rfftfreq(n, step_s)
    return (hz >= RHYTHM_HZ[0]) & (hz <= RHYTHM_HZ[1])


def _quantiles(amplitudes: Floats) -> Floats:
    """Return ``numpy.quantile(row, QUANTILES)`` of each row; faster on short rows."""
    ordered = np.sort(amplitudes, axis=1)
    last = amplitudes.shape[1] - 1
    at = np.asarray(QUANTILES) * last
    low = at.astype(np.int64)
    a, b, t = ordered[:, low], ordered[:, np.minimum(low + 1, last)], at - low
    return np.asarray(np.where(t < 0.5, a + (b - a) * t, b - (b - a) * (1 - t)), np.float64)


def _find_repeats(x: Floats, waves: Floats, limits: LocalLimits) -> tuple[Ints, Ints]:
    """Return the rows and the indices at which signals repeat their waveform."""
    n = waves.shape[1]
    if x.shape[1] < n:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    power = np.maximum(ordered_sum(np.square(waves)), 1e-12)[:, None]
    last = x.shape[1] - n
    height = x[:, : last + 1] * waves[:, :1]
    for k in range(1, n):  # in the order of the samples, which numpy.correlate leaves open
        height += x[:, k : last + 1 + k] * waves[:, k : k + 1]
    height /= power
    total = np.zeros((len(x), x.shape[1] + 1))
    np.cumsum(np.square(x), axis=1, out=total[:, 1:])
    own = np.maximum(total[:, n:] - total[:, :-n], 1e-12)
    seen = own > limits.least_energy * power
    seen &= (height > limits.lowest) & (height < limits.highest)
    seen[:, 1:] &= height[:, 1:] >= height[:, :-1]
    seen[:, :-1] &= height[:, :-1] > height[:, 1:]
    seen &= height * np.sqrt(power / own) > limits.correlation
    rows, places = np.nonzero(seen)
    kept = _separated(rows.tolist(), places.tolist(), limits.separation)
    return rows[kept], places[kept]


def _separated(rows: list[int], places: list[int], separation: float) -> list[int]:
    """Return which places of each row keep the separation from the last one kept before."""
    kept: list[int] = []
    row, last = -1, 0
    for i, (this_row, place) in enumerate(zip(rows, places, strict=True)):
        if this_row != row or place - last >= separation:
            kept.append(i)
            row, last = this_row, place
    return kept


def _window_amplitudes(x: Floats, window: int) -> Floats:
    """Return the peak-to-peak amplitude of each consecutive window of each row."""
    whole = x.shape[1] // window
    windows = x[:, : whole * window].reshape(len(x) * whole, window)
    # along the first axis, many windows are compared at once
    columns = np.ascontiguousarray(windows.T)
    return np.asarray(np.ptp(columns, axis=0).reshape(len(x), whole), np.float64)


def _inside_contraction(large: NDArray[np.bool_], min_windows: int) -> NDArray[np.bool_]:
    """Whether each window belongs to a run of at least `min_windows` large windows in its row."""
    padded = np.pad(large, ((0, 0), (1, 1)))
    edges = np.flatnonzero(np.diff(padded.ravel())) + 1  # a row ends with a window that is not
    inside = np.zeros(padded.size, bool)
    for first, last in edges.reshape(-1, 2).tolist():
        if last - first >= min_windows:
            inside[first:last] = True
    return inside.reshape(padded.shape)[:, 1:-1]
