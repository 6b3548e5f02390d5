"""Clock alignment: the offset between the clocks of two sensors, and decisions with it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.signals import SimulatedLeg, detect
from twitchsense.model.recording import Recording

JERKS = (95.0, 310.0, 505.0, 722.0, 960.0, 1110.0, 1290.0, 1500.0, 1700.0)
TWITCHES = (40.0, 200.0, 400.0, 650.0, 850.0, 1200.0, 1650.0)


def drifting(ppm, start_s=0.0, *, jerks=JERKS, bumps=(), noise_uv=0.0):
    """Half an hour in which the accelerometer's clock runs apart from the EMG's."""
    leg = SimulatedLeg(1800)
    leg.emg[1_605_000:] *= max(noise_uv / 3.0, 1.0)
    for at in TWITCHES:
        leg.twitch(at)
    for at in jerks:
        leg.burst(at, 0.1)
        leg.oscillation((at + 0.04) * (1 + ppm * 1e-6) + start_s)
    for at in bumps:
        leg.oscillation(at)
    return Recording.from_arrays(leg.signals())


@pytest.mark.slow  # analyses several recordings
@pytest.mark.parametrize(("ppm", "start_s"), [(100, 0.0), (-100, 0.0), (60, -0.25), (0, 0.2)])
def test_offset_and_slope_of_drifting_clocks_are_fitted(ppm, start_s):
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


def test_one_clock_has_no_offset():
    found = detect(drifting(0))
    assert found.clocks[""].is_identity
    assert (found.events.trial_type == "jerk").sum() == len(JERKS)


def test_random_bumps_give_no_offset():
    rng = np.random.default_rng(3)
    found = detect(drifting(0, jerks=(), bumps=np.sort(rng.uniform(20, 1790, 40))))
    assert found.clocks[""].is_identity
    assert set(found.events.trial_type) == {"twitch"}


@pytest.mark.slow
@pytest.mark.parametrize(("noise_uv", "jerks"), [(22.0, 0), (60.0, 1)])
def test_aligned_history_accepts_a_jerk_without_emg_only_where_noise_hides_it(noise_uv, jerks):
    """The jerks of the first minutes give the offset; later the EMG is noisy."""
    recording = drifting(100, bumps=(1750.0,), noise_uv=noise_uv)
    found = detect(recording)
    assert not found.clocks[""].is_identity
    late = found.events[found.events.onset > 1740]
    assert late.trial_type.tolist() == ["jerk"] * jerks
    assert late.channel.tolist() == ["acc"] * jerks
