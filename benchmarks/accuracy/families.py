"""Recordings that take little for granted: sizes, shapes and coupling drawn from wide ranges.

Twitches, jerks and artefacts have the same range of sizes (20 µV to 5 mV) and of lengths, so that
neither says what a thing is; acceleration is drawn apart from the EMG; hum may lie under
everything.  The recorder may be any that can be bought (`nights.wide_device`).
"""

from __future__ import annotations

import numpy as np

from benchmarks.accuracy import body, electrode, limb, targets
from benchmarks.accuracy.canvas import Canvas, Motion
from benchmarks.accuracy.distractors import add_vitals
from benchmarks.accuracy.electrode import (
    SOURCE,
    add_artefact,
    on_channels,
    smoothed,
)
from benchmarks.accuracy.muscle import (
    Seen,
    draw_contraction,
    draw_firings,
    ramped,
    scaled_to,
    see_unit,
    shaped,
)
from benchmarks.accuracy.potentials import draw_potential
from benchmarks.accuracy.targets import LEAD_S, log_uniform
from benchmarks.accuracy.waves import edges, in_band

#: Range of peak-to-peak amplitudes of everything, µV.
SIZES_UV = (20.0, 5000.0)


# -- background ---------------------------------------------------------------------


def add_background(c: Canvas) -> None:
    """Add pulse, breathing, maybe the heart, and hum of any strength under six of ten."""
    add_vitals(c, bool(c.rng.random() < 0.3))
    if c.device.n_emg and c.rng.random() < 0.6:
        electrode.add_mains(c, 0.0, c.seconds, log_uniform(c.rng, 1, 300), False)


def _potential(c: Canvas) -> Seen:
    return see_unit(c) if c.rng.random() < 0.3 else draw_potential(c)


# -- twitches -------------------------------------------------------------------------


def add_wide_twitch(c: Canvas, t: float, seen: list[Seen], height_uv: float) -> dict:
    """Add one twitch: a potential, a doublet, or a burst of some."""
    rng = c.rng
    kind = str(rng.choice(("single", "doublet", "burst"), p=(0.7, 0.15, 0.15)))
    firings = [(seen[0], 0.0, 1.0)]
    if kind == "doublet":
        firings.append((seen[0], float(rng.uniform(0.010, 0.105)), float(rng.uniform(0.5, 1.2))))
    elif kind == "burst":
        times = np.sort(rng.uniform(0, log_uniform(rng, 0.02, 0.11), int(rng.integers(3, 10))))
        firings = [
            (seen[int(rng.integers(len(seen)))], float(s - times[0]), float(rng.uniform(0.3, 1.0)))
            for s in times
        ]
    waves = scaled_to(draw_firings(c, firings), c.fs, height_uv)
    motion = None
    if rng.random() < 0.4:
        motion = limb.tremble(log_uniform(rng, 0.001, 0.03), rng)
    return c.event(t, waves, motion, "twitch", kind, seen[0].source)


def add_wide_twitches(c: Canvas, per_minute: float, start: float, end: float) -> list[dict]:
    """Add twitches of units that come again and of potentials that come once."""
    rng = c.rng
    units = [_potential(c) for _ in range(int(rng.integers(2, 7)))]
    sizes = [log_uniform(rng, *SIZES_UV) for _ in units]
    once = float(rng.uniform(0.0, 0.6))
    rows = []
    for _ in range(rng.poisson(per_minute * (end - start) / 60)):
        t = c.reserve_between(0.25, 0.35, start, end)
        if t is None:
            continue
        if rng.random() < once:
            rows.append(add_wide_twitch(c, t, [_potential(c)], log_uniform(rng, *SIZES_UV)))
        else:
            k = int(rng.integers(len(units)))
            size = float(np.clip(sizes[k] * rng.lognormal(0, 0.1), *SIZES_UV))
            rows.append(add_wide_twitch(c, t, units[k : k + 1] + units[:k], size))
    return rows


