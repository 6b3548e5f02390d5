"""Families where the wearer is the main thing. Each function fills a stage that already has its device."""
import numpy as np

from . import nuisance as nu
from .events import (artefact, contraction, cramp, doublet, hum_spell, jerk, log_uniform, long_artefact, outside,
                     own_units, quick_posture, series, tapping, turn, twitch, twitch_run, walk)


def evening_coffee(s):
    units = own_units(s, 4)
    for _ in range(70):
        twitch(s)
    for unit in units:
        twitch_run(s, unit, int(s.rng.integers(6, 18)), log_uniform(s.rng, 0.7, 6))
    for _ in range(14):
        doublet(s, units[s.rng.integers(4)] if s.rng.random() < 0.5 else None)
    for _ in range(6):
        contraction(s, log_uniform(s.rng, 0.18, 0.45), note="crossing the legs")
    for _ in range(5):
        contraction(s, log_uniform(s.rng, 0.8, 6))
    quick_posture(s)
    for _ in range(8):
        artefact(s, nu.crackle)


def after_exercise(s):
    units = own_units(s, 7)
    s.gain = lambda t: 0.6 + 0.4 * np.exp(-t / 500.0)        # sweat bridges the electrodes
    for unit in units:
        twitch_run(s, unit, int(s.rng.integers(10, 26)), log_uniform(s.rng, 0.5, 3.5))
    for _ in range(60):
        twitch(s)
    for _ in range(18):
        doublet(s, triple=s.rng.random() < 0.25)
    for _ in range(6):
        long_artefact(s, nu.sweat_wave, s.rng.uniform(3, 9), log_uniform(s.rng, 300, 3000))
    cramp(s, s.rng.uniform(13, 30))
    cramp(s, s.rng.uniform(3, 8.5))
    turn(s)


def falling_asleep(s):
    for _ in range(16):
        jerk(s, bursts=1, ms=log_uniform(s.rng, 60, 245), g=log_uniform(s.rng, 0.13, 2.0), note="sleep start")
    for _ in range(4):
        jerk(s, bursts=2, rate=s.rng.uniform(3, 7), note="double sleep start")
    for _ in range(45):
        twitch(s)
    for _ in range(4):
        turn(s)
    for _ in range(6):
        contraction(s, log_uniform(s.rng, 0.6, 5))
    for _ in range(14):
        outside(s, nu.bump(s.rng, s.device.acc_fine, log_uniform(s.rng, 0.02, 0.4)), fixed=False, note="blanket or hand")


def jerk_trains(s):
    for _ in range(75):
        jerk(s)
    for _ in range(25):
        twitch(s)
    for _ in range(8):
        jerk(s, g=log_uniform(s.rng, 0.01, 0.12), bursts=1, note="bursts with hardly any motion")
    for _ in range(3):
        contraction(s, log_uniform(s.rng, 0.7, 8))
    turn(s)


def jerk_size_free(s):
    """Jerks whose muscle signal and motion have nothing to do with each other."""
    for k in range(60):
        small = k % 2 == 0
        jerk(s, uv=log_uniform(s.rng, 30, 250) if small else log_uniform(s.rng, 600, 5000),
             g=log_uniform(s.rng, 0.5, 3.0) if small else log_uniform(s.rng, 0.12, 0.3))
    for _ in range(40):
        twitch(s, uv=log_uniform(s.rng, 300, 5000), g=log_uniform(s.rng, 0.004, 0.08))
    for _ in range(20):
        outside(s, nu.bump(s.rng, s.device.acc_fine, log_uniform(s.rng, 0.1, 1.5)), fixed=False, note="knock, muscle silent")
    for _ in range(6):
        contraction(s, log_uniform(s.rng, 0.17, 0.46), degrees=s.rng.uniform(1, 6))


def periodic_night(s):
    t = series(s, 14, s.rng.uniform(18, 34), s.rng.uniform(1.2, 3.2), log_uniform(s.rng, 25, 150), s.rng.uniform(2, 14))
    turn(s, t=t + 6, seconds=8.0)
    s.reserve(t + 4, t + 18)
    series(s, 24, s.rng.uniform(14, 26), s.rng.uniform(0.8, 2.2), log_uniform(s.rng, 30, 200), s.rng.uniform(2, 10), t + 40)
    for _ in range(35):
        twitch(s)
    for _ in range(6):
        jerk(s, bursts=1, g=log_uniform(s.rng, 0.4, 1.5))
    for _ in range(8):
        contraction(s, log_uniform(s.rng, 0.6, 9.0), degrees=0.0)


def restless_turning(s):
    for _ in range(15):
        turn(s)
    for _ in range(5):
        turn(s, rms=0)
    for _ in range(7):
        quick_posture(s)
    for _ in range(40):
        twitch(s)
    for _ in range(14):
        jerk(s)
    for _ in range(10):
        contraction(s, log_uniform(s.rng, 0.6, 9))
    for _ in range(8):
        long_artefact(s, nu.slip, s.rng.uniform(0.5, 3), log_uniform(s.rng, 100, 3000), knock_g=log_uniform(s.rng, 0.02, 0.2))
    for _ in range(10):
        artefact(s, nu.contact_step)


