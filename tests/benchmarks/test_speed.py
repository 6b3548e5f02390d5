"""The speed benchmark: night file, scripts, goals, page. Its measurements are not tested."""

import json
import subprocess
import sys

import numpy as np
import pytest

import twitchsense as ts
from benchmarks.speed.files import record
from benchmarks.speed.goals import GOALS
from benchmarks.speed.measurements import NAMES, rounded
from benchmarks.speed.page import filters_alone, measured_only, render
from benchmarks.speed.peers import WORKER
from twitchsense.bench.synthetic import make_tile


def test_recorded_night_file_holds_the_samples_of_the_tile(tmp_path):
    tile = make_tile(seconds=40)
    assert 0 < record(tmp_path / "a.night", tile, 60) < 1
    recording = ts.read(tmp_path / "a.night")
    for name, axis, column, step in (
        ("emg1_left", 0, "emg1_uv", 0.2), ("acc_left", 2, "acc_z_g", 1 / 4096),
    ):  # fmt: skip
        (segment,) = recording.segments_of(name)
        found = segment.samples.read(0, len(segment.samples))[:, axis]
        assert len(found) > 0.98 * 60 * recording.channel(name).fs
        whole = np.resize(tile[column][0], len(found))
        assert np.abs(found - whole).max() <= 0.51 * step


@pytest.mark.slow  # starts processes
def test_script_is_timed_and_finds_bursts(tmp_path):
    emg = make_tile(seconds=60, events_per_h=600, n_emg=1)["emg1_uv"][0]
    np.savez(tmp_path / "in.npz", fs=1000.0, emg1_uv=emg)
    done = subprocess.run(
        [sys.executable, str(WORKER), str(tmp_path / "in.npz"), "script"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    measured = json.loads(done.stdout)
    assert measured["seconds"] > 0
    assert measured["found"] >= 5


def test_row_of_a_goal_is_met_missed_or_not_measured():
    goal = next(g for g in GOALS if "pandas" in g.what)
    assert goal.row({"files": {"figures": {"csv": {"times_parse": 2.0}}}}).endswith("| 2 × | yes")
    assert goal.row({"files": {"figures": {"csv": {"times_parse": 2.1}}}}).endswith("| 2.1 × | no")
    assert "not measured" in goal.row({})
    rows = [{"who": "script", "times twitchsense": 6.0}, {"who": "yasa", "failed": "no"}]
    faster = [g for g in GOALS if g.part == "others"]
    assert faster[0].row({"others": {"figures": {"rows": rows}}}).endswith("| 6 × | no")
    assert "not measured" in faster[1].row({"others": {"figures": {"rows": rows}}})
    seven_days = next(g for g in GOALS if "seven" in g.what)
    assert "not measured" in seven_days.row({"length": {"figures": [{"hours": 8, "seconds": 1}]}})
    assert {g.part for g in GOALS} <= set(NAMES)


def test_page_has_only_sections_of_measured_parts():
    about = dict.fromkeys(
        ("processor", "cores", "platform", "python", "numpy", "scipy", "pandas"), "?"
    )
    start = {"help_s": 0.1, "numpy_s": 0.1, "import_s": 0.0, "analyze_s": 1.0, "python_s": 0.01}
    measured = {"start": {"about": {**about, "load": None, "small": True}, "figures": start}}
    page = render({"0.1.0": measured})
    assert "| `twitchsense --help` | ≤ 0.25 s | 0.1 s | yes |\n" in page
    assert "## Start-up" in page
    assert "(`--quick`): start." in page
    assert "## Files" not in page
    assert "| 0.1.0 |" in page


def test_figures_of_the_filters_alone():
    night = {
        "hours": 8.0,
        "sum_s": 0.01,
        "seconds": 8.0,
        "stages": {"filters": 0.6, "mains canceller": 0.4},
    }
    files = {"hours": 4.0, "csv": {"parse_s": 1.0}, "night": {"once_s": 6.0}}
    rows = [
        {"who": "script", "hours": 8.0, "seconds": 7.0},
        {"who": "neurokit2", "hours": 1.0, "seconds": 50.0},
        {"who": "biosppy", "hours": 1.0, "failed": "no"},
    ]
    measured = filters_alone(night, files, {"rows": rows})
    cells = [row.split(" | ")[2:] for row in measured_only(goal.row(measured) for goal in GOALS)]
    assert [value for value, _ in cells] == ["7 ×", "400 ×", "1.5 ×", "5 s"]  # of 8 h
    assert [met for _, met in cells] == ["yes", "no", "yes", "no"]
    alone = filters_alone(night, files, {"rows": []})
    assert len(measured_only(goal.row(alone) for goal in GOALS)) == 2


@pytest.mark.parametrize(
    ("value", "short"), [(1.23456, 1.235), ({"a": [123456.7]}, {"a": [123500.0]}), (123456, 123456)]
)
def test_figures_are_rounded_to_four_digits(value, short):
    assert rounded(value) == short