def add_irregular_trains(c: Canvas, count: int, start: float, end: float) -> None:
    """Add units that twitch 3 to 20 times within seconds, at irregular intervals."""
    rng = c.rng
    for _ in range(count):
        unit, height = _potential(c), log_uniform(rng, *SIZES_UV)
        n, spread = int(rng.integers(3, 21)), rng.uniform(0.4, 1.1)
        gaps = rng.gamma(1 / spread**2, spread**2, n) * log_uniform(rng, 0.25, 2.0) + 0.13
        t = c.reserve_between(float(gaps.sum()), 0.5, start, end)
        if t is None:
            continue
        for gap in gaps:
            waves = scaled_to(
                draw_firings(c, [(unit, 0.0, 1.0)]), c.fs, height * rng.lognormal(0, 0.1)
            )
            c.event(t, waves, None, "twitch", "train", unit.source)
            t += float(gap)


def add_knocks(c: Canvas, rows: list[dict], share: float) -> None:
    """Knock at the bed beside twitches, at times at which no twitch moves a leg."""
    rng = c.rng
    for row in rows:
        if rng.random() < share:
            before = rng.random() < 0.5
            lag = rng.uniform(-0.4, -0.06) if before else rng.uniform(0.13, 0.5)
            motion, where = limb.bump(c.parts, log_uniform(rng, 0.03, 2.0), rng)
            c.event(
                row["onset"] + float(lag), [], motion, "artifact", "bump_at_twitch", where,
                "" if c.device.n_emg else "jerk",
            )  # fmt: skip


# -- jerks ------------------------------------------------------------------------------


def _jerk_burst(c: Canvas, seconds: float) -> tuple[list[np.ndarray], str]:
    """Return the EMG of one burst of a jerk: contraction, or the volley of a nerve."""
    rng, fs = c.rng, c.fs
    if seconds < 0.045 or rng.random() < 0.3:
        firings = [(draw_potential(c), 0.0, 1.0)]
        while rng.random() < 0.4:
            at = float(rng.uniform(0, max(seconds - 0.02, 0.002)))
            firings.append((firings[0][0], at, float(rng.uniform(0.3, 1))))
        return draw_firings(c, firings, LEAD_S), firings[0][0].source
    waves, source = draw_contraction(c, seconds)
    n = len(waves[0])
    rise = round(min(log_uniform(rng, 0.003, 0.06), 0.5 * seconds) * fs)
    return shaped(
        waves, ramped(n, rise, round(rng.uniform(0.1, 0.6) * n)), round(LEAD_S * fs)
    ), source


