"""The last half minute of a channel: least and greatest value of each tenth of a second."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import NS, Channel, Chunk

Floats = NDArray[np.float32]

#: Columns per second, and seconds kept: memory is bounded by these alone.
COLUMNS_PER_S: Final = 10
LENGTH_S: Final = 30


class WaveformBuffer:
    """The trail of one channel.

    Values of EMG stand around their running middle, those of an accelerometer are the
    size of what is left when the slow part (gravity) is taken out.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.last = -1  # number of the newest column since 1970
        n = COLUMNS_PER_S * LENGTH_S
        self._low: Floats = np.full(n, np.nan, np.float32)
        self._high: Floats = np.full(n, np.nan, np.float32)
        self._middle: NDArray[np.float64] | None = None

    def push(self, chunk: Chunk, astray_ns: int = 0) -> None:
        """Take samples, which were taken so much later than their chunk says."""
        samples = chunk.samples.astype(np.float64)
        if not len(samples):
            return
        if self._middle is None:
            self._middle = samples.mean(axis=0)
        share = min(1.0, len(samples) / self.channel.fs)  # forgets within about a second
        self._middle += share * (samples.mean(axis=0) - self._middle)
        rest = samples - self._middle
        values = rest[:, 0] if self.channel.kind == "emg" else np.linalg.norm(rest, axis=1)
        first = (chunk.segment_start_ns + astray_ns) / NS + chunk.first_index / self.channel.fs
        column = np.floor((first + np.arange(len(values)) / self.channel.fs) * COLUMNS_PER_S)
        for at in np.unique(column).astype(np.int64):
            self._put(int(at), values[column == at])

    def _put(self, at: int, values: NDArray[np.float64]) -> None:
        n = len(self._low)
        if at <= self.last - n:
            return
        for missed in range(max(self.last + 1, at - n + 1), at + 1):
            self._low[missed % n] = self._high[missed % n] = np.nan
        self.last = max(self.last, at)
        self._low[at % n] = np.fmin(self._low[at % n], np.float32(values.min()))
        self._high[at % n] = np.fmax(self._high[at % n], np.float32(values.max()))

    def columns(self, until_s: float) -> tuple[list[float | None], list[float | None]]:
        """Return least and greatest of the half minute before a time; None where nothing came."""
        n = len(self._low)
        end = math.floor(until_s * COLUMNS_PER_S)
        places = range(end - n + 1, end + 1)
        return tuple(
            [
                _to_json_number(ring[p % n]) if self.last - n < p <= self.last else None
                for p in places
            ]
            for ring in (self._low, self._high)
        )  # type: ignore[return-value]


def _to_json_number(value: np.float32) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
