"""The sampling rate behind timestamps that are rounded, late, or drift."""

import re

import numpy as np
import pytest

from tests.io.builders import MS, acc, emg, grid, lengths, segment_and_fit, starts, write
from twitchsense.errors import InputError
from twitchsense.io import read
from twitchsense.io.channels.gap_detection import IrregularSamplingError
from twitchsense.io.channels.sampling_rate import estimate_period, find_rate_change, round_rate


def test_a_64_hz_sensor_with_millisecond_timestamps():
    times = np.rint(np.arange(5000) * 1000 / 64).astype(np.int64) * MS
    kept = np.ones(5000, bool)
    kept[[300, 301, 2000]] = False
    runs, clock = segment_and_fit(times[kept])
    assert runs["first"].tolist() == [0, 300, 1998]
    assert clock.fs == 64.0
    assert 0 < clock.fs_error < 1e-4  # milliseconds leave some doubt
    np.testing.assert_allclose(clock.starts_ns, np.array([0, 302, 2001]) * 1e9 / 64, atol=1)


@pytest.mark.parametrize("fs", [52, 104, 256, 300, 512, 700])
def test_rates_with_millisecond_timestamps_are_exact(fs):
    times = np.rint(np.arange(20_000) * 1000 / fs).astype(np.int64) * MS
    kept = np.ones(20_000, bool)
    kept[3000:3010] = False
    runs, clock = segment_and_fit(times[kept])
    assert runs["first"].tolist() == [0, 3000]
    assert clock.fs == fs


def test_a_drifting_clock_is_fitted_not_rounded():
    fs = 1000.02
    rng = np.random.default_rng(0)
    times = np.rint(np.arange(200_000) * 1e9 / fs + rng.normal(0, 50_000, 200_000))
    runs, clock = segment_and_fit(times.astype(np.int64))
    assert len(runs) == 1
    assert abs(clock.fs - fs) < 4 * clock.fs_error
    assert clock.fs_error < 1e-5
    assert abs(clock.starts_ns[0]) < 2000


def test_a_jittered_exact_rate_is_rounded_to_it():
    rng = np.random.default_rng(0)
    times = grid(200_000, 1000) + rng.integers(-1000, 1000, 200_000)
    _, clock = segment_and_fit(times)
    assert clock.fs == 1000.0
    assert clock.fs_error > 0


def test_nanoseconds_of_float_error_leave_the_rate_exact():
    times = np.rint((np.arange(5000) / 1000.0 + 12_345.678) * 1e9).astype(np.int64)
    _, clock = segment_and_fit(times + np.array([0, 1] * 2500))
    assert (clock.fs, clock.fs_error) == (1000.0, 0.0)


@pytest.mark.parametrize(("period", "rate"), [(16e6, 62.5), (9e5, 1e6 / 900), (1e6, 1000.0)])
def test_round_rate_of_a_period(period, rate):
    assert round_rate(period * 1.00001) == rate


def test_two_timestamps_give_no_period():
    assert estimate_period(np.array([0, 10])) is None


def rates(*parts):
    steps = np.concatenate([np.full(n, 1e9 / fs) for n, fs in parts])
    return np.concatenate([[0], np.rint(np.cumsum(steps)[:-1])]).astype(np.int64)


@pytest.mark.parametrize(
    "parts",
    [
        [(2000, 1000), (2000, 500)],
        [(2000, 500), (2000, 1000)],
        [(2000, 1000), (2000, 700)],
        [(100_000, 1000), (100_000, 900)],
        [(20_000, 1000), (20_000, 970)],
        [(20, 1000), (20, 500)],
        [(20, 500), (20, 1000)],
        [(300, 1000), (300, 500)] * 10,
        [(10, 1000), (10, 500)] * 100,
        [(70_000, 200), (1000, 400)],
    ],
)
def test_a_rate_that_changes_is_refused(parts):
    with pytest.raises(IrregularSamplingError) as caught:
        segment_and_fit(rates(*parts))
    assert "changes" in caught.value.problem or "not regular" in caught.value.problem


def test_a_rate_change_names_file_line_and_column(tmp_path):
    t = rates((2000, 1000), (2000, 500)) / 1e9
    path = write(tmp_path / "two.csv", {"time_s": t, "emg1_uv": emg(4000)})
    with pytest.raises(InputError) as caught:
        read(path)
    text = str(caught.value)
    assert "changes from 1000 to 500 Hz" in text
    assert re.search(r"two\.csv, line 200[1-4],", text)
    assert "column emg1_uv" in text


