"""`HumTracker`, compiled (hum.c)."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp import hum_tracker as reference
from twitchsense.dsp.hum_tracker import HumTracker
from twitchsense.dsp.native.loading import address, check_size

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

_MAX_HARMONICS = 16
_MAX_STEP = round(reference.MAX_DEVIATION_HZ / reference.GRID_HZ)
#: Tables of sinusoids that a tracker keeps.
_MAX_TABLES = 128
_D, _I = ctypes.c_double, ctypes.c_int64
_Series = _D * len(reference.SINE_SERIES)
_Harmonics = _D * _MAX_HARMONICS


class _HumState(ctypes.Structure):
    """Mirror of `hum` in hum.c."""

    _fields_ = (
        *((name, _I) for name in ("n", "size", "stop_blocks")),
        *((name, _D) for name in ("abrupt", "max_phase_sd", "max_deviation_hz")),
        *((name, _D) for name in ("amplitude_change", "frequency_change")),
        *((name, _D) for name in ("significant", "two_pi", "block_s", "grid_hz")),
        *((name, _Series) for name in ("sine", "cosine")),
        *((name, _Harmonics) for name in ("seconds_rad", "nominal_re", "nominal_im")),
        *((name, _Harmonics) for name in ("re", "im", "variance")),
        *((name, _D) for name in ("deviation_hz", "deviation_var")),
        *((name, _I) for name in ("quiet", "predicted")),
    )


class NativeHumTracker(HumTracker):
    """Kalman filter of the harmonics of one mains line; the same bits as `HumTracker`.

    Parameters
    ----------
    library : ctypes.CDLL
        As `load_library` returns it.
    line_hz, size, fs, first, previous, variance
        As for `HumTracker`; at most 16 harmonics.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        line_hz: float,
        size: int,
        fs: float,
        first: Complex,
        previous: Complex,
        variance: Floats,
    ) -> None:
        super().__init__(line_hz, size, fs, first, previous, variance)
        check_size("hum", library.ts_hum_size(), _HumState)
        self._library = library
        self._state = _HumState(
            n=len(first),
            size=size,
            stop_blocks=reference.STOP_BLOCKS,
            abrupt=reference.ABRUPT**2,
            max_phase_sd=reference.MAX_PHASE_SD,
            max_deviation_hz=reference.MAX_DEVIATION_HZ,
            amplitude_change=reference.AMPLITUDE_CHANGE**2,
            frequency_change=reference.FREQUENCY_CHANGE_HZ**2,
            significant=reference.SIGNIFICANT,
            two_pi=2 * np.pi,
            block_s=self._block_s,
            grid_hz=reference.GRID_HZ,
            sine=_Series(*reference.SINE_SERIES),
            cosine=_Series(*reference.COSINE_SERIES),
            seconds_rad=_Harmonics(*self._seconds_rad.tolist()),
            nominal_re=_Harmonics(*self._nominal_re.tolist()),
            nominal_im=_Harmonics(*self._nominal_im.tolist()),
            re=_Harmonics(*self._re.tolist()),
            im=_Harmonics(*self._im.tolist()),
            variance=_Harmonics(*self._variance.tolist()),
            deviation_hz=self._deviation_hz,
            deviation_var=self._deviation_var,
        )
        self._address = ctypes.addressof(self._state)
        self._tables: dict[int, Floats] = {}
        self._pointers = (ctypes.c_void_p * (2 * _MAX_STEP + 1))()

    def predict(self) -> Floats:
        """Advance the model by one block and return the hum in it, as `HumTracker.predict`."""
        self._library.ts_hum_advance(self._address)
        nothing = np.empty((1, self._state.n))
        hum, _ = self._follow(nothing, nothing, nothing)
        return np.asarray(hum[0])

    def follow(self, measured: Complex, noise: Floats) -> tuple[Floats, bool]:
        """Correct and predict block by block, as `HumTracker.follow`."""
        re, im = np.ascontiguousarray(measured.real), np.ascontiguousarray(measured.imag)
        return self._follow(re, im, np.ascontiguousarray(noise))

    def _follow(self, re: Floats, im: Floats, noise: Floats) -> tuple[Floats, bool]:
        n = len(re)
        values = n * self._state.n
        hum = np.empty((n, self._state.size))
        present = ctypes.c_int64(1)
        done = 0
        while done < n and present.value:
            done = self._library.ts_hum_follow(
                self._address,
                address(re, np.float64, values),
                address(im, np.float64, values),
                address(noise, np.float64, values),
                done,
                n,
                ctypes.addressof(self._pointers),
                _MAX_STEP,
                address(hum, np.float64, n * self._state.size),
                ctypes.addressof(present),
            )
            if done < n and present.value:
                self._add_table(self._library.ts_hum_step(self._address))
        return hum[:done], bool(present.value)

    def _add_table(self, step: int) -> None:
        """Make the table of sinusoids that the kernel lacks."""
        if len(self._tables) >= _MAX_TABLES:
            self._tables.clear()
            ctypes.memset(self._pointers, 0, ctypes.sizeof(self._pointers))
        table = self._tables[step] = self._sinusoids(step)
        size = 2 * self._state.n * self._state.size
        self._pointers[step + _MAX_STEP] = address(table, np.float64, size)
