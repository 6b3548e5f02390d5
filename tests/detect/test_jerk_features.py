"""Jerk features, and the jerk model: did the burst move the leg?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.detect.builders import AT, BURST, MS, burst, burst_at
from tests.signals import SimulatedLeg, add_waveform, detect
from twitchsense.detect.features.waveform import WAVEFORM_FEATURES
from twitchsense.detect.models.boosted_trees import load_model
from twitchsense.detect.rules.classify import Classifier
from twitchsense.detect.rules.feature_tables import JERK_FEATURES, jerk_features
from twitchsense.detect.rules.jerk_rule import BurstTrain
from twitchsense.detect.sensors.sensor_queries import AccResponse
from twitchsense.model.recording import Recording

#: Medians of the jerks of the training data.
TYPICAL = {
    "log_width": 1.13, "log_peak_symmetry": -0.2, "log_low_frequency_share": -3.21,
    "log_kurtosis": 1.34, "log_power_200_300": -4.0, "log_power_300_450": -4.54,
    "slope_1ms": 0.47, "slope_2ms": 0.76, "peak_before": 0.54, "peak_after": 0.59,
    "net_area_ratio": 0.07, "log_main_lobe_width": 1.14, "log_frequency": 4.6, "mains_share": 0.0,
    "log_power_60_100": -1.3, "log_power_100_150": -1.4, "log_power_150_220": -2.2,
    "log_power_above_450": np.nan, "slope_1_sample": 0.47, "log_fs": 6.91,
}  # fmt: skip
KICK = AccResponse(0.5, 25.0, AT + 40 * MS, AT + 290 * MS)


def described(*bursts, **changes):
    train = BurstTrain.of([[b] for b in bursts or (BURST,)])
    return dict(zip(JERK_FEATURES, jerk_features(train, replace(KICK, **changes)), strict=True))


def test_jerk_features_are_those_of_the_training_data():
    assert load_model("jerk", JERK_FEATURES).features == JERK_FEATURES
    row = described()
    assert np.exp(row["log_n_bursts"]) == 1
    assert np.exp(row["log_active_s"]) == pytest.approx(0.04)
    assert (row["snr_db_clipped"], row["rise_ms"], row["response_lag_ms"]) == (25.0, 10.0, 40.0)
    assert [row[name] for name in WAVEFORM_FEATURES] == BURST.waveform_features.tolist()
    assert np.exp(row["log_peak_g_clipped"]) == pytest.approx(0.5)
    assert np.exp(row["log_jerk_per_g"]) == pytest.approx(50)
    assert row["response_s"] == pytest.approx(0.25)


@pytest.mark.parametrize(("peak_g", "counts_as"), [(0.05, 0.1), (0.1, 0.1), (4.0, 4.0), (7.0, 4.0)])
def test_peak_acceleration_is_clipped_to_the_range_of_the_training_data(peak_g, counts_as):
    assert np.exp(described(peak_g=peak_g)["log_peak_g_clipped"]) == pytest.approx(counts_as)


def probability(of, seen):
    return Classifier().jerk(BurstTrain.of([[of]]), seen)


def test_features_of_a_train_are_those_of_its_bursts_together():
    bursts = [burst_at(200 * k, 200 * k + 40, snr_db=20.0 + k) for k in range(4)]
    row = described(*bursts, offset_ns=AT + 900 * MS)
    assert np.exp(row["log_n_bursts"]) == pytest.approx(4)
    assert np.exp(row["log_active_s"]) == pytest.approx(0.16)
    assert row["snr_db_clipped"] == 23.0
    assert row["response_s"] == pytest.approx(0.86 - 0.6)  # without the time from first to last


def test_size_of_a_clear_burst_does_not_say_what_it_is():
    assert described(burst(snr_db=35.0))["snr_db_clipped"] == 30.0
    assert described(burst(amplitude_uv=5000.0)) == described(burst(amplitude_uv=200.0))


def test_large_burst_is_a_jerk_and_small_burst_beside_an_early_bump_is_not():
    waveform = np.array([TYPICAL[n] for n in WAVEFORM_FEATURES], np.float32)
    large = burst(120, amplitude_uv=600.0, snr_db=40.0, rise_ms=40.0, waveform_features=waveform)
    assert probability(large, KICK) > 0.9
    small = burst(11, amplitude_uv=60.0, snr_db=15.0, rise_ms=3.0, waveform_features=waveform)
    early = AccResponse(0.15, 20.0, AT - 20 * MS, AT + 60 * MS)
    assert probability(small, early) < 0.5 < probability(large, KICK)


def test_moderate_burst_with_a_short_response_is_a_jerk():
    """Bursts of 40 ms and 100 to 200 µV move legs too; most were once called twitches."""
    leg = SimulatedLeg(400)
    times = np.arange(40.0, 380.0, 30.0)
    for at in times:
        leg.burst(at, 0.045)
        leg.oscillation(at + 0.03)
    found = detect(Recording.from_arrays(leg.signals()))
    assert (found.events.trial_type == "jerk").sum() >= len(times) - 1


def test_electrode_artefact_at_a_bump_is_no_jerk():
    """A pull at the cable moves the sensor too; of 180 in an hour, 47 were once called jerks."""
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
