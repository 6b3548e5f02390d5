"""Candidates: measurements of the sensors, before and after classification.

`Burst`, `LegMovementRun` and `AccEpisode` are measurements without a classification.
`ScoredCandidate` is the result: an event, or a rejected candidate with its reason.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.channels import NS
from twitchsense.model.event_table import EVENT_COLUMNS, REJECTED_COLUMNS, make_table

NAN = float("nan")
#: Kinds made of one short burst.
SHORT_KINDS = ("twitch", "brief_contraction")
#: Kinds that last half a second or longer.
LONG_KINDS = ("movement", "gross_movement", "posture_change")
#: Large movements of the whole leg: evidence of wake, and never part of a series.
LARGE_KINDS = LONG_KINDS[1:]


@dataclass(frozen=True, slots=True)
class Burst:
    """A burst of activity on one EMG channel: muscle, or an artefact that resembles it.

    Attributes
    ----------
    channel : str
    number : int
        Position among the bursts of the channel, by which its `LocalFeatures` are found.
    onset_ns, offset_ns, peak_ns : int
        Edges and greatest deflection, measured at the full sampling rate.
    active_s : float
        Duration of the activity, s; less than offset - onset where bursts were merged.
    amplitude_uv : float
        Peak to peak in the burst band, µV.
    rise_ms : float
        Onset to half of the envelope's peak, ms.
    snr_db : float
        Peak of the envelope over the noise floor, dB.
    floor_uv : float
        Noise floor (RMS) at the onset, µV.
    low_frequency_share : float
        Share of the unfiltered power that lies below the burst band, after a line through
        the signal before and after the burst is subtracted.
    waveform_features : ndarray of float32, shape (20,)
        `detect.candidates.burst_measures.WAVEFORM_FEATURES`.
    log_frequency : float
        Log of the mean frequency, Hz (`detect.features.waveform.mean_frequency_hz`).
    electrode_probability : float
        Probability of an electrode artefact by the logistic regression on the waveform.
    mains_share : float
        Share of the power that repeats with the period of the mains (50 or 60 Hz).
    saturated : bool
        Whether the unfiltered signal stays at one extreme value.
    waveform : ndarray of float32, shape (64,)
        Waveform around the peak, 64 points over 64 ms, unit energy.
    visible_share : float
        Usual share of the amplitude that a channel of this sampling rate shows.
    n_merged : int
        Number of bursts of a fast train that are measured as one.
    """

    channel: str
    number: int
    onset_ns: int
    offset_ns: int
    peak_ns: int
    active_s: float
    amplitude_uv: float
    rise_ms: float
    snr_db: float
    floor_uv: float
    low_frequency_share: float
    waveform_features: NDArray[np.float32]
    log_frequency: float
    electrode_probability: float
    mains_share: float
    saturated: bool
    waveform: NDArray[np.float32]
    visible_share: float = 1.0
    n_merged: int = 1

    @property
    def duration_s(self) -> float:
        """Offset minus onset, s."""
        return (self.offset_ns - self.onset_ns) / 1e9


@dataclass(frozen=True, slots=True)
class LegMovementRun:
    """A run of the leg-movement rule (onset +8 µV, offset +2 µV) on one EMG channel.

    Attributes
    ----------
    channel : str
    onset_ns, offset_ns : int
    median_uv : float
        Median of the 0.15-s RMS above its resting level, µV: the amplitude criterion of
        WASM 2016 (Ferri et al. 2016, doi:10.1016/j.sleep.2016.10.010).
    """

    channel: str
    onset_ns: int
    offset_ns: int
    median_uv: float


@dataclass(frozen=True, slots=True)
class Envelope:
    """A piece of the accelerometer's envelope.

    Attributes
    ----------
    start_ns : int
        Time of the first hop.
    hop_ns : float
        Duration of a hop.
    magnitude, jerk : ndarray of float32, shape (hops,)
        Greatest dynamic acceleration (g) and greatest rate of change (g/s) in each hop.
    resolution_ns : float
        Uncertainty of times; more than a hop if the envelope is interpolated.
    """

    start_ns: int
    hop_ns: float
    magnitude: NDArray[np.float32]
    jerk: NDArray[np.float32]
    resolution_ns: float = 0.0

    @property
    def stop_ns(self) -> int:
        """Time just after the last hop."""
        return self.start_ns + round(len(self.magnitude) * self.hop_ns)


NO_ENVELOPE = Envelope(0, 1.0, np.empty(0, np.float32), np.empty(0, np.float32))


@dataclass(frozen=True, slots=True)
class AccEpisode:
    """A stretch of dynamic acceleration on one accelerometer.

    Attributes
    ----------
    channel : str
    onset_ns, offset_ns : int
    peak_g : float
        Greatest dynamic acceleration, g.
    jerk_g_s : float
        Greatest rate of change of acceleration, g/s.
    rise_ms : float
        Onset to peak, ms.
    turn_deg : float
        Angle between the orientation before and after, degrees; NaN if unknown.
    threshold_ratio : float
        Peak over the opening threshold.
    envelope : Envelope
        Envelope of the episode and its surroundings.
    """

    channel: str
    onset_ns: int
    offset_ns: int
    peak_g: float
    jerk_g_s: float
    rise_ms: float
    turn_deg: float
    threshold_ratio: float
    envelope: Envelope = NO_ENVELOPE

    @property
    def duration_s(self) -> float:
        """Offset minus onset, s."""
        return (self.offset_ns - self.onset_ns) / 1e9


Candidate: TypeAlias = Burst | LegMovementRun | AccEpisode


@dataclass(frozen=True, slots=True)
class ScoredCandidate:
    """An event (empty `reason`) or a rejected candidate.

    The fields are the columns of the event table, with times in ns, and in addition:

    Attributes
    ----------
    peak_ns : int
        Time of the greatest deflection of the EMG.
    burst_number : int
        `Burst.number` of the burst that stands for the candidate; -1 without EMG.
    waveform : ndarray of float32, shape (64,), or None
        Waveform of the burst; None if only the accelerometer detected the candidate.
    features : ndarray of float32 or None
        `detect.candidates.burst_measures.WAVEFORM_FEATURES` of a burst, or
        `detect.rules.burst_grouping.CONTRACTION_FEATURES` of a contraction.
    parts : tuple of ScoredCandidate
        The bursts of a contraction, which replace it if it is rejected.
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
    burst_number: int = -1
    waveform: NDArray[np.float32] | None = None
    features: NDArray[np.float32] | None = None
    parts: tuple[ScoredCandidate, ...] = ()

    @property
    def has_emg(self) -> bool:
        """Whether an EMG channel detected the candidate, not the accelerometer alone."""
        return self.waveform is not None

    @property
    def duration_s(self) -> float:
        """Offset minus onset, s."""
        return (self.offset_ns - self.onset_ns) / NS

    def rejected(self, reason: str) -> ScoredCandidate:
        """Return the candidate as rejected for a reason.

        Parameters
        ----------
        reason : str
            A key of `REJECT_REASONS`.

        Returns
        -------
        ScoredCandidate
            Without confidence and grade.
        """
        return replace(self, reason=reason, confidence=NAN, grade="")

    def row(self) -> dict[str, Any]:
        """Return the candidate as a row of the event table.

        Returns
        -------
        dict of str to float or str
            Column name to value; times in s.
        """
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
            # rounded to the digits of the files, so that table and files agree
            "confidence": round(self.confidence, 3),
            "grade": self.grade,
            "reason": self.reason,
        }


