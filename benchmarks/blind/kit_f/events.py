"""Physiological events: twitches, jerks, contractions, movements, walking."""

from __future__ import annotations

import numpy as np
from scipy import signal

from .limb import Segment, steepness, swing, twitch_force
from .motor import envelope_drive
from .records import Array
from .session import Draft, Session

LEVELS = np.array([0.05, 0.1, 0.2, 0.4, 0.7, 1.0])


def loguniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw from low to high, even on a log scale."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def phases(wave: Array) -> str:
    """Name the shape by its lobes above 15 % of the largest."""
    size = np.where(np.abs(wave) > 0.15 * np.max(np.abs(wave)), np.sign(wave), 0)
    size = size[size != 0]
    lobes = 1 + int(np.count_nonzero(np.diff(size)))
    if lobes > 1 and abs(wave.max() + wave.min()) > 0.6 * np.ptp(wave):
        return "one_sided"
    return {1: "monophasic", 2: "biphasic", 3: "triphasic"}.get(lobes, "polyphasic")


def _join(parts: list[tuple[float, Array]], fs: float) -> Array:
    out = np.zeros(max(int(t * fs) + w.size for t, w in parts) + 1)
    for t, w in parts:
        i = int(t * fs)
        out[i:i + w.size] += w
    return out


def _trim(wave: Array) -> Array:
    on = np.flatnonzero(np.abs(wave) > 1e-4 * np.max(np.abs(wave)))
    return wave[on[0]:on[-1] + 1]


def twitch(s: Session, t: float, size: float | None = None, sort: str | None = None, ch: int | None = None,
           in_activity: bool = False, top: float = 5000.0, note: str = "") -> float:
    """Add a twitch of 20 uV to 5 mV; return its end.

    Sorts: single unit, compound (synchronous units), polyphasic (dispersed), doublet (the same unit 10-110 ms
    later), repetitive (3-6 discharges) and burst (a volley of 40-140 ms, as in fragmentary myoclonus).
    """
    rng = s.rng
    ch = int(rng.integers(0, len(s.recorders))) if ch is None else ch
    pool, fs = s.pools[ch], s.fi
    uv = loguniform(rng, 20, top) if size is None else size
    sort = str(rng.choice(["single", "compound", "polyphasic", "doublet", "repetitive", "burst"],
                          p=[.42, .2, .1, .12, .05, .11])) if sort is None else sort
    pieces: list[tuple[float, Array]] = []
    if sort in ("single", "doublet", "repetitive"):
        unit = pool.pick(rng, uv)
        pieces = [(0.0, unit)]
        at = 0.0
        for _ in range({"single": 0, "doublet": 1, "repetitive": int(rng.integers(2, 6))}[sort]):
            at += float(np.clip(rng.normal(0.033, 0.012), 0.01, 0.11) if rng.random() < 0.5 else
                        rng.uniform(0.01, 0.11)) if sort == "doublet" else float(rng.uniform(0.008, 0.024))
            pieces.append((at, unit * rng.uniform(0.7, 1.1)))
    elif sort in ("compound", "polyphasic"):
        number = int(rng.integers(2, 14))
        scatter = rng.uniform(0.0002, 0.0015) if sort == "compound" else rng.uniform(0.003, 0.009)
        pieces = [(float(x), pool.pick(rng, uv, bool(rng.random() < 0.15)))
                  for x in np.abs(rng.normal(0, scatter, number))]
    else:
        width = rng.uniform(0.03, 0.125)
        pieces = [(0.0, pool.volley(rng, width, rng.uniform(0.08, 0.5), int(rng.integers(1, 5))))]
    wave = _trim(_join(pieces, fs))
    wave *= uv / np.ptp(wave)
    shape = {"single": "single_unit_", "compound": "compound_", "polyphasic": "dispersed_"}.get(sort)
    name = shape + phases(wave) if shape else sort
    g = 0.0
    if s.acc.fs and rng.random() < 0.75:
        g = min(0.06, loguniform(rng, 0.0006, 0.004) * (1 + uv / 200) ** rng.uniform(0.3, 0.9))
        seg = Segment(rng.uniform(4, 9), rng.uniform(0.4, 0.8), 0.1, rng.uniform(10, 25), rng.uniform(0.3, 0.6))
        pulse = np.zeros(int(0.05 * s.fa))
        pulse[0] = 1.0
        s.add_acc(t, swing(twitch_force(pulse, s.fa, rng.uniform(0.03, 0.07), s.coupling), s.fa, seg, s.gravity,
                           s.axis(), g, 0.5))
    s.add_emg(t, wave, ch)
    s.drafts.append(Draft("twitch", name, t, wave, ch, g, in_activity, note,
                          burst_waves=[(t + x, w) for x, w in pieces] if sort == "doublet" else []))
    if sort == "doublet":
        first = s.drafts[-1]
        gain = uv / max(1e-9, np.ptp(_join(pieces, fs)))
        shift = np.flatnonzero(np.abs(_join(pieces, fs)) > 1e-4 * np.max(np.abs(_join(pieces, fs))))[0] / fs
        first.burst_waves = [(t + x - shift, w * gain) for x, w in pieces]
    return t + wave.size / fs


