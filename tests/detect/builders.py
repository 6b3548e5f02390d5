"""Builders of candidates, contexts and stand-ins for the tests of the detector."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from tests.signals import SimulatedLeg, band_noise
from twitchsense.detect.features.local import NO_NEIGHBOURS
from twitchsense.detect.features.waveform import WAVEFORM_FEATURES
from twitchsense.detect.rules.classify import Classifier
from twitchsense.detect.rules.cluster_rules import ClusterRules
from twitchsense.detect.rules.clustering import Cluster
from twitchsense.detect.rules.feature_tables import NightContext
from twitchsense.detect.rules.sequence_rules import apply_night_rules
from twitchsense.detect.sensors.sensor_queries import AccResponse
from twitchsense.model.candidates import AccEpisode, Burst, LegMovementRun, ScoredCandidate
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import Settings

MS = 1_000_000
S = 1_000 * MS
AT = 100 * S

BURST = Burst(
    channel="emg1", number=0, onset_ns=AT, offset_ns=AT + 40 * MS, peak_ns=AT + 15 * MS,
    active_s=0.04, amplitude_uv=200.0, rise_ms=10.0, snr_db=25.0,
    floor_uv=3.0, low_frequency_share=0.1,
    waveform_features=np.ones(len(WAVEFORM_FEATURES), np.float32), log_frequency=4.6,
    electrode_probability=0.1, mains_share=0.0, saturated=False,
    waveform=np.zeros(64, np.float32),
)  # fmt: skip
EPISODE = AccEpisode(
    channel="acc", onset_ns=AT + 30 * MS, offset_ns=AT + 330 * MS, peak_g=0.25, jerk_g_s=12.0,
    rise_ms=40.0, turn_deg=1.0, threshold_ratio=10.0,
)  # fmt: skip
#: The response of the leg to a jerk, and of a leg that does not move.
KICK = AccResponse(0.25, 12.0, AT + 30 * MS, AT + 250 * MS)
STILL = AccResponse(0.003, 0.4, AT, AT + 50 * MS)


def burst(ms: float = 40.0, **changes) -> Burst:
    """Return a burst of a duration."""
    length = {"offset_ns": AT + round(ms * MS), "active_s": ms / 1000}
    return replace(BURST, **(length | changes))


def burst_at(start_ms: float, stop_ms: float, **changes) -> Burst:
    """Return a burst between two times, counted from `AT`."""
    first, last = AT + round(start_ms * MS), AT + round(stop_ms * MS)
    length = {"onset_ns": first, "offset_ns": last, "active_s": (stop_ms - start_ms) / 1000}
    own = {"waveform_features": BURST.waveform_features.copy()}
    return replace(BURST, **(length | own | changes))


def episode(length_s: float = 0.3, **changes) -> AccEpisode:
    """Return an episode of a duration."""
    return replace(EPISODE, offset_ns=EPISODE.onset_ns + round(length_s * S), **changes)


def leg_run(seconds: float, median_uv: float = 20.0) -> LegMovementRun:
    """Return a leg-movement run that begins with `BURST` and outlasts it by the window."""
    return LegMovementRun("emg1", AT - 75 * MS, AT + round((seconds + 0.075) * S), median_uv)


class FakeSensors:
    """Sensors with given answers."""

    def __init__(self, seen=None, emg=True, noisy=False):
        self.seen, self.emg, self.noisy = seen, emg, noisy

    def response(self, first_ns, last_ns, limit_ns):
        return self.seen

    def emg_usable(self, time_ns):
        return self.emg

    def emg_shows_jerks(self, time_ns):
        return self.emg or self.noisy


class FakeClassifier(Classifier):
    """A classifier with one answer for every burst beside a movement."""

    def __init__(self, jerk_probability=0.8):
        self.jerk_probability = jerk_probability

    def jerk(self, burst, response):
        return self.jerk_probability


def classify_cluster(
    *members, seen=None, emg=True, noisy=False, settings=None, sensors=None, jerk_probability=0.8
):
    """Classify candidates as one cluster of the left leg."""
    sensors = sensors or FakeSensors(seen, emg, noisy)
    rules = ClusterRules(settings or Settings(), sensors, "left", FakeClassifier(jerk_probability))
    return rules.classify(Cluster.of(members))


def kind_and_reason(*members, **sensors):
    """Classify candidates that become one event or rejected candidate."""
    (found,) = classify_cluster(*members, **sensors)
    return found.kind, found.reason


# -- the second stage ------------------------------------------------------------------


def waveform(seed: int):
    """Return a random waveform of unit energy, slow enough for a heart beat."""
    x = np.random.default_rng(seed).normal(size=96)
    x = np.convolve(x, np.hanning(33), "same")[16:80]
    return (x / np.linalg.norm(x)).astype(np.float32)


def candidate(
    at_s, *, kind="twitch", seed=1, size=100.0, length_s=0.03, reason="", channel="emg1"
) -> ScoredCandidate:
    """Return a scored candidate; without `seed` it has no waveform."""
    start = round(at_s * S)
    return ScoredCandidate(
        start, start + round(length_s * S), kind, "", channel, amplitude_uv=size,
        confidence=0.9, reason=reason, burst_number=-1 if seed is None else 0,
        waveform=None if seed is None else waveform(seed),
    )  # fmt: skip


def per_second(active_fraction=0.0, n=400, kind="emg") -> PerSecond:
    """Return a table of seconds with a given fraction of activity, one for all or one each."""
    zero = np.zeros(n, np.float32)
    fraction = np.broadcast_to(np.float32(active_fraction), (n,)).copy()
    vectors = np.zeros((n, 0 if kind == "emg" else 3), np.float32)
    valid = np.ones(n, bool)
    return PerSecond(np.arange(n) * S, zero + 1, valid, zero, zero, zero, fraction, vectors, kind)


def night_context(seconds=None, beats=None, near=NO_NEIGHBOURS) -> NightContext:
    """Return a context in which every burst has the same local features."""
    local = {name: defaultdict(lambda: near) for name in ("emg1", "emg2")}
    return NightContext(seconds or {}, beats or {}, local)


def night_rules(candidates, context=None, settings=None, classifier=None):
    """Apply all rules of the night."""
    return apply_night_rules(
        candidates,
        night_context() if context is None else context,
        settings or Settings(),
        classifier or Classifier(),
    )


# -- signals --------------------------------------------------------------------------------


def leg_with_electrode_noise(seed=4):
    """Return a leg with electrode noise from 40 s on, and twitches and a jerk in it."""
    leg = SimulatedLeg(90, seed=seed)
    rng = np.random.default_rng(seed)
    leg.emg[40_000:80_000] += band_noise(40_000, 1000.0, 12.0, rng)
    for at in (52.0, 58.0, 66.0):
        leg.burst(at, 0.04)
    leg.jerk(72.0)
    return leg
