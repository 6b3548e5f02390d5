"""Every number a user may turn, with its source; named profiles; TOML files.

Tags as in the docs: [E] is an engineering default without a clinical standard
behind it, so treat it as provisional.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from twitchsense.errors import InputError


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EmgSettings(_Frozen):
    """Burst detection on the 20-450 Hz band."""

    open_k: float = Field(6.0, gt=0, description="burst opens at floor + k robust SD [C]")
    noise_p: float = Field(
        1e-9,
        gt=0,
        lt=0.01,
        description="and noise must pass it with no more than this probability",
    )
    close_k: float = Field(3.0, gt=0, description="and closes at floor + k robust SD [C]")
    bridge_ms: float = Field(20.0, ge=0, description="gaps bridged inside a burst [E]")
    floor_s: float = Field(60.0, gt=1, description="memory of the noise floor, s")
    floor_quantile: float = Field(
        0.25,
        gt=0,
        lt=1,
        description="of the last seconds' medians, so that activity can't raise it [E]",
    )
    least_sd_uv: float = Field(0.1, gt=0, description="least robust SD, for coarse ADCs [E]")
    max_floor_uv: float = Field(
        15.0, gt=0, description="noisier than this is no valid signal (MATPLM)"
    )
    flat_uv: float = Field(0.05, ge=0, description="RMS below this for 1 s is a flat line [E]")


class AccSettings(_Frozen):
    """Movement detection on dynamic acceleration (0.5-40 Hz, vector magnitude)."""

    open_k: float = Field(8.0, gt=0, description="episode opens at floor + k robust SD [C]")
    close_k: float = Field(4.0, gt=0, description="and closes at floor + k robust SD [E]")
    open_g: float = Field(
        0.015, gt=0, description="but never below this (ankle movement rule, Sicbaldi 2025)"
    )
    cap_g: float = Field(0.05, gt=0, description="and never above this (MotionWatch still limit)")
    bridge_ms: float = Field(300.0, ge=0, description="gaps bridged inside an episode [E]")
    floor_s: float = Field(60.0, gt=1, description="memory of the noise floor, s")


class TwitchSettings(_Frozen):
    """What counts as a twitch."""

    min_ms: float = Field(5.0, ge=0, description="shortest [E]")
    max_ms: float = Field(150.0, gt=0, description="longest (fragmentary myoclonus, AASM)")
    slack_ms: float = Field(
        15.0, ge=0, description="by which a measured length may exceed it (docs/detection.md) [C]"
    )
    min_uv: float = Field(50.0, ge=0, description="peak to peak (van der Heijden 1994)")
    slack_uv: float = Field(
        5.0, ge=0, description="by which a measured size may be below it (docs/detection.md) [C]"
    )
    max_turn_deg: float = Field(
        10.0, gt=0, description="more turning of the leg than this is movement [E]"
    )


class JerkSettings(_Frozen):
    """What counts as a jerk. No published leg cut-off exists: all [E], provisional."""

    min_ms: float = Field(10.0, ge=0, description="shortest EMG")
    max_ms: float = Field(300.0, gt=0, description="longest EMG")
    min_impulse_uvs: float = Field(
        1.0, ge=0, description="peak to peak times EMG length, µV·s: less cannot throw a leg"
    )
    max_rise_ms: float = Field(100.0, gt=0, description="EMG onset to peak")
    min_g: float = Field(0.10, gt=0, description="peak acceleration, with EMG")
    min_g_alone: float = Field(0.15, gt=0, description="peak acceleration, without EMG")
    masked_uv: float = Field(
        30.0, gt=0, description="EMG noisier than this can't show that a jolt was no jerk [E]"
    )
    min_jerk_g_s: float = Field(5.0, gt=0, description="peak jerk")
    max_episode_s: float = Field(1.0, gt=0, description="longest mechanical response")
    max_turn_deg: float = Field(30.0, gt=0, description="turning of the leg")
    lead_ms: float = Field(20.0, ge=0, description="acceleration may precede the EMG by this")
    lag_ms: float = Field(150.0, gt=0, description="and follow it by this")
    moderate_g: float = Field(0.30, gt=0)
    violent_g: float = Field(0.50, gt=0)
    violent_jerk_g_s: float = Field(20.0, gt=0)
    dead_ms: float = Field(300.0, ge=0, description="ring-down after a jerk")


class MovementSettings(_Frozen):
    """Leg movements (AASM / WASM 2016 on the 10-100 Hz band) and larger ones."""

    rise_uv: float = Field(8.0, gt=0, description="onset: over resting (WASM 2016)")
    fall_uv: float = Field(2.0, gt=0, description="end: at most this over resting ... (WASM 2016)")
    quiet_s: float = Field(0.5, gt=0, description="... for this long (WASM 2016)")
    min_s: float = Field(0.5, gt=0, description="shortest (WASM 2016)")
    max_s: float = Field(10.0, gt=0, description="longest; beyond it is gross movement (WASM 2016)")
    acc_gross_s: float = Field(
        3.0, gt=0, description="acceleration alone, this long, is gross movement [E]"
    )
    turn_deg: float = Field(30.0, gt=0, description="a posture change (Sicbaldi 2025)")


class ContextSettings(_Frozen):
    """Where sleep begins, and the windows around it."""

    drowsy_min: float = Field(5.0, ge=0, description="minutes before sleep onset called drowsy [E]")
    onset_min: float = Field(10.0, ge=0, description="minutes after it called sleep_onset [E]")
    still_deg: float = Field(
        5.0, gt=0, description="orientation change below this ... (van Hees 2015)"
    )
    still_min: float = Field(5.0, gt=0, description="... for this long is sustained inactivity")
    quiet_g: float = Field(0.015, gt=0, description="and 30-s activity below this [E]")
    immobile_g: float = Field(
        0.05, gt=0, description="no second above this is immobile (MotionWatch still limit)"
    )
    mask_events: bool = Field(
        True, description="whether leg events are left out, so that they can't put sleep off"
    )
    mask_s: float = Field(1.0, ge=0, description="masked around each leg event [E]")
    tone_uv: float = Field(
        1.0, gt=0, description="muscle tone over the electrode's noise that counts as tense [E]"
    )
    unworn_min: float = Field(
        10.0, gt=0, description="bad electrodes on a leg that never turns, this long: not worn [E]"
    )
    definition: Literal["first_epoch", "persistent_10min", "immobile_5min"] = Field(
        "first_epoch",
        description="of sleep onset: first epoch of sleep (AASM), first of 10 min of it (LPS), "
        "or 5 min without movement (Chae 2009; accelerometer only)",
    )


class TrainSettings(_Frozen):
    """Trains of bursts, searched before labelling (docs/definitions.md, Rhythmic movements)."""

    tremor_hz: tuple[float, float] = Field(
        (3.5, 18.0), description="tremor-like: rate (Bhatia 2018: rest 4-6, orthostatic 13-18)"
    )
    tremor_cycles: int = Field(5, ge=2, description="tremor-like: fewest cycles [E]")
    tremor_s: float = Field(2.0, gt=0, description="tremor-like: shortest [E]")
    fast_hz: tuple[float, float] = Field(
        (0.3, 4.0), description="foot tremor and high-frequency movements (Yang 2010; AASM)"
    )
    fast_least: int = Field(4, ge=2, description="their fewest bursts (AASM; Yang 2010)")
    foot_ms: tuple[float, float] = Field(
        (250.0, 1000.0), description="foot tremor: length of a burst (AASM; Wichniak 2001)"
    )
    fast_ms: float = Field(
        100.0, ge=0, description="shorter bursts are twitches, no movements (AASM: ALMA) [E]"
    )
    alma_hz: tuple[float, float] = Field(
        (0.5, 3.0), description="alternation of the legs, from burst to burst (AASM)"
    )
    alma_ms: tuple[float, float] = Field(
        (100.0, 500.0), description="alternation: length of a burst (Chervin 2003; AASM)"
    )
    alma_least: int = Field(4, ge=2, description="alternation: fewest bursts (AASM)")
    alma_share: float = Field(
        0.8, gt=0.5, le=1, description="share of bursts that follow one of the other leg [E]"
    )
    fast_cv: float = Field(0.5, gt=0, description="spread of the intervals of these trains [E]")
    fast_g: float = Field(
        0.3, gt=0, description="stronger shaking is walking or the body, no train of one leg [E]"
    )
    rock_hz: tuple[float, float] = Field((0.5, 2.0), description="rhythmic movement (AASM)")
    rock_least: int = Field(4, ge=2, description="rhythmic movement: fewest cycles (AASM)")
    rock_share: float = Field(
        0.6, gt=0, lt=1, description="share of the swing's power within a fifth of its rate [E]"
    )
    rock_g: float = Field(0.10, gt=0, description="rhythmic movement: peak of a large one [E]")
    hiccup_s: tuple[float, float] = Field(
        (1.0, 20.0), description="hiccup-like: interval (literature: 4-60/min)"
    )
    hiccup_least: int = Field(5, ge=3, description="hiccup-like: fewest jolts [E]")
    hiccup_cv: float = Field(
        0.35, gt=0, description="hiccup-like: spread of the intervals (a worked example: 0.25)"
    )
    hiccup_size: float = Field(
        0.45, gt=0, description="hiccup-like: spread of the jolts' sizes, SD of their logarithm [E]"
    )
    hiccup_ms: float = Field(500.0, gt=0, description="hiccup-like: a jolt is shorter")
    hiccup_uv: float = Field(50.0, gt=0, description="hiccup-like: leg EMG below this")
    jerks_least: int = Field(3, ge=2, description="repetitive jerks: fewest, at least moderate [E]")
    jerks_s: float = Field(60.0, gt=0, description="repetitive jerks: within this [E]")
    jerks_per_h: int = Field(10, ge=2, description="repetitive jerks: or this many in an hour [E]")
    jerks_violent: int = Field(3, ge=1, description="repetitive violent jerks: so many violent [E]")


class LabelSettings(_Frozen):
    """Where one label ends and the next begins (docs/definitions.md, Labels and words)."""

    absorb_s: float = Field(
        1.0, ge=0, description="jerks and twitches this near a large movement belong to it (rule 2)"
    )
    start_ms: tuple[float, float] = Field(
        (50.0, 300.0), description="EMG duration of a sleep start (rule 8) [E]"
    )
    start_core_ms: tuple[float, float] = Field(
        (75.0, 250.0), description="and its core, outside which it is less sure (rule 8)"
    )
    volley: int = Field(2, ge=1, description="more jerks of a leg than this ... (rule 8) [E]")
    volley_s: float = Field(10.0, gt=0, description="... within this are no sleep starts [E]")
    active_share: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="more muscle activity in the minute around is active wake (AVID)",
    )
    efm_per_min: int = Field(
        5, ge=1, description="fragmentary myoclonus pattern: potentials a minute (AASM: EFM)"
    )
    efm_min: float = Field(20.0, gt=0, description="for so many minutes in all of NREM (AASM: EFM)")
    fm_epoch_s: float = Field(
        3.0, gt=0, description="mini-epoch of the fragmentary-myoclonus index (Lins 1993)"
    )


class LimbSettings(_Frozen):
    """Scoring of leg movements on recordings."""

    rules: Literal["wasm2016", "wasm2016-strict", "aasm"] = Field(
        "wasm2016", description="whose rules name the periodic series (Ferri 2016; AASM manual)"
    )


class Settings(_Frozen):
    """All settings of an analysis.

    Load from TOML with `load_settings`; a key that does not exist is an error.
    """

    emg: EmgSettings = EmgSettings()
    acc: AccSettings = AccSettings()
    twitch: TwitchSettings = TwitchSettings()
    jerk: JerkSettings = JerkSettings()
    movement: MovementSettings = MovementSettings()
    context: ContextSettings = ContextSettings()
    trains: TrainSettings = TrainSettings()
    labels: LabelSettings = LabelSettings()
    limb: LimbSettings = LimbSettings()
    legs: dict[str, Literal["left", "right"]] = Field(
        default_factory=dict, description="leg of a channel, where its name doesn't tell"
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="headers of foreign captures, as in --map: theirs = ours"
    )
    zone: str | None = Field(None, description="IANA time zone of the wearer")
    stages: dict[str, str] = Field(
        default_factory=dict,
        description="what numbers or words of a hypnogram mean, as in --stages: theirs = ours",
    )

    def digest(self) -> str:
        """Return a short hash of every value, for provenance."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


