"""Volume conductor: the potential of a finite muscle fibre at a bipolar electrode.

The action potential inside a fibre is Rosenfalck's V(z) = 96 z^3 exp(-z) - 90 mV (z in mm behind the
front). The transmembrane current per length is sigma_i pi a^2 d/dz (w dV/dz), w = 1 on the fibre and 0
beyond it: the moving tripole, its birth at the end plate and its death at the tendons (the standing
end-of-fibre potential) all follow, and the net current is zero at every moment (Gootzen 1991; Farina &
Merletti 2001; Dimitrov & Dimitrova 1998). Muscle is anisotropic (Rosenfalck 1969: 0.33 S/m along,
0.063 S/m across), legs' muscles are pennate, the skin doubles the potential, fat only adds distance, electrodes average over
their length. With s = v t the integral over the fibre is a convolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FS_HI = 16000.0
SIGMA_I, SIGMA_R, SIGMA_Z = 1.01, 0.063, 0.33
ANISO = float(np.sqrt(SIGMA_Z / SIGMA_R))


@dataclass(frozen=True)
class Pair:
    """A bipolar electrode pair; millimetres, z along the fibres, x across, skin at depth 0."""

    z_mm: float
    x_mm: float
    spacing_mm: float
    angle_rad: float
    length_mm: float
    sign: float

    def poles(self) -> list[tuple[float, float, float]]:
        """(z, x, weight) of both electrodes."""
        dz = 0.5 * self.spacing_mm * np.cos(self.angle_rad)
        dx = 0.5 * self.spacing_mm * np.sin(self.angle_rad)
        return [(self.z_mm - dz, self.x_mm - dx, self.sign), (self.z_mm + dz, self.x_mm + dx, -self.sign)]


@dataclass(frozen=True)
class Unit:
    """A motor unit as the electrodes and the tendon see it."""

    shape: np.ndarray  # (channels, samples at FS_HI), uV
    force: float
    rise_s: float
    size: float


def _reach(dz_mm: np.ndarray, rho_mm: np.ndarray, half_mm: float) -> np.ndarray:
    """Mean of 1/distance over the electrode's length (1/mm)."""
    return (np.arcsinh((dz_mm + half_mm) / rho_mm) - np.arcsinh((dz_mm - half_mm) / rho_mm)) / (2.0 * half_mm)


def fibre_potential(
    pairs: list[Pair], depth_mm: float, x_mm: float, fat_mm: float, plate_mm: float,
    left_mm: float, right_mm: float, speed: float, stretch: float, diameter_um: float, slow: float = 1.0,
    slope: float = 0.0,
) -> np.ndarray:
    """Potential of one fibre at each pair.

    Parameters
    ----------
    pairs : list of Pair
        Electrodes.
    depth_mm, x_mm : float
        Fibre below the muscle's surface, and across.
    fat_mm : float
        Fat and skin between muscle and electrode.
    plate_mm, left_mm, right_mm : float
        End plate position and length of both half fibres.
    speed : float
        Conduction velocity (m/s = mm/ms).
    stretch : float
        Length scale of the action potential (1 = Rosenfalck).
    diameter_um : float
        Fibre diameter.
    slow : float
        Stretch of the repolarisation alone (1: none; cold, tired or sick fibres 2-5: Dimitrova & Dimitrov 2006).
    slope : float
        Depth gained per length along the fibre (pennate muscle: the fibre rises to an aponeurosis).

    Returns
    -------
    numpy.ndarray
        (pairs, samples at FS_HI) in uV.
    """
    ds = speed * 1000.0 / FS_HI
    z = np.arange(0.0, (3.0 + 11.0 * slow) * stretch, ds) / stretch
    zz = np.where(z > 3.0, 3.0 + (z - 3.0) / slow, z)
    wave = 96.0 * zz**2 * (3.0 - zz) * np.exp(-zz) / stretch * np.where(z > 3.0, 1.0 / slow, 1.0)  # mV/mm
    back = wave < 0
    wave[back] *= -wave[~back].sum() / wave[back].sum()  # back to rest exactly
    n = int(np.ceil(max(left_mm, right_mm) / ds)) + 1
    s = np.arange(n) * ds
    area_mm2 = np.pi * (diameter_um * 0.5e-3) ** 2
    # 2 (skin) * sigma_i * area / (4 pi sigma_r): mm^2 * mV/mm * 1/mm^2 * mm -> mV
    gain = 2.0 * SIGMA_I * area_mm2 / (4.0 * np.pi * SIGMA_R) * 1000.0
    out = np.zeros((len(pairs), n + len(wave) - 1))
    for k, pair in enumerate(pairs):
        field = np.zeros(n)
        for ez, ex, weight in pair.poles():
            side = (ex - x_mm) * ANISO
            for way, last in ((1.0, right_mm), (-1.0, left_mm)):
                deep = np.maximum(depth_mm + way * slope * s, 0.8)
                rho = np.hypot(deep * ANISO + fat_mm, side)
                near = _reach(ez - (plate_mm + way * s), rho, pair.length_mm / 2.0)
                field += weight * np.gradient(near, ds) * (s <= last)
        out[k] = gain * ds * np.convolve(field, wave)
    return out


