"""Hypnograms from tables: what is read, what is refused and why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.model import STAGES, Hypnogram
from twitchsense.sleep.hypnogram.read import read_hypnogram

YASA = Path(__file__).parents[3] / "shared" / "data" / "hypnograms_yasa"


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "hypnogram.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("tab", [False, True])
def test_reads_csv_and_tsv_with_any_column_order_and_words(tmp_path, tab):
    rows = ["wake,0,30,a", "n1,30,30,", "REM,60,15,", "?,90,30,", "Sleep stage 4,120,30,"]
    text = "\n".join(["Stage, onset ,duration,note", *rows, ""])
    hypnogram = read_hypnogram(write(tmp_path, text.replace(",", "\t") if tab else text))
    assert hypnogram.stage.tolist() == ["W", "N1", "R", "", "N3"]
    assert hypnogram.onset_s.tolist() == [0, 30, 60, 90, 120]
    assert hypnogram.duration_s.tolist() == [30, 30, 15, 30, 30]
    assert len(hypnogram) == 5


def test_byte_order_mark_windows_line_ends_and_empty_lines_are_accepted(tmp_path):
    path = write(
        tmp_path, b"\xef\xbb\xbf\r\nonset,duration,stage\r\n\r\n0,30,W\r\n,,\r\n30,30,N2\r\n"
    )
    assert read_hypnogram(path).stage.tolist() == ["W", "N2"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("  \n \n", "is empty"),
        ("onset,duration,stage\n", "has no epochs"),
        ("begin,stages_\n0,W\n", "line 1: has no column 'onset' (found: begin, stages_)"),
        ("onset,length,phase\n0,30,W\n", "has no column 'duration'"),
        ("onset,duration,phase\n0,30,W\n", "has no column 'stage'"),
        ("onset,stage\n0,W\n", "has neither a column 'duration' nor two onsets"),
        (
            "onset,stage\n0,W\n30,N1\n70,N1\n",
            "line 4: has no column 'duration', and its onsets have no common step",
        ),
        ("onset,stage\n0,W\n0,N1\n", "line 3: does not begin later than the row above"),
        ("onset,onset,stage\n0,0,W\n", "has a column name twice"),
        ("onset,duration,stage\n0,30,W\n30,0,N1\n", "line 3: duration is not positive"),
        ("onset,duration,stage\n0,-30,W\n", "line 2: duration is not positive"),
        ("onset,duration,stage\n0,NaN,W\n", "line 2: duration is 'NaN', not a number"),
        ("onset,duration,stage\n0,,W\n", "line 2: duration is empty"),
        ("onset,duration,stage\n0,inf,W\n", "not a number"),
        ("onset,duration,stage\n0,30,2\n", "line 2: stage '2' is a number"),
        ("onset,duration,stage\n0,30,4.0\n", "is a number"),
        ("onset,duration,stage\n0,30,lucid\n", "line 2: unknown stage 'lucid'; use W, N1"),
        (
            "onset,duration,stage\n0,30,Kern\n30,30,W\n60,30,Tief\n90,30,Kern\n120,30,5\n",
            "unknown stage 'Kern'; use W, N1, N2, N3, R, or ? for unscored; or define each: "
            "stages='Kern=N2,Tief=N2'",
        ),
        ("onset,duration,stage\n0,30,\n", "line 2: stage is empty"),
        ("onset,duration,stage\n0,30,W\n20,30,N1\n", "line 3: begins before the epoch above has"),
        ("onset,duration,stage\n30,30,W\n0,30,N1\n", "line 3: begins before the epoch above it"),
        ("onset,duration,stage\n0,30,W\n0,30,N1\n", "line 3: begins before the epoch above it"),
        ("onset,duration,stage\n0,5,30,W\n", "line 2: has 4 fields where the header has 3"),
        ("onset,duration,stage\n0,30\n", "line 2: has 2 fields where the header has 3; give every"),
        ('onset,duration,stage\n"0,5",30,W\n', "write decimals with a point, not a comma"),
        ("onset\tduration\tstage\n0\t30\n", "has 2 fields"),
        ("onset\tduration\tstage\n0,5\t30\tW\n", "write decimals with a point"),
        ("onset;duration;stage\n1,500;30;W\n", "line 2: onset is '1,500', with a decimal comma or"),
        ("onset,duration,stage\n23:10:00,30,W\n", "holds clock times; give seconds"),
        ("onset,duration,stage\n1e11,30,W\n", "line 2: time is out of range"),
        ('onset,duration,stage\n"0,30,W\n', "is not a readable table"),
        (b"SQLite format 3\x00\x10", "is a binary file"),
        (b"onset,duration,stage\n0,30,\xb5\n", "line 2: is not UTF-8 text"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_with_place_and_cure(tmp_path, text, says):
    path = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_hypnogram(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert says in message
    assert "\n" not in message


def test_a_missing_file_or_a_directory_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_hypnogram(tmp_path / "none.csv")
    with pytest.raises(InputError, match=r"folder|directory"):
        read_hypnogram(tmp_path)
    with pytest.raises(InputError):
        read_hypnogram("a\0b.csv")


def test_frames_are_validated_like_files():
    frame = pd.DataFrame({"onset": [0, 30], "duration": [30, 30], "stage": ["W", "N2"]})
    assert Hypnogram.from_frame(frame).stage.tolist() == ["W", "N2"]
    for change, says in (
        ({"stage": [0.0, 2.0]}, "row 1: stage '0' is a number"),
        ({"stage": ["W", None]}, "row 2: stage is empty"),
        ({"stage": ["W", np.nan]}, "row 2: stage is empty"),
        ({"onset": ["a", "b"]}, "onset is not numeric in every row"),
        ({"onset": [np.nan, 30]}, "row 1: onset is not a finite number"),
        ({"duration": [30, np.nan]}, "row 2: duration is not positive"),
    ):
        with pytest.raises(InputError, match=says):
            Hypnogram.from_frame(frame.assign(**change))
    with pytest.raises(InputError, match="has no column 'stage'"):
        Hypnogram.from_frame(frame[["onset", "duration"]])
    with pytest.raises(InputError, match="found: none"):
        Hypnogram.from_frame(pd.DataFrame())


def test_an_epoch_contains_its_start_and_not_its_end():
    frame = pd.DataFrame(
        {"onset": [0.1, 0.3, 1.0], "duration": [0.2, 0.2, 1], "stage": ["W", "N1", "R"]}
    )
    hypnogram = Hypnogram.from_frame(frame)  # 0.1 + 0.2 > 0.3 in floats: no overlap for us
    got = hypnogram.stage_at([0.0, 0.1, 0.3, 0.1 + 0.2, 0.5, 0.999, 1.0, 1.999999, 2.0, -5])
    assert got.tolist() == ["", "W", "N1", "N1", "", "", "R", "R", "", ""]


@given(st.lists(st.sampled_from([*STAGES, "?"]), min_size=1, max_size=30), st.integers(-100, 100))
def test_stage_at_agrees_with_a_linear_search(stages, first):
    onset = (first + np.arange(len(stages))) * 30.0
    hypnogram = Hypnogram.from_frame(
        pd.DataFrame({"onset": onset, "duration": 30.0, "stage": stages})
    )
    times = np.arange(first * 30.0 - 40, first * 30.0 + len(stages) * 30 + 40, 7.5)
    for time, stage in zip(times, hypnogram.stage_at(times), strict=True):
        inside = [s for s, t in zip(stages, onset, strict=True) if t <= time < t + 30]
        assert stage == (inside[0].replace("?", "") if inside else "")


@pytest.mark.parametrize("name", ["full_night.csv", "nap_sub02.csv"])
def test_real_hypnograms_are_read(tmp_path, name):
    if not (YASA / name).exists():
        pytest.skip("the real hypnograms (shared/data) are not here")
    table = pd.read_csv(YASA / name).rename(columns={"onset_s": "onset"}).assign(duration=30)
    table.to_csv(tmp_path / name, index=False)
    hypnogram = read_hypnogram(tmp_path / name)
    assert len(hypnogram) == len(table)
    assert set(hypnogram.stage) <= set(STAGES)
    assert (hypnogram.stage_at(table["onset"]) == table["stage"].to_numpy()).all()


def test_semicolons_and_decimal_commas_are_read(tmp_path):
    path = write(tmp_path, "onset;duration;stage\n0,5;30;W\n30,5;30;N1\n1200,500;30;N2\n")
    assert read_hypnogram(path).onset_s.tolist() == [0.5, 30.5, 1200.5]
