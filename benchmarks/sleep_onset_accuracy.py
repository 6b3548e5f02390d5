"""Sleep onset without a hypnogram: error, interval and limits, on composed nights.

    python -m benchmarks.sleep_onset_accuracy --dreem FOLDER --yasa FOLDER [--cache FOLDER]
        [--nights N] [--out docs/sleep-onset-figures.md]

The nights come from `benchmarks.sleep_onset.test_nights`, which shares no assumption with the
composer of the training nights, and from the hypnograms of persons who are not in training.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.sleep_onset.detected_night import SETTINGS, DetectedNight, nights
from benchmarks.sleep_onset.hypnograms import dreem_onsets_min
from benchmarks.train_sleep_onset import TrainingNight, calibrate, features_of, left_out
from firmware_sim.hypnogram import EPOCH_S
from twitchsense.sleep.context import Context, find_context
from twitchsense.sleep.onset import SleepOnset
from twitchsense.sleep.sleep_probability import estimate_onset

HEAD = """# Sleep onset: figures

Made by `python -m benchmarks.sleep_onset_accuracy`: {nights} nights of {persons} persons. A composer
(`benchmarks/sleep_onset/test_nights.py`) makes EMG and acceleration of a leg that follow a real
hypnogram; the detector sees nothing else. The model was trained on nights of another composer with
other assumptions (`training_nights.py`), driven by the hypnograms of other persons. Sleep latency is
2-90 min (log-uniform; median {latency:.0f}), the last movement that turned the leg by 2 degrees came
{still:.0f} min (median) before sleep onset, and the heart is visible in the EMG of {ecg:.0%} of the
nights. Hypnograms: DOD-O (consensus of five scorers) and YASA's test data.

**What no method can reach.** The truth of a real night is a scorer's. Two of the five scorers of the
same EEG (80 nights of DOD-H and DOD-O) differ in sleep onset by {scorers[0]:.1f} min in the median,
by more than {scorers[1]:.1f} min in a quarter of the cases and by more than {scorers[2]:.0f} min in a
tenth.

*Error*: estimate minus the first epoch of sleep, min. *Inside*: nights whose true onset lies in the
reported interval.

| method | nights | median of the absolute error | bias | median error | 5-95 % of errors | inside | median width |
|---|---|---|---|---|---|---|---|
"""  # noqa: E501
LIMITS = """
## By night

The same for the probability with all signals.

| nights | nights | median of the absolute error | bias | median error | 5-95 % of errors | inside | median width |
|---|---|---|---|---|---|---|---|
{rows}

## What separates

*Knows the family*: a model of the same kind that was trained and calibrated on the nights of the test
composer itself (persons left out). What it does not reach, the signals of these nights do not contain,
or {nights} nights do not teach.

| model | nights | median of the absolute error | bias | median error | 5-95 % of errors | inside | median width |
|---|---|---|---|---|---|---|---|
{family}

## Epochs

Agreement of sleep and wake per 30-s epoch with the hypnogram.

| method | accuracy | Cohen's kappa | sleep found | wake found |
|---|---|---|---|---|
{epochs}

Calibration: share of sleep among the epochs of each probability.

| probability | {bins} |
|---|{bars}|
| epochs | {counts} |
| asleep | {shares} |
"""  # noqa: E501
#: Variants of a night: name, whether the EMG is used, and whether the heart beats are.
VARIANTS = {
    "probability: all signals": (True, True),
    "probability: without heart beats": (True, False),
    "probability: accelerometer alone": (False, False),
}
RULES = SETTINGS.model_copy(
    update={"context": SETTINGS.context.model_copy(update={"estimate_by": "inactivity"})}
)
BY_RULES = "sustained inactivity with the range of the rules (before)"
EDGES = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Truth and estimates of a night."""

    night: DetectedNight
    contexts: dict[str, Context]

    @property
    def asleep(self) -> NDArray[np.bool_]:
        """Whether each epoch is sleep."""
        return np.array([s != "W" for s in self.night.stages])


def estimate(night: DetectedNight) -> Result:
    """Run all variants on a night."""
    contexts = {}
    for name, (emg, heart) in VARIANTS.items():
        found = night.found if emg else night.found_acc
        found = found if heart else replace(found, heart_beats_ns={})
        contexts[name] = find_context(night.extent(emg), found, SETTINGS, None, night.counts)
    contexts[BY_RULES] = find_context(night.extent(), night.found, RULES, None, night.counts)
    return Result(night, contexts)


def row(name: str, estimates: list[tuple[float, float, float, float] | None], n: int) -> str:
    """Return a row of the table: time, low, high and truth of each night, s; NaN: no interval."""
    known = np.array([e for e in estimates if e is not None]) / 60
    error = known[:, 0] - known[:, 3]
    low, high = np.percentile(error, [5, 95])
    cells = [name, f"{len(known)} of {n}", f"{np.median(np.abs(error)):.1f}"]
    cells += [f"{error.mean():+.1f}", f"{np.median(error):+.1f}", f"{low:+.0f} to {high:+.0f}"]
    if np.isnan(known[:, 1]).all():
        cells += ["–", "–"]
    else:
        inside = (known[:, 1] <= known[:, 3]) & (known[:, 3] <= known[:, 2])
        cells += [f"{inside.mean():.0%}", f"{np.median(known[:, 2] - known[:, 1]):.0f}"]
    return "| " + " | ".join(cells) + " |"


