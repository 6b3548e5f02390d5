"""Two clocks that run apart: the pairs are found along the line between them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.signals import Leg, detect
from twitchsense.recording import Recording

JERKS = (95.0, 310.0, 505.0, 722.0, 960.0, 1110.0, 1290.0, 1500.0, 1700.0)
TWITCHES = (40.0, 200.0, 400.0, 650.0, 850.0, 1200.0, 1650.0)


def drifting(ppm, start_s=0.0, *, jerks=JERKS, bumps=()):
    """Half an hour in which the accelerometer's clock runs apart from the EMG's."""
    leg = Leg(1800)
    for at in TWITCHES:
        leg.twitch(at)
    for at in jerks:
        leg.burst(at, 0.1)
        leg.throw((at + 0.04) * (1 + ppm * 1e-6) + start_s)
    for at in bumps:
        leg.throw(at)
    return Recording.from_arrays(leg.signals())


@pytest.mark.parametrize(("ppm", "start_s"), [(100, 0.0), (-100, 0.0), (60, -0.25), (0, 0.2)])
def test_jerks_are_paired_along_the_line_of_the_clocks(ppm, start_s):
    found = detect(drifting(ppm, start_s))
    assert list(found.events.trial_type.value_counts().loc[["jerk", "twitch"]]) == [9, 7]
    np.testing.assert_allclose(
        found.events.onset[found.events.trial_type == "jerk"], JERKS, atol=0.02
    )
    assert "bump" not in set(found.rejected.reason)
    line = found.clocks[""]
    assert line.slope * 1e6 == pytest.approx(ppm, abs=25)
    assert line.to_emg(round((900 * (1 + ppm * 1e-6) + start_s) * 1e9)) == pytest.approx(
        900e9, abs=25e6
    )


def test_one_clock_needs_no_line():
    found = detect(drifting(0))
    assert found.clocks[""].is_flat
    assert (found.events.trial_type == "jerk").sum() == len(JERKS)


def test_bumps_at_random_make_no_line():
    rng = np.random.default_rng(3)
    found = detect(drifting(0, jerks=(), bumps=np.sort(rng.uniform(20, 1790, 40))))
    assert found.clocks[""].is_flat
    assert set(found.events.trial_type) == {"twitch"}
