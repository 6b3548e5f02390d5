"""The learned models keep the directions that were demanded of them, and learning works."""

import numpy as np
import pytest

from benchmarks.verdict import FALLING, FEATURES, RISING, fit, text_of
from twitchsense.detect import verdict_weights
from twitchsense.detect.additive import Additive

MODELS = {"twitch": verdict_weights.TWITCH, "movement": verdict_weights.MOVEMENT}


def test_every_direction_is_of_a_feature():
    names = {n for group in FEATURES.values() for n in group}
    assert {*FALLING, *RISING} <= names
    assert not set(FALLING) & set(RISING)


@pytest.mark.parametrize("kind", list(MODELS))
def test_weights_keep_their_directions(kind):
    for name, (_, rises, _) in MODELS[kind].ramps.items():
        if name in FALLING:
            assert max(rises) <= 0, name
        if name in RISING:
            assert min(rises) >= 0, name


@pytest.mark.parametrize("kind", list(MODELS))
def test_the_text_of_a_model_is_the_model(kind):
    scope = {"Additive": Additive}
    exec("\n".join(text_of("AGAIN", MODELS[kind])), scope)
    assert scope["AGAIN"] == MODELS[kind]


def made_up(n=600, seed=0):
    """Movements are longer than other things; `contact` says nothing, `again` the reverse."""
    rng = np.random.default_rng(seed)
    names = FEATURES["movement"]
    x = rng.normal(size=(n, len(names)))
    y = rng.random(n) < 0.5
    x[:, names.index("again")] = rng.integers(0, 20, n) + 20 * y
    x[:, names.index("log_length")] += 2 * y
    return x, y


def test_what_is_learned_tells_them_apart_and_only_in_the_direction_allowed():
    x, y = made_up()
    model = fit("movement", x, y, np.ones(len(y)))
    p = model.probability(model.parts(x))
    assert p[y].mean() > p[~y].mean() + 0.3
    # more company would speak for a movement here, which is not allowed to be learned
    assert max(model.ramps["again"][1]) <= 0
    assert sum(model.ramps["log_length"][1]) > 1


def test_what_is_not_known_is_taken_for_what_a_true_one_usually_shows():
    x, y = made_up()
    column = FEATURES["movement"].index("log_length")
    model = fit("movement", x, y, np.ones(len(y)))
    known = model.parts(x)[y, column].mean()
    assert model.ramps["log_length"][2] == pytest.approx(known, abs=0.01)
    x[::3, column] = np.nan
    assert np.isfinite(fit("movement", x, y, np.ones(len(y))).ramps["log_length"][2])
