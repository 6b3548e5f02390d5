"""Classifiers: the probability that a candidate is muscle activity, or that a jerk is no bump.

The rules determine the kind that a candidate would have if it were muscle activity
(`cluster_rules`). Models of boosted trees estimate the probability of that: one for jerks,
one for contractions, one for short bursts, and a second stage for short bursts that also uses the
recurrence of their waveforms. Training uses the same feature functions, with a subclass of
`Classifier`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.candidates.burst_window import FINE_HZ
from twitchsense.detect.features.recurrence import RECURRENCE_FEATURES, recurrence_features
from twitchsense.detect.features.waveform import WAVEFORM_FEATURES
from twitchsense.detect.models.boosted_trees import BoostedTrees, load_model
from twitchsense.detect.rules.feature_tables import (
    BURST_FEATURES,
    JERK_FEATURES,
    MOVEMENT_FEATURES,
    NightContext,
    burst_features,
    jerk_features,
    movement_features,
)
from twitchsense.detect.rules.jerk_rule import BurstTrain
from twitchsense.detect.sensors.sensor_queries import AccResponse
from twitchsense.model.candidates import ScoredCandidate

Floats = NDArray[np.float64]

#: Rates of a capture are fitted and may be this much too low.
RATE_MARGIN: Final = 0.99
#: Decision threshold on the predicted probability.
DECISION_THRESHOLD: Final = 0.5
#: Probability from which a burst is accepted if the recurrence of its waveform has raised it: of
#: these, 86 % are muscle activity (63 of 73, blind kits a, b, c).
RECURRING_THRESHOLD: Final = 0.35
#: Groups of features that contribute to the rejection of a burst, by the reason of the rejection.
#: If several groups contribute equally, the first gives the reason.
BURST_REASONS: Final[Mapping[str, Sequence[str]]] = {
    "rhythmic_train": (
        "n_repeats",
        "n_repeats_near",
        "n_large_windows",
        "n_large_windows_near",
        "interval_cv",
        "rhythmicity",
        "rel_p75",
        "log_p75_over_p10",
        "n_bursts",
        "n_bursts_near",
    ),
    "ecg": ("log_ecg_residual_ratio",),
    "electrode_pop": ("log_peak_g", "log_duration_3ms", "snr_db_clipped", *WAVEFORM_FEATURES),
}
#: Groups of features that contribute to the rejection of a contraction, by its reason.
MOVEMENT_REASONS: Final[Mapping[str, Sequence[str]]] = {
    "rhythmic_train": ("n_repeats", "bursts_per_s", "active_share", "longest_burst_share"),
    "electrode_pop": tuple(f"mean_{name}" for name in WAVEFORM_FEATURES),
    "weak_contraction": ("snr_db_clipped", "rel_p75", "log_duration", "log_peak_g"),
}


class Classifier:
    """The trained models. A subclass may replace them, for training or for comparison."""

    def jerk(self, train: BurstTrain, response: AccResponse) -> float:
        """Return the probability that bursts, and not a simultaneous bump, moved the leg.

        Parameters
        ----------
        train : BurstTrain
        response : AccResponse
            Movement of the leg around the burst.

        Returns
        -------
        float
            0 to 1.
        """
        model = load_model("jerk", JERK_FEATURES)
        table = jerk_features(train, response)[None]
        return float(model.probability(model.contributions(table))[0])

    def movements(
        self, candidates: Sequence[ScoredCandidate], rows: Sequence[int], context: NightContext
    ) -> tuple[Floats, list[str]]:
        """Classify contractions.

        Parameters
        ----------
        candidates : sequence of ScoredCandidate
            All candidates of a leg.
        rows : sequence of int
            The contractions to classify.
        context : NightContext

        Returns
        -------
        probability : ndarray, shape (len(rows),)
            Probability of muscle activity.
        reasons : list of str
            The reason to give if the candidate is rejected.
        """
        table = movement_features(candidates, rows, context)
        return _evaluate("movement", MOVEMENT_FEATURES, table, MOVEMENT_REASONS)

    def bursts(
        self, candidates: Sequence[ScoredCandidate], rows: Sequence[int], context: NightContext
    ) -> tuple[Floats, list[str]]:
        """Classify short bursts in two stages; parameters and results as `movements`.

        The reason is empty where a burst is accepted although its probability is below
        `DECISION_THRESHOLD`.
        """
        table = burst_features(candidates, rows, context)
        first, reasons = _evaluate("burst", BURST_FEATURES, table, BURST_REASONS)
        second = self.recurring([candidates[i] for i in rows], first)
        for k, (p, q) in enumerate(zip(first, second, strict=True)):
            if p >= DECISION_THRESHOLD:  # only the second stage rejects it
                reasons[k] = "electrode_pop"
            elif q > p and q >= RECURRING_THRESHOLD:
                reasons[k] = ""
        return second, reasons

    def recurring(self, candidates: Sequence[ScoredCandidate], first: Floats) -> Floats:
        """Return the second-stage probability of short bursts.

        Parameters
        ----------
        candidates : sequence of ScoredCandidate
        first : ndarray, shape (n,)
            First-stage probabilities; the result keeps them where the second stage is not applied.

        Returns
        -------
        ndarray, shape (n,)
            Probability of muscle activity.
        """
        rows, table = recurrence_features(candidates, first)
        second = first.copy()
        slow = np.array([_is_slow(candidates[i].features) for i in rows.tolist()], bool)
        for part, model in _models("recurrence", RECURRENCE_FEATURES, slow):
            second[rows[part]] = model.probability(model.contributions(table[part]))
        return second


def _is_slow(features: NDArray[np.float32] | None) -> bool:
    """Whether the last feature, the log of the sampling rate, is that of a slow device."""
    return features is not None and bool(features[-1] < np.log(FINE_HZ * RATE_MARGIN))


def _models(
    name: str, features: tuple[str, ...], slow: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.intp], BoostedTrees]]:
    """Yield the rows of each kind of device, if there are any, with the model for it."""
    for part, suffix in ((~slow, ""), (slow, "_slow")):
        if part.any():
            yield np.flatnonzero(part), load_model(name + suffix, features)


def _evaluate(
    name: str, features: tuple[str, ...], table: Floats, reasons: Mapping[str, Sequence[str]]
) -> tuple[Floats, list[str]]:
    """Return the probability of each row, and the reason that contributes most against it."""
    probability, names = np.empty(len(table)), np.array(list(reasons), object)
    strongest = np.full(len(table), names[0], object)
    slow = table[:, -1] < np.log(FINE_HZ * RATE_MARGIN)
    for part, model in _models(name, features, slow):
        contributions = model.contributions(table[part])
        columns = [[model.features.index(n) for n in group] for group in reasons.values()]
        weights = np.stack([contributions[:, group].sum(axis=1) for group in columns])
        probability[part] = model.probability(contributions)
        strongest[part] = names[weights.argmin(axis=0)]
    return probability, strongest.tolist()
