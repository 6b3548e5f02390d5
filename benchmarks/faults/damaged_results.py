"""Gives every command that takes results a folder of results with one damaged file.

``python -m benchmarks.faults.damaged_results``: each file of the folder is removed, emptied, cut,
exchanged with another, made a folder, a pipe or a loop, and its bytes or values are changed. Each
command must end with status 0 or 2, within 60 s of processor time and 1 GB, without a traceback,
with one line that names a file if it refuses, and leave no new file then. The report is damaged
for the first command only: no other reads it. The exit status is 1 if a case failed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.faults.odd_paths import import_all, names_below, run_limited, write_good
from benchmarks.fuzz.documents import HOSTILE

#: Command lines; "results" is the folder that is damaged.
COMMANDS = (
    "report results",
    "export results --to annot --out new",
    "agree results/events.csv truth.csv --indices results",
    "score-limb results/events.csv",
    "trend results --out new",
    "export results --to nsrr --out new",
    "export results --to mne --out new",
    "export emg.csv --to bids --out new --events results",
    "report results --for-visit",
    "report results --compare results-b",
    "report results-b --compare results",
)


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _one_byte(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _piece(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    piece = rng.choice(HOSTILE)
    return data[:at] + piece + data[at + len(piece) :]


def _moved(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[at:] + data[:at]


#: Changes of the bytes of a file.
CHANGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "empty": lambda data, rng: b"",
    "cut": _cut,
    "one byte": _one_byte,
    "hostile text": _piece,
    "hostile text again": _piece,
    "moved": _moved,
    "twice": lambda data, rng: data + data,
    "zeros": lambda data, rng: bytes(len(data)),
    "noise": lambda data, rng: rng.randbytes(len(data)),
    "first line only": lambda data, rng: data.split(b"\n", 1)[0],
    "without first line": lambda data, rng: data.partition(b"\n")[2],
    "UTF-16": lambda data, rng: data.decode("latin-1").encode("utf-16"),
    "carriage returns": lambda data, rng: data.replace(b"\n", b"\r"),
    "other numbers": lambda data, rng: data.replace(b"1", b"-1e999"),
    "null": lambda data, rng: b"null",
    "list": lambda data, rng: b"[]",
    "deep": lambda data, rng: b"[" * 100_000,
    "quotes": lambda data, rng: b'"' * 100_001,
}


def _remove(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _zero(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _hole(path: Path) -> None:
    os.truncate(path, 3 << 30)


#: What a file may become.
BECOMES: dict[str, Callable[[Path], None]] = {
    "removed": _remove,
    "folder": _folder,
    "pipe": _pipe,
    "loop of links": _loop,
    "/dev/zero": _zero,
    "hole of 3 GB": _hole,
}


def damage(folder: Path, file: str, kind: str, rng: random.Random) -> None:
    """Damage a file of a folder of results; ``kind`` is of `CHANGES` or `BECOMES`."""
    path = folder / file
    if kind in BECOMES:
        BECOMES[kind](path)
    else:
        path.write_bytes(CHANGES[kind](path.read_bytes(), rng))


def _without_checksums(folder: Path) -> None:
    """Make the results those of an earlier version, whose files have no checksums."""
    from twitchsense.scoring.result_checksums import KEY

    path = folder / "summary.json"
    summary = json.loads(path.read_text())
    summary.pop(KEY, None)
    path.write_text(json.dumps(summary))


def main() -> int:
    """Run all cases; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--earlier", action="store_true", help="results without checksums")
    options = parser.parse_args()
    statuses: Counter[int] = Counter()
    n_bad, slowest_s = 0, 0.0
    with tempfile.TemporaryDirectory(prefix="results-") as name:
        folder = Path(name)
        good, work = folder / "good", folder / "work"
        good.mkdir()
        write_good(good)
        if options.earlier:
            _without_checksums(good / "results")
        import_all(good, folder / "warm")
        files = sorted(p.name for p in (good / "results").iterdir())
        for text in COMMANDS:
            print(f"{statuses.total()} cases before {text}", file=sys.stderr, flush=True)
            for file in files:
                for kind in (*CHANGES, *BECOMES):
                    case = f"{text} | {file}: {kind}"
                    unread = file == "report.html" and text != COMMANDS[0]
                    if unread or options.only not in case:
                        continue
                    work.mkdir()
                    for part in ("results", "results-b"):
                        shutil.copytree(good / part, work / part)
                    damage(work / "results", file, kind, random.Random(f"{case} {options.seed}"))
                    words = [str(good / w) if w.endswith(".csv") and "/" not in w else w
                             for w in text.split()]  # fmt: skip
                    before = names_below(work)
                    ended = run_limited(words, work)
                    new = names_below(work) - before
                    statuses[ended.status] += 1
                    slowest_s = max(slowest_s, ended.took_s)
                    shutil.rmtree(work)
                    problem = ended.problem(new)
                    if problem:
                        n_bad += 1
                        print(f"{case}: {problem}")
                        print("    " + ended.message.strip()[-600:].replace("\n", "\n    "))
                        sys.stdout.flush()
    print(f"{statuses.total()} cases, exit statuses {dict(statuses)}, slowest {slowest_s:.1f} s")
    return 1 if n_bad else 0


if __name__ == "__main__":
    sys.exit(main())