def test_lost_rows_are_not_a_rate_change():
    rng = np.random.default_rng(0)
    steps = np.full(2000, 1.0)
    steps[rng.random(2000) < 0.2] = 2.0
    steps[700] = 1e6
    gaps = np.flatnonzero(steps > 1)
    assert find_rate_change(steps, 1.0, gaps) is None
    assert find_rate_change(np.ones(3), 1.0, gaps[:0]) is None


@pytest.mark.parametrize(
    ("fs", "name"), [(100, "emg1_uv"), (5000, "emg1_uv"), (1, "acc_x_g"), (1600, "acc_x_g")]
)
def test_rates_out_of_range_say_what_was_found(tmp_path, fs, name):
    x = emg(500) if name.startswith("emg") else acc(500)[:, 2]
    path = write(tmp_path / "a.csv", {"time_s": np.arange(500) / fs, name: x})
    with pytest.raises(InputError, match=f"sampling rate of {fs} Hz, where"):
        read(path)


@pytest.mark.parametrize("fs", [52, 64, 250, 2048])
@pytest.mark.parametrize("every", [5, 10, 50])
def test_rows_missing_at_regular_places_are_gaps_not_a_slower_rate(fs, every):
    times, kept = grid(5000, fs), np.ones(5000, bool)
    kept[every - 1 :: every] = False
    runs, clock = segment_and_fit(times[kept])
    assert clock.fs == fs
    assert runs["count"].tolist() == [every - 1] * (5000 // every)
    np.testing.assert_allclose(clock.starts_ns, times[::every], atol=1)


@pytest.mark.parametrize("pair", [5, 8])
def test_timestamps_in_pairs_have_one_rate(pair):
    times = (np.arange(2000) // 2 * 40 + np.arange(2000) % 2 * pair) * MS
    runs, clock = segment_and_fit(times)
    assert len(runs) == 1
    assert clock.fs == pytest.approx(50, rel=1e-3)


def test_late_timestamps_are_not_regular_losses():
    late = np.zeros(2000)
    late[::7] = 0.2  # of a period: no whole beats
    times = np.rint((np.arange(2000) + late) * 1e9 / 64).astype(np.int64)
    runs, clock = segment_and_fit(times)
    assert len(runs) == 1
    assert clock.fs == pytest.approx(64, rel=1e-3)


def test_rounding_that_may_hide_a_missing_row_is_noted(tmp_path):
    t = np.arange(3000) // 9 * 10 + np.arange(3000) % 9  # 1000 Hz without every tenth row, or ...
    path = write(tmp_path / "a.csv", {"time_s": t / 1000, "emg1_uv": emg(3000)})
    recording = read(path)
    assert recording.channels[0].fs == 900.0
    assert "in steps of 1 ms are coarse for 900 Hz" in recording.notes[0]


@pytest.mark.slow  # many random time columns
@pytest.mark.parametrize("fs", [1000.3, 999.8, 250.1])
@pytest.mark.parametrize("loss", [0.05, 0.2, 0.3])
def test_short_runs_do_not_prove_a_round_rate(fs, loss):
    n, rng = 20_000, np.random.default_rng(round(100 * loss))
    times = np.rint(np.arange(n) * 1e4 / fs).astype(np.int64) * 100_000
    kept = rng.random(n) >= loss
    runs, clock = segment_and_fit(times[kept])
    assert len(runs) > 500
    assert clock.fs == pytest.approx(fs, rel=1e-4)
    at = np.flatnonzero(kept)[runs["first"]] * 1e9 / fs
    assert np.abs(clock.starts_ns - at).max() < 100_000


def test_a_round_rate_is_kept_where_each_run_has_its_own_grid():
    rng = np.random.default_rng(0)
    parts, start = [], 0
    for _ in range(20):
        parts.append(start + grid(200, 64) // MS * MS)
        start = parts[-1][-1] + int(rng.integers(50, 500)) * MS
    runs, clock = segment_and_fit(np.concatenate(parts))
    assert len(runs) == 20
    assert clock.fs == 64.0


def test_jittered_timestamps_are_noted(tmp_path):
    rng = np.random.default_rng(0)
    t = np.round(np.arange(3000) / 1000 + rng.uniform(0, 0.0003, 3000), 6)
    recording = read(write(tmp_path / "a.csv", {"time_s": t, "emg1_uv": emg(3000)}))
    assert lengths(recording, "emg1") == [3000]
    assert "time stamps deviate from even spacing by 0.087 ms" in recording.notes[0]
    assert starts(recording, "emg1") == [pytest.approx(150_000, abs=20_000)]


def test_runs_of_one_sample_raise(tmp_path):
    t = np.cumsum([0.001, 0.003, 0.02, 0.1, 0.5, 3, 20])
    path = write(tmp_path / "a.csv", {"time_s": t, "emg1_uv": emg(7)})
    with pytest.raises(InputError, match="not regular"):
        read(path)
