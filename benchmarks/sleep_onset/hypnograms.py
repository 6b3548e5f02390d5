"""Real hypnograms that drive the composed nights.

Two sources: YASA's test data (BSD licence; CSV with the column ``stage``), and the consensus of
five scorers on the Dreem Open Datasets DOD-H (25 healthy adults) and DOD-O (55 patients with sleep
apnoea; Guillot et al. 2020, doi:10.1109/TNSRE.2020.3011181; scorings under the MIT licence in the
repository Dreem-Organization/dreem-learning-evaluation, folder ``scorers``).
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from firmware_sim.hypnogram import EPOCH_S

#: Stages of the numbers in the Dreem files; unscored epochs count as wake.
_DREEM = {-1: "W", 0: "W", 1: "N1", 2: "N2", 3: "N3", 4: "R"}
#: Fewest minutes of scoring that must follow sleep onset.
MIN_AFTER_MIN = 30.0


@dataclass(frozen=True, slots=True)
class RealHypnogram:
    """A scored night.

    Attributes
    ----------
    name : str
    stages : tuple of str
        One stage (W, N1, N2, N3, R) for each 30-s epoch.
    """

    name: str
    stages: tuple[str, ...]

    @property
    def onset(self) -> int:
        """Index of the first epoch of sleep."""
        return next(i for i, stage in enumerate(self.stages) if stage != "W")

    def around_onset(self, latency_min: float, after_min: float) -> tuple[str, ...]:
        """Return the stages from `latency_min` before sleep onset to `after_min` after it.

        Wake is added in front where the scoring has less of it.
        """
        epochs = round(latency_min * 60 / EPOCH_S)
        first, last = self.onset - epochs, self.onset + round(after_min * 60 / EPOCH_S)
        return ("W",) * max(0, -first) + self.stages[max(0, first) : last]


def read_dreem(folder: Path, dataset: str) -> Iterator[RealHypnogram]:
    """Yield the consensus of the scorers for each night of a data set (``dodh`` or ``dodo``)."""
    for path in sorted((folder / dataset / "scorer_1").glob("*.json")):
        scorings = [np.array(json.loads(p.read_text()))
                    for p in sorted((folder / dataset).glob(f"*/{path.name}"))]  # fmt: skip
        length = min(len(s) for s in scorings)
        votes = np.stack([s[:length] for s in scorings], axis=1)
        stages = tuple(_DREEM[Counter(row.tolist()).most_common(1)[0][0]] for row in votes)
        yield RealHypnogram(f"{dataset}-{path.stem[:6]}", stages)


def dreem_onsets_min(folder: Path, dataset: str) -> Iterator[list[float]]:
    """Yield the sleep onset (min) of each night by each scorer who found sleep."""
    for path in sorted((folder / dataset / "scorer_1").glob("*.json")):
        scorings = (np.array(json.loads(p.read_text()))
                    for p in sorted((folder / dataset).glob(f"*/{path.name}")))  # fmt: skip
        yield [float(np.argmax(s > 0)) * EPOCH_S / 60 for s in scorings if (s > 0).any()]


def read_yasa(folder: Path) -> Iterator[RealHypnogram]:
    """Yield the hypnograms of YASA's test data."""
    for path in sorted(folder.glob("*.csv")):
        with path.open() as file:
            yield RealHypnogram(path.stem, tuple(row["stage"] for row in csv.DictReader(file)))


def usable(hypnograms: Iterator[RealHypnogram]) -> list[RealHypnogram]:
    """Return the hypnograms with enough scoring after sleep onset."""
    fewest = MIN_AFTER_MIN * 60 / EPOCH_S
    return [h for h in hypnograms
            if set(h.stages) != {"W"} and len(h.stages) - h.onset >= fewest]  # fmt: skip
