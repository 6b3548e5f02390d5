"""Schema of the event table: columns, types, units, descriptions and levels.

`EVENT_COLUMNS` is the single source of the schema for the CSV writer, the
``events.json`` glossary, the documentation and the tests.

A description contains no limit as a number. It names the setting or the constant instead,
such as ``{twitch.max_ms}``; `twitchsense.scoring.glossary.fill_limits` replaces the name by
the value in force and documents the syntax.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result table.

    Attributes
    ----------
    name : str
    dtype : {'float64', 'str'}
        In the tables of a cohort also ``int64`` and ``time`` (UTC).
    description : str
    unit : str
        Empty for text and for dimensionless numbers.
    levels : mapping of str to str, or None
        Meaning of each value of a categorical column.
    """

    name: str
    dtype: str
    description: str
    unit: str = ""
    levels: Mapping[str, str] | None = None


TRIAL_TYPES: Final[dict[str, str]] = {
    "twitch": "brief muscle burst of {twitch.min_ms}-{twitch.max_ms} ms that does not move "
    "the leg abruptly; measured, it may be {twitch.min_slack_ms} ms shorter or "
    "{twitch.slack_ms} ms longer",
    "jerk": "brief burst (EMG of {jerk.min_ms}-{jerk.max_ms} ms) that moves the leg abruptly: "
    "at least {jerk.min_g} g ({jerk.min_g_alone} g where there is no EMG) and "
    "{jerk.min_jerk_g_s} g/s",
    "brief_contraction": "muscle burst of {twitch.max_ms}-{movement.min_s:ms} ms that is not "
    "a jerk, or a shorter one during which the leg turns by {twitch.max_turn_deg} degrees or "
    "more",
    "movement": "leg movement: activity of {movement.min_s}-{movement.max_s} s, "
    "+{movement.rise_uv} µV over rest (or acceleration alone)",
    "gross_movement": "activity longer than {movement.max_s} s, or acceleration alone for "
    "{movement.acc_gross_s} s or longer with a silent muscle, or if it leaves the leg turned by "
    "{twitch.max_turn_deg} degrees",
    "posture_change": "the leg came to rest turned by {movement.turn_deg} degrees or more",
    "jolt": "acceleration of less than {trains.hiccup_ms} ms without muscle activity; an event "
    "only as part of a regular train",
}

CONTEXTS: Final[dict[str, str]] = {
    "wake": "awake, more than {context.drowsy_min} min before sleep onset or between sleep bouts",
    "drowsy": "the last {context.drowsy_min} min before sleep onset",
    "sleep_onset": "the first {context.onset_min} min of sleep",
    "asleep": "later sleep",
    "unknown": "no hypnogram and no usable accelerometer, or outside them",
}

LABELS: Final[dict[str, str]] = {
    "posture_change": "change of position",
    "gross_movement": "large movement of the leg or body",
    "tremor_like": "tremor-like: {trains.tremor_cycles} or more bursts at {trains.tremor_hz} Hz "
    "for {trains.tremor_s} s or longer",
    "hypnagogic_foot_tremor_like": "foot-tremor-like: {trains.fast_least} or more bursts of "
    "{trains.foot_ms} ms at {trains.fast_hz} Hz, awake or in N1",
    "alma_like": "alternating-leg-muscle-activation-like: {trains.alma_least} or more bursts of "
    "{trains.alma_ms} ms that alternate between the legs at {trains.alma_hz} Hz",
    "high_freq_leg_movement": "high-frequency leg movements: {trains.fast_least} or more at "
    "{trains.fast_hz} Hz",
    "rhythmic_movement_like": "rhythmic-movement-like: {trains.rock_least} or more swings of the "
    "leg at {trains.rock_hz} Hz",
    "periodic_leg_movement_like": "periodic-leg-movement-like: in a series of "
    "{limb_rules.min_series} or more, {limb_rules.interval_s} s from onset to onset",
    "isolated_leg_movement": "leg movement in no series",
    "short_interval_leg_movement": "leg movement less than {limb_rules.min_interval_s} s after "
    "the previous one ({limb_rules.title})",
    "leg_movement": "leg movement that is too long, or has too many parts, for a candidate "
    "({limb_rules.title})",
    "hiccup_like": "hiccup-like: {trains.hiccup_least} or more jolts at a steady rhythm of "
    "{trains.hiccup_s} s, EMG of the leg below {trains.hiccup_uv} µV",
    "repetitive_violent_jerks": "jerks in quick succession ({trains.jerks_least} within "
    "{trains.jerks_s} s, or {trains.jerks_per_h} within an hour), {trains.jerks_violent} or more "
    "of them of the highest grade",
    "sleep_start": "sleep-start-like (hypnic-jerk-like): a jerk around falling asleep",
    "myoclonic_jerk_asleep": "myoclonic-jerk-like, asleep",
    "myoclonic_jerk_awake": "myoclonic-jerk-like, awake",
    "myoclonic_jerk_like": "myoclonic-jerk-like, unknown whether awake or asleep",
    "hypnagogic_twitch": "twitch around falling asleep",
    "fragmentary_myoclonus_like": "twitch in NREM sleep, or in sleep of unknown stage",
    "rem_twitch": "twitch in REM sleep (needs a hypnogram)",
    "fasciculation_like": "twitch at rest, awake or in unknown context",
    "voluntary_or_unclassified": "in active wake, or evidence that fits no rule",
}

