"""Surface EMG of muscle events, in microvolts at the electrodes, without any noise.

Each single unit has its own waveform, which recurs at each firing; larger bursts are
noise with the spectrum of muscle under a smooth envelope (the amplitude-modulated
Gaussian model of interference EMG; Hogan & Mann 1980, from memory).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

from firmware_sim.schedule import EventKind, SimulatedEvent
from firmware_sim.time_grid import (
    ANALOG_EMG_HZ,
    Floats,
    Waveform,
    make_rng,
    moving_rms,
    peak_to_peak,
    raised_cosine,
)

#: Rate of the grid, Hz.
FS = ANALOG_EMG_HZ
#: Zero signal (s) before and after every event, so that filters start and end at rest.
PAD_S = 0.06
#: Width (s) of the moving RMS on which onset and end of a motor unit potential are measured.
#: It is short relative to the potential, which it hardly lengthens; a burst is measured on its
#: modulating envelope.
ENVELOPE_S = 0.005
#: Maximum time (s) from onset to peak of a jerk (docs/definitions.md, Jerks, allows 100 ms).
JERK_RISE_S = 0.085


@dataclass(frozen=True, slots=True)
class MotorUnit:
    """The waveform of one motor unit recorded by a bipolar surface electrode.

    Derivatives of a Gaussian model the propagating tripole: the first derivative is the
    biphasic, the second the triphasic potential.  A late, small, slow wave models the
    non-propagating end-of-fibre effect.  Spectra peak between about 45 and 130 Hz, and
    potentials last 8-25 ms (docs/definitions.md, Twitches).

    Attributes
    ----------
    sigma_s : float
        Standard deviation of the Gaussian, s.
    triphasic : float
        Share of the triphasic potential, 0 to 1.
    tail, tail_delay_s : float
        Relative amplitude and delay (s) of the late wave.
    polarity : float
        Sign of the waveform, 1 or -1.
    crosstalk, crosstalk_delay_s : float
        Relative amplitude and delay (s) in the other channel.
    """

    sigma_s: float
    triphasic: float
    tail: float
    tail_delay_s: float
    polarity: float
    crosstalk: float
    crosstalk_delay_s: float

    def potential(self, tau: Floats, width: float = 1.0) -> Floats:
        """Return the potential, about 1 from peak to peak.

        Parameters
        ----------
        tau : ndarray of float64, shape (n,)
            Time from the centre of the potential, s.
        width : float
            Factor on the duration.

        Returns
        -------
        ndarray of float64, shape (n,)
        """
        x = tau / (self.sigma_s * width)
        bell = np.exp(-0.5 * x**2)
        biphasic = -x * bell * (0.5 * np.e**0.5)  # peak to peak 1
        triphasic = (1.0 - x**2) * bell * 0.69  # peak to peak 1
        late = (tau - self.tail_delay_s) / (2.2 * self.sigma_s * width)
        end = -self.tail * late * np.exp(-0.5 * late**2)
        mixed: Floats = self.polarity * (
            self.triphasic * triphasic + (1.0 - self.triphasic) * biphasic + end
        )
        return mixed


def draw_unit(rng: np.random.Generator) -> MotorUnit:
    """Return a motor unit with a random shape."""
    triphasic = float(rng.choice([rng.uniform(0.0, 0.3), rng.uniform(0.6, 1.0)]))
    return MotorUnit(
        # The second derivative has higher frequencies; a wider Gaussian keeps both in the band.
        sigma_s=float(rng.uniform(0.0015, 0.0026)) * (1.0 + 0.3 * triphasic),
        triphasic=triphasic,
        tail=float(rng.uniform(0.0, 0.12)),
        tail_delay_s=float(rng.uniform(0.004, 0.007)),
        polarity=float(rng.choice([-1.0, 1.0])),
        crosstalk=float(rng.uniform(0.05, 0.35)),
        crosstalk_delay_s=float(rng.uniform(0.0, 0.003)),
    )


@dataclass(frozen=True, slots=True)
class MotorUnitPool:
    """The motor units of one leg, per channel, and the number of EMG channels."""

    channels: int
    units: tuple[tuple[MotorUnit, ...], ...]

    @classmethod
    def draw(cls, seed: int, channels: int, per_channel: int = 14) -> MotorUnitPool:
        """Return the random motor units of one subject."""
        rng = make_rng(seed, "units")
        pools = [tuple(draw_unit(rng) for _ in range(per_channel)) for _ in range(2)]
        return cls(channels, tuple(pools[:channels]))


@dataclass(frozen=True, slots=True)
class MuscleBurst:
    """The EMG of one event.

    Attributes
    ----------
    emg : Waveform
        In µV, one column per channel.
    envelope : ndarray of float64, shape (n,)
        Noise-free RMS envelope on the same grid: the modulating envelope of a burst, the
        5-ms RMS of the waveform for unit potentials.  It defines the true onset and end
        (10 % of its maximum) and drives the limb.
    best : int
        Index of the channel with the largest signal.
    """

    emg: Waveform
    envelope: Floats
    best: int


def muscle_noise(count: int, rng: np.random.Generator, fs: float = FS) -> Floats:
    """Return Gaussian noise of unit RMS with the power spectrum of surface EMG.

    Shwedyk, Balasubramanian & Scott 1977 (from memory):
    P(f) = f_h^4 f^2 / ((f^2 + f_l^2)(f^2 + f_h^2)^2), here with random corners near
    40 and 110 Hz, which gives a median frequency of 80-110 Hz as in tibialis anterior.

    Parameters
    ----------
    count : int
        Number of samples.
    rng : numpy.random.Generator
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    ndarray of float64, shape (count,)
    """
    low, high = rng.uniform(30.0, 55.0), rng.uniform(90.0, 140.0)
    size = fft.next_fast_len(count + 64, real=True)
    f = fft.rfftfreq(size, 1.0 / fs)
    gain = f / np.sqrt(f**2 + low**2) / (f**2 + high**2)
    gain *= 1.0 / (1.0 + (f / 420.0) ** 8)  # prevents aliasing
    shaped = fft.irfft(fft.rfft(rng.standard_normal(size)) * gain, size)
    unit: Floats = shaped[:count] / np.std(shaped)
    return unit


def flat_noise(count: int, rng: np.random.Generator, low: float, high: float) -> Floats:
    """Return Gaussian noise of unit RMS, with a flat spectrum from `low` to `high` (Hz)."""
    size = fft.next_fast_len(count + 64, real=True)
    f = fft.rfftfreq(size, 1.0 / FS)
    spectrum = fft.rfft(rng.standard_normal(size)) * ((f >= low) & (f <= high))
    shaped = fft.irfft(spectrum, size)
    unit: Floats = shaped[:count] / np.std(shaped)
    return unit


def jerk_envelope(tau: Floats, duration: float, sharpness: float) -> Floats:
    """Return a fast-rising, slower-falling envelope whose 10 % points are `duration` apart.

    The shape is that of a gamma function, (x e^(1-x))^k: a sleep start begins synchronously
    and reaches its peak in the first third.

    Parameters
    ----------
    tau : ndarray of float64, shape (n,)
        Time from the first 10 % point, s.
    duration : float
        Time between the 10 % points, s.
    sharpness : float
        Exponent k.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    grid = np.linspace(1e-4, 12.0, 12_000)
    shape = (grid * np.exp(1.0 - grid)) ** sharpness
    above = grid[shape >= 0.1]
    start, stop = above[0], above[-1]
    x = start + tau / duration * (stop - start)
    x = np.maximum(x, 0.0)
    envelope: Floats = (x * np.exp(1.0 - x)) ** sharpness
    return np.where(envelope < 1e-3, 0.0, envelope)


