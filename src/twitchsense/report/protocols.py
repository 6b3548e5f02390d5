"""The attributes of an analysed night that plots and the report read.

`NightLike` exists because the report may not import `twitchsense.results`, the layer above it,
and yet draws both a `Night` and a night reopened from its result files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pandas as pd

from twitchsense.model.notes import Note
from twitchsense.model.per_second import PerSecond
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings


class SleepOnsetLike(Protocol):
    """Sleep onset: the four fields of ``sleep_onset`` in ``summary.json``."""

    @property
    def time_s(self) -> float | None:
        """Seconds from the start of the recording; None if unknown."""
        ...

    @property
    def low_s(self) -> float | None:
        """Earliest plausible time, seconds from the start of the recording."""
        ...

    @property
    def high_s(self) -> float | None:
        """Latest plausible time, seconds from the start of the recording."""
        ...

    @property
    def source(self) -> str:
        """Method of the estimate, such as ``hypnogram``."""
        ...


class NightLike(Protocol):
    """The attributes of `twitchsense.results.night.Night` that plots and the report read."""

    @property
    def recording(self) -> Recording:
        """The samples."""
        ...

    @property
    def settings(self) -> Settings:
        """The settings of the analysis."""
        ...

    @property
    def events(self) -> pd.DataFrame:
        """The event table."""
        ...

    @property
    def rejected(self) -> pd.DataFrame:
        """Candidates that did not become events."""
        ...

    @property
    def epochs(self) -> pd.DataFrame:
        """Context of each 30-s epoch."""
        ...

    @property
    def onset(self) -> SleepOnsetLike:
        """Sleep onset."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """Messages of the reader and the analysis to the user."""
        ...

    @property
    def main_notes(self) -> Sequence[Note]:
        """The notes that question the result, each with its cure; see `model.notes.main_notes`."""
        ...

    @property
    def seconds(self) -> Mapping[str, PerSecond]:
        """Per-second statistics of each channel."""
        ...

    @property
    def valid_s(self) -> Mapping[str, float]:
        """Seconds of valid signal per channel."""
        ...

    def summary_dict(self) -> dict[str, Any]:
        """Return the content of ``summary.json``."""
        ...
