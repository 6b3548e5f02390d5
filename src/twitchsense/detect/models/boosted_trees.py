"""Gradient-boosted decision trees: loading a model, probabilities, contributions of features.

Models are trained by ``python -m benchmarks.training.classifiers`` with scikit-learn, which is not
needed here. Each model is an ``.npz`` file in this folder with a card (``.json``) that states
its training data and its cross-validated performance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import TwitchsenseError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Rows evaluated at once, so that memory stays small.
ROWS_PER_BLOCK: Final = 512


@dataclass(frozen=True, slots=True)
class BoostedTrees:
    """A sum of decision trees.

    Attributes
    ----------
    features : tuple of str
        Names of the columns of a feature table.
    feature : ndarray of int, shape (nodes,)
        Column that a node splits on; -1 for a leaf.
    threshold : ndarray, shape (nodes,)
        Largest value that goes to the left child.
    missing_left : ndarray of bool, shape (nodes,)
        Whether NaN goes to the left child.
    left, right : ndarray of int, shape (nodes,)
        Indices of the children; a leaf refers to the root of its tree.
    log_odds : ndarray, shape (nodes,)
        Expected log-odds of the training samples in a node.
    roots : ndarray of int, shape (trees,)
        Index of the root of each tree.
    """

    features: tuple[str, ...]
    feature: Ints
    threshold: Floats
    missing_left: NDArray[np.bool_]
    left: Ints
    right: Ints
    log_odds: Floats
    roots: Ints

    def contributions(self, table: Floats) -> Floats:
        """Return the contribution of each feature to the log-odds.

        The contribution of a feature is the sum, over all nodes that split on it on the path to a
        leaf, of the change of the expected log-odds (Saabas 2014, "Interpreting random
        forests").

        Parameters
        ----------
        table : ndarray, shape (n, features)
            NaN means unknown.

        Returns
        -------
        ndarray, shape (n, features)
        """
        blocks = range(0, max(len(table), 1), ROWS_PER_BLOCK)
        return np.concatenate([self._follow(table[k : k + ROWS_PER_BLOCK]) for k in blocks])

    def probability(self, contributions: Floats) -> Floats:
        """Return the probability for given contributions.

        Parameters
        ----------
        contributions : ndarray, shape (n, features)

        Returns
        -------
        ndarray, shape (n,)
        """
        log_odds = self.log_odds[self.roots].sum() + contributions.sum(axis=1)
        return np.asarray(1 / (1 + np.exp(-log_odds)), np.float64)

    def _follow(self, table: Floats) -> Floats:
        n, width = table.shape
        row = np.arange(n)[:, None]
        at = np.broadcast_to(self.roots, (n, len(self.roots)))
        total = np.zeros(n * width)
        while (tested := self.feature[at]).max(initial=-1) >= 0:
            x = table[row, tested]
            goes_left = np.where(np.isnan(x), self.missing_left[at], x <= self.threshold[at])
            child = np.where(goes_left, self.left[at], self.right[at])
            child = np.where(tested < 0, at, child)
            change = self.log_odds[child] - self.log_odds[at]
            place = row * width + np.maximum(tested, 0)  # a path that has ended changes nothing
            total += np.bincount(place.ravel(), change.ravel(), minlength=n * width)
            at = child
        return total.reshape(n, width)

    def save(self, file: IO[bytes]) -> None:
        """Write the model as ``.npz``.

        Parameters
        ----------
        file : binary file
            File opened for writing.
        """
        np.savez_compressed(
            file,
            features=np.array(self.features),
            feature=self.feature.astype(np.int16),
            threshold=self.threshold,
            missing_left=self.missing_left,
            left=self.left.astype(np.int32),
            right=self.right.astype(np.int32),
            log_odds=self.log_odds,
            roots=self.roots.astype(np.int32),
        )


def read_trees(file: IO[bytes]) -> BoostedTrees:
    """Read a model that `BoostedTrees.save` wrote.

    Parameters
    ----------
    file : binary file
        File opened for reading.

    Returns
    -------
    BoostedTrees
    """
    with np.load(file, allow_pickle=False) as stored:
        return BoostedTrees(
            tuple(stored["features"].tolist()),
            stored["feature"].astype(np.int64),
            stored["threshold"],
            stored["missing_left"],
            stored["left"].astype(np.int64),
            stored["right"].astype(np.int64),
            stored["log_odds"],
            stored["roots"].astype(np.int64),
        )


@cache
def load_model(name: str, features: tuple[str, ...]) -> BoostedTrees:
    """Load a model of this folder.

    Parameters
    ----------
    name : {'burst', 'recurrence', 'movement', 'jerk'}
        With ``_slow`` for those of devices below 1000 Hz, but of jerks.
    features : tuple of str
        Columns of the tables that the caller will evaluate.

    Returns
    -------
    BoostedTrees

    Raises
    ------
    TwitchsenseError
        If the model was trained on other features.
    """
    with files("twitchsense.detect.models").joinpath(f"{name}.npz").open("rb") as file:
        model = read_trees(file)
    check_features(name, model.features, features)
    return model


def check_features(name: str, trained: Sequence[str], given: Sequence[str]) -> None:
    """Reject a model whose features differ from those of the code.

    Parameters
    ----------
    name : str
        Name of the model, for the message.
    trained, given : sequence of str
        Features that the model was trained on, and those of the code.

    Raises
    ------
    TwitchsenseError
        If the names or their order differ.
    """
    if list(trained) != list(given):
        differing = sorted(set(trained) ^ set(given)) or ["their order"]
        raise TwitchsenseError(
            f"the model {name!r} was trained on other features ({', '.join(differing)}): "
            "install the package again, or train the models with this version"
        )
