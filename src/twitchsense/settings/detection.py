"""Settings of the detector: bursts, episodes, and the limits of each kind of event."""

from __future__ import annotations

from pydantic import Field

from twitchsense.settings.base import FrozenModel


class EmgSettings(FrozenModel):
    """Detection of EMG bursts in the 20-450 Hz band."""

    open_k: float = Field(
        6.0, gt=0, description="a burst opens at the noise floor plus this many robust SDs [C]"
    )
    noise_p: float = Field(
        1e-9,
        gt=0,
        lt=0.01,
        description="greatest probability that noise exceeds the opening threshold in one window",
    )
    close_k: float = Field(
        3.0, gt=0, description="a burst closes at the noise floor plus this many robust SDs [C]"
    )
    bridge_ms: float = Field(20.0, ge=0, description="longest gap bridged within a burst, ms [E]")
    floor_s: float = Field(60.0, gt=1, description="memory of the noise floor, s [E]")
    floor_quantile: float = Field(
        0.25,
        gt=0,
        lt=1,
        description="quantile of the per-second medians in the memory that is the noise floor; "
        "low, so that activity does not raise it [E]",
    )
    least_sd_uv: float = Field(
        0.1, gt=0, description="lower bound of the robust SD, for coarse converters, µV [E]"
    )
    max_floor_uv: float = Field(
        30.0, gt=0, description="highest noise floor of a valid signal, µV (S-PLMAD, Moore 2014)"
    )
    flat_uv: float = Field(
        0.05, ge=0, description="an RMS below this over 1 s is a flat line, µV [E]"
    )


class AccSettings(FrozenModel):
    """Detection of movement in the dynamic acceleration (0.5-40 Hz, vector magnitude)."""

    open_k: float = Field(
        8.0, gt=0, description="an episode opens at the noise floor plus this many robust SDs [C]"
    )
    close_k: float = Field(
        4.0, gt=0, description="an episode closes at the noise floor plus this many robust SDs [E]"
    )
    open_g: float = Field(
        0.015, gt=0, description="lowest opening threshold, g (ankle movement, Sicbaldi 2025)"
    )
    cap_g: float = Field(
        0.05, gt=0, description="highest opening threshold, g (MotionWatch still limit)"
    )
    bridge_ms: float = Field(
        300.0, ge=0, description="longest gap bridged within an episode, ms [E]"
    )
    floor_s: float = Field(60.0, gt=1, description="memory of the noise floor, s [E]")


class TwitchSettings(FrozenModel):
    """Limits of a twitch."""

    min_ms: float = Field(5.0, ge=0, description="shortest duration, ms [E]")
    min_slack_ms: float = Field(
        2.0,
        ge=0,
        description="amount by which a measured duration may fall below it, ms: the edges of a "
        "weak burst lie in the noise (docs/detection.md) [C]",
    )
    max_ms: float = Field(
        150.0, gt=0, description="longest duration, ms (fragmentary myoclonus, AASM)"
    )
    slack_ms: float = Field(
        15.0,
        ge=0,
        description="amount by which a measured duration may exceed it, ms (docs/detection.md) [C]",
    )
    min_uv: float = Field(
        50.0, ge=0, description="smallest peak-to-peak amplitude, µV (van der Heijden 1994)"
    )
    slack_uv: float = Field(
        5.0,
        ge=0,
        description="amount by which a measured amplitude may fall below it, µV "
        "(docs/detection.md) [C]",
    )
    max_turn_deg: float = Field(
        10.0, gt=0, description="turn of the leg from which on it is a movement, degrees [E]"
    )


class JerkSettings(FrozenModel):
    """Limits of a jerk. No published limit for the leg exists: all are [E], provisional."""

    min_ms: float = Field(
        5.0,
        ge=0,
        description="shortest EMG burst, ms: the compound potential of a nerve's volley",
    )
    max_ms: float = Field(300.0, gt=0, description="longest EMG burst, ms; a jerk may have several")
    min_impulse_uvs: float = Field(
        0.3,
        ge=0,
        description="smallest product of peak-to-peak amplitude and EMG duration, µV·s; less "
        "cannot move the leg as a jerk does",
    )
    max_rise_ms: float = Field(
        125.0, gt=0, description="longest time from EMG onset to half the peak of the envelope, ms"
    )
    min_g: float = Field(0.10, gt=0, description="smallest peak acceleration with EMG, g")
    min_g_alone: float = Field(0.15, gt=0, description="smallest peak acceleration without EMG, g")
    masked_uv: float = Field(
        30.0,
        gt=0,
        description="noise floor above which the EMG cannot exclude that a jolt was a jerk, µV [E]",
    )
    min_jerk_g_s: float = Field(
        5.0, gt=0, description="smallest peak rate of change of acceleration, g/s"
    )
    max_episode_s: float = Field(1.0, gt=0, description="longest mechanical response, s")
    max_turn_deg: float = Field(
        30.0,
        gt=0,
        description="turn of the leg from which a posture change is reported, too, degrees",
    )
    lead_ms: float = Field(
        20.0, ge=0, description="longest time by which the acceleration precedes the EMG, ms"
    )
    lag_ms: float = Field(
        150.0,
        gt=0,
        description="longest time by which the acceleration follows the EMG, ms; without EMG, "
        "longest rise of the acceleration",
    )
    moderate_g: float = Field(
        0.30, gt=0, description="smallest peak acceleration of grade moderate, g"
    )
    violent_g: float = Field(
        0.50, gt=0, description="smallest peak acceleration of grade violent, g"
    )
    violent_jerk_g_s: float = Field(
        20.0,
        gt=0,
        description="rate of change of acceleration that makes a jerk violent at any peak, g/s",
    )
    dead_ms: float = Field(
        300.0, ge=0, description="dead time after a jerk (ring-down of the leg), ms"
    )


class MovementSettings(FrozenModel):
    """Leg movements (AASM and WASM 2016, on the 10-100 Hz band) and larger movements."""

    rise_uv: float = Field(
        8.0, gt=0, description="onset: EMG this far above resting, µV (WASM 2016)"
    )
    fall_uv: float = Field(
        2.0, gt=0, description="end: EMG at most this far above resting ..., µV (WASM 2016)"
    )
    quiet_s: float = Field(0.5, gt=0, description="... for this long, s (WASM 2016)")
    min_s: float = Field(0.5, gt=0, description="shortest duration, s (WASM 2016)")
    max_s: float = Field(
        10.0, gt=0, description="longest duration; beyond it, a gross movement, s (WASM 2016)"
    )
    acc_gross_s: float = Field(
        3.0,
        gt=0,
        description="shortest gross movement seen by the accelerometer alone with a silent muscle, "
        "or with a turn of `twitch.max_turn_deg`, s [E]",
    )
    turn_deg: float = Field(
        30.0, gt=0, description="smallest turn of a posture change, degrees (Sicbaldi 2025)"
    )
