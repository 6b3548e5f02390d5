"""The stage: one recording being filled, event by event, with its truth."""

from __future__ import annotations

import numpy as np
from scipy import signal

from . import rig as hw
from .limb import FS_MECH, draw_limb, glide, respond, turn
from .muscle import Muscle, Spikes, render_emg, render_force
from .records import Composed, Rig, Truth
from .volume import draw_site

_ACC_BAND = signal.butter(2, [0.5, 40.0], "band", fs=FS_MECH, output="sos")


def shape_name(x: np.ndarray) -> str:
    """One-sided if the smaller polarity is below 35 %; else count the lobes above 15 % of the peak."""
    if min(x.max(), -x.min()) < 0.35 * np.abs(x).max():
        return "one_sided"
    big = x[np.abs(x) > 0.15 * np.abs(x).max()]
    lobes = 1 + int(np.sum(np.diff(np.sign(big)) != 0))
    return {1: "monophasic", 2: "biphasic", 3: "triphasic"}.get(lobes, "polyphasic")


class Scene:
    """Signals under construction; ``t`` is the running time where the next event may come."""

    def __init__(self, rig: Rig, rng: np.random.Generator) -> None:
        self.rig, self.rng = rig, rng
        self.span = rig.minutes * 60.0
        self.fs = rig.fs_syn
        self.n = int(self.span * self.fs)
        self.has_emg, self.has_acc = rig.fs_emg is not None, rig.fs_acc is not None
        self.emg = np.zeros((rig.n_ch, self.n)) if self.has_emg else np.zeros((1, 0))
        self.gain = np.ones(self.n, dtype=np.float32) if self.has_emg else np.ones(0, dtype=np.float32)
        m = int(self.span * FS_MECH)
        self.acc = np.zeros((m, 3))
        g = rng.normal(size=3)
        g = g / np.linalg.norm(g)
        self.limb = draw_limb(rng)
        if rig.standing:
            g = self.limb.radial.copy()
        self.grav = np.tile(g, (m, 1))
        self.muscle = Muscle(rng, draw_site(rng, rig.n_ch))
        foci = [self.muscle.focus() for _ in range(int(rng.integers(3, 9)))]
        self.foci = sorted(foci, key=lambda u: min(u.shape[0].max(), -u.shape[0].min()) / np.abs(u.shape[0]).max())
        self.truth: list[Truth] = []
        self.t = float(rng.uniform(6, 14))
        self.meta: dict = {}
        self.patches: list[tuple[int, np.ndarray]] = []
        self.twitch_uv, self.jerk_uv = (20.0, 5000.0), (30.0, 5000.0)
        self.jerk_g, self.move_uv = (0.13, 4.0), (12.0, 800.0)
        self.band_part = 1.0
        self.pop_uv = (20.0, 20000.0)
        probe = render_emg(self.muscle.drive(np.full(200, 0.9), 100.0), rig.n_ch, 2.0, 2000.0)[0]
        self.full_uv = float(np.std(probe[1000:])) + 1e-6

    @property
    def noise(self) -> float:
        """Resting RMS (uV)."""
        return self.rig.rest_uv

    def gap(self, low: float = 3.0, high: float = 30.0) -> None:
        """Move on by a natural pause."""
        self.t += float(np.clip(low + self.rng.exponential((high - low) / 3.2), low, high * 1.3))

    def left(self) -> float:
        """Seconds still free."""
        return self.span - 12.0 - self.t

    def gravity_at(self, t: float) -> np.ndarray:
        """Gravity in the sensor's frame."""
        return self.grav[min(max(int(t * FS_MECH), 0), len(self.grav) - 1)].copy()

    def rotate(self, t: float, length_s: float, angle: float, axis: np.ndarray | None = None) -> np.ndarray:
        """Turn the leg for good from ``t`` on; the swing's own acceleration is added too.

        Returns
        -------
        numpy.ndarray
            The added dynamic acceleration, local, from ``t`` - 1 s to ``t`` + length + 1 s.
        """
        ax = self.limb.axis if axis is None else axis
        i0 = int(t * FS_MECH)
        ln = int(length_s * FS_MECH)
        i1 = min(i0 + ln, len(self.grav))
        g = self.gravity_at(t)
        ang = glide(i1 - i0, 0, ln, angle)
        self.grav[i0:i1] = turn(g, ax, ang)
        self.grav[i1:] = turn(g, ax, np.array([angle]))[0]
        second = np.gradient(np.gradient(ang)) * FS_MECH**2 * self.limb.arm_m / 9.81
        side = np.cross(ax, g)
        side = side / (np.linalg.norm(side) + 1e-9)
        self.acc[i0:i1] += second[:, None] * side
        a, b = max(0, i0 - int(FS_MECH)), min(len(self.grav), i1 + int(FS_MECH))
        return self.grav[a:b] - g + self.acc[a:b]

    def dyn(self, local: np.ndarray) -> tuple[float, float]:
        """Peak of the 0.5-40 Hz vector (g) and of its change (g/s)."""
        y = signal.sosfiltfilt(_ACC_BAND, np.pad(local, ((500, 500), (0, 0)), mode="edge"), axis=0)
        return float(np.linalg.norm(y, axis=1).max()), float(np.linalg.norm(np.diff(y, axis=0), axis=1).max() * FS_MECH)

    def measure(self, x: np.ndarray) -> tuple[float, float, float]:
        """First activity above noise (s), its length (s) and peak to peak (uV) of a clean local potential.

        The level is the resting RMS, at most a quarter and at least 2 % of the peak.
        """
        pk = float(np.abs(x).max())
        if pk <= 0:
            return 0.0, 0.0, 0.0
        if len(x) > self.fs * 0.02:
            sos = signal.butter(2, [20.0, min(450.0, 0.45 * (self.rig.fs_emg or 1000.0), self.rig.lp_hz)], "band", fs=self.fs, output="sos")
            self.band_part = float(np.ptp(signal.sosfiltfilt(sos, x, padlen=min(len(x) - 1, 200))) / (np.ptp(x) + 1e-12))
        on = np.flatnonzero(np.abs(x) > max(min(self.noise, 0.25 * pk), 0.02 * pk))
        return on[0] / self.fs, (on[-1] - on[0] + 1) / self.fs, float(np.ptp(x))

    def put(
        self, spikes: Spikes, t0: float, span_s: float, *, pp_uv: float | None = None, rms_uv: float | None = None,
        peak_g: float = 0.0, delay_s: float | None = None, force: np.ndarray | None = None,
    ) -> tuple[np.ndarray, float, float]:
        """Play spikes into both signals.

        Parameters
        ----------
        spikes : list
            What fires, relative to ``t0``.
        t0, span_s : float
            Start and length of the local window (potentials after it are cut off).
        pp_uv, rms_uv : float, optional
            Scale the whole source to this peak to peak, or to this RMS of its strongest 0.3 s.
        peak_g : float
            Peak acceleration wanted (0: none).
        delay_s : float, optional
            Nerve discharge to force; drawn if absent.
        force : numpy.ndarray, optional
            Force profile instead of the units' twitches.

        Returns
        -------
        tuple
            Clean potential of channel 1, true peak (g) and peak change (g/s).
        """
        i0 = int(t0 * self.fs)
        n = min(int(span_s * self.fs), self.n - i0) if self.has_emg else int(span_s * self.fs)
        x = render_emg(spikes, self.rig.n_ch, n / self.fs, self.fs)
        scale = 1.0
        if pp_uv is not None:
            scale = pp_uv / (np.ptp(x[0]) + 1e-9)
        elif rms_uv is not None:
            w = max(1, int(0.3 * self.fs))
            power = np.convolve(x[0] ** 2, np.ones(w) / w, "same")
            scale = rms_uv / (np.sqrt(power.max()) + 1e-9)
        x *= scale
        if self.has_emg:
            m = min(x.shape[1], self.n - i0)
            self.emg[:, i0:i0 + m] += x[:, :m]
        got, jerk = 0.0, 0.0
        if peak_g > 0:
            f = render_force(spikes, span_s + 2.5, FS_MECH) if force is None else force
            got, jerk = self.push(f, t0, peak_g, delay_s)
        return x[0], got, jerk

    def push(self, force: np.ndarray, t0: float, peak_g: float, delay_s: float | None = None) -> tuple[float, float]:
        """Let a force move the leg; gives the true peak (g) and peak change (g/s)."""
        lag = int((self.rng.uniform(0.006, 0.055) if delay_s is None else delay_s) * FS_MECH)
        f = np.concatenate([np.zeros(lag), force])
        local = respond(f, self.limb, self.gravity_at(t0), peak_g, self.rng)
        k0 = int(t0 * FS_MECH)
        m = min(len(local), len(self.acc) - k0)
        self.acc[k0:k0 + m] += local[:m]
        return self.dyn(local[:m])

    def moved(self, t0: float, t1: float) -> tuple[float, float]:
        """True peak (g) and peak change (g/s) of the clean acceleration so far, between two times."""
        a, b = max(0, int((t0 - 2) * FS_MECH)), min(len(self.acc), int((t1 + 2) * FS_MECH))
        y = signal.sosfiltfilt(_ACC_BAND, self.acc[a:b] + self.grav[a:b], axis=0)
        y = y[int(t0 * FS_MECH) - a:max(int(t1 * FS_MECH) - a, int(t0 * FS_MECH) - a + 4)]
        return float(np.linalg.norm(y, axis=1).max()), float(np.linalg.norm(np.diff(y, axis=0), axis=1).max() * FS_MECH)

    def acc_span(self, t0: float, t1: float) -> tuple[float, float]:
        """Onset and length (s) of the clean acceleration: above 15 mg, or its change above 15 mg per 1/60 s."""
        a, b = max(1, int(t0 * FS_MECH)), min(int(t1 * FS_MECH), len(self.acc))
        change = np.linalg.norm(np.diff(self.acc[a - 1:b] + self.grav[a - 1:b], axis=0), axis=1) * FS_MECH / 60.0
        both = np.maximum(change, np.linalg.norm(self.acc[a:b], axis=1))
        on = np.flatnonzero(both > min(0.015, 0.1 * both.max() + 1e-9))
        return t0 + on[0] / FS_MECH, (on[-1] - on[0] + 1) / FS_MECH

    def patch(self, t0: float, x: np.ndarray) -> None:
        """Add an electrode or wire potential that a loose contact does not take away."""
        self.patches.append((int(t0 * self.fs), x))

    def note(
        self, onset: float, duration: float, kind: str, waveform: str, pp: float = 0.0, peak_g: float = 0.0,
        bursts: tuple[float, ...] | None = None, in_activity: bool = False, note: str = "",
    ) -> None:
        """Write one truth row."""
        snr = pp / self.noise if self.has_emg and pp > 0 else 0.0
        g = peak_g if self.has_acc else 0.0
        if pp > 0 and self.has_emg and self.band_part < 0.6:
            note = f"{note}; {pp * self.band_part:.0f} uV p-p within 20-450 Hz".lstrip("; ")
        self.band_part = 1.0
        self.truth.append(Truth(float(onset), float(duration), kind, waveform, float(pp if self.has_emg else 0.0), float(snr),
                                float(g), bursts if bursts is not None else (float(onset),), in_activity, note))

    def finish(self) -> Composed:
        """Add noise, hum, heart and wander; convert; sort the truth."""
        r, rng = self.rig, self.rng
        signals: dict[str, tuple[np.ndarray, float]] = {}
        heart = hw.beats(rng, r, self.span)
        meta = dict(self.meta)
        if self.has_emg:
            hum = hw.mains(rng, r, self.n)
            beat = hw.ecg(rng, r, heart, self.n) if r.ecg_uv > 0 else None
            for ch in range(r.n_ch):
                x = self.emg[ch]
                x += hw.electrode_noise(rng, r, self.n)
                if r.wander_uv > 0:
                    x += hw.wander(rng, r, self.n)
                x *= self.gain
                x += hum * (1.0 if ch == 0 else rng.uniform(0.5, 1.5))
                if beat is not None:
                    x += beat * self.gain * (1.0 if ch == 0 else rng.uniform(0.4, 1.2))
                for i0, piece in self.patches:
                    m = min(len(piece), self.n - i0)
                    x[i0:i0 + m] += piece[:m] * (1.0 if ch == 0 else 0.4)
                signals[f"emg{ch + 1}_uv"] = (hw.convert_emg(rng, r, x), float(r.fs_emg or 0))
            meta |= {"noise_rms_uv": float(np.hypot(r.noise_uv, r.lsb_uv / 12**0.5)), "resting_rms_uv": r.rest_uv,
                     "mains_uv": r.mains_uv, "mains_hz": r.mains_hz, "bits": r.bits, "range_uv": r.range_uv,
                     "lsb_uv": r.lsb_uv, "band_hz": (r.hp_hz, r.lp_hz), "fs_emg": r.fs_emg, "ecg_uv": r.ecg_uv}
        if self.has_acc:
            body = self.acc + self.grav
            if r.pulse_mg > 0:
                body = body + hw.pulse(rng, r, heart, len(body))
            out = hw.convert_acc(rng, r, body)
            for k, name in enumerate("xyz"):
                signals[f"acc_{name}_g"] = (out[:, k].copy(), float(r.fs_acc or 0))
            meta |= {"fs_acc": r.fs_acc, "acc_noise_ug": r.acc_noise_ug, "acc_bits": r.acc_bits, "pulse_mg": r.pulse_mg}
        pair = self.muscle.site.pairs[0]
        meta |= {"heart_hz": r.heart_hz, "spacing_mm": pair.spacing_mm, "electrode_z_mm": pair.z_mm,
                 "fat_mm": self.muscle.site.fat_mm, "duration_s": self.span}
        return Composed(signals, sorted(self.truth, key=lambda e: e.onset), meta)
