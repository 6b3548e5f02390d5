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
#: The minute around an event is active wake above this share of activity (AVID idea, 6.4).
ACTIVE_SHARE, ACTIVE_S = 0.2, 30.0
#: The envelope's window makes each candidate that much longer there than it is.
FLANKS_S = 0.02
#: Heart beats: alike in shape, in size, and regular over this long (section 1.6).
BEAT_ALIKE, BEAT_SIZE, BEAT_AROUND_S, BEAT_LEAST = 0.75, 2.0, 12.0, 8
BEAT_RANGE_S, BEAT_REGULAR, BEAT_SHARE = (0.4, 1.6), 0.15, 0.75
#: A beat is no longer than the others by more than this: more is a beat and something else.
BEAT_LONGER_S = 0.06


def vote(
    findings: list[Finding], seconds: Mapping[str, Seconds], settings: Settings
) -> list[Finding]:
    """Return the findings with the neighbours' rules applied."""
    findings = sorted(findings, key=lambda f: (f.onset_ns, f.offset_ns, f.channel, f.kind))
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
    for members in _by_channel(findings, SHORT_KINDS, LIKE_MUSCLE).values():
        table = _likeness(findings, members)
        unit = np.array([
            len(table.near(k, UNIT_S, score=UNIT_ALIKE, ratio=UNIT_SIZE)) >= UNIT_LEAST
            for k in range(len(members))
        ])  # fmt: skip
        votes.update(
            (i, "rhythmic_train") for i, driven in zip(members, unit, strict=True) if driven
        )
        breaks = np.flatnonzero(np.diff(table.times) > ROW_GAP_S) + 1
        for row in np.split(np.arange(len(members)), breaks):
            if len(row) >= ROW_LEAST and unit[row].mean() < 0.5:
                votes.update((members[k], "rhythmic_train") for k in row)
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
    for f in findings:
        if f.reason == "electrode_pop":
            pops.setdefault(f.channel, []).append(f.onset_ns / NS)
    for name, members in _by_channel(findings, SHORT_KINDS, LIKE_MUSCLE).items():
        times = np.array(pops.get(name, []))
        for i in members:
            at = findings[i].onset_ns / NS
            near = np.searchsorted(times, [at - CRACKLE_S, at + CRACKLE_S])
            if near[1] - near[0] >= CRACKLE_LEAST:
                votes[i] = "electrode_pop"
    return votes


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
    (_pops, LIKE_MUSCLE),
    (_trains, LIKE_MUSCLE),
    (_active, LIKE_MUSCLE),
    (_ring_down, LIKE_MUSCLE),
)
