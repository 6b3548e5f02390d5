"""Marks of leg movements on which scorers are compared: one list for each clause, and two nights.

The nights are drawn at random with a fixed seed; all times are whole milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

LEFT, RIGHT = "left", "right"
Mark = tuple[float, float, str]


@dataclass(frozen=True, slots=True)
class MarkedNight:
    """Marks of a night, its stages and its respiratory events.

    Attributes
    ----------
    marks : list of (float, float, str)
        Onset and duration in seconds, and the leg.
    stages : list of (float, float, str)
        Onset and duration in seconds, and the stage.
    respiratory : list of (float, float)
        Onset and duration in seconds.
    """

    marks: list[Mark]
    stages: list[tuple[float, float, str]] = field(default_factory=lambda: [(0, 3600, "N2")])
    respiratory: list[tuple[float, float]] = field(default_factory=list)

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Return marks, stages and respiratory events as `ts.score_leg_movements` takes them."""
        return (
            pd.DataFrame(self.marks, columns=["onset", "duration", "leg"]),
            pd.DataFrame(self.stages, columns=["onset", "duration", "stage"]),
            pd.DataFrame(self.respiratory, columns=["onset", "duration"]),
        )


def train(
    *intervals: float, start: float = 100.0, duration: float = 1.0, leg: str = LEFT
) -> list[Mark]:
    """Return movements at the given intervals from onset to onset (s)."""
    onsets = start + np.cumsum([0.0, *intervals])
    return [(round(float(t), 3), duration, leg) for t in onsets]


#: A movement long after all others, so that no series ends with the last movement.
_LAST: Final[Mark] = (1000.0, 1.0, LEFT)
#: Marks for each clause on which scorers differ or could.
CLAUSES: Final[dict[str, MarkedNight]] = {
    "four movements 20 s apart": MarkedNight(train(20, 20, 20)),
    "three movements 20 s apart": MarkedNight(train(20, 20)),
    "an interval of exactly 10 s": MarkedNight(train(10, 20, 20)),
    "an interval of exactly 90 s": MarkedNight(train(90, 20, 20)),
    "an interval of 90.5 s": MarkedNight(train(90.5, 20, 20)),
    "a first movement after 5 s": MarkedNight([(95.0, 1.0, LEFT), *train(20, 20, 20)]),
    "an interval of 5 s within a series": MarkedNight(train(20, 20, 20, 5, 20, 20, 20)),
    "marks 0.3 s apart on one leg": MarkedNight(
        [m for t in (100, 120, 140, 160) for m in ((t, 0.4, LEFT), (t + 0.7, 0.4, LEFT))]
    ),
    "three marks 0.3 s apart on one leg": MarkedNight(
        [(t + 1.3 * k, 1.0, LEFT) for t in (100, 120, 140, 160) for k in range(3)]
    ),
    "marks of 0.4 s": MarkedNight(train(20, 20, 20, duration=0.4)),
    "a movement of 10.5 s within a series": MarkedNight(
        [*train(20, 20), (160.0, 10.5, LEFT), *train(20, 20, start=180.0)]
    ),
    "legs 0.3 s apart": MarkedNight(
        [m for t in (100, 120, 140, 160) for m in ((t, 1.0, LEFT), (t + 1.3, 1.0, RIGHT))]
    ),
    "onsets of the legs 3 s apart": MarkedNight(
        [m for t in (100, 120, 140, 160) for m in ((t, 1.0, LEFT), (t + 3.0, 1.0, RIGHT))]
    ),
    "five parts on both legs": MarkedNight(
        [*train(20, 20), *[(140 + 1.2 * k, 1.0, (LEFT, RIGHT)[k % 2]) for k in range(5)],
         *train(20, 20, start=160.0)]
    ),
    "a movement of both legs of 16 s": MarkedNight(
        [*train(20, 20), (160.0, 9.0, LEFT), (167.0, 9.0, RIGHT), *train(20, 20, start=190.0)]
    ),
    "one movement asleep, three awake": MarkedNight(
        train(20, 20, 20), [(0, 150, "W"), (150, 3450, "N2")]
    ),
    "a movement 8 s after an apnea": MarkedNight(train(20, 20, 20), respiratory=[(102.0, 10.0)]),
    "a long movement after an apnea": MarkedNight(
        [*train(20), (140.0, 12.0, LEFT), *train(20, start=180.0)], respiratory=[(125.0, 14.0)]
    ),
    "a series that removal creates": MarkedNight(
        [*train(20, 20, 20, 20), (147.0, 1.0, LEFT)], respiratory=[(125.0, 15.0)]
    ),
}  # fmt: skip
for _marked in CLAUSES.values():
    _marked.marks.append(_LAST)
CLAUSES["four movements, and none after them"] = MarkedNight(train(20, 20, 20))


def night(seed: int, hours: float = 8.0) -> MarkedNight:
    """Return a night with periodic series, single, long, short and double movements.

    Parameters
    ----------
    seed : int
    hours : float

    Returns
    -------
    MarkedNight
    """
    rng = np.random.default_rng(seed)
    end = hours * 3600
    words = rng.choice(["W", "N1", "N2", "N2", "N3", "R"], int(end / 300))
    stages = [(300.0 * k, 300.0, str(word)) for k, word in enumerate(words)]
    marks: list[Mark] = []
    t = 60.0
    while t < end - 400:
        if rng.random() < 0.5:
            for _ in range(int(rng.integers(3, 12))):
                marks += _movement(t, rng)
                t += float(rng.uniform(12, 50))
        else:
            marks += _movement(t, rng)
        t += float(rng.choice([6, 15, 40, 120, 300]) * rng.uniform(0.8, 1.6))
    events = np.sort(rng.uniform(0, end - 60, 120))
    respiratory = [(round(float(e), 3), round(float(rng.uniform(10, 30)), 3)) for e in events]
    kept = [(round(a, 3), round(b, 3), leg) for a, b, leg in sorted(marks)]
    return MarkedNight(_without_overlap(kept), stages, respiratory)


def _movement(t: float, rng: np.random.Generator) -> list[Mark]:
    """Return the one to three marks of one movement."""
    leg = (LEFT, RIGHT)[int(rng.integers(2))]
    other = RIGHT if leg == LEFT else LEFT
    length = float(rng.choice([0.4, 1.5, 3.0, 8.0, 11.0], p=[0.08, 0.5, 0.3, 0.08, 0.04]))
    marks = [(t, length * float(rng.uniform(0.95, 1.2)), leg)]
    if rng.random() < 0.25:
        marks.append((t + float(rng.uniform(0, 2.5)), 1.5, other))
    if rng.random() < 0.1:
        marks.append((t + marks[0][1] + float(rng.uniform(0.1, 0.9)), 0.8, leg))
    return marks


def _without_overlap(marks: list[Mark]) -> list[Mark]:
    """Leave out marks that overlap the mark before on the same leg; a scorer sets none."""
    stop = {LEFT: -1.0, RIGHT: -1.0}
    out: list[Mark] = []
    for onset, duration, leg in marks:
        if onset > stop[leg]:
            out.append((onset, duration, leg))
            stop[leg] = round(onset + duration, 3)
    return out
