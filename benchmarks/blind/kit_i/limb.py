"""Mechanics of the leg and of the sensor on it; all in g, (3, n) arrays."""

import numpy as np
from scipy import signal

MODES = ("modal", "whip", "landing")


def unit_vector(rng):
    v = rng.normal(0, 1, 3)
    return v / np.linalg.norm(v)


def _force(fs, n, at, seconds, contraction):
    """Force of one burst: the burst as a box through calcium (two equal lags)."""
    f = np.zeros(n)
    a = int(at * fs)
    f[a : a + max(1, int(seconds * fs))] = 1.0
    k = np.exp(-1 / (contraction * fs))
    return signal.lfilter([(1 - k) ** 2], [1, -2 * k, k * k], f)


def _mode(fs, f, hertz, damping):
    """Acceleration of a mass on a spring and a damper driven by the force."""
    w = 2 * np.pi * hertz
    b, a = signal.bilinear([1, 0, 0], [1, 2 * damping * w, w * w], fs)
    return signal.lfilter(b, a, f)


def kick(rng, fs, times, lengths, strengths, delay, mode=None, slow=1.0):
    """Jerk of the limb after bursts at `times` (s); largest vector length is 1.

    modal: limb on mattress, wobbling flesh and strap as three springs;
    whip: an unloaded foot whose swing runs up in rate and dies;
    landing: take-off, short flight and bounces of the heel.
    """
    mode = mode or MODES[rng.integers(3)]
    n = int((max(times) + max(lengths) + delay + 3.0) * fs)
    out = np.zeros((3, n))
    axes = [unit_vector(rng) for _ in range(3)]
    contraction = rng.uniform(0.006, 0.025) * slow
    hertz = (rng.uniform(2.5, 5) / slow, rng.uniform(7, 13) / slow, rng.uniform(16, 30) / slow)
    damping = (rng.uniform(0.5, 0.9), rng.uniform(0.25, 0.5), rng.uniform(0.15, 0.4))
    share = rng.dirichlet([1.2, 1.5, 1.0])
    flight, bounce = rng.uniform(0.05, 0.16), rng.uniform(0.2, 0.5)
    wide = rng.uniform(0.012, 0.035) * slow
    rate, decay = rng.uniform(5, 11) / slow, rng.uniform(0.03, 0.08)
    t = np.arange(n) / fs
    for at, length, big in zip(times, lengths, strengths):
        on = at + delay
        if mode == "modal":
            f = _force(fs, n, on, length, contraction)
            for h, d, s, ax in zip(hertz, damping, share, axes):
                out += big * s * ax[:, None] * _mode(fs, f, h, d)
        elif mode == "whip":
            u = np.clip(t - on, 0, None)
            y = (u / 0.01) ** 1.2 * np.exp(-u / decay)
            y = y * np.sin(2 * np.pi * rate * u * (1 + 1.5 * u))
            y /= max(np.abs(y).max(), 1e-12)
            out += big * (axes[0][:, None] * y + 0.4 * axes[1][:, None] * np.gradient(y) * fs / 60)
        else:
            y = np.zeros(n)
            where, size, gap = on, 1.0, flight
            for k in range(4):
                p = np.clip((t - where) / wide, 0, 1)
                y += size * (1 if k % 2 == 0 else -1) * np.sin(np.pi * p) ** 2
                where, size, gap = where + gap, size * (bounce if k else 0.9), gap * 0.7
            out += big * y * axes[0][:, None]
    top = np.sqrt((out**2).sum(0)).max()
    return out / max(top, 1e-12), mode


def lift(rng, fs, seconds, degrees, delay, up, shiver=0.0):
    """A limb segment turns by some degrees, is held, and comes back; rigid body:
    gravity turns in the sensor, plus tangential and centripetal acceleration."""
    n = int((seconds + delay + 2.0) * fs)
    t = np.arange(n) / fs - delay
    rise = min(rng.uniform(0.15, 0.6), 0.45 * seconds)
    fall = min(rng.uniform(0.2, 0.9), 0.5 * seconds)
    a = np.clip(t / rise, 0, 1)
    b = np.clip((t - (seconds - fall)) / fall, 0, 1)
    smooth = lambda p: p**3 * (10 - 15 * p + 6 * p * p)
    angle = np.radians(degrees) * (smooth(a) - smooth(b))
    if shiver:
        angle += np.radians(degrees) * shiver * np.sin(2 * np.pi * rng.uniform(1, 3) * t) * (a - b)
    return turn(rng, fs, angle, up)