def twitch_train(s: Session, t: float, seconds: float | None = None) -> float:
    """Add an irregular train of one or two units (a row each); return its end."""
    rng = s.rng
    end = t + (rng.uniform(4, 25) if seconds is None else seconds)
    sizes = [loguniform(rng, 40, 3000) for _ in range(int(rng.integers(1, 3)))]
    ch = int(rng.integers(0, len(s.recorders)))
    mean = loguniform(rng, 0.3, 2.5)
    while t < end:
        done = twitch(s, t, float(rng.choice(sizes)) * rng.uniform(0.85, 1.1),
                      str(rng.choice(["single", "compound"], p=[.8, .2])), ch, note="train")
        t = max(t + max(0.17, mean * float(np.exp(rng.normal(-0.2, 0.7)))), done + 0.13)
    return t


def _measure_acc(acc: Array, fs: float, level: float) -> tuple[float, float]:
    on = np.flatnonzero(np.linalg.norm(acc, axis=1) > level)
    return (on[0] / fs, (on[-1] - on[0] + 1) / fs) if on.size else (0.0, 0.0)


def _burst_wave(s: Session, width: float, ch: int) -> Array:
    rng = s.rng
    firings = 1 if width < 0.03 else int(rng.integers(1, 2 + int(width / 0.015)))
    wave = s.pools[ch].volley(rng, width, rng.uniform(0.25, 1.0), firings, bool(rng.random() < 0.15))
    return _trim(wave)


def _jolt(s: Session, width: float, peak: float) -> Array:
    rng = s.rng
    u = np.linspace(0, 1, max(3, int(width * s.fa)))
    drive = u**rng.uniform(0.5, 1.5) * (1 - u)**rng.uniform(0.8, 2)
    seg = Segment(rng.uniform(2.0, 5.0), rng.uniform(0.45, 0.85), s.seg.arm, s.seg.f_mount, s.seg.zeta_mount)
    force = twitch_force(drive, s.fa, rng.uniform(0.012, 0.04), 0.0)
    return swing(force, s.fa, seg, s.gravity, s.axis(), peak, 1.2)


def jerk_width(rng: np.random.Generator) -> tuple[float, str]:
    """Width of the volley and its source."""
    source = str(rng.choice(["cortical", "reticular", "hypnic", "propriospinal"]))
    low, high = {"cortical": (.002, .035), "reticular": (.03, .09), "hypnic": (.06, .22), "propriospinal": (.09, .25)}[source]
    return float(rng.uniform(low, high)), source


