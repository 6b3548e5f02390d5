"""Schema of the event table: columns, types, units, descriptions and levels.

`EVENT_COLUMNS` is the single source of the schema for the CSV writer, the
``events.json`` glossary, the documentation and the tests.
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
    "twitch": "brief muscle burst, 5-150 ms, too small to move the leg much",
    "jerk": "brief burst (EMG 10-300 ms) that throws the leg: at least 0.10 g and 5 g/s",
    "brief_contraction": "muscle burst of 150-500 ms that is no jerk",
    "movement": "leg movement: activity of 0.5-10 s, +8 uV over rest (or acceleration alone)",
    "gross_movement": "longer than 10 s, or a stretch of acceleration of 3 s and more",
    "posture_change": "the leg came to rest turned by 30 degrees or more",
    "jolt": "acceleration of under 0.5 s without muscle activity: an event only in a rhythm",
}

CONTEXTS: Final[dict[str, str]] = {
    "wake": "awake, more than the drowsy window before sleep onset or between sleep bouts",
    "drowsy": "the last minutes before sleep onset (5 min unless set otherwise)",
    "sleep_onset": "the first minutes of sleep (10 min unless set otherwise)",
    "asleep": "later sleep",
    "unknown": "no hypnogram and no usable accelerometer, or outside them",
}

LABELS: Final[dict[str, str]] = {
    "posture_change": "change of position",
    "gross_movement": "large movement of the leg or body",
    "tremor_like": "tremor-like: 5 or more bursts at 3.5-18 Hz for 2 s and more",
    "hypnagogic_foot_tremor_like": "foot-tremor-like: 4 or more bursts of 250-1000 ms at 0.3-4 Hz, "
    "awake or in N1",
    "alma_like": "alternating-leg-muscle-activation-like: bursts that change legs at 0.5-3 Hz",
    "high_freq_leg_movement": "high-frequency leg movements: 4 or more at 0.3-4 Hz",
    "rhythmic_movement_like": "rhythmic-movement-like: 4 or more swings of the leg at 0.5-2 Hz",
    "periodic_leg_movement_like": "periodic-leg-movement-like: in a series of 4 or more",
    "isolated_leg_movement": "leg movement in no series",
    "short_interval_leg_movement": "leg movement too soon after the one before (WASM: 10 s)",
    "leg_movement": "leg movement too long, or of too many parts, for a candidate (WASM)",
    "hiccup_like": "hiccup-like: 5 or more jolts at a steady rhythm of 1-20 s, leg muscle silent",
    "repetitive_violent_jerks": "jerks in quick succession, 3 or more of them violent",
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
    "mild": "peak 0.10-0.30 g (provisional)",
    "moderate": "peak 0.30-0.50 g (provisional)",
    "violent": "peak at least 0.50 g, or jerk at least 20 g/s (provisional)",
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
            "S": "asleep, the source tells no stage",
        },
    ),
    Column("min_from_onset", "float64", "minutes from sleep onset, negative before it", "min"),
    Column(
        "leg", "str", "leg the sensor sits on, if known", levels={"left": "left", "right": "right"}
    ),
    Column("channel", "str", "the channel that saw the event best"),
    Column("amplitude_uv", "float64", "EMG peak to peak in the burst band (20-450 Hz)", "uV"),
    Column("peak_g", "float64", "greatest dynamic acceleration (0.5-40 Hz, vector magnitude)", "g"),
    Column("jerk_g_s", "float64", "greatest rate of change of acceleration", "g/s"),
    Column(
        "rise_ms",
        "float64",
        "onset to 70 % of the peak of the 10-ms RMS envelope (no EMG: empty)",
        "ms",
    ),
    Column("snr_db", "float64", "peak of the 10-ms RMS envelope over the noise floor", "dB"),
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
)

REJECT_REASONS: Final[dict[str, str]] = {
    "too_short": "shorter than 5 ms",
    "too_small": "less than 50 uV peak to peak (setting), by more than measuring may be off",
    "electrode_pop": "step, decay or spike of the electrode, without the spectrum of muscle",
    "saturation": "the amplifier was at its limit",
    "noise_floor": "noise of over 15 uV, in which muscle can't be judged; or a hiss higher than "
    "muscle sounds, for half a second or more, while the leg does not move",
    "mains": "50/60-Hz hum and its harmonics make up most of the power",
    "ecg": "beats at a heart's rhythm with one shape: the heart seen through the leg electrode",
    "rhythmic_train": "member of a dense regular train: tonic or voluntary unit firing",
    "active_wake": "over a fifth of the surrounding minute is muscle activity: voluntary",
    "sustained_activity": "muscle activity over 10 s without movement",
    "weak_contraction": "half a second or longer, but below +8 uV over rest",
    "bump": "acceleration without muscle activity where EMG is valid: bed or strap knocked",
    "acc_micro_event": "acceleration above noise, below the rules, no EMG to tell what it was",
    "absorbed": "within 1 s of a large movement of the leg, and short: part of it",
    "dead_time": "within 300 ms after a jerk: ring-down of the leg",
}

#: Columns of events that rejected candidates do not have.
_EVENTS_ONLY: Final = ("evidence", "alternatives")
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
    for row in rows:  # not kept as a list: a week has tens of thousands of rows
        for name, values in numbers.items():
            values.append(float(row.get(name, float("nan"))))
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


def glossary(
    columns: tuple[Column, ...] = (*EVENT_COLUMNS, REJECTED_COLUMNS[-1]),
) -> dict[str, dict[str, Any]]:
    """Return the columns as a BIDS-style JSON sidecar.

    Parameters
    ----------
    columns : tuple of Column

    Returns
    -------
    dict
        ``Description``, ``Units`` and ``Levels`` of each column name.
    """
    entries: dict[str, dict[str, Any]] = {}
    for column in columns:
        entry: dict[str, Any] = {"Description": column.description}
        if column.unit:
            entry["Units"] = column.unit
        if column.levels:
            entry["Levels"] = dict(column.levels)
        entries[column.name] = entry
    return entries
