"""The shipped models keep their monotonic constraints, and training works."""

import numpy as np
import pytest

from benchmarks.training.classifiers import (
    COLUMNS,
    FALLING,
    HIGHER_IN,
    LOWER_IN,
    RISING,
    directions,
    fit,
)
from twitchsense.detect.models.boosted_trees import load_model


def test_every_direction_is_of_a_feature():
    names = {n for columns in COLUMNS.values() for n in columns}
    assert {*FALLING, *RISING} <= names
    assert not set(FALLING) & set(RISING)
    for name, features in (*LOWER_IN.items(), *HIGHER_IN.items()):
        assert set(features) <= set(COLUMNS[name])


@pytest.mark.parametrize("name", list(COLUMNS))
def test_models_keep_their_directions(name):
    """Whatever the other features are, more of one moves the odds one way only."""
    model = load_model(name, COLUMNS[name])
    rng = np.random.default_rng(5)
    for column, sign in enumerate(directions(name)):
        asked = model.threshold[model.feature == column]
        if not sign or not len(asked):
            continue
        steps = np.unique(np.concatenate([asked - 1e-6, asked + 1e-6]))
        steps = steps[:: max(1, len(steps) // 40)]
        for _ in range(20):
            table = np.repeat(_somewhere(model, rng)[None], len(steps), axis=0)
            table[:, column] = steps
            p = model.probability(model.contributions(table))
            # the stored log-odds are rounded
            assert np.all(sign * np.diff(p) >= -1e-3), model.features[column]


def _somewhere(model, rng):
    """Return values near what the model asks about, some of them unknown."""
    row = np.zeros(len(model.features))
    for k in range(len(row)):
        asked = model.threshold[model.feature == k]
        row[k] = rng.choice(asked) + rng.choice([-1e-6, 1e-6]) if len(asked) else 0.0
        if rng.random() < 0.1:
            row[k] = np.nan
    return row


def made_up(n=600, seed=0):
    """Movements are longer than other candidates; `n_repeats` would speak for them too."""
    rng = np.random.default_rng(seed)
    names = COLUMNS["movement"]
    x = rng.normal(size=(n, len(names)))
    y = rng.random(n) < 0.5
    x[:, names.index("n_repeats")] = rng.integers(0, 20, n) + 20 * y
    x[:, names.index("log_duration")] += 2 * y
    return x, y


@pytest.mark.slow  # trains the models
def test_what_is_learned_tells_them_apart_and_only_in_the_direction_allowed():
    pytest.importorskip("sklearn", reason="scikit-learn is needed to learn, not to use the models")
    x, y = made_up()
    model = fit("movement", x, y, np.ones(len(y)))
    parts = model.contributions(x)
    p = model.probability(parts)
    assert p[y].mean() > p[~y].mean() + 0.3
    moved = dict(zip(model.features, np.ptp(parts, axis=0), strict=True))
    # repeats would speak for a movement here, which the constraint forbids
    assert moved["log_duration"] > 1
    assert moved["n_repeats"] < 0.1


@pytest.mark.slow
def test_the_model_taken_over_says_what_was_grown():
    ensemble = pytest.importorskip("sklearn.ensemble", reason="scikit-learn is needed to learn")
    from benchmarks.training.classifiers import PARAMETERS, convert

    x, y = made_up(400, seed=3)
    x[::5, 4] = np.nan
    grown = ensemble.HistGradientBoostingClassifier(**PARAMETERS, min_samples_leaf=10).fit(x, y)
    names = COLUMNS["movement"]
    model = convert(names, grown)
    ours = model.probability(model.contributions(x))
    np.testing.assert_allclose(ours, grown.predict_proba(x)[:, 1], atol=2e-3)
