"""What goes on around a burst: the same waveform again, and how much else.

A motor unit that fires all the time is told from a twitch by its own waveform,
seen again and again within seconds, also where it is too small to be a burst; and
a twitch is told from a contracting muscle by standing out of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.electrode_artifact import hanning

Floats = NDArray[np.float64]

#: How far to either side is looked, and half the length of the waveform; fewer samples
#: than so many to a side would be like anything.
REACH_S, HALF_S, HALF_LEAST = 2.5, 0.012, 6
#: Nothing this near belongs to the company: the burst itself, and its doublet.
OWN_S = 0.12
#: Seen again: that much like it, and of a height between these.
ALIKE, HEIGHTS = 0.65, (0.6, 1.7)
#: Seen again soon: within this.
SOON_S = 0.6
#: Two that are nearer to each other are one.
APART_S = 0.025
#: Windows whose sizes tell how much else there is, and their quantiles that do.
WINDOW_S, QUANTILES = 0.025, (0.1, 0.75)
#: A window as tall as the burst: at least this part of it.
TALL = 0.5
#: Tall windows without a break for this long are a contraction of many units: what goes
#: on inside it tells nothing of a unit that fires all the time [E].
CONTRACTION_S = 0.5
#: Rhythms that are looked for: of trembling and of steady firing, not of a heart.
RHYTHM_HZ = (2.5, 10.0)
#: Less signal than this on one side of a burst says nothing.
LEAST_S = 0.5


@dataclass(frozen=True, slots=True)
class Company:
    """Company of a burst: what is seen in the 2.5 s before and after it.

    Attributes
    ----------
    again, soon : int
        How often its waveform is seen again, and how often within 0.6 s: a unit that
        fires all the time is seen in both, one that twitches often only in the first.
        Not counted inside contractions.
    tall, tall_soon : int
        How many windows of 25 ms are at least half as large as it, in all and within
        0.6 s, contractions apart.
    rhythm : float
        Largest share of the variation of those sizes that one rhythm of 2.5-10 Hz takes.
    quiet, most : float
        Lowest tenth and upper quartile of the sizes of such windows on the calmer of
        its two sides, over its own size: how far it stands out.
    """

    again: int
    soon: int
    tall: int
    tall_soon: int
    rhythm: float
    quiet: float
    most: float


#: Where nothing is known.
ALONE = Company(0, 0, 0, 0, 0.0, 0.0, 0.0)


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
    size = max(float(np.ptp(wave)), 1e-9)
    soon = (SOON_S - OWN_S) * fs
    window = max(2, round(WINDOW_S * fs))
    again = again_soon = tall = tall_soon = 0
    shares: list[Floats] = []
    # seen from the burst, both sides run away from it
    for side, mine in ((band[: max(0, at - own)][::-1], wave[::-1]), (band[at + own :], wave)):
        sizes = _sizes(side, window) / size
        loose = ~_inside_contraction(sizes > TALL, round(CONTRACTION_S / WINDOW_S))
        where = np.minimum((_seen(side, mine, fs) + half) // window, len(sizes) - 1)
        where = where[loose[where]] if len(sizes) else where
        high = np.flatnonzero((sizes > TALL) & loose)
        again, again_soon = again + len(where), again_soon + int((where * window < soon).sum())
        tall, tall_soon = tall + len(high), tall_soon + int((high * window < soon).sum())
        if len(side) >= LEAST_S * fs:
            shares.append(_quantiles(sizes))
    quiet, most = min(shares, key=lambda q: float(q[1])).tolist() if shares else (0.0, 0.0)
    rhythm = _rhythm(np.minimum(_sizes(band, window) / size, 1.0), WINDOW_S)
    return Company(again, again_soon, tall, tall_soon, rhythm, quiet, most)


def _rhythm(sizes: Floats, step_s: float) -> float:
    """Return the share of the variation of sizes that the strongest rhythm takes."""
    n = len(sizes)
    if n * step_s < 2 * LEAST_S:
        return 0.0
    power = np.square(np.abs(np.fft.rfft((sizes - sizes.mean()) * hanning(n))))
    near = np.convolve(power, np.ones(3), "same")  # a Hann window spreads a line over three
    own = near[_rhythm_bins(n, step_s)]
    return float(own.max(initial=0.0) / max(float(power.sum()), 1e-12))


@lru_cache
def _rhythm_bins(n: int, step_s: float) -> NDArray[np.bool_]:
    """Return which lines of the spectrum of so many windows are rhythms."""
    hz = np.fft.rfftfreq(n, step_s)
    return (hz >= RHYTHM_HZ[0]) & (hz <= RHYTHM_HZ[1])


def _quantiles(sizes: Floats) -> Floats:
    """Return `numpy.quantile` of `QUANTILES`, which takes three times as long for so few."""
    ordered = np.sort(sizes)
    at = np.asarray(QUANTILES) * (len(sizes) - 1)
    low = at.astype(np.int64)
    a, b, t = ordered[low], ordered[np.minimum(low + 1, len(sizes) - 1)], at - low
    return np.where(t < 0.5, a + (b - a) * t, b - (b - a) * (1 - t))


def _seen(x: Floats, wave: Floats, fs: float) -> NDArray[np.int64]:
    """Return where a waveform is seen in a signal."""
    n = len(wave)
    if len(x) < n:
        return np.empty(0, np.int64)
    power = max(float(np.square(wave).sum()), 1e-12)
    height = np.correlate(x, wave, "valid") / power
    total = np.concatenate([[0.0], np.cumsum(np.square(x))])
    like = height * np.sqrt(power / np.maximum(total[n:] - total[:-n], 1e-12))
    seen = (like > ALIKE) & (height > HEIGHTS[0]) & (height < HEIGHTS[1])
    seen[1:] &= height[1:] >= height[:-1]
    seen[:-1] &= height[:-1] > height[1:]
    apart = APART_S * fs
    kept: list[int] = []
    for place in np.flatnonzero(seen).tolist():
        if not kept or place - kept[-1] >= apart:
            kept.append(place)
    return np.array(kept, np.int64)


def _sizes(x: Floats, window: int) -> Floats:
    """Return the peak to peak of each of the windows that follow each other."""
    whole = len(x) // window
    return np.asarray(np.ptp(x[: whole * window].reshape(whole, window), axis=1), np.float64)


def _inside_contraction(tall: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """Whether each window belongs to so many tall ones without a break."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], tall, [False]])))
    inside = np.zeros(len(tall), bool)
    for first, last in edges.reshape(-1, 2).tolist():
        inside[first:last] = last - first >= least
    return inside
