"""Things that are not muscle: contacts, static, chargers, radio; pets, partners, machines. Electrode layer in µV at
the fine rate; accelerations in g, shape (3, n), at the fine accelerometer rate."""
import numpy as np
from scipy.signal import butter, sosfilt

from .limb import direction


def contact_step(rng, fs, uv, ms):
    """A contact lets go: a step that creeps back by a power law (constant phase element), not an exponential."""
    tau = ms / 1000.0
    n = int(fs * min(6.0, 14 * tau + 0.05))
    t = np.arange(n) / fs
    power = rng.uniform(0.8, 2.2)
    x = (1 + t / tau) ** -power
    rise = 1 - np.exp(-t / rng.uniform(0.0002, 0.002))
    fade = np.clip((n - np.arange(n)) / (0.3 * n), 0, 1) ** 2
    return rng.choice([-1, 1]) * uv * x * rise * fade, "contact step"


def crackle(rng, fs, uv, ms):
    """Static of a blanket: a few very short discharges into skin and cable."""
    n = int(fs * (ms / 1000.0 + 0.03))
    t = np.arange(n) / fs
    x = np.zeros(n)
    for _ in range(int(rng.integers(1, 6))):
        start = rng.uniform(0, ms / 1000.0)
        tau = rng.uniform(0.0003, 0.003)
        u = t - start
        x += rng.normal() * np.where(u > 0, np.exp(-np.clip(u, 0, None) / tau), 0)
    return uv * x / (np.ptp(x) + 1e-9), "static crackle"


def switch_click(rng, fs, uv, ms):
    """A relay or thermostat: ringing of the wiring that dies away."""
    n = int(fs * ms / 1000.0 * 2.2) + 8
    t = np.arange(n) / fs
    tone = np.exp(rng.uniform(np.log(60), np.log(700)))
    x = np.exp(-t * 3000.0 / ms) * np.sin(2 * np.pi * tone * t + rng.uniform(0, 1))
    return uv * x / (np.ptp(x) + 1e-9), "switch click"


def touch(rng, fs, uv, ms, mains):
    """A hand on the band: slow hump and a spell of hum."""
    n = int(fs * ms / 1000.0)
    u = np.arange(n) / n
    t = np.arange(n) / fs
    x = np.sin(np.pi * u) ** 2 * rng.choice([-1, 1]) + rng.uniform(0.2, 0.7) * np.sin(2 * np.pi * mains * t) * np.sin(np.pi * u)
    return uv * x / (np.ptp(x) + 1e-9), "touch"


def slip(rng, fs, uv, seconds):
    """Band slipping by stick and slip: slow loading, sudden give, a saw of unequal teeth."""
    n = int(fs * seconds)
    x = np.zeros(n)
    load, limit = 0.0, rng.uniform(0.5, 1.0)
    speed = 1.0 / (rng.uniform(0.05, 0.3) * fs)
    for i in range(n):
        load += speed
        if load > limit:
            load *= rng.uniform(-0.3, 0.4)
            limit = rng.uniform(0.4, 1.2)
        x[i] = load
    edge = np.clip(np.minimum(np.arange(n), n - np.arange(n)) / (0.1 * fs), 0, 1)
    return uv * (x - x.mean()) * edge / (np.ptp(x) + 1e-9), "band slip"


def charger(rng, fs, uv, seconds):
    """Switch-mode charger in burst mode: packets of narrow pulses, a regular drum with a wandering rate."""
    n = int(fs * seconds)
    x = np.zeros(n)
    rate = rng.uniform(7, 45)
    when, sign = 0.0, rng.choice([-1, 1])
    while when < seconds - 0.02:
        start = int(when * fs)
        for k in range(int(rng.integers(1, 4))):
            place = start + int(k * 0.0012 * fs)
            if place < n:
                x[place] += sign * rng.uniform(0.7, 1)
        when += (1 + rng.normal(0, 0.08)) / rate
    return uv * x / (np.ptp(x) + 1e-9), "charger pulses"


def radio(rng, fs, uv, seconds):
    """A phone calling: frames at 217 Hz, rectified in the input stage, on and off in groups."""
    n = int(fs * seconds)
    t = np.arange(n) / fs
    frames = (np.mod(t * 216.7, 1.0) < 0.125).astype(float)
    gate = np.repeat((rng.random(int(seconds / 0.12) + 2) < 0.6), int(0.12 * fs))[:n]
    x = (frames - frames.mean()) * gate
    return uv * x / (np.ptp(x) + 1e-9), "phone radio"


def heart(rng, fs, uv, seconds):
    """Heart beats leaking into the leg lead; broad and small."""
    n = int(fs * seconds)
    x = np.zeros(n)
    t = np.arange(int(0.5 * fs)) / fs
    beat = np.exp(-((t - 0.1) / 0.009) ** 2) - 0.3 * np.exp(-((t - 0.125) / 0.012) ** 2) + 0.2 * np.exp(-((t - 0.35) / 0.05) ** 2)
    when = rng.uniform(0, 0.8)
    period = rng.uniform(0.8, 1.1)
    while when < seconds - 0.6:
        start = int(when * fs)
        x[start:start + beat.size] += beat
        when += period * (1 + 0.04 * np.sin(when * 1.6) + rng.normal(0, 0.02))
    return uv * x / 1.3, "heart beats"


def sweat_wave(rng, fs, uv, seconds):
    """Skin potential moving with sweating: slow, large, nothing fast."""
    n = int(fs * seconds)
    u = np.arange(n) / n
    return uv * np.sin(np.pi * u) ** 2 * np.sin(2 * np.pi * u * rng.uniform(0.5, 2) + rng.uniform(0, 6)), "sweat wave"


