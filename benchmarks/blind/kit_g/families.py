"""The recording families: a patient, a recorder and what happens in that bed."""
from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from . import events as ev
from . import patterns as pt
from .bench import Night, Patient
from .device import ACCS, AMPS
from .records import Composed

Rng = np.random.Generator
Place = Callable[[Night, float], float]
Mix = list[tuple[float, Place]]


def _mains(rng: Rng, level: str) -> dict[str, object]:
    """Mains of a bedroom: none, weak, strong; 50 or 60 Hz and a few harmonics."""
    base = float(rng.choice([50.0, 60.0], p=[.65, .35]))
    f0 = base + rng.uniform(-0.2, 0.2) * (1.0 if base == 50.0 else 0.5)
    rms = {"none": 0.0, "weak": rng.uniform(0.2, 1.5), "strong": rng.uniform(4, 30)}[level]
    orders = [2, 3, 4, 5, 7, 9]
    picked = {int(o): float(rng.uniform(0.02, 0.5)) for o in orders if rng.random() < 0.5}
    return {"f0": f0, "hum_uv": rms, "harmonics": picked}


def _patient(rng: Rng, hum: tuple[str, ...] = ("none", "weak", "weak"), noise: tuple[float, float] = (1.2, 4.0),
             **kw: object) -> Patient:
    """Random patient; keywords override."""
    base: dict[str, object] = dict(
        noise_uv=ev.log_uniform(rng, *noise), knee_hz=rng.uniform(10, 60), power=rng.uniform(0.8, 1.8),
        top_hz=rng.uniform(250, 900), level_depth=rng.uniform(0.02, 0.15), bpm=rng.uniform(50, 78),
        pulse_g=ev.log_uniform(rng, 0.0003, 0.004), wander_uv=ev.log_uniform(rng, 3, 60))
    base.update(_mains(rng, str(rng.choice(list(hum)))))
    base.update(kw)
    return Patient(**base)  # type: ignore[arg-type]


def _run(night: Night, mix: Mix, median: float = 8.0, spread: float = 0.65, low: float = 3.0, need: float = 60.0) -> None:
    """Fill the night with events drawn from a mix of (weight, function)."""
    p = np.array([w for w, _ in mix])
    while night.room(need):
        place = mix[int(night.rng.choice(len(mix), p=p / p.sum()))][1]
        night.t = place(night, night.t) + night.gap(median, spread, low)


def _train(hz: tuple[float, float], burst_ms: tuple[float, float], peak: tuple[float, float], name: str) -> Place:
    """Jerk trains of a disease: rate, burst length and violence ranges."""
    def place(night: Night, t: float) -> float:
        rng = night.rng
        return ev.jerk_train(night, t, int(rng.integers(2, 11)), rng.uniform(*hz), 1e-3 * ev.log_uniform(rng, *burst_ms),
                             ev.log_uniform(rng, 150, 5000) * night.patient.size, ev.log_uniform(rng, *peak), name)
    return place


def _jerk(peak: tuple[float, float], ms: tuple[float, float], name: str, after: str = "random") -> Place:
    """Isolated jerks of a disease."""
    def place(night: Night, t: float) -> float:
        return ev.jerk(night, t, ev.log_uniform(night.rng, *peak), 1e-3 * ev.log_uniform(night.rng, *ms), None, after, name)
    return place


def _sized(low: float, high: float) -> Place:
    """Twitches of a size range."""
    return lambda night, t: ev.twitch(night, t, ev.log_uniform(night.rng, low, high))


def _art(which: str) -> Place:
    """An artefact."""
    return lambda night, t: ev.artefact(night, t, which)


def _long_burst(night: Night, t: float) -> float:
    return ev.burst(night, t, night.rng.uniform(0.19, 0.44))


def _low_movement(night: Night, t: float) -> float:
    return ev.movement(night, t, None, night.rng.uniform(10.5, 22))


