"""The stages of one leg: segments, candidates, clusters, first-stage decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, pairwise
from typing import Final

from twitchsense.detect.candidates.acc_segment import AccSegment
from twitchsense.detect.candidates.emg_segment import EmgSegment
from twitchsense.detect.features.local import LocalFeatures
from twitchsense.detect.provisional import ProvisionalEvents
from twitchsense.detect.rules.classify import Classifier
from twitchsense.detect.rules.cluster_rules import ClusterRules
from twitchsense.detect.rules.clustering import ClusterQueue
from twitchsense.detect.rules.ecg_rejection import EcgBeats
from twitchsense.detect.rules.feature_tables import NightContext
from twitchsense.detect.sensors.clock_alignment import AlignedHistory, fit_clock_offset
from twitchsense.detect.sensors.emg_quality import EmgQuality
from twitchsense.detect.sensors.sensor_queries import SensorQueries
from twitchsense.errors import TwitchsenseError
from twitchsense.model.candidates import (
    AccEpisode,
    Burst,
    Envelope,
    LegMovementRun,
    ScoredCandidate,
)
from twitchsense.model.channels import Channel, Chunk
from twitchsense.model.detections import ClockOffset
from twitchsense.model.per_second import PerSecond, concatenate
from twitchsense.model.rate_limits import shows_rate_of_change
from twitchsense.settings import Settings

#: Maximum time from the end of a segment to the oldest undecided candidate for which the segment
#: is kept in memory.
KEEP_ENDED_NS: Final = 3_000_000_000
#: Signal time after which samples are discarded again.
DISCARD_NS: Final = 1_000_000_000


class StreamHistory:
    """A `SensorHistory` of the segments of a leg that are in memory.

    Parameters
    ----------
    channels : sequence of Channel
    settings : Settings
    local_features : bool
        Whether the local features of bursts are measured.
    """

    def __init__(
        self, channels: Sequence[Channel], settings: Settings, *, local_features: bool = True
    ) -> None:
        self._settings, self._local_features = settings, local_features
        self._channels = {c.name: c for c in channels}
        # per channel; the last segment is current, older ones are kept while they are needed
        self._segments: dict[str, list[EmgSegment | AccSegment]] = {c.name: [] for c in channels}
        self._next: dict[str, tuple[int, int]] = {}  # start of the segment, next sample
        self._numbers: dict[str, Iterator[int]] = {c.name: count() for c in channels}

    def push(self, chunk: Chunk) -> None:
        """Add a chunk to its segment, opening it if the chunk begins one.

        Parameters
        ----------
        chunk : Chunk
            At least one sample.

        Raises
        ------
        TwitchsenseError
            If samples of the segment are missing or repeated.
        """
        name = chunk.channel
        start_ns, index = self._next.get(name, (None, 0))
        lost = 0
        if chunk.segment_start_ns != start_ns:
            if chunk.first_index != 0:
                raise TwitchsenseError(f"{name}: a segment must be pushed from its start")
            lost = self._lost_samples(chunk)
            if not lost:
                self._segments[name].append(self._new_segment(name, chunk.segment_start_ns))
        elif chunk.first_index != index:
            raise TwitchsenseError(
                f"{name}: expected sample {index} of the segment, got {chunk.first_index}"
            )
        stop = chunk.first_index + len(chunk.samples)
        self._next[name] = (chunk.segment_start_ns, stop)
        self._segments[name][-1].push(chunk.samples, lost)

    def searches(self) -> list[Callable[[], None]]:
        """Return functions that search the chunks pushed since the last call, one per channel.

        Returns
        -------
        list of callable
            They may run at the same time; EMG, which takes longer, comes first.
        """
        current = [segments[-1] for segments in self._segments.values() if segments]
        ordered = sorted(current, key=lambda s: not isinstance(s, EmgSegment))
        return [segment.process for segment in ordered]

    def begins_segment(self, chunk: Chunk) -> bool:
        """Whether a chunk begins a new segment of its channel, after more than a short gap.

        Parameters
        ----------
        chunk : Chunk

        Returns
        -------
        bool
        """
        known = self._next.get(chunk.channel, (None, 0))[0] == chunk.segment_start_ns
        return not known and chunk.first_index == 0 and not self._lost_samples(chunk)

    def _lost_samples(self, chunk: Chunk) -> int:
        """Return how many samples a short gap before a chunk has lost; 0 if there is none."""
        segments = self._segments[chunk.channel]
        return segments[-1].gaps.lost_before(chunk.segment_start_ns) if segments else 0

    def segments(self, name: str) -> list[EmgSegment | AccSegment]:
        """Return the segments of a channel, the current one last.

        Parameters
        ----------
        name : str
            Name of the channel.

        Returns
        -------
        list of EmgSegment or AccSegment
        """
        return self._segments[name]

    def all_segments(self) -> Iterator[EmgSegment | AccSegment]:
        """Yield all segments in memory."""
        for segments in self._segments.values():
            yield from segments

    def current(self) -> list[EmgSegment | AccSegment]:
        """Return the current segment of each channel.

        The list is empty until every channel has begun, because a channel that has not begun may
        still deliver samples of this time.

        Returns
        -------
        list of EmgSegment or AccSegment
        """
        if all(self._segments.values()):
            return [segments[-1] for segments in self._segments.values()]
        return []

    def discard(self, before_ns: int, *, keep_seconds: bool) -> None:
        """Discard the samples that no later query can reach.

        Parameters
        ----------
        before_ns : int
            Onset of the oldest candidate that is still undecided.
        keep_seconds : bool
            Whether the per-second statistics are needed at the end.
        """
        for name, segments in self._segments.items():
            for segment in segments:
                if isinstance(segment, AccSegment):
                    segment.discard(before_ns)
                if not keep_seconds:
                    segment.discard_seconds(before_ns)
            needed_ns = before_ns - KEEP_ENDED_NS
            ended = [a for a, _ in pairwise(segments) if a.newest_ns > needed_ns]
            self._segments[name] = ended + segments[-1:]

    def envelopes(
        self, first_ns: int, last_ns: int, limit_ns: int
    ) -> tuple[Sequence[Envelope], bool]:
        """Return the envelopes of the accelerometers that cover the interval."""
        covering = [
            s for s in self.all_segments() if isinstance(s, AccSegment) and s.covers(first_ns)
        ]
        return [s.envelope(first_ns, last_ns, limit_ns) for s in covering], False

    def emg_quality(self) -> Iterator[EmgQuality]:
        """Yield the quality of the EMG segments in memory."""
        return (s.quality for s in self.all_segments() if isinstance(s, EmgSegment))

    def _new_segment(self, name: str, start_ns: int) -> EmgSegment | AccSegment:
        channel = self._channels[name]
        if channel.kind == "emg":
            numbers, described = self._numbers[name], self._local_features
            return EmgSegment(channel, start_ns, self._settings, numbers, local_features=described)
        return AccSegment(channel, start_ns, self._settings)


@dataclass(slots=True)
class _Kept:
    """Data of a leg's night that the second stage needs."""

    candidates: list[ScoredCandidate] = field(default_factory=list)
    bursts: list[Burst] = field(default_factory=list)
    runs: list[LegMovementRun] = field(default_factory=list)
    episodes: list[AccEpisode] = field(default_factory=list)
    quality: list[EmgQuality] = field(default_factory=list)
    seconds: dict[str, list[PerSecond]] = field(default_factory=dict)
    beats: dict[str, EcgBeats] = field(default_factory=dict)
    local: dict[str, dict[int, LocalFeatures]] = field(default_factory=dict)


