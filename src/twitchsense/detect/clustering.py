"""Joins what the sensors of one leg saw at the same time into clusters.

A cluster is a set of candidates (bursts, leg-movement runs, episodes) that
touch each other in time. It is decided as one, and only when no further
candidate can join it, so that the answer can't depend on the order in which
the samples arrived.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from twitchsense.model.candidates import AccEpisode, Burst, LegMovementRun, ScoredCandidate

#: Candidates further apart than this have nothing to do with each other: the
#: longest electromechanical delay allowed, and a little more.
LINK_NS = 200_000_000
#: Where much goes on a cluster may last for minutes. Before it is complete, its newest
#: candidates are looked at by themselves, back for so long.
PEEK_NS = 1_000_000_000
#: A long movement is looked at back for so long: the work must not grow with a storm.
LONG_PEEK_NS = 60_000_000_000

Candidate: TypeAlias = Burst | LegMovementRun | AccEpisode


@dataclass(slots=True)
class Cluster:
    """Candidates of one leg that touch in time."""

    bursts: list[Burst] = field(default_factory=list)
    runs: list[LegMovementRun] = field(default_factory=list)
    episodes: list[AccEpisode] = field(default_factory=list)

    def add(self, item: Candidate) -> None:
        """Put a candidate into its list."""
        if isinstance(item, Burst):
            self.bursts.append(item)
        elif isinstance(item, LegMovementRun):
            self.runs.append(item)
        else:
            self.episodes.append(item)


class Fusion:
    """Collects the candidates of one leg and decides complete clusters.

    Parameters
    ----------
    decide : callable
        Turns a complete cluster into findings.
    """

    def __init__(self, decide: Callable[[Cluster], list[ScoredCandidate]]) -> None:
        self._decide = decide
        self._waiting: list[Candidate] = []

    def add(self, items: list[Burst] | list[LegMovementRun] | list[AccEpisode]) -> None:
        """Take new candidates, in any order."""
        self._waiting.extend(items)

    def settle(self, settled_ns: int | None) -> list[ScoredCandidate]:
        """Decide the clusters that nothing new can join.

        Parameters
        ----------
        settled_ns : int or None
            No candidate can begin before this any more; None at the end.
        """
        findings: list[ScoredCandidate] = []
        decided = 0
        for items in _groups(self._waiting):
            if settled_ns is not None and _end_ns(items) + LINK_NS >= settled_ns:
                break
            findings += self._decide(_cluster(items))
            decided += len(items)
        self._waiting = self._waiting[decided:]
        return findings

    def peek(self) -> list[ScoredCandidate]:
        """Decide the newest of what waits as if nothing more came; all goes on waiting."""
        findings: list[ScoredCandidate] = []
        newest = max((c.offset_ns for c in self._waiting), default=0)
        for items in _groups([c for c in self._waiting if c.offset_ns >= newest - 2 * PEEK_NS]):
            since = _end_ns(items) - PEEK_NS
            recent = [item for item in items if item.onset_ns >= since]
            findings += self._decide(_cluster(recent)) if recent else []
        return findings

    def peek_long(
        self, calm_ns: int, open_: Callable[[], list[Candidate]]
    ) -> list[ScoredCandidate]:
        """Decide the movement that was going on last as if it were over; all goes on waiting.

        Parameters
        ----------
        calm_ns : int
            Nothing is decided while there are bursts after this.
        open_ : callable
            Returns the runs and episodes that have not ended yet, up to now; asked only if
            there is something to decide.
        """
        newest = max((c.offset_ns for c in self._waiting if isinstance(c, Burst)), default=0)
        if not 0 < newest <= calm_ns:
            return []
        items = [*self._waiting, *open_()]
        runs = [
            c
            for c in items
            if isinstance(c, LegMovementRun) and c.onset_ns <= newest <= c.offset_ns + PEEK_NS
        ]
        if not runs:
            return []
        since = max(min(r.onset_ns for r in runs), newest - LONG_PEEK_NS)
        near = [c for c in items if not isinstance(c, LegMovementRun) and c.offset_ns >= since]
        return self._decide(_cluster([*runs, *near]))

    @property
    def oldest_ns(self) -> int | None:
        """Onset of the oldest candidate still undecided."""
        return min((c.onset_ns for c in self._waiting), default=None)


def _groups(items: list[Candidate]) -> list[list[Candidate]]:
    """Put candidates in order; return what touches in time, group by group."""
    items.sort(key=lambda c: (c.onset_ns, c.offset_ns, c.channel, type(c).__name__))
    groups: list[list[Candidate]] = []
    end = 0
    for item in items:
        if groups and item.onset_ns <= end + LINK_NS:
            groups[-1].append(item)
            end = max(end, item.offset_ns)
        else:
            groups.append([item])
            end = item.offset_ns
    return groups


def _end_ns(items: list[Candidate]) -> int:
    return max(item.offset_ns for item in items)


def _cluster(items: list[Candidate]) -> Cluster:
    cluster = Cluster()
    for item in items:
        cluster.add(item)
    return cluster
