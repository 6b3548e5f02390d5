"""Sleep onset without a hypnogram: error, interval and limits, on composed nights.

    python -m benchmarks.sleep_onset_accuracy --dreem FOLDER --yasa FOLDER [--cache FOLDER]
        [--out docs/sleep-onset-figures.md]

Every night is estimated by a model that knows neither its composer nor its person, with an interval
that was calibrated on nights of the other composers.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.sleep_onset.detected_night import COMPOSERS, SETTINGS, DetectedNight, nights
from benchmarks.sleep_onset.hypnograms import dreem_onsets_min
from benchmarks.training.sleep_onset import (
    LeftOut,
    TrainingNight,
    calibrate,
    left_out,
    training_night,
)
from twitchsense.sleep.context import Context, find_context
from twitchsense.sleep.sleep_probability import OnsetCalibration, estimate_onset

COLUMNS = """nights | median of the absolute error | bias | median error | 5-95 % of errors | inside | median width |
|---|---|---|---|---|---|---|---|"""  # noqa: E501
PAGE = """# Sleep onset: figures

Made by `python -m benchmarks.sleep_onset_accuracy`: {nights} nights of {composers} composers that follow the real hypnograms of {persons} persons. The detector sees EMG and acceleration of a leg, and nothing else. Sleep latency is 2-90 min (log-uniform; median {latency:.0f}). Hypnograms: DOD-H and DOD-O (consensus of five scorers) and YASA's test data.

- `bouts`: wake is a sequence of active, quiet and still bouts; the body follows the stages with a lag. The last movement before sleep onset came {still[bouts]:.0f} min (median) before it.
- `point_process`: the rate of movement falls with sleepiness, towards a floor that may exceed the rate asleep. The last movement came {still[point_process]:.0f} min before sleep onset.
- `simulator`: the simulated leg of this project. It moves until {still[simulator]:.1f} min (median) before sleep onset, as if nobody lay awake without moving; sustained inactivity is at its best here.

**One composer left out.** Every figure of `probability` is of a model that was trained on the two other composers, with other persons, and of an interval that was calibrated on nights of the two other composers. The model of the package is trained on all three.

**What no method can reach.** The truth of a real night is a scorer's. Two of the five scorers of the same EEG (80 nights of DOD-H and DOD-O) differ in sleep onset by {scorers[0]:.1f} min in the median, by more than {scorers[1]:.1f} min in a quarter of the cases and by more than {scorers[2]:.0f} min in a tenth.

*Error*: estimate minus the first epoch of sleep, min. *Inside*: nights whose true onset lies in the reported interval. `inactivity` is sustained inactivity with the range of the rules; below it stand the methods that give this range, and `hdcza`. Those of GGIR are `first_epoch` (sustained inactivity, van Hees 2015) and `hdcza` (the sleep period, van Hees 2018); those of the literature `cole_kripke` (1992), `sadeh` (1994) and `immobile_5min` (Chae 2009) ([how each is computed](sleep-context.md)).

## Goals

All composers, probability with EMG, each night by a model of the others.

| goal | wanted | measured | reached |
|---|---|---|---|
{goals}
{methods}
## Parts of the nights

The same for the probability with EMG, all composers.

| part | {columns}
{parts}

## A composer that is known

The same for a model that was trained and calibrated on other nights of the same composer too (persons left out). What it does not reach, the signals do not contain, or these nights do not teach.

| composer | {columns}
{known}

## Epochs

Agreement of sleep and wake per 30-s epoch with the hypnogram.

| method | composer | accuracy | Cohen's kappa | sleep found | wake found |
|---|---|---|---|---|---|
{epochs}

Calibration: share of sleep among the epochs of each probability.

| probability | {bins} |
|---|{bars}|
| epochs | {counts} |
| asleep | {shares} |
"""  # noqa: E501
RULES = SETTINGS.model_copy(
    update={"context": SETTINGS.context.model_copy(update={"estimate_by": "inactivity"})}
)
EDGES = (0.1, 0.3, 0.5, 0.7, 0.9)
#: Time, low, high and truth, s; NaN without an interval.
Estimate = tuple[float, float, float, float]
Calibrations = Mapping[str, OnsetCalibration]


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A night, its context by the rules, and its probabilities of sleep by signals."""

    night: DetectedNight
    rules: Context
    features: TrainingNight
    found: dict[str, LeftOut]

    @property
    def best(self) -> LeftOut:
        """The probability with the events that the EMG shows."""
        return self.found["with EMG"]

    @property
    def asleep_by_rules(self) -> NDArray[np.bool_]:
        """Whether each epoch is sleep by sustained inactivity."""
        onset, epochs = self.rules.onset.time_s, self.rules.epochs
        asleep = np.isin(epochs["context"], ("asleep", "sleep_onset"))
        return asleep & (epochs["onset"].to_numpy() >= (np.inf if onset is None else onset))


