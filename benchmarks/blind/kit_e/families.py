"""The recording families: situations, who lives through them, and what happens how often."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import activity, disturb, events, movements
from .events import log_uniform
from .model import Composed, Person
from .people import AMPLIFIERS, SENSORS, draw_person
from .scene import Scene

Item = Callable[[Scene, float], float]


def _with(function: Callable[..., float], **options: Any) -> Item:
    def item(scene: Scene, t: float) -> float:
        return function(scene, t, **options)

    return item


@dataclass(frozen=True)
class Recipe:
    """How a family is made.

    Attributes
    ----------
    text : str
        One sentence.
    menu : tuple of (weight, item)
        What may happen next.
    people : tuple of str
        Who (empty: anybody).
    amplifiers, sensors : tuple of str
        Gear that replaces the person's own; ``"none"`` for no such sensor, empty for own.
    gap : tuple of float
        Log-uniform pause between events (s).
    minutes : tuple of float
        Length.
    change : callable or None
        Further change of the person.
    before : callable or None
        Long activity placed first and once more in the middle.
    ectopic, wander_uv : float
        Premature beats, electrode drift.
    second : bool
        Two electrode pairs.
    """

    text: str
    menu: tuple[tuple[float, Item], ...]
    people: tuple[str, ...] = ()
    amplifiers: tuple[str, ...] = ("wear16", "psg16", "wide16", "ble12", "ads24")
    sensors: tuple[str, ...] = ("good100", "mid100", "cheap100")
    gap: tuple[float, float] = (3.0, 30.0)
    minutes: tuple[float, float] = (20.0, 26.0)
    change: Callable[[np.random.Generator, Person], Person] | None = None
    before: Callable[[Scene, float], float] | None = None
    ectopic: float = 0.0
    wander_uv: float = 60.0
    second: bool = False


def _quiet_skin(rng: np.random.Generator, p: Person) -> Person:
    return replace(p, electrode=replace(p.electrode, noise_uv=float(rng.uniform(1.0, 3.0))))


def _noisy_skin(rng: np.random.Generator, p: Person) -> Person:
    e = replace(p.electrode, noise_uv=log_uniform(rng, 3.0, 13.0), colour=float(rng.uniform(0.6, 1.8)))
    return replace(p, electrode=e, bed=replace(p.bed, mains_uv=log_uniform(rng, 0.5, 10.0)))


def _strong_heart(rng: np.random.Generator, p: Person) -> Person:
    body = replace(p.body, ecg_uv=log_uniform(rng, 15.0, 450.0), pulse_mg=log_uniform(rng, 3.0, 14.0))
    return replace(p, body=body)


def _electric(rng: np.random.Generator, p: Person) -> Person:
    bed = replace(p.bed, mains_uv=log_uniform(rng, 4.0, 45.0), odd=float(rng.uniform(0.2, 1.2)), even=float(rng.uniform(0.0, 0.6)))
    return replace(p, bed=bed)


def _reinnervated(rng: np.random.Generator, p: Person) -> Person:
    return replace(p, body=replace(p.body, reinnervated=float(rng.uniform(0.5, 0.95)), unit_uv=log_uniform(rng, 80, 350)))


def _walk(scene: Scene, t: float) -> float:
    end = activity.walking(scene, t, float(scene.rng.uniform(1.5, 3.5)))
    return activity.twitch_tail(scene, end, float(scene.rng.uniform(20.0, 60.0)))


def _stand(scene: Scene, t: float) -> float:
    end = activity.tonic(scene, t, float(scene.rng.uniform(1.0, 4.0)))
    return activity.twitch_tail(scene, end, float(scene.rng.uniform(15.0, 45.0)))


def _series(scene: Scene, t: float) -> float:
    """Periodic leg movements: 4-9, onset to onset 12-45 s."""
    rng = scene.rng
    step, length = float(rng.uniform(14.0, 38.0)), float(rng.uniform(0.8, 4.0))
    level = log_uniform(rng, 14.0, 300.0)
    acc = float(rng.choice([0.0, 0.6, 1.0]))
    end = t
    for k in range(int(rng.integers(4, 10))):
        at = t + k * step * float(np.clip(1.0 + 0.1 * rng.standard_normal(), 0.75, 1.3))
        at = max(at, end + 2.0)
        if at > scene.seconds - 25.0:
            break
        end = movements.leg_movement(scene, at, 0.6 * level, 1.6 * level, (0.75 * length, 1.35 * length), acc, "periodic series")
    return end


def _close(scene: Scene, t: float) -> float:
    """Coincidences: jerk right after a twitch, pop just before a twitch, turn after a jerk, knock on a jerk."""
    rng = scene.rng
    what = int(rng.integers(5))
    if what == 0:
        end = events.twitch(scene, t, 60.0, 2000.0, "single", note="jerk follows")
        return events.jerk(scene, end + float(rng.uniform(0.25, 0.9)))
    if what == 1:
        end = disturb.pop(scene, t, 60.0, 3000.0)
        return events.twitch(scene, end + float(rng.uniform(0.25, 0.8)), 80.0, 3000.0, "single", note="pop before")
    if what == 2:
        end = events.jerk(scene, t, note="posture change follows")
        return movements.posture_change(scene, end + float(rng.uniform(0.8, 2.5)))
    if what == 3:
        end = events.jerk(scene, t, note="knock follows")
        return disturb.knock(scene, end + float(rng.uniform(0.3, 1.0)))
    return activity.twitch_in_movement(scene, t)


TW, JK, TR, LM = events.twitch, events.jerk, events.jerk_train, movements.leg_movement
RECIPES: dict[str, Recipe] = {
    "benign_calf": Recipe(
        "Relaxed healthy leg with benign fasciculations of every size, single units near and far, few pops.",
        ((9, TW), (0.8, events.irregular_train), (0.5, disturb.pop), (0.5, LM), (0.3, JK)),
        change=_quiet_skin,
    ),
    "reinnervated_fast": Recipe(
        "ALS or neuropathy: large polyphasic units and doublets, two electrode pairs at 2-4 kHz, 24 bit, DC-coupled.",
        ((7, _with(TW, low=40.0)), (2, _with(TW, low=100.0, style="doublet")), (0.7, events.irregular_train), (0.6, disturb.pop), (0.3, JK)),
        people=("als_man", "neuropathy", "ward_patient"), amplifiers=("fast24", "fast24ac", "fast24ac", "fast16"),
        sensors=("good100", "mid100"), gap=(3.0, 18.0), minutes=(16.0, 19.0), change=_reinnervated, wander_uv=400.0, second=True,
    ),
    "fragmentary_sleep": Recipe(
        "Sleep with fragmentary myoclonus: asynchronous bursts of 20-150 ms, grouped units, some brief contractions.",
        ((6, _with(TW, style="asynchronous", high=1500.0)), (3, _with(TW, high=1500.0)), (2, _with(TW, style="grouped", high=1500.0)),
         (1.5, events.brief_contraction), (1, LM), (0.4, JK)),
        gap=(3.0, 25.0), change=_quiet_skin,
    ),
    "noisy_skin_no_acc": Recipe(
        "EMG only: small twitches at unprepared skin with coloured noise of 3-13 uV and hum.",
        ((8, _with(TW, low=25.0, high=1200.0)), (2, _with(TW, low=100.0, high=5000.0)), (0.5, events.irregular_train), (1, disturb.pop), (1, LM)),
        sensors=("none",), change=_noisy_skin,
    ),
    "sleep_starts": Recipe(
        "Falling asleep: isolated hypnic jerks from mild to violent, with turns and contractions, between twitches.",
        ((6, _with(JK, turn=0.35)), (2.5, movements.jerk_then_more), (3, _with(TW, low=40.0)), (1, LM), (0.5, movements.posture_change), (0.4, disturb.knock)),
        gap=(4.0, 30.0),
    ),
    "myoclonus_trains": Recipe(
        "Cortical, spinal and propriospinal trains of 2-10 bursts at 2-20 Hz, isolated jerks and twitches.",
        ((5, TR), (2, _with(JK, origin="cortical")), (2, JK), (2, _with(TW, low=60.0)), (0.5, disturb.scratching), (0.6, LM)),
        gap=(4.0, 30.0),
    ),
    "volleys": Recipe(
        "Synchronous compound potentials up to several mV, the same shapes with and without a jerk of the leg.",
        ((5, _with(TW, low=100.0, style="compound")), (4, _with(JK, origin="cortical", low_uv=100.0)), (1, _with(TW, style="dispersed", low=100.0)),
         (1, disturb.pop), (0.6, disturb.knock)),
        people=("lean_runner", "foot_student", "belly_tendon", "near_tendon", "over_plate", "cold_feet", "neuropathy", "past_tendon",
                "past_tendon", "short_foot", "one_off_belly", "motor_point", "motor_point"),
    ),
    "periodic_legs": Recipe(
        "Periodic limb movements from just above +8 uV to mV, with and without acceleration; single movements, few twitches.",
        ((2, _series), (2.5, LM), (1, _with(LM, low_uv=6.0, high_uv=22.0)), (1, events.brief_contraction), (1.5, _with(TW, low=60.0)), (0.6, JK)),
        people=("pregnant_rls", "older_woman", "cold_feet", "office_man", "ward_patient"), amplifiers=("psg16", "wear16", "wide16", "lp150"),
        gap=(6.0, 30.0), minutes=(26.0, 32.0),
    ),
    "restless_night": Recipe(
        "Turning in bed: gross movements, posture changes, leg movements, with jerks and twitches in between.",
        ((2, movements.gross_movement), (2, movements.posture_change), (2, LM), (2, JK), (3, _with(TW, low=60.0)), (0.6, disturb.cable_swing), (0.4, disturb.pop)),
        gap=(5.0, 30.0), minutes=(22.0, 28.0), wander_uv=200.0,
    ),
    "walk_then_rest": Recipe(
        "Two walks of minutes with twitches in the silent phase, twitch showers just after, then rest.",
        ((5, _with(TW, low=50.0)), (1, LM), (0.6, JK), (0.5, disturb.pop), (0.6, movements.posture_change)),
        before=_walk,
    ),
    "never_relaxed": Recipe(
        "Tonic activity for minutes, a lone unit firing at will, silent periods; twitches on top and after.",
        ((4, _with(TW, low=80.0)), (1.5, activity.lone_unit), (0.8, activity.silent_gap), (0.7, JK), (0.6, LM)),
        amplifiers=("psg500", "lp150", "wear16", "ads24"), before=_stand,
    ),
    "bad_electrodes": Recipe(
        "Drying, slipping electrodes: pops of every size and length, loose contact, cable swing, rails; real twitches and jerks between.",
        ((5, disturb.pop), (1, disturb.pop_volley), (1, disturb.loose_contact), (0.8, disturb.cable_swing), (0.3, disturb.saturation),
         (4, _with(TW, low=60.0)), (1, JK)),
        wander_uv=500.0,
    ),
    "electric_bed": Recipe(
        "Heated blanket, power bank, phone: strong drifting hum, hum bursts, clicks and radio bursts around twitches.",
        ((5, _with(TW, low=100.0)), (1, disturb.hum_burst), (1, disturb.radio_burst), (0.4, disturb.power_bank), (0.7, disturb.relay_click), (0.8, JK), (0.7, LM)),
        change=_electric,
    ),
    "cat_and_partner": Recipe(
        "Knocks on bed and sensor, a partner turning, a cat, scratching; twitches near knocks, a few jerks.",
        ((3, disturb.knock), (3, disturb.knock_near_twitch), (1, disturb.partner), (1, disturb.cat), (0.6, disturb.scratching), (2, _with(TW, low=60.0)), (1.5, JK)),
    ),
    "strong_heart": Recipe(
        "ECG of 15-450 uV with premature beats in the EMG and a strong pulse in the acceleration; twitches of all sizes.",
        ((7, _with(TW, low=40.0)), (1, LM), (1, JK), (0.4, disturb.pop)),
        change=_strong_heart, ectopic=0.03,
    ),
    "slow_recorder": Recipe(
        "250 Hz EMG (65-100 Hz band) and 52 Hz acceleration: twitches, jerks, trains and leg movements.",
        ((5, _with(TW, low=50.0)), (2.5, JK), (1.2, _with(TR, rates=(2.2, 9.0))), (2, LM), (0.6, movements.posture_change), (0.7, disturb.pop), (0.5, disturb.knock)),
        amplifiers=("slow24", "slow16"), sensors=("low52",),
    ),
    "hobby_board": Recipe(
        "8- or 10-bit hobby board with narrow rails and a coarse accelerometer: twitches from 60 uV to clipping, jerks, knocks.",
        ((5, _with(TW, low=60.0)), (2, _with(JK, low_g=0.2)), (1, _with(LM, low_uv=25.0)), (1, disturb.pop), (0.5, disturb.knock), (0.3, disturb.saturation)),
        amplifiers=("hobby8", "hobby10", "hobby8", "psg500"), sensors=("byte", "coarse"), minutes=(18.0, 22.0),
    ),
    "nothing": Recipe(
        "Quiet legs only: noise, hum, heart, breath and snoring, no event at all.",
        (), amplifiers=("wear16", "psg16", "wide16", "ble12", "ads24", "lp150", "hobby10"), minutes=(28.0, 36.0), wander_uv=150.0, ectopic=0.005,
    ),
    "acc_only": Recipe(
        "Accelerometer alone: jerks, trains, movements, turns, knocks, partner and cat.",
        ((4, JK), (1, TR), (2, _with(LM, with_acc=1.0)), (1, movements.posture_change), (0.6, movements.gross_movement), (1.5, disturb.knock), (0.7, disturb.partner), (0.5, disturb.cat)),
        amplifiers=("none",),
    ),
    "crowded": Recipe(
        "Coincidences on purpose: twitch then jerk, pop before twitch, turn after jerk, twitch in a movement, everything mixed.",
        ((5, _close), (1, movements.jerk_then_more), (2, TW), (1, TR), (0.5, events.irregular_train), (1, disturb.knock_near_twitch), (0.5, disturb.pop_volley)),
        gap=(3.0, 14.0), wander_uv=150.0,
    ),
}  # fmt: skip
"""All recipes."""

FAMILIES: dict[str, str] = {name: recipe.text for name, recipe in RECIPES.items()}
"""Name and description of every family."""


def _equip(rng: np.random.Generator, recipe: Recipe) -> Person:
    person = draw_person(rng, recipe.people)
    if recipe.amplifiers:
        name = str(rng.choice(recipe.amplifiers))
        person = replace(person, amplifier=None if name == "none" else AMPLIFIERS[name])
    if recipe.sensors:
        name = str(rng.choice(recipe.sensors))
        person = replace(person, accelerometer=None if name == "none" else SENSORS[name])
    if recipe.second:
        person = replace(person, electrode=replace(person.electrode, second=True))
    return recipe.change(rng, person) if recipe.change else person


def compose(family: str, seed: int) -> Composed:
    """Compose one recording.

    Parameters
    ----------
    family : str
        A key of ``FAMILIES``.
    seed : int
        Any non-negative number; the same pair gives the same recording.

    Returns
    -------
    Composed
        Signals, truth and meta.
    """
    recipe = RECIPES[family]
    rng = np.random.default_rng([zlib.crc32(family.encode()), seed])
    person = _equip(rng, recipe)
    seconds = float(np.round(60.0 * rng.uniform(*recipe.minutes)))
    scene = Scene(rng, person, seconds, recipe.ectopic, recipe.wander_uv)
    t = float(rng.uniform(6.0, 20.0))
    again = 0.5 * seconds
    if recipe.before is not None:
        t = recipe.before(scene, t) + log_uniform(rng, *recipe.gap)
    weights = np.array([w for w, _ in recipe.menu])
    while recipe.menu and t < seconds - 45.0:
        if recipe.before is not None and t > again:
            t, again = recipe.before(scene, t), 2.0 * seconds
        else:
            item = recipe.menu[int(rng.choice(weights.size, p=weights / weights.sum()))][1]
            t = item(scene, t)
        t += log_uniform(rng, *recipe.gap)
    return scene.finish(family, seed, {"description": recipe.text})
