"""Families of nights, days and trouble."""

import numpy as np
from scipy import signal

from . import background, limb, muscle, sprinkle
from .families_muscle import MIN, SLOW, WEAR
from .scene import Scene, log_uniform

ANY = WEAR + SLOW + ("holter_1000",)


def quiet_night(seed):
    sc = Scene("quiet_night", seed, ANY, MIN + 6)
    sprinkle.turns(sc, 3)
    return sc


def rls_night(seed):
    """Periodic leg movements, some with a jerky start, and twitches between."""
    sc = Scene("rls_night", seed, WEAR + SLOW, MIN + 6)
    rng = sc.rng
    t = 20.0
    step = rng.uniform(17, 32)
    size, span = log_uniform(rng, 200, 2500), rng.uniform(1.2, 3.6)
    while t < sc.seconds - 40:
        if rng.random() < 0.06:
            t += rng.uniform(60, 150)
            continue
        length = float(np.clip(span * rng.lognormal(0, 0.3), 0.6, 8.5))
        sc.take(t, length + 0.5)
        jerky = log_uniform(rng, 0.1, 1.0) if rng.random() < 0.3 else 0.0
        sc.leg_movement(t, length, size * rng.lognormal(0, 0.35), log_uniform(rng, 1.5, 18), jerky=jerky,
                        waveform="periodic_movement", note="jerky start" if jerky else "")
        t += step * rng.lognormal(0, 0.16)
    sprinkle.twitches(sc, 60)
    sprinkle.jerks(sc, 8, gap=2.5)
    sprinkle.mixed_artefacts(sc, 8)
    return sc


def falling_asleep(seed):
    """Sleep starts, lone movements, turns and twitches of a healthy sleeper."""
    sc = Scene("falling_asleep", seed, WEAR + SLOW, MIN)
    rng = sc.rng
    sprinkle.turns(sc, 3)
    for _ in range(3):
        span = rng.uniform(10.8, 20)
        t = sc.slot(span, 6.5)
        if t is not None:
            sc.leg_movement(t, span, log_uniform(rng, 200, 3000), rng.uniform(4, 15), shiver=0.4,
                            waveform="restless_stretch")
    sprinkle.jerks(sc, 28, ms=(70, 250), g=(0.12, 2), waveform="sleep_start", gap=3)
    sprinkle.movements(sc, 12)
    sprinkle.twitches(sc, 35)
    sprinkle.brief(sc, 8)
    sprinkle.mixed_artefacts(sc, 8)
    return sc


def _rhythm(sc, hertz, part, cycles, uv, mg, waveform, unclear=""):
    """A bout of rhythmic bursts as one row; `part` = burst as a part of the cycle."""
    rng = sc.rng
    span = cycles / hertz
    t = sc.slot(span, 3)
    if t is None:
        return
    n = int(span * sc.fs)
    u = np.arange(n) / sc.fs
    turn = np.cumsum(hertz * (1 + 0.03 * np.sin(2 * np.pi * u * 0.4 + rng.random()))) / sc.fs
    wave = np.clip(np.sin(np.pi * np.clip((turn % 1) / part, 0, 1)), 0, 1) ** 0.7
    y = muscle.interference(rng, sc.fs, 0.9 * wave, sc.units, top_rate=50)
    sc.add_emg("muscle", t, muscle.scale_to(y * (wave > 0.02), uv))
    starts = [float(u[k + 1]) for k in np.flatnonzero(np.diff(np.floor(turn)) > 0)]
    starts = tuple(t + s for s in starts if s < span - 0.5 * part / hertz)
    if sc.has_acc:
        m = int(span * sc.afs)
        v = np.arange(m) / sc.afs
        angle = np.sin(2 * np.pi * np.interp(v, u, turn)) * signal.windows.tukey(m, 0.2)
        out = limb.turn(rng, sc.afs, np.radians(0.2) * angle, sc.up_at(t))
        out *= mg / 1000 / max(np.sqrt((out**2).sum(0)).max(), 1e-9)
        sc.add_acc("muscle", t + rng.uniform(0.02, 0.06), out)
    sc.note(t, t + span, "movement", waveform, burst_times=(t,) + starts, force_unclear=unclear,
            note=f"{hertz:.1f} Hz")


