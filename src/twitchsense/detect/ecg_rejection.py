"""Heart beats among the candidates.

The canceller takes out a heart that it knows. What is left are the beats before
it knew, the rests of those it took out, and hearts too faint for it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.waveform_similarity import Likeness
from twitchsense.dsp.ecg_canceller import Beat
from twitchsense.dsp.ecg_rhythm import RR_RANGE_S, RR_TOLERANCE, median_rr_interval
from twitchsense.model.candidates import SHORT_KINDS, ScoredCandidate, by_channel
from twitchsense.model.channels import NS

#: Reasons of candidates that may yet be beats.
LIKE_BEATS = ("", "too_small", "too_short", "electrode_pop")
#: Alike in shape, in size, and regular over this long (docs/definitions.md, ECG and artefacts).
BEAT_ALIKE, BEAT_SIZE, BEAT_AROUND_S, BEAT_LEAST = 0.75, 2.0, 12.0, 8
BEAT_LONGEST_S = 1.6
#: What is left where a beat was taken out is surely of it if it is no larger than this
#: many times what usually is left, this near; the verdict weighs what is larger [E].
LEFT_SIZE, BEAT_REACH_NS = 1.0, 50_000_000
#: A beat that another channel hides is no larger than the others by this much.
HIDDEN_SIZE = 1.3
#: So many may be missing in a row, and so near to one is the same one.
MISSED_MOST, SAME_BEAT_S = 6, 0.04
#: A beat is no longer than the others by more than this: more is a beat and something else.
BEAT_LONGER_S = 0.06


class Beats:
    """The beats of a channel, in order of time: a week has a million.

    Attributes
    ----------
    times_ns, left_uv : array
        When each was, and `Beat.residual_uv` of it.
    """

    def __init__(self) -> None:
        self.times_ns, self.left_uv = array("q"), array("d")

    def add(self, beats: Iterable[tuple[int, Beat]]) -> None:
        """Add beats, each with its time in ns."""
        for time_ns, beat in beats:
            self.times_ns.append(time_ns)
            self.left_uv.append(beat.residual_uv)


def find_beats(findings: list[ScoredCandidate], known: Mapping[str, Beats]) -> set[int]:
    """Return the indices of findings that are a heart's.

    Parameters
    ----------
    findings : list of Finding
        Sorted by onset.
    known : mapping of channel to Beats
        Those that the canceller saw.
    """
    over = over_beats(findings, known)
    found = {
        i
        for i in np.flatnonzero(over < LEFT_SIZE).tolist()
        if findings[i].kind in SHORT_KINDS and findings[i].reason in LIKE_BEATS
    }
    faint = _faint_beats(findings, found)
    return found | faint | _other_beats(findings, faint)


def over_beats(findings: list[ScoredCandidate], known: Mapping[str, Beats]) -> NDArray[np.float64]:
    """Return each finding's size over what is usually left of the beat that it touches.

    NaN where it touches none, shape ``(len(findings),)``.
    """
    times = {name: np.array(beats.times_ns, np.int64) for name, beats in known.items()}
    over = np.full(len(findings), np.nan)
    for i, f in enumerate(findings):
        at = times.get(f.channel)
        if at is None or f.waveform is None:
            continue
        first = int(np.searchsorted(at, f.onset_ns - BEAT_REACH_NS))
        last = int(np.searchsorted(at, f.offset_ns + BEAT_REACH_NS))
        if first < last:
            left = max(known[f.channel].left_uv[first:last])
            over[i] = f.amplitude_uv / max(left, 1e-6)
    return over


def _faint_beats(findings: list[ScoredCandidate], known: set[int]) -> set[int]:
    """Find a heart that the canceller missed: look-alikes that come at its rhythm."""
    found: set[int] = set()
    for channel in by_channel(findings, (*SHORT_KINDS, "jerk"), LIKE_BEATS).values():
        members = [i for i in channel if i not in known]
        if len(members) < BEAT_LEAST:
            continue
        table = _likeness(findings, members)
        for k, i in enumerate(members):
            alike = table.near(k, BEAT_AROUND_S, score=BEAT_ALIKE, ratio=BEAT_SIZE)
            usual = float(np.median(table.lengths[alike]))
            beat = median_rr_interval(
                table.times[alike], min_beats=BEAT_LEAST, max_interval_s=BEAT_LONGEST_S
            )
            if beat and table.lengths[k] < usual + BEAT_LONGER_S:
                found.add(i)
    return found


def _other_beats(findings: list[ScoredCandidate], faint: set[int]) -> set[int]:
    """Find the beats that another channel, or another shape, hid among the faint ones."""
    found: set[int] = set()
    beats = [f for i, f in enumerate(findings) if i in faint]
    known = np.array([f.onset_ns for f in beats]) / NS
    if len(known) < BEAT_LEAST:
        return found
    sizes = np.array([f.amplitude_uv for f in beats])
    for i, f in enumerate(findings):
        if i in faint or f.kind not in SHORT_KINDS or f.waveform is None:
            continue
        if f.reason not in LIKE_BEATS:
            continue
        at = f.onset_ns / NS
        k = int(np.searchsorted(known, at))
        around = known[max(0, k - BEAT_LEAST // 2) : k + BEAT_LEAST // 2]
        usual = float(np.median(sizes[max(0, k - BEAT_LEAST // 2) : k + BEAT_LEAST // 2]))
        if f.amplitude_uv > HIDDEN_SIZE * usual:
            continue
        gaps = np.diff(around)
        gaps = gaps[gaps > RR_RANGE_S[0]]
        if not 0 < k < len(known) or len(gaps) < 3:
            continue
        beat = float(np.median(gaps))
        gap = known[k] - known[k - 1]
        missed = round(gap / beat)
        if not (2 <= missed <= MISSED_MOST and around[-1] - around[0] < 2 * BEAT_AROUND_S):
            # the second channel of a known beat
            if min(at - known[k - 1], known[k] - at) < SAME_BEAT_S:
                found.add(i)
            continue
        place = (at - known[k - 1]) / (gap / missed)
        if abs(place - round(place)) * gap / missed < RR_TOLERANCE * beat:
            found.add(i)
    return found


def _likeness(findings: list[ScoredCandidate], members: list[int]) -> Likeness:
    chosen = [findings[i] for i in members]
    return Likeness(
        np.stack([f.waveform for f in chosen]).astype(np.float64),  # type: ignore[misc]
        np.array([f.onset_ns for f in chosen]) / NS,
        np.maximum([f.amplitude_uv for f in chosen], 1e-6),
        np.array([f.offset_ns - f.onset_ns for f in chosen]) / NS,
    )