def _plm(night: Night, t: float) -> float:
    return pt.plm_series(night, t, int(night.rng.integers(4, 12)))


def sleep_starts(rng: Rng) -> Night:
    """Healthy sleeper on a cheap wearable."""
    night = Night(rng, _patient(rng), AMPS["esp32_12"], ACCS["mems_100_4g"], 25)
    _run(night, [(5, _jerk((0.14, 3.5), (50, 280), "sleep_start")), (2.5, ev.twitch), (1, ev.burst), (1.5, ev.movement),
                 (.7, ev.gross), (.6, _train((2, 5), (60, 200), (.2, 1.2), "sleep_start_train")), (.5, _long_burst),
                 (.4, _art("knock"))], 11)
    return night


def restless_legs(rng: Rng) -> Night:
    """Restless legs in the sleep laboratory, wide PSG filter, 16 bit."""
    patient = _patient(rng, ("weak", "weak", "strong"), (0.8, 2.5), ecg_uv=rng.uniform(0, 12))
    night = Night(rng, patient, AMPS["psg_wide"], ACCS["mems_128"], 35)
    _run(night, [(0.9, _plm), (2, ev.movement), (2, _low_movement), (2.5, ev.twitch), (1.5, ev.burst), (.8, ev.gross),
                 (.6, _long_burst)], 11, need=90)
    return night


def als(rng: Rng) -> Night:
    """ALS-like fasciculation at 8-40 a minute, research amplifier with two channels."""
    night = Night(rng, _patient(rng, noise=(1.0, 3.0), style="denervated"), AMPS["research_2k"], ACCS["mems_100_4g"], 15, 2)
    _run(night, [(8, ev.twitch), (2, _sized(30, 300)), (1.2, ev.doublet), (.8, ev.irregular_train), (.4, ev.burst),
                 (.15, ev.movement)], float(rng.uniform(1.5, 5.0)), 0.9, 0.35, 20)
    return night


def benign_calf(rng: Rng) -> Night:
    """Benign calf fasciculation on a 10-bit hobby board."""
    night = Night(rng, _patient(rng, noise=(1.5, 4.0), ecg_uv=rng.uniform(0, 10)), AMPS["bitalino_10"], ACCS["mems_100_2g"], 25)
    _run(night, [(5, ev.twitch), (2, _sized(25, 150)), (2, ev.doublet), (1.5, ev.irregular_train), (.6, ev.burst),
                 (.5, ev.movement), (.5, _art("pop")), (.3, _art("knock")), (.2, ev.gross)], 6, 0.8)
    return night


def cortical(rng: Rng) -> Night:
    """Cortical myoclonus: 10-50 ms bursts, single and in trains of 6-20 Hz."""
    night = Night(rng, _patient(rng), AMPS["senid_16"], ACCS["mems_100_8g"], 20)
    _run(night, [(4, _jerk((.13, 2.5), (10, 50), "cortical_jerk")), (4, _train((6, 20), (10, 32), (.2, 2.5), "cortical_train")),
                 (1.2, ev.twitch), (.6, ev.burst), (.5, ev.movement), (.3, ev.gross), (.4, _art("pop"))], 8)
    return night


def spinal(rng: Rng) -> Night:
    """Spinal and propriospinal myoclonus, narrow PSG filter."""
    night = Night(rng, _patient(rng, ("weak", "strong"), (0.8, 2.5)), AMPS["psg_narrow"], ACCS["mems_100_8g"], 25)
    _run(night, [(3, _jerk((.2, 4.0), (60, 290), "spinal_jerk")), (4, _train((2, 6.5), (50, 200), (.2, 3.5), "propriospinal_train")),
                 (1, ev.movement), (.8, ev.twitch), (.6, _long_burst), (.6, ev.gross)], 9)
    return night


