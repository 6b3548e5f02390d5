"""Learns what tells twitches and movements from all else (detect/verdict_weights.py).

    python -m benchmarks.verdict --data FOLDER --openhdemg FOLDER [--cache FOLDER]
        [--seeds 11 12 ...]

Composes recordings of the accuracy benchmark's tuning side, takes every candidate
that the verdict would judge, asks the truth what it was, and fits two additive
models of ramps by penalised maximum likelihood (scipy). How well seeds that were
left out are told apart is printed.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from benchmarks.accuracy.cache import Source
from benchmarks.accuracy.score import detect
from twitchsense.detect import votes
from twitchsense.detect.additive import Additive, ramps
from twitchsense.detect.verdict import (
    MOVEMENT_FEATURES,
    TWITCH_FEATURES,
    describe_movements,
    describe_twitches,
)

SCENARIOS = (
    "night", "storm", "storm_twitches", "rest_twitches", "sleep_onset", "plm", "fragmentary",
    "violent", "drift", "rate_error", "emg_only", "ladder",
)  # fmt: skip
FEATURES = {"twitch": TWITCH_FEATURES, "movement": MOVEMENT_FEATURES}
#: Features of which more can only speak against a candidate, or for it.
FALLING = ("again", "most", "lift", "crowd", "neighbours", "log_knock", "net", "pieces", "contact")
RISING = ("longest", "filled", "log_g")
#: Knots of counts; other features have theirs at quantiles.
COUNTS = {
    "again": (0, 1, 2, 4, 6, 10, 20, 40),
    "crowd": (1, 2, 4, 6, 10, 20, 40),
    "neighbours": (1, 2, 3, 5, 8, 16),
}
QUANTILES = {"twitch": (0.01, 0.2, 0.4, 0.6, 0.8, 0.99), "movement": (0.02, 0.35, 0.65, 0.98)}
#: Candidates of one cause in one recording weigh no more than this many: a unit that
#: fires for minutes is one thing.
MOST_OF_A_KIND = 120
PENALTY = 0.2
#: Where a true twitch is smaller than this part of the burst, the burst is something else
#: too; a movement must be at least this much of a true one.
OWN_SIZE, OWN_PART = 0.5, 0.3
OUT = Path(__file__).parents[1] / "src" / "twitchsense" / "detect" / "verdict_weights.py"


def candidates_of(job: tuple[Source, str, int]) -> pd.DataFrame:
    """Return the features of the candidates of one recording, with what they were."""
    source, scenario, seed = job
    arrays, truth = source.compose(scenario, seed)
    rows: list[dict] = []

    def listen(kind, describe, judge):
        def listening(findings, company):
            members, table = describe(findings, company)
            for i, features in zip(members, table, strict=True):
                what = WHAT[kind](findings[i], truth)
                if what is not None:
                    rows.append({"kind": kind, "features": features} | what)
            return judge(findings, company)

        return listening

    kept = votes.judge_twitches, votes.judge_movements
    votes.judge_twitches = listen("twitch", describe_twitches, kept[0])
    votes.judge_movements = listen("movement", describe_movements, kept[1])
    try:
        detect(arrays)
    finally:
        votes.judge_twitches, votes.judge_movements = kept
    return pd.DataFrame(rows).assign(scenario=scenario, seed=seed)


def _near(truth: pd.DataFrame, onset: float, end: float, margin: float) -> pd.DataFrame:
    return truth[(truth.onset < end + margin) & (truth.onset + truth.duration > onset - margin)]


def what_twitch(f, truth: pd.DataFrame) -> dict | None:
    """Return whether a burst is a twitch and what lies over it; None if nobody can say."""
    onset, end = f.onset_ns / 1e9, f.offset_ns / 1e9
    here = _near(truth, onset, end, 0.02)
    real = here[here.trial_type != "artifact"]
    over = _near(truth, onset, end, 0.05)
    over = over[over.trial_type == "artifact"]
    cause = "+".join(sorted(set(over.kind)))
    if len(real):
        one = real.iloc[0]
        if one.trial_type != "twitch" or not one.amplitude_uv >= OWN_SIZE * f.amplitude_uv:
            return None
        return {"true": True, "cause": cause}
    if over.tolerated.astype(str).str.contains("twitch|movement|brief").any():
        return None
    return {"true": False, "cause": cause}


def what_movement(f, truth: pd.DataFrame) -> dict | None:
    """Return the same for a contraction."""
    onset, end = f.onset_ns / 1e9, f.offset_ns / 1e9
    here = _near(truth, onset, end, 0.0)
    shared = np.minimum(here.onset + here.duration, end) - np.maximum(here.onset, onset)
    real = here.trial_type != "artifact"
    cause = "+".join(sorted(set(here.kind[~real])))
    large = real & here.trial_type.isin(["movement", "gross_movement", "posture_change"])
    if (large & (shared > OWN_PART * (end - onset))).any():
        return {"true": True, "cause": cause}
    if large.any() or here.tolerated.astype(str).str.contains("movement").any():
        return None
    return {"true": False, "cause": cause}


WHAT = {"twitch": what_twitch, "movement": what_movement}


def fit(kind: str, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Additive:
    """Return the model of a kind."""
    names = FEATURES[kind]
    knots = {}
    for k, name in enumerate(names):
        at = COUNTS.get(name) or np.nanquantile(x[:, k], QUANTILES[kind]).round(3)
        knots[name] = tuple(float(v) for v in np.unique(at))
    z = np.concatenate([ramps(x[:, k], knots[n]) for k, n in enumerate(names)], axis=1)
    # what is not known is taken for what is usual in a true one
    usual = np.nanmean(z[y], axis=0)
    z = np.where(np.isnan(z), usual, z)
    bounds = [(None, None)] + [
        (None, 0.0) if name in FALLING else (0.0, None) if name in RISING else (None, None)
        for name in names
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
    ).x.round(3)
    model, at = {}, 1
    for name in names:
        n = len(knots[name]) - 1
        rises = w[at : at + n] + 0.0
        known = round(float(usual[at - 1 : at - 1 + n] @ rises), 3)
        model[name] = (knots[name], tuple(rises.tolist()), known)
        at += n
    return Additive(float(w[0]), model)


def report(kind: str, table: pd.DataFrame, p: np.ndarray) -> None:
    """Print how well candidates that were not learned from are told apart."""
    alone = ["storm", "storm_twitches", "ladder"]
    groups = table.scenario.where(table.scenario.isin(alone), "nights")
    for name in sorted(set(groups)):
        mine = (groups == name).to_numpy()
        y, q = table.true.to_numpy(bool)[mine], p[mine]
        for line in (0.3, 0.5, 0.7):
            kept = q >= line
            share = kept[y].mean() if y.any() else float("nan")
            print(f"{kind:9s}{name:15s} p >= {line}: {share:.4f} of {y.sum()} kept, "
                  f"{kept[~y].sum()} of {(~y).sum()} others")  # fmt: skip


def learn(kind: str, table: pd.DataFrame) -> Additive:
    """Learn a kind's model, after a look at seeds left out in turn."""
    x, y = np.stack(table.features), table.true.to_numpy(bool)
    many = table.groupby(["scenario", "seed", "cause", "true"]).true.transform("size")
    weight = np.where(y, 1.0, np.minimum(1.0, MOST_OF_A_KIND / many))
    p = np.zeros(len(table))
    fold = table.seed.to_numpy() % 3
    for k in range(3):
        seen = fold != k
        model = fit(kind, x[seen], y[seen], weight[seen])
        p[~seen] = model.probability(model.parts(x[~seen]))
    report(kind, table, p)
    return fit(kind, x, y, weight)


def text_of(name: str, model: Additive) -> list[str]:
    """Return a model as Python."""
    lines = [f"{name} = Additive(", f"    {model.bias},", "    {"]
    for feature, (knots, rises, usual) in model.ramps.items():
        lines += [f'        "{feature}": (', f"            {knots},", f"            {rises},"]
        lines.append(f"            {usual},")
        lines.append("        ),")
    return [*lines, "    },", ")"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--openhdemg", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="where composed recordings are kept")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(11, 19)))
    args = parser.parse_args()
    source = Source("tune", args.data, args.openhdemg, args.cache)
    jobs = [(source, s, k) for k in args.seeds for s in SCENARIOS]
    with ProcessPoolExecutor(2) as pool:
        found = pd.concat([t for t in pool.map(candidates_of, jobs) if len(t)], ignore_index=True)
    lines = [
        '"""Learned by benchmarks/verdict.py; do not edit by hand."""',
        "",
        "# fmt: off",
        "from twitchsense.detect.additive import Additive",
    ]
    for kind in FEATURES:
        table = found[found.kind == kind].reset_index(drop=True)
        lines += ["", *text_of(kind.upper(), learn(kind, table))]
    OUT.write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