def plateau_envelope(tau: Floats, duration: float, rise_s: float, fall_s: float) -> Floats:
    """Return a plateau with smooth flanks whose 10 % points are `duration` apart."""
    # A raised cosine passes 10 % at 0.2048 of its length.
    lead, lag = 0.2048 * rise_s, 0.2048 * fall_s
    up = raised_cosine((tau + lead) / rise_s)
    down = raised_cosine((duration + lag - tau) / fall_s)
    return up * down


def train_envelope(event: SimulatedEvent, tau: Floats, rng: np.random.Generator) -> Floats:
    """Return the envelope of regular bursts, whose period and size vary by some per cent."""
    period = 1.0 / event.rate_hz
    count = max(int((event.duration - event.burst_s) * event.rate_hz + 1e-9) + 1, 1)
    starts = period * (np.arange(count) + 0.06 * rng.standard_normal(count))
    starts += -starts[0]
    heights = np.exp(0.12 * rng.standard_normal(count))
    ramp = 0.35 * event.burst_s
    total = np.zeros_like(tau)
    for start, height in zip(starts, heights, strict=True):
        total = np.maximum(total, height * plateau_envelope(tau - start, event.burst_s, ramp, ramp))
    return np.asarray(total / total.max())


def slow_modulation(tau: Floats, rng: np.random.Generator, depth: float) -> Floats:
    """Return a slow positive random modulation around 1 (a few Hz)."""
    total = np.zeros_like(tau)
    for f in rng.uniform(0.3, 4.0, 5):
        total += np.sin(2.0 * np.pi * (f * tau + rng.random()))
    modulation: Floats = np.exp(depth * total / 1.6)
    return modulation


