"""Whether the muscle threw the leg: features of a jolt, and what the trees make of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.detect.builders import AT, BURST, MS, burst
from tests.signals import SimulatedLeg, add_waveform, detect
from twitchsense.detect.boosted_trees import load_model
from twitchsense.detect.burst_measures import WAVEFORM_FEATURES
from twitchsense.detect.classify import Classifier
from twitchsense.detect.features.tables import JERK_FEATURES, jerk_features
from twitchsense.detect.sensor_queries import AccResponse
from twitchsense.model.recording import Recording

#: Of the jerks that were learned from, the medians.
TYPICAL = {
    "log_width": 1.13, "log_peak_symmetry": -0.2, "log_low_frequency_share": -3.21,
    "log_kurtosis": 1.34, "log_power_200_300": -4.0, "log_power_300_450": -4.54,
    "slope_1ms": 0.47, "slope_2ms": 0.76, "peak_before": 0.54, "peak_after": 0.59,
    "net_area_ratio": 0.07, "log_main_lobe_width": 1.14, "log_fs": 6.91,
}  # fmt: skip
KICK = AccResponse(0.5, 25.0, AT + 40 * MS, AT + 290 * MS)


def described(**changes):
    return dict(zip(JERK_FEATURES, jerk_features(BURST, replace(KICK, **changes)), strict=True))


def test_features_are_those_that_were_learned_from():
    assert load_model("jerk", JERK_FEATURES).features == JERK_FEATURES
    row = described()
    assert np.exp(row["log_amplitude_uv"]) == pytest.approx(200)
    assert np.exp(row["log_active_s"]) == pytest.approx(0.04)
    assert (row["snr_db"], row["rise_ms"], row["response_lag_ms"]) == (25.0, 10.0, 40.0)
    assert [row[name] for name in WAVEFORM_FEATURES] == BURST.waveform_features.tolist()
    assert np.exp(row["log_peak_g_clipped"]) == pytest.approx(0.5)
    assert np.exp(row["log_jerk_per_g"]) == pytest.approx(50)
    assert row["response_s"] == pytest.approx(0.25)


@pytest.mark.parametrize(("peak_g", "counts_as"), [(0.1, 0.2), (0.2, 0.2), (1.0, 1.0), (3.0, 1.0)])
def test_strength_counts_only_where_both_were_learned_from(peak_g, counts_as):
    assert np.exp(described(peak_g=peak_g)["log_peak_g_clipped"]) == pytest.approx(counts_as)


def test_a_large_burst_threw_the_leg_and_a_small_one_beside_an_early_knock_did_not():
    look = np.array([TYPICAL[n] for n in WAVEFORM_FEATURES], np.float32)
    large = burst(120, amplitude_uv=600.0, snr_db=40.0, rise_ms=40.0, waveform_features=look)
    assert Classifier().jerk(large, KICK) > 0.9
    small = burst(11, amplitude_uv=60.0, snr_db=15.0, rise_ms=3.0, waveform_features=look)
    early = AccResponse(0.15, 20.0, AT - 20 * MS, AT + 60 * MS)
    assert Classifier().jerk(small, early) < 0.5 < Classifier().jerk(large, KICK)


def test_short_jerks_of_a_moderate_burst_are_jerks():
    """Bursts of 40 ms and 100 to 200 uV throw legs too: most were twitches beside bumps once."""
    leg = SimulatedLeg(400)
    times = np.arange(40.0, 380.0, 30.0)
    for at in times:
        leg.burst(at, 0.045)
        leg.oscillation(at + 0.03)
    found = detect(Recording.from_arrays(leg.signals()))
    assert (found.events.trial_type == "jerk").sum() >= len(times) - 1


def test_a_contact_that_opens_at_a_knock_is_no_jerk():
    """A pull at the cable jolts the sensor too: of 180 an hour 47 were jerks once."""
    leg = SimulatedLeg(400)
    fs, rng = leg.fs, np.random.default_rng(3)
    decay = np.exp(-np.arange(300) / fs / 0.03)
    for k, at in enumerate(np.arange(40.0, 380.0, 15.0)):
        for click in rng.uniform(0, 0.1, 1 + 3 * (k % 2)):
            add_waveform(
                leg.emg, at + click, fs, decay * rng.uniform(150, 800) * rng.choice([-1, 1])
            )
        leg.oscillation(at + 0.02, rng.uniform(0.2, 0.8))
    found = detect(Recording.from_arrays(leg.signals()))
    assert (found.events.trial_type == "jerk").sum() <= 1
