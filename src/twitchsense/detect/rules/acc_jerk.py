"""Jerks that only the accelerometer shows: their limits, their end and their confidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from twitchsense.detect.rules.burst_grouping import TRAIN_NS
from twitchsense.detect.rules.burst_limits import MS
from twitchsense.detect.sensors.sensor_queries import EDGE_FRACTION, find_response
from twitchsense.model.candidates import AccEpisode
from twitchsense.settings import JerkSettings

#: Share of its greatest rate of change that each jolt of a row without EMG reaches [E].
STEEP_FRACTION: Final = 0.3
#: Duration (s) at which a jolt without EMG is a jerk as often as a bump [E]. A bump ends sooner
#: than the swing of a leg: of the jolts under 0.1 s, 22 of 55 are jerks; of those from 0.3 s on,
#: 548 of 565 (blind kits a to g, seeds 101 to 103, and tuning side).
BUMP_S: Final = 0.08
#: The odds of a jerk grow with this power of the duration [E].
BUMP_POWER: Final = 2.7
#: Maximum confidence of a jerk that only the accelerometer shows [E].
MAX_CONFIDENCE_ALONE: Final = 0.9


def acc_jerk(episode: AccEpisode, rule: JerkSettings) -> AccEpisode | None:
    """Return the jerk that an episode without EMG is by its acceleration alone.

    Parameters
    ----------
    episode : AccEpisode
    rule : JerkSettings

    Returns
    -------
    AccEpisode or None
        One jolt or a row of them. It ends when the acceleration has fallen to a fifth of its peak;
        an episode lasts until the swing of the leg has died away. None if the episode is not a
        jerk. In a step, the leg is lifted before it strikes, so the rise takes longer.
    """
    rise_ms, end_ns = episode.rise_ms, episode.offset_ns
    seen = find_response(episode.envelope, episode.onset_ns, episode.offset_ns)
    if seen is not None:
        rise_ms = seen.rise_ms + max(0.0, (seen.onset_ns - episode.onset_ns) / MS)
        end_ns = max(episode.onset_ns + MS, min(end_ns, seen.offset_ns))
    if episode.peak_g < rule.min_g_alone or episode.jerk_g_s < rule.min_jerk_g_s:
        return None
    single = replace(episode, offset_ns=end_ns)
    train = None if seen is None else _acc_train(episode, rule)
    if rise_ms > rule.lag_ms or single.duration_s > rule.max_episode_s:
        return train
    return single if train is None or train.offset_ns <= single.offset_ns else train


def acc_jerk_confidence(jerk: AccEpisode) -> float:
    """Return the confidence that a jolt without EMG is a jerk and no bump.

    Parameters
    ----------
    jerk : AccEpisode
        From `acc_jerk`.

    Returns
    -------
    float
        0 to `MAX_CONFIDENCE_ALONE`.
    """
    odds = float((jerk.duration_s / BUMP_S) ** BUMP_POWER)
    return min(odds / (1 + odds), MAX_CONFIDENCE_ALONE)


def _acc_train(episode: AccEpisode, rule: JerkSettings) -> AccEpisode | None:
    """Return the row of jolts that an episode is, as one jerk; or None.

    Each jolt is steep, the first at once and each next one within half a second. A leg that moves
    of its own accord for longer than the swing of a jerk is rarely as steep as a violent jerk.
    """
    envelope = episode.envelope
    hop_ns = envelope.hop_ns
    first = max(0, int((episode.onset_ns - envelope.start_ns) / hop_ns))
    here = slice(first, int((episode.offset_ns - envelope.start_ns) / hop_ns) + 1)
    magnitude, change = envelope.magnitude[here], envelope.jerk[here]
    moving = (magnitude >= EDGE_FRACTION * magnitude.max()).nonzero()[0]
    limit = min(max(STEEP_FRACTION * change.max(), rule.min_jerk_g_s), change.max())
    steep = (change >= limit).nonzero()[0]
    swing_s = (moving[-1] - steep[-1]) * hop_ns / 1e9
    pauses_ns = np.diff(steep, prepend=steep[0]) * hop_ns
    long = (moving[-1] - moving[0] + 1) * hop_ns / 1e9 > rule.max_episode_s
    if (
        steep[0] * hop_ns > rule.lag_ms * MS
        or pauses_ns.max() > TRAIN_NS
        or swing_s > rule.max_episode_s
        or (long and episode.jerk_g_s < rule.violent_jerk_g_s)
    ):
        return None
    end_ns = episode.onset_ns + round((int(moving[-1]) + 1) * hop_ns)
    return replace(episode, offset_ns=min(episode.offset_ns, end_ns))
