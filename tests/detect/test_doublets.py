"""Two potentials of one unit, 10 to 110 ms apart, are one event."""

from __future__ import annotations

import numpy as np
import pytest

from tests.signals import SimulatedLeg, detect


@pytest.mark.parametrize(("gap", "events"), [(0.04, 1), (0.08, 1), (0.1, 1), (0.13, 2), (0.3, 2)])
def test_doublet_is_one_event(gap, events):
    found = detect(SimulatedLeg(40).twitch(20).twitch(20 + gap).recording()).events
    assert list(found.trial_type) == ["twitch"] * events
    if events == 1:
        assert found.duration[0] == pytest.approx(gap + 0.045, abs=0.04)


def test_three_in_a_row_are_no_doublet():
    found = detect(SimulatedLeg(40).twitch(20).twitch(20.1).twitch(20.2).recording()).events
    assert len(found) == 3
    assert np.all(found.duration < 0.07)


def test_contraction_among_heart_beats_is_a_movement():
    leg = SimulatedLeg(60)
    for at in np.arange(12, 58, 0.9):
        leg.burst(at, 0.05, 60)
    leg.movement(30.0, 2.0)
    found = detect(leg.recording()).events
    assert "movement" in set(found.trial_type)
