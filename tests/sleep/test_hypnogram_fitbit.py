"""Hypnograms from Fitbit sleep logs."""

from __future__ import annotations

import pytest

from tests.sleep.builders import (
    FITBIT_STAGES,
    fitbit_log,
    night_clock,
    refusal,
    write_text,
)
from twitchsense.sleep.hypnogram.read import read_hypnogram


@pytest.mark.parametrize("wrap", [True, False])
def test_fitbit_short_wakes_override_stages(tmp_path, wrap):
    text = fitbit_log(*FITBIT_STAGES, short=[("2026-03-01T23:30:00.000", "wake", 60)], wrap=wrap)
    got = read_hypnogram(
        write_text(tmp_path, text, "s.json"), night_clock("2026-03-01T22:30:00+01:00")
    )
    assert got.stage.tolist() == ["W", "N2", "W", "N2", "N3", "R"]
    assert (got.onset_s / 60).tolist() == [30, 40, 60, 61, 90, 120]


def test_fitbit_classic_stages_are_read(tmp_path):
    rows = [
        ("2026-03-01T23:00:00.000", "awake", 60),
        ("2026-03-01T23:01:00.000", "restless", 60),
        ("2026-03-01T23:02:00.000", "asleep", 600),
    ]
    got = read_hypnogram(
        write_text(tmp_path, fitbit_log(*rows), "s.json"), night_clock("2026-03-01T22:30:00+01:00")
    )
    assert got.stage.tolist() == ["W", "W", "S"]


def test_fitbit_repeated_hour_is_resolved_by_the_durations(tmp_path):
    rows = [
        ("2026-10-25T01:30:00.000", "light", 5400),  # to 02:00, the second time
        ("2026-10-25T02:00:00.000", "rem", 1800),
        ("2026-10-25T02:30:00.000", "deep", 3600),
    ]
    got = read_hypnogram(
        write_text(tmp_path, fitbit_log(*rows), "s.json"), night_clock("2026-10-25T01:00:00+02:00")
    )
    assert got.onset_s.tolist() == [1800, 7200, 9000]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is damaged JSON"),
        ("[" * 100_000, "is damaged JSON"),
        ("{}", "is JSON without sleep stages of a known device"),
        ('[1, "a", null]', "is JSON without sleep stages of a known device"),
        ('{"levels": 3}', "log 1: has levels without data"),
        ('{"levels": {"data": {}}}', "another night"),
        ('{"levels": {"data": {"a": 1}}}', "log 1, data: is not a list"),
        ('{"levels": {"data": [3]}}', "log 1, data 1: is not a level"),
        (
            '{"levels": {"data": [{"dateTime": 3, "level": "wake", "seconds": 1}]}}',
            "lacks dateTime",
        ),
        (fitbit_log(("2026-03-01T23:00:00.000", "wake", -5)), "seconds is -5"),
        (fitbit_log(("2026-03-01T23:00:00.000", "wake", 1e400)), "seconds is"),
        (fitbit_log(("2026-03-01T23:00:00.000", "wake", True)), "seconds is True"),
        (fitbit_log(("2026-03-01T23:00:00.000", "dreaming", 5)), "unknown stage 'dreaming'"),
        (fitbit_log(("never", "wake", 5)), "log 1, data 1: 'never' is not a clock time"),
        (fitbit_log(("2020-03-01T23:00:00.000", "wake", 5)), "has 1 sleep logs, none within 12 h"),
    ],
)
def test_wrong_json_is_refused_in_one_line(tmp_path, text, says):
    path = write_text(tmp_path, text, "sleep.json")
    said = refusal(path, night_clock("2026-03-01T22:30:00+01:00"))
    assert says in said or ("another night" in says and "none within 12 h" in said)


def test_files_with_clock_times_need_a_recording(tmp_path):
    assert "has clock times" in refusal(write_text(tmp_path, fitbit_log(*FITBIT_STAGES), "x"))
