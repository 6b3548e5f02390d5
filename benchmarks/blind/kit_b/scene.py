"""A recording in the making: the tracks, the truth rows, the amplifier and the converters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage, signal

from . import background as bg
from . import sources
from .model import Array, Composed, Setup, Truth

Rng = np.random.Generator


@dataclass
class _Turn:
    t: float
    dur: float
    angle: float
    axis: Array


class Scene:
    """Tracks of EMG and acceleration at internal rates, to which events are added.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all chance.
    setup : Setup
        Device and surroundings.

    """

    def __init__(self, rng: Rng, setup: Setup) -> None:
        self.rng = rng
        self.setup = setup
        self.has_emg = setup.emg_fs > 0
        self.has_acc = setup.acc_fs > 0
        self.fi = max(2000.0, 2 * setup.emg_fs)
        self.ai = 8.0 * setup.acc_fs if setup.acc_fs else 800.0
        self.seconds = setup.minutes * 60.0
        self.n = int(self.seconds * self.fi)
        self.an = int(self.seconds * self.ai)
        self.emg = np.zeros(self.n if self.has_emg else 0)
        self.emg2 = np.zeros(self.n if self.has_emg and setup.second else 0)
        self.acc = np.zeros((self.an if self.has_acc else 0, 3))
        self.walks: list[tuple[float, Array]] = []
        self.turns: list[_Turn] = []
        self.rows: list[Truth] = []
        beats = bg.heart_times(rng, setup.minutes)
        self.rest = np.zeros(0)
        self.rest2 = np.zeros(0)
        self.noise, self.noise_lm, self.noise_bare = 0.0, 0.0, 0.0
        if self.has_emg:
            self.noise, self.noise_lm = self._backgrounds(beats)
        if self.has_acc:
            self.acc += bg.pulse(rng, beats, setup.pulse_mg, self.an, self.ai)

    def _backgrounds(self, beats: Array) -> tuple[float, float]:
        """Make the resting tracks; return the noise (hum included, ECG not) as recorded, two bands."""
        s = self.setup
        hum = bg.hum(self.rng, s, self.n, self.fi)
        heart = bg.ecg(self.rng, beats, s.ecg_uv, self.n, self.fi)
        base = bg.emg_noise(self.rng, s, self.n, self.fi) + hum
        y = self.convert(base[: int(120 * self.fi)])[int(10 * s.emg_fs) :]
        self.rest = base + heart
        bare = self.convert((base - hum)[: int(120 * self.fi)])[int(10 * s.emg_fs) :]
        if s.second:
            other = bg.emg_noise(self.rng, replace(s, noise_kind="amp"), self.n, self.fi)
            self.rest2 = other + self.rng.uniform(0.3, 1.2) * hum + self.rng.uniform(-1, 1) * heart
        top = min(450.0, 0.45 * s.emg_fs)
        self.noise_bare = float(sources.band(bare, 20.0, top, s.emg_fs).std())
        return (
            float(sources.band(y, 20.0, top, s.emg_fs).std()),
            float(sources.band(y, 10.0, min(100.0, top), s.emg_fs).std()),
        )

    def amplify(self, x: Array) -> Array:
        """Causal band-pass of the amplifier and its anti-alias filter, then sampling."""
        s = self.setup
        lp = signal.butter(s.lp_order, s.lp, "low", fs=self.fi, output="sos")
        y = np.asarray(signal.sosfilt(lp, x - x[0]), dtype=float)
        y += 0.0 if s.hp > 0 else float(x[0])
        if s.hp > 0:
            hp = signal.butter(s.hp_order, s.hp, "high", fs=self.fi, output="sos")
            y = np.asarray(signal.sosfilt(hp, y), dtype=float)
        return y[:: round(self.fi / s.emg_fs)]

    def convert(self, x: Array) -> Array:
        """Amplify, clip at the rails (twice: the amplifier saturates before it filters), quantise."""
        s = self.setup
        y = self.amplify(np.clip(x, -40 * s.half_range_uv, 40 * s.half_range_uv))
        lsb = 2 * s.half_range_uv / 2**s.bits
        code = np.clip(np.round(y / lsb), -(2 ** (s.bits - 1)), 2 ** (s.bits - 1) - 1)
        return np.asarray(code * lsb, dtype=float)

    def recorded(self, w: Array, t: float) -> float:
        """Peak to peak of a clean event at time t through amplifier and 20-450 Hz, sampled in its true phase."""
        fs = self.setup.emg_fs
        every = round(self.fi / fs)
        left = every * int(0.3 * fs) + round(t * self.fi) % every
        y = self.amplify(np.pad(w, (left, int(0.3 * self.fi))))
        return float(np.ptp(sources.band(y, 20.0, min(450.0, 0.45 * fs), fs)))

    def span(self, w: Array) -> tuple[float, float]:
        """First and last time (s, from the start of w) at which the clean event exceeds twice the noise RMS (hum apart).

        For short events also 1 % of their peak; at most 30 % of it, for events lost in noise.
        """
        env = np.abs(w)
        peak = float(env.max()) if len(w) else 0.0
        base = 2.0 * self.noise_bare
        floor = base if len(w) > 0.6 * self.fi else max(base, 0.01 * peak)
        floor = min(max(floor, 1e-9), 0.3 * peak)
        on = np.flatnonzero(env > floor)
        if not len(on):
            return 0.0, 0.0
        return float(on[0] / self.fi), float((on[-1] + 1) / self.fi)

    def add_emg(self, t: float, w: Array, second: float | None = None) -> None:
        """Add a voltage at time t; the second channel gets its share (random if None)."""
        if not self.has_emg:
            return
        i = round(t * self.fi)
        w = w[: max(0, self.n - i)]
        self.emg[i : i + len(w)] += w
        if self.setup.second:
            share = self.rng.uniform(0.02, 0.9) if second is None else second
            self.emg2[i : i + len(w)] += share * w

    def add_acc(self, t: float, a: Array) -> None:
        """Add dynamic acceleration at time t."""
        if not self.has_acc:
            return
        i = round(t * self.ai)
        a = a[: max(0, self.an - i)]
        self.acc[i : i + len(a)] += a

    def add_turn(self, t: float, dur: float, degrees: float) -> None:
        """Turn the leg (and so gravity in the sensor) by an angle."""
        self.turns.append(_Turn(t, dur, np.deg2rad(degrees), bg.direction(self.rng)))

    def row(
        self,
        t: float,
        w: Array | None,
        kind: str,
        waveform: str,
        *,
        acc: Array | None = None,
        acc_t: float = 0.0,
        bursts: tuple[float, ...] = (),
        in_activity: bool = False,
        note: str = "",
    ) -> Truth:
        """Write the truth of an event from its clean waveforms."""
        peak = float(np.linalg.norm(acc, axis=1).max()) if acc is not None and self.has_acc and len(acc) else 0.0
        if w is not None and self.has_emg:
            a, b = self.span(w)
            onset, dur = t + a, b - a
            size = float(np.ptp(w))
            snr = self.recorded(w[: int(20 * self.fi)], t) / max(self.noise, 1e-9)
        else:
            size, snr = 0.0, 0.0
            onset, dur = acc_t, len(acc) / self.ai if acc is not None else 0.0
            if acc is not None and len(acc):
                on = np.flatnonzero(np.linalg.norm(acc, axis=1) > min(max(0.006, 0.01 * peak), 0.3 * peak))
                onset, dur = acc_t + on[0] / self.ai, (on[-1] - on[0] + 1) / self.ai
        out = Truth(
            float(onset),
            float(dur),
            kind,
            waveform,
            size,
            float(snr),
            peak,
            bursts or (float(onset),),
            in_activity,
            note,
        )
        self.rows.append(out)
        return out

    def _gravity(self) -> Array:
        """Gravity in the sensor: turns, slow drift of under 2 degrees, breathing."""
        t = np.arange(self.an) / self.ai
        g = bg.direction(self.rng)
        out = np.empty((self.an, 3))
        i = 0
        for turn in sorted(self.turns, key=lambda x: x.t):
            j, k = int(turn.t * self.ai), int((turn.t + turn.dur) * self.ai) + 1
            j, k = max(i, min(j, self.an)), max(i, min(k, self.an))
            out[i:j] = g
            if k > j:
                f = np.linspace(0, 1, k - j)
                axis = turn.axis - (turn.axis @ g) * g
                axis /= np.linalg.norm(axis)
                out[j:k] = bg.turn(g, axis, turn.angle * (3 * f**2 - 2 * f**3))
                g = out[k - 1]
            i = k
        out[i:] = g
        knots = np.arange(0, self.seconds + 10, 10.0)
        for c in range(3):
            slow = ndimage.gaussian_filter1d(self.rng.standard_normal(len(knots)), 4.0)
            out[:, c] += 0.015 * np.interp(t, knots, slow)
            out[:, c] += self.rng.uniform(0, 0.0015) * np.sin(2 * np.pi * (0.24 * t + 0.3 * np.sin(0.05 * t)) + c)
        out /= np.linalg.norm(out, axis=1)[:, None]
        return out

    def finish(self, extra: dict[str, object]) -> Composed:
        """Convert the tracks and hand out the recording with its truth."""
        s, signals = self.setup, {}
        if self.has_emg:
            signals["emg1_uv"] = (self.convert(self.rest + self.emg), s.emg_fs)
            if s.second:
                signals["emg2_uv"] = (self.convert(self.rest2 + self.emg2), s.emg_fs)
        if self.has_acc:
            g = self._gravity()
            for t, a in self.walks:
                i = int(t * self.ai)
                a = a[: self.an - i]
                w = signal.windows.tukey(len(a), min(1.0, 3.0 * self.ai / len(a)))[:, None]
                g[i : i + len(a)] = g[i : i + len(a)] * (1 - w) + a * w
            total = g + self.acc
            sigma = s.acc_density_ug * 1e-6 * np.sqrt(self.ai / 2)
            gain = self.rng.uniform(0.98, 1.02, 3)
            offset = self.rng.uniform(-0.02, 0.02, 3)
            low = signal.butter(2, 0.42 * s.acc_fs, "low", fs=self.ai, output="sos")
            lsb = 2 * s.acc_range_g / 2**s.acc_bits
            for c, name in enumerate("xyz"):
                x = total[:, c] * gain[c] + offset[c] + sigma * self.rng.standard_normal(self.an)
                zi = signal.sosfilt_zi(low) * x[0]
                y = np.asarray(signal.sosfilt(low, x, zi=zi)[0], dtype=float)[:: round(self.ai / s.acc_fs)]
                y = np.clip(np.round(y / lsb), -(2 ** (s.acc_bits - 1)), 2 ** (s.acc_bits - 1) - 1) * lsb
                signals[f"acc_{name}_g"] = (y, s.acc_fs)
        meta: dict[str, object] = {k: v for k, v in s.__dict__.items()}
        meta |= {
            "noise_rms_uv": self.noise,
            "noise_rms_10_100_uv": self.noise_lm,
            "noise_without_hum_uv": self.noise_bare,
            **extra,
        }
        end = self.seconds
        rows = sorted((r for r in self.rows if r.onset < end - 0.02), key=lambda r: r.onset)
        return Composed(signals, rows, meta)
