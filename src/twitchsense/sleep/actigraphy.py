"""Second opinions on sleep: Cole-Kripke, Sadeh, and the HDCZA sleep period.

All were made for the wrist. They are asked so that their disagreement can be
shown, not because one of them is right at the ankle.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.intervals import runs_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MINUTE_S: Final = 60
#: Cole et al. 1992, Sleep 15:461, one-minute epochs: four minutes before to two after.
COLE_KRIPKE: Final = (106, 54, 58, 76, 230, 74, 67)
_COLE_SCALE, _COLE_LIMIT = 0.001, 1.0
#: ActiGraph's counts come in hundreds for it, with this ceiling.
_COLE_UNIT, _CEILING = 100.0, 300.0
#: Sadeh et al. 1994, Sleep 17:201.
SADEH: Final = {"constant": 7.601, "mean": -0.065, "nat": -1.08, "sd": -0.056, "log": -0.703}
_NAT = (50.0, 100.0)
#: van Hees et al. 2018, Sci Rep 8:12975 (HDCZA).
_HDCZA_MEDIAN_S, _HDCZA_QUANTILE, _HDCZA_FACTOR = 300.0, 0.10, 15.0
_HDCZA_LIMITS_DEG = (0.13, 0.50)
_HDCZA_BLOCK_S, _HDCZA_GAP_S = 30 * 60.0, 60 * 60.0


def cole_kripke(counts: Floats) -> Floats:
    """Return the Cole-Kripke index D of each minute; below 1 is sleep.

    ``D = 0.001 (106 A[-4] + 54 A[-3] + 58 A[-2] + 76 A[-1] + 230 A[0] + 74 A[1]
    + 67 A[2])``, A in hundreds of counts, at most 300.

    Parameters
    ----------
    counts : ndarray, shape (n,)
        Counts per minute; NaN unknown.

    Returns
    -------
    ndarray, shape (n,)
        NaN where any of the seven minutes is unknown or outside.
    """
    a = np.minimum(counts / _COLE_UNIT, _CEILING)
    weights = _COLE_SCALE * np.array(COLE_KRIPKE, np.float64)
    return _around(a, 4, 2) @ weights


def cole_kripke_asleep(counts: Floats) -> Floats:
    """Return 1 for sleep, 0 for wake, NaN unknown; see `cole_kripke`."""
    index = cole_kripke(counts)
    return np.where(np.isnan(index), np.nan, index < _COLE_LIMIT)


def sadeh(counts: Floats) -> Floats:
    """Return Sadeh's probability score of each minute; zero and above is sleep.

    ``PS = 7.601 - 0.065 mean - 1.08 NAT - 0.056 SD - 0.703 ln(A + 1)``: the mean
    and NAT (minutes with 50 <= A < 100) over the 11 minutes around, SD over the
    minute and the five before, A of the minute; counts at most 300.

    Parameters
    ----------
    counts : ndarray, shape (n,)
        Counts per minute; NaN unknown.
    """
    a = np.minimum(counts, _CEILING)
    around, before = _around(a, 5, 5), _around(a, 5, 0)
    nat = ((around >= _NAT[0]) & (around < _NAT[1])).sum(axis=1)
    score: Floats = (
        SADEH["constant"]
        + SADEH["mean"] * around.mean(axis=1)
        + SADEH["nat"] * nat
        + SADEH["sd"] * before.std(axis=1, ddof=1)
        + SADEH["log"] * np.log(a + 1.0)
    )
    return score


def sadeh_asleep(counts: Floats) -> Floats:
    """Return 1 for sleep, 0 for wake, NaN unknown; see `sadeh`."""
    score = sadeh(counts)
    return np.where(np.isnan(score), np.nan, score >= 0)


def hdcza(turn_deg: Floats, bin_s: float) -> tuple[int, int] | None:
    """Return the first and the last-but-one bin of the sleep period, if there is one.

    The rolling median over 5 min of the change of angle; below 15 times its 10th
    percentile, held between 0.13 and 0.50 degrees, is rest. Rest of more than 30 min
    counts, less than 60 min between is filled, and the longest is the period.
    The angle is that between orientation vectors, not that of one axis.

    Parameters
    ----------
    turn_deg : ndarray, shape (n,)
        Change of orientation from bin to bin; NaN unknown.
    bin_s : float
        Length of a bin, 5 s in the paper.
    """
    width = round(_HDCZA_MEDIAN_S / bin_s)
    series = pd.Series(np.abs(turn_deg))
    median = series.rolling(width, center=True, min_periods=width // 2).median().to_numpy()
    known = median[~np.isnan(median)]
    if len(known) == 0:
        return None
    limit = np.clip(np.quantile(known, _HDCZA_QUANTILE) * _HDCZA_FACTOR, *_HDCZA_LIMITS_DEG)
    rest = runs_of(np.nan_to_num(median, nan=np.inf) < limit)
    blocks = [[a, b] for a, b in rest if (b - a) * bin_s > _HDCZA_BLOCK_S]
    if not blocks:
        return None
    joined = [blocks[0]]
    for block in blocks[1:]:
        if (block[0] - joined[-1][1]) * bin_s < _HDCZA_GAP_S:
            joined[-1][1] = block[1]
        else:
            joined.append(block)
    longest = max(joined, key=lambda b: b[1] - b[0])
    return longest[0], longest[1]


def first_run(asleep: Floats, length: int) -> int | None:
    """Return where the first unbroken run of ones of a length begins."""
    found = [a for a, b in runs_of(asleep == 1) if b - a >= length]
    return found[0] if found else None


def _around(values: Floats, before: int, after: int) -> Floats:
    """Return the window of each value as a row; NaN outside."""
    padded = np.concatenate([np.full(before, np.nan), values, np.full(after, np.nan)])
    if len(values) == 0:
        return np.empty((0, before + 1 + after))
    return np.lib.stride_tricks.sliding_window_view(padded, before + 1 + after)
