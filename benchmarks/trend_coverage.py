"""Coverage of the intervals of `trend` on simulated months with and without an effect.

python -m benchmarks.trend_coverage --months 6000 --out docs/accuracy-weeks.md

The effect is a difference in log(1 + rate). Nights also have autoregressive noise
("spells"), counting noise, missing nights and a slow drift; evenings with the exposure
come in runs. Three exposures are compared with three outcomes at two lags, as a user
would do. In a month with an effect, one exposure changes one outcome.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from twitchsense.scoring.indices.confidence_intervals import binomial_interval
from twitchsense.trend.association import Association, compare_nights
from twitchsense.trend.diary import Diary
from twitchsense.trend.exposure import select_exposures
from twitchsense.trend.nights import OUTCOMES, add_rates

NAMES = ("alcohol_g", "caffeine_mg", "stress")
BASE_RATE = {"twitch": 12.0, "jerk": 2.0, "movement": 8.0}


@dataclass(frozen=True)
class Month:
    """Parameters of a simulated month."""

    days: int
    spells: float = 0.3  # correlation of the noise of consecutive nights
    runs: float = 0.2  # correlation of the exposure of consecutive evenings
    missing: float = 0.05
    effect: float = 0.0
    lag: int = 0


KINDS_OF_MONTH = {
    "14 nights, no spells": Month(14, spells=0.0, runs=0.0, missing=0.0),
    "28 nights": Month(28),
    "28 nights, long spells": Month(28, spells=0.5, runs=0.4),
    "56 nights": Month(56),
}


def simulate(month: Month, rng: np.random.Generator) -> tuple[pd.DataFrame, Diary]:
    """Return the nights and the diary of a month."""
    first = date(2026, 1, 1)
    evenings = [first + timedelta(days=k) for k in range(-1, month.days)]
    exposed = {name: _runs(len(evenings), month.runs, rng) for name in NAMES}
    rows: dict[str, list[object]] = {"evening": list(evenings[1:])}
    drift = rng.normal(0, 0.01) * np.arange(month.days)
    for kind in OUTCOMES:
        noise = _spells(month.days, month.spells, 0.35, rng)
        log = np.log1p(BASE_RATE[kind]) + noise + drift
        if kind == "twitch":
            x = exposed[NAMES[0]]
            log = log + month.effect * x[1 - month.lag : len(x) - month.lag]
        hours = rng.uniform(6.0, 8.0, month.days)
        rows[f"{kind}_count"] = list(rng.poisson(np.expm1(np.maximum(log, 0.0)) * hours))
        rows[f"{kind}_hours"] = list(hours)
    table = add_rates(pd.DataFrame(rows))
    table = table[rng.random(month.days) >= month.missing].reset_index(drop=True)
    days = {e: {n: float(exposed[n][k]) for n in NAMES} for k, e in enumerate(evenings)}
    return table, Diary("simulated", NAMES, days)


def _spells(n: int, rho: float, sd: float, rng: np.random.Generator) -> np.ndarray:
    out = np.empty(n)
    out[0] = rng.normal(0, sd)
    for k in range(1, n):
        out[k] = rho * out[k - 1] + rng.normal(0, sd * np.sqrt(1 - rho**2))
    return out


def _runs(n: int, rho: float, rng: np.random.Generator) -> np.ndarray:
    out = np.empty(n)
    out[0] = rng.random() < 0.45
    for k in range(1, n):
        out[k] = out[k - 1] if rng.random() < rho else rng.random() < 0.45
    return out


def associations_of(month: Month, seed: int) -> list[Association]:
    """Return the associations that a user would see after a month."""
    nights, diary = simulate(month, np.random.default_rng(seed))
    return compare_nights(nights, diary, select_exposures(diary, NAMES))


@dataclass
class Tally:
    """Counts over many simulated months."""

    months: int = 0
    intervals: int = 0
    held: int = 0
    missed: float = 0.0  # sum over months: intervals that miss, minus the allowed 5 %
    missed_squared: float = 0.0  # sum of its squares
    months_with_false: int = 0
    false_share: float = 0.0
    false_squared: float = 0.0
    claims: int = 0
    found: int = 0
    could_find: int = 0


def count(month: Month, seeds: range) -> Tally:
    """Simulate and analyse many months."""
    tally = Tally()
    for seed in seeds:
        tally.months += 1
        false = claims = n_intervals = held = 0
        for a in associations_of(month, seed):
            if a.answer == "not enough nights yet":
                continue
            touched = a.exposure == NAMES[0] and a.outcome == "twitch" and a.lag == month.lag
            truth = month.effect if touched else 0.0
            n_intervals += 1
            held += a.ratio_low <= np.exp(truth) <= a.ratio_high
            claimed = a.answer in ("more", "fewer")
            claims += claimed
            if truth:
                tally.could_find += 1
                tally.found += claimed and (a.answer == "more") == (truth > 0)
            elif claimed:
                false += 1
        tally.intervals += n_intervals
        tally.held += held
        excess = (n_intervals - held) - 0.05 * n_intervals
        tally.missed += excess
        tally.missed_squared += excess**2
        tally.claims += claims
        tally.months_with_false += false > 0
        share = false / claims if claims else 0.0
        tally.false_share += share
        tally.false_squared += share**2
    return tally


def margin(total: float, squares: float, n: int) -> float:
    """Return the half-width of the 95 % interval of a sum over `n` independent months."""
    return 1.96 * float(np.sqrt(max(0.0, squares - total**2 / n)))


def run(months: int, workers: int) -> Iterator[tuple[str, Month, Tally]]:
    """Analyse every kind of month, with and without an effect."""
    for name, month in KINDS_OF_MONTH.items():
        for effect, lag in ((0.0, 0), (0.5, 0), (0.5, 1)):
            simulated = Month(month.days, month.spells, month.runs, month.missing, effect, lag)
            step = -(-months // workers)
            parts = [range(k, min(months, k + step)) for k in range(0, months, step)]
            with ProcessPoolExecutor(workers) as pool:
                tallies = list(pool.map(count, [simulated] * len(parts), parts))
            total = Tally(*(sum(getattr(t, f) for t in tallies)
                            for f in Tally.__dataclass_fields__))  # fmt: skip
            yield name, simulated, total


def page(rows: list[tuple[str, Month, Tally]]) -> str:
    """Return the text of docs/accuracy-weeks.md."""
    months = rows[0][2].months
    lines = [
        "# Accuracy of comparisons between nights",
        "",
        f"Made by `python -m benchmarks.trend_coverage --months {months} --out "
        f"docs/accuracy-weeks.md`: {months} simulated months of each kind. In each month, three",
        "exposures are compared with three outcomes at two lags.",
        "",
        "- *Coverage*: share of the 95 % intervals that contain the true difference.",
        "- *False findings*: without an effect, share of months with any finding; with an effect,",
        "  the share of findings that are false, averaged over months (the quantity that",
        "  false-discovery control bounds).",
        "- *Found*: how often the true effect (a factor of 1.65 on 1 + rate) was found.",
        "",
        "Brackets give 95 % intervals, computed from month to month because the 18 comparisons of",
        'a month are not independent. "Spells" are good and bad stretches of nights.',
        "",
        "| months | effect | intervals | coverage | false findings | found |",
        "|---|---|---|---|---|---|",
    ]
    for name, month, t in rows:
        kind = "none" if not month.effect else ("same night" if month.lag == 0 else "next night")
        half_width = margin(t.missed, t.missed_squared, t.months) / max(1, t.intervals)
        cover = _share(t.held / t.intervals, half_width) if t.intervals else "–"
        if month.effect:
            half_width = margin(t.false_share, t.false_squared, t.months) / t.months
            false = _share(t.false_share / t.months, half_width)
            found = f"{100 * t.found / max(1, t.could_find):.0f} %"
        else:
            low, high = (100 * float(v) for v in binomial_interval(t.months_with_false, t.months))
            false = f"{100 * t.months_with_false / t.months:.1f} % ({low:.1f}–{high:.1f})"
            found = "–"
        lines.append(f"| {name} | {kind} | {t.intervals:,} | {cover} | {false} | {found} |")
    return "\n".join(lines) + "\n"


def _share(value: float, half_width: float) -> str:
    low, high = max(0.0, value - half_width), min(1.0, value + half_width)
    return f"{100 * value:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=6000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = []
    for row in run(options.months, options.workers):
        rows.append(row)
        print(page([row]).splitlines()[-1], flush=True)
    if options.out:
        options.out.write_text(page(rows))


if __name__ == "__main__":
    main()
