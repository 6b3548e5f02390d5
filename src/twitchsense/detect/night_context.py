"""What is known of a leg's night beside its findings, for the votes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from twitchsense.detect.ecg_rejection import Beats
from twitchsense.detect.local_features import Company
from twitchsense.model.per_second import PerSecond


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What goes on around the findings of a leg.

    Attributes
    ----------
    seconds : mapping of channel to Seconds
    beats : mapping of EMG channel to Beats
    company : mapping of EMG channel to mapping of ns to Company
        By the time of a burst's peak.
    """

    seconds: Mapping[str, PerSecond] = field(default_factory=dict)
    beats: Mapping[str, Beats] = field(default_factory=dict)
    company: Mapping[str, dict[int, Company]] = field(default_factory=dict)
