"""Groups samples with a timestamp each into blocks, for `BlockClock`.

Samples of a packet often arrive together, so that their timestamps come in bursts. Blocks of
half a second average that out; a block ends early where time jumps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import NS

Floats = NDArray[np.float64]

#: Maximum duration of a block in s.
_BLOCK_S: Final = 0.5
#: Timestamps from which the period and the jitter are estimated.
_LEARNING_SIZE: Final = 20_000
#: Samples in a span of which the mean period is taken.
_SPAN: Final = 256
#: Step, in periods, after which a block ends: of timestamps that are even, and of others.
_EVEN_STEP: Final = 1.5
_UNEVEN_STEP: Final = 10.0
#: Minimum of the latter in s.
_UNEVEN_STEP_S: Final = 0.1
#: Maximum share of steps, off by more than half a period, of timestamps that are even.
_EVEN_SHARE: Final = 0.02


@dataclass(frozen=True, slots=True)
class TimestampBlocks:
    """Blocks of samples.

    Attributes
    ----------
    starts_ns : ndarray of int64, shape (blocks,)
        Time of the first sample of each block.
    counts : ndarray of int64, shape (blocks,)
    fs : float
        Typical sampling rate in Hz; 0 if there are fewer than two samples.
    """

    starts_ns: NDArray[np.int64]
    counts: NDArray[np.int64]
    fs: float


def group_timestamps(timestamps: Iterable[Floats]) -> TimestampBlocks:
    """Group timestamps into blocks.

    Parameters
    ----------
    timestamps : iterable of ndarray of float64, shape (n,)
        Times in s, in parts of any size.

    Returns
    -------
    TimestampBlocks
    """
    parts = iter(timestamps)
    head: list[Floats] = []
    while sum(map(len, head)) < _LEARNING_SIZE and (part := next(parts, None)) is not None:
        head.append(part)
    first = np.concatenate([np.empty(0), *head])
    if len(first) < 2:
        starts = np.rint(first * NS).astype(np.int64)
        return TimestampBlocks(starts, np.ones(len(first), np.int64), 0.0)
    period = _typical_period(first)
    steps = np.diff(first)
    even = float((np.abs(steps / period - 1) > 0.5).mean()) <= _EVEN_SHARE
    longest = _EVEN_STEP * period if even else max(_UNEVEN_STEP * period, _UNEVEN_STEP_S)
    size = max(1, round(_BLOCK_S / period))
    starts_list: list[NDArray[np.int64]] = []
    counts_list: list[NDArray[np.int64]] = []
    rest = np.empty(0)
    for part in chain([first], parts):
        times = np.concatenate([rest, part])
        edges = _edges(times, longest, size)
        # the last block may go on in the next part
        rest = times[edges[-1] :]
        if len(edges) > 1:
            _append_blocks(times, edges, period, starts_list, counts_list)
    if len(rest):
        _append_blocks(rest, np.array([0, len(rest)]), period, starts_list, counts_list)
    return TimestampBlocks(np.concatenate(starts_list), np.concatenate(counts_list), 1 / period)


def _typical_period(times: Floats) -> float:
    """Return the median of the mean period of spans, at least 1 ns."""
    span = min(_SPAN, len(times) - 1)
    periods = (times[span:] - times[:-span]) / span
    return max(float(np.median(periods)), 1e-9)


def _edges(times: Floats, longest: float, size: int) -> NDArray[np.int64]:
    """Return the first sample of each block, at least one."""
    steps = np.diff(times)
    jumps = np.concatenate([[0], np.flatnonzero((steps > longest) | (steps < -longest)) + 1])
    lengths = np.diff(np.append(jumps, len(times)))
    pieces = -(-lengths // size)
    within = np.arange(int(pieces.sum())) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    edges: NDArray[np.int64] = np.repeat(jumps, pieces) + within * size
    return edges


def _append_blocks(
    times: Floats,
    edges: NDArray[np.int64],
    period: float,
    starts: list[NDArray[np.int64]],
    counts: list[NDArray[np.int64]],
) -> None:
    """Append the blocks between edges; the start is the mean of what each sample says of it."""
    sizes = np.diff(edges)
    used = times[: edges[-1]]
    within = np.arange(len(used)) - np.repeat(edges[:-1], sizes)
    # relative to the first sample of each block, to keep the digits of large times
    relative = used - np.repeat(times[edges[:-1]], sizes) - within * period
    mean = np.add.reduceat(relative, edges[:-1]) / sizes
    starts.append(np.rint(times[edges[:-1]] * NS).astype(np.int64)
                  + np.rint(mean * NS).astype(np.int64))  # fmt: skip
    counts.append(sizes)
