"""Provisional events are reported early and agree with the final decision."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from tests.detect.builders import FakeClassifier, FakeSensors, burst
from tests.signals import SimulatedLeg, cut_chunks, detect
from twitchsense.detect.candidates.emg_segment import EmgSegment
from twitchsense.detect.detector import Detector
from twitchsense.detect.provisional import ProvisionalEvents
from twitchsense.detect.rules.cluster_rules import ClusterRules
from twitchsense.detect.rules.clustering import ClusterQueue
from twitchsense.live.event_updates import EventTracker
from twitchsense.model.channels import NS, Channel
from twitchsense.settings import Settings

STEP_S = 0.02


def detect_live(recording):
    """Return the final candidates, and the delay (s) of each provisional event."""
    detector = Detector(Settings(), recording.channels)
    final, provisional, reach = [], {}, {c.name: 0 for c in recording.channels}
    for chunk in cut_chunks(recording, np.arange(0, 60, STEP_S)):
        final += detector.push(chunk)
        fs = recording.channel(chunk.channel).fs
        seconds = (chunk.first_index + len(chunk.samples)) / fs
        reach[chunk.channel] = chunk.segment_start_ns + round(seconds * NS)
        for f in detector.peek():
            key = f.kind, f.channel, f.onset_ns
            provisional.setdefault(key, (min(reach.values()) - f.offset_ns) / NS)
    detector.close()
    return final, provisional


@pytest.mark.slow
def test_twitch_and_jerk_are_reported_within_a_fraction_of_a_second():
    plan = SimulatedLeg(60).jerk(15).twitch(20).jerk(30).twitch(35).twitch(45)
    final, provisional = detect_live(plan.recording())
    stand = [(f.kind, f.channel, f.onset_ns) for f in final if not f.reason]
    assert [k for k, _, _ in stand] == ["jerk", "twitch", "jerk", "twitch", "twitch"]
    assert sorted(provisional) == sorted(stand)
    for (kind, _, _), delay in provisional.items():
        assert 0 < delay <= (0.7 if kind == "jerk" else 0.3)


@pytest.mark.slow
def test_twitch_beside_a_known_heart_is_reported_in_time():
    """Without waiting for the next beat (before: up to 0.37 s), and no beat is reported."""
    plan = SimulatedLeg(60)
    plan.heart_beats(1, 59, 60, 100.0)
    for at in (30.0, 36.3, 42.6, 50.0):
        plan.twitch(at)
    final, provisional = detect_live(plan.recording())
    known_ns = plan.recording().start_ns + 20 * NS
    late = {key: delay for key, delay in provisional.items() if key[2] > known_ns}
    twitches = [key for key in late if key[0] == "twitch"]
    assert len(twitches) >= 4
    assert max(late[key] for key in twitches) <= 0.25
    assert set(twitches) == {
        (f.kind, f.channel, f.onset_ns) for f in final if not f.reason and f.onset_ns > known_ns
    }


def test_what_was_reported_early_and_is_a_beat_is_withdrawn():
    queue = ClusterQueue()
    rules = ClusterRules(Settings(), FakeSensors(), "left", FakeClassifier())
    early = ProvisionalEvents(queue, rules)
    segment = EmgSegment(Channel("emg1", "emg", "uV", 1000.0, ("emg1_uv",)), 0, Settings(), count())
    tracker = EventTracker()
    shown = burst(40)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EmgSegment, "preview", lambda _: ([shown], shown.offset_ns + NS))
        patch.setattr(segment, "earliest_burst_ns", shown.onset_ns)
        (row,) = tracker.update(early.withdraw([], [segment]), early.find([segment]))
        assert not row.final
        assert early.withdraw([], [segment]) == []
        patch.setattr(segment, "earliest_burst_ns", shown.offset_ns + NS)
        patch.setattr(EmgSegment, "preview", lambda _: ([], shown.offset_ns + NS))
        (row,) = tracker.update(early.withdraw([], [segment]), early.find([segment]))
    assert row.withdrawn
    assert row.candidate.onset_ns == shown.onset_ns
    assert early.withdraw([], [segment]) == []


@pytest.mark.slow  # pushes samples 20 ms at a time
@pytest.mark.parametrize("kind", ["move", "throw"])
def test_movement_and_bump_are_never_reported_as_a_twitch(kind):
    plan = SimulatedLeg(40)
    if kind == "move":
        plan.movement(20, 1.5)
    else:
        plan.oscillation(20)
    _, provisional = detect_live(plan.recording())
    assert [kind for kind, _, _ in provisional] == (["movement"] if kind == "move" else [])


@pytest.mark.slow
def test_long_movements_are_reported_soon_after_they_end():
    """Also one that lasts for many seconds, and one that goes on after a pause."""
    plan = (
        SimulatedLeg(60).movement(12, 1.0).movement(22, 8.0).movement(40, 1.0).movement(41.35, 2.0)
    )
    final, provisional = detect_live(plan.recording())
    stand = {(f.onset_ns, f.offset_ns): f for f in final if not f.reason}
    assert [f.kind for f in stand.values()] == ["movement"] * 3
    shown = {}
    for (kind, _, onset), delay in provisional.items():
        assert kind == "movement"
        shown.setdefault(onset, delay)
    assert sorted(shown) == sorted(onset for onset, _ in stand)
    assert all(0.2 < delay < 0.5 for delay in shown.values())


def test_peek_changes_nothing():
    recording = SimulatedLeg(40).jerk(15).twitch(20).movement(30, 1.0).recording()
    detector = Detector(Settings(), recording.channels)
    for chunk in cut_chunks(recording, np.arange(0, 40, 0.1)):
        detector.push(chunk)
        detector.peek()
    peeked, whole = detector.close(), detect(recording)
    assert peeked.events.equals(whole.events)
    assert peeked.rejected.equals(whole.rejected)
