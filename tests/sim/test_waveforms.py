"""Noise-free waveforms: their spectra, sizes and the truth measured on them."""

import numpy as np
import pytest
from scipy import signal

from firmware_sim.emg import MotorUnit, MotorUnitPool, draw_burst, jerk_envelope, plateau_envelope
from firmware_sim.limb_motion import draw_motion, peak_dynamic, plan_gravity
from firmware_sim.schedule import EventKind, SimulatedEvent
from firmware_sim.time_grid import Waveform, add_templates, extent_above, peak_to_peak
from firmware_sim.truth import measure

MUSCLES = MotorUnitPool.draw(7, 2)
NAMES = ("emg1", "emg2")


def measured(event: SimulatedEvent):
    gravity = plan_gravity((event,), 1)
    burst = draw_burst(event, MUSCLES)
    motion = draw_motion(event, burst, gravity)
    return burst, motion, measure(event, burst, motion, gravity, NAMES)


@pytest.mark.parametrize("unit", [unit for pool in MUSCLES.units for unit in pool])
def test_unit_potentials_lie_in_the_muscle_band_and_last_8_to_30_ms(unit: MotorUnit) -> None:
    tau = np.arange(-0.1, 0.1, 1 / 4000)
    wave = unit.potential(tau)
    f, power = signal.periodogram(wave, 4000.0)
    assert 35.0 < f[np.argmax(power)] < 150.0
    assert power[(f >= 15) & (f <= 250)].sum() > 0.9 * power.sum()
    inside = tau[np.abs(wave) > 0.05 * np.abs(wave).max()]
    assert 0.006 < np.ptp(inside) < 0.030
    assert 0.7 < peak_to_peak(wave) < 1.4


def test_a_unit_keeps_its_waveform_from_firing_to_firing() -> None:
    first, second, other = (
        draw_burst(
            SimulatedEvent(EventKind.UNIT, 1.0, 0.015, 100.0, 0.002, seed=seed, unit=unit), MUSCLES
        )
        for seed, unit in ((1, 3), (2, 3), (3, 4))
    )
    same = np.corrcoef(first.emg.samples[:, 0], second.emg.samples[:, 0])[0, 1]
    different = np.corrcoef(first.emg.samples[:, 0], other.emg.samples[:, 0])[0, 1]
    assert same > 0.98
    assert abs(different) < same


@pytest.mark.parametrize(
    ("kind", "duration"),
    [
        (EventKind.UNIT, 0.015),
        (EventKind.CLUSTER, 0.08),
        (EventKind.JERK, 0.075),
        (EventKind.JERK, 0.25),
        (EventKind.CONTRACTION, 0.3),
        (EventKind.LEG_MOVEMENT, 2.5),
        (EventKind.POSTURE, 3.0),
    ],
)
def test_the_truth_equals_the_noise_free_waveform(kind: EventKind, duration: float) -> None:
    event = SimulatedEvent(kind, 10.0, duration, 400.0, 0.2, seed=5)
    burst, motion, row = measured(event)
    samples = burst.emg.samples[:, burst.best]
    assert row.amplitude_uv == pytest.approx(peak_to_peak(samples))
    assert row.amplitude_uv == pytest.approx(400.0)
    assert row.peak_g == pytest.approx(0.2, rel=1e-6)
    assert peak_dynamic(motion.samples) == pytest.approx(0.2, rel=1e-6)
    times = burst.emg.times()
    inside = (times >= row.onset) & (times <= row.onset + row.duration)
    # Nearly all energy lies between the true onset and end, and none long before it.
    assert np.sum(samples[inside] ** 2) > 0.97 * np.sum(samples**2)
    assert np.abs(samples[times < row.onset - 0.02]).max() < 0.1 * np.abs(samples).max()
    assert abs(row.onset - 10.0) < 0.05