class LegDetector:
    """Runs the first stage on the channels of one leg.

    Parameters
    ----------
    leg : str
        ``left``, ``right`` or empty.
    channels : sequence of Channel
    settings : Settings
    classifier : Classifier
    keep : bool
        Whether the data that the second stage needs are kept.
    """

    def __init__(
        self,
        leg: str,
        channels: Sequence[Channel],
        settings: Settings,
        classifier: Classifier,
        *,
        keep: bool = True,
    ) -> None:
        self._settings, self._keep = settings, keep
        self._discard_ns = 0  # time at which samples are discarded next
        self._channels = {c.name: c for c in channels}
        # only the rules of the night ask for local features
        self._history = StreamHistory(channels, settings, local_features=keep)
        self._queue = ClusterQueue()
        shown = all(shows_rate_of_change(c.fs) for c in channels if c.kind == "acc")
        self._rules = ClusterRules(settings, SensorQueries(self._history), leg, classifier, shown)
        self._provisional = ProvisionalEvents(self._queue, self._rules)
        emg = [c.name for c in channels if c.kind == "emg"]
        self._kept = _Kept(
            seconds={c.name: [] for c in channels},
            beats={name: EcgBeats() for name in emg},
            local={name: {} for name in emg},
        )

    def push(self, chunk: Chunk) -> None:
        """Add a chunk.

        Parameters
        ----------
        chunk : Chunk
        """
        if len(chunk.samples):
            if self._history.begins_segment(chunk):
                self._end_segment(chunk.channel)
            self._history.push(chunk)

    def searches(self) -> list[Callable[[], None]]:
        """Return what is to be done between `push` and `decide`, as `StreamHistory.searches`."""
        return self._history.searches()

    def decide(self) -> list[ScoredCandidate]:
        """Return the candidates decided so far, after all chunks have been searched.

        Returns
        -------
        list of ScoredCandidate
            Also, as rejected, what `provisional` returned early and turned out to be a heart beat.
        """
        self._collect()
        current = self._history.current()
        if not current:
            return []
        earliest_onset_ns = min(s.earliest_onset_ns for s in current)
        decided = self._classify(earliest_onset_ns)
        withdrawn = self._provisional.withdraw(decided, current)
        newest_ns = max(s.newest_ns for s in current)
        if newest_ns < self._discard_ns:
            return decided + withdrawn
        self._discard_ns = newest_ns + DISCARD_NS
        oldest_ns = self._queue.oldest_ns
        before_ns = earliest_onset_ns if oldest_ns is None else min(earliest_onset_ns, oldest_ns)
        self._history.discard(before_ns, keep_seconds=self._keep)
        return decided + withdrawn

    def provisional(self) -> list[ScoredCandidate]:
        """Return the events that look complete but may still change.

        Returns
        -------
        list of ScoredCandidate
        """
        return self._provisional.find(self._history.current())

    def close(self) -> tuple[list[ScoredCandidate], NightContext, ClockOffset]:
        """End the recording; return the input of the second stage.

        Returns
        -------
        candidates : list of ScoredCandidate
            Decided again, with the accelerometer on the EMG's clock, if the clocks drift apart.
        context : NightContext
        offset : ClockOffset
        """
        for name in self._channels:
            self._end_segment(name)
        self._collect()
        self._classify(None)
        kept = self._kept
        seconds = {}
        for name, parts in kept.seconds.items():
            channel = self._channels[name]
            width = channel.width if channel.kind == "acc" else 0
            seconds[name] = concatenate(parts, channel.kind, width)
        offset = fit_clock_offset(kept.bursts, kept.episodes)
        if not offset.is_identity:
            history = AlignedHistory(kept.episodes, kept.quality, offset)
            kept.candidates = self._classify_aligned(history)
        # the second stage needs memory too
        kept.bursts, kept.runs, kept.episodes = [], [], []
        return kept.candidates, NightContext(seconds, kept.beats, kept.local), offset

    def _classify(self, earliest_onset_ns: int | None) -> list[ScoredCandidate]:
        """Classify the clusters that are complete."""
        decided = [
            c for cluster in self._queue.take_complete(earliest_onset_ns)
            for c in self._rules.classify(cluster)
        ]  # fmt: skip
        if self._keep:
            self._kept.candidates += decided
        return decided

    def _classify_aligned(self, history: AlignedHistory) -> list[ScoredCandidate]:
        """Classify all candidates of the night again, with both sensors on one clock."""
        rules = replace(self._rules, sensors=SensorQueries(history))
        queue = ClusterQueue()
        for candidates in (self._kept.bursts, self._kept.runs, history.episodes):
            queue.add(candidates)
        return [c for cluster in queue.take_complete(None) for c in rules.classify(cluster)]

    def _end_segment(self, name: str) -> None:
        segments = self._history.segments(name)
        if segments:
            segment = segments[-1]
            segment.close()
            if self._keep:
                self._kept.seconds[name].append(segment.per_second())
                if isinstance(segment, EmgSegment):
                    self._kept.quality.append(segment.quality)

    def _collect(self) -> None:
        """Move new candidates from the segments to the queue."""
        for segment in self._history.all_segments():
            if isinstance(segment, AccSegment):
                episodes = segment.take()
                self._queue.add(episodes)
                if self._keep:
                    self._kept.episodes += episodes
                continue
            bursts, runs = segment.take_bursts(), segment.take_leg_movement_runs()
            beats, local = segment.take_beats(), segment.take_local_features()
            self._queue.add(bursts)
            self._queue.add(runs)
            if self._keep:
                name = segment.channel.name
                self._kept.bursts += bursts
                self._kept.runs += runs
                self._kept.beats[name].add(*beats)
                self._kept.local[name].update(local)
