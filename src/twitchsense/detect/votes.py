"""Rules that need a candidate's neighbours: rhythm, company, ring-down.

All are functions of the findings and the per-second table, applied when the
night is over, so that they can look both ways and never depend on chunking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.alike import Likeness
from twitchsense.detect.detection import Seconds
from twitchsense.detect.finding import NAN, Finding
from twitchsense.dsp.heart import Beat
from twitchsense.recording import NS
from twitchsense.settings import Settings

SHORT_KINDS = ("twitch", "brief_contraction")
LARGE_KINDS = ("gross_movement", "posture_change")
#: Reasons of candidates that a vote may still name better.
LIKE_MUSCLE = ("", "too_small", "too_short")
LIKE_BEATS = (*LIKE_MUSCLE, "electrode_pop")
#: What is no activity of the person, however much of it there is.
FOREIGN = ("ecg", "electrode_pop", "mains", "saturation")
#: This many pops this near, and a candidate between them is one of them [E].
CRACKLE_LEAST, CRACKLE_S = 2, 0.6
#: A row of this many candidates with gaps this short is driven: tonic, or voluntary [E].
ROW_GAP_S, ROW_LEAST = 0.35, 6
#: So is a unit that comes back this often within these seconds to either side [E].
UNIT_ALIKE, UNIT_SIZE, UNIT_LEAST, UNIT_S = 0.8, 1.7, 6, 2.5
#: This many candidates in those five seconds are a crowd: tonic firing of several
#: units. A twitch can only be told from it if it is this much larger [E].
CROWD, OUTSTANDING = 8, 2.0
#: The minute around an event is active wake above this share of activity (AVID idea, 6.4).
ACTIVE_SHARE, ACTIVE_S = 0.2, 30.0
#: The envelope's window makes each candidate that much longer there than it is.
FLANKS_S = 0.02
#: Heart beats: alike in shape, in size, and regular over this long (section 1.6).
BEAT_ALIKE, BEAT_SIZE, BEAT_AROUND_S, BEAT_LEAST = 0.75, 2.0, 12.0, 8
BEAT_RANGE_S, BEAT_REGULAR, BEAT_SHARE = (0.4, 1.6), 0.15, 0.75
#: What is left where a known beat was taken out is less than this part of it [E],
#: and this near.
LEFT_SIZE, BEAT_REACH_NS = 0.35, 50_000_000
#: A beat that another channel hides is no larger than the others by this much.
HIDDEN_SIZE = 1.3
#: So many may be missing in a row, and so near to one is the same one.
MISSED_MOST, SAME_BEAT_S = 6, 0.04
#: What comes this soon after a beat may be a wave of it.
BEAT_WAVES_S = 0.45
#: A beat is no longer than the others by more than this: more is a beat and something else.
BEAT_LONGER_S = 0.06


def vote(
    findings: list[Finding],
    seconds: Mapping[str, Seconds],
    beats: Mapping[str, list[tuple[int, Beat]]],
    settings: Settings,
) -> list[Finding]:
    """Return the findings with the neighbours' rules applied.

    Parameters
    ----------
    findings : list of Finding
    seconds : mapping of channel to Seconds
    beats : mapping of channel to list of (ns, Beat)
        Heart beats that the canceller knew, in order of time.
    settings : Settings
    """
    findings = sorted(findings, key=lambda f: (f.onset_ns, f.offset_ns, f.channel, f.kind))
    for i in _left_of_beats(findings, beats):
        findings[i] = replace(findings[i], reason="ecg", confidence=NAN, grade="")
    for rule, may_change in RULES:
        for i, reason in rule(findings, seconds, settings).items():
            if findings[i].reason in may_change:
                findings[i] = replace(findings[i], reason=reason, confidence=NAN, grade="")
    return findings


def _by_channel(
    findings: list[Finding], kinds: tuple[str, ...], reasons: tuple[str, ...]
) -> dict[str, list[int]]:
    """Return the indices of findings with a waveform, per channel."""
    table: dict[str, list[int]] = {}
    for i, f in enumerate(findings):
        if f.kind in kinds and f.shape is not None and f.reason in reasons:
            table.setdefault(f.channel, []).append(i)
    return table


def _likeness(findings: list[Finding], members: list[int]) -> Likeness:
    chosen = [findings[i] for i in members]
    return Likeness(
        np.stack([f.shape for f in chosen]).astype(np.float64),  # type: ignore[misc]
        np.array([f.onset_ns for f in chosen]) / NS,
        np.maximum([f.amplitude_uv for f in chosen], 1e-6),
        np.array([f.offset_ns - f.onset_ns for f in chosen]) / NS,
    )


def _left_of_beats(
    findings: list[Finding], beats: Mapping[str, list[tuple[int, Beat]]]
) -> list[int]:
    """Find what a beat left behind, and beats that came before the heart was known."""
    found = []
    for name, known in beats.items():
        times = np.array([t for t, _ in known])
        for i, f in enumerate(findings):
            if f.channel != name or f.kind not in SHORT_KINDS or f.reason not in LIKE_BEATS:
                continue
            first = np.searchsorted(times, f.onset_ns - BEAT_REACH_NS)
            last = np.searchsorted(times, f.offset_ns + BEAT_REACH_NS)
            sizes = [b.size_uv * (LEFT_SIZE if b.removed else BEAT_SIZE) for _, b in known[first:last]]
            if sizes and f.amplitude_uv < max(sizes):
                found.append(i)
    return found


def _beats(
    findings: list[Finding], _seconds: Mapping[str, Seconds], _settings: Settings
) -> dict[int, str]:
    """Find the heart: candidates whose look-alikes come at a heart's rhythm."""
    votes: dict[int, str] = {}
    for members in _by_channel(findings, (*SHORT_KINDS, "jerk"), LIKE_BEATS).values():
        table = _likeness(findings, members)
        for k, i in enumerate(members):
            alike = table.near(k, BEAT_AROUND_S, score=BEAT_ALIKE, ratio=BEAT_SIZE)
            usual = float(np.median(table.lengths[alike]))
            if _is_heart(table.times[alike]) and table.lengths[k] < usual + BEAT_LONGER_S:
                votes[i] = "ecg"
    return votes


