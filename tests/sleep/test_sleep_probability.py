"""Sleep by probability: measures of heart and respiration, features, onset and its range."""

from __future__ import annotations

import numpy as np
import pytest

from tests.sleep.builders import (
    ACC,
    EMG,
    acc_seconds,
    detections,
    drop,
    emg_seconds,
    events,
    jerks,
    recording,
    restless,
)
from twitchsense.model.channels import NS
from twitchsense.settings import ContextSettings, Settings
from twitchsense.sleep.context import find_context, night_features
from twitchsense.sleep.epoch_features import SLEEP_FEATURES, mean_after, mean_before
from twitchsense.sleep.heart_rate import measure_heart_rate
from twitchsense.sleep.inactivity import EpochGrid
from twitchsense.sleep.respiration import measure_regularity
from twitchsense.sleep.sleep_probability import (
    OnsetCalibration,
    estimate_onset,
    onset_distribution,
    signals_used,
    sleep_probability,
)

BY_PROBABILITY = Settings(context=ContextSettings(estimate_by="probability"))
CALIBRATION = OnsetCalibration(0.5, 0.9, 0.2, 0.1, np.ones((3, 2)))


def grid(minutes: float) -> EpochGrid:
    return EpochGrid.over(0, round(minutes * 60 * NS))


def beats(interval_s: float, seconds: float) -> np.ndarray:
    return np.round(np.arange(0.3, seconds, interval_s) * NS).astype(np.int64)


def breathing(seconds: int, cycles: np.ndarray, size_g: float = 0.001):
    acc = acc_seconds(seconds)
    acc.mean_vector[:, 0] += (size_g * np.sin(2 * np.pi * cycles)).astype(np.float32)
    return acc


def column(table: np.ndarray, name: str) -> np.ndarray:
    return table[:, SLEEP_FEATURES.index(name)]


def test_heart_rate_is_measured_and_missed_beats_do_not_count():
    even = beats(0.8, 300)
    missing = np.delete(even, [40, 41, 90])
    got = measure_heart_rate({"emg1": missing, "emg2": even[:30]}, grid(5))
    assert got.rate_bpm == pytest.approx(np.full(10, 75.0), rel=1e-3)
    assert np.all(got.rmssd_ms < 1)
    wobbling = even + (np.arange(len(even)) % 2 * 0.04 * NS).astype(np.int64)
    assert measure_heart_rate({"a": wobbling}, grid(5)).rmssd_ms == pytest.approx(
        np.full(10, 80.0), rel=0.02
    )


def test_without_beats_the_heart_rate_is_unknown():
    for found in ({}, {"emg1": np.empty(0, np.int64)}, {"emg1": beats(0.8, 6)}):
        assert np.isnan(measure_heart_rate(found, grid(5)).rate_bpm).all()
    only_start = measure_heart_rate({"emg1": beats(1.0, 60)}, grid(5))
    assert (~np.isnan(only_start.rate_bpm)).tolist() == [True] * 2 + [False] * 8


def test_regular_respiration_is_more_regular_than_irregular_and_than_noise():
    rng = np.random.default_rng(1)
    t = np.arange(1200)
    regular = breathing(1200, 0.25 * t)
    irregular = breathing(1200, np.cumsum(0.25 * (1 + 0.3 * rng.standard_normal(1200))))
    noise = acc_seconds(1200)
    noise.mean_vector[:, 0] += 1e-4 * rng.standard_normal(1200).astype(np.float32)
    level = [np.nanmedian(measure_regularity([a], grid(20))) for a in (regular, irregular, noise)]
    assert level[0] > level[1] + 1 > level[2]
    gap = measure_regularity([drop(breathing(1200, 0.25 * t), 400, 700)], grid(20))
    assert np.isnan(gap[15:22]).all()


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
    rules = ContextSettings()
    calm = night_features(recording(ACC, seconds=3600), detections(acc=acc), rules)
    shaken = night_features(
        recording(ACC, seconds=3600), detections(jerks(times), acc=struck), rules
    )
    assert column(shaken, "until_large") == pytest.approx(column(calm, "until_large"))
    assert column(shaken, "activity") == pytest.approx(column(calm, "activity"), abs=0.05)


def test_unknown_signals_are_unknown_features():
    alone = night_features(
        recording(ACC, seconds=3600), detections(acc=acc_seconds(3600)), ContextSettings()
    )
    assert np.isnan(column(alone, "tone")).all()
    assert np.isnan(column(alone, "heart_rate")).all()
    assert signals_used(alone) == "motion"
    night = detections(acc=acc_seconds(3600), emg1=emg_seconds(3600))
    both = night_features(recording(EMG, ACC, seconds=3600), night, ContextSettings())
    assert signals_used(both) == "tone"
    assert np.isnan(sleep_probability(np.full((3, len(SLEEP_FEATURES)), np.nan))).all()


def test_the_onset_is_where_the_probability_rises():
    p = np.concatenate([np.full(60, 0.05), np.full(120, 0.95)])
    found = estimate_onset(p, CALIBRATION, "heart")
    assert found is not None
    assert found.time_s == 60 * 30
    assert found.low_s < found.time_s < found.high_s
    one = np.where(np.arange(180) == 20, 0.95, p)  # a single epoch decides nothing
    assert estimate_onset(one, CALIBRATION, "heart").time_s == 60 * 30
    gap = np.where((np.arange(180) > 70) & (np.arange(180) < 90), np.nan, p)
    assert estimate_onset(gap, CALIBRATION, "heart").time_s == 60 * 30


def test_a_blurred_rise_has_a_wider_range_and_stretch_widens_it():
    sharp = np.concatenate([np.full(60, 0.05), np.full(120, 0.95)])
    slow = np.concatenate([np.full(30, 0.05), np.linspace(0.05, 0.95, 60), np.full(90, 0.95)])
    width = []
    for p, factor in ((sharp, 1.0), (slow, 1.0), (slow, 2.0)):
        calibration = OnsetCalibration(0.5, 0.9, 0.2, 0.1, np.full((3, 2), factor))
        found = estimate_onset(p, calibration, "motion")
        width.append(found.high_s - found.low_s)
    assert width[0] < width[1] < width[2]


def test_wake_throughout_has_no_onset_and_the_distribution_sums_to_one():
    p = np.full(120, 0.05)
    assert estimate_onset(p, CALIBRATION, "motion") is None
    weights = onset_distribution(p, CALIBRATION, CALIBRATION.tempering)
    assert weights.sum() == pytest.approx(1)
    assert weights[-1] == weights.max()


def test_a_night_by_probability_has_all_contexts_its_method_and_a_calibrated_source():
    acc = restless(acc_seconds(7200), 0, 1800)
    night = detections(events(), acc=acc)
    context = find_context(recording(ACC, seconds=7200), night, BY_PROBABILITY)
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
    short = find_context(recording(ACC, seconds=900), detections(acc=acc), BY_PROBABILITY)
    assert "probability" not in short.onset.by_method
    assert np.isnan(short.sleep_probability).all()
    rules = Settings(context=ContextSettings(estimate_by="probability", definition="immobile_5min"))
    acc = restless(acc_seconds(7200), 0, 1800)
    still = find_context(recording(ACC, seconds=7200), detections(acc=acc), rules)
    assert "probability" not in still.onset.by_method