GRADES: Final[dict[str, str]] = {
    "mild": "peak of {jerk.min_g}-{jerk.moderate_g} g (provisional)",
    "moderate": "peak of {jerk.moderate_g}-{jerk.violent_g} g (provisional)",
    "violent": "peak of at least {jerk.violent_g} g, or rate of change of acceleration of at "
    "least {jerk.violent_jerk_g_s} g/s (provisional)",
}

CLOCKS: Final[dict[str, str]] = {
    "device": "the clock of the device, fitted to the arrivals",
    "counter": "the counter of samples of the device, fitted to the arrivals",
    "arrival": "the arrivals alone",
}

EVENT_COLUMNS: Final[tuple[Column, ...]] = (
    Column("onset", "float64", "start of the event, from the start of the recording", "s"),
    Column(
        "duration", "float64", "EMG duration where there is EMG, else that of the acceleration", "s"
    ),
    Column("trial_type", "str", "physical kind, without regard to sleep", levels=TRIAL_TYPES),
    Column("label", "str", "the tagged name: kind read in its sleep context", levels=LABELS),
    Column("context", "str", "where the onset stands relative to falling asleep", levels=CONTEXTS),
    Column(
        "stage",
        "str",
        "sleep stage at the onset, if a hypnogram was given",
        levels={
            "W": "wake",
            "N1": "NREM 1",
            "N2": "NREM 2",
            "N3": "NREM 3",
            "R": "REM",
            "S": "asleep, stage not given by the source",
        },
    ),
    Column("min_from_onset", "float64", "minutes from sleep onset, negative before it", "min"),
    Column(
        "leg", "str", "leg the sensor sits on, if known", levels={"left": "left", "right": "right"}
    ),
    Column("channel", "str", "the channel that saw the event best"),
    Column(
        "amplitude_uv",
        "float64",
        "EMG peak to peak in the burst band ({fixed.burst_band_hz} Hz)",
        "uV",
    ),
    Column(
        "peak_g",
        "float64",
        "greatest dynamic acceleration ({fixed.dynamic_band_hz} Hz, vector magnitude)",
        "g",
    ),
    Column("jerk_g_s", "float64", "greatest rate of change of acceleration", "g/s"),
    Column(
        "rise_ms",
        "float64",
        "time from onset to {fixed.rise_share:%} of the peak of the {fixed.envelope_s:ms}-ms RMS "
        "envelope; empty without EMG",
        "ms",
    ),
    Column(
        "snr_db",
        "float64",
        "peak of the {fixed.envelope_s:ms}-ms RMS envelope over the noise floor",
        "dB",
    ),
    Column(
        "confidence", "float64", "0 to 1: how clearly the rule was met, and by how many sensors"
    ),
    Column("series", "str", "train or series that gave the event its label, such as plm-2"),
    Column("grade", "str", "strength of a jerk", levels=GRADES),
    Column(
        "evidence", "str", "rule of docs/labels.md that gave the label, and what else was found"
    ),
    Column(
        "alternatives",
        "str",
        "other labels that fit, with their probability where sleep onset is uncertain",
    ),
    Column(
        "clock",
        "str",
        "what the times of the channel come from; empty where the capture does not tell it",
        levels=CLOCKS,
    ),
    Column(
        "time_error_s",
        "float64",
        "uncertainty of the times of the channel in this part of the recording, apart from the "
        "constant least delay of delivery; empty where the capture does not tell it",
        "s",
    ),
)

