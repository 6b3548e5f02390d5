"""Things that are not the muscle; and coincidences of them with things that are."""

from __future__ import annotations

import numpy as np

from . import electrode as el
from .electrode import log_uniform
from .events import jerk, twitch
from .leg import FS as LEG_FS
from .leg import thud
from .motions import movement
from .scene import Scene


def pop(s: Scene, t: float, size: float = 0.0) -> float:
    """One electrode pop, 20 µV-50 mV."""
    size = size or log_uniform(s.rng, 25, 50000 if s.rng.random() < 0.2 else 5000)
    wave, form = el.pop(s.rng, s.fs, size)
    lead = int(s.rng.integers(s.leads))
    both = np.zeros((2, wave.size))
    both[lead] = wave
    if s.leads > 1 and s.rng.random() < 0.15:  # the shared reference pops
        both[:] = wave
    s.lay(t, both)
    on, length = s.span(s.rec.analogue(wave))
    s.row(t, "artefact", f"pop_{form}", wave, times=(t + on, length), note=f"lead {lead + 1}")
    return t + wave.size / s.fs


def pops(s: Scene, t: float) -> float:
    """A drying electrode: 2-9 pops within seconds."""
    size = log_uniform(s.rng, 40, 3000)
    for _ in range(int(s.rng.integers(2, 10))):
        if t > s.end - 4:
            break
        t = pop(s, t, size * s.rng.uniform(0.4, 2.0)) + s.rng.uniform(0.15, 4)
    return t


def hum_burst(s: Scene, t: float) -> float:
    """Mains for 0.03-3 s (somebody touches the bed, a lamp switches)."""
    rng = s.rng
    seconds, level = log_uniform(rng, 0.03, 3.0), log_uniform(rng, 15, 1500)
    x = np.arange(int(seconds * s.fs)) / s.fs
    edge = np.clip(np.minimum(x, x[-1] - x) / log_uniform(rng, 0.001, 0.1), 0, 1)
    y = np.sin(2 * np.pi * s.rec.mains * x + rng.uniform(0, 6))
    for k in (2, 3, 5):
        y += rng.uniform(0, 0.5) * np.sin(2 * np.pi * k * s.rec.mains * x + rng.uniform(0, 6))
    wave = level * y * edge
    s.lay(t, wave)
    s.row(t, "artefact", "hum_burst", wave, times=(t, seconds))
    return t + seconds


def radio(s: Scene, t: float) -> float:
    """Demodulated radio for 0.02-1.5 s."""
    seconds = log_uniform(s.rng, 0.02, 1.5)
    wave, name = el.radio(s.rng, s.fs, log_uniform(s.rng, 20, 600), seconds)
    s.lay(t, wave)
    s.row(t, "artefact", f"radio_{name}", wave, times=(t, seconds))
    return t + seconds


def loose(s: Scene, t: float) -> float:
    """Loose contact for 0.1-3 s."""
    seconds = log_uniform(s.rng, 0.1, 3.0)
    gain, wave = el.fading_contact(s.rng, s.fs, seconds, s.rec.mains)
    s.lay(t, wave)
    s.loose.append((int(round(t * s.fs)), gain))
    s.row(t, "artefact", "loose_contact", wave, times=(t + 0.03, seconds + 0.05))
    return t + seconds + 0.4


def cable(s: Scene, t: float) -> float:
    """Cable swing: 0.5-5 Hz, damped, with friction charges; rarely felt by the accelerometer."""
    rng = s.rng
    seconds, f, tau = rng.uniform(1, 6), rng.uniform(0.6, 5), rng.uniform(0.5, 2.5)
    x = np.arange(int(seconds * s.fs)) / s.fs
    y = np.sin(2 * np.pi * f * x) * np.exp(-x / tau) * (1 - np.exp(-x / 0.05)) * np.clip((seconds - x) / 0.3, 0, 1)
    rub = rng.normal(size=x.size) * np.abs(np.cos(2 * np.pi * f * x)) * np.exp(-x / tau) * np.clip(x / 0.05, 0, 1)
    size = log_uniform(rng, 60, 5000)
    wave = size * y + size * log_uniform(rng, 0.002, 0.03) * rub
    s.lay(t, wave)
    s.row(t, "artefact", "cable_swing", wave, times=(t, seconds))
    return t + seconds


