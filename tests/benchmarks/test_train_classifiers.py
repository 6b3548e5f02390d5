"""Training works, and its trees answer as those of scikit-learn."""

import numpy as np
import pytest

from benchmarks.training.classifiers import COLUMNS, fit


def made_up(n=600, seed=0):
    """Movements are longer than other candidates."""
    rng = np.random.default_rng(seed)
    names = COLUMNS["movement"]
    x = rng.normal(size=(n, len(names)))
    y = rng.random(n) < 0.5
    x[:, names.index("log_duration")] += 2 * y
    return x, y


@pytest.mark.slow  # trains the models
def test_what_is_learned_tells_them_apart():
    pytest.importorskip("sklearn", reason="scikit-learn is needed to learn, not to use the models")
    x, y = made_up()
    model = fit("movement", x, y, np.ones(len(y)))
    parts = model.contributions(x)
    p = model.probability(parts)
    assert p[y].mean() > p[~y].mean() + 0.3
    moved = dict(zip(model.features, np.ptp(parts, axis=0), strict=True))
    assert max(moved, key=moved.__getitem__) == "log_duration"


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
