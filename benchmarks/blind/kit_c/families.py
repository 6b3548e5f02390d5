"""The families: which recorder, which background, which events at which gaps; and :func:`compose`."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from . import actions as act
from . import artefacts as art
from . import events as ev
from .bench import Bench, Setting
from .devices import EMGS, draw_acc
from .points import PROCESSES, gaps
from .types import Composed

PLAIN = Setting()
Event = Callable[[Bench, float], float]


def coincide(b: Bench, t: float) -> float:
    """Two things close together: pairs of twitches, twitch and pop, twitch and movement, twitch and jerk."""
    r = b.rng
    what = int(r.integers(0, 6))
    if what == 0:
        end = ev.clear_twitch(b, t)
        return ev.clear_twitch(b, max(end + 0.06, b.truth[-1].onset + r.uniform(0.14, 0.4)))
    if what == 1:
        return ev.clear_twitch(b, art.pop(b, t, 60, 2000) + r.uniform(0.25, 0.8))
    if what == 2:
        return art.pop(b, ev.clear_twitch(b, t) + r.uniform(0.25, 0.8), 60, 2000)
    if what == 3:
        end = ev.clear_twitch(b, t)
        k = len(b.truth) - 1
        end = max(end, art.pop(b, b.truth[k].onset + r.uniform(0, 0.04), 60, 2000))
        b.truth[k] = replace(b.truth[k], kind="unclear", note=b.truth[k].note + " pop at the same moment")
        return end
    if what == 4:
        end = act.movement(b, t, r.uniform(1.5, 5), r.uniform(20, 150))
        ev.twitch(b, t + r.uniform(0.5, 1.0), 150, 2000, "compound", True, "on a movement")
        b.truth[-1] = replace(b.truth[-1], kind="unclear")
        return end
    end = ev.clear_twitch(b, t)
    return ev.jerk(b, end + r.uniform(0.35, 1.2), 0.2, 3.0, note="after a twitch")


@dataclass(frozen=True)
class Family:
    """One family of recordings."""

    text: str
    emg: tuple[str, ...]
    events: tuple[tuple[Event, float], ...]
    rates: tuple[float, ...] = (100.0,)
    full: tuple[float, ...] = (4.0, 8.0, 16.0)
    bits: tuple[int, ...] = (12, 16)
    mean_gap: float = 9.0
    floor: float = 2.5
    setting: Setting = PLAIN
    minutes: tuple[float, float] = (18.0, 26.0)


STD = ("std1k", "std1k_20", "std1k_12")
WEAR = (25.0, 50.0, 52.0, 100.0)
DIRT = ((art.pop, 0.05), (art.knock, 0.04), (art.hum_burst, 0.02), (art.rf_burst, 0.02), (art.strap, 0.02))
JERKS = ((ev.jerk, 0.15), (ev.violent, 0.07), (ev.mild, 0.07), (ev.jerk_train, 0.14))

TABLE: dict[str, Family] = {
    "bitalino_rest_twitches": Family(
        "BITalino-like 1000 Hz, 10/12 bit, 100 Hz ±3 g: twitches of all sizes at rest, trains, few pops and contractions.",
        ("bitalino", "bitalino12"), ((ev.twitch, 0.7), (ev.twitch_train, 0.06), (ev.brief, 0.05), *DIRT),
        (100.0,), (3.0,), (10,), 8.0),
    "front_end_250_acc52": Family(
        "ECG-type front ends at 250 Hz (18–24 bit, DC or 0.5 Hz, low-pass 65–100 Hz) with 52 Hz acceleration: a bit of everything.",
        ("cyton250", "movesense250", "movesense250"),
        ((ev.twitch, 0.2), (ev.clear_twitch, 0.2), *JERKS, (act.movement, 0.1), (act.posture, 0.02), *DIRT),
        (52.0,), (4.0, 8.0), (16,), setting=Setting((1, 5), ecg_chance=0.6)),
    "armband_200_8bit": Family(
        "Armband or 24-bit board at 200 Hz, mostly 8 bit, 50 Hz acceleration: large twitches, jerks, movements.",
        ("myo200", "myo200", "ganglion200"),
        ((ev.clear_twitch, 0.4), *JERKS, (act.movement, 0.1), (ev.brief, 0.05), (act.gross, 0.02), *DIRT),
        (50.0,), (4.0, 16.0), (12, 16), setting=Setting((1.5, 4), mains=(0.3, 10))),
    "armband_500_jerk_trains": Family(
        "500 Hz, 8 or 12 bit, 50/52 Hz acceleration: mostly jerk trains, isolated jerks and twitches between.",
        ("gforce500", "gforce8", "movesense500"),
        ((ev.jerk_train, 0.5), (ev.jerk, 0.12), (ev.clear_twitch, 0.2), *DIRT), (50.0, 52.0), (4.0, 8.0), (12, 16)),
    "jerk_trains": Family(
        "1000/100 Hz: trains of 2–10 bursts at 2–20 Hz in all sizes, with single jerks, twitches and short movements.",
        STD, ((ev.jerk_train, 0.6), (ev.jerk, 0.1), (ev.twitch, 0.15), (act.movement, 0.05), *DIRT), mean_gap=8.0),
    "violent_jerks": Family(
        "1000–2148 Hz with 100–148 Hz acceleration: violent jerks of 0.5–4 g, EMG 7–25 ms or long and of any size.",
        ("std1k", "std1k_20", "trigno1259", "trigno2148", "lab2000"),
        ((ev.violent, 0.6), (ev.jerk, 0.1), (ev.near_jerk, 0.05), (ev.clear_twitch, 0.15), *DIRT),
        (100.0, 148.0), (4.0, 8.0, 16.0), (16,)),
    "violent_jerks_wearable": Family(
        "200–512 Hz EMG with 25–100 Hz acceleration at 8–12 bit and ±2–8 g (clipping): violent jerks and trains.",
        ("gforce500", "shimmer512", "cyton250", "myo200", "movesense250"),
        ((ev.violent, 0.5), (ev.jerk_train, 0.15), (ev.jerk, 0.1), (ev.clear_twitch, 0.1), *DIRT),
        WEAR, (2.0, 4.0, 8.0), (8, 10, 12)),
    "storm_empty": Family(
        "Storms of hum bursts, radio bursts, loose contacts, cable swing and pops; not one physiological event.",
        (*STD, "bitalino12", "gforce500", "cyton250"),
        ((art.storm, 0.6), (art.pop, 0.1), (art.knock, 0.1), (art.hum_burst, 0.1), (art.rf_burst, 0.1)), WEAR, mean_gap=10),
    "storm_twitches": Family(
        "The same storms with clear twitches in their gaps and in the calm between, and some jerks.",
        (*STD, "bitalino12", "gforce500", "cyton250"),
        ((art.storm_twitches, 0.35), (ev.clear_twitch, 0.4), (ev.jerk, 0.1), (art.pop, 0.1), (art.rf_burst, 0.05)), (50.0, 100.0)),
    "large_twitches": Family(
        "Large twitches of 300 µV–5 mV in every waveform without jerk acceleration; a few jerks and pops as large.",
        (*STD, "trigno2148", "gforce500", "shimmer512"),
        ((ev.large_twitch, 0.75), (ev.jerk, 0.06), (art.pop, 0.1), (art.knock, 0.05), (ev.brief, 0.04)), (52.0, 100.0), mean_gap=7.0),
    "activity_twitches": Family(
        "Minutes of tonic activity or walking with clear twitches in and just after them; rest with twitches between.",
        ("std1k", "std1k_20", "bitalino12", "shimmer1024"),
        ((act.tonic, 0.22), (act.walking, 0.18), (ev.clear_twitch, 0.4), (act.movement, 0.1), (ev.jerk, 0.1)), mean_gap=10.0,
        minutes=(22.0, 28.0)),
    "knocks_near_twitches": Family(
        "Knocks 0.3–1.5 s before or after twitches (a few at the same moment: unclear), knocks alone, strap motion.",
        (*STD, "gforce500", "movesense500"), ((art.knock_near, 0.55), (art.knock, 0.2), (ev.clear_twitch, 0.15), (art.strap, 0.1)),
        (52.0, 100.0), bits=(10, 12, 16), mean_gap=7.0),
    "pops_all_sizes": Family(
        "Pops over the whole range of sizes and lengths of twitches, mixed with twitches; wide-band and low-passed amplifiers.",
        ("std1k", "std1k_20", "std1k_dc", "lab2000_lp", "shimmer512"),
        ((art.pop, 0.5), (ev.twitch, 0.3), (ev.clear_twitch, 0.15), (art.saturation, 0.05)), mean_gap=6.5),
    "sleep_lab_series": Family(
        "Polysomnograph 200/500 Hz, 10–70/100 Hz, 16 bit, 25/50 Hz acceleration: periodic and weak leg movements, few twitches.",
        ("psg500", "psg200", "psg500"),
        ((act.plm_run, 0.1), (act.movement, 0.35), (act.weak_movement, 0.25), (ev.clear_twitch, 0.15), (ev.brief, 0.1), (act.posture, 0.04)),
        (25.0, 50.0), bits=(10, 12, 16), mean_gap=12.0, setting=Setting((0.8, 4), ecg_chance=0.6), minutes=(24.0, 32.0)),
    "dense_lab_no_acc": Family(
        "2000–4000 Hz, no acceleration: polyphasic potentials, doublets, volleys, irregular trains of units near and far.",
        ("lab2000", "lab2048", "lab4000"),
        ((ev.twitch, 0.4), (ev.doublet, 0.2), (ev.poly, 0.2), (ev.twitch_train, 0.1), (ev.brief, 0.05), (art.pop, 0.05)),
        (), mean_gap=6.0, floor=1.5, minutes=(16.0, 20.0)),
    "olimex_hum_ecg": Family(
        "10-bit hobby board, low-pass 60 Hz, or DC-coupled 24 bit, strong drifting hum with harmonics and strong ECG: twitches and jerks.",
        ("olimex500", "olimex250", "std1k_dc"),
        ((ev.twitch, 0.3), (ev.clear_twitch, 0.3), *JERKS, (act.movement, 0.05)), (50.0, 100.0), bits=(10, 12),
        setting=Setting((2, 12), mains=(5, 60), mains_chance=1.0, ecg=(20, 300), ecg_chance=1.0, pulse_chance=1.0)),
    "acc_only": Family(
        "No EMG: 25/50/52/100 Hz acceleration at 8–16 bit with jerks, trains, movements, posture changes, pulse.",
        (), ((ev.jerk, 0.3), (ev.violent, 0.15), (ev.jerk_train, 0.2), (act.movement, 0.2), (act.posture, 0.07), (act.gross, 0.04), (art.strap, 0.04)),
        WEAR, (2.0, 4.0, 8.0, 16.0), (8, 12, 16)),
    "quiet_only": Family(
        "Nothing happens: coloured noise 1–15 µV with a swelling floor, mains, ECG, pulse, wander; no event at all.",
        (*STD, "bitalino", "lab2000", "cyton250", "gforce500", "shimmer1024", "psg500"), (), WEAR, bits=(8, 10, 12, 16),
        setting=Setting((1, 15), ecg=(3, 200), ecg_chance=0.6, mains=(0.3, 60), pulse_chance=0.7, two_chance=0.3)),
    "jerks_in_context": Family(
        "1000/100 Hz: jerks with a turn, with contraction before or after, followed by movement; gross movements, postures.",
        (*STD, "shimmer1024", "trigno1259"),
        ((act.jerk_and_more, 0.5), (ev.jerk, 0.1), (act.gross, 0.05), (act.posture, 0.1), (act.restless, 0.05), (ev.twitch, 0.15), *DIRT),
        (50.0, 100.0)),
    "coincidences": Family(
        "1000/100 Hz mixed hour: events close together on purpose, next to single twitches, jerks, movements.",
        STD, ((coincide, 0.45), (ev.twitch, 0.2), (ev.jerk, 0.1), (ev.jerk_train, 0.05), (act.movement, 0.1), (act.gross, 0.02), (ev.brief, 0.03), *DIRT),
        setting=Setting((2, 15), two_chance=0.4)),
}

FAMILIES: dict[str, str] = {name: f.text for name, f in TABLE.items()}


def compose(family: str, seed: int) -> Composed:
    """Compose a recording; the same family and seed give the same recording.

    Parameters
    ----------
    family : str
        A key of :data:`FAMILIES`.
    seed : int
        Seed, not negative.
    """
    f = TABLE[family]
    rng = np.random.default_rng([zlib.crc32(family.encode()), seed])
    dur = float(round(60 * rng.uniform(*f.minutes)))
    emg = EMGS[str(rng.choice(f.emg))] if f.emg else None
    acc = draw_acc(rng, f.rates, f.full, f.bits) if f.rates else None
    b = Bench(rng, dur, emg, acc, f.setting)
    process = str(rng.choice(list(PROCESSES)))
    if f.events:
        weight = np.array([w for _, w in f.events])
        weight /= weight.sum()
        t = 4.0
        for gap in gaps(rng, process, f.mean_gap, f.floor):
            t += gap
            if t > dur - 12:
                break
            do = f.events[int(rng.choice(len(f.events), p=weight))][0]
            if do in LONG and t > dur - 75:
                continue
            t = do(b, t)
    b.meta |= {"family": family, "seed": seed, "process": process}
    return b.finish()


LONG: tuple[Event, ...] = (act.tonic, act.walking, act.gross, art.storm, art.storm_twitches, act.restless, ev.twitch_train)
