"""The samples of one stream of a night file, in a temporary file until their clock is fitted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.v1.v1_frames import StreamInfo
from twitchsense.model.sample_file import SampleFile
from twitchsense.nightfile.frames import FrameBatch

#: Samples of a block.
_BLOCK_SAMPLES: Final = 1 << 17


@dataclass
class SampleRun:
    """Consecutive samples of a stream.

    Attributes
    ----------
    first : int
        Index of the first sample since boot.
    count : int
    """

    first: int
    count: int


class StreamSamples:
    """Samples of one stream of a boot, in a temporary file until their clock is fitted.

    Parameters
    ----------
    stream : StreamInfo
    """

    def __init__(self, stream: StreamInfo) -> None:
        self.stream = stream
        self._counts = SampleFile(stream.width, np.int16)
        self._runs: list[SampleRun] = []

    def append(self, frames: FrameBatch) -> None:
        """Append the samples of the frames that belong to this stream."""
        of_stream = frames.type == self.stream.id
        first, count = frames.first[of_stream], frames.count[of_stream]
        if not len(first):
            return
        self._counts.append(frames.samples(self.stream))
        ends = first + count
        run_starts = np.flatnonzero(np.append(True, first[1:] != ends[:-1]))
        sums = np.add.reduceat(count, run_starts)
        for start, n in zip(first[run_starts].tolist(), sums.tolist(), strict=True):
            last = self._runs[-1] if self._runs else None
            if last is not None and last.first + last.count == start:
                last.count += n
            else:
                self._runs.append(SampleRun(start, n))

    @property
    def end(self) -> int:
        """Index since boot after the last sample; 0 if there is none."""
        return self._runs[-1].first + self._runs[-1].count if self._runs else 0

    def blocks(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int16]]]:
        """Yield the samples in blocks.

        Yields
        ------
        index : ndarray of int64, shape (n,)
            Indices since boot, without a gap.
        counts : ndarray of int16, shape (n, values)
        """
        done = 0
        for run in self._runs:
            for start in range(0, run.count, _BLOCK_SAMPLES):
                stop = min(start + _BLOCK_SAMPLES, run.count)
                index = np.arange(run.first + start, run.first + stop)
                yield index, self._counts.read(done + start, done + stop)
            done += run.count
