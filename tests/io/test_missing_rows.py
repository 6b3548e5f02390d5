"""Rows that are missing at regular places are gaps of the true rate."""

from __future__ import annotations

import numpy as np
import pytest

from tests.io.builders import emg, lengths, write
from twitchsense.io import read

N = 5000


def lossy(tmp_path, fs, every, decimals, fixed=True, rows=N):
    """Write a capture without every n-th row."""
    keep = np.ones(rows, bool)
    keep[every - 1 :: every] = False
    t = np.arange(rows)[keep] / fs
    cells = [f"{v:.{decimals}f}" if fixed else repr(round(float(v), decimals)) for v in t]
    return write(tmp_path / "a.csv", {"time_s": cells, "emg1_uv": emg(rows)[keep]})


@pytest.mark.parametrize("fs", [250, 500, 1000, 2000])
@pytest.mark.parametrize("every", [3, 4, 5, 7, 20])
def test_every_nth_row_missing_with_exact_times(tmp_path, fs, every):
    got = read(lossy(tmp_path, fs, every, 6))
    assert got.channels[0].fs == fs
    assert set(lengths(got, "emg1")) == {every - 1, N % every} - {0}
    assert f"emg1: {(N - 1) // every} gaps, " in " ".join(got.notes)


@pytest.mark.parametrize("rows", [3998, 3999, 4000, 4001, 9000])
@pytest.mark.parametrize(("fs", "decimals"), [(500, 3), (512, 6), (1259.259, 6)])
def test_every_third_row_missing_in_a_file_of_any_length(tmp_path, rows, fs, decimals):
    got = read(lossy(tmp_path, fs, 3, decimals, rows=rows))
    assert got.channels[0].fs == pytest.approx(fs, rel=1e-5)


@pytest.mark.parametrize(("fs", "every"), [(250, 5), (500, 3), (500, 5), (1000, 7), (1000, 3)])
def test_the_same_with_milliseconds(tmp_path, fs, every):
    assert read(lossy(tmp_path, fs, every, 3, fixed=False)).channels[0].fs == fs


@pytest.mark.parametrize("fs", [400, 700, 800, 750, 875])
def test_rates_rounded_to_milliseconds_lose_nothing(tmp_path, fs):
    t = [f"{i / fs:.3f}" for i in range(N)]
    got = read(write(tmp_path / "a.csv", {"time_s": t, "emg1_uv": emg(N)}))
    assert got.channels[0].fs == fs
    assert lengths(got, "emg1") == [N]
