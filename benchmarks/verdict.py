"""Learns to tell twitches from all else that is short (detect/verdict_weights.py).

    python -m benchmarks.verdict --data FOLDER --openhdemg FOLDER [--seeds 11 12 ...]

Composes recordings of the accuracy benchmark's tuning side, takes every short
burst before the votes, asks the truth what it was, and fits an additive model of
ramps by penalised maximum likelihood (scipy). Seeds are learned from in turn; how
well those left out are told apart is printed.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize

import twitchsense as ts
from twitchsense.detect import votes
from twitchsense.detect.verdict import FEATURES, describe, ramps
from twitchsense.settings import Settings

SCENARIOS = (
    "rest_twitches", "sleep_onset", "plm", "fragmentary", "violent", "night", "drift", "rate_error",
    "emg_only", "storm", "storm_twitches", "ladder",
)  # fmt: skip
#: Features of which more can only speak against a twitch.
FALLING = ("again", "most", "lift", "crowd", "neighbours")
#: Knots of counts; other features have theirs at quantiles.
COUNTS = {
    "again": (0, 1, 2, 4, 6, 10, 20, 40),
    "crowd": (1, 2, 4, 6, 10, 20, 40),
    "neighbours": (1, 2, 3, 5, 8, 16),
}
QUANTILES = (0.01, 0.2, 0.4, 0.6, 0.8, 0.99)
#: Bursts of one cause in one recording weigh no more than this many: a unit that
#: fires for minutes is one thing.
MOST_OF_A_KIND = 120
PENALTY = 0.2
#: Where a truth is smaller than this part of the burst, the burst is something else too.
OWN_SIZE = 0.5
OUT = Path(__file__).parents[1] / "src" / "twitchsense" / "detect" / "verdict_weights.py"


def bursts_of(job: tuple[str, int, Path, Path]) -> pd.DataFrame:
    """Return the features of the short bursts of one recording, with what they were."""
    scenario, seed, data, openhdemg = job
    from lab import get

    arrays, truth = get(scenario, "tune", seed)
    rows: list[dict] = []
    real = truth[truth.trial_type != "artifact"].sort_values("onset")
    artefacts = truth[truth.trial_type == "artifact"]

    def listen(findings, company):
        members, table = describe(findings, company)
        for i, features in zip(members, table, strict=True):
            f = findings[i]
            what = _truth(f.onset_ns / 1e9, f.offset_ns / 1e9, f.amplitude_uv, real, artefacts)
            if what is not None:
                rows.append({"features": features} | what)
        return original(findings, company)

    original, votes.judge = votes.judge, listen
    try:
        recording = ts.Recording.from_arrays(arrays)
        detector = ts.Detector(Settings(), recording.channels)
        for chunk in recording.chunks():
            detector.push(chunk)
        detector.close()
    finally:
        votes.judge = original
    return pd.DataFrame(rows).assign(scenario=scenario, seed=seed)


def _truth(
    onset: float, end: float, size_uv: float, real: pd.DataFrame, artefacts: pd.DataFrame
) -> dict | None:
    """Return whether a burst is a twitch and what lies over it; None if nobody can say."""
    here = real[(real.onset < end + 0.02) & (real.onset + real.duration > onset - 0.02)]
    over = artefacts[
        (artefacts.onset < end + 0.05) & (artefacts.onset + artefacts.duration > onset - 0.05)
    ]
    cause = "+".join(sorted(set(over.kind)))
    if len(here):
        one = here.iloc[0]
        if one.trial_type != "twitch" or not one.amplitude_uv >= OWN_SIZE * size_uv:
            return None
        return {"twitch": True, "cause": cause}
    if over.tolerated.astype(str).str.contains("twitch|movement|brief").any():
        return None
    return {"twitch": False, "cause": cause}


def fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[float, dict]:
    """Return bias and, for each feature, knots and the rise between them."""
    knots = {}
    for k, name in enumerate(FEATURES):
        at = COUNTS.get(name) or np.quantile(x[:, k], QUANTILES).round(3)
        knots[name] = tuple(float(v) for v in np.unique(at))
    z = np.concatenate([ramps(x[:, k], knots[n]) for k, n in enumerate(FEATURES)], axis=1)
    bounds = [(None, None)] + [
        (None, 0.0) if name in FALLING else (None, None)
        for name in FEATURES
        for _ in knots[name][1:]
    ]

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        score = w[0] + z @ w[1:]
        p = 1 / (1 + np.exp(-np.clip(score, -30, 30)))
        value = np.sum(weight * (np.logaddexp(0, score) - y * score)) + PENALTY * w[1:] @ w[1:]
        pull = weight * (p - y)
        return float(value), np.concatenate([[pull.sum()], z.T @ pull + 2 * PENALTY * w[1:]])

    start = np.zeros(z.shape[1] + 1)
    w = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 3000}
    ).x
    model, at = {}, 1
    for name in FEATURES:
        n = len(knots[name]) - 1
        model[name] = (knots[name], tuple(round(float(v), 3) for v in w[at : at + n]))
        at += n
    return round(float(w[0]), 3), model


def probability(x: np.ndarray, bias: float, model: dict) -> np.ndarray:
    """Return the probability of each row."""
    parts = [ramps(x[:, k], model[n][0]) @ np.array(model[n][1]) for k, n in enumerate(FEATURES)]
    return 1 / (1 + np.exp(-(bias + np.sum(parts, axis=0))))


def report(table: pd.DataFrame, p: np.ndarray) -> None:
    """Print how well bursts that were not learned from are told apart."""
    groups = table.scenario.where(
        table.scenario.isin(["storm", "storm_twitches", "ladder"]), "nights"
    )
    for name, rows in table.groupby(groups):
        q = p[rows.index]
        y = rows.twitch.to_numpy(bool)
        for line in (0.3, 0.5, 0.7):
            kept = q >= line
            share = kept[y].mean() if y.any() else float("nan")
            print(f"{name:15s} p >= {line}: {share:.4f} of {y.sum()} twitches kept, "
                  f"{kept[~y].sum()} of {(~y).sum()} others")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--openhdemg", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(11, 21)))
    parser.add_argument("--table", type=Path, help="keep the bursts here, or take them from here")
    args = parser.parse_args()
    if args.table and args.table.exists():
        table = pd.read_pickle(args.table)
    else:
        jobs = [(s, k, args.data, args.openhdemg) for k in args.seeds for s in SCENARIOS]
        with ProcessPoolExecutor(2) as pool:
            table = pd.concat([t for t in pool.map(bursts_of, jobs) if len(t)], ignore_index=True)
        if args.table:
            table.to_pickle(args.table)
    x, y = np.stack(table.features), table.twitch.to_numpy(bool)
    many = table.groupby(["scenario", "seed", "cause", "twitch"]).twitch.transform("size")
    weight = np.where(y, 1.0, np.minimum(1.0, MOST_OF_A_KIND / many))
    p = np.zeros(len(table))
    fold = table.seed.to_numpy() % 3
    for k in range(3):
        learn = fold != k
        p[~learn] = probability(x[~learn], *fit(x[learn], y[learn], weight[learn]))
    report(table, p)
    bias, model = fit(x, y, weight)
    lines = [
        '"""Learned by benchmarks/verdict.py; do not edit by hand.',
        "",
        "Of each feature: knots, and what it adds to the log-odds between each two of them.",
        '"""',
        "",
        f"BIAS = {bias}",
        "RAMPS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {",
        *(f'    "{n}": ({model[n][0]}, {model[n][1]}),' for n in FEATURES),
        "}",
    ]
    OUT.write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
