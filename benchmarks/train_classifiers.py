"""Train the classifiers of the detector (src/twitchsense/detect/models).

    python -m benchmarks.train_classifiers --data FOLDER --openhdemg FOLDER [--cache FOLDER]
        [--slow] [--out FOLDER]

Composes recordings of the tuning side of the accuracy benchmark, runs the detector with a
classifier that answers by the truth and records the features of every candidate, and trains four
models of gradient-boosted trees with scikit-learn. Each model is written with a card: features,
seeds, versions, and how well the seeds of a left-out fold are classified.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import signal

from benchmarks.accuracy.cache import Source, add_options
from benchmarks.accuracy.nights import Arrays
from twitchsense.detect.boosted_trees import BoostedTrees
from twitchsense.detect.classify import DECISION_THRESHOLD, Classifier
from twitchsense.detect.features import FEATURES
from twitchsense.detect.features.recurrence import RECURRENCE_FEATURES, recurrence_features
from twitchsense.detect.features.tables import (
    BURST_FEATURES,
    JERK_FEATURES,
    MOVEMENT_FEATURES,
    NightContext,
    burst_features,
    jerk_features,
    movement_features,
)
from twitchsense.detect.jerk_rule import BurstTrain
from twitchsense.detect.leg_detector import LegDetector
from twitchsense.detect.sensor_queries import AccResponse
from twitchsense.detect.sequence_rules import apply_night_rules
from twitchsense.model.candidates import SHORT_KINDS, Burst, ScoredCandidate
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

SCENARIOS = (
    "night", "storm", "storm_twitches", "rest_twitches", "frequent", "brief", "sleep_onset",
    "plm", "fragmentary", "violent", "jerks", "poor_contact", "contacts", "amplifiers", "drift",
    "rate_error", "emg_only", "ladder", "noise", "wide_twitches", "wide_jerks", "wide_movements",
    "wide_storm", "wide_storm_twitches", "wide_active",
)  # fmt: skip
#: Seeds of each scenario: four of all, more of what is rare or varied.
SEEDS = dict.fromkeys(SCENARIOS, range(11, 15)) | {
    name: range(11, 35) if name.startswith("wide") else range(11, 23)
    for name in SCENARIOS
    if name.startswith("wide")
    or name in ("storm", "storm_twitches", "jerks", "violent", "drift", "contacts", "poor_contact",
                "amplifiers", "brief", "emg_only", "night")
}  # fmt: skip
#: Columns of each model, in the order in which the models are trained.
COLUMNS = {
    "burst": BURST_FEATURES, "recurrence": RECURRENCE_FEATURES, "movement": MOVEMENT_FEATURES,
    "jerk": JERK_FEATURES,
}  # fmt: skip
PURPOSES = {
    "burst": "muscle activity rather than an artefact, a heart beat or a train: first stage",
    "recurrence": "the same for twitches, given how often their waveform returns: second stage",
    "movement": "a contraction rather than noise, an artefact or a train",
    "jerk": "a burst that moved the leg rather than a bump beside a small burst",
}
#: Features of which a larger value may only lower the probability, ...
FALLING = (
    "n_repeats", "n_repeats_near", "n_large_windows", "n_large_windows_near", "rhythmicity",
    "rel_p75", "log_p75_over_p10", "n_bursts", "n_bursts_near", "bursts_per_s", "mains_share",
    "mean_mains_share", "log_n_minute_other",
)  # fmt: skip
#: ... or may only raise it.
RISING = (
    "longest_burst_share", "active_share", "log_ecg_residual_ratio", "log_peak_g_clipped",
    "first_stage_log_odds", "similar_probability", "identical_probability", "minute_muscle_share",
)  # fmt: skip
#: Acceleration beside a burst speaks for a bump, during a contraction for a movement.
LOWER_IN = {"burst": ("log_peak_g",)}
HIGHER_IN = {"movement": ("log_peak_g",)}
#: Sampling rates at which recordings are examined a second time, Hz; the rate of each follows from
#: its seed.
SLOW_HZ = (500.0, 250.0)
#: The same for the models of slow devices.
FRONT_END_HZ = (500.0, 250.0, 200.0)
#: Models of slow devices: too few jerks lie beside bumps.
OF_SLOW = ("burst", "recurrence", "movement")
#: Share of the recordings of slow devices with a filter of the amplifier below that of the
#: converter, and its corner as a share of the rate: front ends of 200 and 250 Hz pass 60 to 110 Hz.
SOFT_SHARE = 0.6
SOFT_CORNER = (0.24, 0.45)
#: Parameters of scikit-learn's HistGradientBoostingClassifier.
PARAMETERS = {"max_iter": 200, "max_depth": 5, "learning_rate": 0.15, "l2_regularization": 5.0}
#: Jerks beside bumps are few, so each tree weighs less; the second stage has few features. Smaller
#: models lose nothing on left-out seeds, but jerks on the test side
#: (docs/adr/0014-one-classifier.md).
PARAMETERS_OF = {
    "jerk": {"learning_rate": 0.1},
    "recurrence": {"max_iter": 100, "max_depth": 3, "learning_rate": 0.1},
}
MIN_SAMPLES_LEAF = {"burst": 30, "recurrence": 50, "movement": 10, "jerk": 10}
#: Weight of negative samples. Contractions, jerks and movements are far more frequent in sleep than
#: what resembles them here, so in doubt the definition decides; for short potentials both errors
#: weigh nearly alike.
NEGATIVE_WEIGHT = {"burst": 0.8, "jerk": 0.5, "movement": 0.3}
#: The same for bursts longer than a twitch, s.
LONG_BURST_S = 0.165
LONG_BURST_WEIGHT = 0.3
#: Candidates of one cause in one recording weigh no more than this many: a unit that fires, or
#: twitches, for minutes is one thing.
MAX_OF_A_CAUSE = 120
#: A burst is a true twitch only if the twitch has at least this fraction of its amplitude.
MIN_AMPLITUDE_SHARE = 0.5
#: A contraction is a true movement only if this fraction of it is.
MIN_OVERLAP = 0.3
#: A train of bursts is a true jerk only if it exceeds the jerk by at most this, s.
JERK_MARGIN_S = 0.08
#: Electrode noise as broad as muscle is not learned from: it would teach that whatever does not
#: move the leg is no muscle. Noise of higher frequency is rejected by a rule.
NOT_LEARNED = "hiss"
FOLDS = 3
OUT = Path(__file__).parents[1] / "src" / "twitchsense" / "detect" / "models"

#: What is not known is not learned from, but surrounds other candidates.
UNKNOWN = {"true": None, "cause": ""}


@dataclass
class TruthClassifier(Classifier):
    """Answers by the truth, so that nothing depends on earlier models, and records features.

    Attributes
    ----------
    truth : DataFrame
    rows : list of dict
        One per candidate: model, features, truth and cause.
    """

    truth: pd.DataFrame
    rows: list[dict] = field(default_factory=list)

    def jerk(self, train: BurstTrain, response: AccResponse) -> float:
        """Answer whether bursts moved the leg."""
        known = jerk_truth(train.whole, self.truth) or UNKNOWN
        if known["true"] is None:
            return 0.0
        features = jerk_features(train, response)
        self.rows.append({"model": "jerk", "features": features} | known)
        return float(known["true"])

    def movements(
        self, candidates: Sequence[ScoredCandidate], rows: Sequence[int], context: NightContext
    ) -> tuple[np.ndarray, list[str]]:
        """Answer whether contractions are movements."""
        table = movement_features(candidates, rows, context)
        known = [movement_truth(candidates[i], self.truth) or UNKNOWN for i in rows]
        for features, k in zip(table, known, strict=True):
            self.rows.append({"model": "movement", "features": features} | k)
        return self._answer([candidates[i] for i in rows], known)

    def bursts(
        self, candidates: Sequence[ScoredCandidate], rows: Sequence[int], context: NightContext
    ) -> tuple[np.ndarray, list[str]]:
        """Answer whether bursts are muscle activity."""
        table = burst_features(candidates, rows, context)
        known = [burst_truth(candidates[i], self.truth) or UNKNOWN for i in rows]
        for i, features, k in zip(rows, table, known, strict=True):
            own = {"model": "burst", "features": features, "candidate": candidates[i]}
            self.rows.append(own | k)
        return self._answer([candidates[i] for i in rows], known)

    @staticmethod
    def _answer(
        candidates: Sequence[ScoredCandidate], known: Sequence[dict]
    ) -> tuple[np.ndarray, list[str]]:
        """Reject what is false; everything else stays as the rules left it."""
        kept = [
            k["true"] is not False and not c.reason for c, k in zip(candidates, known, strict=True)
        ]
        return np.array(kept, float), ["electrode_pop"] * len(kept)


def candidates_of(job: tuple[Source, str, int, str]) -> pd.DataFrame:
    """Return the features and the truth of the candidates of one recording."""
    source, scenario, seed, slow = job
    arrays, truth = source.compose(scenario, seed)
    if slow:
        front_end = slow == "front end"
        rates = FRONT_END_HZ if front_end else SLOW_HZ
        to = rates[seed // 2 % len(rates)]
        if max((fs for _, fs in arrays.values()), default=0.0) < 2 * to:
            return pd.DataFrame()  # it is slow as it is
        rng = np.random.default_rng([seed, zlib.crc32(scenario.encode())])
        arrays = decimate(arrays, to, rng if front_end else None)
    truth.attrs = {}  # every selection from it would copy the waveforms in them
    classifier = TruthClassifier(truth)
    recording = Recording.from_arrays(arrays)
    detector = LegDetector("", recording.channels, Settings(), classifier)
    for chunk in recording.chunks():
        detector.push(chunk)
    found, context, _ = detector.close()
    apply_night_rules(found, context, Settings(), classifier)
    return pd.DataFrame(classifier.rows).assign(scenario=scenario, seed=seed, slow=slow)


def decimate(arrays: Arrays, to: float, rng: np.random.Generator | None) -> Arrays:
    """Return a recording as a slower device would have made it, with the filter drawn by `rng`."""
    found = dict(arrays)
    soft, order, corner_hz = False, 0, 0.0
    if rng is not None:
        soft = rng.random() < SOFT_SHARE
        order, corner_hz = int(rng.integers(1, 4)), to * float(rng.uniform(*SOFT_CORNER))
    for name, (x, fs) in arrays.items():
        factor = int(fs // to)
        if name.startswith("emg") and factor > 1:
            gap = np.isnan(x)
            y = np.where(gap, 0, x)
            if soft:
                y = signal.sosfilt(signal.butter(order, corner_hz, fs=fs, output="sos"), y)
            y = signal.resample_poly(y, 1, factor).astype(np.float32)
            y[gap[::factor][: len(y)]] = np.nan
            found[name] = y, fs / factor
    return found


# -- truth --------------------------------------------------------------------------------


def _near(truth: pd.DataFrame, onset: float, end: float, margin: float) -> pd.DataFrame:
    return truth[(truth.onset < end + margin) & (truth.onset + truth.duration > onset - margin)]


def burst_truth(c: ScoredCandidate, truth: pd.DataFrame) -> dict | None:
    """Return whether a burst is muscle activity, and its cause; None if that is not known."""
    onset, end = c.onset_ns / 1e9, c.offset_ns / 1e9
    here = _near(truth, onset, end, 0.02)
    real = here[here.trial_type != "artifact"]
    over = _near(truth, onset, end, 0.05)
    over = over[over.trial_type == "artifact"]
    cause = "+".join(sorted(set(over.kind)))
    if NOT_LEARNED in cause:
        return None
    if len(real):
        one = real.iloc[0]
        large = one.amplitude_uv >= MIN_AMPLITUDE_SHARE * c.amplitude_uv
        return {"true": True, "cause": cause} if one.trial_type in SHORT_KINDS and large else None
    if over.tolerated.astype(str).str.contains("twitch|movement|brief").any():
        return None
    return {"true": False, "cause": cause}


def movement_truth(c: ScoredCandidate, truth: pd.DataFrame) -> dict | None:
    """Return the same for a contraction."""
    onset, end = c.onset_ns / 1e9, c.offset_ns / 1e9
    here = _near(truth, onset, end, 0.0)
    shared = np.minimum(here.onset + here.duration, end) - np.maximum(here.onset, onset)
    real = here.trial_type != "artifact"
    cause = "+".join(sorted(set(here.kind[~real])))
    if NOT_LEARNED in cause:
        return None
    large = real & here.trial_type.isin(["movement", "gross_movement", "posture_change"])
    if (large & (shared > MIN_OVERLAP * (end - onset))).any():
        return {"true": True, "cause": cause}
    if large.any() or here.tolerated.astype(str).str.contains("movement").any():
        return None
    return {"true": False, "cause": cause}


def jerk_truth(whole: Burst, truth: pd.DataFrame) -> dict | None:
    """Return whether bursts beside a movement are a jerk or part of one, and their cause."""
    onset, end = whole.onset_ns / 1e9, whole.offset_ns / 1e9
    here = _near(truth, onset, end, 0.05)
    cause = "+".join(sorted(set(here.kind)))
    jerks = here[here.trial_type == "jerk"]
    if len(jerks):
        first, last = jerks.onset.min(), (jerks.onset + jerks.duration).max()
        alike = onset > first - JERK_MARGIN_S and end < last + JERK_MARGIN_S
        return {"true": True, "cause": ""} if alike else None
    steps = here.kind.eq("walking").any()
    if here.tolerated.astype(str).str.contains("jerk").any() and not steps:
        return None
    return {"true": False, "cause": cause}


# -- training -----------------------------------------------------------------------------


def directions(name: str) -> list[int]:
    """Return the monotonic constraint of each feature of a model."""
    falling, rising = (*FALLING, *LOWER_IN.get(name, ())), (*RISING, *HIGHER_IN.get(name, ()))
    return [-1 if n in falling else 1 if n in rising else 0 for n in COLUMNS[name]]


def fit(name: str, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> BoostedTrees:
    """Train a model."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    trained = HistGradientBoostingClassifier(
        **(PARAMETERS | PARAMETERS_OF.get(name, {})),
        min_samples_leaf=MIN_SAMPLES_LEAF[name],
        monotonic_cst=directions(name),
        early_stopping=False,
    ).fit(x, y, sample_weight=weight)
    return convert(COLUMNS[name], trained)


