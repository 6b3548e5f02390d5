"""How well the detector does on recordings composed by others.

    TWITCHSENSE_DATA=FOLDER python -m benchmarks.blind [--kits kit_a ...] [--seeds 1 2]
        [--figures FILE.json] [--before FILE.json] [--page docs/accuracy-blind.md] [--cache FOLDER]

FOLDER holds the real recordings that two kits are made from. `--figures` keeps the figures of a
detector; `--before` names those of an earlier one, which the page shows beside. With `--cache`,
recordings are composed once and kept (a gigabyte for 25 h). The page also shows what other programs
find (`benchmarks.blind.others`) and what limits the figures (`benchmarks.blind.bounds`); both are
kept in files, because they take long.
"""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.accuracy.score import KINDS, Score, detect
from benchmarks.accuracy.tally import false_of_any_kind
from benchmarks.blind import gallery, others, reliability
from benchmarks.blind.examine import KITS, Job, kit
from benchmarks.blind.figures import by_rate_and_size, figures
from benchmarks.blind.page import page


class Examined(NamedTuple):
    """A recording: its score, our counts in its middle, and whether it holds no target."""

    score: Score
    middle: others.Counts
    empty: bool


def examine(job: Job) -> Examined:
    """Run the detector on one recording and score it."""
    arrays, truth = job.compose()
    events, rejected, _ = detect(arrays)
    score = job.score(events, arrays, truth, rejected)
    middle = others.ours(job, arrays, truth) if job.seed == others.SEED else {}
    return Examined(score, middle, not truth.trial_type.isin(KINDS).any())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kits", nargs="+", default=list(KITS), choices=KITS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--figures", type=Path, help="keep the figures here")
    parser.add_argument("--before", type=Path, help="figures of an earlier detector")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--cache", type=Path, help="where composed recordings are kept")
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # two processes share the machine
    jobs = [
        Job(name, family, seed, args.cache)
        for name in args.kits
        for seed in args.seeds
        for family in kit(name).FAMILIES
    ]
    with ProcessPoolExecutor(args.processes) as pool:
        done = list(zip(jobs, pool.map(examine, jobs), strict=True))
    of_kit = {name: [part for job, part in done if job.kit == name] for name in args.kits}
    scores = {name: sum((p.score for p in parts), Score()) for name, parts in of_kit.items()}
    found: dict[str, Any] = {name: figures(score) for name, score in scores.items()}
    found["hours"] = {name: sum(score.hours.values()) for name, score in scores.items()}
    found["seeds"] = args.seeds
    found["reliability"] = {name: reliability.table(score) for name, score in scores.items()}
    found["empty"] = {
        name: {"false": sum(false_of_any_kind(p.score) for p in parts if p.empty),
               "hours": sum(sum(p.score.hours.values()) for p in parts if p.empty)}
        for name, parts in of_kit.items()
    }  # fmt: skip
    found["middle"] = {name: others.add(p.middle for p in parts) for name, parts in of_kit.items()}
    if args.figures:
        args.figures.write_text(json.dumps(found, indent=1) + "\n")
    before = json.loads(args.before.read_text()) if args.before else None
    parts = {name: by_rate_and_size(score) for name, score in scores.items()}
    text = page(found, before, parts, pictures=args.page is not None)
    print(text)
    if args.page:
        args.page.write_text(text)
        pictures = args.page.parent / "figures"
        reliability.draw(found["reliability"], pictures / reliability.FIGURE)
        gallery.draw(sum(scores.values(), Score()), args.cache, pictures)


if __name__ == "__main__":
    main()
