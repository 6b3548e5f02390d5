"""Settings of sleep context, trains, labels and leg-movement series."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from twitchsense.settings.base import FrozenModel, PositiveRange, RangeFromZero


class ContextSettings(FrozenModel):
    """Sleep onset and the windows around it."""

    drowsy_min: float = Field(
        5.0, ge=0, description="length of the context drowsy before sleep onset, min [E]"
    )
    onset_min: float = Field(
        10.0, ge=0, description="length of the context sleep_onset after sleep onset, min [E]"
    )
    still_deg: float = Field(
        5.0,
        gt=0,
        description="sustained inactivity: change of orientation at most this ..., degrees "
        "(van Hees 2015)",
    )
    still_min: float = Field(5.0, gt=0, description="... for this long, min (van Hees 2015)")
    quiet_g: float = Field(
        0.015,
        gt=0,
        description="sustained inactivity: activity of every 30 s below this, g [E]",
    )
    immobile_g: float = Field(
        0.05,
        gt=0,
        description="immobility: peak acceleration of every second below this, g "
        "(MotionWatch still limit)",
    )
    mask_events: bool = Field(
        True,
        description="whether leg events are masked, so that they do not delay sleep onset",
    )
    mask_s: float = Field(1.0, ge=0, description="margin masked around each leg event, s [E]")
    tone_uv: float = Field(
        1.0,
        gt=0,
        description="muscle tone above the electrode's noise that counts as tense, µV [E]",
    )
    unworn_min: float = Field(
        10.0,
        gt=0,
        description="not worn: invalid EMG on a leg that does not turn for this long, min [E]",
    )
    estimate_by: Literal["probability", "inactivity"] = Field(
        "probability",
        description="sleep without a hypnogram: by the probability of sleep of each epoch, from "
        "movement, or by sustained inactivity",
    )
    definition: Literal["first_epoch", "persistent_10min", "immobile_5min"] = Field(
        "first_epoch",
        description="sleep onset: first epoch of sleep (AASM), first of 10 min of sleep (latency "
        "to persistent sleep), or of 5 min without movement (Chae 2009; accelerometer only)",
    )


class TrainSettings(FrozenModel):
    """Trains of bursts, found before labelling (docs/definitions.md, Rhythmic movements)."""

    tremor_hz: PositiveRange = Field(
        (3.5, 18.0),
        description="tremor-like: range of rates, Hz (Bhatia 2018: rest 4-6, orthostatic 13-18)",
    )
    tremor_cycles: int = Field(5, ge=2, description="tremor-like: fewest cycles [E]")
    tremor_s: float = Field(2.0, gt=0, description="tremor-like: shortest duration, s [E]")
    fast_hz: PositiveRange = Field(
        (0.3, 4.0),
        description="foot tremor and high-frequency movements: range of rates, Hz (Yang 2010; "
        "AASM)",
    )
    fast_least: int = Field(
        4,
        ge=2,
        description="foot tremor and high-frequency movements: fewest bursts (AASM; Yang 2010)",
    )
    foot_ms: RangeFromZero = Field(
        (250.0, 1000.0),
        description="foot tremor: range of burst durations, ms (AASM; Wichniak 2001)",
    )
    fast_ms: float = Field(
        100.0,
        ge=0,
        description="foot tremor and high-frequency movements: shortest burst, ms; shorter ones "
        "are twitches (AASM: ALMA) [E]",
    )
    alma_hz: PositiveRange = Field(
        (0.5, 3.0),
        description="alternating leg muscle activation: range of burst rates, legs alternating, "
        "Hz (AASM)",
    )
    alma_ms: RangeFromZero = Field(
        (100.0, 500.0),
        description="alternating leg muscle activation: range of burst durations, ms "
        "(Chervin 2003; AASM)",
    )
    alma_least: int = Field(
        4, ge=2, description="alternating leg muscle activation: fewest bursts (AASM)"
    )
    alma_share: float = Field(
        0.8,
        gt=0.5,
        le=1,
        description="alternating leg muscle activation: smallest share of bursts that follow one "
        "of the other leg [E]",
    )
    fast_cv: float = Field(
        0.5,
        gt=0,
        description="tremor, foot tremor and high-frequency movements: largest coefficient of "
        "variation of the intervals [E]",
    )
    fast_g: float = Field(
        0.3,
        gt=0,
        description="foot tremor and high-frequency movements: largest peak acceleration, g; "
        "stronger shaking is walking or movement of the body [E]",
    )
    rock_hz: PositiveRange = Field(
        (0.5, 2.0), description="rhythmic movement: range of rates, Hz (AASM)"
    )
    rock_least: int = Field(4, ge=2, description="rhythmic movement: fewest cycles (AASM)")
    rock_share: float = Field(
        0.6,
        gt=0,
        lt=1,
        description="rhythmic movement: smallest share of the power within a fifth of the rate [E]",
    )
    rock_g: float = Field(
        0.10, gt=0, description="rhythmic movement: smallest peak acceleration, g [E]"
    )
    hiccup_s: PositiveRange = Field(
        (1.0, 20.0), description="hiccup-like: range of intervals, s (literature: 4-60 per minute)"
    )
    hiccup_least: int = Field(5, ge=3, description="hiccup-like: fewest jolts [E]")
    hiccup_cv: float = Field(
        0.35,
        gt=0,
        description="hiccup-like: largest coefficient of variation of the intervals (a worked "
        "example: 0.25) [E]",
    )
    hiccup_size: float = Field(
        0.45,
        gt=0,
        description="hiccup-like: largest SD of the logarithm of the jolts' peak accelerations [E]",
    )
    hiccup_ms: float = Field(
        500.0, gt=0, description="hiccup-like: jolts are shorter than this, ms [E]"
    )
    hiccup_uv: float = Field(50.0, gt=0, description="hiccup-like: leg EMG below this, µV [E]")
    jerks_least: int = Field(
        3, ge=2, description="repetitive jerks: fewest of at least moderate grade ... [E]"
    )
    jerks_s: float = Field(60.0, gt=0, description="... within this time, s [E]")
    jerks_per_h: int = Field(
        10, ge=2, description="repetitive jerks: or this many within an hour [E]"
    )
    jerks_violent: int = Field(
        3, ge=1, description="repetitive violent jerks: fewest violent jerks among them [E]"
    )


class LabelSettings(FrozenModel):
    """Limits between labels (docs/labels.md; docs/definitions.md, Labels and words)."""

    absorb_s: float = Field(
        1.0,
        ge=0,
        description="jerks and twitches this near to a large movement belong to it, s (rule 2) [E]",
    )
    start_ms: RangeFromZero = Field(
        (50.0, 300.0), description="sleep start: range of EMG durations, ms (rule 8) [E]"
    )
    start_core_ms: RangeFromZero = Field(
        (75.0, 250.0),
        description="sleep start: range of EMG durations with full confidence, ms (rule 8)",
    )
    volley: int = Field(
        2, ge=1, description="more jerks of one leg than this ... are not sleep starts (rule 8) [E]"
    )
    volley_s: float = Field(10.0, gt=0, description="... within this time, s (rule 8) [E]")
    active_share: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="active wake: share of the surrounding minute with muscle activity above "
        "this (idea of AVID) [E]",
    )
    efm_per_min: int = Field(
        5,
        ge=1,
        description="excessive fragmentary myoclonus: potentials per minute ... (AASM)",
    )
    efm_min: float = Field(
        20.0, gt=0, description="... in at least this much NREM sleep in total, min (AASM)"
    )
    fm_epoch_s: float = Field(
        3.0,
        ge=0.1,
        description="mini-epoch of the fragmentary-myoclonus index, s (Lins 1993); at least 0.1",
    )


class LimbSettings(FrozenModel):
    """Scoring of leg movements in recordings."""

    rules: Literal["wasm2016", "wasm2016-strict", "aasm"] = Field(
        "wasm2016", description="rules for periodic series (Ferri 2016; AASM manual)"
    )
