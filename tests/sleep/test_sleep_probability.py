"""Sleep by probability: features, onset and its range."""

from __future__ import annotations

import numpy as np
import pytest

from tests.sleep.builders import (
    ACC,
    acc_seconds,
    detections,
    events,
    jerks,
    recording,
    restless,
)
from twitchsense.settings import ContextSettings, Settings
from twitchsense.sleep.context import find_context
from twitchsense.sleep.epoch_features import SLEEP_FEATURES, epoch_features, mean_after, mean_before
from twitchsense.sleep.inactivity import EpochGrid, measure_motion
from twitchsense.sleep.sleep_probability import (
    OnsetCalibration,
    estimate_onset,
    onset_distribution,
    sleep_probability,
)

CALIBRATION = OnsetCalibration(0.5, 0.9, 0.2, 0.1, np.ones(2))


def features(found) -> np.ndarray:
    rules = ContextSettings()
    extent = recording(ACC, seconds=3600)
    grid = EpochGrid.over(extent.start_ns, extent.end_ns)
    motion = measure_motion([found.seconds["acc"]], found.events, grid, rules)
    return epoch_features(motion, found.events, rules)


def column(table: np.ndarray, name: str) -> np.ndarray:
    return table[:, SLEEP_FEATURES.index(name)]


def test_window_means_look_back_with_the_epoch_and_ahead_without_it():
    values = np.array([1.0, 2, np.nan, 4, 5, 6])
    assert mean_before(values, 1).tolist() == [1, 1.5, 2, 4, 4.5, 5.5]
    assert mean_after(values, 1)[:5].tolist() == [2, 4, 4.5, 5.5, 6]
    assert np.isnan(mean_after(values, 1)[5])


def test_jerks_and_twitches_around_sleep_onset_do_not_change_the_features():
    acc = restless(acc_seconds(3600), 0, 1200)
    times = np.arange(1215.0, 1500, 20)
    struck = restless(acc_seconds(3600), 0, 1200)
    for t in times.astype(int):
        struck.level[t : t + 1], struck.max[t : t + 1] = 0.3, 0.8
    calm, shaken = features(detections(acc=acc)), features(detections(jerks(times), acc=struck))
    assert column(shaken, "until_large") == pytest.approx(column(calm, "until_large"))
    assert column(shaken, "activity") == pytest.approx(column(calm, "activity"), abs=0.05)


def test_without_an_accelerometer_the_probability_is_unknown():
    assert np.isnan(sleep_probability(np.full((3, len(SLEEP_FEATURES)), np.nan))).all()


def test_the_onset_is_where_the_probability_rises():
    p = np.concatenate([np.full(60, 0.05), np.full(120, 0.95)])
    found = estimate_onset(p, CALIBRATION)
    assert found is not None
    assert found.time_s == 60 * 30
    assert found.low_s < found.time_s < found.high_s
    one = np.where(np.arange(180) == 20, 0.95, p)  # a single epoch decides nothing
    assert estimate_onset(one, CALIBRATION).time_s == 60 * 30
    gap = np.where((np.arange(180) > 70) & (np.arange(180) < 90), np.nan, p)
    assert estimate_onset(gap, CALIBRATION).time_s == 60 * 30


def test_a_blurred_rise_has_a_wider_range_and_stretch_widens_it():
    sharp = np.concatenate([np.full(60, 0.05), np.full(120, 0.95)])
    slow = np.concatenate([np.full(30, 0.05), np.linspace(0.05, 0.95, 60), np.full(90, 0.95)])
    width = []
    for p, factor in ((sharp, 1.0), (slow, 1.0), (slow, 2.0)):
        calibration = OnsetCalibration(0.5, 0.9, 0.2, 0.1, np.full(2, factor))
        found = estimate_onset(p, calibration)
        width.append(found.high_s - found.low_s)
    assert width[0] < width[1] < width[2]


def test_wake_throughout_has_no_onset_and_the_distribution_sums_to_one():
    p = np.full(120, 0.05)
    assert estimate_onset(p, CALIBRATION) is None
    weights = onset_distribution(p, CALIBRATION, CALIBRATION.tempering)
    assert weights.sum() == pytest.approx(1)
    assert weights[-1] == weights.max()


def test_a_night_by_probability_has_all_contexts_its_method_and_a_calibrated_source():
    acc = restless(acc_seconds(7200), 0, 1800)
    night = detections(events(), acc=acc)
    context = find_context(recording(ACC, seconds=7200), night, Settings())
    onset = context.onset
    assert onset.source == "accelerometer"
    assert onset.low_s <= onset.time_s <= onset.high_s
    assert onset.by_method["probability"] == onset.time_s
    assert onset.by_method["first_epoch"] == pytest.approx(1800, abs=5)
    assert 1500 <= onset.time_s <= 3600
    assert len(context.sleep_probability) == len(context.epochs) == 240
    assert context.at([300.0]).tolist() == ["wake"]
    assert context.at([7000.0]).tolist() == ["asleep"]
    assert any("trained on composed nights" in note for note in context.notes)


def test_a_short_recording_and_immobile_5min_use_the_rules():
    acc = restless(acc_seconds(900), 0, 300)
    short = find_context(recording(ACC, seconds=900), detections(acc=acc), Settings())
    assert "probability" not in short.onset.by_method
    assert np.isnan(short.sleep_probability).all()
    rules = Settings(context=ContextSettings(definition="immobile_5min"))
    acc = restless(acc_seconds(7200), 0, 1800)
    still = find_context(recording(ACC, seconds=7200), detections(acc=acc), rules)
    assert "probability" not in still.onset.by_method
