"""The recording families: which recorder, which bed, which events how often."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from . import artefacts as ar
from . import events as ev
from . import motions as mo
from .electrode import log_uniform
from .model import Composed
from .recorder import Recorder
from .scene import Scene, Setting

Event = Callable[[Scene, float], float]


def _sized(low: float, high: float) -> Event:
    def make(s: Scene, t: float) -> float:
        return ev.twitch(s, t, log_uniform(s.rng, low, high), loud=s.rng.random() < 0.1)
    return make


def _jerk(g: float = 0.0, **how: bool) -> Event:
    def make(s: Scene, t: float) -> float:
        return ev.jerk(s, t, g, **how)
    return make


EVENTS: dict[str, Event] = {
    "twitch": _sized(20, 5000), "small_twitch": _sized(20, 200), "sleep_twitch": _sized(25, 500),
    "big_twitch": _sized(400, 5000), "train": ev.irregular_train, "tonic_unit": ev.tonic_unit,
    "jerk": _jerk(), "jerk_turn": _jerk(turn=True), "jerk_pre": _jerk(before=True), "jerk_move": _jerk(after=True),
    "jerk_train": ev.jerk_train, "movement": mo.movement, "brief": mo.brief, "periodic": mo.periodic,
    "gross": mo.gross, "posture": mo.posture, "walk": mo.walk, "tone": mo.tone, "pop": ar.pop, "pops": ar.pops,
    "hum_burst": ar.hum_burst, "radio": ar.radio, "loose": ar.loose, "cable": ar.cable, "knock": ar.knock,
    "passive": ar.passive, "knock_twitch": ar.knock_near_twitch, "coincidence": ar.coincidence,
}


@dataclass(frozen=True)
class Plan:
    """A family: sentence, recorder, setting (ranges are drawn log-uniformly), event weights, gaps (s)."""

    text: str
    menu: dict[str, float]
    minutes: float = 22.0
    recorder: dict[str, float] = field(default_factory=dict)
    noise: tuple[float, float] = (1.5, 6.0)
    hum: tuple[float, float] | None = None
    ecg: tuple[float, float] | None = None
    pulse: tuple[float, float] = (0.0004, 0.002)
    setting: dict[str, float | str] = field(default_factory=dict)
    gaps: tuple[float, float] = (3.0, 25.0)


NIGHT = {"sleep_twitch": 22, "twitch": 6, "movement": 9, "brief": 3, "jerk": 1.2, "jerk_train": 0.3, "gross": 1.0,
         "posture": 1.2, "pop": 2, "knock": 1.2, "cable": 0.6, "radio": 0.5, "loose": 0.6, "passive": 0.5, "tonic_unit": 0.6}
MIX = {"twitch": 30, "doublet": 0, "jerk": 7, "jerk_turn": 2, "jerk_train": 4, "movement": 9, "brief": 4, "gross": 1,
       "posture": 1, "pop": 5, "knock": 3, "hum_burst": 1.5, "radio": 1, "loose": 1, "cable": 1, "tone": 0.6}
MIX.pop("doublet")

PLANS: dict[str, Plan] = {
    "night_psg": Plan("Ordinary sleep, laboratory amplifier 1000 Hz 16 bit, quiet electrodes, few events.", NIGHT, 36, noise=(1, 2.5), ecg=(4, 15), gaps=(6, 120)),
    "night_wearable": Plan("Ordinary sleep, cheap wearable 1000 Hz 12 bit, weak hum, pulse in the accelerometer.", NIGHT, 36, {"bits": 12, "range_uv": 1650, "acc_bits": 12, "high": 20}, (3, 7), hum=(0.5, 3), setting={"hum_kind": "odd"}, gaps=(6, 120)),
    "night_restless": Plan("Restless sleep: periodic series, movements, gross movements, turns, some twitches.", {"periodic": 5, "movement": 8, "gross": 2, "posture": 3, "sleep_twitch": 14, "jerk": 2, "brief": 3, "pop": 1, "passive": 1}, 36, noise=(1.5, 5), ecg=(5, 25), gaps=(5, 60)),
    "twitching_leg": Plan("Many fasciculations of all sizes and forms.", {"twitch": 60, "train": 2, "brief": 2, "movement": 2, "pop": 3, "knock": 1}, 24, gaps=(2, 14)),
    "trains_and_tone_units": Plan("Irregular trains of one unit against regular voluntary firing; two leads, no acceleration.", {"train": 6, "tonic_unit": 6, "twitch": 8, "pop": 1, "movement": 1}, 24, {"acc_fs": 0, "channels": 2}, (1, 4), gaps=(3, 20)),
    "small_in_noise": Plan("Twitches of 20-200 uV in 4-15 uV of coloured noise.", {"small_twitch": 40, "movement": 4, "pop": 3, "jerk": 1}, 20, noise=(4, 15), setting={"colour": 0.6}),
    "jerks": Plan("Isolated jerks 0.1-4 g, with turn, contraction before, movement after.", {"jerk": 14, "jerk_turn": 6, "jerk_pre": 4, "jerk_move": 5, "twitch": 8, "movement": 2, "knock": 2}, 24, {"channels": 2}),
    "jerk_trains": Plan("Jerk trains of 2-10 bursts at 2-20 Hz among twitches.", {"jerk_train": 12, "jerk": 4, "twitch": 8, "brief": 2, "movement": 2}, 24),
    "movements": Plan("Leg movements from the +8 uV rule to mV, brief contractions, twitches.", {"movement": 20, "brief": 9, "twitch": 8, "posture": 1, "jerk": 2}, 26, noise=(1.5, 5)),
    "walking_tone": Plan("Walking and tonic contraction with clear twitches in and just after them.", {"walk": 3, "tone": 4, "twitch": 5, "movement": 2, "jerk": 1}, 24, noise=(1.5, 4), gaps=(4, 20)),
    "pops_contacts": Plan("Drying electrodes: pops of every size, loose contacts, cable swings; some twitches.", {"pop": 22, "pops": 5, "loose": 6, "cable": 5, "twitch": 14, "movement": 2}, 24, {"channels": 2}, setting={"wander": 150.0}),
    "hum_radio": Plan("Strong drifting hum with harmonics, hum bursts and radio; twitches and movements.", {"hum_burst": 12, "radio": 9, "twitch": 24, "movement": 4, "jerk": 2}, 22, {"mains": 60}, (2, 5), hum=(6, 40), setting={"hum_kind": "rich"}),
    "ecg_pulse": Plan("Strong heart in the EMG and pulse in the accelerometer; twitches, jerks.", {"twitch": 26, "jerk": 4, "movement": 4, "brief": 2}, 20, ecg=(40, 300), pulse=(0.002, 0.008), noise=(1.5, 5)),
    "knocks_coincidences": Plan("Knocks near twitches, events close together.", {"knock_twitch": 14, "knock": 6, "coincidence": 14, "passive": 2, "twitch": 6}, 22),
    "wearable_200_250": Plan("Cheap wearable at 200 or 250 Hz EMG and 50/52 Hz acceleration, 12 bit.", MIX, 24, {"fs": 250, "acc_fs": 52, "bits": 12, "range_uv": 3000, "low": 95, "acc_bits": 12}, (2, 6), hum=(0.3, 4)),
    "psg_500": Plan("Polysomnograph at 500 Hz, 16 bit, 10-150 Hz, ECG.", MIX, 24, {"fs": 500, "low": 150}, (1, 3), ecg=(5, 30), hum=(0.2, 2)),
    "fast_dc_24bit": Plan("2000 or 4000 Hz, 24 bit, DC coupled, large wander.", MIX, 16, {"fs": 2000, "bits": 24, "range_uv": 187500, "high": 0, "low": 0}, (1, 3), hum=(0.3, 4), setting={"wander": 800.0, "hum_kind": "even"}),
    "eight_bit": Plan("8-bit logger, 15-350 Hz, belly-tendon electrodes, high noise, hum.", MIX, 20, {"bits": 8, "range_uv": 1500, "low": 350, "high": 15, "acc_bits": 10, "acc_range": 4}, (4, 9), hum=(1, 6), setting={"montage": "belly_tendon", "hum_kind": "odd"}),
    "acc_only": Plan("Accelerometer alone: jerks, trains, movements, turns, knocks.", {"jerk": 8, "jerk_turn": 3, "jerk_train": 4, "movement": 6, "gross": 2, "posture": 3, "knock": 4, "passive": 2}, 24, {"fs": 0}),
    "quiet_only": Plan("Nothing but noise, hum, weak ECG, pulse and wander: no event at all.", {}, 24, noise=(1, 15), hum=(0.3, 20), ecg=(3, 30), setting={"hum_kind": "rich", "wander": 100.0}),
}
FAMILIES: dict[str, str] = {name: plan.text for name, plan in PLANS.items()}


def _stage(family: str, rng: np.random.Generator) -> Scene:
    """Draw recorder and setting of a family."""
    plan = PLANS[family]
    gear = dict(plan.recorder)
    if family == "wearable_200_250" and rng.random() < 0.5:
        gear |= {"fs": 200, "acc_fs": 50, "low": 80}
    if family == "fast_dc_24bit" and rng.random() < 0.5:
        gear["fs"] = 4000
    if family not in ("hum_radio",):
        gear.setdefault("mains", 50 if rng.random() < 0.7 else 60)
    gear.setdefault("acc_noise", log_uniform(rng, 90e-6, 300e-6))
    whole = {k: int(v) if k in ("bits", "acc_bits", "channels") else float(v) for k, v in gear.items()}
    rec = Recorder(**whole)  # type: ignore[arg-type]
    words = {
        "colour": rng.uniform(0.1, 0.7), "minutes": plan.minutes, "noise": log_uniform(rng, *plan.noise),
        "hum": log_uniform(rng, *plan.hum) if plan.hum else 0.0,
        "ecg": log_uniform(rng, *plan.ecg) if plan.ecg else 0.0,
        "pulse": log_uniform(rng, *plan.pulse) if rec.acc_fs else 0.0,
    }
    if rec.fs and not plan.hum and rng.random() < 0.6:
        words["hum"], words["hum_kind"] = log_uniform(rng, 0.1, 1.5), str(rng.choice(["pure", "odd", "even", "rich"]))
    if rec.fs and "montage" not in plan.setting and rng.random() < 0.4:
        words["montage"] = str(rng.choice(["wide", "belly_tendon"]))
    return Scene(rng, rec, Setting(**(words | plan.setting)))  # type: ignore[arg-type]


def compose(family: str, seed: int) -> Composed:
    """Compose one recording.

    Parameters
    ----------
    family : str
        A name of `FAMILIES`.
    seed : int
        Any whole number; same seed, same recording.
    """
    rng = np.random.default_rng([zlib.crc32(family.encode()), seed])
    plan = PLANS[family]
    s = _stage(family, rng)
    names = list(plan.menu)
    weights = np.array([plan.menu[k] for k in names], float)
    t = rng.uniform(8, 20)
    while names and t < s.end - 20:
        name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
        if name in ("walk", "tone", "tonic_unit", "gross") and t > s.end - 95:
            t += 5
            continue
        t = EVENTS[name](s, t) + log_uniform(rng, *plan.gaps)
    return s.finish(family, seed)
