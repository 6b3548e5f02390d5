"""The rules of level 1: what a cluster physically is, without regard to sleep.

Tested in the order of docs/definitions.md, Kinds of event. Every candidate of the
cluster ends in a finding of its own or as part of another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from twitchsense.detect.boosted_trees import LEAST
from twitchsense.detect.burst_grouping import (
    Contraction,
    contractions,
    group_bursts,
    join_pairs,
    span,
    volleys,
)
from twitchsense.detect.clustering import LINK_NS, Cluster
from twitchsense.detect.jerk_model import judge_jolt
from twitchsense.detect.response import Response
from twitchsense.model.candidates import NAN, AccEpisode, Burst, ScoredCandidate
from twitchsense.settings import Settings

MS = 1_000_000
#: More of its power than this below the burst band, or on the mains lines, and a
#: burst is not muscle (docs/definitions.md, ECG and artefacts).
SLOW_LIMIT, MAINS_LIMIT = 0.5, 0.5
#: Nor is it when its shape is more likely a bad contact's than this; bad contacts
#: are the rarer of the two [E].
CONTACT_LIMIT = 0.9
#: With so much of its power below the burst band, what coincides with a movement is a
#: cable that swings; jerks have less than half of this [E].
SWING = 0.8
#: A burst of this impulse is no single unit's: the leg may have moved until SURE_LAG_MS
#: after its onset, or a knock have come before [E, docs/accuracy.md].
SURE_IMPULSE_UVS, SURE_LAG_MS = 10.0, 200.0
#: Muscle at the skin sounds lower than this: of 2607 contractions of real muscle (benchmarks/
#: verdict.py, tuning side) none had more than 167 Hz; white noise has 214. What moves the leg
#: is muscle, however it sounds.
HISS_HZ = 180.0
#: Noise alone reaches nine times its RMS from peak to peak once in a night.
CHANCE_SIZE = 10.0
#: Where one of the two sensors is missing, a jerk is at most this certain
#: (docs/definitions.md, Jerks).
ONE_SENSOR = 0.5


class Senses(Protocol):
    """What the rules may ask the sensors of the leg."""

    def response(self, first_ns: int, last_ns: int, limit_ns: int) -> Response | None:
        """Return the movement between two times; None without an accelerometer."""
        ...

    def has_emg(self, time_ns: int) -> bool:
        """Whether a usable EMG channel covers that time."""
        ...

    def shows_jerks(self, time_ns: int) -> bool:
        """Whether an EMG channel covers that time that would show a jerk, if nothing less."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """Decides clusters of one leg.

    Attributes
    ----------
    settings : Settings
    senses : Senses
    leg : str
        ``left``, ``right`` or empty.
    """

    settings: Settings
    senses: Senses
    leg: str

    def decide(self, cluster: Cluster) -> list[ScoredCandidate]:
        """Turn a complete cluster into findings."""
        groups = group_bursts(cluster.bursts)
        long, rest = contractions(groups, cluster.runs, self.settings.movement)
        limit_ns = _end_ns(cluster) + LINK_NS
        findings: list[ScoredCandidate] = []
        used: set[int] = set()
        for contraction in long:
            whole = self._contraction(contraction, cluster.episodes, used, limit_ns)
            claimed = used if whole.reason else set(used)
            parts = self._bursts(contraction.groups, cluster.episodes, claimed, limit_ns)
            whole = replace(whole, features=contraction.texture())
            findings.append(replace(whole, parts=tuple(parts) if len(parts) > 1 else ()))
        findings = _turned_once(findings)
        findings += self._bursts(rest, cluster.episodes, used, limit_ns)
        for i, episode in enumerate(cluster.episodes):
            if i not in used:
                findings.append(self._episode(episode))
        return findings

    # -- half a second and longer -----------------------------------------------

    def _contraction(
        self, long: Contraction, episodes: list[AccEpisode], used: set[int], limit_ns: int
    ) -> ScoredCandidate:
        rule = self.settings.movement
        reason = self._artefact(long.longest, True)
        if reason:  # what the leg does meanwhile stands on its own
            return self._finding(
                long.best, "movement", reason, NAN, onset_ns=long.onset_ns,
                offset_ns=long.offset_ns, amplitude_uv=long.amplitude_uv,
            )  # fmt: skip
        moved = self._claim(episodes, used, long.onset_ns, long.offset_ns)
        seen = self.senses.response(long.onset_ns, long.offset_ns + 150 * MS, limit_ns)
        peak_g = max([e.peak_g for e in moved] + ([seen.peak_g] if seen else []), default=NAN)
        jerk = max([e.jerk_g_s for e in moved] + ([seen.jerk_g_s] if seen else []), default=NAN)
        turn = max((e.turn_deg for e in moved if not np.isnan(e.turn_deg)), default=0.0)
        lasting = max([long.duration_s] + [e.duration_s for e in moved])
        onset_ns, offset_ns, reason = long.onset_ns, long.offset_ns, ""
        if not moved:
            reason = self._artefact(long.best, False) or self._artefact(long.longest, False)
            if not reason and seen is not None and long.longest.log_frequency > np.log(HISS_HZ):
                reason = "noise_floor"
        if turn >= rule.turn_deg:
            kind = "posture_change"
            # it lasts as long as the leg moves: muscle may be tense before and for long after
            turning = [e for e in moved if e.turn_deg >= rule.turn_deg]
            onset_ns = min(e.onset_ns for e in turning)
            offset_ns = max(e.offset_ns for e in turning)
        elif lasting > rule.max_s:
            kind = "gross_movement"
            swayed = sum(e.duration_s for e in moved)
            if seen is not None and long.duration_s > rule.max_s and swayed < rule.acc_gross_s:
                reason = reason or "sustained_activity"
        else:
            kind = "movement"
            if long.excess_uv < rule.fall_uv:
                reason = reason or "weak_contraction"
        sure = _more(long.excess_uv / rule.rise_uv) * (1.0 if moved else 0.8)
        return self._finding(
            long.best, kind, reason, sure, onset_ns=onset_ns, offset_ns=offset_ns,
            amplitude_uv=long.amplitude_uv, peak_g=peak_g, jerk_g_s=jerk,
        )  # fmt: skip

    # -- shorter -------------------------------------------------------------------

    def _bursts(
        self, groups: list[list[Burst]], episodes: list[AccEpisode], used: set[int], limit_ns: int
    ) -> list[ScoredCandidate]:
        """Decide bursts: a volley that threw the leg is one jerk, however many it holds."""
        findings: list[ScoredCandidate] = []
        for row in volleys(groups):
            if len(row) > 1:
                claimed = set(used)
                whole = self._burst([span(row)], episodes, claimed, limit_ns)
                if whole.kind == "jerk":
                    used |= claimed
                    findings.append(whole)
                    continue
            findings += [self._burst(g, episodes, used, limit_ns) for g in join_pairs(row)]
        return findings

    def _burst(
        self, group: Sequence[Burst], episodes: list[AccEpisode], used: set[int], limit_ns: int
    ) -> ScoredCandidate:
        best = max(group, key=lambda b: (b.snr_db, b.channel))
        ms = best.duration_s * 1000
        rule, twitch = self.settings.jerk, self.settings.twitch
        first = best.onset_ns - round(rule.lead_ms * MS)
        last = best.onset_ns + round(max(rule.lag_ms, ms + 100.0) * MS)
        seen = self.senses.response(first, last, limit_ns)
        peak_g, jerk_g_s = (seen.peak_g, seen.jerk_g_s) if seen else (NAN, NAN)
        thrown = (
            seen is not None and best.low_frequency_share <= SWING and self._is_thrown(best, seen)
        )
        turn = _turn(episodes, first, last)
        sure = _more(best.threshold_ratio) * _more(best.amplitude_uv / max(twitch.min_uv, 1.0))
        if (
            seen is not None
            and thrown
            and rule.min_ms <= ms <= rule.max_ms
            and best.rise_ms <= rule.max_rise_ms
            and best.amplitude_uv >= self._least_uv(best)
            and _impulse(best) >= rule.min_impulse_uvs
            and turn < rule.max_turn_deg
            and not best.saturated
            and (likely := judge_jolt(best, seen)) >= LEAST
        ):
            self._claim(episodes, used, seen.onset_ns, seen.offset_ns)
            return self._finding(
                best, "jerk", "", likely, peak_g=peak_g, jerk_g_s=jerk_g_s,
                grade=self._grade(peak_g, jerk_g_s),
            )  # fmt: skip
        reason = self._artefact(best, thrown)
        short = ms <= twitch.max_ms + twitch.slack_ms and turn < twitch.max_turn_deg
        kind = "twitch" if short else "brief_contraction"
        if not reason:
            reason = self._too_little(best, ms)
        elif reason == "electrode_pop" and best.amplitude_uv < self._least_uv(best):
            reason = "too_small"  # the verdict, which may overrule the other, knows no limit
        if not reason and seen is not None and peak_g < rule.min_g:
            # the small movement that a twitch makes is part of the twitch
            self._claim(episodes, used, first, last, longest_s=rule.max_episode_s)
        sure *= 1.0 if seen is not None else 0.9
        return self._finding(best, kind, reason, sure, peak_g=peak_g, jerk_g_s=jerk_g_s)

    def _is_thrown(self, burst: Burst, seen: Response) -> bool:
        """Whether the leg answered the burst as a jerk does."""
        rule = self.settings.jerk
        lag_ms = (seen.onset_ns - burst.onset_ns) / MS
        # a burst that must have thrown the leg did so, even if a knock came before
        sure = _impulse(burst) >= SURE_IMPULSE_UVS
        in_time = -rule.lead_ms <= lag_ms <= rule.lag_ms or (sure and lag_ms <= SURE_LAG_MS)
        return (
            seen.peak_g >= rule.min_g
            and seen.jerk_g_s >= rule.min_jerk_g_s
            and in_time
            and (seen.offset_ns - seen.onset_ns) / 1e9 <= rule.max_episode_s
        )

    def _too_little(self, burst: Burst, ms: float) -> str:
        if ms < self.settings.twitch.min_ms:
            return "too_short"
        if burst.amplitude_uv < self._least_uv(burst):
            return "too_small"
        if ms >= self.settings.movement.min_s * 1000:
            return "weak_contraction"
        return ""

    def _least_uv(self, burst: Burst) -> float:
        """Return the least size: measuring may take some off it, but noise adds to it."""
        least, slack = self.settings.twitch.min_uv, self.settings.twitch.slack_uv
        return min(least, max(least - slack, CHANCE_SIZE * burst.floor_uv))

    def _artefact(self, burst: Burst, moved: bool) -> str:
        """Return the artefact rule that a burst meets, or nothing."""
        if burst.saturated:
            return "saturation"
        if burst.floor_uv > self.settings.emg.max_floor_uv:
            return "noise_floor"
        if burst.mains_share > MAINS_LIMIT:
            return "mains"
        return "electrode_pop" if not moved and _is_pop(burst) else ""

    # -- acceleration alone -----------------------------------------------------

    def _episode(self, episode: AccEpisode) -> ScoredCandidate:
        jerk, movement = self.settings.jerk, self.settings.movement
        turn = 0.0 if np.isnan(episode.turn_deg) else episode.turn_deg
        sure = _more(episode.threshold_ratio)
        if turn >= movement.turn_deg:
            return self._still(episode, "posture_change", "", _more(turn / movement.turn_deg))
        if episode.duration_s >= movement.acc_gross_s:
            return self._still(episode, "gross_movement", "", sure)
        if self.senses.has_emg(episode.onset_ns):
            return self._still(episode, "movement", "bump", NAN)
        if (
            episode.peak_g >= jerk.min_g_alone
            and episode.jerk_g_s >= jerk.min_jerk_g_s
            and episode.rise_ms <= jerk.lag_ms
            and episode.duration_s <= jerk.max_episode_s
        ):
            if self.senses.shows_jerks(episode.onset_ns):
                return self._still(episode, "movement", "bump", NAN)
            return self._still(episode, "jerk", "", ONE_SENSOR * sure)
        if episode.duration_s >= movement.min_s:
            return self._still(episode, "movement", "", ONE_SENSOR * sure)
        return self._still(episode, "movement", "acc_micro_event", NAN)

    # -- helpers --------------------------------------------------------------------

    def _claim(
        self,
        episodes: list[AccEpisode],
        used: set[int],
        first_ns: int,
        last_ns: int,
        longest_s: float = float("inf"),
    ) -> list[AccEpisode]:
        """Mark the episodes that overlap a time as part of what happened then."""
        found = []
        for i, episode in enumerate(episodes):
            touches = episode.onset_ns <= last_ns and episode.offset_ns >= first_ns
            if touches and episode.duration_s <= longest_s:
                used.add(i)
                found.append(episode)
        return found

    def _grade(self, peak_g: float, jerk_g_s: float) -> str:
        rule = self.settings.jerk
        if peak_g >= rule.violent_g or jerk_g_s >= rule.violent_jerk_g_s:
            return "violent"
        return "moderate" if peak_g >= rule.moderate_g else "mild"

    def _finding(
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
            jerk_g_s,
            burst.rise_ms,
            burst.snr_db,
            NAN if reason else confidence,
            grade,
            reason,
            burst.peak_ns,
            burst.waveform,
            burst.waveform_features,
        )

    def _still(
        self, episode: AccEpisode, kind: str, reason: str, confidence: float
    ) -> ScoredCandidate:
        """Return a finding without EMG."""
        return ScoredCandidate(
            episode.onset_ns,
            episode.offset_ns,
            kind,
            self.leg,
            episode.channel,
            peak_g=episode.peak_g,
            jerk_g_s=episode.jerk_g_s,
            confidence=confidence,
            grade=self._grade(episode.peak_g, episode.jerk_g_s) if kind == "jerk" else "",
            reason=reason,
        )


def _is_pop(burst: Burst) -> bool:
    """Whether a burst has the spectrum or the shape of a bad contact, not of muscle."""
    return burst.low_frequency_share > SLOW_LIMIT or burst.electrode_probability > CONTACT_LIMIT


def _impulse(burst: Burst) -> float:
    """Return what a burst could move, µV·s: its size times the length of its activity."""
    return burst.amplitude_uv * burst.active_s


def _end_ns(cluster: Cluster) -> int:
    ends = [b.offset_ns for b in cluster.bursts]
    ends += [r.offset_ns for r in cluster.runs]
    ends += [e.offset_ns for e in cluster.episodes]
    return max(ends)


def _turn(episodes: list[AccEpisode], first_ns: int, last_ns: int) -> float:
    turns = [
        e.turn_deg
        for e in episodes
        if e.onset_ns <= last_ns and e.offset_ns >= first_ns and not np.isnan(e.turn_deg)
    ]
    return max(turns, default=0.0)


def _turned_once(findings: list[ScoredCandidate]) -> list[ScoredCandidate]:
    """Return the findings, posture changes that overlap as one."""
    found: list[ScoredCandidate] = []
    turning = -1  # where in `found` the last posture change is
    for f in sorted(findings, key=lambda f: f.onset_ns):
        last = found[turning] if turning >= 0 else None
        if f.kind != "posture_change" or f.reason or last is None or f.onset_ns > last.offset_ns:
            found.append(f)
            if f.kind == "posture_change" and not f.reason:
                turning = len(found) - 1
        else:
            found[turning] = _joined(last, f)
    return found


def _joined(a: ScoredCandidate, b: ScoredCandidate) -> ScoredCandidate:
    """Return two findings as one, named after the larger."""
    larger = max(a, b, key=lambda f: f.amplitude_uv)
    return replace(
        larger,
        onset_ns=min(a.onset_ns, b.onset_ns),
        offset_ns=max(a.offset_ns, b.offset_ns),
        peak_g=max(a.peak_g, b.peak_g),
        jerk_g_s=max(a.jerk_g_s, b.jerk_g_s),
        confidence=max(a.confidence, b.confidence),
        parts=a.parts + b.parts,
    )


def _more(ratio: float) -> float:
    """Certainty from how far a threshold was passed: 0.5 just at it, towards 1 [E]."""
    return float(1 - 0.5 * np.exp(-max(0.0, ratio - 1)))
