"""What the detector gives back: events, rejected candidates, and valid time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.channels import NS


@dataclass(frozen=True, slots=True)
class Seconds:
    """One row per whole second of signal of a channel (the last may be shorter).

    Everything that looks at the night from far away (context, overview picture,
    valid time) reads this instead of the samples.

    Attributes
    ----------
    time_ns : ndarray of int64, shape (n,)
        Start of the second on the recording's axis.
    length_s : ndarray of float32, shape (n,)
        1, less for the rest at the end of a segment.
    valid : ndarray of bool, shape (n,)
        Signal that can be judged: not flat, not saturated, not too noisy.
    low, high : ndarray of float32, shape (n,)
        Least and greatest sample: burst-band EMG in µV; for an accelerometer,
        0 and the greatest dynamic acceleration in g.
    level : ndarray of float32, shape (n,)
        EMG: median of the 10-ms RMS envelope in µV. ACC: mean dynamic
        acceleration in g.
    busy : ndarray of float32, shape (n,)
        Share of the second above the closing threshold.
    vector : ndarray of float32, shape (n, width)
        ACC: mean acceleration in g per axis (the orientation when still).
        EMG: shape (n, 0).
    """

    time_ns: NDArray[np.int64]
    length_s: NDArray[np.float32]
    valid: NDArray[np.bool_]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    level: NDArray[np.float32]
    busy: NDArray[np.float32]
    vector: NDArray[np.float32]

    @property
    def middle_s(self) -> NDArray[np.float64]:
        """Middle of each second on the recording's axis in s, shape (n,)."""
        return self.time_ns / NS + self.length_s / 2

    @property
    def valid_s(self) -> float:
        """Seconds of valid signal."""
        return float(self.length_s[self.valid].sum(dtype=np.float64))


@dataclass(frozen=True, slots=True)
class ClockLine:
    """The accelerometer's time as a line over the EMG's.

    Attributes
    ----------
    start_s : float
        What the accelerometer's clock is ahead by at time zero.
    slope : float
        And how much faster it runs (1e-6 is 1 ppm).
    """

    start_s: float = 0.0
    slope: float = 0.0

    def to_emg(self, time_ns: int) -> int:
        """Return the EMG's time for one of the accelerometer's."""
        return round((time_ns - self.start_s * NS) / (1 + self.slope))

    @property
    def is_flat(self) -> bool:
        """Whether the clocks are one."""
        return self.start_s == 0.0 and self.slope == 0.0


@dataclass(frozen=True, slots=True)
class Detections:
    """All that the detector found in a recording.

    Attributes
    ----------
    events : DataFrame
        Columns of `twitchsense.model.event_table.EVENT_COLUMNS`; ``label``, ``context``,
        ``stage`` and ``min_from_onset`` are still empty.
    rejected : DataFrame
        Candidates that did not become events, with the rule that stopped each.
    seconds : mapping of channel name to Seconds
    clocks : mapping of leg to ClockLine
        Between the leg's EMG and accelerometer; flat if one clock serves both.
    """

    events: pd.DataFrame
    rejected: pd.DataFrame
    seconds: Mapping[str, Seconds]
    clocks: Mapping[str, ClockLine] = field(default_factory=dict)

    @property
    def valid_s(self) -> dict[str, float]:
        """Seconds of valid signal per channel."""
        return {name: s.valid_s for name, s in self.seconds.items()}