#: Columns that results of earlier versions do not have.
LATER_COLUMNS: Final = ("clock", "time_error_s")

REJECT_REASONS: Final[dict[str, str]] = {
    "too_short": "shorter than {twitch.min_ms} ms, by more than the error of the measurement "
    "({twitch.min_slack_ms} ms)",
    "too_small": "less than {twitch.min_uv} µV peak to peak, by more than the error of the "
    "measurement ({twitch.slack_uv} µV)",
    "electrode_pop": "step, decay or spike of the electrode, without the spectrum of muscle",
    "saturation": "the amplifier was at its limit",
    "noise_floor": "noise floor above {emg.max_floor_uv} µV, in which muscle activity cannot be "
    "judged; or, above {fixed.quiet_uv} µV, a short burst that does not stand out of steady noise; "
    "or noise of {movement.min_s} s or longer with a mean frequency above that of muscle "
    "({fixed.max_muscle_hz} Hz) while the leg does not move",
    "mains": "mains hum ({fixed.mains_hz:/} Hz) and its harmonics make up more than "
    "{fixed.mains_share:%} of the power",
    "ecg": "beats of one shape at the rhythm of a heart, recorded by the leg electrode",
    "rhythmic_train": "member of a dense regular train: tonic or voluntary unit firing",
    "active_wake": "muscle activity or movement fills more than {labels.active_share:%} of the "
    "{fixed.active_window_s} s around it, or it is a step: voluntary",
    "sustained_activity": "muscle activity of more than {movement.max_s} s while the leg moves "
    "for less than {movement.acc_gross_s} s",
    "weak_contraction": "{movement.min_s} s or longer, but does not rise {movement.rise_uv} µV "
    "above rest, or does not stay {movement.fall_uv} µV above it; or unlike a contraction, by the "
    "movement model",
    "bump": "acceleration without muscle activity where EMG is valid: bed or strap knocked",
    "acc_micro_event": "acceleration above the noise but below every rule, without EMG to "
    "explain it",
    "absorbed": "short, and within {labels.absorb_s} s of a large movement of the leg, or between "
    "the bursts of a jerk: part of it",
    "dead_time": "within {jerk.dead_ms} ms after a jerk: ring-down of the leg",
}

#: Columns of events that rejected candidates do not have.
_EVENTS_ONLY: Final = ("evidence", "alternatives", *LATER_COLUMNS)
REJECTED_COLUMNS: Final[tuple[Column, ...]] = (
    *(c for c in EVENT_COLUMNS if c.name not in _EVENTS_ONLY),
    Column("reason", "str", "the rule that stopped the candidate", levels=REJECT_REASONS),
)


def make_table(
    rows: Iterable[Mapping[str, Any]], columns: tuple[Column, ...] = EVENT_COLUMNS
) -> pd.DataFrame:
    """Build a table with exactly the columns of a schema, sorted by onset.

    Parameters
    ----------
    rows : iterable of mapping
        Column name to value; missing keys become NaN in numeric columns and an
        empty string in text columns.
    columns : tuple of Column

    Returns
    -------
    DataFrame
        Empty, with all columns, if there are no rows.
    """
    numbers = {c.name: array("d") for c in columns if c.dtype == "float64"}
    words: dict[str, list[str]] = {c.name: [] for c in columns if c.name not in numbers}
    missing = float("nan")
    for row in rows:  # not kept as a list: a week has tens of thousands of rows
        for name, values in numbers.items():
            values.append(row.get(name, missing))
        for name, texts in words.items():
            texts.append(sys.intern(str(row.get(name, ""))))
    table = pd.DataFrame(
        {
            c.name: pd.Series(np.array(numbers[c.name]), dtype="float64")
            if c.name in numbers
            else pd.Series(words[c.name], dtype="object")
            for c in columns
        }
    )
    keys = ["onset", "channel", "trial_type", "duration"]
    return table.sort_values(keys, kind="stable", ignore_index=True)
