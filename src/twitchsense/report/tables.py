"""The tables of the report, as plain rows ready for the page."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from twitchsense.model.event_table import REJECT_REASONS
from twitchsense.report.palette import (
    CONTEXT_NAMES,
    KIND_NAMES,
    context_name,
    kind_name,
    label_name,
)
from twitchsense.report.protocols import NightLike
from twitchsense.report.time_labels import Clock, from_onset, milliseconds, spoken
from twitchsense.scoring.rates import rate

_MOST_JERKS = 60
#: In less valid time than this a rate says nothing (h).
_LEAST_H = 1 / 60
#: Kinds that stand in the table of rates even if none was found.
_ALWAYS = ("twitch", "jerk", "movement")
#: Kinds whose only label says nothing new.
_SAME_LABEL = {"movement": "leg_movement"}


def rates(night: NightLike, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the table of rates: kinds, below each its labels; a column per context.

    A kind that was never found stands there with its zero and its interval. A
    label is a kind in a context, so a zero of its own says nothing: it is a dash.
    """
    events = night.events
    came = set(night.epochs["context"].astype(str))
    contexts = [c for c in CONTEXT_NAMES if c in came and (c != "unknown" or _matters(facts))]
    if not any(_has_time(facts, c) for c in contexts if c != "unknown"):
        contexts = []
    places: list[str | None] = [None, *contexts]
    found = events["trial_type"].value_counts()
    rest = [k for k in (*KIND_NAMES, *sorted(found.index)) if found.get(k, 0)]
    rows = []
    for kind in dict.fromkeys((*_ALWAYS, *rest)):
        mine = events[events["trial_type"] == kind]
        seen = _can_see(night, kind)
        hours = [_hours(facts, kind, place) for place in places]
        cells = [
            _cell(_count(mine, place), h, seen=seen) for place, h in zip(places, hours, strict=True)
        ]
        rows.append({"name": kind_name(kind, 2).capitalize(), "head": True, "cells": cells})
        labels = mine["label"].value_counts()
        if list(labels.index) == [_SAME_LABEL.get(kind, kind)]:
            continue
        for label in labels.index:
            named = mine[mine["label"] == label]
            cells = [
                _cell(_count(named, place), h, seen=seen, dash=True)
                for place, h in zip(places, hours, strict=True)
            ]
            rows.append({"name": label_name(str(label)), "head": False, "cells": cells})
    return {"columns": ["whole night", *map(context_name, contexts)], "rows": rows}


def _matters(facts: dict[str, Any]) -> bool:
    """Return whether time of unknown context is worth a column."""
    cells = facts["by_context"]["unknown"]["by_kind"]
    whole = facts["by_kind"]
    return any(c["count"] or c["hours"] > 0.02 * whole[k]["hours"] for k, c in cells.items())


def _has_time(facts: dict[str, Any], context: str) -> bool:
    return any(c["hours"] > 0 for c in facts["by_context"][context]["by_kind"].values())


def _hours(facts: dict[str, Any], kind: str, place: str | None) -> float:
    group = facts if place is None else facts["by_context"][place]
    cells = group["by_kind"]
    # a kind of a plug-in has no entry where it did not occur: it has the twitches' time
    return float(cells.get(kind, cells["twitch"])["hours"])


def _count(rows: pd.DataFrame, place: str | None) -> int:
    return len(rows) if place is None else int((rows["context"] == place).sum())


def _can_see(night: NightLike, kind: str) -> bool:
    has_emg = any(c.kind == "emg" for c in night.recording.channels)
    return has_emg or kind not in ("twitch", "brief_contraction")


