"""Features of an epoch from which the probability of sleep is estimated, by name.

All features compare an epoch with the minutes before and after it, or with the same night within
90 min, so that neither the sensor's noise, the resting heart rate nor the mounting matters, and a
recording of a week is treated as seven nights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.per_second import PerSecond
from twitchsense.settings import ContextSettings
from twitchsense.sleep.heart_rate import HeartRate
from twitchsense.sleep.inactivity import BINS_PER_EPOCH, EPOCH_S, EpochGrid, LegMotion

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
_TONE: Final = (
    FeatureInfo("tone", "log", "median EMG level over the lowest 5 % within 90 min", -1),
    FeatureInfo("tone_before_10", "log", "the same, mean of the last 10 min"),
    FeatureInfo("tone_after_10", "log", "the same, mean of the next 10 min", -1),
    FeatureInfo("tone_fall_10", "log", "mean of the last 10 min over that of the next 10"),
    FeatureInfo("tone_fall_30", "log", "mean of the last 30 min over that of the next 30"),
    FeatureInfo("active_before_10", "share", "muscle activity in the last 10 min"),
    FeatureInfo("active_after_10", "share", "muscle activity in the next 10 min", -1),
)
_HEART: Final = (
    FeatureInfo("heart_rate", "1/min", "heart rate (5 min) over the lowest decile", -1),
    FeatureInfo("heart_fall_5", "1/min", "mean of the last 5 min minus the next 5"),
    FeatureInfo("heart_fall_15", "1/min", "mean of the last 15 min minus the next 15"),
    FeatureInfo("heart_after_30", "1/min", "mean of the next 30 min over the lowest decile", -1),
    FeatureInfo("heart_spread", "1/min", "standard deviation of the epochs within 5 min", -1),
    FeatureInfo("rmssd", "log", "RMSSD (5 min) over the median within 90 min"),
    FeatureInfo("rmssd_rise_15", "log", "mean of the next 15 min over the last 15"),
)
_RESPIRATION: Final = (
    FeatureInfo("regularity", "log", "regularity of respiration (5 min) minus the median"),
    FeatureInfo("regularity_level", "log", "regularity of respiration, mean of 10 min"),
    FeatureInfo("regularity_rise_10", "log", "mean of the next 10 min minus the last 10"),
    FeatureInfo("regularity_rise_30", "log", "mean of the next 30 min minus the last 30"),
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


#: Signals whose fall marks sleep onset: where the contrast between the minutes before and after is
#: largest, and how large. The signals of the groups, in order.
_CONTRASTS: Final = {
    "motion": _contrast_info("moving", "movements") + _contrast_info("activity", "activity"),
    "tone": _contrast_info("tone", "muscle tone"),
    "heart": _contrast_info("heart", "heart rate") + _contrast_info("tension", "minus log RMSSD"),
    "respiration": _contrast_info("irregularity", "minus regularity"),
}
#: Groups of features, by the signal that they need.
FEATURE_GROUPS: Final = {
    "motion": _MOTION + _LEG_MOVEMENTS + _CONTRASTS["motion"],
    "tone": _TONE + _CONTRASTS["tone"],
    "heart": _HEART + _CONTRASTS["heart"],
    "respiration": _RESPIRATION + _CONTRASTS["respiration"],
}
#: Names of the columns of a feature table.
SLEEP_FEATURES: Final = tuple(f.name for group in FEATURE_GROUPS.values() for f in group)


def epoch_features(
    motion: LegMotion,
    events: pd.DataFrame,
    emg: Sequence[PerSecond],
    heart: HeartRate,
    regularity: Floats,
    settings: ContextSettings,
) -> Floats:
    """Compute the features of each epoch.

    Parameters
    ----------
    motion : LegMotion
        Motion of the leg, leg events masked.
    events : DataFrame
        Columns ``onset`` and ``trial_type``; of the masked events only leg movements are used,
        so that jerks and twitches around sleep onset do not move it.
    emg : sequence of PerSecond
        Per-second statistics of the EMG channels; may be empty.
    heart : HeartRate
        Heart rate of each epoch; NaN where it is not visible.
    regularity : ndarray of float64, shape (epochs,)
        From `twitchsense.sleep.respiration.measure_regularity`.
    settings : ContextSettings
        ``quiet_g`` and ``still_deg``.

    Returns
    -------
    ndarray of float64, shape (epochs, features)
        Columns `SLEEP_FEATURES`; NaN unknown.
    """
    columns = {
        **_motion_features(motion, settings),
        **_leg_movement_features(motion, events),
        **_tone_features(emg, motion.grid),
        **_heart_features(heart),
        **_respiration_features(regularity),
    }
    falling = {
        "moving": np.fmax(columns["moving"], columns["leg_movement"]),
        "activity": np.clip(columns["activity"], 0.0, MAX_ACTIVITY),
        "tone": columns["tone"],
        "heart": heart.rate_bpm,
        "tension": -_log(heart.rmssd_ms),
        "irregularity": -regularity,
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


def _tone_features(emg: Sequence[PerSecond], grid: EpochGrid) -> dict[str, Floats]:
    tone, active = np.full(grid.n, np.nan), np.full(grid.n, np.nan)
    for seconds in emg:
        usable = seconds.valid & (seconds.level > 0)
        epoch = np.floor(seconds.middle_s[usable] / EPOCH_S).astype(np.int64) - grid.first
        table = pd.DataFrame(
            {"level": seconds.level[usable], "active": seconds.active_fraction[usable]}
        ).groupby(epoch)
        level = np.log(table["level"].median().reindex(range(grid.n)).to_numpy(np.float64))
        share = table["active"].mean().reindex(range(grid.n)).to_numpy(np.float64)
        tone = np.fmax(tone, level - _reference(level, 0.05))
        active = np.fmax(active, share)
    return {
        "tone": tone,
        "tone_before_10": mean_before(tone, 10),
        "tone_after_10": mean_after(tone, 10),
        "tone_fall_10": mean_before(tone, 10) - mean_after(tone, 10),
        "tone_fall_30": mean_before(tone, 30) - mean_after(tone, 30),
        "active_before_10": mean_before(active, 10),
        "active_after_10": mean_after(active, 10),
    }


def _heart_features(heart: HeartRate) -> dict[str, Floats]:
    rate = heart.rate_bpm
    now = _mean_around(rate, 5)
    lowest = _reference(now, 0.1)
    square = _mean_around(np.square(rate), 5) - np.square(now)
    log_rmssd = _log(heart.rmssd_ms)
    rmssd = _mean_around(log_rmssd, 5)
    return {
        "heart_rate": now - lowest,
        "heart_fall_5": mean_before(rate, 5) - mean_after(rate, 5),
        "heart_fall_15": mean_before(rate, 15) - mean_after(rate, 15),
        "heart_after_30": mean_after(rate, 30) - lowest,
        "heart_spread": np.sqrt(np.maximum(square, 0.0)),
        "rmssd": rmssd - _reference(rmssd, 0.5),
        "rmssd_rise_15": mean_after(log_rmssd, 15) - mean_before(log_rmssd, 15),
    }


def _respiration_features(regularity: Floats) -> dict[str, Floats]:
    now = _mean_around(regularity, 5)
    return {
        "regularity": now - _reference(now, 0.5),
        "regularity_level": _mean_around(regularity, 10),
        "regularity_rise_10": mean_after(regularity, 10) - mean_before(regularity, 10),
        "regularity_rise_30": mean_after(regularity, 30) - mean_before(regularity, 30),
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
    at = windows.argmax(axis=1)
    largest = padded[np.arange(n) + at]
    known = np.isfinite(largest)
    since = np.where(known, (reach - at) * EPOCH_S / 60, np.nan)
    return since, np.where(known, largest, np.nan)


def _log(values: Floats) -> Floats:
    """Return the logarithm; NaN for 0."""
    return np.log(np.where(values > 0, values, np.nan))


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


def _mean_around(values: Floats, minutes: float) -> Floats:
    half = round(minutes * 60 / EPOCH_S / 2)
    return _window_mean(values, half, half)


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
