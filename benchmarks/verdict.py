"""Learns what tells twitches, movements and jerks from all else (detect/verdict_trees.csv).

    python -m benchmarks.verdict --data FOLDER --openhdemg FOLDER [--cache FOLDER]
        [--seeds 11 12 ...]

Composes recordings of the accuracy benchmark's tuning side, takes every candidate
that the verdict would judge, asks the truth what it was, and grows four models of
boosted trees (needs scikit-learn). How well seeds that were left out are told apart
is printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import signal

from benchmarks.accuracy.cache import Source, add_options
from benchmarks.accuracy.nights import Arrays
from benchmarks.accuracy.score import detect
from twitchsense.detect import rules, sequence_rules
from twitchsense.detect.boosted_trees import COLUMNS, LEARNED, Trees, write_trees
from twitchsense.detect.classify import (
    MOVEMENT_FEATURES,
    TWITCH_FEATURES,
    describe_movements,
    describe_twitches,
)
from twitchsense.detect.jerk_model import JERK_FEATURES, describe_jolt
from twitchsense.detect.recurrence import AGAIN_FEATURES, describe_again
from twitchsense.model.candidates import SHORT_KINDS

SCENARIOS = (
    "night", "storm", "storm_twitches", "rest_twitches", "frequent", "brief", "sleep_onset",
    "plm", "fragmentary", "violent", "jerks", "poor_contact", "contacts", "amplifiers", "drift",
    "rate_error", "emg_only", "ladder", "noise",
)  # fmt: skip
FEATURES = {
    "twitch": TWITCH_FEATURES, "again": AGAIN_FEATURES, "movement": MOVEMENT_FEATURES,
    "jerk": JERK_FEATURES,
}  # fmt: skip
#: Features of which more can only speak against a candidate, or for it.
FALLING = (
    "again", "soon", "tall", "tall_soon", "rhythm", "most", "lift", "crowd", "neighbours",
    "log_knock", "net", "pieces", "contact", "minute_bad",
)  # fmt: skip
RISING = (
    "longest", "filled", "log_g", "log_over_beat", "log_burst_uv", "log_burst_s", "odds",
    "kin_sure", "twins_sure", "minute_sure",
)  # fmt: skip
#: Rate at which recordings are looked at a second time.
SLOW_HZ = 500.0
#: Trees: so many, of so many questions on a path, each of so little weight; a path ends
#: with no fewer candidates than this.
GROWN = {"max_iter": 200, "max_depth": 5, "learning_rate": 0.15, "l2_regularization": 5.0}
#: Jerks beside knocks are few: each tree weighs less. The second look has few questions.
GROWN_OTHERWISE = {
    "jerk": {"learning_rate": 0.1},
    "again": {"max_iter": 100, "max_depth": 3, "learning_rate": 0.1},
}
LEAST_LEFT = {"twitch": 30, "again": 50, "movement": 10, "jerk": 10}
#: A knock called a jerk is worse than a jerk called a twitch.
OTHERS_WEIGH = {"jerk": 1.5}
#: Candidates of one cause in one recording, true or not, weigh no more than this many: a
#: unit that fires, or twitches, for minutes is one thing.
MOST_OF_A_KIND = 120
#: Where a true twitch is smaller than this part of the burst, the burst is something else
#: too; a movement must be at least this much of a true one.
OWN_SIZE, OWN_PART = 0.5, 0.3
#: A contact that hisses like muscle is not learned from: it would teach that whatever does not
#: move the leg is no muscle. What hisses higher is told by a rule.
HISS = "hiss"
OUT = Path(__file__).parents[1] / "src" / "twitchsense" / "detect" / LEARNED


def candidates_of(job: tuple[Source, str, int, bool]) -> pd.DataFrame:
    """Return the features of the candidates of one recording, with what they were."""
    source, scenario, seed, slow = job
    arrays, truth = source.compose(scenario, seed)
    if slow:
        if max((fs for _, fs in arrays.values()), default=0.0) < 2 * SLOW_HZ:
            return pd.DataFrame()  # it is slow as it is
        arrays = slowed(arrays)
    truth.attrs = {}  # every selection from it would copy the waveforms in them
    rows: list[dict] = []

    def listen(kind, describe):
        def listening(findings, around):
            """Judge by the truth, so that nothing hangs on the models learned before."""
            members, table = describe(findings, around)
            judged = list(findings)
            for i, features in zip(members, table, strict=True):
                what = WHAT[kind](findings[i], truth) or UNKNOWN
                mine = {"finding": findings[i]} if kind == "twitch" else {}
                rows.append({"kind": kind, "features": features} | mine | what)
                if what["true"] is False:
                    judged[i] = findings[i].rejected("electrode_pop")
            return judged

        return listening

    def listening_to_jolts(burst, seen):
        what = what_jerk(burst, truth) or UNKNOWN
        if what["true"] is None:
            return 0.0
        rows.append({"kind": "jerk", "features": describe_jolt(burst, seen)} | what)
        return float(what["true"])

    kept = sequence_rules.judge_twitches, sequence_rules.judge_movements, rules.judge_jolt
    sequence_rules.judge_twitches = listen("twitch", describe_twitches)
    sequence_rules.judge_movements = listen("movement", describe_movements)
    rules.judge_jolt = listening_to_jolts
    try:
        detect(arrays)
    finally:
        sequence_rules.judge_twitches, sequence_rules.judge_movements, rules.judge_jolt = kept
    return pd.DataFrame(rows).assign(scenario=scenario, seed=seed, slow=slow)


def slowed(arrays: Arrays) -> Arrays:
    """Return a recording as a device of 500 Hz would have made it."""
    found = dict(arrays)
    for name, (x, fs) in arrays.items():
        times = int(fs // SLOW_HZ)
        if name.startswith("emg") and times > 1:
            gap = np.isnan(x)
            y = signal.resample_poly(np.where(gap, 0, x), 1, times).astype(np.float32)
            y[gap[::times][: len(y)]] = np.nan
            found[name] = y, fs / times
    return found


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
    if HISS in cause:
        return None
    if len(real):
        one = real.iloc[0]
        if one.trial_type not in SHORT_KINDS or not one.amplitude_uv >= OWN_SIZE * f.amplitude_uv:
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
    if HISS in cause:
        return None
    large = real & here.trial_type.isin(["movement", "gross_movement", "posture_change"])
    if (large & (shared > OWN_PART * (end - onset))).any():
        return {"true": True, "cause": cause}
    if large.any() or here.tolerated.astype(str).str.contains("movement").any():
        return None
    return {"true": False, "cause": cause}


def what_jerk(f, truth: pd.DataFrame) -> dict | None:
    """Return whether a burst beside a jolt is a jerk, and what lies over it."""
    here = _near(truth, f.onset_ns / 1e9, f.offset_ns / 1e9, 0.05)
    cause = "+".join(sorted(set(here.kind)))
    if (here.trial_type == "jerk").any():
        return {"true": True, "cause": ""}
    large = here.trial_type.isin(["movement", "gross_movement", "posture_change"]).any()
    if large or here.tolerated.astype(str).str.contains("jerk|movement").any():
        return None
    return {"true": False, "cause": cause}


WHAT = {"twitch": what_twitch, "movement": what_movement}
#: What nobody can say: not learned from, but company of others.
UNKNOWN = {"true": None, "cause": ""}


def fit(kind: str, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Trees:
    """Return the model of a kind."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    names = FEATURES[kind]
    grown = HistGradientBoostingClassifier(
        **(GROWN | GROWN_OTHERWISE.get(kind, {})),
        min_samples_leaf=LEAST_LEFT[kind],
        monotonic_cst=[-1 if n in FALLING else 1 if n in RISING else 0 for n in names],
        early_stopping=False,
    ).fit(x, y, sample_weight=weight)
    return taken_over(names, float(grown._baseline_prediction.item()), grown._predictors)


