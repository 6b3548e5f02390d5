"""How well the detector does on recordings composed by others.

    TWITCHSENSE_DATA=FOLDER python -m benchmarks.blind [--kits kit_a ...] [--seeds 1 2]
        [--figures FILE.json] [--before FILE.json] [--page docs/accuracy-blind.md]

FOLDER holds the real recordings that two kits are made from. `--figures` keeps the figures of a
detector; `--before` names those of an earlier one, which the page shows beside.
"""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.accuracy.score import Score
from benchmarks.blind.examine import KITS, examine, kit
from benchmarks.blind.figures import by_rate_and_size, figures
from benchmarks.blind.page import page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kits", nargs="+", default=list(KITS), choices=KITS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--figures", type=Path, help="keep the figures here")
    parser.add_argument("--before", type=Path, help="figures of an earlier detector")
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # two processes share the machine
    jobs = [
        (name, family, seed)
        for name in args.kits
        for seed in args.seeds
        for family in kit(name).FAMILIES
    ]
    scores = {name: Score() for name in args.kits}
    with ProcessPoolExecutor(2) as pool:
        for (name, _, _), part in zip(jobs, pool.map(examine, jobs), strict=True):
            scores[name] += part
    found: dict[str, Any] = {name: figures(score) for name, score in scores.items()}
    found["hours"] = {name: sum(score.hours.values()) for name, score in scores.items()}
    found["seeds"] = args.seeds
    if args.figures:
        args.figures.write_text(json.dumps(found, indent=1) + "\n")
    before = json.loads(args.before.read_text()) if args.before else None
    text = page(found, before, {name: by_rate_and_size(score) for name, score in scores.items()})
    print(text)
    if args.page:
        args.page.write_text(text)


if __name__ == "__main__":
    main()
