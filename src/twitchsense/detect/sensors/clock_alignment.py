"""Offset between the clocks of the EMG and the accelerometer of one leg.

A jerk shows in the EMG and, some 20 to 80 ms later, in the accelerometer. If two clocks sampled
the signals, that delay changes by seconds over a night. The offset is a linear function of time
(offset and slope), fitted so that a movement of the leg follows as many muscle activities as
possible. It is applied only if it explains more activities than a zero offset. The fit needs the
whole night, so provisional events are found without it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.sensors.emg_quality import EmgQuality
from twitchsense.detect.sensors.sensor_queries import AFTER_NS, BEFORE_NS, find_response
from twitchsense.model.candidates import AccEpisode, Burst, Envelope
from twitchsense.model.channels import NS
from twitchsense.model.detections import ClockOffset

Floats = NDArray[np.float64]

#: Maximum difference of rates, ppm: two crystals with errors of 20-100 ppm each, and the effect of
#: the temperature at night [E].
MAX_PPM: Final = 300.0
#: Maximum offset at the start, s [E].
MAX_OFFSET_S: Final = 0.3
#: Minimum duration of a muscle activity, ms: longer than the potential of one motor unit [E].
MIN_ACTIVITY_MS: Final = 40.0
#: Minimum peak acceleration of a movement, g: greater than the response to a twitch [E].
MIN_MOVEMENT_G: Final = 0.03
#: Minimum pause before an activity or a movement, s [E].
MIN_PAUSE_S: Final = 1.0
#: Maximum share of power below the burst band, or on the mains lines, of an activity.
MAX_ARTIFACT_SHARE: Final = 0.5
#: Range of the delay of the leg's response to a short activity, s.
SHORT_DELAY_S: Final = (-0.02, 0.15)
#: Range of the delay of the leg's response to an activity that builds up, s.
LONG_DELAY_S: Final = (-0.05, 0.35)
#: Usual delay of the response to a short activity, s.
TYPICAL_DELAY_S: Final = 0.04
#: Weight of an activity that builds up, relative to a short one.
LONG_WEIGHT: Final = 0.5
#: Maximum duration of a short activity, ms.
SHORT_MS: Final = 300.0
#: Minimum gain of an offset over a zero offset, in weighted activities explained.
MIN_GAIN: Final = 2.0
#: Minimum shift between the clocks at the start or at the end of the night, s [E].
MIN_SHIFT_S: Final = 0.04
#: Initial offset (s) for which one additional activity must be explained: a penalty, because the
#: sensors of one device start together [E].
OFFSET_COST_S: Final = 0.08
#: Maximum time (s) from the onset of an episode to a fifth of its peak at which the latter is the
#: onset of the movement, as in the jerk rule. In a movement that builds up for longer, the onset
#: of the episode is used.
MAX_BUILD_UP_S: Final = 0.3
#: Share of the activities that can be paired above which a zero offset is accepted [E].
SUFFICIENT_SHARE: Final = 0.9
#: Step of the search, s.
STEP_S: Final = 0.02
#: Maximum number of slopes examined.
MAX_SLOPES: Final = 601
#: Maximum number of activities examined.
MAX_ACTIVITIES: Final = 2000
#: Minimum number of activities, and of movements.
MIN_ACTIVITIES: Final = 4
#: Minimum number of short activities by which the offset is refined.
MIN_REFINED: Final = 3


def fit_clock_offset(bursts: Sequence[Burst], episodes: Sequence[AccEpisode]) -> ClockOffset:
    """Fit the offset between the clocks of one leg's sensors.

    Parameters
    ----------
    bursts : sequence of Burst
    episodes : sequence of AccEpisode

    Returns
    -------
    ClockOffset
        The identity if no offset is needed.
    """
    emg, short = _activities(bursts)
    acc = _movements(episodes)
    if len(emg) < MIN_ACTIVITIES or len(acc) < MIN_ACTIVITIES:
        return ClockOffset()
    reach = MAX_OFFSET_S + MAX_PPM * 1e-6 * max(emg[-1], acc[-1]) + LONG_DELAY_S[1]
    first, last = np.searchsorted(acc, [emg - reach, emg + reach])
    count = last - first
    i = np.repeat(np.arange(len(emg)), count)
    j = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[i]
    if len(i) == 0:
        return ClockOffset()
    delay, at = acc[j] - emg[i], emg[i]
    low = np.where(short, SHORT_DELAY_S[0], LONG_DELAY_S[0])[i]
    high = np.where(short, SHORT_DELAY_S[1], LONG_DELAY_S[1])[i]
    weight = np.where(short, 1.0, LONG_WEIGHT)

    heads = np.flatnonzero(np.diff(i, prepend=-1))  # pairs of one activity follow each other
    paired = weight[i[heads]]

    def explained(offsets_s: Floats, slope: float) -> Floats:
        """Return the weight of the activities with a movement, for each offset."""
        rest = delay - offsets_s[:, None] - slope * at
        hit = (rest >= low) & (rest <= high)
        # sums of halves, which are exact in any order
        return np.asarray(np.logical_or.reduceat(hit, heads, axis=1) @ paired, np.float64)

    without = float(explained(np.zeros(1), 0.0)[0])
    if without >= SUFFICIENT_SHARE * float(paired.sum()):
        return ClockOffset()
    length = float(max(emg[-1], 1.0))
    half = min(MAX_SLOPES // 2, int(np.ceil(MAX_PPM * 1e-6 * length / (2 * STEP_S))))
    slopes = np.linspace(-MAX_PPM, MAX_PPM, 2 * half + 1) * 1e-6
    offsets = np.arange(-MAX_OFFSET_S, MAX_OFFSET_S + STEP_S / 2, STEP_S)
    scores = np.array([explained(offsets, slope) for slope in slopes])
    worth = scores - np.abs(offsets) / OFFSET_COST_S
    if worth.max() < without + MIN_GAIN:
        return ClockOffset()
    # the median of all lines that explain as many activities
    best = float(scores.flat[worth.argmax()])
    rows, columns = np.nonzero((scores >= best) & (worth >= without + MIN_GAIN))
    slope, offset = float(np.median(slopes[rows])), float(np.median(offsets[columns]))
    rest = delay - offset - slope * at
    hit = (rest >= low) & (rest <= high) & short[i]
    if hit.sum() >= MIN_REFINED:
        offset += float(np.median(rest[hit])) - TYPICAL_DELAY_S
    if max(abs(offset), abs(offset + slope * length)) < MIN_SHIFT_S:
        return ClockOffset()
    return ClockOffset(offset, slope)


def _activities(bursts: Sequence[Burst]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the onsets (s) of muscle activities, and whether each is short."""
    chosen = sorted(
        (b.onset_ns / NS, b.offset_ns / NS)
        for b in bursts
        if b.duration_s * 1000 >= MIN_ACTIVITY_MS
        and b.mains_share < MAX_ARTIFACT_SHARE
        and b.low_frequency_share < MAX_ARTIFACT_SHARE
    )
    if not chosen:
        return np.empty(0), np.empty(0, bool)
    onset, offset = np.array(chosen).T
    ends = np.maximum.accumulate(offset)
    heads = np.flatnonzero(np.concatenate([[True], onset[1:] - ends[:-1] > MIN_PAUSE_S]))
    tails = np.concatenate([heads[1:], [len(onset)]]) - 1
    every = -(-len(heads) // MAX_ACTIVITIES)
    start, stop = onset[heads[::every]], ends[tails[::every]]
    return start, (stop - start) * 1000 <= SHORT_MS


def _movements(episodes: Sequence[AccEpisode]) -> Floats:
    """Return the onsets (s) of movements after a pause."""
    chosen = sorted(
        (_onset_ns(e) / NS, e.offset_ns / NS) for e in episodes if e.peak_g >= MIN_MOVEMENT_G
    )
    if not chosen:
        return np.empty(0)
    onset, offset = np.array(chosen).T
    ends = np.maximum.accumulate(offset)
    after_pause = np.concatenate([[True], onset[1:] - ends[:-1] > MIN_PAUSE_S])
    return np.asarray(onset[after_pause], np.float64)


def _onset_ns(episode: AccEpisode) -> int:
    response = find_response(episode.envelope, episode.onset_ns, episode.offset_ns)
    late = 0 if response is None else response.onset_ns - episode.onset_ns
    return episode.onset_ns + (late if 0 < late <= MAX_BUILD_UP_S * NS else 0)


class AlignedHistory:
    """A `SensorHistory` of the whole night on the EMG's clock.

    Parameters
    ----------
    episodes : sequence of AccEpisode
        Episodes of the leg, on the accelerometer's clock.
    quality : sequence of EmgQuality
        Quality of the EMG segments of the leg.
    offset : ClockOffset

    Attributes
    ----------
    episodes : list of AccEpisode
        On the EMG's clock.
    """

    def __init__(
        self,
        episodes: Sequence[AccEpisode],
        quality: Sequence[EmgQuality],
        offset: ClockOffset,
    ) -> None:
        aligned = (align(e, offset) for e in episodes)
        self.episodes = sorted(aligned, key=lambda e: e.envelope.start_ns)
        self._starts = [e.envelope.start_ns for e in self.episodes]
        lengths = (e.envelope.stop_ns - e.envelope.start_ns for e in self.episodes)
        self._longest = max(lengths, default=0)
        self._quality = quality

    def envelopes(
        self, first_ns: int, last_ns: int, limit_ns: int
    ) -> tuple[Sequence[Envelope], bool]:
        """Return the envelopes of the episodes around an interval; the leg was still otherwise.

        Parameters
        ----------
        first_ns, last_ns : int
            Interval in which the peak of a response is sought.
        limit_ns : int
            Samples from here on may not have arrived yet, and are not read.

        Returns
        -------
        envelopes : sequence of Envelope
        still_between : bool
            Always True.
        """
        a = bisect_left(self._starts, first_ns - BEFORE_NS - self._longest)
        b = bisect_left(self._starts, min(last_ns + AFTER_NS, limit_ns))
        return [e.envelope for e in self.episodes[a:b]], True

    def emg_quality(self) -> Sequence[EmgQuality]:
        """Return the quality of the EMG segments.

        Returns
        -------
        sequence of EmgQuality
        """
        return self._quality


def align(episode: AccEpisode, offset: ClockOffset) -> AccEpisode:
    """Return an episode with its times on the EMG's clock.

    Parameters
    ----------
    episode : AccEpisode
        On the accelerometer's clock.
    offset : ClockOffset

    Returns
    -------
    AccEpisode
    """
    envelope = episode.envelope
    return replace(
        episode,
        onset_ns=offset.to_emg(episode.onset_ns),
        offset_ns=offset.to_emg(episode.offset_ns),
        envelope=replace(envelope, start_ns=offset.to_emg(envelope.start_ns)),
    )
