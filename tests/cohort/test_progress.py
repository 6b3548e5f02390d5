"""Progress and remaining time of a cohort."""

from __future__ import annotations

import pytest

from twitchsense.cli.cohort import format_progress
from twitchsense.cli.text_output import format_duration
from twitchsense.cohort import run
from twitchsense.cohort.run import CohortProgress
from twitchsense.cohort.task import Outcome, Task


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.4, "4 s"), (89, "89 s"), (150, "2 min"), (9000, "2.5 h")]
)  # fmt: skip
def test_durations_are_formatted_in_seconds_minutes_or_hours(seconds, text):
    assert format_duration(seconds) == text


def test_progress_line_counts_finished_nights():
    progress = CohortProgress(10)
    for status in ("done", "kept", "kept", "failed"):
        progress.add(Outcome(status, status, "why"))
    assert format_progress(progress) == "4 of 10 nights, 1 failed"
    progress.remaining_s = 150.0
    assert format_progress(progress) == "4 of 10 nights, 1 failed, 2 min left"
    assert progress.failures == {"failed": "why"}


def test_remaining_time_is_estimated_by_file_size(nights, tmp_path, monkeypatch):
    now = 100.0
    monkeypatch.setattr(run.time, "monotonic", lambda: now)
    sizes = {nights[0].captures[0]: 30, nights[1].captures[0]: 10}
    monkeypatch.setattr(run, "file_size", lambda path: sizes.get(path, 0))
    remaining = run.RemainingTime()
    assert remaining.estimate_s() is None
    remaining.start([Task(n, tmp_path, "1") for n in nights[:2]])
    now = 110.0
    remaining.finish("n1")  # a quarter of the bytes in 10 s
    assert remaining.estimate_s() == pytest.approx(30.0)
