"""How the leg and the worn sensor move. All return accelerations in g, shape (3, n), at rate fs."""
import numpy as np
from scipy.signal import butter, sosfiltfilt


def direction(rng):
    v = rng.normal(0, 1, 3)
    return v / np.linalg.norm(v)


def turn_matrix(axis, angle):
    """Rotation about an axis (Rodrigues)."""
    x, y, z = axis
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)


def above_half_hertz(acc, fs):
    """High-pass 0.5 Hz without delay; the ends are held so a lasting tilt makes no false edge."""
    pad = int(4 * fs)
    wide = np.concatenate([np.repeat(acc[:, :1], pad, 1), acc, np.repeat(acc[:, -1:], pad, 1)], axis=1)
    return sosfiltfilt(butter(2, 0.5, "high", fs=fs, output="sos"), wide, axis=1)[:, pad:-pad]


def peak_of(acc, fs):
    return float(np.linalg.norm(above_half_hertz(acc, fs), axis=0).max())


def _joint(rng, fs, n, pulls):
    """A joint on a mattress: spring that stiffens, viscous and dry friction, a strap that wobbles."""
    tc = rng.uniform(0.012, 0.04)
    t = np.arange(n) / fs
    force = np.zeros(n)
    for start, size in pulls:
        u = np.clip(t - start, 0, None) / tc
        force += size * u * np.exp(1 - u)
    w = 2 * np.pi * rng.uniform(1.6, 5.5)
    damp = rng.uniform(0.35, 0.9)
    stiff = rng.uniform(0, 2.0)
    dry = rng.uniform(0.0, 0.06)
    sw = 2 * np.pi * rng.uniform(9, 24)
    sd = rng.uniform(0.15, 0.5)
    share = rng.uniform(0.1, 0.8)
    a = v = s = sv = 0.0
    tang, wob, cent = np.zeros(n), np.zeros(n), np.zeros(n)
    dt = 1 / fs
    for i in range(n):
        acc = force[i] * 300 - w * w * a * (1 + stiff * a * a) - 2 * damp * w * v - dry * 300 * np.tanh(v * 4)
        v += acc * dt
        a += v * dt
        sacc = -sw * sw * s - 2 * sd * sw * sv - acc * share
        sv += sacc * dt
        s += sv * dt
        tang[i], wob[i], cent[i] = acc, sacc, v * v
    out = np.outer(direction(rng), tang) + np.outer(direction(rng), wob) * rng.uniform(0.3, 1)
    return out + np.outer(direction(rng), cent) * rng.uniform(0.02, 0.2) * np.abs(tang).max() / (np.abs(cent).max() + 1e-9)


def _packet(rng, fs, n, pulls):
    """A shear wave in soft tissue that spreads: fast waves first, three axes not in step."""
    t = np.arange(n) / fs
    out = np.zeros((3, n))
    for axis in range(3):
        top, low = rng.uniform(18, 40), rng.uniform(6, 12)
        lag, fade, size = rng.uniform(0, 0.006), rng.uniform(0.025, 0.11), rng.normal()
        turn = rng.uniform(0, 2 * np.pi)
        for start, strength in pulls:
            u = np.clip(t - start - lag, 0, None)
            phase = 2 * np.pi * (low * u + (top - low) * fade * (1 - np.exp(-u / fade)))
            out[axis] += size * strength * (np.sin(phase + turn) - np.sin(turn) * np.exp(-u / 0.01)) * np.exp(-u / fade) * (u > 0)
    return out


def _bed(rng, fs, n, pulls):
    """The thrust and the reaction of a sprung mattress after it."""
    t = np.arange(n) / fs
    w = 2 * np.pi * rng.uniform(4.5, 8.0)
    damp = rng.uniform(0.18, 0.35)
    thrust, swing = np.zeros(n), np.zeros(n)
    width = rng.uniform(0.018, 0.05)
    for start, size in pulls:
        u = t - start
        thrust += size * np.where((u > 0) & (u < 2 * width), np.sin(np.pi * np.clip(u, 0, 2 * width) / width), 0)
        late = np.clip(u - width, 0, None)
        swing += size * np.exp(-damp * w * late) * np.sin(w * late) * (late > 0)
    return np.outer(direction(rng), thrust) + rng.uniform(0.2, 0.6) * np.outer(direction(rng), swing)


