"""The FAQ runs: every block of code on it, in order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import matplotlib as mpl
import pytest
from click.testing import CliRunner

from tests.made_night import make_recording, write_captures
from twitchsense.cli.app import main

PAGE = Path(__file__).parents[2] / "docs" / "faq.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(), re.S)


def test_every_block_runs(tmp_path, monkeypatch):
    mpl.use("Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    emg, acc = write_captures(make_recording(4, gap=False), tmp_path)
    emg.rename(tmp_path / "night.csv")
    acc.unlink()
    monkeypatch.chdir(tmp_path)
    assert {kind for kind, _ in BLOCKS} == {"sh", "python"}
    names: dict[str, object] = {}
    for kind, code in BLOCKS:
        if kind == "python":
            exec(compile(code, "faq.md", "exec"), names)
            continue
        for line in code.strip().splitlines():
            word, *arguments = shlex.split(line)
            assert word == "twitchsense"
            done = CliRunner().invoke(main, arguments)
            assert done.exit_code == 0, done.output
    plt.close("all")
    assert (tmp_path / "result" / "report.html").is_file()
    assert (tmp_path / "demo" / "truth.csv").is_file()
