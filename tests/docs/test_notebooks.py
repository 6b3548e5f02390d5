"""The notebooks of the docs run: every cell, in order. The site executes them when it is built."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import matplotlib as mpl
import pytest

DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.md"))
CELL = re.compile(r"```\{code-cell\} python\n((?::[^\n]*\n)*)(.*?)```", re.S)


@pytest.mark.slow  # runs the notebooks
@pytest.mark.parametrize("page", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_cell_runs_and_leaves_nothing(page, tmp_path, monkeypatch):
    mpl.use("Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(page.parent)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = sorted(p.name for p in page.parent.iterdir())
    cells = [code for _, code in CELL.findall(page.read_text())]
    assert len(cells) > 3
    names: dict[str, object] = {}
    for cell in cells:
        exec(compile(cell, page.name, "exec"), names)
    plt.close("all")
    assert sorted(p.name for p in page.parent.iterdir()) == before


def test_notebooks_use_every_plot():
    text = "".join(p.read_text() for p in NOTEBOOKS)
    for name in ("plot_night", "plot_events", "plot_average", "plot_intervals", "plot_trend"):
        assert f"{name}(" in text
