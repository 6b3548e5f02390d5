"""Train the model of sleep (src/twitchsense/sleep/models), and calibrate sleep onset.

    python -m benchmarks.train_sleep_onset --dreem FOLDER --yasa FOLDER [--cache FOLDER]
        [--nights N] [--out FOLDER]

Composes nights by `benchmarks.sleep_onset.training_nights`, driven by the real hypnograms of half
of the persons, runs the detector, and fits boosted trees to the features of every epoch. Each night
is used with all signals, without its heart beats, and without its EMG. The calibration uses
probabilities of nights whose person was left out of the fit.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold

from benchmarks.sleep_onset.detected_night import SETTINGS, DetectedNight, nights
from benchmarks.train_classifiers import commit, convert
from twitchsense.sleep.context import night_features
from twitchsense.sleep.epoch_features import FEATURE_GROUPS, SLEEP_FEATURES
from twitchsense.sleep.inactivity import EPOCH_S
from twitchsense.sleep.sleep_probability import (
    MIN_HALF_RANGE_S,
    SIGNAL_SETS,
    OnsetCalibration,
    onset_quantiles,
)

Floats = NDArray[np.float64]

OUT = Path(__file__).parents[1] / "src" / "twitchsense" / "sleep" / "models"
PARAMETERS = {
    "max_iter": 250, "max_depth": 4, "learning_rate": 0.06, "l2_regularization": 5.0,
    "min_samples_leaf": 200,
}  # fmt: skip
FOLDS = 5
#: Values tried for the share of sleep after sleep onset, and for the tempering.
SHARES, TEMPERINGS = (0.6, 0.7, 0.8, 0.9), (0.06, 0.1, 0.15, 0.25)
#: Values tried for the tempering of the range.
RANGE_TEMPERINGS = (0.01, 0.02, 0.04, 0.07, 0.12, 0.2)
#: Values tried for the base rate.
BASE_RATES = (0.30, 0.35, 0.40, 0.45, 0.50)
#: Share of the nights left out that the range misses on either side.
MISSED = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class TrainingNight:
    """Features of a night for each set of signals, and its truth."""

    person: str
    asleep: NDArray[np.bool_]
    features: dict[str, Floats]

    @property
    def onset(self) -> int:
        """Index of the first epoch of sleep."""
        return int(np.argmax(self.asleep))


def features_of(night: DetectedNight) -> dict[str, Floats]:
    """Return the features by set of signals: accelerometer, with EMG, with heart beats."""
    rules = SETTINGS.context
    quiet = replace(night.found, heart_beats_ns={})
    out = {
        "motion": night_features(night.extent(emg=False), night.found_acc, rules),
        "tone": night_features(night.extent(), quiet, rules),
    }
    heart = night_features(night.extent(), night.found, rules)
    first = SLEEP_FEATURES.index(FEATURE_GROUPS["heart"][0].name)
    if np.mean(~np.isnan(heart[:, first])) >= 0.5:
        out["heart"] = heart
    return out


def fit(chosen: list[TrainingNight]) -> HistGradientBoostingClassifier:
    """Fit the trees to all sets of signals of some nights."""
    x = np.concatenate([f for n in chosen for f in n.features.values()])
    y = np.concatenate([n.asleep for n in chosen for _ in n.features])
    directions = [f.direction for group in FEATURE_GROUPS.values() for f in group]
    model = HistGradientBoostingClassifier(
        monotonic_cst=directions, random_state=0, early_stopping=False, **PARAMETERS
    )
    return model.fit(x, y)


def left_out(data: list[TrainingNight]) -> dict[str, list[tuple[Floats, TrainingNight]]]:
    """Return, by set of signals, the probabilities of nights whose person was left out."""
    out: dict[str, list[tuple[Floats, TrainingNight]]] = {s: [] for s in SIGNAL_SETS}
    for seen, unseen in GroupKFold(FOLDS).split(data, groups=[n.person for n in data]):
        model = fit([data[i] for i in seen])
        for i in unseen:
            for signals, x in data[i].features.items():
                out[signals].append((model.predict_proba(x)[:, 1], data[i]))
    return out


def errors_min(pairs: list[tuple[Floats, TrainingNight]], calibration: OnsetCalibration) -> Floats:
    """Return the error of the estimate of each night, min; a night without sleep counts fully."""
    return np.array([onset_quantiles(p, calibration)[1] - n.onset for p, n in pairs]) / 2


def stretched(
    found: dict[str, list[tuple[Floats, TrainingNight]]], calibration: OnsetCalibration
) -> tuple[Floats, float]:
    """Return the factors of the range that hold 90 % of the nights, and its median width, min."""
    stretch, widths = np.ones((3, 2)), []
    floor = MIN_HALF_RANGE_S / EPOCH_S
    for row, signals in enumerate(SIGNAL_SETS):
        marks = np.array([(*onset_quantiles(p, calibration), n.onset) for p, n in found[signals]])
        low, at, high, truth = marks.T
        halves = np.stack([at - low, high - at]) + floor
        ratios = np.stack([at - truth, truth - at]) / halves
        level = min(1.0, (1 - MISSED) * (1 + 1 / len(marks)))  # conformal: finite sample
        stretch[row] = np.maximum(0.1, np.quantile(ratios, level, axis=1))
        widths.append((stretch[row] @ halves) / 2)
    return stretch.round(3), float(np.median(np.concatenate(widths)))


def calibrate(found: dict[str, list[tuple[Floats, TrainingNight]]]) -> OnsetCalibration:
    """Choose the estimate by its error, then the narrowest range that holds 90 % of the nights."""
    pool = [pair for pairs in found.values() for pair in pairs]
    grid = itertools.product(BASE_RATES, SHARES, TEMPERINGS)
    trials = [OnsetCalibration(a, b, c, c, np.ones((3, 2))) for a, b, c in grid]

    def score(trial: OnsetCalibration) -> float:
        error = errors_min(pool, trial)
        return float(np.median(np.abs(error)) + (abs(error.mean()) + abs(np.median(error))) / 2)

    best = min(trials, key=score)
    ranges = [replace(best, range_tempering=t) for t in RANGE_TEMPERINGS]
    chosen = min(ranges, key=lambda trial: stretched(found, trial)[1])
    return replace(chosen, stretch=stretched(found, chosen)[0])


def figures(
    found: dict[str, list[tuple[Floats, TrainingNight]]], calibration: OnsetCalibration
) -> list[dict[str, object]]:
    """Return how well the left-out nights are estimated, for the card."""
    rows = []
    for signals, pairs in found.items():
        error = errors_min(pairs, calibration)
        p = np.concatenate([p for p, _ in pairs])
        y = np.concatenate([n.asleep for _, n in pairs])
        rows.append({
            "signals": signals, "nights": len(pairs),
            "median_abs_error_min": round(float(np.median(np.abs(error))), 2),
            "bias_min": round(float(error.mean()), 2),
            "brier": round(float(np.mean((p - y) ** 2)), 4),
            "accuracy": round(float(np.mean((p >= 0.5) == y)), 3),
        })  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dreem", type=Path, required=True)
    parser.add_argument("--yasa", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--nights", type=int, default=220)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    data = []
    for night in nights("training", range(args.nights), args.dreem, args.yasa, args.cache):
        asleep = np.array([s != "W" for s in night.stages])
        data.append(TrainingNight(night.person, asleep, features_of(night)))
    found = left_out(data)
    calibration = calibrate(found)
    trees = convert(SLEEP_FEATURES, fit(data))
    args.out.mkdir(exist_ok=True)
    path = args.out / "sleep.npz"
    with path.open("wb") as file:
        trees.save(file)
    with (args.out / "onset.npz").open("wb") as file:
        calibration.save(file)
    card = {
        "model": "sleep",
        "estimates": "probability that a 30-s epoch is sleep of any stage",
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "trees": len(trees.roots),
        "nodes": len(trees.feature),
        "parameters": PARAMETERS,
        "features": [
            {"name": f.name, "unit": f.unit, "meaning": f.meaning, "signal": group,
             "monotonic": f.direction}
            for group, members in FEATURE_GROUPS.items() for f in members
        ],
        "trained_on": "nights composed by benchmarks/sleep_onset/training_nights.py, driven by "
        "real hypnograms (DOD-H, and every other person of DOD-O)",
        "nights": len(data),
        "calibration": {
            "file": "onset.npz", "base_rate": calibration.base_rate,
            "asleep_share": calibration.asleep_share, "tempering": calibration.tempering,
            "range_tempering": calibration.range_tempering,
            "stretch": dict(zip(SIGNAL_SETS, calibration.stretch.tolist(), strict=True)),
        },
        "cross_validation": figures(found, calibration),
        "cross_validated_on": "the same nights; the person of a night was left out",
        "trained_at_commit": commit(),
        "libraries": {"scikit-learn": version("scikit-learn")},
    }  # fmt: skip
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    (args.out / "sleep.json").write_text(text)
    print(json.dumps([card["calibration"], card["cross_validation"]], indent=1))


if __name__ == "__main__":
    main()