#: Named profiles are a promise: once released, their numbers never change.
PROFILES: Final[dict[str, Settings]] = {
    "default-2026": Settings(),
    # leg movements as the AASM manual counts them
    "aasm-2026": Settings(limb=LimbSettings(rules="aasm")),
    # actigraphy calls sleep 9-20 min too early: a window that holds the true onset
    # (docs/definitions.md, Hypnic jerks and sleep onset)
    "wide-onset-2026": Settings(context=ContextSettings(drowsy_min=10.0, onset_min=25.0)),
}


def get_profile(name: str) -> Settings:
    """Return a named profile.

    Raises
    ------
    InputError
        If there is no profile of that name.
    """
    try:
        return PROFILES[name]
    except KeyError:
        raise InputError(name, "no such profile", f"choose one of {', '.join(PROFILES)}") from None


def load_settings(path: Path, base: Settings | None = None) -> Settings:
    """Read settings from a TOML file over a base profile.

    Raises
    ------
    InputError
        Naming the file and the key at fault.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(str(path), f"cannot be read ({error})", "give a TOML file") from error
    start = (base or Settings()).model_dump()
    for key, value in data.items():
        if isinstance(value, dict) and isinstance(start.get(key), dict):
            start[key] = {**start[key], **value}
        else:
            start[key] = value
    try:
        return Settings.model_validate(start)
    except ValidationError as error:
        first = error.errors()[0]
        place = "key " + ".".join(str(p) for p in first["loc"])
        raise InputError(
            str(path), first["msg"], "see docs/settings.md for the keys", place
        ) from error
