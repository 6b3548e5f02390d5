"""Recurrence: how often the waveform of a burst returns, and the second stage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.detect.builders import candidate, night_context
from twitchsense.detect.features import recurrence
from twitchsense.detect.features.recurrence import (
    RECURRENCE_FEATURES,
    SIMILARITY_FEATURES,
    ChannelBursts,
    recurrence_features,
    similarity_features,
)
from twitchsense.detect.rules.classify import Classifier
from twitchsense.detect.rules.sequence_rules import (
    NightInputs,
    find_bumped_twitches,
    relabel_bumped_twitches,
)
from twitchsense.settings import Settings

RNG = np.random.default_rng(4)


def like(shape, r, seed=0):
    """Return a waveform whose correlation with another is `r`."""
    other = np.random.default_rng(seed).normal(size=len(shape))
    other -= shape * (shape @ other) / (shape @ shape)
    x = r * shape / np.linalg.norm(shape) + np.sqrt(1 - r * r) * other / np.linalg.norm(other)
    return x.astype(np.float32)


OWN = RNG.normal(size=64).astype(np.float32)


def of_first(*others, probability=0.8):
    """Tell about a burst at 1000 s of 100 µV, given (s later, µV, likeness) of the others."""
    rows = sorted([(0.0, 100.0, 1.0), *others])
    own = rows.index((0.0, 100.0, 1.0))
    bursts = ChannelBursts(
        1000.0 + np.array([r[0] for r in rows]),
        np.array([r[1] for r in rows]),
        np.stack([3 * like(OWN, r[2], seed=k) for k, r in enumerate(rows)]),
        np.where(np.arange(len(rows)) == own, 0.3, probability),
    )
    (row,) = similarity_features(bursts, np.array([own]))
    return dict(zip(SIMILARITY_FEATURES, row.tolist(), strict=True))


def test_similar_waveforms_are_counted_and_near_identical_ones_apart():
    row = of_first((100, 100, 0.95), (200, 100, 0.85), (-200, 100, 0.75), (300, 100, 0.65))
    assert row["log_n_similar"] == pytest.approx(np.log1p(3))
    assert row["log_n_identical"] == pytest.approx(np.log1p(1))
    assert row["similar_probability"] == pytest.approx(3 * 0.8 / 4)
    assert row["identical_probability"] == pytest.approx(0.8 / 2)


@pytest.mark.parametrize(
    ("other", "similar"),
    [
        ((599.9, 100, 1), True), ((-599.9, 100, 1), True), ((600.1, 100, 1), False),
        ((0.13, 100, 1), True), ((0.11, 100, 1), False), ((-0.11, 100, 1), False),
        ((9, 169, 1), True), ((9, 171, 1), False), ((9, 59, 1), True), ((9, 58, 1), False),
        ((9, 100, -1), False),
    ],
)  # fmt: skip
def test_similar_bursts_are_near_of_similar_amplitude_and_not_the_burst_itself(other, similar):
    assert (of_first(other)["log_n_similar"] > 0) is similar


def test_minute_features_leave_out_the_burst_itself():
    row = of_first((59, 5, 0), (-59, 900, 0), (0.05, 100, 1), (61, 100, 1))
    assert row["minute_muscle_share"] == pytest.approx(3 * 0.8 / 4)
    assert row["log_n_minute_other"] == pytest.approx(np.log1p(3 * 0.2))
    alone = of_first()
    assert list(alone.values()) == pytest.approx([0] * len(SIMILARITY_FEATURES), abs=1e-9)


def many(n=300):
    """Return bursts of three units and of nobody, close and far."""
    rng = np.random.default_rng(8)
    units = rng.normal(size=(3, 64))
    shapes = units[rng.integers(0, 3, n)] + rng.normal(size=(n, 64)) * rng.uniform(0, 2, (n, 1))
    peaks = np.sort(rng.uniform(0, 2500, n))
    return ChannelBursts(peaks, rng.uniform(20, 60, n), shapes.astype(np.float32), rng.random(n))


def test_blocks_of_bursts_have_the_features_of_single_ones(monkeypatch):
    bursts, every = many(), np.arange(300)
    whole = similarity_features(bursts, every)
    assert whole[:, :4].any(axis=0).all()
    one_by_one = np.concatenate([similarity_features(bursts, every[k : k + 1]) for k in every])
    np.testing.assert_allclose(one_by_one, whole, atol=1e-9)
    for pairs in (1, 1000, 7777):
        monkeypatch.setattr(recurrence, "PAIRS_PER_BLOCK", pairs)
        np.testing.assert_allclose(similarity_features(bursts, every[::7]), whole[::7], atol=1e-9)


def test_only_the_nearest_are_compared(monkeypatch):
    monkeypatch.setattr(recurrence, "MAX_COMPARED", 2)
    row = of_first(*((k, 100, 1) for k in (1, 2, 3, -1, -2, -3)))
    assert row["log_n_similar"] == pytest.approx(np.log1p(4))


def test_flat_waveform_has_no_similar_waveform():
    flat = replace(many(2), waveforms=np.zeros((2, 64), np.float32))
    assert not similarity_features(flat, np.arange(2))[:, :4].any()


def test_channels_are_compared_apart_and_order_does_not_matter():
    a = [candidate(s, seed=1) for s in (100, 160.5, 230)]
    b = [candidate(s, seed=1, channel="emg2") for s in (101, 300)]
    found = [replace(f, peak_ns=f.onset_ns) for f in [*a, *b]]
    sure = np.array([0.9, 0.8, 0.7, 0.2, 0.1])
    which, rows = recurrence_features(found, sure)
    assert which.tolist() == [0, 1, 2, 3, 4]
    assert rows.shape == (5, len(RECURRENCE_FEATURES))
    table = dict(zip(RECURRENCE_FEATURES, rows.T.tolist(), strict=True))
    assert table["log_n_similar"] == pytest.approx(np.log1p([2, 2, 2, 1, 1]))
    assert table["similar_probability"][0] == pytest.approx((0.8 + 0.7) / 3)
    assert table["similar_probability"][3] == pytest.approx(0.1 / 2)
    assert table["first_stage_log_odds"] == pytest.approx(np.log(sure / (1 - sure)))
    order = [3, 0, 4, 2, 1]
    again = recurrence_features([found[i] for i in order], sure[order])[1]
    np.testing.assert_allclose(again, rows[order])


@pytest.mark.parametrize(("kind", "p"), [("twitch", 0.04), ("brief_contraction", 0.99)])
def test_unlikely_and_longer_bursts_are_compared_with_but_not_described(kind, p):
    found = [replace(candidate(s, seed=1), peak_ns=s * 1_000_000_000) for s in (100, 130, 160)]
    found[1] = replace(found[1], kind=kind)
    sure = np.array([0.9, p, 0.5])
    which, rows = recurrence_features(found, sure)
    assert which.tolist() == [0, 2]
    again = Classifier().recurring(found, sure)
    assert again[1] == p
    whole = dict(zip(RECURRENCE_FEATURES, rows.T.tolist(), strict=True))
    assert whole["log_n_similar"] == pytest.approx(np.log1p([2, 2]))
    assert whole["similar_probability"] == pytest.approx([(0.5 + p) / 3, (0.9 + p) / 3])


def test_nothing_to_describe():
    assert recurrence_features([], np.empty(0))[1].shape == (0, len(RECURRENCE_FEATURES))
    assert Classifier().recurring([], np.empty(0)).shape == (0,)


def test_second_stage_leaves_very_unlikely_bursts_rejected():
    ones = [replace(candidate(60.0 * k, seed=1), peak_ns=60_000_000_000 * k) for k in range(9)]
    sure = np.array([0.049, 0.051, *[0.99] * 7])
    again = Classifier().recurring(ones, sure)
    assert again[0] == 0.049
    assert again[1] > 0.2


def test_a_recurring_burst_is_more_likely_muscle_than_one_amid_electrode_artefacts():
    """With the shipped model: the same first stage, other surroundings."""
    ones = [replace(candidate(60.0 * k, seed=1), peak_ns=60_000_000_000 * k) for k in range(6)]
    pops = [replace(candidate(2.0 * k + 1, seed=k), peak_ns=2_000_000_000 * k) for k in range(99)]
    apart = Classifier().recurring(ones, np.full(6, 0.6))
    amid = Classifier().recurring([ones[1], *pops], np.array([0.6] + [0.02] * 99))[0]
    assert apart.min() > 0.6 > 0.4 > amid


def relabelled(candidates):
    return relabel_bumped_twitches(
        candidates, NightInputs(night_context(), Settings(), Classifier())
    )


def of_one_unit(*jerks, still=3, **jerk):
    """Return jerks at some seconds, and twitches every 50 s, all of one waveform."""
    thrown = {"kind": "jerk", "grade": "mild"} | jerk
    found = [replace(candidate(t), **thrown) for t in jerks]
    found += [candidate(50.0 * k + 20) for k in range(still)]
    return [replace(f, peak_ns=f.onset_ns) for f in found]


def test_jerk_whose_waveform_usually_leaves_the_leg_still_becomes_a_twitch():
    found = of_one_unit(100, still=3, confidence=0.92)
    assert find_bumped_twitches(found) == [0]
    after = relabelled(found)
    assert (after[0].kind, after[0].grade, after[0].reason) == ("twitch", "", "")
    assert after[1:] == found[1:]


@pytest.mark.parametrize(
    "found",
    [
        of_one_unit(100, still=2),  # too few
        of_one_unit(100, still=3, confidence=0.96),  # very probably a jerk
        of_one_unit(100, still=3, confidence=0.92, grade="violent"),
        of_one_unit(100, still=3, waveform=candidate(0, seed=2).waveform),  # another waveform
        of_one_unit(100, still=3, amplitude_uv=171.0),  # another amplitude
        of_one_unit(100, still=3, channel="emg2"),
        of_one_unit(100, 110, still=5),  # the leg moved again
        of_one_unit(900, still=3),  # too long ago
    ],
)
def test_jerk_without_such_a_waveform_remains_a_jerk(found):
    assert find_bumped_twitches(found) == []
    assert relabelled(found) == found


def test_candidates_rejected_for_another_reason_are_not_compared():
    found = of_one_unit(100, still=3)
    for reason, expected in (("electrode_pop", [0]), ("ecg", [])):
        others = [replace(found[1], reason=reason), *found[2:]]
        assert find_bumped_twitches([found[0], *others]) == expected


def test_a_jerk_without_waveform_is_not_compared():
    alone = replace(of_one_unit(100)[0], waveform=None)
    assert find_bumped_twitches([alone, *of_one_unit()]) == []
