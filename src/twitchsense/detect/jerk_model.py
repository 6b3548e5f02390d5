"""Tells a leg thrown by its muscle from a knock that comes while something small fires.

Both are a burst and a jolt at about one time. Size, length and shape of the burst, and how soon
and how fast the leg moved, tell them apart: trees say how likely it was the muscle (`trees`),
learned on the tuning side of the accuracy benchmark. The shape is asked because a knock or a
tug at the cable opens contacts, too.
"""

from __future__ import annotations

import numpy as np

from twitchsense.detect.boosted_trees import learned
from twitchsense.detect.burst_measures import LOOK
from twitchsense.detect.response import Response
from twitchsense.model.candidates import Burst

#: What the trees ask about. ``log_pace`` is jerk over acceleration: how fast the leg shakes.
JERK_FEATURES = (
    "log_burst_uv", "log_burst_s", "snr_db", "rise_ms", "lag_ms", "log_g", "log_pace", "episode_s",
    "log_pitch", *LOOK,
)  # fmt: skip
#: Accelerations beyond these count as these: what is learned from holds no jerk below the
#: one and no knock above the other, and neither is a rule.
LEARNED_G = (0.2, 1.0)


def describe_jolt(burst: Burst, seen: Response) -> list[float]:
    """Return `JERK_FEATURES` of a burst and what the leg did around it."""
    return [
        float(np.log(max(burst.amplitude_uv, 1.0))),
        float(np.log(max(burst.active_s, 1e-3))),
        float(burst.snr_db),
        float(burst.rise_ms),
        (seen.onset_ns - burst.onset_ns) / 1e6,
        float(np.log(np.clip(seen.peak_g, *LEARNED_G))),
        float(np.log(max(seen.jerk_g_s, 1e-3) / max(seen.peak_g, 1e-3))),
        (seen.offset_ns - seen.onset_ns) / 1e9,
        burst.log_frequency,
        *map(float, burst.waveform_features),
    ]


def judge_jolt(burst: Burst, seen: Response) -> float:
    """Return the probability that a burst threw the leg."""
    model = learned("jerk")
    row = np.array([describe_jolt(burst, seen)])
    return float(model.probability(model.parts(row))[0])
