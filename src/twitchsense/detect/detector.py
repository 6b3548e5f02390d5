"""The detector: the only path from samples to events, live and in batch.

`Detector.push` takes chunks of any size and in any order of channels;
`Detector.close` returns the tables. However a recording is cut, the tables are
equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from weakref import proxy

from twitchsense.detect.acc_candidates import AccTrack
from twitchsense.detect.clock_alignment import AlignedSenses, find_line
from twitchsense.detect.clustering import Fusion
from twitchsense.detect.ecg_rejection import Beats
from twitchsense.detect.emg_candidates import EmgTrack
from twitchsense.detect.local_features import Company
from twitchsense.detect.night_context import Surroundings
from twitchsense.detect.response import Response
from twitchsense.detect.rules import Rules
from twitchsense.detect.sequence_rules import vote
from twitchsense.errors import TwitchsenseError
from twitchsense.model.candidates import (
    LONG_KINDS,
    SHORT_KINDS,
    AccEpisode,
    Burst,
    LegMovementRun,
    ScoredCandidate,
    event_tables,
)
from twitchsense.model.channels import Channel, Chunk, leg_by_channel
from twitchsense.model.detections import ClockOffset, Detections
from twitchsense.model.per_second import PerSecond, concatenate
from twitchsense.settings import Settings

#: A short movement is told before it is settled when, so long after it, no burst has
#: begun, ...
CALM_NS = 50_000_000
#: ... and when the accelerometer has had its time to answer, and a little more.
ANSWER_NS = 20_000_000
#: A longer one is told when no burst has begun for so long after it. Should it go on, what
#: was told grows.
LONG_CALM_NS = 250_000_000


class Detector:
    """Finds twitches, jerks and movements in a stream of chunks.

    Parameters
    ----------
    settings : Settings
    channels : sequence of Channel
        Those whose chunks will come; their order does not matter.
    keep : bool
        Whether what `close` needs is kept. Without, a detector may listen for ever in the
        same memory, and can't be closed.

    Examples
    --------
    >>> detector = Detector(Settings(), recording.channels)  # doctest: +SKIP
    >>> for chunk in recording.chunks():  # doctest: +SKIP
    ...     fresh = detector.push(chunk)
    >>> detections = detector.close()  # doctest: +SKIP
    """

    def __init__(
        self, settings: Settings, channels: Sequence[Channel], *, keep: bool = True
    ) -> None:
        self._leg_of = leg_by_channel(channels, settings.legs)
        by_leg: dict[str, list[Channel]] = {}
        for channel in sorted(channels, key=lambda c: c.name):
            by_leg.setdefault(self._leg_of[channel.name], []).append(channel)
        self._legs = {
            leg: _LegDetector(leg, members, settings, keep=keep) for leg, members in by_leg.items()
        }
        self._keep = keep
        self._settings = settings

    def push(self, chunk: Chunk) -> list[ScoredCandidate]:
        """Take some samples; return the findings that are complete by now.

        They are provisional: rules that need the neighbours of a candidate
        (heart beats, trains, active wake) are applied by `close`.
        """
        return self._legs[self._leg_of[chunk.channel]].push(chunk)

    def peek(self) -> list[ScoredCandidate]:
        """Return movements that look complete but may still change.

        A movement is known well before nothing can join it any more. What this tells is
        decided anew by each call until `push` hands it out, perhaps as another kind, as part
        of a larger movement, or not at all.
        """
        return [f for leg in self._legs.values() for f in leg.peek()]

    def close(self) -> Detections:
        """End the recording and return all tables.

        Raises
        ------
        TwitchsenseError
            If nothing was kept.
        """
        if not self._keep:
            raise TwitchsenseError("a detector that keeps nothing has no tables to return")
        findings: list[ScoredCandidate] = []
        seconds: dict[str, PerSecond] = {}
        lines: dict[str, ClockOffset] = {}
        for name in list(self._legs):
            leg = self._legs.pop(name)  # what it kept goes before the tables come
            found, table, lines[name] = leg.close()
            findings += vote(found, Surroundings(table, leg.beats, leg.company), self._settings)
            seconds |= table
        events, rejected = event_tables(findings)
        return Detections(events, rejected, dict(sorted(seconds.items())), lines)


class _LegDetector:
    """The channels of one leg and the fusion that joins them."""

    def __init__(
        self, leg: str, channels: Sequence[Channel], settings: Settings, *, keep: bool
    ) -> None:
        self._settings, self._leg, self._keep = settings, leg, keep
        self._channels = {c.name: c for c in channels}
        self._tracks: dict[str, list[EmgTrack | AccTrack]] = {c.name: [] for c in channels}
        self._next: dict[str, tuple[int, int]] = {}  # segment start, next index
        self._seconds: dict[str, list[PerSecond]] = {c.name: [] for c in channels}
        # a proxy: in a circle, nights would wait for the collector, which counts objects
        # and knows nothing of the megabytes behind them
        self._fusion = Fusion(Rules(settings, proxy(self), leg).decide)
        self._found: list[ScoredCandidate] = []
        emg = [c.name for c in channels if c.kind == "emg"]
        self.beats: dict[str, Beats] = {name: Beats() for name in emg}
        self.company: dict[str, dict[int, Company]] = {name: {} for name in emg}
        self._bursts: list[Burst] = []
        self._runs: list[LegMovementRun] = []
        self._episodes: list[AccEpisode] = []

    # -- samples ---------------------------------------------------------------

    def push(self, chunk: Chunk) -> list[ScoredCandidate]:
        self._track(chunk).push(chunk.samples)
        return self._settle()

    def peek(self) -> list[ScoredCandidate]:
        current = [tracks[-1] for tracks in self._tracks.values() if tracks]
        if len(current) < len(self._tracks) or not self._fusion.oldest_ns:
            return []
        emg = min((t.searched_ns for t in current if isinstance(t, EmgTrack)), default=0)
        acc = [t.reach_ns for t in current if isinstance(t, AccTrack)]
        lag = round(self._settings.jerk.lag_ms * 1e6)
        found = self._fusion.peek_long(
            emg - LONG_CALM_NS, lambda: [c for track in current for c in track.open()]
        )
        long = [f for f in found if f.kind in LONG_KINDS and not f.reason]
        short = [
            f
            for f in self._fusion.peek()
            if f.kind in ("jerk", *SHORT_KINDS)
            and not f.reason
            and f.offset_ns + CALM_NS <= emg
            and f.onset_ns + lag + ANSWER_NS <= min(acc, default=emg)
            and not any(g.onset_ns <= f.offset_ns and f.onset_ns <= g.offset_ns for g in long)
        ]
        return long + short

    def close(self) -> tuple[list[ScoredCandidate], dict[str, PerSecond], ClockOffset]:
        for name in self._channels:
            self._end_segment(name)
        self._collect()
        self._found += self._fusion.settle(None)
        table = {}
        for name, parts in self._seconds.items():
            channel = self._channels[name]
            table[name] = concatenate(parts, channel.kind, _width(channel))
        line = find_line(self._bursts, self._episodes)
        if not line.is_identity:
            self._found = self._decide_along(line, table)
        self._bursts, self._runs, self._episodes = [], [], []
        return self._found, table, line

    def _decide_along(
        self, line: ClockOffset, table: Mapping[str, PerSecond]
    ) -> list[ScoredCandidate]:
        """Decide the night anew, with the accelerometer put on the EMG's clock."""
        senses = AlignedSenses(self._episodes, table, line, self._settings.jerk.masked_uv)
        fusion = Fusion(Rules(self._settings, senses, self._leg).decide)
        fusion.add(self._bursts)
        fusion.add(self._runs)
        fusion.add(senses.episodes)
        return fusion.settle(None)

    def _track(self, chunk: Chunk) -> EmgTrack | AccTrack:
        start, index = self._next.get(chunk.channel, (None, 0))
        if chunk.segment_start_ns != start:
            if chunk.first_index != 0:
                raise TwitchsenseError(f"{chunk.channel}: a segment must be pushed from its start")
            self._end_segment(chunk.channel)
            channel = self._channels[chunk.channel]
            kind = EmgTrack if channel.kind == "emg" else AccTrack
            self._tracks[chunk.channel].append(
                kind(channel, chunk.segment_start_ns, self._settings)
            )
        elif chunk.first_index != index:
            raise TwitchsenseError(
                f"{chunk.channel}: expected sample {index} of the segment, got {chunk.first_index}"
            )
        stop = chunk.first_index + len(chunk.samples)
        self._next[chunk.channel] = (chunk.segment_start_ns, stop)
        return self._tracks[chunk.channel][-1]

    def _end_segment(self, name: str) -> None:
        if self._tracks[name]:
            track = self._tracks[name][-1]
            track.close()
            if self._keep:
                self._seconds[name].append(track.seconds())

    # -- candidates ------------------------------------------------------------------

    def _settle(self) -> list[ScoredCandidate]:
        self._collect()
        current = [tracks[-1] for tracks in self._tracks.values() if tracks]
        if len(current) < len(self._tracks):
            return []  # a channel that has not begun may still tell of this time
        settled = min(t.settled_ns for t in current)
        fresh = self._fusion.settle(settled)
        if self._keep:
            self._found += fresh
        oldest = self._fusion.oldest_ns
        self._forget(settled if oldest is None else min(settled, oldest))
        return fresh

    def _collect(self) -> None:
        for tracks in self._tracks.values():
            for track in tracks:
                if isinstance(track, EmgTrack):
                    bursts, runs = track.take()
                    beats, company = track.take_beats(), track.take_company()
                    self._fusion.add(bursts)
                    self._fusion.add(runs)
                    if self._keep:
                        self._bursts += bursts
                        self._runs += runs
                        self.beats[track.channel.name].add(beats)
                        self.company[track.channel.name].update(company)
                else:
                    episodes = track.take()
                    self._fusion.add(episodes)
                    if self._keep:
                        self._episodes += episodes

    def _forget(self, before_ns: int) -> None:
        for name, tracks in self._tracks.items():
            for track in tracks:
                if isinstance(track, AccTrack):
                    track.forget(before_ns)
                if not self._keep:
                    track.forget_seconds(before_ns)
            # an ended segment is needed as long as something near it is undecided
            self._tracks[name] = [
                old for old, new in pairwise(tracks) if old.reach_ns > before_ns - 3_000_000_000
            ] + tracks[-1:]

    # -- what the rules may ask ---------------------------------------------------------

    def response(self, first_ns: int, last_ns: int, limit_ns: int) -> Response | None:
        """Return what an accelerometer of the leg shows between two times."""
        for tracks in self._tracks.values():
            for track in tracks:
                if isinstance(track, AccTrack) and track.covers(first_ns):
                    return track.response(first_ns, last_ns, limit_ns)
        return None

    def has_emg(self, time_ns: int) -> bool:
        """Whether a usable EMG channel of the leg covers a time."""
        return any(track.usable(time_ns) for track in self._emg())

    def shows_jerks(self, time_ns: int) -> bool:
        """Whether an EMG channel of the leg would show a jerk at a time."""
        return any(track.shows_jerks(time_ns) for track in self._emg())

    def _emg(self) -> Iterator[EmgTrack]:
        for tracks in self._tracks.values():
            yield from (track for track in tracks if isinstance(track, EmgTrack))


def _width(channel: Channel) -> int:
    return channel.width if channel.kind == "acc" else 0
