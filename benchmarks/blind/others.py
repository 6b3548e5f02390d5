"""Other programs on the kits: what they find in the middle of each recording, beside us.

    TWITCHSENSE_DATA=FOLDER python -m benchmarks.blind.others --peers PYTHON [--cache FOLDER]

writes `others.json`, from which `python -m benchmarks.blind` makes its table. PYTHON is that of an
environment with NeuroKit2, BioSPPy and psgscoring (benchmarks/accuracy/README.md). The programs
take half an hour of processor time for the seven kits, so their counts are kept; our own counts of
the same stretches are made anew in each run.

Scored in two ways. *By kind*: bursts become events by one rule (`benchmarks.accuracy.peers`), which
are matched as ours are. *Of any kind*: a target is found if the program has any event there, and
an event is false if no movement of any kind is there. Pieces of a movement that was found, such as
the bursts of a train, then count neither way.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.accuracy.nights import Arrays
from benchmarks.accuracy.peers import find_peers, to_events
from benchmarks.accuracy.results import OURS
from benchmarks.accuracy.score import KINDS, detect
from benchmarks.blind.examine import KITS, Job, kit

STORED = Path(__file__).with_name("others.json")
#: Stretch in the middle of each recording, min.
MINUTES = 4.0
SEED = 1
#: Thresholds of the script, and detectors of the packages: those that need less than 20 s for an
#: hour of one channel, each with the threshold of its documentation and with three times that.
SCRIPT_K = (6, 10, 20)
PACKAGES = (
    "neurokit2 threshold", "neurokit2 biosppy", "neurokit2 silva", "biosppy find_onsets",
    "biosppy bonato 10", "biosppy bonato 30", "biosppy lidierth 3", "biosppy lidierth 9",
    "biosppy solnik 15", "biosppy silva 9", "psgscoring",
)  # fmt: skip
#: Programs of which the best setting is shown; psgscoring finds leg movements only.
FAMILIES = ("script", "envelope", "neurokit2", "biosppy", "psgscoring")
MOVEMENTS_ALONE = "psgscoring"
LIBRARIES = ("neurokit2", "biosppy", "psgscoring")
EVERYTHING = "twitch jerk movement gross_movement posture_change brief_contraction"
Counts = dict[str, float]


def middle(arrays: Arrays, truth: pd.DataFrame) -> tuple[Arrays, pd.DataFrame] | None:
    """Return the stretch in the middle of a recording; None if it has no EMG."""
    if not any(name.startswith("emg") for name in arrays):
        return None
    seconds = float(truth.attrs["seconds"])
    first = max((seconds - 60 * MINUTES) / 2, 0.0)
    last = min(first + 60 * MINUTES, seconds)
    cut = {n: (x[round(first * fs) : round(last * fs)], fs) for n, (x, fs) in arrays.items()}
    ends = truth.onset + truth.duration
    rows = truth[(ends > first) & (truth.onset < last)].copy()
    across = (rows.onset < first) | (rows.onset + rows.duration > last)
    rows.loc[across, ["trial_type", "kind", "tolerated"]] = ["artifact", "unclear", EVERYTHING]
    rows["onset"] -= first
    rows = rows.reset_index(drop=True)
    rows.attrs = truth.attrs | {"seconds": last - first}
    return cut, rows


def counts(job: Job, events: pd.DataFrame, arrays: Arrays, truth: pd.DataFrame) -> Counts:
    """Return how many targets and events of each kind are found, right and false."""
    found = job.score(events, arrays, truth)
    real = truth.trial_type != "artifact"
    loose = truth.assign(tolerated=truth.tolerated.where(~real, EVERYTHING))
    loose.attrs = truth.attrs
    any_kind = job.score(events, arrays, loose)
    out: Counts = {"hours": truth.attrs["seconds"] / 3600}
    for kind in KINDS:
        for name, score in (("", found), ("any ", any_kind)):
            rows = score.targets[score.targets.needed.astype(bool)]
            rows = rows[rows.trial_type == kind]
            out[f"{kind}: targets"] = len(rows)
            out[f"{kind}: {name}found"] = int((rows.called != "" if name else rows.hit).sum())
        own = found.events[found.events.trial_type == kind]
        out[f"{kind}: right"] = int((own.verdict == "hit").sum())
        out[f"{kind}: false"] = int((own.verdict == "false").sum())
    rows = any_kind.events
    out["any: false"] = int(((rows.verdict == "false") & (rows.truth_kind == "")).sum())
    return out


def ours(job: Job, arrays: Arrays, truth: pd.DataFrame) -> Counts:
    """Return our own counts of the middle of a recording; empty if it has no EMG."""
    stretch = middle(arrays, truth)
    return counts(job, detect(stretch[0])[0], *stretch) if stretch else {}


def add(parts: Iterable[Counts]) -> Counts:
    """Return the sums of counts."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)  # type: ignore[arg-type]  # a Counter adds any number
    return dict(total)


