"""The population: eighteen people, their electrodes, amplifiers, sensors and beds.

A recording is drawn in two steps: a person from the table, then small changes within the person
(another night: gel, gain, heart rate). Families change only what their situation needs.
Geometry: tibialis anterior and calf fibres run 60-120 mm between tendons, foot muscles 30-50 mm;
conduction 3-5 m/s, slower when cold. Amplifiers: BITalino-like 12 bit (gain 1009), ADS129x-like
24 bit DC-coupled, polysomnograph 16 bit, wireless 20-450 Hz 16 bit, hobby boards of 8-10 bit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .model import Accelerometer, Amplifier, Bed, Body, Electrode, Person

AMPLIFIERS: dict[str, Amplifier] = {
    "ble12": Amplifier("ble12", 1000.0, 12, 0.798, 25.0, 2, 480.0),
    "psg16": Amplifier("psg16", 1000.0, 16, 0.1, 10.0, 2, 450.0),
    "wide16": Amplifier("wide16", 1000.0, 16, 0.3, 10.0, 1, 499.0),
    "ads24": Amplifier("ads24", 1000.0, 24, 0.0224, 0.0, 1, 262.0, 9000.0),
    "wear16": Amplifier("wear16", 1000.0, 16, 0.168, 20.0, 4, 450.0),
    "fast16": Amplifier("fast16", 2000.0, 16, 0.168, 20.0, 4, 450.0),
    "fast24": Amplifier("fast24", 4000.0, 24, 0.0224, 0.0, 1, 1048.0, -14000.0),
    "fast24ac": Amplifier("fast24ac", 2000.0, 24, 0.0224, 0.5, 1, 524.0, 0.0),
    "lp150": Amplifier("lp150", 500.0, 16, 0.25, 5.0, 2, 150.0),
    "psg500": Amplifier("psg500", 500.0, 12, 1.0, 10.0, 1, 200.0),
    "slow24": Amplifier("slow24", 250.0, 24, 0.0224, 0.0, 1, 65.5, 4000.0),
    "slow16": Amplifier("slow16", 250.0, 16, 0.25, 10.0, 2, 100.0),
    "hobby8": Amplifier("hobby8", 500.0, 8, 9.0, 20.0, 2, 240.0),
    "hobby10": Amplifier("hobby10", 1000.0, 10, 3.2, 15.0, 1, 498.0),
}
"""Amplifiers by name."""

SENSORS: dict[str, Accelerometer] = {
    "good100": Accelerometer("good100", 100.0, 16, 8.0, 110.0, 22.0, 0.35),
    "mid100": Accelerometer("mid100", 100.0, 12, 4.0, 180.0, 16.0, 0.25),
    "cheap100": Accelerometer("cheap100", 100.0, 12, 2.0, 300.0, 12.0, 0.2),
    "low52": Accelerometer("low52", 52.0, 16, 4.0, 130.0, 14.0, 0.3),
    "coarse": Accelerometer("coarse", 100.0, 10, 4.0, 300.0, 11.0, 0.18),
    "byte": Accelerometer("byte", 50.0, 8, 2.0, 300.0, 13.0, 0.25),
}
"""Accelerometers by name."""


def _person(
    name: str,
    body: tuple[str, float, float, float, float, float, float, float],
    heart: tuple[float, float, float],
    breath: tuple[float, float],
    nerve: tuple[float, float],
    electrode: tuple[float, float, float, float, float, float],
    gear: tuple[str, str],
    bed: tuple[float, float, float, float, float, float, bool, bool],
    tendon_sd: float = 3.0,
) -> Person:
    bpm, ecg, pulse = heart
    full = Body(*body, bpm, ecg, pulse, breath[0], breath[1], nerve[0], nerve[1], tendon_sd)
    return Person(
        name, full, Electrode(*electrode), AMPLIFIERS[gear[0]], SENSORS[gear[1]], Bed(*bed)
    )


# body: muscle, fat, velocity, iz, left, right, reinnervated, typical unit uV; heart: bpm, ECG uV,
# pulse mg; breath: Hz, snore mg; nerve: contraction ms, twitch rate/min;
# electrode: distance, size, noise, colour, uV per g, pop ms;
# bed: mains Hz, mains uV, odd, even, mattress Hz, damping, partner, cat
PEOPLE: tuple[Person, ...] = (
    _person("lean_runner", ("TA", 3, 4.4, 12, 65, 75, 0.0, 90), (52, 6, 2.5), (0.22, 0),
            (38, 3), (20, 10, 1.6, 0.6, 60, 30), ("wear16", "good100"),
            (50, 0.4, 0.5, 0.1, 3.2, 0.45, False, False)),
    _person("office_man", ("GM", 8, 4.0, 25, 40, 45, 0.05, 45), (68, 10, 1.5), (0.25, 1.5),
            (62, 6), (24, 10, 2.4, 0.8, 90, 45), ("ble12", "mid100"),
            (50, 3.0, 0.6, 0.2, 2.6, 0.6, True, False)),
    _person("older_woman", ("TA", 11, 3.7, 20, 55, 65, 0.15, 40), (74, 35, 3.0), (0.27, 0),
            (58, 2), (30, 12, 3.5, 0.9, 150, 60), ("psg16", "cheap100"),
            (60, 2.0, 0.4, 0.3, 4.0, 0.3, False, True)),
    _person("als_man", ("TA", 4, 3.2, 15, 60, 70, 0.8, 220), (80, 15, 2.0), (0.28, 0),
            (48, 25), (20, 8, 1.8, 0.5, 50, 30), ("fast24", "good100"),
            (50, 1.0, 0.5, 0.1, 3.5, 0.5, True, False)),
    _person("neuropathy", ("EDB", 2.5, 2.9, 8, 20, 25, 0.5, 120), (77, 8, 4.0), (0.24, 2.5),
            (52, 10), (16, 8, 4.5, 1.1, 200, 15), ("wide16", "mid100"),
            (60, 4.0, 0.8, 0.2, 5.0, 0.35, True, False)),
    _person("foot_student", ("AH", 3, 4.1, 5, 18, 24, 0.0, 150), (61, 5, 5.0), (0.23, 0),
            (40, 12), (20, 10, 2.0, 0.7, 120, 10), ("ads24", "good100"),
            (60, 1.5, 0.3, 0.1, 4.5, 0.4, False, True)),
    _person("heavy_snorer", ("GL", 18, 3.9, 30, 35, 45, 0.0, 25), (83, 90, 1.0), (0.21, 5),
            (66, 4), (40, 15, 5.0, 1.0, 180, 80), ("lp150", "cheap100"),
            (50, 6.0, 0.7, 0.3, 2.1, 0.8, True, False)),
    _person("pregnant_rls", ("TA", 7, 4.0, 18, 60, 70, 0.0, 60), (88, 20, 3.0), (0.3, 0.5),
            (50, 3), (26, 10, 2.8, 0.8, 100, 40), ("psg500", "mid100"),
            (60, 2.5, 0.6, 0.1, 2.8, 0.55, True, False)),
    _person("belly_tendon", ("TA", 5, 4.2, 8, 65, 70, 0.1, 110), (64, 12, 2.0), (0.25, 0),
            (44, 6), (90, 10, 2.2, 0.9, 90, 50), ("fast24ac", "good100"),
            (50, 2.0, 0.4, 0.2, 3.0, 0.5, False, False)),
    _person("over_plate", ("SO", 9, 4.1, 0, 30, 30, 0.05, 50), (70, 9, 2.0), (0.26, 1),
            (72, 5), (20, 10, 3.0, 0.7, 110, 35), ("wear16", "mid100"),
            (60, 1.0, 0.5, 0.2, 3.8, 0.35, False, False)),
    _person("cold_feet", ("TA", 5, 2.6, 22, 60, 70, 0.0, 70), (58, 7, 1.0), (0.22, 0),
            (85, 4), (22, 10, 2.6, 1.2, 130, 100), ("psg16", "coarse"),
            (50, 12.0, 0.8, 0.1, 2.4, 0.7, True, True)),
    _person("tinkerer", ("GM", 6, 4.2, 28, 40, 45, 0.0, 65), (66, 14, 2.0), (0.25, 0),
            (55, 8), (35, 18, 6.5, 1.0, 300, 25), ("hobby10", "coarse"),
            (50, 9.0, 0.9, 0.4, 3.3, 0.3, False, True)),
    _person("near_tendon", ("PL", 6, 3.8, 48, 50, 62, 0.1, 55), (72, 11, 2.2), (0.24, 0.3),
            (60, 5), (25, 10, 2.3, 0.6, 80, 55), ("ads24", "low52"),
            (60, 3.0, 0.4, 0.2, 3.6, 0.45, True, False)),
    _person("ward_patient", ("TA", 10, 3.5, 30, 55, 60, 0.3, 50), (95, 160, 6.0), (0.33, 2),
            (58, 8), (30, 12, 8.0, 0.9, 160, 70), ("wide16", "mid100"),
            (60, 5.0, 0.6, 0.4, 5.5, 0.25, False, False)),
    _person("past_tendon", ("SO", 5, 3.9, 80, 70, 48, 0.0, 60), (63, 10, 2.0), (0.23, 0.8),
            (64, 5), (22, 10, 2.4, 0.7, 90, 50), ("wear16", "good100"),
            (50, 1.5, 0.5, 0.2, 3.0, 0.5, True, False)),
    _person("short_foot", ("EDB", 1.5, 4.7, 3, 12, 14, 0.0, 130), (57, 6, 3.5), (0.2, 0),
            (36, 9), (13, 5, 2.1, 0.6, 100, 8), ("psg16", "good100"),
            (60, 1.2, 0.3, 0.1, 4.2, 0.4, False, True)),
    _person("one_off_belly", ("TA", 6, 4.0, 0, 34, 36, 0.05, 80), (69, 9, 1.8), (0.24, 0),
            (46, 6), (76, 14, 2.6, 0.8, 120, 60), ("ads24", "mid100"),
            (50, 2.2, 0.6, 0.3, 3.4, 0.45, False, False)),
    _person("motor_point", ("TA", 3, 4.1, 50, 70, 70, 0.0, 95), (60, 8, 2.2), (0.22, 0),
            (45, 7), (100, 10, 2.0, 0.7, 90, 35), ("wide16", "good100"),
            (60, 1.8, 0.4, 0.2, 3.1, 0.5, True, False), 17.0),
)  # fmt: skip
"""All people of the kit."""


def draw_person(rng: np.random.Generator, names: tuple[str, ...] = ()) -> Person:
    """Draw a person (of ``names`` if given) on one night.

    Returns
    -------
    Person
        The table entry with the small changes of a night.
    """
    pool = [p for p in PEOPLE if not names or p.name in names]
    person = pool[int(rng.integers(len(pool)))]

    def vary(value: float, spread: float) -> float:
        return float(value * np.exp(spread * rng.standard_normal()))

    body = replace(
        person.body,
        iz_mm=person.body.iz_mm + 4.0 * rng.standard_normal(),
        velocity=vary(person.body.velocity, 0.04),
        unit_uv=vary(person.body.unit_uv, 0.3),
        heart_bpm=vary(person.body.heart_bpm, 0.06),
        ecg_uv=vary(person.body.ecg_uv, 0.4),
        pulse_mg=vary(person.body.pulse_mg, 0.3),
    )
    electrode = replace(
        person.electrode,
        noise_uv=float(np.clip(vary(person.electrode.noise_uv, 0.3), 1.0, 15.0)),
        motion_uv_per_g=vary(person.electrode.motion_uv_per_g, 0.4),
    )
    bed = replace(person.bed, mains_uv=vary(person.bed.mains_uv, 0.7))
    return replace(person, body=body, electrode=electrode, bed=bed)
