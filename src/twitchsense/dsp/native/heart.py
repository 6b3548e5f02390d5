"""`BeatTracker`, compiled (heart.c)."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp import beat_tracker as reference
from twitchsense.dsp.beat_tracker import BeatLengths, TrackedBeats
from twitchsense.dsp.buffers import SampleBuffer
from twitchsense.dsp.ecg_rhythm import MIN_BEATS, Ints
from twitchsense.dsp.native.loading import address, check_size
from twitchsense.dsp.template import unit_trend

Floats = NDArray[np.float64]

_MAX_INCOMPLETE = 128
_D, _I, _P = ctypes.c_double, ctypes.c_int64, ctypes.c_void_p


class _HeartState(ctypes.Structure):
    """Mirror of `heart` in heart.c."""

    _fields_ = (
        *((name, _I) for name in ("half_width", "max_offset", "before", "after")),
        *((name, _I) for name in ("until_examined", "min_recent", "max_roughened")),
        *((name, _D) for name in ("max_roughening", "min_interval", "min_scale", "max_scale")),
        *((name, _D) for name in ("min_explained", "min_explained_due")),
        *((name, _D) for name in ("due_tolerance", "max_missed")),
        *((name, _P) for name in ("taper", "trend")),
        *((name, _D) for name in ("interval", "last_centre")),
        *((name, _I) for name in ("n_recent", "n_residuals", "n_incomplete")),
        *((name, _I) for name in ("has_median", "n_roughened")),
        *((name, _D) for name in ("qrs_amplitude", "qrs_power")),
        ("residuals", _D * reference.N_AVERAGED),
        ("incomplete", _D * _MAX_INCOMPLETE),
        *((name, _P) for name in ("recent", "median", "detrended", "match", "part")),
    )


class NativeBeatTracker:
    """Follows the beats of a known rhythm; the same bits as `BeatTracker`.

    Parameters
    ----------
    library : ctypes.CDLL
        As `load_library` returns it.
    fs : float
        Sampling rate in Hz.
    """

    def __init__(self, library: ctypes.CDLL, fs: float) -> None:
        check_size("heart", library.ts_heart_size(), _HeartState)
        self._library = library
        n = self._lengths = BeatLengths(fs)
        width = 2 * n.half_width
        if width < 2 or n.max_offset < 1 or n.before < n.half_width:
            raise ValueError(f"kernel heart: no sampling rate of {fs} Hz")
        self._arrays: dict[str, Floats] = {
            "taper": reference.taper(fs),
            "trend": unit_trend(width),
            "recent": np.empty((reference.N_AVERAGED, n.beat)),
            "median": np.empty(n.beat),
            "detrended": np.empty(width),
            "match": np.empty(2 * n.max_offset + 1),
            "part": np.empty(width),
        }
        self._state = _HeartState(
            half_width=n.half_width,
            max_offset=n.max_offset,
            before=n.before,
            after=n.after,
            until_examined=n.until_examined,
            min_recent=MIN_BEATS - 2,
            max_roughened=reference.MAX_ROUGHENED_BEATS,
            max_roughening=reference.MAX_ROUGHENING,
            min_interval=n.min_interval,
            min_scale=reference.AMPLITUDE_RANGE[0],
            max_scale=reference.AMPLITUDE_RANGE[1],
            min_explained=reference.MIN_EXPLAINED,
            min_explained_due=reference.MIN_EXPLAINED_DUE,
            due_tolerance=reference.DUE_TOLERANCE,
            max_missed=reference.MAX_MISSED_BEATS,
            **{name: address(x, np.float64, x.size) for name, x in self._arrays.items()},
        )
        self._address = ctypes.addressof(self._state)

    def __deepcopy__(self, memo: dict[int, object]) -> NativeBeatTracker:
        """Return a tracker that goes on from here by itself."""
        other = object.__new__(NativeBeatTracker)
        vars(other).update(vars(self))
        other._arrays = {name: x.copy() for name, x in self._arrays.items()}
        other._state = _HeartState.from_buffer_copy(self._state)
        for name, x in other._arrays.items():
            setattr(other._state, name, address(x, np.float64, x.size))
        other._address = ctypes.addressof(other._state)
        return other

    @property
    def interval(self) -> float:
        """RR interval in samples; 0: no rhythm is known."""
        return float(self._state.interval)

    @property
    def last_centre(self) -> float:
        """Centre of the newest beat, in samples of the segment."""
        return float(self._state.last_centre)

    def start(self, interval: float, centres: list[float]) -> None:
        """Begin with the first beats of a rhythm, as `BeatTracker.start`."""
        state = self._state
        for k, centre in enumerate(centres, state.n_incomplete):
            state.incomplete[k] = centre
        state.n_incomplete += len(centres)
        state.interval, state.last_centre = interval, centres[-1]

    def track(self, x: SampleBuffer, candidates: Ints) -> TrackedBeats:
        """Decide which candidates are beats, as `BeatTracker.track`."""
        n, length = len(candidates), self._lengths.beat
        samples = x.get(x.start, x.stop)
        candidates = np.ascontiguousarray(candidates)  # kept here while the kernel reads it
        rows, first, waves = np.empty((n, 3)), np.empty(n, np.int64), np.empty((n, length))
        found = np.zeros(2, np.int64)
        n_used = self._library.ts_heart_track(
            self._address,
            address(samples, np.float64, x.stop - x.start),
            x.start,
            x.stop,
            address(candidates, np.int64, n),
            n,
            address(rows, np.float64, 3 * n),
            address(first, np.int64, n),
            address(waves, np.float64, n * length),
            address(found, np.int64, 2),
        )
        if n_used < 0:
            raise RuntimeError(f"more than {_MAX_INCOMPLETE} beats are incomplete")
        n_beats, n_waves = found.tolist()
        return TrackedBeats(int(n_used), rows[:n_beats], first[:n_waves], waves[:n_waves])


def subtract_waveforms(
    library: ctypes.CDLL, x: Floats, start: int, first: Ints, waveforms: Floats
) -> None:
    """Subtract waveforms in place, as `ecg_canceller.subtract_waveforms`."""
    count, length = waveforms.shape
    library.ts_subtract_waveforms(
        address(x, np.float64, len(x)),
        start,
        len(x),
        address(first, np.int64, count),
        address(waveforms, np.float64, count * length),
        count,
        length,
    )
