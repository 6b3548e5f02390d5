"""Recordings composed by others: how their truth is read, scored and shown."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from benchmarks.accuracy.score import score
from benchmarks.blind.examine import truth_table
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
    found = {"kit_a": kit, "hours": {"kit_a": 1.0}, "seeds": [1]}
    text = page(found, {"kit_a": kit}, {"kit_a": pd.DataFrame()})
    worst = text[text.index("## The worst first") : text.index("## kit_a")]
    assert "| twitch, all from 50 µV | 0.88 | kit_a, `bad` | 0.400 |" in worst