def convert(names: Sequence[str], trained: HistGradientBoostingClassifier) -> BoostedTrees:
    """Convert scikit-learn's trees; a node expects the mean of its leaves."""
    tables = [p.nodes for (p,) in trained._predictors]
    roots = np.cumsum([0, *(len(t) for t in tables)])[:-1]
    expected = [_expected(t) for t in tables]
    expected[0] = expected[0] + float(trained._baseline_prediction.item())
    nodes = np.concatenate(tables)
    start = np.repeat(roots, [len(t) for t in tables])
    leaf = nodes["is_leaf"].astype(bool)
    return BoostedTrees(
        tuple(names),
        np.where(leaf, -1, nodes["feature_idx"]).astype(np.int64),
        np.where(leaf, 0.0, nodes["num_threshold"]),  # lies on values: no digit may be lost
        nodes["missing_go_to_left"].astype(bool) & ~leaf,
        np.where(leaf, start, nodes["left"] + start).astype(np.int64),
        np.where(leaf, start, nodes["right"] + start).astype(np.int64),
        np.concatenate(expected).round(4),
        roots.astype(np.int64),
    )


def _expected(nodes: np.ndarray) -> np.ndarray:
    value, count = nodes["value"].astype(float), nodes["count"].astype(float)
    for i in reversed(range(len(nodes))):  # children stand after their parent
        if not nodes["is_leaf"][i]:
            pair = [int(nodes["left"][i]), int(nodes["right"][i])]
            value[i] = np.average(value[pair], weights=count[pair])
    return value


