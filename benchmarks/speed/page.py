"""Generate docs/speed.md and its figure from the measurements of all releases.

    python -m benchmarks.speed.page benchmarks/history docs/speed.md

The measurements of the newest release make the page; each older release has one row.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.speed import devices, engines
from benchmarks.speed.figures import draw_growth
from benchmarks.speed.goals import GOALS, digits

Figures = dict[str, Any]

WHO = {
    "twitchsense": "twitchsense: events of every kind, with features, context and labels",
    "numpy.sum": "`numpy.sum`: every sample read once",
    "script": "script: zero-phase filter, Hilbert envelope, moving average, peaks",
    "rms script": "script: zero-phase filter, 10-ms RMS, threshold",
    "biosppy": "BioSPPy `emg.emg`",
    "yasa": "YASA `spindles_detect`: other events, a comparable task",
    "neurokit2": "NeuroKit2 `emg_clean`, `emg_amplitude`, `emg_activation`",
}


def write(history: Path, page: Path) -> None:
    """Write the page and its figure.

    Parameters
    ----------
    history : Path
        Folder with one JSON file per release.
    page : Path
        The Markdown file to write.
    """
    releases = {p.stem: json.loads(p.read_text()) for p in sorted(history.glob("*.json"), key=_age)}
    measured = list(releases.values())[-1]
    folder = page.parent / "figures"
    if {"length", "channels", "events"} <= measured.keys():
        draw_growth(measured, folder / "speed-growth.png")
    page.write_text(render(releases))


def _age(path: Path) -> tuple[tuple[int, int | str], ...]:
    parts = path.stem.replace("-", ".").split(".")
    return tuple((0, int(p)) if p.isdigit() else (1, p) for p in parts)


def render(releases: dict[str, Figures]) -> str:
    """Return the text of the page."""
    measured = list(releases.values())[-1]
    out = [
        "# Speed and memory",
        "",
        "Made by `python -m benchmarks.speed` ([method](../benchmarks/speed/README.md)). On your "
        "own computer: [`twitchsense bench`](speed-here.md).",
        "",
        "The signals are synthetic: two EMG channels at 1000 Hz and an accelerometer at 100 Hz, "
        "with mains, ECG and, unless stated otherwise, 75 movements per hour. A time is the "
        "smaller of wall-clock time and processor time, which excludes the load of other programs. "
        "Ratios are of one run on the same arrays.",
        "",
        *machine(measured),
        *measured_before(measured),
        "## Goals",
        "",
        *table(" | goal | measured | met", (goal.row(measured) for goal in GOALS)),
        "",
        *limits(measured),
        "",
    ]
    for name, section in SECTIONS.items():
        if name in measured:
            out += [*section(measured[name]["figures"]), ""]
        if name == "events" and {"length", "channels"} <= measured.keys():
            out += ["![Growth with length, channels and events](figures/speed-growth.png)", ""]
    return "\n".join([*out, *releases_table(releases), ""])


def measured_before(measured: Figures) -> list[str]:
    """Return a note on the parts that were measured before there was a compiled engine."""
    old = [name for name, part in measured.items() if "engine" not in part["about"]]
    if not old:
        return []
    return [
        f"Parts measured before the compiled engine and the model of mains hum: {', '.join(old)}.",
        "",
    ]


def limits(measured: Figures) -> list[str]:
    """Return the section on what limits the speed."""
    figures = {name: part["figures"] for name, part in measured.items()}
    lines = [
        "What limits the speed and what was tried, with measurements: "
        "[ADR 12](adr/0012-fast-path.md) (`python -m benchmarks.speed.bounds`); what was "
        "compiled: [ADR 17](adr/0017-compiled-engine.md).",
        "",
    ]
    if {"night", "files", "others"} <= figures.keys():
        least = filters_alone(figures["night"], figures["files"], figures["others"])
        rows = [goal.row(least) for goal in GOALS]
        lines += [
            "Every EMG sample passes through causal filters, and hum is predicted and subtracted "
            "while it is present. If everything else took no time, including the search for the "
            "ECG:",
            "",
            *table(" | goal | filters alone | met", measured_only(rows)),
            "",
        ]
    lines.append(
        "- Live: measuring a burst takes the 90 ms after it, and 50 ms without another burst. "
        "While an ECG is being subtracted, the next beat delays what is final, by 0.16 s (median) "
        "to 0.24 s (maximum), but not what is shown ([by stage](live.md))."
    )
    return lines


def filters_alone(night: Figures, files: Figures, others: Figures) -> Figures:
    """Return the measurements of a hypothetical detector that consists of its filters only."""
    alone = (night["stages"]["filters"] + night["stages"]["mains canceller"]) / night["hours"]
    csv, hours = files["csv"], files["hours"]
    reading = files["night"]["once_s"] - night["seconds"] * hours / night["hours"]
    rows = [
        {"who": r["who"], "times twitchsense": r["seconds"] / r["hours"] / alone}
        for r in others["rows"]
        if "seconds" in r
    ]
    figures = {
        "others": {"rows": rows},
        "files": {
            "hours": hours,
            "csv": {"times_parse": 1 + alone * hours / csv["parse_s"]},
            "night": {"once_s": reading + alone * hours},
        },
    }
    return {name: {"figures": f} for name, f in figures.items()}


def measured_only(rows: Iterable[str]) -> list[str]:
    """Return the rows of the goals that have a measurement."""
    return [row for row in rows if "not measured" not in row]


def machine(measured: Figures) -> list[str]:
    """Return the computer and the versions; parts may have been measured on different days."""
    # two versions are compared on a computer as busy as the other
    facts = [part["about"] for name, part in measured.items() if name != "versions"]
    one = facts[-1]
    loads = [f["load"] for f in facts if f["load"] is not None]
    small = [name for name, part in measured.items() if part["about"]["small"]]
    busy = f" System load during the run: {min(loads):.1f} to {max(loads):.1f}." if loads else ""
    return [
        f"{one['processor']}, {one['cores']} cores, {one['platform']}; Python {one['python']}, "
        f"numpy {one['numpy']}, scipy {one['scipy']}, pandas {one['pandas']}.{busy}",
        "",
        *([f"Measured with small sizes (`--quick`): {', '.join(small)}.", ""] if small else []),
    ]


def night(f: Figures) -> list[str]:
    bound = ""
    if "filter_s" in f:
        bound = (
            f" A single causal band-pass filter over the EMG (scipy's `sosfilt`, four sections,"
            f" float32) takes {f['filter_s']:.2f} s, {digits(f['filter_s'] / f['sum_s'])} times "
            "`numpy.sum`."
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
        "## Compared with other programs",
        "",
        "On the same EMG channels; twitchsense also analyses the accelerometer. Imports are "
        "excluded. Memory: increase of the peak during the work.",
        "",
        *table("program | length | time | × `numpy.sum` | × twitchsense | memory", rows),
        *(["", f"Not measured: {', '.join(left)}."] if left else []),
    ]


def files(f: Figures) -> list[str]:
    csv, stored, recorder = f["csv"], f["night"], f["recorder"]
    nights = ""
    if "cohort" in f:
        nights = (
            " 1000 such nights from CSV, in a worker of a cohort: "
            f"{f['cohort']['vcpu_hours_per_1000_nights']:.2f} hours of a processor."
        )
    return [
        "## Files",
        "",
        f"{f['hours']:.3g} h; all result files except the report. Time of one run in a fresh "
        "process, without imports; memory above the interpreter with numpy, scipy and pandas.",
        "",
        *table(
            " | size | time | memory",
            (
                f"CSV, pandas' C engine alone, into memory | {csv['megabytes']:.0f} MB "
                f"| {csv['parse_s']:.2f} s | ",
                f"CSV → results | {csv['megabytes']:.0f} MB | {csv['once_s']:.2f} s "
                f"(repeated: {csv['seconds']:.2f} s) | {csv['above_mb']:.0f} MB",
                f"night file → results | {recorder['megabytes']:.0f} MB "
                f"| {stored['once_s']:.2f} s | {stored['above_mb']:.0f} MB",
            ),
        ),
        "",
        "Recording without the radio (decoding, one commit per second; measured over ten minutes): "
        f"{100 * recorder['share_of_core']:.2f} % of a core.{nights}",
    ]


def live(f: Figures) -> list[str]:
    rows = []
    for name in ("wearable", "20 ms"):
        r = f[name]
        rows.append(
            f"{'wearable (57 and 38 samples)' if name == 'wearable' else name} "
            f"| {r['p50_ms']:.2f} | {r['p99_ms']:.2f} | {100 * r['share_of_core']:.2f} % "
            f"| {_delays(r, 'twitch')} | {_delays(r, 'jerk')} | {_delays(r, 'movement')}"
        )
    return [
        "## Live",
        "",
        f"{f['minutes']:g} min with 720 movements per hour. Delay: signal time from the end of a "
        "movement until its row is first shown / final, 95th percentile in ms; a packet is "
        "processed when its last sample has arrived. The first 30 s, while the noise floor is "
        "estimated, are excluded. A packet holds the samples of all channels of a kind. The "
        "synthetic ECG is subtracted throughout ([by stage](live.md)).",
        "",
        *table(
            "packets | ms per packet, median | 99th percentile | share of a core | twitch | jerk "
            "| movement",
            rows,
        ),
    ]


def _delays(r: Figures, kind: str) -> str:
    if "shown_s" not in r:  # releases in which rows were shown only when final
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
        f"`import twitchsense` {f['import_s']:.3f} s more, {f['analyze_s']:.2f} s more with "
        f"everything that `analyze` imports. Python alone: {f['python_s']:.2f} s.",
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
        "movements in the signal | time | events | rejected",
        (f"{r['put_in']} | {r['seconds']:.2f} s | {r['events']} | {r['rejected']}" for r in rows),
    )


def versions(f: Figures) -> list[str]:
    return [
        "## Before and after",
        "",
        f"Processor time of {f['minutes']:.3g} minutes with an earlier version and with this one, "
        "run alternately (`python -m benchmarks.speed.versions`), both on numpy and scipy.",
        "",
        *table(
            "case | before | after | before over after",
            (
                f"{case} | {t['before_s']:.2f} s | {t['after_s']:.2f} s "
                f"| {t['before_s'] / t['after_s']:.1f}"
                for case, t in f["cases"].items()
            ),
        ),
    ]


def table(head: str, rows: Iterable[str]) -> list[str]:
    """Return the lines of a Markdown table.

    Parameters
    ----------
    head : str
        Column titles, separated by ``|``.
    rows : iterable of str
        Cells, separated in the same way.
    """
    rule = "|".join(["---"] * (head.count("|") + 1))
    return [f"| {head} |", f"|{rule}|", *[f"| {row} |" for row in rows]]


SECTIONS = {
    "night": night, "engines": lambda f: engines.section(f, table), "others": others,
    "files": files, "live": live, "devices": lambda f: devices.section(f, table),
    "start": start, "length": length, "channels": channels, "events": events, "versions": versions,
}  # fmt: skip


def releases_table(releases: dict[str, Figures]) -> list[str]:
    """Return the table of all releases."""
    rows = []
    for version, measured in releases.items():
        figures = {name: part["figures"] for name, part in measured.items()}
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
            "release | 8 h in memory | relative to `numpy.sum` | CSV relative to its parser "
            "| peak memory | per packet, 99th percentile",
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
