"""The examination bench: a patient, a recording system and one night piece by piece.

Wanted muscle, background activity, artefacts and noise are kept apart until the end, so the truth
(sizes, onsets, signal-to-noise, true acceleration) is measured on the noise-free parts after they
went through the very same amplifier and sensor.
"""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, sosfiltfilt

from . import mechanics as mech
from . import sources as src
from .device import Accelerometer, Amplifier
from .records import Composed, FloatArray, Truth


@dataclass(frozen=True)
class Patient:
    """Who lies there and how well the electrodes stick (microvolts, g, beats/min)."""

    style: str = "benign"
    size: float = 1.0
    noise_uv: float = 2.5
    knee_hz: float = 25.0
    power: float = 1.2
    top_hz: float = 500.0
    level_depth: float = 0.08
    f0: float = 50.0
    hum_uv: float = 0.5
    harmonics: dict[int, float] = field(default_factory=dict)
    ecg_uv: float = 0.0
    ecg_smooth_ms: float = 2.0
    bpm: float = 62.0
    pulse_g: float = 0.0015
    wander_uv: float = 15.0
    offset_uv: float = 0.0


@dataclass
class Pending:
    """Event as placed, before its truth is measured."""

    kind: str
    waveform: str
    bursts: list[tuple[int, FloatArray]]
    channel: int = 0
    env: FloatArray | None = None
    acc_at: float | None = None
    acc_dur: float = 0.0
    in_activity: bool = False
    note: str = ""
    span: tuple[float, float] | None = None
    size_uv: float = 0.0