def add_wide_jerk(c: Canvas, t: float, bursts: int) -> float:
    """Add a jerk of one or several bursts; return when it has ended."""
    rng, fs = c.rng, c.fs
    gap = 1 / log_uniform(rng, 2, 18)
    longest = 0.3 if bursts == 1 else min(0.3, gap - 0.03)
    shortest = min(0.01, 0.5 * longest)
    seconds = log_uniform(rng, shortest, longest)
    starts = np.arange(bursts) * gap
    starts[1:] += rng.uniform(-0.1, 0.1, bursts - 1) * gap
    n = round((starts[-1] + seconds + 2 * LEAD_S + 0.2) * fs)
    whole = [np.zeros(n) for _ in range(max(c.device.n_emg, 1))]
    height = log_uniform(rng, 60, SIZES_UV[1])
    to_g = log_uniform(rng, 0.13, 4.0)
    delay = float(rng.uniform(0.012, 0.075))
    motions, source = [], ""
    for at in starts:
        waves, source = _jerk_burst(c, seconds)
        waves = scaled_to(waves, fs, height * rng.lognormal(0, 0.25))
        begins = edges(in_band(max(waves, key=np.ptp), fs))[0] / fs
        a = round(at * fs)
        for target, wave in zip(whole, waves, strict=False):
            m = min(len(wave), n - a)
            target[a : a + m] += wave[:m]
        motion, where = limb.jolt(c.parts, max(to_g * rng.lognormal(0, 0.2), 0.13), 0.0, rng, 6.0)
        motion.start += at + begins + delay + rng.normal(0, 0.004)
        motions.append(motion)
    source = f"{source} | {where}"
    tolerated = "" if c.device.acc_fs and c.device.n_emg else "twitch brief_contraction"
    if rng.random() < 0.2 and c.device.acc_fs:
        c.turn(t + LEAD_S + delay, float(rng.uniform(0.2, 1.2)),
               limb.rolled(c.gravity, float(rng.uniform(10, 70)), rng))  # fmt: skip
        tolerated += " posture_change gross_movement movement"
    if rng.random() < 0.15 and c.device.n_emg:
        _add_weak_contraction(c, t + (rng.uniform(-1.5, -0.4) if rng.random() < 0.5 else
                                      starts[-1] + seconds), 0.25 * height)  # fmt: skip
        tolerated += " movement brief_contraction"
    kind = "wide_jerk" if bursts == 1 else "jerk_train"
    for motion in motions[1:]:
        c.add_motion(t, motion)
    c.event(t, whole, motions[0], "jerk", kind, source, tolerated.strip())
    return t + starts[-1] + seconds


