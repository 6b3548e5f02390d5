"""What the rest of a night says for and against a burst."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.detect.test_sequence_rules import finding
from twitchsense.detect import recurrence
from twitchsense.detect.classify import OPEN, turn_knocks_to_twitches
from twitchsense.detect.recurrence import (
    AGAIN_FEATURES,
    KIN_FEATURES,
    Bursts,
    describe_again,
    describe_kin,
    knocked_twitches,
    look_again,
)

RNG = np.random.default_rng(4)


def like(shape, r, seed=0):
    """Return a waveform whose correlation with another is `r`."""
    other = np.random.default_rng(seed).normal(size=len(shape))
    other -= shape * (shape @ other) / (shape @ shape)
    x = r * shape / np.linalg.norm(shape) + np.sqrt(1 - r * r) * other / np.linalg.norm(other)
    return x.astype(np.float32)


OWN = RNG.normal(size=64).astype(np.float32)


def of_first(*others, sure=0.8):
    """Tell about a burst at 1000 s of 100 µV, given (s later, µV, likeness) of the others."""
    rows = sorted([(0.0, 100.0, 1.0), *others])
    own = rows.index((0.0, 100.0, 1.0))
    bursts = Bursts(
        1000.0 + np.array([r[0] for r in rows]),
        np.array([r[1] for r in rows]),
        np.stack([3 * like(OWN, r[2], seed=k) for k, r in enumerate(rows)]),
        np.where(np.arange(len(rows)) == own, 0.3, sure),
    )
    (row,) = describe_kin(bursts, np.array([own]))
    return dict(zip(KIN_FEATURES, row.tolist(), strict=True))


def test_kin_are_those_that_look_like_it_and_twins_more_so():
    told = of_first((100, 100, 0.95), (200, 100, 0.85), (-200, 100, 0.75), (300, 100, 0.65))
    assert told["kin"] == pytest.approx(np.log1p(3))
    assert told["twins"] == pytest.approx(np.log1p(1))
    assert told["kin_sure"] == pytest.approx(3 * 0.8 / 4)
    assert told["twins_sure"] == pytest.approx(0.8 / 2)


@pytest.mark.parametrize(
    ("other", "similar"),
    [
        ((599.9, 100, 1), True), ((-599.9, 100, 1), True), ((600.1, 100, 1), False),
        ((0.13, 100, 1), True), ((0.11, 100, 1), False), ((-0.11, 100, 1), False),
        ((9, 169, 1), True), ((9, 171, 1), False), ((9, 59, 1), True), ((9, 58, 1), False),
        ((9, 100, -1), False),
    ],
)  # fmt: skip
def test_kin_are_near_but_not_the_burst_itself_and_of_its_size(other, similar):
    assert (of_first(other)["kin"] > 0) is similar


def test_the_minute_counts_all_but_itself():
    told = of_first((59, 5, 0), (-59, 900, 0), (0.05, 100, 1), (61, 100, 1))
    assert told["minute_sure"] == pytest.approx(3 * 0.8 / 4)
    assert told["minute_bad"] == pytest.approx(np.log1p(3 * 0.2))
    alone = of_first()
    assert list(alone.values()) == pytest.approx([0] * len(KIN_FEATURES), abs=1e-9)


def many(n=300):
    """Return bursts of three units and of nobody, close and far."""
    rng = np.random.default_rng(8)
    units = rng.normal(size=(3, 64))
    shapes = units[rng.integers(0, 3, n)] + rng.normal(size=(n, 64)) * rng.uniform(0, 2, (n, 1))
    peaks = np.sort(rng.uniform(0, 2500, n))
    return Bursts(peaks, rng.uniform(20, 60, n), shapes.astype(np.float32), rng.random(n))


def test_asking_about_some_at_once_tells_the_same_as_one_by_one(monkeypatch):
    bursts, every = many(), np.arange(300)
    whole = describe_kin(bursts, every)
    assert whole[:, :4].any(axis=0).all()
    one_by_one = np.concatenate([describe_kin(bursts, every[k : k + 1]) for k in every])
    np.testing.assert_allclose(one_by_one, whole, atol=1e-9)
    for pairs in (1, 1000, 7777):
        monkeypatch.setattr(recurrence, "AT_ONCE", pairs)
        np.testing.assert_allclose(describe_kin(bursts, every[::7]), whole[::7], atol=1e-9)


def test_only_the_nearest_are_looked_at(monkeypatch):
    monkeypatch.setattr(recurrence, "MOST", 2)
    told = of_first(*((k, 100, 1) for k in (1, 2, 3, -1, -2, -3)))
    assert told["kin"] == pytest.approx(np.log1p(4))


def test_a_waveform_of_nothing_is_nobodys_kin():
    flat = replace(many(2), shapes=np.zeros((2, 64), np.float32))
    assert not describe_kin(flat, np.arange(2))[:, :4].any()


def test_channels_have_their_own_kin_and_order_does_not_matter():
    a = [finding(s, seed=1) for s in (100, 160.5, 230)]
    b = [finding(s, seed=1, channel="emg2") for s in (101, 300)]
    found = [replace(f, peak_ns=f.onset_ns) for f in [*a, *b]]
    sure = np.array([0.9, 0.8, 0.7, 0.2, 0.1])
    which, rows = describe_again(found, sure)
    assert which.tolist() == [0, 1, 2, 3, 4]
    assert rows.shape == (5, len(AGAIN_FEATURES))
    table = dict(zip(AGAIN_FEATURES, rows.T.tolist(), strict=True))
    assert table["kin"] == pytest.approx(np.log1p([2, 2, 2, 1, 1]))
    assert table["kin_sure"][0] == pytest.approx((0.8 + 0.7) / 3)
    assert table["kin_sure"][3] == pytest.approx(0.1 / 2)
    assert table["odds"] == pytest.approx(np.log(sure / (1 - sure)))
    order = [3, 0, 4, 2, 1]
    again = describe_again([found[i] for i in order], sure[order])[1]
    np.testing.assert_allclose(again, rows[order])


@pytest.mark.parametrize(("kind", "p"), [("twitch", 0.04), ("brief_contraction", 0.99)])
def test_hopeless_and_longer_ones_are_company_but_not_asked_about(kind, p):
    found = [replace(finding(s, seed=1), peak_ns=s * 1_000_000_000) for s in (100, 130, 160)]
    found[1] = replace(found[1], kind=kind)
    sure = np.array([0.9, p, 0.5])
    which, rows = describe_again(found, sure)
    assert which.tolist() == [0, 2]
    again = look_again(found, sure)
    assert again[1] == p
    whole = dict(zip(AGAIN_FEATURES, rows.T.tolist(), strict=True))
    assert whole["kin"] == pytest.approx(np.log1p([2, 2]))
    assert whole["kin_sure"] == pytest.approx([(0.5 + p) / 3, (0.9 + p) / 3])


def test_nobody_to_look_at():
    assert describe_again([], np.empty(0))[1].shape == (0, len(AGAIN_FEATURES))
    assert look_again([], np.empty(0)).shape == (0,)


def test_what_the_first_look_all_but_ruled_out_stays_out():
    ones = [replace(finding(60.0 * k, seed=1), peak_ns=60_000_000_000 * k) for k in range(9)]
    sure = np.array([0.049, 0.051, *[0.99] * 7])
    again = look_again(ones, sure)
    assert again[0] == 0.049
    assert again[1] > 0.2


def test_one_that_is_seen_again_is_surer_than_one_amid_bad_contacts():
    """With the learned model: the same first look, another company."""
    ones = [replace(finding(60.0 * k, seed=1), peak_ns=60_000_000_000 * k) for k in range(6)]
    pops = [replace(finding(2.0 * k + 1, seed=k), peak_ns=2_000_000_000 * k) for k in range(99)]
    apart = look_again(ones, np.full(6, 0.6))
    amid = look_again([ones[1], *pops], np.array([0.6] + [0.02] * 99))[0]
    assert apart.min() > 0.6 > 0.4 > amid


def of_one_unit(*jerks, still=3, **jerk):
    """Return jerks at some seconds, and twitches every 50 s, all of one waveform."""
    thrown = {"kind": "jerk", "grade": "mild"} | jerk
    found = [replace(finding(t), **thrown) for t in jerks]
    found += [finding(50.0 * k + 20) for k in range(still)]
    return [replace(f, peak_ns=f.onset_ns) for f in found]


def test_a_jerk_whose_burst_mostly_leaves_the_leg_still_is_a_twitch_beside_a_knock():
    found = of_one_unit(100, still=3)
    assert knocked_twitches(found, OPEN) == [0]
    judged = turn_knocks_to_twitches(found)
    assert (judged[0].kind, judged[0].grade, judged[0].reason) == ("twitch", "", "")
    assert judged[1:] == found[1:]


@pytest.mark.parametrize(
    "found",
    [
        of_one_unit(100, still=2),  # too few to say
        of_one_unit(100, still=3, confidence=0.997),  # muscle and leg leave no doubt
        of_one_unit(100, still=3, waveform=finding(0, seed=2).waveform),  # another waveform
        of_one_unit(100, still=3, amplitude_uv=171.0),  # another size
        of_one_unit(100, still=3, channel="emg2"),
        of_one_unit(100, 110, still=5),  # the leg answers again
        of_one_unit(900, still=3),  # too long ago
    ],
)
def test_and_stays_a_jerk_otherwise(found):
    assert knocked_twitches(found, OPEN) == []
    assert turn_knocks_to_twitches(found) == found


def test_what_was_turned_down_for_something_else_is_no_twin():
    found = of_one_unit(100, still=3)
    for reason, expected in (("electrode_pop", [0]), ("ecg", [])):
        assert knocked_twitches([found[0], replace(found[1], reason=reason), *found[2:]],
                                OPEN) == expected  # fmt: skip


def test_one_with_no_waveform_has_no_twins():
    alone = replace(of_one_unit(100)[0], waveform=None)
    assert knocked_twitches([alone, *of_one_unit()], OPEN) == []
