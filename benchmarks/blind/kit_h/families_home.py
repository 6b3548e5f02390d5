"""Families where the home and the device are the main thing."""
import numpy as np

from . import nuisance as nu
from .events import (artefact, contraction, doublet, hum_spell, jerk, log_uniform, long_artefact, outside, own_units,
                     quick_posture, series, tapping, turn, twitch, twitch_run)


def _mixture(s, twitches, jerks, movements):
    for _ in range(jerks):
        jerk(s)
    for _ in range(movements):
        contraction(s, log_uniform(s.rng, 0.6, 8))
    for _ in range(twitches):
        twitch(s)


def heating_blanket(s):
    t = s.rng.uniform(20, 60)
    while t < s.seconds - 90:
        on = s.rng.uniform(30, 80)
        hum_spell(s, t, on, log_uniform(s.rng, 3, 28), s.rng.random() < 0.5, "thermostat on", log_uniform(s.rng, 40, 1500))
        t += on + s.rng.uniform(40, 110)
    _mixture(s, 75, 14, 8)
    for _ in range(8):
        doublet(s)


def phone_charger(s):
    for _ in range(7):
        long_artefact(s, nu.charger, s.rng.uniform(5, 60), log_uniform(s.rng, 40, 1500))
    for _ in range(5):
        long_artefact(s, nu.radio, s.rng.uniform(3, 20), log_uniform(s.rng, 40, 800))
    for _ in range(3):
        start = s.rng.uniform(10, s.seconds - 140)
        hum_spell(s, start, s.rng.uniform(40, 120), log_uniform(s.rng, 5, 30), False, "charger plugged in", 300)
    for _ in range(14):
        artefact(s, nu.touch, None, log_uniform(s.rng, 60, 900), mains=s.device.mains_hz)
    for _ in range(20):
        artefact(s, nu.switch_click)
    _mixture(s, 70, 10, 6)


def slipping_band(s):
    for _ in range(24):
        long_artefact(s, nu.slip, log_uniform(s.rng, 0.3, 4), log_uniform(s.rng, 60, 5000),
                      knock_g=log_uniform(s.rng, 0.01, 0.3) if s.rng.random() < 0.6 else None)
    for _ in range(60):
        artefact(s, nu.contact_step, ms=log_uniform(s.rng, 3, 120))
    for _ in range(8):
        long_artefact(s, nu.gain_flutter, s.rng.uniform(0.5, 6), log_uniform(s.rng, 200, 5000))
    _mixture(s, 55, 10, 6)


def sweaty_sleeve(s):
    s.gain = lambda t: 0.45 + 0.55 / (1 + np.exp((t - 600.0) / 120.0))
    for _ in range(25):
        long_artefact(s, nu.sweat_wave, s.rng.uniform(2, 12), log_uniform(s.rng, 200, 5000))
    for _ in range(15):
        artefact(s, nu.contact_step, ms=log_uniform(s.rng, 5, 60))
    series(s, 10, 25.0, 2.0, 90.0, 4.0, 300.0)
    _mixture(s, 90, 12, 4)


def pets_and_partner(s):
    fine = s.device.acc_fine
    for _ in range(6):
        outside(s, nu.steps(s.rng, fine, log_uniform(s.rng, 0.02, 0.12), s.rng.uniform(4, 15), s.rng.uniform(2, 5), "cat walking on the bed"))
    for _ in range(4):
        outside(s, nu.shaking(s.rng, fine, log_uniform(s.rng, 0.003, 0.02), s.rng.uniform(15, 50), s.rng.uniform(21, 27), "cat purring"))
    for _ in range(5):
        outside(s, nu.shaking(s.rng, fine, log_uniform(s.rng, 0.03, 0.3), s.rng.uniform(1.5, 6), s.rng.uniform(4, 6.5), "dog scratching"))
    for _ in range(10):
        outside(s, nu.shove(s.rng, fine, log_uniform(s.rng, 0.02, 0.25), s.rng.uniform(2, 8)))
    for _ in range(25):
        outside(s, nu.bump(s.rng, fine, log_uniform(s.rng, 0.02, 0.8)), fixed=False, note="partner or pet")
    for _ in range(12):
        artefact(s, nu.contact_step, knock_g=log_uniform(s.rng, 0.05, 0.6))
    _mixture(s, 60, 22, 8)
    turn(s)


def washing_machine(s):
    fine = s.device.acc_fine
    for t, length in ((60.0, 240.0), (420.0, 180.0), (760.0, 330.0)):
        outside(s, nu.machine(s.rng, fine, log_uniform(s.rng, 0.008, 0.05), length), t)
    _mixture(s, 60, 40, 8)
    for _ in range(6):
        hum_spell(s, s.rng.uniform(20, s.seconds - 60), s.rng.uniform(8, 40), log_uniform(s.rng, 3, 20), True, "motor", 0)


def lost_packets(s):
    for _ in range(90):
        start = s.rng.uniform(1, s.seconds - 8)
        s.lose(start, start + float(s.rng.choice([0.02, 0.04, 0.1, 0.24, 0.5, 2.0])), str(s.rng.choice(["both", "both", "emg", "acc"])))
    start = s.rng.uniform(100, s.seconds - 100)
    s.lose(start, start + 30.0, "both")
    s.gaps = _apart(s.gaps)
    _mixture(s, 90, 30, 12)
    for _ in range(8):
        doublet(s)
    quick_posture(s)


def _apart(gaps):
    """Gaps in order; those that touch the one before are left out."""
    out = []
    for gap in sorted(gaps):
        if not out or gap[0] > out[-1][1] + 0.2:
            out.append(gap)
    return out


def eight_bit_band(s):
    units = own_units(s, 4)
    for unit in units:
        twitch_run(s, unit, 8, log_uniform(s.rng, 1, 6))
    _mixture(s, 15, 25, 14)
    for _ in range(45):
        twitch(s, uv=log_uniform(s.rng, 90, 2500), ms=log_uniform(s.rng, 6, 40))
    for _ in range(15):
        artefact(s, nu.contact_step, ms=log_uniform(s.rng, 3, 60))
    turn(s)


def slow_tracker(s):
    """200 Hz EMG and 25 Hz accelerometer: the least that is sold."""
    _mixture(s, 60, 35, 14)
    for _ in range(5):
        tapping(s, int(s.rng.integers(4, 8)), s.rng.uniform(1.0, 1.8), log_uniform(s.rng, 40, 200))
    for _ in range(12):
        artefact(s, nu.crackle)
    for _ in range(4):
        turn(s)
    quick_posture(s)


def quiet_night(s):
    """Almost nothing from the wearer: blanket rustle, static, a door, a heart in the lead."""
    fine = s.device.acc_fine
    for _ in range(25):
        outside(s, nu.bump(s.rng, fine, log_uniform(s.rng, 0.01, 0.3)), fixed=False, note="blanket, door, passing lorry")
    for _ in range(70):
        artefact(s, nu.crackle if s.rng.random() < 0.5 else nu.contact_step, ms=log_uniform(s.rng, 3, 150))
    for _ in range(4):
        outside(s, nu.shove(s.rng, fine, log_uniform(s.rng, 0.01, 0.06), s.rng.uniform(2, 6)))
    long_artefact(s, nu.heart, 300.0, log_uniform(s.rng, 10, 45), alone=False)
    hum_spell(s, s.rng.uniform(100, 500), 200.0, log_uniform(s.rng, 3, 15), False, "lamp", 200)
    for _ in range(6):
        twitch(s, uv=log_uniform(s.rng, 60, 600))
    jerk(s, bursts=1, ms=110.0)
    turn(s)
