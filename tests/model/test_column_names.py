"""Column names, units, and the channels that arrays form."""

import numpy as np
import pytest

from tests.io.builders import content
from twitchsense.errors import InputError
from twitchsense.model.column_names import channel_sort_key, parse_column, plan_channels
from twitchsense.model.recording import Recording


@pytest.mark.parametrize(
    ("name", "channel", "kind", "leg", "axis", "scale"),
    [
        ("emg1_uv", "emg1", "emg", None, "", 1),
        ("EMG1_uV", "emg1", "emg", None, "", 1),
        ("emg1_µv", "emg1", "emg", None, "", 1),  # micro sign
        ("emg1_μV", "emg1", "emg", None, "", 1),  # Greek mu
        ("emg_left_mv", "emg_left", "emg", "left", "", 1e3),
        ("emg2_v", "emg2", "emg", None, "", 1e6),
        ("emg_right_2_uv", "emg_right_2", "emg", "right", "", 1),
        ("acc_x_g", "acc", "acc", None, "x", 1),
        ("acc_right_x_mg", "acc_right", "acc", "right", "x", 1e-3),
        ("acc_y_ms2", "acc", "acc", None, "y", 1 / 9.80665),
        (" acc2_z_g ", "acc2", "acc", None, "z", 1),
    ],
)
def test_name_states_channel_leg_axis_and_scale(name, channel, kind, leg, axis, scale):
    spec = parse_column(name)
    assert (spec.channel, spec.kind, spec.leg, spec.axis) == (channel, kind, leg, axis)
    assert spec.scale == scale


def test_canonical_names_do_not_depend_on_the_unit():
    assert parse_column("emg_left_mv").canonical == "emg_left_uv"
    assert parse_column("acc_right_x_ms2").canonical == "acc_right_x_g"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("emg1", "no unit"),
        ("emg1_nv", "unknown unit 'nv'"),
        ("emg", "no unit"),
        ("EMG(uV)", "no unit"),
        ("acc_g", "no axis"),
        ("acc_w_g", "no axis"),
        ("acc_x", "unknown unit 'x'"),
        ("acc_x_uv", "unknown unit 'uv'"),
        ("emg left_uv", "cannot be read"),
        ("emg__uv", "cannot be read"),
        ("emg_left_right_uv", "cannot be read"),
        ("ecg_uv", "not the name of a signal"),
    ],
)
def test_bad_name_is_rejected_with_a_cure(name, problem):
    with pytest.raises(InputError, match=r"columns=\{") as caught:
        parse_column(name, "night.csv")
    assert problem in str(caught.value)
    assert name in str(caught.value)


def test_channels_are_in_natural_order_emg_first():
    plans = plan_channels(["acc_z_g", "emg10_uv", "acc_x_g", "emg2_uv", "emg_uv"], "x")
    assert [p.name for p in plans] == ["emg", "emg2", "emg10", "acc"]
    assert plans[-1].names == ("acc_x_g", "acc_z_g")
    assert sorted(plans, key=channel_sort_key) == list(plans)


def test_two_columns_of_one_signal_are_rejected():
    with pytest.raises(InputError, match="same signal as emg1_uv"):
        plan_channels(["emg1_uv", "emg1_mv"], "x")


def test_units_are_scaled_in_double_precision():
    x = np.array([0.1, -0.25, 3.3])
    recording = Recording.from_arrays({"emg1_mv": (x, 1000), "acc_z_ms2": (x, 100)})
    got = content(recording)
    np.testing.assert_array_equal(got["emg1"][0][1][:, 0], (x * 1e3).astype(np.float32))
    np.testing.assert_array_equal(got["acc"][0][1][:, 0], (x / 9.80665).astype(np.float32))


def test_order_of_signals_does_not_matter():
    x = np.arange(5.0)
    pairs = [("acc_y_g", (x, 100)), ("emg1_uv", (x, 500)), ("acc_x_g", (2 * x, 100))]
    one, other = (Recording.from_arrays(dict(p)) for p in (pairs, pairs[::-1]))
    assert one.channels == other.channels
    np.testing.assert_array_equal(content(one)["acc"][0][1][:, 0], 2 * x)


def test_sample_not_finite_on_any_axis_is_a_gap():
    x, y = np.arange(10.0), np.arange(10.0)
    x[3], y[4], x[9] = np.nan, np.inf, 1e300
    got = content(Recording.from_arrays({"acc_x_g": (x, 100), "acc_y_g": (y, 100)}))["acc"]
    assert [(start, len(s)) for start, s in got] == [(0, 3), (50_000_000, 4)]
    assert got[0][1].shape == (3, 2)


def test_gap_at_a_period_of_no_whole_number_of_ns():
    x = np.ones(10)
    x[1] = np.nan
    got = content(Recording.from_arrays({"emg1_uv": (x, 2048.0)}))["emg1"]
    assert [start for start, _ in got] == [0, round(2e9 / 2048)]


@pytest.mark.parametrize(
    ("signals", "problem"),
    [
        ({}, "no signal"),
        ({"emg1_uv": ([1, 2], 0)}, "rate 0"),
        ({"emg1_uv": ([1, 2], float("nan"))}, "rate nan"),
        ({"emg1_uv": ([1, 2], 100)}, "200 to 4000"),
        ({"acc_x_g": ([1, 2], 2000)}, "25 to 1000"),
        ({"emg1_uv": (np.ones((2, 2)), 1000)}, "1-D"),
        ({"emg1_uv": (["a", "b"], 1000)}, "no numbers"),
        ({"acc_x_g": ([1, 2], 100), "acc_y_g": ([1, 2, 3], 100)}, "do not match"),
        ({"acc_x_g": ([1, 2], 100), "acc_y_g": ([1, 2], 50)}, "do not match"),
    ],
)
def test_unusable_arrays_are_rejected(signals, problem):
    with pytest.raises(InputError) as caught:
        Recording.from_arrays(signals)
    assert problem in str(caught.value)


def test_rates_just_outside_the_limits_are_accepted():
    assert Recording.from_arrays({"emg1_uv": ([1, 2], 199)}).channels[0].fs == 199
