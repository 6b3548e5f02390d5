"""ActiGraph activity counts."""

from __future__ import annotations

import numpy as np
import pytest

from twitchsense.model.channels import NS, Channel, Chunk
from twitchsense.sleep.activity_counts import (
    BANDPASS_A,
    BANDPASS_B,
    ActivityCounter,
    ActivityCounts,
)


def counts_of(samples: np.ndarray, fs: float, cuts: list[int] | None = None) -> ActivityCounts:
    channel = Channel("acc", "acc", "g", fs, ("acc_x_g", "acc_y_g", "acc_z_g"))
    counter = ActivityCounter(channel)
    edges = [0, *(cuts or []), len(samples)]
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        counter.push(Chunk("acc", 0, a, samples[a:b].astype(np.float32)))
    return counter.close()


def swing(hz: float, g: float, fs: float, seconds: int = 60) -> np.ndarray:
    t = np.arange(round(seconds * fs)) / fs
    out = np.zeros((len(t), 3))
    out[:, 0] = g * np.sin(2 * np.pi * hz * t)
    out[:, 2] = 1.0
    return out


def test_counts_do_not_depend_on_the_chunks():
    rng = np.random.default_rng(4)
    samples = rng.normal(0, 0.2, (3017, 3)) + (0, 0, 1)
    whole = counts_of(samples, 97.3)
    for cuts in ([1], [5, 6, 7], sorted(rng.integers(1, 3017, 40).tolist())):
        got = counts_of(samples, 97.3, cuts)
        assert (got.counts == whole.counts).all()
        assert (got.time_ns == whole.time_ns).all()


@pytest.mark.parametrize("fs", [25.0, 31.25, 50.0, 100.0, 400.0])
def test_counts_hardly_depend_on_the_sampling_rate(fs):
    want = counts_of(swing(0.75, 0.5, 100.0), 100.0).counts[20:50].sum()
    assert counts_of(swing(0.75, 0.5, fs), fs).counts[20:50].sum() == pytest.approx(want, rel=0.06)


def test_counts_include_slow_swings_and_neither_gravity_nor_tremor():
    def per_second(hz: float, g: float) -> float:
        return float(counts_of(swing(hz, g, 100.0), 100.0).counts[20:50, 0].mean())

    assert per_second(0.75, 0.5) > 150
    assert per_second(0.0, 0.5) == 0
    assert per_second(8.0, 0.5) < 0.05 * per_second(0.75, 0.5)
    assert per_second(0.75, 0.02) == 0  # the dead band
    # the ceiling of 128 steps, 10 values a second: the swing is above it most of the time
    assert per_second(0.75, 50.0) == pytest.approx(1280, rel=0.1)


def test_counts_of_a_swing_follow_from_the_gain_of_the_filter():
    """The published band-pass, evaluated at the swing's frequency, rectified and summed."""
    hz, g = 0.75, 0.5
    z = np.exp(-2j * np.pi * hz / 30)
    gain = abs(np.polyval(BANDPASS_B[::-1], z) / np.polyval(BANDPASS_A[::-1], z))
    smooth = 1.0  # the low-pass at 9 Hz leaves 0.75 Hz alone
    peak = g * gain * smooth * 17.127404
    phase = np.arange(30 * 60) / 30
    steps = np.abs(peak * np.sin(2 * np.pi * hz * phase))
    steps = np.where(steps < 4, 0, np.minimum(steps, 128))
    want = np.floor(steps.reshape(-1, 3).mean(axis=1)).sum() / 60
    got = counts_of(swing(hz, g, 100.0), 100.0).counts[20:50, 0].mean()
    assert got == pytest.approx(want, rel=0.02)


def test_counts_restart_at_a_gap_and_drop_incomplete_seconds():
    channel = Channel("acc", "acc", "g", 100.0, ("acc_x_g", "acc_y_g", "acc_z_g"))
    counter = ActivityCounter(channel)
    samples = swing(0.75, 0.5, 100.0, 3).astype(np.float32)
    counter.push(Chunk("acc", 0, 0, samples[:250]))
    counter.push(Chunk("acc", 10 * NS, 0, samples))
    got = counter.close()
    assert got.time_ns.tolist() == [0, NS, 10 * NS, 11 * NS, 12 * NS][: len(got.time_ns)]
    assert ActivityCounter(channel).close().counts.shape == (0, 3)
