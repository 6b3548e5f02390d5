"""Simulated wearables on a leg: a night of them is not one large movement."""

import numpy as np
import pytest

from firmware_sim.peers.movesense import MovesenseSensor
from firmware_sim.peers.polar import PolarSensor
from twitchsense.devices.registry import get_driver
from twitchsense.testing import SimulatedSession


@pytest.mark.parametrize(
    ("kind", "sensor"), [("polar", PolarSensor("h10", 1)), ("movesense", MovesenseSensor(1))]
)
def test_the_leg_lies_still_but_for_short_movements(kind, sensor):
    session = SimulatedSession(get_driver(kind), sensor, step_s=1.0)
    session.open()
    session.run(120)
    acc_g = sensor.sent["acc"].array()
    quiet = acc_g[: len(acc_g) // 50 * 50].reshape(-1, 50, 3).std(axis=1).max(axis=1)
    assert 0.001 < np.median(quiet) < 0.01
    assert quiet.max() > 0.1
