"""Similarity of waveforms with their neighbours in time."""

from __future__ import annotations

import numpy as np
import pytest

from twitchsense.detect.rules import ecg_rejection
from twitchsense.detect.rules.ecg_rejection import NEIGHBOURS, WaveformSimilarity


def table(n=150):
    """Return waveforms of two sources in turn, a second apart, the second growing."""
    rng = np.random.default_rng(2)
    sources = rng.normal(size=(2, 64))
    shapes = sources[np.arange(n) % 2] + 0.3 * rng.normal(size=(n, 64))
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    sizes = np.where(np.arange(n) % 2, 50.0 + np.arange(n), 100.0)
    return WaveformSimilarity(shapes, np.arange(n, dtype=float), sizes, np.full(n, 0.03))


def test_similar_waveforms_are_found_within_the_time():
    found = table().similar_to(60, 5.0, min_correlation=0.75, max_ratio=1e9)
    assert found.tolist() == [56, 58, 60, 62, 64]
    assert table().similar_to(61, 9.0, min_correlation=0.75, max_ratio=1.05).tolist() == [
        57,
        59,
        61,
        63,
        65,
    ]


def test_number_of_compared_neighbours_is_limited():
    found = table().similar_to(75, 1e9, min_correlation=-2.0, max_ratio=1e9)
    assert found.tolist() == list(range(75 - NEIGHBOURS, 75 + NEIGHBOURS + 1))


@pytest.mark.parametrize("rows", [1, 7, 48, 149, 150])
def test_block_size_does_not_matter(rows, monkeypatch):
    whole = table()
    monkeypatch.setattr(ecg_rejection, "ROWS_PER_BLOCK", rows)
    again = table()
    for i in range(150):
        pair = (t.similar_to(i, 1e9, min_correlation=0.5, max_ratio=1e9) for t in (again, whole))
        np.testing.assert_array_equal(*pair)
