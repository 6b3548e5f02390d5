"""Activity counts of an accelerometer, the currency of Cole-Kripke and Sadeh.

The published steps of ActiGraph's counts (Neishabouri et al. 2022, Sci Rep
12:11958): 30 Hz, a band-pass of about 0.3-1.6 Hz, a dead band of 4 and a ceiling
of 128 steps, 10 values a second, summed. The way to 30 Hz is ours: a low-pass and
straight lines between samples. Counts were made for the wrist and the hip; at the
ankle nobody has checked what they say of sleep.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from twitchsense.dsp.filters import CausalFilter
from twitchsense.model.channels import NS, Channel, Chunk

Floats = NDArray[np.float64]

RATE_HZ: Final = 30
#: Table 1 of the paper: the band-pass at 30 Hz, and the steps of the old converter.
_B: Final = np.array([
    -0.009341062898525, -0.025470289659360, -0.004235264826105, 0.044152415456420,
    0.036493718347760, -0.011893961934740, -0.022917390623150, -0.006788163862310,
])  # fmt: skip
_A: Final = np.array([
    1.0, -3.63367395910957, 5.03689812757486, -3.09612247819666,
    0.50620507633883, 0.32421701566682, -0.15685485875559, 0.0194913020589,
])  # fmt: skip
_GAIN: Final = 17.127404
_CEILING, _DEAD = 128.0, 4.0
#: Nothing above half of 30 Hz may fold into the band.
_LOWPASS_HZ: Final = 9.0


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of a channel, one row per whole second of a segment.

    Attributes
    ----------
    time_ns : ndarray of int64, shape (n,)
        Start of the second on the recording's axis.
    length_s : ndarray of float64, shape (n,)
        Always 1.
    counts : ndarray of float32, shape (n, width)
        Of each axis, counts in that second: whole numbers below 2000.
    """

    time_ns: NDArray[np.int64]
    length_s: Floats
    counts: NDArray[np.float32]


class Counter:
    """Counts the chunks of one accelerometer, however they are cut."""

    def __init__(self, channel: Channel) -> None:
        self._fs, self._width = channel.fs, channel.width
        self._segment: _SegmentCounter | None = None
        self._done: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []

    def push(self, chunk: Chunk) -> None:
        """Take the next samples; a new segment starts anew."""
        if self._segment is None or self._segment.start_ns != chunk.segment_start_ns:
            self._end()
            self._segment = _SegmentCounter(chunk.segment_start_ns, self._fs, self._width)
        self._segment.push(chunk.samples.astype(np.float64))

    def close(self) -> Counts:
        """Return the seconds of all segments; the rest of a second is left out."""
        self._end()
        if len(self._done) == 1:  # as of most nights: nothing to copy
            time, counts = self._done[0]
        else:
            time = np.concatenate([np.empty(0, np.int64), *(t for t, _ in self._done)])
            none = np.empty((0, self._width), np.float32)
            counts = np.concatenate([none, *(c for _, c in self._done)])
        return Counts(time, np.broadcast_to(1.0, len(time)), counts)

    def _end(self) -> None:
        if self._segment is not None:
            self._done.append(self._segment.finish())
            self._segment = None


class _SegmentCounter:
    def __init__(self, start_ns: int, fs: float, width: int) -> None:
        self.start_ns = start_ns
        self._fs = fs
        corner = min(_LOWPASS_HZ, 0.4 * fs)
        self._smooth = CausalFilter(signal.butter(2, corner, fs=fs, output="sos"), 0.0)
        self._last = np.empty((0, width))  # the newest sample, for the next straight line
        self._read = 0  # samples smoothed so far
        self._next = 0  # the next value at 30 Hz
        self._state: Floats | None = None
        self._rest = np.empty((0, width))  # values that don't fill a second yet
        self._seconds = array("f")

    def push(self, samples: Floats) -> None:
        if len(samples) == 0:
            return
        smooth = self._smooth.push(samples)
        known = np.concatenate([self._last, smooth])
        first = self._read - len(self._last)
        self._read += len(samples)
        self._last = smooth[-1:]
        # all values at 30 Hz that lie between two samples we have
        stop = int(np.floor((self._read - 1) * RATE_HZ / self._fs)) + 1
        at = np.arange(self._next, max(stop, self._next)) * (self._fs / RATE_HZ)
        self._next += len(at)
        low = np.minimum(np.floor(at).astype(np.int64), self._read - 1)
        part = (at - low)[:, None]
        high = np.minimum(low + 1, self._read - 1)
        self._count(known[low - first] * (1 - part) + known[high - first] * part)

    def _count(self, values: Floats) -> None:
        if len(values) == 0:
            return
        if self._state is None:
            self._state = signal.lfilter_zi(_B, _A)[:, None] * values[0]
        band, self._state = signal.lfilter(_B, _A, values, axis=0, zi=self._state)
        steps = np.minimum(np.abs(_GAIN * band), _CEILING)
        self._rest = np.concatenate([self._rest, np.where(steps < _DEAD, 0.0, steps)])
        whole = len(self._rest) // RATE_HZ
        now, self._rest = self._rest[: whole * RATE_HZ], self._rest[whole * RATE_HZ :]
        tenths = np.floor(now.reshape(whole, RATE_HZ // 3, 3, now.shape[1]).mean(axis=2))
        self._seconds.frombytes(tenths.sum(axis=1).astype(np.float32).tobytes())

    def finish(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        counts = np.frombuffer(self._seconds, np.float32).reshape(-1, self._last.shape[1])
        time = self.start_ns + np.arange(len(counts), dtype=np.int64) * NS
        return time, counts
