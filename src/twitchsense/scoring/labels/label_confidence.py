"""Confidence of labels: certainty of the sleep state, size of the train, core duration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.scoring.labels.label_features import LabelFeatures
from twitchsense.scoring.labels.label_rules import LABELS_BY_STATE, is_sleep_start
from twitchsense.settings import Settings
from twitchsense.sleep.context import Context

Floats = NDArray[np.float64]
Objects = NDArray[np.object_]

#: Factor on ``confidence`` of labels that depend on sleep or wake, by the source of the
#: state [E]. Within the range of an estimated sleep onset, the probability of the state
#: is a further factor.
STATE_FACTOR: Final = {"hypnogram": 1.0, "accelerometer": 0.9, "unknown": 0.7}
#: Factor of the smallest train or series of a pattern [E].
MIN_TRAIN_FACTOR: Final = 0.75
#: Increase of that factor with each additional member [E].
FACTOR_PER_MEMBER: Final = 0.06
#: Members of the smallest train, from which additional members are counted.
_MIN_MEMBERS: Final = 4
#: Factor of a sleep start outside its core duration [E].
OUTSIDE_CORE_FACTOR: Final = 0.85
#: Labels that do not depend on the sleep state.
STATE_INDEPENDENT_LABELS: Final = (
    "posture_change", "gross_movement", "tremor_like", "alma_like", "high_freq_leg_movement",
    "isolated_leg_movement", "short_interval_leg_movement", "leg_movement",
    "periodic_leg_movement_like", "hiccup_like", "repetitive_violent_jerks",
)  # fmt: skip
#: Smallest probability of an alternative label that is reported.
_MIN_ALTERNATIVE: Final = 0.05
#: Pattern of the train behind each label.
_PATTERN_OF_LABEL: Final = {
    "tremor_like": "tremor", "alma_like": "alma", "hypnagogic_foot_tremor_like": "foot",
    "high_freq_leg_movement": "fast", "periodic_leg_movement_like": "plm",
    "hiccup_like": "hiccup", "repetitive_violent_jerks": "violent",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class LabelConfidence:
    """Confidence factor and alternative labels of each event.

    Attributes
    ----------
    factor : ndarray of float64, shape (events,)
        Factor on the column ``confidence``.
    alternatives : list of list of (str, float)
        Other labels of each event with their probabilities; NaN without one.
    """

    factor: Floats
    alternatives: list[list[tuple[str, float]]]


def label_confidence(
    events: pd.DataFrame,
    context: Context,
    settings: Settings,
    features: LabelFeatures,
    labels: Objects,
) -> LabelConfidence:
    """Compute the confidence factor and the alternatives of each label.

    Parameters
    ----------
    events : DataFrame
        Event table with ``context``.
    context : Context
        Sleep and wake of the recording.
    settings : Settings
        Context windows and core duration of sleep starts.
    features : LabelFeatures
        Inputs of the label rules.
    labels : ndarray of object, shape (events,)
        Label of each event.

    Returns
    -------
    LabelConfidence
    """
    probability = state_probabilities(events, context, settings)
    source = "hypnogram" if context.hypnogram is not None else context.onset.source
    factor = np.full(len(events), STATE_FACTOR.get(source, STATE_FACTOR["accelerometer"]))
    factor[features.context == "unknown"] = STATE_FACTOR["unknown"]
    depends = ~np.isin(labels, STATE_INDEPENDENT_LABELS)
    depends &= ~features.is_kind("brief_contraction")
    alternatives: list[list[tuple[str, float]]] = [[] for _ in range(len(events))]
    if probability is not None:
        by_state = depends & np.isin(features.kind, list(LABELS_BY_STATE))
        for row in np.flatnonzero(by_state).tolist():
            names = _labels_by_state(features, row)
            total = dict.fromkeys(names, 0.0)
            for name, p in zip(names, probability[row], strict=True):
                total[name] += float(p)
            if labels[row] in total:
                factor[row] *= total[labels[row]]
            alternatives[row] = [
                (n, p) for n, p in total.items() if n != labels[row] and p >= _MIN_ALTERNATIVE
            ]
    factor[~depends] = 1.0
    counts = features.train_counts
    for label, pattern in _PATTERN_OF_LABEL.items():
        here = labels == label
        count = counts.get(pattern)
        if label == "high_freq_leg_movement" and "foot" in counts:
            count = counts["foot"] if count is None else np.maximum(count, counts["foot"])
        if here.any() and count is not None:
            additional = np.maximum(0, count[here] - _MIN_MEMBERS)
            factor[here] *= np.minimum(1.0, MIN_TRAIN_FACTOR + FACTOR_PER_MEMBER * additional)
    core = [ms / 1000 for ms in settings.labels.start_core_ms]
    length = events["duration"].to_numpy(np.float64)
    outside = (labels == "sleep_start") & ~((length >= core[0]) & (length <= core[1]))
    factor[outside] *= OUTSIDE_CORE_FACTOR
    # sleep starts in quick succession keep both names: the series decides the label
    may_start = (labels == "repetitive_violent_jerks") & is_sleep_start(features)
    for row in np.flatnonzero(may_start).tolist():
        p = float("nan") if probability is None else float(probability[row, 1])
        alternatives[row] = [*alternatives[row], ("sleep_start", p)]
    for row in np.flatnonzero(features.recurring).tolist():
        alternatives[row] = [*alternatives[row], ("periodic_leg_movement_like", float("nan"))]
    return LabelConfidence(factor, alternatives)


def _labels_by_state(features: LabelFeatures, row: int) -> tuple[str, str, str]:
    """Return the labels of an event in wake, around sleep onset, and asleep."""
    in_wake, falling, asleep = LABELS_BY_STATE[str(features.kind[row])]
    if features.kind[row] == "twitch" and features.active_wake[row]:
        in_wake = "voluntary_or_unclassified"
    if features.kind[row] == "jerk" and (
        not features.sleep_start_duration[row] or features.in_volley[row]
    ):
        falling = asleep  # not a sleep start in any state
    return in_wake, falling, asleep


def state_probabilities(
    events: pd.DataFrame, context: Context, settings: Settings
) -> Floats | None:
    """Return the probabilities of wake, around sleep onset, and asleep.

    Sleep onset has a piecewise linear cumulative distribution over its estimated range:
    0 at the earliest time, 0.5 at the estimate, 1 at the latest time [E]. Outside that
    range, widened by the context windows, the event's own context has probability 1
    (and unknown context leaves all three at 0). So has a context that does not follow from the
    onset alone: an awakening soon after it, or sleep before it that is too short.

    Parameters
    ----------
    events : DataFrame
        Columns ``onset`` (s) and ``context``.
    context : Context
        Sleep and wake of the recording.
    settings : Settings
        ``context.drowsy_min`` and ``context.onset_min``.

    Returns
    -------
    ndarray of float64, shape (events, 3), or None
        None if sleep onset is not an estimate.
    """
    onset = context.onset
    if onset.source != "accelerometer" or onset.time_s is None:
        return None
    low, high = onset.low_s, onset.high_s
    assert low is not None
    assert high is not None
    times = events["onset"].to_numpy(np.float64)
    drowsy_s = 60 * settings.context.drowsy_min
    window_s = 60 * settings.context.onset_min

    def cdf(t: Floats) -> Floats:
        """Return the probability that sleep had begun by each time."""
        knots = [min(low, onset.time_s or low), onset.time_s or low, high]
        return np.asarray(np.interp(t, knots, [0.0, 0.5, 1.0], left=0.0, right=1.0))

    wake = 1 - cdf(times + drowsy_s)
    asleep = cdf(times - window_s)
    probability = np.stack([wake, 1 - wake - asleep, asleep], axis=1)
    where = events["context"].to_numpy(object)
    outside = (times > high + window_s) | (times < low - drowsy_s)
    by_onset = np.select(
        [times < onset.time_s + by_s for by_s in (-drowsy_s, 0.0, window_s)],
        ["wake", "drowsy", "sleep_onset"],
        "asleep",
    )
    outside |= (where != by_onset) & (where != "unknown")
    own = np.stack(
        [where == "wake", np.isin(where, ("drowsy", "sleep_onset")), where == "asleep"], 1
    )
    probability[outside] = own[outside]
    return probability
