"""The data that the report's script draws: JSON, and one compressed block of numbers.

Arrays lie one after the other in the block: ``float64`` as it is, ``int16`` as all low bytes
followed by all high bytes, which compresses better. The block is compressed with zlib and
written in base64. `plot.js` reads it; docs/adr/0010 explains why the report has its own
drawing code.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from datetime import timedelta
from typing import Any, Final

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from twitchsense.model.channels import NS
from twitchsense.report import explanations
from twitchsense.report.decimate import Floats, min_max_envelope
from twitchsense.report.event_windows import (
    MISSING_SAMPLE,
    RESOLUTION,
    EventWindow,
    rank_by_strength,
)
from twitchsense.report.night_intervals import (
    artifact_minutes,
    context_intervals,
    recording_bounds,
    validity_intervals,
)
from twitchsense.report.overview import emg_full_scale, kinds_found, shown_channels
from twitchsense.report.palette import context_name, kind_name, kind_short, label_name
from twitchsense.report.protocols import NightLike
from twitchsense.report.time_labels import WallClock, is_onset_left_censored, onset_label
from twitchsense.scoring.indices.rates import finite_or_none
from twitchsense.text import display_text

#: Maximum number of columns per channel: 14 hours of single seconds.
_MAX_COLUMNS: Final = 50_000
#: Maximum number of events that are described; of all others, the page has the marks only.
MAX_DESCRIBED: Final = 4_000
#: Maximum length of a channel name on the page.
_MAX_NAME: Final = 80


class PackedArrays:
    """Arrays packed one after the other into one block of bytes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, array: NDArray[Any]) -> list[int]:
        """Append an array.

        Parameters
        ----------
        array : ndarray
            ``int16``, or numbers to be stored as ``float64``.

        Returns
        -------
        list of int
            Offset in bytes and number of values.
        """
        if array.dtype == np.int16:
            pairs = np.ascontiguousarray(array, "<i2").view(np.uint8).reshape(-1, 2)
            raw = pairs[:, 0].tobytes() + pairs[:, 1].tobytes()
        else:
            raw = np.ascontiguousarray(array, "<f8").tobytes()
        place = [self._size, int(array.size)]
        self._parts.append(raw)
        self._size += len(raw)
        return place

    def to_base64(self) -> str:
        """Return the block, compressed with zlib, in base64."""
        return base64.b64encode(zlib.compress(b"".join(self._parts), 9)).decode("ascii")


def build_page_data(night: NightLike, windows: list[EventWindow]) -> dict[str, Markup]:
    """Return the data of the page's script.

    Parameters
    ----------
    night : Night
    windows : list of EventWindow

    Returns
    -------
    dict
        ``json`` and ``block``, ready to be placed in the page.
    """
    block = PackedArrays()
    data = {
        **_time_data(night),
        "channels": _channel_data(night, block),
        **_event_data(night, block, windows),
    }
    return {"json": to_script_json(data), "block": Markup(block.to_base64())}


