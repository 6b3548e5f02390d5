"""``summary.json``: build its content from an analysed night, and read it back."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

import numpy as np
import pandas as pd

from twitchsense.dsp.engine import engine_name
from twitchsense.errors import InputError
from twitchsense.model.channels import NS
from twitchsense.model.detections import Detections
from twitchsense.model.event_table import CONTEXTS, LABELS, TRIAL_TYPES
from twitchsense.model.notes import main_notes
from twitchsense.model.recording import Recording
from twitchsense.regular_file import read_limited
from twitchsense.scoring.indices.fasciculations import fasciculation_block
from twitchsense.scoring.indices.fragmentary_myoclonus import fragmentary_block
from twitchsense.scoring.indices.rates import finite_or_none, rate_block
from twitchsense.scoring.indices.valid_hours import KIND_OF_LABEL, ValidHours, measure_valid_hours
from twitchsense.scoring.leg_movements.recording_indices import leg_movement_block
from twitchsense.scoring.result_checksums import check_summary
from twitchsense.scoring.trains.series import train_block
from twitchsense.settings import Settings
from twitchsense.sleep.context import Context

#: Cure of every error in reading results.
CURE: Final = "run analyze again into this directory"
#: Largest summary or table that is read.
_MAX_BYTES: Final = 100_000_000
#: Entries that every summary has.
_REQUIRED: Final = ("sleep_onset", "by_kind", "valid_s", "clock", "provenance", "notes")
#: Packages whose versions are recorded.
_LIBRARIES: Final = ("twitchsense", "numpy", "scipy", "pandas")


def build_summary(
    recording: Recording,
    detections: Detections,
    context: Context,
    settings: Settings,
    hypnogram_given: bool,
    respiratory: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Build the content of ``summary.json``.

    Parameters
    ----------
    recording : Recording
        The analysed recording.
    detections : Detections
        Labelled events and rejected candidates.
    context : Context
        Sleep and wake of the recording.
    settings : Settings
        Settings of the analysis.
    hypnogram_given : bool
        Whether the user gave a hypnogram.
    respiratory : DataFrame, optional
        Respiratory events, ``onset`` and ``duration`` in seconds.

    Returns
    -------
    dict
        Only numbers, strings, lists, dictionaries and None (undefined). Every rate has
        its ``count``, its ``hours`` (valid time of the sensor that the event needs, in
        that context) and its exact interval.
    """
    hours = measure_valid_hours(recording.channels, detections.seconds, context, settings.legs)
    onset = context.onset
    questions = main_notes([*recording.notes, *context.notes])
    return {
        "duration_s": (recording.end_ns - recording.start_ns) / NS,
        "valid_s": {name: round(s, 3) for name, s in detections.valid_s.items()},
        "valid_hours": {
            sensor: {
                "total": hours.total(sensor),
                **{c: hours.total(sensor, context=c) for c in CONTEXTS},
            }
            for sensor in sorted({c.kind for c in recording.channels})
        },
        "sleep_onset": {
            "time_s": finite_or_none(onset.time_s),
            "low_s": finite_or_none(onset.low_s),
            "high_s": finite_or_none(onset.high_s),
            "source": onset.source,
        },
        "sleep_onset_methods": {
            "definition": onset.definition,
            "opinions_s": {k: finite_or_none(v) for k, v in onset.by_method.items()},
        },
        "hypnogram": _hypnogram(context),
        "n_events": len(detections.events),
        "n_rejected": len(detections.rejected),
        "by_kind": _rates(detections.events, hours, "trial_type"),
        "by_label": _rates(detections.events, hours, "label"),
        "by_context": {
            where: {
                "by_kind": _rates(detections.events, hours, "trial_type", where),
                "by_label": _rates(detections.events, hours, "label", where),
            }
            for where in CONTEXTS
        },
        "leg_movements": leg_movement_block(
            detections.events, context, hours, settings, respiratory
        ),
        "fragmentary_myoclonus": fragmentary_block(
            detections.events, context, detections.seconds, hours, settings
        ),
        "fasciculations": fasciculation_block(
            detections.events, context, detections.seconds, settings
        ),
        "trains": train_block(detections.events, detections.series_min_counts, hours),
        "rejected": _counts(detections.rejected, "reason"),
        "clock": {
            "start_utc_ns": recording.start_utc_ns,
            "zone": recording.zone,
            "channels": {c.name: _clock(recording, c.name) for c in recording.channels},
            "acc_ahead_of_emg": {
                leg or "leg": {"start_s": offset.offset_s, "ppm": offset.slope * 1e6}
                for leg, offset in detections.clocks.items()
            },
        },
        "notes": [*recording.notes, *context.notes],
        "main_notes": questions,
        "main_note_kinds": [note.kind for note in questions],
        "provenance": {
            "source": _file_names(recording.source),
            "sha256": recording.sha256,
            "settings": settings.digest(),
            "rules": settings.rules_digest(),
            "hypnogram": hypnogram_given,
            "engine": engine_name(),
            "versions": {
                **{name: _version(name) for name in _LIBRARIES},
                "python": platform.python_version(),
            },
        },
    }


