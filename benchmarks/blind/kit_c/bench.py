"""The bench: holds the growing recording, measures each clean event as the device would keep it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from . import background as bg
from .devices import Acc, Emg, acc_sos, amp_sos, band, band_rms, convert, inner_rate
from .types import Array, Composed, Truth
from .waves import Rng, add_at, loguni


@dataclass(frozen=True)
class Setting:
    """What a family asks of the background (ranges in µV or g; zero = absent)."""

    noise: tuple[float, float] = (1.0, 8.0)
    mains: tuple[float, float] = (0.3, 30.0)
    mains_chance: float = 0.6
    ecg: tuple[float, float] = (3.0, 40.0)
    ecg_chance: float = 0.3
    pulse_chance: float = 0.5
    wander: tuple[float, float] = (5.0, 200.0)
    two_chance: float = 0.15


@dataclass
class Bench:
    """A recording in the making.

    Parameters
    ----------
    rng, dur : generator and length (s)
    emg, acc : devices, None = column absent
    setting : background
    """

    rng: Rng
    dur: float
    emg: Emg | None
    acc: Acc | None
    setting: Setting
    truth: list[Truth] = field(default_factory=list)
    turns: list[tuple[float, float, Array, bool]] = field(default_factory=list)
    meta: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        r, s = self.rng, self.setting
        self.beats = bg.beats(r, self.dur)
        self.noise_rms = self.quiet_rms = 1.0
        if self.emg is not None:
            self.ei, self.ek = inner_rate(self.emg.fs, 2000)
            self.sos = amp_sos(self.emg, self.ei)
            n = int(self.dur * self.emg.fs) * self.ek
            self.two = bool(r.random() < s.two_chance)
            self.rest = [self._rest(n, k) for k in range(1 + self.two)]
            self.ev = [np.zeros(n) for _ in self.rest]
        if self.acc is not None:
            self.ai, self.ak = inner_rate(self.acc.fs, 400)
            self.asos = acc_sos(self.acc, self.ai, r.uniform(0.35, 0.48))
            self.dyn = np.zeros((3, int(self.dur * self.acc.fs) * self.ak))
            g = r.standard_normal(3)
            self.g0 = self.g = g / np.linalg.norm(g)

    def _rest(self, n: int, channel: int) -> Array:
        """Resting EMG at the amplifier's output (synthesis rate), and its measured levels."""
        r, s, d = self.rng, self.setting, self.amp
        target = loguni(r, *s.noise)
        x = bg.coloured(r, n, self.ei, loguni(r, 0.01, 1.0), r.uniform(0.4, 1.1))
        x *= bg.swell(r, n, self.ei, r.uniform(1, 1.5))
        unit = band_rms(sosfilt(self.sos, x[:int(60 * self.ei)])[::self.ek], d.fs)
        x *= target / unit
        x += bg.weak_bursts(r, n, self.ei, target * r.uniform(0, 0.5))
        lsb = 2 * d.full_uv / 2**d.bits
        info: dict[str, object] = {"mains_hz": 0.0, "mains_uv": 0.0}
        if s.wander[1] > 0:
            x += bg.wander(r, n, self.ei, loguni(r, *s.wander))
        hum = np.zeros(n)
        if r.random() < s.mains_chance:
            hum, info = bg.mains(r, n, self.ei, loguni(r, *s.mains))
        y = sosfilt(self.sos, x)
        k = slice(None, int(120 * self.ei), self.ek)
        quiet = max(band_rms(convert(y[k], d.full_uv, d.bits), d.fs), 0.2 * lsb)
        y += sosfilt(self.sos, hum)
        total = max(band_rms(convert(y[k], d.full_uv, d.bits), d.fs), 0.2 * lsb)
        add = np.zeros(n)
        if r.random() < s.ecg_chance:
            size = loguni(r, *s.ecg)
            add += bg.ecg(r, n, self.ei, self.beats, size)
            info["ecg_uv"] = size
        if channel == 0:
            self.noise_rms, self.quiet_rms = total, quiet
            self.meta |= {"noise_rms_uv": total, "noise_without_mains_uv": quiet, **info}
        return y + sosfilt(self.sos, add)

    @property
    def amp(self) -> Emg:
        """The EMG device (there must be one)."""
        assert self.emg is not None
        return self.emg

    @property
    def mems(self) -> Acc:
        """The accelerometer (there must be one)."""
        assert self.acc is not None
        return self.acc

    # ---- EMG -------------------------------------------------------------------------------
    def record(self, x: Array) -> Array:
        """Clean event behind the amplifier, with 0.5 s of after-ring."""
        return sosfilt(self.sos, np.concatenate([x, np.zeros(int(0.5 * self.ei))]))

    def scaled(self, x: Array, uv: float) -> Array:
        """``x`` so that its recorded peak-to-peak is ``uv``, though no more than 6 ``uv`` at the skin."""
        pp = float(np.ptp(self.record(x)[::max(1, self.ek // 4)]))
        return x * uv / max(pp, np.ptp(x) / 6)

    def measure(self, x: Array, t: float, part: float = 0.04) -> tuple[float, float, float, float]:
        """Start (s after ``t``), duration (s), peak-to-peak and 20–450 Hz peak-to-peak (µV) of an event put at ``t``.

        The start is that of the recorded wave, the duration that of the wave at the skin (the slow
        after-swing of a high-pass is no muscle activity); both above the noise or a ``part`` of the peak.
        With ``part`` 0 (artefacts) the end is that of the recorded wave. Sizes are those of the samples really taken.
        """
        y = self.record(x)
        kept = y[-round(t * self.ei) % self.ek::self.ek]
        w = y if self.amp.low >= 5 else sosfilt(butter(1, 5, "high", fs=self.ei, output="sos"), y)
        gain = np.abs(w).max() / np.abs(x).max()

        def over(v: Array, noise: float) -> NDArray[np.intp]:
            a = np.abs(v)
            return np.flatnonzero(a >= min(max(noise, part * a.max()), 0.5 * a.max()))
        hit = over(w, self.quiet_rms)
        skin = over(x, self.quiet_rms / gain) if part else hit
        return (float(hit[0] / self.ei), float((skin[-1] - skin[0] + 1) / self.ei), float(np.ptp(kept)),
                float(np.ptp(band(kept, self.amp.fs))))

    def put_emg(self, t: float, x: Array, side: float | None = None) -> None:
        """Add a skin potential at ``t`` to channel 1 and a weaker, maybe inverted one to channel 2."""
        i = round(t * self.ei)
        add_at(self.ev[0], i, x)
        if self.two:
            r = self.rng
            side = loguni(r, 0.05, 0.9) * (1 if r.random() < 0.7 else -1) if side is None else side
            add_at(self.ev[1], i + int(r.uniform(0, 1.5e-3) * self.ei), side * x)

    # ---- acceleration ----------------------------------------------------------------------
    def kept_g(self, a: Array) -> tuple[float, float]:
        """Peak g and largest sample-to-sample jerk (g/s) that the sensor keeps of a clean event."""
        y = sosfilt(self.asos, np.pad(a, ((0, 0), (self.ak, int(0.2 * self.ai)))), axis=1)[:, ::self.ak]
        j = np.linalg.norm(np.diff(y, axis=1), axis=0) * self.mems.fs
        return float(np.linalg.norm(y, axis=0).max()), float(j.max())

    def scaled_g(self, a: Array, g: float) -> Array:
        """``a`` so that the kept peak is ``g``, the true one at most 2.2 times more and under 4.2 g."""
        true = float(np.linalg.norm(a, axis=0).max())
        return a * min(g / max(self.kept_g(a)[0], true / 2.2), 4.2 / true)

    def put_acc(self, t: float, a: Array) -> None:
        """Add a dynamic acceleration at ``t``."""
        i = round(t * self.ai)
        for k in range(3):
            add_at(self.dyn[k], i, a[k])

    def turn(self, t: float, seconds: float, degrees: float, back: bool = False) -> None:
        """Turn gravity in the sensor's frame by an angle along a minimum-jerk ramp (and back)."""
        if self.acc is None:
            return
        p = self.rng.standard_normal(3)
        p -= p @ self.g * self.g
        p /= np.linalg.norm(p)
        a = np.radians(degrees)
        new = np.cos(a) * self.g + np.sin(a) * p
        self.turns.append((t, seconds, new, back))
        if not back:
            self.g = new

    def _gravity(self, n: int) -> Array:
        """Gravity over time from the list of turns."""
        out, now, at = np.empty((3, n)), self.g0, 0
        for t, sec, new, back in self.turns:
            i, k = int(t * self.ai), max(2, int(sec * self.ai))
            if i >= n:
                break
            out[:, at:i] = now[:, None]
            u = (np.arange(k) + 0.5) / k
            if back:
                u = 1 - np.abs(2 * u - 1)
            w = u**3 * (10 - 15 * u + 6 * u**2)
            om = np.arccos(np.clip(now @ new, -1, 1))
            ramp = (np.outer(now, np.sin((1 - w) * om)) + np.outer(new, np.sin(w * om))) / np.sin(om)
            m = min(k, n - i)
            out[:, i:i + m] = ramp[:, :m]
            at, now = i + m, now if back else new
        out[:, at:] = now[:, None]
        return out

    # ---- end -------------------------------------------------------------------------------
    def finish(self) -> Composed:
        """Filter, sample, add sensor noise, convert; sort the truth."""
        r, out = self.rng, {}
        if (e := self.emg) is not None:
            for k, (rest, ev) in enumerate(zip(self.rest, self.ev, strict=True)):
                y = (rest + sosfilt(self.sos, ev))[::self.ek]
                out[f"emg{k + 1}_uv"] = (convert(y, e.full_uv, e.bits), e.fs)
            self.meta |= {"emg_device": e.name, "emg_fs": e.fs, "emg_bits": e.bits, "emg_full_uv": e.full_uv,
                          "emg_band_hz": (e.low, e.high), "emg_lsb_uv": 2 * e.full_uv / 2**e.bits}
        if (a := self.acc) is not None:
            n = self.dyn.shape[1]
            x = self.dyn + self._gravity(n)
            if r.random() < self.setting.pulse_chance:
                size = loguni(r, 0.3e-3, 5e-3)
                x += bg.pulse_acc(r, n, self.ai, self.beats, size)
                self.meta["pulse_g"] = size
            y = sosfilt(self.asos, x - self.g0[:, None], axis=1)[:, ::self.ak] + self.g0[:, None]
            rms = a.density * 1e-6 * np.sqrt(a.fs / 2)
            for k, axis in enumerate("xyz"):
                m = y.shape[1]
                noise = rms * r.standard_normal(m) + 0.6e-3 * bg.slow_walk(r, m, a.fs, 60)
                z = y[k] * r.uniform(0.98, 1.02) + r.normal(0, 0.012) + noise
                out[f"acc_{axis}_g"] = (convert(z, a.full_g, a.bits), a.fs)
            self.meta |= {"acc_fs": a.fs, "acc_bits": a.bits, "acc_full_g": a.full_g,
                          "acc_noise_ug_rthz": a.density, "acc_noise_rms_g": rms}
        truth = sorted(self.truth, key=lambda q: q.onset)
        return Composed(out, truth, self.meta | {"duration_s": self.dur})

