"""Activity counts of an accelerometer, the input of Cole-Kripke and Sadeh.

The published algorithm of ActiGraph counts (Neishabouri et al. 2022, Sci Rep 12:11958,
doi:10.1038/s41598-022-16003-x): resample to 30 Hz, band-pass of about 0.3-1.6 Hz, dead
band of 4 and ceiling of 128 quantization steps, 10 values per second, summed. The
resampling differs from the original: a low-pass filter and linear interpolation. Counts
were developed for wrist and hip; their relation to sleep has not been validated on the
ankle.
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

#: Sampling rate of the algorithm, Hz.
RATE_HZ: Final = 30
#: Numerator of the band-pass at 30 Hz (Table 1 of the paper).
BANDPASS_B: Final = np.array([
    -0.009341062898525, -0.025470289659360, -0.004235264826105, 0.044152415456420,
    0.036493718347760, -0.011893961934740, -0.022917390623150, -0.006788163862310,
])  # fmt: skip
#: Denominator of the band-pass at 30 Hz (Table 1 of the paper).
BANDPASS_A: Final = np.array([
    1.0, -3.63367395910957, 5.03689812757486, -3.09612247819666,
    0.50620507633883, 0.32421701566682, -0.15685485875559, 0.0194913020589,
])  # fmt: skip
#: Quantization steps of the original converter per filtered g.
_GAIN: Final = 17.127404
#: Largest value, steps.
_CEILING: Final = 128.0
#: Values below this count as zero, steps.
_DEAD_BAND: Final = 4.0
#: Corner of the anti-aliasing filter before resampling, Hz.
_LOWPASS_HZ: Final = 9.0


@dataclass(frozen=True, slots=True)
class ActivityCounts:
    """Activity counts of a channel, one row per whole second of a segment.

    Attributes
    ----------
    time_ns : ndarray of int64, shape (n,)
        Start of the second on the time axis of the recording, ns.
    length_s : ndarray of float64, shape (n,)
        Length of the row, s; always 1.
    counts : ndarray of float32, shape (n, width)
        Counts of each axis in that second; whole numbers below 2000.
    """

    time_ns: NDArray[np.int64]
    length_s: Floats
    counts: NDArray[np.float32]


class ActivityCounter:
    """Streaming computation of the activity counts of one accelerometer.

    The counts do not depend on how the recording is divided into chunks.

    Parameters
    ----------
    channel : Channel
        The accelerometer.
    """

    def __init__(self, channel: Channel) -> None:
        self._fs, self._width = channel.fs, channel.width
        self._segment: _SegmentCounter | None = None
        self._done: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []

    def push(self, *chunks: Chunk) -> None:
        """Process the next chunks; a new segment resets the filters.

        Parameters
        ----------
        *chunks : Chunk
            Samples in g, in time order.
        """
        for chunk in chunks:
            if self._segment is None or self._segment.start_ns != chunk.segment_start_ns:
                self._end()
                self._segment = _SegmentCounter(chunk.segment_start_ns, self._fs, self._width)
            self._segment.push(chunk.samples.astype(np.float64))

    def close(self) -> ActivityCounts:
        """Finish the counts; incomplete last seconds of segments are dropped.

        Returns
        -------
        ActivityCounts
            Counts of all segments.
        """
        self._end()
        if len(self._done) == 1:  # one segment: nothing to copy
            time, counts = self._done[0]
        else:
            time = np.concatenate([np.empty(0, np.int64), *(t for t, _ in self._done)])
            none = np.empty((0, self._width), np.float32)
            counts = np.concatenate([none, *(c for _, c in self._done)])
        return ActivityCounts(time, np.broadcast_to(1.0, len(time)), counts)

    def _end(self) -> None:
        if self._segment is not None:
            self._done.append(self._segment.finish())
            self._segment = None


class _SegmentCounter:
    """Counts of one gap-free segment."""

    def __init__(self, start_ns: int, fs: float, width: int) -> None:
        self.start_ns = start_ns
        self._fs = fs
        corner = min(_LOWPASS_HZ, 0.4 * fs)
        self._smooth = CausalFilter(signal.butter(2, corner, fs=fs, output="sos"), 0.0)
        self._last = np.empty((0, width))  # last sample of the previous chunk, for interpolation
        self._read = 0  # samples filtered so far
        self._next = 0  # index of the next value at 30 Hz
        self._state: Floats | None = None
        self._rest = np.empty((0, width))  # values of the incomplete last second
        self._seconds = array("f")

    def push(self, samples: Floats) -> None:
        """Resample the next samples, shape (n, width), to 30 Hz and count them."""
        if len(samples) == 0:
            return
        smooth = self._smooth.push(samples)
        known = np.concatenate([self._last, smooth])
        first = self._read - len(self._last)
        self._read += len(samples)
        self._last = smooth[-1:]
        # all values at 30 Hz between two available samples
        stop = int(np.floor((self._read - 1) * RATE_HZ / self._fs)) + 1
        at = np.arange(self._next, max(stop, self._next)) * (self._fs / RATE_HZ)
        self._next += len(at)
        low = np.minimum(np.floor(at).astype(np.int64), self._read - 1)
        weight = (at - low)[:, None]
        high = np.minimum(low + 1, self._read - 1)
        self._count(known[low - first] * (1 - weight) + known[high - first] * weight)

    def _count(self, values: Floats) -> None:
        """Filter and quantize values at 30 Hz, and sum complete seconds."""
        if len(values) == 0:
            return
        if self._state is None:
            self._state = signal.lfilter_zi(BANDPASS_B, BANDPASS_A)[:, None] * values[0]
        band, self._state = signal.lfilter(BANDPASS_B, BANDPASS_A, values, axis=0, zi=self._state)
        steps = np.minimum(np.abs(_GAIN * band), _CEILING)
        self._rest = np.concatenate([self._rest, np.where(steps < _DEAD_BAND, 0.0, steps)])
        whole = len(self._rest) // RATE_HZ
        now, self._rest = self._rest[: whole * RATE_HZ], self._rest[whole * RATE_HZ :]
        threes = now.reshape(whole, RATE_HZ // 3, 3, now.shape[1])
        tenths = np.floor((threes[:, :, 0] + threes[:, :, 1] + threes[:, :, 2]) / 3)
        self._seconds.frombytes(tenths.sum(axis=1).astype(np.float32).tobytes())

    def finish(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return start (ns) and counts of each complete second."""
        counts = np.frombuffer(self._seconds, np.float32).reshape(-1, self._last.shape[1])
        time = self.start_ns + np.arange(len(counts), dtype=np.int64) * NS
        return time, counts