def _firings(
    event: SimulatedEvent, muscles: MotorUnitPool, rng: np.random.Generator, tau: Floats
) -> Floats:
    """Return both channels of single-unit and few-unit twitches."""
    pool = muscles.units[event.channel]
    out = np.zeros((len(tau), muscles.channels))
    if event.kind is EventKind.UNIT:
        unit = pool[event.unit % len(pool)]
        # The first visible part of a potential lies about 2.5 sigma before its centre.
        first = 2.5 * unit.sigma_s
        firings = [(unit, first, 1.0)]
        if event.doublet_interval_s:
            firings.append((unit, first + event.doublet_interval_s, float(rng.uniform(0.7, 1.05))))
    else:
        count = max(3, round(event.duration / 0.012))
        times = np.sort(rng.uniform(0.006, max(event.duration - 0.008, 0.012), count))
        heights = rng.uniform(0.3, 1.0, count)
        chosen = rng.integers(len(pool), size=count)
        firings = [
            (pool[int(which)], float(at), float(height))
            for which, at, height in zip(chosen, times, heights, strict=True)
        ]
    for unit, at, height in firings:
        width = 1.0 + 0.015 * rng.standard_normal()  # nearly the same waveform
        height *= 1.0 + 0.03 * rng.standard_normal()
        for channel in range(muscles.channels):
            own = channel == event.channel
            gain = 1.0 if own else unit.crosstalk
            delay = 0.0 if own else unit.crosstalk_delay_s
            out[:, channel] += height * gain * unit.potential(tau - at - delay, width)
    return out


def _envelope_of(event: SimulatedEvent, tau: Floats, rng: np.random.Generator) -> Floats:
    """Return the modulating envelope of a noise burst, 1 at its largest."""
    d = event.duration
    if event.kind is EventKind.JERK:
        return jerk_envelope(tau, d, float(rng.uniform(1.0, 2.0)))
    if event.kind is EventKind.STAIR:
        ramp = min(0.003, 0.25 * d)
        return plateau_envelope(tau, d, ramp, ramp)
    if event.kind is EventKind.TRAIN:
        return train_envelope(event, tau, rng)
    if event.kind is EventKind.HICCUP:
        return plateau_envelope(tau, d, 0.3 * d, 0.4 * d)
    if event.kind is EventKind.CONTRACTION:
        return plateau_envelope(tau, d, 0.25 * d, 0.35 * d)
    if event.kind is EventKind.WALK:
        stride = float(rng.uniform(0.95, 1.2))
        phase = (tau / stride + 0.06 * np.sin(2 * np.pi * tau / 7.3)) % 1.0
        steps = np.exp(-0.5 * ((phase - 0.3) / 0.1) ** 2)
        steps += 0.6 * np.exp(-0.5 * ((phase - 0.75) / 0.08) ** 2)
        shape = (0.12 + steps) * plateau_envelope(tau, d, 0.4, 0.6)
        return np.asarray(shape / shape.max())
    depth = 0.25 if event.kind is EventKind.LEG_MOVEMENT else 0.55
    rise = float(rng.uniform(0.08, 0.3)) if d > 0.9 else 0.15 * d
    fall = float(rng.uniform(0.15, 0.5)) if d > 1.2 else 0.2 * d
    shape = plateau_envelope(tau, d, rise, fall) * slow_modulation(tau, rng, depth)
    if event.kind is EventKind.LEG_MOVEMENT and rng.random() < 0.3:
        # Some periodic movements begin with a brief myoclonic component. [E]
        shape *= 1.0 + 1.2 * np.exp(-0.5 * ((tau - 0.12) / 0.05) ** 2)
    return np.asarray(shape / shape.max())