def of_onset(onset: SleepOnset, truth: float) -> tuple[float, float, float, float] | None:
    if onset.time_s is None or onset.low_s is None or onset.high_s is None:
        return None
    return onset.time_s, onset.low_s, onset.high_s, truth


def method_rows(results: list[Result]) -> Iterator[str]:
    """Yield a row for each variant, and for each published or simple method."""
    for name in (*VARIANTS, BY_RULES):
        yield row(name, [of_onset(r.contexts[name].onset, r.night.onset_s) for r in results],
                  len(results))  # fmt: skip
    methods = sorted({m for r in results for m in r.contexts[BY_RULES].onset.by_method})
    for method in methods:
        times = [r.contexts[BY_RULES].onset.by_method.get(method) for r in results]
        estimates = [
            None if t is None else (t, np.nan, np.nan, r.night.onset_s)
            for t, r in zip(times, results, strict=True)
        ]
        yield row(f"`{method}`", estimates, len(results))


def subset_rows(results: list[Result]) -> Iterator[str]:
    """Yield the figures of parts of the nights."""
    parts: dict[str, Callable[[DetectedNight], bool]] = {
        "heart visible": lambda n: n.ecg,
        "heart not visible": lambda n: not n.ecg,
        "still for less than 3 min before sleep onset": lambda n: n.still_min < 3,
        "still for 3 min or more": lambda n: n.still_min >= 3,
        "latency below 15 min": lambda n: n.onset_s < 900,
        "latency of 15 min or more": lambda n: n.onset_s >= 900,
    }
    name = next(iter(VARIANTS))
    for part, belongs in parts.items():
        chosen = [r for r in results if belongs(r.night)]
        if chosen:
            yield row(part, [of_onset(r.contexts[name].onset, r.night.onset_s) for r in chosen],
                      len(chosen))  # fmt: skip


def family_rows(results: list[Result]) -> Iterator[str]:
    """Yield the figures of a model that was trained on this family of nights."""
    data = [TrainingNight(r.night.person, r.asleep, features_of(r.night)) for r in results]
    found = left_out(data)
    calibration = calibrate(found)
    for signals, pairs in found.items():
        ranges = [(estimate_onset(p, calibration, signals), n.onset * EPOCH_S) for p, n in pairs]
        yield row(f"knows the family: up to {signals}",
                  [None if r is None else (r.time_s, r.low_s, r.high_s, truth)
                   for r, truth in ranges], len(ranges))  # fmt: skip


def epoch_rows(results: list[Result]) -> Iterator[str]:
    """Yield the agreement of epochs."""
    truth = np.concatenate([r.asleep for r in results])
    for name in (*VARIANTS, BY_RULES):
        context = np.concatenate([r.contexts[name].epochs["context"] for r in results])
        time = np.concatenate([r.contexts[name].epochs["onset"] for r in results])
        onset = np.concatenate([np.full(len(r.asleep), r.contexts[name].onset.time_s or np.inf)
                                for r in results])  # fmt: skip
        asleep = np.isin(context, ("asleep", "sleep_onset")) & (time >= onset)
        agreed = np.mean(asleep == truth)
        chance = asleep.mean() * truth.mean() + (1 - asleep.mean()) * (1 - truth.mean())
        kappa = (agreed - chance) / (1 - chance)
        yield (f"| {name} | {agreed:.3f} | {kappa:.2f} | {asleep[truth].mean():.3f} | "
               f"{(~asleep)[~truth].mean():.3f} |")  # fmt: skip


def page(results: list[Result], dreem: Path) -> str:
    """Return the page."""
    pairs = [abs(a - b) for d in ("dodh", "dodo") for o in dreem_onsets_min(dreem, d)
             for a, b in combinations(o, 2)]  # fmt: skip
    first = next(iter(VARIANTS))
    truth = np.concatenate([r.asleep for r in results])
    p = np.concatenate([r.contexts[first].sleep_probability for r in results])
    group = np.digitize(p, EDGES)
    names = [f"{a:.1f}-{b:.1f}" for a, b in zip((0.0, *EDGES), (*EDGES, 1.0), strict=True)]
    text = HEAD.format(
        nights=len(results), persons=len({r.night.person for r in results}),
        latency=np.median([r.night.onset_s for r in results]) / 60,
        still=np.median([r.night.still_min for r in results]),
        ecg=np.mean([r.night.ecg for r in results]), scorers=np.percentile(pairs, [50, 75, 90]),
    )  # fmt: skip
    text += "\n".join(method_rows(results)) + "\n"
    return text + LIMITS.format(
        nights=len(results), rows="\n".join(subset_rows(results)),
        family="\n".join(family_rows(results)), epochs="\n".join(epoch_rows(results)),
        bins=" | ".join(names), bars="|".join("---" for _ in names),
        counts=" | ".join(str(int((group == k).sum())) for k in range(len(names))),
        shares=" | ".join(f"{truth[group == k].mean():.2f}" for k in range(len(names))),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dreem", type=Path, required=True)
    parser.add_argument("--yasa", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--nights", type=int, default=60)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    made = nights("test", range(args.nights), args.dreem, args.yasa, args.cache)
    text = page([estimate(night) for night in made], args.dreem)
    if args.out:
        args.out.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
