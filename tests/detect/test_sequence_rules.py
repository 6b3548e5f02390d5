"""Rules of the night: ECG, active wake, ring-down."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.detect.builders import S, candidate, night_context, night_rules, per_second, waveform
from twitchsense.settings import LabelSettings, Settings


def reasons(candidates, active_fraction=0.0):
    tables = {"emg1": per_second(active_fraction), "acc": per_second(active_fraction)}
    return [c.reason for c in night_rules(candidates, night_context(tables))]


def beats(rr, n, jitter=0.0, start=20.0):
    gaps = rr * (1 + jitter * np.random.default_rng(5).normal(size=n))
    return start + np.cumsum(gaps)


@pytest.mark.parametrize("rr", [0.55, 0.8, 1.0, 1.33])
def test_beats_at_a_regular_rhythm_are_ecg(rr):
    assert set(reasons([candidate(t) for t in beats(rr, 40, 0.04)])) == {"ecg"}


def test_beats_below_the_minimum_amplitude_are_ecg():
    found = [
        candidate(t, reason="too_small" if i % 2 else "") for i, t in enumerate(beats(0.8, 40))
    ]
    assert set(reasons(found)) == {"ecg"}


def test_ecg_is_found_despite_missed_beats():
    times = np.delete(beats(0.9, 40), [5, 11, 12, 20, 31])
    assert set(reasons([candidate(t) for t in times])) == {"ecg"}


def test_irregular_twitches_of_one_unit_are_no_ecg():
    times = 20 + np.cumsum(np.random.default_rng(2).exponential(0.9, 60) + 0.4)
    assert reasons([candidate(t) for t in times]).count("ecg") < 6


def test_regular_bursts_of_different_waveforms_are_no_ecg():
    assert set(reasons([candidate(t, seed=i) for i, t in enumerate(beats(0.9, 30))])) == {""}


def test_twitch_among_beats_is_kept():
    found = [candidate(t) for t in beats(0.9, 40)] + [candidate(40.37, seed=99)]
    by_shape = night_rules(found, night_context({"emg1": per_second()}))
    assert [
        f.reason
        for f in by_shape
        if not f.waveform.any() or np.array_equal(f.waveform, waveform(99))
    ] == [""]


def test_rhythm_too_slow_too_fast_or_too_short_is_no_ecg():
    assert set(reasons([candidate(t) for t in beats(2.0, 30)])) == {""}
    assert "ecg" not in reasons([candidate(t) for t in beats(0.37, 30)])
    assert set(reasons([candidate(t) for t in beats(0.9, 7)])) == {""}


@pytest.mark.parametrize(("busy", "active"), [(0.19, False), (0.22, True)])
@pytest.mark.parametrize("kind", ["twitch", "brief_contraction"])
def test_active_minute(busy, active, kind):
    assert reasons([candidate(200, kind=kind)], busy) == (["active_wake"] if active else [""])


@pytest.mark.parametrize(("active_share", "active"), [(0.05, True), (0.2, True), (0.9, False)])
def test_the_share_of_activity_is_a_setting(active_share, active):
    settings = Settings(labels=LabelSettings(active_share=active_share))
    context = night_context({"emg1": per_second(0.5)})
    (after,) = night_rules([candidate(200)], context, settings)
    assert after.reason == ("active_wake" if active else "")


@pytest.mark.parametrize(
    ("seconds", "g", "active"), [(13, 0.11, True), (11, 0.11, False), (40, 0.09, False)]
)
def test_moving_leg_makes_an_active_minute(seconds, g, active):
    level = np.zeros(400, np.float32)
    level[205 : 205 + seconds] = g
    moving = replace(per_second(kind="acc"), level=level)
    around = night_context({"emg1": per_second(), "acc": moving})
    found = [candidate(210), candidate(214, kind="jerk", seed=2), candidate(300, seed=3)]
    voted = {f.onset_ns // S: f.reason for f in night_rules(found, around) if f.kind != "jerk"}
    assert voted == {210: "active_wake" if active else "", 300: ""}
    still = replace(moving, kind="emg")  # the level of an EMG channel, in µV, does not count
    around = night_context({"emg1": per_second(), "emg2": still})
    assert [f.reason for f in night_rules(found[:1], around)] == [""]


def test_jerk_with_emg_is_kept_in_an_active_minute():
    jerk = candidate(200, kind="jerk")
    assert reasons([jerk], 0.5) == [""]
    in_doubt = replace(jerk, confidence=0.4)
    assert reasons([in_doubt], 0.5) == ["active_wake"]
    assert reasons([in_doubt], 0.1) == [""]


def test_own_activity_does_not_count_and_movements_are_kept():
    busy = np.zeros(400, np.float32)
    busy[200:213] = 1.0  # 13 of 60 s
    assert reasons([candidate(199.5, length_s=0.4)], busy) == ["active_wake"]
    assert reasons([candidate(200, length_s=13.0, kind="jerk")], busy) == [""]
    assert reasons([candidate(200, kind="movement", length_s=0.6)], 0.9) == [""]


def test_earlier_reasons_are_kept_and_rejection_clears_confidence():
    active = night_context({"emg1": per_second(0.9)})
    (kept,) = night_rules([candidate(200, reason="electrode_pop")], active)
    assert kept.reason == "electrode_pop"
    (rejected,) = night_rules([candidate(200)], active)
    assert np.isnan(rejected.confidence)


@pytest.mark.parametrize(("lag", "expected"), [(0.29, "dead_time"), (0.30, "")])
def test_ring_down_after_a_jerk(lag, expected):
    first = candidate(100, kind="jerk", seed=None, channel="acc")
    second = candidate(100 + lag, kind="jerk", seed=None, channel="acc")
    assert reasons([first, second]) == ["", expected]


def test_jerks_with_pauses_of_less_than_half_a_second_are_one():
    jerks = [
        candidate(t, kind="jerk", size=s) for t, s in ((100, 90.0), (100.5, 400.0), (101.1, 1))
    ]
    first, second = night_rules(jerks)
    assert (first.kind, first.onset_ns, first.offset_ns) == ("jerk", 100 * S, round(100.53 * S))
    assert first.reason == second.reason == ""


def test_short_event_among_the_bursts_of_a_jerk_is_part_of_it():
    train = [candidate(100, kind="jerk"), candidate(100.2), candidate(100.4, kind="jerk")]
    found = night_rules(train, night_context({"emg1": per_second()}))
    assert [(c.kind, c.reason) for c in found] == [("jerk", ""), ("twitch", "absorbed")]


def test_beats_rejected_as_electrode_artefacts_are_ecg():
    assert set(reasons([candidate(t, reason="electrode_pop") for t in beats(0.9, 40)])) == {"ecg"}


def test_activity_in_a_large_movement_does_not_count():
    busy = np.zeros(400, np.float32)
    busy[200:220] = 1.0
    large = candidate(201, kind="gross_movement", length_s=20.0)
    assert reasons([candidate(200)], busy) == ["active_wake"]
    assert reasons([candidate(200), large], busy) == ["", ""]


def test_jerk_without_emg_beside_a_walk_is_active_wake():
    busy = np.zeros(400, np.float32)
    busy[200:220] = 1.0
    walk = candidate(201, kind="gross_movement", length_s=20.0, seed=None, channel="acc")
    jerk = candidate(200, kind="jerk", seed=None, channel="acc")
    acc = per_second(busy, kind="acc")
    assert [f.reason for f in night_rules([jerk, walk], night_context({"acc": acc}))] == [
        "active_wake",
        "",
    ]


@pytest.mark.parametrize(("n", "heart"), [(7, False), (8, True)])
def test_ecg_needs_eight_beats(n, heart):
    assert set(reasons([candidate(20 + 1.2 * i) for i in range(n)])) == {"ecg" if heart else ""}


@pytest.mark.parametrize(("size", "heart"), [(51, True), (200, False), (199, True)])
def test_beats_have_similar_amplitudes(size, heart):
    found = [candidate(20 + 1.2 * i, size=size if i == 6 else 100) for i in range(13)]
    assert (reasons(found)[6] == "ecg") is heart


@pytest.mark.parametrize(
    ("step", "heart"), [(1.6, True), (1.65, False), (0.41, True), (0.39, False)]
)
def test_ecg_has_rr_intervals_of_400_to_1600_ms(step, heart):
    assert ("ecg" in reasons([candidate(20 + step * i) for i in range(50)])) is heart


def test_only_beats_within_12_s_are_compared():
    near = [candidate(20 + t) for t in (0, 1.5, 3, 4.5, 6, 7.5, 9)]
    assert reasons([*near, candidate(20 + 12.5)])[0] == ""
    assert reasons([*near, candidate(20 + 12.0)])[0] == "ecg"


@pytest.mark.parametrize(
    ("busy_at", "active"), [(170, True), (169, False), (229, True), (230, False)]
)
def test_active_wake_uses_the_minute_around_an_event(busy_at, active):
    busy = np.zeros(400, np.float32)
    busy[194:206] = 1.0  # 12 of 60 s, exactly the share allowed
    busy[busy_at] = 1.0
    assert reasons([candidate(200, length_s=0.03)], busy) == (["active_wake"] if active else [""])


@pytest.mark.parametrize(
    ("second", "counts"), [(202, True), (203, False), (225, False), (226, True)]
)
def test_the_second_before_and_after_a_large_movement_belongs_to_it(second, counts):
    busy = np.zeros(400, np.float32)
    large = candidate(204, kind="gross_movement", length_s=21.4)  # less 23 s of the minute
    busy[180:186] = 0.88  # 7.28 of 37 s, just below a fifth
    busy[198:200] = 1.0  # the seconds beside the event are active in any case
    busy[second] = 1.0
    assert reasons([candidate(200, length_s=0.005), large], busy)[0] == ("active_wake" * counts)


@pytest.mark.parametrize(("busy_s", "active"), [(1.0, False), (1.2, True)])
def test_twitch_in_a_pause_of_activity_is_kept(busy_s, active):
    busy = np.zeros(400, np.float32)
    busy[170:190] = 1.0  # a third of the minute
    busy[198:200] = busy_s / 2
    assert reasons([candidate(200, length_s=0.005)], busy) == (["active_wake"] if active else [""])


def test_masked_beat_is_found_by_its_time():
    found = [candidate(20 + 1.2 * i) for i in range(13)]
    found[6] = candidate(20 + 1.2 * 6, seed=9, size=129)
    assert reasons(found)[6] == "ecg"
    found[6] = candidate(20 + 1.2 * 6, seed=9, size=131)  # larger than a beat: something else
    assert reasons(found)[6] == ""
    found[6] = candidate(20 + 1.2 * 6 + 0.4, seed=9, size=100)  # between two beats
    assert reasons(found)[6] == ""
