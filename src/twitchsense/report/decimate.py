"""Reduce signals to the number of points a plot can show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.per_second import PerSecond

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MinMaxEnvelope:
    """Minimum and maximum of a signal in each column of a plot.

    Attributes
    ----------
    time_s : ndarray of float64, shape (n,)
        Centre of each column, seconds on the recording's axis.
    low, high : ndarray of float64, shape (n,)
        Minimum and maximum in the column (µV or g); NaN where there is no signal.
    valid : ndarray of bool, shape (n,)
        Whether most of the column's seconds are valid.
    width_s : float
        Width of a column.
    """

    time_s: Floats
    low: Floats
    high: Floats
    valid: NDArray[np.bool_]
    width_s: float


def min_max_envelope(
    seconds: PerSecond, start_s: float, stop_s: float, columns: int
) -> MinMaxEnvelope:
    """Return the minimum and maximum of a channel in each column of a plot.

    Parameters
    ----------
    seconds : PerSecond
        Per-second statistics of the channel.
    start_s, stop_s : float
        Bounds of the plot, seconds on the recording's axis.
    columns : int
        Maximum number of columns; no column is narrower than a second.

    Returns
    -------
    MinMaxEnvelope
    """
    span = max(stop_s - start_s, 1.0)
    n = int(max(1, min(columns, np.ceil(span))))
    width = span / n
    low: Floats = np.full(n, np.nan)
    high: Floats = np.full(n, np.nan)
    valid_count, count = np.zeros(n), np.zeros(n)
    if len(seconds.time_ns):
        column = np.clip(((seconds.middle_s - start_s) / width).astype(np.int64), 0, n - 1)
        np.fmin.at(low, column, seconds.min.astype(np.float64))
        np.fmax.at(high, column, seconds.max.astype(np.float64))
        np.add.at(valid_count, column, seconds.valid.astype(np.float64))
        np.add.at(count, column, 1.0)
    centre = start_s + (np.arange(n, dtype=np.float64) + 0.5) * float(width)
    return MinMaxEnvelope(centre, low, high, valid_count > count / 2, width)


def decimate_waveform(time: Floats, values: Floats, points: int) -> tuple[Floats, Floats]:
    """Reduce a waveform to the minimum and maximum of equal blocks.

    Parameters
    ----------
    time, values : ndarray of float64, shape (n,)
    points : int
        Approximate number of samples to keep.

    Returns
    -------
    time, values : ndarray of float64, shape (m,)
        Samples of the input in their order, the first and the last included; the whole
        input if it has less than about 1.5 times `points` samples.
    """
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