def estimate(found: LeftOut, calibration: OnsetCalibration, truth: float) -> Estimate | None:
    """Return the estimate of a night by its probabilities."""
    onset = estimate_onset(found.probability, calibration)
    return None if onset is None else (onset.time_s, onset.low_s, onset.high_s, truth)


def row(name: str, estimates: list[Estimate | None]) -> str:
    """Return a row of a table."""
    known = np.array([e for e in estimates if e is not None]) / 60
    error = known[:, 0] - known[:, 3]
    low, high = np.percentile(error, [5, 95])
    cells = [name, f"{len(known)} of {len(estimates)}", f"{np.median(np.abs(error)):.1f}"]
    cells += [f"{error.mean():+.1f}", f"{np.median(error):+.1f}", f"{low:+.0f} to {high:+.0f}"]
    if np.isnan(known[:, 1]).all():
        cells += ["–", "–"]
    else:
        inside = (known[:, 1] <= known[:, 3]) & (known[:, 3] <= known[:, 2])
        cells += [f"{inside.mean():.0%}", f"{np.median(known[:, 2] - known[:, 1]):.0f}"]
    return "| " + " | ".join(cells) + " |"


def probability_rows(
    results: list[Result], calibrations: Calibrations, prefix: str
) -> Iterator[str]:
    """Yield a row for nights with and without EMG."""
    for events in ("with EMG", "without EMG"):
        yield row(f"{prefix}, {events}", [
            estimate(r.found[events], calibrations[r.night.composer], r.night.onset_s)
            for r in results
        ])  # fmt: skip


def rule_rows(results: list[Result]) -> Iterator[str]:
    """Yield a row for sustained inactivity with its range, and for each other method."""
    onsets = [(r.rules.onset, r.night.onset_s) for r in results]
    ranges: list[Estimate | None] = [
        None
        if o.time_s is None or o.low_s is None or o.high_s is None
        else (o.time_s, o.low_s, o.high_s, truth)
        for o, truth in onsets
    ]
    yield row("inactivity", ranges)
    for method in sorted({m for o, _ in onsets for m in o.by_method}):
        times = [(o.by_method.get(method), truth) for o, truth in onsets]
        yield row(f"`{method}`", [None if t is None else (t, np.nan, np.nan, truth)
                                  for t, truth in times])  # fmt: skip


def goal_rows(results: list[Result], calibrations: Calibrations) -> Iterator[str]:
    """Yield what was aimed at, what came out, and whether that is it."""
    found = [estimate(r.best, calibrations[r.night.composer], r.night.onset_s) for r in results]
    known = np.array([e for e in found if e is not None]) / 60
    error, width = known[:, 0] - known[:, 3], float(np.median(known[:, 2] - known[:, 1]))
    inside = float(np.mean((known[:, 1] <= known[:, 3]) & (known[:, 3] <= known[:, 2])))
    middle, bias = float(np.median(np.abs(error))), float(error.mean())
    for goal, wanted, measured, good in (
        ("median of the absolute error", "≤ 4 min", f"{middle:.1f} min", middle <= 4),
        ("bias", "≤ 1 min either way", f"{bias:+.1f} min", abs(bias) <= 1),
        ("true onset inside the interval", "85 to 95%", f"{inside:.0%}", 0.85 <= inside <= 0.95),
        ("median width of the interval", "≤ 20 min", f"{width:.0f} min", width <= 20),
    ):
        yield f"| {goal} | {wanted} | {measured} | {'yes' if good else 'no'} |"


