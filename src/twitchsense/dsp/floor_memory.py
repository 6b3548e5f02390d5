"""A low quantile of what was measured in the last seconds of an envelope."""

from __future__ import annotations

from copy import copy
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from twitchsense.dsp.buffers import row_medians

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Values after which the floor follows a series that has become much lower.
FALL: Final = 5
#: Ratio of the median of these values to the quantile below which the series is much lower [E].
MUCH_LOWER: Final = 0.7
#: Factor from the MAD to the SD of a normal distribution.
MAD_TO_SD: Final = 1.4826
#: Largest median of one second of an envelope that counts as a flat line.
MAX_FLAT_LINE: Final = 1e-9


class FloorMemories:
    """Medians of the last seconds and, if asked for, their robust SDs, in one or more memories.

    Parameters
    ----------
    memories : list of (int, float)
        Window and quantile of each, as for `FloorMemory`.
    least : list of float
        Lower bounds of the floors: of the medians and, if there are two, of the SDs.
    """

    def __init__(self, memories: list[tuple[int, float]], least: list[float]) -> None:
        self._memories = [FloorMemory(len(least), *memory) for memory in memories]
        self._least = np.array(least)[:, None]

    def __copy__(self) -> FloorMemories:
        """Return memories that go on from here by themselves."""
        other = object.__new__(FloorMemories)
        vars(other).update(vars(self))
        other._memories = [copy(memory) for memory in self._memories]
        return other

    def learn(self, seconds: Floats) -> tuple[Floats, Floats]:
        """Take in whole seconds.

        A flat line is not a quiet signal: if it entered the memory, the first noise after it
        would exceed the threshold.

        Parameters
        ----------
        seconds : ndarray, shape (n, k)
            The values of each.

        Returns
        -------
        medians : ndarray, shape (n,)
            Of the seconds.
        floors : ndarray, shape (n_memories, n_series, n)
            After each of them.
        """
        medians = row_medians(seconds)
        found = medians[None]
        if len(self._least) > 1:
            deviation = np.abs(seconds - medians[:, None])
            found = np.stack([medians, MAD_TO_SD * row_medians(deviation)])
        alive = medians > MAX_FLAT_LINE
        known = np.cumsum(alive, dtype=np.int64)
        added = found[:, alive]
        floors = [np.maximum(m.add(added, known), self._least) for m in self._memories]
        return medians, np.stack(floors)

    def low(self) -> Floats:
        """Return the quantiles of the values that are kept.

        Returns
        -------
        ndarray, shape (n_memories, n_series)
            0 where there is no value.
        """
        return np.stack([memory.low() for memory in self._memories])


class FloorMemory:
    """The last values of one or more series, and the floor of each at each time.

    The floor is a low quantile of the values before; where the last `FALL` values are much lower,
    it is their median.

    Parameters
    ----------
    n_series : int
    window : int
        Number of values that the quantile is taken of; at least `FALL`.
    quantile : float
        From 0 to 1; its rank is rounded down.
    """

    def __init__(self, n_series: int, window: int, quantile: float) -> None:
        self._window, self._quantile = window, quantile
        self._values = np.empty((n_series, 0))

    def add(self, values: Floats, counts: Ints) -> Floats:
        """Append values and return the floors at several times.

        Parameters
        ----------
        values : ndarray, shape (n_series, n)
        counts : ndarray of int64, shape (m,)
            Number of the new values that precede each time; ascending, the last is `n`.

        Returns
        -------
        ndarray, shape (n_series, m)
            0 where there is no value.
        """
        memory = np.concatenate([self._values, values], axis=1)
        ends = self._values.shape[1] + counts
        self._values = memory[:, -self._window :]
        return np.stack([self._floors(series, ends) for series in memory])

    def low(self) -> Floats:
        """Return the quantile of the values that are kept.

        Returns
        -------
        ndarray, shape (n_series,)
            0 where there is no value.
        """
        return np.array([low_quantile(series, self._quantile) for series in self._values])

    def _floors(self, memory: Floats, ends: Ints) -> Floats:
        """Return the floor of one series after its first values, as many as each of `ends`."""
        out = np.empty(len(ends))
        short = ends < self._window
        for i in np.flatnonzero(short):
            out[i] = low_quantile(memory[: ends[i]], self._quantile)
        if not short.all():
            windows = sliding_window_view(memory, self._window)[ends[~short] - self._window]
            rank = _rank(self._window, self._quantile)
            out[~short] = np.sort(windows, axis=1)[:, rank]
        if len(memory) >= FALL:
            enough = ends >= FALL
            recent = row_medians(sliding_window_view(memory, FALL)[ends[enough] - FALL])
            out[enough] = np.where(recent < MUCH_LOWER * out[enough], recent, out[enough])
        return out


def low_quantile(values: Floats, quantile: float) -> float:
    """Return a quantile of values, its rank rounded down; 0 without values.

    Parameters
    ----------
    values : ndarray, shape (n,)
    quantile : float

    Returns
    -------
    float
    """
    if len(values) == 0:
        return 0.0
    return float(np.sort(values)[_rank(len(values), quantile)])


def _rank(count: int, quantile: float) -> int:
    return int(quantile * (count - 1))
