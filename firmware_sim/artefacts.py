"""Artefacts: signals that are not muscle, which a detector must reject."""

from __future__ import annotations

import numpy as np

from firmware_sim.emg import MotorUnitPool
from firmware_sim.schedule import EventKind, SimulatedEvent
from firmware_sim.time_grid import (
    ANALOG_EMG_HZ,
    ANALOG_LIMB_HZ,
    Floats,
    Waveform,
    add_templates,
    make_rng,
    peak_to_peak,
    raised_cosine,
)

#: Time (s) drawn before an artefact.
PAD_S = 0.05


def draw_emg_artefact(event: SimulatedEvent, channels: int) -> Waveform | None:
    """Return the EMG of a short artefact.

    Parameters
    ----------
    event : SimulatedEvent
    channels : int
        Number of EMG channels.

    Returns
    -------
    Waveform or None
        In µV, one column per channel; None if the artefact has no EMG.
    """
    rng = make_rng(event.seed, "artefact")
    tail = 3.0 if event.kind in {EventKind.STEP, EventKind.SATURATION} else 0.6
    count = int((2 * PAD_S + event.duration + tail) * ANALOG_EMG_HZ)
    tau = np.arange(count) / ANALOG_EMG_HZ - PAD_S
    sign = float(rng.choice([-1.0, 1.0]))
    match event.kind:
        case EventKind.POP:
            wave = _pop(tau, rng)
        case EventKind.CRACKLE:
            wave = _crackle(tau, event.duration, rng)
        case EventKind.STEP:
            # The half-cell potential jumps; the AC coupling of the amplifier makes it decay.
            rise = raised_cosine(tau / 0.003)
            wave = rise * np.exp(-np.maximum(tau, 0.0) / (0.2 + 0.3 * rng.random()))
            wave *= raised_cosine((event.duration + tail - 0.05 - tau) / 0.5)
        case EventKind.KNOCK:
            # The skin stretches under the electrode: a slow wave below the EMG band.
            f = rng.uniform(3.0, 7.0)
            wave = np.sin(2 * np.pi * f * tau) * np.exp(-np.maximum(tau, 0.0) / 0.15)
            wave = np.where(tau >= 0.0, wave * raised_cosine(tau / 0.08), 0.0)
        case EventKind.SATURATION:
            held = raised_cosine(tau / 0.02) * raised_cosine((event.duration - tau) / 0.05)
            wave = held * np.sin(2 * np.pi * rng.uniform(0.6, 1.5) * tau + rng.random())
        case _:
            return None
    emg = np.zeros((count, channels))
    emg[:, event.channel] = wave * (sign * event.amplitude_uv / peak_to_peak(wave))
    return Waveform(event.onset - PAD_S, ANALOG_EMG_HZ, emg)


def _pop(tau: Floats, rng: np.random.Generator) -> Floats:
    """Return an electrode pop: a jump with one or two exponential decays."""
    after = np.maximum(tau, 0.0)
    slow = np.exp(-after / rng.uniform(0.02, 0.09))
    fast = np.exp(-after / rng.uniform(0.002, 0.006))
    mixed: Floats = raised_cosine(tau / 0.0015) * (slow + rng.uniform(-0.8, 0.8) * fast)
    return np.where(mixed > 1e-4 * mixed.max(), mixed, 0.0)


def _crackle(tau: Floats, duration: float, rng: np.random.Generator) -> Floats:
    """Return the noise of a dry electrode: random short spikes."""
    wave = np.zeros_like(tau)
    count = max(int(rng.poisson(rng.uniform(15.0, 50.0) * duration)), 2)
    starts = rng.uniform(0.0, duration, count)
    heights = rng.standard_normal(count) * np.exp(0.6 * rng.standard_normal(count))
    decays = rng.uniform(0.0005, 0.004, count)
    for start, height, decay in zip(starts, heights, decays, strict=True):
        after = tau - start
        reach = (after >= 0.0) & (after < 12 * decay)
        wave[reach] += height * np.exp(-after[reach] / decay)
    return wave


