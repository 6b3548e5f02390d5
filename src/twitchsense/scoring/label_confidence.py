"""How sure a label is: the margin of its rule, and the certainty of the context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.scoring.label_features import Marks
from twitchsense.settings import Settings
from twitchsense.sleep.tagging import Context

Floats = NDArray[np.float64]
Objects = NDArray[np.object_]

#: Factors on `confidence` for labels that rest on sleep or wake [E]: by a hypnogram;
#: by the accelerometer; unknown. Within the range of an estimated sleep onset the
#: probability of the state is a further factor.
CERTAINTY: Final = {"hypnogram": 1.0, "accelerometer": 0.9, "unknown": 0.7}
#: A train or series of the fewest that make one, and for each one more [E].
LEAST_TRAIN, MORE = 0.75, 0.06
#: A sleep start outside its core duration [E].
OUTSIDE_CORE: Final = 0.85
#: Labels that are the same in every context.
ANYWHERE: Final = (
    "posture_change", "gross_movement", "tremor_like", "alma_like", "high_freq_leg_movement",
    "isolated_leg_movement", "short_interval_leg_movement", "leg_movement",
    "periodic_leg_movement_like", "hiccup_like", "repetitive_violent_jerks",
)  # fmt: skip
#: What a kind is called awake, falling asleep, asleep.
BY_STATE: Final = {
    "twitch": ("fasciculation_like", "hypnagogic_twitch", "fragmentary_myoclonus_like"),
    "jerk": ("myoclonic_jerk_awake", "sleep_start", "myoclonic_jerk_asleep"),
}
#: Less likely than this is not worth a word.
_WORTH: Final = 0.05
_TRAIN_OF: Final = {
    "tremor_like": "tremor", "alma_like": "alma", "hypnagogic_foot_tremor_like": "foot",
    "high_freq_leg_movement": "fast", "periodic_leg_movement_like": "plm",
    "hiccup_like": "hiccup", "repetitive_violent_jerks": "violent",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Certainty:
    """Of each label: a factor on its confidence, and what it may be instead."""

    factor: Floats
    others: list[list[tuple[str, float]]]


def weigh(
    events: pd.DataFrame, context: Context, settings: Settings, marks: Marks, labels: Objects
) -> Certainty:
    """Weigh the labels of a tagged event table."""
    chance = state_chances(events, context, settings)
    source = "hypnogram" if context.hypnogram is not None else context.onset.source
    factor = np.full(len(events), CERTAINTY.get(source, CERTAINTY["accelerometer"]))
    factor[marks.where == "unknown"] = CERTAINTY["unknown"]
    bound = ~np.isin(labels, ANYWHERE) & ~marks.is_kind("brief_contraction")
    others: list[list[tuple[str, float]]] = [[] for _ in range(len(events))]
    if chance is not None:
        for row in np.flatnonzero(bound & np.isin(marks.kind, list(BY_STATE))).tolist():
            names = _names(marks, row)
            told = dict.fromkeys(names, 0.0)
            for name, p in zip(names, chance[row], strict=True):
                told[name] += float(p)
            if labels[row] in told:
                factor[row] *= told[labels[row]]
            others[row] = [(n, p) for n, p in told.items() if n != labels[row] and p >= _WORTH]
    factor[~bound] = 1.0
    for label, pattern in _TRAIN_OF.items():
        here = labels == label
        count = marks.counts.get(pattern)
        if label == "high_freq_leg_movement" and "foot" in marks.counts:
            count = (
                marks.counts["foot"] if count is None else np.maximum(count, marks.counts["foot"])
            )
        if here.any() and count is not None:
            factor[here] *= np.minimum(1.0, LEAST_TRAIN + MORE * np.maximum(0, count[here] - 4))
    core = [ms / 1000 for ms in settings.labels.start_core_ms]
    length = events["duration"].to_numpy(np.float64)
    outside = (labels == "sleep_start") & ~((length >= core[0]) & (length <= core[1]))
    factor[outside] *= OUTSIDE_CORE
    recurs = [("periodic_leg_movement_like", float("nan"))]
    for row in np.flatnonzero(marks.recurs).tolist():
        others[row] = others[row] + recurs
    return Certainty(factor, others)


def _names(marks: Marks, row: int) -> tuple[str, str, str]:
    awake, falling, asleep = BY_STATE[str(marks.kind[row])]
    if marks.kind[row] == "twitch" and marks.active[row]:
        awake = "voluntary_or_unclassified"
    if marks.kind[row] == "jerk" and (not marks.start_like[row] or marks.volley[row]):
        falling = asleep  # falling asleep or not, this is no sleep start
    return awake, falling, asleep


def state_chances(events: pd.DataFrame, context: Context, settings: Settings) -> Floats | None:
    """Return the chances of awake, falling asleep, asleep, shape ``(events, 3)``.

    From the range of an estimated sleep onset: the onset itself is taken as its
    middle value, its ends as the extremes, with straight lines between [E].
    None if the onset is not an estimate. Events in unknown context, and those
    that wake after sleep onset sets apart, have no chances of their own: the
    state they are in has all.
    """
    onset = context.onset
    if onset.source != "accelerometer" or onset.time_s is None:
        return None
    low, high = onset.low_s, onset.high_s
    assert low is not None
    assert high is not None
    times = events["onset"].to_numpy(np.float64)
    drowsy, settle = 60 * settings.context.drowsy_min, 60 * settings.context.onset_min

    def slept(t: Floats) -> Floats:
        """Return the chance that sleep had begun by then."""
        knots = [min(low, onset.time_s or low), onset.time_s or low, high]
        return np.asarray(np.interp(t, knots, [0.0, 0.5, 1.0], left=0.0, right=1.0))

    awake, asleep = 1 - slept(times + drowsy), slept(times - settle)
    chance = np.stack([awake, 1 - awake - asleep, asleep], axis=1)
    where = events["context"].to_numpy(object)
    # far from the first onset the context is that of its own hour
    far = (times > high + settle) | (times < low - drowsy)
    own = np.stack(
        [where == "wake", np.isin(where, ("drowsy", "sleep_onset")), where == "asleep"], 1
    )
    chance[far] = own[far]
    return chance
