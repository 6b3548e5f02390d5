"""Train the electrode model of the detector (src/twitchsense/detect/models/electrode.npz).

    python -m benchmarks.training.electrode_model --data FOLDER --openhdemg FOLDER [--cache FOLDER]
        [--seeds 1 2 3 ...] [--out FOLDER]

Composes recordings of the tuning side of the accuracy benchmark, takes every burst that lies on
exactly one row of the truth, and fits four logistic regressions by penalised maximum likelihood.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from benchmarks.accuracy.cache import Source, add_options
from benchmarks.training.classifiers import OUT, commit
from twitchsense.detect.candidates.emg_segment import EmgSegment
from twitchsense.detect.features import FEATURES
from twitchsense.detect.features.electrode_artifact import (
    ELECTRODE_FEATURES,
    REGRESSIONS,
    regression_of,
)
from twitchsense.model.candidates import Burst
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings

SCENARIOS = (
    "rest_twitches", "sleep_onset", "fragmentary", "violent", "storm", "storm_twitches", "ladder",
    "emg_only", "plm",
)  # fmt: skip
#: Kinds of the truth that are electrode artefacts, and those that are muscle activity.
ELECTRODE = ("pop_", "bump_with_cable")
MUSCLE = ("tonic", "rhythmic", "voluntary")
#: Bursts of one source counted in one recording: a unit that fires for minutes is one thing.
MAX_OF_A_SOURCE = 30
#: Minimum amplitude, µV: smaller candidates are rejected anyway.
MIN_UV = 40.0
#: Weight of the squared weights in the loss.
PENALTY = 1.0
#: Samples of a segment pushed at once.
CHUNK = 60_000


def bursts_of(job: tuple[Source, str, int]) -> pd.DataFrame:
    """Return the features of the bursts of one recording, with what the truth says."""
    source, scenario, seed = job
    arrays, truth = source.compose(scenario, seed)
    recording = Recording.from_arrays(arrays)
    onset, end = truth.onset.to_numpy(), (truth.onset + truth.duration).to_numpy()
    rows = []
    for burst, fs in search(recording):
        first, last = burst.onset_ns / 1e9 - 0.02, burst.offset_ns / 1e9 + 0.02
        near = np.flatnonzero((onset < last) & (end > first))
        if len(near) != 1 or burst.amplitude_uv < MIN_UV:
            continue
        row = truth.iloc[near[0]]
        electrode = row.kind.startswith(ELECTRODE)
        muscle = row.kind in MUSCLE or row.trial_type in ("twitch", "jerk", "movement")
        if electrode or (muscle and row.channel == burst.channel):
            rows.append({
                "features": burst.waveform_features[: len(ELECTRODE_FEATURES)].astype(float),
                "regression": regression_of(burst.active_s, fs), "electrode": electrode,
                "kind": row.kind, "source": row.source,
            })  # fmt: skip
    table = pd.DataFrame(rows)
    if len(table):
        table = table.groupby(["kind", "source"]).head(MAX_OF_A_SOURCE)
    return table.assign(seed=seed, scenario=scenario)


def search(recording: Recording) -> list[tuple[Burst, float]]:
    """Return all bursts of a recording, each with the sampling rate of its channel."""
    found = []
    for channel in recording.channels:
        if channel.kind != "emg":
            continue
        numbers = count()
        for part in recording.segments_of(channel.name):
            segment = EmgSegment(channel, part.start_ns, Settings(), numbers)
            for first in range(0, len(part.samples), CHUNK):
                segment.push(part.samples.read(first, first + CHUNK))
            segment.close()
            found += [(burst, channel.fs) for burst in segment.take_bursts()]
    return found


def fit(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Return bias and weights of a logistic regression; both classes weigh alike."""
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
    z = (x - mean) / scale
    weight = np.where(y, 0.5 / max(y.mean(), 1e-6), 0.5 / max(1 - y.mean(), 1e-6))

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        score = w[0] + z @ w[1:]
        p = 1 / (1 + np.exp(-np.clip(score, -30, 30)))
        value = np.sum(weight * (np.logaddexp(0, score) - y * score)) + PENALTY * w[1:] @ w[1:]
        gradient = np.concatenate([[0.0], 2 * PENALTY * w[1:]])
        residual = weight * (p - y)
        gradient += np.concatenate([[residual.sum()], z.T @ residual])
        return float(value), gradient

    w = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return float(w[0] - (w[1:] / scale) @ mean), w[1:] / scale


def cross_validation(table: pd.DataFrame, name: str) -> list[dict]:
    """Return how many artefacts of left-out seeds are caught at given losses of muscle."""
    x, y = np.stack(table.features), table.electrode.to_numpy(bool)
    half = table.seed.to_numpy() % 2 == 0
    rows = []
    for seen, unseen in ((half, ~half), (~half, half)):
        if y[seen].sum() < 5 or y[unseen].sum() < 5:
            continue
        bias, weights = fit(x[seen], y[seen])
        score = bias + x[unseen] @ weights
        muscle, artefacts = score[~y[unseen]], score[y[unseen]]
        caught = {
            f"caught_at_{share:.0%}_of_muscle_lost":
            round(float((artefacts > np.quantile(muscle, 1 - share)).mean()), 3)
            for share in (0.01, 0.02, 0.05)
        }  # fmt: skip
        counts = {"artefacts": int(y[unseen].sum()), "muscle": int((~y[unseen]).sum())}
        rows.append({"regression": name} | counts | caught)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    source = Source("tune", args.data, args.openhdemg, args.cache)
    jobs = [(source, s, k) for s in SCENARIOS for k in args.seeds]
    with ProcessPoolExecutor(2) as pool:
        table = pd.concat([t for t in pool.map(bursts_of, jobs) if len(t)], ignore_index=True)
    parts = {name: table[table.regression == name] for name in REGRESSIONS}
    fits = [fit(np.stack(p.features), p.electrode.to_numpy(bool)) for p in parts.values()]
    path = args.out / "electrode.npz"
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            features=np.array(ELECTRODE_FEATURES),
            bias=np.array([round(bias, 3) for bias, _ in fits]),
            weights=np.array([weights.round(3) for _, weights in fits]),
        )
    folds = [row for name, part in parts.items() for row in cross_validation(part, name)]
    card = {
        "model": "electrode",
        "estimates": "an electrode artefact rather than muscle activity, by the waveform",
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "regressions": list(REGRESSIONS),
        "features": [
            {"name": n, "unit": FEATURES[n].unit, "meaning": FEATURES[n].meaning}
            for n in ELECTRODE_FEATURES
        ],
        "trained_on": "recordings composed by benchmarks/accuracy, tuning side",
        "scenarios": list(SCENARIOS),
        "seeds": list(args.seeds),
        "trained_at_commit": commit(),
        "libraries": {n: version(n) for n in ("numpy", "scipy")},
        "cross_validation": folds,
    }
    text = json.dumps(card, indent=1, ensure_ascii=False)
    (args.out / "electrode.json").write_text(text + "\n", encoding="utf-8")
    print(pd.DataFrame(folds).to_string(index=False))


if __name__ == "__main__":
    main()