def to_script_json(data: Any) -> Markup:
    """Return JSON in which no text can end the script element or start markup."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)  # every character that could be markup is escaped


def _time_data(night: NightLike) -> dict[str, Any]:
    start, stop = recording_bounds(night)
    clock = WallClock.of(night.recording)
    onset, label = night.onset, onset_label(night)
    return {
        "start": start,
        "stop": stop,
        "zero_utc_s": None if clock.start_utc_ns is None else clock.start_utc_ns / NS,
        "utc_offsets": _utc_offsets(clock, start, stop),
        "onset": None
        if not label
        else {
            "time": finite_or_none(onset.time_s),
            "low": finite_or_none(onset.low_s),
            "high": finite_or_none(onset.high_s),
            "left_censored": is_onset_left_censored(night),
            "label": label,
        },
        "contexts": [[c, context_name(c), a, b] for c, a, b in context_intervals(night)],
        "stages": _stages(night),
        "artifact_minutes": _rounded(artifact_minutes(night)),
    }


def _utc_offsets(clock: WallClock, start: float, stop: float) -> list[list[float]]:
    """Return each time (s) from which a UTC offset (s) applies, and the offset."""
    if not clock.is_known:
        return []
    out: list[list[float]] = []
    for t in np.arange(start, stop + 60, 60.0):  # offsets change on whole minutes
        offset = (clock.to_datetime(float(t)).utcoffset() or timedelta()).total_seconds()
        if not out or out[-1][1] != offset:
            out.append([float(t), offset])
    return out


def _stages(night: NightLike) -> list[list[Any]]:
    """Return stage, start and end (s) of each scored epoch; empty without a hypnogram."""
    table = night.epochs
    if "stage" not in table or not (table["stage"].astype(str) != "").any():
        return []
    return [
        [str(stage), float(onset), float(onset + duration)]
        for stage, onset, duration in zip(
            table["stage"], table["onset"], table["duration"], strict=True
        )
        if stage
    ]


def _channel_data(night: NightLike, block: PackedArrays) -> list[dict[str, Any]]:
    start, stop = recording_bounds(night)
    channels = []
    for channel in shown_channels(night):
        seconds = night.seconds[channel.name]
        envelope = min_max_envelope(seconds, start, stop, _MAX_COLUMNS)
        resolution = _int16_resolution(envelope.low, envelope.high)
        valid, invalid = validity_intervals(seconds)
        channels.append(
            {
                "name": display_text(channel.name, _MAX_NAME),
                "kind": channel.kind,
                "unit": "µV" if channel.unit == "uV" else "g",
                "scale": emg_full_scale(seconds) if channel.kind == "emg" else None,
                "column_s": envelope.width_s,
                "resolution": resolution,
                "low": block.add(_to_int16(envelope.low, resolution)),
                "high": block.add(_to_int16(envelope.high, resolution)),
                "invalid": _rounded(invalid),
                "valid": _rounded(valid),
            }
        )
    return channels


def _rounded(intervals: list[tuple[float, float]]) -> list[list[float]]:
    return [[round(start, 2), round(length, 2)] for start, length in intervals]


def _int16_resolution(low: Floats, high: Floats) -> float:
    """Return the quantization step with which the largest value fits an int16."""
    values = np.abs(np.concatenate([low, high]))
    values = values[np.isfinite(values)]
    return float(values.max()) / 32000 if len(values) and values.max() > 0 else 1.0


def _to_int16(values: Floats, resolution: float) -> NDArray[np.int16]:
    quantized = np.full(len(values), MISSING_SAMPLE, np.int16)
    present = np.isfinite(values)
    quantized[present] = np.rint(values[present] / resolution).astype(np.int16)
    return quantized


def _event_data(
    night: NightLike, block: PackedArrays, windows: list[EventWindow]
) -> dict[str, Any]:
    table = night.events
    kinds = kinds_found(night)
    strings: dict[str, int] = {}

    def string_index(text: str) -> int:
        return strings.setdefault(display_text(text), len(strings))

    windows_of: list[list[Any]] = [[] for _ in range(len(table))]
    channels = {c.name: c for c in night.recording.channels}
    for window in windows:
        channel = channels[window.channel]
        offset, _ = block.add(window.samples.T)  # one axis after the other
        windows_of[window.event].append(
            [
                string_index(display_text(window.channel, _MAX_NAME)),
                channel.kind,
                window.start_ns / NS,
                window.fs,
                channel.width,
                offset,
                len(window.samples),
            ]
        )
    rows: list[list[Any]] = [
        [kinds.index(str(kind)), str(grade)]
        for kind, grade in zip(table["trial_type"], table["grade"], strict=True)
    ]
    for i in sorted(rank_by_strength(table)[:MAX_DESCRIBED]):
        event = table.iloc[i]
        caption, measurements = explanations.describe_event(night, event)
        rows[i] += [
            string_index(caption),
            string_index(measurements),
            string_index(str(event["label"])),
            string_index(explanations.describe_alternatives(night, event)),
            windows_of[i],
            _confidence_text(float(event["confidence"])),
        ]
    rules = {kind: explanations.kind_rule(kind, night.settings) for kind in kinds}
    labels = sorted(set(table["label"].astype(str)))
    return {
        "kinds": [[k, kind_name(k), kind_name(k, 2), kind_short(k), rules[k]] for k in kinds],
        "event_onsets": block.add(table["onset"].to_numpy(np.float64)),
        "event_durations": block.add(table["duration"].fillna(0.0).to_numpy(np.float64)),
        "events": rows,
        "strings": list(strings),
        "labels": {
            label: [label_name(label), explanations.label_meaning(label, night.settings)]
            for label in labels
        },
        "resolution": RESOLUTION,
    }


def _confidence_text(confidence: float) -> str:
    return f"confidence {confidence:.2f} of 1" if math.isfinite(confidence) else "not known"
