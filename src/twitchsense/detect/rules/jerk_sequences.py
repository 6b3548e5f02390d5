"""Rules of the night about several jerks: bursts of one jerk, and the swing after a jerk."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from twitchsense.detect.rules.burst_grouping import TRAIN_NS
from twitchsense.detect.rules.jerk_rule import jerk_grade
from twitchsense.model.candidates import SHORT_KINDS, ScoredCandidate
from twitchsense.settings import Settings


def find_ring_down(candidates: Sequence[ScoredCandidate], settings: Settings) -> set[int]:
    """Return the indices of jerks of the accelerometer alone just after another jerk.

    Parameters
    ----------
    candidates : sequence of ScoredCandidate
        All candidates of a leg, in order of onset.
    settings : Settings

    Returns
    -------
    set of int
    """
    dead_ns = settings.jerk.dead_ms * 1_000_000
    found: set[int] = set()
    last: dict[str, int] = {}
    for i, c in enumerate(candidates):
        if c.kind != "jerk" or c.reason:
            continue
        if not c.has_emg and c.leg in last and c.onset_ns - last[c.leg] < dead_ns:
            found.add(i)
        else:
            last[c.leg] = c.onset_ns
    return found


def join_jerk_trains(
    candidates: Sequence[ScoredCandidate], settings: Settings
) -> list[ScoredCandidate]:
    """Join jerks with EMG and pauses of less than half a second: one event may have many bursts.

    A short event of the leg inside a train is part of it.

    Parameters
    ----------
    candidates : sequence of ScoredCandidate
        All candidates of a leg, in order of onset.
    settings : Settings

    Returns
    -------
    list of ScoredCandidate
    """
    found: list[ScoredCandidate | None] = list(candidates)
    last: dict[str, int] = {}
    for i, c in enumerate(candidates):
        if c.kind != "jerk" or c.reason or not c.has_emg:
            continue
        j = last.get(c.leg)
        before = found[j] if j is not None else None
        if j is not None and before is not None and c.onset_ns - before.offset_ns <= TRAIN_NS:
            found[j], found[i] = _joined_jerks(before, c, settings), None
        else:
            last[c.leg] = i
    merged = [c for c in found if c is not None]
    jerks = [c for c in merged if c.kind == "jerk" and not c.reason and c.has_emg]
    return [c.rejected("absorbed") if _is_inside(c, jerks) else c for c in merged]


def _is_inside(c: ScoredCandidate, jerks: Sequence[ScoredCandidate]) -> bool:
    """Whether a short event begins within one of some jerks, which are in order of onset."""
    if c.kind not in SHORT_KINDS or c.reason:
        return False
    k = bisect_right(jerks, c.onset_ns, key=lambda j: j.onset_ns) - 1
    return k >= 0 and jerks[k].leg == c.leg and c.onset_ns < jerks[k].offset_ns


def _joined_jerks(a: ScoredCandidate, b: ScoredCandidate, settings: Settings) -> ScoredCandidate:
    """Return two jerks as one, described by the stronger."""
    stronger = max(a, b, key=lambda c: c.snr_db)
    peak_g, jerk_g_s = max(a.peak_g, b.peak_g), max(a.jerk_g_s, b.jerk_g_s)
    return replace(
        stronger,
        onset_ns=min(a.onset_ns, b.onset_ns),
        offset_ns=max(a.offset_ns, b.offset_ns),
        peak_g=peak_g,
        jerk_g_s=jerk_g_s,
        rise_ms=a.rise_ms,
        confidence=max(a.confidence, b.confidence),
        grade=jerk_grade(peak_g, jerk_g_s, settings.jerk),
    )