def turn(rng, fs, angle, up, arm=None):
    """Dynamic acceleration of a sensor on an arm that turns by `angle(t)`."""
    arm = arm or rng.uniform(0.1, 0.32)
    side = np.cross(up, unit_vector(rng))
    side /= np.linalg.norm(side)
    far = np.cross(up, side)
    w = np.gradient(angle) * fs
    acc = np.gradient(w) * fs
    sos = signal.butter(2, 30, fs=fs, output="sos")
    acc = signal.sosfiltfilt(sos, acc)
    out = side[:, None] * (np.sin(angle) + arm * acc / 9.81)
    out += up[:, None] * (np.cos(angle) - 1)
    out -= far[:, None] * arm * w**2 / 9.81
    return out


def walk(rng, fs, seconds, up, cadence, vigour):
    """Shank of a walker: swing angle of each stride, heel strike and its ringing.
    Returns acceleration and the times of heel strikes."""
    n = int(seconds * fs)
    t = np.arange(n) / fs
    step = 1 / cadence
    strikes, at = [], 0.2
    while at < seconds - step:
        strikes.append(at)
        at += step * (1 + rng.normal(0, 0.03))
    phase = np.interp(t, strikes, np.arange(len(strikes)), left=0, right=len(strikes) - 1)
    fade = np.clip(t / 0.6, 0, 1) * np.clip((seconds - t) / 0.6, 0, 1)
    angle = np.radians(25 * vigour) * fade * (
        np.sin(2 * np.pi * phase) + 0.35 * np.sin(4 * np.pi * phase + 0.7)
    )
    out = turn(rng, fs, angle, up)
    ax = unit_vector(rng)
    ring, damp = rng.uniform(14, 28), rng.uniform(0.02, 0.05)
    m = int(0.25 * fs)
    u = np.arange(m) / fs
    hit = np.sin(2 * np.pi * ring * u) * np.exp(-u / damp)
    for s in strikes:
        i = int(s * fs)
        k = min(m, n - i)
        out[:, i : i + k] += vigour * rng.lognormal(0, 0.25) * 1.3 * ax[:, None] * hit[:k]
    return out, strikes


def thump(rng, fs, peak, soft=None):
    """A knock on the bed or the sensor: no muscle in it."""
    n = int(0.8 * fs)
    u = np.arange(n) / fs
    ring = soft or rng.uniform(9, 35)
    y = np.sin(2 * np.pi * ring * u) * np.exp(-u / rng.uniform(0.01, 0.07))
    y += rng.uniform(0, 0.6) * np.sin(2 * np.pi * ring * 0.37 * u) * np.exp(-u / 0.09)
    out = unit_vector(rng)[:, None] * y + 0.3 * unit_vector(rng)[:, None] * np.roll(y, int(0.004 * fs))
    out[:, : int(0.004 * fs)] *= 0.5
    return peak * out / np.sqrt((out**2).sum(0)).max()


def pose_path(n, fs, poses):
    """Gravity in the sensor: poses = [(time, seconds of turning, vector), ...]."""
    u = np.repeat(poses[0][2][:, None], n, 1).astype(float)
    for (t0, span, new), (_, _, old) in zip(poses[1:], poses[:-1]):
        a = int(t0 * fs)
        m = max(2, int(span * fs))
        p = np.linspace(0, 1, m)
        p = p * p * (3 - 2 * p)
        dot = np.clip(old @ new, -1, 1)
        whole = np.arccos(dot)
        if whole < 1e-6:
            continue
        arc = (np.sin((1 - p) * whole)[None] * old[:, None] + np.sin(p * whole)[None] * new[:, None])
        arc /= np.sin(whole)
        b = min(n, a + m)
        u[:, a:b] = arc[:, : b - a]
        u[:, b:] = new[:, None]
    return u


def rotated(rng, v, degrees):
    side = np.cross(v, unit_vector(rng))
    side /= np.linalg.norm(side)
    r = np.radians(degrees)
    return np.cos(r) * v + np.sin(r) * side
