"""Events of a live view and how they change.

A short event is shown as soon as it looks complete. It becomes final when no later sample can be
part of it; until then it may change its kind or be withdrawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twitchsense.model.candidates import ScoredCandidate, overlap

#: Maximum distance (ns) between the edges of one event as seen by several channels.
_OVERLAP_TOLERANCE_NS = 20_000_000


@dataclass(slots=True)
class EventUpdate:
    """The state of one event that is shown.

    Attributes
    ----------
    number : int
        Identifies the event for as long as it is shown.
    candidate : ScoredCandidate
        Present state of the event.
    final : bool
        Whether no later sample can change it.
    withdrawn : bool
        Whether it turned out not to be an event.
    """

    number: int
    candidate: ScoredCandidate
    final: bool = False
    withdrawn: bool = False


class EventTracker:
    """Matches the results of one detector with the events that are shown."""

    def __init__(self) -> None:
        self._provisional: list[EventUpdate] = []
        self._n_events = 0

    def update(
        self, final: Sequence[ScoredCandidate], provisional: Sequence[ScoredCandidate]
    ) -> list[EventUpdate]:
        """Match new results.

        Parameters
        ----------
        final : sequence of ScoredCandidate
            Result of `Detector.push`, rejected candidates included.
        provisional : sequence of ScoredCandidate
            Result of `Detector.peek` after it.

        Returns
        -------
        list of EventUpdate
            Events that are new or have changed.
        """
        candidates = [*final, *(p for f in final if f.reason for p in f.parts)]
        accepted = sorted((c for c in candidates if not c.reason), key=lambda c: c.onset_ns)
        changed = self._finalize(candidates, accepted)
        changed += [self._add(c, final=True) for c in accepted]
        for candidate in provisional:
            shown = next((e for e in self._provisional if _overlap(e.candidate, candidate)), None)
            if shown is None:
                changed.append(self._add(candidate, final=False))
            elif _displayed_fields(shown.candidate) != _displayed_fields(candidate):
                shown.candidate = candidate
                changed.append(shown)
        return changed

    def _finalize(
        self, candidates: list[ScoredCandidate], accepted: list[ScoredCandidate]
    ) -> list[EventUpdate]:
        """Finalize the provisional events that overlap a final candidate.

        The accepted candidates that are matched are removed from `accepted`.
        """
        finalized = [
            e for e in self._provisional if any(_overlap(e.candidate, c) for c in candidates)
        ]
        for event in finalized:
            self._provisional.remove(event)
            event.final = True
            matches = [c for c in accepted if _overlap(event.candidate, c)]
            if matches:  # the one most similar to what was shown
                distances = [_distance(c, event.candidate) for c in matches]
                event.candidate = matches[distances.index(min(distances))]
                accepted.remove(event.candidate)
            else:
                event.withdrawn = True
        return finalized

    def _add(self, candidate: ScoredCandidate, *, final: bool) -> EventUpdate:
        self._n_events += 1
        event = EventUpdate(self._n_events, candidate, final)
        if not final:
            self._provisional.append(event)
        return event


def _overlap(a: ScoredCandidate, b: ScoredCandidate) -> bool:
    """Return whether two candidates of one leg overlap, with a tolerance."""
    return a.leg == b.leg and overlap(a, b, _OVERLAP_TOLERANCE_NS)


def _displayed_fields(candidate: ScoredCandidate) -> tuple[int, int, str, str]:
    return candidate.onset_ns, candidate.offset_ns, candidate.kind, candidate.channel


def _distance(candidate: ScoredCandidate, shown: ScoredCandidate) -> tuple[bool, int]:
    return candidate.kind != shown.kind, abs(candidate.onset_ns - shown.onset_ns)