def thrust(rng, fs, starts, sizes, g, kind=None):
    """Motion after one or several pulls at `starts` (s), with true peak `g` after the 0.5 Hz high-pass."""
    kind = kind or str(rng.choice(["joint", "packet", "bed"]))
    n = int((max(starts) + 2.6) * fs)
    out = {"joint": _joint, "packet": _packet, "bed": _bed}[kind](rng, fs, n, list(zip(starts, sizes)))
    fade = np.ones(n)
    tail = int(0.8 * fs)
    fade[-tail:] = 0.5 + 0.5 * np.cos(np.pi * np.arange(tail) / tail)
    out = out * fade
    return out * (g / peak_of(out, fs)), kind


def smooth_step(u):
    u = np.clip(u, 0, 1)
    return u ** 3 * (10 - 15 * u + 6 * u * u)


def flexion(rng, fs, seconds, gravity, degrees, radius):
    """The foot goes up and comes back: tilt of gravity plus arc acceleration; fast on the way up, slow back."""
    n = int((seconds + 1.2) * fs)
    t = np.arange(n) / fs
    up = max(0.12, 0.065 * np.sqrt(degrees), rng.uniform(0.2, 0.4) * min(seconds, 1.5))
    back = rng.uniform(0.35, 0.9)
    angle = np.radians(degrees) * (smooth_step(t / up) - smooth_step((t - seconds + 0.1) / back))
    tremor = rng.uniform(0.0, 0.003) * np.radians(degrees) * np.sin(2 * np.pi * rng.uniform(5, 9) * t) * (angle / (angle.max() + 1e-9))
    angle = angle + tremor
    axis = np.cross(gravity, direction(rng))
    axis = axis / np.linalg.norm(axis)
    across = np.cross(axis, gravity)
    tilt = np.outer(gravity, np.cos(angle) - 1) + np.outer(across, np.sin(angle))
    rate = np.gradient(angle, 1 / fs)
    arc = np.gradient(rate, 1 / fs) * radius / 9.81
    return tilt + np.outer(direction(rng), arc) + np.outer(direction(rng), rate ** 2 * radius / 9.81)


def roll(rng, fs, seconds, gravity, degrees, jostle):
    """Turning over: gravity moves to a new place by several pushes while the bed shakes. Returns path - gravity."""
    n = int((seconds + 1.0) * fs)
    t = np.arange(n) / fs
    pushes = np.sort(rng.uniform(0.0, max(0.1, seconds - 1.2), int(rng.integers(2, 5))))
    part = rng.dirichlet(np.full(pushes.size, 3.0))
    way = sum(p * smooth_step((t - s) / rng.uniform(0.6, 1.2)) for p, s in zip(part, pushes))
    axis = np.cross(gravity, direction(rng))
    axis = axis / np.linalg.norm(axis)
    across = np.cross(axis, gravity)
    angle = np.radians(degrees) * way
    path = np.outer(gravity, np.cos(angle) - 1) + np.outer(across, np.sin(angle))
    band = butter(1, [0.6, 6.0], "band", fs=fs, output="sos")
    shake = sosfiltfilt(band, rng.normal(0, 1, (3, n)), axis=1)
    busy = np.clip(np.minimum(t / 0.3, (seconds - t) / 0.5), 0, 1) * (0.35 + sum(np.exp(-((t - s - 0.5) / 0.6) ** 2) for s in pushes))
    shake = shake * busy
    return path + shake * jostle / (np.linalg.norm(shake, axis=0).max() + 1e-9)
