"""Bursts and swings within a movement, measured from the samples."""

from __future__ import annotations

import numpy as np
import pytest

from tests.scoring.builders import (
    SETTINGS,
    burst_row,
)
from tests.signals import SimulatedLeg
from tests.sleep.builders import events
from twitchsense.model.event_table import REJECTED_COLUMNS, make_table
from twitchsense.scoring.trains.burst_trains import find_trains
from twitchsense.scoring.trains.movement_bursts import (
    measure_movement_bursts,
)

RULE = SETTINGS.trains
NOTHING = make_table([], REJECTED_COLUMNS)


def test_bursts_inside_one_movement_are_measured_from_the_samples():
    leg = SimulatedLeg(60, seed=3)
    for k in range(10):
        leg.burst(20 + k * 0.8, 0.45, 120)
    leg.movement(45, 5.0)
    rec = leg.recording()
    table = events(burst_row(20.0, "movement", 7.65), burst_row(45.0, "movement", 5.0))
    rhythms = measure_movement_bursts(rec, table, SETTINGS)
    count = rhythms.bursts.groupby("event").size()
    assert count[0] == 10
    assert rhythms.bursts["duration"][:10].median() == pytest.approx(0.45, abs=0.06)
    found = find_trains(table, NOTHING, rhythms, RULE)
    assert [(t.pattern, t.rows) for t in found] == [("foot", (0,))]


def test_a_rocking_leg_swings_and_a_plain_movement_does_not():
    leg = SimulatedLeg(90, seed=4)
    t = np.arange(1500) / 100
    leg.acc[2000:3500, 0] += 0.4 * np.sin(2 * np.pi * 1.1 * t)
    leg.acc[6000:7500] += 0.2 * leg.rng.normal(size=(1500, 3))
    table = events(burst_row(20.0, "gross_movement", 15.0), burst_row(60.0, "gross_movement", 15.0))
    swing = measure_movement_bursts(leg.recording(), table, SETTINGS).swing_hz
    assert swing[0] == pytest.approx(1.1, abs=0.05)
    assert np.isnan(swing[1])


def test_a_window_with_a_gap_has_no_rhythm():
    leg = SimulatedLeg(60, seed=5).burst(20, 8.0, 120)
    leg.emg[22_000:23_000] = np.nan
    leg.acc[2200:2300] = np.nan
    table = events(burst_row(20.0, "movement", 8.0))
    rhythms = measure_movement_bursts(leg.recording(), table, SETTINGS)
    assert rhythms.bursts.empty
    assert np.isnan(rhythms.swing_hz).all()
