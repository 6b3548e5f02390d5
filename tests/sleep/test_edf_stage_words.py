"""Stages among EDF+ annotations: suffixes, words of other programs, and words not known."""

from __future__ import annotations

import pytest

from tests.sleep.builders import edf_file, night_clock, refusal
from twitchsense.sleep.hypnogram.read import read_hypnogram
from twitchsense.sleep.hypnogram.stage_codes import parse_codes

WORDS = ("Sleep stage W", "Sleep stage 1", "Sleep stage N2", "Sleep stage R")


@pytest.mark.parametrize(
    "suffix",
    ["@@C3", "@@EEG F4-A1", " @@C3", " (scorer A)", " [2]", " - Smith", "; A", "@scorer1", "|x"],
)
def test_a_channel_or_scorer_after_a_stage_is_taken_off(tmp_path, suffix):
    rows = [(30 * k, 30, word + suffix * (k % 2)) for k, word in enumerate(WORDS)]
    got = read_hypnogram(edf_file(tmp_path, rows))
    assert got.stage.tolist() == ["W", "N1", "N2", "R"]
    assert got.notes == ()


@pytest.mark.parametrize(
    ("word", "stage"),
    [
        ("Sleep stage S1", "N1"), ("Sleep stage NREM2", "N2"), ("Stage R", "R"), ("Stage 4", "N3"),
        ("Sleep_stage_W", "W"), ("SLEEP STAGE N3", "N3"), ("Stage - N1", "N1"), ("NREM 3", "N3"),
        ("SLEEP-REM", "R"), ("SLEEP-S0", "W"), ("Sleep stage 0", "W"), ("REM sleep", "R"),
        ("WK", "W"), ("Stage - No Stage", ""), ("Sleep stage ?", ""), ("Movement time", ""),
    ],
)  # fmt: skip
def test_stages_in_the_words_of_many_programs(tmp_path, word, stage):
    rows = [(0, 30, "Sleep stage W"), (30, 30, word), (60, 30, "Sleep stage N2")]
    assert read_hypnogram(edf_file(tmp_path, rows)).stage.tolist() == ["W", stage, "N2"]


@pytest.mark.parametrize(
    "word",
    ["Sleep stage X", "Stage 7", "Sleep stage 5", "Stage REM2", "Sleep stage N5"],
)
def test_a_word_meant_as_a_stage_but_unknown_is_refused_and_can_be_defined(tmp_path, word):
    file = edf_file(tmp_path, [(0, 30, "Sleep stage W"), (30, 30, word), (60, 30, "N2")])
    said = refusal(file)
    assert f"annotation at 30 s: unknown stage '{word}'" in said
    assert f"--stages '{word}=N2'" in said
    got = read_hypnogram(file, codes=parse_codes(f"{word}=N2"))
    assert got.stage.tolist() == ["W", "N2", "N2"]


def test_other_annotations_are_left_out_and_named(tmp_path):
    rows = [(0, 300, "Sleep stage W"), (10, 3, "Arousal"), (40, 3, "Arousal@@C4"),
            (50, 12, "Hypopnea"), (60, None, "Lights off"), (70, 2, "Movement"),
            (300, 300, "Sleep stage N2")]  # fmt: skip
    got = read_hypnogram(edf_file(tmp_path, rows))
    assert got.stage.tolist() == ["W", "N2"]
    (note,) = got.notes
    assert note.startswith("left out 5 annotations that are not sleep stages: 'Arousal' (2), ")
    assert "'Hypopnea'" in note
    assert "'Movement'" in note


def test_many_different_words_are_counted(tmp_path):
    rows = [(0, 30, "Sleep stage W")] + [(k, None, f"note {k}") for k in range(1, 20)]
    (note,) = read_hypnogram(edf_file(tmp_path, rows)).notes
    assert "and 13 more" in note


def test_two_scorers_who_agree_are_one_and_who_differ_are_refused(tmp_path):
    rows = [(0, 30, "Sleep stage W@@A"), (0, 30, "Sleep stage W@@B"), (30, 30, "Sleep stage N2@@A")]
    assert read_hypnogram(edf_file(tmp_path, rows)).stage.tolist() == ["W", "N2"]
    rows.append((30, 30, "Sleep stage N1@@B"))
    said = refusal(edf_file(tmp_path, rows))
    assert "one epoch is scored twice" in said
    assert "'Sleep stage N1@@B'" in said
    assert "keep the annotations of one scorer" in said


def test_a_file_without_a_date_is_placed_by_its_time_of_day(tmp_path):
    file = edf_file(tmp_path, [(0, 30, "Sleep stage W"), (30, 30, "Sleep stage N2")])
    raw = bytearray(file.read_bytes())
    raw[88:168] = b"Startdate X X X X".ljust(80)
    raw[168:176] = b"01.01.85"
    file.write_bytes(raw)
    got = read_hypnogram(file, night_clock("2026-07-01T22:20:00+02:00"))
    assert got.onset_s.tolist() == [600, 630]
    raw[88:168] = b"free text of a clinic".ljust(80)
    raw[168:176] = b"01.07.26"
    file.write_bytes(raw)
    got = read_hypnogram(file, night_clock("2026-07-01T22:20:00+02:00"))
    assert got.onset_s.tolist() == [600, 630]