def weights(name: str, table: pd.DataFrame) -> np.ndarray:
    """Return the weight of each candidate in training."""
    many = table.groupby(["scenario", "seed", "slow", "cause", "true"]).true.transform("size")
    weight = np.minimum(1.0, MAX_OF_A_CAUSE / many.to_numpy(float))
    false = ~table.true.to_numpy(bool)
    factor = np.full(len(table), NEGATIVE_WEIGHT.get(name, 1.0))
    if name == "burst":
        column = BURST_FEATURES.index("log_duration_3ms")
        length = np.exp(np.stack(table.features)[:, column]) - 0.003
        factor[length > LONG_BURST_S] = LONG_BURST_WEIGHT
    weight[false] *= factor[false]
    return weight


def train(name: str, table: pd.DataFrame) -> tuple[BoostedTrees, np.ndarray, list[dict]]:
    """Train a model; return it, its answers on left-out seeds, and how good these are."""
    known = table.true.notna().to_numpy()
    mine = table[known].astype({"true": bool})
    x, y, weight = np.stack(table.features), mine.true.to_numpy(), weights(name, mine)
    p = np.zeros(len(table))
    fold = table.seed.to_numpy() % FOLDS
    for k in range(FOLDS):
        seen = fold[known] != k
        model = fit(name, x[known][seen], y[seen], weight[seen])
        p[fold == k] = model.probability(model.contributions(x[fold == k]))
    return fit(name, x[known], y, weight), p, cross_validation(mine, p[known])


