"""`FloorMemories`, compiled (floor.c)."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp import floor_memory as reference
from twitchsense.dsp.native.loading import address, check_size

Floats = NDArray[np.float64]

_MAX_SERIES = _MAX_MEMORIES = 2
_D, _I = ctypes.c_double, ctypes.c_int64


class _FloorState(ctypes.Structure):
    """Mirror of `floors` in floor.c."""

    _fields_ = (
        *((name, _I) for name in ("n_series", "n_memories", "seen")),
        ("window", _I * _MAX_MEMORIES),
        ("quantile", _D * _MAX_MEMORIES),
        ("least", _D * _MAX_SERIES),
        *((name, _D) for name in ("flat", "mad_to_sd", "much_lower")),
    )


class NativeFloorMemories:
    """The medians and robust SDs of the last seconds; the same bits as `FloorMemories`.

    Parameters
    ----------
    library : ctypes.CDLL
    memories, least
        As for `FloorMemories`; at most two memories and two series.
    """

    def __init__(
        self, library: ctypes.CDLL, memories: list[tuple[int, float]], least: list[float]
    ) -> None:
        check_size("floor", library.ts_floor_size(), _FloorState)
        self._library = library
        windows, quantiles = zip(*memories, strict=True)
        self._state = _FloorState(
            n_series=len(least),
            n_memories=len(memories),
            window=windows,
            quantile=quantiles,
            least=tuple(least),
            flat=reference.MAX_FLAT_LINE,
            mad_to_sd=reference.MAD_TO_SD,
            much_lower=reference.MUCH_LOWER,
        )
        # of each memory and series the values in ascending order, and in a ring
        self._kept = np.empty((len(memories), len(least), 2, max(windows) + 1))

    def __copy__(self) -> NativeFloorMemories:
        """Return memories that go on from here by themselves."""
        other = object.__new__(NativeFloorMemories)
        vars(other).update(vars(self))
        other._state = _FloorState.from_buffer_copy(self._state)
        other._kept = self._kept.copy()
        return other

    def learn(self, seconds: Floats) -> tuple[Floats, Floats]:
        """Take in whole seconds, as `FloorMemories.learn`."""
        rows = np.sort(seconds, axis=1)
        n_seconds, n = rows.shape
        n_memories, n_series, _, room = self._kept.shape
        medians, floors = np.empty(n_seconds), np.empty((n_memories, n_series, n_seconds))
        self._library.ts_floors(
            ctypes.addressof(self._state),
            address(rows, np.float64, n_seconds * n),
            n_seconds,
            n,
            room,
            address(self._kept, np.float64, self._kept.size),
            address(medians, np.float64, n_seconds),
            address(floors, np.float64, floors.size),
        )
        return medians, floors

    def low(self) -> Floats:
        """Return the quantiles of the values that are kept, as `FloorMemories.low`."""
        state = self._state
        return np.array(
            [
                [
                    reference.low_quantile(own[0, : min(state.seen, window)], quantile)
                    for own in memory
                ]
                for memory, window, quantile in zip(
                    self._kept, state.window, state.quantile, strict=False
                )
            ]
        )
