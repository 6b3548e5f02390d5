"""Templates fitted into a signal, and the baseline of a waveform."""

from __future__ import annotations

import numpy as np
import pytest

from twitchsense.dsp.template import Template, subtract_baseline


def test_line_through_the_ends_is_subtracted():
    x = np.linspace(5, -3, 100)
    # the levels are means of a few samples, the very ends keep theirs
    np.testing.assert_allclose(subtract_baseline(x)[5:-5], 0, atol=0.05)
    bump = x + 10 * np.hanning(100) ** 4
    assert np.ptp(subtract_baseline(bump)) == pytest.approx(10, rel=0.02)


@pytest.mark.parametrize(("shift", "height"), [(0, 1.0), (7, 0.5), (12.4, 2.0), (20, 1.0)])
def test_template_is_fitted_between_samples(shift, height):
    t = np.arange(60.0)
    wave = np.exp(-(((t - 30) / 6) ** 2))
    piece = height * np.exp(-(((np.arange(80.0) - 30 - shift) / 6) ** 2)) + 3 + 0.01 * np.arange(80)
    lag, size, explained = Template(wave).fit(piece)
    assert lag == pytest.approx(shift, abs=0.1)
    assert size == pytest.approx(height, rel=0.03)
    assert explained > 0.97


def test_zero_waveform_fits_nothing():
    assert Template(np.zeros(60)).fit(np.arange(80.0))[1:] == (0.0, 0.0)
