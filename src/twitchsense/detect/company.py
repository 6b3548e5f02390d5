"""What goes on around a burst: the same waveform again, and how much else.

A motor unit that fires all the time is told from a twitch by its own waveform,
seen again and again within seconds, also where it is too small to be a burst; and
a twitch is told from a contracting muscle by standing out of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: How far to either side is looked, and half the length of the waveform; fewer samples
#: than so many to a side would be like anything.
REACH_S, HALF_S, HALF_LEAST = 2.5, 0.012, 6
#: Nothing this near belongs to the company: the burst itself, and its doublet.
OWN_S = 0.12
#: Seen again: that much like it, and of a height between these.
ALIKE, HEIGHTS = 0.65, (0.6, 1.7)
#: Two that are nearer to each other are one.
APART_S = 0.025
#: Windows whose sizes tell how much else there is, and their quantiles that do.
WINDOW_S, QUANTILES = 0.025, (0.1, 0.5, 0.75, 0.9)
#: Less signal than this on one side of a burst says nothing.
LEAST_S = 0.5


@dataclass(frozen=True, slots=True)
class Company:
    """Company of a burst.

    Attributes
    ----------
    before, after : int
        How often its waveform is seen again in the 2.5 s before and after it.
    quiet, half, most, peaks : float
        Quantiles of the sizes of short windows on the calmer of its two sides,
        over the size of the burst: how far it stands out.
    busier : float
        The same as `most`, on the other side.
    """

    before: int
    after: int
    quiet: float
    half: float
    most: float
    peaks: float
    busier: float


#: Where nothing is known.
ALONE = Company(0, 0, 0.0, 0.0, 0.0, 0.0, 0.0)


def find_company(band: Floats, at: int, fs: float) -> Company:
    """Return the company of the burst whose peak is at a sample.

    Parameters
    ----------
    band : ndarray, shape (n,)
        Burst band around it in µV.
    at : int
    fs : float
    """
    half, own = max(HALF_LEAST, round(HALF_S * fs)), round(OWN_S * fs)
    wave = band[max(0, at - half) : at + half + 1]
    # seen from the burst, both sides run away from it
    sides = (band[: max(0, at - own)][::-1], band[at + own :])
    before, after = _count(sides[0], wave[::-1], fs), _count(sides[1], wave, fs)
    size = max(float(np.ptp(wave)), 1e-9)
    sizes = [_sizes(side, fs) / size for side in sides if len(side) >= LEAST_S * fs]
    if not sizes:
        return Company(before, after, 0.0, 0.0, 0.0, 0.0, 0.0)
    calm, busy = min(sizes, key=lambda q: q[2]), max(sizes, key=lambda q: q[2])
    quiet, usual, most, peaks = calm.tolist()
    return Company(before, after, quiet, usual, most, peaks, float(busy[2]))


def _count(x: Floats, wave: Floats, fs: float) -> int:
    """Count how often a waveform is seen in a signal."""
    n = len(wave)
    if len(x) < n:
        return 0
    power = max(float(np.square(wave).sum()), 1e-12)
    height = np.correlate(x, wave, "valid") / power
    total = np.concatenate([[0.0], np.cumsum(np.square(x))])
    like = height * np.sqrt(power / np.maximum(total[n:] - total[:-n], 1e-12))
    seen = (like > ALIKE) & (height > HEIGHTS[0]) & (height < HEIGHTS[1])
    seen[1:] &= height[1:] >= height[:-1]
    seen[:-1] &= height[:-1] > height[1:]
    places, apart = np.flatnonzero(seen), APART_S * fs
    count, last = 0, -apart
    for place in places.tolist():
        if place - last >= apart:
            count, last = count + 1, place
    return count


def _sizes(x: Floats, fs: float) -> Floats:
    """Return quantiles of the peak to peak of short windows."""
    window = max(2, round(WINDOW_S * fs))
    whole = len(x) // window
    sizes = np.ptp(x[: whole * window].reshape(whole, window), axis=1)
    return np.asarray(np.quantile(sizes, QUANTILES), np.float64)
