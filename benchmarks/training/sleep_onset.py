"""Train the model of sleep (src/twitchsense/sleep/models), and calibrate sleep onset.

    python -m benchmarks.training.sleep_onset --dreem FOLDER --yasa FOLDER [--cache FOLDER]
        [--out FOLDER]

Three composers make nights that follow real hypnograms (`benchmarks.sleep_onset`); the detector
runs on them, and boosted trees are fitted to the features of every epoch. Each night is used twice,
with the events that were found with its EMG and without. The calibration uses probabilities of
nights whose composer and whose person were left out of the fit.
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

from benchmarks.sleep_onset.detected_night import COMPOSERS, SETTINGS, DetectedNight, nights
from benchmarks.training.classifiers import commit, convert
from twitchsense.sleep.epoch_features import FEATURES, SLEEP_FEATURES, epoch_features
from twitchsense.sleep.inactivity import EPOCH_S, EpochGrid, measure_motion
from twitchsense.sleep.sleep_probability import (
    MIN_HALF_RANGE_S,
    OnsetCalibration,
    onset_quantiles,
)

Floats = NDArray[np.float64]

OUT = Path(__file__).parents[2] / "src" / "twitchsense" / "sleep" / "models"
PARAMETERS = {
    "max_iter": 250, "max_depth": 4, "learning_rate": 0.06, "l2_regularization": 5.0,
    "min_samples_leaf": 200,
}  # fmt: skip
FOLDS = 5
#: Values tried for the share of sleep after sleep onset, and for the tempering.
SHARES, TEMPERINGS = (0.6, 0.7, 0.8, 0.9), (0.06, 0.1, 0.15, 0.25)
#: Values tried for the tempering of the range; with less, the range grows with the recording.
RANGE_TEMPERINGS = (0.04, 0.07, 0.12, 0.2)
#: Values tried for the base rate.
BASE_RATES = (0.30, 0.35, 0.40, 0.45, 0.50)
#: Share of the nights left out that the range misses on either side.
MISSED = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class TrainingNight:
    """Features of a night by the events that were masked, and its truth."""

    composer: str
    person: str
    asleep: NDArray[np.bool_]
    features: dict[str, Floats]

    @property
    def onset(self) -> int:
        """Index of the first epoch of sleep."""
        return int(np.argmax(self.asleep))


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """Probability of sleep of each epoch of a night, by a model that did not know it."""

    night: TrainingNight
    events: str
    probability: Floats


def features_of(night: DetectedNight) -> dict[str, Floats]:
    """Return the features of a night whose events were found with EMG, and without."""
    extent = night.extent()
    grid = EpochGrid.over(extent.start_ns, extent.end_ns)
    out = {}
    for name, found in {"with EMG": night.found, "without EMG": night.found_acc}.items():
        motion = measure_motion([found.seconds["acc"]], found.events, grid, SETTINGS.context)
        out[name] = epoch_features(motion, found.events, SETTINGS.context)
    return out


def training_night(night: DetectedNight) -> TrainingNight:
    """Return the features and the truth of a night."""
    asleep = np.array([stage != "W" for stage in night.stages])
    return TrainingNight(night.composer, night.person, asleep, features_of(night))


def fit(chosen: list[TrainingNight]) -> HistGradientBoostingClassifier:
    """Fit the trees to some nights; every composer weighs the same."""
    x = np.concatenate([f for n in chosen for f in n.features.values()])
    y = np.concatenate([n.asleep for n in chosen for _ in n.features])
    composer = np.concatenate([np.full(len(f), n.composer) for n in chosen
                               for f in n.features.values()])  # fmt: skip
    _, group, rows = np.unique(composer, return_inverse=True, return_counts=True)
    directions = [f.direction for f in FEATURES]
    model = HistGradientBoostingClassifier(
        monotonic_cst=directions, random_state=0, early_stopping=False, **PARAMETERS
    )
    return model.fit(x, y, sample_weight=len(x) / len(rows) / rows[group])


def left_out(data: list[TrainingNight], unfamiliar: bool = True) -> list[LeftOut]:
    """Return the probabilities of each night by a model that knows neither person nor composer.

    Parameters
    ----------
    data : list of TrainingNight
    unfamiliar : bool
        False: the model knows other nights of the composer.
    """
    persons = sorted({n.person for n in data})
    fold = {person: k % FOLDS for k, person in enumerate(persons)}
    out = []
    for composer, k in itertools.product(COMPOSERS, range(FOLDS)):
        unseen = [n for n in data if n.composer == composer and fold[n.person] == k]
        seen = [n for n in data if fold[n.person] != k
                and not (unfamiliar and n.composer == composer)]  # fmt: skip
        model = fit(seen)
        out += [LeftOut(n, events, model.predict_proba(x)[:, 1])
                for n in unseen for events, x in n.features.items()]  # fmt: skip
    return out


def errors_min(found: list[LeftOut], calibration: OnsetCalibration) -> Floats:
    """Return the error of the estimate of each night, min; a night without sleep counts fully."""
    quantiles = [onset_quantiles(f.probability, calibration) for f in found]
    return np.array([q[1] - f.night.onset for q, f in zip(quantiles, found, strict=True)]) / 2


def stretched(found: list[LeftOut], calibration: OnsetCalibration) -> tuple[Floats, float]:
    """Return the factors of the range that hold 90 % of the nights, and its median width, min."""
    floor = MIN_HALF_RANGE_S / EPOCH_S
    marks = np.array([(*onset_quantiles(f.probability, calibration), f.night.onset)
                      for f in found])  # fmt: skip
    low, at, high, truth = marks.T
    halves = np.stack([at - low, high - at]) + floor
    ratios = np.stack([at - truth, truth - at]) / halves
    level = min(1.0, (1 - MISSED) * (1 + 1 / len(marks)))  # conformal: finite sample
    stretch = np.maximum(0.1, np.quantile(ratios, level, axis=1)).round(3)
    return stretch, float(np.median(stretch @ halves) / 2)


def calibrate(found: list[LeftOut]) -> OnsetCalibration:
    """Choose the estimate by its error, then the narrowest range that holds 90 % of the nights."""
    grid = itertools.product(BASE_RATES, SHARES, TEMPERINGS)
    trials = [OnsetCalibration(a, b, c, c, np.ones(2)) for a, b, c in grid]
    composers = [[f for f in found if f.night.composer == c] for c in COMPOSERS]

    def score(trial: OnsetCalibration) -> float:
        errors = [errors_min(group, trial) for group in composers if group]
        return float(np.mean([np.median(np.abs(e)) + (abs(e.mean()) + abs(np.median(e))) / 2
                              for e in errors]))  # fmt: skip

    best = min(trials, key=score)
    ranges = [replace(best, range_tempering=t) for t in RANGE_TEMPERINGS]
    chosen = min(ranges, key=lambda trial: stretched(found, trial)[1])
    return replace(chosen, stretch=stretched(found, chosen)[0])


def figures(found: list[LeftOut], calibration: OnsetCalibration) -> list[dict[str, object]]:
    """Return how well the left-out nights are estimated, for the card."""
    rows = []
    for composer in COMPOSERS:
        chosen = [f for f in found if f.night.composer == composer]
        error = errors_min(chosen, calibration)
        p = np.concatenate([f.probability for f in chosen])
        y = np.concatenate([f.night.asleep for f in chosen])
        rows.append({
            "composer": composer, "nights": len(chosen),
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
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    data = [training_night(n) for n in nights(args.dreem, args.yasa, args.cache)]
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
            {"name": f.name, "unit": f.unit, "meaning": f.meaning, "monotonic": f.direction}
            for f in FEATURES
        ],
        "trained_on": "nights of the composers of benchmarks/sleep_onset, driven by real "
        "hypnograms (DOD-H, DOD-O, YASA's test data)",
        "nights": {c: sum(n.composer == c for n in data) for c in COMPOSERS},
        "calibration": {
            "file": "onset.npz", "base_rate": calibration.base_rate,
            "asleep_share": calibration.asleep_share, "tempering": calibration.tempering,
            "range_tempering": calibration.range_tempering,
            "stretch": calibration.stretch.tolist(),
        },
        "cross_validation": figures(found, calibration),
        "cross_validated_on": "the same nights; composer and person of a night were left out",
        "trained_at_commit": commit(),
        "libraries": {"scikit-learn": version("scikit-learn")},
    }  # fmt: skip
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    (args.out / "sleep.json").write_text(text)
    print(json.dumps([card["calibration"], card["cross_validation"]], indent=1))


if __name__ == "__main__":
    main()
