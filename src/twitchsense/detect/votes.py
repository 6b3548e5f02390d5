"""Rules that need a candidate's neighbours: rhythm, company, ring-down.

All are functions of the findings and the per-second table, applied when the
night is over, so that they can look both ways and never depend on chunking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.detection import Seconds
from twitchsense.detect.finding import NAN, Finding
from twitchsense.recording import NS
from twitchsense.settings import Settings

SHORT_KINDS = ("twitch", "brief_contraction")
LARGE_KINDS = ("gross_movement", "posture_change")
#: Reasons of candidates that a vote may still name better.
LIKE_MUSCLE = ("", "too_small", "too_short")
LIKE_BEATS = (*LIKE_MUSCLE, "electrode_pop")
#: This many pops this near, and a candidate between them is one of them [E].
CRACKLE_LEAST, CRACKLE_S = 2, 0.6
#: A unit firing this densely, this often in a row, is driven: tonic, or voluntary [E].
TRAIN_GAP_S, TRAIN_LEAST = 0.35, 6
#: The minute around an event is active wake above this share of activity (AVID idea, 6.4).
ACTIVE_SHARE, ACTIVE_S = 0.2, 30.0
#: Heart beats: alike in shape, in size, and regular over this long (section 1.6).
BEAT_ALIKE, BEAT_SIZE, BEAT_AROUND_S, BEAT_LEAST = 0.8, 2.0, 12.0, 8
BEAT_RANGE_S, BEAT_REGULAR, BEAT_SHARE = (0.4, 1.6), 0.15, 0.75


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


def _beats(
    findings: list[Finding], _seconds: Mapping[str, Seconds], _settings: Settings
) -> dict[int, str]:
    """Find the heart: candidates whose look-alikes come at a heart's rhythm."""
    votes: dict[int, str] = {}
    for members in _by_channel(findings, SHORT_KINDS, LIKE_BEATS).values():
        times = np.array([findings[i].onset_ns for i in members]) / NS
        size = np.array([findings[i].amplitude_uv for i in members])
        shapes = np.stack([findings[i].shape for i in members])  # type: ignore[misc]
        first = np.searchsorted(times, times - BEAT_AROUND_S)
        last = np.searchsorted(times, times + BEAT_AROUND_S, side="right")
        for k, i in enumerate(members):
            if last[k] - first[k] < BEAT_LEAST:
                continue
            near = slice(first[k], last[k])
            alike = shapes[near] @ shapes[k] > BEAT_ALIKE
            ratio = size[near] / size[k]
            alike &= (ratio < BEAT_SIZE) & (ratio > 1 / BEAT_SIZE)
            if _is_heart(times[near][alike]):
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
    """Find dense trains of twitches."""
    votes: dict[int, str] = {}
    for members in _by_channel(findings, SHORT_KINDS, LIKE_MUSCLE).values():
        times = np.array([findings[i].onset_ns for i in members]) / NS
        breaks = np.flatnonzero(np.diff(times) > TRAIN_GAP_S) + 1
        for train in np.split(np.array(members), breaks):
            if len(train) >= TRAIN_LEAST:
                votes.update(dict.fromkeys(train.tolist(), "rhythmic_train"))
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
        share = (busy[last] - busy[first] - own) / np.maximum(length[last] - length[first], 1.0)
        for i, value in zip(those, share.tolist(), strict=True):
            if value > ACTIVE_SHARE:
                votes[i] = "active_wake"
    return votes


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
