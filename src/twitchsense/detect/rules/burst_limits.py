"""Artefact rules for a single burst, and its limits of duration and amplitude."""

from __future__ import annotations

from typing import Final

from twitchsense.model.candidates import Burst
from twitchsense.settings import Settings, TwitchSettings

#: Nanoseconds in a millisecond.
MS: Final = 1_000_000
#: Maximum share of the power below the burst band in muscle activity (docs/definitions.md, ECG and
#: artefacts).
MAX_LOW_FREQUENCY_SHARE: Final = 0.5
#: Share of the power on the mains lines above which a burst is mains hum.
MAX_MAINS_SHARE: Final = 0.5
#: Probability above which a burst is rejected as an electrode artefact; it is high because these
#: are rarer than muscle activity [E].
MAX_ELECTRODE_PROBABILITY: Final = 0.9
#: Minimum ratio of peak-to-peak amplitude to noise RMS. Noise alone exceeds a ratio of 9 about once
#: in a night; the limit adds a margin.
MIN_PEAK_TO_FLOOR: Final = 10.0
#: Noise floor (µV) above which only what stands out of steady noise is a short burst (MATPLM).
QUIET_UV: Final = 15.0


def hard_artifact(burst: Burst, settings: Settings) -> str:
    """Return the artefact of a burst that no classifier may overrule, or an empty string.

    Parameters
    ----------
    burst : Burst
    settings : Settings

    Returns
    -------
    str
        ``saturation``, ``noise_floor``, ``mains``, or empty.
    """
    if burst.saturated:
        return "saturation"
    if burst.floor_uv > settings.emg.max_floor_uv:
        return "noise_floor"
    return "mains" if burst.mains_share > MAX_MAINS_SHARE else ""


def short_artifact(burst: Burst, settings: Settings) -> str:
    """Return the same for a short burst, which noise above `QUIET_UV` may hide.

    Parameters
    ----------
    burst : Burst
    settings : Settings

    Returns
    -------
    str
        As `hard_artifact`. The rules of the night overrule ``noise_floor`` where the burst stands
        out of steady noise.
    """
    artifact = hard_artifact(burst, settings)
    return artifact or ("noise_floor" if burst.floor_uv > QUIET_UV else "")


def is_electrode_artifact(burst: Burst) -> bool:
    """Whether a burst has the spectrum or the waveform of an electrode artefact.

    The classifier may overrule this.

    Parameters
    ----------
    burst : Burst

    Returns
    -------
    bool
    """
    return (
        burst.low_frequency_share > MAX_LOW_FREQUENCY_SHARE
        or burst.electrode_probability > MAX_ELECTRODE_PROBABILITY
    )


def limit_reason(burst: Burst, duration_ms: float, settings: Settings) -> str:
    """Return the limit of the definitions that a burst does not meet, or an empty string.

    Parameters
    ----------
    burst : Burst
    duration_ms : float
    settings : Settings

    Returns
    -------
    str
        ``too_short``, ``too_small``, ``weak_contraction``, or empty.
    """
    if duration_ms < min_duration_ms(settings.twitch):
        return "too_short"
    if burst.amplitude_uv < min_amplitude_uv(burst, settings.twitch):
        return "too_small"
    return "weak_contraction" if duration_ms >= settings.movement.min_s * 1000 else ""


def min_duration_ms(rule: TwitchSettings) -> float:
    """Return the minimum measured duration of a burst, ms.

    The error of the measurement (`TwitchSettings.min_slack_ms`) is allowed for: true twitches of
    7 ms measured 3 ms near an SNR of 13 (tuning side of benchmarks/accuracy: 26 of 1954 twitches
    measured less than 5 ms, none less than 3 ms).

    Parameters
    ----------
    rule : TwitchSettings

    Returns
    -------
    float
        In ms.
    """
    return rule.min_ms - rule.min_slack_ms


def max_duration_ms(rule: TwitchSettings) -> float:
    """Return the maximum measured duration of a twitch, ms, with its measurement error.

    Parameters
    ----------
    rule : TwitchSettings

    Returns
    -------
    float
        In ms.
    """
    return rule.max_ms + rule.slack_ms


def min_amplitude_uv(burst: Burst, rule: TwitchSettings) -> float:
    """Return the minimum amplitude of a burst, µV peak to peak.

    The error of the measurement (`TwitchSettings.slack_uv`) and the share of the amplitude that the
    sampling rate hides are allowed for, except where noise alone may reach that amplitude.

    Parameters
    ----------
    burst : Burst
        Its noise floor bounds the tolerance.
    rule : TwitchSettings

    Returns
    -------
    float
        Peak to peak, µV.
    """
    visible_uv = (rule.min_uv - rule.slack_uv) * burst.visible_share
    lowered = max(visible_uv, MIN_PEAK_TO_FLOOR * burst.floor_uv)
    return min(rule.min_uv, lowered)
