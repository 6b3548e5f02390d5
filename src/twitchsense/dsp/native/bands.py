"""`EmgBands`, compiled (bands.c)."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.native.loading import address, check_size

Floats = NDArray[np.float64]
#: Sections of a filter, and its state.
Sections = tuple[Floats, Floats]

_SECTIONS, _N_STATISTICS = 4, 5
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
        self._library, self.is_new = library, True
        self._sizes = hop, hop * frame, hop * second
        self._windows = burst_window, leg_window
        # energies of the hops and of the frames that the next windows need
        self._energies = np.empty(0), np.empty(0)
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
        room = [n // size + 1 for size in self._sizes]
        known = np.array([*map(len, self._energies), 0])
        energies = [
            np.concatenate([kept, np.empty(more)])
            for kept, more in zip(self._energies, room[:2], strict=True)
        ]
        envelopes = [np.empty(more) for more in room[:2]]
        seconds = np.empty((room[2], _N_STATISTICS))
        self._library.ts_bands_push(
            self._address,
            address(raw, np.float32, n),
            address(clean, np.float64, n),
            n,
            address(band, np.float32, n),
            *(address(x, np.float64, x.size) for x in (*energies, *envelopes, seconds)),
            address(known, np.int64, 3),
        )
        hops, frames, ended = known.tolist()
        (burst, leg), (burst_window, leg_window) = envelopes, self._windows
        self._energies = (
            energies[0][max(0, hops - burst_window + 1) : hops].copy(),
            energies[1][max(0, frames - leg_window + 1) : frames].copy(),
        )
        burst, leg = (
            burst[: max(0, hops - burst_window + 1)],
            leg[: max(0, frames - leg_window + 1)],
        )
        return band, burst, leg, seconds[:ended]

    def close(self) -> Floats:
        """Return the statistics of the unfinished second, shape (0 or 1, 5)."""
        second = np.empty((1, _N_STATISTICS))
        count = self._library.ts_bands_close(
            self._address, address(second, np.float64, _N_STATISTICS)
        )
        return second[: min(count, 1)]
