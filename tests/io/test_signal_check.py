"""Signals that are none, or not in the unit of their name, are noted with the cure."""

from __future__ import annotations

import numpy as np
import pytest

from tests.io.builders import lengths, write
from tests.nightfile.value_builders import npg_values, write_values
from twitchsense.errors import InputError
from twitchsense.io import read

FS = 1000
N = 60_000
T = np.arange(N) / FS
RNG = np.random.default_rng(0)
NOISE = RNG.normal(0, 3, N)
#: Bursts of muscle activity in noise.
BURSTS = NOISE + RNG.normal(0, 60, N) * (T % 10 < 0.5)


def notes(tmp_path, x, name="emg1_uv", fs=FS, digits=3):
    x = np.round(x, digits)
    got = read(write(tmp_path / "night.csv", {"time_s": np.arange(len(x)) / fs, name: x}))
    assert sum(lengths(got, got.channels[0].name)) == len(x)
    return [note for note in got.notes if not note.endswith("s")]


def test_muscle_activity_in_noise_is_not_noted(tmp_path):
    for x in (BURSTS, BURSTS + 2 * np.sin(2 * np.pi * 50 * T), BURSTS + 300):
        assert notes(tmp_path, x) == []


@pytest.mark.slow
@pytest.mark.parametrize("mains", [50, 60])
@pytest.mark.parametrize("harmonics", [(1,), (1, 2, 3), (1, 3, 5)])
def test_mains_hum_alone_is_noted(tmp_path, mains, harmonics):
    x = sum(200 / k * np.sin(2 * np.pi * k * mains * T + k) for k in harmonics) + NOISE
    [note] = notes(tmp_path, x)
    assert f"almost only mains hum of {mains} Hz" in note
    assert "check the contact" in note


@pytest.mark.parametrize("values", [(0, 1), (-5, 5), (0, 1, 2), (0, 3.3)])
def test_a_channel_of_few_values_is_noted(tmp_path, values):
    x = RNG.choice(values, N)
    [note] = notes(tmp_path, x)
    assert f"takes only {len(values)} values, so it is not EMG" in note


@pytest.mark.parametrize("limit", [20, 60])
def test_an_overloaded_amplifier_is_noted(tmp_path, limit):
    loud = RNG.normal(0, 60, N).clip(-limit, limit)
    [note] = notes(tmp_path, loud)
    assert "at the limit" in note
    assert "lower the gain" in note


def test_millivolts_called_microvolts_are_noted_and_the_cure_works(tmp_path):
    loud = BURSTS + 1500 * np.exp(-(((T - 30) / 0.005) ** 2))  # beyond 1 of the unit
    [note] = notes(tmp_path, loud / 1000)
    assert "less than the noise of an amplifier" in note
    assert "name it emg1_mv" in note
    assert notes(tmp_path, loud / 1000, "emg1_mv") == []


@pytest.mark.parametrize(
    ("unit", "called", "scale"),
    [("v", "uv", 1e-6), ("v", "mv", 1e-6), ("mv", "v", 1e-3), ("mv", "uv", 1e-3), ("uv", "mv", 1)],
)
def test_the_unit_that_makes_the_level_plausible_is_suggested(tmp_path, unit, called, scale):
    for size in (0.5, 4):
        x = (size * BURSTS * scale)[:20_000]
        got = notes(tmp_path, x, f"emg1_{called}", digits=10)
        assert any(f"if it is in {unit[:-1]}V, name it emg1_{unit}" in note for note in got)
        assert notes(tmp_path, x, f"emg1_{unit}", digits=10) == []


def test_values_of_volts_that_are_too_large_may_be_millivolts_or_microvolts(tmp_path):
    for unit, scale in (("mv", 20e-3), ("uv", 0.3)):
        with pytest.raises(InputError, match=f"if these are .*emg1_{unit}"):
            notes(tmp_path, BURSTS * scale, "emg1_v")
        assert notes(tmp_path, BURSTS * scale, f"emg1_{unit}", digits=6) == []


def test_microvolts_called_millivolts_are_noted_and_the_cure_works(tmp_path):
    [note] = notes(tmp_path, BURSTS, "emg1_mv")
    assert "more than any muscle at rest" in note
    assert "name it emg1_uv" in note


@pytest.mark.parametrize("bits", [10, 12, 16, 24])
def test_counts_of_a_converter_are_noted(tmp_path, bits):
    x = np.rint(2 ** (bits - 1) + NOISE)
    if 2 ** (bits - 1) > 1e6:
        pytest.skip("beyond 1 V: refused")
    [note] = notes(tmp_path, x)
    assert f"counts of a converter of {bits} bits" in note


@pytest.mark.parametrize("mains", [50, 60])
@pytest.mark.parametrize(("factor", "word"), [(2, "half"), (0.5, "twice")])
def test_a_rate_that_is_half_or_double_shows_in_the_mains_hum(tmp_path, mains, factor, word):
    """The time column states `factor` times the true rate."""
    x = NOISE + 4 * np.sin(2 * np.pi * mains * T)
    [note] = notes(tmp_path, x, fs=FS * factor)
    assert f"the true sampling rate is {word} of {FS * factor:g} Hz" in note
    assert f"--fs {FS}" in note


@pytest.mark.parametrize("axis", ["x", "z"])
def test_an_accelerometer_of_two_values_is_noted(tmp_path, axis):
    [note] = notes(tmp_path, RNG.choice([0.9, 1.1], N), f"acc_{axis}_g")
    assert "takes only 2 values" in note


@pytest.mark.parametrize("times", [2, 5])
def test_values_that_stand_several_times_are_noted(tmp_path, times):
    [note] = notes(tmp_path, np.repeat(RNG.normal(0, 20, N // times).round(1), times))
    assert f"each value stands {times} times" in note
    assert f"{FS / times:g} Hz" in note


def test_a_coarse_converter_at_rest_is_no_conversion(tmp_path):
    x = np.round(NOISE) * 2 + RNG.normal(0, 60, N).round() * (T % 10 < 0.5)
    assert notes(tmp_path, x) == []


def test_notes_on_a_night_name_no_option_or_column_of_other_files(tmp_path):
    x = 1100 * NOISE[:3000] / 3 + 900 * np.sin(2 * np.pi * 100 * np.arange(3000) / 500)
    values = npg_values(x)
    said = "\n".join(read(write_values(tmp_path / "a.night", values)).notes)
    assert "more than any muscle at rest; check the contact" in said
    assert "check the rate that the device was set to" in said
    assert not any(word in said for word in ("--fs", "really in", "name it", "column"))
