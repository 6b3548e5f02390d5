"""The signal around one burst, and what a low sampling rate shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.candidates.interpolation import factor, interpolate

Floats = NDArray[np.float64]

#: Minimum sampling rate at which bursts are measured, Hz: the lowest at which samples show the
#: whole burst band. Below it, the burst is interpolated.
FINE_HZ: Final = 1000.0
#: Fraction of the peak at which a strong burst begins and ends (benchmarks/burst_duration.py).
EDGE_SHARE: Final = 0.1
#: The same at low sampling rates, times the rate, Hz: where the band ends below the power of a
#: potential, what is left of it rings (benchmarks/sampling_rates).
EDGE_SHARE_HZ: Final = 40.0
#: Sampling rates (Hz), and the share of a potential's amplitude that each usually shows, if a sharp
#: filter limits the band.
VISIBLE_SHARE: Final = ((200.0, 250.0, 500.0), (0.70, 0.82, 1.0))


@dataclass(frozen=True, slots=True)
class LocalFloor:
    """Noise floor at the onset of a burst.

    Attributes
    ----------
    centre, spread : float
        Median and robust SD of the envelope of the noise, µV.
    """

    centre: float
    spread: float


class BurstWindow(NamedTuple):
    """A burst that was found, with the signal around it.

    Attributes
    ----------
    raw : ndarray of float32, shape (n,)
        Samples around the burst as recorded, µV.
    clean : ndarray, shape (n,)
        The same without mains hum and ECG.
    number : int
        `Burst.number`.
    inside : (int, int)
        Start and stop (samples) of the run of the envelope above the threshold.
    first_ns : int
        Time of the first sample.
    floor : LocalFloor
    up : int
        Factor by which `clean` and `inside` are interpolated, see `fine_window`.
    sampled : ndarray, shape (n,), or None
        `clean` before it was interpolated.
    n_merged : int
        `Burst.n_merged`.
    """

    raw: NDArray[np.float32]
    clean: Floats
    number: int
    inside: tuple[int, int]
    first_ns: int
    floor: LocalFloor
    up: int = 1
    sampled: Floats | None = None
    n_merged: int = 1


def fine_window(window: BurstWindow, fs: float) -> BurstWindow:
    """Return a window at a sampling rate of at least `FINE_HZ`.

    Parameters
    ----------
    window : BurstWindow
    fs : float
        Sampling rate of the channel, Hz.

    Returns
    -------
    BurstWindow
        At `BurstWindow.up` times the rate; `raw` remains as recorded.
    """
    up = factor(fs, FINE_HZ)
    if up == 1:
        return window
    inside = window.inside[0] * up, window.inside[1] * up
    fine = interpolate(window.clean, up)
    return window._replace(clean=fine, inside=inside, up=up, sampled=window.clean)


def edge_share(fs: float) -> float:
    """Return the fraction of the peak at which a burst begins and ends.

    Parameters
    ----------
    fs : float
        Sampling rate of the channel, Hz.

    Returns
    -------
    float
    """
    return max(EDGE_SHARE, EDGE_SHARE_HZ / fs)


def visible_share(fs: float) -> float:
    """Return the usual share of a potential's amplitude that a sampling rate shows.

    It is the median over potentials of all shapes (benchmarks/sampling_rates). The power of a short
    potential lies above half of a low sampling rate.

    Parameters
    ----------
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    float
        0 to 1.
    """
    return float(np.interp(fs, *VISIBLE_SHARE))