def cross_validation(table: pd.DataFrame, p: np.ndarray) -> list[dict]:
    """Return how many candidates of left-out seeds are accepted, by group of scenarios."""
    alone = ["storm", "storm_twitches", "ladder"]
    groups = table.scenario.where(table.scenario.isin(alone), "nights")
    rows = []
    for name in sorted(set(groups)):
        mine = (groups == name).to_numpy()
        y, accepted = table.true.to_numpy(bool)[mine], p[mine] >= DECISION_THRESHOLD
        rows.append({
            "scenarios": name, "true": int(y.sum()), "true_accepted": int(accepted[y].sum()),
            "false": int((~y).sum()), "false_accepted": int(accepted[~y].sum()),
        })  # fmt: skip
    return rows


def second_stage(table: pd.DataFrame, p: np.ndarray) -> pd.DataFrame:
    """Return the candidates of the second stage with its features.

    `p` is what models said that had not seen those seeds, as the first stage of a new night.
    """
    features = np.full(len(table), None, object)
    for _, part in table.groupby(["scenario", "seed", "slow"]):
        rows = part.index.to_numpy()
        described, found = recurrence_features(list(part.candidate), p[rows])
        for i, row in zip(rows[described], found, strict=True):
            features[i] = row
    return table.assign(features=features).dropna(subset="features").reset_index(drop=True)


