"""The recording families: device, surroundings and mixture of events of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from . import events as ev
from . import trouble as tr
from .model import Composed, Setup
from .scene import Scene

Writer = Callable[[Scene, float], float]
Recipe = list[tuple[float, Writer]]
Rng = np.random.Generator


def _small(sc: Scene, t: float) -> float:
    return ev.twitch(sc, t, 20, 600, ("unit_near", "unit_far", "one_sided"))


def _big(sc: Scene, t: float) -> float:
    return ev.twitch(sc, t, 100, 5000, ev.STYLES[2:])


def _jerk_more(sc: Scene, t: float) -> float:
    return ev.jerk(sc, t + 1.5, after=True)


def _violent(sc: Scene, t: float) -> float:
    return ev.jerk(sc, t, g=(0.5, 4.0))


STANDARD: Setup = Setup(25)

FAMILIES: dict[str, str] = {
    "rest_standard": "resting leg, standard device: twitches of every shape and size, few of everything else",
    "small_units": "EMG only: near and far single units, small sizes, trains, bursts; quiet 24-bit amplifier",
    "compounds": "large compound, one-sided and polyphasic potentials, with knocks near some",
    "bursts_doublets": "fragmentary-myoclonus-like bursts, doublets, trains and brief contractions",
    "jerks": "isolated jerks mild to violent, with turns, contraction before or after, movement following",
    "jerk_trains": "jerk trains of 2-10 bursts at 2-20 Hz among single jerks and twitches",
    "plm_night": "periodic and isolated leg movements, runs timed as in a real sleeper, twitches between",
    "posture_gross": "gross movements, posture changes, jerks, movements, few twitches",
    "walking": "minutes of real walking with clear twitches in and just after it",
    "tonic": "tonic contraction with clear twitches in and just after it",
    "ecg_pulse": "strong ECG in the EMG and pulse in the acceleration; twitches, jerks, movements",
    "hum_drift": "strong drifting mains hum with harmonics as part of the resting noise; all events",
    "faults": "pops, loose contact, cable swing, saturation, wander, knocks; some twitches and jerks",
    "storms": "storms of hum bursts and radio bursts; some twitches between",
    "quiet_noise": "no event at all: noise, weak hum, weak ECG, pulse",
    "low_rate": "250 Hz EMG and 52 Hz acceleration, cheap 8-12 bit device; all events",
    "mid_rate": "500 Hz EMG, low-pass 150 Hz, second channel on the same leg; all events",
    "fast_dc": "2000-4000 Hz, DC-coupled 24 bit with electrode wander; twitches, jerks, movements",
    "acc_only": "acceleration only (50, 100 or 200 Hz): jerks, trains, movements, posture changes, knocks",
    "coincidence": "events and artefacts near each other on purpose, two channels",
}

_ALL: Recipe = [
    (5, ev.twitch),
    (1.5, ev.burst),
    (1, ev.doublet),
    (0.5, ev.train),
    (2, ev.jerk),
    (0.7, ev.jerk_train),
    (2, ev.movement),
    (0.5, ev.gross),
    (0.4, ev.posture),
    (0.4, ev.brief),
    (0.6, tr.pop),
    (0.4, tr.knock),
]
_RECIPES: dict[str, Recipe] = {
    "rest_standard": [
        (10, ev.twitch),
        (2, ev.burst),
        (1, ev.doublet),
        (0.7, ev.jerk),
        (0.7, ev.movement),
        (0.3, ev.brief),
        (0.3, tr.pop),
        (0.2, tr.knock),
        (0.15, ev.posture),
    ],
    "small_units": [
        (10, _small),
        (1.5, ev.train),
        (0.7, ev.doublet),
        (1, ev.burst),
        (0.4, ev.brief),
        (0.6, ev.movement),
        (0.5, tr.pop),
    ],
    "compounds": [
        (8, _big),
        (3, tr.knock_near_twitch),
        (1, ev.doublet),
        (1, tr.pop),
        (0.7, ev.jerk),
        (0.5, ev.movement),
        (0.5, tr.knock_storm),
    ],
    "bursts_doublets": [
        (7, ev.burst),
        (4, ev.doublet),
        (1.5, ev.train),
        (2, ev.brief),
        (0.7, ev.movement),
        (0.5, ev.jerk),
    ],
    "jerks": [
        (6, ev.jerk),
        (4, _jerk_more),
        (1.5, _violent),
        (2, ev.twitch),
        (0.5, ev.movement),
        (0.5, tr.knock),
        (0.3, ev.posture),
    ],
    "jerk_trains": [
        (6, ev.jerk_train),
        (1.5, ev.jerk),
        (2, ev.twitch),
        (1, ev.train),
        (0.6, ev.movement),
        (0.4, tr.knock_storm),
    ],
    "plm_night": [
        (2, tr.plm_series),
        (1.2, tr.real_sleep_run),
        (3, ev.movement),
        (4, ev.twitch),
        (0.6, ev.jerk),
        (0.4, ev.posture),
    ],
    "posture_gross": [
        (3, ev.gross),
        (4, ev.posture),
        (3, ev.movement),
        (2, ev.jerk),
        (3, ev.twitch),
        (0.5, tr.knock),
        (0.5, ev.brief),
    ],
    "walking": [(1, tr.walking), (3, ev.twitch), (0.6, ev.jerk), (0.6, ev.movement), (0.4, ev.posture)],
    "tonic": [(1, tr.tonic), (3, ev.twitch), (0.7, ev.burst), (0.6, ev.jerk), (0.6, ev.movement), (0.3, tr.pop)],
    "ecg_pulse": [
        (6, ev.twitch),
        (1.5, ev.burst),
        (1, ev.doublet),
        (1.5, ev.jerk),
        (1.5, ev.movement),
        (0.3, ev.gross),
        (0.5, tr.pop),
    ],
    "hum_drift": _ALL,
    "faults": [
        (6, tr.pop),
        (2, tr.contact),
        (2, tr.cable),
        (1.2, tr.saturation),
        (2, tr.knock),
        (0.7, tr.hum_burst),
        (0.7, tr.radio),
        (5, ev.twitch),
        (1, ev.jerk),
        (1, ev.movement),
        (0.5, ev.doublet),
    ],
    "storms": [
        (2, tr.hum_storm),
        (2, tr.radio_storm),
        (1, tr.hum_burst),
        (1, tr.radio),
        (5, ev.twitch),
        (1, ev.jerk),
        (1, ev.movement),
    ],
    "quiet_noise": [],
    "low_rate": _ALL,
    "mid_rate": _ALL,
    "fast_dc": _ALL,
    "acc_only": [
        (4, ev.jerk),
        (1, _violent),
        (1.5, ev.jerk_train),
        (2, ev.movement),
        (1, ev.gross),
        (1, ev.posture),
        (0.7, tr.knock),
    ],
    "coincidence": [
        (6, tr.coincidence),
        (2, tr.knock_near_twitch),
        (2, ev.twitch),
        (1, ev.jerk),
        (1, ev.movement),
        (0.5, ev.gross),
    ],
}


def _everyday(rng: Rng, minutes: float) -> Setup:
    """A device and a leg as they come: noise 1-6 µV, weak or no hum, weak or no ECG."""
    hz = float(rng.choice([50.0, 60.0]))
    hp, order, lp = ((10.0, 2, 450.0), (20.0, 2, 450.0), (10.0, 1, 500.0), (5.0, 1, 480.0))[int(rng.integers(4))]
    bits, half = ((12, 1650.0), (16, 6000.0), (16, 3300.0), (24, 187000.0), (12, 5000.0), (14, 8000.0))[
        int(rng.integers(6))
    ]
    abits, agr = ((12, 4.0), (16, 8.0), (14, 4.0), (16, 16.0))[int(rng.integers(4))]
    return Setup(
        minutes,
        hp=hp,
        hp_order=order,
        lp=min(lp, 480.0),
        bits=bits,
        half_range_uv=half,
        acc_bits=abits,
        acc_range_g=agr,
        acc_density_ug=ev.logu(rng, 90, 320),
        noise_uv=ev.logu(rng, 1.2, 9.0),
        noise_kind=str(rng.choice(["skin", "amp", "bitalino"])),
        pink=rng.uniform(0.0, 0.8),
        hum_uv=float(rng.choice([0.0, ev.logu(rng, 0.3, 3), ev.logu(rng, 1, 8)])),
        hum_hz=hz,
        hum_drift=rng.uniform(0.02, 0.2) if hz == 50 else rng.uniform(0.02, 0.1),
        hum_odd=rng.uniform(0, 0.5),
        hum_even=rng.uniform(0, 0.2),
        ecg_uv=float(rng.choice([0.0, 0.0, ev.logu(rng, 1, 12)])),
        pulse_mg=float(rng.choice([0.0, ev.logu(rng, 0.3, 2)])),
        wander_uv=float(rng.choice([0.0, ev.logu(rng, 10, 300)])),
    )


def _setup(family: str, rng: Rng) -> Setup:
    s = _everyday(rng, 21.0)
    if family == "small_units":
        return replace(
            s,
            minutes=20.0,
            acc_fs=0.0,
            bits=24,
            half_range_uv=187000.0,
            noise_uv=ev.logu(rng, 1.0, 3.5),
            hum_uv=0.3 * s.hum_uv,
        )
    if family in ("compounds", "jerks", "jerk_trains"):
        return replace(s, minutes=22.0, noise_uv=ev.logu(rng, 1.5, 15))
    if family == "plm_night":
        return replace(s, minutes=40.0, noise_uv=ev.logu(rng, 1.0, 6))
    if family in ("walking", "posture_gross"):
        return replace(s, minutes=26.0)
    if family == "ecg_pulse":
        return replace(
            s, ecg_uv=ev.logu(rng, 15, 250), pulse_mg=ev.logu(rng, 2, 15), hp=float(rng.choice([10.0, 20.0]))
        )
    if family == "hum_drift":
        return replace(s, hum_uv=ev.logu(rng, 8, 80), hum_odd=rng.uniform(0.2, 0.9), hum_even=rng.uniform(0.0, 0.4))
    if family == "faults":
        return replace(s, minutes=25.0, wander_uv=ev.logu(rng, 100, 1500))
    if family == "quiet_noise":
        return replace(s, minutes=30.0, noise_uv=ev.logu(rng, 1.0, 15.0))
    if family == "low_rate":
        bits, half = ((8, 500.0), (12, 1650.0), (12, 3000.0))[int(rng.integers(3))]
        lp = float(rng.choice([100.0, 115.0, 150.0]))
        return replace(
            s, emg_fs=250.0, acc_fs=52.0, lp=lp, lp_order=int(rng.choice([2, 4])), bits=bits, half_range_uv=half,
            acc_bits=int(rng.choice([10, 12])), acc_range_g=4.0, noise_uv=ev.logu(rng, 2, 10),
        )  # fmt: skip
    if family == "mid_rate":
        return replace(s, emg_fs=500.0, lp=150.0, hp=float(rng.choice([5.0, 10.0, 20.0])), second=True)
    if family == "fast_dc":
        fs = float(rng.choice([2000.0, 4000.0]))
        return replace(
            s, minutes=15.0, emg_fs=fs, lp=float(rng.choice([500.0, 0.4 * fs])), hp=0.0, bits=24,
            half_range_uv=187000.0, wander_uv=ev.logu(rng, 20, 500), noise_kind="amp",
        )  # fmt: skip
    if family == "acc_only":
        return replace(s, emg_fs=0.0, acc_fs=float(rng.choice([50.0, 100.0, 200.0])))
    if family == "coincidence":
        return replace(s, second=True)
    return s


def compose(family: str, seed: int) -> Composed:
    """Compose one recording.

    Parameters
    ----------
    family : str
        A key of FAMILIES.
    seed : int
        The same family and seed give the same recording.

    Returns
    -------
    Composed
        Signals, truth and facts.

    """
    rng = np.random.default_rng([seed, *family.encode()])
    setup = _setup(family, rng)
    sc = Scene(rng, setup)
    recipe = _RECIPES[family]
    t = rng.uniform(8, 25)
    if recipe:
        weights = np.array([w for w, _ in recipe], dtype=float)
        weights /= weights.sum()
        while t < sc.seconds - 20:
            writer = recipe[int(rng.choice(len(recipe), p=weights))][1]
            t = writer(sc, t) + ev.logu(rng, 3, 22)
    return sc.finish({"family": family, "seed": seed, "kit": "b"})
