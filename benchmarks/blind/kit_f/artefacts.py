"""What is not muscle: pops, loose contacts, hum and radio bursts, knocks, cable swings.

A pop is a step of the half-cell potential (skin stretch, a drying gel bridge, static) that decays with the
electrode's own time constant; its size and length cover those of twitches.
"""

from __future__ import annotations

import numpy as np
from scipy import signal

from .limb import knock
from .records import Array
from .session import Draft, Session


def pop_wave(rng: np.random.Generator, fs: float, size: float) -> tuple[Array, str]:
    """One electrode pop (microvolts, peak to peak `size`) and its sort."""
    sort = str(rng.choice(["step_decay", "step_decay", "slip_biphasic", "static_spike", "slow_bump", "step_pair"]))
    t = np.arange(int(0.6 * fs)) / fs
    rise = np.exp(rng.uniform(np.log(0.0001), np.log(0.006)))
    tau = np.exp(rng.uniform(np.log(0.002), np.log(0.11)))
    if sort == "static_spike":
        tau, rise = rng.uniform(0.0004, 0.002), 0.0001
    wave = (1 - np.exp(-t / rise)) * np.exp(-t / tau)
    if sort == "slip_biphasic":
        second = rng.uniform(0.2, 0.9)
        lag = int(rng.uniform(0.002, 0.03) * fs)
        wave[lag:] -= second * 1.6 * ((1 - np.exp(-t / rise)) * np.exp(-t / (tau * rng.uniform(0.5, 2))))[:t.size - lag]
    elif sort == "slow_bump":
        w = rng.uniform(0.01, 0.09)
        wave = np.where(t < w, np.sin(np.pi * t / w)**2, 0) * (1 + 0.3 * np.sin(t / w * rng.uniform(2, 8)))
    elif sort == "step_pair":
        width = rng.uniform(0.005, 0.12)
        edge = (1 - np.exp(-t / rise)) * np.exp(-t / 0.25)
        wave = edge - np.where(t > width, np.interp(t - width, t, edge), 0)
    wave *= np.clip((t[-1] - t) / 0.1, 0, 1)
    return wave * (size / np.ptp(wave)) * rng.choice([-1, 1]), sort


def pop(s: Session, t: float, ch: int = 0) -> float:
    """Add a pop of 40 uV to 8 mV; return its end."""
    wave, sort = pop_wave(s.rng, s.fi, float(np.exp(s.rng.uniform(np.log(40), np.log(8000)))))
    s.add_emg(t, wave, ch, artefact=True)
    s.drafts.append(Draft("artefact", "pop_" + sort, t, wave, ch))
    return t + 0.6


def bump(s: Session, t: float, with_emg: bool | None = None) -> float:
    """Add a knock to the acceleration, at times with a slow transient in the EMG; return its end."""
    rng = s.rng
    size = float(np.exp(rng.uniform(np.log(0.06), np.log(2.5))))
    s.add_acc(t, knock(rng, s.fa, size))
    both = rng.random() < 0.5 if with_emg is None else with_emg
    wave = None
    if both and s.recorders:
        u = np.arange(int(0.7 * s.fi)) / s.fi
        f, tau = rng.uniform(3, 14), rng.uniform(0.05, 0.2)
        wave = np.sin(2 * np.pi * f * u) * np.exp(-u / tau) * np.exp(rng.uniform(np.log(20), np.log(900)))
        s.add_emg(t, wave, 0, artefact=True)
    s.drafts.append(Draft("artefact", "knock", t, wave, peak_g=size, duration=0.4,
                          note="with slow EMG transient" if wave is not None else "acceleration only"))
    return t + 0.9


