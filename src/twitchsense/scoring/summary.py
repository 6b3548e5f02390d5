"""The content of ``summary.json``: a night in one dictionary."""

from __future__ import annotations

import math
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Final

import numpy as np
import pandas as pd

from twitchsense.model.channels import NS
from twitchsense.model.detections import Detections
from twitchsense.model.event_table import CONTEXTS, LABELS, TRIAL_TYPES
from twitchsense.model.recording import Recording
from twitchsense.scoring.clinical import (
    fasciculation_block,
    fragmentary_block,
    leg_movement_block,
    train_block,
)
from twitchsense.scoring.rates import KIND_OF, ValidHours, measure_hours, rate
from twitchsense.settings import Settings
from twitchsense.sleep.tagging import Context

_LIBRARIES: Final = ("twitchsense", "numpy", "scipy", "pandas")


def build_summary(
    recording: Recording,
    detections: Detections,
    context: Context,
    settings: Settings,
    hypnogram_given: bool,
    respiratory: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Return the content of ``summary.json``.

    Parameters
    ----------
    recording : Recording
    detections : Detections
        Tagged and labelled.
    context : Context
    settings : Settings
    hypnogram_given : bool
    respiratory : DataFrame, optional
        Respiratory events, for the leg movements near them.

    Returns
    -------
    dict
        Numbers, words, lists and dictionaries only; what is undefined is None.
        Every rate stands with its ``count``, its ``hours`` (the valid time of
        the sensor the event needs, in that context) and its interval.
    """
    hours = measure_hours(recording.channels, detections.seconds, context, settings.legs)
    onset = context.onset
    return {
        "duration_s": (recording.end_ns - recording.start_ns) / NS,
        "valid_s": {name: round(s, 3) for name, s in detections.valid_s.items()},
        "valid_hours": {
            sensor: {
                "total": hours.of(sensor),
                **{c: hours.of(sensor, context=c) for c in CONTEXTS},
            }
            for sensor in sorted({c.kind for c in recording.channels})
        },
        "sleep_onset": {
            "time_s": _plain(onset.time_s),
            "low_s": _plain(onset.low_s),
            "high_s": _plain(onset.high_s),
            "source": onset.source,
        },
        "sleep_onset_methods": {
            "definition": onset.definition,
            "opinions_s": {k: _plain(v) for k, v in onset.opinions.items()},
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
        "trains": train_block(detections.events, hours),
        "rejected": _counts(detections.rejected, "reason"),
        "clock": {
            "start_utc_ns": recording.start_utc_ns,
            "zone": recording.zone,
            "channels": {c.name: _clock(recording, c.name) for c in recording.channels},
            "acc_ahead_of_emg": {
                leg or "leg": {"start_s": line.offset_s, "ppm": line.slope * 1e6}
                for leg, line in detections.clocks.items()
            },
        },
        "notes": [*recording.notes, *context.notes],
        "provenance": {
            "source": _without_folders(recording.source),
            "sha256": recording.sha256,
            "settings": settings.digest(),
            "hypnogram": hypnogram_given,
            "versions": {
                **{name: _version(name) for name in _LIBRARIES},
                "python": platform.python_version(),
            },
        },
    }


def _rates(
    events: pd.DataFrame, hours: ValidHours, column: str, where: str | None = None
) -> dict[str, Any]:
    """Return count, hours, rate and interval for each word a column may hold."""
    words = TRIAL_TYPES if column == "trial_type" else LABELS
    if where is not None:
        events = events[events["context"] == where]
    counts = _counts(events, column)
    out = {}
    for word in [*words, *(w for w in counts if w not in words)]:
        kind = word if column == "trial_type" else KIND_OF.get(word, "twitch")
        n = counts.get(word, 0)
        if column == "label" and where is None:
            valid = hours.for_label(word, n)
        else:
            valid = hours.for_kind(kind, n, context=where)
        per_hour, low, high = rate(n, valid)
        out[word] = {
            "count": n,
            "hours": valid,
            "rate_per_h": _plain(per_hour),
            "low": _plain(low),
            "high": _plain(high),
        }
    return out


def _hypnogram(context: Context) -> dict[str, Any] | None:
    """Return what was given as sleep stages."""
    given = context.hypnogram
    if given is None:
        return None
    start, stop = given.bounds_us
    length = (stop - start) / 1e6
    return {
        "source": _without_folders(given.source),
        "start_s": float(start[0]) / 1e6,
        "end_s": float(stop[-1]) / 1e6,
        "minutes": {
            stage or "unscored": float(length[given.stage == stage].sum()) / 60
            for stage in sorted(set(given.stage.tolist()))
        },
    }


def _counts(table: pd.DataFrame, column: str) -> dict[str, int]:
    return {str(k): int(n) for k, n in table[column].value_counts(sort=False).sort_index().items()}


def _clock(recording: Recording, name: str) -> dict[str, Any]:
    """Return what is known of a channel's rate and gaps."""
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


def _plain(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _without_folders(source: str) -> str:
    """Return file names without their folders: no path of a machine in a result."""
    names = (PurePosixPath(PureWindowsPath(p).as_posix()).name for p in source.split(", "))
    return ", ".join(names)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "unknown"
