"""What is not muscle: each maker returns a bare trace with peak-to-peak 1."""

import numpy as np
from scipy import signal


def _done(y):
    top = np.ptp(y)
    return y / top if top > 0 else y


def pop(rng, fs, length):
    """Half-cell potential jumps and relaxes as a stretched exponential; may come
    as an avalanche of smaller jumps."""
    n = int(length * 6 * fs) + 8
    u = np.arange(n) / fs
    bend = rng.uniform(0.45, 1.3)
    y = np.exp(-((u / length) ** bend))
    for _ in range(rng.integers(0, 4)):
        k = rng.integers(0, max(1, int(length * 2 * fs)))
        y[k:] += rng.uniform(-0.7, 0.7) * np.exp(-((u[: n - k] / length) ** bend))
    y *= np.minimum(1, (n - np.arange(n)) / (0.1 * n))
    return _done(y * rng.choice([-1, 1]))


def sway(rng, fs, length):
    """Cable sway: charge rubbed off along a pendulum that is pushed at random."""
    n = int(length * fs)
    w = 2 * np.pi * rng.uniform(0.8, 6)
    k = np.exp(-w * rng.uniform(0.05, 0.3) / fs)
    push = rng.normal(0, 1, n) * (rng.random(n) < 6 / fs * 4)
    push[0] = 3
    y = signal.lfilter([1], [1, -2 * k * np.cos(w / fs), k * k], push)
    crackle = rng.standard_cauchy(n) * (rng.random(n) < 25 / fs)
    y = _done(y) + 0.15 * np.clip(crackle, -4, 4) * np.abs(_done(np.gradient(y)))
    return _done(y * signal.windows.tukey(n, 0.3))


def static(rng, fs, length):
    """Discharge: a spike of one sample or two, ringing of the input, recovery."""
    n = int(max(length, 0.002) * 5 * fs) + 6
    u = np.arange(n) / fs
    y = np.zeros(n)
    y[0] = rng.choice([-1, 1])
    if rng.random() < 0.5:
        y[1] = -y[0] * rng.uniform(0.3, 1)
    ring = np.sin(2 * np.pi * rng.uniform(250, 900) * u) * np.exp(-u / 0.0015)
    y += 0.5 * ring - rng.uniform(0.03, 0.3) * y[0] * np.exp(-u / length)
    return _done(y)


def radio(rng, fs, length):
    """A telephone or a radio near: rectified packets, regular (217 Hz, 100 Hz,
    50 Hz or 26 Hz), or clusters with random gaps."""
    n = int(length * fs) + 4
    y = np.zeros(n)
    rate = 0.0
    if rng.random() < 0.6:
        rate = float(rng.choice([217.0, 108.5, 50.0, 26.0]))
        every = 1 / rate
        on = every * rng.uniform(0.08, 0.3)
        u = np.arange(n) / fs
        y = ((u % every) < on) * 1.0
    else:
        k = 0
        while k < n:
            m = max(1, int(rng.uniform(0.0004, 0.004) * fs))
            y[k : k + m] = rng.uniform(0.5, 1)
            k += m + int(rng.exponential(0.006) * fs) + 1
    return _done(y * rng.choice([-1, 1])), rate


def mains_burst(rng, fs, length, mains):
    """A lamp dimmer, a motor or a heated blanket: phase-cut mains for a while."""
    n = int(length * fs) + 4
    u = np.arange(n) / fs
    p = (mains * u + rng.random()) % 1.0
    cut = rng.uniform(0.0, 0.42)
    y = np.sin(2 * np.pi * p) * ((p % 0.5) > cut)
    if rng.random() < 0.5:
        y *= np.exp(-u / (0.6 * length))
    else:
        y *= signal.windows.tukey(n, 0.1)
    if rng.random() < 0.4:
        y = np.gradient(y)
    return _done(y)


def stimulator(rng, fs, length):
    """Pulses of a nerve or pain stimulator, each with its electrode tail."""
    n = int(length * fs) + int(0.03 * fs)
    rate = rng.choice([2.0, 4.0, 10.0, 35.0, 80.0, 100.0])
    wide = max(1, int(rng.uniform(0.0002, 0.001) * fs))
    tail = np.exp(-np.arange(int(0.02 * fs)) / fs / rng.uniform(0.001, 0.006))
    one = np.concatenate([np.ones(wide), -rng.uniform(0.4, 1) * np.ones(wide)])
    one = np.concatenate([one, -rng.uniform(-0.3, 0.3) * tail])
    y = np.zeros(n + len(one))
    at, times = 0.0, []
    while at < length:
        k = int(at * fs)
        y[k : k + len(one)] += one
        times.append(at)
        at += 1 / rate
    return _done(y[:n]), times


def loose(rng, fs, length):
    """Loose contact: a random switch between touch and antenna."""
    n = int(length * fs) + 4
    y = np.zeros(n)
    drift = np.cumsum(rng.normal(0, 1, n))
    sos = signal.butter(1, [3, 300], "band", fs=fs, output="sos")
    drift = signal.sosfilt(sos, drift - drift[0])
    k, on = 0, True
    while k < n:
        m = int(rng.exponential(0.04 if on else 0.12) * fs) + 2
        if on:
            y[k : k + m] = rng.normal(0, 1.5) * drift.std() + drift[k : k + m]
        k += m
        on = not on
    return _done(y)


def muscle_alike(rng, fs, length):
    """A quick electrode bend that could be a twitch: smooth, 1-3 humps."""
    n = max(8, int(length * 1.3 * fs))
    u = np.linspace(-1, 1, n)
    y = np.zeros(n)
    for _ in range(rng.integers(1, 4)):
        y += rng.normal() * np.exp(-(((u - rng.uniform(-0.5, 0.5)) / rng.uniform(0.1, 0.4)) ** 2))
    return _done(y * signal.windows.tukey(n, 0.4))


def heart(rng, fs):
    """One heart beat at the leg (Q, R, S and T as humps)."""
    n = int(0.6 * fs)
    u = np.arange(n) / fs - 0.12
    y = np.zeros(n)
    for place, wide, tall in ((-0.025, 0.009, -0.15), (0, 0.011, 1.0), (0.028, 0.01, -0.3), (0.26, 0.05, 0.22)):
        y += tall * np.exp(-(((u - place) / wide) ** 2))
    return _done(y)
