"""The detector: the only path from samples to events, streaming and in batch.

*chunk -> segments (preprocessing, candidates) -> clusters -> first stage -> second stage ->
tables*. `Detector.push` takes chunks of any size and in any order of channels, and returns the
candidates decided so far; `Detector.close` applies the rules that need the whole night and
returns the tables. The tables do not depend on how a recording is cut into chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Final

from twitchsense.detect.leg_detector import LegDetector
from twitchsense.detect.rules.classify import Classifier
from twitchsense.detect.rules.sequence_rules import apply_night_rules
from twitchsense.dsp.engine import kernels
from twitchsense.errors import TwitchsenseError
from twitchsense.model.candidates import ScoredCandidate, event_tables
from twitchsense.model.channels import Channel, Chunk, leg_by_channel
from twitchsense.model.detections import ClockOffset, Detections
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import Settings
from twitchsense.threads import usable_threads

#: Samples from which on channels are searched in threads; a packet takes less time than that.
MIN_SAMPLES: Final = 10_000


class Detector:
    """Finds twitches, jerks and movements in a stream of chunks.

    Parameters
    ----------
    settings : Settings
    channels : sequence of Channel
        The channels whose chunks will be pushed, in any order.
    keep : bool
        Whether the data that `close` needs are kept. A detector that keeps nothing can run
        indefinitely in constant memory, but cannot be closed.

    Examples
    --------
    >>> detector = Detector(Settings(), recording.channels)  # doctest: +SKIP
    >>> for chunk in recording.chunks():  # doctest: +SKIP
    ...     new = detector.push(chunk)
    >>> detections = detector.close()  # doctest: +SKIP
    """

    #: The models; a subclass may use others.
    classifier_class: ClassVar[type[Classifier]] = Classifier

    def __init__(
        self,
        settings: Settings,
        channels: Sequence[Channel],
        *,
        keep: bool = True,
    ) -> None:
        self._settings, self._keep = settings, keep
        self._threads = ChannelThreads(len(channels))
        self._classifier = self.classifier_class()
        self._leg_of = leg_by_channel(channels, settings.legs)
        by_leg: dict[str, list[Channel]] = {}
        for channel in sorted(channels, key=lambda c: c.name):
            by_leg.setdefault(self._leg_of[channel.name], []).append(channel)
        self._legs = {
            leg: LegDetector(leg, members, settings, self._classifier, keep=keep)
            for leg, members in by_leg.items()
        }

    def push(
        self, *chunks: Chunk, beside: Sequence[Callable[[], None]] = ()
    ) -> list[ScoredCandidate]:
        """Process the next chunk, or several at once.

        Parameters
        ----------
        *chunks : Chunk
            Each channel's in order of time. Chunks of one channel with short gaps between them
            take less time at once than one by one.
        beside : sequence of callable, default ()
            What else is done with the chunks meanwhile, in the same threads.

        Returns
        -------
        list of ScoredCandidate
            The candidates decided so far. They are provisional: the rules that need
            the whole night (heart beats, trains, active wake) are applied by `close`.

        Raises
        ------
        TwitchsenseError
            If samples of the segment are missing or repeated.
        """
        legs = {self._leg_of[c.channel]: self._legs[self._leg_of[c.channel]] for c in chunks}
        for chunk in chunks:
            legs[self._leg_of[chunk.channel]].push(chunk)
        searches = [search for leg in legs.values() for search in leg.searches()]
        searches += beside
        if sum(len(c.samples) for c in chunks) < MIN_SAMPLES:
            for search in searches:
                search()
        else:
            self._threads.run(searches)
        return [candidate for leg in legs.values() for candidate in leg.decide()]

    def peek(self) -> list[ScoredCandidate]:
        """Return the events that look complete but may still change.

        An event looks complete well before no further candidate can join it. Each call decides
        anew, until `push` returns the candidate, perhaps as another kind, as part of a larger
        movement, or rejected.

        Returns
        -------
        list of ScoredCandidate
        """
        return [c for leg in self._legs.values() for c in leg.provisional()]

    def close(self) -> Detections:
        """End the recording and return all tables.

        Returns
        -------
        Detections

        Raises
        ------
        TwitchsenseError
            If nothing was kept.
        """
        if not self._keep:
            raise TwitchsenseError("a detector that keeps nothing has no tables to return")
        self._threads.close()
        found: list[ScoredCandidate] = []
        seconds: dict[str, PerSecond] = {}
        clocks: dict[str, ClockOffset] = {}
        for name in list(self._legs):
            leg = self._legs.pop(name)  # frees its memory before the tables are built
            candidates, context, clocks[name] = leg.close()
            found += apply_night_rules(candidates, context, self._settings, self._classifier)
            seconds |= context.seconds
        events, rejected = event_tables(found)
        return Detections(events, rejected, dict(sorted(seconds.items())), clocks)


def max_threads() -> int:
    """Return how many channels may be searched at once.

    Without the compiled engine one, because scipy's filters hold the interpreter's lock.

    Returns
    -------
    int

    Raises
    ------
    InputError
        As `usable_threads`.
    """
    return 1 if kernels() is None else usable_threads()


class ChannelThreads:
    """Runs the searches of several channels, in threads where there are cores for them.

    Parameters
    ----------
    n_channels : int
    """

    def __init__(self, n_channels: int) -> None:
        threads = min(n_channels, max_threads())
        # the calling thread is one of them
        self._pool = ThreadPoolExecutor(threads - 1, "channel") if threads > 1 else None

    def run(self, searches: Sequence[Callable[[], None]]) -> None:
        """Run all searches, and wait for them.

        Parameters
        ----------
        searches : sequence of callable
            The longest first.
        """
        if self._pool is None or len(searches) < 2:
            for search in searches:
                search()
            return
        others = [self._pool.submit(search) for search in searches[1:]]
        try:
            searches[0]()
            for search, other in zip(searches[1:], others, strict=True):
                if other.cancel():  # it has not begun, and this thread is free
                    search()
        finally:
            for other in others:
                if not other.cancelled():
                    other.result()

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()
