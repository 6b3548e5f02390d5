"""The learned models keep the directions that were demanded of them, and learning works."""

import numpy as np
import pytest

from benchmarks.verdict import FALLING, FEATURES, RISING, fit
from twitchsense.detect.boosted_trees import learned


def test_every_direction_is_of_a_feature():
    names = {n for group in FEATURES.values() for n in group}
    assert {*FALLING, *RISING} <= names
    assert not set(FALLING) & set(RISING)


@pytest.mark.parametrize("kind", list(FEATURES))
def test_models_keep_their_directions(kind):
    """Whatever the other features are, more of one moves the odds one way only."""
    model = learned(kind)
    rng = np.random.default_rng(5)
    for name, sign in [*((n, -1) for n in FALLING), *((n, 1) for n in RISING)]:
        if name not in model.features:
            continue
        column = model.features.index(name)
        asked = model.most[model.feature == column]
        if not len(asked):
            continue
        steps = np.unique(np.concatenate([asked - 1e-6, asked + 1e-6]))
        steps = steps[:: max(1, len(steps) // 40)]
        for _ in range(20):
            table = np.repeat(_somewhere(model, rng)[None], len(steps), axis=0)
            table[:, column] = steps
            p = model.probability(model.parts(table))
            assert np.all(sign * np.diff(p) >= -1e-3), name  # the text rounds the odds


def _somewhere(model, rng):
    """Return values near what the model asks about, some of them unknown."""
    row = np.zeros(len(model.features))
    for k in range(len(row)):
        asked = model.most[model.feature == k]
        row[k] = rng.choice(asked) + rng.choice([-1e-6, 1e-6]) if len(asked) else 0.0
        if rng.random() < 0.1:
            row[k] = np.nan
    return row


def made_up(n=600, seed=0):
    """Movements are longer than other things; `again` would speak for them too."""
    rng = np.random.default_rng(seed)
    names = FEATURES["movement"]
    x = rng.normal(size=(n, len(names)))
    y = rng.random(n) < 0.5
    x[:, names.index("again")] = rng.integers(0, 20, n) + 20 * y
    x[:, names.index("log_length")] += 2 * y
    return x, y


def test_what_is_learned_tells_them_apart_and_only_in_the_direction_allowed():
    pytest.importorskip("sklearn", reason="scikit-learn is needed to learn, not to use the models")
    x, y = made_up()
    model = fit("movement", x, y, np.ones(len(y)))
    parts = model.parts(x)
    p = model.probability(parts)
    assert p[y].mean() > p[~y].mean() + 0.3
    moved = dict(zip(model.features, np.ptp(parts, axis=0), strict=True))
    # more company would speak for a movement here, which is not allowed to be learned
    assert moved["log_length"] > 1
    assert moved["again"] < 0.1


def test_the_model_taken_over_says_what_was_grown():
    ensemble = pytest.importorskip("sklearn.ensemble", reason="scikit-learn is needed to learn")
    from benchmarks.verdict import GROWN, taken_over

    x, y = made_up(400, seed=3)
    x[::5, 4] = np.nan
    grown = ensemble.HistGradientBoostingClassifier(**GROWN, min_samples_leaf=10).fit(x, y)
    names = FEATURES["movement"]
    model = taken_over(names, float(grown._baseline_prediction.item()), grown._predictors)
    ours = model.probability(model.parts(x))
    np.testing.assert_allclose(ours, grown.predict_proba(x)[:, 1], atol=2e-3)
