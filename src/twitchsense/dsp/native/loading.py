"""Loading of the compiled kernels."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.native.compiling import FOLDER, kernels_name

_from_buffer, _addressof = ctypes.c_char.from_buffer, ctypes.addressof
_P, _I, _D, _N = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double, None

#: Functions of the library: the type of the result, then those of the arguments.
SIGNATURES: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "ts_heart_size": (_I, ()),
    "ts_heart_track": (_I, (_P, _P, _I, _I, _P, _I, _P, _P, _P, _P)),
    "ts_hum_size": (_I, ()),
    "ts_hum_step": (_I, (_P,)),
    "ts_hum_advance": (_N, (_P,)),
    "ts_hum_follow": (_I, (_P, _P, _P, _P, _I, _I, _P, _I, _P, _P)),
    "ts_filter": (_I, (_P, _I, _I, _P, _I, _P, _P)),
    "ts_bands_size": (_I, ()),
    "ts_bands_push": (_N, (_P, _P, _P, _I, _P, _P)),
    "ts_bands_close": (_I, (_P, _P)),
    "ts_motion_size": (_I, ()),
    "ts_motion_push": (_I, (_P, _P, _I, _I, _P, _P, _P, _P, _P)),
    "ts_motion_close": (_I, (_P, _I, _P)),
    "ts_hysteresis": (_I, (_P, _I, _P, _P, _P, _I, _I, _P, _P, _P, _P)),
    "ts_lines": (_I, (_P, _I, _I, _P, _P, _I, _P, _I, _D, _D, _I, _I, _P, _P, _P)),
    "ts_find_peaks": (_I, (_P, _I, _I, _P, _I, _P)),
    "ts_floor_size": (_I, ()),
    "ts_floors": (_N, (_P, _P, _I, _I, _I, _P, _P, _P)),
    "ts_subtract_waveforms": (_N, (_P, _I, _I, _P, _P, _I, _I)),
    "ts_burst_size": (_I, ()),
    "ts_measure_bursts": (_N, (_P, _P, _I, _P, _P, _P, _P, _P, _P, _P, _P, _I)),
    "ts_local_size": (_I, ()),
    "ts_local_features": (_N, (_P, _I, _I, _P, _P, _P, _P, _P, _P)),
}


@lru_cache(maxsize=1)
def load_library() -> ctypes.CDLL:
    """Load the library that belongs to the sources.

    Returns
    -------
    ctypes.CDLL
        With the argument types of every function set.

    Raises
    ------
    OSError
        If it was not compiled, or cannot be loaded.
    """
    path = FOLDER / kernels_name()
    if not path.is_file():
        raise FileNotFoundError("it was not compiled when twitchsense was installed")
    library = ctypes.CDLL(str(path))
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def check_size(kernel: str, size: int, mirror: type[ctypes.Structure]) -> None:
    """Check that a structure of the library has the size of its mirror.

    Parameters
    ----------
    kernel : str
        Name for the message.
    size : int
        Size of the structure in the library, bytes.
    mirror : subclass of ctypes.Structure

    Raises
    ------
    OSError
        If it has not.
    """
    if size != ctypes.sizeof(mirror):
        raise OSError(f"kernel {kernel}: {size} bytes instead of {ctypes.sizeof(mirror)}")


def address(x: NDArray[Any], dtype: Any, size: int) -> int:
    """Return the address of the values of an array that a kernel reads or writes.

    Parameters
    ----------
    x : ndarray
    dtype : dtype
        The type that the kernel expects.
    size : int
        The number of values that the kernel expects.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If the array is not contiguous, of another type or of another size.
    """
    if x.dtype == dtype and x.size == size:
        try:  # four times as fast as numpy's description of the array
            return _addressof(_from_buffer(x))  # type: ignore[arg-type]
        except (TypeError, ValueError):  # read-only, empty or not contiguous
            if x.flags.c_contiguous:
                return int(x.__array_interface__["data"][0])
    raise ValueError(f"kernel: {size} values of {np.dtype(dtype)} expected")