def _synchronous(envelope: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Return muscle noise that makes a burst strongest early, as a synchronous volley is.

    If the largest peak is late by chance, other noise is generated, at most 20 times.
    """
    start = int(np.argmax(envelope > 0.0))
    own = muscle_noise(count, rng)
    for _ in range(20):
        peak = int(np.argmax(moving_rms(envelope * own, int(0.010 * FS) | 1)))
        if peak - start < JERK_RISE_S * FS:
            break
        own = muscle_noise(count, rng)
    return own


def draw_burst(event: SimulatedEvent, muscles: MotorUnitPool) -> MuscleBurst:
    """Return the EMG of a muscle event.

    Parameters
    ----------
    event : SimulatedEvent
    muscles : MotorUnitPool
        Motor units of the leg.

    Returns
    -------
    MuscleBurst
    """
    rng = make_rng(event.seed, "emg")
    tail = 0.05 + (0.6 if event.kind in {EventKind.JERK, EventKind.LEG_MOVEMENT} else 0.0)
    if event.kind is EventKind.JERK:
        tail += event.duration  # the gamma shape falls slowly below its 10 % point
    count = int((2.0 * PAD_S + event.duration + tail) * FS)
    tau = np.arange(count) / FS - PAD_S
    if event.kind in {EventKind.UNIT, EventKind.CLUSTER}:
        emg = _firings(event, muscles, rng, tau)
        envelope = moving_rms(emg[:, event.channel], int(ENVELOPE_S * FS) | 1)
    else:
        envelope = _envelope_of(event, tau, rng)
        if event.kind is EventKind.STAIR:
            own = flat_noise(count, rng, 20.0, 400.0)
            inside = envelope > 0.5
            own /= np.sqrt(np.mean(own[inside] ** 2))  # this burst has its nominal RMS
        elif event.kind is EventKind.JERK:
            own = _synchronous(envelope, count, rng)
        else:
            own = muscle_noise(count, rng)
        emg = np.empty((count, muscles.channels))
        # Neighbouring muscles contract in large movements; small ones are crosstalk only. [E]
        share = rng.uniform(0.35, 0.9) if event.kind is not EventKind.STAIR else 0.2
        leak = rng.uniform(0.1, 0.3)
        for channel in range(muscles.channels):
            if channel == event.channel:
                emg[:, channel] = envelope * own
            else:
                other = muscle_noise(count, rng)
                shift = int(rng.uniform(0.0005, 0.003) * FS)
                copy = np.roll(own, shift)
                emg[:, channel] = envelope * (leak * copy + share * 0.8 * other)
    if event.kind is not EventKind.STAIR:
        emg *= event.amplitude_uv / peak_to_peak(emg[:, event.channel])
    else:
        emg *= event.amplitude_uv
    heights = [peak_to_peak(emg[:, channel]) for channel in range(muscles.channels)]
    return MuscleBurst(Waveform(event.onset - PAD_S, FS, emg), envelope, int(np.argmax(heights)))