@pytest.mark.parametrize("duration", [0.01, 0.05, 0.15, 0.5])
def test_the_staircase_is_exact(duration: float) -> None:
    burst, _, row = measured(SimulatedEvent(EventKind.STAIR, 2.0, duration, 30.0, 0.005, seed=3))
    first, last = extent_above(burst.envelope, 0.1)
    assert (last - first) / burst.emg.fs == pytest.approx(duration, abs=0.0006)
    assert row.onset == pytest.approx(2.0, abs=0.0006)
    assert row.duration == duration
    gate = burst.envelope > 0.5
    rms = np.sqrt(np.mean(burst.emg.samples[gate, 0] ** 2))
    assert 0.8 * 30.0 < rms <= 30.0 * 1.01


@pytest.mark.parametrize("duration", [0.075, 0.15, 0.25, 2.0])
def test_envelopes_have_the_requested_duration(duration: float) -> None:
    tau = np.arange(-0.5, duration + 1.0, 1e-4)
    for envelope in (
        jerk_envelope(tau, duration, 1.5),
        plateau_envelope(tau, duration, 0.2 * duration, 0.3 * duration),
    ):
        first, last = extent_above(envelope, 0.1)
        assert (last - first) * 1e-4 == pytest.approx(duration, abs=0.003)


def test_the_limb_moves_after_the_muscle() -> None:
    for seed in range(12):
        _, motion, row = measured(SimulatedEvent(EventKind.JERK, 5.0, 0.15, 900.0, 0.4, seed=seed))
        size = np.linalg.norm(motion.samples, axis=1)
        lag = motion.times()[np.argmax(size > 0.1 * size.max())] - row.onset
        assert 0.015 < lag < 0.07
        after = motion.times() > row.onset + 1.0
        assert size[after].max() < 0.03 * size.max()  # the swing is over within a second


def test_gravity_keeps_its_magnitude_and_turns_by_the_angle() -> None:
    event = SimulatedEvent(EventKind.POSTURE, 10.0, 3.0, 500.0, 0.3, seed=8, turn_deg=70.0)
    gravity = plan_gravity((event,), 4)
    vectors = gravity.at(np.linspace(0.0, 20.0, 500))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0)
    angle = np.degrees(np.arccos(np.dot(vectors[0], vectors[-1])))
    assert angle == pytest.approx(70.0, abs=0.01)


def test_a_waveform_does_not_depend_on_rate_or_blocks() -> None:
    t = np.arange(4000) / 4000.0
    wave = np.exp(-0.5 * ((t - 0.5) / 0.05) ** 2) * np.sin(2 * np.pi * 120 * t)
    snippet = Waveform(3.0, 4000.0, wave[:, None])
    times = np.arange(0, 5, 1 / 777.0)
    whole, parts = np.zeros((len(times), 1)), np.zeros((len(times), 1))
    snippet.add_to(whole, times)
    for piece in np.array_split(np.arange(len(times)), 7):
        part = parts[piece[0] : piece[-1] + 1]
        snippet.add_to(part, times[piece])
    assert np.array_equal(whole, parts)
    exact = np.exp(-0.5 * ((times - 3.5) / 0.05) ** 2) * np.sin(2 * np.pi * 120 * (times - 3.0))
    inside = (times > 3.01) & (times < 3.99)
    assert whole[inside, 0] == pytest.approx(exact[inside], abs=1e-4)


def test_templates_do_not_depend_on_block_edges() -> None:
    def shape(tau):
        return np.exp(-0.5 * (tau / 0.01) ** 2)

    centres, gains = np.array([0.2, 0.5, 0.9]), np.array([1.0, 2.0, 3.0])
    whole = np.zeros(1000)
    add_templates(whole, 0, 1000.0, centres, gains, shape, 0.05, 0.05)
    parts = np.zeros(1000)
    for first in range(0, 1000, 250):
        part = parts[first : first + 250]
        add_templates(part, first, 1000.0, centres, gains, shape, 0.05, 0.05)
    assert whole == pytest.approx(parts, abs=1e-12)
    assert whole[500] == pytest.approx(2.0)
