"""Bursts of a fast train that merge in the envelope, counted by their rhythm."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Duration of a run that may be a train, s: longer than one burst of a jerk.
RUN_S: Final = (0.3, 1.0)
#: Rhythm of bursts that merge, as the time from one to the next, s: in slower trains the envelope
#: falls to silence between the bursts.
MERGED_S: Final = (0.045, 0.11)
#: Minimum number of merged bursts.
MIN_MERGED: Final = 3
#: Minimum difference of the envelope's autocorrelation at the period of merged bursts from that at
#: half of the period, where a burst meets a pause. 21 of 36 runs of merged bursts reach it, and 7 %
#: of 2566 other runs of that duration (blind kits a to e, seed 1).
MIN_RHYTHM: Final = 0.6
#: Minimum SD of the logarithm of the envelope of merged bursts.
MIN_MODULATION: Final = 0.3
#: Share of the peak below which the envelope of merged bursts counts as silent.
MERGED_FLOOR: Final = 0.1


def count_merged(envelope: Floats, hops_per_s: int) -> int:
    """Count the bursts of a fast train that a run merges.

    Between bursts that follow each other at 9 to 22 Hz, the filters keep the envelope above any
    threshold. It still rises and falls with the rhythm of the train.

    Parameters
    ----------
    envelope : ndarray, shape (n,)
        Envelope of the run, µV, one value per hop.
    hops_per_s : int

    Returns
    -------
    int
        1 if the run has no such rhythm.
    """
    if not RUN_S[0] * hops_per_s < len(envelope) <= RUN_S[1] * hops_per_s:
        return 1
    x = np.log(np.maximum(envelope, MERGED_FLOOR * envelope.max()))
    # smoothed over five hops, then without its straight line
    x = (x[:-4] + 3 * x[1:-3] + 4 * x[2:-2] + 3 * x[3:-1] + x[4:]) / 12
    t = np.arange(len(x)) - (len(x) - 1) / 2
    x = x - x.mean()
    x -= t * ((t * x).sum() / (t * t).sum())
    shortest, longest = (round(s * hops_per_s) for s in MERGED_S)
    lags = range(shortest, min(longest, len(x) * 2 // (2 * MIN_MERGED - 1)) + 1)
    if not lags or x.std() < MIN_MODULATION:
        return 1
    rhythm, period = max((_correlation(x, k) - _correlation(x, k // 2), k) for k in lags)
    count = round((len(envelope) + period / 2) / period)
    return count if rhythm >= MIN_RHYTHM and count >= MIN_MERGED else 1


def _correlation(x: Floats, lag: int) -> float:
    """Return the correlation of values with those a lag later."""
    a, b = x[lag:], x[:-lag]
    power = float((a * a).sum() * (b * b).sum())
    return float((a * b).sum()) / power**0.5 if power > 0 else 0.0