def foot_tapping(s):
    for _ in range(24):
        rate = s.rng.uniform(0.9, 2.6)
        tapping(s, int(min(s.rng.integers(4, 14), 8.5 * rate)), rate, log_uniform(s.rng, 25, 250), s.rng.uniform(1, 6))
    for _ in range(3):
        tapping(s, int(s.rng.integers(18, 30)), s.rng.uniform(1.2, 2.2), log_uniform(s.rng, 30, 200), note="long foot tapping")
    for _ in range(50):
        twitch(s)
    for _ in range(10):
        jerk(s)
    for _ in range(8):
        contraction(s, log_uniform(s.rng, 0.16, 0.47))


def night_cramps(s):
    units = own_units(s, 4)
    for _ in range(7):
        cramp(s, s.rng.choice([s.rng.uniform(2, 9), s.rng.uniform(12, 50)]))
    for unit in units:
        twitch_run(s, unit, int(s.rng.integers(8, 20)), log_uniform(s.rng, 0.6, 4))
    for _ in range(35):
        twitch(s)
    for _ in range(10):
        doublet(s)
    for _ in range(5):
        jerk(s)
    quick_posture(s)
    turn(s)


def household_walking(s):
    for length in s.rng.uniform(12, 70, 6):
        t = s.free(length + 3, 3.0)
        if t is None:
            continue
        walk(s, length, log_uniform(s.rng, 30, 150), t)
        for _ in range(4):
            twitch(s, t + s.rng.uniform(2, length - 2), uv=log_uniform(s.rng, 700, 3000), in_activity=True, note="while walking")
    for _ in range(6):                                       # standing, muscle held
        length = s.rng.uniform(5, 9)
        t = s.free(length + 2, 1.0)
        if t is None:
            continue
        contraction(s, length, t, log_uniform(s.rng, 15, 60), 0.0, "plateau", note="held", in_activity=True)
        twitch(s, t + length * 0.5, uv=log_uniform(s.rng, 250, 3000), in_activity=True, note="over a held muscle")
    for _ in range(45):
        twitch(s)
    for _ in range(12):
        jerk(s)
    for _ in range(12):
        artefact(s, nu.contact_step, knock_g=log_uniform(s.rng, 0.1, 0.8))


def hiccups(s):
    for _ in range(3):
        n = int(s.rng.integers(12, 30))
        gap = s.rng.uniform(4, 11)
        t = s.free(n * gap + 4, 1.0)
        if t is None:
            continue
        size = log_uniform(s.rng, 0.03, 0.3)
        for k in range(n):
            outside(s, nu.jolt(s.rng, s.device.acc_fine, size * np.exp(s.rng.normal(0, 0.2))),
                    t + 1 + k * gap * (1 + s.rng.normal(0, 0.08)), "body", False, "hiccup of the wearer")
    for _ in range(10):
        outside(s, nu.jolt(s.rng, s.device.acc_fine, log_uniform(s.rng, 0.03, 0.4)), None, "body", False, "cough")
    for _ in range(45):
        twitch(s)
    for _ in range(22):
        jerk(s)
    for _ in range(6):
        contraction(s, log_uniform(s.rng, 0.6, 7))


def emg_patch_two(s):
    units = own_units(s, 6)
    for unit in units:
        twitch_run(s, unit, int(s.rng.integers(6, 16)), log_uniform(s.rng, 0.6, 5))
    for _ in range(60):
        twitch(s)
    for _ in range(16):
        doublet(s, triple=s.rng.random() < 0.3)
    for _ in range(12):
        contraction(s, log_uniform(s.rng, 0.6, 9))
    for _ in range(8):
        contraction(s, log_uniform(s.rng, 0.17, 0.46))
    for _ in range(8):
        jerk(s, bursts=1)
    for _ in range(25):
        artefact(s, [nu.contact_step, nu.crackle, nu.switch_click][s.rng.integers(3)])
    long_artefact(s, nu.heart, 180.0, log_uniform(s.rng, 15, 50), alone=False)
    cramp(s, 14.0)


def acc_band_only(s):
    for _ in range(45):
        jerk(s, bursts=1 if s.rng.random() < 0.8 else 2, g=log_uniform(s.rng, 0.18, 3.0))
    for _ in range(9):
        turn(s, seconds=s.rng.uniform(5, 13))
    for _ in range(6):
        quick_posture(s)
    for _ in range(14):
        contraction(s, log_uniform(s.rng, 0.7, 2.2), degrees=s.rng.uniform(4, 15))
    for _ in range(2):
        walk(s, s.rng.uniform(20, 60))
    for _ in range(25):
        outside(s, nu.bump(s.rng, s.device.acc_fine, log_uniform(s.rng, 0.02, 0.3)), fixed=False, note="knock")
    outside(s, nu.machine(s.rng, s.device.acc_fine, s.rng.uniform(0.01, 0.03), 120.0), note="far away")
