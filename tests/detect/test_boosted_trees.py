"""Boosted trees: paths, missing values, contributions, and the models that are shipped."""

from __future__ import annotations

import hashlib
import io
import json
from importlib.resources import files

import numpy as np
import pytest

from twitchsense.detect.features.recurrence import RECURRENCE_FEATURES
from twitchsense.detect.models.boosted_trees import (
    ROWS_PER_BLOCK,
    BoostedTrees,
    check_features,
    load_model,
    read_trees,
)
from twitchsense.detect.rules.classify import BURST_REASONS, MOVEMENT_REASONS
from twitchsense.detect.rules.feature_tables import BURST_FEATURES, JERK_FEATURES, MOVEMENT_FEATURES
from twitchsense.errors import TwitchsenseError

MODELS = {
    "burst": BURST_FEATURES, "recurrence": RECURRENCE_FEATURES, "movement": MOVEMENT_FEATURES,
    "jerk": JERK_FEATURES,
}  # fmt: skip
MODELS |= {f"{name}_slow": MODELS[name] for name in ("burst", "recurrence", "movement")}
NAN = float("nan")


def made() -> BoostedTrees:
    """The first tree tests a <= 1, then b <= 5 (missing b goes right); the second b <= 0."""
    return BoostedTrees(
        ("a", "b"),
        feature=np.array([0, -1, 1, -1, -1, 1, -1, -1]),
        threshold=np.array([1.0, 0, 5.0, 0, 0, 0.0, 0, 0]),
        missing_left=np.array([1, 0, 0, 0, 0, 1, 0, 0], bool),
        left=np.array([1, 0, 3, 0, 0, 6, 5, 5]),
        right=np.array([2, 0, 4, 0, 0, 7, 5, 5]),
        log_odds=np.array([-0.5, 1.0, -1.0, -3.0, 0.25, 0.5, 2.0, -1.0]),
        roots=np.array([0, 5]),
    )


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
def test_contribution_of_a_feature_is_the_change_of_log_odds_at_its_nodes(a, b, parts):
    assert made().contributions(np.array([[a, b]])).tolist() == [list(parts)]


def test_contributions_and_roots_add_up_to_the_log_odds_of_the_leaves():
    table = np.array([[0.0, 9.0], [2.0, 5.0]])
    odds = np.array([1.0 - 1.0, -3.0 - 1.0])
    model = made()
    np.testing.assert_allclose(
        model.probability(model.contributions(table)), 1 / (1 + np.exp(-odds))
    )


def test_empty_table_has_no_contributions():
    assert made().contributions(np.empty((0, 2))).shape == (0, 2)
    assert made().probability(np.empty((0, 2))).shape == (0,)


def test_blocks_of_rows_equal_single_rows():
    rng = np.random.default_rng(1)
    table = rng.normal(1, 4, (ROWS_PER_BLOCK + 7, 2))
    many = made().contributions(table)
    some = [0, ROWS_PER_BLOCK - 1, ROWS_PER_BLOCK, ROWS_PER_BLOCK + 6]
    for k in some:
        np.testing.assert_array_equal(many[k], made().contributions(table[k : k + 1])[0])


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_is_read_back_unchanged(name):
    model = load_model(name, MODELS[name])
    buffer = io.BytesIO()
    model.save(buffer)
    buffer.seek(0)
    again = read_trees(buffer)
    for field in BoostedTrees.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(again, field), getattr(model, field))


@pytest.mark.parametrize("name", MODELS)
def test_the_paths_of_a_shipped_model_end_within_their_tree(name):
    model = load_model(name, MODELS[name])
    ends = np.append(model.roots[1:], len(model.feature))
    tree = np.searchsorted(model.roots, np.arange(len(model.feature)), "right") - 1
    inner = model.feature >= 0
    for child in (model.left[inner], model.right[inner]):
        assert np.all(child > np.flatnonzero(inner))
        assert np.all(child < ends[tree[inner]])


@pytest.mark.parametrize(
    ("features", "groups"), [(BURST_FEATURES, BURST_REASONS), (MOVEMENT_FEATURES, MOVEMENT_REASONS)]
)
def test_every_feature_belongs_to_one_reason(features, groups):
    named = [name for group in groups.values() for name in group]
    assert sorted(named) == sorted(features)


@pytest.mark.parametrize("given", [("a",), ("a", "c"), ("b", "a")])
def test_a_model_of_other_features_is_refused(given):
    with pytest.raises(TwitchsenseError, match="trained on other features"):
        check_features("made", ("a", "b"), given)
    check_features("made", ("a", "b"), ("a", "b"))


def test_a_shipped_model_is_refused_where_the_features_of_the_code_differ():
    with pytest.raises(TwitchsenseError, match="'jerk' was trained on other features"):
        load_model("jerk", JERK_FEATURES[:-1])


@pytest.mark.parametrize("name", MODELS)
def test_the_card_of_a_model_describes_the_file(name):
    folder = files("twitchsense.detect.models")
    card = json.loads((folder / f"{name}.json").read_text("utf-8"))
    assert card["sha256"] == hashlib.sha256((folder / f"{name}.npz").read_bytes()).hexdigest()
    assert [f["name"] for f in card["features"]] == list(MODELS[name])
    assert all(f["meaning"] and "unit" in f for f in card["features"])
    model = load_model(name, MODELS[name])
    assert (card["trees"], card["nodes"]) == (len(model.roots), len(model.feature))
    assert {"trained_at_commit", "seeds", "libraries", "cross_validation"} <= set(card)
