"""Input of the leg-movement rules: accepted spellings, errors with their place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.scoring.builders import breaths, marks, stages, train
from twitchsense import InputError, score_limb
from twitchsense.scoring.leg_movements.input import (
    read_leg_hypnogram,
    read_movements,
)
from twitchsense.sleep.hypnogram.model import Hypnogram
from twitchsense.sleep.lab_files.respiratory_events import read_respiratory_events


def written(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("word", ["left", "Left", "L", "l", " LEFT ", "left leg", "Leg-L", "lat"])
def test_spellings_of_left_are_accepted(word):
    frame = marks("L 10 1").assign(leg=word)
    assert score_limb(frame).movements["leg"].tolist() == ["left"]


@pytest.mark.parametrize("word", ["right", "R", "r", "right_leg", "RAT"])
def test_spellings_of_right_are_accepted(word):
    frame = marks("L 10 1").assign(leg=word)
    assert score_limb(frame).movements["leg"].tolist() == ["right"]


@pytest.mark.parametrize("word", ["both", "", None, np.nan, "2", "links", "bilateral"])
def test_other_spellings_of_legs_are_refused(word):
    frame = marks("L 10 1", "R 20 1")
    frame["leg"] = pd.Series(["left", word], dtype=object)
    with pytest.raises(InputError, match=r"movements, row 2: leg is .*left or right"):
        score_limb(frame)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("onset", np.nan, "onset is not a finite number"),
        ("onset", np.inf, "onset is not a finite number"),
        ("duration", np.nan, "duration is not a finite number"),
        ("duration", -0.1, "duration is negative"),
        ("onset", 1e300, "out of range"),
        ("duration", 1e300, "out of range"),
    ],
)
@pytest.mark.parametrize("table", ["movements", "respiratory"])
def test_invalid_times_are_refused_with_their_row(table, column, value, words):
    given = {"movements": marks("L 10 1", "L 20 1"), "respiratory": breaths((5, 1), (9, 1))}
    given[table].loc[1, column] = value
    with pytest.raises(InputError, match=f"{table}, row 2: .*{words}"):
        score_limb(**given)


def test_text_where_a_number_belongs_is_refused():
    frame = marks("L 10 1").astype({"onset": object})
    frame["onset"] = "22:00:01"
    with pytest.raises(InputError, match="onset is not numeric"):
        score_limb(frame)


@pytest.mark.parametrize("name", ["onset", "duration"])
def test_a_missing_column_is_named(name):
    with pytest.raises(InputError, match=f"movements: has no column '{name}'"):
        score_limb(marks("L 10 1").drop(columns=name))


@pytest.mark.parametrize("text", ["onset,duration\n", "onset,duration,leg\n"])
def test_marks_without_a_leg_are_movements_of_one(tmp_path, text):
    rows = [f"{t},1{',' * text.count('leg')}" for t in (100, 120, 140, 160)]
    frame = read_movements(written(tmp_path, text + "\n".join(rows)))
    assert frame["leg"].tolist() == ["left"] * 4
    note = "no event names a leg: all are scored as movements of one leg"
    assert score_limb(frame).notes == (note,)
    given = pd.DataFrame({"onset": [100.0, 120, 140, 160], "duration": 1.0})
    scored = score_limb(given)
    assert (scored.indices["n_plm"], scored.notes) == (4, (note,))
    with pytest.raises(InputError, match="line 3: leg is empty; write left or right"):
        read_movements(written(tmp_path, "onset,duration,leg\n1,1,L\n2,1,\n"))


def test_of_marks_with_kinds_the_leg_movements_are_scored(tmp_path):
    text = "onset,duration,trial_type\n1,0.1,Twitch\n9,1,movement\n30,2,LM\n60,9,Gross movement\n"
    frame = read_movements(written(tmp_path, text))
    assert (frame["onset"].tolist(), frame["large"].tolist()) == ([9, 60], [False, True])
    notes = " ".join(frame.attrs["notes"])
    assert "2 of 4 events are leg movements left out rows of unknown kinds: 'LM'; if" in notes
    words = "onset,duration,trial_type\n1,0.1,Twitch\n30,2,LM\n"
    says = r"table.csv: names no leg movement \('twitch', 'LM'\); say which"
    with pytest.raises(InputError, match=says):
        read_movements(written(tmp_path, words))
    with pytest.raises(InputError, match="movements: names no leg movement"):
        score_limb(pd.read_csv(written(tmp_path, words)))
    assert read_movements(written(tmp_path, words.partition("30")[0])).empty
    more = read_movements(written(tmp_path, text), {"lm": "movement"})
    assert more["onset"].tolist() == [9, 30, 60]
    foreign = read_movements(written(tmp_path, "onset,duration,type\n1,1,LM\n9,1,PLM\n"))
    assert len(foreign) == 2
    assert foreign.attrs["notes"][-1] == "all rows count as leg movements: 'LM', 'PLM'"


def test_unknown_rules_are_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"'icsd'.*wasm2016, wasm2016-strict, aasm"):
        score_limb(marks("L 10 1"), rules="icsd")


def test_input_tables_are_not_modified():
    given = [marks(*train(20, 20, 20)), stages("W222").drop(columns="duration"), breaths((5, 1))]
    copies = [frame.copy() for frame in given]
    score_limb(*given)
    for frame, copy in zip(given, copies, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


def test_nullable_numbers_are_read():
    frame = marks(*train(20, 20, 20)).convert_dtypes()
    assert score_limb(frame).indices["n_plm"] == 4


def test_a_hypnogram_object_is_accepted():
    frame = stages("W222222")
    rows = marks(*train(20, 20, 20, start=25))
    as_object = score_limb(rows, Hypnogram.from_frame(frame)).indices
    assert as_object == score_limb(rows, frame).indices
    assert as_object["n_plms"] == 3


def test_files_and_tables_give_the_same_score(tmp_path):
    text = "onset,leg,duration,note\n100.2,L,1,x\n110.2,right,0.5,\n"
    frame = read_movements(written(tmp_path, text))
    assert frame["leg"].tolist() == ["left", "right"]
    assert score_limb(frame).movements["imi"].tolist()[1] == 10.0
    assert read_respiratory_events(written(tmp_path, "onset,duration\n")).events.empty


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("onset,leg\n1,left\n", "line 1: has no column 'duration'"),
        ("onset,duration,leg\n1,1,left\n2,x,left\n", "line 3: duration is 'x'"),
        ("onset,duration,leg\n1,,left\n", "line 2: duration is empty"),
        ("onset,duration,leg\n1,-1,left\n", "line 2: duration is negative"),
        ("onset,duration,leg\n1,1,left\n\n2,1,arm\n", "line 4: leg is 'arm'"),
        ("onset,duration,leg\n1,1\n", "line 2: has 2 fields"),
        ("", "is empty"),
    ],
)
def test_errors_in_files_name_their_line(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_movements(written(tmp_path, text))


def test_the_epoch_length_is_inferred_from_onsets(tmp_path):
    read = read_leg_hypnogram(written(tmp_path, "onset,stage\n0,W\n20,N1\n40,N2\n100,R\n"))
    assert read.duration_s.tolist() == [20.0] * 4  # the gap from 60 to 100 s stays one
    frame = pd.DataFrame({"onset": [0, 20, 40, 100], "stage": ["W", "N1", "N2", "R"]})
    table = score_limb(marks("L 39 1", "L 70 1", "L 119 0.5", "L 120 1"), frame).movements
    assert [x if isinstance(x, str) else None for x in table["stage"]] == ["N1", None, "R", None]


@pytest.mark.parametrize(
    ("onsets", "words"),
    [
        ([0], "nor two onsets"),
        ([0, 30, 75], "row 3: .*its onsets have no common step; give the column duration"),
        ([0, 30, 30], "row 3: does not begin later"),
        ([0, 30, 10], "row 3: does not begin later"),
        ([0, np.nan, 60], "row 2: onset is not a finite number"),
    ],
)
def test_onsets_without_a_common_step_are_refused(onsets, words):
    frame = pd.DataFrame({"onset": onsets, "stage": "N2"})
    with pytest.raises(InputError, match=words):
        score_limb(marks("L 10 1"), frame)


def test_a_hypnogram_file_with_durations_keeps_its_lines(tmp_path):
    with pytest.raises(InputError, match="line 3: unknown stage 'N9'"):
        read_leg_hypnogram(written(tmp_path, "onset,duration,stage\n0,30,W\n30,30,N9\n"))
