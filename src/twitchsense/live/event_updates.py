"""The movements a live view shows, and what becomes of them.

A short movement is shown as soon as it looks complete. Whether it stands is known when
nothing can join it any more: then it is settled, becomes something else, or is taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twitchsense.model.candidates import ScoredCandidate

#: Several channels see the edges of one movement this far apart.
_OVERLAP_TOLERANCE_NS = 20_000_000


@dataclass(slots=True)
class EventUpdate:
    """A movement that is shown.

    Attributes
    ----------
    number : int
        Its own, for as long as it is shown.
    finding : Finding
        What it is by now.
    settled : bool
        Whether no later sample can change it.
    gone : bool
        Whether it was taken back.
    """

    number: int
    finding: ScoredCandidate
    settled: bool = False
    gone: bool = False


class EventTracker:
    """Follows what one detector says."""

    def __init__(self) -> None:
        self._open: list[EventUpdate] = []
        self._made = 0

    def update(
        self, settled: Sequence[ScoredCandidate], early: Sequence[ScoredCandidate]
    ) -> list[EventUpdate]:
        """Return the rows that are new or have changed.

        Parameters
        ----------
        settled : sequence of Finding
            What `Detector.push` handed out, rejected candidates too.
        early : sequence of Finding
            What `Detector.peek` says after it.
        """
        every = [*settled, *(p for f in settled if f.reason for p in f.parts)]
        standing = sorted((f for f in every if not f.reason), key=lambda f: f.onset_ns)
        changed = self._settle(every, standing)
        changed += [self._new(f, settled=True) for f in standing]
        for finding in early:
            row = next((r for r in self._open if _overlap(r.finding, finding)), None)
            if row is None:
                changed.append(self._new(finding, settled=False))
            elif _displayed_fields(row.finding) != _displayed_fields(finding):
                row.finding = finding
                changed.append(row)
        return changed

    def _settle(
        self, every: list[ScoredCandidate], standing: list[ScoredCandidate]
    ) -> list[EventUpdate]:
        """End the open rows that findings speak of; those findings leave `standing`."""
        ended = [r for r in self._open if any(_overlap(r.finding, f) for f in every)]
        for row in ended:
            self._open.remove(row)
            row.settled = True
            those = [f for f in standing if _overlap(row.finding, f)]
            if those:  # the nearest to what was shown
                differs = [_distance(f, row.finding) for f in those]
                row.finding = those[differs.index(min(differs))]
                standing.remove(row.finding)
            else:
                row.gone = True
        return ended

    def _new(self, finding: ScoredCandidate, *, settled: bool) -> EventUpdate:
        self._made += 1
        row = EventUpdate(self._made, finding, settled)
        if not settled:
            self._open.append(row)
        return row


def _overlap(a: ScoredCandidate, b: ScoredCandidate) -> bool:
    touch = (
        a.onset_ns <= b.offset_ns + _OVERLAP_TOLERANCE_NS
        and b.onset_ns <= a.offset_ns + _OVERLAP_TOLERANCE_NS
    )
    return touch and a.leg == b.leg


def _displayed_fields(f: ScoredCandidate) -> tuple[int, int, str, str]:
    return f.onset_ns, f.offset_ns, f.kind, f.channel


def _distance(found: ScoredCandidate, shown: ScoredCandidate) -> tuple[bool, int]:
    return found.kind != shown.kind, abs(found.onset_ns - shown.onset_ns)