def tremor_and_feet(seed):
    """Tremor (unclear: a twitch per cycle, or excluded), and slow foot rhythms
    without a rest of 0.5 s (movement or gross movement by the end rule)."""
    sc = Scene("tremor_and_feet", seed, WEAR, MIN)
    rng = sc.rng
    for _ in range(7):
        hertz = log_uniform(rng, 3.8, 16)
        _rhythm(sc, hertz, rng.uniform(0.3, 0.6), rng.uniform(2.5, 20) * hertz, log_uniform(rng, 60, 2000),
                log_uniform(rng, 4, 300), "tremor", "tremor: pattern that the definitions set apart")
    for _ in range(7):
        hertz = rng.uniform(0.9, 1.7)
        _rhythm(sc, hertz, rng.uniform(0.6, 0.75), rng.integers(4, 14), log_uniform(rng, 80, 1500),
                log_uniform(rng, 20, 300), "foot_rhythm")
    for _ in range(6):
        hertz = rng.uniform(1.5, 3)
        _rhythm(sc, hertz, rng.uniform(0.35, 0.5), rng.integers(4, 16), log_uniform(rng, 80, 1500),
                log_uniform(rng, 20, 400), "alternating_activation", "bursts of 0.1-0.3 s: pattern of its own")
    sprinkle.twitches(sc, 60)
    sprinkle.jerks(sc, 12)
    sprinkle.mixed_artefacts(sc, 6)
    return sc


def _walk(sc, t, span):
    rng = sc.rng
    cadence = rng.uniform(0.7, 1.1)
    vigour = rng.uniform(0.4, 1.2)
    a3, strikes = limb.walk(rng, sc.afs, span, sc.up_at(t), cadence, vigour) if sc.has_acc else (None, [])
    n = int(span * sc.fs)
    u = np.arange(n) / sc.fs
    drive = np.zeros(n)
    for s in strikes:
        for at, wide, tall in ((-0.05, 0.07, 0.9), (0.45, 0.12, rng.uniform(0.3, 0.8)), (0.75, 0.06, 0.4)):
            drive += tall * np.exp(-(((u - s - at / cadence) / wide) ** 2))
    drive = np.clip(drive + 0.07, 0, 1) * np.clip(u / 0.3, 0, 1) * np.clip((span - u) / 0.3, 0, 1)
    y = muscle.interference(rng, sc.fs, drive, sc.units)
    sc.add_emg("active", t, muscle.scale_to(y, log_uniform(rng, 400, 4000)))
    if a3 is not None:
        sc.add_acc("active", t, a3)
    sc.note(t, t + span, "walk", "walking", layer="active", in_activity=True)


def walking_day(seed):
    """Walks, and sitting with twitches and jerks between them."""
    sc = Scene("walking_day", seed, tuple(d for d in WEAR if d != "lab_amp_4000") + ("sport_band_500",), MIN)
    rng = sc.rng
    sprinkle.turns(sc, 2)
    for _ in range(6):
        span = rng.uniform(15, 70)
        t = sc.slot(span, 4)
        if t is None:
            continue
        _walk(sc, t, span)
        for _ in range(int(span / 8)):
            at = t + rng.uniform(1, span - 1)
            if all(abs(at - i.start) > 1 for i in sc.intents if i.layer == "muscle"):
                sc.twitch(at, log_uniform(rng, 50, 4000), log_uniform(rng, 0.004, 0.03), mg=2, in_activity=True,
                          force_unclear="twitch within walking: the leg shakes at the same time")
    sprinkle.twitches(sc, 60)
    sprinkle.jerks(sc, 15)
    sprinkle.movements(sc, 8)
    sprinkle.mixed_artefacts(sc, 10)
    return sc


def holding(seed):
    """Held contractions, own and real ones, with twitches on top and between."""
    sc = Scene("holding", seed, WEAR, MIN)
    rng = sc.rng
    real = background.real_contractions()
    for k in range(12):
        span = log_uniform(rng, 1.5, 40)
        if real and k % 3 == 0:
            x = real[rng.integers(len(real))]
            x = signal.resample_poly(x, int(round(sc.fs)), 2000) if sc.fs != 2000 else x
            span = min(span, len(x) / sc.fs - 0.1)
            y = x[: int(span * sc.fs)] * signal.windows.tukey(int(span * sc.fs), min(0.5, 0.4 / span))
            y *= log_uniform(rng, 0.1, 1.5)
            name = "held_contraction_real"
        else:
            y = muscle.contraction(rng, sc.fs, span, sc.units, rng.uniform(0.08, 0.9))
            y, name = muscle.scale_to(y, log_uniform(rng, 60, 3000)), "held_contraction"
        t = sc.slot(span, 3)
        if t is None:
            continue
        sc.add_emg("active", t, y)
        if sc.has_acc:
            m = int(span * sc.afs)
            shake = signal.lfilter([1], [1, -1.8, 0.85], rng.normal(0, 1, m)) * signal.windows.tukey(m, 0.2)
            sc.add_acc("active", t, limb.unit_vector(rng)[:, None] * shake / np.abs(shake).max() * log_uniform(rng, 0.002, 0.03))
        sc.note(t, t + span, "walk", name, layer="active", in_activity=True)
        at = t + rng.uniform(0.7, 2)
        while at < t + span - 0.7:
            sc.twitch(at, np.ptp(y) * log_uniform(rng, 0.5, 6), log_uniform(rng, 0.005, 0.03),
                      mg=log_uniform(rng, 0.5, 20), in_activity=True)
            at += rng.uniform(1, 5)
    sprinkle.twitches(sc, 60)
    sprinkle.mixed_artefacts(sc, 8)
    return sc


