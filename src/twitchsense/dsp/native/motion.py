"""`AccMotion`, compiled (motion.c)."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.native.loading import address, check_size

Floats = NDArray[np.float64]

_MAX_SECTIONS, _MAX_AXES = 4, 3
_D, _I = ctypes.c_double, ctypes.c_int64


class _MotionState(ctypes.Structure):
    """Mirror of `motion` in motion.c."""

    _fields_ = (
        ("sos", _D * (6 * _MAX_SECTIONS)),
        ("filter", _D * (2 * _MAX_SECTIONS * _MAX_AXES)),
        ("fs", _D),
        ("last", _D * _MAX_AXES),
        *((name, _I) for name in ("sections", "hop", "second", "begun", "hop_count")),
        *((name, _D) for name in ("hop_magnitude", "hop_rate")),
        ("seen", _I),
        *((name, _D) for name in ("largest", "total")),
        *((name, _D * _MAX_AXES) for name in ("low", "high", "sum")),
    )


class NativeMotion:
    """The pass of `AccMotion` over the samples.

    Parameters
    ----------
    library : ctypes.CDLL
    fs : float
        Sampling rate, Hz.
    width : int
        Number of axes, from 1 to 3.
    hop, second : int
        Samples in a hop and in a second.

    Attributes
    ----------
    is_new : bool
        Whether `start` is to be called before the first samples.
    """

    def __init__(self, library: ctypes.CDLL, fs: float, width: int, hop: int, second: int) -> None:
        check_size("motion", library.ts_motion_size(), _MotionState)
        if not (1 <= width <= _MAX_AXES and hop >= 1 and second >= 1):
            raise ValueError(f"kernel motion: no {width} axes, hops of {hop} samples")
        self._library, self.is_new = library, True
        self._width, self._hop, self._second = width, hop, second
        self._state = _MotionState(fs=fs, hop=hop, second=second)
        self._address = ctypes.addressof(self._state)

    def start(self, sos: Floats, state: Floats) -> None:
        """Take the filter, with its state before the first sample."""
        n = len(sos)
        if not 1 <= n <= _MAX_SECTIONS or state.size != 2 * n * self._width:
            raise ValueError(f"kernel motion: no filter of {n} sections")
        self._state.sections, self.is_new = n, False
        self._state.sos[: 6 * n] = sos.ravel().tolist()
        self._state.filter[: state.size] = state.ravel().tolist()

    def push(self, x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Append samples and return the fields of a `MotionPiece`."""
        n, width = x.shape
        x = np.ascontiguousarray(x)
        dynamic, made = np.empty_like(x), np.empty(2, np.int64)
        magnitude, rate = np.empty(n // self._hop + 1), np.empty(n // self._hop + 1)
        seconds = np.empty((n // self._second + 1, 3 + width))
        failed = self._library.ts_motion_push(
            self._address,
            address(x, np.float64, n * self._width),
            n,
            width,
            *(address(a, np.float64, a.size) for a in (dynamic, magnitude, rate, seconds)),
            address(made, np.int64, 2),
        )
        if failed:
            raise ValueError(f"kernel motion: no {width} axes")
        hops, ended = made.tolist()
        return dynamic, magnitude[:hops], rate[:hops], seconds[:ended]

    def close(self) -> Floats:
        """Return the statistics of the unfinished second, shape (0 or 1, 3 + width)."""
        second = np.empty((1, 3 + self._width))
        count = self._library.ts_motion_close(
            self._address, self._width, address(second, np.float64, second.size)
        )
        return second[: min(count, 1)]
