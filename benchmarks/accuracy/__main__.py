"""How well the detector does on recordings composed from real parts.

    python -m benchmarks.accuracy --data FOLDER --openhdemg FOLDER [--cache FOLDER]
        [--split test] [--seeds 3 4] [--scenarios ...] [--compare [PYTHON]]
        [--rows FOLDER] [--page docs/accuracy.md]

Prints the tables. With `--cache`, recordings are composed once and kept, so that a run costs
only analysis and scoring. `--compare` also runs other detectors and a matched filter on shorter
recordings; with the PYTHON of an environment that has them, NeuroKit2, BioSPPy and psgscoring too
(the README says how to make it). `--rows` saves every target and event with its verdict.
`--page` writes the page and its figures; `python -m benchmarks.accuracy.page` does so again from
saved rows.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd

from benchmarks.accuracy import worst_first
from benchmarks.accuracy.bound import find_known
from benchmarks.accuracy.cache import Source, add_options
from benchmarks.accuracy.nights import SCENARIOS
from benchmarks.accuracy.page import tables, write
from benchmarks.accuracy.peers import find_peers
from benchmarks.accuracy.results import MATCHED, OURS, Place, Results
from benchmarks.accuracy.score import Score, detect, score
from benchmarks.accuracy.sections import COMPARED, OTHERS, POOLED
from benchmarks.accuracy.tally import false_alarms, misses

#: Length of the recordings on which others are tried: some of them are slow.
COMPARED_MINUTES = 10.0


def run(job: tuple[Source, str, int]) -> dict[Place, Score]:
    """Compose, detect and score one recording."""
    source, scenario, seed = job
    arrays, truth = source.compose(scenario, seed, 0.0)
    events, rejected, _ = detect(arrays)
    found = score(events, truth, rejected)
    origin = worst_first.origin(truth.attrs["noise_source"], truth.attrs["device"])
    return {Place(OURS, scenario, seed, 0.0): found.named(**origin)}


def compare(job: tuple[Source, str, int, Path | None]) -> dict[Place, Score]:
    """Score everyone on one shorter recording."""
    source, scenario, seed, python = job
    arrays, truth = source.compose(scenario, seed, COMPARED_MINUTES)
    events, rejected, _ = detect(arrays)
    found = {OURS: score(events, truth, rejected), MATCHED: find_known(arrays, truth)}
    found |= {who: score(e, truth) for who, e in find_peers(arrays, python).items()}
    return {Place(who, scenario, seed, COMPARED_MINUTES): s for who, s in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    parser.add_argument("--split", choices=("tune", "test"), default="test")
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 4])
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=[*POOLED, *OTHERS])
    parser.add_argument("--compare", type=Path, nargs="?", const=Path(), metavar="PYTHON",
                        help="run others too; PYTHON of their environment")  # fmt: skip
    parser.add_argument("--rows", type=Path, help="save targets and events here")
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    source = Source(args.split, args.data, args.openhdemg, args.cache)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # two processes share the machine
    results = Results({"split": args.split, "seeds": args.seeds})
    with ProcessPoolExecutor(2) as pool:
        for part in pool.map(run, [(source, s, k) for s in args.scenarios for k in args.seeds]):
            results.scores |= part
        if args.compare is not None:
            python = args.compare if args.compare.name else None
            if python is None:
                print("No PYTHON given: NeuroKit2, BioSPPy and psgscoring are left out.")
            elif not python.exists():
                parser.error(f"{python} is not there: the README says how to make it")
            # One seed: the packages take nine minutes of processor time for an hour.
            jobs = [(source, s, args.seeds[0], python) for s in COMPARED]
            for part in pool.map(compare, jobs):
                results.scores |= part
    print(tables(results))
    if args.rows:
        results.save(args.rows)
        ours = {p: s for p, s in results.scores.items() if p.who == OURS and not p.minutes}
        for name, rows in (("false_alarms", false_alarms), ("misses", misses)):
            parts = [rows(s).assign(**p._asdict()) for p, s in ours.items()]
            parts = [t for t in parts if len(t)] or parts[:1]
            pd.concat(parts, ignore_index=True).to_csv(args.rows / f"{name}.csv", index=False)
    if args.page:
        write(results, args.page, source)


if __name__ == "__main__":
    main()
