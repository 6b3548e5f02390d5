"""Pictures of the worst misses and false alarms of each family and cause.

Kits that taught nothing are left out: a picture with its cause would teach.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.accuracy.nights import Arrays
from benchmarks.accuracy.score import Score
from benchmarks.accuracy.tally import false_alarms, misses
from benchmarks.blind.examine import Job
from benchmarks.blind.goals import UNSEEN

FIGURES = ("blind-misses.png", "blind-false-alarms.png")


def draw(score: Score, cache: Path | None, folder: Path) -> None:
    """Draw both pictures from the score of all kits."""
    from benchmarks.accuracy.figures import gallery, worst_of_each  # matplotlib

    def compose(row: Any) -> tuple[Arrays, pd.DataFrame]:
        return Job(row.kit, row.family, row.seed, cache).compose()

    for rows, name in zip((misses(score), false_alarms(score)), FIGURES, strict=True):
        taught = rows[~rows.kit.isin(UNSEEN)] if len(rows) else rows
        if len(taught):
            gallery(worst_of_each(taught, ["kit", "family"]), compose, folder / name)


def section() -> list[str]:
    """Return the section of the page."""
    missed, false = FIGURES
    left_out = f" {', '.join(UNSEEN)} are left out, so that nobody learns from them."
    return [
        "## The worst of each family and cause", "",
        "The commonest first; of each the largest target that is missed, and the false alarm of "
        "the highest confidence. EMG above, acceleration below; the target or the event is shaded."
        + (left_out if UNSEEN else ""), "",
        f"![Missed targets](figures/{missed})", "",
        f"![False alarms](figures/{false})", "",
    ]  # fmt: skip
