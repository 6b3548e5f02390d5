"""A tail of a signal: what it keeps does not depend on how it came."""

from __future__ import annotations

import numpy as np
import pytest

from twitchsense.dsp.buffers import History


@pytest.mark.parametrize("width", [0, 3])
@pytest.mark.parametrize("step", [1, 57, 2000])
def test_it_keeps_what_was_not_forgotten(step, width):
    rng = np.random.default_rng(step)
    whole = rng.normal(size=(6000, width) if width else 6000)
    history = History(np.float64, width)
    looked: list[tuple[int, np.ndarray]] = []
    for first in range(0, len(whole), step):
        history.push(whole[first : first + step])
        stop = min(first + step, len(whole))
        assert history.stop == stop
        a, b = sorted(rng.integers(-10, stop + 10, 2).tolist())
        wanted = whole[max(a, history.first) : max(min(b, stop), 0)]
        assert np.array_equal(history.get(a, b), wanted)
        if len(wanted):
            looked.append((max(a, history.first), history.get(a, b)))
        before = stop - int(rng.integers(0, 1500))
        kept = max(history.first, before)
        history.forget(before)
        assert history.first == kept
    for first, values in looked:  # what was handed out stays as it was
        assert np.array_equal(values, whole[first : first + len(values)])


def test_it_does_not_grow_with_the_signal():
    history = History(np.float32)
    for k in range(3000):
        history.push(np.zeros(57, np.float32))
        history.forget(57 * k - 1000)
    assert len(history._values) < 4 * 1057 + 600