def electrode_storm(seed):
    """Bad electrodes and cables: storms of every size; a few true events."""
    sc = Scene("electrode_storm", seed, WEAR + ("sport_band_500", "psg_box_500"), MIN)
    sprinkle.mixed_artefacts(sc, 130, sprinkle.ELECTRODE)
    sprinkle.twitches(sc, 45)
    sprinkle.jerks(sc, 8)
    sprinkle.movements(sc, 4)
    for _ in range(4):
        span = sc.rng.uniform(0.1, 2)
        t = sc.slot(span, 2)
        if t is not None:
            sc.dropouts.append((t, t + span))
            sc.note(t, t + span, "artefact", "link_lost", layer="arte", regular=True)
    return sc


def room_storm(seed):
    """Knocks, footsteps, radio, mains and stimulators; a few true events."""
    sc = Scene("room_storm", seed, WEAR + ("sport_band_500",), MIN)
    sprinkle.mixed_artefacts(sc, 110, sprinkle.ROOM)
    sprinkle.twitches(sc, 45)
    sprinkle.jerks(sc, 12)
    sprinkle.movements(sc, 4)
    return sc


def heart_in_leg(seed):
    """A Holter with the heart in the leg channel: one row for each beat."""
    sc = Scene("heart_in_leg", seed, ("holter_1000", "ecg_patch_250", "hobby_1000_10bit"), 16)
    rng = sc.rng
    sc.ecg_uv = 0.0
    size = log_uniform(rng, 30, 250)
    from .artefacts import heart

    one = heart(rng, sc.fs)
    beats = [float(b) - 0.12 for b in sc.heart if 1.0 < b < sc.seconds - 2]
    busy = np.array(beats)

    def clear(t, span):
        return np.all((busy + 0.28 < t) | (busy > t + span + 0.12))

    for b in beats:
        sc.add_emg("arte", b, one * size, second=0.9)
        sc.note(b + 0.07, b + 0.19, "ecg", "heart_beat", layer="arte", regular=True)
    known = [sprinkle.potentials.shape(rng) for _ in range(5)]
    for _ in range(60):
        span = log_uniform(rng, 0.005, 0.04)
        t = sc.slot(span, 0.7)
        if t is not None and clear(t, span):
            sc.twitch(t, log_uniform(rng, 50, 5000), span, bare=known[rng.integers(5)])
    sprinkle.jerks(sc, 10, uv=(300, 4000))
    sprinkle.movements(sc, 10, uv=(300, 3000))
    return sc


def acc_only(seed):
    sc = Scene("acc_only", seed, tuple(d for d in ANY if d not in ("psg_box_512", "psg_export_200", "holter_1000")),
               MIN, emg=False)
    sprinkle.jerks(sc, 50, g=(0.08, 3), bursts=(1, 2), hertz=(4, 20))
    sprinkle.movements(sc, 20, degrees=(2, 25), jerky=0.1)
    sprinkle.twitches(sc, 25, mg=(2, 60))
    sprinkle.turns(sc, 4)
    sprinkle.mixed_artefacts(sc, 25, ("knock", "footsteps"))
    return sc


def emg_only(seed):
    sc = Scene("emg_only", seed, ("psg_box_512", "psg_box_256", "hd_adapter_2048", "psg_box_500", "lab_amp_4000"),
               MIN, acc=False)
    sprinkle.twitches(sc, 80, doublets=0.05)
    sprinkle.fragments(sc, 25)
    sprinkle.jerks(sc, 15, waveform="burst_without_sensor")
    sprinkle.brief(sc, 12)
    sprinkle.movements(sc, 14)
    sprinkle.mixed_artefacts(sc, 30, sprinkle.ELECTRODE + ("radio", "mains", "stimulator"))
    return sc


def sport_armband(seed):
    """Coarse steps, few bits, slow rates: what is left of each event."""
    sc = Scene("sport_armband", seed, ("armband_200", "sport_band_500", "hobby_1000_10bit"), MIN,
               noise=None)
    sprinkle.twitches(sc, 90, uv=(50, 5000))
    sprinkle.jerks(sc, 25)
    sprinkle.movements(sc, 10)
    sprinkle.brief(sc, 8)
    sprinkle.mixed_artefacts(sc, 25)
    return sc


def all_sites(seed):
    """A bit of everything on any system with both sensors."""
    sc = Scene("all_sites", seed, ANY, MIN)
    sprinkle.turns(sc, 2)
    sprinkle.twitches(sc, 50, doublets=0.08)
    sprinkle.fragments(sc, 15)
    sprinkle.jerks(sc, 15)
    sprinkle.jerks(sc, 8, bursts=(2, 8), ms=(10, 60), hertz=(4, 20))
    sprinkle.movements(sc, 10)
    sprinkle.brief(sc, 8)
    sprinkle.mixed_artefacts(sc, 25)
    return sc