def part_rows(results: list[Result], calibrations: Calibrations) -> Iterator[str]:
    """Yield the figures of parts of the nights."""
    parts: dict[str, Callable[[DetectedNight], bool]] = {
        "all": lambda n: True,
        "still for less than 3 min before sleep onset": lambda n: n.still_min < 3,
        "still for 3 min or more": lambda n: n.still_min >= 3,
        "latency below 15 min": lambda n: n.onset_s < 900,
        "latency of 15 min or more": lambda n: n.onset_s >= 900,
    }
    for part, belongs in parts.items():
        chosen = [r for r in results if belongs(r.night)]
        yield row(part, [estimate(r.best, calibrations[r.night.composer], r.night.onset_s)
                         for r in chosen])  # fmt: skip


def epoch_rows(results: list[Result]) -> Iterator[str]:
    """Yield the agreement of epochs."""
    for composer in COMPOSERS:
        chosen = [r for r in results if r.night.composer == composer]
        truth = np.concatenate([r.features.asleep for r in chosen])
        methods = {
            "probability": np.concatenate([r.best.probability >= 0.5 for r in chosen]),
            "inactivity": np.concatenate([r.asleep_by_rules for r in chosen]),
        }
        for name, asleep in methods.items():
            agreed = np.mean(asleep == truth)
            chance = asleep.mean() * truth.mean() + (1 - asleep.mean()) * (1 - truth.mean())
            kappa = (agreed - chance) / (1 - chance)
            yield (f"| {name} | `{composer}` | {agreed:.3f} | {kappa:.2f} | "
                   f"{asleep[truth].mean():.3f} | {(~asleep)[~truth].mean():.3f} |")  # fmt: skip


def with_probabilities(results: list[Result], unfamiliar: bool) -> list[LeftOut]:
    """Fill in the probabilities of the nights, and return them."""
    found = left_out([r.features for r in results], unfamiliar)
    by_night = {id(r.features): r for r in results}
    for f in found:
        by_night[id(f.night)].found[f.events] = f
    return found


def page(results: list[Result], dreem: Path) -> str:
    """Return the page."""
    by_composer = {c: [r for r in results if r.night.composer == c] for c in COMPOSERS}
    found = with_probabilities(results, unfamiliar=False)
    calibrations: Calibrations = dict.fromkeys(COMPOSERS, calibrate(found))
    known = [r for c in COMPOSERS for r in probability_rows(by_composer[c], calibrations, f"`{c}`")]
    found = with_probabilities(results, unfamiliar=True)
    calibrations = {c: calibrate([f for f in found if f.night.composer != c]) for c in COMPOSERS}
    methods = ""
    for composer, chosen in by_composer.items():
        rows = [*probability_rows(chosen, calibrations, "probability"), *rule_rows(chosen)]
        methods += f"\n## Composer `{composer}`\n\n| method | {COLUMNS}\n" + "\n".join(rows) + "\n"
    scorers = [abs(a - b) for d in ("dodh", "dodo") for o in dreem_onsets_min(dreem, d)
               for a, b in combinations(o, 2)]  # fmt: skip
    truth = np.concatenate([r.features.asleep for r in results])
    probability = np.concatenate([r.best.probability for r in results])
    group = np.digitize(probability, EDGES)
    bins = [f"{a:.1f}-{b:.1f}" for a, b in zip((0.0, *EDGES), (*EDGES, 1.0), strict=True)]
    return PAGE.format(
        nights=len(results),
        composers=len(COMPOSERS),
        persons=len({r.night.person for r in results}),
        latency=np.median([r.night.onset_s for r in results]) / 60,
        still={c: np.median([r.night.still_min for r in by_composer[c]]) for c in COMPOSERS},
        scorers=np.percentile(scorers, [50, 75, 90]),
        methods=methods,
        goals="\n".join(goal_rows(results, calibrations)),
        columns=COLUMNS,
        parts="\n".join(part_rows(results, calibrations)),
        known="\n".join(known),
        epochs="\n".join(epoch_rows(results)),
        bins=" | ".join(bins),
        bars="|".join("---" for _ in bins),
        counts=" | ".join(str(int((group == k).sum())) for k in range(len(bins))),
        shares=" | ".join(f"{truth[group == k].mean():.2f}" for k in range(len(bins))),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dreem", type=Path, required=True)
    parser.add_argument("--yasa", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    results = []
    for night in nights(args.dreem, args.yasa, args.cache):
        rules = find_context(night.extent(), night.found, RULES, None, night.counts)
        results.append(Result(night, rules, training_night(night), {}))
    text = page(results, args.dreem)
    if args.out:
        args.out.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
