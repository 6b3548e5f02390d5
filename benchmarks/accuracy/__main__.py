"""How well the detector does on recordings composed from real parts.

    python -m benchmarks.accuracy --data FOLDER --openhdemg FOLDER [--cache FOLDER]
        [--split test] [--seeds 1 2] [--scenarios ...] [--page docs/accuracy.md] [--rows FOLDER]

Prints (and writes) the tables; `--rows` saves every false alarm and miss. With `--cache`
recordings are composed once and kept, so that a run costs only analysis and scoring.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.accuracy.cache import composed
from benchmarks.accuracy.nights import SCENARIOS
from benchmarks.accuracy.score import Score, detect, score
from twitchsense.scoring.intervals import share_interval
from twitchsense.scoring.rates import rate

#: Scenarios of the pooled table: nights as they could be. Storms, ladders and
#: clocks that disagree by more than crystals do stand by themselves.
POOLED = (
    "rest_twitches", "sleep_onset", "plm", "fragmentary", "violent", "night", "drift", "rate_error",
    "emg_only",
)  # fmt: skip
OTHERS = ("storm", "storm_twitches", "ladder", "acc_only", "noise", "drift_late")


Job = tuple[str, str, int, Path, Path, Path | None]


def run(job: Job) -> tuple[str, Score, pd.DataFrame, pd.DataFrame]:
    """Compose, detect and score one recording."""
    scenario, split, seed, data, openhdemg, cache = job
    arrays, truth = composed(scenario, split, seed, data=data, openhdemg=openhdemg, cache=cache)
    counts, alarms, misses = score(*detect(arrays)[:2], truth, truth.attrs["seconds"] / 3600)
    name = {"scenario": scenario, "seed": seed}
    return scenario, counts, alarms.assign(**name), misses.assign(**name)


def share(part: int, whole: int) -> str:
    """Return a share with its interval."""
    if not whole:
        return "–"
    low, high = share_interval(part, whole)
    return f"{part / whole:.3f} ({float(low):.3f}–{float(high):.3f})"


def per_hour(count: int, hours: float) -> str:
    value, low, high = rate(count, hours)
    return f"{value:.1f} ({low:.1f}–{high:.1f})"


def lines_of(title: str, total: Score) -> list[str]:
    """Return a table row for each kind."""
    rows = []
    for kind in ("clear twitch", "twitch", "jerk", "movement"):
        found, false = total.found.get(kind, 0), total.false.get(kind, 0)
        if kind == "clear twitch":
            rest = "| |"
        else:
            rest = f"{share(found - false, found)} | {per_hour(false, total.hours)} |"
        n, hit = total.truth.get(kind, 0), total.hit.get(kind, 0)
        if n or found:
            rows.append(f"| {title} | {kind} | {n} | {share(hit, n)} | {rest}")
    return rows


def page(split: str, seeds: list[int], totals: dict[str, Score], alarms: pd.DataFrame) -> str:
    """Return the accuracy page."""
    pooled = sum((totals[s] for s in POOLED if s in totals), Score())
    head = "| recordings | kind | in truth | sensitivity | precision | false alarms per hour |"
    rule = "|---|---|---|---|---|---|"
    out = [
        "# Accuracy on recordings composed from real parts",
        "",
        f"Made by `python -m benchmarks.accuracy`; side `{split}` of the split, seeds "
        f"{', '.join(map(str, seeds))}. What is real in them and what is simulated: "
        "[the benchmark's page](../benchmarks/accuracy/README.md). Weights and limits of the "
        "detector were chosen on the side `tune` alone. Intervals are exact, 95 %. A clear twitch "
        'has a peak to peak of at least 15 times the noise\'s RMS; "twitch" is every one from '
        "50 µV.",
        "",
        "## Pooled",
        "",
        f"{pooled.hours:.1f} h of {', '.join(POOLED)}.",
        "",
        head,
        rule,
        *lines_of("pooled", pooled),
        "",
        f"Median error of a twitch's onset {1000 * np.median(pooled.onset_s or [np.nan]):.1f} ms, "
        f"of its duration {1000 * np.median(pooled.duration_s or [np.nan]):.1f} ms. Twitches "
        f"called jerk: {pooled.swapped[0]} of {pooled.truth.get('twitch', 0)}; jerks called "
        f"twitch: {pooled.swapped[1]} of {pooled.truth.get('jerk', 0)}.",
        "",
        "## One by one",
        "",
        head,
        rule,
        *[row for name, total in totals.items() for row in lines_of(name, total)],
        "",
        "## What raises false alarms",
        "",
        "Artefacts within 0.3 s of a false alarm; several at once stand together.",
        "",
        "| cause | twitch | jerk | movement |",
        "|---|---|---|---|",
    ]
    if len(alarms):
        causes = pd.crosstab(alarms.cause, alarms.trial_type)
        causes = causes.reindex(columns=["twitch", "jerk", "movement"], fill_value=0)
        causes = causes.loc[causes.sum(axis=1).sort_values(ascending=False).index[:15]]
        out += [f"| {c} | {r.twitch} | {r.jerk} | {r.movement} |" for c, r in causes.iterrows()]
    out += [
        "",
        "## Is the confidence right?",
        "",
        "| confidence | events | right |",
        "|---|---|---|",
    ]
    both = np.array([c for t in totals.values() for c in t.confidence if np.isfinite(c[0])])
    for low in np.arange(0.2, 1.0, 0.1) if len(both) else ():
        part = both[(both[:, 0] >= low) & (both[:, 0] < low + 0.1 + (low > 0.85))]
        if len(part):
            right = share(int(part[:, 1].sum()), len(part))
            out.append(f"| {low:.1f}–{low + 0.1:.1f} | {len(part)} | {right} |")
    return "\n".join([*out, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--openhdemg", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="where composed recordings are kept")
    parser.add_argument("--split", choices=("tune", "test"), default="test")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=[*POOLED, *OTHERS])
    parser.add_argument("--page", type=Path)
    parser.add_argument("--rows", type=Path)
    args = parser.parse_args()
    jobs = [
        (s, args.split, k, args.data, args.openhdemg, args.cache)
        for s in args.scenarios for k in args.seeds
    ]  # fmt: skip
    totals: dict[str, Score] = {}
    alarms, misses = [], []
    with ProcessPoolExecutor(2) as pool:
        for scenario, counts, false, missed in pool.map(run, jobs):
            totals[scenario] = totals.get(scenario, Score()) + counts
            alarms.append(false)
            misses.append(missed)
    table = pd.concat([a for a in alarms if len(a)] or [pd.DataFrame()], ignore_index=True)
    text = page(args.split, args.seeds, totals, table)
    print(text)
    if args.page:
        args.page.write_text(text)
    if args.rows:
        args.rows.mkdir(parents=True, exist_ok=True)
        table.to_csv(args.rows / "false_alarms.csv", index=False)
        pd.concat(misses).to_csv(args.rows / "misses.csv", index=False)


if __name__ == "__main__":
    main()
