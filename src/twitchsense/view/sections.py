"""The tables of the report, as plain rows ready for the page."""

from __future__ import annotations

import math
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

from twitchsense.events import REJECT_REASONS
from twitchsense.recording import NS
from twitchsense.view.clock import Clock, from_onset, milliseconds, spoken
from twitchsense.view.nightlike import NightLike
from twitchsense.view.palette import CONTEXT_NAMES, context_name, kind_name, label_name

_MOST_JERKS = 60


def rates(night: NightLike) -> dict[str, Any]:
    """Return the table of rates: one row per label, one column per context."""
    table = night.summary(by=("label", "context"))
    contexts = [c for c in CONTEXT_NAMES if (table["context"] == c).any()]
    contexts += sorted(set(table["context"]) - set(contexts))
    cells = {(r["label"], r["context"]): _rate(r) for _, r in table.iterrows()}
    totals = table.groupby("label")["count"].sum().sort_values(ascending=False, kind="stable")
    rows = [
        {
            "name": label_name(str(label)),
            "label": str(label),
            "cells": [cells.get((label, c), {"count": "", "rate": "", "none": True}) for c in contexts],
        }
        for label in totals.index
    ]
    return {"contexts": [context_name(c) for c in contexts], "rows": rows}


def _rate(row: pd.Series[Any]) -> dict[str, Any]:
    hours, count = float(row["hours"]), int(row["count"])
    if not hours > 0:
        return {"count": "no valid signal", "rate": "", "none": True}
    rate, low, high = (_short(float(row[k])) for k in ("rate", "low", "high"))
    size = f"{hours:.1f} h" if hours >= 1 else spoken(hours * 3600)
    return {
        "count": f"{count:,} in {size}",
        "rate": f"({low}–{high} per h)" if count == 0 else f"{rate} per h ({low}–{high})",
        "none": False,
    }


def jerks(night: NightLike) -> dict[str, Any]:
    """Return the list of jerks, in the order of the night."""
    table = night.events[night.events["trial_type"] == "jerk"]
    clock = Clock.of(night.recording)
    shown = table
    if len(table) > _MOST_JERKS:
        shown = table.sort_values("peak_g", ascending=False).head(_MOST_JERKS).sort_values("onset")
    rows = [
        {
            "when": clock.exact(float(r["onset"])),
            "place": from_onset(float(r["min_from_onset"])) or context_name(str(r["context"])),
            "label": label_name(str(r["label"])),
            "grade": str(r["grade"]),
            "peak": _unit(float(r["peak_g"]), "g", 2),
            "emg": milliseconds(float(r["duration"])) if _has(r["amplitude_uv"]) else "no EMG",
            "amplitude": _unit(float(r["amplitude_uv"]), "µV", 0),
            "confidence": _unit(float(r["confidence"]), "", 2),
            "leg": str(r["leg"]),
        }
        for _, r in shown.iterrows()
    ]
    return {"rows": rows, "total": len(table), "legs": any(r["leg"] for r in rows)}


def channels(night: NightLike) -> list[dict[str, str]]:
    """Return the quality of each channel."""
    rows: list[dict[str, str]] = []
    for channel in night.recording.channels:
        segments = night.recording.segments_of(channel.name)
        ends = [night.recording.segment_end_ns(s) for s in segments]
        missing = sum(
            max(0, later.start_ns - end) for end, later in zip(ends[:-1], segments[1:], strict=True)
        )
        recorded = sum(len(s.samples) for s in segments) / channel.fs
        seconds = night.seconds.get(channel.name)
        valid = seconds.valid_s if seconds is not None else 0.0
        floor = math.nan
        if seconds is not None and seconds.valid.any():
            floor = float(np.median(seconds.level[seconds.valid]))
        is_emg = channel.kind == "emg"
        gaps = len(segments) - 1
        rows.append(
            {
                "name": channel.name,
                "sensor": "EMG" if is_emg else "acceleration",
                "leg": channel.leg or "",
                "fs": f"{channel.fs:.6g} Hz"
                + (f" ± {channel.fs_error:.1g}" if channel.fs_error > 0 else ""),
                "recorded": spoken(recorded),
                "valid": f"{100 * min(1.0, valid / recorded):.1f} %" if recorded else "no signal",
                "gaps": f"{gaps} ({spoken(missing / NS)})" if gaps > 0 else "none",
                "floor": _unit(floor, "µV", 1) if is_emg else _unit(floor * 1000, "mg", 1),
            }
        )
    return rows


