"""First stage: the physical kind of each candidate in a cluster, without regard to sleep.

The groups of a cluster are classified from the longest to the shortest: contractions, then
bursts, then acceleration without EMG. Every candidate becomes a `ScoredCandidate` of its own
or part of another (docs/definitions.md, Labels and words).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import Final

import numpy as np

from twitchsense.detect.rules.acc_jerk import acc_jerk, acc_jerk_confidence
from twitchsense.detect.rules.burst_grouping import (
    DOUBLET_NS,
    TRAIN_NS,
    Contraction,
    find_contractions,
    group_bursts,
    groups_outside,
    merge_doublets,
    split_by_gap,
)
from twitchsense.detect.rules.burst_limits import (
    MS,
    hard_artifact,
    is_electrode_artifact,
    limit_reason,
    max_duration_ms,
    min_amplitude_uv,
    short_artifact,
)
from twitchsense.detect.rules.classify import Classifier
from twitchsense.detect.rules.clustering import LINK_NS, Cluster
from twitchsense.detect.rules.jerk_rule import (
    BurstTrain,
    jerk_grade,
    min_probability,
    moved_leg,
    train_response,
    within_jerk_limits,
)
from twitchsense.detect.sensors.sensor_queries import AccResponse, SensorQueries
from twitchsense.model.candidates import NAN, AccEpisode, Burst, ScoredCandidate
from twitchsense.settings import Settings

#: Mean frequency (Hz) above which a long burst without movement is electrode noise: none of
#: 2607 contractions of real muscle exceeded 167 Hz (tuning side of benchmarks/accuracy);
#: white noise has 214 Hz.
MAX_MUSCLE_HZ: Final = 180.0
#: Maximum confidence of a movement that only the accelerometer could observe.
ONE_SENSOR: Final = 0.5
#: Time after a contraction in which its movement may still begin.
MOVEMENT_LAG_NS: Final = 150 * MS


@dataclass(frozen=True, slots=True)
class ClusterRules:
    """Classifies the clusters of one leg.

    Attributes
    ----------
    settings : Settings
    sensors : SensorQueries
    leg : str
        ``left``, ``right`` or empty.
    classifier : Classifier
        Distinguishes jerks from bumps.
    judges_change : bool
        Whether the accelerometers show rates of change (`shows_rate_of_change`).
    """

    settings: Settings
    sensors: SensorQueries
    leg: str
    classifier: Classifier
    judges_change: bool = True

    def classify(self, cluster: Cluster) -> list[ScoredCandidate]:
        """Classify a complete cluster.

        Parameters
        ----------
        cluster : Cluster

        Returns
        -------
        list of ScoredCandidate
            Events and rejected candidates.
        """
        groups = group_bursts(cluster.bursts)
        contractions, others = find_contractions(groups, cluster.runs, self.settings.movement)
        limit_ns = cluster.offset_ns + LINK_NS
        found: list[ScoredCandidate] = []
        explained: set[int] = set()  # episodes that a candidate with EMG accounts for
        for contraction in contractions:
            parts, of_parts = self._bursts(contraction.groups, cluster.episodes, limit_ns)
            jerks = [part for part in parts if part.kind == "jerk"]
            rest = [contraction]
            if jerks:  # they are events of their own, beside what is left of the contraction
                left = groups_outside(contraction.groups, jerks)
                rest, loose = find_contractions(left, cluster.runs, self.settings.movement)
                others += loose
                found += jerks
                explained |= of_parts
            for part in rest:
                whole, moved = self._contraction(part, cluster.episodes, limit_ns)
                explained |= moved | of_parts if whole.reason else moved
                split = tuple(p for p in parts if p.kind != "jerk") if len(parts) > 1 else ()
                found.append(replace(whole, features=part.features(), parts=split))
        others.sort(key=lambda group: group[0].onset_ns)
        found = _merge_posture_changes(found)
        short, of_short = self._bursts(others, cluster.episodes, limit_ns)
        explained |= of_short
        found += short
        found += [self._episode(e) for i, e in enumerate(cluster.episodes) if i not in explained]
        return found

    # -- half a second and longer -----------------------------------------------

    def _contraction(
        self, contraction: Contraction, episodes: list[AccEpisode], limit_ns: int
    ) -> tuple[ScoredCandidate, set[int]]:
        """Classify a contraction; return it and the episodes that it explains."""
        rule = self.settings.movement
        longest, best = contraction.longest, contraction.best
        onset_ns, offset_ns = contraction.onset_ns, contraction.offset_ns
        reason = hard_artifact(longest, self.settings)
        if reason:  # a simultaneous movement is a candidate of its own
            return self._with_emg(
                best, "movement", reason, NAN, onset_ns=onset_ns, offset_ns=offset_ns,
                amplitude_uv=contraction.amplitude_uv,
            ), set()  # fmt: skip
        explained = _overlapping(episodes, onset_ns, offset_ns)
        moved = [episodes[i] for i in sorted(explained)]
        seen = self.sensors.response(onset_ns, offset_ns + MOVEMENT_LAG_NS, limit_ns)
        peak_g = max([e.peak_g for e in moved] + ([seen.peak_g] if seen else []), default=NAN)
        jerk_g_s = max([e.jerk_g_s for e in moved] + ([seen.jerk_g_s] if seen else []), default=NAN)
        turn_deg = max((e.turn_deg for e in moved if not np.isnan(e.turn_deg)), default=0.0)
        duration_s = max([contraction.duration_s] + [e.duration_s for e in moved])
        if not moved:
            reason = self._still_artifact(best) or self._still_artifact(longest)
            if not reason and seen is not None and longest.log_frequency > np.log(MAX_MUSCLE_HZ):
                reason = "noise_floor"
        if turn_deg >= rule.turn_deg:
            kind = "posture_change"
            # it lasts while the leg moves: the muscle may be tense long before and after
            turning = [e for e in moved if e.turn_deg >= rule.turn_deg]
            onset_ns = min(e.onset_ns for e in turning)
            offset_ns = max(e.offset_ns for e in turning)
        elif duration_s > rule.max_s:
            kind = "gross_movement"
            moving_s = sum(e.duration_s for e in moved)
            long = contraction.duration_s > rule.max_s
            if seen is not None and long and moving_s < rule.acc_gross_s:
                reason = reason or "sustained_activity"
        else:
            kind = "movement"
            if contraction.excess_uv < rule.fall_uv:
                reason = reason or "weak_contraction"
        # the movement model gives the confidence of movements
        confidence = NAN
        if kind == "posture_change":
            confidence = _margin(contraction.excess_uv / rule.rise_uv)
        return self._with_emg(
            best, kind, reason, confidence, onset_ns=onset_ns, offset_ns=offset_ns,
            amplitude_uv=contraction.amplitude_uv, peak_g=peak_g, jerk_g_s=jerk_g_s,
        ), explained  # fmt: skip

    def _still_artifact(self, burst: Burst) -> str:
        """Return the artefact of a burst without movement of the leg, or an empty string."""
        artifact = hard_artifact(burst, self.settings)
        return artifact or ("electrode_pop" if is_electrode_artifact(burst) else "")

    # -- shorter than half a second ---------------------------------------------------

    def _bursts(
        self, groups: list[list[Burst]], episodes: list[AccEpisode], limit_ns: int
    ) -> tuple[list[ScoredCandidate], set[int]]:
        """Classify groups of bursts; return them and the episodes that they explain.

        Bursts with short pauses are one jerk if, taken together, they moved the leg.
        """
        found: list[ScoredCandidate] = []
        explained: set[int] = set()

        def respond(row: list[list[Burst]]) -> tuple[BurstTrain, AccResponse | None]:
            train = BurstTrain.of(row)
            return train, train_response(train, self.sensors, limit_ns, self.settings.jerk)

        def add_jerk(train: BurstTrain, seen: AccResponse | None) -> bool:
            jerk = None if seen is None else self._jerk(train, seen, episodes)
            if jerk is None:
                return False
            found.append(jerk[0])
            explained.update(jerk[1])
            return True

        for linked in split_by_gap(groups, TRAIN_NS):
            if len(linked) > 1 and add_jerk(*respond(linked)):
                continue
            for row in split_by_gap(linked, DOUBLET_NS):
                if 1 < len(row) < len(linked) and add_jerk(*respond(row)):
                    continue
                for group in merge_doublets(row):
                    train, seen = respond([group])
                    if not add_jerk(train, seen):
                        candidate, moved = self._short_burst(train, seen, episodes)
                        explained |= moved
                        found.append(candidate)
        return found, explained

    def _jerk(
        self, train: BurstTrain, seen: AccResponse, episodes: list[AccEpisode]
    ) -> tuple[ScoredCandidate, set[int]] | None:
        """Return the jerk that some bursts are, and the episodes that it explains; or None."""
        jerk = self.settings.jerk
        turn_deg = _greatest_turn(episodes, *train.window(jerk))
        if not moved_leg(train, seen, turn_deg, jerk) or not within_jerk_limits(
            train, self.settings
        ):
            return None
        probability = self.classifier.jerk(train, seen)
        if probability < min_probability(train.whole, seen, jerk):
            return None
        candidate = self._with_emg(
            train.whole, "jerk", "", probability, peak_g=seen.peak_g, jerk_g_s=seen.jerk_g_s,
            grade=jerk_grade(seen.peak_g, seen.jerk_g_s, jerk),
        )  # fmt: skip
        # a jerk may end in another position of the leg: a posture change beside it
        return candidate, {
            i
            for i in _overlapping(episodes, seen.onset_ns, seen.offset_ns)
            if not episodes[i].turn_deg >= jerk.max_turn_deg
        }

    def _short_burst(
        self, train: BurstTrain, seen: AccResponse | None, episodes: list[AccEpisode]
    ) -> tuple[ScoredCandidate, set[int]]:
        """Classify the bursts of several channels that are one activity and no jerk."""
        best, duration_ms = train.whole, train.longest_ms
        jerk, twitch = self.settings.jerk, self.settings.twitch
        first_ns, last_ns = train.window(jerk)
        peak_g, jerk_g_s = (seen.peak_g, seen.jerk_g_s) if seen else (NAN, NAN)
        turn_deg = _greatest_turn(episodes, first_ns, last_ns)
        short = duration_ms <= max_duration_ms(twitch) and turn_deg < twitch.max_turn_deg
        kind = "twitch" if short else "brief_contraction"
        reason = short_artifact(best, self.settings)
        if (
            not reason
            and not moved_leg(train, seen, turn_deg, jerk)
            and is_electrode_artifact(best)
        ):
            reason = "electrode_pop"
        if not reason:
            reason = limit_reason(best, duration_ms, self.settings)
        elif reason == "electrode_pop" and best.amplitude_uv < min_amplitude_uv(best, twitch):
            reason = "too_small"  # the classifier may overrule electrode_pop but applies no limit
        explained: set[int] = set()
        if not reason and seen is not None and peak_g < jerk.min_g:
            # the small movement that a twitch makes is part of the twitch
            explained = _overlapping(episodes, first_ns, last_ns, longest_s=jerk.max_episode_s)
        # the confidence follows from the burst model
        candidate = self._with_emg(best, kind, reason, NAN, peak_g=peak_g, jerk_g_s=jerk_g_s)
        return candidate, explained

    # -- acceleration without EMG -----------------------------------------------------

    def _episode(self, episode: AccEpisode) -> ScoredCandidate:
        """Classify an episode that no candidate with EMG explains."""
        movement = self.settings.movement
        turn_deg = float(np.nan_to_num(episode.turn_deg))
        confidence = _margin(episode.threshold_ratio)
        turned = turn_deg / movement.turn_deg
        if turned >= 1:
            return self._acc_only(episode, "posture_change", "", _margin(turned))
        usable = self.sensors.emg_usable(episode.onset_ns)
        jerk = None if usable else acc_jerk(episode, self.settings.jerk)
        if jerk is not None and not self.sensors.emg_shows_jerks(episode.onset_ns):
            return self._acc_only(jerk, "jerk", "", acc_jerk_confidence(jerk) * confidence)
        # a leg that lies as before has only moved itself; with a silent muscle, the body moved it
        of_body = usable or turn_deg >= self.settings.twitch.max_turn_deg
        if episode.duration_s > movement.max_s or (
            of_body and episode.duration_s >= movement.acc_gross_s
        ):
            return self._acc_only(episode, "gross_movement", "", confidence)
        if usable or jerk is not None:
            return self._acc_only(episode, "movement", "bump", NAN)
        if episode.duration_s >= movement.min_s:
            return self._acc_only(episode, "movement", "", ONE_SENSOR * confidence)
        return self._acc_only(episode, "movement", "acc_micro_event", NAN)

    # -- rows ------------------------------------------------------------------------

    def _with_emg(
        self,
        burst: Burst,
        kind: str,
        reason: str,
        confidence: float,
        *,
        peak_g: float = NAN,
        jerk_g_s: float = NAN,
        onset_ns: int | None = None,
        offset_ns: int | None = None,
        amplitude_uv: float | None = None,
        grade: str = "",
    ) -> ScoredCandidate:
        return ScoredCandidate(
            burst.onset_ns if onset_ns is None else onset_ns,
            burst.offset_ns if offset_ns is None else offset_ns,
            kind,
            self.leg,
            burst.channel,
            burst.amplitude_uv if amplitude_uv is None else amplitude_uv,
            peak_g,
            jerk_g_s if self.judges_change else NAN,
            burst.rise_ms,
            burst.snr_db,
            NAN if reason else confidence,
            grade,
            reason,
            burst.peak_ns,
            burst.number,
            burst.waveform,
            burst.waveform_features,
        )

    def _acc_only(
        self, episode: AccEpisode, kind: str, reason: str, confidence: float
    ) -> ScoredCandidate:
        grade = ""
        if kind == "jerk":
            grade = jerk_grade(episode.peak_g, episode.jerk_g_s, self.settings.jerk)
        return ScoredCandidate(
            episode.onset_ns,
            episode.offset_ns,
            kind,
            self.leg,
            episode.channel,
            peak_g=episode.peak_g,
            jerk_g_s=episode.jerk_g_s if self.judges_change else NAN,
            confidence=confidence,
            grade=grade,
            reason=reason,
        )


def _overlapping(
    episodes: Sequence[AccEpisode], first_ns: int, last_ns: int, longest_s: float = float("inf")
) -> set[int]:
    """Return the indices of the episodes that overlap an interval and are not too long."""
    return {
        i
        for i, e in enumerate(episodes)
        if e.onset_ns <= last_ns and e.offset_ns >= first_ns and e.duration_s <= longest_s
    }


def _greatest_turn(episodes: Sequence[AccEpisode], first_ns: int, last_ns: int) -> float:
    turns = [episodes[i].turn_deg for i in _overlapping(episodes, first_ns, last_ns)]
    return max([0.0, *(turn for turn in turns if not isnan(turn))])


def _merge_posture_changes(candidates: list[ScoredCandidate]) -> list[ScoredCandidate]:
    """Merge the posture changes that overlap."""
    found: list[ScoredCandidate] = []
    last = -1  # index in `found` of the last posture change
    for c in sorted(candidates, key=lambda c: c.onset_ns):
        is_turn = c.kind == "posture_change" and not c.reason
        if is_turn and last >= 0 and c.onset_ns <= found[last].offset_ns:
            found[last] = _merged(found[last], c)
            continue
        found.append(c)
        if is_turn:
            last = len(found) - 1
    return found


def _merged(a: ScoredCandidate, b: ScoredCandidate) -> ScoredCandidate:
    """Return two posture changes as one, described by the larger."""
    larger = max(a, b, key=lambda c: c.amplitude_uv)
    return replace(
        larger,
        onset_ns=min(a.onset_ns, b.onset_ns),
        offset_ns=max(a.offset_ns, b.offset_ns),
        peak_g=max(a.peak_g, b.peak_g),
        jerk_g_s=max(a.jerk_g_s, b.jerk_g_s),
        confidence=max(a.confidence, b.confidence),
        parts=a.parts + b.parts,
    )


def _margin(ratio: float) -> float:
    """Return a confidence for the ratio of a value to its threshold: 0.5 at 1, towards 1 [E]."""
    return float(1 - 0.5 * np.exp(-max(0.0, ratio - 1)))
