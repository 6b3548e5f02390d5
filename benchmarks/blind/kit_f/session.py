"""A recording in the making: places events, keeps the books, and lets the front end turn it into a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import signal

from . import frontend
from .conductor import Leg
from .frontend import Recorder
from .limb import Segment
from .motor import Pool
from .records import Array, Composed, Truth


@dataclass(frozen=True)
class AccSpec:
    """Accelerometer: rate (0 = none), noise density (ug per root Hz), range (g), bits and pulse (g)."""

    fs: float = 100.0
    density: float = 150.0
    rail_g: float = 8.0
    bits: int = 16
    pulse_g: float = 0.001


@dataclass
class Draft:
    """A row before the noise is known; `wave` is the clean EMG (fi) starting at sample `start` of channel `ch`."""

    kind: str
    waveform: str
    start: float
    wave: Array | None = None
    ch: int = 0
    peak_g: float = 0.0
    in_activity: bool = False
    note: str = ""
    onset: float | None = None
    duration: float | None = None
    burst_waves: list[tuple[float, Array]] = field(default_factory=list)
    burst_times: tuple[float, ...] = ()
    others: tuple[Array, ...] = ()                  # the same event on the next channels


class Session:
    """Everything one recording needs while it is composed.

    Parameters
    ----------
    rng : Generator
        Source of chance.
    length_s : float
        Seconds.
    recorders : list of Recorder
        One per EMG channel (may be empty).
    legs : list of Leg
        One per EMG channel (at least one, even without EMG).
    acc : AccSpec
        Accelerometer.
    scattered : float
        Share of reinnervated units.
    """

    def __init__(self, rng: np.random.Generator, length_s: float, recorders: list[Recorder], legs: list[Leg],
                 acc: AccSpec, scattered: float = 0.1) -> None:
        self.rng, self.length, self.recorders, self.acc = rng, length_s, recorders, acc
        self.fi = recorders[0].fi if recorders else 2000.0
        self.n = int(length_s * self.fi)
        self.pools = [Pool(rng, leg, self.fi, scattered) for leg in legs]
        self.emg = [np.zeros(self.n) for _ in recorders]
        self.after = [np.zeros(self.n) for _ in recorders]      # artefacts at the electrodes
        self.fa = acc.fs * (8 if acc.fs < 80 else 4) if acc.fs else 400.0
        self.dyn = np.zeros((int(length_s * self.fa), 3))
        self.drafts: list[Draft] = []
        self.levels: dict[tuple[int, bool], Array] = {}
        self.beats = np.zeros(0)
        self.place, self.dry = "", False
        self.turns: list[tuple[float, float, Array]] = []
        start = rng.normal(0, 1, 3) * np.array([0.4, 1, 1])
        self.gravity = start / np.linalg.norm(start)
        self.first_gravity = self.gravity.copy()
        self.seg = Segment(rng.uniform(2.0, 5.0), rng.uniform(0.35, 0.8), rng.uniform(0.15, 0.38),
                           rng.uniform(14, 28), rng.uniform(0.3, 0.6))
        self.coupling = rng.uniform(0.010, 0.06)
        self.noise = [frontend.resting_noise(rng, r, self.n) for r in recorders]
        self.hum = [frontend.mains(rng, r, self.n) for r in recorders]
        self.floor: list[float] = []
        self.plain: list[float] = []
        for r, noise, hum in zip(recorders, self.noise, self.hum):
            starts = np.linspace(0, self.n - 8 * r.fi, 10).astype(int)
            for store, quiet in ((self.plain, noise), (self.floor, noise + hum)):
                parts = [quiet[i:i + int(8 * r.fi)] for i in starts]
                store.append(float(np.sqrt(np.mean([frontend.band_rms(r.convert(r.analogue(x)), r.fs)**2 for x in parts]))))

    def axis(self) -> Array:
        """A joint axis, mostly across the leg."""
        v = self.rng.normal(0, 1, 3) * np.array([0.25, 1, 1])
        return np.asarray(v / np.linalg.norm(v))

    def add_emg(self, t: float, wave: Array, ch: int = 0, artefact: bool = False) -> None:
        """Add a waveform (at fi) at time t to a channel."""
        if not self.recorders:
            return
        target = (self.after if artefact else self.emg)[ch]
        i = round(t * self.fi)
        m = min(wave.size, target.size - i)
        if m > 0 and i >= 0:
            target[i:i + m] += wave[:m]

    def add_acc(self, t: float, acc: Array) -> None:
        """Add dynamic acceleration (at fa) at time t."""
        i = round(t * self.fa)
        m = min(acc.shape[0], self.dyn.shape[0] - i)
        if m > 0 and i >= 0:
            self.dyn[i:i + m] += acc[:m]

    def turn(self, t: float, degrees: float, seconds: float) -> None:
        """Turn the leg (and gravity in the sensor's frame) by an angle over some time."""
        side = np.cross(self.gravity, self.axis())
        side /= np.linalg.norm(side)
        a = np.radians(degrees)
        self.gravity = np.cos(a) * self.gravity + np.sin(a) * side
        self.turns.append((t, seconds, self.gravity.copy()))

    def support(self, draft: Draft, wave: Array, loose: bool) -> tuple[int, int]:
        """First and last sample of the clean EMG that stand out of the noise."""
        sigma = self.floor[draft.ch] if self.floor else 1.0
        if loose:
            width = max(3, int(0.05 * self.fi))
            rms = np.sqrt(signal.fftconvolve(wave**2, np.ones(width) / width, mode="same").clip(0))
            on = np.flatnonzero(np.hypot(rms, sigma) - sigma > 2.0)
        else:
            size = np.abs(wave)
            on = np.flatnonzero(size > max(0.02 * size.max(), min(2.5 * sigma, 0.35 * size.max())))
        return (int(on[0]), int(on[-1])) if on.size else (0, wave.size - 1)

    def _finish(self, d: Draft) -> Truth:
        """Turn a draft into a row, measuring it on the clean waveform."""
        fi = self.fi
        if d.wave is None or not self.recorders:
            onset = d.start if d.onset is None else d.onset
            return Truth(round(float(onset), 4), round(float(d.duration or 0.0), 4), d.kind, d.waveform, 0.0, 0.0,
                         round(float(d.peak_g), 4), tuple(round(float(x), 4) for x in d.burst_times or (onset,)), d.in_activity, d.note)
        loose = d.kind in ("movement", "gross_movement", "posture_change", "contraction")
        a, b = self.support(d, d.wave, loose)
        for k, other in enumerate(d.others, d.ch + 1):
            a2, b2 = self.support(Draft(d.kind, "", d.start, ch=k), other, loose)
            a, b = min(a, a2), max(b, b2)
        duration = (b - a + 1) / fi
        pad = np.zeros(int(0.05 * fi))
        rec = self.recorders[d.ch]
        seen = rec.analogue(np.concatenate([pad, d.wave, pad]))
        band = frontend.in_band(np.clip(seen, -rec.rail_uv, rec.rail_uv)[::round(fi / rec.fs)], rec.fs)
        kind, note = d.kind, d.note
        if np.max(np.abs(seen)) > 0.98 * rec.rail_uv:
            note = (note + " clipped").strip()
        if kind == "contraction":
            edges = ((0.14, "twitch"), (0.16, "unclear"), (0.47, "brief_contraction"), (0.54, "unclear"),
                     (9.5, "movement"), (10.5, "unclear"), (1e9, "gross_movement"))
            kind = next(k for limit, k in edges if duration < limit)
            if kind == "movement":
                width = int(0.1 * fi)
                env = np.hypot(np.sqrt(signal.fftconvolve(d.wave**2, np.ones(width) / width, "same").clip(0)),
                               self.floor[d.ch]) - self.floor[d.ch]
                if np.max(env) < 8.0 or np.mean(env[a:b] > 2) < 0.6:
                    kind, note = "unclear", (note + " below the +8 uV rule or broken up").strip()
        if kind in ("twitch", "brief_contraction") and d.peak_g >= 0.08:
            kind, note = "unclear", (note + " short but with a jerk's acceleration").strip()
        if d.kind == "twitch" and duration > 0.155:
            kind, note = "unclear", (note + " longer than a twitch").strip()
        if d.kind == "jerk" and not d.burst_waves and duration > 0.31:
            kind, note = "unclear", (note + " longer than a jerk").strip()
        bursts = [d.start + a / fi]
        if d.burst_waves:
            bursts = [t + self.support(d, w, False)[0] / fi for t, w in d.burst_waves]
        note = (note + (f" ch{d.ch + 1}" if len(self.recorders) > 1 else "")).strip()
        return Truth(round(float(d.start + a / fi), 4), round(duration, 4), kind, d.waveform,
                     round(float(np.ptp(d.wave)), 2), round(float(np.ptp(band)) / self.floor[d.ch], 2),
                     round(float(d.peak_g), 4), tuple(round(float(x), 4) for x in bursts), d.in_activity, note)

    def _acceleration(self) -> dict[str, tuple[Array, float]]:
        """Gravity, pulse, breathing, noise, anti-alias filter, sampling and rounding."""
        rng, fa, n = self.rng, self.fa, self.dyn.shape[0]
        t = np.arange(n) / fa
        gravity = np.tile(self.first_gravity, (n, 1))
        last = self.first_gravity
        for when, seconds, new in sorted(self.turns, key=lambda item: item[0]):
            s = np.clip((t - when) / seconds, 0, 1)[:, None]
            i = int(when * fa)
            s = s[i:] * s[i:] * (3 - 2 * s[i:])
            gravity[i:] = last + (new - last) * s
            last = new
        gravity /= np.linalg.norm(gravity, axis=1)[:, None]
        x = gravity + self.dyn
        beat = np.exp(-0.5 * ((np.arange(int(0.5 * fa)) / fa - 0.18) / 0.03)**2)
        beat = np.gradient(np.gradient(beat))
        beat *= self.acc.pulse_g / np.max(np.abs(beat))
        train = np.zeros(n)
        for h in self.beats:
            train[min(n - 1, int(h * fa))] = rng.normal(1, 0.1)
        way = rng.normal(0, 1, 3)
        x += np.outer(signal.fftconvolve(train, beat)[:n], way / np.linalg.norm(way))
        x += np.outer(0.002 * rng.random() * np.sin(2 * np.pi * rng.uniform(0.2, 0.3) * t), rng.normal(0, 1, 3))
        x += rng.standard_normal((n, 3)) * (self.acc.density * 1e-6 * np.sqrt(fa / 2))
        sos = signal.butter(2, 0.42 * self.acc.fs, fs=fa, output="sos")
        zi = signal.sosfilt_zi(sos)[:, :, None] * x[0]
        x, _ = signal.sosfilt(sos, x, axis=0, zi=zi)
        x = x[::round(fa / self.acc.fs)] + rng.normal(0, 0.02, 3)
        step = 2 * self.acc.rail_g / 2**self.acc.bits
        x = np.clip(np.round(x / step) * step, -self.acc.rail_g, self.acc.rail_g - step)
        return {f"acc_{c}_g": (np.ascontiguousarray(x[:, k]), self.acc.fs) for k, c in enumerate("xyz")}

    def compose(self, extra: dict[str, Any]) -> Composed:
        """Run the front ends and close the books."""
        rng = self.rng
        self.beats = frontend.heart_times(rng, self.length)
        signals: dict[str, tuple[Array, float]] = {}
        for ch, r in enumerate(self.recorders):
            x = self.emg[ch] + self.after[ch] + self.noise[ch] + self.hum[ch]
            x += frontend.wander(rng, r, self.n)
            if r.ecg_uv > 0:
                beat = frontend.ecg_wave(rng, self.fi) * r.ecg_uv
                breath = 1 + 0.12 * np.sin(2 * np.pi * self.beats / 4.2)
                for h, gain in zip((self.beats * self.fi).astype(int), breath):
                    x[h:h + beat.size] += gain * beat[:max(0, self.n - h)]
            if r.cable_uv_per_g > 0:
                sos = signal.butter(1, [0.7, 12], "band", fs=self.fa, output="sos")
                moved = signal.sosfilt(sos, self.dyn @ rng.normal(0, 0.7, 3)) * r.cable_uv_per_g
                x += np.interp(np.arange(self.n) / self.fi, np.arange(moved.size) / self.fa, moved)
            signals[f"emg{ch + 1}_uv"] = (r.convert(r.analogue(x)), r.fs)
        if self.acc.fs:
            signals.update(self._acceleration())
        truth = sorted((self._finish(d) for d in self.drafts), key=lambda row: row.onset)
        meta: dict[str, Any] = dict(extra, length_s=self.length, acc=vars(self.acc).copy(), channels=[])
        for ch, r in enumerate(self.recorders):
            meta["channels"].append({
                "noise_rms_uv": round(self.floor[ch], 3), "noise_rms_without_mains_uv": round(self.plain[ch], 3),
                "mains_hz": r.mains_hz, "mains_uv": r.mains_uv, "harmonics": dict(r.harmonics), "bits": r.bits, "rail_uv": r.rail_uv,
                "fs": r.fs, "hp": r.hp, "lp": r.lp, "ecg_uv": r.ecg_uv, "geometry": vars(self.pools[ch].leg).copy()})
        if self.recorders:
            meta["noise_rms_uv"] = meta["channels"][0]["noise_rms_uv"]
        return Composed(signals, truth, meta)
