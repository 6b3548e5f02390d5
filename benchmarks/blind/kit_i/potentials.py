"""Motor-unit potentials at the skin, from five mechanisms of their own.

Each is made on a bare grid, then stretched so that the part above 8 % of the
peak lasts as long as asked. All have peak-to-peak 1.
"""

import numpy as np
from scipy import signal

GRID = 1200
MECHANISMS = ("moving_discs", "fractional", "satellites", "fibre_shots", "standing")


def _discs(rng):
    """Charged discs (depolarised front, repolarised rear, slow tail) run from the
    end plate to both tendons; dipole-disc field, seen by an electrode pair."""
    t = np.linspace(0, 1, GRID)
    total = np.zeros(GRID)
    groups = rng.integers(2, 7)
    half = rng.uniform(0.15, 0.5)
    pair = rng.uniform(0.06, 0.5)
    place = rng.uniform(-0.6, 0.6)
    depth = 10 ** rng.uniform(-1.3, -0.4)
    rear = rng.uniform(0.03, 0.15)
    tail = rng.uniform(0.3, 1.0)
    weight = rng.uniform(0.2, 0.8)
    for _ in range(groups):
        start = rng.uniform(0.08, 0.25)
        speed = rng.uniform(0.9, 1.6)
        plate = rng.normal(0, 0.06)
        for way in (-1, 1):
            end = half * rng.uniform(0.8, 1.2) + plate * way
            for lag, q in ((0, 1.0), (rear, -1 - weight), (rear + rear * tail * 2, weight)):
                s = np.clip(speed * (t - start) - lag, 0, max(end, 0.05))
                z = plate + way * s
                live = (s > 0) * 1.0
                for e, sign in ((place - pair / 2, 1), (place + pair / 2, -1)):
                    d = (e - z) * way
                    total += sign * q * live * d / (d * d + depth**2) ** 1.5
    k = signal.windows.gaussian(61, rng.uniform(5, 14))
    return np.convolve(total - total[0], k / k.sum(), "same")


def _fractional(rng):
    """Fractional derivative (order 0.2-3.6) of a skewed charge pulse, with the
    dispersion of tissue as a fractional low-pass."""
    t = np.linspace(0, 1, GRID)
    shape = rng.uniform(2, 9)
    width = rng.uniform(0.02, 0.045)
    x = np.clip((t - 0.25) / width, 0, None)
    pulse = x**shape * np.exp(-x)
    order = rng.uniform(0.2, 3.6)
    w = 2j * np.pi * np.fft.rfftfreq(2 * GRID, 1 / GRID)
    spec = np.fft.rfft(pulse, 2 * GRID)
    part = np.where(np.abs(w) > 0, np.abs(w) ** order, 0) * np.exp(1j * np.pi / 2 * order)
    cole = 1 / (1 + (np.abs(w) / rng.uniform(30, 120)) ** rng.uniform(0.8, 2.0))
    y = np.fft.irfft(spec * part * cole, 2 * GRID)
    y = np.roll(y, GRID // 6)
    return y[:GRID]


def _shots(rng):
    """A few to many fibres arrive at scattered times (worn end plates, sprouts)."""
    t = np.linspace(0, 1, GRID)
    y = np.zeros(GRID)
    spread = rng.uniform(0.03, 0.16)
    skew = rng.gamma(2.0, 1.0, rng.integers(4, 30)) * spread / 2
    wide = rng.uniform(0.012, 0.035)
    for a in 0.25 + skew:
        u = (t - a) / (wide * rng.uniform(0.7, 1.4))
        y += rng.lognormal(0, 0.6) * (1 - 0.8 * u - u * u * 0.5) * np.exp(-u * u / 2)
    return y


def _standing(rng):
    """A source that does not travel: one quick hump and a long after-potential."""
    t = np.clip(np.linspace(-0.2, 0.8, GRID), 0, None)
    rise, fall = rng.uniform(0.01, 0.04), rng.uniform(0.02, 0.09)
    y = (1 - np.exp(-t / rise)) ** 2 * np.exp(-t / fall)
    slow = rng.uniform(0.08, 0.2)
    back = (t / slow) * np.exp(1 - t / slow)
    return y - rng.uniform(0, 0.45) * back


def _satellites(rng):
    main = _discs(rng) if rng.random() < 0.5 else _fractional(rng)
    main = main / np.ptp(main)
    y = np.zeros(2 * GRID)
    y[:GRID] += main
    for _ in range(rng.integers(1, 4)):
        part = _shots(rng) if rng.random() < 0.5 else _fractional(rng)
        at = rng.integers(GRID // 12, GRID // 2)
        y[at : at + GRID] += rng.uniform(0.1, 0.7) * part / np.ptp(part)
    return y


_MAKERS = {
    "moving_discs": _discs,
    "fractional": _fractional,
    "satellites": _satellites,
    "fibre_shots": _shots,
    "standing": _standing,
}


def phases_of(y):
    """Number of phases (parts of one sign beyond 12 % of the peak)."""
    big = y[np.abs(y) > 0.12 * np.max(np.abs(y))]
    return int(1 + np.sum(np.diff(np.sign(big)) != 0))


def shape(rng, mechanism=None, max_phases=5):
    """A bare potential: ends at zero, peak-to-peak 1, cut to its 8 % support."""
    for _ in range(30):
        name = mechanism or MECHANISMS[rng.integers(len(MECHANISMS))]
        y = _MAKERS[name](rng)
        peak = np.max(np.abs(y))
        if not np.isfinite(peak) or peak <= 0:
            continue
        on = np.flatnonzero(np.abs(y) > 0.08 * peak)
        a, b = on[0], on[-1] + 1
        if b - a < 12 or b >= len(y) - 2 or phases_of(y) > max_phases:
            continue
        side = max(4, (b - a) // 6)
        lo, hi = max(0, a - side), min(len(y), b + side)
        cut = y[lo:hi] * signal.windows.tukey(hi - lo, 0.2)
        if rng.random() < 0.5:
            cut = -cut
        return cut / np.ptp(cut), (b - a) / (hi - lo), name
    u = np.linspace(-3, 3, GRID)
    return -u * np.exp(-u * u / 2) / 1.213, 0.7, "plain"


def stretch(bare, part, seconds, fs):
    """Sample a bare potential so that its 8 % support lasts `seconds`."""
    n = max(4, int(round(seconds / part * fs)))
    pad = np.concatenate([np.zeros(2), bare, np.zeros(2)])
    y = np.interp(np.linspace(0, len(pad) - 1, n), np.arange(len(pad)), pad)
    return y


def unit(rng, seconds, fs, mechanism=None, max_phases=5):
    bare, part, name = shape(rng, mechanism, max_phases)
    y = stretch(bare, part, seconds, fs)
    return y, name, phases_of(bare)
