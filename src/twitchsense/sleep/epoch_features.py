"""Features of an epoch from which the probability of sleep is estimated, by name.

All features compare an epoch with the minutes before and after it, or with the same night within
90 min, so that neither the sensor's noise nor its mounting matters, and a recording of a week is
treated as seven nights. Muscle tone, heart rate and respiration are not among them: models that
used them failed on nights of a composer that they did not know (docs/sleep-context.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.settings import ContextSettings
from twitchsense.sleep.inactivity import BINS_PER_EPOCH, EPOCH_S, LegMotion

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Half the width (epochs) of the window that gives the reference of a night.
REFERENCE_EPOCHS: Final = 180
#: Activity above the noise of the sensor (ratio) that is a movement [E].
MOVING_RATIO: Final = 1.5
#: Change of orientation that is a movement, degrees [E].
MOVING_DEG: Final = 1.0
#: Largest activity (log ratio) that the contrasts distinguish: a turn is not worth ten.
MAX_ACTIVITY: Final = 3.0
#: Smallest variance of a contrast, in the squared unit of the signal.
MIN_VARIANCE: Final = 1e-4
#: Longest time to the nearest movement that is distinguished, min.
MAX_MIN: Final = 90.0


@dataclass(frozen=True, slots=True)
class FeatureInfo:
    """Name, unit and meaning of a feature, and the direction in which it speaks for sleep."""

    name: str
    unit: str
    meaning: str
    direction: int = 0


_MOTION: Final = (
    FeatureInfo("activity", "log", "activity over the lowest decile within 90 min", -1),
    FeatureInfo("activity_before_5", "log", "the same, mean of the last 5 min", -1),
    FeatureInfo("activity_after_5", "log", "the same, mean of the next 5 min", -1),
    FeatureInfo("activity_before_20", "log", "the same, mean of the last 20 min", -1),
    FeatureInfo("activity_after_20", "log", "the same, mean of the next 20 min", -1),
    FeatureInfo("since_movement", "log min", "time since the last movement", 1),
    FeatureInfo("until_movement", "log min", "time until the next movement", 1),
    FeatureInfo("since_large", "log min", "time since the last large movement", 1),
    FeatureInfo("until_large", "log min", "time until the next large movement", 1),
    FeatureInfo("moving_before_10", "share", "epochs of the last 10 min with movement", -1),
    FeatureInfo("moving_after_10", "share", "epochs of the next 10 min with movement", -1),
    FeatureInfo("moving_before_30", "share", "epochs of the last 30 min with movement"),
    FeatureInfo("moving_after_30", "share", "epochs of the next 30 min with movement", -1),
    FeatureInfo("moving_after_60", "share", "epochs of the next 60 min with movement"),
)
_LEG_MOVEMENTS: Final = (
    FeatureInfo("since_leg_movement", "log min", "time since the last leg movement"),
    FeatureInfo("until_leg_movement", "log min", "time until the next leg movement"),
    FeatureInfo("leg_movements_before_10", "share", "epochs of the last 10 min with leg movement"),
    FeatureInfo("leg_movements_after_10", "share", "epochs of the next 10 min with leg movement"),
    FeatureInfo("leg_movements_after_30", "share", "epochs of the next 30 min with leg movement"),
)
#: Lengths (min) of the windows before and after an epoch that are contrasted.
CONTRAST_MIN: Final = (8, 20)


def _contrast_info(signal: str, meaning: str) -> tuple[FeatureInfo, ...]:
    """Describe the features of a fall of a signal."""
    return tuple(
        info
        for width in CONTRAST_MIN
        for info in (
            FeatureInfo(f"{signal}_contrast_{width}", "SD", f"fall of {meaning} over {width} min"),
            FeatureInfo(f"{signal}_since_{width}", "min", "time since its largest fall, signed"),
            FeatureInfo(f"{signal}_largest_{width}", "SD", "its largest fall within 90 min"),
        )
    )


#: Features of a table, in the order of its columns. The fall of a signal marks sleep onset.
FEATURES: Final = (
    _MOTION
    + _LEG_MOVEMENTS
    + _contrast_info("moving", "movements")
    + _contrast_info("activity", "activity")
)
#: Names of the columns of a feature table.
SLEEP_FEATURES: Final = tuple(f.name for f in FEATURES)


def epoch_features(motion: LegMotion, events: pd.DataFrame, settings: ContextSettings) -> Floats:
    """Compute the features of each epoch.

    Parameters
    ----------
    motion : LegMotion
        Motion of the leg, leg events masked.
    events : DataFrame
        Columns ``onset`` and ``trial_type``; of the masked events only leg movements are used,
        so that jerks and twitches around sleep onset do not move it.
    settings : ContextSettings
        ``quiet_g`` and ``still_deg``.

    Returns
    -------
    ndarray of float64, shape (epochs, features)
        Columns `SLEEP_FEATURES`; NaN unknown.
    """
    columns = _motion_features(motion, settings) | _leg_movement_features(motion, events)
    falling = {
        "moving": np.fmax(columns["moving"], columns["leg_movement"]),
        "activity": np.clip(columns["activity"], 0.0, MAX_ACTIVITY),
    }
    for signal, values in falling.items():
        columns |= _contrast_features(signal, values)
    return np.column_stack([columns[name] for name in SLEEP_FEATURES])


def _motion_features(motion: LegMotion, settings: ContextSettings) -> dict[str, Floats]:
    activity = np.log(np.maximum(motion.activity, 1e-6))
    activity = activity - _reference(activity, 0.1)
    turn = _max_per_epoch(motion.angle_change_deg)
    known = ~np.isnan(motion.activity)
    moving = (activity > np.log(MOVING_RATIO)) | (turn > MOVING_DEG)
    large = (motion.activity >= settings.quiet_g) | (turn > settings.still_deg)
    share = np.where(known, moving.astype(np.float64), np.nan)
    return {
        "moving": share,
        "activity": activity,
        "activity_before_5": mean_before(activity, 5),
        "activity_after_5": mean_after(activity, 5),
        "activity_before_20": mean_before(activity, 20),
        "activity_after_20": mean_after(activity, 20),
        "since_movement": _minutes_since(moving),
        "until_movement": _minutes_since(moving[::-1])[::-1],
        "since_large": _minutes_since(large),
        "until_large": _minutes_since(large[::-1])[::-1],
        "moving_before_10": mean_before(share, 10),
        "moving_after_10": mean_after(share, 10),
        "moving_before_30": mean_before(share, 30),
        "moving_after_30": mean_after(share, 30),
        "moving_after_60": mean_after(share, 60),
    }


def _leg_movement_features(motion: LegMotion, events: pd.DataFrame) -> dict[str, Floats]:
    onset = events["onset"].to_numpy(np.float64)[(events["trial_type"] == "movement").to_numpy()]
    epoch = np.floor(onset / EPOCH_S).astype(np.int64) - motion.grid.first
    moved = np.zeros(motion.grid.n, bool)
    moved[epoch[(epoch >= 0) & (epoch < motion.grid.n)]] = True
    share = np.where(np.isnan(motion.activity) & ~moved, np.nan, moved.astype(np.float64))
    return {
        "leg_movement": share,
        "since_leg_movement": _minutes_since(moved),
        "until_leg_movement": _minutes_since(moved[::-1])[::-1],
        "leg_movements_before_10": mean_before(share, 10),
        "leg_movements_after_10": mean_after(share, 10),
        "leg_movements_after_30": mean_after(share, 30),
    }


def _contrast_features(signal: str, values: Floats) -> dict[str, Floats]:
    """Return where and how much a signal falls, for each length of `CONTRAST_MIN`."""
    out = {}
    square = np.square(values)
    for width in CONTRAST_MIN:
        before, after = mean_before(values, width), mean_after(values, width)
        variance = mean_before(square, width) - before**2 + mean_after(square, width) - after**2
        contrast = (before - after) / np.sqrt(np.maximum(variance / 2, MIN_VARIANCE))
        since, largest = _largest_within(contrast)
        out[f"{signal}_contrast_{width}"] = np.where(np.isnan(values), np.nan, contrast)
        out[f"{signal}_since_{width}"] = since
        out[f"{signal}_largest_{width}"] = largest
    return out


def _largest_within(values: Floats) -> tuple[Floats, Floats]:
    """Return the signed minutes since the largest value within 90 min, and that value."""
    n, reach = len(values), REFERENCE_EPOCHS
    edge = np.full(reach, -np.inf)
    padded = np.concatenate([edge, np.nan_to_num(values, nan=-np.inf), edge])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    # in blocks, because `argmax` copies the overlapping windows
    blocks = [windows[i : i + reach].argmax(axis=1) for i in range(0, n, reach)]
    at = np.concatenate([np.empty(0, np.int64), *blocks])
    largest = padded[np.arange(n) + at]
    known = np.isfinite(largest)
    since = np.where(known, (reach - at) * EPOCH_S / 60, np.nan)
    return since, np.where(known, largest, np.nan)


def mean_before(values: Floats, minutes: float) -> Floats:
    """Return the mean of the last minutes, the epoch included.

    Parameters
    ----------
    values : ndarray of float64, shape (epochs,)
        NaN unknown.
    minutes : float
        Length of the window.

    Returns
    -------
    ndarray of float64, shape (epochs,)
        NaN where the window holds no value.
    """
    return _window_mean(values, round(minutes * 60 / EPOCH_S) - 1, 0)


def mean_after(values: Floats, minutes: float) -> Floats:
    """Return the mean of the next minutes, without the epoch; otherwise as `mean_before`.

    Parameters
    ----------
    values : ndarray of float64, shape (epochs,)
        NaN unknown.
    minutes : float
        Length of the window.

    Returns
    -------
    ndarray of float64, shape (epochs,)
        NaN where the window holds no value.
    """
    return _window_mean(values, -1, round(minutes * 60 / EPOCH_S))


def _window_mean(values: Floats, before: int, after: int) -> Floats:
    """Return the mean of the values from `before` epochs before to `after` epochs after."""
    n = len(values)
    known = np.concatenate([[0], np.cumsum(~np.isnan(values))])
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])
    first = np.clip(np.arange(n) - before, 0, n)
    stop = np.clip(np.arange(n) + after + 1, first, n)
    count = known[stop] - known[first]
    out: Floats = np.where(count > 0, (total[stop] - total[first]) / np.maximum(count, 1), np.nan)
    return out


def _reference(values: Floats, quantile: float) -> Floats:
    """Return a quantile of the values within 90 min of each epoch."""
    series = pd.Series(values)
    window = series.rolling(2 * REFERENCE_EPOCHS + 1, center=True, min_periods=1)
    return np.asarray(window.quantile(quantile), np.float64)


def _max_per_epoch(bins: Floats) -> Floats:
    """Return the largest known value of the bins of each epoch; 0 without any."""
    return np.asarray(np.nan_to_num(bins).reshape(-1, BINS_PER_EPOCH).max(axis=1), np.float64)


def _minutes_since(moving: Bools) -> Floats:
    """Return log(1 + minutes) since the last movement, at most `MAX_MIN`.

    The start of the recording counts as movement: the sensor has just been put on.
    """
    index = np.arange(len(moving))
    last = np.maximum.accumulate(np.where(moving, index, -1))
    out: Floats = np.log1p(np.minimum((index - last) * EPOCH_S / 60, MAX_MIN))
    return out