def jerk(s: Session, t: float, peak: float | None = None, size: float | None = None, bursts: int = 1,
         rate: float = 5.0, turn: bool = False, note: str = "") -> float:
    """Add a jerk or a train of jerks (one row); return the end of its acceleration."""
    rng = s.rng
    width, source = jerk_width(rng)
    g = loguniform(rng, 0.11, 4.0) if peak is None else peak
    uv = loguniform(rng, 60, 7000) if size is None else size
    ends: list[float] = []
    acc = np.zeros((int((bursts / rate + 4) * s.fa), 3))
    parts: list[tuple[float, Array]] = []
    at = 0.0
    lag = float(np.clip(s.coupling * np.exp(rng.normal(0, 0.25)), 0.010, 0.08))
    for k in range(bursts):
        w = width if bursts == 1 else min(width, 0.35 / rate)
        w *= rng.uniform(0.8, 1.15) if bursts > 1 else 1.0
        gain = rng.uniform(0.5, 1.0) if bursts > 1 else 1.0
        wave = _burst_wave(s, w, 0) if s.recorders else np.ones(int(w * s.fi) + 2)
        if bursts > 1:                                      # silence between bursts
            limit = int(0.72 / rate * s.fi)
            if wave.size > limit:
                wave = wave[:limit] * np.clip((limit - np.arange(limit)) / (0.15 * limit), 0, 1)
        parts.append((at, wave * (uv * gain / np.ptp(wave)) if s.recorders else wave))
        jolt = _jolt(s, w, g * gain)
        i = int((at + lag) * s.fa)
        m = min(jolt.shape[0], acc.shape[0] - i)
        acc[i:i + m] += jolt[:m]
        ends.append(at + w)
        at += float(np.clip(rng.normal(1, 0.08), 0.8, 1.25)) / rate
    acc *= g / np.max(np.linalg.norm(acc, axis=1))
    steep = steepness(acc, s.fa)
    kind = "jerk" if g >= 0.1 and steep >= 5 else "unclear"
    extra = f"{steep:.0f} g/s" + (" " + note if note else "")
    if s.acc.fs:
        s.add_acc(t, acc)
    else:
        kind, g, extra = ("unclear" if bursts == 1 else "jerk"), 0.0, "no accelerometer"
    stop = t + ends[-1] + lag
    if turn:
        angle = float(rng.uniform(8, 24))
        s.turn(stop, angle * float(rng.choice([-1, 1])), float(rng.uniform(0.25, 0.9)))
        extra += f" turn {angle:.0f} deg"
    name = source + ("_train" if bursts > 1 else "")
    if s.recorders:
        wave = _join(parts, s.fi)
        s.add_emg(t, wave, 0)
        beside: list[Array] = []
        for other in range(1, len(s.recorders)):
            w2 = _burst_wave(s, width if bursts == 1 else min(width, 0.35 / rate), other)
            lagged = [(x + rng.uniform(0, 0.01), w2 * (uv * rng.uniform(0.05, 1.2) / np.ptp(w2))) for x, _ in parts]
            beside.append(_join(lagged, s.fi))
            s.add_emg(t, beside[-1], other)
        s.drafts.append(Draft(kind, name, t, wave, 0, g, False, extra,
                              burst_waves=[(t + x, w) for x, w in parts] if bursts > 1 else [], others=tuple(beside)))
    else:
        first, length = _measure_acc(acc, s.fa, max(0.01, 0.04 * g))
        s.drafts.append(Draft(kind, name, t, None, 0, g, False, extra, t + first, length,
                              burst_times=tuple(t + first + x for x, _ in parts)))
    return stop + 0.9


def _level(s: Session, ch: int, far: bool) -> Array:
    """RMS of steady contractions at LEVELS, measured once per channel and bank."""
    store = s.levels
    if (ch, far) not in store:
        rng = np.random.default_rng(7)
        store[(ch, far)] = np.array([np.std(s.pools[ch].contraction(rng, np.full(300, x), 200.0, far))
                                     for x in LEVELS])
    return store[(ch, far)]


def contract(s: Session, t: float, drive: Array, fs_drive: float, rms_uv: float, ch: int = 0) -> Array:
    """Add the EMG of an excitation (0-1, its top meaning `rms_uv`) to a channel and return it."""
    if not s.recorders:
        return np.zeros(2)
    far = bool(s.rng.random() < (0.5 if rms_uv < 25 else 0.1))
    table = _level(s, ch, far)
    level = float(np.interp(rms_uv, np.maximum.accumulate(table), LEVELS))
    gain = rms_uv / float(np.interp(level, LEVELS, table))
    wave = s.pools[ch].contraction(s.rng, np.clip(drive, 0, 1) * level, fs_drive, far) * gain
    s.add_emg(t, wave, ch)
    return wave