def figures(c: Mapping[str, float]) -> dict[str, float]:
    """Return sensitivity, precision and false alarms an hour, by kind and of any kind."""
    out, every = {}, 0.0
    for kind in KINDS:
        out[f"{kind}: sensitivity"] = _share(c[f"{kind}: found"], c[f"{kind}: targets"])
        whole = c[f"{kind}: right"] + c[f"{kind}: false"]
        out[f"{kind}: precision"] = _share(c[f"{kind}: right"], whole)
        out[f"{kind}: false/h"] = c[f"{kind}: false"] / c["hours"]
        out[f"{kind}: sensitivity, any"] = _share(c[f"{kind}: any found"], c[f"{kind}: targets"])
        every += c[f"{kind}: any found"]
    out["precision, any"] = _share(every, every + c["any: false"])
    out["false/h, any"] = c["any: false"] / c["hours"]
    return out


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def best_settings(programs: Mapping[str, Counts]) -> dict[str, str]:
    """Return the setting of each family with the greatest F1 of all kinds, the truth known."""

    def f1(name: str) -> float:
        c = programs[name]
        found = sum(c[f"{kind}: any found"] for kind in KINDS)
        targets = sum(c[f"{kind}: targets"] for kind in KINDS)
        return 2 * found / (found + c["any: false"] + targets)

    return {
        family: max((n for n in programs if n.startswith(family)), key=f1)
        for family in FAMILIES
        if any(n.startswith(family) for n in programs)
    }


BY_KIND = tuple(f"{k}: {what}" for k in KINDS for what in ("sensitivity", "precision", "false/h"))
ANY_KIND = (*(f"{k}: sensitivity, any" for k in KINDS), "precision, any", "false/h, any")


def section(stored: Mapping[str, Any], own: Mapping[str, Counts]) -> list[str]:
    """Return the section of the page: everyone pooled and by kit, and where others are ahead.

    Empty if the other programs ran on none of the kits.
    """
    kits = [name for name in stored["kits"] if name in own]
    if not kits:
        return []
    of = {who: {k: c[k] for k in kits} for who, c in stored["programs"].items()}
    of = {OURS: {k: own[k] for k in kits}} | of
    pooled = {who: add(parts.values()) for who, parts in of.items()}
    best = [OURS, *best_settings({w: c for w, c in pooled.items() if w != OURS}).values()]
    versions = ", ".join(f"{n} {v}" for n, v in stored["versions"].items())
    return [
        "## Other programs on the same recordings", "",
        f"{pooled[OURS]['hours']:.1f} h: {stored['minutes']:g} min from the middle of each "
        f"recording with EMG, seed {stored['seed']}; {versions}, and two ordinary scripts. "
        "`script`: 20 to 450 Hz, RMS of 10 ms, threshold at the median + k median absolute "
        "deviations. `envelope`: Hilbert envelope smoothed over 50 ms, median + 6 deviations. The "
        "packages get the channel as their documentation says, with their own filter and threshold "
        "(last number); the setting shown is the best of each, chosen with the truth at hand. "
        "psgscoring marks leg movements only. Left out for their time: NeuroKit2's `mixture` and "
        "`pelt`, BioSPPy's `hodges_bui` and `londral`. A program that fails on a recording finds "
        "nothing there (NeuroKit2's `silva` does). Made by `python -m benchmarks.blind.others`.",
        "",
        "**Of any kind.** The others have no classes, so here any event finds a target, and a "
        "false alarm counts once.", "",
        *_table(ANY_KIND, {w: figures(pooled[w]) for w in best}), "",
        "**By kind.** Bursts of up to 0.5 s are jerks if the leg accelerates by 0.1 g, else "
        "twitches, longer ones leg movements.", "",
        *_table(BY_KIND, {w: figures(pooled[w]) for w in best}), "",
        *_ahead({w: figures(c) for w, c in pooled.items()}), "",
        "By kit, of any kind:", "",
        *_table(ANY_KIND, {f"{k}, {w}": figures(of[w][k]) for k in kits for w in best}), "",
    ]  # fmt: skip


