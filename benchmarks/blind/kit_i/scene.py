"""A recording under construction: layers of muscle, activity and artefact."""

import zlib

import numpy as np

from . import background, limb, muscle, potentials
from .devices import DEVICES
from .truth import Intent


def log_uniform(rng, low, high):
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


class Scene:
    def __init__(self, family, seed, devices, minutes, emg=True, acc=True, noise=None, short=1.0):
        self.rng = np.random.default_rng([zlib.crc32(family.encode()), seed, 91])
        rng = self.rng
        self.dev = DEVICES[devices[rng.integers(len(devices))]]
        self.family, self.seed = family, seed
        self.mains = float(rng.choice([50, 60]))
        self.seconds = float(minutes * 60 * rng.uniform(0.92, 1.08))
        self.has_emg, self.has_acc = emg, acc and self.dev.acc_fs > 0
        dev = self.dev
        self.fs = dev.sim_fs
        samples = int(self.seconds * dev.fs)
        self.seconds = samples / dev.fs
        self.n = samples * dev.up
        self.channels = dev.channels if emg else 1
        self.layers = {}
        self.acc_layers = {}
        if self.has_acc:
            self.afs = dev.acc_sim_fs
            self.an = int(self.seconds * dev.acc_fs) * dev.acc_up
        self.noise_uv = noise or log_uniform(rng, 0.7, 5.0)
        self.flavour = str(rng.choice(["real", "skin", "white"]))
        self.hum_uv = log_uniform(rng, 0.05, 1.0) * self.noise_uv * 0.6
        self.poses = [(0.0, 0.0, limb.unit_vector(rng))]
        self.intents, self.taken, self.dropouts = [], [], []
        self.heart = background.beats(rng, self.seconds, rng.uniform(52, 78) / min(1, short**0.5))
        self.ecg_uv = log_uniform(rng, 0.02, 0.6) * self.noise_uv
        self.pulse_mg = log_uniform(rng, 0.3, 4.0)
        self.short = short
        self.units = muscle.pool(rng, self.fs, int(rng.integers(14, 30)), short)
        self.delay = rng.uniform(0.01, 0.08)
        self.second = rng.uniform(0.15, 1.1)

    # ---- room in time -------------------------------------------------
    def is_free(self, t, length, gap=0.8):
        if t < 4 or t + length > self.seconds - 5:
            return False
        return all(t + length + gap < a or t - gap > b for a, b in self.taken)

    def take(self, t, length):
        self.taken.append((t, t + length))

    def slot(self, length, gap=0.8, low=None, high=None):
        """A free place, or None."""
        low = 6 if low is None else low
        high = self.seconds - 8 - length if high is None else high - length
        for _ in range(60):
            if high <= low:
                return None
            t = float(self.rng.uniform(low, high))
            if self.is_free(t, length, gap):
                self.take(t, length)
                return t
        return None

    # ---- adding to layers ---------------------------------------------
    def layer(self, name, channel):
        key = (name, channel)
        if key not in self.layers:
            self.layers[key] = np.zeros(self.n)
        return self.layers[key]

    def add_emg(self, name, t, y, second=None):
        if not self.has_emg:
            return
        a = int(round(t * self.fs))
        parts = [y]
        if self.channels == 2:
            k = self.second if second is None else second
            lag = int(self.rng.uniform(0, 0.003) * self.fs) if name == "muscle" else 0
            parts.append(k * np.concatenate([np.zeros(lag), y]))
        for c, p in enumerate(parts):
            b = min(self.n, a + len(p))
            if a < self.n and np.any(p):
                self.layer(name, c)[a:b] += p[: b - a]

    def add_acc(self, name, t, a3):
        if not self.has_acc:
            return
        if name not in self.acc_layers:
            self.acc_layers[name] = np.zeros((3, self.an))
        a = int(round(t * self.afs))
        b = min(self.an, a + a3.shape[1])
        if a < self.an:
            self.acc_layers[name][:, a:b] += a3[:, : b - a]

    def up_at(self, t):
        now = self.poses[0][2]
        for at, _, v in self.poses:
            if at <= t:
                now = v
        return now

    def note(self, start, stop, style, waveform, **more):
        self.intents.append(Intent(start, stop, style, waveform, **more))

    # ---- muscle events --------------------------------------------------
    def twitch(self, t, uv, seconds, mg=None, bare=None, name=None, inner=(), **more):
        """One potential; `inner` are further discharges (offsets in s)."""
        rng = self.rng
        if bare is None:
            y, name, _ = potentials.unit(rng, seconds, self.fs)
        else:
            y = potentials.stretch(bare[0], bare[1], seconds, self.fs)
            name = name or bare[2]
        y = y * uv
        stop = t + seconds
        total = y
        times = [t]
        for off in inner:
            k = int(off * self.fs)
            grow = rng.uniform(0.75, 1.1)
            both = np.zeros(max(len(total), k + len(y)))
            both[: len(total)] += total
            both[k : k + len(y)] += grow * y
            total = both
            times.append(t + off)
            stop = t + off + seconds
        self.add_emg("muscle", t, total)
        mg = log_uniform(rng, 0.5, 30) if mg is None else mg
        if self.has_acc and mg > 0.05:
            k, _ = limb.kick(rng, self.afs, [o - t for o in times], [seconds] * len(times),
                             [1] * len(times), rng.uniform(0.01, 0.08), slow=1.2)
            self.add_acc("muscle", t, k * mg / 1000)
        self.note(t, stop, "twitch", name, burst_times=tuple(times), **more)

    def jerk(self, t, uv, times, lengths, g, delay=None, skew=(1.6, 2.6), sizes=None,
             mode=None, waveform="volley", tail=0.0, tail_part=0.3, quiet=0.0, **more):
        """Bursts at t + times; may be followed by a tonic tail after `quiet` s."""
        rng = self.rng
        sizes = sizes if sizes is not None else rng.uniform(0.5, 1.0, len(times))
        units = [self.units[i] for i in rng.integers(0, len(self.units), rng.integers(6, 16))]
        for at, length, s in zip(times, lengths, sizes):
            y = muscle.volley(rng, self.fs, length, units, skew)
            self.add_emg("muscle", t + at, y * uv * s)
        stop = t + times[-1] + lengths[-1]
        if tail:
            y = muscle.contraction(rng, self.fs, tail, self.units * 2, rng.uniform(0.6, 1), rise=0.01, top_rate=70)
            start = stop + quiet - (0 if quiet else min(0.02, lengths[-1] / 2))
            self.add_emg("muscle", start, muscle.scale_to(y, uv * tail_part * rng.uniform(0.7, 1.8)))
            stop = start + tail
        delay = self.rng.uniform(0.01, 0.08) if delay is None else delay
        if self.has_acc and g > 0:
            k, name = limb.kick(rng, self.afs, times, lengths, sizes, delay, mode)
            self.add_acc("muscle", t, k * g)
            waveform = f"{waveform}+{name}"
        style = "movement" if tail > 0.55 and not quiet else "burst"
        self.note(t, stop, style, waveform, burst_times=tuple(t + x for x in times), **more)

    def leg_movement(self, t, seconds, uv, degrees, jerky=0.0, shiver=0.0, **more):
        """A leg movement: contraction, the limb turns and comes back."""
        rng = self.rng
        y = muscle.contraction(rng, self.fs, seconds, self.units, rng.uniform(0.25, 0.95))
        self.add_emg("muscle", t, muscle.scale_to(y, uv))
        delay = rng.uniform(0.02, 0.08)
        if self.has_acc:
            up = self.up_at(t)
            self.add_acc("muscle", t, limb.lift(rng, self.afs, seconds, degrees, delay, up, shiver))
            if jerky:
                k, _ = limb.kick(rng, self.afs, [0], [0.1], [1], delay)
                self.add_acc("muscle", t, k * jerky)
        self.note(t, t + seconds, "movement", more.pop("waveform", "leg_movement"), **more)

    def posture(self, t, span, degrees, uv=0.0):
        """The whole leg comes to lie otherwise; with or without own muscle."""
        old = self.up_at(t)
        self.poses.append((t, span, limb.rotated(self.rng, old, degrees)))
        if self.has_acc and degrees > 0:
            wob = 0.02 * np.sin(np.linspace(0, self.rng.uniform(2, 9) * np.pi, int(span * self.afs)))
            wob *= np.hanning(len(wob))
            self.add_acc("muscle", t, limb.unit_vector(self.rng)[:, None] * wob)
        if uv:
            y = muscle.contraction(self.rng, self.fs, span, self.units, 0.7, wavy=0.5)
            self.add_emg("muscle", t, muscle.scale_to(y, uv))
            self.note(t, t + span, "movement", "turn_with_muscle", note=f"turns {degrees:.0f} degrees")
        else:
            self.note(t, t + span, "posture", "turn", note=f"turns {degrees:.0f} degrees")

    def artefact(self, t, y, uv, waveform, acc=None, regular=False, second=None, **more):
        rng = self.rng
        if uv > 0 and self.has_emg:
            both = rng.choice([0.0, 0.0, rng.uniform(0.3, 1.2)]) if second is None else second
            self.add_emg("arte", t, y * uv, second=both)
        if acc is not None:
            self.add_acc("arte", t, acc)
        length = len(y) / self.fs if uv > 0 else 0.0
        stop = t + max(length, 0 if acc is None or not self.has_acc else acc.shape[1] / self.afs)
        self.note(t, stop, "artefact", waveform, layer="arte", regular=regular, **more)
