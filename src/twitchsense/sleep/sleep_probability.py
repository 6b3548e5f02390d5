"""Probability of sleep of each epoch, and the distribution of sleep onset that follows from it.

A model of boosted trees estimates the probability from the movement of the leg
(`twitchsense.sleep.epoch_features`). It is trained by
``python -m benchmarks.training.sleep_onset`` on composed nights; the interval of sleep onset is
calibrated on nights that were left out. The model in ``models/`` has a card with its training data.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.models.boosted_trees import BoostedTrees, check_features, read_trees
from twitchsense.sleep.epoch_features import SLEEP_FEATURES
from twitchsense.sleep.inactivity import EPOCH_S

Floats = NDArray[np.float64]

#: An epoch is sleep from this probability on.
ASLEEP_PROBABILITY: Final = 0.5
#: Sleep (s) that must follow for a sleep onset [E].
MIN_SLEEP_S: Final = 300
#: Shares of the distribution that give the estimate, and the range before it is stretched.
ONSET_QUANTILES: Final = (0.05, 0.5, 0.95)
#: Added to either half of the range before it is stretched, s.
MIN_HALF_RANGE_S: Final = 60.0
#: Limits of a probability, so that a single epoch never decides.
_PROBABILITY_LIMITS: Final = (1e-3, 1 - 1e-3)


@dataclass(frozen=True, slots=True, eq=False)
class OnsetCalibration:
    """Calibration of sleep onset, from nights that were not used in training.

    Attributes
    ----------
    base_rate : float
        Share of sleep among the epochs of the training nights.
    asleep_share : float
        Share of the epochs after sleep onset that are sleep: falling asleep is no single step.
    tempering : float
        Weight of an epoch's log-likelihood in the estimate; below 1 because epochs are not
        independent.
    range_tempering : float
        The same in the range, where epochs count less.
    stretch : ndarray of float64, shape (2,)
        Factors of the range before and after the estimate.
    """

    base_rate: float
    asleep_share: float
    tempering: float
    range_tempering: float
    stretch: Floats

    def save(self, file: IO[bytes]) -> None:
        """Write the calibration as ``.npz``.

        Parameters
        ----------
        file : binary file
            File opened for writing.
        """
        np.savez_compressed(
            file,
            onset=np.array(
                [self.base_rate, self.asleep_share, self.tempering, self.range_tempering]
            ),
            stretch=self.stretch,
        )


@dataclass(frozen=True, slots=True)
class OnsetRange:
    """Sleep onset and its 90 % interval, s from the start of the first epoch."""

    time_s: float
    low_s: float
    high_s: float


def sleep_probability(features: Floats) -> Floats:
    """Estimate the probability of sleep of each epoch.

    Parameters
    ----------
    features : ndarray of float64, shape (epochs, features)
        From `twitchsense.sleep.epoch_features.epoch_features`.

    Returns
    -------
    ndarray of float64, shape (epochs,)
        NaN where the accelerometer is unknown.
    """
    model = _load_model()
    probability = model.probability(model.contributions(features))
    activity = features[:, SLEEP_FEATURES.index("activity")]
    return np.where(np.isnan(activity), np.nan, probability)


def estimate_onset(probability: Floats, calibration: OnsetCalibration) -> OnsetRange | None:
    """Estimate sleep onset from the probability of sleep of each epoch.

    Before sleep onset every epoch is wake; after it, an epoch is sleep with probability
    ``asleep_share``. The likelihood of each possible onset, the case of no sleep included,
    gives its distribution: the median is the estimate, and its 5 % and 95 % quantiles, stretched
    so that they held 90 % of the nights left out, are the range.

    Parameters
    ----------
    probability : ndarray of float64, shape (epochs,)
        From `sleep_probability`; NaN unknown.
    calibration : OnsetCalibration

    Returns
    -------
    OnsetRange or None
        None if fewer than `MIN_SLEEP_S` of sleep follow.
    """
    low, at, high = onset_quantiles(probability, calibration)
    n = len(probability)
    asleep = np.count_nonzero(probability[at:] >= ASLEEP_PROBABILITY)
    if asleep * EPOCH_S < MIN_SLEEP_S:
        return None
    before, after = calibration.stretch
    time = float(at * EPOCH_S)
    return OnsetRange(
        time,
        max(0.0, time - float(before) * ((at - low) * EPOCH_S + MIN_HALF_RANGE_S)),
        min(float(n * EPOCH_S), time + float(after) * ((high - at) * EPOCH_S + MIN_HALF_RANGE_S)),
    )


def onset_quantiles(probability: Floats, calibration: OnsetCalibration) -> tuple[int, int, int]:
    """Return the epochs of the estimate and of its range, before the range is stretched.

    Parameters
    ----------
    probability : ndarray of float64, shape (epochs,)
        Probability of sleep; NaN unknown.
    calibration : OnsetCalibration

    Returns
    -------
    low, at, high : int
        Epochs; the number of epochs stands for no sleep.
    """
    estimate = np.cumsum(onset_distribution(probability, calibration, calibration.tempering))
    wide = np.cumsum(onset_distribution(probability, calibration, calibration.range_tempering))
    early, middle, late = ONSET_QUANTILES
    n, at = len(probability), int(np.searchsorted(estimate, middle))
    low, high = int(np.searchsorted(wide, early)), int(np.searchsorted(wide, late))
    return min(low, at, n), min(at, n), min(max(high, at), n)


def onset_distribution(
    probability: Floats, calibration: OnsetCalibration, tempering: float
) -> Floats:
    """Return the probability that sleep began with each epoch, and that it never began.

    Parameters
    ----------
    probability : ndarray of float64, shape (epochs,)
        Probability of sleep; NaN unknown.
    calibration : OnsetCalibration
    tempering : float
        Weight of an epoch's log-likelihood.

    Returns
    -------
    ndarray of float64, shape (epochs + 1,)
        Sums to 1.
    """
    p = np.clip(np.where(np.isnan(probability), calibration.base_rate, probability),
                *_PROBABILITY_LIMITS)  # fmt: skip
    asleep = p / calibration.base_rate
    wake = (1 - p) / (1 - calibration.base_rate)
    share = calibration.asleep_share
    evidence = np.log((share * asleep + (1 - share) * wake) / wake)
    log_likelihood = -tempering * np.concatenate([[0.0], np.cumsum(evidence)])
    weight = np.exp(log_likelihood - log_likelihood.max())
    out: Floats = weight / weight.sum()
    return out


@cache
def _load_model() -> BoostedTrees:
    with files("twitchsense.sleep").joinpath("models/sleep.npz").open("rb") as file:
        model = read_trees(file)
    check_features("sleep", model.features, SLEEP_FEATURES)
    return model


@cache
def load_calibration() -> OnsetCalibration:
    """Load the calibration that belongs to the model.

    Returns
    -------
    OnsetCalibration
    """
    with (
        files("twitchsense.sleep").joinpath("models/onset.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):
        rate, share, tempering, range_tempering = stored["onset"].tolist()
        return OnsetCalibration(rate, share, tempering, range_tempering, stored["stretch"])
