from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twitchsense.dsp.engine import engine, why_not_native
from twitchsense.dsp.hysteresis import HysteresisSegmenter


def find(low, high, bridge, cuts=()):
    runs = HysteresisSegmenter(bridge)
    parts = [
        runs.push(a, b)
        for a, b in zip(np.split(low, sorted(cuts)), np.split(high, sorted(cuts)), strict=True)
    ]
    parts.append(runs.close())
    return [(int(s), int(e)) for starts, stops in parts for s, e in zip(starts, stops, strict=True)]


def follow(name, levels, bridge, pieces):
    """Return active values and runs, with thresholds that change from piece to piece."""
    with engine(name):
        runs = HysteresisSegmenter(bridge)
    out, active, at = [], [], 0
    for k, lengths in enumerate(pieces):
        lengths, low = np.array(lengths, int), np.arange(len(lengths)) % 3 + k % 2
        values = levels[at : at + lengths.sum()].astype(float)
        at += len(values)
        marks, starts, stops = runs.follow(values, low + 0.5, low + 1.5, lengths)
        active += marks.tolist()
        out += [*zip(starts.tolist(), stops.tolist(), strict=True), runs.pending]
    return active, out, [x.tolist() for x in runs.close()], runs.earliest_start


@pytest.mark.skipif(bool(why_not_native()), reason=why_not_native())
@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 9), max_size=5), max_size=6),
    st.integers(0, 5),
    st.integers(0, 99),
)
def test_runs_are_equal_in_both_engines(pieces, bridge, seed):
    n = sum(map(sum, pieces))
    levels = np.random.default_rng(seed).integers(0, 5, n)
    assert follow("scipy", levels, bridge, pieces) == follow("native", levels, bridge, pieces)


def by_hand(low, high, bridge):
    runs: list[list[int]] = []
    for i in np.flatnonzero(low):
        if runs and i - runs[-1][1] <= bridge:
            runs[-1][1] = i + 1
        else:
            runs.append([i, i + 1])
    return [(a, b) for a, b in runs if any(high[i] and low[i] for i in range(a, b))]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([0, 1, 2]), max_size=80),
    st.integers(0, 5),
    st.lists(st.integers(0, 80), max_size=10),
)
def test_runs_equal_a_plain_loop_for_any_chunks(levels, bridge, cuts):
    x = np.array(levels, int)
    low, high = x >= 1, x >= 2
    cuts = [c for c in cuts if c <= len(x)]
    assert find(low, high, bridge, cuts) == by_hand(low, high, bridge)


def test_gap_of_bridge_length_is_bridged_and_a_longer_one_is_not():
    low = np.array([1, 0, 0, 1, 0, 0, 0, 1], bool)
    assert find(low, low, 2) == [(0, 4), (7, 8)]


def test_run_below_the_high_threshold_is_dropped():
    low = np.ones(5, bool)
    assert find(low, ~low, 1) == []


def test_earliest_start_is_the_start_of_the_unfinished_run():
    runs = HysteresisSegmenter(1)
    yes, no = np.ones(3, bool), np.zeros(3, bool)
    runs.push(no, no)
    assert (runs.earliest_start, runs.pending) == (3, None)
    runs.push(yes, no)
    assert (runs.earliest_start, runs.pending) == (3, (3, False))
    runs.push(yes, yes)
    assert runs.pending == (3, True)
    runs.push(no, no)
    assert (runs.earliest_start, runs.pending) == (12, None)
