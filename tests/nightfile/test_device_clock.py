"""Device ticks to UTC against a known crystal: drift, rate variation, outages, late frames."""

from __future__ import annotations

import numpy as np
import pytest

from tests.nightfile.builders import T0
from tests.nightfile.clock_builders import HZ, crystal, night
from twitchsense.nightfile import device_clock
from twitchsense.nightfile.device_clock import ArrivalTimes, fit_device_clock


@pytest.mark.parametrize("drift_ppm", [-100, 0, 100])
def test_rate_variation_and_outages_are_followed_within_5_ms(drift_ppm):
    outages = [(3000, 3010), (7000, 7600), (12000, 13200), (20000, 20300), (28000, 28100)]
    t, ticks, arrival = night(8, drift_ppm * 1e-6, 4.0, 3, outages)
    clock = fit_device_clock(ticks, arrival, HZ)
    everywhere = np.arange(1.0, 8 * 3600, 1.0)  # in the outages too: their frames come later
    true = T0 + np.rint(everywhere * 1e9).astype(np.int64)
    error = clock.to_utc(crystal(everywhere, drift_ppm * 1e-6, 4.0, 3 * 3600)) - true
    assert np.percentile(np.abs(error), 99) < 5e6
    mean_drift = (crystal(t[-1], drift_ppm * 1e-6, 4.0, 3 * 3600) / HZ / t[-1] - 1) * 1e6
    assert clock.drift_ppm == pytest.approx(mean_drift, abs=1.0)


@pytest.mark.parametrize("late_ms", [15, 25])
def test_late_frames_after_a_long_outage_do_not_bias_the_clock(late_ms):
    t, ticks, arrival = night(8, 80e-6, 4.0, 3, [(12000, 13200)])
    fetching = (t > 13200) & (t < 13320)
    clock = fit_device_clock(ticks, arrival + fetching * (late_ms * 1_000_000), HZ)
    everywhere = np.arange(1.0, 8 * 3600, 1.0)
    true = T0 + np.rint(everywhere * 1e9).astype(np.int64)
    error = np.abs(clock.to_utc(crystal(everywhere, 80e-6, 4.0, 3 * 3600)) - true)
    assert error.max() < 8e6
    assert np.percentile(error, 99) < 5e6


def test_drift_is_within_three_standard_errors():
    misses = 0
    for seed in range(20):
        _, ticks, arrival = night(2, 35e-6, 0.0, seed)
        clock = fit_device_clock(ticks, arrival, HZ)
        misses += abs(clock.drift_ppm - 35) > 3 * clock.drift_error_ppm
    assert misses <= 2


@pytest.mark.parametrize("seconds", [0.1, 2.0, 20.0, 120.0])
def test_few_frames_keep_to_the_nominal_rate(seconds):
    _, ticks, arrival = night(seconds / 3600, 0.0, 0.0, 1)
    clock = fit_device_clock(ticks, arrival, HZ)
    assert abs(clock.drift_ppm) < 60
    assert clock.drift_error_ppm <= 50
    error = clock.to_utc(ticks) - T0 - ticks / HZ * 1e9
    assert np.abs(error).max() < 60e6  # no better than a connection interval or two


def test_bursts_of_late_frames_do_not_bias_the_clock():
    t, ticks, arrival = night(2, 20e-6, 0.0, 9)
    clean = fit_device_clock(ticks, arrival, HZ)
    for start in (1000, 3000, 5000):
        burst = (t > start) & (t < start + 100)  # a fade: all come at its end
        arrival[burst] = T0 + round((start + 100.1) * 1e9)
    bent = fit_device_clock(ticks, arrival, HZ)
    assert np.abs(bent.to_utc(ticks) - clean.to_utc(ticks)).max() < 2e6
    assert bent.drift_ppm == pytest.approx(20, abs=0.5)


def test_the_order_of_frames_does_not_matter():
    _, ticks, arrival = night(0.5, 0.0, 0.0, 2)
    mixed = np.random.default_rng(0).permutation(len(ticks))
    one, two = (
        fit_device_clock(ticks, arrival, HZ),
        fit_device_clock(ticks[mixed], arrival[mixed], HZ),
    )
    assert np.array_equal(one.to_utc(ticks), two.to_utc(ticks))


@pytest.mark.parametrize("hours", [0.1, 3])
def test_discarding_unused_arrivals_gives_the_same_clock(hours, monkeypatch):
    monkeypatch.setattr(device_clock, "MAX_PENDING", 5000)
    _, ticks, arrival = night(hours, 40e-6, 4.0, 5, [(3000, 3600)])
    rng = np.random.default_rng(1)
    ticks[1:] += rng.integers(-3000, 3000, len(ticks) - 1)  # streams end between each other
    arrivals = ArrivalTimes(HZ)
    for first in range(0, len(ticks), 700):
        arrivals.push(ticks[first : first + 700], arrival[first : first + 700])
    assert len(arrivals) < min(len(ticks) + 1, 6500)
    whole, kept = fit_device_clock(ticks, arrival, HZ), arrivals.fit()
    assert [np.array_equal(a, b) for a, b in zip(whole.knots, kept.knots, strict=True)] == [1, 1]
    assert (kept.origin_tick, kept.origin_ns) == (whole.origin_tick, whole.origin_ns)
    assert (kept.slope, kept.drift_error_ppm) == (whole.slope, whole.drift_error_ppm)


@pytest.mark.parametrize("interval_ms", [5, 7.5])
@pytest.mark.parametrize("minutes", [1, 2.5, 5, 20])
@pytest.mark.parametrize("seed", [1, 2])
def test_deliveries_at_an_interval_keep_within_the_stated_error(interval_ms, minutes, seed):
    """A crystal slips against the intervals, which looks like another drift in a short run."""
    rng = np.random.default_rng(seed)
    ticks = np.arange(0, int(minutes * 60 * 10)) * 3277
    true_s = ticks / HZ / (1 + 25e-6)
    ready_s = true_s + rng.exponential(0.01, len(true_s)) * (rng.random(len(true_s)) < 0.5)
    arrival_s = np.ceil(ready_s / (interval_ms / 1e3)) * (interval_ms / 1e3)
    clock = fit_device_clock(ticks, T0 + np.rint(arrival_s * 1e9).astype(np.int64), HZ)
    least_delay_s = (arrival_s - true_s).min()
    error_s = (clock.to_utc(ticks) - T0) / 1e9 - true_s - least_delay_s
    assert np.abs(error_s).max() < clock.error_s
    assert clock.error_s < 0.02
