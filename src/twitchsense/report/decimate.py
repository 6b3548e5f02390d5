"""A night of seconds, or a burst of samples, as a few hundred columns of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.per_second import PerSecond

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Envelope:
    """Least and greatest value per column of a picture; NaN where there is no signal.

    Attributes
    ----------
    time_s : ndarray, shape (n,)
        Middle of each column, seconds on the recording's axis.
    low, high : ndarray, shape (n,)
    valid : ndarray of bool, shape (n,)
        Whether most of the column's seconds can be judged.
    width_s : float
        Width of a column.
    """

    time_s: Floats
    low: Floats
    high: Floats
    valid: NDArray[np.bool_]
    width_s: float


def envelope(seconds: PerSecond, start_s: float, stop_s: float, columns: int) -> Envelope:
    """Gather seconds into at most `columns` columns between two times."""
    span = max(stop_s - start_s, 1.0)
    n = int(max(1, min(columns, np.ceil(span))))
    width = span / n
    low: Floats = np.full(n, np.nan)
    high: Floats = np.full(n, np.nan)
    judged, present = np.zeros(n), np.zeros(n)
    if len(seconds.time_ns):
        at = seconds.middle_s - start_s
        column = np.clip((at / width).astype(np.int64), 0, n - 1)
        np.fmin.at(low, column, seconds.min.astype(np.float64))
        np.fmax.at(high, column, seconds.max.astype(np.float64))
        np.add.at(judged, column, seconds.valid.astype(np.float64))
        np.add.at(present, column, 1.0)
    middle = start_s + (np.arange(n, dtype=np.float64) + 0.5) * float(width)
    return Envelope(middle, low, high, judged > present / 2, width)


def spans(seconds: PerSecond) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Return stretches of valid and of invalid signal as (start, length) in seconds."""
    n = len(seconds.time_ns)
    if n == 0:
        return [], []
    start = seconds.time_ns / 1e9
    stop = start + seconds.length_s
    # a stretch ends where validity changes or time jumps
    cut = (seconds.valid[1:] != seconds.valid[:-1]) | (start[1:] - stop[:-1] > 0.01)
    first = np.concatenate([[0], np.flatnonzero(cut) + 1])
    last = np.concatenate([first[1:] - 1, [n - 1]])
    valid: list[tuple[float, float]] = []
    invalid: list[tuple[float, float]] = []
    for a, b in zip(first, last, strict=True):
        target = valid if seconds.valid[a] else invalid
        target.append((float(start[a]), float(stop[b] - start[a])))
    return valid, invalid


def thin(time: Floats, values: Floats, points: int) -> tuple[Floats, Floats]:
    """Thin a waveform to about `points`, keeping the least and greatest of each stretch."""
    n = len(values)
    block = n // max(1, points // 2)
    if block < 3:
        return time, values
    whole = n - n % block
    blocks = values[:whole].reshape(-1, block)
    base = np.arange(len(blocks)) * block
    pair = np.stack([blocks.argmin(axis=1) + base, blocks.argmax(axis=1) + base], axis=1)
    index = np.sort(pair, axis=1).ravel()
    index = np.unique(np.concatenate([[0], index, [n - 1]]))
    return time[index], values[index]
