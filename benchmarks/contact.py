"""Learns to tell muscle from bad contacts (src/twitchsense/detect/electrode_artifact_weights.py).

    python -m benchmarks.electrode_probability --data FOLDER --openhdemg FOLDER [--seeds 1 2 3 ...]

Composes recordings of the accuracy benchmark's tuning side, takes every burst that
lies on exactly one row of the truth, and fits logistic regressions by penalised
maximum likelihood (scipy). Prints how well unseen seeds are told apart.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from benchmarks.accuracy.score import detect
from twitchsense.detect import burst_measures
from twitchsense.detect.electrode_artifact import FEATURES, FINE_FS, SINGLE_S, contact_features

SCENARIOS = (
    "rest_twitches", "sleep_onset", "fragmentary", "violent", "storm", "storm_twitches", "ladder",
    "emg_only", "plm",
)  # fmt: skip
CONTACT = ("pop_", "bump_with_cable")
MUSCLE = ("tonic", "rhythmic", "voluntary")
#: Bursts of one source counted in one recording: a unit that fires for minutes is one thing.
MOST_OF_A_KIND = 30
#: Least size, µV: smaller candidates are turned down anyway.
LEAST_UV = 40.0
PENALTY = 1.0
OUT = Path(__file__).parents[1] / "src" / "twitchsense" / "detect" / "contact_weights.py"


def bursts_of(job: tuple[str, int, Path, Path]) -> pd.DataFrame:
    """Return the features of the bursts of one recording, with what the truth says."""
    from benchmarks.accuracy.nights import compose

    scenario, seed, data, openhdemg = job
    arrays, truth = compose(scenario, "tune", seed, data=data, openhdemg=openhdemg)
    rows: list[dict] = []
    real = contact_features

    def listen(clean, burst, body, fs, *, slow_share, noise_uv):
        features = real(clean, burst, body, fs, slow_share=slow_share, noise_uv=noise_uv)
        rows.append({"features": features, "fs": fs})
        return features

    def measured(channel, *args, original=burst_measures.measure, **kwargs):
        found = original(channel, *args, **kwargs)
        rows[-1] |= {
            "channel": found.channel, "onset": found.onset_ns / 1e9,
            "end": found.offset_ns / 1e9, "uv": found.amplitude_uv,
        }  # fmt: skip
        return found

    from twitchsense.detect import emg_candidates

    burst_measures.contact_features, emg_candidates.measure = listen, measured
    try:
        detect(arrays)
    finally:
        burst_measures.contact_features, emg_candidates.measure = real, burst_measures.measure
    onset, end = truth.onset.to_numpy(), (truth.onset + truth.duration).to_numpy()
    kept = []
    for row in rows:
        near = np.flatnonzero((onset < row["end"] + 0.02) & (end > row["onset"] - 0.02))
        if len(near) != 1 or row["uv"] < LEAST_UV:
            continue
        true = truth.iloc[near[0]]
        contact = true.kind.startswith(CONTACT)
        muscle = true.kind in MUSCLE or true.trial_type in ("twitch", "jerk", "movement")
        if contact or (muscle and true.channel == row["channel"]):
            kept.append(row | {"contact": contact, "kind": true.kind, "source": true.source})
    table = pd.DataFrame(kept)
    if len(table):
        table = table.groupby(["kind", "source"]).head(MOST_OF_A_KIND)
    return table.assign(seed=seed, scenario=scenario)


def fit(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Return bias and weights of a logistic regression, classes weighted alike."""
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
    z = (x - mean) / scale
    weight = np.where(y, 0.5 / max(y.mean(), 1e-6), 0.5 / max(1 - y.mean(), 1e-6))

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        score = w[0] + z @ w[1:]
        p = 1 / (1 + np.exp(-np.clip(score, -30, 30)))
        value = np.sum(weight * (np.logaddexp(0, score) - y * score)) + PENALTY * w[1:] @ w[1:]
        gradient = np.concatenate([[0.0], 2 * PENALTY * w[1:]])
        pull = weight * (p - y)
        gradient += np.concatenate([[pull.sum()], z.T @ pull])
        return float(value), gradient

    w = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return float(w[0] - (w[1:] / scale) @ mean), w[1:] / scale


def chosen(table: pd.DataFrame, rate: str, length: str) -> pd.DataFrame:
    fine = table.fs >= FINE_FS
    single = table.end - table.onset <= SINGLE_S
    return table[(fine if rate == "fine" else ~fine) & (single if length == "single" else ~single)]


def report(table: pd.DataFrame, rate: str, length: str) -> None:
    """Print how well seeds that were left out are told apart."""
    part = chosen(table, rate, length)
    x, y = np.stack(part.features), part.electrode_probability.to_numpy(bool)
    half = part.seed.to_numpy() % 2 == 0
    for train, test in ((half, ~half), (~half, half)):
        if y[train].sum() < 5 or y[test].sum() < 5:
            continue
        bias, weights = fit(x[train], y[train])
        score = bias + x[test] @ weights
        lines = [np.quantile(score[~y[test]], 1 - q) for q in (0.01, 0.02, 0.05)]
        caught = [float((score[y[test]] > line).mean()) for line in lines]
        print(
            f"{rate:7s}{length:7s} {y[test].sum():5d} contacts, {(~y[test]).sum():5d} of muscle: "
            f"caught at 1, 2, 5 % of muscle lost: {caught[0]:.2f} {caught[1]:.2f} {caught[2]:.2f}; "
            f"at p > 0.8: {(score[y[test]] > 1.386).mean():.2f}, "
            f"muscle lost {(score[~y[test]] > 1.386).mean():.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--openhdemg", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4])
    args = parser.parse_args()
    jobs = [(s, k, args.data, args.openhdemg) for s in SCENARIOS for k in args.seeds]
    with ProcessPoolExecutor(2) as pool:
        table = pd.concat([t for t in pool.map(bursts_of, jobs) if len(t)], ignore_index=True)
    lines = ['"""Learned by benchmarks/contact.py; do not edit by hand.', ""]
    names = [", ".join(FEATURES[:5]) + ",", ", ".join(FEATURES[5:]) + "."]
    lines += ["Weights of: " + names[0], names[1], '"""', ""]
    lines.append("WEIGHTS: dict[tuple[str, str], tuple[float, tuple[float, ...]]] = {")
    for rate in ("fine", "coarse"):
        for length in ("single", "long"):
            report(table, rate, length)
            part = chosen(table, rate, length)
            bias, weights = fit(np.stack(part.features), part.electrode_probability.to_numpy(bool))
            numbers = "".join(f"        {w:.3f},\n" for w in weights)
            lines.append(f'    ("{rate}", "{length}"): ({bias:.3f}, (\n{numbers}    )),')
    OUT.write_text("\n".join([*lines, "}", ""]))


if __name__ == "__main__":
    main()
