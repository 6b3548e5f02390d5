"""Small captures for tests, and what is in a recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np

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

    def cell(value):
        if isinstance(value, str):
            return value
        return "" if np.isnan(value) else repr(float(value))

    rows = [sep.join(columns)]
    rows += [sep.join(cell(v) for v in row) for row in zip(*columns.values(), strict=True)]
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
