"""Clusters: the candidates of one leg that touch in time and are decided together.

A cluster is complete when no further candidate can join it, so the decision does not depend on
the order in which the samples of the sensors arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from twitchsense.model.candidates import (
    AccEpisode,
    Burst,
    Candidate,
    LegMovementRun,
    ScoredCandidate,
    overlap,
)

#: Candidates further apart than this belong to different clusters: the longest
#: electromechanical delay, plus a margin.
LINK_NS: Final = 200_000_000
#: Maximum age of a candidate in the provisional decision on an incomplete cluster, because a
#: cluster may last for minutes.
RECENT_NS: Final = 1_000_000_000
#: Maximum age of a candidate in the provisional decision on a movement; it bounds the work during
#: long artefacts.
RECENT_MOVEMENT_NS: Final = 60_000_000_000


@dataclass(slots=True)
class Cluster:
    """Candidates of one leg that touch in time.

    Attributes
    ----------
    bursts : list of Burst
    runs : list of LegMovementRun
    episodes : list of AccEpisode
    """

    bursts: list[Burst] = field(default_factory=list)
    runs: list[LegMovementRun] = field(default_factory=list)
    episodes: list[AccEpisode] = field(default_factory=list)

    @classmethod
    def of(cls, candidates: Iterable[Candidate]) -> Cluster:
        """Return the cluster of some candidates.

        Parameters
        ----------
        candidates : iterable of Candidate

        Returns
        -------
        Cluster
        """
        cluster = cls()
        for candidate in candidates:
            if isinstance(candidate, Burst):
                cluster.bursts.append(candidate)
            elif isinstance(candidate, LegMovementRun):
                cluster.runs.append(candidate)
            else:
                cluster.episodes.append(candidate)
        return cluster

    @property
    def offset_ns(self) -> int:
        """End of the last candidate."""
        return _offset_ns([*self.bursts, *self.runs, *self.episodes])


class ClusterQueue:
    """Collects the candidates of one leg and returns the clusters that are complete."""

    def __init__(self) -> None:
        self._waiting: list[Candidate] = []

    def add(self, candidates: Iterable[Candidate]) -> None:
        """Add candidates, in any order.

        Parameters
        ----------
        candidates : iterable of Candidate
        """
        self._waiting.extend(candidates)

    def overlaps(self, candidate: ScoredCandidate) -> bool:
        """Return whether a waiting candidate overlaps another candidate.

        Parameters
        ----------
        candidate : ScoredCandidate

        Returns
        -------
        bool
        """
        return any(overlap(c, candidate) for c in self._waiting)

    @property
    def oldest_ns(self) -> int | None:
        """Onset of the oldest candidate that is still waiting."""
        return min((c.onset_ns for c in self._waiting), default=None)

    def take_complete(self, earliest_onset_ns: int | None) -> list[Cluster]:
        """Remove and return the clusters that no further candidate can join.

        Parameters
        ----------
        earliest_onset_ns : int or None
            No further candidate can begin before this time; None at the end of the recording.

        Returns
        -------
        list of Cluster
            In order of onset.
        """
        complete: list[Cluster] = []
        taken = 0
        for members in _split(self._waiting):
            if earliest_onset_ns is not None and _offset_ns(members) + LINK_NS >= earliest_onset_ns:
                break
            complete.append(Cluster.of(members))
            taken += len(members)
        self._waiting = self._waiting[taken:]
        return complete

    def recent(self, early: Iterable[Candidate] = ()) -> list[Cluster]:
        """Return the newest waiting candidates as clusters, as if nothing followed.

        Parameters
        ----------
        early : iterable of Candidate
            Further candidates, which are not certain yet.

        Returns
        -------
        list of Cluster
            In order of onset.
        """
        candidates = [*self._waiting, *early]
        newest = max((c.offset_ns for c in candidates), default=0)
        clusters: list[Cluster] = []
        for members in _split([c for c in candidates if c.offset_ns >= newest - 2 * RECENT_NS]):
            since = _offset_ns(members) - RECENT_NS
            recent = [c for c in members if c.onset_ns >= since]
            if recent:
                clusters.append(Cluster.of(recent))
        return clusters

    def current_movement(
        self, quiet_since_ns: int, open_candidates: Callable[[], list[Candidate]]
    ) -> Cluster | None:
        """Return the movement that was going on last, as if it were over.

        Parameters
        ----------
        quiet_since_ns : int
            Nothing is returned while there are bursts after this time.
        open_candidates : callable
            Returns the runs and episodes that have not ended yet; called only if needed.

        Returns
        -------
        Cluster or None
            None without a movement.
        """
        bursts = (c.offset_ns for c in self._waiting if isinstance(c, Burst))
        newest = max(bursts, default=0)
        if not 0 < newest <= quiet_since_ns:
            return None
        candidates = [*self._waiting, *open_candidates()]
        runs = [
            c
            for c in candidates
            if isinstance(c, LegMovementRun) and c.onset_ns <= newest <= c.offset_ns + RECENT_NS
        ]
        if not runs:
            return None
        since = max(min(r.onset_ns for r in runs), newest - RECENT_MOVEMENT_NS)
        others = [
            c for c in candidates if not isinstance(c, LegMovementRun) and c.offset_ns >= since
        ]
        return Cluster.of([*runs, *others])


def _split(candidates: list[Candidate]) -> list[list[Candidate]]:
    """Sort candidates by onset and split them where nothing links them."""
    candidates.sort(key=lambda c: (c.onset_ns, c.offset_ns, c.channel, type(c).__name__))
    groups: list[list[Candidate]] = []
    end = 0
    for candidate in candidates:
        if groups and candidate.onset_ns <= end + LINK_NS:
            groups[-1].append(candidate)
            end = max(end, candidate.offset_ns)
        else:
            groups.append([candidate])
            end = candidate.offset_ns
    return groups


def _offset_ns(candidates: list[Candidate]) -> int:
    return max(c.offset_ns for c in candidates)
