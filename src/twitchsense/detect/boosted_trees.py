"""Small learned models that can be followed: trees of questions, each about one feature.

Each tree asks up to five questions and adds a little to the log-odds. Every step
towards an answer moves the expected log-odds; what a feature moved in all trees is
its part, so that each verdict can say why. Where only one direction makes sense,
more of a feature may only lower, or raise, the odds. Models are learned by
benchmarks/verdict.py and kept as text in verdict_trees.csv.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEARNED = "verdict_trees.csv"
COLUMNS = ("model", "tree", "node", "feature", "most", "unknown", "low", "high", "odds")
#: Rows that are followed at once, so that memory stays small.
AT_ONCE = 512
#: What is less likely than this is more likely something else.
LEAST = 0.5


@dataclass(frozen=True, slots=True)
class Trees:
    """A sum of trees.

    Attributes
    ----------
    features : tuple of str
        Names of a table's columns.
    feature : ndarray of int, shape (nodes,)
        Column that a node asks about; -1 where a path ends.
    most : ndarray of float, shape (nodes,)
        Up to this the answer is low.
    unknown_low : ndarray of bool, shape (nodes,)
        Whether a value that is not known goes with the low ones.
    low, high : ndarray of int, shape (nodes,)
        Next node.
    odds : ndarray of float, shape (nodes,)
        Log-odds that are expected once a node is reached.
    roots : ndarray of int, shape (trees,)
        First node of each tree.
    """

    features: tuple[str, ...]
    feature: Ints
    most: Floats
    unknown_low: NDArray[np.bool_]
    low: Ints
    high: Ints
    odds: Floats
    roots: Ints

    def parts(self, table: Floats) -> Floats:
        """Return what each feature adds to the log-odds, shape ``(n, features)`` as the table.

        NaN in the table: not known.
        """
        pieces = [
            self._follow(table[k : k + AT_ONCE]) for k in range(0, max(len(table), 1), AT_ONCE)
        ]
        return np.concatenate(pieces)

    def probability(self, parts: Floats) -> Floats:
        """Return the probability that the parts add up to, shape ``(n,)``."""
        odds = self.odds[self.roots].sum() + parts.sum(axis=1)
        return np.asarray(1 / (1 + np.exp(-odds)), np.float64)

    def _follow(self, table: Floats) -> Floats:
        n, width = table.shape
        row = np.arange(n)[:, None]
        at = np.broadcast_to(self.roots, (n, len(self.roots)))
        parts = np.zeros(n * width)
        while (asked := self.feature[at]).max(initial=-1) >= 0:
            x = table[row, asked]
            is_low = np.where(np.isnan(x), self.unknown_low[at], x <= self.most[at])
            then = np.where(asked < 0, at, np.where(is_low, self.low[at], self.high[at]))
            moved = self.odds[then] - self.odds[at]
            place = row * width + np.maximum(asked, 0)  # where a path has ended nothing moves
            parts += np.bincount(place.ravel(), moved.ravel(), minlength=n * width)
            at = then
        return parts.reshape(n, width)


@cache
def learned(kind: str) -> Trees:
    """Return the learned model: ``twitch``, ``again``, ``movement`` or ``jerk``."""
    text = files("twitchsense.detect").joinpath(LEARNED).read_text(encoding="utf-8")
    return read_trees(kind, text.splitlines())


def read_trees(kind: str, lines: Iterable[str]) -> Trees:
    """Return the model of a kind from the lines of a CSV with `COLUMNS`.

    A node's number counts from the first of its tree; the first row of a model has no
    tree and names its features.
    """
    head, *others = lines
    rows = list(csv.DictReader([head, *(x for x in others if x.startswith(f"{kind},"))]))
    features = tuple(rows[0]["feature"].split())
    nodes = rows[1:]
    first = np.array([i for i, row in enumerate(nodes) if row["node"] == "0"], np.int64)
    start = first[np.searchsorted(first, np.arange(len(nodes)), "right") - 1]

    def numbers(name: str) -> Floats:
        return np.array([float(row[name] or 0) for row in nodes])

    return Trees(
        features,
        np.array([features.index(r["feature"]) if r["feature"] else -1 for r in nodes], np.int64),
        numbers("most"),
        np.array([row["unknown"] == "low" for row in nodes]),
        numbers("low").astype(np.int64) + start,
        numbers("high").astype(np.int64) + start,
        numbers("odds"),
        first,
    )


def write_trees(kind: str, model: Trees) -> list[str]:
    """Return the lines of the CSV that say a model, without the header."""
    lines = [f"{kind},,,{' '.join(model.features)},,,,,"]
    ends = [*model.roots[1:].tolist(), len(model.feature)]
    for tree, (first, end) in enumerate(zip(model.roots.tolist(), ends, strict=True)):
        for i in range(first, end):
            asks = ",,,,"
            if model.feature[i] >= 0:
                unknown = "low" if model.unknown_low[i] else "high"
                low, high = model.low[i] - first, model.high[i] - first
                name = model.features[model.feature[i]]
                asks = f"{name},{float(model.most[i])!r},{unknown},{low},{high}"
            lines.append(f"{kind},{tree},{i - first},{asks},{float(model.odds[i])!r}")
    return lines
