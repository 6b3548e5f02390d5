"""`EmgBands`, compiled (bands.c)."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.native.loading import address, check_size

Floats = NDArray[np.float64]
#: Sections of a filter, and its state.
Sections = tuple[Floats, Floats]

_SECTIONS, _N_STATISTICS, _MAX_WINDOW = 4, 5, 16
_D, _I = ctypes.c_double, ctypes.c_int64
_Sos, _Zi = _D * (6 * _SECTIONS), _D * (2 * _SECTIONS)


class _BandsState(ctypes.Structure):
    """Mirror of `bands` in bands.c."""

    _fields_ = (
        ("burst_sos", _Sos),
        ("burst_state", _Zi),
        ("leg_sos", _Sos),
        ("leg_state", _Zi),
        *((name, _I) for name in ("leg_sections", "hop", "frame_hops", "second_hops")),
        *((name, _I) for name in ("burst_window", "leg_window")),
        *((name, _I) for name in ("hop_count", "frame_count", "second_count")),
        *((name, _D) for name in ("burst_sum", "leg_sum", "second_energy")),
        *((name, _I) for name in ("seen", "n_top", "n_bottom")),
        *((name, _D) for name in ("low", "high", "top", "bottom")),
        *((name, _D * _MAX_WINDOW) for name in ("burst_kept", "leg_kept")),
        *((name, _I) for name in ("n_burst_kept", "n_leg_kept")),
        ("made", _I * 3),
    )


class NativeBands:
    """The pass of `EmgBands` over the samples.

    Parameters
    ----------
    library : ctypes.CDLL
    hop : int
        Samples in a hop.
    frame, second : int
        Hops in a frame of the leg-movement envelope, and in a second.
    burst_window, leg_window : int
        Hops and frames in the windows of the envelopes.

    Attributes
    ----------
    is_new : bool
        Whether `start` is to be called before the first samples.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        hop: int,
        frame: int,
        second: int,
        burst_window: int,
        leg_window: int,
    ) -> None:
        check_size("bands", library.ts_bands_size(), _BandsState)
        if min(hop, frame, second, burst_window, leg_window) < 1:
            raise ValueError("kernel bands: a length is below 1")
        if max(burst_window, leg_window) > _MAX_WINDOW:
            raise ValueError("kernel bands: a window is too long")
        self._library, self.is_new = library, True
        self._sizes = hop, hop * frame, hop * second
        self._state = _BandsState(
            hop=hop,
            frame_hops=frame,
            second_hops=second,
            burst_window=burst_window,
            leg_window=leg_window,
        )
        self._address = ctypes.addressof(self._state)

    def __copy__(self) -> NativeBands:
        """Return a pass that goes on from here by itself."""
        other = object.__new__(NativeBands)
        vars(other).update(vars(self))
        other._state = _BandsState.from_buffer_copy(self._state)
        other._address = ctypes.addressof(other._state)
        return other

    def start(self, burst: Sections, leg: Sections) -> None:
        """Take the filters, each with its state before the first sample."""
        if len(burst[0]) != _SECTIONS or not 1 <= len(leg[0]) <= _SECTIONS:
            raise ValueError("kernel bands: no filters with so many sections")
        state, self.is_new = self._state, False
        state.burst_sos[:] = burst[0].ravel().tolist()
        state.burst_state[:] = burst[1].ravel().tolist()
        state.leg_sections = n = len(leg[0])
        state.leg_sos[: 6 * n] = leg[0].ravel().tolist()
        state.leg_state[: 2 * n] = leg[1].ravel().tolist()

    def push(
        self, raw: NDArray[np.float32], clean: Floats
    ) -> tuple[NDArray[np.float32], Floats, Floats, Floats]:
        """Append samples and return the fields of a `BandPiece`."""
        n = len(clean)
        raw, clean = np.ascontiguousarray(raw), np.ascontiguousarray(clean)
        band = np.empty(n, np.float32)
        hop, frame, second = self._sizes
        hops, frames = n // hop + 1 + _MAX_WINDOW, n // frame + 1 + _MAX_WINDOW
        ended = (n // second + 1) * _N_STATISTICS
        work = np.empty(2 * (hops + frames) + ended)  # one array: an address takes time
        self._library.ts_bands_push(
            self._address,
            address(raw, np.float32, n),
            address(clean, np.float64, n),
            n,
            address(band, np.float32, n),
            address(work, np.float64, len(work)),
        )
        n_burst, n_leg, n_ended = self._state.made
        burst, leg, seconds = hops + frames, 2 * hops + frames, 2 * (hops + frames)
        return (
            band,
            work[burst : burst + n_burst],
            work[leg : leg + n_leg],
            work[seconds : seconds + n_ended * _N_STATISTICS].reshape(n_ended, _N_STATISTICS),
        )

    def close(self) -> Floats:
        """Return the statistics of the unfinished second, shape (0 or 1, 5)."""
        second = np.empty((1, _N_STATISTICS))
        count = self._library.ts_bands_close(
            self._address, address(second, np.float64, _N_STATISTICS)
        )
        return second[: min(count, 1)]
