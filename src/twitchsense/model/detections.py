"""The result of the detector: events, rejected candidates, valid time, clock offsets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from twitchsense.model.channels import NS
from twitchsense.model.per_second import PerSecond


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Offset between the clocks of an accelerometer and an EMG amplifier.

    The accelerometer's time is ``emg time + offset_s + slope * emg time``.

    Attributes
    ----------
    offset_s : float
        Offset at time zero, s; positive if the accelerometer's clock is ahead.
    slope : float
        Relative difference of rates (1e-6 is 1 ppm); positive if the accelerometer's clock
        is fast.
    """

    offset_s: float = 0.0
    slope: float = 0.0

    def to_emg(self, time_ns: int) -> int:
        """Convert a time of the accelerometer's clock to the EMG's clock, both in ns.

        Parameters
        ----------
        time_ns : int

        Returns
        -------
        int
        """
        return round((time_ns - self.offset_s * NS) / (1 + self.slope))

    @property
    def is_identity(self) -> bool:
        """Whether both sensors share one clock."""
        return self.offset_s == 0.0 and self.slope == 0.0


@dataclass(frozen=True, slots=True, repr=False)
class Detections:
    """Result of `twitchsense.Detector.close`.

    Attributes
    ----------
    events : DataFrame
        Columns of `twitchsense.model.event_table.EVENT_COLUMNS`; ``label``, ``context``,
        ``stage`` and ``min_from_onset`` are still empty.
    rejected : DataFrame
        Candidates that did not become events, each with the reason.
    seconds : mapping of channel name to PerSecond
    clocks : mapping of leg to ClockOffset
        Between the EMG and the accelerometer of the leg; the identity if they share a clock.
    series_min_counts : mapping of str to int
        Fewest bursts or movements of each train or series, by its name in the column
        ``series``; empty before labelling.
    """

    events: pd.DataFrame
    rejected: pd.DataFrame
    seconds: Mapping[str, PerSecond]
    clocks: Mapping[str, ClockOffset] = field(default_factory=dict)
    series_min_counts: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Detections: {len(self.events)} events, {len(self.rejected)} rejected>"

    @property
    def valid_s(self) -> dict[str, float]:
        """Seconds of valid signal per channel."""
        return {name: s.valid_s for name, s in self.seconds.items()}
