"""Motor units under an electrode pair.

Each fibre carries Rosenfalck's action potential V(w) = 96 w^3 exp(-w) mV (w in mm behind the
front) from its end plate to both tendons. With the source written as the derivative of a gated
travelling wave (Farina & Merletti 2001, IEEE TBME 48:637; Dimitrov & Dimitrova 1998) the potential
is a convolution over the path s = v t of V' with the gradient of the electrode pair's lead field;
generation at the end plate and extinction at the tendon (the non-travelling end-of-fibre part)
come out of the gate. Reinnervated units have scattered end plates, slow thin fibres and long
terminal delays, hence long polyphasic potentials with satellites.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import fftconvolve, oaconvolve

from .model import FS_EMG, Array, Body, Burst, Electrode

_STEP_MM = 0.25
_PATH = np.arange(0.0, 170.0, _STEP_MM)
_W = np.arange(0.0, 30.0, _STEP_MM)
_KERNEL = 96.0 * (3.0 * _W**2 - _W**3) * np.exp(-_W)
_UNIT_SAMPLES = 400
_RADIAL = 1.25


@dataclass(frozen=True)
class Unit:
    """One motor unit.

    Attributes
    ----------
    wave : ndarray
        (channels, samples) at 4 kHz in uV.
    size : float
        Natural peak to peak of the first channel (uV).
    depth : float
        Distance from the electrode (mm).
    scattered : bool
        Reinnervated.
    """

    wave: Array
    size: float
    depth: float
    scattered: bool


def _lead_gradient(z: Array, rho: float, centre: float, electrode: Electrode) -> Array:
    """Gradient along the fibre of the pair's lead field (electrodes of finite size)."""
    out = np.zeros_like(z)
    for sign in (1.0, -1.0):
        for off in (-0.33, 0.0, 0.33):
            at = centre + sign * electrode.ied_mm / 2.0 + off * electrode.size_mm
            d = z - at
            out -= sign / 3.0 * d / (rho**2 + d**2) ** 1.5
    return out


def _fibre(
    plate: float,
    left: float,
    right: float,
    rhos: list[float],
    centres: list[float],
    electrode: Electrode,
    speed: float,
    delay_ms: float,
) -> Array:
    """Potential of one fibre at every pair, 4 kHz."""
    t_mm = (np.arange(_UNIT_SAMPLES) * 1000.0 / FS_EMG - delay_ms) * speed
    rows = []
    for rho, centre in zip(rhos, centres, strict=True):
        path = -_lead_gradient(plate + _PATH, rho, centre, electrode) * (_PATH < right)
        path += _lead_gradient(plate - _PATH, rho, centre, electrode) * (_PATH < left)
        phi = fftconvolve(path, _KERNEL)
        grid = np.arange(phi.size) * _STEP_MM
        rows.append(np.interp(t_mm, grid, phi, left=0.0, right=0.0))
    return np.array(rows)


def build_units(rng: np.random.Generator, body: Body, electrode: Electrode, n: int = 40) -> list[Unit]:
    """Draw the motor units of a muscle.

    Returns
    -------
    list of Unit
        Sorted from small to large, median size ``body.unit_uv``.
    """
    waves, depths, flags = [], [], []
    pairs = 2 if electrode.second else 1
    for _ in range(n):
        scattered = rng.random() < body.reinnervated
        depth = rng.uniform(1.5, 16.0)
        side = rng.normal(0.0, 9.0)
        count = 34 if scattered else 14
        weight = float(np.exp(rng.normal(0.8 if scattered else 0.0, 0.6))) / count
        plate = -body.iz_mm + rng.normal(0.0, 3.0)
        spread = rng.uniform(6.0, 16.0) if scattered else rng.uniform(1.0, 4.0)
        late = rng.uniform(2.0, 6.0) if scattered else rng.uniform(0.2, 0.8)
        slow = rng.uniform(0.12, 0.25) if scattered else 0.04
        total = np.zeros((pairs, _UNIT_SAMPLES))
        for _k in range(count):
            y = max(0.5, depth + rng.normal(0.0, 1.8))
            x = side + rng.normal(0.0, 2.2)
            rhos = [float(np.hypot(body.fat_mm + _RADIAL * y, _RADIAL * x))]
            centres = [0.0]
            if pairs == 2:
                rhos.append(float(np.hypot(body.fat_mm + _RADIAL * y, _RADIAL * (x - 11.0))))
                centres.append(24.0)
            total += weight * _fibre(
                plate + rng.normal(0.0, spread),
                max(6.0, body.left_mm + rng.normal(0.0, body.tendon_sd_mm)),
                max(6.0, body.right_mm + rng.normal(0.0, body.tendon_sd_mm)),
                rhos,
                centres,
                electrode,
                max(1.5, body.velocity * (1.0 + slow * rng.standard_normal() - 0.5 * slow)),
                1.0 + float(rng.gamma(2.0, late / 2.0)),
            )
        total *= np.linspace(1.0, 0.0, _UNIT_SAMPLES) ** 0.02
        waves.append(total)
        depths.append(body.fat_mm + depth)
        flags.append(scattered)
    sizes = np.array([np.ptp(w[0]) for w in waves])
    sign = -1.0 if rng.random() < 0.5 else 1.0
    gain = sign * body.unit_uv / float(np.median(sizes))
    units = [
        Unit(w * gain, float(s * abs(gain)), d, f)
        for w, s, d, f in zip(waves, sizes, depths, flags, strict=True)
    ]
    return sorted(units, key=lambda u: u.size)


