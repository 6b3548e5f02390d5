"""The README: its table and figures are those of the demo and of the accuracy pages."""

import json
import re
import runpy
from pathlib import Path

import pytest

from benchmarks.blind import goals
from twitchsense.devices.registry import installed_drivers

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
#: Kits that have taught nothing.
KITS = goals.UNSEEN


def test_table_is_that_of_the_picture():
    made = runpy.run_path(str(ROOT / "docs" / "make_readme.py"))
    facts = json.loads((ROOT / "docs" / "figures" / "report.json").read_text("utf-8"))
    assert made["with_table"](README, facts) == README
    assert [row for row in facts["comparison"] if row[0] == "all"]
    # a night that the report can judge
    assert dict(facts["answers"])["Was the recording good?"].startswith("Yes.")


def of_kits(row):
    """Return the range of a row of the kits as the README writes it, in per cent."""
    page = (ROOT / "docs" / "accuracy-blind.md").read_text("utf-8")
    values = []
    for kit in KITS:
        section = page.split(f"\n## {kit},")[1].split("\n## ")[0]
        cells = re.search(rf"^\| {row}[^|]*\|([^\n]*)", section, re.M)[1].split("|")
        values.append(round(100 * float(cells[2])))
    return f"{min(values)} to {max(values)} %"


@pytest.mark.parametrize(
    ("name", "found", "real"),
    [
        ("clear twitches", "twitch, from 15 times", "twitch: precision"),
        ("jerks", "jerk ", "jerk: precision"),
        ("leg movements", "leg movement ", "movement: precision"),
    ],
)
def test_figures_are_those_of_the_page_of_accuracy(name, found, real):
    line = next(ln for ln in README.splitlines() if ln.startswith("|") and f", {name} |" in ln)
    assert f"{of_kits(found)} found" in line
    assert f"{of_kits(real)} of those" in line
    worst = (ROOT / "docs" / "accuracy-blind.md").read_text("utf-8")
    worst = re.search(rf"^\| {found.strip()}[^|]*\|[^|]*\|[^|]*\| ([\d.]+) \|", worst, re.M)[1]
    assert f"{100 * float(worst):.0f} %" in line.split("|")[3]


def test_figures_of_our_own_benchmark():
    line = next(ln for ln in README.splitlines() if "composed from real waveforms" in ln)
    goals = (ROOT / "docs" / "accuracy.md").read_text("utf-8")

    def measured(goal):
        return float(re.search(rf"^\| {goal} \|[^|]*\| ([\d.]+)", goals, re.M)[1])

    assert f"{100 * measured('clear twitch: sensitivity'):.0f} % found" in line
    assert f"{measured('clear twitch: false alarms per hour asleep'):g} false alarms" in line
    storms = measured("artefact storm: false alarms per hour, of any kind")
    assert f"{storms:.0f} false alarms per hour in storms" in line


def test_every_device_with_a_driver_is_in_the_table():
    table = README.split("## Record a night")[1].split("##")[0]
    for driver in installed_drivers().values():
        if driver.kind != "acme":  # the example of the docs
            assert driver.title.split()[0].casefold() in table.casefold(), driver.title


def test_time_of_the_tests_is_stated_and_the_ci_finds_the_command():
    assert "about 5 minutes on two cores" in README
    line = re.search(r"sed -n '(.*)' README", (ROOT / ".ci" / "run").read_text())[1]
    assert "python3.*pytest" in line
    assert len(re.findall(r"^python3.*pytest.*$", README, re.M)) == 1
