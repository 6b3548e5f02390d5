"""What counts as found, missed and false in the accuracy benchmark."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.accuracy import tally
from benchmarks.accuracy.bound import find_known
from benchmarks.accuracy.canvas import Waves
from benchmarks.accuracy.page import tables
from benchmarks.accuracy.peers import find_peers, script_bursts, to_events
from benchmarks.accuracy.results import OURS, Place, Results
from benchmarks.accuracy.score import Score, score


def truth(*rows, seconds=3600.0, sleep_onset_s=None):
    names = ("onset", "duration", "trial_type", "kind", "amplitude_uv", "snr", "channel",
             "tolerated")  # fmt: skip
    table = pd.DataFrame(rows, columns=names).assign(context="", under="", source="")
    table.attrs = {"seconds": seconds, "sleep_onset_s": sleep_onset_s, "noise_uv": (3.0, 5.0)}
    return table


def events(*rows):
    table = pd.DataFrame(rows, columns=["onset", "duration", "trial_type", "confidence"])
    return table.astype({"onset": float, "duration": float, "trial_type": object})


def rejected(*rows):
    return pd.DataFrame(rows, columns=["onset", "reason"])


TRUTH = truth(
    (10.0, 0.02, "twitch", "single", 100.0, 30.0, "emg1", ""),
    (20.0, 0.02, "twitch", "single", 60.0, 10.0, "emg1", ""),
    (30.0, 0.02, "twitch", "single", 40.0, 8.0, "emg1", ""),  # too small to count
    (39.9, 0.50, "artifact", "dropout", np.nan, np.nan, "emg1", ""),
    (40.0, 0.02, "twitch", "single", 90.0, 30.0, "emg1", ""),  # nobody could see it
    (50.0, 0.10, "jerk", "hypnic_jerk", 300.0, 60.0, "emg2", ""),
    (60.0, 5.00, "artifact", "tonic", 50.0, 10.0, "emg1", ""),
    (80.0, 3.00, "artifact", "voluntary", 400.0, 90.0, "emg1", "movement gross_movement"),
    (100.0, 9.0, "gross_movement", "gross", 900.0, 90.0, "emg1", "movement gross_movement"),
)


def test_every_event_gets_the_verdict_the_module_states():
    found = events(
        (10.001, 0.02, "twitch", 0.9), (30.0, 0.02, "twitch", 0.5), (50.0, 0.1, "twitch", 0.6),
        (62.0, 0.02, "twitch", 0.4), (80.5, 2.0, "movement", 0.7), (81.0, 0.02, "twitch", 0.3),
        (100.1, 8.0, "movement", 0.3), (130.0, 0.02, "twitch", 0.3),
    )  # fmt: skip
    scored = score(found, TRUTH, rejected((20.01, "too_small")))
    assert list(scored.events.verdict) == [
        "hit", "optional", "false", "false", "tolerated", "false", "tolerated", "false",
    ]  # fmt: skip
    assert list(scored.events.cause) == ["", "", "", "tonic", "voluntary", "voluntary", "", ""]
    assert list(scored.targets.needed) == [True, True, False, False, True, True]
    assert list(scored.targets.hit) == [True, False, True, False, False, False]
    assert list(scored.targets.reason) == ["", "too_small", "", "", "", ""]
    twitch = tally.count(scored, "twitch")
    assert (twitch.truth, twitch.hit, twitch.right, twitch.false) == (2, 1, 1, 4)
    assert tally.swapped(scored, "jerk", "twitch") == (1, 1)
    table = tally.confusion(scored)
    assert table.loc["jerk", "twitch"] == 1
    assert table.loc[tally.NOBODY, "twitch"] == 3  # the jerk's twitch stands in its own row
    assert table.loc["gross_movement", "movement"] == 1


def test_a_lost_accelerometer_excuses_jerks_and_no_twitch():
    lost = (9.0, 60.0, "artifact", "dropout", np.nan, np.nan, "acc", "")
    rows = [(10.0, 0.02, "twitch", "single", 90.0, 30.0, "emg1", ""),
            (50.0, 0.1, "jerk", "violent", 90.0, 30.0, "emg1", "")]  # fmt: skip
    scored = score(events(), truth(lost, *rows))
    assert list(scored.targets.needed) == [True, False]


def test_a_long_event_is_not_excused_by_a_short_contraction_within():
    found = events((60.0, 60.0, "movement", 0.5))
    assert list(score(found, TRUTH).events.verdict) == ["false"]


def test_a_second_event_for_one_target_is_false():
    found = events((10.0, 0.02, "twitch", 0.9), (10.03, 0.02, "twitch", 0.9))
    assert sorted(score(found, TRUTH).events.verdict) == ["false", "hit"]


def test_pooling_adds_and_hours_are_kept_by_context():
    table = truth((10.0, 0.02, "twitch", "single", 100.0, 30.0, "emg1", ""), sleep_onset_s=900.0)
    one = score(events((10.0, 0.02, "twitch", 0.9), (2000.0, 0.02, "twitch", 0.9)), table)
    both = sum([one, one, Score()], Score())
    assert both.hours == {"wake": 0.5, "asleep": 1.5}
    assert tally.count(both, "twitch").false == 2
    assert tally.count(both, "twitch", "wake").false == 0
    assert tally.count(both, "twitch", "asleep").hours == 1.5


def test_saved_rows_count_the_same(tmp_path):
    found = events((10.0, 0.02, "twitch", 0.9), (62.0, 0.02, "twitch", 0.4))
    results = Results({"split": "tune", "seeds": [1]})
    results.scores[Place(OURS, "night", 1, 0.0)] = score(found, TRUTH)
    results.scores[Place(OURS, "noise", 1, 0.0)] = score(events(), truth())
    results.save(tmp_path)
    again = Results.load(tmp_path)
    assert again.scores.keys() == results.scores.keys()
    for kind in ("clear twitch", "twitch", "jerk"):
        assert tally.count(again.pool(), kind) == tally.count(results.pool(), kind)
    assert again.pool().hours == {"": 2.0}
    pd.testing.assert_frame_equal(tally.confusion(again.pool()), tally.confusion(results.pool()))


def test_the_script_tells_twitch_jerk_and_movement():
    rng = np.random.default_rng(0)
    x, acc = rng.normal(0, 3, 60_000), np.zeros((6000, 3)) + (0, 0, 1.0)
    for start, length in ((10_000, 30), (20_000, 120), (30_000, 2000)):
        x[start : start + length] += rng.normal(0, 100, length)
    acc[2005:2010, 0] += (0.2, 0.5, 0.8, 0.5, 0.2)
    arrays = {"emg1_uv": (x, 1000.0)}
    arrays |= {f"acc_{a}_g": (acc[:, i], 100.0) for i, a in enumerate("xyz")}
    found = to_events(script_bursts(arrays, 20), arrays, False)
    assert list(found.trial_type) == ["twitch", "jerk", "movement"]
    assert found.onset.to_numpy() == pytest.approx([10, 20, 30], abs=0.01)


def test_the_matched_filter_finds_what_stands_out_and_nothing_below_the_noise():
    rng = np.random.default_rng(1)
    x = rng.normal(0, 3, 120_000)
    wave = np.diff(np.hanning(16), prepend=0) * np.hanning(16)
    wave = np.pad(wave / np.ptp(wave), 20)
    rows, starts, pieces = [], [], []
    for start, size in ((20.0, 100.0), (40.0, 60.0), (60.0, 2.0), (80.0, 2.0)):
        x[round(start * 1000) :][: len(wave)] += size * wave
        rows.append((start + 0.02, 0.015, "twitch", "single", max(size, 50), 20.0, "emg1", ""))
        starts.append(start)
        pieces.append((size * wave)[None])
    table = truth(*rows, seconds=120.0)
    table.attrs["waves"] = Waves(1000.0, [0, 1, 2, 3], starts, pieces)
    found = find_known({"emg1_uv": (x.astype(np.float32), 1000.0)}, table)
    assert found.targets.hit.tolist() == [True, True, False, False]
    assert found.targets.alarms.tolist()[:2] == [0, 0]
    assert found.targets.alarms.min() < found.targets.alarms.tolist()[2]
    assert not len(found.events)


def test_without_their_environment_other_packages_are_left_out():
    arrays = {"emg1_uv": (np.random.default_rng(0).normal(0, 3, 20_000), 1000.0)}
    assert {name.split()[0] for name in find_peers(arrays, None)} == {"script", "envelope"}


def test_the_page_shows_what_was_counted():
    results = Results({"split": "tune", "seeds": [1]})
    found = events((10.0, 0.02, "twitch", 0.9), (62.0, 0.02, "twitch", 0.4))
    results.scores[Place(OURS, "night", 1, 0.0)] = score(found, TRUTH)
    results.scores[Place("script k=6", "ladder", 1, 10.0)] = score(found, TRUTH)
    text = tables(results)
    assert "| night | twitch | 2 | 0.500 (0.013–0.987) | 0.500 (0.013–0.987) |" in text
    assert "| tonic | 1 | 0 | 0 |" in text
    assert "| script k=6 | 0.50 | 0.50 | 0.50 |" in text
    assert "| artefact storm" not in text  # no storm was run
