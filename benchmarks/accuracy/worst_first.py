"""The worst source, family, noise donor, amplifier and size of the accuracy page."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from benchmarks.accuracy.canvas import Device
from benchmarks.accuracy.results import OURS, Results
from benchmarks.accuracy.score import KINDS, Score
from benchmarks.accuracy.sections import OTHERS, POOLED, share
from benchmarks.accuracy.tally import CLEAR, CLEAR_SNR

#: Recordings whose clocks are seconds apart: nothing says there what belongs together.
NOT_TIMED = ("drift_late", "rate_mismatch")
#: Fewest targets, and fewest hours, of a group for it to be the worst.
LEAST = 20
LEAST_H = 0.5
#: Columns that say where a recording comes from, and what the page calls them.
WHOLE = {"scenario": "family", "noise": "noise donor", "amplifier": "amplifier"}
SIZES = {"50–100 µV": (50, 100), "0.1–1 mV": (100, 1000), "1–10 mV": (1000, 10000)}


def origin(noise_source: tuple[str, ...], device: Device) -> dict[str, str]:
    """Return the columns that say whose noise a recording holds, and what recorded it."""
    passes = ", band-pass" if device.pass_order else ""
    return {
        "noise": " + ".join(sorted(set(noise_source))),
        "amplifier": f"{device.fs:g} Hz × {device.n_emg}, {device.acc_fs:g} Hz{passes}",
    }


def section(results: Results) -> list[str]:
    """Return the section of the page."""
    shown = {*POOLED, *OTHERS} - {*NOT_TIMED}
    scores = [
        s.named(scenario=p.scenario)
        for p, s in results.scores.items()
        if p.who == OURS and not p.minutes and p.scenario in shown
    ]
    out = [
        "## The worst first", "",
        "All recordings but those whose clocks are seconds apart. The units, contractions, resting "
        "noise and ankles of this side were in no training recording; families, amplifiers and "
        "sizes are drawn from the ranges of the training recordings. What happens in families that "
        "no model has seen: [recordings composed by others](accuracy-blind.md). "
        f"Groups of at least {LEAST} targets, or {LEAST_H:g} h.", "",
        "| kind | worst | | found |", "|---|---|---|---|",
    ]  # fmt: skip
    targets = sum(scores, Score()).targets
    for kind in (CLEAR, *KINDS):
        for by, group, found, n in worst_found(targets, kind):
            out.append(f"| {kind} | {by} | {group} | {share(found, n)} of {n} |")
    out += ["", "| kind | worst | | false alarms per hour |", "|---|---|---|---|"]
    for kind in KINDS:
        for by, group, false, hours in worst_false(scores, kind):
            out.append(
                f"| {kind} | {by} | {group} | {false / hours:.1f} ({false} in {hours:.1f} h) |"
            )
    return [*out, ""]


def worst_found(targets: pd.DataFrame, kind: str) -> list[tuple[str, str, int, int]]:
    """Return what, which group, how many found, and of how many, of the worst group of each."""
    if not len(targets):
        return []
    of = "twitch" if kind == CLEAR else kind
    rows = targets[(targets.trial_type == of) & targets.needed.astype(bool)]
    if kind == CLEAR:
        rows = rows[rows.snr >= CLEAR_SNR]
    muscle = rows.source.str.split(" | ", regex=False)
    names: Mapping[str, pd.Series] = {
        "source": muscle.str[0].map(_sources),
        **({"source of the acceleration": muscle.map(_ankle)}
           if kind in ("jerk", "movement") else {}),
        **{title: rows[column].fillna("").map(_one)
           for column, title in WHOLE.items() if column in rows},
        "size": rows.amplitude_uv.map(_size),
    }  # fmt: skip
    out = []
    for what, groups in names.items():
        table = pd.DataFrame({"group": groups, "hit": rows.hit.astype(bool)}).explode("group")
        counts = table[table.group != ""].groupby("group").hit.agg(["sum", "size"])
        counts = counts[counts["size"] >= LEAST]
        if len(counts):
            worst = (counts["sum"] / counts["size"]).idxmin()
            found, n = counts.loc[worst]
            out.append((what, str(worst), int(found), int(n)))
    return out


def worst_false(scores: list[Score], kind: str) -> list[tuple[str, str, int, float]]:
    """Return what, which group, its false alarms and hours, of the worst group of each."""
    out = []
    for column, title in WHOLE.items():
        total: dict[str, list[float]] = {}
        for score in scores:
            tables = [t for t in (score.targets, score.events) if len(t) and column in t]
            if tables:
                group = total.setdefault(str(tables[0][column].iloc[0]), [0, 0.0])
                rows = score.events
                group[0] += ((rows.trial_type == kind) & (rows.verdict == "false")).sum()
                group[1] += sum(score.hours.values())
        total = {k: v for k, v in total.items() if v[1] >= LEAST_H and k not in ("", "nan")}
        if total:
            worst = max(total, key=lambda k: total[k][0] / total[k][1])
            out.append((title, worst, int(total[worst][0]), total[worst][1]))
    return out


def _sources(text: str) -> list[str]:
    """Return the units or contractions of a target; which electrodes saw them is left out."""
    parts = [p for unit in text.split(" + ") for p in unit.split("; ")]
    return sorted({p for p in parts if p.startswith(("hermescb", "openhdemg"))})


def _ankle(parts: list[str]) -> list[str]:
    text = parts[1] if len(parts) > 1 else ""
    return [text.split()[0] + " " + text.split()[1][:3] if text.startswith("daphnet") else text]


def _one(text: str) -> list[str]:
    return [text]


def _size(amplitude_uv: float) -> list[str]:
    if math.isnan(amplitude_uv):
        return []
    return [name for name, (low, high) in SIZES.items() if low <= amplitude_uv < high]
