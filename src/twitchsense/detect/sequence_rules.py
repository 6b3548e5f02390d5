"""Second stage: rules that need the whole night, applied in the order of `rule_order`.

Every rule maps the candidates of a leg and `NightInputs` to the candidates after the rule. It may
use earlier and later candidates, and does not depend on how the recording was cut into chunks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.burst_limits import MS, max_duration_ms, min_duration_ms
from twitchsense.detect.classify import DECISION_THRESHOLD, Classifier
from twitchsense.detect.ecg_rejection import find_ecg
from twitchsense.detect.features.recurrence import channel_bursts, count_similar
from twitchsense.detect.features.tables import NightContext
from twitchsense.detect.rule_order import NIGHT_RULES, OVERRULABLE
from twitchsense.model.candidates import SHORT_KINDS, ScoredCandidate, by_channel
from twitchsense.model.channels import NS
from twitchsense.settings import Settings

Candidates: TypeAlias = list[ScoredCandidate]

#: Kinds that the movement model classifies.
MOVEMENT_KINDS: Final = ("movement", "gross_movement")
#: Kinds of large movement of the whole leg.
LARGE_KINDS: Final = ("gross_movement", "posture_change")
#: Reasons of large movements: accepted, or rejected only because the leg was still.
LARGE_REASONS: Final = ("", "sustained_activity")
#: Reasons of candidates that do not count as activity in active wake: artefacts, and tonic firing,
#: which is not movement.
FOREIGN_REASONS: Final = ("ecg", "electrode_pop", "mains", "saturation", "rhythmic_train")
#: Time to either side of an event in which active wake is measured, s; the maximum fraction is
#: `LabelSettings.active_share` (docs/definitions.md, Labels and words).
ACTIVE_S: Final = 30.0
#: Mean dynamic acceleration of a second above which the leg moves, g: the still limit of
#: MotionWatch.
MOVING_G: Final = 0.1
#: Maximum distance from a step to the contractions before and after it, s.
STEP_S: Final = 2.0
#: Time by which the window of the envelope lengthens a candidate in the per-second table, s.
FLANKS_S: Final = 0.02
#: Repeats of its waveform within seconds from which a jerk is rejected: none of 1724 jerks of
#: the tuning side had as many, not even in rows of jerks [E].
MAX_REPEATS: Final = 5
#: Probability above which a jerk remains a jerk even if its waveform usually leaves the leg
#: still. Of 9 bumps beside a twitch classified as jerks, 5 met that condition; of 1341 jerks,
#: 3 did (tuning side, seeds 1 to 4): odds of 250 to 1.
CERTAIN_JERK: Final = 0.996
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
    """Classify contractions; a gross movement is at least as probable as its moving fraction."""
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
    """Return the fraction of each gross movement in which the leg moved; 0 for other kinds.

    Steps resemble each other, as the discharges of one unit do, so the models may reject a walk.
    Motion that the accelerometer shows for that long is a movement in any case.
    """
    fraction = np.zeros(len(candidates))
    gross = [k for k, c in enumerate(candidates) if c.kind == "gross_movement"]
    for table in context.seconds.values():
        if not gross or table.kind != "acc":
            continue
        middle = table.middle_s
        for k in gross:
            ends = candidates[k].onset_ns / NS, candidates[k].offset_ns / NS
            active = table.active_fraction[slice(*np.searchsorted(middle, ends))]
            if len(active):
                fraction[k] = max(fraction[k], active.mean())
    return fraction


# -- jerks and bursts ------------------------------------------------------------------


def reject_ecg(candidates: Candidates, night: NightInputs) -> Candidates:
    """Reject the bursts that are heart beats."""
    return _reject(candidates, find_ecg(candidates, night.context.beats), "ecg")


def reject_trains(candidates: Candidates, night: NightInputs) -> Candidates:
    """Reject jerks whose burst is one discharge of a train.

    A bump beside a unit that fires continuously is not a jerk, even if the unit is large.
    """
    trains = {
        i
        for i, c in enumerate(candidates)
        if c.kind == "jerk"
        and not c.reason
        and c.has_emg
        and night.context.local_features(c).n_repeats >= MAX_REPEATS
    }
    return _reject(candidates, trains, "rhythmic_train")


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
        rows.sort(key=lambda i: candidates[i].peak_ns)
        is_jerk = np.array([candidates[i].kind == "jerk" for i in rows], bool)
        asked = np.flatnonzero(is_jerk)
        if not len(asked):
            continue
        # counting jerks as 1 and twitches as 0 makes the sum the number of jerks
        bursts = channel_bursts(candidates, rows, is_jerk.astype(np.float64))
        count, jerks = count_similar(bursts, asked)
        still, moved = (count - jerks)[:, 1], jerks[:, 1] + 1  # itself
        found += [rows[k] for k in asked[still >= STILL_RATIO * moved].tolist()]
    return sorted(i for i in found if candidates[i].confidence < CERTAIN_JERK)


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
    """Accept or reject some candidates by their probability, which becomes the confidence."""
    found = list(candidates)
    for i, p, reason in zip(rows, probability.tolist(), reasons, strict=True):
        accepted = replace(candidates[i], reason="", confidence=p)
        found[i] = accepted if p >= DECISION_THRESHOLD else candidates[i].rejected(reason)
    return found


def _reject(candidates: Candidates, rows: set[int], reason: str) -> Candidates:
    return [c.rejected(reason) if i in rows else c for i, c in enumerate(candidates)]


# -- active wake, steps, ring-down -------------------------------------------------------


def reject_active_wake(candidates: Candidates, night: NightInputs) -> Candidates:
    """Reject short events in active wake, and jerks that are steps."""
    active = _find_active(candidates, night.context, night.settings.labels.active_share)
    return _reject(candidates, active | _find_steps(candidates, night.settings), "active_wake")


def _find_active(
    candidates: Sequence[ScoredCandidate], context: NightContext, max_share: float
) -> set[int]:
    """Find the candidates in a minute that is full of activity of the same sensor."""
    members: dict[str, list[int]] = {}
    for i, c in enumerate(candidates):
        # a jerk that both sensors show is kept; one of the accelerometer alone may be a step
        if c.kind in SHORT_KINDS or (c.kind == "jerk" and not c.has_emg):
            members.setdefault(c.channel, []).append(i)
    found: set[int] = set()
    for name, rows in members.items():
        table = context.seconds[name]
        middle = table.middle_s
        weight = table.length_s.copy()
        if table.kind == "emg":  # an accelerometer counts the large movements themselves
            weight *= ~_inside_large_movement(middle, candidates)
        active = np.concatenate(
            [[0.0], np.cumsum(table.active_fraction * weight, dtype=np.float64)]
        )
        length = np.concatenate([[0.0], np.cumsum(weight, dtype=np.float64)])
        times = np.array([candidates[i].onset_ns for i in rows]) / NS
        first = np.searchsorted(middle, times - ACTIVE_S)
        last = np.searchsorted(middle, times + ACTIVE_S)
        own = np.array([candidates[i].duration_s for i in rows])
        if table.kind == "emg":
            own = own + _foreign_s(candidates, times)
        share = (active[last] - active[first] - own) / np.maximum(length[last] - length[first], 1.0)
        share = np.maximum(share, _moving_share(context, times))
        for i, value in zip(rows, share.tolist(), strict=True):
            if value > max_share and not candidates[i].reason:
                found.add(i)
    return found


def _moving_share(context: NightContext, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the fraction of the minute around each time in which the leg was on the move."""
    share = np.zeros(len(times))
    for table in context.seconds.values():
        if table.kind == "acc":
            middle = table.middle_s
            moved = np.concatenate([[0.0], np.cumsum(table.level > MOVING_G, dtype=np.float64)])
            first = np.searchsorted(middle, times - ACTIVE_S)
            last = np.searchsorted(middle, times + ACTIVE_S)
            seconds = np.maximum(last - first, ACTIVE_S)
            share = np.maximum(share, (moved[last] - moved[first]) / seconds)
    return share


