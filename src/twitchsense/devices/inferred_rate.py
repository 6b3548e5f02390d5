"""The sampling rate of a stream whose settings are not known, from the times of its packets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

#: Pairs of packets that are needed, and how many of them must agree: the others may have lost
#: packets in between.
_MIN_PAIRS: Final = 8
_MIN_AGREEING: Final = 3
#: Largest relative difference of rates that agree.
_AGREEMENT: Final = 0.03
#: Largest relative difference from an available rate, alone and as a share of the step to the next:
#: 1.5 % for 50 and 52 Hz.
_TOLERANCE: Final = 0.05
_STEP_SHARE: Final = 0.4


def find_rate(pairs: Iterable[tuple[int, float]], offered: Sequence[float]) -> float | None:
    """Return the available rate that packets without a loss between them show.

    A loss makes a rate look lower, never higher. Therefore the highest rate that several pairs of
    packets agree on is taken.

    Parameters
    ----------
    pairs : iterable of (int, float)
        For each two packets that follow each other, the samples that belong to the time between
        them and that time, s.
    offered : sequence of float
        Rates that the device offers, Hz.

    Returns
    -------
    float or None
        Hz; None if too few pairs agree, or if they agree on no offered rate.
    """
    rates = sorted(((n / s, n, s) for n, s in pairs if s > 0), reverse=True)
    if len(rates) < _MIN_PAIRS:
        return None
    for i in range(len(rates)):
        agreeing = [r for r in rates[i:] if r[0] >= rates[i][0] * (1 - _AGREEMENT)]
        if len(agreeing) < _MIN_AGREEING:
            continue
        mean = sum(n for _, n, _ in agreeing) / sum(s for _, _, s in agreeing)
        nearest = min(offered, key=lambda rate: abs(rate / mean - 1))
        steps = [abs(rate / nearest - 1) for rate in offered if rate != nearest]
        tolerance = min(_TOLERANCE, _STEP_SHARE * min(steps, default=1.0))
        return nearest if abs(nearest / mean - 1) <= tolerance else None
    return None