def movement(s: Session, t: float, seconds: float | None = None, rms_uv: float | None = None,
             peak: float | None = None, note: str = "") -> float:
    """Add a contraction of any length, its kind told by its measured EMG; return its end."""
    rng = s.rng
    length = loguniform(rng, 0.55, 9.5) if seconds is None else seconds
    level = loguniform(rng, 11, 900) if rms_uv is None else rms_uv
    shape = str(rng.choice(["plateau", "ramp", "decay", "phasic"]))
    drive = envelope_drive(rng, length, 200.0, shape)
    if length > 3 and rng.random() < 0.25:                  # a movement in pieces, gaps below 0.5 s
        hole = rng.uniform(0.1, 0.4)
        a = int(rng.uniform(0.3, 0.7) * drive.size)
        drive[a:a + int(hole * 200)] = 0
    g = (0.0 if rng.random() < 0.39 else loguniform(rng, 0.012, 0.5)) if peak is None else peak
    waves = [contract(s, t, drive, 200.0, level * (1.0 if c == 0 else rng.uniform(0.1, 1.3)), c)
             for c in range(len(s.recorders))]
    onset, duration = t, length
    if g > 0 and s.acc.fs:
        fine = np.interp(np.arange(int(length * s.fa)) / s.fa, np.arange(drive.size) / 200.0, drive)
        force = twitch_force(fine, s.fa, rng.uniform(0.05, 0.1), s.coupling)
        acc = swing(force, s.fa, s.seg, s.gravity, s.axis(), g, 1.0)
        s.add_acc(t, acc)
        first, duration = _measure_acc(acc, s.fa, 0.01)
        onset = t + first
    kind = "contraction" if s.recorders else next(
        k for limit, k in ((0.55, "unclear"), (9.5, "movement"), (1e9, "gross_movement")) if duration < limit)
    if s.recorders or g > 0.02:
        s.drafts.append(Draft(kind, "contraction_" + shape, t, waves[0] if waves else None, 0,
                              g if s.acc.fs else 0.0, False, note, onset, duration,
                              others=tuple(waves[1:])))
    return t + length


def series(s: Session, t: float, number: int, period: float) -> float:
    """Add a periodic series of leg movements; return its end."""
    rng = s.rng
    level, length, g = loguniform(rng, 14, 400), rng.uniform(0.7, 4.5), loguniform(rng, 0.015, 0.3)
    for _ in range(number):
        if t + 12 > s.length:
            break
        movement(s, t, float(np.clip(length * np.exp(rng.normal(0, .25)), 0.6, 9)), level * float(np.exp(rng.normal(0, .3))),
                 0.0 if rng.random() < 0.35 else g * float(np.exp(rng.normal(0, .5))), "periodic")
        t += max(length + 4, period * float(np.exp(rng.normal(0, 0.12))))
    return t


def gross(s: Session, t: float, seconds: float | None = None, tilt: float = 0.0) -> float:
    """Add a gross body movement, or a posture change if it tilts the leg; return its end."""
    rng = s.rng
    length = (rng.uniform(2, 8) if tilt else rng.uniform(11, 28)) if seconds is None else seconds
    drive = np.zeros(int(length * 200))
    at = 0.0
    g = loguniform(rng, 0.08, 1.2)
    top = 0.0
    buffer = np.zeros((int((length + 12) * s.fa), 3))
    while at < length - 0.5:
        part = min(length - at, float(rng.uniform(0.8, 4)))
        piece = envelope_drive(rng, part, 200.0, "phasic") * rng.uniform(0.35, 1)
        i = int(at * 200)
        m = min(piece.size, drive.size - i)
        drive[i:i + m] = np.maximum(drive[i:i + m], piece[:m])
        fine = np.interp(np.arange(int(part * s.fa)) / s.fa, np.arange(piece.size) / 200.0, piece)
        acc = swing(twitch_force(fine, s.fa, rng.uniform(0.04, 0.1), s.coupling), s.fa, s.seg, s.gravity, s.axis(),
                    g * rng.uniform(0.3, 1), 0.8)
        j = int(at * s.fa)
        buffer[j:j + acc.shape[0]] += acc[:buffer.shape[0] - j]
        at += part * rng.uniform(0.6, 1.0)
    top = float(np.max(np.linalg.norm(buffer, axis=1)))
    if s.acc.fs:
        s.add_acc(t, buffer)
    level = loguniform(rng, 30, 600)
    waves = [contract(s, t, drive, 200.0, level * (1.0 if c == 0 else rng.uniform(0.3, 1.3)), c)
             for c in range(len(s.recorders))]
    if tilt:
        s.turn(t + 0.2 * length, tilt, float(rng.uniform(0.4, 0.6)) * length)
    first, duration = _measure_acc(buffer, s.fa, 0.01)
    kind = "posture_change" if tilt else "gross_movement"
    s.drafts.append(Draft(kind, "body_turn" if tilt else "restless", t, waves[0] if waves else None, 0,
                          top if s.acc.fs else 0.0, False, f"tilt {tilt:.0f} deg" if tilt else "", t + first, duration,
                          others=tuple(waves[1:])))
    return t + length


