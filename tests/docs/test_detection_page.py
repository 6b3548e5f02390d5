"""The pages draw the stages, and the path of a twitch, in the order in which the code runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import twitchsense
from tests.recordings import write_captures
from tests.signals import SimulatedLeg, cut_chunks
from twitchsense.detect.detector import Detector
from twitchsense.dsp.engine import engine
from twitchsense.results.save import to_csv
from twitchsense.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "detection.md"
ARCHITECTURE = PAGE.with_name("architecture.md")
PACKAGE = Path(twitchsense.__file__).parent


def drawn_stages():
    """Return (file, function) of each stage in the drawing, from top to bottom."""
    drawing = re.search(r"## Stages\n.*?```text\n(.*?)```", PAGE.read_text(), re.S)[1]
    found = []
    for path, function in re.findall(r"([\w/]+\.py): (\w+)", drawing):
        near = PACKAGE / "detect" / path
        found.append((near if near.exists() else PACKAGE / path, function))
    return found


def first_calls(run):
    """Return (file, function) of all functions of the package in the order of their first call.

    Without the compiled engine, which runs several stages in one function, and without threads,
    which the profiler does not see.
    """
    order = {}

    def profile(frame, event, _):
        if event == "call":
            code = frame.f_code
            order.setdefault((code.co_filename, code.co_name), len(order))

    before = sys.getprofile()
    with pytest.MonkeyPatch.context() as patch, engine("scipy"):
        patch.setenv("TWITCHSENSE_THREADS", "1")
        sys.setprofile(profile)
        try:
            run()
        finally:
            sys.setprofile(before)
    return order


def two_events():
    # the jerk first: limits of a burst are examined only if it is no jerk
    return SimulatedLeg(60).jerk(20).twitch(35).recording()


@pytest.fixture(scope="module")
def calls():
    recording = two_events()
    detector = Detector(Settings(), recording.channels)

    def detect():
        for chunk in cut_chunks(recording, []):
            detector.push(chunk)
        detections = detector.close()
        assert sorted(detections.events.trial_type) == ["jerk", "twitch"]

    return first_calls(detect)


def steps_of_a_twitch():
    """Return (file, function) of each step of a twitch in docs/architecture.md."""
    section = re.search(r"## Path of a twitch\n(.*?)\n## ", ARCHITECTURE.read_text(), re.S)[1]
    rows = re.findall(r"^\| \d+ \| .*? \| `([\w/]+\.py)` \| `(\w+)` \|$", section, re.M)
    return [(PACKAGE / path, function) for path, function in rows]


@pytest.mark.slow  # reads and analyses two files under the profiler
def test_a_twitch_takes_the_steps_that_the_architecture_lists(tmp_path):
    captures = write_captures(two_events(), tmp_path)
    calls = first_calls(lambda: to_csv(twitchsense.analyze(captures).events))
    steps = [(str(path), function) for path, function in steps_of_a_twitch()]
    assert [step for step in steps if step not in calls] == []
    assert sorted(steps, key=calls.__getitem__) == steps
    assert 0 < len(steps) <= 15


def test_modules_of_the_drawing_exist():
    assert [path for path, _ in drawn_stages() if not path.exists()] == []


def test_every_stage_of_the_drawing_is_entered(calls):
    assert [stage for stage in drawn_stages() if (str(stage[0]), stage[1]) not in calls] == []


def test_stages_are_entered_in_the_order_of_the_drawing(calls):
    drawn = [(str(path), function) for path, function in drawn_stages()]
    assert sorted(drawn, key=calls.__getitem__) == drawn


def test_every_module_of_the_detector_is_on_the_page():
    page = PAGE.read_text()
    modules = [p.relative_to(PACKAGE / "detect").as_posix()
               for p in (PACKAGE / "detect").rglob("*.py") if p.name != "__init__.py"]  # fmt: skip
    assert [name for name in modules if name not in page] == []