def write(out: Path, name: str, model: BoostedTrees, folds: list[dict], suffix: str) -> None:
    """Write a model and its card."""
    path = out / f"{name}{suffix}.npz"
    with path.open("wb") as file:
        model.save(file)
    card = {
        "model": name + suffix,
        "estimates": PURPOSES[name],
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "trees": len(model.roots),
        "nodes": len(model.feature),
        "parameters": PARAMETERS | PARAMETERS_OF.get(name, {})
        | {"min_samples_leaf": MIN_SAMPLES_LEAF[name]},
        "decision_threshold": DECISION_THRESHOLD,
        "features": [
            {"name": n, "unit": FEATURES[n].unit, "meaning": FEATURES[n].meaning, "monotonic": d}
            for n, d in zip(COLUMNS[name], directions(name), strict=True)
        ],
        "trained_on": "recordings composed by benchmarks/accuracy, tuning side",
        "seeds": {scenario: f"{r.start}-{r.stop - 1}" for scenario, r in SEEDS.items()},
        "trained_at_commit": commit(),
        "libraries": {n: version(n) for n in ("numpy", "scipy", "scikit-learn")},
        "cross_validated_on": f"{FOLDS} folds by seed",
        "cross_validation": folds,
    }  # fmt: skip
    text = json.dumps(card, indent=1, ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")


def commit() -> str:
    """Return the commit of the working tree."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    parser.add_argument("--slow", action="store_true", help="train the models of slow devices")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    source = Source("tune", args.data, args.openhdemg, args.cache)
    # every other one at a lower rate too: clicks and potentials look more alike there
    lower = "front end" if args.slow else "decimated"
    jobs = [
        (source, s, k, slow)
        for s in SCENARIOS
        for k in SEEDS[s]
        for slow in (("", lower) if k % 2 and (args.slow or not s.startswith("wide")) else ("",))
    ]
    with ProcessPoolExecutor(2) as pool:
        found = pd.concat([t for t in pool.map(candidates_of, jobs) if len(t)], ignore_index=True)
    args.out.mkdir(parents=True, exist_ok=True)
    tables = {k: found[found.model == k].reset_index(drop=True) for k in COLUMNS}
    for name in COLUMNS:
        model, p, folds = train(name, tables[name])
        if name in OF_SLOW or not args.slow:
            write(args.out, name, model, folds, "_slow" if args.slow else "")
        print(pd.DataFrame(folds).assign(model=name).to_string(index=False))
        if name == "burst":
            tables["recurrence"] = second_stage(tables[name], p)


if __name__ == "__main__":
    main()