def _add_weak_contraction(c: Canvas, t: float, most_uv: float) -> None:
    """Add a weak contraction before or after a jerk."""
    rng, fs = c.rng, c.fs
    waves, source = draw_contraction(c, float(rng.uniform(0.3, 1.5)))
    n = len(waves[0])
    waves = [w * ramped(n, n // 4, n // 4) for w in waves]
    waves = scaled_to(waves, fs, min(most_uv, log_uniform(rng, 40, 400)))
    tolerated = "movement brief_contraction twitch"
    c.event(t, waves, None, "artifact", "voluntary", source, tolerated)


def add_wide_jerks(c: Canvas, count: int, start: float, end: float, trains: float = 0.4) -> None:
    """Add jerks of one to ten bursts."""
    for _ in range(count):
        bursts = int(c.rng.integers(2, 11)) if c.rng.random() < trains else 1
        t = c.reserve_between(0.6 + 0.5 * bursts, 1.6, start, end)
        if t is not None:
            add_wide_jerk(c, t, bursts)


# -- movements ----------------------------------------------------------------------------


def _interference(c: Canvas, seconds: float) -> tuple[list[np.ndarray], str]:
    """Return the contraction of drawn units that fire at 6 to 25 Hz, of unit RMS."""
    rng, fs = c.rng, c.fs
    count = int(rng.integers(3, 16))
    firings = []
    for _ in range(count):
        unit, rate = draw_potential(c), float(rng.uniform(6, 25))
        gaps = np.maximum(rng.normal(1, rng.uniform(0.1, 0.3), int(seconds * rate) + 2), 0.3) / rate
        size = float(log_uniform(rng, 0.1, 1.0))
        firings += [(unit, float(t), size) for t in np.cumsum(gaps) if t < seconds]
    waves = draw_firings(c, firings or [(draw_potential(c), 0.0, 1.0)])
    n = round(seconds * fs)
    waves = [np.pad(w, (0, max(0, n - len(w))))[:n] for w in waves]
    most = max(float(w.std()) for w in waves)
    return [w / max(most, 1e-9) for w in waves], f"{count} drawn units"


def add_wide_movement(c: Canvas, t: float, seconds: float, rms_uv: float) -> None:
    """Add a leg movement of any EMG; half of them lift the leg."""
    rng, fs = c.rng, c.fs
    real = rng.random() < 0.5
    waves, source = draw_contraction(c, seconds) if real else _interference(c, seconds)
    n = len(waves[0])
    rise = round(log_uniform(rng, 0.01, min(0.5, seconds / 4)) * fs)
    fall = round(log_uniform(rng, 0.03, min(0.8, seconds / 3)) * fs)
    slow = np.interp(np.arange(n), np.linspace(0, n, 8), 1 + 0.5 * rng.uniform(-1, 1, 8))
    waves = shaped(waves, ramped(n, rise, fall) * slow * rms_uv, round(0.2 * fs))
    motion = None
    if rng.random() < 0.5:
        motion = limb.lift(seconds, log_uniform(rng, 0.015, 0.4), rng)
        motion.start += 0.2
    c.event(t, waves, motion, "movement", "wide_lm", source)


# -- artefacts --------------------------------------------------------------------------


def ringing(c: Canvas) -> np.ndarray:
    """Return a contact that rings, or opens twice: as long as a polyphasic potential."""
    rng, fs = c.rng, c.fs
    t = np.arange(round(0.2 * fs)) / fs
    if rng.random() < 0.5:
        shape = np.exp(-t / log_uniform(rng, 0.005, 0.04))
        return shape * np.sin(2 * np.pi * log_uniform(rng, 30, 250) * t + rng.uniform(0, 6.3))
    first = electrode.spike(c)
    second = np.roll(
        np.pad(first, (0, len(t) - len(first))), round(log_uniform(rng, 0.004, 0.1) * fs)
    )
    return np.pad(first, (0, len(t) - len(first))) + second * rng.uniform(-1.2, 1.2)


def soft_pop(c: Canvas) -> np.ndarray:
    """Return a charge that leaves an electrode: an edge of a millisecond or two and a decay."""
    rng, fs = c.rng, c.fs
    t = np.arange(round(0.3 * fs)) / fs
    front = 1 - np.exp(-t / log_uniform(rng, 0.0002, 0.003))
    tail = np.exp(-t / log_uniform(rng, 0.004, 0.08))
    back = np.exp(-t / log_uniform(rng, 0.02, 0.2)) * rng.uniform(0, 0.5)
    return front * (tail - back)


#: Electrode artefacts of these recordings, and their shares.
WIDE_POPS = {
    "pop_spike": (electrode.spike, 0.3), "pop_crackle": (electrode.crackle, 0.15),
    "pop_step": (electrode.step, 0.15), "motion_swing": (electrode.swing, 0.08),
    "pop_ring": (ringing, 0.16), "pop_soft": (soft_pop, 0.16),
}  # fmt: skip


def add_wide_pops(c: Canvas, count: int, start: float, end: float) -> None:
    """Add electrode artefacts of all shapes, as small and as large as twitches."""
    rng = c.rng
    if not c.device.n_emg:
        return
    usual: list[tuple[str, np.ndarray]] = []  # what one bad contact does again and again
    for _ in range(count):
        kind = str(rng.choice(list(WIDE_POPS), p=[share for _, share in WIDE_POPS.values()]))
        x = WIDE_POPS[kind][0](c)
        x = x / np.abs(x).max() * log_uniform(rng, *SIZES_UV)
        if len(usual) < 2:
            usual.append((kind, x))
        elif rng.random() < 0.4:
            kind, x = usual[int(rng.integers(len(usual)))]
            x = x * rng.lognormal(0, 0.08)
        x = smoothed(c, x)
        t = c.reserve_between(len(x) / c.fs, 0.4, start, end)
        if t is not None:
            add_artefact(c, t, len(x) / c.fs, on_channels(c, x), None, kind, SOURCE)


def _gate(c: Canvas, seconds: float) -> np.ndarray:
    """Return an envelope with abrupt or soft ends, now and then broken into pieces."""
    rng, fs = c.rng, c.fs
    n = round(seconds * fs)
    flank = max(2, round(min(log_uniform(rng, 0.0005, 0.05), seconds / 3) * fs))
    gate = ramped(n, flank, flank)
    if rng.random() < 0.3:
        on = np.repeat(rng.random(int(seconds / 0.03) + 1) < 0.7, round(0.03 * fs))[:n]
        on[: max(1, round(0.03 * fs))] = True
        gate *= np.convolve(np.pad(on, (0, n - len(on)), "edge"), np.hanning(9) / 4, "same")
    return gate


def hum_burst(c: Canvas, seconds: float) -> np.ndarray:
    """Return mains with harmonics, as when a hand comes near or a lead comes off."""
    rng, fs = c.rng, c.fs
    t = np.arange(round(seconds * fs)) / fs
    line = float(rng.choice((50.0, 60.0))) * (1 + rng.normal(0, 0.001))
    x = np.zeros(len(t))
    for order in range(1, 10):
        if order * line < 0.45 * fs:
            share = rng.exponential(0.25) / order if order > 1 else rng.uniform(0.2, 1.0)
            x += share * np.sin(2 * np.pi * order * line * t + rng.uniform(0, 6.3))
    return x * _gate(c, seconds)


def radio_burst(c: Canvas, seconds: float) -> np.ndarray:
    """Return what an amplifier makes of radio: noise, or the packets of a transmitter."""
    rng, fs = c.rng, c.fs
    n = round(seconds * fs)
    x = rng.standard_normal(n)
    if rng.random() < 0.6:
        rate = float(rng.choice((217.0, rng.uniform(8, 120))))
        phase = np.arange(n) / fs * rate % 1
        packets = (phase < rng.uniform(0.05, 0.5)).astype(float)
        x = packets * (rng.uniform(0.3, 1) + rng.uniform(0, 0.6) * x) - packets.mean() * 0.6
    return x * _gate(c, seconds)


def loose_contact(c: Canvas, seconds: float) -> np.ndarray:
    """Return a contact that opens and closes: jumps, spikes and hum while it is open."""
    rng, fs = c.rng, c.fs
    n = round(seconds * fs)
    level = np.zeros(n)
    for _ in range(int(rng.integers(2, 6 + 20 * seconds))):
        a = int(rng.integers(0, n))
        decay = np.exp(-np.arange(n - a) / (log_uniform(rng, 0.001, 0.2) * fs))
        level[a:] += rng.normal() * decay
    gate = _gate(c, seconds)
    return (level + rng.uniform(0, 0.6) * hum_burst(c, seconds)[:n]) * gate


BURSTS = {"hum_burst": hum_burst, "radio_burst": radio_burst, "loose_contact": loose_contact}


def add_bursts_of_artefact(c: Canvas, count: int, start: float, end: float) -> None:
    """Add bursts of hum, radio and loose contact of 0.05 to 3 s, some with a jolt of the leg."""
    rng = c.rng
    for _ in range(count):
        kind = str(rng.choice(list(BURSTS)))
        seconds = log_uniform(rng, 0.05, 3.0)
        x = BURSTS[kind](c, seconds)
        x = smoothed(c, x / max(float(np.abs(x).max()), 1e-9) * log_uniform(rng, 30, 3000))
        motion: Motion | None = None
        if rng.random() < 0.15 and c.device.acc_fs:
            motion, _ = limb.bump(c.parts, log_uniform(rng, 0.03, 1.0), rng)
            motion.start += float(rng.uniform(-0.1, 0.3))
        t = c.reserve_between(len(x) / c.fs, 0.8, start, end)
        if t is not None:
            add_artefact(c, t, len(x) / c.fs, on_channels(c, x, 0.4), motion, kind, SOURCE)


# -- whole recordings ---------------------------------------------------------------------


def wide_twitches(c: Canvas) -> None:
    """Twitches of any shape and size among artefacts of the same sizes."""
    add_irregular_trains(c, round(c.seconds / 150), 3, c.seconds - 30)
    rows = add_wide_twitches(c, log_uniform(c.rng, 3, 25), 3, c.seconds - 3)
    add_knocks(c, rows, 0.08)
    add_wide_pops(c, round(c.seconds / log_uniform(c.rng, 10, 120)), 3, c.seconds - 3)
    add_background(c)


def wide_jerks(c: Canvas) -> None:
    """Jerks of one to ten bursts, of any EMG and acceleration, among twitches and knocks."""
    add_wide_jerks(c, round(c.seconds / 20), 5, c.seconds - 5)
    rows = add_wide_twitches(c, 4, 3, c.seconds - 3)
    add_knocks(c, rows, 0.25)
    electrode.add_bumps(c, round(c.seconds / 60), [], 5, c.seconds - 5)
    electrode.add_tugs(c, round(c.seconds / 60), 3, c.seconds - 3)
    add_wide_pops(c, round(c.seconds / 90), 3, c.seconds - 3)
    add_background(c)


def wide_movements(c: Canvas) -> None:
    """Leg movements from just above the definition to 1 mV, jerks and twitches between them."""
    rng = c.rng
    c.sleep_onset_s = 0.0
    for _ in range(round(c.seconds / 25)):
        seconds = log_uniform(rng, 0.6, 9.0)
        t = c.reserve_between(seconds + 0.5, 3.0, 5, c.seconds - 15)
        if t is not None:
            add_wide_movement(c, t, seconds, log_uniform(rng, 14, 1000))
    targets.add_gross_movements(c, round(c.seconds / 400), 5, c.seconds - 20)
    add_wide_jerks(c, round(c.seconds / 100), 5, c.seconds - 5)
    add_wide_twitches(c, 2, 3, c.seconds - 3)
    add_bursts_of_artefact(c, round(c.seconds / 120), 3, c.seconds - 5)
    add_background(c)


def wide_storm(c: Canvas) -> None:
    """Bursts of hum, radio and loose contact, pops and knocks; no target."""
    add_bursts_of_artefact(c, round(c.seconds / 8), 3, c.seconds - 5)
    add_wide_pops(c, round(c.seconds / 20), 3, c.seconds - 3)
    electrode.add_bumps(c, round(c.seconds / 60), [], 5, c.seconds - 5)
    electrode.add_tugs(c, round(c.seconds / 60), 3, c.seconds - 3)
    add_background(c)


def wide_storm_twitches(c: Canvas) -> None:
    """Mix twitches and jerks with bursts of hum, radio and loose contact, pops and knocks."""
    add_wide_twitches(c, 6, 3, c.seconds - 3)
    add_wide_jerks(c, round(c.seconds / 120), 5, c.seconds - 5)
    add_bursts_of_artefact(c, round(c.seconds / 15), 3, c.seconds - 5)
    add_wide_pops(c, round(c.seconds / 30), 3, c.seconds - 3)
    electrode.add_tugs(c, round(c.seconds / 90), 3, c.seconds - 3)
    add_background(c)


def wide_active(c: Canvas) -> None:
    """Put clear twitches and jerks between walking, contractions and firing units."""
    rng = c.rng
    for t in np.sort(rng.uniform(3, c.seconds - 45, round(c.seconds / 150))):
        body.add_walk(c, float(t))
    for t in np.sort(rng.uniform(3, c.seconds - 25, round(c.seconds / 20))):
        body.add_voluntary(c, float(t))
    for t in np.sort(rng.uniform(3, c.seconds - 10, round(c.seconds / 60))):
        body.add_fidget(c, float(t))
    at = 5.0
    while at < c.seconds - 60:  # a unit that fires; twitches of others over it
        length = float(rng.uniform(20, 120))
        if rng.random() < 0.4:
            body.add_tonic(c, at, length, log_uniform(rng, 20, 150), "tonic")
        at += length + float(rng.uniform(10, 60))
    add_wide_twitches(c, 8, 3, c.seconds - 3)
    add_wide_jerks(c, round(c.seconds / 120), 5, c.seconds - 5, 0.3)
    add_background(c)