def rejected(night: NightLike) -> list[dict[str, Any]]:
    """Return how many candidates each rule stopped."""
    counts = night.rejected["reason"].value_counts()
    return [
        {"reason": str(reason), "meaning": REJECT_REASONS.get(str(reason), ""), "count": f"{n:,}"}
        for reason, n in counts.items()
    ]


def method(night: NightLike) -> list[str]:
    """Return how the events were found, with the numbers used."""
    s = night.settings
    return [
        f"Muscle bursts are looked for at 20–450 Hz: one opens at {s.emg.open_k:g} robust standard "
        f"deviations over the noise floor of the last {s.emg.floor_s:g} s and closes at "
        f"{s.emg.close_k:g}. A twitch lasts {s.twitch.min_ms:g}–{s.twitch.max_ms:g} ms and has at "
        f"least {s.twitch.min_uv:g} µV peak to peak.",
        f"A jerk lasts {s.jerk.min_ms:g}–{s.jerk.max_ms:g} ms in the EMG and throws the leg with at "
        f"least {s.jerk.min_g:g} g and {s.jerk.min_jerk_g_s:g} g/s. No published limits exist for "
        "the leg; these, and the grades of jerks, are provisional.",
        f"A leg movement rises {s.movement.rise_uv:g} µV over rest and lasts {s.movement.min_s:g}–"
        f"{s.movement.max_s:g} s.",
        f"Drowsy is the {s.context.drowsy_min:g} min before sleep onset, falling asleep the first "
        f"{s.context.onset_min:g} min after it. On one leg, a fasciculation-like and a "
        "fragmentary-myoclonus-like twitch differ only by wake or sleep, not by their shape.",
        "Filters look only back in time and never across a gap; gaps are not filled in. "
        "There is no public data set with expert labels for such jerks and twitches on the leg, "
        "so accuracy is known only from simulated and from related recordings.",
    ]


def provenance(night: NightLike) -> list[tuple[str, str]]:
    """Return what went in: files, hashes, versions; no paths of the machine."""
    facts = night.summary_dict().get("provenance", {})
    rows = [("recording", night.recording.source)]
    for key, value in _flat(facts):
        if value and key != "source":
            rows.append((key.replace("_", " "), value))
    return rows


def describe(night: NightLike, row: pd.Series[Any]) -> tuple[str, str]:
    """Return the caption of an event, and the line of numbers below it."""
    clock = Clock.of(night.recording)
    kind = kind_name(str(row["trial_type"]))
    caption = f"{kind.capitalize()} at {clock.exact(float(row['onset']))}"
    numbers = [label_name(str(row["label"]))]
    if numbers[0] == kind:
        numbers = []
    if row["grade"]:
        numbers.append(str(row["grade"]))
    numbers.append(from_onset(float(row["min_from_onset"])) or context_name(str(row["context"])))
    numbers.append(milliseconds(float(row["duration"])))
    if _has(row["amplitude_uv"]):
        numbers.append(_unit(float(row["amplitude_uv"]), "µV", 0))
    if _has(row["peak_g"]):
        numbers.append(_unit(float(row["peak_g"]), "g", 3 if float(row["peak_g"]) < 0.1 else 2))
    if _has(row["confidence"]):
        numbers.append(f"confidence {float(row['confidence']):.2f}")
    return caption, " · ".join(n for n in numbers if n)


def _flat(facts: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in facts.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{key} ")
        elif isinstance(value, (list, tuple)):
            rows.append((prefix + key, ", ".join(_name(v) for v in value)))
        elif value is not None:
            rows.append((prefix + key, _name(value)))
    return rows


def _name(value: object) -> str:
    text = str(value)
    return PurePath(text).name if text.startswith("/") else text


def _has(value: Any) -> bool:
    return math.isfinite(float(value))


def _unit(value: float, unit: str, decimals: int) -> str:
    return f"{value:,.{decimals}f} {unit}".strip() if math.isfinite(value) else "–"


def _short(value: float) -> str:
    if not math.isfinite(value):
        return "?"
    if value == 0:
        return "0"
    if value >= 99.5:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2f}".rstrip("0")