def taken_over(names: Sequence[str], baseline: float, predictors: list) -> Trees:
    """Return scikit-learn's trees as ours; what a node expects is the mean of its leaves."""
    tables = [p.nodes for (p,) in predictors]
    roots = np.cumsum([0, *(len(t) for t in tables)])[:-1]
    odds = [_expected(t) for t in tables]
    odds[0] = odds[0] + baseline
    nodes = np.concatenate(tables)
    start = np.repeat(roots, [len(t) for t in tables])
    leaf = nodes["is_leaf"].astype(bool)
    return Trees(
        tuple(names),
        np.where(leaf, -1, nodes["feature_idx"]).astype(np.int64),
        np.where(leaf, 0.0, nodes["num_threshold"]),  # lies on values: no digit may be lost
        nodes["missing_go_to_left"].astype(bool) & ~leaf,
        np.where(leaf, start, nodes["left"] + start).astype(np.int64),
        np.where(leaf, start, nodes["right"] + start).astype(np.int64),
        np.concatenate(odds).round(4),
        roots.astype(np.int64),
    )


def _expected(nodes: np.ndarray) -> np.ndarray:
    value, count = nodes["value"].astype(float), nodes["count"].astype(float)
    for i in reversed(range(len(nodes))):  # children stand after their parent
        if not nodes["is_leaf"][i]:
            pair = [int(nodes["left"][i]), int(nodes["right"][i])]
            value[i] = np.average(value[pair], weights=count[pair])
    return value


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


