"""What limits the figures of the kits: the candidates, their features, or our decisions.

    TWITCHSENSE_DATA=FOLDER python -m benchmarks.blind.bounds [--kits ...] [--cache FOLDER]

writes `bounds.json`, from which `python -m benchmarks.blind` makes its table. Every candidate of
the detector, accepted or rejected, is described by all that the detector knows of it and by the
family it comes from. Gradient-boosted trees learn each kind inside the kit, from other minutes of
the very same recordings, so they know the family, the person, the artefacts and the amplifier. What
they miss, these features do not separate; targets without a candidate were missed by the search.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.accuracy.nights import Arrays
from benchmarks.accuracy.score import KINDS, NEAR_S
from benchmarks.blind import goals
from benchmarks.blind.examine import KITS, Job, kit
from benchmarks.blind.figures import CLASSES
from twitchsense.detect.features.waveform import WAVEFORM_FEATURES
from twitchsense.detect.leg_detector import LegDetector
from twitchsense.detect.rules.burst_grouping import CONTRACTION_FEATURES
from twitchsense.detect.rules.classify import Classifier
from twitchsense.detect.rules.feature_tables import (
    BURST_FEATURES,
    MOVEMENT_FEATURES,
    NightContext,
    burst_features,
    movement_features,
)
from twitchsense.detect.rules.sequence_rules import apply_night_rules
from twitchsense.model.candidates import ScoredCandidate, event_tables
from twitchsense.model.event_table import REJECT_REASONS, TRIAL_TYPES
from twitchsense.model.recording import Recording
from twitchsense.scoring.labels.label_events import absorb_in_large_movements
from twitchsense.settings import Settings

STORED = Path(__file__).with_name("bounds.json")
#: Minutes of a recording go to the folds in turn.
FOLDS = 3
#: An onset this near is the target's, s; an activity that overlaps by half too.
TOLERANCE_S = {"twitch": 0.1, "jerk": 0.1, "movement": 0.5}
#: A candidate this many times as long as the target, and longer than 1 s, is of something else.
LONGER = 3.0
JOIN_S = 0.05
PARAMETERS = {"max_iter": 120, "max_leaf_nodes": 15, "learning_rate": 0.1, "l2_regularization": 5.0}
Floats = NDArray[np.float64]


class Part(NamedTuple):
    """Candidates of one recording, its targets, and what the detector made of them."""

    candidates: pd.DataFrame
    features: Floats
    targets: pd.DataFrame
    truth: pd.DataFrame
    false: dict[str, int]
    hours: float


def describe(job: Job) -> Part:
    """Return the candidates of a recording with their features, and the detector's score."""
    arrays, truth = job.compose()
    found, context = _found(arrays)
    events, rejected = absorb_in_large_movements(*event_tables(found))
    score = job.score(events, arrays, truth, rejected)
    own = score.events
    false = {k: int(((own.trial_type == k) & (own.verdict == "false")).sum()) for k in KINDS}
    rows = pd.DataFrame({
        "onset": [c.onset_ns / 1e9 for c in found], "end": [c.offset_ns / 1e9 for c in found],
        "family": job.family, "seed": job.seed,
    })  # fmt: skip
    truth.attrs = {}
    return Part(rows, _features(found, context), score.targets, truth, false,
                sum(score.hours.values()))  # fmt: skip


def _found(arrays: Arrays) -> tuple[list[ScoredCandidate], NightContext]:
    recording = Recording.from_arrays(arrays)
    classifier = Classifier()
    leg = LegDetector("", recording.channels, Settings(), classifier)
    for chunk in recording.chunks():
        leg.push(chunk)
    candidates, context, _ = leg.close()
    return apply_night_rules(candidates, context, Settings(), classifier), context


