"""The recording families: which leg, which recorder, which events."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from . import artefacts as bad
from . import events as ev
from .conductor import Leg
from .events import loguniform
from .frontend import Recorder
from .records import Composed
from .session import AccSpec, Session

FAMILIES: dict[str, str] = {
    "gel_belly": "Gel electrodes on the muscle belly, good amplifier, driven right leg, 16 bit: all sorts of twitches, some movements.",
    "motor_point": "Electrodes on the motor point, 60 Hz country, 12 bit: twitches, doublets and trains of mixed shapes.",
    "tendon_wide": "Wide pair with one electrode by or beyond the tendon and one on bone, DC coupled: one-sided and end-of-fibre potentials, drift.",
    "jerks_single": "Isolated jerks 0.1-4 g with turns, contraction before or after, followed by movements; some twitches.",
    "jerk_trains": "Trains of 2-10 jerks at 2-20 Hz with single jerks, movements and foot tremor between.",
    "periodic_legs": "Periodic and isolated leg movements from just above the +8 uV rule to mV, with and without acceleration.",
    "restless_night": "Gross movements and posture changes with jerks, twitches and short contractions between.",
    "walk_and_tonic": "Minutes of walking and of tonic activity with clear twitches in and just after them.",
    "dry_cheap": "Dry electrodes, no right-leg drive, strong wandering mains in the resting noise, 10 bit: twitches, pops, movements.",
    "pops_and_twitches": "Pops over the whole range of sizes and lengths of twitches, among twitches.",
    "slow_device": "Small wearable: 250 Hz EMG low-passed at 100 Hz, 52 Hz acceleration, 12 bit: all kinds.",
    "lab_two_channels": "Laboratory amplifier, 4000 Hz, 24 bit, two channels on one leg: all kinds.",
    "heart_and_pulse": "Strong ECG in the EMG and pulse in the acceleration: twitches, movements, a few jerks.",
    "small_bursts": "Fragmentary-myoclonus-like bursts and small twitches near the noise, 500 Hz.",
    "quiet": "Resting noise, mains, wander and pulse only: no event at all.",
    "emg_only": "EMG at 2000 Hz without accelerometer: twitches, short contractions, movements.",
    "acc_only": "Accelerometer without EMG: jerks, movements, posture changes, knocks, pulse.",
    "coincidences": "Events that meet: knocks and pops near twitches, twitches beside jerks and movements.",
    "hum_radio_contact": "Bursts of hum, radio, loose contacts, cable swings and saturation, with few events; 8 bit.",
}
MINUTES = {"quiet": 20, "lab_two_channels": 16, "emg_only": 18, "acc_only": 30, "restless_night": 30,
           "jerks_single": 28, "periodic_legs": 32, "jerk_trains": 25, "heart_and_pulse": 20, "slow_device": 30}
Menu = list[tuple[float, Callable[[Session, float], float]]]


def _leg(rng: np.random.Generator, place: str, dry: bool, wide: bool = False) -> Leg:
    half = float(rng.uniform(45, 72))
    spacing = {"tendon": rng.uniform(40, 60), "point": rng.uniform(15, 30)}.get(place, rng.uniform(10, 35))
    tilt = float(rng.uniform(-70, 70) if place == "tendon" else rng.normal(0, 9))
    centre = {"tendon": half + rng.uniform(-15, 30), "point": rng.uniform(-6, 6)}.get(place, rng.uniform(16, half - 15))
    centre *= rng.choice([-1, 1])
    reference = float(rng.choice([1.0, rng.uniform(0, .25)])) if place == "tendon" else 1.0
    if wide:                                  # active electrode by or beyond the tendon, the other on bone
        side = rng.choice([-1, 1])
        centre = side * (half + rng.uniform(-8, 24)) - spacing / 2 * np.cos(np.radians(tilt))
        reference = float(rng.uniform(0, .1))
    sigma = rng.uniform(.03, .1) if dry else rng.uniform(.3, 1)
    return Leg(float(rng.uniform(42, 58)), float(rng.uniform(2, 9)), 1.3, float(sigma), float(spacing),
               float(rng.uniform(2.5, 5) if dry else 5), float(centre), tilt, half, float(rng.uniform(2, 5)), reference)


def _harmonics(rng: np.random.Generator) -> dict[int, float]:
    odd, even = rng.uniform(0, .5), rng.uniform(0, .25) * (rng.random() < .5)
    return {k: float((odd if k % 2 else even) / k * rng.uniform(.5, 2)) for k in range(2, 10)}


def _recorder(rng: np.random.Generator, **changes: Any) -> Recorder:
    band = [(10.0, 2, 500.0, 2), (20.0, 2, 450.0, 4), (20.0, 4, 450.0, 4), (5.0, 1, 350.0, 2), (1.0, 1, 400.0, 2)][rng.integers(5)]
    base: dict[str, Any] = {
        "fs": 1000.0, "fi": 2000.0, "hp": band[0], "hp_order": band[1], "lp": band[2], "lp_order": band[3], "bits": 16, "rail_uv": 8000.0,
        "floor_uv": loguniform(rng, 1.2, 12), "colour": float(rng.uniform(0, .8)), "mains_hz": 50.0,
        "mains_uv": float(rng.choice([0.0, loguniform(rng, .5, 4), loguniform(rng, 4, 15)])),
        "harmonics": _harmonics(rng), "wander_uv": loguniform(rng, 5, 60), "cable_uv_per_g": loguniform(rng, 5, 120)}
    base.update(changes)
    return Recorder(**base)


def _gap(rng: np.random.Generator) -> float:
    return float(np.clip(np.exp(rng.normal(np.log(8), .65)), 2.5, 40))


def _run(s: Session, menu: Menu, start: float = 8.0) -> None:
    weights = np.array([w for w, _ in menu])
    t = start + s.rng.uniform(0, 6)
    while t < s.length - 62:
        t = menu[int(s.rng.choice(len(menu), p=weights / weights.sum()))][1](s, t) + _gap(s.rng)


def _brief(s: Session, t: float) -> float:
    return ev.movement(s, t, float(s.rng.uniform(.18, .44)), loguniform(s.rng, 15, 500), 0.0 if s.rng.random() < .6 else loguniform(s.rng, .01, .05))


def _small_lm(s: Session, t: float) -> float:
    return ev.movement(s, t, None, s.floor[0] * .25 + loguniform(s.rng, 11, 25) if s.floor else None)


def _posture(s: Session, t: float) -> float:
    return ev.gross(s, t, None, float(s.rng.uniform(33, 110) * s.rng.choice([-1, 1])))


def _train(s: Session, t: float) -> float:
    number = int(s.rng.integers(2, 11))
    return ev.jerk(s, t, None, None, number, loguniform(s.rng, 2, 18))


def _jerk_story(s: Session, t: float) -> float:
    rng = s.rng
    story = str(rng.choice(["plain", "turn", "before", "after", "movement"], p=[.4, .2, .12, .13, .15]))
    if story == "before":
        t = ev.movement(s, t, float(rng.uniform(.8, 3)), loguniform(rng, 15, 120), 0.0, "before a jerk") + rng.uniform(.3, 1.5)
    t = ev.jerk(s, t, turn=story == "turn")
    if story == "after":
        t = ev.movement(s, t - rng.uniform(.2, .5), float(rng.uniform(.7, 3)), loguniform(rng, 15, 120), 0.0, "after a jerk")
    elif story == "movement":
        t = ev.movement(s, t + rng.uniform(.1, 1.5), float(rng.uniform(1, 6)), None, loguniform(rng, .03, .4), "follows a jerk")
    return t


def _in_activity(s: Session, t: float) -> float:
    rng = s.rng
    length = min(float(rng.uniform(35, 110)), s.length - t - 30)
    end = ev.walking(s, t, length) if rng.random() < .5 else ev.tonic(s, t, length, loguniform(rng, 12, 90))
    x = t + rng.uniform(3, 8)
    while x < end - 2:
        i = int(x * s.fi)
        local = max(float(np.std(s.emg[0][i - int(.7 * s.fi):i + int(.7 * s.fi)])), 3.0)
        size = local * loguniform(rng, 14, 40)
        if size < 6500:
            ev.twitch(s, x, size, str(rng.choice(["single", "compound", "doublet"])), 0, True, note=f"{size / local:.0f} x activity")
        x += rng.uniform(3, 12)
    x = end + rng.uniform(.25, 2)
    for _ in range(int(rng.integers(1, 5))):
        x = ev.twitch(s, x, loguniform(rng, 60, 3000), note="just after activity") + rng.uniform(.3, 4)
    return x


def _meeting(s: Session, t: float) -> float:
    rng = s.rng
    what = int(rng.integers(0, 7))
    near = float(rng.uniform(.45, 2.0))
    if what == 0:
        bad.bump(s, t, False)
        return ev.twitch(s, t + near, loguniform(rng, 60, 3000), note="after a knock") + 1
    if what == 1:
        end = ev.twitch(s, t, loguniform(rng, 60, 3000), note="before a knock")
        return bad.bump(s, end + near, False)
    if what == 2:                                          # truly undecidable: twitch and knock together
        mark = len(s.drafts)
        ev.twitch(s, t, loguniform(rng, 60, 3000), "single", note="with a knock")
        end = bad.bump(s, t + rng.uniform(-.05, .15), False)
        for d in s.drafts[mark:]:
            d.kind = "unclear"
        return end
    if what == 3:
        bad.pop(s, t)
        return ev.twitch(s, t + .25 + near / 2, loguniform(rng, 60, 3000), note="after a pop")
    if what == 4:
        end = ev.twitch(s, t, loguniform(rng, 60, 3000), note="before a jerk")
        return ev.jerk(s, end + near)
    if what == 5:
        end = ev.movement(s, t, float(rng.uniform(.8, 5)), None, None)
        return ev.twitch(s, end + near, loguniform(rng, 80, 3000), note="after a movement")
    end = ev.jerk(s, t)
    return ev.twitch(s, end + near, loguniform(rng, 80, 3000), note="after a jerk")


def _many(event: Callable[[Session, float], float], low: int, high: int) -> Callable[[Session, float], float]:
    def several(s: Session, t: float) -> float:
        for _ in range(int(s.rng.integers(low, high))):
            t = event(s, t) + s.rng.uniform(.5, 5)
        return t
    return several


def _periodic(s: Session, t: float) -> float:
    return ev.series(s, t, int(s.rng.integers(4, 9)), float(s.rng.uniform(11, 38)))


def _small_burst(s: Session, t: float) -> float:
    return ev.twitch(s, t, loguniform(s.rng, 20, 400), str(s.rng.choice(["burst", "polyphasic", "single", "repetitive"], p=[.45, .2, .25, .1])))


ALL: Menu = [(5, ev.twitch), (.5, ev.twitch_train), (1.6, _jerk_story), (.8, _train), (1.6, ev.movement), (.5, _brief),
             (.25, ev.gross), (.25, _posture), (.6, bad.pop), (.6, bad.bump)]
TWITCHES: Menu = [(8, ev.twitch), (.6, ev.twitch_train), (.7, ev.movement), (.4, _brief), (.3, bad.pop), (.3, bad.bump)]
MENUS: dict[str, Menu] = {
    "gel_belly": TWITCHES, "motor_point": TWITCHES, "tendon_wide": TWITCHES,
    "jerks_single": [(6, _jerk_story), (1.5, ev.twitch), (.8, ev.movement), (.7, bad.bump), (.3, _brief)],
    "jerk_trains": [(5, _train), (1.5, _jerk_story), (1, ev.twitch), (.6, ev.movement), (.5, ev.foot_tremor), (.4, bad.bump)],
    "periodic_legs": [(1, _periodic), (2, ev.movement), (1.5, _small_lm), (.5, _brief), (.7, ev.twitch), (.4, bad.cable_swing)],
    "restless_night": [(1.3, ev.gross), (1.6, _posture), (1, ev.movement), (1, _brief), (1, _jerk_story), (1.5, ev.twitch), (.5, bad.bump)],
    "walk_and_tonic": [(2, _in_activity), (2, ev.twitch), (.5, ev.movement)],
    "dry_cheap": [(5, ev.twitch), (2, bad.pop), (1, ev.movement), (.5, bad.cable_swing), (.5, bad.loose_contact), (.6, _jerk_story)],
    "pops_and_twitches": [(3, bad.pop), (3, ev.twitch), (.7, _many(bad.pop, 3, 8)), (.5, bad.bump), (.4, ev.movement)],
    "slow_device": ALL, "lab_two_channels": ALL,
    "heart_and_pulse": [(5, ev.twitch), (1, ev.movement), (.6, _jerk_story), (.4, _brief)],
    "small_bursts": [(5, _small_burst), (1.5, _many(_small_burst, 3, 9)), (1, ev.twitch_train), (.5, _small_lm)],
    "quiet": [],
    "emg_only": [(5, ev.twitch), (1, ev.twitch_train), (1.5, ev.movement), (1, _brief), (.7, bad.pop), (.4, _small_lm)],
    "acc_only": [(3, _jerk_story), (1.5, _train), (2, ev.movement), (.7, _posture), (.4, ev.gross), (1.2, bad.bump)],
    "coincidences": [(5, _meeting), (1, ev.twitch), (.6, bad.bump), (.6, bad.pop)],
    "hum_radio_contact": [(1.5, bad.hum_burst), (1.5, bad.radio_burst), (1.2, bad.loose_contact), (.8, bad.cable_swing),
                          (.8, bad.pop), (2, ev.twitch), (.6, ev.movement), (.5, _jerk_story)],
}


def _setup(family: str, rng: np.random.Generator, length: float) -> Session:
    place = {"gel_belly": "belly", "motor_point": "point", "tendon_wide": "tendon"}.get(family) or str(rng.choice(["belly", "belly", "belly", "point", "tendon"]))
    dry = family in ("dry_cheap", "slow_device", "hum_radio_contact", "pops_and_twitches")
    acc, scattered, kinds = AccSpec(density=float(rng.choice([110, 150, 300])), pulse_g=loguniform(rng, .0004, .003)), .1, 1
    change: dict[str, Any] = {"mains_hz": float(rng.choice([50.0, 60.0]))}
    if family == "gel_belly":
        change.update(mains_uv=loguniform(rng, .2, 1.5), floor_uv=loguniform(rng, 1, 3))
    elif family == "motor_point":
        change.update(mains_hz=60.0, bits=12, rail_uv=6000.0, mains_uv=loguniform(rng, 1, 6))
    elif family == "tendon_wide":
        change.update(hp=0.0, lp=400.0, bits=24, rail_uv=200000.0, wander_uv=loguniform(rng, 30, 150))
    elif family == "jerks_single":
        change.update(rail_uv=float(rng.choice([2500.0, 8000.0])), bits=int(rng.choice([12, 16])))
    elif family == "dry_cheap":
        change.update(bits=10, rail_uv=1650.0, floor_uv=loguniform(rng, 4, 15), mains_uv=loguniform(rng, 10, 40), mains_drift=.5,
                      colour=.8, cable_uv_per_g=loguniform(rng, 150, 900), hp=10.0, hp_order=1, lp=400.0, lp_order=1)
        acc = AccSpec(density=300, rail_g=4, bits=10)
    elif family == "slow_device":
        change.update(fs=250.0, lp=100.0, lp_order=3, hp=5.0, hp_order=1, bits=12, rail_uv=3300.0)
        acc = AccSpec(fs=52.0, density=180, rail_g=4, bits=12)
    elif family == "lab_two_channels":
        change.update(fs=4000.0, fi=4000.0, lp=1000.0, hp=10.0, bits=24, rail_uv=187500.0, mains_uv=loguniform(rng, .3, 2))
        kinds, scattered = 2, .2
    elif family == "heart_and_pulse":
        change.update(ecg_uv=loguniform(rng, 25, 300), hp=5.0, hp_order=1)
        acc = AccSpec(pulse_g=loguniform(rng, .004, .015), density=110)
    elif family == "small_bursts":
        change.update(fs=500.0, lp=150.0 if rng.random() < .5 else 220.0, hp=10.0, floor_uv=loguniform(rng, 1, 5), ecg_uv=loguniform(rng, 3, 20))
        scattered = .3
    elif family == "quiet":
        change.update(floor_uv=loguniform(rng, 1, 15), mains_uv=loguniform(rng, 2, 30), mains_drift=.4, ecg_uv=loguniform(rng, 2, 15))
    elif family == "emg_only":
        change.update(fs=2000.0, lp=500.0)
        acc = AccSpec(fs=0.0)
    elif family == "acc_only":
        acc = AccSpec(density=float(rng.choice([110, 300])), rail_g=float(rng.choice([2, 8])), bits=int(rng.choice([8, 12, 16])),
                      pulse_g=loguniform(rng, .001, .012))
        if acc.bits == 8:
            acc = AccSpec(density=300, rail_g=2, bits=8, pulse_g=acc.pulse_g)
        kinds = 0
    elif family == "hum_radio_contact":
        change.update(bits=8, rail_uv=float(rng.choice([640.0, 1280.0])), floor_uv=loguniform(rng, 4, 12), hp=20.0, mains_uv=loguniform(rng, 3, 20))
        acc = AccSpec(density=300, rail_g=4, bits=12)
    elif family in ("coincidences", "walk_and_tonic"):
        change.update(mains_uv=loguniform(rng, .5, 6))
    recorders = [_recorder(rng, **change)]
    if kinds == 2:
        recorders.append(_recorder(rng, **change))
    legs = [_leg(rng, place if i == 0 else "belly", dry, family == "tendon_wide") for i in range(max(1, kinds))]
    s = Session(rng, length, recorders[:kinds], legs, acc, scattered)
    s.place, s.dry = place, dry
    return s


def compose(family: str, seed: int) -> Composed:
    """Compose one recording of a family.

    Parameters
    ----------
    family : str
        A key of `FAMILIES`.
    seed : int
        Any number; the same pair gives the same recording.

    Returns
    -------
    Composed
        Signals, true events and facts about the recorder.
    """
    rng = np.random.default_rng([zlib.crc32(family.encode()), seed])
    minutes = MINUTES.get(family, 22)
    length = float(minutes * 60)
    s = _setup(family, rng, length)
    if MENUS[family]:
        _run(s, MENUS[family])
    return s.compose({"family": family, "seed": seed, "place": s.place, "dry": s.dry})


__all__ = ["FAMILIES", "compose"]
