"""Events of a leg that look complete but may still change, for a live view.

While a known heart is subtracted, samples wait for the next beat. Bursts in these samples are
reported early, after the beats that are likely so far were subtracted. If a burst turns out to be
a beat, its event is withdrawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from twitchsense.detect.candidates.acc_segment import AccSegment
from twitchsense.detect.candidates.emg_segment import EmgSegment
from twitchsense.detect.rules.cluster_rules import ClusterRules
from twitchsense.detect.rules.clustering import LINK_NS, ClusterQueue
from twitchsense.model.candidates import (
    LONG_KINDS,
    SHORT_KINDS,
    Burst,
    Candidate,
    ScoredCandidate,
    overlap,
)

#: Time without a further burst after which a short event is reported provisionally.
QUIET_NS: Final = 50_000_000
#: Minimum time from the latest possible response of the leg to that report.
RESPONSE_MARGIN_NS: Final = 20_000_000
#: Time without a burst after which a longer movement is reported provisionally. If the movement
#: continues, the reported event is extended.
LONG_QUIET_NS: Final = 250_000_000


class ProvisionalEvents:
    """The provisional events of one leg.

    Parameters
    ----------
    queue : ClusterQueue
        The candidates that are not decided.
    rules : ClusterRules
    """

    def __init__(self, queue: ClusterQueue, rules: ClusterRules) -> None:
        self._queue, self._rules = queue, rules
        # events that were reported before their samples were final
        self._early: dict[tuple[str, int], ScoredCandidate] = {}

    def find(self, current: Sequence[EmgSegment | AccSegment]) -> list[ScoredCandidate]:
        """Return the events that look complete but may still change.

        Parameters
        ----------
        current : sequence of EmgSegment or AccSegment
            The current segment of each channel of the leg.

        Returns
        -------
        list of ScoredCandidate
        """
        early: list[Burst] = []
        final_ns, emg_ns = [], []
        for segment in current:
            if isinstance(segment, EmgSegment):
                bursts, earliest_ns = segment.preview()
                early += bursts
                final_ns.append(segment.earliest_burst_ns)
                emg_ns.append(earliest_ns)
        if not (early or self._queue.oldest_ns):
            return []

        def open_candidates() -> list[Candidate]:
            return [c for s in current for c in s.open_candidates()]

        until_ns = min(final_ns, default=0)
        movement = self._queue.current_movement(until_ns - LONG_QUIET_NS, open_candidates)
        found = [] if movement is None else self._rules.classify(movement)
        long = [c for c in found if c.kind in LONG_KINDS and not c.reason]
        early_ns = min(emg_ns, default=0)
        acc_ns = min((s.newest_ns for s in current if isinstance(s, AccSegment)), default=early_ns)
        lag_ns = round(self._rules.settings.jerk.lag_ms * 1e6) + RESPONSE_MARGIN_NS
        short = [
            c
            for cluster in self._queue.recent(early)
            for c in self._rules.classify(cluster)
            if c.kind in ("jerk", *SHORT_KINDS)
            and not c.reason
            and c.offset_ns + QUIET_NS <= early_ns
            and c.onset_ns + lag_ns <= acc_ns
            and not any(overlap(m, c) for m in long)
        ]
        for c in short:
            if c.offset_ns + QUIET_NS > until_ns:
                self._early[c.channel, c.onset_ns] = c
        return long + short

    def withdraw(
        self, decided: Sequence[ScoredCandidate], current: Sequence[EmgSegment | AccSegment]
    ) -> list[ScoredCandidate]:
        """Return the early events of which nothing is left, as rejected candidates.

        Parameters
        ----------
        decided : sequence of ScoredCandidate
            The candidates that were decided now.
        current : sequence of EmgSegment or AccSegment
            The current segment of each channel of the leg.

        Returns
        -------
        list of ScoredCandidate
        """
        if not self._early:
            return []
        final_ns = min(s.earliest_burst_ns for s in current if isinstance(s, EmgSegment))
        withdrawn = []
        for key, c in list(self._early.items()):
            if any(overlap(d, c) for d in decided):
                del self._early[key]
            elif c.offset_ns + LINK_NS < final_ns and not self._queue.overlaps(c):
                withdrawn.append(c.rejected("ecg"))
                del self._early[key]
        return withdrawn
