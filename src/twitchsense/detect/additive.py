"""A small model that can be read: each feature adds its part to the log-odds.

A part is made of ramps between a few knots and level beyond the outermost, so
that no value can weigh more than those that were seen in learning. Where only
one direction makes sense the ramps may only rise, or fall. Models are learned by
benchmarks/verdict.py and kept as text in verdict_weights.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Additive:
    """An additive model.

    Attributes
    ----------
    bias : float
        Log-odds where every feature lies at or below its first knot.
    ramps : dict of feature to (knots, rises, usual)
        What the feature adds between each two knots, and what it usually adds, which
        is taken where it is not known; in order of the columns.
    """

    bias: float
    ramps: dict[str, tuple[tuple[float, ...], tuple[float, ...], float]]

    def parts(self, table: Floats) -> Floats:
        """Return what each feature adds, shape ``(n, features)`` like the table.

        NaN in the table: not known.
        """
        columns = [
            ramps(table[:, k], knots) @ np.array(rises)
            for k, (knots, rises, _) in enumerate(self.ramps.values())
        ]
        usual = np.array([u for _, _, u in self.ramps.values()])
        return np.where(np.isnan(table), usual, np.stack(columns, axis=1))

    def probability(self, parts: Floats) -> Floats:
        """Return the probability that the parts add up to, shape ``(n,)``."""
        odds = self.bias + parts.sum(axis=1)
        return np.asarray(1 / (1 + np.exp(-odds)), np.float64)


def ramps(x: Floats, knots: tuple[float, ...]) -> Floats:
    """Return how far values have come between each two knots, 0 to 1, ``(n, knots - 1)``."""
    low, high = np.array(knots[:-1]), np.array(knots[1:])
    return np.asarray((np.clip(x[:, None], low, high) - low) / (high - low), np.float64)