def loose_contact(s: Session, t: float, ch: int = 0) -> float:
    """Add 0.1-3 s of a loose electrode: steps, hum picked up by the open lead, noise, at times to the rails."""
    rng, r = s.rng, s.recorders[ch]
    length = float(np.exp(rng.uniform(np.log(0.1), np.log(3.0))))
    n = int(length * s.fi)
    u = np.arange(n) / s.fi
    size = float(np.exp(rng.uniform(np.log(150), np.log(1.5 * r.rail_uv))))
    flips = np.repeat(rng.normal(0, 1, n // 8 + 1), 8)[:n] * (rng.random(n) < 0.02)
    steps = signal.lfilter([1], [1, -np.exp(-1 / (0.03 * s.fi))], flips)
    hum = np.sin(2 * np.pi * r.mains_hz * u + rng.uniform(0, 6.28)) + 0.3 * np.sin(6 * np.pi * r.mains_hz * u)
    wave = size * (0.5 * steps / (np.std(steps) + 1e-9) * 0.5 + 0.4 * hum * rng.random() + 0.1 * rng.standard_normal(n))
    tail = size * 0.4 * np.exp(-np.arange(int(0.3 * s.fi)) / s.fi / 0.06)
    wave = np.concatenate([wave, tail * np.sign(wave[-1])])
    s.add_emg(t, wave, ch, artefact=True)
    s.drafts.append(Draft("artefact", "loose_contact", t, wave, ch))
    return t + length + 0.5


def hum_burst(s: Session, t: float, ch: int = 0) -> float:
    """Add a burst of hum (a hand on the cable, a motor starting): 0.1-3 s; return its end."""
    rng, r = s.rng, s.recorders[ch]
    length = float(np.exp(rng.uniform(np.log(0.1), np.log(3.0))))
    u = np.arange(int(length * s.fi)) / s.fi
    size = float(np.exp(rng.uniform(np.log(25), np.log(800))))
    wave = sum(g * np.sin(2 * np.pi * r.mains_hz * k * u + rng.uniform(0, 6.28))
               for k, g in ((1, 1.0), (2, rng.random() * 0.3), (3, rng.random() * 0.6), (5, rng.random() * 0.3)))
    edge = rng.uniform(0.005, 0.1)
    wave = np.asarray(wave) * np.clip(u / edge, 0, 1) * np.clip((length - u) / edge, 0, 1)
    wave *= size / np.ptp(wave)
    s.add_emg(t, wave, ch, artefact=True)
    s.drafts.append(Draft("artefact", "hum_burst", t, wave, ch))
    return t + length


def radio_burst(s: Session, t: float, ch: int = 0) -> float:
    """Add a radio burst: rectified packets (GSM frames at 217 Hz, Wi-Fi beacons at 102 ms, Bluetooth at random)."""
    rng = s.rng
    length = float(rng.uniform(0.05, 2.5))
    n = int(length * s.fi)
    u = np.arange(n) / s.fi
    sort = str(rng.choice(["gsm", "beacon", "packets"]))
    if sort == "gsm":
        wave = (np.mod(u * 216.7, 1) < 0.125).astype(float) * (np.mod(u * 8.3, 1) < rng.uniform(0.4, 1.0))
    elif sort == "beacon":
        wave = (np.mod(u, 0.1024) < rng.uniform(0.0005, 0.004)).astype(float)
    else:
        wave = np.repeat((rng.random(n // 3 + 1) < 0.25).astype(float), 3)[:n]
    wave = wave - np.mean(wave)
    wave[0] += 1e-3
    wave *= float(np.exp(rng.uniform(np.log(30), np.log(600)))) / np.ptp(wave)
    s.add_emg(t, wave, ch, artefact=True)
    s.drafts.append(Draft("artefact", "radio_" + sort, t, wave, ch))
    return t + length


def cable_swing(s: Session, t: float, ch: int = 0) -> float:
    """Add the swing of a cable: 1-6 Hz, 50-1500 uV at the electrode, 1-4 s; return its end."""
    rng = s.rng
    length = float(rng.uniform(1, 4))
    u = np.arange(int(length * s.fi)) / s.fi
    f = rng.uniform(1, 6)
    wave = np.exp(rng.uniform(np.log(50), np.log(1500))) * np.sin(2 * np.pi * f * u) * np.exp(-u / rng.uniform(0.4, 1.5))
    wave *= np.clip(u / 0.05, 0, 1) * np.clip((length - u) / 0.3, 0, 1)
    s.add_emg(t, wave, ch, artefact=True)
    s.drafts.append(Draft("artefact", "cable_swing", t, wave, ch))
    return t + length
