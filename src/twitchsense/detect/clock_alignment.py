"""Two clocks that run apart: finds the line between them, and pairs along it.

A jerk shows in the EMG and, some 20 to 80 ms later, in the accelerometer. If the
two were sampled by two clocks, that delay grows by seconds in a night. The line
is the one along which most activities of the muscle have a movement of the leg
behind them; it is used only where it explains more than no line does. It needs
the whole night, so live findings are made without it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.response import HEAD_NS, TAIL_NS, Response, find_response
from twitchsense.model.candidates import AccEpisode, Burst
from twitchsense.model.channels import NS
from twitchsense.model.detections import ClockOffset
from twitchsense.model.per_second import PerSecond

Floats = NDArray[np.float64]

#: Crystals are good to 20-100 ppm each; two of them, with the cold of the night [E].
MOST_PPM, MOST_START_S = 300.0, 0.3
#: Activities that take part: longer than one motor unit, stronger than a twitch's
#: answer, and clear of what came before [E].
LEAST_MS, LEAST_G, CLEAR_S = 40.0, 0.03, 1.0
#: Delay of the leg's answer to a short burst, and to a movement that builds up, s.
SHORT_LAG_S, LONG_LAG_S = (-0.02, 0.15), (-0.05, 0.35)
USUAL_LAG_S = 0.04
LONG_WEIGHT = 0.5
SHORT_MS = 300.0
#: A line must explain this many more activities than no line, and matter [E].
GAIN, LEAST_SHIFT_S = 2.0, 0.04
#: The sensors of one device begin together: an activity more must be explained for each
#: so many seconds that a line begins apart, or chance finds one among so many [E].
START_COST_S = 0.08
#: A jolt begins where it is a fifth of its peak, as where a jerk is judged, unless that is
#: later than so long after its first stir: then it built up.
STIR_S = 0.3
#: No line is looked for where none explains this share of what could be paired [E].
ENOUGH = 0.9
#: Steps of the search.
STEP_S, MOST_SLOPES, MOST_ACTIVITIES = 0.02, 601, 2000


def find_line(bursts: Sequence[Burst], episodes: Sequence[AccEpisode]) -> ClockOffset:
    """Find the line between the clocks of one leg's sensors; flat if none is needed."""
    emg, short = _activities(bursts)
    acc = _movements(episodes)
    if len(emg) < 4 or len(acc) < 4:
        return ClockOffset()
    reach = MOST_START_S + MOST_PPM * 1e-6 * max(emg[-1], acc[-1]) + LONG_LAG_S[1]
    first, last = np.searchsorted(acc, [emg - reach, emg + reach])
    count = last - first
    i = np.repeat(np.arange(len(emg)), count)
    j = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[i]
    if len(i) == 0:
        return ClockOffset()
    lag, at = acc[j] - emg[i], emg[i]
    low = np.where(short, SHORT_LAG_S[0], LONG_LAG_S[0])[i]
    high = np.where(short, SHORT_LAG_S[1], LONG_LAG_S[1])[i]
    weight = np.where(short, 1.0, LONG_WEIGHT)

    def explained(start_s: float, slope: float) -> float:
        rest = lag - start_s - slope * at
        hit = (rest >= low) & (rest <= high)
        return float(weight[np.unique(i[hit])].sum())

    flat = explained(0.0, 0.0)
    if flat >= ENOUGH * float(weight[np.unique(i)].sum()):
        return ClockOffset()
    length = float(max(emg[-1], 1.0))
    half = min(MOST_SLOPES // 2, int(np.ceil(MOST_PPM * 1e-6 * length / (2 * STEP_S))))
    slopes = np.linspace(-MOST_PPM, MOST_PPM, 2 * half + 1) * 1e-6
    starts = np.arange(-MOST_START_S, MOST_START_S + STEP_S / 2, STEP_S)
    scores = np.array([[explained(a, b) for a in starts] for b in slopes])
    worth = scores - np.abs(starts) / START_COST_S
    if worth.max() < flat + GAIN:
        return ClockOffset()
    # the middle of all lines that explain as much
    best = float(scores.flat[worth.argmax()])
    rows, columns = np.nonzero((scores >= best) & (worth >= flat + GAIN))
    slope, start = float(np.median(slopes[rows])), float(np.median(starts[columns]))
    line = _refine(start, slope, lag, at, (low, high), short[i])
    if max(abs(line.offset_s), abs(line.offset_s + line.slope * length)) < LEAST_SHIFT_S:
        return ClockOffset()
    return line


def _refine(
    start: float,
    slope: float,
    lag: Floats,
    at: Floats,
    limits: tuple[Floats, Floats],
    short: NDArray[np.bool_],
) -> ClockOffset:
    """Put the short activities of a line at their usual delay."""
    rest = lag - start - slope * at
    hit = (rest >= limits[0]) & (rest <= limits[1]) & short
    if hit.sum() >= 3:
        start += float(np.median(rest[hit])) - USUAL_LAG_S
    return ClockOffset(start, slope)


def _activities(bursts: Sequence[Burst]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the onsets (s) of muscle activities, and whether each is short."""
    chosen = sorted(
        (b.onset_ns / NS, b.offset_ns / NS)
        for b in bursts
        if b.duration_s * 1000 >= LEAST_MS and b.mains_share < 0.5 and b.low_frequency_share < 0.5
    )
    if not chosen:
        return np.empty(0), np.empty(0, bool)
    onset, offset = np.array(chosen).T
    ends = np.maximum.accumulate(offset)
    heads = np.flatnonzero(np.concatenate([[True], onset[1:] - ends[:-1] > CLEAR_S]))
    tails = np.concatenate([heads[1:], [len(onset)]]) - 1
    every = -(-len(heads) // MOST_ACTIVITIES)
    start, stop = onset[heads[::every]], ends[tails[::every]]
    return start, (stop - start) * 1000 <= SHORT_MS


def _movements(episodes: Sequence[AccEpisode]) -> Floats:
    """Return the onsets (s) of movements that are clear of what came before."""
    chosen = sorted((_begin_ns(e) / NS, e.offset_ns / NS) for e in episodes if e.peak_g >= LEAST_G)
    if not chosen:
        return np.empty(0)
    onset, offset = np.array(chosen).T
    ends = np.maximum.accumulate(offset)
    clear = np.concatenate([[True], onset[1:] - ends[:-1] > CLEAR_S])
    return np.asarray(onset[clear], np.float64)


def _begin_ns(episode: AccEpisode) -> int:
    jolt = find_response(episode.envelope, episode.onset_ns, episode.offset_ns)
    late = 0 if jolt is None else jolt.onset_ns - episode.onset_ns
    return episode.onset_ns + (late if 0 < late <= STIR_S * NS else 0)


class AlignedSenses:
    """Answers the rules' questions on the EMG's clock, when the night is over.

    Parameters
    ----------
    episodes : sequence of Episode
        Those of the leg, on the accelerometer's clock.
    seconds : mapping of str to Seconds
        Of the leg's channels.
    line : ClockLine
    masked_uv : float
        EMG noisier than this shows no jerks.
    """

    def __init__(
        self,
        episodes: Sequence[AccEpisode],
        seconds: Mapping[str, PerSecond],
        line: ClockOffset,
        masked_uv: float,
    ) -> None:
        self.episodes = sorted(
            (align(e, line) for e in episodes), key=lambda e: e.envelope.start_ns
        )
        self._starts = [e.envelope.start_ns for e in self.episodes]
        self._longest = max(
            (e.envelope.stop_ns - e.envelope.start_ns for e in self.episodes), default=0
        )
        self._emg = [s for s in seconds.values() if s.kind == "emg"]
        self._masked_uv = masked_uv

    def response(self, first_ns: int, last_ns: int, limit_ns: int) -> Response | None:
        """Return the greatest answer among the episodes near; stillness elsewhere."""
        a = bisect_left(self._starts, first_ns - HEAD_NS - self._longest)
        b = bisect_left(self._starts, min(last_ns + TAIL_NS, limit_ns))
        found = [find_response(e.envelope, first_ns, last_ns) for e in self.episodes[a:b]]
        best = max((r for r in found if r), key=lambda r: r.peak_g, default=None)
        return best or Response(0.0, 0.0, first_ns, first_ns)

    def has_emg(self, time_ns: int) -> bool:
        """Whether a usable EMG channel covers a time, by the second before it."""
        return any(table.valid[k] for table, k in self._before(time_ns))

    def shows_jerks(self, time_ns: int) -> bool:
        """Whether an EMG channel covers a time that would show a jerk."""
        return any(
            table.valid[k] or 0 < table.level[k] <= self._masked_uv
            for table, k in self._before(time_ns)
        )

    def _before(self, time_ns: int) -> Iterator[tuple[PerSecond, int]]:
        for table in self._emg:
            k = int(np.searchsorted(table.time_ns, time_ns, side="right")) - 1
            if k >= 0 and time_ns < table.time_ns[k] + table.length_s[k] * NS:
                yield table, max(0, k - 1)


def align(episode: AccEpisode, line: ClockOffset) -> AccEpisode:
    """Return an episode on the EMG's clock."""
    envelope = episode.envelope
    return replace(
        episode,
        onset_ns=line.to_emg(episode.onset_ns),
        offset_ns=line.to_emg(episode.offset_ns),
        envelope=replace(envelope, start_ns=line.to_emg(envelope.start_ns)),
    )