def fragmentary(rng: Rng) -> Night:
    """Excessive fragmentary myoclonus in NREM, two channels of one leg."""
    patient = _patient(rng, ("weak",), (0.8, 2.2), size=rng.uniform(0.4, 0.9), ecg_uv=rng.uniform(0, 6))
    night = Night(rng, patient, AMPS["psg_500"], ACCS["mems_100_4g"], 25, 2)
    _run(night, [(5, ev.burst), (4, ev.twitch), (1, ev.doublet), (.6, _long_burst), (.3, ev.movement),
                 (.15, ev.gross)], 6, 0.7)
    return night


def tremor_alma(rng: Rng) -> Night:
    """Foot tremor, ALMA and tremor at sleep onset; amplifier with 150-Hz low-pass."""
    night = Night(rng, _patient(rng), AMPS["lp150_16"], ACCS["mems_100_4g"], 20)
    _run(night, [(2, lambda n, t: pt.rhythmic_feet(n, t, False)), (2, lambda n, t: pt.rhythmic_feet(n, t, True)),
                 (1.5, pt.tremor), (3, ev.twitch), (1.5, ev.burst), (1.5, ev.movement), (1, _jerk((.15, 1.5), (40, 250), "sleep_start")),
                 (.4, ev.gross)], 8)
    return night


def hiccup_pulse(rng: Rng) -> Night:
    """Hiccups and a strong arterial pulse in the acceleration; few twitches."""
    patient = _patient(rng, pulse_g=rng.uniform(0.006, 0.02), bpm=rng.uniform(55, 85), ecg_uv=rng.uniform(5, 40))
    night = Night(rng, patient, AMPS["esp32_16"], ACCS["mems_100_4g"], 20)
    _run(night, [(1.5, pt.hiccups), (4, ev.twitch), (1, ev.burst), (1, ev.movement), (1, _jerk((.2, 1.5), (40, 250), "sleep_start")),
                 (.3, ev.gross)], 10, need=200)
    return night


def cramp_tonic(rng: Rng) -> Night:
    """Nocturnal cramp and held contractions, DC-coupled 24-bit amplifier."""
    patient = _patient(rng, ("weak", "strong"), wander_uv=rng.uniform(100, 800), offset_uv=rng.uniform(-3e4, 3e4))
    night = Night(rng, patient, AMPS["dc_24"], ACCS["mems_100_4g"], 25)

    def hold(n: Night, t: float) -> float:
        return pt.tonic(n, t, n.rng.uniform(30, 120), ev.log_uniform(n.rng, 5, 60), True)

    _run(night, [(.7, pt.cramp), (1, hold), (4, ev.twitch), (1, ev.burst), (.8, ev.movement),
                 (.5, _jerk((.15, 1.5), (40, 250), "sleep_start")), (.4, ev.gross)], 9, need=150)
    return night


def restless_child(rng: Rng) -> Night:
    """Restless child with an 8-bit 200-Hz armband at the calf and 50-Hz acceleration."""
    night = Night(rng, _patient(rng, noise=(2, 6), bpm=rng.uniform(75, 100)), AMPS["armband_200"], ACCS["armband_50"], 20)
    _run(night, [(3, ev.gross), (2, _jerk((.3, 4.0), (60, 290), "kick")), (2.5, ev.movement), (2, _sized(60, 4000)),
                 (1, ev.burst), (.6, _art("knock"))], 9)
    return night


def athlete(rng: Rng) -> Night:
    """Athlete: slow strong heart in the EMG, low tone, twitches of all sizes."""
    patient = _patient(rng, ("none", "weak"), (0.8, 2.0), ecg_uv=ev.log_uniform(rng, 25, 350), bpm=rng.uniform(38, 52),
                       ecg_smooth_ms=rng.uniform(1, 6), pulse_g=rng.uniform(0.002, 0.008))
    night = Night(rng, patient, AMPS["bitalino_12"], ACCS["mems_100_2g"], 25)
    _run(night, [(6, ev.twitch), (1, ev.doublet), (1, ev.burst), (1, ev.movement),
                 (1, _jerk((.15, 2.0), (40, 250), "sleep_start")), (.3, ev.gross)], 9)
    return night


