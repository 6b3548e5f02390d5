"""Sensitivity, precision and false alarms on the simulator's scenarios, by kind.

    python benchmarks/simulator_accuracy.py --out docs/accuracy-simulator.md

The physiology is simulated, so the results are an upper bound: they show whether the
rules are implemented as specified, not how the detector performs on people.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

import twitchsense as ts
from twitchsense.scoring.agreement.compare_events import match

SCENARIOS = {
    "rest_twitches": 20, "sleep_onset": 20, "plm": 30, "fragmentary": 20,
    "violent": 20, "night": 120, "artefacts": 60, "quiet": 60,
}  # fmt: skip
HEAD = """# Accuracy on the simulator

Made by `python benchmarks/simulator_accuracy.py`, seeds {seeds}. Events are matched one to one with
the simulator's truth (`twitchsense agree`) and pooled over the seeds; intervals are exact, 95 %.

The simulator and the detector share no code, but both follow the same published
[definitions](definitions.md). The figures are an upper bound, and say nothing about people. The
scenario `artefacts` contains pops, crackle, bumps, hum, heart beats and tonic units, but no target
event; `quiet` contains nothing.

"""


def score(scenario: str, minutes: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Return the found events, the true events without artefacts, and the length in hours."""
    with tempfile.TemporaryDirectory() as folder:
        call = [sys.executable, "-m", "firmware_sim", "capture", "--out", folder]
        call += ["--minutes", str(minutes), "--seed", str(seed), "--scenario", scenario]
        subprocess.run(call, check=True, capture_output=True)
        here = Path(folder)
        night = ts.analyze(ts.read(here / "emg.csv", here / "acc.csv"))
        truth = pd.read_csv(here / "truth.csv")
    return night.events, truth[truth.trial_type != "artifact"], minutes / 60


def pool(scenario: str, minutes: int, seeds: list[int]) -> pd.DataFrame:
    """Score all seeds of a scenario as one long recording."""
    found, truth, offset_s, hours = [], [], 0.0, 0.0
    for seed in seeds:
        events, true, h = score(scenario, minutes, seed)
        found.append(events.assign(onset=events.onset + offset_s))
        truth.append(true.assign(onset=true.onset + offset_s))
        offset_s, hours = offset_s + h * 3600 + 100, hours + h
    return match(pd.concat(found), pd.concat(truth), hours=hours).table()


def line(scenario: str, hours: float, row: pd.Series) -> str:
    """Return one line of the Markdown table."""

    def share(name: str) -> str:
        if pd.isna(row[name]):
            return "–"
        return f"{row[name]:.3f} ({row[name + '_low']:.2f}–{row[name + '_high']:.2f})"

    alarms = f"{row.false_alarms_per_h:.1f}" if row.false_alarms_per_h else "0"
    alarms += f" ({row.false_alarms_per_h_low:.1f}–{row.false_alarms_per_h_high:.1f})"
    cells = [scenario, f"{hours:.1f}", row.kind, row.n_truth, row.n_found]
    cells += [share("sensitivity"), share("precision"), alarms]
    return "| " + " | ".join(str(c) for c in cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102])
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    lines = [
        "| scenario | hours | kind | true | found | sensitivity | precision | false alarms/h |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for scenario, minutes in SCENARIOS.items():
        table = pool(scenario, minutes, args.seeds)
        hours = minutes / 60 * len(args.seeds)
        lines += [line(scenario, hours, row) for _, row in table.iterrows()]
    text = HEAD.format(seeds=", ".join(map(str, args.seeds))) + "\n".join(lines) + "\n"
    if args.out:
        args.out.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
