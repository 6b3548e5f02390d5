"""The last 30 s of a channel, reduced to the minimum and maximum of each tenth of a second."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import NS, Channel, Chunk

Floats = NDArray[np.float32]

#: Columns per second.
COLUMNS_PER_S: Final = 10
#: Seconds that are kept.
LENGTH_S: Final = 30


class WaveformBuffer:
    """Ring buffer of the minimum and maximum of one channel.

    EMG is shown relative to its running mean. For an accelerometer the magnitude is shown after
    the running mean, which is gravity, was subtracted. Memory does not depend on the length of
    the recording.

    Parameters
    ----------
    channel : Channel
        Its kind and sampling rate.

    Attributes
    ----------
    newest : int
        Number of the newest column, counted from 1970.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.newest = -1
        n = COLUMNS_PER_S * LENGTH_S
        self._min: Floats = np.full(n, np.nan, np.float32)
        self._max: Floats = np.full(n, np.nan, np.float32)
        self._mean: NDArray[np.float64] | None = None

    @property
    def size(self) -> int:
        """Number of columns that are kept."""
        return len(self._min)

    def push(self, chunk: Chunk, drift_ns: int = 0) -> None:
        """Add samples.

        Parameters
        ----------
        chunk : Chunk
            Samples of this channel.
        drift_ns : int
            Correction (ns) of the times of the chunk.
        """
        samples = chunk.samples.astype(np.float64)
        if not len(samples):
            return
        if self._mean is None:
            self._mean = samples.mean(axis=0)
        weight = min(1.0, len(samples) / self.channel.fs)  # time constant of about 1 s
        self._mean += weight * (samples.mean(axis=0) - self._mean)
        centred = samples - self._mean
        is_emg = self.channel.kind == "emg"
        values = centred[:, 0] if is_emg else np.linalg.norm(centred, axis=1)
        first_s = (chunk.segment_start_ns + drift_ns) / NS + chunk.first_index / self.channel.fs
        column = np.floor((first_s + np.arange(len(values)) / self.channel.fs) * COLUMNS_PER_S)
        for number in np.unique(column).astype(np.int64):
            self._add_column(int(number), values[column == number])

    def _add_column(self, number: int, values: NDArray[np.float64]) -> None:
        n = self.size
        if number <= self.newest - n:
            return
        for skipped in range(max(self.newest + 1, number - n + 1), number + 1):
            self._min[skipped % n] = self._max[skipped % n] = np.nan
        self.newest = max(self.newest, number)
        self._min[number % n] = np.fmin(self._min[number % n], np.float32(values.min()))
        self._max[number % n] = np.fmax(self._max[number % n], np.float32(values.max()))

    def columns(self, until_s: float) -> tuple[list[float | None], list[float | None]]:
        """Return the columns of the 30 s before a time.

        Parameters
        ----------
        until_s : float
            End of the interval (UTC, s).

        Returns
        -------
        minimum, maximum : list of float or None
            One value per column; None where there is no signal.
        """
        n = self.size
        end = math.floor(until_s * COLUMNS_PER_S)
        numbers = range(end - n + 1, end + 1)

        def values(ring: Floats) -> list[float | None]:
            return [
                _to_json_number(ring[k % n]) if self.newest - n < k <= self.newest else None
                for k in numbers
            ]

        return values(self._min), values(self._max)


def _to_json_number(value: np.float32) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
