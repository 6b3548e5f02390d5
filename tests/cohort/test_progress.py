"""What is told while a cohort runs."""

from __future__ import annotations

import pytest

from twitchsense.cli.cohort import _line, _time
from twitchsense.cohort import run
from twitchsense.cohort.run import Tally
from twitchsense.cohort.task import Outcome, Task


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.4, "4 s"), (89, "89 s"), (150, "2 min"), (9000, "2.5 h")]
)  # fmt: skip
def test_time_left_is_told_as_people_say_it(seconds, text):
    assert _time(seconds) == text


def test_line_counts_what_has_ended():
    tally = Tally(10)
    for status in ("done", "kept", "kept", "failed"):
        tally.add(Outcome(status, status, "why"))
    assert _line(tally) == "4 of 10 nights, 1 failed"
    tally.left_s = 150.0
    assert _line(tally) == "4 of 10 nights, 1 failed, 2 min left"
    assert tally.failures == {"failed": "why"}


def test_time_left_goes_by_the_size_of_the_files(nights, tmp_path, monkeypatch):
    now = 100.0
    monkeypatch.setattr(run.time, "monotonic", lambda: now)
    sizes = {nights[0].captures[0]: 30, nights[1].captures[0]: 10}
    monkeypatch.setattr(run, "_size", lambda path: sizes.get(path, 0))
    clock = run._Clock()
    assert clock.left_s() is None
    clock.start([Task(n, tmp_path, "1") for n in nights[:2]])
    now = 110.0
    clock.end("n1")  # a quarter of the bytes in 10 s
    assert clock.left_s() == pytest.approx(30.0)
