"""Scores one composed recording: what was found, missed, and raised by what.

Matching is one to one (`twitchsense.scoring.agreement.match`). What counts:

- twitches below 50 µV (the definition's least amplitude), and targets under a dropout or
  at an amplifier's rail, are optional: neither missed nor false when found;
- an event within a row that tolerates its kind (`canvas.COLUMNS`) is no false alarm;
- a false alarm's cause is every artefact within 0.3 s of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

import twitchsense as ts
from twitchsense.scoring.agreement import match
from twitchsense.settings import Settings

KINDS = ("twitch", "jerk", "movement")
LEAST_UV = 50.0
HIDDEN = "dropout|saturation"
NEAR_S = 0.3
CLEAR_SNR = 15.0


@dataclass
class Score:
    """Counts of one or more recordings; add them to pool.

    Parameters
    ----------
    truth, hit, found, false
        By kind; `truth` and `hit` also for ``clear twitch`` (p-p of 15 x noise RMS and more).
    onset_s, duration_s
        Absolute errors of matched twitches.
    confidence
        (confidence, was it right) of every event of the three kinds.
    swapped
        Twitches called jerk, and jerks called twitch.
    """

    hours: float = 0.0
    truth: dict[str, int] = field(default_factory=dict)
    hit: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    false: dict[str, int] = field(default_factory=dict)
    onset_s: list[float] = field(default_factory=list)
    duration_s: list[float] = field(default_factory=list)
    confidence: list[tuple[float, bool]] = field(default_factory=list)
    swapped: tuple[int, int] = (0, 0)

    def __add__(self, other: Score) -> Score:
        def both(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
            return {k: a.get(k, 0) + b.get(k, 0) for k in {*a, *b}}

        return Score(
            self.hours + other.hours,
            both(self.truth, other.truth),
            both(self.hit, other.hit),
            both(self.found, other.found),
            both(self.false, other.false),
            self.onset_s + other.onset_s,
            self.duration_s + other.duration_s,
            self.confidence + other.confidence,
            (self.swapped[0] + other.swapped[0], self.swapped[1] + other.swapped[1]),
        )


def detect(arrays: dict[str, tuple[np.ndarray, float]]) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Return events, rejected candidates and hours of one recording."""
    recording = ts.Recording.from_arrays(arrays)
    detector = ts.Detector(Settings(), recording.channels)
    for chunk in recording.chunks():
        detector.push(chunk)
    found = detector.close()
    hours = max(len(x) / fs for x, fs in arrays.values()) / 3600
    return found.events, found.rejected, hours


def score(
    events: pd.DataFrame, rejected: pd.DataFrame, truth: pd.DataFrame, hours: float
) -> tuple[Score, pd.DataFrame, pd.DataFrame]:
    """Return the counts, the false alarms with their causes, the misses with their reasons."""
    artefact = truth.trial_type == "artifact"
    real = truth[~artefact].reset_index(drop=True)
    artefacts = truth[artefact]
    pairs = match(events, real)
    optional = (real.trial_type == "twitch") & ~(real.amplitude_uv >= LEAST_UV)
    optional |= real.under.astype(str).str.contains(HIDDEN)
    out, alarms, misses = Score(hours=hours), [], []
    for kind in KINDS:
        same = pairs.pairs[(pairs.pairs.truth_kind == kind) & (pairs.pairs.found_kind == kind)]
        need = real[(real.trial_type == kind) & ~optional]
        hit = need.index.isin(same.truth)
        false = pairs.false_alarms[pairs.false_alarms.trial_type == kind]
        causes = [_near(artefacts, e.onset, e.duration) for e in false.itertuples()]
        kept = [not c.tolerated.astype(str).str.contains(kind).any() for c in causes]
        rows = [
            {**e._asdict(), "cause": "+".join(sorted(set(c.kind))) or "none"}
            for e, c, keep in zip(false.itertuples(index=False), causes, kept, strict=True)
            if keep
        ]
        alarms += rows
        out.truth[kind], out.hit[kind] = len(need), int(hit.sum())
        out.found[kind], out.false[kind] = len(same) + len(rows), len(rows)
        out.confidence += [(float(events.confidence[k]), True) for k in same.found]
        out.confidence += [(float(r["confidence"]), False) for r in rows]
        if kind == "twitch":
            clear = need.snr.to_numpy() >= CLEAR_SNR
            out.truth["clear twitch"] = int(clear.sum())
            out.hit["clear twitch"] = int((clear & hit).sum())
            out.onset_s = same.onset_error_s.abs().tolist()
            out.duration_s = same.duration_error_s.abs().tolist()
        misses.append(need[~hit].assign(reason=[
            "+".join(sorted(set(rejected.reason[(rejected.onset - t).abs() < NEAR_S])))
            for t in need.onset[~hit]
        ]))  # fmt: skip
    table = pairs.confusion
    out.swapped = tuple(
        int(table.loc[a, b]) if a in table.index and b in table.columns else 0
        for a, b in (("twitch", "jerk"), ("jerk", "twitch"))
    )  # type: ignore[assignment]
    return out, pd.DataFrame(alarms), pd.concat(misses, ignore_index=True)


def _near(artefacts: pd.DataFrame, onset: float, duration: float) -> pd.DataFrame:
    ends = artefacts.onset + artefacts.duration
    return artefacts[(artefacts.onset < onset + duration + NEAR_S) & (ends > onset - NEAR_S)]
