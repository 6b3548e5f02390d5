"""Settings that the detector reads, on short recordings with known events."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.spatial.transform import Rotation

from tests.settings.case import SettingCase
from tests.signals import SimulatedLeg, detect, rest_acc
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings

Result = Callable[[Settings], object]
Builder = Callable[[], Recording]

#: Events this near to a time are meant by it, s.
NEAR_S = 0.7


def _turn(leg: SimulatedLeg, at_s: float, degrees: float) -> None:
    """Turn the leg for good, within 0.1 s."""
    first = round(at_s * leg.fs_acc)
    angle = np.radians(degrees) * np.clip(np.arange(len(leg.acc) - first) / 10, 0, 1)
    rotation = Rotation.from_rotvec(angle[:, None] * [1.0, 0.0, 0.0])
    leg.acc[first:] = rotation.apply(leg.acc[first:])


@lru_cache
def many_events() -> Recording:
    """Return two minutes with twitches, jerks and movements of a leg, at known times."""
    leg = SimulatedLeg(120, seed=3)
    leg.twitch(17, 20).twitch(20, 150).twitch(23, 60).twitch(26, 47)
    leg.burst(29, 0.12, 80).contraction(32, 0.158, 80).burst(35, 0.2, 80)
    leg.jerk(42, 0.1, 0.2).jerk(46, 0.1, 0.4).jerk(50, 0.1, 0.8).jerk(54, 0.25, 0.5)
    leg.burst(58, 0.05, 25).oscillation(57.985, 0.3)  # the leg moves before the EMG shows it
    leg.burst(61, 0.05, 25).oscillation(61.1, 0.3)  # late
    leg.twitch(64, 150)
    _turn(leg, 64.02, 6)
    leg.jerk(67, 0.1, 0.4)
    _turn(leg, 67.05, 15)
    for at_s in (70.0, 70.1, 70.2):  # three twitches in a row
        leg.twitch(at_s, 150)
    leg.contraction(73, 2.0, 60)
    leg.contraction(78, 1.0, 60).contraction(79.8, 1.0, 60)
    leg.contraction(85, 0.7, 15)  # weak
    leg.movement(88, 1.0, size_g=0.3)
    _turn(leg, 88.5, 53)
    leg.bump(94, 0.4).bump(98, 0.035)
    sway = 0.08 * np.sin(2 * np.pi * 1.5 * np.arange(400) / 100)
    leg.acc[10200:10600, 1] += sway
    leg.oscillation(112, 0.4)
    return leg.recording()


@lru_cache
def without_emg() -> Recording:
    """Return the acceleration of a leg that jerks twice, 1.2 s apart."""
    return SimulatedLeg(60, seed=4).oscillation(30, 0.4).oscillation(31.2, 0.4).recording(emg=False)


@lru_cache
def noisy_electrode() -> Recording:
    """Return noise that hides twitches but not jerks, and a bump."""
    return SimulatedLeg(120, noise_uv=22.0, seed=5).oscillation(80).recording()


@lru_cache
def noisy_accelerometer() -> Recording:
    """Return a noisy accelerometer with a small bump, and the noise of a better one after it."""
    leg = SimulatedLeg(120, seed=9)
    leg.acc[:7000] = rest_acc(7000, leg.rng, noise_g=0.012)
    return leg.bump(60, 0.07).recording()


@lru_cache
def accelerometer_that_grows_noisy() -> Recording:
    """Return a small bump half a minute after the noise of the accelerometer has grown."""
    leg = SimulatedLeg(120, seed=9)
    leg.acc[6000:] = rest_acc(6000, leg.rng, noise_g=0.005)
    return leg.bump(90, 0.06).recording()


@lru_cache
def tense_muscle() -> Recording:
    """Return twitches before and after the muscle grows tense for good."""
    leg = SimulatedLeg(120, seed=7)
    leg.emg[60_000:] *= 3.0
    return leg.twitch(40, 60).twitch(75, 150).twitch(110, 150).recording()


@lru_cache
def busy_minute() -> Recording:
    """Return a twitch in a minute that is muscle activity for a third."""
    leg = SimulatedLeg(120, seed=8)
    for at_s in range(35, 90, 5):
        leg.contraction(at_s, 1.7, 60)
    return leg.twitch(63.5, 150).recording()


def _found(recording: Recording, settings: Settings) -> pd.DataFrame:
    """Return events and rejected candidates in order of onset."""
    found = detect(recording, settings)
    both = pd.concat([found.events.assign(reason=""), found.rejected.assign(grade="")])
    return both.sort_values(["onset", "channel"], ignore_index=True)


def event_at(build: Builder, at_s: float) -> Result:
    """Return what is found near a time: kind and grade of events, reason of rejections."""

    def result(settings: Settings) -> str:
        found = _found(build(), settings)
        near = found[(found.onset - at_s).abs() < NEAR_S]
        words = [e.reason or f"{e.trial_type} {e.grade}".strip() for e in near.itertuples()]
        return " + ".join(words) or "nothing"

    return result


def is_jerk(build: Builder, at_s: float) -> Result:
    """Return whether a jerk is found near a time, whatever else is."""
    return lambda settings: "jerk" in str(event_at(build, at_s)(settings))


def is_kind(build: Builder, at_s: float, kind: str) -> Result:
    """Return whether there is an event of a kind near a time."""
    return lambda settings: kind in str(event_at(build, at_s)(settings)).split()


def duration_at(build: Builder, at_s: float) -> Result:
    """Return the duration (s, two digits) of the first event near a time."""

    def result(settings: Settings) -> float:
        found = _found(build(), settings)
        return round(float(found[(found.onset - at_s).abs() < NEAR_S].duration.iloc[0]), 2)

    return result


def valid_seconds(build: Builder, channel: str) -> Result:
    """Return the seconds of valid signal of a channel."""
    return lambda settings: detect(build(), settings).valid_s[channel]


def legs_of_events(build: Builder) -> Result:
    """Return the legs of the events."""
    return lambda settings: sorted(set(detect(build(), settings).events["leg"]))


EMG = (
    SettingCase("emg.open_k", 40.0, event_at(many_events, 26), "twitch", "nothing"),
    SettingCase("emg.noise_p", 1e-15, event_at(many_events, 17), "too_small", "nothing"),
    SettingCase("emg.close_k", 20.0, duration_at(many_events, 20), 0.05, 0.03),
    SettingCase(
        "emg.bridge_ms",
        100.0,
        event_at(many_events, 70),
        "twitch + twitch + twitch",
        "brief_contraction",
    ),
    SettingCase("emg.floor_s", 10.0, event_at(tense_muscle, 75), "active_wake", "twitch"),
    SettingCase("emg.floor_quantile", 0.9, event_at(tense_muscle, 75), "active_wake", "twitch"),
    SettingCase("emg.least_sd_uv", 3.0, event_at(many_events, 26), "twitch", "nothing"),
    SettingCase("emg.max_floor_uv", 2.0, event_at(many_events, 20), "twitch", "noise_floor"),
    SettingCase("emg.flat_uv", 5.0, valid_seconds(many_events, "emg1"), 120.0, 21.0),
)

ACC = (
    SettingCase("acc.open_k", 30.0, event_at(many_events, 98), "bump", "nothing"),
    SettingCase("acc.close_k", 20.0, duration_at(many_events, 94), 0.2, 0.12),
    SettingCase("acc.open_g", 0.04, event_at(many_events, 98), "bump", "nothing"),
    SettingCase("acc.cap_g", 0.2, event_at(noisy_accelerometer, 60), "bump", "nothing"),
    SettingCase("acc.bridge_ms", 0.0, duration_at(many_events, 102), 4.4, 0.23),
    SettingCase(
        "acc.floor_s", 10.0, event_at(accelerometer_that_grows_noisy, 90), "nothing", "bump"
    ),
)

TWITCH = (
    SettingCase("twitch.min_ms", 20.0, event_at(many_events, 26), "twitch", "too_short"),
    SettingCase(
        "twitch.min_slack_ms",
        0.0,
        event_at(many_events, 26),
        "twitch",
        "too_short",
        base={"twitch.min_ms": 17.0},
    ),
    SettingCase("twitch.max_ms", 90.0, event_at(many_events, 29), "twitch", "brief_contraction"),
    SettingCase("twitch.slack_ms", 0.0, event_at(many_events, 32), "twitch", "brief_contraction"),
    SettingCase("twitch.min_uv", 80.0, event_at(many_events, 23), "twitch", "too_small"),
    SettingCase("twitch.slack_uv", 0.0, event_at(many_events, 26), "twitch", "too_small"),
    SettingCase(
        "twitch.max_turn_deg",
        2.0,
        event_at(many_events, 64),
        "twitch + bump",
        "brief_contraction + bump",
    ),
)

JERK = (
    SettingCase("jerk.min_ms", 150.0, is_jerk(many_events, 46), True, False),
    SettingCase("jerk.max_ms", 200.0, is_jerk(many_events, 54), True, False),
    SettingCase("jerk.min_impulse_uvs", 20.0, is_jerk(many_events, 61), True, False),
    SettingCase("jerk.max_rise_ms", 5.0, is_jerk(many_events, 54), True, False),
    SettingCase("jerk.min_g", 0.2, is_jerk(many_events, 42), True, False),
    SettingCase("jerk.min_g_alone", 0.35, is_jerk(without_emg, 30), True, False),
    SettingCase("jerk.masked_uv", 15.0, is_jerk(noisy_electrode, 80), False, True),
    SettingCase("jerk.min_jerk_g_s", 8.0, is_jerk(many_events, 42), True, False),
    SettingCase("jerk.max_episode_s", 0.1, is_jerk(many_events, 46), True, False),
    SettingCase(
        "jerk.max_turn_deg", 10.0, event_at(many_events, 67), "jerk mild", "jerk mild + bump"
    ),
    SettingCase("jerk.lead_ms", 0.0, is_jerk(many_events, 58), True, False),
    SettingCase("jerk.lag_ms", 50.0, is_jerk(many_events, 61), True, False),
    SettingCase("jerk.moderate_g", 0.2, event_at(many_events, 46), "jerk mild", "jerk moderate"),
    SettingCase("jerk.violent_g", 0.3, event_at(many_events, 54), "jerk moderate", "jerk violent"),
    SettingCase(
        "jerk.violent_jerk_g_s", 15.0, event_at(many_events, 54), "jerk moderate", "jerk violent"
    ),
    SettingCase("jerk.dead_ms", 2000.0, event_at(without_emg, 31.2), "jerk mild", "dead_time"),
)

MOVEMENT = (
    SettingCase(
        "movement.rise_uv", 100.0, event_at(many_events, 73), "movement", "weak_contraction"
    ),
    SettingCase(
        "movement.fall_uv", 60.0, event_at(many_events, 73), "movement", "weak_contraction"
    ),
    SettingCase("movement.quiet_s", 2.0, event_at(many_events, 79.8), "movement", "nothing"),
    SettingCase("movement.min_s", 1.5, is_kind(many_events, 78, "movement"), True, False),
    SettingCase("movement.max_s", 1.5, event_at(many_events, 73), "movement", "sustained_activity"),
    SettingCase("movement.acc_gross_s", 6.0, event_at(many_events, 102), "gross_movement", "bump"),
    SettingCase(
        "movement.turn_deg", 100.0, event_at(many_events, 88), "posture_change", "movement"
    ),
)

OTHERS = (
    SettingCase("legs", {"emg1": "left"}, legs_of_events(many_events), [""], ["left"]),
    SettingCase(
        "labels.active_share",
        0.9,
        event_at(busy_minute, 63.5),
        "active_wake",
        "twitch",
        base={"labels.active_share": 0.05},
    ),
)

CASES = (*EMG, *ACC, *TWITCH, *JERK, *MOVEMENT, *OTHERS)  # fmt: skip
