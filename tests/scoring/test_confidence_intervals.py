"""Exact intervals of counts and proportions against published tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from twitchsense.scoring.indices.confidence_intervals import binomial_interval, poisson_interval


@pytest.mark.parametrize(
    # Garwood 1936; the table printed in most books of statistics
    ("count", "low", "high"),
    [(0, 0, 3.689), (1, 0.0253, 5.572), (2, 0.242, 7.225), (5, 1.623, 11.668),
     (10, 4.795, 18.390), (20, 12.217, 30.888), (50, 37.111, 65.919), (100, 81.364, 121.627)],
)  # fmt: skip
def test_counts_have_the_published_exact_interval(count, low, high):
    got = poisson_interval(count)
    assert float(got[0]) == pytest.approx(low, abs=0.001)
    assert float(got[1]) == pytest.approx(high, abs=0.001)


@given(st.integers(0, 5000), st.floats(0.5, 0.999))
def test_counts_agree_with_the_chi_square_form(count, level):
    low, high = poisson_interval(count, level)
    tail = (1 - level) / 2
    expected = stats.chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    assert float(low) == pytest.approx(expected, rel=1e-7)
    assert float(high) == pytest.approx(stats.chi2.ppf(1 - tail, 2 * count + 2) / 2, rel=1e-7)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0, 0.3085), (10, 10, 0.6915, 1), (5, 10, 0.1871, 0.8129), (1, 20, 0.0013, 0.2487)],
)
def test_shares_have_the_published_clopper_pearson_interval(hits, n, low, high):
    got = binomial_interval(hits, n)
    assert float(got[0]) == pytest.approx(low, abs=5e-5)
    assert float(got[1]) == pytest.approx(high, abs=5e-5)
    ends = stats.binomtest(hits, n).proportion_ci(method="exact")
    assert [float(g) for g in got] == pytest.approx([ends.low, ends.high])
