"""Published actigraphy algorithms: Cole-Kripke, Sadeh, and the HDCZA sleep period.

All were developed for the wrist. They do not decide sleep onset; `onsets_by_algorithm`
computes their estimates, and the spread between them widens the range of the onset.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.intervals import runs_of
from twitchsense.settings import ContextSettings
from twitchsense.sleep.activity_counts import ActivityCounts
from twitchsense.sleep.inactivity import (
    ASLEEP,
    BIN_S,
    BINS_PER_EPOCH,
    EPOCH_S,
    LegMotion,
    find_sustained_inactivity,
    mask_events,
)

Floats = NDArray[np.float64]

#: Length of an epoch of Cole-Kripke and Sadeh, s.
MINUTE_S: Final = 60
#: Weights of the minutes -4 to +2 (Cole et al. 1992, one-minute epochs).
COLE_KRIPKE: Final = (106, 54, 58, 76, 230, 74, 67)
#: Factor of the weighted sum in the Cole-Kripke index.
_COLE_KRIPKE_SCALE: Final = 0.001
#: A minute is sleep if the Cole-Kripke index is below this.
_COLE_KRIPKE_LIMIT: Final = 1.0
#: Cole-Kripke takes ActiGraph counts in hundreds.
_COLE_KRIPKE_UNIT: Final = 100.0
#: Upper limit of the counts per minute, for both Cole-Kripke and Sadeh.
_MAX_COUNTS: Final = 300.0
#: Coefficients of Sadeh et al. 1994.
SADEH: Final = {"constant": 7.601, "mean": -0.065, "nat": -1.08, "sd": -0.056, "log": -0.703}
#: Range of counts (lower end included) that NAT counts.
_NAT_RANGE: Final = (50.0, 100.0)
#: HDCZA: length of the rolling median, s.
_HDCZA_MEDIAN_S: Final = 300.0
#: HDCZA: quantile of the angle change from which the threshold follows.
_HDCZA_QUANTILE: Final = 0.10
#: HDCZA: ratio of the threshold to that quantile.
_HDCZA_FACTOR: Final = 15.0
#: HDCZA: limits of the threshold, degrees.
_HDCZA_THRESHOLD_DEG: Final = (0.13, 0.50)
#: HDCZA: minimum duration of rest (not included), s.
_HDCZA_MIN_REST_S: Final = 30 * 60.0
#: HDCZA: maximum gap between rest that is filled (not included), s.
_HDCZA_MAX_GAP_S: Final = 60 * 60.0
#: Seconds of unmasked signal that a minute of counts needs [E].
_MIN_UNMASKED_S: Final = 30.0


def onsets_by_algorithm(
    motion: LegMotion,
    counts: Mapping[str, ActivityCounts],
    tone: Floats,
    events: pd.DataFrame,
    settings: ContextSettings,
) -> dict[str, float | None]:
    """Return the sleep onset by each reference algorithm.

    ``cole_kripke`` and ``sadeh``: the first of ``still_min`` consecutive minutes scored
    as sleep. ``hdcza``: the start of the sleep period. ``tone``: the start of the first
    sustained inactivity with a relaxed muscle.

    Parameters
    ----------
    motion : LegMotion
        Motion of the leg.
    counts : mapping of channel name to ActivityCounts
        Activity counts of the accelerometers; may be empty.
    tone : ndarray of float64, shape (epochs,)
        Muscle tone, µV RMS; NaN unknown.
    events : DataFrame
        Event table; leg events are masked.
    settings : ContextSettings
        ``still_min``, ``tone_uv`` and the masking.

    Returns
    -------
    dict of str to float or None
        Sleep onset in seconds; None if the algorithm finds no sleep. Algorithms
        without their signal are absent.
    """
    onsets: dict[str, float | None] = {}
    if counts:
        first, minutes = counts_per_minute(counts, events, motion, settings)
        min_length = round(settings.still_min)
        for name, asleep in (
            ("cole_kripke", cole_kripke_asleep(minutes)),
            ("sadeh", sadeh_asleep(minutes)),
        ):
            at = first_run(asleep, min_length)
            onsets[name] = None if at is None else float((first + at) * MINUTE_S)
    if motion.valid.any():
        period = hdcza(motion.angle_change_deg, BIN_S)
        onsets["hdcza"] = None if period is None else float(motion.grid.bins_s[period[0]])
    if not np.isnan(tone).all() and motion.valid.any():
        onsets["tone"] = _onset_with_relaxed_muscle(motion, tone, settings)
    return onsets


def cole_kripke(counts: Floats) -> Floats:
    """Compute the Cole-Kripke index D of each minute; D < 1 is sleep.

    ``D = 0.001 (106 A[-4] + 54 A[-3] + 58 A[-2] + 76 A[-1] + 230 A[0] + 74 A[1]
    + 67 A[2])`` with A in hundreds of counts, at most 300.

    Parameters
    ----------
    counts : ndarray of float64, shape (n,)
        Counts per minute; NaN unknown.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where any of the seven minutes is unknown or outside the recording.

    References
    ----------
    Cole et al. 1992, Sleep 15:461, doi:10.1093/sleep/15.5.461.
    """
    a = np.minimum(counts / _COLE_KRIPKE_UNIT, _MAX_COUNTS)
    weights = _COLE_KRIPKE_SCALE * np.array(COLE_KRIPKE, np.float64)
    return _windows(a, 4, 2) @ weights


def cole_kripke_asleep(counts: Floats) -> Floats:
    """Score sleep and wake by Cole-Kripke.

    Parameters
    ----------
    counts : ndarray of float64, shape (n,)
        Counts per minute; NaN unknown.

    Returns
    -------
    ndarray of float64, shape (n,)
        1 for sleep, 0 for wake, NaN unknown; see `cole_kripke`.
    """
    index = cole_kripke(counts)
    return np.where(np.isnan(index), np.nan, index < _COLE_KRIPKE_LIMIT)


def sadeh(counts: Floats) -> Floats:
    """Compute the sleep index of Sadeh of each minute; PS >= 0 is sleep.

    ``PS = 7.601 - 0.065 mean - 1.08 NAT - 0.056 SD - 0.703 ln(A + 1)``: mean and NAT
    (minutes with 50 <= A < 100) over the surrounding 11 minutes, SD over the minute and
    the five before, A of the minute; counts at most 300.

    Parameters
    ----------
    counts : ndarray of float64, shape (n,)
        Counts per minute; NaN unknown.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where any of the eleven minutes is unknown or outside the recording.

    References
    ----------
    Sadeh et al. 1994, Sleep 17:201, doi:10.1093/sleep/17.3.201.
    """
    a = np.minimum(counts, _MAX_COUNTS)
    around, before = _windows(a, 5, 5), _windows(a, 5, 0)
    nat = ((around >= _NAT_RANGE[0]) & (around < _NAT_RANGE[1])).sum(axis=1)
    score: Floats = (
        SADEH["constant"]
        + SADEH["mean"] * around.mean(axis=1)
        + SADEH["nat"] * nat
        + SADEH["sd"] * before.std(axis=1, ddof=1)
        + SADEH["log"] * np.log(a + 1.0)
    )
    return score


def sadeh_asleep(counts: Floats) -> Floats:
    """Score sleep and wake by Sadeh.

    Parameters
    ----------
    counts : ndarray of float64, shape (n,)
        Counts per minute; NaN unknown.

    Returns
    -------
    ndarray of float64, shape (n,)
        1 for sleep, 0 for wake, NaN unknown; see `sadeh`.
    """
    score = sadeh(counts)
    return np.where(np.isnan(score), np.nan, score >= 0)


def hdcza(angle_change_deg: Floats, bin_s: float) -> tuple[int, int] | None:
    """Find the sleep period by the HDCZA algorithm.

    Rest is where the 5-min rolling median of the angle change is below 15 times its
    10th percentile, limited to 0.13-0.50 degrees. Rest of more than 30 min counts, gaps
    below 60 min are filled, and the longest rest is the sleep period. Unlike the
    original, the angle is measured between orientation vectors, not to one axis.

    Parameters
    ----------
    angle_change_deg : ndarray of float64, shape (n,)
        Change of orientation between consecutive bins, degrees; NaN unknown.
    bin_s : float
        Length of a bin, s; 5 s in the paper.

    Returns
    -------
    tuple of int, or None
        First bin of the period and the bin after its last; None without rest.

    References
    ----------
    van Hees et al. 2018, Sci Rep 8:12975, doi:10.1038/s41598-018-31266-z.
    """
    width = round(_HDCZA_MEDIAN_S / bin_s)
    series = pd.Series(np.abs(angle_change_deg))
    median = series.rolling(width, center=True, min_periods=width // 2).median().to_numpy()
    known = median[~np.isnan(median)]
    if len(known) == 0:
        return None
    threshold = np.clip(np.quantile(known, _HDCZA_QUANTILE) * _HDCZA_FACTOR, *_HDCZA_THRESHOLD_DEG)
    rest = runs_of(np.nan_to_num(median, nan=np.inf) < threshold)
    blocks = [[a, b] for a, b in rest if (b - a) * bin_s > _HDCZA_MIN_REST_S]
    if not blocks:
        return None
    joined = [blocks[0]]
    for block in blocks[1:]:
        if (block[0] - joined[-1][1]) * bin_s < _HDCZA_MAX_GAP_S:
            joined[-1][1] = block[1]
        else:
            joined.append(block)
    longest = max(joined, key=lambda b: b[1] - b[0])
    return longest[0], longest[1]


def counts_per_minute(
    counts: Mapping[str, ActivityCounts],
    events: pd.DataFrame,
    motion: LegMotion,
    settings: ContextSettings,
) -> tuple[int, Floats]:
    """Sum activity counts (vector magnitude) per minute.

    Seconds that overlap a leg event and seconds without valid signal are excluded, and
    the remaining counts are scaled to a whole minute. Of several sensors the most
    active one counts.

    Parameters
    ----------
    counts : mapping of channel name to ActivityCounts
        Counts per second.
    events : DataFrame
        Event table; leg events are masked.
    motion : LegMotion
        Its grid and its valid bins.
    settings : ContextSettings
        The masking.

    Returns
    -------
    first : int
        Index of the first minute, which starts at ``60 * first`` seconds.
    counts : ndarray of float64, shape (minutes,)
        NaN where less than half of the minute remains.
    """
    grid = motion.grid
    first = grid.first * EPOCH_S // MINUTE_S
    n = -(-(grid.first + grid.n) * EPOCH_S // MINUTE_S) - first
    out = np.full(max(n, 0), np.nan)
    for table in counts.values():
        middle = table.time_ns / 1e9 + table.length_s / 2
        bins = np.floor(middle / BIN_S).astype(np.int64) - grid.first_bin
        known = (bins >= 0) & (bins < len(motion.valid))
        known[known] = motion.valid[bins[known]]
        known &= ~mask_events(table, events, settings)
        at = np.floor(middle / MINUTE_S).astype(np.int64) - first
        seconds = np.bincount(at[known], table.length_s[known], minlength=n)[:n]
        axes = [np.bincount(at[known], c[known], minlength=n)[:n] for c in table.counts.T]
        magnitude = np.sqrt(np.sum(np.square(axes), axis=0))
        with np.errstate(invalid="ignore", divide="ignore"):
            minute = np.where(seconds >= _MIN_UNMASKED_S, magnitude * MINUTE_S / seconds, np.nan)
        out = np.fmax(out, minute)
    return first, out


def first_run(asleep: Floats, length: int) -> int | None:
    """Find the first run of ones of a minimum length.

    Parameters
    ----------
    asleep : ndarray of float64, shape (n,)
        1 for sleep, anything else for wake or unknown.
    length : int
        Fewest consecutive ones.

    Returns
    -------
    int or None
        Index of the first one of the run; None without a run.
    """
    starts = [a for a, b in runs_of(asleep == 1) if b - a >= length]
    return starts[0] if starts else None


def _onset_with_relaxed_muscle(
    motion: LegMotion, tone: Floats, settings: ContextSettings
) -> float | None:
    """Return the start (s) of the first sustained inactivity with tone below ``tone_uv``."""
    tense = np.repeat(tone >= settings.tone_uv, BINS_PER_EPOCH)
    asleep = (find_sustained_inactivity(motion, settings) == ASLEEP) & ~tense
    at = first_run(asleep.astype(np.float64), round(settings.still_min * 60 / BIN_S))
    return None if at is None else float(motion.grid.bins_s[at])


def _windows(values: Floats, before: int, after: int) -> Floats:
    """Return the window around each value as a row, padded with NaN."""
    padded = np.concatenate([np.full(before, np.nan), values, np.full(after, np.nan)])
    if len(values) == 0:
        return np.empty((0, before + 1 + after))
    return np.lib.stride_tricks.sliding_window_view(padded, before + 1 + after)
