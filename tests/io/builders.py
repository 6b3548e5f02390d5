"""Builds small captures, and shows what is in a recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from twitchsense.io.channels.gap_detection import TimestampSegmenter
from twitchsense.io.channels.rate_fit import fit_rate
from twitchsense.model.recording import Recording

Content = dict[str, list[tuple[int, np.ndarray]]]


def emg(n, seed=1):
    """Return EMG-like numbers of one decimal, as text keeps them exactly."""
    return np.round(np.random.default_rng(seed).normal(0, 10, n), 1)


def acc(n, seed=2):
    """Return x, y, z in g of three decimals."""
    return np.round(np.random.default_rng(seed).normal(0, 0.01, (n, 3)) + [0, 0, 1], 3)


def write(path: Path, columns: dict[str, list | np.ndarray], sep=",", end="\n") -> Path:
    """Write columns as CSV; NaN is an empty cell, floats as short as exact."""

    def cells(values):
        values = values.tolist() if isinstance(values, np.ndarray) else values
        return [v if isinstance(v, str) else "" if v != v else repr(float(v)) for v in values]

    rows = [sep.join(columns)]
    rows += map(sep.join, zip(*map(cells, columns.values()), strict=True))
    path.write_bytes((end.join(rows) + end).encode())
    return path


def content(recording: Recording) -> Content:
    """Return starts and samples of every channel's segments."""
    found: Content = {c.name: [] for c in recording.channels}
    for s in recording.segments:
        found[s.channel].append((s.start_ns, s.samples.read(0, len(s.samples))))
    return found


def assert_same(one: Recording, other: Recording) -> None:
    """Compare channels, starts and samples bit for bit."""
    assert one.channels == other.channels
    a, b = content(one), content(other)
    for name in a:
        assert [s for s, _ in a[name]] == [s for s, _ in b[name]]
        for (_, x), (_, y) in zip(a[name], b[name], strict=True):
            assert x.dtype == y.dtype == np.float32
            np.testing.assert_array_equal(x, y)


def starts(recording: Recording, name: str) -> list[int]:
    """Return when the segments of a channel start, in ns."""
    return [s.start_ns for s in recording.segments_of(name)]


def lengths(recording: Recording, name: str) -> list[int]:
    """Return how many samples the segments of a channel have."""
    return [len(s.samples) for s in recording.segments_of(name)]


# -- small CSV files as bytes ---------------------------------------------------------------------

N_ROWS = 40
TIMES = [f"{i / 1000:.3f}" for i in range(N_ROWS)]
VALUES = [f"{v:.1f}" for v in emg(N_ROWS)]


def csv_rows(n=N_ROWS, sep=","):
    """Return rows of time and EMG at 1000 Hz, as text."""
    return [f"{TIMES[i]}{sep}{VALUES[i]}" for i in range(n)]


def csv_bytes(lines=None, header="time_s,emg1_uv", end="\n"):
    """Return a CSV of some rows (`csv_rows`, if not given)."""
    return (end.join([header, *(csv_rows() if lines is None else lines)]) + end).encode()


# -- wide files -----------------------------------------------------------------------------------


def write_wide(path, n=3000, offset=0.0, decimals=3):
    """Write two EMG channels at 1000 Hz beside acceleration at 100 Hz; return the columns too."""
    t = np.round(offset + np.arange(n) / 1000, decimals)
    columns = {"time_s": t, "emg1_uv": emg(n), "emg2_uv": emg(n, 5)}
    a = acc(-(-n // 10))
    for i, axis in enumerate("xyz"):
        column = np.full(n, np.nan)
        column[::10] = a[:, i]
        columns[f"acc_{axis}_g"] = column
    return write(path, columns), columns


def recording_of_columns(columns):
    """Return the recording that a wide file of these columns holds."""
    signals = {k: (v, 1000) for k, v in columns.items() if k.startswith("emg")}
    signals |= {k: (v[::10], 100) for k, v in columns.items() if k.startswith("acc")}
    return Recording.from_arrays(signals)


# -- timestamps -----------------------------------------------------------------------------------

MS = 1_000_000


def segment_and_fit(times_ns, block=10**9):
    """Return the runs of timestamps that are pushed in blocks, and their fit."""
    segmenter = TimestampSegmenter()
    times_ns = np.asarray(times_ns, np.int64)
    for start in range(0, len(times_ns), block):
        segmenter.push(times_ns[start : start + block])
    runs = segmenter.close()
    fit = fit_rate(runs, segmenter.period, segmenter.round_fs, segmenter.resolution)
    return runs, fit


def grid(n, fs):
    """Return the times (ns) of samples at a rate, rounded to a nanosecond."""
    return np.rint(np.arange(n) * 1e9 / fs).astype(np.int64)
