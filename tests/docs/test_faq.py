"""The FAQ and the tutorial run: every block of code on them, in order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import matplotlib as mpl
import pytest
from click.testing import CliRunner

from tests.recordings import make_recording, write_captures
from twitchsense.cli.app import main

ROOT = Path(__file__).parents[2]


@pytest.mark.slow  # runs every block of the page
@pytest.mark.parametrize("page", ["faq", "tutorial"])
def test_every_block_runs(page, tmp_path, monkeypatch):
    mpl.use("Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    emg, acc = write_captures(make_recording(4, gap=False), tmp_path)
    emg.rename(tmp_path / "night.csv")
    acc.unlink()
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / f"{page}.md").read_text(), re.S)
    assert {kind for kind, _ in blocks} == {"sh", "python"}
    names: dict[str, object] = {}
    for kind, code in blocks:
        if kind == "python":
            exec(compile(code, f"{page}.md", "exec"), names)
            continue
        for line in code.strip().splitlines():
            word, *arguments = shlex.split(line)
            assert word == "twitchsense"
            done = CliRunner().invoke(main, arguments)
            assert done.exit_code == 0, done.output
    plt.close("all")
    assert (tmp_path / "result" / "report.html").is_file()
    assert page != "faq" or (tmp_path / "demo" / "truth.csv").is_file()
