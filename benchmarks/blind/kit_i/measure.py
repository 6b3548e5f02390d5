"""Render the layers through the device, and measure each event exactly."""

import numpy as np
from scipy import signal

from . import background, devices, limb
from .decide import decide
from .truth import Composed, Truth


def rms10(x, fs):
    n = max(2, int(round(0.01 * fs)))
    c = np.cumsum(np.concatenate([[0.0], x * x]))
    return np.sqrt(np.maximum(c[n:] - c[:-n], 0) / n)


def pieces(high, fs, bridge):
    """Start and stop samples of runs of True, gaps up to `bridge` s closed."""
    d = np.diff(np.concatenate([[0], high.astype(int), [0]]))
    a, b = np.flatnonzero(d == 1), np.flatnonzero(d == -1)
    if not len(a):
        return []
    keep = np.flatnonzero(a[1:] - b[:-1] > bridge * fs)
    return list(zip(a[np.r_[0, keep + 1]], b[np.r_[keep, len(b) - 1]]))


class Film:
    """All traces of one recording, clean and recorded."""

    def __init__(self, sc):
        self.sc, dev, rng = sc, sc.dev, sc.rng
        self.signals, self.clean, self.rest, self.source = {}, {}, {}, {}
        self.rail = []
        if sc.has_emg:
            for c in range(sc.channels):
                self._emg(c, dev, rng)
        if sc.has_acc:
            self._acc(dev, rng)

    def _emg(self, c, dev, rng):
        sc = self.sc
        base = background.skin_noise(rng, sc.n, sc.fs, sc.flavour) * sc.noise_uv
        base += background.hum(rng, sc.n, sc.fs, sc.mains, sc.hum_uv)
        if dev.high_pass < 0.3:
            t = np.arange(sc.n) / sc.fs
            base += rng.uniform(0.05, 0.2) * dev.range_uv * np.sin(2 * np.pi * t / rng.uniform(200, 900))
        if sc.ecg_uv:
            from .artefacts import heart

            one = sc.ecg_uv * heart(rng, sc.fs)
            for k in (sc.heart * sc.fs).astype(int):
                m = min(len(one), sc.n - k)
                base[k : k + m] += one[:m]
        total = devices.amplify(dev, base, sc.mains)
        del base
        amplified = {}
        for name in ("muscle", "active", "arte"):
            y = sc.layers.get((name, c))
            if y is not None:
                amplified[name] = devices.amplify(dev, y, sc.mains)
                total = total + amplified[name]
        recorded = devices.convert(dev, total)
        lsb = 2 * dev.range_uv / 2**dev.bits
        self.rail.append(np.abs(total) >= dev.range_uv - 1.5 * lsb)
        for name, y in amplified.items():
            self.clean[name, c] = devices.band_emg(y, dev.fs)
            if name == "arte":
                self.source["arte", c] = y
        whole = devices.band_emg(recorded, dev.fs)
        for name in ("muscle", "active", "arte"):
            if (name, c) in self.clean:
                self.rest[name, c] = whole - self.clean[name, c]
        self.floor_uv = 0.4 * lsb / np.sqrt(12)
        for a, b in sc.dropouts:
            recorded[int(a * dev.fs) : int(b * dev.fs)] = np.nan
        self.signals[f"emg{c + 1}_uv"] = (recorded, dev.fs)

    def _acc(self, dev, rng):
        sc = self.sc
        pose = limb.pose_path(sc.an, sc.afs, sorted(sc.poses, key=lambda p: p[0]))
        self.pose = devices.sense(dev, pose)
        total = self.pose + devices.sense(
            dev, background.still_acc(rng, sc.an, sc.afs, sc.heart, sc.pulse_mg, rng.uniform(0.02, 0.3))
        )
        self.acc, self.acc_all = {}, {}
        for name, a in sc.acc_layers.items():
            out = devices.sense(dev, a)
            total = total + out
            if name == "muscle":
                out = out + self.pose
            self.acc[name] = devices.band_acc(out, dev.acc_fs)
            self.acc_all[name] = devices.band_acc(out, dev.acc_fs, 0)
        if "muscle" not in self.acc:
            self.acc["muscle"] = devices.band_acc(self.pose, dev.acc_fs)
            self.acc_all["muscle"] = self.acc["muscle"]
        gain = 1 + rng.normal(0, 0.012, 3)[:, None]
        recorded = devices.convert_acc(dev, total * gain + rng.normal(0, 0.01, 3)[:, None], rng)
        for k, ax in enumerate("xyz"):
            out = recorded[k].copy()
            for a, b in sc.dropouts:
                out[int(a * dev.acc_fs) : int(b * dev.acc_fs)] = np.nan
            self.signals[f"acc_{ax}_g"] = (out, dev.acc_fs)


