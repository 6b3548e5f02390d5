"""Candidates of composed recordings with their truth: what the classifiers are trained on.

Runs the detector on a recording with a classifier that answers by the truth and records the
features of every candidate. Recordings come from several composers: the tuning side of the
accuracy benchmark, and the blind kits that have already been used to choose limits.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import signal

from benchmarks.accuracy.cache import Source
from benchmarks.accuracy.nights import Arrays
from benchmarks.blind.examine import kit, truth_table
from benchmarks.training.families import interference, multiplets
from twitchsense.detect.leg_detector import LegDetector
from twitchsense.detect.rules.classify import Classifier
from twitchsense.detect.rules.feature_tables import (
    NightContext,
    burst_features,
    jerk_features,
    movement_features,
)
from twitchsense.detect.rules.jerk_rule import BurstTrain
from twitchsense.detect.rules.sequence_rules import apply_night_rules
from twitchsense.detect.sensors.sensor_queries import AccResponse
from twitchsense.model.candidates import SHORT_KINDS, Burst, ScoredCandidate
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings

#: The composer of the accuracy benchmark.
OWN = "own"
#: Sampling rates at which recordings are examined a second time, Hz; the rate of each follows from
#: its seed.
SLOW_HZ = (500.0, 250.0)
#: The same for the models of slow devices.
FRONT_END_HZ = (500.0, 250.0, 200.0)
#: Share of the recordings of slow devices with a filter of the amplifier below that of the
#: converter, and its corner as a share of the rate: front ends of 200 and 250 Hz pass 60 to 110 Hz.
SOFT_SHARE = 0.6
SOFT_CORNER = (0.24, 0.45)
#: A burst is a true twitch only if the twitch has at least this fraction of its amplitude.
MIN_AMPLITUDE_SHARE = 0.5
#: A contraction is a true movement only if this fraction of it is.
MIN_OVERLAP = 0.3
#: A train of bursts is a true jerk only if it exceeds the jerk by at most this, s.
JERK_MARGIN_S = 0.08
#: Electrode noise as broad as muscle is not learned from: it would teach that whatever does not
#: move the leg is no muscle. Noise of higher frequency is rejected by a rule.
NOT_LEARNED = "hiss"
#: What is not known is not learned from, but surrounds other candidates.
UNKNOWN = {"true": None, "cause": ""}


@dataclass
class TruthClassifier(Classifier):
    """Answers by the truth, so that nothing depends on earlier models, and records features.

    Attributes
    ----------
    truth : DataFrame
    rows : list of dict
        One per candidate: model, features, truth and cause.
    """

    truth: pd.DataFrame
    rows: list[dict] = field(default_factory=list)

    def jerk(self, train: BurstTrain, response: AccResponse) -> float:
        """Answer whether bursts moved the leg."""
        known = jerk_truth(train.whole, self.truth) or UNKNOWN
        if known["true"] is None:
            return 0.0
        features = jerk_features(train, response)
        self.rows.append({"model": "jerk", "features": features} | known)
        return float(known["true"])

    def movements(
        self, candidates: Sequence[ScoredCandidate], rows: Sequence[int], context: NightContext
    ) -> tuple[np.ndarray, list[str]]:
        """Answer whether contractions are movements."""
        table = movement_features(candidates, rows, context)
        known = [movement_truth(candidates[i], self.truth) or UNKNOWN for i in rows]
        for features, k in zip(table, known, strict=True):
            self.rows.append({"model": "movement", "features": features} | k)
        return self._answer([candidates[i] for i in rows], known)

    def bursts(
        self, candidates: Sequence[ScoredCandidate], rows: Sequence[int], context: NightContext
    ) -> tuple[np.ndarray, list[str]]:
        """Answer whether bursts are muscle activity."""
        table = burst_features(candidates, rows, context)
        known = [burst_truth(candidates[i], self.truth) or UNKNOWN for i in rows]
        for i, features, k in zip(rows, table, known, strict=True):
            own = {"model": "burst", "features": features, "candidate": candidates[i]}
            self.rows.append(own | k)
        return self._answer([candidates[i] for i in rows], known)

    @staticmethod
    def _answer(
        candidates: Sequence[ScoredCandidate], known: Sequence[dict]
    ) -> tuple[np.ndarray, list[str]]:
        """Reject what is false; everything else stays as the rules left it."""
        kept = [
            k["true"] is not False and not c.reason for c, k in zip(candidates, known, strict=True)
        ]
        return np.array(kept, float), ["electrode_pop"] * len(kept)


def candidates_of(job: tuple[Source, str, int, str]) -> pd.DataFrame:
    """Return the features and the truth of the candidates of one recording."""
    source, scenario, seed, slow = job
    arrays, truth = source.compose(scenario, seed)
    if slow:
        front_end = slow == "front end"
        rates = FRONT_END_HZ if front_end else SLOW_HZ
        to = rates[seed // 2 % len(rates)]
        if max((fs for _, fs in arrays.values()), default=0.0) < 2 * to:
            return pd.DataFrame()  # it is slow as it is
        rng = np.random.default_rng([seed, zlib.crc32(scenario.encode())])
        arrays = decimate(arrays, to, rng if front_end else None)
    found = candidates_in(arrays, truth)
    return found.assign(composer=OWN, scenario=scenario, seed=seed, slow=slow)


def candidates_of_kit(job: tuple[str, str, int]) -> pd.DataFrame:
    """Return the features and the truth of the candidates of one recording of a blind kit."""
    name, family, seed = job
    composed = kit(name).compose(family, seed)
    arrays = {column: (np.asarray(x), float(fs)) for column, (x, fs) in composed.signals.items()}
    found = candidates_in(arrays, truth_table(composed))
    return found.assign(composer=name, scenario=f"{name}.{family}", seed=seed, slow="")


def candidates_of_family(name: str, seed: int, *, slow: bool) -> pd.DataFrame:
    """Return the features and the truth of the candidates of a recording of a family."""
    arrays, truth = interference(seed, slow=slow) if name == "interference" else multiplets(seed)
    return candidates_in(arrays, truth).assign(
        composer=OWN, scenario=name, seed=seed, slow="front end" if slow else ""
    )


def candidates_in(arrays: Arrays, truth: pd.DataFrame) -> pd.DataFrame:
    """Return the features and the truth of the candidates of a recording."""
    truth.attrs = {}  # every selection from it would copy the waveforms in them
    classifier = TruthClassifier(truth)
    recording = Recording.from_arrays(arrays)
    detector = LegDetector("", recording.channels, Settings(), classifier)
    for chunk in recording.chunks():
        detector.push(chunk)
    found, context, _ = detector.close()
    apply_night_rules(found, context, Settings(), classifier)
    return pd.DataFrame(classifier.rows)


def decimate(arrays: Arrays, to: float, rng: np.random.Generator | None) -> Arrays:
    """Return a recording as a slower device would have made it, with the filter drawn by `rng`."""
    found = dict(arrays)
    soft, order, corner_hz = False, 0, 0.0
    if rng is not None:
        soft = rng.random() < SOFT_SHARE
        order, corner_hz = int(rng.integers(1, 4)), to * float(rng.uniform(*SOFT_CORNER))
    for name, (x, fs) in arrays.items():
        factor = int(fs // to)
        if name.startswith("emg") and factor > 1:
            gap = np.isnan(x)
            y = np.where(gap, 0, x)
            if soft:
                y = signal.sosfilt(signal.butter(order, corner_hz, fs=fs, output="sos"), y)
            y = signal.resample_poly(y, 1, factor).astype(np.float32)
            y[gap[::factor][: len(y)]] = np.nan
            found[name] = y, fs / factor
    return found


# -- truth --------------------------------------------------------------------------------


def _near(truth: pd.DataFrame, onset: float, end: float, margin: float) -> pd.DataFrame:
    return truth[(truth.onset < end + margin) & (truth.onset + truth.duration > onset - margin)]


def burst_truth(c: ScoredCandidate, truth: pd.DataFrame) -> dict | None:
    """Return whether a burst is muscle activity, and its cause; None if that is not known."""
    onset, end = c.onset_ns / 1e9, c.offset_ns / 1e9
    here = _near(truth, onset, end, 0.02)
    real = here[here.trial_type != "artifact"]
    over = _near(truth, onset, end, 0.05)
    over = over[over.trial_type == "artifact"]
    cause = "+".join(sorted(set(over.kind)))
    if NOT_LEARNED in cause:
        return None
    if len(real):
        one = real.iloc[0]
        large = one.amplitude_uv >= MIN_AMPLITUDE_SHARE * c.amplitude_uv
        return {"true": True, "cause": cause} if one.trial_type in SHORT_KINDS and large else None
    if over.tolerated.astype(str).str.contains("twitch|movement|brief").any():
        return None
    return {"true": False, "cause": cause}


def movement_truth(c: ScoredCandidate, truth: pd.DataFrame) -> dict | None:
    """Return the same for a contraction."""
    onset, end = c.onset_ns / 1e9, c.offset_ns / 1e9
    here = _near(truth, onset, end, 0.0)
    shared = np.minimum(here.onset + here.duration, end) - np.maximum(here.onset, onset)
    real = here.trial_type != "artifact"
    cause = "+".join(sorted(set(here.kind[~real])))
    if NOT_LEARNED in cause:
        return None
    large = real & here.trial_type.isin(["movement", "gross_movement", "posture_change"])
    if (large & (shared > MIN_OVERLAP * (end - onset))).any():
        return {"true": True, "cause": cause}
    if large.any() or here.tolerated.astype(str).str.contains("movement").any():
        return None
    return {"true": False, "cause": cause}


def jerk_truth(whole: Burst, truth: pd.DataFrame) -> dict | None:
    """Return whether bursts beside a movement are a jerk or part of one, and their cause."""
    onset, end = whole.onset_ns / 1e9, whole.offset_ns / 1e9
    here = _near(truth, onset, end, 0.05)
    cause = "+".join(sorted(set(here.kind)))
    jerks = here[here.trial_type == "jerk"]
    if len(jerks):
        first, last = jerks.onset.min(), (jerks.onset + jerks.duration).max()
        alike = onset > first - JERK_MARGIN_S and end < last + JERK_MARGIN_S
        return {"true": True, "cause": ""} if alike else None
    steps = here.kind.eq("walking").any()
    if here.tolerated.astype(str).str.contains("jerk").any() and not steps:
        return None
    return {"true": False, "cause": cause}
