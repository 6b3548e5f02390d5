"""The stage: backgrounds, event layers and the book of truth of one recording."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import signal

from . import electrode as el
from .leg import FS as LEG_FS
from .leg import Leg, dynamic_peak, rotate
from .model import Composed, Truth
from .muscle import Muscle
from .recorder import Recorder


@dataclass(frozen=True)
class Setting:
    """What the bed, skin and room add.

    Attributes
    ----------
    minutes : float
    noise : float
        RMS of amplifier and electrode noise, 20-450 Hz (µV).
    colour : float
        1/f share of it.
    hum, hum_kind : float, str
        Mains RMS (µV) and harmonics.
    ecg, pulse : float
        R wave in the leg lead (µV) and pulse wave (g).
    montage : str
        Electrode arrangement.
    wander : float
        Slow electrode drift (µV), visible in DC-coupled recorders.
    """

    minutes: float = 20.0
    noise: float = 3.0
    colour: float = 0.3
    hum: float = 0.0
    hum_kind: str = "pure"
    ecg: float = 0.0
    pulse: float = 0.0007
    montage: str = "bipolar"
    wander: float = 20.0


@dataclass(frozen=True)
class Push:
    """Measured acceleration of one event: peak (g), steepness (g/s), start and length (s)."""

    peak: float = 0.0
    steep: float = 0.0
    start: float = 0.0
    length: float = 0.0


class Scene:
    """One recording in the making.

    Parameters
    ----------
    rng : numpy Generator
    rec : Recorder
    setting : Setting
    """

    def __init__(self, rng: np.random.Generator, rec: Recorder, setting: Setting):
        self.rng, self.rec, self.set = rng, rec, setting
        self.fs = rec.work
        self.end = setting.minutes * 60.0
        self.n = int(self.end * self.fs)
        self.na = int(self.end * LEG_FS)
        self.leads = rec.channels
        self.muscle = Muscle(rng, self.fs, setting.montage)
        self.leg = Leg(rng)
        self.acc = np.zeros((self.na, 3))
        self.gravity = np.tile(self.leg.gravity, (self.na, 1))
        self.emg = np.zeros((self.leads, self.n))
        self.floor = np.zeros((self.leads, self.n))
        self.loose: list[tuple[int, np.ndarray]] = []
        self.rows: list[Truth] = []
        self.active = False
        self._backgrounds()

    def _backgrounds(self) -> None:
        """Noise, hum, heart, pulse and wander; then what the amplifier leaves of them."""
        s, rng = self.set, self.rng
        for c in range(self.leads):
            y = el.noise(rng, self.n, self.fs, s.noise * (1 if c == 0 else rng.uniform(0.8, 1.3)), s.colour)
            if s.wander:
                y += s.wander * el.drift(rng, self.n, self.fs, rng.uniform(3, 15))
            if s.hum:
                y += el.hum(rng, self.n, self.fs, s.hum * (1 if c == 0 else rng.uniform(0.6, 1.5)), self.rec.mains, s.hum_kind)
            self.floor[c] = y
        probe = self.rec.analogue(self.floor[0, : int(60 * self.fs)])[int(2 * self.fs) :]
        self.top = min(450.0, 0.45 * self.rec.fs) if self.rec.fs else 450.0
        grain = 2 * self.rec.range_uv / 2**self.rec.bits / np.sqrt(12)
        self.noise = float(np.hypot(self._band(probe - probe[0], 20, self.top)[int(self.fs) :].std(), grain))
        self.rest = float(self._band(probe - probe[0], 10, 100)[int(self.fs) :].std())
        if s.ecg or s.pulse:
            beats = el.heart(rng, self.end - 2)
        if s.ecg:
            beat = el.ecg_beat(rng, self.fs)
            for c in range(self.leads):
                k = s.ecg * (1 if c == 0 else rng.uniform(0.6, 1.4))
                for b in beats:
                    i = int(b * self.fs)
                    m = min(beat.size, self.n - i)
                    self.floor[c, i : i + m] += k * (1 + 0.08 * np.sin(1.5 * b)) * beat[:m]
        if s.pulse:
            t = np.arange(int(0.7 * LEG_FS)) / LEG_FS
            wave = np.exp(-t / 0.09) * np.sin(2 * np.pi * rng.uniform(4, 8) * t)
            wave = s.pulse * wave[:, None] / np.abs(wave).max() * self.leg.across
            for b in beats + rng.uniform(0.2, 0.27):
                self._lay_acc(b, wave)

    def _band(self, x: np.ndarray, low: float, high: float) -> np.ndarray:
        """Band-pass at the working rate."""
        sos = signal.butter(2, [low, min(high, 0.45 * self.fs)], "bandpass", fs=self.fs, output="sos")
        return signal.sosfilt(sos, x)

    def _lay_acc(self, t: float, wave: np.ndarray) -> None:
        i = int(round(t * LEG_FS))
        m = min(wave.shape[0], self.na - i)
        if m > 0 and i >= 0:
            self.acc[i : i + m] += wave[:m]

    def lay(self, t: float, wave: np.ndarray) -> None:
        """Add a one- or two-lead wave at time ``t`` (µV at the electrode)."""
        i = int(round(t * self.fs))
        m = min(wave.shape[-1], self.n - i)
        if m <= 0 or i < 0:
            return
        for c in range(self.leads):
            self.emg[c, i : i + m] += (wave if wave.ndim == 1 else wave[c])[:m]

    def sized(self, wave: np.ndarray, pp: float) -> np.ndarray:
        """Scale a two-lead wave to ``pp`` in lead 1; lead 2 not above 1.2 times that."""
        wave = wave * (pp / max(np.ptp(wave[0]), 1e-9))
        other = np.ptp(wave[1])
        if other > 1.2 * pp:
            wave[1] *= 1.2 * pp / other
        return wave

    def push(self, t: float, acc: np.ndarray) -> Push:
        """Add an acceleration event at ``t`` and measure it."""
        if not self.rec.acc_fs:
            return Push()
        self._lay_acc(t, acc)
        size = np.linalg.norm(acc, axis=1)
        on = np.flatnonzero(size > max(0.004, 0.04 * size.max()))
        peak, steep = dynamic_peak(acc)
        if on.size == 0:
            return Push(peak, steep, t, 0.0)
        return Push(peak, steep, t + on[0] / LEG_FS, (on[-1] - on[0] + 1) / LEG_FS)

    def turn(self, t: float, seconds: float, degrees: float) -> None:
        """Turn the leg's rest orientation smoothly from ``t`` on."""
        i = int(t * LEG_FS)
        if i >= self.na - 2:
            return
        u = np.clip(np.arange(self.na - i) / LEG_FS / seconds, 0, 1)
        angle = np.radians(degrees) * (10 * u**3 - 15 * u**4 + 6 * u**5)
        g = self.gravity[i].copy()
        axis = np.cross(g, self.rng.normal(size=3))
        self.gravity[i:] = rotate(g, axis / np.linalg.norm(axis), angle)

    def span(self, x: np.ndarray) -> tuple[float, float]:
        """First sample and length (s) of a clean single-burst wave above the noise."""
        y = np.abs(x)
        limit = float(np.clip(self.noise, 0.05 * y.max(), 0.3 * y.max()))
        on = np.flatnonzero(y > limit)
        return on[0] / self.fs, (on[-1] - on[0] + 1) / self.fs

    def span_rms(self, x: np.ndarray) -> tuple[float, float]:
        """Start and length (s) of a contraction: 20-ms RMS above 0.7 noise or 4 % of its peak."""
        m = int(0.02 * self.fs)
        r = np.sqrt(np.convolve(x * x, np.ones(m) / m, "same"))
        on = np.flatnonzero(r > np.clip(0.7 * self.noise, 0.04 * r.max(), 0.4 * r.max()))
        return on[0] / self.fs, (on[-1] - on[0] + 1) / self.fs

    def snr(self, x: np.ndarray) -> float:
        """Recorded peak to peak (20-450 Hz) over the noise."""
        pad = np.pad(x, int(0.05 * self.fs))
        return float(np.ptp(self._band(self.rec.analogue(pad), 20, self.top)) / self.noise)

    def row(self, t: float, kind: str, waveform: str, wave: np.ndarray | None, **more: Any) -> Truth:
        """Write a truth row; times come from ``more`` or are measured from the clean wave.

        ``push`` gives the acceleration; without EMG it also gives the times.
        """
        push: Push = more.pop("push", Push())
        rms: bool = more.pop("rms", False)
        on, length = more.pop("times", (None, None))
        if wave is not None and on is None:
            on, length = self.span_rms(wave) if rms else self.span(wave)
            on += t + self.rec.delay
        if (self.rec.fs == 0 or on is None) and push.length:
            on, length = push.start, push.length
        on, length = (t, 0.0) if on is None else (on, length)
        amp = float(np.ptp(wave)) if wave is not None and self.rec.fs else 0.0
        truth = Truth(
            float(on), float(length), kind, waveform, amp, self.snr(wave) if amp else 0.0, push.peak,
            tuple(float(b) for b in more.pop("bursts", (on,))), more.pop("active", self.active), more.pop("note", ""),
        )
        self.rows.append(truth)
        return truth

    def relabel(self, kind: str, note: str) -> None:
        """Give the newest row another kind."""
        old = self.rows[-1]
        self.rows[-1] = replace(old, kind=kind, note=(old.note + " " + note).strip())

    def finish(self, family: str, seed: int) -> Composed:
        """Convert everything as the recorder would."""
        rec, out = self.rec, {}
        if rec.fs:
            for c in range(self.leads):
                x = self.emg[c]
                total = self.floor[c] + x
                for i, gain in self.loose:
                    m = min(gain.size, self.n - i)
                    total[i : i + m] -= (1 - gain[:m]) * self.floor[c, i : i + m]
                out[f"emg{c + 1}_uv"] = (rec.convert(total), rec.fs)
        if rec.acc_fs:
            acc = rec.convert_acc(self.rng, self.acc + self.gravity)
            for k, name in enumerate("xyz"):
                out[f"acc_{name}_g"] = (acc[:, k], rec.acc_fs)
        s = self.set
        meta = {
            "family": family, "seed": seed, "fs": rec.fs, "acc_fs": rec.acc_fs, "bits": rec.bits,
            "range_uv": rec.range_uv, "high_pass_hz": rec.high, "low_pass_hz": rec.low,
            "noise_rms_uv": self.noise, "noise_without_hum_uv": s.noise, "rest_10_100_uv": self.rest,
            "hum_rms_uv": s.hum, "hum_kind": s.hum_kind, "mains_hz": rec.mains, "ecg_uv": s.ecg, "pulse_g": s.pulse,
            "montage": s.montage, "acc_bits": rec.acc_bits, "acc_noise_g_rthz": rec.acc_noise,
        }
        return Composed(out, sorted(self.rows, key=lambda r: r.onset), meta)