def _cell(count: int, hours: float, *, seen: bool, dash: bool = False) -> dict[str, Any]:
    if not seen:
        return {"count": "no EMG", "rate": "", "range": "", "none": True}
    if not hours > 0:
        return {"count": "no valid signal", "rate": "", "range": "", "none": True}
    if hours < _LEAST_H:
        return {"count": "under a minute", "rate": "", "range": "", "none": True}
    if dash and count == 0:
        return {"count": "–", "rate": "", "range": "", "none": True}
    per_hour, low, high = (_short(value) for value in rate(count, hours))
    size = f"{hours:.1f} h" if hours >= 1 else spoken(hours * 3600)
    return {
        "count": f"{count:,} in {size}",
        "rate": f"{per_hour} per h" if count else "",
        "range": f"({low}–{high})" if count else f"({low}–{high} per h)",
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
            "event": row,
        }
        for row, (_, r) in zip(shown.index.to_list(), shown.iterrows(), strict=True)
    ]
    return {"rows": rows, "total": len(table), "legs": any(r["leg"] for r in rows)}


def channels(night: NightLike, facts: dict[str, Any]) -> list[dict[str, str]]:
    """Return the quality of each channel."""
    rows: list[dict[str, str]] = []
    for channel in night.recording.channels:
        clock = facts["clock"]["channels"][channel.name]
        start, end = clock["start_s"], clock["end_s"]
        recorded = 0.0 if start is None else end - start - clock["lost_s"]
        seconds = night.seconds.get(channel.name)
        valid = seconds.valid_s if seconds is not None else 0.0
        floor = math.nan
        if seconds is not None and seconds.valid.any():
            floor = float(np.median(seconds.level[seconds.valid]))
        is_emg = channel.kind == "emg"
        gaps = clock["n_gaps"]
        rows.append(
            {
                "name": channel.name,
                "sensor": "EMG" if is_emg else "acceleration",
                "leg": channel.leg or "",
                "fs": f"{channel.fs:.6g} Hz"
                + (f" ± {channel.fs_error:.1g}" if channel.fs_error > 0 else ""),
                "recorded": spoken(recorded),
                "valid": f"{100 * min(1.0, valid / recorded):.1f} %" if recorded else "no signal",
                "gaps": f"{gaps} ({spoken(clock['lost_s'])})" if gaps > 0 else "none",
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
        f"least {s.twitch.min_uv:g} µV peak to peak, give or take {s.twitch.slack_uv:g}.",
        f"A jerk lasts {s.jerk.min_ms:g}–{s.jerk.max_ms:g} ms in the EMG and throws the leg with "
        f"at least {s.jerk.min_g:g} g and {s.jerk.min_jerk_g_s:g} g/s. No published limits "
        "exist for the leg; these, and the grades of jerks, are provisional.",
        f"A leg movement rises {s.movement.rise_uv:g} µV over rest and lasts {s.movement.min_s:g}–"
        f"{s.movement.max_s:g} s.",
        f"Drowsy is the {s.context.drowsy_min:g} min before sleep onset, falling asleep the first "
        f"{s.context.onset_min:g} min after it. On one leg, a fasciculation-like and a "
        "fragmentary-myoclonus-like twitch differ only by wake or sleep, not by their shape.",
        "Filters look only back in time and never across a gap; gaps are not filled in. "
        "There is no public data set with expert labels for such jerks and twitches on the leg, "
        "so accuracy is known only from simulated and from related recordings.",
    ]


def provenance(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what went in: files, hashes, versions; no paths of the machine."""
    given = facts["provenance"]
    versions = ", ".join(f"{name} {v}" for name, v in given["versions"].items())
    return [
        ("recording", given["source"]),
        ("SHA-256 of the input", given["sha256"] or "not from files"),
        ("settings", given["settings"]),
        ("sleep from", "a hypnogram" if given["hypnogram"] else "stillness of the leg, if at all"),
        ("versions", versions),
    ]


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
    if _has(row["peak_g"]) and float(row["peak_g"]) >= 0.0005:
        numbers.append(_unit(float(row["peak_g"]), "g", 3 if float(row["peak_g"]) < 0.1 else 2))
    if _has(row["confidence"]):
        numbers.append(f"confidence {float(row['confidence']):.2f}")
    return caption, " · ".join(n for n in numbers if n)


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
