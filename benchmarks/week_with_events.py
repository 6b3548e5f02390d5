"""Memory, time and size of a week with 30,000 events.

``python -m benchmarks.week_with_events``: 168 h with a twitch, jerk or movement every 20 s, made
of one piece of 20 min that is repeated. Prints the memory of the process and the sizes of what
``analyze`` writes.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import twitchsense as ts
from tests.recordings import make_recording

_MINUTES = 20


@dataclass(frozen=True)
class RepeatedSamples:
    """A piece of signal that is repeated."""

    piece: NDArray[np.float32]
    length: int

    def __len__(self) -> int:
        return self.length

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return samples of the repeated signal, shape (n, width)."""
        at = np.arange(start, min(stop, self.length)) % len(self.piece)
        return np.ascontiguousarray(self.piece[at])


def main() -> None:
    """Analyse the week and print what it takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=168)
    options = parser.parse_args()
    piece = make_recording(_MINUTES, gap=False)
    times = round(options.hours * 60 / _MINUTES)
    segments = tuple(
        replace(s, samples=RepeatedSamples(s.samples.read(0, len(s.samples)),
                                           len(s.samples) * times))
        for s in piece.segments
    )  # fmt: skip
    _print("before", time.monotonic())
    start_s = time.monotonic()
    night = ts.analyze(replace(piece, segments=segments))
    _print(f"analysed, {len(night.events):,} events", start_s)
    with tempfile.TemporaryDirectory() as folder:
        start_s = time.monotonic()
        night.save(folder)
        _print("saved with the report", start_s)
        for path in sorted(Path(folder).iterdir()):
            print(f"  {path.name}: {path.stat().st_size / 1e6:.2f} MB")


def _print(what: str, start_s: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {time.monotonic() - start_s:.0f} s, peak {peak:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
