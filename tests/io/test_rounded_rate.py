"""Times in whole seconds: lost rows lower no rate, and what cannot be known is refused."""

import numpy as np
import pandas as pd
import pytest

from twitchsense.errors import InputError
from twitchsense.io import read

RNG = np.random.default_rng(7)


def capture(fs, keep, tick_s=1.0):
    times = np.floor((np.flatnonzero(keep) / fs + 0.3) / tick_s) * tick_s
    x = RNG.normal(0, 20, len(times))
    return pd.DataFrame({"time_s": times, "emg1_uv": x})


def lose(n, starts, rows):
    keep = np.ones(n, bool)
    for start in starts:
        keep[start : start + rows] = False
    return keep


@pytest.mark.parametrize("fs", [250, 256, 499.97])
@pytest.mark.parametrize("rows", [5, 50, 600])
def test_parts_of_seconds_that_are_lost_are_gaps_of_the_true_rate(fs, rows):
    n = int(120 * fs)
    starts = np.arange(10, 120, 25) * int(fs) + RNG.integers(0, 200, 5)
    got = read(capture(fs, lose(n, starts, rows)))
    assert got.channels[0].fs == pytest.approx(fs, rel=2e-5)
    assert 6 <= len(got.segments) <= 11  # a loss across two seconds is a gap in each
    (note,) = [n for n in got.notes if "gaps" in n]
    missing = float(note.split(", ")[1].split()[0])
    assert missing == pytest.approx(5 * rows / fs, abs=10 / fs)


@pytest.mark.parametrize("tick_s", [1.0, 0.1])
def test_single_rows_that_are_lost_change_the_rate_by_no_more_than_their_share(tick_s):
    n = 120 * 250
    got = read(capture(250, lose(n, RNG.choice(n, 12, replace=False), 1), tick_s))
    assert got.channels[0].fs == pytest.approx(250, rel=5e-4)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("fs", [250, 1000])
def test_rows_lost_everywhere_are_refused_and_the_cure_works(fs, share):
    table = capture(fs, RNG.random(int(60 * fs)) >= share)
    with pytest.raises(InputError, match="lost rows and a lower rate look the same"):
        read(table)
    assert read(table, fs=fs).channels[0].fs == pytest.approx(fs, rel=1e-3)
