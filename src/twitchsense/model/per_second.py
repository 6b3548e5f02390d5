"""Per-second statistics of a channel, for analyses of a whole night.

Sleep, scoring and the overview figure read these instead of the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import NS, Kind


@dataclass(frozen=True, slots=True)
class PerSecond:
    """One row per whole second of signal of a channel; the last row may be shorter.

    Attributes
    ----------
    time_ns : ndarray of int64, shape (n,)
        Start of the second on the time axis of the recording.
    length_s : ndarray of float32, shape (n,)
        1 s, or less for the remainder at the end of a segment and where samples are missing.
    valid : ndarray of bool, shape (n,)
        Whether the signal is usable: neither flat, nor saturated, nor too noisy.
    min, max : ndarray of float32, shape (n,)
        EMG: least and greatest sample in the burst band, µV. Accelerometer: 0 and the
        greatest dynamic acceleration, g.
    level : ndarray of float32, shape (n,)
        EMG: median of the 10-ms RMS envelope, µV. Accelerometer: mean dynamic acceleration, g.
    active_fraction : ndarray of float32, shape (n,)
        Fraction of the second above the closing threshold.
    mean_vector : ndarray of float32, shape (n, width)
        Accelerometer: mean acceleration per axis, g (the orientation while still).
        EMG: shape (n, 0).
    kind : {'emg', 'acc'}
    """

    time_ns: NDArray[np.int64]
    length_s: NDArray[np.float32]
    valid: NDArray[np.bool_]
    min: NDArray[np.float32]
    max: NDArray[np.float32]
    level: NDArray[np.float32]
    active_fraction: NDArray[np.float32]
    mean_vector: NDArray[np.float32]
    kind: Kind

    @property
    def middle_s(self) -> NDArray[np.float64]:
        """Middle of each second on the time axis of the recording, s, shape (n,)."""
        return self.time_ns / NS + self.length_s / 2

    @property
    def valid_s(self) -> float:
        """Seconds of valid signal."""
        return float(self.length_s[self.valid].sum(dtype=np.float64))

    def select(self, rows: NDArray[np.bool_]) -> PerSecond:
        """Return some of the rows.

        Parameters
        ----------
        rows : ndarray of bool, shape (n,)

        Returns
        -------
        PerSecond
        """
        chosen: dict[str, Any] = {name: getattr(self, name)[rows] for name in ARRAYS}
        return PerSecond(**chosen, kind=self.kind)


#: The attributes of `PerSecond` that are arrays with a row per second.
ARRAYS = tuple(name for name in PerSecond.__slots__ if name != "kind")


def concatenate(parts: Sequence[PerSecond], kind: Kind, width: int) -> PerSecond:
    """Return the tables of the segments of one channel as one table.

    Parameters
    ----------
    parts : sequence of PerSecond
        In order of time; may be empty.
    kind : {'emg', 'acc'}
    width : int
        Number of columns of `PerSecond.mean_vector`.

    Returns
    -------
    PerSecond
    """
    if len(parts) == 1:
        return parts[0]
    if parts:
        joined: dict[str, Any] = {n: np.concatenate([getattr(p, n) for p in parts]) for n in ARRAYS}
        return PerSecond(**joined, kind=kind)
    empty = np.empty(0, np.float32)
    vectors = np.empty((0, width), np.float32)
    times, valid = np.empty(0, np.int64), np.empty(0, np.bool_)
    return PerSecond(times, empty, valid, empty, empty, empty, empty, vectors, kind)
