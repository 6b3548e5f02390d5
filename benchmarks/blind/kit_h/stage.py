"""The stage: one recording being built. Layers at fine rates, plans of events, and the measuring at the end."""
from dataclasses import dataclass, field

import numpy as np

from .device import Device, hum
from .kinds import (Composed, Truth, judge_acc_only, judge_artefact, judge_burst, judge_contraction)
from .limb import direction
from .measure import NoiseMeter, acc_facts, blank_facts, emg_facts, movement_facts


@dataclass
class Plan:
    """One event as it was put in. role: twitch, jerk, contraction, walk, turn, artefact, outside, body."""
    role: str
    t: float
    waveform: str
    emg: list = field(default_factory=list)      # per burst: (first fine sample, array) on channel 1
    acc: tuple = None                            # (time s, array (3, n))
    note: str = ""
    in_activity: bool = False
    tilt: float = 0.0
    doublet: bool = False
    fixed: tuple = None                          # (start, stop) where the cause itself sets the row
    second: float = 0.8                          # size on channel 2
    moving: float = 99.0                         # s of real motion of a change of posture


class Stage:
    def __init__(self, rng, device: Device, minutes, family, seed):
        self.rng, self.device = rng, device
        self.seconds = float(minutes * 60)
        self.family, self.seed = family, seed
        self.has_emg, self.has_acc = device.emg_fs > 0, device.acc_fs > 0
        self.plans, self.taken, self.gaps = [], [], []
        self.gain = None                         # slow electrode gain, function of time
        if self.has_emg:
            n = int(round(self.seconds * device.emg_fs)) * device.over
            self.emg = [np.zeros(n) for _ in range(device.channels)]
        if self.has_acc:
            n = int(round(self.seconds * device.acc_fs)) * device.acc_over
            self.acc = np.zeros((3, n))
            self.gravity = direction(rng)
            self.turns = []                      # (time, new gravity)

    # --- time table ---
    def free(self, length, pad=0.6, start=3.0, stop=None):
        """A random free place of `length` s (None if 300 tries fail); it is reserved."""
        stop = self.seconds - 4.0 if stop is None else stop
        for _ in range(300):
            if stop - length <= start:
                return None
            t = self.rng.uniform(start, stop - length)
            if all(t + length + pad < a or t - pad > b for a, b in self.taken):
                self.taken.append((t, t + length))
                return t
        return None

    def reserve(self, start, stop):
        self.taken.append((start, stop))

    def gravity_at(self, t):
        now = self.gravity
        for when, new in self.turns:
            if when <= t:
                now = new
        return now

    # --- adding ---
    def add(self, plan):
        dev = self.device
        if plan.emg and self.has_emg:
            factor = self.gain(plan.t) if self.gain and plan.role in ("twitch", "jerk", "contraction", "walk", "turn") else 1.0
            plan.emg = [(s, x * factor) for s, x in plan.emg]
            for s, x in plan.emg:
                if s < 0 or s + x.size > self.emg[0].size:
                    raise ValueError(f"event outside the recording at {plan.t:.2f} s")
                self.emg[0][s:s + x.size] += x
                if dev.channels > 1:
                    self.emg[1][s:s + x.size] += self._other(plan, x)
        else:
            plan.emg = []
        if plan.acc is not None and self.has_acc:
            first = int(round(plan.acc[0] * dev.acc_fine))
            stop = min(self.acc.shape[1], first + plan.acc[1].shape[1])
            self.acc[:, first:stop] += plan.acc[1][:, :stop - first]
            if plan.role == "turn":              # the new posture stays
                self.acc[:, stop:] += plan.acc[1][:, -1:]
                self.turns.append((stop / dev.acc_fine, self.gravity_at(plan.t) + plan.acc[1][:, -1]))
        else:
            plan.acc = None
        if plan.emg or plan.acc is not None:
            self.plans.append(plan)
        return plan

    def _other(self, plan, x):
        """The same source under the second electrode pair: a little later and blunter."""
        lag = int(0.002 * self.device.fine)
        y = np.concatenate([np.zeros(lag), x[:-lag]]) if x.size > lag else x * 0
        return plan.second * (0.7 * y + 0.3 * np.convolve(y, np.ones(lag) / lag, "same"))

    def lose(self, start, stop, what="both"):
        """A packet that never came: NaN on the grid of both sensors."""
        self.gaps.append((start, stop, what))

    # --- finishing ---
    def finish(self, extra_meta=None):
        dev, rng = self.device, self.rng
        signals, meters, raws = {}, [], []
        if self.has_emg:
            shared = hum(rng, dev, self.emg[0].size / dev.fine, dev.mains_uv) if dev.mains_uv > 0 else 0.0
            for c in range(dev.channels):
                x = self.emg[c] + dev.electrode_noise(rng, self.emg[c].size)
                x += shared * (1.0 if c == 0 else rng.uniform(0.4, 1.3))
                raw = dev.convert(dev.analogue(x))
                del x
                raws.append(raw)
                meters.append(NoiseMeter(dev.band(raw), dev.emg_fs, dev.lsb_uv / 4))
        if self.has_acc:
            acc = self.acc + self.gravity[:, None]
            n = acc.shape[1]
            beat = rng.uniform(0.0, 0.0025)      # pulse of the artery
            t = np.arange(n) / dev.acc_fine
            acc[0] += beat * np.sin(2 * np.pi * 1.1 * t + 3 * np.sin(2 * np.pi * 0.05 * t)) ** 5
            acc += np.outer(direction(rng), np.interp(t, np.linspace(0, t[-1], 40), rng.normal(0, 0.002, 40)))
            chip = dev.convert_acc(rng, dev.sensor(acc))
        rows = [self._row(p, meters, raws) for p in self.plans]
        rows = self._neighbours([r for r in rows if r is not None])
        rows += self._gap_rows()
        for c, raw in enumerate(raws):
            self._blank(raw, dev.emg_fs, "emg")
            signals[f"emg{c + 1}_uv"] = (raw, float(dev.emg_fs))
        if self.has_acc:
            for axis, name in enumerate("xyz"):
                one = chip[axis].copy()
                self._blank(one, dev.acc_fs, "acc")
                signals[f"acc_{name}_g"] = (one, float(dev.acc_fs))
        meta = {"family": self.family, "seed": self.seed, "seconds": self.seconds, "emg_lsb_uv": dev.lsb_uv if self.has_emg else None,
                "acc_lsb_g": dev.acc_lsb if self.has_acc else None, **dev.as_dict(), **(extra_meta or {})}
        return Composed(signals, sorted(rows, key=lambda r: (r.onset, r.duration)), meta)

    def _blank(self, x, fs, what):
        for start, stop, which in self.gaps:
            if which in ("both", what):
                x[int(np.ceil(start * fs)):int(np.ceil(stop * fs))] = np.nan

    def _gap_rows(self):
        return [Truth(a, b - a, "artefact", "lost packet", 0.0, 0.0, 0.0, (), False, f"no samples from {w}") for a, b, w in self.gaps]

    def _lost(self, start, stop):
        inside = sum(max(0.0, min(stop, b) - max(start, a)) for a, b, _ in self.gaps)
        near = any(a < stop + 0.03 and b > start - 0.03 for a, b, _ in self.gaps)
        return max(inside / max(stop - start, 1e-3), 0.01 if near else 0.0)

    def _row(self, plan, meters, raws):
        dev = self.device
        channels = range(dev.channels) if plan.emg else [0]
        best = max((self._measure(plan, meters, raws, c) for c in channels), key=lambda m: m[0].snr)
        f, onset, end = best
        muscle = plan.role in ("twitch", "jerk", "contraction", "walk", "turn")
        if plan.role in ("twitch", "jerk") and self.has_emg:
            kind, why = judge_burst(f, self.has_acc, plan.role == "jerk", plan.doublet)
        elif not self.has_emg and muscle:
            kind, why = judge_acc_only(f, plan.role)
        elif plan.role in ("contraction", "walk", "turn"):
            if plan.role == "turn" and not plan.emg:
                f.spans = f.spans or (0.0,)
            kind, why = judge_contraction(f, self.has_acc, plan.role == "turn")
        elif plan.role == "body":
            kind, why = "unclear", "a body jolt without leg EMG"
        else:
            kind, why = judge_artefact(f, self.has_acc, plan.role == "outside")
            if plan.fixed is not None and (plan.emg or f.g_seen < 0.015):
                kind, why = "artefact", ""
            if plan.role == "outside" and not self.has_emg and kind == "artefact" and min(f.g_seen, f.j_seen / 50) > 0.1:
                kind, why = "unclear", "a knock that the accelerometer alone cannot tell from a jerk"
        if plan.fixed is not None:
            onset, end = plan.fixed
        onset, end = float(onset), float(min(end, self.seconds - 1e-3))
        note = "; ".join(x for x in (plan.note, why) if x)
        bursts = tuple(round(float(b), 5) for b in f.bursts) if plan.emg and muscle else ((round(float(onset), 5),) if muscle else ())
        row = Truth(round(onset, 5), round(end - onset, 5), kind, plan.waveform, round(float(f.amp_electrode), 2), round(float(f.snr), 2),
                    round(float(f.g_seen), 5), bursts, plan.in_activity, note)
        return row, plan, f

    def _measure(self, plan, meters, raws, channel):
        dev = self.device
        f = blank_facts()
        f.tilt, f.moving, f.busy = plan.tilt, plan.moving, plan.in_activity
        onset, end = plan.t, plan.t
        if plan.emg:
            pieces = plan.emg if channel == 0 else [(s, self._other(plan, x)) for s, x in plan.emg]
            bridge = 0.5 if plan.role in ("contraction", "walk", "turn") else 0.02
            if plan.fixed is not None:
                pieces = [(s, x[:int(20 * dev.fine)]) for s, x in pieces]
            if max(np.ptp(x) for _, x in pieces) < 1e-6:
                return f, onset, end
            onset, end = emg_facts(dev, pieces, meters[channel], plan.in_activity, bridge, f)
            if bridge > 0.1:
                movement_facts(dev, pieces, f.noise, f)
            i, j = int(onset * dev.emg_fs), int(np.ceil(end * dev.emg_fs)) + 1
            piece = raws[channel][max(0, i):j]
            f.clipped = int((np.abs(piece) >= dev.rail_uv - 1.5 * dev.lsb_uv).sum()) >= 2
        if plan.acc is not None:
            start, acc = plan.acc
            a, b = acc_facts(dev, start, acc, self.gravity_at(start - 0.01), f.bursts, f)
            if not plan.emg:
                onset, end = a, b
            elif plan.role in ("turn", "artefact", "outside"):
                onset, end = min(onset, a), max(end, b)
        if plan.emg and plan.role in ("twitch", "jerk", "contraction"):
            end = min(end, f.band_end)
        f.lost = self._lost(onset, end)
        return f, onset, end

    def _neighbours(self, found):
        """Rows that touch each other or drown in each other become unclear."""
        out = []
        for row, plan, f in found:
            if plan.role not in ("twitch", "jerk", "contraction") or row.kind == "unclear":
                out.append(row)
                continue
            a, b = row.onset, row.onset + row.duration
            why = ""
            for other, op, of in found:
                if op is plan or (plan.role == "contraction" and op.role in ("twitch", "jerk")):
                    continue
                c, d = other.onset, other.onset + other.duration
                if op.role == "turn" and c - 1.0 < b and d + 1.0 > a:
                    why = "absorbed by the change of posture"
                elif op.role in ("twitch", "jerk", "contraction") and c - 0.022 < b and d + 0.022 > a and not (
                        row.in_activity and op.role == "contraction"):
                    if op.role == "contraction" or of.amp_electrode > 0.3 * f.amp_electrode or plan.role == "contraction":
                        why = "runs into its neighbour"
                elif op.role in ("artefact", "outside", "body") and c - 0.3 < b and d + 0.3 > a:
                    if op.waveform == "heart beats" and f.amp_band < 3 * of.amp_band and c < b and d > a:
                        why = "hardly larger than the heart beats around it"
                    if op.fixed is None and op.emg and c - 0.05 < b and d + 0.05 > a and of.amp_band > 0.25 * f.amp_band:
                        why = "mixed with an artefact"
                    if plan.role != "contraction" and of.g_seen > (0.08 if row.kind != "jerk" else f.g_seen / 3):
                        why = "the leg is shaken from outside at the same time"
            if why:
                row = Truth(**{**row.__dict__, "kind": "unclear", "note": "; ".join(x for x in (row.note, why) if x)})
            out.append(row)
        return out
