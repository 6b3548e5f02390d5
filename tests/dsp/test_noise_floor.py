from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from twitchsense.dsp.floor_memory import MAD_TO_SD
from twitchsense.dsp.noise_floor import WARM_UP_S, NoiseFloor, NoiseThreshold

N = 20


def collect(pieces):
    rows = [(p.envelope, *(p.per_value(row) for row in p.floors[0])) for p in pieces]
    return [np.concatenate(column) for column in zip(*rows, strict=True)]


def follow(envelope, cuts=(), memory=60, quantile=0.25, least=0.01):
    floor = NoiseFloor(N, (memory, quantile), min_spread=least)
    return collect([floor.push(p) for p in np.split(envelope, sorted(cuts))] + [floor.close()])


def by_hand(envelope, memory=60, quantile=0.25, least=0.01):
    """Return the floor as defined in the docstring, second by second, with plain loops."""
    seconds = [envelope[i : i + N] for i in range(0, len(envelope), N)]
    out = []
    warm = min(WARM_UP_S, len(envelope) // N)
    for i, second in enumerate(seconds):
        past = range(warm) if i < warm else range(i)
        live = [s for s in past if len(seconds[s]) == N and np.median(seconds[s]) > 1e-9][-memory:]
        c = sorted(np.median(seconds[s]) for s in live)
        m = sorted(MAD_TO_SD * np.median(np.abs(seconds[s] - np.median(seconds[s]))) for s in live)
        k = int(np.floor(quantile * (len(live) - 1))) if live else 0
        out += [(c[k] if c else 0.0, max(m[k] if m else 0.0, least))] * len(second)
    return np.array(out).T


@pytest.mark.parametrize("seconds", [3, 10, 10.35, 45, 150.35])
def test_floor_is_the_low_quantile_of_the_seconds_before(seconds):
    envelope = np.abs(np.random.default_rng(0).normal(size=round(seconds * N))) + 0.1
    envelope[40:80] = 0.0  # a flat line
    got = follow(envelope)
    centre, spread = by_hand(envelope)
    assert np.array_equal(got[0], envelope)
    np.testing.assert_allclose(got[1], centre, rtol=1e-12)
    np.testing.assert_allclose(got[2], spread, rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 100 * N + 7), max_size=30))
def test_floor_does_not_depend_on_the_chunks(cuts):
    envelope = np.abs(np.random.default_rng(3).normal(size=100 * N + 7))
    envelope[30 * N : 41 * N] = 0.0
    for a, b in zip(follow(envelope), follow(envelope, cuts), strict=True):
        assert np.array_equal(a, b)


def test_event_does_not_raise_its_own_floor():
    envelope = np.ones(40 * N)
    envelope[20 * N : 21 * N] = 100.0
    assert follow(envelope)[1].max() == 1.0


def test_activity_of_half_the_memory_does_not_raise_the_floor():
    envelope = np.ones(120 * N)
    envelope[60 * N : 95 * N] = 100.0
    assert follow(envelope)[1].max() == 1.0


def test_lasting_noise_becomes_the_floor():
    envelope = np.concatenate([np.ones(60 * N), np.full(60 * N, 5.0)])
    centre = follow(envelope)[1]
    assert centre[60 * N] == 1.0
    assert centre[-1] == 5.0


def test_segment_below_one_second_has_no_floor():
    assert len(follow(np.ones(N - 1))[0]) == 0


def test_close_after_warm_up_adds_nothing():
    floor = NoiseFloor(N, (60, 0.25))
    assert len(floor.push(np.ones(30 * N)).envelope) == 30 * N
    assert len(floor.close().envelope) == 0


@settings(max_examples=50, deadline=None)
@given(st.floats(0.1, 30), st.lists(st.integers(0, 30 * N), max_size=20))
def test_several_memories_and_the_medians_of_seconds(seconds, cuts):
    envelope = np.abs(np.random.default_rng(5).normal(size=round(seconds * N)))
    memories = (60, 0.25), (10, 0.5)
    floor = NoiseFloor(N, *memories, min_spread=0.01)
    pieces = [floor.push(p) for p in np.split(envelope, sorted(c for c in cuts))]
    pieces.append(floor.close())
    for k, (memory, quantile) in enumerate(memories):
        alone = follow(envelope, (), memory, quantile)
        for row, expected in enumerate(alone[1:]):
            got = np.concatenate([p.per_value(p.floors[k][row]) for p in pieces])
            assert np.array_equal(got, expected)
    known = envelope if len(envelope) >= N else envelope[:0]
    expected = [np.median(known[i : i + N]) for i in range(0, len(known), N)]
    assert np.concatenate([p.medians for p in pieces]).tolist() == expected
    assert all(len(p.medians) <= len(p.lengths) for p in pieces)  # each has a floor


@pytest.mark.parametrize("freedom", [3, 8, 40])
def test_noise_exceeds_the_threshold_with_the_stated_probability(freedom):
    rms = np.sqrt(stats.chi2.rvs(freedom, size=400_000, random_state=1) / freedom)
    centre = np.median(rms)
    spread = 1.4826 * np.median(np.abs(rms - centre))
    k = NoiseThreshold(0.0, 1e-3).multiple(np.array([centre]), np.array([spread]))
    passed = float((rms > centre + k * spread).mean())
    assert 0.0005 < passed < 0.002


def test_multiple_has_a_lower_bound():
    assert NoiseThreshold(6.0, 0.01).multiple(np.array([1.0]), np.array([0.01]))[0] == 6.0
