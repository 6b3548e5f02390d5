"""The recording families: rig, mixture of events, gaps."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from . import artefacts as af
from . import jerks as jk
from . import movements as mv
from . import twitches as tw
from .records import Composed, Rig
from .scene import Scene

Event = Callable[[Scene], object]

FAMILIES: dict[str, str] = {
    "quiet_good": "Nothing happens: good amplifier, low noise, arterial pulse in the acceleration.",
    "quiet_poor": "No muscle event: hum, ECG, pops, wire swings, radio, loose contacts, knocks, a cheap 12-bit amplifier.",
    "single_units": "Single motor units near and far, doublets and irregular trains; 24 bit.",
    "deep_small": "Deep and small units of 20-250 uV over a 3-9 uV floor, 12 bit, 20-450 Hz.",
    "compound": "Nerve volleys, satellites, bursts and doublets up to 5 mV; two pairs on the leg.",
    "low_rate": "250 Hz EMG and 52 Hz acceleration: twitches, jerks, movements.",
    "high_rate": "2 or 4 kHz EMG: twitches of all shapes, jerks, pops.",
    "jerks": "Isolated jerks mild to violent, any EMG size, some leave the leg turned; twitches between.",
    "jerk_trains": "Trains of 2-10 bursts at 2-20 Hz, isolated jerks, doublets and twitches.",
    "jerk_context": "Jerks with contraction or movement before or after, short contractions alone.",
    "movements": "Leg movements from just above +8 uV to mV, with and without acceleration, periodic series.",
    "gross_posture": "Gross movements, turns of the leg, movements, twitches between.",
    "walking": "Minutes of walking, upright; clear and drowned twitches in it and just after.",
    "tonic": "Tonic activity of various force, lying, with twitches in it and just after; a lone unit firing.",
    "pops": "Electrode pops over the whole range of twitches, mixed with twitches of the same sizes.",
    "hum_ecg": "Strong hum with harmonics and drift, strong ECG; twitches and movements in it.",
    "knocks": "Knocks near twitches, knocks alone, jerks, movements; wire bumps.",
    "acc_only": "Acceleration alone: jerks, trains, movements, turns, knocks, pulse.",
    "emg_only": "EMG alone at 500 Hz, 8 or 12 bit, low-pass 150 Hz: twitches, contractions, movements.",
    "dense": "DC-coupled, dense irregular trains and bursts (fragmentary myoclonus), coincidences with pops.",
}


def _harmonics(rng: np.random.Generator, top: float) -> tuple[float, ...]:
    """Hum of ``top`` uV with odd and, weaker, even harmonics."""
    return (top, top * float(rng.uniform(0, 0.2)), top * float(rng.uniform(0, 0.6)), top * float(rng.uniform(0, 0.08)),
            top * float(rng.uniform(0, 0.35)), 0.0, top * float(rng.uniform(0, 0.2)))


def base_rig(rng: np.random.Generator, minutes: float) -> Rig:
    """A 1000 Hz / 100 Hz wearable as one finds them; families then change it."""
    bits = int(rng.choice([12, 16, 16, 24]))
    span = {12: float(rng.choice([1640.0, 3300.0])), 16: float(rng.choice([3300.0, 6000.0, 16000.0])), 24: 187500.0}[bits]
    hp, lp, order = [(10.0, 500.0, 2), (20.0, 450.0, 2), (20.0, 450.0, 4), (5.0, 480.0, 1), (10.0, 400.0, 1)][int(rng.integers(5))]
    strength = str(rng.choice(["none", "weak", "medium"], p=[0.4, 0.4, 0.2]))
    top = {"none": 0.0, "weak": float(rng.uniform(0.2, 1.5)), "medium": float(rng.uniform(1.5, 6))}[strength]
    return Rig(
        minutes, bits=bits, range_uv=span, hp_hz=hp, lp_hz=lp, hp_order=order, noise_uv=tw.log_uniform(rng, 1.0, 7.0),
        pink=float(rng.uniform(0.0, 0.8)), wander_uv=tw.log_uniform(rng, 3, 200), mains_hz=float(rng.choice([50.0, 60.0])),
        mains_uv=_harmonics(rng, top) if top else (), mains_depth=float(rng.uniform(0.05, 0.5)),
        ecg_uv=tw.log_uniform(rng, 2, 15) if rng.random() < 0.3 else 0.0, heart_hz=float(rng.uniform(0.8, 1.25)),
        acc_noise_ug=float(rng.uniform(70, 300)), acc_bits=int(rng.choice([12, 14, 16])), acc_range_g=float(rng.choice([4.0, 8.0])),
        pulse_mg=tw.log_uniform(rng, 0.3, 5) if rng.random() < 0.5 else 0.0)


def run(s: Scene, mix: dict[Event, float], low: float = 3.0, high: float = 30.0) -> None:
    """Play events drawn from ``mix`` (weights) with natural gaps until the recording is full."""
    events = list(mix)
    weights = np.array([mix[e] for e in events], float)
    weights /= weights.sum()
    while s.left() > 5:
        events[int(s.rng.choice(len(events), p=weights))](s)
        s.gap(low, high)


SMALL: dict[Event, float] = {tw.single: 3, tw.volley: 2, tw.polyphasic: 1, tw.doublet: 1, tw.burst: 1.5, tw.brief: 0.5}


def _short_move(s: Scene) -> None:
    mv.movement(s, dur=tw.log_uniform(s.rng, 0.6, 5))


def _any_move(s: Scene) -> None:
    mv.movement(s)


def _train(s: Scene) -> None:
    tw.irregular_train(s)


def _walk(s: Scene) -> None:
    mv.activity(s, True)
    s.gap(8, 40)


def _tonic(s: Scene) -> None:
    mv.activity(s, False)
    s.gap(5, 30)


def _micro(s: Scene) -> None:
    """A tiny push of the leg without EMG to tell what it was."""
    r = s.rng
    spikes = s.muscle.volley(8, 0.003)
    s.put(spikes, s.t, 0.2, peak_g=tw.log_uniform(r, 0.006, 0.09))
    start, span = s.acc_span(s.t, s.t + 1.0)
    s.note(start, span, "unclear", "acc_micro", 0.0, s.moved(s.t, s.t + 0.6)[0], note="too small to be named from acceleration alone")
    s.t += 1.2


def _twitch_pop(s: Scene) -> None:
    """A twitch and a pop 0.2-0.9 s apart."""
    r = s.rng
    t0 = s.t
    tw.volley(s) if r.random() < 0.5 else tw.single(s)
    s.t = t0 + float(r.uniform(0.3, 0.9))
    af.pop(s)


def _fill(name: str, s: Scene) -> None:
    if name == "quiet_good":
        return
    if name == "quiet_poor":
        run(s, {af.pop: 4, af.cable: 1, af.radio: 1, af.hum_burst: 1, af.contact: 1, af.knock: 1, af.saturation: 0.5})
    elif name == "single_units":
        run(s, {tw.single: 6, tw.doublet: 1.5, _train: 0.7, tw.volley: 0.5})
    elif name == "deep_small":
        run(s, {tw.single: 5, tw.volley: 2, tw.burst: 1.5, tw.doublet: 1, tw.brief: 0.5})
    elif name == "compound":
        run(s, {tw.volley: 5, tw.polyphasic: 2, tw.burst: 2, tw.doublet: 1.5, tw.brief: 0.7})
    elif name == "low_rate":
        run(s, SMALL | {jk.jerk_plain: 1.5, jk.jerk_train: 0.5, _any_move: 2, mv.posture: 0.4})
    elif name == "high_rate":
        run(s, SMALL | {jk.jerk_plain: 1, af.pop: 1.5, _short_move: 0.5})
    elif name == "jerks":
        run(s, {jk.jerk_plain: 4, jk.jerk_turn: 1.7, tw.volley: 1, tw.single: 1, tw.burst: 1})
    elif name == "jerk_trains":
        run(s, {jk.jerk_train: 4, jk.jerk_plain: 1, tw.doublet: 0.8, tw.burst: 0.7, _train: 0.3})
    elif name == "jerk_context":
        run(s, {jk.jerk_context: 4, jk.jerk_turn: 0.7, tw.brief: 1, _short_move: 0.8})
    elif name == "movements":
        run(s, {_any_move: 5, mv.series: 0.7, tw.single: 1, tw.brief: 1})
    elif name == "gross_posture":
        run(s, {mv.gross: 1.3, mv.posture: 2, _any_move: 1.3, tw.volley: 1, tw.single: 1, tw.burst: 0.7}, 4, 32)
    elif name == "walking":
        run(s, {_walk: 1.6, tw.volley: 1, tw.single: 1}, 4, 25)
    elif name == "tonic":
        run(s, {_tonic: 1.5, tw.volley: 1, tw.single: 1, tw.burst: 0.5, mv.lone_unit: 0.4, _short_move: 0.4}, 4, 25)
    elif name == "pops":
        run(s, {af.pop: 4, tw.single: 2, tw.volley: 2, tw.polyphasic: 0.6, tw.burst: 0.6, af.contact: 0.3}, 3, 20)
    elif name == "hum_ecg":
        run(s, SMALL | {_any_move: 2, af.hum_burst: 1})
    elif name == "knocks":
        run(s, {af.knock_near_twitch: 3, af.knock: 1.5, jk.jerk_plain: 1, tw.volley: 0.7, af.cable: 0.4, _short_move: 0.6})
    elif name == "acc_only":
        run(s, {jk.jerk_plain: 2, jk.jerk_turn: 0.8, jk.jerk_train: 0.8, _any_move: 2, mv.posture: 1, mv.gross: 0.4, af.knock: 0.8, _micro: 0.7}, 4, 32)
    elif name == "emg_only":
        run(s, SMALL | {_any_move: 2, af.pop: 0.5, mv.series: 0.15})
    elif name == "dense":
        run(s, {tw.burst: 3, tw.volley: 2, _train: 1, _twitch_pop: 0.8, tw.single: 2, tw.doublet: 1, mv.gross: 0.15}, 1.0, 9.0)


def make_rig(name: str, rng: np.random.Generator) -> Rig:
    """Draw the rig of a family."""
    minutes = {"quiet_good": 20, "movements": 38, "jerk_context": 27, "high_rate": 16, "walking": 25, "dense": 18, "quiet_poor": 20}.get(name, 22)
    rig = base_rig(rng, float(minutes))
    u = rng.uniform
    if name == "quiet_good":
        rig = replace(rig, noise_uv=float(u(1, 2.5)), bits=24, range_uv=187500.0, pulse_mg=float(u(1, 8)))
    elif name == "quiet_poor":
        rig = replace(rig, noise_uv=float(u(4, 14)), bits=12, range_uv=1640.0, mains_uv=_harmonics(rng, float(u(2, 12))), ecg_uv=float(u(10, 120)), wander_uv=300.0, pulse_mg=float(u(2, 9)), hp_order=1)
    elif name == "single_units":
        rig = replace(rig, bits=24, range_uv=187500.0, noise_uv=float(u(1, 3)))
    elif name == "deep_small":
        rig = replace(rig, bits=12, range_uv=1640.0, noise_uv=float(u(3, 9)), hp_hz=20.0, lp_hz=450.0)
    elif name == "compound":
        rig = replace(rig, n_ch=2, bits=16)
    elif name == "low_rate":
        rig = replace(rig, fs_emg=250.0, fs_acc=52.0, lp_hz=110.0)
    elif name == "high_rate":
        rig = replace(rig, fs_emg=float(rng.choice([2000.0, 4000.0])), lp_hz=float(rng.choice([500.0, 1000.0])), bits=16, hp_hz=10.0)
    elif name == "jerks":
        rig = replace(rig, n_ch=int(rng.choice([1, 2])))
    elif name == "walking":
        rig = replace(rig, n_ch=2, standing=True, noise_uv=float(u(1.5, 5)), pulse_mg=0.0)
    elif name == "hum_ecg":
        rig = replace(rig, mains_uv=_harmonics(rng, float(u(5, 40))), mains_depth=float(u(0.1, 0.6)), ecg_uv=float(u(40, 400)))
    elif name == "acc_only":
        rig = replace(rig, fs_emg=None, fs_acc=float(rng.choice([52.0, 100.0, 100.0])), pulse_mg=float(u(0.5, 6)))
    elif name == "emg_only":
        bits = int(rng.choice([8, 12]))
        rig = replace(rig, fs_emg=500.0, fs_acc=None, bits=bits, range_uv=500.0 if bits == 8 else 1640.0, lp_hz=150.0)
    elif name == "dense":
        rig = replace(rig, hp_hz=0.05, hp_order=1, bits=24, range_uv=187500.0, wander_uv=float(u(50, 400)), n_ch=1)
    elif name == "jerk_trains":
        rig = replace(rig, fs_acc=float(rng.choice([100.0, 200.0])))
    return rig


def compose(family: str, seed: int) -> Composed:
    """Write one recording.

    Parameters
    ----------
    family : str
        A key of ``FAMILIES``.
    seed : int
        Any whole number; the same one gives the same recording.

    Returns
    -------
    Composed
        Signals, truth and rig.
    """
    if family not in FAMILIES:
        raise ValueError(f"no family {family!r}")
    rng = np.random.default_rng([zlib.crc32(family.encode()), seed])
    s = Scene(make_rig(family, rng), rng)
    s.meta |= {"family": family, "seed": seed, "kit": "a"}
    if family == "deep_small":
        s.foci = [s.muscle.focus(float(rng.uniform(15, 30))) for _ in range(6)]
        s.twitch_uv = (20.0, 250.0)
    elif family in ("low_rate", "emg_only"):
        s.twitch_uv = (25.0, 3000.0)
    _fill(family, s)
    return s.finish()