def _features(found: list[ScoredCandidate], context: NightContext) -> Floats:
    """Return all that is known of each candidate; NaN where it has no such measure."""
    onset = np.array([c.onset_ns / 1e9 for c in found])
    own = np.array([
        ([*TRIAL_TYPES].index(c.kind), [*REJECT_REASONS].index(c.reason) if c.reason else -1,
         c.duration_s, c.amplitude_uv, c.peak_g, c.jerk_g_s, c.rise_ms, c.snr_db, c.confidence)
        for c in found
    ], float).reshape(-1, 9)  # fmt: skip
    before = np.diff(onset, prepend=-np.inf)
    near = [np.searchsorted(onset, onset + s) - np.searchsorted(onset, onset - s) for s in (1, 15)]
    around = np.column_stack([before, np.append(before[1:], np.inf)[: len(found)], *near])
    bursts = np.full((len(found), len(BURST_FEATURES)), np.nan)
    contractions = np.full((len(found), len(MOVEMENT_FEATURES)), np.nan)
    length = [len(c.features) if c.features is not None and c.reason != "ecg" else 0
              for c in found]  # fmt: skip
    short = [i for i, n in enumerate(length) if n == len(WAVEFORM_FEATURES)]
    whole = [i for i, n in enumerate(length) if n == len(CONTRACTION_FEATURES)]
    bursts[short] = burst_features(found, short, context)
    contractions[whole] = movement_features(found, whole, context)
    table = np.hstack([own, around, bursts, contractions])
    return np.where(np.isinf(table), np.nan, table)


# -- truth --------------------------------------------------------------------------------


def labels(part: Part, kind: str) -> tuple[NDArray[np.int8], list[NDArray[np.intp]]]:
    """Return whether each candidate is of a kind, and the candidates of each needed target.

    1 is yes, 0 no, and -1 neither: at targets that nobody need find, and where the truth tolerates
    the kind.
    """
    c = part.candidates
    first, last = c.onset.to_numpy(), c.end.to_numpy()
    label = np.zeros(len(c), np.int8)
    for row in part.truth.itertuples():
        if kind not in row.tolerated.split():
            continue
        shared = np.minimum(last, row.onset + row.duration + NEAR_S) - np.maximum(
            first, row.onset - NEAR_S
        )
        label[shared >= 0.5 * (last - first)] = -1
    of_target = []
    rows = part.targets[part.targets.trial_type == kind]
    needed = rows.needed.astype(bool)
    for row in [*rows[~needed].itertuples(), *rows[needed].itertuples()]:
        shared = np.minimum(last, row.onset + row.duration) - np.maximum(first, row.onset)
        near = np.abs(first - row.onset) <= TOLERANCE_S[kind]
        near |= shared >= 0.5 * np.minimum(last - first, row.duration)
        near &= last - first <= max(LONGER * row.duration, 1.0)
        label[near] = 1 if row.needed else -1
        if row.needed:
            of_target.append(np.flatnonzero(near))
    return label, of_target


def clusters(first: Floats, last: Floats) -> NDArray[np.intp]:
    """Return a number for each group of candidates that overlap: together they are one alarm."""
    order = np.argsort(first, kind="stable")
    ends = np.maximum.accumulate(last[order]) if len(order) else last
    new = np.concatenate([[False], first[order][1:] > ends[:-1] + JOIN_S]) if len(order) else order
    out = np.empty(len(first), np.intp)
    out[order] = np.cumsum(new)
    return out


# -- a kit --------------------------------------------------------------------------------


def bound(parts: list[Part]) -> dict[str, Any]:
    """Return the figures of a kit: detector and classifier, by class."""
    out: dict[str, Any] = {"hours": sum(p.hours for p in parts)}
    for kind in KINDS:
        p, alarms, targets = _classified(parts, kind)
        own_false = sum(part.false[kind] for part in parts)
        out[f"{kind}: false"] = own_false
        for name, (of, which) in CLASSES.items():
            if of != kind or name not in goals.WANTED:
                continue
            precision = goals.WANTED[name].precision
            rows = which(targets)
            rows = np.ones(len(targets), bool) if np.isscalar(rows) else np.asarray(rows, bool)
            out[name] = {
                "n": int(rows.sum()),
                "no_candidate": int((p[rows] < 0).sum()),
                "detector": int(targets.hit[rows].sum()),
                "same_false": int((p[rows] >= threshold_for(p, alarms, most=own_false)).sum()),
                "at_precision": int(
                    (p[rows] >= threshold_for(p, alarms, precision=precision)).sum()
                ),
            }
    return out


