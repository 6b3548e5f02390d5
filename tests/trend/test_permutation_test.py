import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twitchsense.trend.permutation_test import (
    benjamini_hochberg,
    block_permutations,
    estimate_effect,
)


def test_permutations_keep_neighbours_together():
    orders = block_permutations(28, 50)
    assert (np.sort(orders, axis=1) == np.arange(28)).all()
    beside = ((orders[:, 1:] - orders[:, :-1]) % 28 == 1).mean()
    assert beside > 0.6  # blocks of three: two of three steps stay


def test_interval_of_a_clear_effect_contains_it():
    rng = np.random.default_rng(5)
    x = (np.arange(40) % 3 == 0).astype(float)
    y = 1.0 + 0.8 * x + rng.normal(0, 0.2, 40)
    found = estimate_effect(
        y, x, np.column_stack([np.ones(40), np.arange(40.0)]), block_permutations(40)
    )
    assert found.low < 0.8 < found.high
    assert found.p < 0.005
    assert found.high - found.low < 0.5


def test_interval_holds_zero_exactly_when_the_test_does_not_reject_it():
    # the interval holds zero exactly when the test does not reject it
    rng = np.random.default_rng(6)
    for _ in range(30):
        x = rng.integers(0, 2, 24).astype(float)
        y = rng.normal(0, 1, 24) + 0.7 * x
        found = estimate_effect(y, x, np.ones((24, 1)), block_permutations(24, 499))
        assert (found.low <= 0 <= found.high) == (found.p > 0.05)


def test_estimate_is_the_least_squares_slope():
    rng = np.random.default_rng(7)
    x, day = rng.integers(0, 2, 20).astype(float), np.arange(20.0)
    y = rng.normal(0, 1, 20)
    others = np.column_stack([np.ones(20), day])
    slope = np.linalg.lstsq(np.column_stack([others, x]), y, rcond=None)[0][-1]
    assert estimate_effect(y, x, others, block_permutations(20, 99)).estimate == pytest.approx(
        slope
    )


def test_estimate_follows_shift_and_scale_of_the_outcome():
    rng = np.random.default_rng(8)
    x, y = rng.integers(0, 2, 20).astype(float), rng.normal(0, 1, 20)
    one = estimate_effect(y, x, np.ones((20, 1)), block_permutations(20, 499))
    two = estimate_effect(3 - 2 * y, x, np.ones((20, 1)), block_permutations(20, 499))
    assert two.p == one.p
    assert (two.low, two.high) == pytest.approx((-2 * one.high, -2 * one.low))


def test_exposure_determined_by_the_covariates_gives_no_estimate():
    x = np.array([0.0, 1.0] * 10)
    found = estimate_effect(
        np.arange(20.0), x, np.column_stack([np.ones(20), x]), block_permutations(20, 99)
    )
    assert found.p == 1.0
    assert np.isnan(found.estimate)


def q_by_definition(p):
    """Benjamini and Hochberg, as they wrote it: the least level at which it is found."""
    n = len(p)
    ranked = sorted(p)
    return [min(min(1.0, ranked[k] * n / (k + 1)) for k in range(n) if ranked[k] >= v) for v in p]


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=20))
def test_benjamini_hochberg_equals_its_definition(p):
    assert benjamini_hochberg(np.array(p)) == pytest.approx(q_by_definition(p))
