"""Hypnograms from EDF+ annotations."""

from __future__ import annotations

import pytest

from tests.sleep.builders import (
    edf_file,
    night_clock,
    refusal,
)
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.read import read_hypnogram


def test_edf_stages_are_read_and_other_annotations_skipped(tmp_path):
    rows = [
        (0, 30, "Sleep stage W"), (30, 60, "Sleep stage 1"), (90, 30, "Sleep stage 4"),
        (100, None, "Lights off"), (120, 30, "Sleep stage R"), (150, 30, "Sleep stage ?"),
        (180, 30, "Movement time"), (210, 30, "Sleep stage N3"),
    ]  # fmt: skip
    got = read_hypnogram(edf_file(tmp_path, rows))
    assert got.stage.tolist() == ["W", "N1", "N3", "R", "", "", "N3"]
    assert got.duration_s.tolist() == [30, 60, 30, 30, 30, 30, 30]
    assert "left out 1 annotation that is not a sleep stage: 'Lights off'" in got.notes[0]
    # with the wearer's zone its local start is put on UTC
    later = read_hypnogram(edf_file(tmp_path, rows), night_clock("2026-03-01T22:20:00+01:00"))
    assert later.onset_s[0] == 600
    # without a zone it begins with the recording, and says so
    plain = read_hypnogram(edf_file(tmp_path, rows), NightClock(0, 600_000_000))
    assert plain.onset_s[0] == 0
    assert any("taken to begin with the recording" in note for note in plain.notes)


def test_edf_stages_without_length_last_until_the_next(tmp_path):
    rows = [(0, None, "Sleep stage W"), (300, None, "Sleep stage N2")]
    assert read_hypnogram(edf_file(tmp_path, rows)).duration_s.tolist() == [300, 30]


def test_edf_files_without_stages_or_damaged_are_refused(tmp_path):
    said = refusal(edf_file(tmp_path, [(0, None, "Lights off")]))
    assert "no sleep stages among its annotations ('Lights off')" in said
    path = tmp_path / "bad.edf"
    path.write_bytes(b"0       " + b"\xff" * 300)
    assert "is not an EDF+ file, or is damaged" in refusal(path)


@pytest.mark.parametrize(
    "field", ["recorded at home", "Startdate X X X X", "Startdate 01-MRZ-2026 X X X", ""]
)
def test_free_text_in_the_recording_field_leaves_the_date_of_the_header(tmp_path, field):
    path = edf_file(tmp_path, [(0, 30, "Sleep stage W"), (30, 60, "Sleep stage N2")])
    data = bytearray(path.read_bytes())
    data[88:168] = field.encode().ljust(80)
    path.write_bytes(data)
    got = read_hypnogram(path, night_clock("2026-03-01T22:20:00+01:00"))
    assert got.onset_s.tolist() == [600, 630]
