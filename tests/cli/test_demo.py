"""``demo`` compares with the truth, refuses to overwrite, and ``report`` finds its results."""

import pandas as pd
import pytest
from click.testing import CliRunner

from twitchsense.cli.app import main
from twitchsense.cli.demo import COLUMNS, comparison_rows
from twitchsense.scoring.agreement.compare_events import match


def run(*args):
    return CliRunner().invoke(main, [str(a) for a in args])


@pytest.mark.slow
def test_demo_compares_with_the_truth_and_is_not_replaced_unasked(tmp_path):
    out = tmp_path / "d"
    done = run("demo", "--out", out, "--minutes", "3")
    assert done.exit_code == 0, done.stderr
    lines = done.stderr.splitlines()
    assert lines[0].startswith("Simulating")  # from the first second, also without a terminal
    table = [line for line in lines if line.split()[:1] == ["all"]]
    assert len(table) == 1
    assert "According to the hypnogram" in done.stderr or "Sleep onset could not" in done.stderr
    assert lines[-1] == f"Report: {out / 'result' / 'report.html'}"

    before = (out / "truth.csv").read_bytes()
    again = run("demo", "--out", out, "--minutes", "2")
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert (out / "truth.csv").read_bytes() == before

    (out / "result" / "report.html").unlink()
    assert run("report", out).exit_code == 0
    assert (out / "result" / "report.html").is_file()


def test_demo_may_write_into_an_empty_folder_and_refuses_a_full_one(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    done = run("demo", "--out", tmp_path)
    assert done.exit_code == 2
    assert "is there already; add --force" in done.stderr


def test_an_event_found_as_another_kind_is_neither_missed_nor_false():
    def table(*rows):
        return pd.DataFrame(rows, columns=["trial_type", "onset"]).assign(duration=1.0)

    truth = table(("jerk", 1.0), ("movement", 10.0), ("gross_movement", 20.0), ("jerk", 30.0))
    found = table(("jerk", 1.0), ("movement", 10.0), ("movement", 20.0), ("movement", 40.0))
    rows = {name: counts for name, *counts in comparison_rows(match(found, truth))}
    assert COLUMNS == ("simulated", "found", "as another kind", "missed", "false")
    assert rows == {
        "jerks": [2, 1, 0, 1, 0],
        "leg movements": [1, 1, 0, 0, 1],
        "large movements": [1, 0, 1, 0, 0],
        "all": [4, 2, 1, 1, 1],
    }