def _rates(
    events: pd.DataFrame, hours: ValidHours, column: str, where: str | None = None
) -> dict[str, Any]:
    """Return count, hours, rate and interval for each value of a column."""
    words = TRIAL_TYPES if column == "trial_type" else LABELS
    if where is not None:
        events = events[events["context"] == where]
    counts = _counts(events, column)
    out = {}
    for word in [*words, *(w for w in counts if w not in words)]:
        count = counts.get(word, 0)
        if column == "label" and where is None:
            valid = hours.for_label(word, count)
        else:
            kind = word if column == "trial_type" else KIND_OF_LABEL.get(word, "twitch")
            valid = hours.for_kind(kind, count, context=where)
        out[word] = rate_block(count, valid)
    return out


def _hypnogram(context: Context) -> dict[str, Any] | None:
    """Return source, extent and minutes per stage of the hypnogram."""
    given = context.hypnogram
    if given is None:
        return None
    start, stop = given.bounds_us
    length = (stop - start) / 1e6
    return {
        "source": _file_names(given.source),
        "start_s": float(start[0]) / 1e6,
        "end_s": float(stop[-1]) / 1e6,
        "minutes": {
            stage or "unscored": float(length[given.stage == stage].sum()) / 60
            for stage in sorted(set(given.stage.tolist()))
        },
    }


def _counts(table: pd.DataFrame, column: str) -> dict[str, int]:
    """Return how often each value of a column occurs."""
    return {str(k): int(n) for k, n in table[column].value_counts(sort=False).sort_index().items()}


def _clock(recording: Recording, name: str) -> dict[str, Any]:
    """Return the sampling rate, the extent and the gaps of a channel."""
    channel, segments = recording.channel(name), recording.segments_of(name)
    start = np.array([s.start_ns for s in segments], np.int64)
    stop = np.array([recording.segment_end_ns(s) for s in segments], np.int64)
    lost = (start[1:] - stop[:-1]) / NS
    return {
        "fs": channel.fs,
        "fs_error": channel.fs_error,
        "n_segments": len(segments),
        "n_gaps": len(lost),
        "lost_s": float(lost.sum()),
        "longest_gap_s": float(lost.max()) if len(lost) else 0.0,
        "start_s": float(start[0]) / NS if len(start) else None,
        "end_s": float(stop[-1]) / NS if len(stop) else None,
    }


def _file_names(source: str) -> str:
    """Return file names without folders, so that results hold no paths."""
    names = (PurePosixPath(PureWindowsPath(p).as_posix()).name for p in source.split(", "))
    return ", ".join(names)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # a source tree that was never installed
        return "unknown"


def read_summary(directory: Path) -> dict[str, Any]:
    """Read ``summary.json`` from a result directory.

    Parameters
    ----------
    directory : Path
        Directory written by ``analyze``.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        If the file is missing, damaged, or not a summary.
    """
    path = directory / "summary.json"
    try:
        summary = json.loads(decode_result_text(path, read_result_file(path)))
    except (ValueError, RecursionError) as error:
        raise InputError(str(path), f"is not JSON ({error})", CURE) from error
    if not isinstance(summary, dict) or any(
        not isinstance(summary.get(part), (dict, list)) for part in _REQUIRED
    ):
        raise InputError(str(path), "is not a summary written by analyze", CURE)
    check_summary(summary, path, CURE)
    return summary


def read_result_file(path: Path) -> bytes:
    """Read a file of a result directory.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        If it is missing, too large, or unreadable.
    """
    if not os.path.lexists(path):
        raise InputError(str(path), "is missing", "give a directory that analyze wrote")
    return read_limited(path, str(path), _MAX_BYTES)


def decode_result_text(path: Path, content: bytes) -> str:
    """Decode a text file of a result directory.

    Parameters
    ----------
    path : Path
    content : bytes
        From `read_result_file`.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If it is not UTF-8.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(str(path), f"cannot be read ({error})", CURE) from error
