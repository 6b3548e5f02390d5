"""Counts in text files of OpenSignals."""

from __future__ import annotations

import warnings

import numpy as np

from tests.io.makers import opensignals
from twitchsense.io.read import read


def test_a_count_beyond_floats_does_not_change_the_unit(tmp_path):
    text = opensignals(20 * np.sin(np.arange(2000.0)))
    lines = text.splitlines(keepends=True)
    cells = lines[20].split("\t")
    cells[5] = "1e999"
    lines[20] = "\t".join(cells)
    path = tmp_path / "a.txt"
    path.write_text("".join(lines))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recording = read(path)
    assert not any("converted" in note for note in recording.notes)
