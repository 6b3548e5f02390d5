"""A muscle as a pool of motor units: volleys, bursts and rate-coded voluntary activity.

Recruitment and rate coding after Fuglevand, Winter & Patla 1993 (exponential thresholds, 8 Hz at
recruitment, linear gain to 25-35 Hz, interval variation about 0.2); twitch force t/T exp(1 - t/T).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .volume import FS_HI, Site, Unit, draw_site, draw_unit

Spikes = list[tuple[Unit, np.ndarray, float]]  # unit, times (s), strength


class Muscle:
    """Units below one set of electrodes, and the ways a nerve may drive them."""

    def __init__(self, rng: np.random.Generator, site: Site, n_units: int = 70) -> None:
        self.rng = rng
        self.site = site
        sizes = np.sort(rng.random(n_units) ** 1.6)
        self.units = [draw_unit(rng, site, float(s)) for s in sizes]
        order = np.arange(1, n_units + 1)
        reach = rng.uniform(20, 60)
        self.threshold = np.exp(np.log(reach) * order / n_units) / reach * rng.uniform(0.6, 0.95)
        self.top_hz = rng.uniform(22, 38)

    def focus(self, depth_mm: float | None = None, x_mm: float | None = None) -> Unit:
        """A unit of its own that fires without the brain: the focus of a fasciculation.

        It may belong to any muscle within reach, so end plates, fibre ends and slope are drawn anew for
        the same electrodes. One in three is taken as the most one-sided of a dozen, since a rare geometry
        (fibres rising to the electrode, one pole beyond their end) must occur too.
        """
        best, best_ratio = None, 9.0
        for _ in range(12 if self.rng.random() < 0.33 else 1):
            other = draw_site(self.rng, len(self.site.pairs))
            pairs = [replace(a, z_mm=b.z_mm, x_mm=b.x_mm) for a, b in zip(self.site.pairs, other.pairs)]
            site = replace(other, pairs=pairs, fat_mm=self.site.fat_mm)
            unit = draw_unit(self.rng, site, float(self.rng.random()), depth_mm, x_mm)
            top, low = float(unit.shape[0].max()), float(-unit.shape[0].min())
            ratio = min(top, low) / max(top, low)
            if ratio < best_ratio:
                best, best_ratio = unit, ratio
        assert best is not None
        return best

    def echo(self, units: list[Unit], n: int, jitter_s: float) -> Spikes:
        """``n`` units lying like the given ones (a fascicle), fired by one shock with that jitter."""
        times = np.abs(self.rng.normal(0, jitter_s, n))
        times -= times.min()
        return [(units[k % len(units)], np.array([t]), float(self.rng.uniform(0.4, 1))) for k, t in enumerate(times)]

    def single(self, unit: Unit) -> Spikes:
        """One discharge; amplitude varies a little from time to time."""
        return [(unit, np.zeros(1), float(self.rng.normal(1, 0.05)))]

    def volley(self, n: int, jitter_s: float) -> Spikes:
        """Many units at once, as a nerve shock or a discharge high in the axon gives.

        Parameters
        ----------
        n : int
            Units.
        jitter_s : float
            Standard deviation of the arrival times.

        Returns
        -------
        list
            Spikes, the first at about zero.
        """
        pick = self.rng.choice(len(self.units), min(n, len(self.units)), replace=False)
        times = np.abs(self.rng.normal(0, jitter_s, len(pick))) if self.rng.random() < 0.3 else self.rng.normal(0, jitter_s, len(pick))
        times -= times.min()
        return [(self.units[i], np.array([t]), 1.0) for i, t in zip(pick, times)]

    def burst(self, n: int, span_s: float, rate_hz: float, synchrony: float) -> Spikes:
        """A burst: units repeat at ``rate_hz`` inside ``span_s``, more or less together at its start."""
        pick = self.rng.choice(len(self.units), min(n, len(self.units)), replace=False)
        out: Spikes = []
        for i in pick:
            first = self.rng.exponential(0.003) if self.rng.random() < synchrony else self.rng.uniform(0, max(span_s - 0.01, 0.002))
            times = [min(first, span_s)]
            while True:
                nxt = times[-1] + max(0.006, self.rng.normal(1, 0.25) / rate_hz)
                if nxt > span_s:
                    break
                times.append(nxt)
            out.append((self.units[i], np.array(times), 1.0))
        return out

    def drive(self, excitation: np.ndarray, fs: float) -> Spikes:
        """Voluntary activity.

        Parameters
        ----------
        excitation : numpy.ndarray
            Common drive, 0..1, sampled at ``fs``.
        fs : float
            Its rate (100-200 Hz is enough).

        Returns
        -------
        list
            Spikes of every recruited unit.
        """
        out: Spikes = []
        for unit, thr in zip(self.units, self.threshold):
            over = excitation - thr
            if over.max() <= 0:
                continue
            rate = np.where(over > 0, np.minimum(8.0 + (self.top_hz - 8.0) * over / max(1 - thr, 0.2) * 1.3, self.top_hz), 0.0)
            phase = np.cumsum(rate) / fs
            total = float(phase[-1])
            if total < 0.2:
                continue
            marks = np.cumsum(np.clip(self.rng.normal(1, 0.2, int(total * 1.3) + 4), 0.35, 2.0)) - self.rng.uniform(0.3, 0.9)
            marks = marks[(marks > 0) & (marks < total)]
            if len(marks):
                out.append((unit, np.interp(marks, phase, np.arange(len(phase)) / fs), 1.0))
        return out


def render_emg(spikes: Spikes, n_ch: int, span_s: float, fs: float) -> np.ndarray:
    """Sum of all potentials.

    Parameters
    ----------
    spikes : list
        Units, times and strengths.
    n_ch : int
        Channels.
    span_s : float
        Length of the result.
    fs : float
        Its rate; FS_HI must be a multiple.

    Returns
    -------
    numpy.ndarray
        (channels, samples) in uV.
    """
    n = int(span_s * fs)
    step = int(round(FS_HI / fs))
    out = np.zeros((n_ch, n))
    for unit, times, strength in spikes:
        place = np.round(times * FS_HI).astype(int)
        start, phase = -(-place // step), (-place) % step
        for ph in np.unique(phase):
            first = start[phase == ph]
            for ch in range(n_ch):
                shape = unit.shape[ch, ph::step] * strength
                idx = first[:, None] + np.arange(len(shape))[None, :]
                val = np.broadcast_to(shape, idx.shape)
                ok = (idx >= 0) & (idx < n)
                out[ch] += np.bincount(idx[ok], val[ok], minlength=n)
    return out


def render_force(spikes: Spikes, span_s: float, fs: float) -> np.ndarray:
    """Sum of the units' twitch forces (arbitrary unit) at ``fs``."""
    n = int(span_s * fs)
    out = np.zeros(n)
    for unit, times, strength in spikes:
        t = np.arange(0, 7 * unit.rise_s, 1 / fs)
        twitch = unit.force * strength * t / unit.rise_s * np.exp(1 - t / unit.rise_s)
        idx = np.round(times * fs).astype(int)[:, None] + np.arange(len(t))[None, :]
        val = np.broadcast_to(twitch, idx.shape)
        ok = (idx >= 0) & (idx < n)
        out += np.bincount(idx[ok], val[ok], minlength=n)
    return out
