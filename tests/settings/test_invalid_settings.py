"""Values that no analysis can use are refused, with the file, the key and the cure."""

from __future__ import annotations

import re

import pytest

from tests.settings.case import setting_keys, value_of
from twitchsense.errors import InputError
from twitchsense.settings import Settings, load_settings

RANGES = [key for key in setting_keys() if isinstance(value_of(Settings(), key), tuple)]
#: Ranges of durations; those of rates and intervals do not begin at zero.
FROM_ZERO = {key for key in RANGES if key.endswith("_ms")}
NUMBERS = [key for key in setting_keys() if type(value_of(Settings(), key)) in (int, float)]


@pytest.fixture
def load(tmp_path):
    """Return a function that reads one key from a file."""

    def load_key(key, value):
        group, _, name = key.partition(".")
        path = tmp_path / "mine.toml"
        path.write_text(f"[{group}]\n{name} = {value}\n")
        return value_of(load_settings(path), key)

    return load_key


def refused(load, key, value):
    """Return the problem that is reported for a value."""
    with pytest.raises(InputError) as caught:
        load(key, value)
    error = caught.value
    assert error.source.endswith("mine.toml")
    assert re.fullmatch(rf"key {re.escape(key)}(\.\d)?", error.place)
    assert error.cure == "see docs/settings.md for the keys"
    return error.problem


@pytest.mark.parametrize("key", RANGES)
@pytest.mark.parametrize("limits", [[3.0, 2.0], [2.0, 2.0], [0.0, 0.0], [-1.0, 2.0]], ids=str)
def test_a_range_ends_above_its_start(load, key, limits):
    low = "of at least 0" if key in FROM_ZERO else "above 0"
    assert refused(load, key, limits) == (
        f"a range needs a lower limit {low} and an upper limit above the lower one, "
        f"not {limits[0]:g} and {limits[1]:g}"
    )


@pytest.mark.parametrize("key", RANGES)
def test_only_a_range_of_durations_may_begin_at_zero(load, key):
    if key in FROM_ZERO:
        assert load(key, [0.0, 2.0]) == (0.0, 2.0)
    else:
        assert "above 0" in refused(load, key, [0.0, 2.0])
    assert load(key, [1.0, 2.0]) == (1.0, 2.0)


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize("number", ["inf", "-inf", "nan"])
def test_a_number_is_finite(load, key, number):
    assert refused(load, key, number) == "Input should be a finite number"


@pytest.mark.parametrize("key", RANGES)
@pytest.mark.parametrize("limits", ["[1.0, inf]", "[nan, 2.0]"])
def test_the_limits_of_a_range_are_finite(load, key, limits):
    assert refused(load, key, limits) == "Input should be a finite number"


@pytest.mark.parametrize("length", [0.0, 1e-7, 0.09])
def test_a_mini_epoch_lasts_at_least_a_tenth_of_a_second(load, length):
    assert refused(load, "labels.fm_epoch_s", length) == (
        "Input should be greater than or equal to 0.1"
    )
    assert load("labels.fm_epoch_s", 0.1) == 0.1


@pytest.mark.parametrize(
    ("text", "place", "near"),
    [
        ("[twich]\nmin_uv = 1\n", "key twich", "did you mean twitch?"),
        ("[twitch]\nmin_vu = 1\n", "key twitch.min_vu", "did you mean twitch.min_uv?"),
        ("[twitch]\nqqqqqq = 1\n", "key twitch.qqqqqq", "see docs/settings.md"),
    ],
)
def test_an_unknown_key_gets_a_suggestion(tmp_path, text, place, near):
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_settings(path)
    assert caught.value.place == place
    assert caught.value.problem == "there is no such setting"
    assert near in caught.value.cure
