"""Intervals between heart beats."""

from __future__ import annotations

import numpy as np
import pytest

from twitchsense.dsp.ecg_rhythm import median_rr_interval


@pytest.mark.parametrize(
    ("times", "interval_s"),
    [
        (np.arange(7) * 0.8, 0.8),
        (np.arange(6) * 0.8, 0.0),  # too few
        (np.arange(9) * 0.41, 0.41), (np.arange(9) * 0.39, 0.0),
        (np.arange(9) * 1.49, 1.49), (np.arange(9) * 1.51, 0.0),
        (np.delete(np.arange(12) * 0.8, [3, 7, 8]), 0.8),  # missed beats
        (np.cumsum([0, 1, 1.9, 0.6, 1.3, 2.2, 0.9, 0.7, 1.6]), 0.0),
    ],
)  # fmt: skip
def test_median_interval_of_a_rhythm(times, interval_s):
    assert median_rr_interval(np.asarray(times)) == pytest.approx(interval_s)
