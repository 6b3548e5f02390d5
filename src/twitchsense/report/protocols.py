"""What the pictures and the report need to know of an analysed night."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pandas as pd

from twitchsense.model.per_second import PerSecond
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings


class OnsetLike(Protocol):
    """When sleep came: the four fields of ``sleep_onset`` in ``summary.json``."""

    @property
    def time_s(self) -> float | None:
        """Seconds from the start of the recording; None if unknown."""
        ...

    @property
    def low_s(self) -> float | None:
        """Earliest likely time."""
        ...

    @property
    def high_s(self) -> float | None:
        """Latest likely time."""
        ...

    @property
    def source(self) -> str:
        """Where the estimate comes from."""
        ...


class NightLike(Protocol):
    """The fields of `twitchsense.results.night.Night` that views read.

    Views stand below the night in the order of layers and never import it.
    """

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
        """Context per 30-s epoch."""
        ...

    @property
    def onset(self) -> OnsetLike:
        """Sleep onset."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What the reader and the analysis want the user to know."""
        ...

    @property
    def seconds(self) -> Mapping[str, PerSecond]:
        """Per-second overview of each channel."""
        ...

    @property
    def valid_s(self) -> Mapping[str, float]:
        """Seconds of valid signal per channel."""
        ...

    def summary_dict(self) -> dict[str, Any]:
        """Return the content of ``summary.json``."""
        ...