def pick_unit(rng: np.random.Generator, units: list[Unit], target_uv: float) -> Unit:
    """Choose a unit whose natural size suits ``target_uv`` (far units for small potentials)."""
    sizes = np.array([u.size for u in units])
    weight = np.exp(-0.5 * (np.log(target_uv / sizes) / 0.7) ** 2) + 2e-3
    return units[int(rng.choice(len(units), p=weight / weight.sum()))]


def discharge(rng: np.random.Generator, unit: Unit, scattered_noise: float = 0.08) -> Array:
    """One discharge of a unit, with the small changes of jitter and blocking."""
    wave = unit.wave * (1.0 + 0.04 * rng.standard_normal())
    if unit.scattered:
        shift = int(rng.integers(1, 5))
        wave = wave + scattered_noise * rng.standard_normal() * (np.roll(wave, shift, axis=1) - wave)
    return wave


def place(total: Array, wave: Array, at: int) -> None:
    """Add ``wave`` to ``total`` from sample ``at``, cut at the ends."""
    a, b = max(at, 0), min(at + wave.shape[1], total.shape[1])
    if b > a:
        total[:, a:b] += wave[:, a - at : b - at]


def volley(
    rng: np.random.Generator, units: list[Unit], length: float, share: float, synchrony: float
) -> Burst:
    """Short synchronous discharge of many units (reflex, cortical or spinal volley).

    Parameters
    ----------
    length : float
        Intended EMG length (s); potentials themselves last 10-25 ms.
    share : float
        Fraction of the units taking part.
    synchrony : float
        0 (spread over the burst) to 1 (all within 1-2 ms).
    """
    spread = max(0.0, length - 0.016)
    n = int((length + 0.14) * FS_EMG)
    emg = np.zeros((units[0].wave.shape[0], n))
    force = np.zeros(int((length + 0.14) * 1000))
    latency = 0.0006 + spread * (1.0 - synchrony)
    for unit in units:
        if rng.random() > share:
            continue
        t = float(abs(rng.normal(0.0, 0.0012)) + latency * rng.beta(1.3, 1.8) * 0.5)
        while t <= max(spread, 0.004):
            place(emg, discharge(rng, unit), int(t * FS_EMG))
            force[min(int(t * 1000), force.size - 1)] += unit.size
            t += float(rng.uniform(0.007, 0.018) / (0.6 + 0.4 * np.sin(np.pi * min(t / length, 1.0))))
            if spread < 0.006:
                break
    return Burst(emg, force)


def contraction(rng: np.random.Generator, units: list[Unit], drive: Array) -> Burst:
    """Interference pattern of the whole pool under a common drive.

    Parameters
    ----------
    drive : ndarray
        0 to 1 at 1 kHz. Units are recruited by size; rates 6-30 /s, intervals vary by 15-25 %.

    Returns
    -------
    Burst
        Natural size; callers scale it.
    """
    n = int(drive.size * FS_EMG / 1000.0) + _UNIT_SAMPLES
    emg = np.zeros((units[0].wave.shape[0], n))
    force = np.zeros(drive.size + 100)
    limits = 0.02 * np.exp(np.linspace(0.0, np.log(35.0), len(units)))
    for unit, limit in zip(units, limits, strict=True):
        active = drive > limit
        if not active.any():
            continue
        rate = np.where(active, 6.0 + 26.0 * np.clip(drive - limit, 0.0, 1.0), 0.0)
        phase = np.cumsum(rate) / 1000.0
        total = float(phase[-1])
        marks = np.cumsum(np.clip(rng.normal(1.0, 0.2, int(total * 1.4) + 5), 0.4, 1.8))
        marks = marks - rng.random()
        marks = marks[(marks > 0) & (marks < total)]
        times = np.searchsorted(phase, marks)
        if times.size == 0:
            continue
        train = np.zeros(n)
        at = (times * FS_EMG / 1000.0).astype(int) + rng.integers(0, 4, times.size)
        np.add.at(train, at[at < n], 1.0)
        for ch in range(emg.shape[0]):
            emg[ch] += oaconvolve(train, unit.wave[ch])[:n]
        np.add.at(force, times, unit.size)
    return Burst(emg, force)