def knock(s: Scene, t: float, g: float = 0.0) -> float:
    """A blow against strap, bed or floor; a third of them shake the electrodes too."""
    rng = s.rng
    g = g or log_uniform(rng, 0.03, 2.5)
    push = s.push(t, thud(rng, g))
    wave = None
    if s.rec.fs and rng.random() < 0.35:
        x = np.arange(int(0.6 * s.fs)) / s.fs
        f, tau = rng.uniform(3, 18), rng.uniform(0.03, 0.12)
        wave = log_uniform(rng, 20, 1500) * np.sin(2 * np.pi * f * x) * np.exp(-x / tau) * (1 - np.exp(-x / 0.006))
        wave *= np.clip((0.6 - x) / 0.1, 0, 1)
        s.lay(t, wave)
    s.row(t, "artefact", "knock" + ("_with_emg_shake" if wave is not None else ""), wave, times=(push.start, push.length), push=push)
    return t + 1.0


def passive(s: Scene, t: float) -> float:
    """The bed moves (partner turns): 0.5-4 s of acceleration without muscle; scored neither way."""
    rng = s.rng
    n = int(rng.uniform(0.5, 4) * LEG_FS)
    x = np.cumsum(rng.normal(size=(n, 3)), axis=0)
    x -= np.linspace(0, 1, n)[:, None] * x[-1]
    x *= np.hanning(n)[:, None]
    k = np.ones(20) / 20
    x = np.stack([np.convolve(c, k, "same") for c in x.T], 1)
    push = s.push(t, log_uniform(rng, 0.01, 0.15) * x / np.linalg.norm(x, axis=1).max())
    s.row(t, "unclear", "passive_movement", None, push=push, times=(push.start, push.length), note="acceleration without EMG")
    return t + n / LEG_FS


def knock_near_twitch(s: Scene, t: float) -> float:
    """Knock 0.3-2.5 s before or after a twitch; rarely on it (then nobody could say)."""
    rng = s.rng
    pp = log_uniform(rng, max(50, 10 * s.noise), 3000)
    if rng.random() < 0.15:
        twitch(s, t, pp)
        s.relabel("unclear", "knock on the twitch")
        knock(s, t + rng.uniform(-0.02, 0.12), log_uniform(rng, 0.1, 1.5))
        s.relabel("unclear", "on a twitch")
        return t + 1.2
    gap = rng.uniform(0.35, 2.5)
    if rng.random() < 0.5:
        twitch(s, t, pp, note=f"knock {gap:.2f} s later")
        return knock(s, t + gap, log_uniform(rng, 0.05, 1.5))
    knock(s, t, log_uniform(rng, 0.05, 1.5))
    return twitch(s, t + gap + 0.3, pp, note=f"knock {gap:.2f} s before")


def coincidence(s: Scene, t: float) -> float:
    """Events close together: twitch before a movement, twitch after a jerk, pop beside a twitch."""
    rng = s.rng
    pp = log_uniform(rng, max(50, 12 * s.noise), 3000)
    which = int(rng.integers(5))
    if which == 0:
        twitch(s, t, pp, "unit", note="before movement")
        return movement(s, t + rng.uniform(0.6, 1.5))
    if which == 1:
        stop = jerk(s, t, log_uniform(rng, 0.2, 2))
        return twitch(s, stop + rng.uniform(0.1, 0.8), pp, note="after jerk")
    if which == 2:
        twitch(s, t, pp, note="pop beside")
        return pop(s, t + rng.uniform(0.4, 1.2), pp * rng.uniform(0.5, 2))
    if which == 3:
        twitch(s, t, pp, "unit", note="pair")
        return twitch(s, t + rng.uniform(0.3, 0.7), pp * rng.uniform(0.3, 2), "unit", note="pair")
    stop = movement(s, t)
    return twitch(s, stop + rng.uniform(0.4, 1.2), pp, note="after movement")