def _activity_row(s: Session, t: float, wave: Array | None, name: str, peak: float, seconds: float) -> None:
    s.drafts.append(Draft("gross_movement", name, t, wave, 0, peak, False, "", t, seconds))


def tonic(s: Session, t: float, seconds: float, rms_uv: float) -> float:
    """Add steady tonic activity (standing, unrelaxed muscle) without acceleration; return its end."""
    rng = s.rng
    n = int(seconds * 50)
    drive = np.clip(0.75 + 0.25 * np.sin(np.arange(n) / 50 * 2 * np.pi / rng.uniform(5, 20)), 0, 1)
    drive *= np.clip(np.arange(n) / 50, 0, 1) * np.clip((n - np.arange(n)) / 50, 0, 1)
    waves = [contract(s, t, drive, 50.0, rms_uv, c) for c in range(len(s.recorders))]
    _activity_row(s, t, waves[0] if waves else None, "tonic", 0.0, seconds)
    return t + seconds


def walking(s: Session, t: float, seconds: float) -> float:
    """Add walking: bursts at swing and heel strike, impacts, swing acceleration; return its end."""
    rng = s.rng
    period = float(rng.uniform(0.95, 1.25))
    fs = 200.0
    clock = np.arange(int(seconds * fs)) / fs
    phase = np.cumsum(np.full(clock.size, 1 / fs / period) * (1 + 0.02 * np.sin(clock * 0.7))) % 1.0
    drive = (np.exp(-0.5 * ((phase - 0.04) / 0.05)**2) + 0.7 * np.exp(-0.5 * ((phase - 0.72) / 0.08)**2)
             + np.exp(-0.5 * ((phase - 1.02) / 0.05)**2) + 0.05)
    drive *= np.clip(clock, 0, 1) * np.clip(seconds - clock, 0, 1)
    level = loguniform(rng, 40, 350)
    waves = [contract(s, t, np.clip(drive, 0, 1), fs, level * (1.0 if c == 0 else rng.uniform(0.4, 1.3)), c)
             for c in range(len(s.recorders))]
    if s.acc.fs:
        n = int(seconds * s.fa)
        p = np.interp(np.arange(n) / s.fa, clock, np.unwrap(phase * 2 * np.pi)) / (2 * np.pi)
        hit = np.zeros(n)
        hit[np.flatnonzero(np.diff(np.floor(p)) > 0)] = 1
        u = np.arange(int(0.35 * s.fa)) / s.fa
        ring = np.exp(-u / 0.04) * np.sin(2 * np.pi * 13 * u)
        gate = np.clip(np.arange(n) / s.fa, 0, 1) * np.clip((n - np.arange(n)) / s.fa, 0, 1)
        x = signal.fftconvolve(hit, ring)[:n] * rng.uniform(0.7, 1.8)
        y = 0.35 * np.sin(2 * np.pi * p) + 0.2 * np.sin(4 * np.pi * p + 1)
        z = 0.25 * np.cos(2 * np.pi * p + 0.5) + 0.4 * x
        s.add_acc(t, np.stack([x, y, z], 1) * gate[:, None])
    _activity_row(s, t, waves[0] if waves else None, "walking", 1.5 if s.acc.fs else 0.0, seconds)
    return t + seconds


def foot_tremor(s: Session, t: float) -> float:
    """Add hypnagogic foot tremor: 5-14 bursts of 300-600 ms at 1-1.8 Hz (one row, unclear); return its end."""
    rng = s.rng
    period, number = rng.uniform(0.62, 1.0), int(rng.integers(5, 15))
    length = period * number
    clock = np.arange(int(length * 200)) / 200
    drive = np.clip(np.sin(2 * np.pi * clock / period), 0, 1)
    level = loguniform(rng, 20, 250)
    waves = [contract(s, t, drive, 200.0, level, c) for c in range(len(s.recorders))]
    g = loguniform(rng, 0.02, 0.2)
    fine = np.interp(np.arange(int(length * s.fa)) / s.fa, clock, drive)
    if s.acc.fs:
        s.add_acc(t, swing(twitch_force(fine, s.fa, 0.07, s.coupling), s.fa, s.seg, s.gravity, s.axis(), g, 1.0))
    s.drafts.append(Draft("unclear", "foot_tremor", t, waves[0] if waves else None, 0, g if s.acc.fs else 0.0,
                          False, f"{number} bursts", t, length))
    return t + length
