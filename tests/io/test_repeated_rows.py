"""Rows written twice, and rows of packets: the rate, and no sample moved or lost."""

import numpy as np
import pandas as pd
import pytest

from tests.io.builders import content
from twitchsense.errors import InputError
from twitchsense.io import read

N = 12_000
RNG = np.random.default_rng(3)


def capture(times, x):
    return pd.DataFrame({"time_s": times, "emg1_uv": x})


def values(got):
    return np.concatenate([x for _, x in content(got)["emg1"]])[:, 0]


@pytest.mark.parametrize("share", [0.001, 0.01, 0.05])
@pytest.mark.parametrize(("fs", "decimals"), [(500, 3), (1926, 6), (2000, 3), (4000, 3)])
def test_rows_that_were_written_twice_are_left_out(fs, decimals, share):
    x = RNG.normal(0, 12, N).round(3)
    times = (np.arange(N) / fs).round(decimals)
    twice = np.where(RNG.random(N) < share, 2, 1)
    got = read(capture(np.repeat(times, twice), np.repeat(x, twice)))
    assert got.channels[0].fs == pytest.approx(fs, rel=1e-5)
    assert len(got.segments) == 1
    np.testing.assert_allclose(values(got), x, atol=1e-3)
    count = int(twice.sum()) - N
    assert any(f"{count} rows that repeat the row before are left out" in n for n in got.notes)


@pytest.mark.parametrize("times", [2, 3])
def test_a_file_of_which_each_row_stands_several_times_keeps_its_rate(times):
    x = RNG.normal(0, 12, 4000).round(3)
    got = read(capture(np.repeat(np.arange(4000) / 1000, times), np.repeat(x, times)))
    assert got.channels[0].fs == 1000
    np.testing.assert_allclose(values(got), x, atol=1e-3)


def test_times_in_milliseconds_of_a_faster_sensor_make_no_gap():
    x = RNG.normal(0, 12, N).round()  # neighbours are often equal
    got = read(capture((np.arange(N) / 2000).round(3), x))
    assert got.channels[0].fs == pytest.approx(2000, rel=1e-5)
    np.testing.assert_array_equal(values(got), x)
    assert not any("repeat the row" in n for n in got.notes)


def test_rows_lost_between_times_in_milliseconds_are_a_gap():
    kept = np.r_[0:5000, 5004:N]
    x = RNG.normal(0, 12, N).round(3)
    got = read(capture((np.arange(N) / 2000).round(3)[kept], x[kept]))
    assert got.channels[0].fs == pytest.approx(2000, rel=1e-4)
    (_, one), (start, _) = content(got)["emg1"]
    assert abs(len(one) - 5000) <= 4
    assert start / 1e9 == pytest.approx(2.502, abs=0.003)
    np.testing.assert_allclose(values(got), x[kept], atol=1e-3)


def test_a_stated_rate_with_too_many_rows_is_refused():
    twice = np.where(RNG.random(N) < 0.02, 2, 1)
    times = np.repeat((np.arange(N) / 2000).round(3), twice)
    other = RNG.normal(0, 12, len(times)).round(3)
    with pytest.raises(InputError, match="lost rows and a lower rate look the same"):
        read(capture(times, other))
    with pytest.raises(InputError, match=r"rows come at 20\d\d\.?\d* Hz on average.*written twice"):
        read(capture(times, other), fs=2000)


@pytest.mark.parametrize("size", [5, 20])
@pytest.mark.parametrize("late_s", [0, 0.002])
def test_rows_of_a_packet_microseconds_apart_are_spread(size, late_s):
    packets = np.maximum.accumulate(
        np.arange(0, N, size) / 1000 + RNG.exponential(late_s, N // size)
    )
    times = np.maximum.accumulate(
        np.repeat(packets, size) + np.tile(np.arange(size) * 2e-5, N // size)
    )
    x = RNG.normal(0, 12, N).round(3)
    for stated in (None, 1000):
        got = read(capture(times, x), fs=stated)
        assert got.channels[0].fs == pytest.approx(1000, rel=1e-4)
        assert len(got.segments) == 1
        np.testing.assert_allclose(values(got), x, atol=1e-3)


def test_a_late_packet_is_no_lost_packet():
    late = RNG.exponential(0.003, N // 10)
    packets = np.maximum.accumulate(np.arange(0, N, 10) / 1000 + late)
    got = read(capture(np.repeat(packets, 10), RNG.normal(0, 12, N)))
    assert got.channels[0].fs == pytest.approx(1000, rel=1e-4)
    assert len(got.segments) == 1
