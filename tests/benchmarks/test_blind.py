"""Recordings composed by others: how their truth is read, scored and shown."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from benchmarks.accuracy.score import score
from benchmarks.blind import bounds, goals, others, reliability
from benchmarks.blind.examine import Job, truth_table
from benchmarks.blind.figures import figures
from benchmarks.blind.page import page


@dataclass
class Row:
    onset: float
    kind: str
    duration: float = 0.05
    waveform: str = "some"
    amplitude_uv: float = 200.0
    snr: float = 40.0
    peak_g: float = 0.0
    bursts: tuple = ()
    in_activity: bool = False


@dataclass
class Composed:
    truth: list
    signals: dict = field(default_factory=lambda: {"emg1_uv": (np.zeros(60_000), 1000.0)})


def event(onset, kind, duration=0.05):
    return {"onset": onset, "duration": duration, "trial_type": kind, "channel": "emg1"}


def scored(truth, events):
    table = truth_table(Composed(truth))
    found = score(pd.DataFrame(events, columns=list(event(0, ""))), table)
    found.targets["needed"] &= ~found.targets.in_activity.astype(bool)
    return found.named(family="rest")


def test_train_of_jerks_is_one_target_and_a_second_event_for_it_is_false():
    train = Row(10, "jerk", 1.5, bursts=(10, 10.3, 10.6, 10.9, 11.2))
    one = scored([train], [event(10, "jerk", 1.5)])
    assert one.targets.hit.tolist() == [True]
    assert one.targets.n_bursts.tolist() == [5]
    two = scored([train], [event(10, "jerk", 0.1), event(10.9, "jerk", 0.1)])
    assert sorted(two.events.verdict) == ["false", "hit"]


def test_unclear_rows_count_neither_way():
    found = scored([Row(10, "unclear", 0.3)], [event(10.1, "twitch"), event(20, "twitch")])
    assert found.targets.empty
    assert found.events.verdict.tolist() == ["tolerated", "false"]


def test_twitch_in_activity_is_not_needed():
    truth = [Row(5, "twitch"), Row(20, "gross_movement", 30), Row(30, "twitch", in_activity=True)]
    found = scored(truth, [event(5, "twitch"), event(25, "movement", 3)])
    shown = figures(found)
    assert (shown["twitch, all from 50 µV"]["hit"], shown["twitch, all from 50 µV"]["n"]) == (1, 1)
    assert shown["twitch within activity"]["n"] == 1
    assert shown["movement: precision"]["n"] == 0  # a movement within an activity is tolerated


def test_page_leads_with_the_worst_family():
    truth = [Row(5 + k, "twitch") for k in range(20)]
    good = scored(truth, [event(5 + k, "twitch") for k in range(20)]).named(family="good")
    bad = scored(truth, [event(5 + k, "twitch") for k in range(8)]).named(family="bad")
    kit = figures(good + bad)
    assert kit["twitch, all from 50 µV"]["worst"] == "bad"
    assert kit["twitch, all from 50 µV"]["worst_hit"] == pytest.approx(0.4)
    found = {"kit_a": kit, "hours": {"kit_a": 1.0}, "seeds": [2], "middle": {"kit_a": {}}}
    text = page(found, {"kit_a": kit}, {"kit_a": pd.DataFrame()})
    worst = text[text.index("## The worst first") : text.index("## kit_a")]
    assert "| twitch, all from 50 µV | 0.88 | kit_a, `bad` | 0.400 |" in worst


# -- what the figures are worth ------------------------------------------------------------


def test_goals_tell_what_is_reached_on_kits_that_taught_nothing(monkeypatch):
    truth = [Row(5 + k, "twitch", snr=20 if k % 2 else 60) for k in range(20)]
    good = figures(scored(truth, [event(5 + k, "twitch") for k in range(20)]))
    bad = figures(scored(truth, [event(5 + k, "twitch") for k in range(10)]))
    empty = {"false": 1, "hours": 2.0}
    found = {"kit_a": good, "kit_f": bad, "hours": {"kit_a": 1.0, "kit_f": 1.0},
             "empty": {"kit_a": empty, "kit_f": empty}}  # fmt: skip
    name = "twitch, all from 50 µV: sensitivity"
    assert f"| {name} | ≥ 0.95 | 0.75 | no |" in goals.section(found, ["kit_a", "kit_f"])
    monkeypatch.setattr(goals, "UNSEEN", ("kit_f",))
    rows = goals.section(found, ["kit_a", "kit_f"])
    assert f"| {name} | ≥ 0.95 | 0.5 | no | 0.75 | no |" in rows
    assert "| twitch: false alarms an hour | ≤ 1 | 0 | yes | 0 | yes |" in rows
    empty_row = "recordings without a target: false alarms an hour, of any kind"
    assert f"| {empty_row} | ≤ 5 | 0.5 | yes | 0.5 | yes |" in rows


def test_calibration_error_is_the_difference_of_confidence_and_share_right():
    bins = [(0.95, 90, 100), (0.55, 60, 100)]
    assert reliability.calibration_error(bins) == pytest.approx(0.05)
    kits = {"kit_a": {"twitch": bins, "jerk": [(0.95, 10, 10)], "movement": []}}
    rows = reliability.section(kits)
    assert any(
        row.startswith("| kit_a | 210 | 0.760 | 0.762 | 0.045 | – | 0.60 of 100") for row in rows
    )
    assert "| movement, all kits | 0 | | | | | | | | |" in rows


def test_others_pieces_of_a_found_movement_count_neither_way():
    truth = truth_table(Composed([Row(10, "movement", 3.0), Row(20, "twitch")]))
    arrays = {"emg1_uv": (np.zeros(60_000), 1000.0)}
    found = pd.DataFrame([event(10, "twitch", 0.2), event(11, "twitch", 0.2),
                          event(20, "jerk"), event(40, "twitch")])  # fmt: skip
    c = others.counts(Job("kit_a", "some", 1), found, arrays, truth)
    assert (c["movement: any found"], c["twitch: any found"], c["any: false"]) == (1, 1, 1)
    assert (c["movement: found"], c["twitch: found"], c["twitch: false"]) == (0, 0, 3)
    shown = others.figures(c)
    assert shown["precision, any"] == pytest.approx(2 / 3)
    assert shown["false/h, any"] == pytest.approx(60)


def test_middle_of_a_recording_hides_what_its_ends_cut():
    composed = Composed([Row(100, "twitch"), Row(179, "movement", 5.0), Row(300, "jerk")],
                        {"emg1_uv": (np.zeros(600_000), 1000.0)})  # fmt: skip
    arrays, truth = others.middle(composed.signals, truth_table(composed))
    assert len(arrays["emg1_uv"][0]) == 240_000
    assert truth.trial_type.tolist() == ["artifact", "jerk"]
    assert truth.onset.tolist() == pytest.approx([-1, 120])
    assert others.middle({"acc_x_g": (np.zeros(10), 100.0)}, truth) is None


def test_page_says_where_another_program_is_ahead():
    def program(found, false):
        kinds = {f"{k}: {n}": v for k in ("twitch", "jerk", "movement")
                 for n, v in (("targets", 10), ("found", found), ("any found", found),
                              ("right", found), ("false", false))}  # fmt: skip
        return {"hours": 1.0, "any: false": false, **kinds}

    stored = {"kits": ["kit_a"], "minutes": 4, "seed": 1, "versions": {"biosppy": "2"},
              "programs": {"script k=6": {"kit_a": program(10, 500)},
                           "biosppy silva 9": {"kit_a": program(5, 50)}}}  # fmt: skip
    text = "\n".join(others.section(stored, {"kit_a": program(9, 1)}))
    assert "- twitch: sensitivity, of any kind: `script k=6` 1.000, at 500 false alarms" in text
    assert "`biosppy" not in text[text.index("Where a setting") : text.index("By kit")]


def test_bound_counts_targets_without_candidate_and_alarms_once():
    candidates = pd.DataFrame({"onset": [10.0, 10.01, 30.0, 30.02, 50.0],
                               "end": [10.05, 10.05, 30.1, 30.1, 50.1]})  # fmt: skip
    composed = Composed([Row(10, "twitch"), Row(20, "twitch"), Row(50, "twitch", amplitude_uv=30)])
    found = scored(composed.truth, [event(10, "twitch")])
    part = bounds.Part(candidates, np.zeros((5, 1)), found.targets, truth_table(composed), {}, 1.0)
    label, of_target = bounds.labels(part, "twitch")
    assert label.tolist() == [1, 1, 0, 0, -1]
    assert [rows.tolist() for rows in of_target] == [[0, 1], []]
    groups = bounds.clusters(candidates.onset.to_numpy(), candidates.end.to_numpy())
    assert groups.tolist() == [0, 0, 1, 1, 2]
    p, alarms = np.array([0.9, 0.5, -1.0]), np.array([0.7, 0.2])
    assert bounds.threshold_for(p, alarms, most=1) == 0.5
    assert bounds.threshold_for(p, alarms, precision=1.0) == 0.9
