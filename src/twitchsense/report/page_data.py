"""What the page's script draws from: a little JSON, and one packed block of numbers.

Arrays lie one after the other in the block: ``float64`` as it is, ``int16`` as all
low bytes and then all high bytes, which packs better. The block is zlib-deflated
and written in base64. `plot.js` reads it; docs/adr/0010 says why it is our own.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from datetime import timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from twitchsense.model.channels import NS
from twitchsense.report import explanations, tables
from twitchsense.report.artifact_minutes import disturbed
from twitchsense.report.decimate import Floats, envelope, spans
from twitchsense.report.event_windows import MISSING, QUANTUM, Trace
from twitchsense.report.onset_text import lay_still_from_start, mark_words
from twitchsense.report.overview import emg_scale, kinds_of, stretches
from twitchsense.report.palette import context_name, kind_name, kind_short, label_name
from twitchsense.report.plain import plain
from twitchsense.report.protocols import NightLike
from twitchsense.report.time_axis import bounds
from twitchsense.report.time_labels import Clock

_SECONDS: Final = 100_000  # columns at most: 28 hours of single seconds


class Block:
    """Arrays packed one after the other."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, array: NDArray[Any]) -> list[int]:
        """Append an array and return its place: offset in bytes, number of values."""
        if array.dtype == np.int16:
            flat = np.ascontiguousarray(array, "<i2").view(np.uint8).reshape(-1, 2)
            raw = flat[:, 0].tobytes() + flat[:, 1].tobytes()
        else:
            raw = np.ascontiguousarray(array, "<f8").tobytes()
        place = [self._size, int(array.size)]
        self._parts.append(raw)
        self._size += len(raw)
        return place

    def packed(self) -> str:
        """Return everything as base64 of zlib."""
        return base64.b64encode(zlib.compress(b"".join(self._parts), 9)).decode("ascii")


def build(night: NightLike, traces: list[Trace]) -> dict[str, Markup]:
    """Return the JSON and the block, ready to stand in the page."""
    block = Block()
    data = {**_frame(night), **_lanes(night, block), **_events(night, block, traces)}
    return {"data": to_script(data), "block": Markup(block.packed())}


def to_script(data: Any) -> Markup:
    """Return JSON that no text in it can turn into markup."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)  # no character is left that could be markup


def _frame(night: NightLike) -> dict[str, Any]:
    start, stop = bounds(night)
    clock = Clock.of(night.recording)
    onset, words = night.onset, mark_words(night)
    return {
        "start": start,
        "stop": stop,
        "zero": None if clock.start_utc_ns is None else clock.start_utc_ns / NS,
        "offsets": _offsets(clock, start, stop),
        "zone": clock.name,
        "onset": None
        if not words
        else {
            "at": _finite(onset.time_s),
            "low": _finite(onset.low_s),
            "high": _finite(onset.high_s),
            "sharp": not lay_still_from_start(night),
            "words": words,
        },
        "contexts": [[c, context_name(c), a, b] for c, a, b in stretches(night)],
        "stages": _stages(night),
        "disturbed": [[round(a, 2), round(n, 2)] for a, n in disturbed(night)],
    }


def _offsets(clock: Clock, start: float, stop: float) -> list[list[float]]:
    """Return from when on the local clock is so many seconds ahead of UTC."""
    if not clock.known:
        return []
    out: list[list[float]] = []
    for t in np.arange(start, stop + 60, 60.0):  # clocks change on whole minutes
        ahead = (clock.at(float(t)).utcoffset() or timedelta()).total_seconds()
        if not out or out[-1][1] != ahead:
            out.append([float(t), ahead])
    return out


def _stages(night: NightLike) -> list[list[Any]]:
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


def _lanes(night: NightLike, block: Block) -> dict[str, Any]:
    start, stop = bounds(night)
    lanes = []
    for channel in night.recording.channels:
        if channel.name not in night.seconds:
            continue
        seconds = night.seconds[channel.name]
        env = envelope(seconds, start, stop, _SECONDS)
        step = _step(env.low, env.high)
        lanes.append(
            {
                "name": plain(channel.name, 80),
                "kind": channel.kind,
                "unit": "µV" if channel.unit == "uV" else "g",
                "scale": emg_scale(seconds) if channel.kind == "emg" else None,
                "width": env.width_s,
                "step": step,
                "low": block.add(_whole(env.low, step)),
                "high": block.add(_whole(env.high, step)),
                "bad": [[round(a, 2), round(n, 2)] for a, n in spans(seconds)[1]],
                "good": [[round(a, 2), round(n, 2)] for a, n in spans(seconds)[0]],
            }
        )
    return {"lanes": lanes}


def _step(low: Floats, high: Floats) -> float:
    values = np.abs(np.concatenate([low, high]))
    values = values[np.isfinite(values)]
    return float(values.max()) / 32000 if len(values) and values.max() > 0 else 1.0


def _whole(values: Floats, step: float) -> NDArray[np.int16]:
    whole = np.full(len(values), MISSING, np.int16)
    seen = np.isfinite(values)
    whole[seen] = np.rint(values[seen] / step).astype(np.int16)
    return whole


def _events(night: NightLike, block: Block, traces: list[Trace]) -> dict[str, Any]:
    table = night.events
    kinds = kinds_of(night)
    strings: dict[str, int] = {}

    def word(text: str) -> int:
        return strings.setdefault(plain(text), len(strings))

    waves: list[list[Any]] = [[] for _ in range(len(table))]
    channels = {c.name: c for c in night.recording.channels}
    for t in traces:
        channel = channels[t.channel]
        place = block.add(t.samples.T)  # one axis after the other
        waves[t.event].append(
            [
                word(plain(t.channel, 80)),
                channel.kind,
                t.start_ns / NS,
                t.fs,
                channel.width,
                place[0],
                len(t.samples),
            ]
        )
    rows = []
    for i, (_, event) in enumerate(table.iterrows()):
        caption, detail = tables.describe(night, event)
        rows.append(
            [
                kinds.index(str(event["trial_type"])),
                word(caption),
                word(detail),
                word(str(event["label"])),
                word(explanations.alternatives(night, event)),
                str(event["grade"]),
                waves[i],
                _sure(float(event["confidence"])),
            ]
        )
    return {
        "kinds": [
            [
                k,
                kind_name(k),
                kind_name(k, 2),
                kind_short(k),
                explanations.kind_rule(k, night.settings),
            ]
            for k in kinds
        ],
        "onsets": block.add(table["onset"].to_numpy(np.float64)),
        "lengths": block.add(table["duration"].fillna(0.0).to_numpy(np.float64)),
        "events": rows,
        "strings": list(strings),
        "labels": {
            str(w): [label_name(str(w)), explanations.label_meaning(str(w))] for w in _words(table)
        },
        "quantum": QUANTUM,
    }


def _sure(confidence: float) -> str:
    return f"confidence {confidence:.2f} of 1" if math.isfinite(confidence) else "not known"


def _words(table: pd.DataFrame) -> list[str]:
    return sorted(set(table["label"].astype(str)))


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
