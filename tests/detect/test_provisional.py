"""Short movements are told early, and stand when they are settled."""

from __future__ import annotations

import numpy as np
import pytest

from tests.signals import SimulatedLeg, cut_chunks, detect
from twitchsense.detect.detector import Detector
from twitchsense.model.channels import NS
from twitchsense.settings import Settings

STEP_S = 0.02


def listen(recording):
    """Return the settled findings, and the early ones with their delays in s."""
    detector = Detector(Settings(), recording.channels)
    settled, early, reach = [], {}, {c.name: 0 for c in recording.channels}
    for chunk in cut_chunks(recording, np.arange(0, 60, STEP_S)):
        settled += detector.push(chunk)
        fs = recording.channel(chunk.channel).fs
        seconds = (chunk.first_index + len(chunk.samples)) / fs
        reach[chunk.channel] = chunk.segment_start_ns + round(seconds * NS)
        for f in detector.peek():
            key = f.kind, f.channel, f.onset_ns
            early.setdefault(key, (min(reach.values()) - f.offset_ns) / NS)
    detector.close()
    return settled, early


def test_twitch_and_jerk_are_told_within_a_fraction_of_a_second():
    plan = SimulatedLeg(60).jerk(15).twitch(20).jerk(30).twitch(35).twitch(45)
    settled, early = listen(plan.recording())
    stand = [(f.kind, f.channel, f.onset_ns) for f in settled if not f.reason]
    assert [k for k, _, _ in stand] == ["jerk", "twitch", "jerk", "twitch", "twitch"]
    assert sorted(early) == sorted(stand)
    for (kind, _, _), delay in early.items():
        assert 0 < delay <= (0.7 if kind == "jerk" else 0.3)


def test_also_beside_a_known_heart():
    plan = SimulatedLeg(60)
    plan.heart_beats(1, 59, 60, 100.0)
    for at in (30.0, 36.3, 42.6, 50.0):
        plan.twitch(at)
    _, early = listen(plan.recording())
    twitches = [d for (kind, _, _), d in early.items() if kind == "twitch"]
    assert len(twitches) >= 4
    assert np.median(twitches) <= 0.3


@pytest.mark.parametrize("kind", ["move", "throw"])
def test_a_movement_and_a_knock_are_never_called_a_twitch(kind):
    plan = SimulatedLeg(40)
    if kind == "move":
        plan.movement(20, 1.5)
    else:
        plan.oscillation(20)
    _, early = listen(plan.recording())
    assert [kind for kind, _, _ in early] == (["movement"] if kind == "move" else [])


def test_long_movements_are_told_soon_after_they_end():
    """Also one that lasts for many seconds, and one that goes on after a pause."""
    plan = (
        SimulatedLeg(60).movement(12, 1.0).movement(22, 8.0).movement(40, 1.0).movement(41.35, 2.0)
    )
    settled, early = listen(plan.recording())
    stand = {(f.onset_ns, f.offset_ns): f for f in settled if not f.reason}
    assert [f.kind for f in stand.values()] == ["movement"] * 3
    shown = {}
    for (kind, _, onset), delay in early.items():
        assert kind == "movement"
        shown.setdefault(onset, delay)
    assert sorted(shown) == sorted(onset for onset, _ in stand)
    assert all(0.2 < delay < 0.5 for delay in shown.values())


def test_looking_changes_nothing():
    recording = SimulatedLeg(40).jerk(15).twitch(20).movement(30, 1.0).recording()
    detector = Detector(Settings(), recording.channels)
    for chunk in cut_chunks(recording, np.arange(0, 40, 0.1)):
        detector.push(chunk)
        detector.peek()
    looked, whole = detector.close(), detect(recording)
    assert looked.events.equals(whole.events)
    assert looked.rejected.equals(whole.rejected)
