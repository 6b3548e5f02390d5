"""Runs and rates from timestamps: gaps are found, and jitter is not a gap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.io.builders import MS, grid, segment_and_fit
from twitchsense.io.channels.gap_detection import IrregularSamplingError, TimestampSegmenter
from twitchsense.io.channels.rate_fit import remove_overlaps


def expected_firsts(kept):
    """Return the positions, among kept samples, of those after a loss."""
    index = np.flatnonzero(kept)
    return [0, *(np.flatnonzero(np.diff(index) > 1) + 1).tolist()]


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    # dense losses in strongly jittered timestamps cannot be distinguished from jitter
    jitter=st.floats(0, 0.15),
    loss=st.floats(0, 0.01),
    fs=st.sampled_from([25.0, 52.0, 100.0, 250.3, 1000.0, 1024.0, 1925.93]),
    n=st.integers(300, 3000),
)
def test_runs_of_jittered_timestamps_with_lost_rows_are_exact(seed, jitter, loss, fs, n):
    rng = np.random.default_rng(seed)
    period = 1e9 / fs
    times = grid(n, fs) + np.rint(rng.uniform(-jitter, jitter, n) * period).astype(np.int64)
    kept = rng.random(n) >= loss
    kept[:_KNOWN] = True  # the phase must be known before a loss can be distinguished from jitter
    runs, clock = segment_and_fit(times[kept])
    assert runs["first"].tolist() == expected_firsts(kept)
    assert clock.fs == pytest.approx(fs, rel=0.02)


_KNOWN = 40


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), loss=st.floats(0, 0.02), fs=st.sampled_from([200, 64, 333]))
def test_losses_in_exact_timestamps_are_found_from_the_start(seed, loss, fs):
    rng = np.random.default_rng(seed)
    times = grid(500, fs)
    kept = rng.random(500) >= loss
    runs, clock = segment_and_fit(times[kept])
    assert runs["first"].tolist() == expected_firsts(kept)
    assert clock.fs == pytest.approx(fs, rel=1e-8)
    first = np.flatnonzero(kept)[0]
    want = times[kept][runs["first"]]
    np.testing.assert_allclose(clock.starts_ns, want, atol=1)
    assert clock.starts_ns[0] == pytest.approx(times[first], abs=1)


@pytest.mark.slow  # 40 random time columns of 70,000 rows
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(1, 5000), max_size=6))
def test_block_size_does_not_change_runs_or_fit(seed, cuts):
    rng = np.random.default_rng(seed)
    times = grid(70_000, 1000) + rng.integers(-200_000, 200_000, 70_000)
    times = times[rng.random(70_000) > 0.01]
    whole, clock = segment_and_fit(times)
    for size in cuts[:2]:
        runs, other = segment_and_fit(times, max(97, size))
        assert runs.tobytes() == whole.tobytes()
        assert other.fs == clock.fs
        np.testing.assert_array_equal(other.starts_ns, clock.starts_ns)


def test_late_timestamps_are_not_a_gap():
    # the host stalls for 4 periods: stamps bunch up, then are on time again
    times = grid(500, 100)
    times[200:204] = times[204] - np.array([4, 3, 2, 1]) * 100_000
    runs, clock = segment_and_fit(times)
    assert len(runs) == 1
    assert clock.fs == pytest.approx(100, rel=1e-3)


def test_a_restart_off_the_grid_is_a_gap_of_its_length():
    one = grid(500, 100)
    two = one[-1] + 27 * MS + grid(500, 100)
    runs, clock = segment_and_fit(np.concatenate([one, two]))
    assert runs["first"].tolist() == [0, 500]
    assert clock.starts_ns.tolist() == [0, int(two[0])]
    assert clock.fs == 100.0


def test_a_gap_of_hours_keeps_its_length():
    one = grid(500, 1000)
    runs, clock = segment_and_fit(np.concatenate([one, one + 5 * 3600 * 10**9]))
    assert clock.starts_ns.tolist() == [0, 5 * 3600 * 10**9]
    assert clock.fs_error == 0


@pytest.mark.parametrize("at", [1, 2, 65535, 65536, 65537, 69_998, 69_999])
def test_a_gap_at_the_edge_of_a_block(at):
    times = grid(70_000, 1000)
    times[at:] += 50 * MS
    runs, clock = segment_and_fit(times, 1000)
    assert runs["first"].tolist() == [0, at]
    assert clock.starts_ns.tolist() == [0, int(times[at])]


def test_runs_never_overlap_when_the_rate_varies():
    rng = np.random.default_rng(3)
    period = 10 * MS * (1 + 0.002 * np.sin(np.arange(20_000) / 500))
    times = np.cumsum(period).astype(np.int64)
    times = times[rng.random(20_000) > 0.05]
    runs, clock = segment_and_fit(times)
    lengths = np.rint(runs["count"] * 1e9 / clock.fs).astype(np.int64)
    assert (clock.starts_ns[1:] >= clock.starts_ns[:-1] + lengths[:-1]).all()


def test_random_timestamps_raise():
    rng = np.random.default_rng(4)
    with pytest.raises(IrregularSamplingError):
        segment_and_fit(
            np.cumsum(rng.exponential(10 * MS, 5000)).astype(np.int64) + np.arange(5000)
        )


def test_no_timestamps_give_no_runs():
    assert len(TimestampSegmenter().close()) == 0


def test_overlapping_runs_are_delayed():
    starts = remove_overlaps(
        np.array([0, 9 * MS, 19 * MS, 50 * MS]), np.array([10, 10, 10, 5]), 1000.0
    )
    assert starts.tolist() == [0, 10 * MS, 20 * MS, 50 * MS]
