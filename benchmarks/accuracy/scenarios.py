"""What happens in each recording: builders that fill a canvas, and the table of their names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.accuracy import body, electrode, families, targets
from benchmarks.accuracy.canvas import Canvas
from benchmarks.accuracy.distractors import add_distractors, add_vitals, bumped
from benchmarks.accuracy.muscle import see_unit
from benchmarks.accuracy.targets import log_uniform


def rest_twitches(c: Canvas) -> None:
    """Fill a resting leg with fasciculations."""
    targets.add_fasciculations(c, float(log_uniform(c.rng, 4, 20)))
    add_vitals(c, bool(c.rng.random() < 0.3))
    electrode.add_pops(c, 3, 3, c.seconds - 3)


def frequent(c: Canvas) -> None:
    """Fill a resting leg with a few units that twitch often, as in disease: 30 to 80 a minute."""
    targets.add_fasciculations(c, float(log_uniform(c.rng, 30, 80)), (50.0, 300.0))
    add_vitals(c, bool(c.rng.random() < 0.3))
    electrode.add_pops(c, 3, 3, c.seconds - 3)


def brief(c: Canvas) -> None:
    """Short contractions, alone and in trains as of a trembling foot, among pops."""
    targets.add_brief_contractions(c, round(c.seconds / 25), 3, c.seconds - 20)
    targets.add_fasciculations(c, 2)
    add_vitals(c, bool(c.rng.random() < 0.3))
    electrode.add_pops(c, round(c.seconds / 20), 3, c.seconds - 3)


def sleep_onset(c: Canvas) -> None:
    """Falling asleep: movement before, twitches and hypnic jerks around it."""
    onset = c.seconds * float(c.rng.uniform(0.35, 0.6))
    c.sleep_onset_s = onset
    targets.add_gross_movements(c, 5, 3, onset - 120)
    targets.add_hypnic_jerks(c, int(c.rng.integers(6, 14)), onset - 400, c.seconds - 5)
    targets.add_fasciculations(c, 3, start=60, end=c.seconds - 5)
    add_distractors(c, 0.15, active=True, end=onset - 30)
    add_vitals(c, bool(c.rng.random() < 0.3))


def plm(c: Canvas) -> None:
    """Periodic and single leg movements in sleep."""
    c.sleep_onset_s = 0.0
    targets.add_periodic(c, max(round(c.seconds / 900), 1), 10, c.seconds - 20)
    targets.add_leg_movements(c, round(c.seconds / 240), 10, c.seconds - 20)
    targets.add_fasciculations(c, 0.5)
    add_vitals(c, bool(c.rng.random() < 0.3))


def fragmentary(c: Canvas) -> None:
    """Fragmentary myoclonus in sleep."""
    c.sleep_onset_s = 0.0
    size = log_uniform(c.rng, 60, 150)
    for t in np.sort(c.rng.uniform(3, c.seconds - 3, c.rng.poisson(7 * c.seconds / 60))):
        if c.reserve(float(t), 0.25, 0.35):
            targets.add_fragmentary(c, float(t), float(size * c.rng.lognormal(0, 0.4)))
    targets.add_fasciculations(c, 1)
    add_vitals(c)


def violent(c: Canvas) -> None:
    """Violent and repetitive jerks, bumps between them."""
    c.sleep_onset_s = 0.0
    targets.add_repetitive(c, max(round(c.seconds / 450), 1), 5, c.seconds - 70)
    targets.add_violent(c, max(round(c.seconds / 120), 2), 5, c.seconds - 5)
    targets.add_fasciculations(c, 1)
    electrode.add_bumps(c, round(c.seconds / 200), [], 5, c.seconds - 5)
    add_vitals(c)


def night(c: Canvas) -> None:
    """Fill a mixed night: awake and busy, then asleep."""
    onset = float(c.rng.uniform(0.08, 0.2)) * c.seconds
    c.sleep_onset_s = onset
    end, hours = c.seconds - 10, c.seconds / 3600
    targets.add_gross_movements(c, 4, 5, onset)
    targets.add_gross_movements(c, round(3 * hours), onset, end)
    targets.add_periodic(c, max(round(hours * 1.2), 1), onset, end)
    targets.add_leg_movements(c, round(5 * hours), onset, end)
    targets.add_hypnic_jerks(c, round(4 * hours), max(onset - 300, 5), end)
    targets.add_violent(c, round(1.5 * hours), onset, end)
    targets.add_repetitive(c, round(0.5 * hours), onset, end - 80)
    for t in c.rng.uniform(onset, end, c.rng.poisson(40 * hours)):
        if c.reserve(float(t), 0.25, 0.35):
            targets.add_fragmentary(c, float(t), log_uniform(c.rng, 50, 300))
    targets.add_fasciculations(c, 1.5, end=end)
    add_distractors(c, 0.3, active=True, end=onset)
    add_distractors(c, 0.08, active=False)
    add_vitals(c, bool(c.rng.random() < 0.4))


def storm(c: Canvas) -> None:
    """Every distractor, no target."""
    add_distractors(c, 1.0, active=True)
    add_vitals(c)


def storm_twitches(c: Canvas) -> None:
    """Every distractor that does not hide them, over twitches."""
    targets.add_fasciculations(c, 5, (30, 300))
    add_distractors(c, 0.5, active=False)
    add_vitals(c)


def jerks(c: Canvas) -> None:
    """Jerks of every length and strength; knocks beside twitches, beats and firing units."""
    rng = c.rng
    targets.add_any_jerks(c, round(c.seconds / 40), 5, c.seconds - 5)
    targets.add_fasciculations(c, 4, (40, 400))
    near = [r for r in bumped(c, 0.6) if r["trial_type"] == "twitch"]
    electrode.add_bumps(c, round(c.seconds / 60), near, 5, c.seconds - 5)
    if rng.random() < 0.5:
        beats = log_uniform(rng, 30, 200), float(rng.uniform(45, 110))
        body.add_ecg(c, 5.0, c.seconds / 2, *beats)
    if rng.random() < 0.5:
        body.add_tonic(c, 0.4 * c.seconds, 240.0, log_uniform(rng, 40, 250), "tonic")
    add_vitals(c)


def amplifiers(c: Canvas) -> None:
    """Twitches, jerks and pops behind amplifiers of every band (see `_device`)."""
    targets.add_fasciculations(c, float(log_uniform(c.rng, 2, 20)), (30.0, 300.0))
    targets.add_any_jerks(c, round(c.seconds / 200), 5, c.seconds - 5)
    for t in c.rng.uniform(3, c.seconds - 3, c.rng.poisson(c.seconds / 60)):
        if c.reserve(float(t), 0.25, 0.35):
            targets.add_fragmentary(c, float(t), log_uniform(c.rng, 50, 300))
    add_distractors(c, 0.3, active=False)
    add_vitals(c, bool(c.rng.random() < 0.3))


def drift(c: Canvas) -> None:
    """Jerks, twitches and bumps while the clocks drift (see `_device` for how far)."""
    targets.add_hypnic_jerks(c, round(c.seconds / 60), 5, c.seconds - 5)
    targets.add_violent(c, round(c.seconds / 400), 5, c.seconds - 5)
    targets.add_fasciculations(c, 3)
    near = bumped(c, 0.12)
    electrode.add_bumps(c, round(c.seconds / 120), near, 5, c.seconds - 5)
    add_vitals(c)


def drift_night(c: Canvas) -> None:
    """Put the same, sparse, over a whole night: the clocks end 2.9 s apart."""
    c.sleep_onset_s = 1200.0
    targets.add_hypnic_jerks(c, round(c.seconds / 600), 5, c.seconds - 5)
    targets.add_violent(c, round(c.seconds / 2400), 5, c.seconds - 5)
    targets.add_fasciculations(c, 0.5)
    near = bumped(c, 0.12)
    electrode.add_bumps(c, round(c.seconds / 900), near, 5, c.seconds - 5)
    add_vitals(c)


def noise(c: Canvas) -> None:
    """Nothing at all."""


def acc_only(c: Canvas) -> None:
    """No EMG: jerks, movements, few bumps."""
    c.sleep_onset_s = 0.0
    targets.add_hypnic_jerks(c, round(c.seconds / 200), 5, c.seconds - 5)
    targets.add_violent(c, round(c.seconds / 400), 5, c.seconds - 5)
    targets.add_periodic(c, 1, 10, c.seconds - 20)
    targets.add_gross_movements(c, 4, 5, c.seconds - 5)
    add_vitals(c)


def emg_only(c: Canvas) -> None:
    """No accelerometer: twitches, bursts and movements, some distractors."""
    c.sleep_onset_s = 0.0
    targets.add_fasciculations(c, 4)
    targets.add_leg_movements(c, round(c.seconds / 200), 5, c.seconds - 15)
    for t in c.rng.uniform(3, c.seconds - 3, c.rng.poisson(c.seconds / 60)):
        if c.reserve(float(t), 0.25, 0.35):
            targets.add_fragmentary(c, float(t), log_uniform(c.rng, 50, 300))
    add_distractors(c, 0.08, active=False)


def ladder(c: Canvas) -> None:
    """All classes of target, each over steps of signal to noise (peak to peak over RMS)."""
    rng = c.rng
    steps = (5, 7, 10, 12, 15, 20, 30, 50)
    noise_uv = max(c.levels_uv)
    units = [see_unit(c) for _ in range(6)]
    t, turn = 8.0, 0
    while t < c.seconds - 14:
        height = steps[turn % len(steps)] * noise_uv * float(rng.uniform(0.95, 1.05))
        kind = (turn // len(steps)) % 6
        unit = units[rng.integers(len(units))]
        c.reserve(t, 0.3, 0.0)
        if kind == 0:
            targets.add_single(c, t, unit, height, False)
        elif kind == 1:
            targets.add_doublet(c, t, unit, height, False)
        elif kind == 2:
            targets.add_cluster(c, t, units, height, False)
        elif kind == 3:
            targets.add_fragmentary(c, t, height)
        elif kind == 4:
            # No jolt comes of a muscle that is hardly seen.
            height = max(1.5 * height, 50.0)
            targets.add_jerk(c, t, "hypnic_jerk", height, log_uniform(rng, 0.12, 0.5))
            t += 2
        else:
            targets.add_movement(c, t, "lm", float(rng.uniform(0.9, 4)), max(height / 6, 12))
            t += 8
        t += float(rng.uniform(2.5, 5))
        turn += 1
    add_vitals(c)


def poor_contact(c: Canvas) -> None:
    """Jerks, and knocks without one, behind a contact that hisses all the time."""
    targets.add_any_jerks(c, round(c.seconds / 40), 5, c.seconds - 5)
    electrode.add_bumps(c, round(c.seconds / 60), [], 5, c.seconds - 5)
    electrode.hiss(c)
    add_vitals(c)


def contacts(c: Canvas) -> None:
    """Contacts that open at a knock, jump or hiss, among jerks, movements and twitches."""
    targets.add_any_jerks(c, round(c.seconds / 60), 5, c.seconds - 5)
    targets.add_leg_movements(c, round(c.seconds / 150), 5, c.seconds - 15)
    targets.add_fasciculations(c, 2, (40, 400))
    electrode.add_tugs(c, round(c.seconds / 20), 3, c.seconds - 3)
    electrode.add_shifts(c, round(c.seconds / 40), 3, c.seconds - 3)
    electrode.add_hiss(c, round(c.seconds / 60), 3, c.seconds - 3)
    add_vitals(c, bool(c.rng.random() < 0.3))


#: name: (builder, usual minutes)
SCENARIOS: dict[str, tuple[Callable[[Canvas], None], float]] = {
    "rest_twitches": (rest_twitches, 30),
    "frequent": (frequent, 30),
    "brief": (brief, 30),
    "sleep_onset": (sleep_onset, 45),
    "plm": (plm, 60),
    "fragmentary": (fragmentary, 30),
    "violent": (violent, 30),
    "night": (night, 120),
    "storm": (storm, 45),
    "storm_twitches": (storm_twitches, 45),
    "jerks": (jerks, 30),
    "amplifiers": (amplifiers, 30),
    "poor_contact": (poor_contact, 30),
    "contacts": (contacts, 30),
    "drift": (drift, 40),
    "drift_late": (drift, 40),
    "drift_night": (drift_night, 480),
    "rate_error": (drift, 30),
    "rate_mismatch": (drift, 30),
    "noise": (noise, 240),
    "emg_only": (emg_only, 30),
    "acc_only": (acc_only, 30),
    "ladder": (ladder, 40),
    "wide_twitches": (families.wide_twitches, 30),
    "wide_jerks": (families.wide_jerks, 30),
    "wide_movements": (families.wide_movements, 30),
    "wide_storm": (families.wide_storm, 30),
    "wide_storm_twitches": (families.wide_storm_twitches, 30),
    "wide_active": (families.wide_active, 30),
}
