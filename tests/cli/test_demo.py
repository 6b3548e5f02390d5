"""``demo`` compares with the truth, refuses to overwrite, and ``report`` finds its results."""

import pytest
from click.testing import CliRunner

from twitchsense.cli.app import main


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
