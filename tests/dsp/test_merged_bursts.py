"""Bursts that merge in the envelope."""

from __future__ import annotations

import numpy as np
import pytest

from twitchsense.dsp.merged_bursts import count_merged


@pytest.mark.parametrize(
    ("rate_hz", "depth", "merged"),
    [(16, 0.6, True), (11, 0.6, True), (16, 0.0, False), (5, 0.6, False)],
)
def test_merged_bursts_are_counted_by_their_rhythm(rate_hz, depth, merged):
    t = np.arange(100) / 200
    rng = np.random.default_rng(5)
    noise = np.sqrt(rng.chisquare(8, len(t)) / 8)  # the envelope of an interference pattern
    envelope = 100 * noise * (1 - depth * np.cos(2 * np.pi * rate_hz * t))
    count = count_merged(envelope, 200)
    assert count == pytest.approx(rate_hz / 2, abs=1) if merged else count == 1
