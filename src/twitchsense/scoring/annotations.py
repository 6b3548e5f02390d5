"""Events for other programs: MNE annotations, BIDS tables, Luna ``.annot`` and NSRR XML.

Times in the texts are seconds from the start of the recording. Luna: "Annotations",
zzz.bwh.harvard.edu/luna; NSRR: the annotation files of the National Sleep Research Resource
(Zhang et al. 2018, doi:10.1093/jamia/ocy064).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

import pandas as pd

from twitchsense.errors import InputError, MissingExtraError
from twitchsense.model.event_table import EVENT_COLUMNS
from twitchsense.scoring.glossary import glossary
from twitchsense.settings import Settings
from twitchsense.text import escape_formula

if TYPE_CHECKING:
    from mne import Annotations

#: First columns of a BIDS table of events.
_BIDS_FIRST: Final = ("onset", "duration")
#: HED tags (schema 8.4.0) of each kind of event: what a program found in the data.
_FOUND: Final = "Data-feature, Computed-feature"
_HED: Final = {
    "twitch": f"{_FOUND}, (Label/Twitch, Lower-extremity)",
    "jerk": f"{_FOUND}, (Label/Jerk, Move-lower-extremity)",
    "brief_contraction": f"{_FOUND}, (Label/Brief-contraction, Lower-extremity)",
    "movement": f"{_FOUND}, (Label/Leg-movement, Move-lower-extremity)",
    "gross_movement": f"{_FOUND}, (Label/Gross-movement, Move-body)",
    "posture_change": f"{_FOUND}, (Label/Posture-change, Move-body)",
    "jolt": f"{_FOUND}, (Label/Jolt, Move-body)",
}
#: Missing value in BIDS.
_NA: Final = "n/a"
#: Columns of the event table that become the meta-data of an annotation.
_META: Final = ("trial_type", "context", "leg", "amplitude_uv", "peak_g", "confidence", "series")
_NUMBERS: Final = ("amplitude_uv", "peak_g", "confidence")
#: Concept and number of the NSRR for each stage; sleep of unknown stage has none.
_CONCEPTS: Final = {
    "W": "Wake|0",
    "N1": "Stage 1 sleep|1",
    "N2": "Stage 2 sleep|2",
    "N3": "Stage 3 sleep|3",
    "R": "REM sleep|5",
}
#: Concepts of the NSRR for leg movements; other events keep their label.
_MOVEMENTS: Final = {
    "periodic_leg_movement_like": ("Periodic leg movement", "PLM"),
    "isolated_leg_movement": ("Limb movement", "Limb Movement"),
    "short_interval_leg_movement": ("Limb movement", "Limb Movement"),
    "leg_movement": ("Limb movement", "Limb Movement"),
}
_MISSING: Final = "."


def to_annotations(
    events: pd.DataFrame,
    start_utc_ns: int | None = None,
    description: str = "label",
    columns: Mapping[str, Sequence[str]] | None = None,
) -> Annotations:
    """Return events as MNE annotations.

    The other columns of each event are its `extras`: text, numbers, None where missing.

    Parameters
    ----------
    events : DataFrame
        An event table.
    start_utc_ns : int, optional
        UTC of the recording's zero, ns since 1970; becomes ``orig_time``.
    description : str
        The column that names the annotations: ``label`` or ``trial_type``.
    columns : mapping of str to sequence of str, optional
        Names in the MNE recording of each channel's columns (``{"acc": ["acc_x_g", ...]}``),
        which become the `ch_names` of its events. Without them, annotations are of all
        channels.

    Returns
    -------
    mne.Annotations

    Raises
    ------
    MissingExtraError
        If MNE is not installed.
    InputError
        If there is no such column.
    """
    if description not in events.columns:
        names = ", ".join(map(str, events.columns))
        raise InputError("events", f"have no column {description!r}", f"use one of {names}")
    try:
        import mne
    except ImportError as error:
        raise MissingExtraError("mne", "making MNE annotations") from error
    start = None
    if start_utc_ns is not None:
        start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=start_utc_ns // 1000)
    channels = events["channel"] if "channel" in events else [""] * len(events)
    return mne.Annotations(
        onset=events["onset"].to_numpy(float),
        duration=events["duration"].fillna(0.0).to_numpy(float),
        description=[str(word) or _NA for word in events[description]],
        orig_time=start,
        ch_names=None if columns is None else [tuple(columns.get(c, ())) for c in channels],
        extras=_extras(events.drop(columns=["onset", "duration", description])),
    )


def since(table: pd.DataFrame, zero_s: float) -> pd.DataFrame:
    """Return a table whose ``onset`` counts from another time.

    Parameters
    ----------
    table : DataFrame
    zero_s : float
        That time, s on the axis of the onsets.

    Returns
    -------
    DataFrame
    """
    return table.assign(onset=table["onset"] - zero_s) if zero_s else table


def _extras(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the cells of each row, None where they are missing."""
    names = [str(name) for name in table.columns]
    return [
        {
            name: None if value == "" or value != value else value
            for name, value in zip(names, row, strict=True)
        }
        for row in table.astype(object).itertuples(index=False, name=None)
    ]


