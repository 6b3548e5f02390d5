"""Questions and answers at the top of the report, and what the plot says about the same."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import twitchsense as ts
from tests.report.builders import make_quiet_night
from twitchsense.report import page_data, summary_sentences
from twitchsense.report.night_intervals import artifact_minutes
from twitchsense.report.overview import plot_night
from twitchsense.report.time_labels import WallClock


def drawn_words(ax):
    return [t.get_text() for t in ax.figure.findobj(Text)]


@pytest.mark.parametrize(
    ("emg_s", "word", "says"),
    [
        (120, "Yes", "acceleration could both be evaluated nearly all the time."),
        (105, "Mostly", "evaluated for 105 s of it and acceleration could be evaluated nearly all"),
        (60, "In part", "evaluated for 60 s of it"),
        (0, "In part", "no muscle signal (EMG) was recorded"),
    ],
)
def test_answer_says_whether_the_recording_was_good(emg_s, word, says, monkeypatch):
    monkeypatch.setattr(summary_sentences, "MIN_VALID_HOURS", 0.0)
    answer = dict(summary_sentences.summary_answers(make_quiet_night(120, emg_s)))[
        "Was the recording good?"
    ]
    assert answer.startswith(f"{word}. ")
    assert says.replace("105 s", "2 min") in answer
    assert ("Nothing is known" in answer) == (0 < emg_s < 120)


def test_recording_of_two_minutes_is_too_short():
    answers = dict(summary_sentences.summary_answers(make_quiet_night(120, 120)))
    good = answers["Was the recording good?"]
    assert good.startswith("Too short to judge a night. The recording lasted 2 min: ")
    assert good.endswith("A night needs at least 2 h, ideally all of the sleep.")


def test_leg_still_from_the_start_gives_only_a_latest_sleep_onset():
    night = make_quiet_night(600, 600)
    assert night.onset.time_s == 0
    assert "any time until 10 min into the recording" in summary_sentences.sleep_onset_sentence(
        night
    )
    text = page_data.build_page_data(night, [])["json"]
    assert "asleep by 0:10, perhaps from the start" in text
    assert "sleep onset" not in text
    drawn = drawn_words(plot_night(night))
    assert "asleep by 0:10, perhaps from the start" in drawn
    assert not [w for w in drawn if "sleep onset" in w]


def test_plot_and_sentence_give_the_same_interval_of_sleep_onset(night):
    low, high = (
        WallClock.of(night.recording).format_minute(t)
        for t in (night.onset.low_s, night.onset.high_s)
    )
    assert f"between {low} and {high}," in summary_sentences.sleep_onset_sentence(night)
    [mark] = [w for w in drawn_words(plot_night(night)) if "sleep onset" in w]
    assert mark.endswith(f"({low}–{high})")
    assert json.loads(page_data.build_page_data(night, [])["json"])["onset"]["label"] == mark


def test_confidence_of_a_night_without_events_depends_on_its_valid_time():
    assert "valid nearly all the time" in summary_sentences.confidence_sentences(
        make_quiet_night(120, 120)
    )
    assert (
        "nothing is known about the time without valid signal"
        in summary_sentences.confidence_sentences(make_quiet_night(120, 60))
    )
    assert (
        "nothing is known about the time without valid signal"
        in summary_sentences.confidence_sentences(make_quiet_night(120, 0))
    )


def test_minute_with_many_spikes_is_disturbed_in_sentence_plot_and_data():
    rng = np.random.default_rng(6)
    emg = rng.normal(0, 4, 300_000)
    emg[120_000:180_000:3000] += 900  # spikes of one sample: a loose electrode
    acc = rng.normal(1, 0.002, 30_000)
    night = ts.analyze(
        ts.Recording.from_arrays({"emg1_uv": (emg, 1000.0), "acc_x_g": (acc, 100.0)})
    )
    assert (night.rejected["reason"] == "electrode_pop").sum() >= 6
    assert artifact_minutes(night) == [(120.0, 60.0)]
    assert "60 s of it had many artefacts" in summary_sentences.valid_time_sentences(night)
    assert "disturbed" in drawn_words(plot_night(night))
    assert json.loads(page_data.build_page_data(night, [])["json"])["artifact_minutes"] == [
        [120.0, 60.0]
    ]
    assert artifact_minutes(make_quiet_night(120, 120)) == []


def test_events_uncertain_only_in_their_label_are_counted_separately(night):
    table = night.events.head(4).assign(
        confidence=[0.9, 0.4, 0.4, 0.4], alternatives=["", "sleep_start:0.50", "leg_movement", ""]
    )
    text = summary_sentences.confidence_sentences(
        replace(night, detections=replace(night.detections, events=table))
    )
    assert text.startswith("1 of the 4 events met its rule clearly")
    assert "For 1 of the other 3 only the name is uncertain" in text


NAME = "only the name is uncertain, since it depends on when sleep began"


@pytest.mark.parametrize(
    ("n", "n_clear", "n_name", "first", "rest"),
    [
        (1, 1, 0, "The only event met its rule", ""),
        (1, 0, 0, "The only event did not meet its rule", ""),
        (1, 0, 1, "The only event did not meet its rule", f" For it {NAME}."),
        (2, 2, 0, "Every event met its rule", ""),
        (2, 1, 0, "1 of the 2 events met its rule", " The other one is less certain."),
        (2, 1, 1, "1 of the 2 events met its rule", f" For the other one {NAME}."),
        (9, 0, 0, "None of the 9 events met its rule", ""),
        (9, 0, 9, "None of the 9 events met its rule", f" For all of them {NAME}."),
        (16, 0, 5, "None of the 16 events met its rule",
         f" For 5 of them {NAME}; the remaining 11 are less certain."),
        (16, 0, 15, "None of the 16 events met its rule",
         f" For 15 of them {NAME}; the remaining one is less certain."),
        (16, 9, 0, "9 of the 16 events met their rules", " The other 7 are less certain."),
        (16, 9, 7, "9 of the 16 events met their rules", f" For the other 7 {NAME}."),
        (16, 9, 1, "9 of the 16 events met their rules",
         f" For 1 of the other 7 {NAME}; the remaining 6 are less certain."),
        (16, 15, 1, "15 of the 16 events met their rules", f" For the other one {NAME}."),
        (2400, 1200, 1100, "1,200 of the 2,400 events met their rules",
         f" For 1,100 of the other 1,200 {NAME}; the remaining 100 are less certain."),
    ],
)  # fmt: skip
def test_numbers_of_clear_events_make_sentences(n, n_clear, n_name, first, rest):
    text = summary_sentences.clear_events_sentences(n, n_clear, n_name)
    assert text == f"{first} clearly (confidence 0.7 or more of 1).{rest}"


@pytest.mark.parametrize(
    ("context", "stage", "channel", "text"),
    [
        ("wake", "", "acc", "No sleep was found in this recording; lying awake and light sleep can "
         "look the same."),
        ("wake", "W", "acc", "The hypnogram holds no sleep within the recording."),
        ("unknown", "", "emg1", "It is not known when you were awake or asleep: that needs a "
         "hypnogram or acceleration."),
        ("unknown", "", "acc_left", "It is not known when you were awake or asleep: the movement "
         "of the leg did not tell it in this recording; a hypnogram would."),
    ],
)  # fmt: skip
def test_without_sleep_onset_the_sentence_agrees_with_the_night(context, stage, channel, text):
    night = SimpleNamespace(
        onset=SimpleNamespace(time_s=None, low_s=None, high_s=None, source="none"),
        epochs=pd.DataFrame({"context": [context], "stage": [stage]}),
        valid_s={channel: 60.0},
        recording=SimpleNamespace(start_utc_ns=None, start_ns=0),
    )
    assert summary_sentences.sleep_onset_sentence(night) == text


def test_a_leg_with_events_before_sleep_is_not_called_still(night):
    quiet = make_quiet_night(600, 0)
    assert summary_sentences.sleep_onset_sentence(quiet).startswith("The leg lay still from")
    events = night.events.head(3).assign(onset=[10.0, 20.0, 30.0])
    moved = replace(quiet, detections=replace(quiet.detections, events=events))
    assert summary_sentences.sleep_onset_sentence(moved).startswith(
        "Apart from single movements, the leg lay still from"
    )


def test_one_other_event_is_in_the_singular(night):
    table = night.events.head(1).assign(trial_type="gross_movement", leg="")
    text = summary_sentences.events_sentences(
        replace(night, detections=replace(night.detections, events=table))
    )
    assert text.endswith("in the valid signal; there was 1 large movement.")


def test_counts_of_all_kinds_and_of_both_legs_are_given(night):
    kinds = ["twitch", "jerk", "movement", "posture_change", "brief_contraction"]
    table = night.events.head(5).assign(trial_type=kinds, leg=["left", "right", "left", "", ""])
    text = summary_sentences.events_sentences(
        replace(night, detections=replace(night.detections, events=table))
    )
    assert text.startswith(
        "1 twitch, 1 jerk and 1 leg movement were found (2 on the left leg, 1 on the right). "
        "There were also 1 brief contraction and 1 change of position."
    )
