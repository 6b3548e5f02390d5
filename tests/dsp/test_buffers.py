"""Buffers and framing: the results do not depend on how the signal is cut into chunks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twitchsense.dsp.buffers import Framer, SampleBuffer, hop_size, moving_sum


@pytest.mark.parametrize("width", [0, 3])
@pytest.mark.parametrize("step", [1, 57, 2000])
def test_buffer_returns_what_was_not_discarded(step, width):
    rng = np.random.default_rng(step)
    whole = rng.normal(size=(6000, width) if width else 6000)
    buffer = SampleBuffer(np.float64, width)
    views: list[tuple[int, np.ndarray]] = []
    for first in range(0, len(whole), step):
        buffer.push(whole[first : first + step])
        stop = min(first + step, len(whole))
        assert buffer.stop == stop
        a, b = sorted(rng.integers(-10, stop + 10, 2).tolist())
        wanted = whole[max(a, buffer.start) : max(min(b, stop), 0)]
        assert np.array_equal(buffer.get(a, b), wanted)
        if len(wanted):
            views.append((max(a, buffer.start), buffer.get(a, b)))
        before = stop - int(rng.integers(0, 1500))
        kept = max(buffer.start, before)
        buffer.discard(before)
        assert buffer.start == kept
    for first, values in views:  # views returned earlier are unchanged
        assert np.array_equal(values, whole[first : first + len(values)])


def test_buffer_does_not_grow_with_the_signal():
    buffer = SampleBuffer(np.float32)
    for k in range(3000):
        buffer.push(np.zeros(57, np.float32))
        buffer.discard(57 * k - 1000)
    allocated = buffer.get(buffer.start, buffer.stop).base
    assert allocated is not None
    assert len(allocated) < 4 * 1057 + 600


def test_values_may_be_written_after_they_were_appended():
    buffer, whole = SampleBuffer(np.float64), np.arange(5000.0)
    for first in range(0, len(whole), 70):
        part = whole[first : first + 70]
        buffer.extend(len(part))[:] = part
        assert np.array_equal(buffer.get(first, first + 70), part)
    assert np.array_equal(buffer.get(0, 5000), whole)


@given(st.lists(st.integers(0, 100), max_size=9), st.integers(1, 13))
def test_frames_do_not_depend_on_the_chunks(cuts, size):
    x = np.arange(100.0)
    framer = Framer(size)
    parts = np.concatenate([framer.push(p) for p in np.split(x, sorted(cuts))])
    assert np.array_equal(parts, x[: 100 // size * size].reshape(-1, size))
    assert np.array_equal(framer.remainder, x[100 // size * size :])


def test_frames_of_vectors():
    framer = Framer(2)
    assert framer.push(np.ones((5, 3))).shape == (2, 2, 3)
    assert framer.push(np.ones((1, 3))).shape == (1, 2, 3)


@pytest.mark.parametrize(("step", "fs", "n"), [(0.005, 1000, 5), (0.005, 200, 1), (0.01, 25, 1)])
def test_hop_is_at_least_one_sample(step, fs, n):
    assert hop_size(step, fs) == n


def test_moving_sum():
    assert np.array_equal(moving_sum(np.arange(6.0), 3), [3, 6, 9, 12])
