"""The sampling period behind time stamps, and where it changes.

Samples are regular, their stamps need not be: they are rounded (a 64-Hz sensor
in whole milliseconds steps 15, 16, 16 ms), delayed on arrival, and interrupted.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import NS

Floats = NDArray[np.float64]
Stamps = NDArray[np.int64]

#: Stamps looked at to learn the period.
LEARN: Final = 4096
#: Windows in which stamps may lie on a line: size, and how far they may stray from
#: it (in periods). A row lost inside a window strays by half a period; in short
#: windows losses can look like a slower rate, so these must be straighter.
_STRAIGHT: Final = ((LEARN, 0.45), (1024, 0.45), (256, 0.45), (64, 0.15))
#: Sizes of windows in which stamps may lie on a comb with teeth missing, and how
#: well they must fit it (1 is exact, 0.5 is jitter of 0.3 periods).
_COMB: Final = (256, 64)
_COMB_FIT: Final = 0.42
#: Rows missing regularly: so many steps may be longer than a beat, and all must be
#: whole beats to within this.
_MAX_LOST, _EXACT = 0.3, 0.05
#: A reference period this close (relative) to a round one is taken as round.
_ROUND: Final = 5e-4
_ROUND_TENTHS: Final = 2e-5
#: Diffs in a window of the rate check, and how far (relative) it may be off.
_WINDOW, _WINDOW_OFF = 256, 0.10
_LONG_WINDOW, _LONG_OFF = 4096, 0.01


def estimate_period(stamps: Stamps) -> float | None:
    """Estimate the sampling period behind the first stamps of a channel.

    The straightest stretch without a gap tells it best. Where gaps are too
    dense for that, the period is the spacing of the comb that stamps sit on.

    Parameters
    ----------
    stamps : ndarray of int64, shape (n,)
        In ns, increasing.

    Returns
    -------
    float or None
        Period in ns, good to about 0.1 %; None where stamps are not regular.
    """
    n = len(stamps)
    if n < 3:
        return None
    for size, limit in _STRAIGHT:
        if size // 4 < n or size == 64:
            slope, stray = _straightest(stamps, min(size, n))
            if stray <= limit:
                return _beat(stamps, stray * slope) or slope
    for size in _COMB:
        spacing, fit = _best_comb(stamps, min(size, n))
        if fit >= _COMB_FIT:
            return spacing
    return None


def _beat(stamps: Stamps, stray: float) -> float | None:
    """Return the period of stamps that seem to be slower, as rows are missing regularly.

    Rows that are missing at regular places leave a line that is straight enough.
    But its steps are whole beats, and it strays by more than stamps are rounded.
    """
    steps = np.diff(stamps)
    beat = float(np.median(steps))
    beats = np.rint(steps / beat)
    rounded = 1
    while not (steps % (rounded * 10)).any():
        rounded *= 10
    if (
        stray > rounded
        and 0 < (beats > 1).mean() < _MAX_LOST
        and (np.abs(steps - beats * beat) < _EXACT * beat).all()
    ):
        return float(steps.sum() / beats.sum())
    return None


def _windows(stamps: Stamps, size: int) -> Floats:
    """Return whole windows of stamps, and one at the end, from each one's first stamp."""
    whole = stamps[: len(stamps) // size * size].reshape(-1, size)
    windows = np.vstack([whole, stamps[-size:]])
    times: Floats = (windows - windows[:, :1]).astype(np.float64)
    return times


def _straightest(stamps: Stamps, size: int) -> tuple[float, float]:
    """Return the period of the window closest to a line, and its largest stray in periods."""
    t = _windows(stamps, size)
    i = np.arange(size) - (size - 1) / 2
    slope = t @ i / (i @ i)
    stray = np.abs(t - t.mean(axis=1, keepdims=True) - slope[:, None] * i).max(axis=1) / slope
    # the first among equals, so that rounding noise can't choose
    best = int(np.flatnonzero(stray <= stray.min() + 0.02)[0])
    return float(slope[best]), float(stray[best])


def _best_comb(stamps: Stamps, size: int) -> tuple[float, float]:
    """Return the spacing of the comb that a window of stamps fits best, and how well."""
    best_fit, best = 0.0, 0.0
    for t in _windows(stamps, size)[:4]:
        middle = float(np.median(np.diff(t)))
        # rates from which the phase at the far end differs by a tenth of a period
        count = int(8 * t[-1] / middle) + 2
        rates = np.linspace(0.7, 1.35, min(count, 1 << 14)) / middle
        fits = np.abs(np.exp(2j * np.pi * np.outer(rates, t)).mean(axis=1))
        at = int(fits.argmax())
        if fits[at] > best_fit + 0.02:
            best_fit, best = float(fits[at]), 1 / float(rates[at])
    return best, best_fit


def pooled_slope(stamps: Stamps, gaps: NDArray[np.int64]) -> float | None:
    """Return the period common to the stretches between gaps, ns; None if all are single."""
    edges = np.unique(np.concatenate([[0], gaps, [len(stamps)]]))
    counts = np.diff(edges)
    i = np.arange(len(stamps)) - np.repeat(edges[:-1] + (counts - 1) / 2, counts)
    t = (stamps - np.repeat(stamps[edges[:-1]], counts)).astype(np.float64)
    spread = float(i @ i)
    return float(t @ i) / spread if spread else None


def round_rate(period: float) -> float | None:
    """Return the round rate in Hz near a period in ns, or None.

    Round is a whole number of Hz, or a period of whole tenths of a millisecond
    (62.5 Hz, 1111.1 Hz), whichever is closer.
    """
    fs = NS / period
    whole, tenths = float(round(fs)), 1e4 / max(1, round(period / 1e5))
    off, tenths_off = abs(whole / fs - 1), abs(tenths / fs - 1)
    if tenths_off < min(off, _ROUND_TENTHS):
        return tenths
    return whole if off < _ROUND else None


def find_rate_change(steps: Floats, period: float, gaps: NDArray[np.int64]) -> int | None:
    """Return the index of the step where another sampling rate begins, or None.

    A stretch of another rate is one in which steps agree with each other and
    not with the period. Steps of lost rows do not agree with each other.

    Parameters
    ----------
    steps : ndarray of float64, shape (n,)
        From each stamp to the next, ns.
    period : float
        ns.
    gaps : ndarray of int64
        Indices of steps that are gaps, sorted.
    """
    n = len(steps)
    size = min(_WINDOW, max(8, n // 8))
    if n < size:
        return None
    # whole windows, and one more for the end
    starts = np.append(np.arange(0, n - size + 1, size), n - size)
    mean = np.append(_window_means(steps, size), steps[n - size :].mean())
    odd = starts[np.abs(mean / period - 1) > _WINDOW_OFF]
    if len(odd):
        rows = steps[odd[:, None] + np.arange(size)]
        q25, median, q75 = np.percentile(rows, [25, 50, 75], axis=1)
        # one long gap must not look like a slow rate
        clipped = np.minimum(rows, 2.5 * median[:, None]).mean(axis=1)
        off = np.minimum(np.abs(clipped / period - 1), np.abs(median / period - 1)) > _WINDOW_OFF
        other = off & ((clipped > period) == (median > period)) & (q75 - q25 < 0.25 * median)
        if other.any():
            which = int(np.flatnonzero(other)[0])
            # it began where steps were last closer to the period
            halfway = (period + median[which]) / 2
            slow = bool(median[which] > period)
            usual = np.flatnonzero((steps[: odd[which] + 1] > halfway) != slow)
            return int(usual[-1]) + 1 if len(usual) else 0
    starts = np.arange(0, n - _LONG_WINDOW + 1, _LONG_WINDOW)
    if not len(starts):
        return None
    whole = np.searchsorted(gaps, starts) == np.searchsorted(gaps, starts + _LONG_WINDOW)
    off = np.abs(_window_means(steps, _LONG_WINDOW) / period - 1) > _LONG_OFF
    drifting = starts[whole & off]
    return int(drifting[0]) if len(drifting) else None


def _window_means(steps: Floats, size: int) -> Floats:
    """Return the mean of each whole window."""
    means: Floats = steps[: len(steps) // size * size].reshape(-1, size).mean(axis=1)
    return means
