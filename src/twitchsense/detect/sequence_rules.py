"""Rules that need a candidate's neighbours: heart, company, active wake, ring-down.

All are functions of the findings and their surroundings, applied when the night
is over, so that they can look both ways and never depend on chunking.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.classify import (
    judge_movements,
    judge_twitches,
    turn_down_trains,
    turn_knocks_to_twitches,
)
from twitchsense.detect.ecg_rejection import find_beats
from twitchsense.detect.night_context import Surroundings
from twitchsense.model.candidates import SHORT_KINDS, ScoredCandidate
from twitchsense.model.channels import NS
from twitchsense.settings import Settings

LARGE_KINDS = ("gross_movement", "posture_change")
#: A large movement, or none: for that the leg was too still.
STILL = ("", "sustained_activity")
#: What is no activity of the person, however much of it there is; tone is the
#: person's, but does not make the minute one of movement.
FOREIGN = ("ecg", "electrode_pop", "mains", "saturation", "rhythmic_train")
#: The minute around an event is active wake above this share of activity (AVID idea;
#: docs/definitions.md, ECG and artefacts).
ACTIVE_SHARE, ACTIVE_S = 0.2, 30.0
#: Or where the leg itself is on the move for that share: above the still limit of MotionWatch
#: on average over a second.
MOVING_G = 0.1
#: A jerk has such a contraction before and behind it, each as near as this: a step.
STEP_S = 2.0
#: The envelope's window makes each candidate that much longer there than it is.
FLANKS_S = 0.02


def vote(
    findings: list[ScoredCandidate], around: Surroundings, settings: Settings
) -> list[ScoredCandidate]:
    """Return the findings with the neighbours' rules applied.

    Parameters
    ----------
    findings : list of Finding
    around : Surroundings
    settings : Settings
    """
    findings = judge_movements(findings, around)
    findings = sorted(_apart(findings), key=_order)
    for i in find_beats(findings, around.beats):
        findings[i] = findings[i].rejected("ecg")
    findings = turn_knocks_to_twitches(turn_down_trains(findings, around))
    findings = judge_twitches(findings, around)
    for i in sorted(_active(findings, around) | _steps(findings, settings)):
        findings[i] = findings[i].rejected("active_wake")
    for i in _ring_down(findings, settings):
        findings[i] = findings[i].rejected("dead_time")
    return findings


def _order(f: ScoredCandidate) -> tuple[int, int, str, str]:
    return f.onset_ns, f.offset_ns, f.channel, f.kind


def _apart(findings: list[ScoredCandidate]) -> list[ScoredCandidate]:
    """Return the findings, contractions that were turned down with their parts beside them."""
    return findings + [part for f in findings if f.reason for part in f.parts]


def _active(findings: list[ScoredCandidate], around: Surroundings) -> set[int]:
    """Find candidates in a minute that is full of activity of the same sensor."""
    members: dict[str, list[int]] = {}
    for i, f in enumerate(findings):
        # a jerk that muscle and leg show stands; one of the accelerometer alone may be a step
        if f.kind in SHORT_KINDS or (f.kind == "jerk" and f.waveform is None):
            members.setdefault(f.channel, []).append(i)
    found: set[int] = set()
    for name, those in members.items():
        table = around.seconds[name]
        middle = table.middle_s
        weight = table.length_s.copy()
        if table.kind == "emg":  # an accelerometer counts the large movements themselves
            weight *= ~_inside(middle, findings)
        busy = np.concatenate([[0.0], np.cumsum(table.active_fraction * weight, dtype=np.float64)])
        length = np.concatenate([[0.0], np.cumsum(weight, dtype=np.float64)])
        times = np.array([findings[i].onset_ns for i in those]) / NS
        first = np.searchsorted(middle, times - ACTIVE_S)
        last = np.searchsorted(middle, times + ACTIVE_S)
        own = np.array([(findings[i].offset_ns - findings[i].onset_ns) / NS for i in those])
        if table.kind == "emg":
            own = own + _foreign_s(findings, times)
        share = (busy[last] - busy[first] - own) / np.maximum(length[last] - length[first], 1.0)
        share = np.maximum(share, _moving(around, times))
        for i, value in zip(those, share.tolist(), strict=True):
            if value > ACTIVE_SHARE and not findings[i].reason:
                found.add(i)
    return found


def _moving(around: Surroundings, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the minute around each time in which the leg was on the move."""
    share = np.zeros(len(times))
    for table in around.seconds.values():
        if table.kind == "acc":
            middle = table.middle_s
            moved = np.concatenate([[0.0], np.cumsum(table.level > MOVING_G, dtype=np.float64)])
            first = np.searchsorted(middle, times - ACTIVE_S)
            last = np.searchsorted(middle, times + ACTIVE_S)
            seconds = np.maximum(last - first, ACTIVE_S)
            share = np.maximum(share, (moved[last] - moved[first]) / seconds)
    return share


