"""The small models: questions, what is not known, what each feature adds, and their text."""

from __future__ import annotations

import numpy as np
import pytest

from twitchsense.detect.boosted_trees import (
    AT_ONCE,
    COLUMNS,
    Trees,
    learned,
    read_trees,
    write_trees,
)
from twitchsense.detect.classify import (
    MOVEMENT_FEATURES,
    MOVEMENT_REASONS,
    TWITCH_FEATURES,
    TWITCH_REASONS,
)
from twitchsense.detect.jerk_model import JERK_FEATURES
from twitchsense.detect.recurrence import AGAIN_FEATURES

#: Asks a <= 1, then of the high ones b <= 5 (unknown b goes high); a second tree asks b <= 0
#: (unknown goes low).
TEXT = [
    ",".join(COLUMNS),
    "other,,,x,,,,,",
    "other,0,0,,,,,,9.0",
    "made,,,a b,,,,,",
    "made,0,0,a,1.0,low,1,2,-0.5",
    "made,0,1,,,,,,1.0",
    "made,0,2,b,5.0,high,3,4,-1.0",
    "made,0,3,,,,,,-3.0",
    "made,0,4,,,,,,0.25",
    "made,1,0,b,0.0,low,1,2,0.5",
    "made,1,1,,,,,,2.0",
    "made,1,2,,,,,,-1.0",
]
NAN = float("nan")


def made() -> Trees:
    return read_trees("made", TEXT)


@pytest.mark.parametrize(
    ("a", "b", "parts"),
    [
        (0.0, 9.0, (1.5, -1.5)),  # low, high
        (1.0, 0.0, (1.5, 1.5)),  # up to and including: low
        (1.1, 5.0, (-0.5, -2.0 - 1.5)),
        (2.0, 6.0, (-0.5, 1.25 - 1.5)),
        (NAN, -1.0, (1.5, 1.5)),
        (2.0, NAN, (-0.5, 1.25 + 1.5)),
    ],
)
def test_each_feature_adds_what_its_answers_moved(a, b, parts):
    assert made().parts(np.array([[a, b]])).tolist() == [list(parts)]


def test_parts_and_roots_add_up_to_the_log_odds_of_the_ends():
    table = np.array([[0.0, 9.0], [2.0, 5.0]])
    odds = np.array([1.0 - 1.0, -3.0 - 1.0])
    model = made()
    np.testing.assert_allclose(model.probability(model.parts(table)), 1 / (1 + np.exp(-odds)))


def test_no_rows_have_no_parts():
    assert made().parts(np.empty((0, 2))).shape == (0, 2)
    assert made().probability(np.empty((0, 2))).shape == (0,)


def test_many_rows_are_told_as_one_by_one():
    rng = np.random.default_rng(1)
    table = rng.normal(1, 4, (AT_ONCE + 7, 2))
    many = made().parts(table)
    some = [0, AT_ONCE - 1, AT_ONCE, AT_ONCE + 6]
    for k in some:
        np.testing.assert_array_equal(many[k], made().parts(table[k : k + 1])[0])


@pytest.mark.parametrize("kind", ["twitch", "again", "movement", "jerk"])
def test_the_text_of_a_model_is_the_model(kind):
    model = learned(kind)
    again = read_trees(kind, [",".join(COLUMNS), *write_trees(kind, model)])
    for name in Trees.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(again, name), getattr(model, name))


@pytest.mark.parametrize(
    ("kind", "names", "groups"),
    [
        ("twitch", TWITCH_FEATURES, TWITCH_REASONS),
        ("again", AGAIN_FEATURES, {}),
        ("movement", MOVEMENT_FEATURES, MOVEMENT_REASONS),
        ("jerk", JERK_FEATURES, {}),
    ],
)
def test_the_learned_models_ask_about_the_features_there_are(kind, names, groups):
    model = learned(kind)
    assert model.features == tuple(names)
    # every path goes on within its own tree and comes to an end
    ends = np.append(model.roots[1:], len(model.feature))
    tree = np.searchsorted(model.roots, np.arange(len(model.feature)), "right") - 1
    asks = model.feature >= 0
    for then in (model.low[asks], model.high[asks]):
        assert np.all(then > np.flatnonzero(asks))
        assert np.all(then < ends[tree[asks]])
    # every reason is told by features, and every feature speaks for one reason at most
    said = [name for group in groups.values() for name in group]
    assert set(said) <= set(names)
    assert len(said) == len(set(said))