def draw_acc_artefact(event: SimulatedEvent) -> Waveform | None:
    """Return the acceleration of a short artefact.

    Parameters
    ----------
    event : SimulatedEvent

    Returns
    -------
    Waveform or None
        In g, three axes; None if the artefact has no acceleration.
    """
    if event.kind not in {EventKind.BUMP, EventKind.KNOCK}:
        return None
    rng = make_rng(event.seed, "bump")
    tau = np.arange(int((2 * PAD_S + 1.2) * ANALOG_LIMB_HZ)) / ANALOG_LIMB_HZ - PAD_S
    axes = rng.standard_normal(3)
    axes /= np.linalg.norm(axes)
    # A bed frame rings at 6-18 Hz and is damped by the mattress. [E]
    f, decay = rng.uniform(6.0, 18.0), rng.uniform(0.05, 0.15)
    ring = np.sin(2 * np.pi * f * tau) * np.exp(-np.maximum(tau, 0.0) / decay)
    ring = np.where(tau >= 0.0, ring * raised_cosine(tau / 0.01), 0.0)
    ring *= event.peak_g / np.abs(ring).max()
    return Waveform(event.onset - PAD_S, ANALOG_LIMB_HZ, ring[:, None] * axes)


def _fade(event: SimulatedEvent, times: Floats, ramp_s: float) -> Floats:
    """Return 1 during a sustained artefact, with smooth ramps at its ends."""
    into = raised_cosine((times - event.onset) / ramp_s)
    return into * raised_cosine((event.end - times) / ramp_s)


def qrs_complex(tau: Floats) -> Floats:
    """Return one heart beat as a leg electrode records it.

    Parameters
    ----------
    tau : ndarray of float64, shape (n,)
        Time from the R wave, s.

    Returns
    -------
    ndarray of float64, shape (n,)
        The QRS complex is about 1 from peak to peak.
    """
    wave = np.zeros_like(tau)
    for height, centre, width in (
        (-0.08, -0.030, 0.010),
        (0.75, 0.0, 0.011),
        (-0.25, 0.028, 0.012),
        (0.12, 0.27, 0.045),
    ):
        wave += height * np.exp(-0.5 * ((tau - centre) / width) ** 2)
    return wave


def add_sustained_artefact(
    event: SimulatedEvent,
    target: Floats,
    first_index: int,
    fs: float,
    beats: Floats,
    muscles: MotorUnitPool,
) -> None:
    """Add a sustained artefact to a block of EMG channels, in place.

    It is a pure function of time and does not depend on the size of the blocks.

    Parameters
    ----------
    event : SimulatedEvent
    target : ndarray of float64, shape (n, channels)
        Block of EMG in µV, changed in place.
    first_index : int
        Index of the first sample of the block since the start of the recording.
    fs : float
        Sampling rate, Hz.
    beats : ndarray of float64, shape (beats,)
        Times of the heart beats, s.
    muscles : MotorUnitPool
        Motor units of the leg.
    """
    times = (first_index + np.arange(len(target))) / fs
    if times[-1] < event.onset or times[0] > event.end:
        return
    rng = make_rng(event.seed, "lasting")
    gains = np.where(np.arange(target.shape[1]) == event.channel, 1.0, rng.uniform(0.3, 0.9))
    wave = np.zeros(len(target))
    if event.kind is EventKind.ECG:
        wanted = beats[(beats >= event.onset) & (beats <= event.end)]
        breathing = 1.0 + 0.12 * np.sin(2 * np.pi * 0.25 * wanted)
        add_templates(wave, first_index, fs, wanted, breathing, qrs_complex, 0.1, 0.45)
    elif event.kind is EventKind.MAINS:
        # The mains frequency drifts by some mHz; a hand or a lamp changes the coupling.
        f = 50.0 + rng.uniform(-0.02, 0.02)
        phase = 2 * np.pi * f * times + 0.3 * np.sin(2 * np.pi * times / 19.0)
        for harmonic, share in ((1, 1.0), (2, 0.12), (3, 0.3), (5, 0.1)):
            strength = share * rng.uniform(0.5, 1.5) if harmonic > 1 else share
            wave += strength * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
        sway = 0.8 + 0.2 * np.sin(2 * np.pi * times / rng.uniform(11.0, 40.0))
        wave *= 0.5 * sway * _fade(event, times, 1.0)
    elif event.kind is EventKind.TONIC_UNIT:
        gains = np.where(gains == 1.0, 1.0, 0.15)
        rate = rng.uniform(6.0, 14.0)
        steps = rng.normal(1.0, 0.12, int(event.duration * rate * 1.3) + 5) / rate
        firings = event.onset + np.cumsum(np.maximum(steps, 0.03))
        firings = firings[firings < event.end]
        pool = muscles.units[event.channel]
        unit = pool[event.unit % len(pool)]
        add_templates(
            wave, first_index, fs, firings, np.ones_like(firings), unit.potential, 0.02, 0.03
        )
    else:
        for f in rng.uniform(0.05, 1.2, 6):
            wave += np.sin(2 * np.pi * (f * times + rng.random())) / 6.0
        wave *= _fade(event, times, 2.0)
    target += event.amplitude_uv * wave[:, None] * gains