def _steps(findings: list[ScoredCandidate], settings: Settings) -> set[int]:
    """Find jerks that are steps: longer contractions move the leg just before and after.

    Walking and fidgeting hold short bursts; a jerk of a resting leg has rest beside it, or
    other jerks. What is much smaller than the jerk is no step.
    """
    longer: dict[str, list[ScoredCandidate]] = {}
    for f in findings:
        moved = f.waveform is not None and f.peak_g >= settings.jerk.min_g
        if moved and f.kind in ("brief_contraction", "movement"):
            longer.setdefault(f.leg, []).append(f)
    reach = round(STEP_S * NS)
    found: set[int] = set()
    for i, f in enumerate(findings):
        if f.kind != "jerk" or f.reason or f.waveform is None:
            continue
        those = longer.get(f.leg, [])
        first = bisect_left(those, f.onset_ns - reach, key=_onset)
        last = bisect_right(those, f.onset_ns + reach, key=_onset)
        onsets = [g.onset_ns for g in those[first:last] if 2 * g.amplitude_uv >= f.amplitude_uv]
        if onsets and onsets[0] < f.onset_ns < onsets[-1]:
            found.add(i)
    return found


def _onset(f: ScoredCandidate) -> int:
    return f.onset_ns


def _foreign_s(findings: list[ScoredCandidate], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the seconds that are no muscle's in the minute around each time."""
    alien = [f for f in findings if f.reason in FOREIGN and f.waveform is not None]
    at = np.array([f.onset_ns for f in alien]) / NS
    length = np.array([(f.offset_ns - f.onset_ns) / NS + FLANKS_S for f in alien])
    total = np.concatenate([[0.0], np.cumsum(length)])
    first = np.searchsorted(at, times - ACTIVE_S)
    last = np.searchsorted(at, times + ACTIVE_S)
    return np.asarray(total[last] - total[first], np.float64)


def _inside(times: NDArray[np.float64], findings: list[ScoredCandidate]) -> NDArray[np.bool_]:
    """Whether times lie in a large movement, that ends with itself, or in noise that grew."""
    large = [f for f in findings if f.kind in LARGE_KINDS and f.reason in STILL]
    begun = np.sort([f.onset_ns / NS - 1 for f in large])
    over = np.sort([f.offset_ns / NS + 1 for f in large])
    return np.searchsorted(begun, times, "left") > np.searchsorted(over, times, "right")


def _ring_down(findings: list[ScoredCandidate], settings: Settings) -> list[int]:
    """Find jerks seen by the accelerometer alone just after another jerk."""
    found: list[int] = []
    last: dict[str, int] = {}
    for i, f in enumerate(findings):
        if f.kind != "jerk" or f.reason:
            continue
        dead_ns = settings.jerk.dead_ms * 1_000_000
        if f.waveform is None and f.leg in last and f.onset_ns - last[f.leg] < dead_ns:
            found.append(i)
        else:
            last[f.leg] = f.onset_ns
    return found