def _emg_numbers(film, it, c, lo, hi, near):
    """Numbers of one event in one channel, or None where the layer is empty."""
    sc, fs = film.sc, film.sc.dev.fs
    if (it.layer, c) not in film.clean:
        return None
    x = film.clean[it.layer, c]
    a, b = max(0, int(lo * fs)), min(len(x), int(hi * fs) + 1)
    y = x[a:b]
    if not len(y) or np.ptp(y) < 1e-6:
        return None
    rest = film.rest[it.layer, c]
    wide = 0.6 if it.in_activity else 2.0
    w0, w1 = max(0, int((it.start - wide) * fs)), min(len(rest), int((it.stop + wide) * fs))
    i0, i1 = int((it.start - 0.03) * fs), int((it.stop + 0.03) * fs)
    if it.in_activity and it.layer == "muscle":
        around = rest[w0:w1]
    else:
        around = np.concatenate([rest[w0:i0], rest[i1:w1]])
    r = rms10(around, fs)
    med = max(float(np.median(r)), film.floor_uv)
    s = max(1.4826 * float(np.median(np.abs(r - np.median(r)))), 0.1 * med)
    block = max(1, int(0.1 * fs))
    k = len(around) // block
    noise = float(np.sqrt(np.median((around[: k * block].reshape(k, block) ** 2).mean(1)))) if k else med
    noise = max(noise, film.floor_uv)
    top = float(np.abs(y).max())
    bridge = {"movement": 0.5, "walk": 0.5, "artefact": 0.12}.get(it.style, 0.02)
    level = (0.12 if sc.dev.notch else 0.07) if it.style in ("twitch", "burst") else 0.02
    step = 2 * sc.dev.range_uv / 2**sc.dev.bits
    runs = pieces(np.abs(y) > min(max(level * top, noise, 0.5 * step), 0.9 * top), fs, bridge)
    src = sc.layers[it.layer, c][max(0, int(it.start * sc.fs) - 8) : int((it.stop + 0.02) * sc.fs)]
    best = float(rms10(y, fs).max()) if len(y) > 0.011 * fs + 2 else top / 2
    out = {
        "pp": float(np.ptp(y)), "source_pp": float(np.ptp(src)) if len(src) else 0.0,
        "noise": noise, "snr": float(np.ptp(y)) / noise,
        "opens": np.sqrt(best**2 + med**2) > med + 6 * s,
        "runs": [((a + p) / fs, (a + q) / fs) for p, q in runs],
        "clip": bool(film.rail[c][a:b].sum() >= 2),
    }
    if runs:
        p, q = runs[0]
        out["rise"] = float(np.argmax(rms10(y[p:q], fs)) / fs) if q - p > 0.011 * fs + 2 else 0.0
    if it.style in ("movement", "walk", "burst"):
        sos = signal.butter(2, [10, min(100, 0.45 * fs)], "band", fs=fs, output="sos")
        env = signal.sosfiltfilt(sos, y) ** 2 if len(y) > 60 else y**2
        m = max(1, int(0.15 * fs))
        env = np.sqrt(np.maximum(np.convolve(env, np.ones(m) / m, "same"), 0))
        out["env_top"] = float(env.max())
        long = max(1, int(0.5 * fs))
        out["env_mid"] = float(max(np.median(env[k : k + long]) for k in range(0, max(1, len(env) - long), long // 2 + 1)))
    if it.layer == "arte":
        raw = film.source["arte", c][a:b]
        spec = np.abs(np.fft.rfft(raw - raw.mean(), max(len(raw), int(fs)))) ** 2
        f = np.fft.rfftfreq(max(len(raw), int(fs)), 1 / fs)
        out["low_part"] = float(spec[f < 20].sum() / max(spec.sum(), 1e-12))
        out["high_part"] = float(spec[f > 300].sum() / max(spec.sum(), 1e-12))
    return out


def _acc_numbers(film, it, lo, hi):
    sc, fs = film.sc, film.sc.dev.acc_fs
    name = it.layer if it.layer in film.acc else "muscle"
    if it.layer == "arte" and "arte" not in film.acc:
        return None
    v = film.acc[name]
    a, b = max(0, int(lo * fs)), min(v.shape[1], int(hi * fs) + 1)
    v = v[:, a:b]
    if v.shape[1] < 3:
        return None
    size = np.sqrt((v**2).sum(0))
    whole = np.sqrt((film.acc_all[name][:, a:b] ** 2).sum(0))
    jerk = np.sqrt((np.diff(v, axis=1) ** 2).sum(0)) * fs
    g = float(size.max())
    runs = pieces(size > 0.015, fs, 0.1)
    on = np.flatnonzero(size > max(0.1 * g, 0.004))
    start = (a + on[0]) / fs if len(on) else None
    p, q = np.clip([(it.start - 5) * fs, (it.stop + 5) * fs], 0, film.pose.shape[1] - 1).astype(int)
    u0, u1 = film.pose[:, p], film.pose[:, q]
    cos = float(u0 @ u1 / (np.linalg.norm(u0) * np.linalg.norm(u1)))
    axes = int((np.abs(v).max(1) > 0.015).sum())
    return {
        "g": g, "peak_g": float(whole.max()), "j": float(jerk.max()), "start": start,
        "lag": (start - it.start) if start is not None else None,
        "episode": max([(q2 - p2) / fs for p2, q2 in runs], default=0.0),
        "runs": [((a + p2) / fs, (a + q2) / fs) for p2, q2 in runs],
        "rise": (float(np.argmax(size)) - on[0]) / fs if len(on) else 0.0,
        "theta": float(np.degrees(np.arccos(np.clip(cos, -1, 1)))), "axes": axes,
    }


def finish(sc, extra=None):
    """Render, measure every intent, decide its kind; hand out the composition."""
    film = Film(sc)
    items = sorted(sc.intents, key=lambda i: i.start)
    rows = []
    by_layer = {}
    for it in items:
        by_layer.setdefault(it.layer, []).append(it)
    for group in by_layer.values():
        for k, it in enumerate(group):
            back = group[k - 1].stop if k else -9.0
            ahead = group[k + 1].start if k + 1 < len(group) else sc.seconds
            lo = max(it.start - 0.1, (it.start + back) / 2)
            hi = min(it.stop + (0.5 if it.style == "artefact" else 0.15), (it.stop + ahead) / 2)
            hi = max(hi, it.stop + 0.002)
            emg = None
            if sc.has_emg:
                found = [_emg_numbers(film, it, c, lo, hi, group) for c in range(sc.channels)]
                found = [f for f in found if f]
                emg = max(found, key=lambda f: f["snr"]) if found else None
            acc = None
            if sc.has_acc and it.style not in ("ecg", "silence"):
                reach = min(it.stop + 1.6, ahead - 0.02) if it.style != "artefact" else hi
                acc = _acc_numbers(film, it, max(it.start - 0.02, lo), max(reach, it.start + 0.1))
            rows.append(_row(sc, it, emg, acc))
    rows = sorted((r for r in rows if r), key=lambda r: r.onset)
    dev = sc.dev
    meta = {
        "family": sc.family, "seed": sc.seed, "device": dev.name, "noise_uv_rms": sc.noise_uv,
        "noise_flavour": sc.flavour, "mains_hz": sc.mains, "hum_uv_rms": sc.hum_uv,
        "bits": dev.bits, "range_uv": dev.range_uv, "high_pass_hz": dev.high_pass,
        "low_pass_hz": dev.low_pass, "notch": dev.notch, "zero_phase": dev.zero_phase,
        "emg_fs": dev.fs if sc.has_emg else None, "acc_fs": dev.acc_fs if sc.has_acc else None,
        "acc_bits": dev.acc_bits, "seconds": sc.seconds,
    }
    meta.update(extra or {})
    return Composed(film.signals, rows, meta)


def _row(sc, it, emg, acc):
    kind, onset, duration, note = decide(sc, it, emg, acc)
    if kind is None:
        return None
    end = min(onset + duration, sc.seconds - 1e-3)
    return Truth(
        onset=float(onset), duration=float(max(end - onset, 1e-4)), kind=kind, waveform=it.waveform,
        amplitude_uv=emg["source_pp"] if emg else 0.0, snr=emg["snr"] if emg else 0.0,
        peak_g=acc["peak_g"] if acc else 0.0,
        bursts=tuple(float(b) for b in it.burst_times), in_activity=it.in_activity,
        note="; ".join(x for x in (it.note, note) if x),
    )
