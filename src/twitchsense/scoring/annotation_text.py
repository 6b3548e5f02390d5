"""Events and sleep stages as text files of other programs: Luna ``.annot`` and NSRR XML.

Times are seconds from the start of the recording. Luna: "Annotations", zzz.bwh.harvard.edu/luna;
NSRR: the annotation files of the National Sleep Research Resource (Zhang et al. 2018,
doi:10.1093/jamia/ocy064).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final
from xml.sax.saxutils import escape

import pandas as pd

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
