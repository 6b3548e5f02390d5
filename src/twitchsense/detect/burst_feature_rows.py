"""Features of several bursts together: the same numbers as of one burst at a time.

Each function is the counterpart of one for a single burst, named in its description, and gives
equal results, bit for bit: sums are rounded alike (`burst_signals`), and everything else is done
value by value. For a handful of bursts it is faster than one call for each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.artifact_measures import LEVEL_S
from twitchsense.detect.burst_signals import BurstSignals, largest, sums, values_of
from twitchsense.detect.electrode_artifact import (
    BANDS_HZ,
    ELECTRODE_FEATURES,
    FINE_FS,
    HALF_S,
    PEAK_S,
    hanning,
    spectrum_slices,
)
from twitchsense.detect.features.waveform import (
    MAIN_LOBE_S,
    NEAR_PEAK_S,
    SPECTRUM_HZ,
    SPECTRUM_POINTS,
)
from twitchsense.dsp.buffers import row_medians
from twitchsense.dsp.filters import MAX_BAND_FRACTION

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def electrode_rows(
    signals: BurstSignals, *, low_frequency_share: Floats, noise_uv: Floats
) -> Floats:
    """Return `electrode_artifact.electrode_features` of each burst.

    Parameters
    ----------
    signals : BurstSignals
    low_frequency_share : ndarray, shape (k,)
        Share of the power below the burst band.
    noise_uv : ndarray, shape (k,)
        RMS of the noise in the burst band, µV.

    Returns
    -------
    ndarray, shape (k, 10)
        `ELECTRODE_FEATURES`.
    """
    fs = signals.fs
    half, near = max(4, round(HALF_S * fs)), max(1, round(PEAK_S * fs))
    step = max(1, round(fs / 1000))  # samples in a millisecond
    features = np.empty((len(noise_uv), len(ELECTRODE_FEATURES)))
    symmetry, kurtosis = _amplitude_shape(signals, half // 3)
    features[:, 1:4] = np.stack([symmetry + 0.02, low_frequency_share + 0.02, kurtosis], axis=1)
    for rows, at, index in signals.around_peaks(half, half):
        x, y = signals.band[index], signals.clean[index]
        top = np.maximum(np.abs(x[:, at]), 1e-9)
        amplitude = np.maximum(np.ptp(y, axis=1), 1e-9)
        features[rows, 0] = widths_ms(x, np.full(len(x), at), fs)
        features[rows, 4:6] = _band_shares(x, fs, noise_uv[rows]) + 0.01
        features[rows, 6] = _largest_change(y, step) / amplitude
        features[rows, 7] = _largest_change(y, 2 * step) / amplitude
        before, after = x[:, : max(1, at - near)], x[:, min(x.shape[1] - 1, at + near) :]
        features[rows, 8] = np.abs(before).max(axis=1) / top
        features[rows, 9] = np.abs(after).max(axis=1) / top
    # numpy rounds logarithms of contiguous values in its own way
    features[:, :6] = np.log(np.ascontiguousarray(features[:, :6]))
    return features


def widths_ms(x: Floats, peaks: Ints, fs: float) -> Floats:
    """Return the width of the peak of each row at half height, ms, interpolated linearly.

    Parameters
    ----------
    x : ndarray, shape (k, n)
    peaks : ndarray of int64, shape (k,)
        Index of the peak in each row.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    ndarray, shape (k,)
        In ms.
    """
    rows, column = np.arange(len(x)), np.arange(x.shape[1])
    tops = x[rows, peaks]
    side = np.sign(tops)[:, None] * x / np.maximum(np.abs(tops), 1e-9)[:, None]
    below, last = side < 0.5, x.shape[1] - 1
    after = below & (column >= peaks[:, None])
    before = below & (column <= peaks[:, None])
    total = np.zeros(len(x))
    for low, step, end in ((after, 1, last), (before[:, ::-1], -1, 0)):
        place = low.argmax(axis=1)
        place = place if step > 0 else last - place
        # of a flat signal, the peak itself is below
        inner = np.where(place == peaks, end, np.clip(place - step, 0, last))
        high = side[rows, inner]
        crossing = (high - 0.5) / np.maximum(high - side[rows, place], 1e-9)
        width = np.abs(place - peaks) - 1 + crossing
        total += np.where(low.any(axis=1), width, np.abs(end - peaks) + 1)
    return np.maximum(total / fs * 1000, 0.1)


def _amplitude_shape(signals: BurstSignals, margin: int) -> tuple[Floats, Floats]:
    """Return symmetry and kurtosis of bursts.

    The symmetry is the smaller over the larger of the largest positive and negative deflection.
    The kurtosis is 3 for the interference of many units, more for isolated spikes, at least 1.
    """
    start = np.maximum(signals.first, signals.begin - margin)
    stop = np.minimum(signals.stop, signals.end + margin)
    up, down = largest(signals.band, start, stop), largest(-signals.band, start, stop)
    low, high = np.minimum(up, down), np.maximum(up, down)
    symmetry = np.maximum(0.0, low) / np.maximum(high, 1e-9)
    x, _ = values_of(signals.band, start, stop)
    n = stop - start
    fourth, power = (sums(v, n) / n for v in (np.square(np.square(x)), np.square(x)))
    moments = zip(fourth.tolist(), power.tolist(), strict=True)
    kurtosis = np.array([f / p**2 if p > 0 else 3.0 for f, p in moments])
    return symmetry, np.maximum(kurtosis, 1.0)


def _band_shares(x: Floats, fs: float, noise_uv: Floats) -> Floats:
    """Return the share of each of `BANDS_HZ` in the power of rows, with the noise subtracted."""
    if fs < FINE_FS:
        return np.zeros((len(x), len(BANDS_HZ)))
    window, n = hanning(x.shape[1] + 2)[1:-1], max(256, x.shape[1])
    power = np.square(np.abs(np.fft.rfft(x * window, n))) * 2 / n
    noise = np.array([uv**2 for uv in noise_uv.tolist()]) * float(np.square(window).sum())
    total = power.sum(axis=1)
    signal = np.maximum(np.maximum(total - noise, 0.2 * total), 1e-9)
    shares = [
        (power[:, band].sum(axis=1) - noise * (high - low) / 430.0) / signal
        for (low, high), band in zip(BANDS_HZ, spectrum_slices(n, fs), strict=True)
    ]
    return np.asarray(np.clip(np.stack(shares, axis=1), 0.0, 1.0), np.float64)


def _largest_change(y: Floats, step: int) -> Floats:
    """Return the largest change between samples `step` apart, for each row."""
    if y.shape[1] <= step:
        return np.zeros(len(y))
    return np.asarray(np.abs(y[:, step:] - y[:, :-step]).max(axis=1), np.float64)


def low_frequency_shares(signals: BurstSignals) -> Floats:
    """Return `artifact_measures.low_frequency_share` of each burst.

    Parameters
    ----------
    signals : BurstSignals

    Returns
    -------
    ndarray, shape (k,)
        0 to 1.
    """
    level = max(1, round(LEVEL_S * signals.fs))
    first = np.maximum(signals.first, signals.begin - 2 * level)
    last = np.minimum(signals.stop, signals.end + 2 * level)
    share = np.zeros(len(first))
    rows = np.flatnonzero(last - first >= 4 * level)
    if not len(rows):
        return share
    first, last = first[rows], last[rows]
    slow, fast = _slow_and_fast_power(signals, first, last, level)
    earlier = np.maximum(signals.first[rows], 2 * first - last)
    known = np.flatnonzero(first - earlier >= 4 * level)
    if len(known):
        usual, _ = _slow_and_fast_power(signals, earlier[known], first[known], level)
        ratio = (last - first)[known] / (first - earlier)[known]
        squared = np.array([r**2 for r in ratio.tolist()])
        slow[known] -= 2 * np.maximum(usual, 0.0) * squared
    slow = np.maximum(slow, 0.0)
    some = slow + fast > 0
    share[rows[some]] = slow[some] / (slow + fast)[some]
    return share


def _slow_and_fast_power(
    signals: BurstSignals, first: Ints, last: Ints, level: int
) -> tuple[Floats, Floats]:
    """Return the energy below the burst band, off the line through both ends, and in it."""
    lengths = last - first
    band, _ = values_of(signals.band, first, last)
    x, place = values_of(signals.clean, first, last)
    edge = np.arange(level)
    left, right = (signals.clean[a[:, None] + edge].mean(axis=1) for a in (first, last - level))
    from_x, to_x = level / 2, lengths - level / 2
    slope = (right - left) / (to_x - from_x)
    # as numpy.interp, which is constant outside
    left, right, slope, to_x = (np.repeat(a, lengths) for a in (left, right, slope, to_x))
    line = slope * (place - from_x) + left
    line = np.where(place <= from_x, left, np.where(place >= to_x, right, line))
    fast = sums(np.square(band), lengths)
    return sums(np.square(x - line), lengths) - fast, fast


def net_area_ratios(signals: BurstSignals) -> Floats:
    """Return `features.waveform.net_area_ratio` of each burst.

    Parameters
    ----------
    signals : BurstSignals

    Returns
    -------
    ndarray, shape (k,)
        0 to 1.
    """
    level, flank = max(1, round(LEVEL_S * signals.fs)), max(1, round(0.005 * signals.fs))
    first = np.maximum(signals.first, signals.begin - flank)
    last = np.minimum(signals.stop, signals.end + 2 * flank)
    before = np.maximum(signals.first, first - level)
    after = np.minimum(signals.stop, last + level)
    ratio = np.zeros(len(first))
    rows = np.flatnonzero((before < first) & (last < after))
    if not len(rows):
        return ratio
    first, last = first[rows], last[rows]
    lengths = last - first
    left = _medians(signals.clean, before[rows], first)
    right = _medians(signals.clean, last, after[rows])
    x, place = values_of(signals.clean, first, last)
    # as numpy.linspace from the level before to that after
    step = np.repeat((right - left) / np.maximum(lengths - 1, 1), lengths)
    line = place * step + np.repeat(left, lengths)
    line[np.cumsum(lengths)[lengths > 1] - 1] = right[lengths > 1]
    x = x - line
    whole, net = sums(np.abs(x), lengths), np.abs(sums(x, lengths))
    some = whole > 0
    ratio[rows[some]] = net[some] / whole[some]
    return ratio


def _medians(x: Floats, start: Ints, stop: Ints) -> Floats:
    """Return the medians of several ranges."""
    lengths, medians = stop - start, np.empty(len(start))
    for length in set(lengths.tolist()):
        rows = np.flatnonzero(lengths == length)
        medians[rows] = row_medians(x[start[rows][:, None] + np.arange(length)])
    return medians


def log_main_lobe_widths(signals: BurstSignals) -> Floats:
    """Return `features.waveform.log_main_lobe_width` of each burst.

    Parameters
    ----------
    signals : BurstSignals

    Returns
    -------
    ndarray, shape (k,)
        Natural logarithm of the width in ms.
    """
    level, near = max(1, round(LEVEL_S * signals.fs)), max(1, round(MAIN_LOBE_S * signals.fs))
    width = np.empty(len(signals.peak))
    for rows, peak, index in signals.around_peaks(level, level + 1):
        x = signals.clean[index]
        x = x - row_medians(x)[:, None]
        start = max(0, peak - near)
        at = start + np.abs(x[:, start : peak + near + 1]).argmax(axis=1)
        width[rows] = widths_ms(x, at, signals.fs)
    return np.asarray(np.log(width))


def spectrum_rows(signals: BurstSignals, sampled_hz: float) -> Floats:
    """Return `features.waveform.spectrum_features` of each burst.

    Parameters
    ----------
    signals : BurstSignals
    sampled_hz : float
        Sampling rate before interpolation, Hz.

    Returns
    -------
    ndarray, shape (k, 5)
    """
    fs, half = signals.fs, max(4, round(NEAR_PEAK_S * signals.fs))
    features = np.full((len(signals.peak), len(SPECTRUM_HZ) + 1), np.nan)
    features[:, -1] = 0.0
    for rows, _, index in signals.around_peaks(half, half):
        if index.shape[1] < 4:
            continue
        x = signals.clean[index]
        change, size = np.abs(np.diff(x, axis=1)).max(axis=1), np.ptp(x, axis=1)
        features[rows, -1] = change / np.maximum(size, 1e-9)
        tapered = (x - x.mean(axis=1, keepdims=True)) * hanning(x.shape[1])
        power = np.square(np.abs(np.fft.rfft(tapered, SPECTRUM_POINTS)))
        total = np.pad(np.cumsum(power, axis=1), ((0, 0), (1, 0)))
        for column, (low, high) in enumerate(SPECTRUM_HZ):
            if low < MAX_BAND_FRACTION * sampled_hz:
                first, last = (round(hz * SPECTRUM_POINTS / fs) for hz in (low, min(high, fs / 2)))
                share = (total[:, last] - total[:, first]) / np.maximum(total[:, -1], 1e-12)
                features[rows, column] = np.log(share + 1e-4)
    return features
