"""Both bands of an EMG in one pass: their envelopes, and statistics of seconds."""

from __future__ import annotations

from copy import copy, deepcopy
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.buffers import Framer, mean_squares, moving_sum, ordered_sum
from twitchsense.dsp.engine import kernels
from twitchsense.dsp.filters import burst_band, leg_movement_band
from twitchsense.dsp.native.bands import NativeBands
from twitchsense.dsp.native.sample_kernels import rounds_like_scipy

Floats = NDArray[np.float64]

#: Window of the burst envelope, in hops: 10 ms.
BURST_WINDOW: Final = 2
#: Length of a frame of the leg-movement envelope, in hops: 10 ms.
LEG_FRAME: Final = 2
#: Window of the leg-movement envelope (docs/definitions.md, Signal bands), in frames: 0.15 s.
LEG_WINDOW: Final = 15
#: Values of a row of `BandPiece.seconds`.
N_STATISTICS: Final = 5


@dataclass(frozen=True, slots=True)
class BandPiece:
    """What follows from the next samples.

    Attributes
    ----------
    band : ndarray of float32, shape (n,)
        Burst band, µV.
    burst_envelope : ndarray, shape (n_hops,)
        RMS of the burst band over `BURST_WINDOW` hops, one value per hop, µV.
    leg_envelope : ndarray, shape (n_frames,)
        RMS of the leg-movement band over `LEG_WINDOW` frames, one value per frame, µV.
    seconds : ndarray, shape (n_seconds, 5)
        Of each second that has ended: minimum (µV), maximum (µV) and power (µV²) of the burst
        band, half of the range of the recorded samples (µV), and the number of these that equal
        their minimum or maximum, whichever is greater.
    """

    band: NDArray[np.float32]
    burst_envelope: Floats
    leg_envelope: Floats
    seconds: Floats


class EmgBands:
    """Filters one EMG segment into both bands and measures them.

    Parameters
    ----------
    fs : float
        Sampling rate, Hz.
    hop : int
        Samples per hop.
    hops_per_s : int
        Hops in a second.

    Attributes
    ----------
    delay_s : float
        Group delay of the burst band, s.
    """

    def __init__(self, fs: float, hop: int, hops_per_s: int) -> None:
        self._burst, self._leg = burst_band(fs), leg_movement_band(fs)
        self.delay_s = self._burst.delay_s
        self._hop, self._hops_per_s = hop, hops_per_s
        library = kernels()
        self._native: NativeBands | None = None
        if library is not None and rounds_like_scipy(library):
            sizes = hop, LEG_FRAME, hops_per_s, BURST_WINDOW, LEG_WINDOW
            self._native = NativeBands(library, *sizes)
            return
        self._hops, self._frames = Framer(hop), Framer(LEG_FRAME * hop)
        self._burst_energy, self._leg_energy = np.empty(0), np.empty(0)  # of the last frames
        self._raw, self._band = Framer(hop * hops_per_s), Framer(hop * hops_per_s)
        self._energies = Framer(hops_per_s)

    def push(self, raw: NDArray[np.float32], clean: Floats) -> BandPiece:
        """Append samples.

        Parameters
        ----------
        raw : ndarray of float32, shape (n,)
            EMG as recorded, µV.
        clean : ndarray, shape (n,)
            EMG without mains hum and heart beats, µV.

        Returns
        -------
        BandPiece
        """
        if self._native is not None:
            if self._native.is_new and len(clean):
                self._native.start(self._burst.sections(clean), self._leg.sections(clean))
            return BandPiece(*self._native.push(raw, clean))
        burst, leg = self._burst.push(clean), self._leg.push(clean)
        band = burst.astype(np.float32)
        energy = mean_squares(self._hops.push(burst))
        burst_energy = np.concatenate([self._burst_energy, energy])
        leg_energy = np.concatenate([self._leg_energy, mean_squares(self._frames.push(leg))])
        self._burst_energy = burst_energy[-(BURST_WINDOW - 1) :]
        self._leg_energy = leg_energy[-(LEG_WINDOW - 1) :]
        energies = self._energies.push(energy)
        power = ordered_sum(energies) * self._hop / (self._hop * self._hops_per_s)
        return BandPiece(
            band,
            _rms(burst_energy, BURST_WINDOW),
            _rms(leg_energy, LEG_WINDOW),
            _statistics(self._raw.push(raw), self._band.push(band), power),
        )

    def preview(self, raw: NDArray[np.float32], clean: Floats) -> BandPiece:
        """Return what would follow if these were the next samples, not the first ones.

        Parameters
        ----------
        raw, clean : ndarray, shape (n,)
            As in `push`.

        Returns
        -------
        BandPiece
        """
        if self._native is not None:
            return BandPiece(*copy(self._native).push(raw, clean))
        return deepcopy(self).push(raw, clean)

    def close(self) -> Floats:
        """End the segment.

        Returns
        -------
        ndarray, shape (0 or 1, 5)
            Statistics of the unfinished second, if it has samples.
        """
        if self._native is not None:
            return self._native.close()
        raw, band = self._raw.remainder[None], self._band.remainder[None]
        n = raw.shape[1]
        if not n:
            return np.empty((0, N_STATISTICS))
        squares = np.append(0.0, self._energies.remainder).cumsum()[-1] * self._hop
        squares += np.append(0.0, np.square(self._hops.remainder)).cumsum()[-1]
        return _statistics(raw, band, np.array([squares / n]))


def _rms(energy: Floats, window: int) -> Floats:
    """Return the root of the mean over each window."""
    if len(energy) < window:
        return np.empty(0)
    return np.asarray(np.sqrt(moving_sum(energy, window) / window), np.float64)


def _statistics(raw: NDArray[np.float32], band: NDArray[np.float32], power: Floats) -> Floats:
    """Return the rows of `BandPiece.seconds`; `raw` and `band` hold a second in each row."""
    if not len(raw):
        return np.empty((0, N_STATISTICS))
    top, bottom = raw.max(axis=1), raw.min(axis=1)
    repeats = np.maximum((raw == top[:, None]).sum(axis=1), (raw == bottom[:, None]).sum(axis=1))
    half = (top.astype(np.float64) - bottom) / 2
    return np.column_stack([band.min(axis=1), band.max(axis=1), power, half, repeats])
