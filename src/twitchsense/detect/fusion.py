"""Joins what the sensors of one leg saw at the same time into clusters.

A cluster is a set of candidates (bursts, leg-movement runs, episodes) that
touch each other in time. It is decided as one, and only when no further
candidate can join it, so that the answer can't depend on the order in which
the samples arrived.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from twitchsense.detect.candidates import Burst, Episode, LegRun
from twitchsense.detect.finding import Finding

#: Candidates further apart than this have nothing to do with each other: the
#: longest electromechanical delay allowed, and a little more.
LINK_NS = 200_000_000


@dataclass(slots=True)
class Cluster:
    """Candidates of one leg that touch in time."""

    bursts: list[Burst] = field(default_factory=list)
    runs: list[LegRun] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)

    def add(self, item: Burst | LegRun | Episode) -> None:
        """Put a candidate into its list."""
        if isinstance(item, Burst):
            self.bursts.append(item)
        elif isinstance(item, LegRun):
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

    def __init__(self, decide: Callable[[Cluster], list[Finding]]) -> None:
        self._decide = decide
        self._waiting: list[Burst | LegRun | Episode] = []

    def add(self, items: list[Burst] | list[LegRun] | list[Episode]) -> None:
        """Take new candidates, in any order."""
        self._waiting.extend(items)

    def settle(self, settled_ns: int | None) -> list[Finding]:
        """Decide the clusters that nothing new can join.

        Parameters
        ----------
        settled_ns : int or None
            No candidate can begin before this any more; None at the end.
        """
        if not self._waiting:
            return []
        self._waiting.sort(key=lambda c: (c.onset_ns, c.offset_ns, c.channel, type(c).__name__))
        findings: list[Finding] = []
        cluster, first, end = Cluster(), 0, self._waiting[0].offset_ns
        for i, item in enumerate(self._waiting):
            if item.onset_ns > end + LINK_NS:
                if settled_ns is not None and end + LINK_NS >= settled_ns:
                    break
                findings += self._decide(cluster)
                cluster, first, end = Cluster(), i, item.offset_ns
            cluster.add(item)
            end = max(end, item.offset_ns)
        if settled_ns is None or end + LINK_NS < settled_ns:
            findings += self._decide(cluster)
            first = len(self._waiting)
        self._waiting = self._waiting[first:]
        return findings

    @property
    def oldest_ns(self) -> int | None:
        """Onset of the oldest candidate still undecided."""
        return min((c.onset_ns for c in self._waiting), default=None)
