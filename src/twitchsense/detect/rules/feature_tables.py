"""Feature tables of the classifiers: one row per candidate, one named column per feature.

Detection and training call the same functions. NaN means unknown.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.features.local import NEAR_S, LocalFeatures
from twitchsense.detect.features.waveform import WAVEFORM_FEATURES
from twitchsense.detect.rules.burst_grouping import CONTRACTION_FEATURES
from twitchsense.detect.rules.ecg_rejection import EcgBeats, ratio_to_residual
from twitchsense.detect.rules.jerk_rule import BurstTrain, lag_ms, response_s
from twitchsense.detect.sensors.sensor_queries import AccResponse
from twitchsense.model.candidates import ScoredCandidate
from twitchsense.model.channels import NS
from twitchsense.model.per_second import PerSecond

Floats = NDArray[np.float64]

#: Columns of `jerk_features`.
JERK_FEATURES: Final = (
    "log_n_bursts", "log_active_s", "snr_db_clipped", "rise_ms", "response_lag_ms",
    "log_peak_g_clipped", "log_jerk_per_g", "response_s", *WAVEFORM_FEATURES,
)  # fmt: skip
#: Columns of `burst_features`.
BURST_FEATURES: Final = (
    "n_repeats", "n_repeats_near", "n_large_windows", "n_large_windows_near", "interval_cv",
    "rhythmicity", "rel_p75", "log_p75_over_p10", "n_bursts", "n_bursts_near",
    "log_ecg_residual_ratio", "log_peak_g", "log_duration_3ms", "snr_db_clipped",
    *WAVEFORM_FEATURES,
)  # fmt: skip
#: Columns of `movement_features`.
MOVEMENT_FEATURES: Final = (
    "n_repeats", "rel_p75", "log_duration", "snr_db_clipped", "log_peak_g", *CONTRACTION_FEATURES,
)  # fmt: skip

#: Range of peak acceleration (g) in the jerks and bumps of the training data. Values outside are
#: clipped, because neither end is a limit of the definitions.
TRAINED_RANGE_G: Final = (0.1, 4.0)
#: SNR (dB) above which bursts count as equally large: the size of a clear burst does not say what
#: it is.
MAX_SNR_DB: Final = 30.0
#: Acceleration (g) below which everything is noise.
MIN_G: Final = 0.003
#: Maximum distance (s) of the bursts that ``n_bursts`` counts.
COUNT_S: Final = 2.5
#: Minimum amplitude of the bursts counted, relative to that of the burst described.
COMPARABLE: Final = 0.5
#: Lower bound of the relative background level, so that log ratios stay finite.
MIN_BACKGROUND: Final = 0.01
#: Ratio of the upper quartile to the lowest decile of the windows of pure noise.
NOISE_P75_OVER_P10: Final = 1.4


@dataclass(frozen=True, slots=True)
class NightContext:
    """Data of a leg's night in addition to its candidates.

    Attributes
    ----------
    seconds : mapping of channel to PerSecond
    beats : mapping of EMG channel to EcgBeats
        Heart beats that the ECG canceller removed.
    local : mapping of EMG channel to mapping of int to LocalFeatures
        Activity around each burst, by `Burst.number`.
    """

    seconds: Mapping[str, PerSecond] = field(default_factory=dict)
    beats: Mapping[str, EcgBeats] = field(default_factory=dict)
    local: Mapping[str, Mapping[int, LocalFeatures]] = field(default_factory=dict)

    def local_features(self, candidate: ScoredCandidate) -> LocalFeatures:
        """Return the local features of the burst that stands for a candidate.

        Parameters
        ----------
        candidate : ScoredCandidate

        Returns
        -------
        LocalFeatures

        Raises
        ------
        KeyError
            If the candidate has no burst.
        """
        return self.local[candidate.channel][candidate.burst_number]


def jerk_features(train: BurstTrain, response: AccResponse) -> Floats:
    """Describe bursts and the movement around them.

    Parameters
    ----------
    train : BurstTrain
    response : AccResponse

    Returns
    -------
    ndarray, shape (28,)
        `JERK_FEATURES`.
    """
    burst = train.whole
    return np.array(
        [
            float(np.log(train.n_bursts)),
            float(np.log(max(burst.active_s, 1e-3))),
            min(burst.snr_db, MAX_SNR_DB),
            float(burst.rise_ms),
            lag_ms(train, response),
            float(np.log(np.clip(response.peak_g, *TRAINED_RANGE_G))),
            float(np.log(max(response.jerk_g_s, 1e-3) / max(response.peak_g, 1e-3))),
            response_s(train, response),
            *map(float, burst.waveform_features),
        ]
    )


def burst_features(
    candidates: Sequence[ScoredCandidate], rows: Sequence[int], context: NightContext
) -> Floats:
    """Describe short bursts by their waveform and their surroundings.

    Parameters
    ----------
    candidates : sequence of ScoredCandidate
        All candidates of a leg.
    rows : sequence of int
        The bursts to describe.
    context : NightContext

    Returns
    -------
    ndarray, shape (len(rows), 34)
        `BURST_FEATURES`.
    """
    ecg_ratio = np.log(ratio_to_residual(candidates, context.beats))
    counts = _burst_counts(candidates)
    table = np.empty((len(rows), len(BURST_FEATURES)))
    for row, i in zip(table, rows, strict=True):
        c = candidates[i]
        local = context.local_features(c)
        activity = counts[c.channel]
        p75 = max(local.rel_p75, NOISE_P75_OVER_P10 * MIN_BACKGROUND)
        row[: -len(WAVEFORM_FEATURES)] = (
            local.n_repeats, local.n_repeats_near, local.n_large_windows,
            local.n_large_windows_near, local.interval_cv, local.rhythmicity, local.rel_p75,
            np.log(p75 / max(local.rel_p10, MIN_BACKGROUND)), activity.around(c, COUNT_S),
            activity.around(c, NEAR_S), ecg_ratio[i], _log_g(c), np.log(_duration_s(c) + 0.003),
            min(c.snr_db, MAX_SNR_DB),
        )  # fmt: skip
        row[-len(WAVEFORM_FEATURES) :] = c.features
    return table


def movement_features(
    candidates: Sequence[ScoredCandidate], rows: Sequence[int], context: NightContext
) -> Floats:
    """Describe contractions by their bursts and their surroundings.

    Parameters
    ----------
    candidates : sequence of ScoredCandidate
        All candidates of a leg.
    rows : sequence of int
        The contractions to describe.
    context : NightContext

    Returns
    -------
    ndarray, shape (len(rows), 28)
        `MOVEMENT_FEATURES`.
    """
    table = np.empty((len(rows), len(MOVEMENT_FEATURES)))
    for row, i in zip(table, rows, strict=True):
        c = candidates[i]
        local = context.local_features(c)
        row[: -len(CONTRACTION_FEATURES)] = (
            local.n_repeats, local.rel_p75, np.log(_duration_s(c)), min(c.snr_db, MAX_SNR_DB),
            _log_g(c),
        )  # fmt: skip
        row[-len(CONTRACTION_FEATURES) :] = c.features
    return table


@dataclass(frozen=True, slots=True)
class _ChannelActivity:
    """Onsets (s, ascending) and amplitudes (µV) of the bursts of a channel, ECG left out."""

    onsets: list[float]
    amplitudes: Floats

    def around(self, c: ScoredCandidate, reach_s: float) -> int:
        """Count the bursts around a burst, itself included, that are comparable in size."""
        at = c.onset_ns / NS
        first, last = bisect_left(self.onsets, at - reach_s), bisect_left(self.onsets, at + reach_s)
        return int(np.count_nonzero(self.amplitudes[first:last] >= COMPARABLE * c.amplitude_uv))


def _burst_counts(candidates: Sequence[ScoredCandidate]) -> dict[str, _ChannelActivity]:
    bursts: dict[str, list[ScoredCandidate]] = {}
    for c in candidates:
        if c.has_emg and c.reason != "ecg":
            bursts.setdefault(c.channel, []).append(c)
    found = {}
    for name, members in bursts.items():
        onsets = np.array([c.onset_ns for c in members]) / NS
        order = np.argsort(onsets, kind="stable")
        amplitudes = np.array([c.amplitude_uv for c in members])
        found[name] = _ChannelActivity(onsets[order].tolist(), amplitudes[order])
    return found


def _duration_s(c: ScoredCandidate) -> float:
    return max(c.duration_s, 1e-3)


def _log_g(c: ScoredCandidate) -> float:
    """Return the log of the peak acceleration; NaN without an accelerometer."""
    return float(np.log(np.maximum(c.peak_g, MIN_G)))
