"""The jerk rule: whether a burst moved the leg as a jerk does, and the grade of the jerk.

Every limit is a setting (`JerkSettings`); all are provisional, since no limit for the leg has
been published (docs/definitions.md, Jerks). The jerk model (`classify`) decides whether the burst
or a simultaneous bump moved the leg.
"""

from __future__ import annotations

from typing import Final

from twitchsense.detect.burst_limits import MS, min_amplitude_uv
from twitchsense.detect.sensor_queries import AccResponse
from twitchsense.model.candidates import Burst
from twitchsense.settings import JerkSettings, Settings

#: Maximum share of the power below the burst band in a jerk; a greater share is the motion of a
#: cable. Jerks have less than half of this share [E].
MAX_LOW_FREQUENCY_SHARE: Final = 0.8
#: Minimum impulse of a strong burst, µV·s. A strong burst moved the leg if movement begins within
#: `STRONG_LAG_MS` of its onset, even if a bump came before [E, docs/accuracy.md].
STRONG_IMPULSE_UVS: Final = 10.0
#: Maximum time from the onset of a strong burst to the onset of the movement, ms [E].
STRONG_LAG_MS: Final = 200.0


def moved_leg(burst: Burst, response: AccResponse | None, rule: JerkSettings) -> bool:
    """Whether the leg responded to a burst as it does to a jerk.

    Parameters
    ----------
    burst : Burst
    response : AccResponse or None
        The strongest movement around the burst; None without an accelerometer.
    rule : JerkSettings

    Returns
    -------
    bool
    """
    if response is None or burst.low_frequency_share > MAX_LOW_FREQUENCY_SHARE:
        return False
    lag_ms = (response.onset_ns - burst.onset_ns) / MS
    strong = impulse_uvs(burst) >= STRONG_IMPULSE_UVS
    in_time = -rule.lead_ms <= lag_ms <= rule.lag_ms or (strong and lag_ms <= STRONG_LAG_MS)
    return (
        response.peak_g >= rule.min_g
        and response.jerk_g_s >= rule.min_jerk_g_s
        and in_time
        and (response.offset_ns - response.onset_ns) / 1e9 <= rule.max_episode_s
    )


def within_jerk_limits(burst: Burst, turn_deg: float, settings: Settings) -> bool:
    """Whether the burst itself is within the limits of a jerk.

    Parameters
    ----------
    burst : Burst
    turn_deg : float
        Greatest turn of the leg around the burst, degrees.
    settings : Settings

    Returns
    -------
    bool
    """
    rule = settings.jerk
    return (
        rule.min_ms <= burst.duration_s * 1000 <= rule.max_ms
        and burst.rise_ms <= rule.max_rise_ms
        and burst.amplitude_uv >= min_amplitude_uv(burst, settings.twitch)
        and impulse_uvs(burst) >= rule.min_impulse_uvs
        and turn_deg < rule.max_turn_deg
        and not burst.saturated
    )


def impulse_uvs(burst: Burst) -> float:
    """Return the impulse of a burst, µV·s: its amplitude times the duration of its activity.

    Parameters
    ----------
    burst : Burst

    Returns
    -------
    float
        In µV·s.
    """
    return burst.amplitude_uv * burst.active_s


def jerk_grade(peak_g: float, jerk_g_s: float, rule: JerkSettings) -> str:
    """Return the grade of a jerk.

    Parameters
    ----------
    peak_g, jerk_g_s : float
        Peak of the dynamic acceleration (g) and of its rate of change (g/s).
    rule : JerkSettings

    Returns
    -------
    str
        ``mild``, ``moderate`` or ``violent``.
    """
    if peak_g >= rule.violent_g or jerk_g_s >= rule.violent_jerk_g_s:
        return "violent"
    return "moderate" if peak_g >= rule.moderate_g else "mild"
