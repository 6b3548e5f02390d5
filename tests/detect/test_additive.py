"""The small model: ramps between knots, level beyond them, and what is not known."""

from __future__ import annotations

import numpy as np
import pytest

from twitchsense.detect.additive import Additive, ramps
from twitchsense.detect.verdict import (
    MOVEMENT_FEATURES,
    MOVEMENT_REASONS,
    TWITCH_FEATURES,
    TWITCH_REASONS,
)
from twitchsense.detect.verdict_weights import MOVEMENT, TWITCH

MODEL = Additive(
    -1.0, {"a": ((0.0, 1.0, 3.0), (2.0, -4.0), 0.25), "b": ((10.0, 20.0), (1.0,), 0.5)}
)


@pytest.mark.parametrize(
    ("a", "part"),
    [(-5, 0), (0, 0), (0.25, 0.5), (1, 2), (2, 0), (3, -2), (99, -2), (np.inf, -2), (-np.inf, 0)],
)
def test_a_part_is_straight_between_knots_and_level_beyond_them(a, part):
    assert MODEL.parts(np.array([[a, 10.0]])).tolist() == [[part, 0.0]]


def test_what_is_not_known_adds_what_is_usual():
    table = np.array([[np.nan, 15.0], [1.0, np.nan], [np.nan, np.nan]])
    assert MODEL.parts(table).tolist() == [[0.25, 0.5], [2.0, 0.5], [0.25, 0.5]]


def test_parts_add_up_to_the_log_odds():
    parts = MODEL.parts(np.array([[1.0, 20.0], [0.5, 10.0], [3.0, 15.0]]))
    odds = np.array([-1 + 2 + 1, -1 + 1 + 0, -1 - 2 + 0.5])
    np.testing.assert_allclose(MODEL.probability(parts), 1 / (1 + np.exp(-odds)))
    assert MODEL.probability(parts)[1] == 0.5


def test_no_rows_have_no_parts():
    assert MODEL.parts(np.empty((0, 2))).shape == (0, 2)
    assert MODEL.probability(np.empty((0, 2))).shape == (0,)


def test_ramps_say_how_far_a_value_has_come():
    got = ramps(np.array([-1.0, 0.5, 2.0, 4.0]), (0.0, 1.0, 3.0))
    assert got.tolist() == [[0, 0], [0.5, 0], [1, 0.5], [1, 1]]


@pytest.mark.parametrize(
    ("model", "names", "groups"),
    [(TWITCH, TWITCH_FEATURES, TWITCH_REASONS), (MOVEMENT, MOVEMENT_FEATURES, MOVEMENT_REASONS)],
)
def test_the_learned_models_have_a_ramp_for_every_feature(model, names, groups):
    assert tuple(model.ramps) == tuple(names)
    for knots, rises, usual in model.ramps.values():
        assert len(knots) == len(rises) + 1
        assert np.all(np.diff(knots) > 0)
        # what is usual lies within what the ramps can give
        steps = np.concatenate([[0.0], np.cumsum(rises)])
        low, high = np.minimum(rises, 0).sum(), np.maximum(rises, 0).sum()
        assert low - 0.01 <= usual <= high + 0.01, (knots, steps)
    # every reason is told by features, and every feature speaks for one reason at most
    said = [name for group in groups.values() for name in group]
    assert set(said) <= set(names)
    assert len(said) == len(set(said))
