"""Layered cylindrical volume conductor in transfer-function form.

The leg is an infinite cylinder: anisotropic muscle, fat, skin. For every angular order n and axial wave number k
the radial Laplace equation is solved exactly with modified Bessel functions; a point current in the muscle at
radius R gives the surface potential (Gootzen 1991; Farina, Mesin, Martina & Merletti 2004, IEEE TBME 51:415).
The source is the second derivative of Rosenfalck's (1969) intracellular action potential, running both ways from
the end plate and stopping at the tendons, so that the generation and extinction (end-of-fibre) potentials come out
of the same integral (Dimitrov & Dimitrova 1998; Farina & Merletti 2001, IEEE TBME 48:637).
Lengths in mm, conductivities in S/m, potentials in microvolts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal, special

from .records import Array

SIGMA_RADIAL, SIGMA_AXIAL = 0.10, 0.50      # muscle, across and along the fibres
SIGMA_FAT = 0.05
SIGMA_IN = 1.01                             # axoplasm of the muscle fibre
FIBRE_MM = 0.055
DZ, NZ, ORDERS = 0.5, 1024, 32


@dataclass(frozen=True)
class Leg:
    """Geometry of a leg and of one electrode pair.

    Attributes
    ----------
    radius, fat, skin : float
        Outer radius of the muscle, thickness of fat and of skin (mm).
    skin_sigma : float
        Conductivity of the skin: about 1 when moist, 0.05 when dry.
    spacing, disc : float
        Distance of the two electrodes and radius of each (mm).
    z_centre : float
        Middle of the pair, mm from the innervation zone.
    tilt_deg : float
        Angle between the pair and the fibres.
    half_length : float
        Mean distance from innervation zone to tendon (mm).
    zone_spread : float
        Standard deviation of the end plates of one unit (mm).
    ref_gain : float
        Share of the muscle's field reaching the second electrode: 1 over muscle, near 0 on bone (half monopolar).
    """

    radius: float
    fat: float
    skin: float
    skin_sigma: float
    spacing: float
    disc: float
    z_centre: float
    tilt_deg: float
    half_length: float
    zone_spread: float
    ref_gain: float = 1.0


def _layer(p: Array, flux: Array, sigma: float, k: Array, n: Array, outer: float, inner: float) -> tuple[Array, Array]:
    """Carry potential and radial flux from the outer to the inner face of an isotropic layer."""
    xb, xa = k * outer, k * inner
    grow = np.exp(xb - xa)
    ib, kb, ia, ka = special.ive(n, xb), special.kve(n, xb), special.ive(n, xa), special.kve(n, xa)
    dib, dia = special.ive(n + 1, xb) + n / xb * ib, special.ive(n + 1, xa) + n / xa * ia
    dkb, dka = -special.kve(n + 1, xb) + n / xb * kb, -special.kve(n + 1, xa) + n / xa * ka
    v = flux / (sigma * k)
    alpha = -xb * (p * dkb - v * kb)          # Wronskian of I and K is -1/x
    beta = -xb * (v * ib - p * dib)
    return alpha * ia / grow + beta * ka * grow, sigma * k * (alpha * dia / grow + beta * dka * grow)


def surface_modes(leg: Leg, depths: Array) -> Array:
    """Surface potential of a unit current for each depth, angular order and wave number.

    Parameters
    ----------
    leg : Leg
        Geometry.
    depths : Array
        Depths of the fibre below the muscle's surface (mm).

    Returns
    -------
    Array
        (depth, order, wave number); the electrode's own area is already averaged over.
    """
    k: Array = np.asarray(2e3 * np.pi * np.fft.rfftfreq(NZ, DZ)[None, 1:], dtype=np.float64)
    n = np.arange(ORDERS, dtype=float)[:, None]
    a = leg.radius * 1e-3
    b, c = a + leg.fat * 1e-3, a + (leg.fat + leg.skin) * 1e-3
    p, q = _layer(np.ones((ORDERS, k.size)), np.zeros((ORDERS, k.size)), leg.skin_sigma, k, n, c, b)
    p, q = _layer(p, q, SIGMA_FAT, k, n, b, a)
    km = k * np.sqrt(SIGMA_AXIAL / SIGMA_RADIAL)
    im = special.ive(n, km * a)
    dim = special.ive(n + 1, km * a) + n / (km * a) * im
    below = a * (SIGMA_RADIAL * km * p * dim - q * im)
    kt = np.hypot(k, n / c) * leg.disc * 1e-3
    out = np.zeros((depths.size, ORDERS, k.size + 1))
    for i, depth in enumerate(depths):
        r = a - depth * 1e-3
        out[i, :, 1:] = special.ive(n, km * r) * np.exp(km * (r - a)) / below * 2 * special.j1(kt) / kt
    return out


def axial_kernels(modes: Array, theta: Array) -> Array:
    """Derivative along the leg of the surface potential of a point current.

    Parameters
    ----------
    modes : Array
        (bundle, order, wave number), the modes at each bundle's depth.
    theta : Array
        Angle between each bundle and the electrode (rad).

    Returns
    -------
    Array
        (bundle, z) with z = 0 in the middle column; V/(A m).
    """
    weight = np.where(np.arange(ORDERS) == 0, 1.0, 2.0) / (2 * np.pi)
    spectrum = np.einsum("bnk,bn->bk", modes, weight * np.cos(theta[:, None] * np.arange(ORDERS)))
    k = 2e3 * np.pi * np.fft.rfftfreq(NZ, DZ)
    return np.fft.fftshift(np.fft.irfft(1j * k * spectrum, NZ, axis=1), axes=1) / (DZ * 1e-3)


def unit_potentials(rng: np.random.Generator, leg: Leg, fs: float, count: int, far: bool,
                    scattered: float = 0.0) -> tuple[Array, Array]:
    """Bipolar potentials of motor units drawn at random in the leg.

    Parameters
    ----------
    rng : Generator
        Source of chance.
    leg : Leg
        Geometry and electrodes.
    fs : float
        Sampling rate of the potentials (Hz).
    count : int
        Number of units.
    far : bool
        Units of a neighbouring or deep muscle instead of those below the electrodes.
    scattered : float
        Share of units (0-1) with scattered end plates and slow fibres (reinnervated, polyphasic).

    Returns
    -------
    tuple of Array
        Potentials (unit, sample) in microvolts, and the number of fibres of each unit.
    """
    nb = 14
    depths = np.array([1.5, 3, 5, 7, 10, 14, 19, 25])
    modes = surface_modes(leg, depths)
    d_unit = rng.integers(4, 8, count) if far else rng.choice(8, count, p=[.1, .16, .18, .18, .15, .12, .07, .04])
    th_unit = np.radians(rng.uniform(22, 60, count) * rng.choice([-1, 1], count) if far else rng.normal(0, 14, count))
    d_b = np.clip(d_unit[:, None] + rng.integers(-1, 2, (count, nb)), 0, 7).ravel()
    th_b = (th_unit[:, None] + rng.normal(0, 2.5 / leg.radius, (count, nb))).ravel()
    odd = rng.random(count) < scattered
    velocity = np.where(odd, rng.uniform(2.5, 3.6, count), np.clip(rng.normal(4.1, 0.55, count), 2.8, 6.0))
    v_b = (velocity[:, None] * (1 + rng.normal(0, np.where(odd, .09, .025)[:, None], (count, nb)))).ravel()
    spread = np.where(odd, rng.uniform(10, 22, count), leg.zone_spread)
    zone = (rng.normal(0, 7, count)[:, None] + rng.normal(0, 1, (count, nb)) * spread[:, None]).ravel()
    far_end = (leg.half_length * rng.uniform(.85, 1.15, (count, 1)) + rng.normal(0, 3, (count, nb))).ravel()
    near_end = (leg.half_length * rng.uniform(.85, 1.15, (count, 1)) + rng.normal(0, 3, (count, nb))).ravel()
    delay = (rng.normal(0, 1, (count, nb)) * np.where(odd, rng.uniform(.8, 2.5, count), .25)[:, None]).ravel()
    fibres = np.exp(rng.uniform(np.log(25), np.log(900), count))

    u = np.arange(0, leg.half_length * 1.5 + 25, DZ)
    x = np.arange(0, 25, DZ)
    slope = 96e-3 * np.exp(-x) * (3 * x**2 - x**3) * 1e3        # V/m: dV/dx of 96 x^3 exp(-x) mV, x in mm
    half = leg.spacing / 2
    tilt = np.radians(leg.tilt_deg)
    outer = leg.radius + leg.fat + leg.skin
    total = np.zeros((count * nb, u.size + x.size - 1))
    for sign in (1.0, -1.0):
        z_e = leg.z_centre + sign * half * np.cos(tilt)
        g = axial_kernels(modes[d_b], th_b - sign * half * np.sin(tilt) / outer)
        g *= 1.0 if sign > 0 else leg.ref_gain
        for side, length in ((1.0, far_end), (-1.0, near_end)):
            position = z_e - zone[:, None] - side * u[None, :]
            index = np.clip(position / DZ + NZ // 2, 0, NZ - 2)
            low = index.astype(int)
            rows = np.arange(index.shape[0])[:, None]
            value = g[rows, low] + (index - low) * (g[rows, low + 1] - g[rows, low])
            stop = length - side * zone
            value *= np.clip((stop[:, None] - u) / 6 + .5, 0, 1)    # fibres of a bundle end within 6 mm
            total += -side * sign * signal.fftconvolve(value, slope[None, :], axes=1)
    total *= SIGMA_IN * np.pi / 4 * (FIBRE_MM * 1e-3)**2 * DZ * 1e-3 * 1e6
    t = np.arange(int(0.085 * fs)) / fs * 1e3 - 10.0              # ms; the unit fires at 10 ms
    s = np.arange(total.shape[1]) * DZ
    out = np.array([np.interp((t - delay[i]) * v_b[i], s, total[i], left=0, right=0) for i in range(count * nb)])
    return out.reshape(count, nb, -1).mean(1) * fibres[:, None], fibres
