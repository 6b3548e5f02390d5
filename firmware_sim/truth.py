"""The ground truth in physical units, before the converter.

Onset and duration of muscle events run between the first and the last point at which the
noise-free RMS envelope of the best channel is at least 10 % of its maximum.  For bursts the
envelope is the smooth function that modulates the noise; for unit potentials it is the
5-ms RMS of the waveform.  `amplitude_uv` is the peak-to-peak amplitude of the noise-free
waveform, `peak_g` the peak magnitude of the noise-free 0.5-40 Hz acceleration.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from firmware_sim.emg import MuscleBurst
from firmware_sim.hypnogram import StageSequence
from firmware_sim.limb_motion import Gravity, truth_peak
from firmware_sim.schedule import EventKind, SimulatedEvent
from firmware_sim.time_grid import Waveform, extent_above, peak_to_peak

#: Columns of the truth table.
COLUMNS = (
    "onset",
    "duration",
    "trial_type",
    "label",
    "context",
    "leg",
    "channel",
    "amplitude_uv",
    "peak_g",
    "grade",
    "cause",
)
#: Threshold of onset and end, as a share of the maximum of the noise-free envelope.
EDGE_SHARE = 0.1
#: Maximum duration (s) of a twitch.
TWITCH_MAX_S = 0.150
#: Minimum duration (s) of a leg movement.
MOVEMENT_MIN_S = 0.5
#: Maximum duration (s) of a leg movement.
MOVEMENT_MAX_S = 10.0
#: Range (s) of the intervals between onsets in a periodic series.
PERIODIC_S = (10.0, 90.0)
#: Minimum number of leg movements in a periodic series.
PERIODIC_COUNT = 4

_TRIAL_TYPE = {
    EventKind.UNIT: "twitch",
    EventKind.CLUSTER: "twitch",
    EventKind.JERK: "jerk",
    EventKind.CONTRACTION: "brief_contraction",
    EventKind.LEG_MOVEMENT: "movement",
    EventKind.GROSS_MOVEMENT: "gross_movement",
    EventKind.WALK: "gross_movement",
    EventKind.POSTURE: "posture_change",
    EventKind.TRAIN: "movement",
    EventKind.HICCUP: "jolt",
}


@dataclass(frozen=True, slots=True)
class TruthRow:
    """One row of the truth table."""

    onset: float
    duration: float
    trial_type: str
    label: str = ""
    context: str = ""
    leg: str = ""
    channel: str = ""
    amplitude_uv: float | None = None
    peak_g: float | None = None
    grade: str = ""
    cause: str = ""


def grade_of(peak_g: float) -> str:
    """Return the grade of a jerk by its peak acceleration (docs/definitions.md, Jerks)."""
    if peak_g >= 0.5:
        return "violent"
    return "moderate" if peak_g >= 0.3 else "mild"


def measure(
    event: SimulatedEvent,
    burst: MuscleBurst,
    motion: Waveform,
    gravity: Gravity,
    names: tuple[str, ...],
) -> TruthRow:
    """Return the row of a muscle event, measured on its noise-free waveforms.

    Parameters
    ----------
    event : SimulatedEvent
    burst : MuscleBurst
        EMG of the event.
    motion : Waveform
        Acceleration of the event, g.
    gravity : Gravity
    names : tuple of str
        Names of the EMG channels.

    Returns
    -------
    TruthRow
    """
    first, last = extent_above(burst.envelope, EDGE_SHARE)
    duration = (last - first) / burst.emg.fs
    trial_type = _TRIAL_TYPE.get(event.kind, "")
    if event.kind is EventKind.STAIR:
        # The error of the gate is a fraction of a millisecond.
        duration = event.duration
        short = "twitch" if duration <= TWITCH_MAX_S else "brief_contraction"
        trial_type = short if duration < MOVEMENT_MIN_S else "movement"
    if event.kind is EventKind.TRAIN and duration > MOVEMENT_MAX_S:
        trial_type = "gross_movement"
    peak_g = truth_peak(event, motion, gravity)
    return TruthRow(
        onset=burst.emg.start_s + first / burst.emg.fs,
        duration=duration,
        trial_type=trial_type,
        channel=names[burst.best],
        amplitude_uv=peak_to_peak(burst.emg.samples[:, burst.best]),
        peak_g=peak_g,
        grade=grade_of(peak_g) if trial_type == "jerk" else "",
        label=event.label,
        cause=event.cause,
    )


def describe_artefact(event: SimulatedEvent, names: tuple[str, ...]) -> TruthRow:
    """Return the row of an artefact; amplitudes are nominal."""
    everywhere = event.kind in {EventKind.DROPOUT, EventKind.ECG, EventKind.MAINS}
    channel = "acc" if event.kind is EventKind.BUMP else names[event.channel]
    return TruthRow(
        onset=event.onset,
        duration=event.duration,
        trial_type="artifact",
        label="artifact",
        channel="" if everywhere else channel,
        amplitude_uv=event.amplitude_uv or None,
        peak_g=event.peak_g or None,
        cause=str(event.kind),
    )


def _movement_labels(rows: list[TruthRow]) -> dict[int, str]:
    """Label leg movements by WASM 2016: >= 4 in a row, onsets 10-90 s apart."""
    labels: dict[int, str] = {}
    series: list[int] = []
    previous: float | None = None

    def close() -> None:
        if len(series) >= PERIODIC_COUNT:
            labels.update(dict.fromkeys(series, "periodic_leg_movement_like"))
        series.clear()

    for index, row in enumerate(rows):
        if row.trial_type in {"gross_movement", "posture_change"}:
            # Posture changes end a series, as movements do that are not candidates. [E]
            close()
            previous = None
        if row.trial_type != "movement" or row.label:
            continue
        interval = None if previous is None else row.onset - previous
        if interval is not None and not PERIODIC_S[0] <= interval <= PERIODIC_S[1]:
            close()
        short = interval is not None and interval < PERIODIC_S[0]
        labels[index] = "short_interval_leg_movement" if short else "isolated_leg_movement"
        series.append(index)
        previous = row.onset
    close()
    return labels


def _repetitive(rows: list[TruthRow]) -> set[int]:
    """Return the rows of repetitive jerks: moderate or violent, at least 3 violent within 60 s.

    See docs/definitions.md, Jerks.
    """
    jerks = [i for i, r in enumerate(rows) if r.trial_type == "jerk" and r.grade != "mild"]
    found: set[int] = set()
    for start in jerks:
        volley = [i for i in jerks if 0.0 <= rows[i].onset - rows[start].onset <= 60.0]
        if sum(rows[i].grade == "violent" for i in volley) >= 3:
            found.update(volley)
    return found


def _twitch_label(context: str, stage: str) -> str:
    if context in {"drowsy", "sleep_onset"}:
        return "hypnagogic_twitch"
    if context == "wake":
        return "fasciculation_like"
    return "rem_twitch" if stage == "R" else "fragmentary_myoclonus_like"


def label_rows(rows: list[TruthRow], hypnogram: StageSequence, leg: str) -> list[TruthRow]:
    """Return the rows sorted, with context and label (docs/definitions.md, Labels and words)."""
    rows = sorted(rows, key=lambda row: (row.onset, row.trial_type))
    movements = _movement_labels(rows)
    repetitive = _repetitive(rows)
    out = []
    for index, row in enumerate(rows):
        context = hypnogram.context_at(row.onset)
        stage = hypnogram.stage_at(row.onset)
        label = row.label or row.trial_type
        if row.label:
            pass  # set by the scenario
        elif row.trial_type == "twitch":
            label = _twitch_label(context, stage)
        elif row.trial_type == "movement":
            label = movements[index]
        elif row.trial_type == "brief_contraction":
            label = "voluntary_or_unclassified"
        elif row.trial_type == "jerk":
            if index in repetitive:
                label = "repetitive_violent_jerks"
            elif context in {"drowsy", "sleep_onset"} and 0.05 <= row.duration <= 0.3:
                label = "sleep_start"
            else:
                label = f"myoclonic_jerk_{'awake' if context == 'wake' else 'asleep'}"
        out.append(replace(row, label=label, context=context, leg=leg))
    return out


def to_frame(rows: list[TruthRow]) -> pd.DataFrame:
    """Return the rows as a table with rounded numbers."""
    places = {"onset": 4, "duration": 4, "amplitude_uv": 2, "peak_g": 5}
    table = pd.DataFrame(
        [[getattr(row, name) for name in COLUMNS] for row in rows], columns=list(COLUMNS)
    )
    for name, digits in places.items():
        table[name] = table[name].astype(float).round(digits)
    return table
