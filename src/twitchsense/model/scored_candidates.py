"""A decision about one candidate, before it becomes a row of a table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.channels import NS
from twitchsense.model.event_table import EVENT_COLUMNS, REJECTED_COLUMNS, make_table

NAN = float("nan")
#: Kinds of a single burst.
SHORT_KINDS = ("twitch", "brief_contraction")
#: Kinds of half a second and longer.
LONG_KINDS = ("movement", "gross_movement", "posture_change")


@dataclass(frozen=True, slots=True)
class Finding:
    """An event (``reason == ""``) or a rejected candidate.

    Fields as in the event table, times in ns. `shape` is the waveform of a
    burst whose greatest deflection is at `peak_ns`, for the
    votes; `look` are the features of its shape: `shape.LOOK`, or
    `muscle.TEXTURE` of a contraction.
    `parts` are the bursts of a contraction, each a finding of its own that stands
    if the contraction does not.
    """

    onset_ns: int
    offset_ns: int
    kind: str
    leg: str
    channel: str
    amplitude_uv: float = NAN
    peak_g: float = NAN
    jerk_g_s: float = NAN
    rise_ms: float = NAN
    snr_db: float = NAN
    confidence: float = NAN
    grade: str = ""
    reason: str = ""
    peak_ns: int = 0
    shape: NDArray[np.float32] | None = None
    look: NDArray[np.float32] | None = None
    parts: tuple[Finding, ...] = ()

    def turned_down(self, reason: str) -> Finding:
        """Return the finding as a rejected candidate."""
        return replace(self, reason=reason, confidence=NAN, grade="")

    def row(self) -> dict[str, Any]:
        """Return the finding as a row of the event table."""
        return {
            "onset": self.onset_ns / NS,
            "duration": (self.offset_ns - self.onset_ns) / NS,
            "trial_type": self.kind,
            "leg": self.leg,
            "channel": self.channel,
            "amplitude_uv": self.amplitude_uv,
            "peak_g": self.peak_g,
            "jerk_g_s": self.jerk_g_s,
            "rise_ms": self.rise_ms,
            "snr_db": self.snr_db,
            # as many digits as the files keep, so that both are told in the same words
            "confidence": round(self.confidence, 3),
            "grade": self.grade,
            "reason": self.reason,
        }


def by_channel(
    findings: Sequence[Finding], kinds: Collection[str], reasons: Collection[str]
) -> dict[str, list[int]]:
    """Return the indices of findings with a waveform, of some kinds and reasons, per channel."""
    table: dict[str, list[int]] = {}
    for i, f in enumerate(findings):
        if f.kind in kinds and f.shape is not None and f.reason in reasons:
            table.setdefault(f.channel, []).append(i)
    return table


def tables(findings: list[Finding]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the event table and the table of rejected candidates."""
    events = make_table((f.row() for f in findings if not f.reason), EVENT_COLUMNS)
    rejected = make_table((f.row() for f in findings if f.reason), REJECTED_COLUMNS)
    return events, rejected