@dataclass(frozen=True)
class Site:
    """Where the electrodes lie on which muscle."""

    pairs: list[Pair]
    fat_mm: float
    half_mm: tuple[float, float]
    speed: float
    plate_spread_mm: float
    slow: float
    slope: float


def draw_site(rng: np.random.Generator, n_ch: int) -> Site:
    """Draw muscle and electrode geometry over what legs and users give.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    n_ch : int
        Electrode pairs on the leg.

    Returns
    -------
    Site
        Innervation zone beneath, near or far from the pair; spacing 10-40 mm; tilt up to 40 degrees, one in five across the muscle.
    """
    pairs = []
    half = (float(rng.uniform(14, 65)), float(rng.uniform(14, 65)))
    for k in range(n_ch):
        where = rng.choice(["beneath", "near", "far", "tendon"], p=[0.2, 0.35, 0.3, 0.15])
        z = {"beneath": rng.uniform(-5, 5), "near": rng.uniform(8, 25), "far": rng.uniform(25, 50),
             "tendon": half[1] + rng.uniform(-12, 8)}[str(where)]
        z *= -1.0 if k else 1.0
        pairs.append(Pair(float(z), float(rng.uniform(-5, 5) + 12 * k), float(rng.uniform(10, 40)),
                          float(rng.uniform(-0.7, 0.7) if rng.random() < 0.8 else rng.uniform(0.9, 1.57)), float(rng.uniform(4, 20)), float(rng.choice([-1, 1]))))
    return Site(pairs, float(rng.uniform(1, 8)), half, float(rng.uniform(2.6, 5.0)), float(rng.uniform(1.5, 9)),
                float(np.exp(rng.uniform(0, np.log(4.0)))),
                float(rng.uniform(-0.45, 0.45) if rng.random() < 0.6 else 0.0))


def draw_unit(
    rng: np.random.Generator, site: Site, size: float, depth_mm: float | None = None, x_mm: float | None = None,
    n_fibres: int = 14,
) -> Unit:
    """Draw one motor unit.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    site : Site
        Geometry.
    size : float
        0 (smallest, slow) .. 1 (largest, fast) unit of the pool.
    depth_mm, x_mm : float, optional
        Centre of the unit's territory; drawn if absent.
    n_fibres : int
        Fibres actually summed (they stand for the whole unit).

    Returns
    -------
    Unit
        Shapes, twitch force and contraction time.
    """
    depth = float(rng.uniform(2, 22)) if depth_mm is None else depth_mm
    x0 = float(rng.normal(0, 9)) if x_mm is None else x_mm
    radius = 2.0 + 4.0 * size
    count = 60.0 * 20.0**size  # fibres per unit, 60-1200
    speed = site.speed * (0.85 + 0.3 * size)
    plate0 = rng.normal(0, site.plate_spread_mm)
    parts = []
    for _ in range(n_fibres):
        rad, ang = radius * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        plate = plate0 + rng.normal(0, site.plate_spread_mm)
        left = site.half_mm[0] + plate + rng.normal(0, 4)
        right = site.half_mm[1] - plate + rng.normal(0, 4)
        parts.append(fibre_potential(
            site.pairs, max(0.8, depth + rad * np.sin(ang)), x0 + rad * np.cos(ang), site.fat_mm, plate,
            max(left, 8.0), max(right, 8.0), speed * (1 + 0.04 * rng.normal()), rng.uniform(0.8, 1.7), rng.uniform(40, 70), site.slow * rng.uniform(0.9, 1.2), site.slope))
    n = max(p.shape[1] for p in parts)
    shape = np.zeros((len(site.pairs), n))
    for p in parts:
        shape[:, : p.shape[1]] += p * (count / n_fibres)
    taper = int(0.002 * FS_HI)
    shape[:, -taper:] *= np.linspace(1, 0, taper)
    return Unit(shape, count, float((0.095 - 0.06 * size) * rng.uniform(0.8, 1.2)), size)