def _other_beats(
    findings: list[Finding], _seconds: Mapping[str, Seconds], _settings: Settings
) -> dict[int, str]:
    """Find the beats that another channel, or another shape, hid among the known ones."""
    votes: dict[int, str] = {}
    beats = [f for f in findings if f.reason == "ecg"]
    known = np.array([f.onset_ns for f in beats]) / NS
    if len(known) < BEAT_LEAST:
        return votes
    sizes = np.array([f.amplitude_uv for f in beats])
    for i, f in enumerate(findings):
        if f.kind not in SHORT_KINDS or f.shape is None or f.reason not in LIKE_BEATS:
            continue
        at = f.onset_ns / NS
        k = int(np.searchsorted(known, at))
        around = known[max(0, k - BEAT_LEAST // 2) : k + BEAT_LEAST // 2]
        usual = float(np.median(sizes[max(0, k - BEAT_LEAST // 2) : k + BEAT_LEAST // 2]))
        if f.amplitude_uv > HIDDEN_SIZE * usual:
            continue
        gaps = np.diff(around)
        gaps = gaps[gaps > BEAT_RANGE_S[0]]
        if not 0 < k < len(known) or len(gaps) < 3:
            continue
        beat = float(np.median(gaps))
        gap = known[k] - known[k - 1]
        missed = round(gap / beat)
        if not (2 <= missed <= MISSED_MOST and around[-1] - around[0] < 2 * BEAT_AROUND_S):
            # the second channel of a known beat
            if min(at - known[k - 1], known[k] - at) < SAME_BEAT_S:
                votes[i] = "ecg"
            continue
        place = (at - known[k - 1]) / (gap / missed)
        if abs(place - round(place)) * gap / missed < BEAT_REGULAR * beat:
            votes[i] = "ecg"
    return votes


def _is_heart(times: NDArray[np.float64]) -> bool:
    if len(times) < BEAT_LEAST:
        return False
    gaps = np.diff(times)
    beat = float(np.median(gaps))
    if not BEAT_RANGE_S[0] <= beat <= BEAT_RANGE_S[1]:
        return False
    # a beat that was missed leaves a gap of two
    beats = np.maximum(1, np.rint(gaps / beat))
    regular = np.abs(gaps / beats - beat) < BEAT_REGULAR * beat
    return bool((regular & (beats <= 3)).mean() >= BEAT_SHARE)


def _trains(
    findings: list[Finding], _seconds: Mapping[str, Seconds], _settings: Settings
) -> dict[int, str]:
    """Find units that fire again and again, and dense rows of whatever shape."""
    votes: dict[int, str] = {}
    for members in _by_channel(findings, SHORT_KINDS, (*LIKE_BEATS, "ecg")).values():
        table = _likeness(findings, members)
        own = np.array([findings[i].reason != "ecg" for i in members])
        unit = np.array([
            len(table.near(k, UNIT_S, score=UNIT_ALIKE, ratio=UNIT_SIZE)) >= UNIT_LEAST
            for k in range(len(members))
        ])  # fmt: skip
        votes.update(
            (i, "rhythmic_train") for i, driven in zip(members, unit, strict=True) if driven
        )
        breaks = np.flatnonzero(np.diff(table.times) > ROW_GAP_S) + 1
        for row in np.split(np.arange(len(members)), breaks):
            if own[row].sum() >= ROW_LEAST:  # beats may lie between
                votes.update((members[k], "rhythmic_train") for k in row)
        # in a crowd of candidates, of whatever shape, only what stands out is told from it
        first = np.searchsorted(table.times, table.times - UNIT_S)
        last = np.searchsorted(table.times, table.times + UNIT_S, side="right")
        for k, i in enumerate(members):
            near = slice(first[k], last[k])
            sizes = table.sizes[near][own[near]]
            if len(sizes) >= CROWD and table.sizes[k] < OUTSTANDING * np.median(sizes):
                votes[i] = "rhythmic_train"
    return votes


def _active(
    findings: list[Finding], seconds: Mapping[str, Seconds], _settings: Settings
) -> dict[int, str]:
    """Find candidates in a minute that is full of activity of the same sensor."""
    members: dict[str, list[int]] = {}
    for i, f in enumerate(findings):
        if f.kind in (*SHORT_KINDS, "jerk"):
            members.setdefault(f.channel, []).append(i)
    votes: dict[int, str] = {}
    for name, those in members.items():
        table = seconds[name]
        middle = table.time_ns / NS + table.length_s / 2
        weight = table.length_s.copy()
        if not table.vector.size:  # EMG; an accelerometer's large movements are what it counts
            weight *= ~_inside(middle, findings)
        busy = np.concatenate([[0.0], np.cumsum(table.busy * weight, dtype=np.float64)])
        length = np.concatenate([[0.0], np.cumsum(weight, dtype=np.float64)])
        times = np.array([findings[i].onset_ns for i in those]) / NS
        first = np.searchsorted(middle, times - ACTIVE_S)
        last = np.searchsorted(middle, times + ACTIVE_S)
        own = np.array([(findings[i].offset_ns - findings[i].onset_ns) / NS for i in those])
        if not table.vector.size:
            own = own + _foreign_s(findings, times)
        share = (busy[last] - busy[first] - own) / np.maximum(length[last] - length[first], 1.0)
        for i, value in zip(those, share.tolist(), strict=True):
            if value > ACTIVE_SHARE:
                votes[i] = "active_wake"
    return votes


def _foreign_s(findings: list[Finding], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the seconds that are no muscle's in the minute around each time."""
    alien = [f for f in findings if f.reason in FOREIGN and f.shape is not None]
    at = np.array([f.onset_ns for f in alien]) / NS
    length = np.array([(f.offset_ns - f.onset_ns) / NS + FLANKS_S for f in alien])
    total = np.concatenate([[0.0], np.cumsum(length)])
    first = np.searchsorted(at, times - ACTIVE_S)
    last = np.searchsorted(at, times + ACTIVE_S)
    return np.asarray(total[last] - total[first], np.float64)


def _inside(times: NDArray[np.float64], findings: list[Finding]) -> NDArray[np.bool_]:
    """Whether times lie in a large movement: known activity, that ends with itself."""
    large = [f for f in findings if f.kind in LARGE_KINDS and not f.reason]
    inside = np.zeros(len(times), bool)
    for f in large:
        inside |= (times > f.onset_ns / NS - 1) & (times < f.offset_ns / NS + 1)
    return inside


def _pops(
    findings: list[Finding], _seconds: Mapping[str, Seconds], _settings: Settings
) -> dict[int, str]:
    """Find candidates in the company of pops: a loose electrode crackles."""
    votes: dict[int, str] = {}
    pops: dict[str, list[float]] = {}
    beats = np.array([f.onset_ns / NS for f in findings if f.reason == "ecg"])
    for f in findings:
        if f.reason == "electrode_pop" and not _follows(f.onset_ns / NS, beats):
            pops.setdefault(f.channel, []).append(f.onset_ns / NS)
    for name, members in _by_channel(findings, SHORT_KINDS, LIKE_MUSCLE).items():
        times = np.array(pops.get(name, []))
        for i in members:
            at = findings[i].onset_ns / NS
            near = np.searchsorted(times, [at - CRACKLE_S, at + CRACKLE_S])
            if near[1] - near[0] >= CRACKLE_LEAST:
                votes[i] = "electrode_pop"
    return votes


def _follows(at: float, beats: NDArray[np.float64]) -> bool:
    """Whether a time lies in the second half of a beat, that makes waves of its own."""
    k = int(np.searchsorted(beats, at, side="right"))
    return k > 0 and at - float(beats[k - 1]) < BEAT_WAVES_S


def _ring_down(
    findings: list[Finding], _seconds: Mapping[str, Seconds], settings: Settings
) -> dict[int, str]:
    """Find jerks seen by the accelerometer alone just after another jerk."""
    votes: dict[int, str] = {}
    last: dict[str, int] = {}
    for i, f in enumerate(findings):
        if f.kind != "jerk" or f.reason:
            continue
        dead_ns = settings.jerk.dead_ms * 1_000_000
        if f.shape is None and f.leg in last and f.onset_ns - last[f.leg] < dead_ns:
            votes[i] = "dead_time"
        else:
            last[f.leg] = f.onset_ns
    return votes


#: In this order, with the reasons that each may change. Beats come first: a heart
#: must not pass for a crackling electrode.
RULES = (
    (_beats, LIKE_BEATS),
    (_other_beats, LIKE_BEATS),
    (_pops, LIKE_MUSCLE),
    (_trains, LIKE_MUSCLE),
    (_active, LIKE_MUSCLE),
    (_ring_down, LIKE_MUSCLE),
)