def thick_fat(rng: Rng) -> Night:
    """Thick fat over the muscle: small smooth potentials, movements just above the +8 microvolt rule."""
    patient = _patient(rng, ("weak", "weak", "strong"), (0.8, 2.5), style="fat", size=rng.uniform(0.15, 0.4),
                       ecg_uv=rng.uniform(0, 15))
    night = Night(rng, patient, AMPS["esp32_16"], ACCS["mems_100_4g"], 25)
    _run(night, [(5, ev.twitch), (1, ev.doublet), (1.2, ev.burst), (2, _low_movement),
                 (1, _jerk((.15, 1.5), (50, 280), "sleep_start")), (.4, ev.gross)], 9)
    return night


def dry_electrodes(rng: Rng) -> Night:
    """Old dry electrodes: high floor, drifting hum with harmonics, pops, radio, loose contact, saturation."""
    patient = _patient(rng, ("weak", "strong"), (5, 13), wander_uv=rng.uniform(60, 400), level_depth=0.3)
    night = Night(rng, patient, AMPS["esp32_12"], ACCS["mems_100_2g"], 25)
    _run(night, [(4, _art("pop")), (1, _art("hum")), (1, _art("radio")), (1, _art("contact")), (.6, _art("cable")),
                 (.3, _art("saturate")), (4, _sized(60, 5000)), (1, ev.burst), (1, ev.movement),
                 (1, _jerk((.15, 3.0), (30, 280), "sleep_start")), (.3, ev.gross)], 8)
    return night


def walk_rest(rng: Rng) -> Night:
    """Evening: walking and holding, twitches within and just after, then rest."""
    night = Night(rng, _patient(rng, ("none", "weak", "strong")), AMPS["esp32_12"], ACCS["mems_100_8g"], 20)

    def walk(n: Night, t: float) -> float:
        end = pt.walking(n, t, n.rng.uniform(25, 90), n.rng.random() < 0.7)
        return ev.twitch(n, end + n.rng.uniform(1.0, 3.0), ev.log_uniform(n.rng, 80, 3000))

    def hold(n: Night, t: float) -> float:
        return pt.tonic(n, t, n.rng.uniform(20, 90), ev.log_uniform(n.rng, 5, 50), True)

    _run(night, [(1, walk), (.8, hold), (5, ev.twitch), (1, ev.burst), (1, ev.movement), (.7, ev.gross),
                 (1, _jerk((.15, 2.0), (40, 250), "jerk_awake"))], 8, need=120)
    return night


def quiet(rng: Rng) -> Night:
    """No event at all: floor, mains, heart, pulse."""
    amp = str(rng.choice(["esp32_12", "esp32_16", "bitalino_10", "bitalino_12", "dc_24", "senid_16", "lp150_16"]))
    patient = _patient(rng, ("none", "weak", "strong"), (1.0, 12.0), ecg_uv=float(rng.choice([0.0, rng.uniform(5, 150)])),
                       pulse_g=ev.log_uniform(rng, 0.0005, 0.02), level_depth=rng.uniform(0.02, 0.25))
    return Night(rng, patient, AMPS[amp], ACCS[str(rng.choice(["mems_100_4g", "mems_100_8g", "mems_100_2g"]))], 30)


def acc_only(rng: Rng) -> Night:
    """Ankle strap without EMG, 52 Hz."""
    night = Night(rng, _patient(rng), None, ACCS["mems_52"], 20)

    def jolt(n: Night, t: float) -> float:
        return ev.jerk(n, t, ev.log_uniform(n.rng, 0.2, 3.5), None, None, str(n.rng.choice(["none", "turn"])), "strap_jerk")

    def move(n: Night, t: float) -> float:
        return ev.movement(n, t, None, 50.0, True)

    _run(night, [(4, jolt), (2, _train((2, 6), (60, 200), (.3, 2.5), "strap_train")), (4, move), (2, ev.gross)], 10)
    return night


