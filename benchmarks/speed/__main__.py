"""Measure speed and memory, and write docs/speed.md: see README.md.

python -m benchmarks.speed [--quick] [--only PART ...] [--peers PYTHON]
"""

from __future__ import annotations

import argparse
from importlib import metadata
from pathlib import Path

from benchmarks.speed.measurements import NAMES, QUICK, Sizes, run
from benchmarks.speed.page import write

ROOT = Path(__file__).parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, for a trial run")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=list(NAMES), metavar="PART",
                        help=f"of {', '.join(NAMES)}; other parts keep their values")  # fmt: skip
    parser.add_argument(
        "--peers", type=Path, metavar="PYTHON", help="interpreter with the other packages"
    )
    parser.add_argument("--history", type=Path, default=ROOT / "benchmarks" / "history",
                        help="folder of the measurements, one file per release")  # fmt: skip
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "speed.md")
    args = parser.parse_args()
    if args.peers is not None and not args.peers.exists():
        parser.error(f"{args.peers} does not exist: see the README for how to make it")
    if args.quick and (args.history, args.page) == (parser.get_default("history"),
                                                    parser.get_default("page")):  # fmt: skip
        parser.error("--quick results must not replace the figures: give --history and --page")
    path = args.history / f"{metadata.version('twitchsense')}.json"
    run(path, args.only, QUICK if args.quick else Sizes(), args.peers)
    (args.page.parent / "figures").mkdir(parents=True, exist_ok=True)
    write(args.history, args.page)


if __name__ == "__main__":
    main()
