"""Estimates the sampling period behind timestamps, and finds where it changes.

Samples are regular, but their timestamps need not be: they are rounded (a 64-Hz sensor with
timestamps in whole milliseconds steps by 15, 16, 16 ms), delayed on arrival, and interrupted.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import NS

Floats = NDArray[np.float64]
Timestamps = NDArray[np.int64]

#: Timestamps from which the period is estimated.
LEARNING_SIZE: Final = 4096
#: Windows in which timestamps may lie on a line: size, and maximum residual in periods. A
#: row lost inside a window leaves a residual of half a period. In short windows lost rows
#: can look like a slower rate, so their limit is lower.
_LINE_WINDOWS: Final = ((LEARNING_SIZE, 0.45), (1024, 0.45), (256, 0.45), (64, 0.15))
#: Sizes of windows in which timestamps may lie on a grid from which points are missing.
_GRID_WINDOWS: Final = (256, 64)
#: Minimum fit to a grid: 1 is exact, 0.5 corresponds to a jitter of 0.3 periods.
_MIN_GRID_FIT: Final = 0.42
#: Windows in which the grid is searched.
_GRID_TRIALS: Final = 4
#: Range of the grid's period, relative to the median step.
_GRID_RANGE: Final = (0.7, 1.35)
#: Maximum number of grid periods that are tried.
_MAX_GRID_PERIODS: Final = 1 << 14
#: Maximum share of steps longer than a period where rows are missing regularly.
_MAX_LONG_STEPS: Final = 0.3
#: The same where no more than one row is missing in one place (every third row is).
_MAX_DOUBLE_STEPS: Final = 0.51
#: Share of the steps up to one of a single period.
_SINGLE_STEP_QUANTILE: Final = 0.45
#: Maximum distance (periods) of these steps from whole periods.
_WHOLE_PERIOD_TOLERANCE: Final = 0.05
#: Maximum residual, in resolutions of the timestamps, that rounding leaves.
_MAX_ROUNDING_RESIDUAL: Final = 0.55
#: Maximum relative distance of a period from that of a whole number of Hz to be rounded to it.
_WHOLE_HZ_TOLERANCE: Final = 5e-4
#: Maximum relative distance from a period of whole tenths of a millisecond.
_TENTH_MS_TOLERANCE: Final = 2e-5
#: Steps in a window of the rate check.
_RATE_WINDOW: Final = 256
#: Maximum relative deviation from the period of the mean step in a window of `_RATE_WINDOW`.
_RATE_TOLERANCE: Final = 0.10
#: Steps in a window of the check for a drifting rate.
_DRIFT_WINDOW: Final = 4096
#: Maximum relative deviation from the period of the mean step in a window of `_DRIFT_WINDOW`.
_DRIFT_TOLERANCE: Final = 0.01
#: Maximum step, in median steps, that counts in full in the mean of a window.
_STEP_CLIP: Final = 2.5
#: Maximum interquartile range of the steps of another rate, in median steps.
_MAX_STEP_IQR: Final = 0.25


def estimate_period(
    times_ns: Timestamps, written_resolution: int = 0, binary_resolution: int = 0
) -> float | None:
    """Estimate the sampling period from the first timestamps of a channel.

    The straightest window without a gap gives the best estimate. Where gaps are too dense
    for that, the period is the spacing of the grid that the timestamps lie on.

    Parameters
    ----------
    times_ns : ndarray of int64, shape (n,)
        Increasing.
    written_resolution : int
        Resolution (ns) of the decimals with which the timestamps are written; 0 if unknown.
    binary_resolution : int
        Resolution (ns) of timestamps that were stored in single precision; 0 if they were not.

    Returns
    -------
    float or None
        Period in ns, accurate to about 0.1 %; None if the timestamps are not regular.
    """
    n = len(times_ns)
    if n < 3:
        return None
    for size, limit in _LINE_WINDOWS:
        if size // 4 < n or size == 64:
            slope, residual = _straightest_window(times_ns, min(size, n))
            if residual <= limit or residual * slope <= _MAX_ROUNDING_RESIDUAL * binary_resolution:
                known = binary_resolution or written_resolution
                period = _period_with_missing_rows(times_ns, residual * slope, known)
                return period or slope
    for size in _GRID_WINDOWS:
        spacing, fit = _best_grid(times_ns, min(size, n))
        if fit >= _MIN_GRID_FIT:
            return spacing
    return None


def _period_with_missing_rows(
    times_ns: Timestamps, residual_ns: float, known_resolution: int
) -> float | None:
    """Return the period of timestamps whose rows are missing at regular places, or None.

    Such timestamps lie on a line with too large a slope. They are recognised by steps of
    whole periods and by residuals that rounding to the resolution cannot give.
    """
    steps = np.diff(times_ns)
    # half of the steps may be double: the median would lie between
    period = float(np.quantile(steps, _SINGLE_STEP_QUANTILE, method="lower"))
    periods = np.rint(steps / period)
    resolution = known_resolution
    if not resolution:
        resolution = 1
        while not (steps % (resolution * 10)).any():
            resolution *= 10
    long_steps = float((periods > 1).mean())
    limit = _MAX_LONG_STEPS if (periods > 2).any() else _MAX_DOUBLE_STEPS
    # rounding to a resolution does not leave only multiples of a coarser step
    coarser = period > 1.5 * resolution and (steps == periods * period).all()
    if not coarser and resolution <= period < 1.5 * resolution:
        # rounding or loss: a rate of no whole number of Hz speaks for loss
        lost = np.flatnonzero(periods > 1)
        periodic = len(lost) > 2 and len(set(np.diff(lost).tolist())) == 1
        coarser = periodic and _is_whole_hz(period) and not _is_whole_hz(float(steps.mean()))
    if (
        (coarser or residual_ns > _MAX_ROUNDING_RESIDUAL * resolution)
        and 0 < long_steps < limit
        and (np.abs(steps - periods * period) < _WHOLE_PERIOD_TOLERANCE * period).all()
    ):
        return float(steps.sum() / periods.sum())
    return None


def _is_whole_hz(period: float) -> bool:
    """Return whether a period is that of a whole number of Hz."""
    fs = NS / period
    return abs(round(fs) / fs - 1) < _WHOLE_HZ_TOLERANCE / 2


def _windows(times_ns: Timestamps, size: int) -> Floats:
    """Return adjacent windows and one at the end, as times since the start of each window."""
    adjacent = times_ns[: len(times_ns) // size * size].reshape(-1, size)
    windows = np.vstack([adjacent, times_ns[-size:]])
    times: Floats = (windows - windows[:, :1]).astype(np.float64)
    return times


def _straightest_window(times_ns: Timestamps, size: int) -> tuple[float, float]:
    """Return the period (ns) of the straightest window, and its largest residual in periods."""
    t = _windows(times_ns, size)
    i = np.arange(size) - (size - 1) / 2
    slope = t @ i / (i @ i)
    residual = np.abs(t - t.mean(axis=1, keepdims=True) - slope[:, None] * i).max(axis=1) / slope
    # the first of nearly equal windows, so that rounding noise does not choose
    best = int(np.flatnonzero(residual <= residual.min() + 0.02)[0])
    return float(slope[best]), float(residual[best])


def _best_grid(times_ns: Timestamps, size: int) -> tuple[float, float]:
    """Return the spacing (ns) of the grid that a window fits best, and the fit (0 to 1).

    The fit is the length of the mean phase vector of the timestamps.
    """
    best_fit, best = 0.0, 0.0
    for t in _windows(times_ns, size)[:_GRID_TRIALS]:
        median = float(np.median(np.diff(t)))
        # the phase at the end of the window differs by a tenth of a period between trials
        count = int(8 * t[-1] / median) + 2
        rates = np.linspace(*_GRID_RANGE, min(count, _MAX_GRID_PERIODS)) / median
        fits = np.abs(np.exp(2j * np.pi * np.outer(rates, t)).mean(axis=1))
        i = int(fits.argmax())
        if fits[i] > best_fit + 0.02:
            best_fit, best = float(fits[i]), 1 / float(rates[i])
    return best, best_fit


def pooled_slope(times_ns: Timestamps, gaps: NDArray[np.int64]) -> float | None:
    """Fit one period to the runs between gaps, by least squares.

    Parameters
    ----------
    times_ns : ndarray of int64, shape (n,)
    gaps : ndarray of int64, shape (gaps,)
        Indices of timestamps after a gap.

    Returns
    -------
    float or None
        Period in ns; None if no run has two timestamps.
    """
    edges = np.unique(np.concatenate([[0], gaps, [len(times_ns)]]))
    counts = np.diff(edges)
    i = np.arange(len(times_ns)) - np.repeat(edges[:-1] + (counts - 1) / 2, counts)
    t = (times_ns - np.repeat(times_ns[edges[:-1]], counts)).astype(np.float64)
    s_ii = float(i @ i)
    return float(t @ i) / s_ii if s_ii else None


def round_rate(period: float) -> float | None:
    """Return the round sampling rate near a period.

    Round is a whole number of Hz, or a period of whole tenths of a millisecond (62.5 Hz,
    1111.1 Hz), whichever is closer.

    Parameters
    ----------
    period : float
        In ns.

    Returns
    -------
    float or None
        Rate in Hz; None if no round rate is near enough.
    """
    fs = NS / period
    whole, tenths = float(round(fs)), 1e4 / max(1, round(period / 1e5))
    off, tenths_off = abs(whole / fs - 1), abs(tenths / fs - 1)
    if tenths_off < min(off, _TENTH_MS_TOLERANCE):
        return tenths
    return whole if off < _WHOLE_HZ_TOLERANCE else None


def find_rate_change(steps: Floats, period: float, gaps: NDArray[np.int64]) -> int | None:
    """Find where another sampling rate begins.

    In a window of another rate the steps agree with each other and not with the period.
    Steps over lost rows do not agree with each other.

    Parameters
    ----------
    steps : ndarray of float64, shape (n,)
        Differences of consecutive timestamps in ns.
    period : float
        In ns.
    gaps : ndarray of int64, shape (gaps,)
        Indices of steps that are gaps, sorted.

    Returns
    -------
    int or None
        Index of the first step of the other rate; None if there is one rate only.
    """
    n = len(steps)
    size = min(_RATE_WINDOW, max(8, n // 8))
    if n < size:
        return None
    # adjacent windows, and one more at the end
    starts = np.append(np.arange(0, n - size + 1, size), n - size)
    means = np.append(_window_means(steps, size), steps[n - size :].mean())
    suspects = starts[np.abs(means / period - 1) > _RATE_TOLERANCE]
    if len(suspects):
        rows = steps[suspects[:, None] + np.arange(size)]
        q25, median, q75 = np.percentile(rows, [25, 50, 75], axis=1)
        # clipped, so that one long gap does not look like a slow rate
        clipped = np.minimum(rows, _STEP_CLIP * median[:, None]).mean(axis=1)
        off = np.minimum(np.abs(clipped / period - 1), np.abs(median / period - 1))
        other = (
            (off > _RATE_TOLERANCE)
            & ((clipped > period) == (median > period))
            & (q75 - q25 < _MAX_STEP_IQR * median)
        )
        if other.any():
            i = int(np.flatnonzero(other)[0])
            # the other rate began after the last step that is closer to the period
            halfway = (period + median[i]) / 2
            slower = bool(median[i] > period)
            of_period = np.flatnonzero((steps[: suspects[i] + 1] > halfway) != slower)
            return int(of_period[-1]) + 1 if len(of_period) else 0
    starts = np.arange(0, n - _DRIFT_WINDOW + 1, _DRIFT_WINDOW)
    if not len(starts):
        return None
    without_gap = np.searchsorted(gaps, starts) == np.searchsorted(gaps, starts + _DRIFT_WINDOW)
    off = np.abs(_window_means(steps, _DRIFT_WINDOW) / period - 1)
    drifting = starts[without_gap & (off > _DRIFT_TOLERANCE)]
    return int(drifting[0]) if len(drifting) else None


def _window_means(steps: Floats, size: int) -> Floats:
    """Return the mean of each adjacent window."""
    means: Floats = steps[: len(steps) // size * size].reshape(-1, size).mean(axis=1)
    return means
