"""Sampling rates of rows that have the time at which their packet arrived.

Packets are lost and late. Each capture must be read at its true rate to within 0.5 %, or be
refused and then be read with the stated rate.
"""

from __future__ import annotations

import argparse
import itertools
import logging
from collections import Counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io import read

RATES = (25, 52, 100, 250, 500, 1000, 2000)
SIZES = (4, 7, 10, 18, 25, 50)
LOSSES = (0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4)
JITTERS_S = (0, 0.005, 0.015, 0.03, 0.06)
TOLERANCE = 0.005


def arrivals(
    fs: int, size: int, lost: float, jitter_s: float, seconds: float, decimals: int, seed: int
) -> NDArray[np.float64]:
    """Return the time of each row in s, shape (n,)."""
    rng = np.random.default_rng(seed)
    count = int(seconds * fs / size)
    sent = np.arange(count) * size / fs
    arrival = np.maximum.accumulate(sent + rng.uniform(0, jitter_s, count)).round(decimals)
    keep = rng.random(count) >= lost
    keep[[0, -1]] = True
    return np.repeat(arrival[keep], size)


def outcome(times: NDArray[np.float64], fs: int) -> str:
    """Return how a capture of these times is read: right, refused, or wrong."""
    x = np.random.default_rng(1).normal(0, 20, len(times))
    table = pd.DataFrame({"time_s": times, "emg1_uv": x})
    if fs < 200:
        table = pd.DataFrame({"time_s": times} | {f"acc_{a}_g": x / 1e3 + 0.6 for a in "xyz"})
    word = "right"
    try:
        got = read(table)
    except InputError:
        word = "refused, right with --fs"
        try:
            got = read(table, fs=fs)
        except InputError:
            return "refused with --fs"
    right = abs(got.channels[0].fs / fs - 1) <= TOLERANCE
    return word if right else f"WRONG ({word})"


def main() -> None:
    """Print the outcomes of all combinations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--decimals", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    found: Counter[str] = Counter()
    for fs, size, lost, jitter_s in itertools.product(RATES, SIZES, LOSSES, JITTERS_S):
        seconds = options.seconds * (2 if fs < 500 else 1)
        times = arrivals(fs, size, lost, jitter_s, seconds, options.decimals, options.seed)
        word = outcome(times, fs)
        found[word] += 1
        if word.startswith(("WRONG", "refused with")):
            print(f"{word}: {fs} Hz, packets of {size}, {lost:.0%} lost, {1e3 * jitter_s:g} ms")
    for word, count in sorted(found.items()):
        print(f"{word}: {count}")


if __name__ == "__main__":
    main()
