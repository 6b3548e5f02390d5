"""Final labels on simulated nights: a confusion matrix, with and without a hypnogram.

    python benchmarks/label_accuracy.py --out docs/labels-figures.md

Counted are the true events whose physical kind the detector found. For the ones it
missed see docs/accuracy-simulator.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pandas as pd

import twitchsense as ts
from twitchsense.scoring.agreement.compare_events import match
from twitchsense.scoring.indices.confidence_intervals import binomial_interval

#: Length (min) by scenario.
NIGHTS = {
    "labels": 90, "sleep_onset": 30, "plm": 40, "fragmentary": 40, "hiccups": 40, "violent": 20,
    "trains": 40, "alternation": 20,
}  # fmt: skip
#: Labels of trains: one true row may correspond to several events, or the reverse.
TRAINS = (
    "tremor_like", "hypnagogic_foot_tremor_like", "alma_like", "high_freq_leg_movement",
)  # fmt: skip
HEAD = """# Accuracy of labels

Made by `python benchmarks/label_accuracy.py`, seeds {seeds}. The final labels of all events whose
physical kind was detected correctly; rows are true labels, "found as" lists the other labels that
were given. Simulated nights: {nights}.

The simulator's truth follows the same published [definitions](definitions.md), implemented a second
time without shared code. These figures therefore show that the rules are implemented as specified;
they do not show that a label is right for a person.

"""
SECTION = """## {title}

**{right} of {total} right: {share:.3f} ({low:.3f}–{high:.3f})**

"""


def simulate(scenario: str, minutes: int, seed: int, folder: Path) -> list[Path]:
    """Simulate a night, with two legs for the scenario that needs them; return the folders."""
    legs = ("left", "right") if scenario == "alternation" else ("",)
    out = []
    for leg in legs:
        here = folder / f"{scenario}_{leg}"
        call = [sys.executable, "-m", "firmware_sim", "capture", "--out", str(here)]
        call += ["--minutes", str(minutes), "--seed", str(seed), "--scenario", scenario]
        call += ["--leg", leg, "--channels", "1"] if leg else []
        subprocess.run(call, check=True, capture_output=True)
        out.append(here)
    return out


def compare(events: pd.DataFrame, truth: pd.DataFrame) -> Counter[tuple[str, str]]:
    """Count pairs of true and found label.

    Single events are matched one to one; the found label of a train is the one that covers most
    of its duration.
    """
    pairs: Counter[tuple[str, str]] = Counter()
    single = truth[~truth["label"].isin(TRAINS)].reset_index(drop=True)
    found = match(events, single)
    same = found.pairs[found.pairs["truth_kind"] == found.pairs["found_kind"]]
    for row in same.itertuples():
        pairs[single["label"][row.truth], events["label"][row.found]] += 1
    stop = events["onset"] + events["duration"].fillna(0)
    for row in truth[truth["label"].isin(TRAINS)].itertuples():
        here = (events["onset"] < row.onset + row.duration) & (stop > row.onset)
        if row.leg:
            here &= events["leg"] == row.leg
        if here.any():
            length = events["duration"][here].groupby(events["label"][here]).sum()
            pairs[row.label, str(length.idxmax())] += 1
    return pairs


def run(scenario: str, minutes: int, seed: int) -> list[Counter[tuple[str, str]]]:
    """Return the label pairs of a night with and without its hypnogram."""
    with tempfile.TemporaryDirectory() as folder:
        homes = simulate(scenario, minutes, seed, Path(folder))
        files = [home / name for home in homes for name in ("emg.csv", "acc.csv")]
        truth = pd.concat(pd.read_csv(home / "truth.csv", keep_default_na=False) for home in homes)
        truth = truth[truth["trial_type"] != "artifact"]
        truth = truth.sort_values("onset", ignore_index=True)
        out = []
        for hypnogram in (homes[0] / "hypnogram.csv", None):
            night = ts.analyze(ts.read(*files), hypnogram=hypnogram)
            out.append(compare(night.events, truth))
    return out


def section(title: str, pairs: Counter[tuple[str, str]]) -> str:
    """Return the confusion table as Markdown, with exact intervals."""
    total = sum(pairs.values())
    right = sum(n for (a, b), n in pairs.items() if a == b)
    low, high = binomial_interval(right, total)
    text = SECTION.format(title=title, right=right, total=total, share=right / total,
                          low=float(low), high=float(high))  # fmt: skip
    names = sorted({a for a, _ in pairs})
    across = sorted({b for _, b in pairs})
    text += "| true label | events | right | found as |\n|---|---|---|---|\n"
    for a in names:
        row = {b: pairs[a, b] for b in across if pairs[a, b]}
        n = sum(row.values())
        ends = [float(v) for v in binomial_interval(row.get(a, 0), n)]
        share = f"{row.get(a, 0) / n:.3f} ({ends[0]:.2f}–{ends[1]:.2f})"
        others = ", ".join(
            f"{b} {k}" for b, k in sorted(row.items(), key=lambda x: -x[1]) if b != a
        )
        text += f"| {a} | {n} | {share} | {others or '–'} |\n"
    return text + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[501, 502])
    parser.add_argument("--only", nargs="+", default=list(NIGHTS))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    both: list[Counter[tuple[str, str]]] = [Counter(), Counter()]
    by_scenario: dict[str, list[Counter[tuple[str, str]]]] = {}
    for scenario in args.only:
        for seed in args.seeds:
            for k, pairs in enumerate(run(scenario, NIGHTS[scenario], seed)):
                both[k] += pairs
                by_scenario.setdefault(scenario, [Counter(), Counter()])[k].update(pairs)
    nights = ", ".join(f"{len(args.seeds)} × `{s}` {NIGHTS[s]} min" for s in args.only)
    text = HEAD.format(seeds=", ".join(map(str, args.seeds)), nights=nights)
    text += section("With the hypnogram", both[0]) + section("Without the hypnogram", both[1])
    text += "## By scenario\n\n| scenario | with the hypnogram | without |\n|---|---|---|\n"
    for scenario, (given, blind) in by_scenario.items():
        cells = []
        for pairs in (given, blind):
            total, right = sum(pairs.values()), sum(n for (a, b), n in pairs.items() if a == b)
            cells.append(f"{right} of {total}: {right / max(total, 1):.3f}")
        text += f"| {scenario} | {' | '.join(cells)} |\n"
    if args.out:
        args.out.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
