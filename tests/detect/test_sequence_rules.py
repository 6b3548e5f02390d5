"""Rules that need neighbours: heart, active wake, ring-down."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twitchsense.detect.night_context import Surroundings
from twitchsense.detect.sequence_rules import vote
from twitchsense.model.candidates import ScoredCandidate
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import Settings

S = 1_000_000_000
RNG = np.random.default_rng(0)


def shape(seed):
    x = np.random.default_rng(seed).normal(size=64)
    return (x / np.linalg.norm(x)).astype(np.float32)


def finding(at_s, *, kind="twitch", seed=1, size=100.0, length_s=0.03, reason="", channel="emg1"):
    start = round(at_s * S)
    s = None if seed is None else shape(seed)
    return ScoredCandidate(
        start, start + round(length_s * S), kind, "", channel, amplitude_uv=size,
        confidence=0.9, reason=reason, waveform=s,
    )  # fmt: skip


def table(busy=0.0, n=400):
    zero = np.zeros(n, np.float32)
    share = np.broadcast_to(np.float32(busy), (n,)).copy() if np.ndim(busy) == 0 else busy
    return PerSecond(
        np.arange(n) * S,
        zero + 1,
        np.ones(n, bool),
        zero,
        zero,
        zero,
        share,
        np.empty((n, 0), np.float32),
        "emg",
    )


def reasons(findings, busy=0.0):
    tables = {"emg1": table(busy), "acc": table(busy)}
    return [f.reason for f in vote(findings, Surroundings(tables), Settings())]


def beats(rr, n, jitter=0.0, start=20.0):
    gaps = rr * (1 + jitter * np.random.default_rng(5).normal(size=n))
    return start + np.cumsum(gaps)


@pytest.mark.parametrize("rr", [0.55, 0.8, 1.0, 1.33])
def test_beats_are_the_heart(rr):
    assert set(reasons([finding(t) for t in beats(rr, 40, 0.04)])) == {"ecg"}


def test_beats_too_small_to_be_twitches_are_the_heart_too():
    found = [finding(t, reason="too_small" if i % 2 else "") for i, t in enumerate(beats(0.8, 40))]
    assert set(reasons(found)) == {"ecg"}


def test_missed_beats_do_not_hide_the_heart():
    times = np.delete(beats(0.9, 40), [5, 11, 12, 20, 31])
    assert set(reasons([finding(t) for t in times])) == {"ecg"}


def test_twitches_of_one_unit_at_random_times_are_no_heart():
    times = 20 + np.cumsum(np.random.default_rng(2).exponential(0.9, 60) + 0.4)
    assert reasons([finding(t) for t in times]).count("ecg") < 6


def test_regular_beats_of_different_shapes_are_no_heart():
    assert set(reasons([finding(t, seed=i) for i, t in enumerate(beats(0.9, 30))])) == {""}


def test_twitch_among_beats_stays():
    found = [finding(t) for t in beats(0.9, 40)] + [finding(40.37, seed=99)]
    by_shape = vote(found, Surroundings({"emg1": table()}), Settings())
    assert [
        f.reason for f in by_shape if not f.waveform.any() or np.array_equal(f.waveform, shape(99))
    ] == [""]


def test_rhythms_too_slow_or_too_fast_or_too_short_are_no_heart():
    assert set(reasons([finding(t) for t in beats(2.0, 30)])) == {""}
    assert "ecg" not in reasons([finding(t) for t in beats(0.37, 30)])
    assert set(reasons([finding(t) for t in beats(0.9, 7)])) == {""}


@pytest.mark.parametrize(("busy", "active"), [(0.19, False), (0.22, True)])
@pytest.mark.parametrize("kind", ["twitch", "brief_contraction"])
def test_active_minute(busy, active, kind):
    assert reasons([finding(200, kind=kind)], busy) == (["active_wake"] if active else [""])


@pytest.mark.parametrize(
    ("seconds", "g", "active"), [(13, 0.11, True), (11, 0.11, False), (40, 0.09, False)]
)
def test_a_leg_on_the_move_is_an_active_minute(seconds, g, active):
    level = np.zeros(400, np.float32)
    level[205 : 205 + seconds] = g
    moving = replace(table(), level=level, mean_vector=np.zeros((400, 3), np.float32), kind="acc")
    around = Surroundings({"emg1": table(), "acc": moving})
    found = [finding(210), finding(210, kind="jerk", seed=2), finding(300, seed=3)]
    voted = {f.onset_ns // S: f.reason for f in vote(found, around, Settings()) if f.kind != "jerk"}
    assert voted == {210: "active_wake" if active else "", 300: ""}
    still = replace(moving, kind="emg")  # a level in µV says nothing
    around = Surroundings({"emg1": table(), "emg2": still})
    assert [f.reason for f in vote(found[:1], around, Settings())] == [""]


def test_a_jerk_stands_in_an_active_minute():
    assert reasons([finding(200, kind="jerk")], 0.5) == [""]


def test_own_activity_does_not_count_and_movements_stay():
    busy = np.zeros(400, np.float32)
    busy[200:213] = 1.0  # 13 of 60 s
    assert reasons([finding(199.5, length_s=0.4)], busy) == ["active_wake"]
    assert reasons([finding(200, length_s=13.0, kind="jerk")], busy) == [""]
    assert reasons([finding(200, kind="movement")], 0.9) == [""]


def test_reasons_given_before_are_kept_and_confidence_goes():
    (kept,) = vote(
        [finding(200, reason="electrode_pop")], Surroundings({"emg1": table(0.9)}), Settings()
    )
    assert kept.reason == "electrode_pop"
    (rejected,) = vote([finding(200)], Surroundings({"emg1": table(0.9)}), Settings())
    assert np.isnan(rejected.confidence)


@pytest.mark.parametrize(("lag", "expected"), [(0.29, "dead_time"), (0.30, "")])
def test_ring_down_after_a_jerk(lag, expected):
    first = finding(100, kind="jerk", seed=None, channel="acc")
    second = finding(100 + lag, kind="jerk", seed=None, channel="acc")
    assert reasons([first, second]) == ["", expected]


def test_second_jerk_with_its_own_burst_is_a_jerk():
    first = finding(100, kind="jerk")
    assert reasons([first, finding(100.2, kind="jerk")]) == ["", ""]


def test_beats_that_look_like_pops_are_the_heart():
    assert set(reasons([finding(t, reason="electrode_pop") for t in beats(0.9, 40)])) == {"ecg"}


def test_activity_of_a_large_movement_does_not_count():
    busy = np.zeros(400, np.float32)
    busy[205:225] = 1.0
    large = finding(205, kind="gross_movement", length_s=20.0)
    assert reasons([finding(200)], busy) == ["active_wake"]
    assert reasons([finding(200), large], busy) == ["", ""]


def test_jerk_of_the_accelerometer_beside_a_walk_is_active_wake():
    busy = np.zeros(400, np.float32)
    busy[205:225] = 1.0
    walk = finding(205, kind="gross_movement", length_s=20.0, seed=None, channel="acc")
    jerk = finding(200, kind="jerk", seed=None, channel="acc")
    acc = replace(table(busy), mean_vector=np.ones((400, 3), np.float32), kind="acc")
    assert [f.reason for f in vote([jerk, walk], Surroundings({"acc": acc}), Settings())] == [
        "active_wake",
        "",
    ]


@pytest.mark.parametrize(("n", "heart"), [(7, False), (8, True)])
def test_eight_beats_are_a_heart(n, heart):
    assert set(reasons([finding(20 + 1.2 * i) for i in range(n)])) == {"ecg" if heart else ""}


@pytest.mark.parametrize(("size", "heart"), [(51, True), (200, False), (199, True)])
def test_beats_are_alike_in_size(size, heart):
    found = [finding(20 + 1.2 * i, size=size if i == 6 else 100) for i in range(13)]
    assert (reasons(found)[6] == "ecg") is heart


@pytest.mark.parametrize(
    ("step", "heart"), [(1.6, True), (1.65, False), (0.41, True), (0.39, False)]
)
def test_a_heart_beats_every_400_to_1600_ms(step, heart):
    assert ("ecg" in reasons([finding(20 + step * i) for i in range(50)])) is heart


def test_only_beats_within_12_s_are_looked_at():
    near = [finding(20 + t) for t in (0, 1.5, 3, 4.5, 6, 7.5, 9)]
    assert reasons([*near, finding(20 + 12.5)])[0] == ""
    assert reasons([*near, finding(20 + 12.0)])[0] == "ecg"


@pytest.mark.parametrize(
    ("busy_at", "active"), [(170, True), (169, False), (229, True), (230, False)]
)
def test_the_minute_around_an_event_is_looked_at(busy_at, active):
    busy = np.zeros(400, np.float32)
    busy[194:206] = 1.0  # 12 of 60 s, exactly the share allowed
    busy[busy_at] = 1.0
    assert reasons([finding(200, length_s=0.03)], busy) == (["active_wake"] if active else [""])


@pytest.mark.parametrize(
    ("second", "counts"), [(202, True), (203, False), (225, False), (226, True)]
)
def test_a_second_around_a_large_movement_belongs_to_it(second, counts):
    busy = np.zeros(400, np.float32)
    large = finding(204, kind="gross_movement", length_s=21.4)  # less 23 s of the minute
    busy[180:188] = 0.91  # 7.28 of 37 s, just below a fifth
    busy[second] = 1.0
    assert reasons([finding(200, length_s=0.0), large], busy)[0] == ("active_wake" * counts)


def test_a_beat_hidden_by_something_small_is_found_by_its_place():
    found = [finding(20 + 1.2 * i) for i in range(13)]
    found[6] = finding(20 + 1.2 * 6, seed=9, size=129)
    assert reasons(found)[6] == "ecg"
    found[6] = finding(20 + 1.2 * 6, seed=9, size=131)  # larger than a beat: something else
    assert reasons(found)[6] == ""
    found[6] = finding(20 + 1.2 * 6 + 0.4, seed=9, size=100)  # between two beats
    assert reasons(found)[6] == ""
