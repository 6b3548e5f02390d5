"""Measurement of bursts, compiled (bursts.c)."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.native.loading import address, check_size

Floats = NDArray[np.float64]

_D, _I, _P = ctypes.c_double, ctypes.c_int64, ctypes.c_void_p
#: Numbers of a row and points of a waveform, in bursts.c.
ROW, POINTS = 26, 64
#: Samples added before filtering and for interpolation, and values beside a spectrum.
_ROOM: Final = 64
#: The fewest samples that are filtered.
MIN_SAMPLES: Final = 30


class BurstLimits(ctypes.Structure):
    """Mirror of `limits` in bursts.c; `burst_tables.c_limits` sets the values.

    Attributes
    ----------
    arrays : dict of str to ndarray
        The arrays that the addresses belong to.
    """

    _fields_ = (
        *((name, _I) for name in ("width", "wide", "level", "flank", "lobe", "half", "beside")),
        *((name, _I) for name in ("step", "up", "fine", "bins", "spectrum_bins")),
        *((name, _I) for name in ("spectrum_half", "spectrum_length", "mains_width")),
        ("band", _I * 4),
        ("spectrum", _I * 8),
        *((name, _D) for name in ("fs", "edge_share", "close_k", "edge_sd", "risen_share")),
        *((name, _D) for name in ("frequency", "per_point", "taper_energy", "waveform_energy")),
        ("noise_share", _D * 2),
        ("mains_least", _D),
        ("mains_period", _D * 2),
        *((name, _P) for name in ("sos", "steady", "taper", "cosine", "sine")),
        *((name, _P) for name in ("spectrum_taper", "spectrum_cosine", "spectrum_sine", "taps")),
        *((name, _P) for name in ("offsets", "waveform_taper")),
    )
    arrays: dict[str, Floats]

    def set_arrays(self, arrays: dict[str, tuple[Floats, int]]) -> None:
        """Set the addresses of arrays, and keep the arrays.

        Parameters
        ----------
        arrays : dict of str to (ndarray, int)
            Each with the number of values that the kernel reads.
        """
        self.arrays = {name: np.ascontiguousarray(x, np.float64) for name, (x, _) in arrays.items()}
        for name, (_, size) in arrays.items():
            setattr(self, name, address(self.arrays[name], np.float64, size))


def measure_rows(
    library: ctypes.CDLL,
    pieces: Sequence[Floats],
    inside: Sequence[tuple[int, int]],
    floors: Sequence[tuple[float, float]],
    limits: BurstLimits,
) -> tuple[Floats, NDArray[np.float32], list[bool]]:
    """Measure bursts, as `detect.candidates.burst_measures.measure_row`.

    Parameters
    ----------
    library : ctypes.CDLL
    pieces : sequence of ndarray, shape (n,)
        Samples around each burst, at least `MIN_SAMPLES`, all finite.
    inside : sequence of (int, int)
        Start and stop of each run.
    floors : sequence of (float, float)
        Centre and spread of the noise floor of each.
    limits : BurstLimits

    Returns
    -------
    rows : ndarray, shape (k, 26)
    waveforms : ndarray of float32, shape (k, 64)
    regular : list of bool
        Whether the numbers of each hold; the others are left to the reference.
    """
    check_size("bursts", library.ts_burst_size(), BurstLimits)
    k, lengths = len(pieces), np.array([len(x) for x in pieces], np.int64)
    if k == 0 or lengths.min() < MIN_SAMPLES:
        raise ValueError(f"kernel: bursts with fewer than {MIN_SAMPLES} samples")
    runs, noise = np.array(inside, np.int64), np.array(floors, np.float64)
    if (runs < 0).any() or (runs[:, 0] >= lengths).any() or (runs[:, 0] >= runs[:, 1]).any():
        raise ValueError("kernel: a burst does not lie in its samples")
    clean, total = np.concatenate(pieces), int(lengths.sum())
    band, rows = np.empty(total), np.empty((k, ROW))
    waveforms, regular = np.empty((k, POINTS), np.float32), np.empty(k, np.uint8)
    room = int(lengths.max()) + _ROOM + max(limits.bins, limits.spectrum_bins)
    scratch = np.empty(4 * room)
    library.ts_measure_bursts(
        address(clean, np.float64, total),
        address(lengths, np.int64, k),
        k,
        address(runs, np.int64, 2 * k),
        address(noise, np.float64, 2 * k),
        ctypes.addressof(limits),
        address(band, np.float64, total),
        address(rows, np.float64, ROW * k),
        address(waveforms, np.float32, POINTS * k),
        address(regular, np.uint8, k),
        address(scratch, np.float64, 4 * room),
        room,
    )
    return rows, waveforms, regular.astype(bool).tolist()