def wearable_250(rng: Rng) -> Night:
    """Low-power Holter: 250-Hz EMG (110-Hz low-pass) and 52-Hz acceleration."""
    night = Night(rng, _patient(rng, noise=(1.2, 4)), AMPS["holter_250"], ACCS["mems_52"], 30)
    _run(night, [(5, ev.twitch), (1.5, ev.burst), (2, ev.movement), (2, _jerk((.15, 3.0), (30, 280), "sleep_start")),
                 (1, _train((2, 8), (30, 150), (.25, 2.0), "myoclonic_train")), (.6, ev.gross), (.5, _art("pop")),
                 (.4, _long_burst)], 9)
    return night


def research_4k(rng: Rng) -> Night:
    """EMG only, 4000 Hz and 24 bit, two channels: twitches of all shapes."""
    night = Night(rng, _patient(rng, noise=(1.0, 5.0)), AMPS["research_4k"], None, 15, 2)
    _run(night, [(6, ev.twitch), (1.5, ev.doublet), (1, ev.irregular_train), (1.5, ev.burst), (1, _long_burst),
                 (1, lambda n, t: ev.movement(n, t, None, None, False)), (.6, _art("pop"))], 5, 0.7)
    return night


def coincidences(rng: Rng) -> Night:
    """Things that meet: knock or pop near a twitch, jerk and movement, twitches close together."""
    night = Night(rng, _patient(rng, ("none", "weak", "strong")), AMPS["esp32_12"], ACCS["mems_100_4g"], 25)

    def near(which: str) -> Place:
        def place(n: Night, t: float) -> float:
            lag = n.rng.uniform(0.02, 1.2)
            first = n.rng.random() < 0.5
            a = ev.artefact(n, t if first else t + lag, which)
            b = ev.twitch(n, t + lag if first else t, ev.log_uniform(n.rng, 60, 4000))
            return max(a, b)
        return place

    def pair(n: Night, t: float) -> float:
        end = ev.twitch(n, t)
        return ev.twitch(n, end + n.rng.uniform(0.12, 0.6))

    def twitch_before_jerk(n: Night, t: float) -> float:
        ev.twitch(n, t, ev.log_uniform(n.rng, 80, 3000))
        return ev.jerk(n, t + n.rng.uniform(0.1, 1.5))

    def twitch_after_move(n: Night, t: float) -> float:
        end = ev.movement(n, t)
        return ev.twitch(n, end + n.rng.uniform(0.6, 1.8), ev.log_uniform(n.rng, 80, 3000))

    _run(night, [(3, near("knock")), (2, near("pop")), (1, near("hum")), (2, pair), (2, twitch_before_jerk),
                 (2, twitch_after_move), (1, _art("knock")), (1, _art("pop")), (1, ev.gross), (1, ev.jerk)], 7)
    return night


BUILDERS: dict[str, Callable[[Rng], Night]] = {f.__name__: f for f in (
    sleep_starts, restless_legs, als, benign_calf, cortical, spinal, fragmentary, tremor_alma, hiccup_pulse, cramp_tonic,
    restless_child, athlete, thick_fat, dry_electrodes, walk_rest, quiet, acc_only, wearable_250, research_4k, coincidences)}
FAMILIES: dict[str, str] = {name: (f.__doc__ or "").strip() for name, f in BUILDERS.items()}


def compose(family: str, seed: int) -> Composed:
    """Compose one recording; the same family and seed always give the same numbers.

    Parameters
    ----------
    family : str
        A key of `FAMILIES`.
    seed : int
        Any non-negative integer.
    """
    rng = np.random.default_rng([zlib.crc32(family.encode()), seed])
    return BUILDERS[family](rng).finish(family, seed)