def _classified(parts: list[Part], kind: str) -> tuple[Floats, Floats, pd.DataFrame]:
    """Return the probabilities of the out-of-fold models.

    They are the greatest at each target (-1: no candidate) and that of each alarm that would be
    false; the targets are returned with them.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    of = [labels(part, kind) for part in parts]
    y = np.concatenate([label for label, _ in of])
    families = pd.concat([part.candidates.family for part in parts]).astype("category")
    x = np.column_stack([families.cat.codes, np.concatenate([part.features for part in parts])])
    fold = np.concatenate([part.candidates.onset // 60 % FOLDS for part in parts])
    p = np.zeros(len(y))
    for k in range(FOLDS):
        seen, here = (fold != k) & (y >= 0), fold == k
        if here.any() and len(np.unique(y[seen])) == 2:
            known = ~np.isnan(x[seen]).all(axis=0)
            model = HistGradientBoostingClassifier(
                **PARAMETERS, categorical_features=[0], early_stopping=False, random_state=0
            ).fit(x[seen][:, known], y[seen])
            p[here] = model.predict_proba(x[here][:, known])[:, 1]
    best, alarms, targets, start = [], [], [], 0
    for part, (label, of_target) in zip(parts, of, strict=True):
        mine = p[start : start + len(label)]
        start += len(label)
        best += [mine[rows].max() if len(rows) else -1.0 for rows in of_target]
        false = label == 0
        c = part.candidates[false]
        group = clusters(c.onset.to_numpy(), c.end.to_numpy())
        if len(group):
            alarms.append(pd.Series(mine[false]).groupby(group).max().to_numpy())
        rows = part.targets[(part.targets.trial_type == kind) & part.targets.needed.astype(bool)]
        targets.append(rows)
    return np.array(best), np.concatenate(alarms), pd.concat(targets, ignore_index=True)


def threshold_for(
    p: Floats, alarms: Floats, most: int = 0, precision: float | None = None
) -> float:
    """Return the least threshold with at most so many false alarms, or with that precision."""
    for limit in np.unique(np.concatenate([p[p >= 0], alarms])):
        false, hits = int((alarms >= limit).sum()), int((p >= limit).sum())
        if false <= most if precision is None else hits >= precision * (hits + false):
            return float(limit)
    return np.inf


def section(stored: Mapping[str, Any]) -> list[str]:
    """Return the section of the page: a table for each goal."""
    kits = stored["kits"]
    total = {name: {key: sum(of[name][key] for of in kits.values())
             for key in next(iter(kits.values()))[name]} for name in goals.WANTED}  # fmt: skip
    out = [
        "## What limits them", "",
        "*No candidate*: targets that the search did not find at all. *Classifier*: gradient "
        "boosting on every candidate of the kit, with all its features and the family given, that "
        "learned from other minutes of the same recordings; its sensitivity with as many false "
        "alarms as the detector, and at the precision wanted. What it does not reach, these "
        "features do not separate, even for somebody who knows the recording. Made by `python -m "
        f"benchmarks.blind.bounds` at commit {stored['commit']}, seed {stored['seed']}.", "",
    ]  # fmt: skip
    for name, (goal, precision, _) in goals.WANTED.items():
        out += [f"**{name[0].upper()}{name[1:]}**: wanted {goal}, at a precision of {precision}.",
                "", "| | targets | no candidate | detector | classifier, as many false alarms "
                f"| classifier, precision {precision} |", "|---|---|---|---|---|---|"]  # fmt: skip
        for kit_name, row in [*((k, of[name]) for k, of in kits.items()), ("all", total[name])]:
            n = row["n"] or 1
            cells = [f"{row[key] / n:.3f}" for key in
                     ("no_candidate", "detector", "same_false", "at_precision")]  # fmt: skip
            out.append(f"| {kit_name} | {row['n']} | {' | '.join(cells)} |")
        out.append("")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kits", nargs="+", default=list(KITS), choices=KITS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="where composed recordings are kept")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=STORED)
    args = parser.parse_args()
    command = ["git", "rev-parse", "--short=8", "HEAD"]
    commit = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    found = {}
    with ProcessPoolExecutor(args.processes) as pool:
        for name in args.kits:
            jobs = [Job(name, family, args.seed, args.cache) for family in kit(name).FAMILIES]
            found[name] = bound(list(pool.map(describe, jobs)))
            stored = {"commit": commit, "seed": args.seed, "kits": found}
            args.out.write_text(json.dumps(stored, indent=1) + "\n")
            print(name, flush=True)


if __name__ == "__main__":
    main()
