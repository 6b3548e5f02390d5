"""Damaged hypnogram files, and hypnograms that cover a part of the recording."""

from __future__ import annotations

import pytest

from benchmarks.fuzz.hypnograms import CORPUS, whole_files
from benchmarks.fuzz.loop import run
from tests.sleep.builders import (
    ACC,
    acc_seconds,
    detections,
    recording,
    write_text,
)
from twitchsense.settings import Settings
from twitchsense.sleep.context import NOTE_ELSEWHERE, find_context
from twitchsense.sleep.hypnogram.read import read_hypnogram


@pytest.mark.slow
def test_damaged_files_of_all_formats_are_read_or_refused_in_one_line(tmp_path):
    """The short form of ``benchmarks/fuzz/hypnograms.py``."""
    outcomes = run(CORPUS, 330, 7, tmp_path)
    assert outcomes.failures == []
    for name in whole_files(tmp_path):
        assert outcomes.counts[f"{name}: refused"] > 0
    assert outcomes.total("read") > 20


def night(hours: float, got):
    acc = acc_seconds(round(hours * 3600))
    return find_context(recording(ACC, seconds=hours * 3600), detections(acc=acc), Settings(), got)


def test_a_hypnogram_that_ends_early_is_reported_and_later_context_is_unknown(tmp_path):
    text = "onset,duration,stage\n" + "".join(
        f"{30 * k},30,{'W' if k < 20 else 'N2'}\n" for k in range(120)
    )
    context = night(2.0, read_hypnogram(write_text(tmp_path, text)))
    assert any("covers 60.0 of 120.0 min" in note for note in context.notes)
    assert context.at([3599.0, 3601.0]).tolist() == ["asleep", "unknown"]
    whole = night(1.0, read_hypnogram(write_text(tmp_path, text)))
    assert not any("covers" in note for note in whole.notes)


def test_a_half_hour_nap_is_covered_by_its_hypnogram(tmp_path):
    text = "onset,duration,stage\n" + "".join(
        f"{30 * k},30,{'W' if k < 12 else 'N1' if k < 20 else 'N2'}\n" for k in range(60)
    )
    context = night(0.5, read_hypnogram(write_text(tmp_path, text)))
    assert context.onset.time_s == 360
    assert context.at([59, 61, 361, 959, 961]).tolist() == [
        "wake", "drowsy", "sleep_onset", "sleep_onset", "asleep",
    ]  # fmt: skip


def test_a_hypnogram_of_another_night_is_reported(tmp_path):
    context = night(0.5, read_hypnogram(write_text(tmp_path, "onset,duration,stage\n9e4,30,N2\n")))
    assert NOTE_ELSEWHERE in context.notes