def _table(columns: Iterable[str], rows: Mapping[str, Mapping[str, float]]) -> list[str]:
    names = [c.replace(", any", "") for c in columns]
    out = [f"| | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    for who, row in rows.items():
        cells = [_cell(who, c, row[c]) for c in columns]
        out.append(f"| {who} | {' | '.join(cells)} |")
    return out


def _cell(who: str, column: str, value: float) -> str:
    if MOVEMENTS_ALONE in who and not column.startswith("movement"):
        return ""
    if np.isnan(value):
        return "–"
    return f"{value:.1f}" if "/h" in column else f"{value:.3f}"


def _ahead(rows: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a sentence for each column in which another program has the better figure."""
    out = []
    for column in (*ANY_KIND, *BY_KIND):
        lower = "/h" in column
        mine = rows[OURS][column]
        better = {
            who: row[column] for who, row in rows.items()
            if who != OURS and (MOVEMENTS_ALONE not in who or column.startswith("movement"))
            and (row[column] < mine if lower else row[column] > mine)
        }  # fmt: skip
        if better:
            who = (min if lower else max)(better, key=lambda w: better[w])
            title = column if column in BY_KIND else column.replace(", any", "") + ", of any kind"
            cost = "" if lower else f", at {rows[who]['false/h, any']:.0f} false alarms an hour"
            out.append(
                f"- {title}: `{who}` {_cell(who, column, better[who])}{cost}; ours "
                f"{_cell(OURS, column, mine)}. Settings ahead: {len(better)}."
            )
    if not out:
        return ["No setting of another program is ahead in any column."]
    return ["Where a setting of another program is ahead (pooled, all settings):", "", *out]


def _find(job: Job, peers: Path) -> dict[str, Counts]:
    stretch = middle(*job.compose())
    if stretch is None:
        return {}
    found = find_peers(stretch[0], peers, SCRIPT_K, PACKAGES)
    nothing = to_events(np.empty((0, 2)), {}, movements_alone=False)
    return {
        who: counts(job, found.get(who, nothing), *stretch)  # one that fails finds nothing
        for who in (*(f"script k={k}" for k in SCRIPT_K), "envelope", *PACKAGES)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, required=True, help="PYTHON with the packages")
    parser.add_argument("--kits", nargs="+", default=list(KITS), choices=KITS)
    parser.add_argument("--cache", type=Path, help="where composed recordings are kept")
    parser.add_argument("--out", type=Path, default=STORED)
    args = parser.parse_args()
    listed = subprocess.run(
        [str(args.peers), "-c", "import importlib.metadata as m, sys; "
         "print(*map(m.version, sys.argv[1:]))", *LIBRARIES],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    programs: dict[str, dict[str, Counts]] = {}
    for name in args.kits:
        for family in kit(name).FAMILIES:
            for who, c in _find(Job(name, family, SEED, args.cache), args.peers).items():
                of_kit = programs.setdefault(who, {})
                of_kit[name] = add([of_kit.get(name, {}), c])
        stored = {
            "minutes": MINUTES, "seed": SEED,
            "kits": sorted({k for c in programs.values() for k in c}),
            "versions": dict(zip(LIBRARIES, listed, strict=True)), "programs": programs,
        }  # fmt: skip
        args.out.write_text(json.dumps(stored, indent=1) + "\n")
        print(name, flush=True)


if __name__ == "__main__":
    main()
