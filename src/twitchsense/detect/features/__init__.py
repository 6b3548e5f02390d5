"""Features of candidates: measurements that the classifiers read, without any decision.

`FEATURES` names every feature once; the cards of the models and the documentation read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Feature(NamedTuple):
    """Unit (empty: dimensionless) and meaning of a feature."""

    unit: str
    meaning: str


_WAVEFORM: Final[Mapping[str, Feature]] = {
    "log_width": Feature("log ms", "width at half height of the largest peak"),
    "log_peak_symmetry": Feature("log", "smaller over larger of the positive and negative peak"),
    "log_low_frequency_share": Feature("log", "share of the power below the burst band"),
    "log_kurtosis": Feature("log", "kurtosis of the samples"),
    "log_power_200_300": Feature("log", "share of the power in 200-300 Hz, noise subtracted"),
    "log_power_300_450": Feature("log", "share of the power in 300-450 Hz, noise subtracted"),
    "slope_1ms": Feature("", "largest change within 1 ms over the peak-to-peak amplitude"),
    "slope_2ms": Feature("", "largest change within 2 ms over the peak-to-peak amplitude"),
    "peak_before": Feature("", "largest deflection 4-16 ms before the peak over the peak"),
    "peak_after": Feature("", "largest deflection 4-16 ms after the peak over the peak"),
    "net_area_ratio": Feature("", "net area over absolute area"),
    "log_main_lobe_width": Feature("log ms", "width of the largest deflection before filtering"),
    "log_frequency": Feature("log Hz", "mean frequency (Hjorth mobility)"),
    "mains_share": Feature("", "share of the power that repeats with the period of the mains"),
    "log_power_60_100": Feature("log", "share of the power in 60-100 Hz, before filtering"),
    "log_power_100_150": Feature("log", "share of the power in 100-150 Hz, before filtering"),
    "log_power_150_220": Feature("log", "share of the power in 150-220 Hz, before filtering"),
    "log_power_above_450": Feature("log", "share of the power above 450 Hz, before filtering"),
    "slope_1_sample": Feature("", "largest change between samples over peak-to-peak amplitude"),
    "log_fs": Feature("log Hz", "sampling rate"),
}

FEATURES: Final[Mapping[str, Feature]] = {
    **_WAVEFORM,
    # a contraction: the same, averaged over its bursts
    **{
        f"mean_{name}": Feature(f.unit, f"mean over bursts: {f.meaning}")
        for name, f in _WAVEFORM.items()
    },
    # surroundings of a burst
    "n_repeats": Feature("count", "repeats of the waveform within 2.5 s, outside contractions"),
    "n_repeats_near": Feature("count", "the same within 0.6 s"),
    "n_large_windows": Feature("count", "25-ms windows half as large or larger within 2.5 s"),
    "n_large_windows_near": Feature("count", "the same within 0.6 s"),
    "interval_cv": Feature("", "coefficient of variation of the intervals between repeats"),
    "rhythmicity": Feature("", "share of the background variance at one rate of 2.5-10 Hz"),
    "rel_p75": Feature("", "upper quartile of the background windows over the amplitude"),
    "log_p75_over_p10": Feature("log", "upper quartile over lowest decile of the background"),
    "n_bursts": Feature("count", "bursts of comparable amplitude within 2.5 s"),
    "n_bursts_near": Feature("count", "the same within 0.6 s"),
    "log_ecg_residual_ratio": Feature("log", "amplitude over the usual residue of removed beats"),
    # the burst or contraction as a whole
    "log_peak_g": Feature("log g", "peak of the dynamic acceleration"),
    "log_duration": Feature("log s", "duration"),
    "log_duration_3ms": Feature("log s", "duration plus 3 ms"),
    "snr_db_clipped": Feature("dB", "peak of the envelope over the noise floor, at most 30 dB"),
    "bursts_per_s": Feature("1/s", "bursts per second of a contraction"),
    "longest_burst_share": Feature("", "longest burst over the duration of a contraction"),
    "active_share": Feature("", "all bursts over the duration of a contraction"),
    # a burst and the response of the leg
    "log_active_s": Feature("log s", "duration of the activity"),
    "log_n_bursts": Feature("log", "number of bursts"),
    "rise_ms": Feature("ms", "onset to half of the envelope's peak"),
    "response_lag_ms": Feature("ms", "onset of the movement after the onset of the burst"),
    "log_peak_g_clipped": Feature("log g", "peak of the acceleration, within 0.1-4 g"),
    "log_jerk_per_g": Feature("log 1/s", "greatest rate of change over peak of the acceleration"),
    "response_s": Feature("s", "duration of the movement, without that of a train of bursts"),
    # recurrence within ten minutes
    "first_stage_log_odds": Feature("log", "log-odds of the burst model"),
    "log_n_similar": Feature("log", "one plus the number of similar waveforms"),
    "similar_probability": Feature("", "mean burst-model probability of these"),
    "log_n_identical": Feature("log", "one plus the number of near-identical waveforms"),
    "identical_probability": Feature("", "mean burst-model probability of these"),
    "minute_muscle_share": Feature("", "expected share of muscle activity within a minute"),
    "log_n_minute_other": Feature("log", "one plus the expected number of others within a minute"),
}