def gain_flutter(rng, fs, uv, seconds):
    """Loose contact: the free lead floats, hum and rumble swell up, often into the rail."""
    n = int(fs * seconds)
    t = np.arange(n) / fs
    open_lead = np.repeat(rng.random(int(seconds / 0.05) + 2) < 0.55, int(0.05 * fs))[:n]
    soft = np.convolve(open_lead, np.ones(int(0.008 * fs)) / int(0.008 * fs), "same")
    rumble = np.cumsum(rng.normal(0, 1, n))
    rumble -= np.linspace(rumble[0], rumble[-1], n)
    x = soft * (np.sin(2 * np.pi * 50.0 * t) + 0.8 * rumble / (np.abs(rumble).max() + 1e-9))
    edge = np.clip(np.minimum(np.arange(n), n - np.arange(n)) / (0.02 * fs), 0, 1)
    return uv * x * edge / (np.ptp(x) + 1e-9), "loose contact"


# ---- from outside, felt by the accelerometer only ----

def bump(rng, fs, g):
    """One knock against bed or band: a short push and a fast ring."""
    n = int(0.7 * fs)
    t = np.arange(n) / fs
    tone, fade = rng.uniform(12, 38), rng.uniform(0.012, 0.07)
    ring = np.exp(-t / fade) * np.sin(2 * np.pi * tone * t)
    push = np.exp(-((t - 0.03) / 0.015) ** 2)
    out = np.outer(direction(rng), ring) + rng.uniform(0, 0.5) * np.outer(direction(rng), push * (t > 0.002))
    return out * g / np.linalg.norm(out, axis=0).max(), "bump"


def steps(rng, fs, g, seconds, rate, name):
    """Feet of a cat, dog or person: irregular soft impacts through the mattress."""
    n = int((seconds + 1) * fs)
    out = np.zeros((3, n))
    when = 0.0
    while when < seconds:
        one, _ = bump(rng, fs, rng.uniform(0.3, 1.0))
        soft = sosfilt(butter(1, rng.uniform(5, 12), "low", fs=fs, output="sos"), one, axis=1)
        start = int(when * fs)
        stop = min(n, start + soft.shape[1])
        out[:, start:stop] += soft[:, :stop - start]
        when += rng.gamma(6, 1 / 6.0) / rate
    return out * g / np.linalg.norm(out, axis=0).max(), name


def shaking(rng, fs, g, seconds, rate, name, jitter=0.1):
    """Steady shaking (scratching dog, purring cat, partner's rocking foot) with a wandering rate."""
    n = int(seconds * fs)
    t = np.arange(n) / fs
    walk = np.interp(t, np.linspace(0, seconds, 12), np.cumsum(rng.normal(0, 2 * np.pi * jitter, 12)))
    phase = 2 * np.pi * rate * t + walk
    edge = np.clip(np.minimum(t, seconds - t) / 0.4, 0, 1)
    out = np.outer(direction(rng), np.sin(phase)) + 0.4 * np.outer(direction(rng), np.sin(2 * phase + 1))
    out = out * edge * (1 + 0.3 * np.sin(2 * np.pi * 0.7 * t))
    return out * g / np.linalg.norm(out, axis=0).max(), name


def machine(rng, fs, g, seconds):
    """Washing machine: a spin-up through the resonance of the floor, a plateau, a spin-down; beats."""
    n = int(seconds * fs)
    t = np.arange(n) / fs
    top = rng.uniform(12, 21)
    rate = top * np.clip(np.minimum(t / (0.3 * seconds), (seconds - t) / (0.25 * seconds)), 0, 1)
    phase = 2 * np.pi * np.cumsum(rate) / fs
    floor = rng.uniform(5, 11)
    response = (rate / floor) ** 2 / np.sqrt((1 - (rate / floor) ** 2) ** 2 + (0.25 * rate / floor) ** 2 + 1e-3)
    out = np.outer(direction(rng), response * np.sin(phase)) + 0.5 * np.outer(direction(rng), response * np.sin(2 * phase + 0.5))
    out = out * (1 + 0.4 * np.sin(2 * np.pi * 0.31 * t)) * np.clip(np.minimum(t, seconds - t) / 2, 0, 1)
    return out * g / np.linalg.norm(out, axis=0).max(), "washing machine"


def shove(rng, fs, g, seconds):
    """Partner turns over: slow irregular sway of the shared mattress."""
    n = int(seconds * fs)
    sway = sosfilt(butter(1, [0.6, 4.5], "band", fs=fs, output="sos"), rng.normal(0, 1, (3, n)), axis=1)
    u = np.arange(n) / n
    out = sway * np.sin(np.pi * u) ** 1.2
    return out * g / np.linalg.norm(out, axis=0).max(), "partner turns"


def jolt(rng, fs, g):
    """Hiccup or cough: a body jolt that reaches the leg through trunk and bed, soft and slow."""
    n = int(0.9 * fs)
    t = np.arange(n) / fs
    tone, fade = rng.uniform(4, 9), rng.uniform(0.06, 0.11)
    out = np.outer(direction(rng), np.exp(-t / fade) * np.sin(2 * np.pi * tone * t))
    out += 0.4 * np.outer(direction(rng), (t / fade) * np.exp(1 - t / fade) * np.cos(2 * np.pi * 0.7 * tone * t) * (1 - np.exp(-t / 0.01)))
    return out * g / np.linalg.norm(out, axis=0).max(), "jolt"