def weights(kind: str, table: pd.DataFrame) -> np.ndarray:
    """Return what each candidate counts in learning."""
    many = table.groupby(["scenario", "seed", "slow", "cause", "true"]).true.transform("size")
    weight = np.minimum(1.0, MOST_OF_A_KIND / many.to_numpy(float))
    weight[~table.true.to_numpy(bool)] *= OTHERS_WEIGH.get(kind, 1.0)
    return weight


def learn(kind: str, table: pd.DataFrame) -> tuple[Trees, np.ndarray]:
    """Learn a kind's model; return what it says of seeds that were left out, in turn, too."""
    known = table.true.notna().to_numpy()
    mine = table[known].astype({"true": bool})
    x, y, weight = np.stack(table.features), mine.true.to_numpy(), weights(kind, mine)
    p = np.zeros(len(table))
    fold = table.seed.to_numpy() % 3
    for k in range(3):
        seen = fold[known] != k
        model = fit(kind, x[known][seen], y[seen], weight[seen])
        p[fold == k] = model.probability(model.parts(x[fold == k]))
    report(kind, mine, p[known])
    return fit(kind, x[known], y, weight), p


def seen_again(table: pd.DataFrame, sure: np.ndarray) -> pd.DataFrame:
    """Return what is looked at again, with the features of the second look.

    `sure` is what models said that had not learned from those seeds, as the first look of a
    night nobody has learned from.
    """
    features = np.full(len(table), None, object)
    for _, part in table.groupby(["scenario", "seed", "slow"]):
        rows = part.index.to_numpy()
        hopeful, found = describe_again(list(part.finding), sure[rows])
        for i, row in zip(rows[hopeful], found, strict=True):
            features[i] = row
    return table.assign(features=features).dropna(subset="features").reset_index(drop=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(11, 27)))
    args = parser.parse_args()
    source = Source("tune", args.data, args.openhdemg, args.cache)
    # every other one at half its rate too: clicks and potentials look more alike there
    jobs = [
        (source, s, k, slow)
        for k in args.seeds
        for s in SCENARIOS
        for slow in ((False, True) if k % 2 else (False,))
    ]
    with ProcessPoolExecutor(2) as pool:
        found = pd.concat([t for t in pool.map(candidates_of, jobs) if len(t)], ignore_index=True)
    lines = [",".join(COLUMNS)]
    tables = {k: found[found.kind == k].reset_index(drop=True) for k in FEATURES}
    for kind in FEATURES:
        model, sure = learn(kind, tables[kind])
        lines += write_trees(kind, model)
        if kind == "twitch":
            tables["again"] = seen_again(tables[kind], sure)
    OUT.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