def overlap(
    a: Candidate | ScoredCandidate, b: Candidate | ScoredCandidate, tolerance_ns: int = 0
) -> bool:
    """Return whether two candidates overlap in time, ends included.

    Parameters
    ----------
    a, b : Candidate or ScoredCandidate
    tolerance_ns : int, optional
        Largest gap between candidates that count as overlapping.

    Returns
    -------
    bool
    """
    return a.onset_ns <= b.offset_ns + tolerance_ns and b.onset_ns <= a.offset_ns + tolerance_ns


def by_channel(
    candidates: Sequence[ScoredCandidate], kinds: Collection[str], reasons: Collection[str]
) -> dict[str, list[int]]:
    """Group candidates with EMG by channel.

    Parameters
    ----------
    candidates : sequence of ScoredCandidate
    kinds, reasons : collection of str
        Only candidates of these kinds and reasons (empty reason: events).

    Returns
    -------
    dict of str to list of int
        Indices into `candidates`.
    """
    indices: dict[str, list[int]] = {}
    for i, c in enumerate(candidates):
        if c.kind in kinds and c.has_emg and c.reason in reasons:
            indices.setdefault(c.channel, []).append(i)
    return indices


def event_tables(candidates: Sequence[ScoredCandidate]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the event table and the table of rejected candidates.

    Parameters
    ----------
    candidates : sequence of ScoredCandidate

    Returns
    -------
    events, rejected : DataFrame
        In order of onset.
    """
    events = make_table((c.row() for c in candidates if not c.reason), EVENT_COLUMNS)
    rejected = make_table((c.row() for c in candidates if c.reason), REJECTED_COLUMNS)
    return events, rejected
