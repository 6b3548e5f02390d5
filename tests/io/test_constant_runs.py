"""Lost packets that were filled, and standby, are no signal; a coarse converter is one."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pandas as pd
import pytest

import twitchsense as ts
from tests.io.builders import content, lengths, write
from twitchsense import analyze
from twitchsense.io import read
from twitchsense.io.channels.axis_dropouts import AxisDropouts
from twitchsense.io.channels.constant_runs import ConstantRunDetector
from twitchsense.model.map_pairs import parse_map
from twitchsense.model.notes import Note, channel_range, join_channels, main_notes

FS = 500
N = 30_000  # 1 min


def emg_noise(n=N, offset=300.0, rms=3.0, step=0.1, seed=0):
    x = np.random.default_rng(seed).normal(offset, rms, n)
    return np.round(x / step) * step


def filled(x, length, value, every=2700):
    """Fill a drop-out every few seconds with a value, or with the last one."""
    x = x.copy()
    starts = range(1000, len(x) - length, every)
    for start in starts:
        x[start : start + length] = x[start - 1] if value is None else value
    return x, len(starts)


def recording(tmp_path, columns):
    return read(write(tmp_path / "night.csv", columns))


def emg_recording(tmp_path, x, fs=FS):
    return recording(tmp_path, {"time_s": np.arange(len(x)) / fs, "emg1_uv": x})


@pytest.mark.slow
@pytest.mark.parametrize("value", [0.0, None, -1.0, 250.0, 4095.0])
@pytest.mark.parametrize("length", [25, 1000])
def test_filled_dropouts_are_gaps(tmp_path, value, length):
    x, n = filled(emg_noise(), length, value)
    got = emg_recording(tmp_path, x)
    assert len(got.segments) == n + 1
    extra = 3 * n if value is None else n  # neighbours may be equal by chance
    assert abs(sum(lengths(got, "emg1")) - (N - n * length)) <= extra
    assert any(f"{n} runs of equal samples" in note for note in got.notes)


@pytest.mark.slow  # detects in minutes of signal
@pytest.mark.parametrize(
    ("value", "offset"), [(0.0, 0.0), (0.0, 1000.0), (None, 100.0), (250.0, 0.0)]
)
def test_no_event_stands_at_the_edges_of_filled_dropouts(tmp_path, value, offset):
    x, _ = filled(emg_noise(90_000, offset=offset), 50, value)
    assert len(analyze(emg_recording(tmp_path, x)).events) == 0


@pytest.mark.parametrize(("fs", "length"), [(500, 5), (250, 2)])
def test_a_few_zeros_of_emg_with_an_offset_are_gaps_and_give_no_event(tmp_path, fs, length):
    x, n = filled(emg_noise(8000, offset=-300), length, 0.0, every=1300)
    got = emg_recording(tmp_path, x, fs)
    assert sum(lengths(got, "emg1")) == 8000 - n * length
    assert any(f"{n} runs of equal samples" in note for note in got.notes)
    assert not len(analyze(got).events)


@pytest.mark.parametrize(("fs", "step"), [(1000, 0.1), (250, 3.0)])
def test_zeros_in_bursts_of_emg_are_a_signal(tmp_path, fs, step):
    x = emg_noise(offset=0, step=step)
    rng = np.random.default_rng(3)
    for start in range(500, N - 500, 700):
        x[start : start + 100] = np.round(rng.normal(0, 400, 100) / step) * step
        x[start + 50] = x[start + 70] = x[start + 71] = 0
    assert lengths(emg_recording(tmp_path, x, fs), "emg1") == [N]


def test_zeros_of_strong_steady_emg_are_a_signal(tmp_path):
    x = emg_noise(offset=0, rms=96, step=3.2)
    x[500:505], x[5000:5005] = [64.0, 67.2, 0, 64.0, 67.2], [-96.0, -99.2, 0, -99.2, -96.0]
    assert lengths(emg_recording(tmp_path, x, 1000), "emg1") == [N]


@pytest.mark.parametrize("step", [0.5, 2.0, 3.0, 6.0, 45.0])
def test_a_coarse_converter_is_a_signal(tmp_path, step):
    x = emg_noise(offset=0, rms=max(2.0, step / 2), step=step)
    assert lengths(emg_recording(tmp_path, x), "emg1") == [N]


def test_a_short_run_at_the_limit_of_the_amplifier_is_a_strong_signal(tmp_path):
    x = emg_noise(offset=0)
    ramp = np.linspace(0, 5000, 20)
    x[2980:3080] += np.concatenate([ramp, np.full(60, 9000), ramp[::-1]])
    x[8980:9060] -= np.concatenate([ramp, np.full(40, 9000), ramp[::-1]])
    x = x.clip(-5000, 5000)
    assert lengths(emg_recording(tmp_path, x), "emg1") == [N]
    x[20_000:20_500] = 5000.0  # a second: the electrode is off
    assert lengths(emg_recording(tmp_path, x), "emg1") == [20_000, N - 20_500]


def acc_columns(n=30_000, fs=100, step=1e-3, seed=1):
    a = np.random.default_rng(seed).normal([0.02, -0.1, 0.99], 0.004, (n, 3))
    a = np.round(a / step) * step
    return {"time_s": np.arange(n) / fs} | {f"acc_{k}_g": a[:, i] for i, k in enumerate("xyz")}


@pytest.mark.parametrize("length", [3, 10, 200, 10_000])
def test_zeros_on_all_axes_are_no_signal(tmp_path, length):
    columns = acc_columns()
    for axis in "xyz":
        columns[f"acc_{axis}_g"][5000 : 5000 + length] = 0
    assert lengths(recording(tmp_path, columns), "acc") == [5000, 25_000 - length]


@pytest.mark.parametrize("length", [3, 50, 1000])
def test_zeros_on_one_axis_are_no_signal_and_give_no_event(tmp_path, length):
    columns = acc_columns(n=10_000)
    for start in range(2000, 9000, 2500):
        columns["acc_z_g"][start : start + length] = 0
    got = recording(tmp_path, columns)
    assert lengths(got, "acc") == [2000, *[2500 - length] * 2, 3000 - length]
    assert not len(analyze(got).events)


@pytest.mark.parametrize(("fs", "length", "axes"), [(25, 1, "z"), (50, 2, "y"), (50, 1, "xyz")])
def test_one_or_two_zeros_are_no_signal_and_give_no_event(tmp_path, fs, length, axes):
    columns = acc_columns(n=6000, fs=fs)
    columns["acc_y_g"] -= 0.6
    for start, axis in itertools.product(range(2000, 5500, 700), axes):
        columns[f"acc_{axis}_g"][start : start + length] = 0
    got = recording(tmp_path, columns)
    assert lengths(got, "acc") == [2000, *[700 - length] * 4, 1200 - length]
    assert any("5 runs of equal samples" in note for note in got.notes)
    assert not len(analyze(got).events)


@pytest.mark.parametrize(("length", "value"), [(1, -1.0), (2, -8.0), (5, 8.0)])
def test_one_value_on_all_axes_is_no_signal_and_gives_no_event(tmp_path, length, value):
    columns = acc_columns(n=6000, fs=50)
    for start, axis in itertools.product(range(2000, 5500, 700), "xyz"):
        columns[f"acc_{axis}_g"][start : start + length] = value
    got = recording(tmp_path, columns)
    assert lengths(got, "acc") == [2000, *[700 - length] * 4, 1200 - length]
    assert not len(analyze(got).events)


@pytest.mark.parametrize("step", [1 / 256, 1 / 64])
def test_a_movement_whose_peak_is_zero_is_a_signal(tmp_path, step):
    columns = acc_columns(n=6000, fs=25, step=step)
    for start in range(500, 5500, 500):  # the peak falls on zero: the limb is slowed down again
        columns["acc_z_g"][start - 2 : start + 3] += [0.1, 0.4, 0, 0.4, 0.1]
        columns["acc_z_g"][start] = 0
    assert lengths(recording(tmp_path, columns), "acc") == [6000]


def test_an_axis_that_passes_zero_or_ends_with_it_is_told_from_a_dropout():
    a = np.stack(list(acc_columns(n=4000).values())[1:], axis=1).astype(np.float32)
    a[1000:1010, 0] = [0.3, 0.2, 0.1, 0, 0, 0, -0.1, -0.2, -0.3, -0.4]  # a turn of the leg
    a[2000, 2] = a[2500:2502, 2] = 0
    a[3000:, 2] = 0
    for size in (1, 7, 999, 4000):
        axes = AxisDropouts()
        for start in range(0, len(a), size):
            axes.push(a[start : start + size])
        first, stop, constant = axes.close()
        lost = sorted(zip(first.tolist(), stop.tolist(), strict=True))
        assert (lost, constant) == ([(2000, 2001), (2500, 2502), (3000, 4000)], [])


@pytest.mark.parametrize("value", [0, 0.93])
def test_an_axis_that_never_changes_is_noted(tmp_path, value):
    columns = acc_columns(n=3000)
    columns["acc_y_g"][:] = value
    got = recording(tmp_path, columns)
    assert lengths(got, "acc") == [3000]
    assert any("acc: y never changes" in note for note in got.notes)


@pytest.mark.parametrize("length", [40, 1000])
def test_a_held_value_of_an_accelerometer_is_no_signal(tmp_path, length):
    columns = acc_columns()
    for axis in "xyz":
        columns[f"acc_{axis}_g"][5000 : 5000 + length] = columns[f"acc_{axis}_g"][4999]
    got = recording(tmp_path, columns)
    assert sum(lengths(got, "acc")) in (30_000 - length, 29_999 - length)


def test_a_leg_at_rest_under_a_coarse_accelerometer_is_a_signal(tmp_path):
    columns = acc_columns(step=1 / 64)  # an Empatica E4 at rest repeats its values for seconds
    assert lengths(recording(tmp_path, columns), "acc") == [30_000]


def test_a_channel_that_never_changes_is_noted(tmp_path):
    t = np.arange(3000) / FS
    got = recording(tmp_path, {"time_s": t, "emg1_uv": t * 0, "emg2_uv": emg_noise(3000)})
    assert any("emg1: never changes from 0 uV" in note for note in got.notes)


@pytest.mark.parametrize("size", [1, 7, 255, 4096])
def test_block_size_does_not_change_the_runs(size):
    x, _ = filled(emg_noise(8000), 40, None, 900)
    x[:100] = 7.0
    whole, parts = ConstantRunDetector("emg"), ConstantRunDetector("emg")
    whole.push(x[:, None].astype(np.float32))
    for start in range(0, len(x), size):
        parts.push(x[start : start + size, None].astype(np.float32))
    want, got = whole.close(FS), parts.close(FS)
    np.testing.assert_array_equal(got.first, want.first)
    np.testing.assert_array_equal(got.stop, want.stop)
    assert len(want.first) == 9


def test_samples_beside_a_filled_dropout_keep_their_times(tmp_path):
    x, _ = filled(emg_noise(6000), 50, 0.0)
    x[4000:4100] = np.nan  # and a gap as well
    parts = content(emg_recording(tmp_path, x))["emg1"]
    for start, samples in parts:
        i = round(start * FS / 1e9)
        assert start == i * 2_000_000
        np.testing.assert_array_equal(samples[:, 0], x[i : i + len(samples)].astype(np.float32))


def test_inputs_without_electrodes_are_one_note_with_a_cure_that_works(tmp_path):
    t = np.arange(3000) / FS
    names = {f"EXG {k}": f"emg{k}_uv" for k in (1, 2, 3, 5)}
    table = pd.DataFrame({"time_s": t, **dict.fromkeys(names, t * 0 - 187500.0)})
    table["EXG 5"], table["EXG 6"] = emg_noise(3000), t * 0 + 3
    names["EXG 6"] = "emg6_uv"
    got = ts.read(table, columns=names)
    notes = [note for note in main_notes(got.notes) if "never change" in note]
    assert [note.partition(",")[0] for note in notes] == [
        "emg1–emg3: never change from -1.875e+05 uV", "emg6: never changes from 3 uV",
    ]  # fmt: skip
    option = re.search(r"--map '(.*)'", notes[0])[1]
    assert parse_map([option]) == dict.fromkeys(("EXG 1", "EXG 2", "EXG 3"), "ignore")
    again = ts.read(table, columns={**names, **parse_map([option])})
    assert [c.name for c in again.channels] == ["emg5", "emg6"]


def test_the_same_note_of_several_channels_is_one():
    notes = ["a", Note("rate", "emg1: slow", "c"), Note("rate", "acc: slow", "d"), "emg1: slow",
             *(Note("rate", f"emg{k}: slow", "c") for k in (2, 3, 5)), "a"]  # fmt: skip
    joined = join_channels(notes)
    assert joined == ["a", "emg1–emg3, emg5: slow", "acc: slow", "emg1: slow"]
    assert (joined[1].kind, joined[1].cure) == ("rate", "c")
    assert not isinstance(joined[3], Note)
    assert channel_range(["emg1", "emg2", "emg_left", "acc", "emg9", "emg10", "emg11"]) == (
        "emg1, emg2, emg_left, acc, emg9–emg11"
    )