class Night:
    """Collects events on a time line and turns them into a recording."""

    def __init__(self, rng: np.random.Generator, patient: Patient, amp: Amplifier | None,
                 acc: Accelerometer | None, minutes: float, channels: int = 1) -> None:
        self.rng, self.patient, self.amp, self.acc = rng, patient, amp, acc
        self.dur = 60.0 * minutes
        self.fs = amp.fs_sim if amp else 2000.0
        self.fa = acc.fs_sim if acc else 400.0
        self.n, self.m = int(self.dur * self.fs), int(self.dur * self.fa)
        self.channels = channels if amp else 0
        self.muscle = np.zeros((max(1, self.channels), self.n if amp else 1))
        self.activity = np.zeros_like(self.muscle)
        self.artefact = np.zeros_like(self.muscle)
        self.gain = np.ones_like(self.muscle)
        self.trans = np.zeros((3, self.m if acc else 1))
        self.knocks = np.zeros_like(self.trans)
        self.grav = np.repeat(mech.direction(rng)[:, None], self.trans.shape[1], axis=1)
        self.events: list[Pending] = []
        self.t = float(rng.uniform(4, 12))

    # ---- placing -------------------------------------------------------------------------
    def emg(self, t: float, wave: FloatArray, channel: int = 0, cross: float = 0.0) -> tuple[int, FloatArray]:
        """Add a muscle wave (microvolts) at time `t`; the other channel hears `cross` of it, smoother."""
        i = int(round(t * self.fs))
        if self.amp is None or i < 0 or i + len(wave) >= self.n:
            return i, wave
        self.muscle[channel, i: i + len(wave)] += wave
        if self.channels > 1 and cross:
            pad = int(0.004 * self.fs)
            far = gaussian_filter1d(np.pad(wave, pad), 1.0e-3 * self.fs) * cross
            j = max(0, i - pad + int(self.rng.uniform(0, 0.003) * self.fs))
            far = far[: self.n - j]
            self.muscle[1 - channel, j: j + len(far)] += far
        return i, wave

    def put(self, where: FloatArray, t: float, wave: FloatArray, channel: int = 0) -> None:
        """Add a wave to one of the other EMG layers."""
        i = int(round(t * self.fs))
        if self.amp is not None and 0 <= i < self.n:
            wave = wave[: self.n - i]
            where[channel, i: i + len(wave)] += wave

    def shake(self, t: float, acc: FloatArray, knock: bool = False) -> None:
        """Add acceleration (3, k) at time `t`."""
        i = int(round(t * self.fa))
        if self.acc is not None and 0 <= i < self.m:
            acc = acc[:, : self.m - i]
            (self.knocks if knock else self.trans)[:, i: i + acc.shape[1]] += acc

    def tilt(self, t: float, dur: float, degrees: float, stays: bool) -> None:
        """Turn the leg by `degrees` within `dur` s, for good or there and back."""
        if self.acc is None:
            return
        path = mech.turn_path(self.rng, self.fa, dur, stays) * np.deg2rad(degrees)
        i = int(t * self.fa)
        if i + len(path) >= self.m:
            return
        axis = np.cross(self.grav[:, i], mech.direction(self.rng))
        axis /= max(float(np.linalg.norm(axis)), 1e-9)
        j = i + len(path)
        self.grav[:, i:j] = mech.rotate(self.grav[:, i:j], axis, path)
        if stays:
            self.grav[:, j:] = mech.rotate(self.grav[:, j:], axis, np.full(self.m - j, path[-1]))

    def gap(self, median: float = 8.0, spread: float = 0.65, low: float = 3.0, high: float = 40.0) -> float:
        """Natural pause between events (log-normal)."""
        return float(np.clip(np.exp(self.rng.normal(np.log(median), spread)), low, high))

    def room(self, need: float) -> bool:
        """Is there time left for an event of `need` seconds?"""
        return self.t + need < self.dur - 6.0

    # ---- recording -----------------------------------------------------------------------
    def _electrode_noise(self) -> FloatArray:
        p, rng = self.patient, self.rng
        x = p.noise_uv * src.coloured(rng, self.n, self.fs, p.knee_hz, p.power, p.top_hz)
        x *= src.slow_level(rng, self.n, self.fs, p.level_depth)
        assert self.amp is not None
        x += self.amp.white_uv * src.coloured(rng, self.n, self.fs, 3.0, 1.0, 3000.0)
        if p.hum_uv > 0:
            x += src.mains(rng, self.n, self.fs, p.f0, p.hum_uv, p.harmonics)
        return x

    def finish(self, family: str, seed: int) -> Composed:
        """Record everything and measure the truth."""
        rng, p = self.rng, self.patient
        signals: dict[str, tuple[FloatArray, float]] = {}
        meta: dict[str, object] = {"family": family, "seed": seed, "duration_s": self.dur, "hum_rms_uv": p.hum_uv,
                                   "mains_hz": p.f0, "ecg_r_uv": p.ecg_uv, "bpm": p.bpm, "pulse_g": p.pulse_g}
        beats = src.heart_times(rng, self.dur, p.bpm)
        bands: list[FloatArray] = []
        levels: list[FloatArray] = []
        if self.amp is not None:
            amp = self.amp
            sos = butter(2, [20, min(450.0, 0.45 * amp.fs)], "bandpass", fs=amp.fs, output="sos")
            for c in range(self.channels):
                noise = amp.chain(self._electrode_noise() * self.gain[c])
                event = amp.chain(self.muscle[c] * self.gain[c])
                rest = self.activity[c] * self.gain[c] + self.artefact[c] + p.offset_uv
                rest += src.wander(rng, self.n, self.fs, p.wander_uv)
                if p.ecg_uv > 0:
                    part = p.ecg_uv * (1.0 if c == 0 else rng.uniform(0.5, 1.3))
                    rest += src.ecg_trace(rng, self.n, self.fs, beats, part, p.ecg_smooth_ms)
                signals[f"emg{c + 1}_uv"] = (amp.convert(noise + event + amp.chain(rest)), amp.fs)
                bands.append(sosfiltfilt(sos, event))
                power = np.cumsum(np.concatenate(([0.0], sosfiltfilt(sos, noise) ** 2)))
                levels.append(power)
                meta[f"noise_rms_uv_emg{c + 1}"] = float(np.sqrt(power[-1] / (len(power) - 1) + amp.lsb ** 2 / 12))
            meta.update(noise_rms_uv=meta["noise_rms_uv_emg1"], emg_fs=amp.fs, emg_bits=amp.bits, emg_lsb_uv=amp.lsb,
                        emg_range_uv=amp.range_uv, emg_band_hz=(amp.hp_hz, amp.lp_hz), amplifier=amp.name)
        clean = np.zeros((3, 1))
        every = event_a = clean
        if self.acc is not None:
            acc = self.acc
            pulse = np.zeros_like(self.trans)
            beat = mech.pulse_beat(rng, self.fa, p.pulse_g)
            for b in beats:
                i = int((b + 0.22) * self.fa)
                if i + beat.shape[1] < self.m:
                    pulse[:, i: i + beat.shape[1]] += beat * rng.uniform(0.75, 1.25)
            breath = rng.uniform(0.0003, 0.004) * np.sin(2 * np.pi * rng.uniform(.2, .3) * np.arange(self.m) / self.fa)
            rest_a = pulse + np.outer(mech.direction(rng), breath)
            event_a = acc.chain(self.trans + self.grav)
            total = event_a + acc.chain(rest_a) + acc.chain(self.knocks)
            sos = butter(2, 0.5, "high", fs=acc.fs, output="sos")
            clean = sosfiltfilt(sos, event_a, axis=1)
            every = sosfiltfilt(sos, event_a + acc.chain(self.knocks), axis=1)
            for k, axis in enumerate("xyz"):
                signals[f"acc_{axis}_g"] = (acc.convert(total[k], rng), acc.fs)
            meta.update(acc_fs=acc.fs, acc_bits=acc.bits, acc_range_g=acc.range_g, accelerometer=acc.name)
        from .judge import judge
        return Composed(signals, judge(self, bands, levels, (event_a, clean, every)), meta)