def to_bids(
    events: pd.DataFrame, settings: Settings | None = None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return events as a BIDS ``events.tsv`` table and its JSON sidecar.

    All columns are text. A missing value is ``n/a``; times have six decimals. Text that
    a spreadsheet would evaluate as a formula is preceded by an apostrophe.

    Parameters
    ----------
    events : DataFrame
        An event table.
    settings : Settings, optional
        The settings that made the table; without them, the sidecar names the settings
        instead of stating their values.

    Returns
    -------
    table : DataFrame
        ``onset``, ``duration``, ``trial_type`` and the other columns.
    sidecar : dict
        Description, unit and levels of each column.
    """
    numbers = {c.name for c in EVENT_COLUMNS if c.dtype == "float64"}
    names = [str(name) for name in events.columns]
    order = [*_BIDS_FIRST, *(n for n in names if n not in _BIDS_FIRST)]
    table = pd.DataFrame(
        {
            name: [_number(float(v), name) for v in events[name]]
            if name in numbers
            else [_word(v) for v in events[name]]
            for name in order
        },
        columns=order,
        dtype=object,
    )
    entries = {name: dict(entry) for name, entry in glossary(settings).items()}
    if "trial_type" in order:
        entries["trial_type"]["HED"] = dict(_HED)
    return table.rename(columns=_word), {name: entries[name] for name in order if name in entries}


def _number(value: float, name: str) -> str:
    if not math.isfinite(value):
        return _NA
    return f"{value:.6f}" if name in _BIDS_FIRST else f"{value:.6g}"


def _word(value: object) -> str:
    text = " ".join(str(value).split())
    return (escape_formula(text) if isinstance(value, str) else text) or _NA


def to_luna(events: pd.DataFrame, epochs: pd.DataFrame | None = None) -> str:
    """Return events as a ``.annot`` file of Luna.

    Parameters
    ----------
    events : DataFrame
        An event table. The label is the class, the trial type where there is no label.
    epochs : DataFrame, optional
        Epochs with ``onset``, ``duration`` and ``stage``; their stages are classes as well.

    Returns
    -------
    str
        Columns class, instance, channel, start, stop, meta, separated by tabs; sorted by start.
    """
    rows = [
        (start, start + duration, name, row.channel or _MISSING, _meta(row))
        for row, start, duration, name in _named(events)
    ]
    rows += [
        (start, start + duration, stage, _MISSING, _MISSING)
        for start, duration, stage in _stages(epochs)
    ]
    keys = " ".join(f"{name}[{'num' if name in _NUMBERS else 'txt'}]" for name in _META)
    of_events = sorted({row[2] for row in rows if row[4] != _MISSING})
    lines = [f"# {_cell(name)} | event of twitchsense | {keys}" for name in of_events]
    lines += [f"# {stage} | sleep stage" for stage in sorted({s for _, _, s in _stages(epochs)})]
    lines.append("class\tinstance\tchannel\tstart\tstop\tmeta")
    for start, stop, name, channel, meta in sorted(rows):
        cells = (name, _MISSING, channel, f"{start:.6f}", f"{stop:.6f}", meta)
        lines.append("\t".join(map(_cell, cells)))
    return "\n".join(lines) + "\n"


def to_nsrr(events: pd.DataFrame, epochs: pd.DataFrame | None = None) -> str:
    """Return events as an XML file of the NSRR.

    Parameters
    ----------
    events : DataFrame
        An event table.
    epochs : DataFrame, optional
        Epochs with ``onset``, ``duration`` and ``stage``.

    Returns
    -------
    str
    """
    rows = [
        (start, duration, "Stages|Stages", _CONCEPTS[stage], "")
        for start, duration, stage in _stages(epochs)
        if stage in _CONCEPTS
    ]
    for row, start, duration, name in _named(events):
        if row.label in _MOVEMENTS:
            long, short = _MOVEMENTS[row.label]
            side = f" - {row.leg}|{short} ({row.leg.title()})" if row.leg else f"|{short}"
            rows.append((start, duration, "Limb Movement|Limb Movement", long + side, row.channel))
        else:
            rows.append((start, duration, "Movement|Movement", f"{name}|{name}", row.channel))
    scored = "".join(
        "<ScoredEvent>"
        f"<EventType>{escape(kind)}</EventType><EventConcept>{escape(concept)}</EventConcept>"
        f"<Start>{start:.6f}</Start><Duration>{duration:.6f}</Duration>"
        + (f"<SignalLocation>{escape(channel)}</SignalLocation>" if channel else "")
        + "</ScoredEvent>\n"
        for start, duration, kind, concept, channel in sorted(rows)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<PSGAnnotation>\n'
        "<SoftwareVersion>twitchsense</SoftwareVersion>\n<EpochLength>30</EpochLength>\n"
        f"<ScoredEvents>\n{scored}</ScoredEvents>\n</PSGAnnotation>\n"
    )


def _named(events: pd.DataFrame) -> Iterator[tuple[Any, float, float, str]]:
    """Yield each event with its onset, duration (0 if it has none) and name."""
    rows: Iterator[Any] = events.itertuples(index=False)
    for row in rows:
        duration = float(row.duration)
        yield (
            row,
            float(row.onset),
            0.0 if math.isnan(duration) else duration,
            str(row.label) or str(row.trial_type),
        )


def _stages(epochs: pd.DataFrame | None) -> list[tuple[float, float, str]]:
    """Return onset, duration and stage of the runs of epochs with one stage."""
    runs: list[tuple[float, float, str]] = []
    if epochs is None or "stage" not in epochs:
        return runs
    for onset, duration, stage in zip(
        epochs["onset"].astype(float),
        epochs["duration"].astype(float),
        epochs["stage"].fillna("").astype(str),
        strict=True,
    ):
        if not stage:
            continue
        if runs and runs[-1][2] == stage and abs(runs[-1][0] + runs[-1][1] - onset) < 1e-6:
            start = runs[-1][0]
            runs[-1] = (start, onset + duration - start, stage)
        else:
            runs.append((onset, duration, stage))
    return runs


def _meta(row: Any) -> str:
    """Return the meta-data that an event has, as pairs of key and value."""
    pairs = [
        f"{name}={_format(value)}"
        for name in _META
        if (value := getattr(row, name)) != "" and value == value
    ]
    return "|".join(pairs) or _MISSING


def _format(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else re.sub(r"[|;=]", "/", str(value))


def _cell(text: str) -> str:
    """Return text without tabs and line breaks, which end a cell."""
    return " ".join(text.split()) or _MISSING
