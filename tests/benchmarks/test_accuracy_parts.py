"""The composer of the accuracy benchmark: what it says was added is what was added."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.accuracy import targets
from benchmarks.accuracy.cache import Source, imported_files
from benchmarks.accuracy.canvas import Canvas, Device
from benchmarks.accuracy.muscle import see_unit
from benchmarks.accuracy.nights import compose
from benchmarks.accuracy.parts import PartsMissingError, load_parts
from benchmarks.accuracy.scenarios import SCENARIOS
from benchmarks.accuracy.splits import SPLITS
from benchmarks.accuracy.units import GRID, GRID_FILE
from benchmarks.accuracy.waves import TEMPLATE_HZ, add_copies, in_band, looped

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("TWITCHSENSE_REAL_DATA", ROOT / "shared" / "data"))
GRID_FOLDER = Path(os.environ.get("TWITCHSENSE_OPENHDEMG", ROOT / "openhdemg"))
real = pytest.mark.skipif(
    not (DATA.exists() and (GRID_FOLDER / GRID_FILE).exists()),
    reason="needs the real recordings and the openhdemg sample file: set TWITCHSENSE_REAL_DATA "
    "and TWITCHSENSE_OPENHDEMG",
)


def canvas(seconds=60.0, **device):
    parts = load_parts("tune", DATA, GRID_FOLDER)
    device = Device(**device)
    levels = (3.0,) * max(device.n_emg, 1)
    return Canvas(seconds, device, parts, np.random.default_rng(5), levels)


@pytest.mark.parametrize(
    "field", ["legs", "single_units", "grid_units", "muscles", "ankles", "bitalino"]
)
def test_no_source_is_on_both_sides(field):
    tune, test = (set(getattr(SPLITS[side], field)) for side in ("tune", "test"))
    assert tune
    assert not tune & test


def test_subjects_of_every_kind_of_source_stay_on_their_side():
    for line in SPLITS.values():
        subjects = {int(name.split("_")[0][2:]) for name, _ in line.single_units} | {line.skin}
        assert subjects <= set(line.legs)
    tune, test = SPLITS["tune"], SPLITS["test"]
    assert not {a[:3] for a in tune.ankles} & {a[:3] for a in test.ankles}
    assert tune.beats[1] <= test.beats[0]
    assert abs(tune.seed_base - test.seed_base) > 1_000_000


def test_every_electrode_of_the_grid_is_used_once():
    real_ones = [GRID[r, c] for r in range(13) for c in range(5) if (r, c) != (12, 4)]
    assert sorted(real_ones) == list(range(64))


def test_missing_recordings_are_named_with_the_cure(tmp_path):
    with pytest.raises(PartsMissingError, match="--data"):
        load_parts("tune", tmp_path, tmp_path)


def test_copies_fall_between_samples_where_they_were_asked_for():
    t = (np.arange(801) - 400) / TEMPLATE_HZ
    bell = np.exp(-((t / 0.004) ** 2))
    target = np.zeros(1000)
    times = np.array([0.2003, 0.70071])
    add_copies(target, 1000.0, times, np.array([1.0, 2.0]), bell)
    for time, gain in zip(times, (1.0, 2.0), strict=True):
        near = np.arange(1000)[np.abs(np.arange(1000) / 1000 - time) < 0.02]
        assert np.average(near / 1000, weights=target[near]) == pytest.approx(time, abs=2e-5)
        assert target[near].sum() == pytest.approx(gain * 4 * np.sqrt(np.pi), rel=1e-3)


def test_a_loop_keeps_its_level_and_has_no_seam():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(4000)
    long = looped(x, 40_000, 200, rng)
    assert len(long) == 40_000
    level = np.sqrt(np.mean(long.reshape(-1, 500) ** 2, axis=1))
    assert level.min() > 0.8
    assert level.max() < 1.2
    assert np.abs(long).max() <= np.abs(x).max() * np.sqrt(2)


@real
@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_the_same_call_gives_the_same_recording(scenario):
    first, truth = compose(scenario, "tune", 3, data=DATA, openhdemg=GRID_FOLDER, minutes=12)
    again, truth_again = compose(scenario, "tune", 3, data=DATA, openhdemg=GRID_FOLDER, minutes=12)
    assert first.keys() == again.keys()
    for name in first:
        np.testing.assert_array_equal(first[name][0], again[name][0])
    assert truth.equals(truth_again)
    inside = truth[truth.kind != "walking"]
    assert ((inside.onset >= 0) & (inside.onset + inside.duration <= 720)).all()
    targets_only = truth[truth.trial_type != "artifact"]
    assert targets_only.source.str.len().gt(0).all()
    assert (targets_only.duration > 0).all()


@real
def test_the_sides_share_no_source():
    sources = []
    for side in SPLITS:
        parts = load_parts(side, DATA, GRID_FOLDER)
        every = [*parts.units, *parts.contractions, *parts.weak, *parts.noises, *parts.beats]
        every += [w for w, _ in parts.walks] + [a for a, _ in parts.ankles] + list(parts.jolts)
        sources.append({getattr(p, "source", getattr(p, "name", "")) for p in every})
    assert not sources[0] & sources[1]


@real
def test_what_was_added_is_what_the_truth_says():
    c = canvas()
    targets.add_single(c, 20.0, see_unit(c), 120.0, in_acc=True)
    row = c.rows[0]
    x = c.emg.astype(float)
    best = int(row["channel"][-1]) - 1
    band = in_band(x[best], c.fs)
    above = np.flatnonzero(np.abs(band) >= 0.1 * np.abs(band).max())
    assert row["onset"] == pytest.approx(above[0] / c.fs, abs=1e-9)
    assert row["onset"] + row["duration"] == pytest.approx(above[-1] / c.fs, abs=1e-9)
    assert row["amplitude_uv"] == pytest.approx(np.ptp(band), rel=1e-3)
    assert row["snr"] == pytest.approx(row["amplitude_uv"] / (3.0 * c.factor[best, 20]))
    quiet = np.delete(np.arange(c.n), np.arange(19_900, 20_300))
    assert not x[:, quiet].any()


@real
def test_a_jolt_follows_its_burst_by_the_electromechanical_delay():
    c = canvas(seconds=400.0, drift_ppm=0.0)
    targets.add_hypnic_jerks(c, 30, 5, 395)
    for row in c.rows:
        a = round((row["onset"] - 0.3) * 100)
        size = np.linalg.norm(c.acc[a : a + 120], axis=1)
        lag = a / 100 + np.flatnonzero(size > 0.1 * size.max())[0] / 100 - row["onset"]
        assert 0.0 < lag < 0.11  # 20 to 80 ms, and a sample or two of either edge


@real
def test_the_clock_of_the_accelerometer_drifts_at_the_given_rate():
    c = canvas(seconds=3000.0, drift_ppm=100.0, offset_s=0.01)
    targets.add_jerk(c, 2900.0, "violent", 500.0, 1.0)
    peak = np.argmax(np.linalg.norm(c.acc, axis=1)) / 100
    assert peak - c.rows[0]["onset"] > 0.29  # 2900 s at 100 ppm


@real
def test_noise_has_the_level_asked_for_in_the_band():
    arrays, truth = compose("noise", "test", 2, data=DATA, openhdemg=GRID_FOLDER, minutes=5)
    assert truth.empty
    x, fs = arrays["emg1_uv"]
    rms = in_band(x.astype(float) - x.mean(), fs)[1000:-1000].std()
    assert rms == pytest.approx(truth.attrs["noise_uv"][0], rel=0.35)


@real
def test_storm_holds_every_cause_and_no_target():
    arrays, truth = compose("storm", "tune", 4, data=DATA, openhdemg=GRID_FOLDER, minutes=90)
    assert (truth.trial_type == "artifact").all()
    assert {
        "bump", "dropout", "ecg", "fidget", "mains", "motion_swing", "pop_crackle", "pop_spike",
        "pop_step", "saturation", "tonic", "turn", "voluntary", "walking", "wander",
    } <= set(truth.kind)  # fmt: skip
    x, _ = arrays["emg1_uv"]
    rail = truth.attrs["device"].emg_range_uv
    assert np.nanmax(np.abs(x)) <= rail + truth.attrs["device"].emg_lsb_uv


@real
@pytest.mark.parametrize("scenario", ["sleep_onset", "noise"])
def test_a_kept_recording_is_the_composed_one(scenario, tmp_path):
    source = Source("tune", DATA, GRID_FOLDER, tmp_path)
    first, truth = compose(scenario, "tune", 3, data=DATA, openhdemg=GRID_FOLDER, minutes=12)
    for _ in range(2):  # written, then read
        again, truth_again = source.compose(scenario, 3, 12)
        assert first.keys() == again.keys()
        for name, (x, fs) in first.items():
            np.testing.assert_array_equal(again[name][0], x)
            assert again[name][1] == fs
        pd.testing.assert_frame_equal(truth_again, truth)
        one, two = (dict(t.attrs) for t in (truth_again, truth))
        kept, made = one.pop("waves"), two.pop("waves")
        assert one == two
        assert (kept.fs, kept.rows, kept.starts) == (made.fs, made.rows, made.starts)
        for a, b in zip(kept.pieces, made.pieces, strict=True):
            np.testing.assert_array_equal(a, b)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_name_of_a_kept_recording_follows_the_composers_source():
    names = {file.stem for file in imported_files("nights")}
    assert {"nights", "scenarios", "canvas", "limb", "waves", "splits", "units"} <= names
    assert not names & {"score", "__main__", "cache"}