def _find_steps(candidates: Sequence[ScoredCandidate], settings: Settings) -> set[int]:
    """Find the jerks that are steps: longer contractions move the leg just before and after.

    Walking and fidgeting contain short bursts; a jerk of a resting leg has rest or other jerks
    beside it. A contraction less than half as large as the jerk is not a step.
    """
    longer: dict[str, list[ScoredCandidate]] = {}
    for c in candidates:
        moved = c.has_emg and c.peak_g >= settings.jerk.min_g
        if moved and c.kind in ("brief_contraction", "movement"):
            longer.setdefault(c.leg, []).append(c)
    reach = round(STEP_S * NS)
    found: set[int] = set()
    for i, c in enumerate(candidates):
        if c.kind != "jerk" or c.reason or not c.has_emg:
            continue
        others = longer.get(c.leg, [])
        first = bisect_left(others, c.onset_ns - reach, key=_onset_ns)
        last = bisect_right(others, c.onset_ns + reach, key=_onset_ns)
        onsets = [g.onset_ns for g in others[first:last] if 2 * g.amplitude_uv >= c.amplitude_uv]
        if onsets and onsets[0] < c.onset_ns < onsets[-1]:
            found.add(i)
    return found


def _onset_ns(c: ScoredCandidate) -> int:
    return c.onset_ns


def _foreign_s(
    candidates: Sequence[ScoredCandidate], times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the seconds with `FOREIGN_REASONS` in the minute around each time."""
    foreign = [c for c in candidates if c.reason in FOREIGN_REASONS and c.has_emg]
    at = np.array([c.onset_ns for c in foreign]) / NS
    length = np.array([c.duration_s + FLANKS_S for c in foreign])
    total = np.concatenate([[0.0], np.cumsum(length)])
    first = np.searchsorted(at, times - ACTIVE_S)
    last = np.searchsorted(at, times + ACTIVE_S)
    return np.asarray(total[last] - total[first], np.float64)


def _inside_large_movement(
    times: NDArray[np.float64], candidates: Sequence[ScoredCandidate]
) -> NDArray[np.bool_]:
    """Whether times lie within a second of a large movement, or of noise that has grown."""
    large = [c for c in candidates if c.kind in LARGE_KINDS and c.reason in LARGE_REASONS]
    begun = np.sort([c.onset_ns / NS - 1 for c in large])
    over = np.sort([c.offset_ns / NS + 1 for c in large])
    return np.searchsorted(begun, times, "left") > np.searchsorted(over, times, "right")


def reject_ring_down(candidates: Candidates, night: NightInputs) -> Candidates:
    """Reject jerks of the accelerometer alone just after another jerk."""
    dead_ns = night.settings.jerk.dead_ms * 1_000_000
    found: set[int] = set()
    last: dict[str, int] = {}
    for i, c in enumerate(candidates):
        if c.kind != "jerk" or c.reason:
            continue
        if not c.has_emg and c.leg in last and c.onset_ns - last[c.leg] < dead_ns:
            found.add(i)
        else:
            last[c.leg] = c.onset_ns
    return _reject(candidates, found, "dead_time")


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
        reject_trains,
        relabel_bumped_twitches,
        classify_bursts,
        reject_active_wake,
        reject_ring_down,
        enforce_limits,
    )
}
