"""Writes docs/speed.md and its pictures from the history of figures.

    python -m benchmarks.speed.page benchmarks/history docs/speed.md

The newest release's figures make the page; the older ones one line each.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.speed.figures import draw_growth
from benchmarks.speed.goals import GOALS, digits

Figures = dict[str, Any]

WHO = {
    "twitchsense": "twitchsense: events of every kind, with features, context and labels",
    "numpy.sum": "`numpy.sum`: every sample looked at once",
    "script": "script: zero-phase filter, Hilbert envelope, moving average, peaks",
    "rms script": "script: zero-phase filter, 10-ms RMS, threshold",
    "biosppy": "BioSPPy `emg.emg`",
    "yasa": "YASA `spindles_detect`: events of another kind, a job of the same shape",
    "neurokit2": "NeuroKit2 `emg_clean`, `emg_amplitude`, `emg_activation`",
}


def write(history: Path, page: Path) -> None:
    """Write page and pictures."""
    releases = {p.stem: json.loads(p.read_text()) for p in sorted(history.glob("*.json"), key=_age)}
    told = list(releases.values())[-1]
    folder = page.parent / "figures"
    if {"length", "channels", "events"} <= told.keys():
        draw_growth(told, folder / "speed-growth.png")
    page.write_text(text(releases))


def _age(path: Path) -> tuple[tuple[int, int | str], ...]:
    parts = path.stem.replace("-", ".").split(".")
    return tuple((0, int(p)) if p.isdigit() else (1, p) for p in parts)


def text(releases: dict[str, Figures]) -> str:
    """Return the page."""
    told = list(releases.values())[-1]
    out = [
        "# Speed and memory",
        "",
        "Made by `python -m benchmarks.speed`; how: [the benchmark's page]"
        "(../benchmarks/speed/README.md). Your own computer: [`twitchsense bench`](speed-here.md).",
        "",
        "Nights are made up: two EMG channels at 1000 Hz and an accelerometer at 100 Hz, with "
        "mains, a heart, and 75 movements an hour if nothing else is said. A time is the smaller "
        "of what passed on the clock and what the processor worked, so that other programs do "
        "not count; ratios are of one run on the same arrays.",
        "",
        *machine(told),
        "## Goals",
        "",
        *table(" | goal | measured | met", (goal.row(told) for goal in GOALS)),
        "",
        *bounds(told),
        "",
    ]
    for name, section in SECTIONS.items():
        if name in told:
            out += [*section(told[name]["figures"]), ""]
    if {"length", "channels", "events"} <= told.keys():
        out += ["![Growth with length, channels and events](figures/speed-growth.png)", ""]
    return "\n".join([*out, *past(releases), ""])


def bounds(told: Figures) -> list[str]:
    """Return what stands between the figures and the goals."""
    figures = {name: part["figures"] for name, part in told.items()}
    lines = [
        "What bounds them, and what was tried, with figures: "
        "[ADR 12](adr/0012-fast-path.md) (`python -m benchmarks.speed.bounds`).",
        "",
    ]
    if {"night", "files", "others"} <= figures.keys():
        least = filters_alone(figures["night"], figures["files"], figures["others"])
        rows = [goal.row(least) for goal in GOALS]
        lines += [
            "Most of these goals are beyond the filters alone. Every EMG sample goes through "
            "causal ones, and through nine notches while there are mains; if all else cost "
            "nothing, not even finding the heart:",
            "",
            *table(" | goal | with nothing but the filters | met", known(rows)),
            "",
        ]
    lines.append(
        "- Live: while a heart is known, samples are kept back where its next beat may reach, "
        "0.16 s in the median and 0.24 s at most; then 90 ms after a burst are needed for its "
        "shape, and 50 ms without another burst ([by stage](live.md))."
    )
    return lines


def filters_alone(night: Figures, files: Figures, others: Figures) -> Figures:
    """Return the figures of a detector that is its filters and nothing else."""
    alone = (night["stages"]["filters"] + night["stages"]["mains canceller"]) / night["hours"]
    csv, hours = files["csv"], files["hours"]
    reading = files["night"]["once_s"] - night["seconds"] * hours / night["hours"]
    rows = [
        {"who": r["who"], "times twitchsense": r["seconds"] / r["hours"] / alone}
        for r in others["rows"]
        if "seconds" in r
    ]
    figures = {
        "night": {"times_sum": alone * night["hours"] / night["sum_s"]},
        "others": {"rows": rows},
        "files": {
            "hours": hours,
            "csv": {"times_parse": 1 + alone * hours / csv["parse_s"]},
            "night": {"once_s": reading + alone * hours},
        },
    }
    return {name: {"figures": f} for name, f in figures.items()}


def known(rows: Iterable[str]) -> list[str]:
    """Return the rows of goals that were measured."""
    return [row for row in rows if "not measured" not in row]


def machine(told: Figures) -> list[str]:
    """Return what the figures were measured on; parts may be of different days."""
    facts = [part["about"] for part in told.values()]
    one = facts[-1]
    loads = [f["load"] for f in facts if f["load"] is not None]
    small = [name for name, part in told.items() if part["about"]["small"]]
    busy = f" Load while measuring: {min(loads):.1f} to {max(loads):.1f}." if loads else ""
    return [
        f"{one['processor']}, {one['cores']} cores, {one['platform']}; Python {one['python']}, "
        f"numpy {one['numpy']}, scipy {one['scipy']}, pandas {one['pandas']}.{busy}",
        "",
        *([f"Measured in small sizes only (`--quick`): {', '.join(small)}.", ""] if small else []),
    ]


def night(f: Figures) -> list[str]:
    bound = ""
    if "filter_s" in f:
        bound = (
            f" One causal band-pass filter over the EMG (scipy's `sosfilt`, four sections, float32,"
            f" nothing else) takes {f['filter_s']:.2f} s, {digits(f['filter_s'] / f['sum_s'])} "
            "times `numpy.sum`."
        )
    stages = [
        f"{name} | {s:.2f} | {100 * s / f['seconds']:.0f} %" for name, s in f["stages"].items()
    ]
    return [
        "## Where the time goes",
        "",
        f"{f['hours']:.3g} h in memory → event table, {f['events']} events: {f['seconds']:.2f} s, "
        f"{f['times_real_time']:,.0f} times real time, {f['times_sum']:.0f} times `numpy.sum` "
        f"({digits(f['sum_s'])} s).{bound}",
        "",
        *table("stage | s | share", stages),
    ]


def others(f: Figures) -> list[str]:
    rows = []
    for r in f["rows"]:
        if "failed" in r:
            rows.append(f"{WHO[r['who']]} | {r['hours']:.3g} h | failed: {r['failed']} | | |")
            continue
        cells = [digits(r[k]) if k in r else "" for k in ("times numpy.sum", "times twitchsense")]
        memory = f"{r['above_mb']:.0f} MB" if "above_mb" in r else ""
        rows.append(
            f"{WHO[r['who']]} | {r['hours']:.3g} h | {digits(r['seconds'])} s | {cells[0]} "
            f"| {cells[1]} | {memory}"
        )
    left = f.get("left_out")
    return [
        "## Beside others",
        "",
        "The same EMG channels; twitchsense also reads the accelerometer. Imports are left out. "
        "Memory: what the work adds at its peak.",
        "",
        *table("who | length | time | × `numpy.sum` | × twitchsense | memory", rows),
        *(["", f"Not measured: {', '.join(left)}."] if left else []),
    ]


def files(f: Figures) -> list[str]:
    csv, stored, recorder = f["csv"], f["night"], f["recorder"]
    return [
        "## Files",
        "",
        f"{f['hours']:.3g} h; all result files but the report. Time of one go in a fresh process, "
        "imports left out; memory above the interpreter with numpy, scipy and pandas.",
        "",
        *table(
            " | size | time | memory",
            (
                f"CSV, pandas' C engine alone, the whole into memory | {csv['megabytes']:.0f} MB "
                f"| {csv['parse_s']:.2f} s | ",
                f"CSV → results | {csv['megabytes']:.0f} MB | {csv['once_s']:.2f} s "
                f"(again: {csv['seconds']:.2f} s) | {csv['above_mb']:.0f} MB",
                f"night file → results | {recorder['megabytes']:.0f} MB "
                f"| {stored['once_s']:.2f} s | {stored['above_mb']:.0f} MB",
            ),
        ),
        "",
        "Recording it, the radio left out (decoding, a commit a second; ten minutes of it): "
        f"{100 * recorder['share_of_core']:.2f} % of a core.",
    ]


def live(f: Figures) -> list[str]:
    rows = []
    for name in ("wearable", "20 ms"):
        r = f[name]
        rows.append(
            f"{'of the wearable (57 and 38 samples)' if name == 'wearable' else name} "
            f"| {r['p50_ms']:.2f} | {r['p99_ms']:.2f} | {100 * r['share_of_core']:.2f} % "
            f"| {_delays(r, 'twitch')} | {_delays(r, 'jerk')} | {_delays(r, 'movement')}"
        )
    return [
        "## Live",
        "",
        f"{f['minutes']:g} min with 720 movements an hour. Delay: signal time from the end of a "
        "movement to its row, shown / settled (it can't change any more), 95 of 100, in ms; a "
        "packet is told when its last sample is there. The first 30 s, while the noise floor is "
        "learned, are left out. The made-up heart is taken out all the time, which costs a shown "
        "row 0.16 to 0.24 s; without a heart it is there 0.17 s after a twitch and 0.2 s after a "
        "jerk ([by stage](live.md)).",
        "",
        *table(
            "packets | ms per packet, median | 99 of 100 | of a core | twitch | jerk | movement",
            rows,
        ),
    ]


def _delays(r: Figures, kind: str) -> str:
    if "shown_s" not in r:  # figures of before rows were shown early
        d = r["delay_s"].get(kind)
        return f"– / {1000 * d['p95']:.0f}" if d else "none seen"
    if kind not in r["shown_s"]:
        return "none seen"
    return " / ".join(f"{1000 * r[name][kind]['p95']:.0f}" for name in ("shown_s", "settled_s"))


def start(f: Figures) -> list[str]:
    return [
        "## Start-up",
        "",
        f"`twitchsense --help` {f['help_s']:.2f} s; `import numpy` {f['numpy_s']:.2f} s; "
        f"`import twitchsense` {f['import_s']:.3f} s more, {f['analyze_s']:.2f} s more with all "
        f"that `analyze` needs. Python alone: {f['python_s']:.2f} s.",
    ]


def length(rows: list[Figures]) -> list[str]:
    return [
        "## Growth",
        "",
        *table(
            "hours | time | s per hour | events | memory above the interpreter",
            (
                f"{r['hours']:.3g} | {r['seconds']:.2f} s | {r['seconds'] / r['hours']:.3f} "
                f"| {r['events']} | {r['above_mb']:.0f} MB"
                for r in rows
            ),
        ),
    ]


def channels(rows: list[Figures]) -> list[str]:
    return table(
        "EMG channels of one leg | time | s per channel",
        (
            f"{r['channels']} | {r['seconds']:.2f} s | {r['seconds'] / r['channels']:.3f}"
            for r in rows
        ),
    )


def events(rows: list[Figures]) -> list[str]:
    return table(
        "movements put in | time | events | rejected",
        (f"{r['put_in']} | {r['seconds']:.2f} s | {r['events']} | {r['rejected']}" for r in rows),
    )


def table(head: str, rows: Iterable[str]) -> list[str]:
    """Return the lines of a table from cells with bars between them."""
    rule = "|".join(["---"] * (head.count("|") + 1))
    return [f"| {head} |", f"|{rule}|", *[f"| {row} |" for row in rows]]


SECTIONS = {
    "night": night, "others": others, "files": files, "live": live, "start": start,
    "length": length, "channels": channels, "events": events,
}  # fmt: skip


def past(releases: dict[str, Figures]) -> list[str]:
    """Return one line for each release."""
    rows = []
    for version, told in releases.items():
        figures = {name: part["figures"] for name, part in told.items()}
        cells = []
        for name, value in (
            ("night", lambda f: f"{f['seconds'] * 8 / f['hours']:.2f} s"),
            ("night", lambda f: f"{f['times_sum']:.0f} ×"),
            ("files", lambda f: f"{f['csv']['times_parse']:.1f} ×"),
            ("length", lambda rows: f"{max(r['above_mb'] for r in rows):.0f} MB"),
            ("live", lambda f: f"{f['wearable']['p99_ms']:.2f} ms"),
        ):
            cells.append(value(figures[name]) if name in figures else "")
        rows.append(f"{version} | {' | '.join(cells)}")
    return [
        "## Releases",
        "",
        *table(
            "release | 8 h in memory | over `numpy.sum` | CSV over its parser | most memory "
            "| per packet, 99 of 100",
            rows,
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("history", type=Path)
    parser.add_argument("page", type=Path)
    args = parser.parse_args()
    write(args.history, args.page)


if __name__ == "__main__":
    main()
