"""Hypnograms of YASA: its object (here a stand-in with the same attributes) and its files."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import twitchsense as ts
from tests.signals import SimulatedLeg
from tests.sleep.builders import night_clock, refusal, write_text
from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.read import read_hypnogram
from twitchsense.sleep.hypnogram.yasa import hypnogram_from_yasa

WORDS = ["WAKE", "N1", "N2", "N3", "REM", "ART", "UNS"]


@dataclass
class Hypnogram:
    """The attributes of yasa.Hypnogram that are used."""

    hypno: pd.Series
    freq: str = "30s"
    start: pd.Timestamp | None = None


def made(words=WORDS, freq="30s", start=None):
    stages = pd.Series(pd.Categorical(words), name="Stage")
    return Hypnogram(stages, freq, None if start is None else pd.Timestamp(start))


def test_the_object_is_placed_by_its_start_or_begins_with_the_recording():
    when = night_clock("2026-03-01T22:30:00+01:00")
    got = hypnogram_from_yasa(made(start="2026-03-01 22:40:00"), when, {})
    assert got.stage.tolist() == ["W", "N1", "N2", "N3", "R", "", ""]
    assert got.onset_s[0] == 600
    aware = hypnogram_from_yasa(made(start="2026-03-01T21:40:00Z"), when, {})
    assert aware.onset_s[0] == 600
    plain = hypnogram_from_yasa(made(freq="10s"), when, {})
    assert plain.onset_s.tolist() == [10 * k for k in range(7)]
    assert "taken to begin with the recording" in plain.notes[0]


def test_vocabularies_with_fewer_stages_are_sleep_without_a_stage():
    got = hypnogram_from_yasa(made(["WAKE", "SLEEP", "NREM", "LIGHT", "DEEP"]), None, {})
    assert got.stage.tolist() == ["W", "S", "S", "N2", "N3"]


def test_the_object_is_taken_by_score_limb_and_analyze():
    marks = pd.DataFrame({"onset": [35.0, 65, 95, 125], "duration": 1.0, "leg": "left"})
    score = ts.score_limb(marks, made())
    assert score.movements["stage"].tolist() == ["N1", "N2", "N3", "R"]
    assert score.indices["n_plms"] == 4
    recording = ts.Recording.from_arrays(SimulatedLeg(60).signals())
    night = ts.analyze(recording, hypnogram=made(["WAKE", "N2"]))
    assert night.epochs["stage"].tolist() == ["W", "N2"]
    assert any("YASA" in note for note in night.notes)
    with pytest.raises(InputError, match="where the recording has 1"):
        ts.analyze(recording, hypnogram=made())


def test_score_limb_takes_a_list_or_an_array_of_stages():
    marks = pd.DataFrame({"onset": [35.0, 65, 95, 125], "duration": 1.0, "leg": "left"})
    expected = ts.score_limb(marks, made()).movements
    words = ts.score_limb(marks, WORDS).movements
    codes = ts.score_limb(marks, np.array([0, 1, 2, 3, 4, -1, -2]), stages="yasa").movements
    for movements in (words, codes):
        pd.testing.assert_frame_equal(movements, expected)
    short = ts.score_limb(marks, ["W", "N2", "N2", "N2", "N2", "N2"], epoch_s=25)
    assert short.movements["stage"].tolist() == ["N2"] * 4
    with pytest.raises(InputError, match=r"stage '0' is a number.*stages='yasa'"):
        ts.score_limb(marks, [0, 1])


@pytest.mark.parametrize("given", [5, object()])
def test_other_objects_are_refused(given):
    with pytest.raises(InputError, match=r"is of the type .*; give a path, a table"):
        ts.score_limb(pd.DataFrame({"onset": [1.0], "duration": 1.0, "leg": "left"}), given)


def test_files_of_yasa_are_read(tmp_path):
    stages = made().hypno.rename_axis("Epoch")
    table = tmp_path / "hypno.csv"
    stages.to_csv(table)
    assert read_hypnogram(table).stage.tolist() == ["W", "N1", "N2", "N3", "R", "", ""]
    times = pd.date_range("2026-03-01 22:40", freq="30s", periods=7, name="Time")
    pd.Series(WORDS, index=times, name="Stage").to_csv(table)
    when = night_clock("2026-03-01T22:30:00+01:00")
    assert read_hypnogram(table, when).onset_s[0] == 600
    data = {"values": WORDS, "n_stages": 5, "freq": "30s", "start": None, "scorer": None}
    plain = write_text(tmp_path, json.dumps(data), "hypno.json")
    assert read_hypnogram(plain).stage.tolist() == ["W", "N1", "N2", "N3", "R", "", ""]
    data["start"] = "2026-03-01T22:40:00+01:00"
    dated = write_text(tmp_path, json.dumps(data), "hypno.json")
    assert read_hypnogram(dated, when).onset_s[0] == 600


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"freq": "soon"}, "freq is 'soon'; give the length of an epoch"),
        ({"freq": "-30s"}, "freq is '-30s'"),
        ({"values": [0, 1]}, "values are not a list of stages"),
        ({"values": ["WAKE", "N9"]}, "epoch 1: unknown stage 'N9'"),
        ({"values": ["WAKE"] * 900}, "450.0 min as 30-s epochs, where the recording has 60.0 min"),
    ],
)
def test_files_that_cannot_be_used_are_refused(tmp_path, change, says):
    data = {"values": WORDS, "n_stages": 5, "freq": "30s", "start": None} | change
    path = write_text(tmp_path, json.dumps(data), "hypno.json")
    assert says in refusal(path, NightClock(0, 3_600_000_000))
