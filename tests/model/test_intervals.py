"""Runs in a mask, sets of intervals and sets of ranges, compared with plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twitchsense.model.intervals import (
    RangeSet,
    in_intervals,
    mask_of,
    merge_intervals,
    overlap_any,
    prefix_sums,
    run_bounds,
    runs_of,
)

MASKS = st.lists(st.booleans(), max_size=30).map(lambda x: np.array(x, bool))
INTERVALS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 8)).map(lambda x: (x[0], x[0] + x[1])), max_size=8
)


def arrays(intervals):
    """Return starts and stops."""
    table = np.array(intervals, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def test_runs_of_true():
    assert runs_of(np.array([1, 1, 0, 1, 0, 0, 1], bool)) == [(0, 2), (3, 4), (6, 7)]
    assert runs_of(np.zeros(3, bool)) == []
    assert runs_of(np.ones(3, bool)) == [(0, 3)]
    assert runs_of(np.zeros(0, bool)) == []


@given(MASKS)
def test_mask_of_the_runs_of_a_mask_is_the_mask(mask):
    starts, stops = run_bounds(mask)
    assert runs_of(mask) == list(zip(starts.tolist(), stops.tolist(), strict=True))
    assert np.array_equal(mask_of(starts, stops, len(mask)), mask)


def test_mask_of_ignores_empty_ranges():
    starts, stops = np.array([2, 4, 1]), np.array([2, 3, 3])
    assert mask_of(starts, stops, 5).tolist() == [False, True, True, False, False]


def test_differences_of_prefix_sums_are_sums_over_ranges():
    sums = prefix_sums(np.array([1.0, 2.0, 4.0]))
    assert sums.tolist() == [0.0, 1.0, 3.0, 7.0]
    assert sums[3] - sums[1] == 6.0


@given(INTERVALS, st.integers(0, 3))
def test_merged_intervals_equal_a_plain_loop(intervals, max_gap):
    merged: list[list[int]] = []
    for start, stop in sorted(intervals):
        if merged and start <= merged[-1][1] + max_gap:
            merged[-1][1] = max(merged[-1][1], stop)
        else:
            merged.append([start, stop])
    start, stop = merge_intervals(*arrays(intervals), max_gap)
    assert np.stack([start, stop], axis=1).tolist() == merged


@pytest.mark.parametrize("closed", ["both", "left"])
@given(INTERVALS, st.lists(st.integers(-1, 40), max_size=10))
def test_times_in_intervals_equal_a_plain_loop(closed, intervals, times):
    last = 0 if closed == "both" else 1
    expected = [any(a <= t <= b - last for a, b in intervals) for t in times]
    got = in_intervals(np.array(times, np.int64), *arrays(intervals), closed=closed)
    assert got.tolist() == expected


@pytest.mark.parametrize("closed", ["both", "neither"])
@given(INTERVALS, INTERVALS)
def test_overlaps_equal_a_plain_loop(closed, intervals, others):
    gap = 0 if closed == "both" else 1
    expected = [any(c <= b - gap and a <= d - gap for c, d in others) for a, b in intervals]
    got = overlap_any(*arrays(intervals), *arrays(others), closed=closed)
    assert got.tolist() == expected


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(-2, 12))),
    st.integers(0, 70),
    st.integers(0, 70),
)
def test_range_set_behaves_like_a_set(additions, first, stop):
    ranges, numbers = RangeSet(), set()
    for start, length in additions:
        ranges.add(start, start + length)
        numbers |= set(range(start, start + length))
    assert len(ranges) == len(numbers)
    assert {n for n in range(90) if n in ranges} == numbers
    assert ranges.stop == max(numbers, default=-1) + 1
    gaps = ranges.gaps(first, stop)
    missing = [n for n in range(first, stop) if n not in numbers]
    assert [n for a, b in gaps for n in range(a, b)] == missing
    assert all(b < c for (_, b), (c, _) in zip(gaps, gaps[1:], strict=False))
    end = ranges.run_end(first)
    assert all(n in numbers for n in range(first, end))
    assert end not in numbers
