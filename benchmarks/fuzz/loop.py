"""The loop of the fuzz runs: damage an input, read it, and count what came of it.

An input must be read or refused with one line (`InputError`, exit status 2): no other exception,
no process that ends, at most `MAX_BYTES` beyond the memory of the libraries, at most `MAX_S`, and
no file left behind. Each corpus gives its whole inputs, its damage and its reader.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import gc
import json
import multiprocessing
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any, Final

from twitchsense.errors import InputError, MissingExtraError

#: Limits of an input: memory beyond that of the libraries (bytes), time (s).
MAX_BYTES, MAX_S = 10**9, 60
#: Inputs that one process reads; a process that ends loses no more than these.
_PER_PROCESS: Final = 500
_FAILURES_KEPT: Final = 20

#: Data to damage and generator of random numbers to damaged data.
Damage = Callable[[bytes, random.Random], bytes]


class TooSlowError(BaseException):
    """An input that took longer than `MAX_S`; no reader catches it."""


@dataclass(frozen=True)
class Corpus:
    """Inputs of one kind.

    Attributes
    ----------
    name : str
    whole : callable
        Folder to undamaged inputs: by name, the file to damage (relative to the folder) and
        its content. Other files that belong to an input stay in the folder.
    damage : callable
    read : callable
        Reads a damaged file: name of the input, its path, generator of random numbers.
    weight : float
        Share of the inputs, relative to the other corpora.
    """

    name: str
    whole: Callable[[Path], dict[str, tuple[str, bytes]]]
    damage: Damage
    read: Callable[[str, Path, random.Random], object]
    weight: float = 1.0


@dataclass
class Outcomes:
    """What came of the inputs.

    Attributes
    ----------
    counts : Counter of str
        ``NAME: read`` and ``NAME: refused``.
    failures : list of str
        Inputs that ended otherwise.
    slowest_s : float
    peak_mb : float
        Largest memory of a process.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    peak_mb: float = 0.0

    def add(self, other: Outcomes) -> None:
        """Add the outcomes of other inputs."""
        self.counts += other.counts
        self.failures += other.failures
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.peak_mb = max(self.peak_mb, other.peak_mb)

    def total(self, ending: str) -> int:
        """Return the number of inputs that were ``read`` or ``refused``."""
        return sum(n for name, n in self.counts.items() if name.endswith(f": {ending}"))


def run(corpus: Corpus, count: int, seed: int, folder: Path) -> Outcomes:
    """Damage and read inputs in this process.

    Parameters
    ----------
    corpus : Corpus
    count, seed : int
    folder : Path
        Empty folder for the inputs.

    Returns
    -------
    Outcomes
    """
    rng = random.Random(seed)
    whole = corpus.whole(folder)
    names = list(whole)
    outcomes = Outcomes()
    before = _files(folder) | {file for file, _ in whole.values()}
    for k in range(count):
        name = names[k % len(names)]
        file, data = whole[name]
        path = folder / file
        path.write_bytes(corpus.damage(data, rng))
        began = time.monotonic()
        try:
            with _time_limit(MAX_S), warnings.catch_warnings():
                warnings.simplefilter("error")
                corpus.read(name, path, rng)
            outcomes.counts[f"{name}: read"] += 1
        except (InputError, MissingExtraError) as error:
            outcomes.counts[f"{name}: refused"] += 1
            if "\n" in str(error):
                outcomes.failures.append(f"{name} {k}: more than one line: {error}")
        except (Exception, TooSlowError):
            kept = Path.cwd() / f"failed-{corpus.name}-{seed}-{k}-{path.name}"
            kept.write_bytes(path.read_bytes())
            outcomes.failures.append(f"{name}, kept as {kept}: {traceback.format_exc(limit=-3)}")
        outcomes.slowest_s = max(outcomes.slowest_s, time.monotonic() - began)
        path.write_bytes(data)
        if k % 50 == 49 or k == count - 1:
            gc.collect()  # samples of a recording are in temporary files until it is deleted
            left = _files(folder) - before
            if left:
                outcomes.failures.append(f"{name} {k}: left behind {sorted(left)[:3]}")
                before |= left
    outcomes.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return outcomes


def run_limited(corpus: Corpus, count: int, seed: int) -> Outcomes:
    """Damage and read inputs in processes with limited memory.

    Parameters
    ----------
    corpus : Corpus
    count, seed : int

    Returns
    -------
    Outcomes
        A process that ends, by a signal or for want of time, is a failure.
    """
    context = multiprocessing.get_context("fork")
    outcomes = Outcomes()
    for first in range(0, count, _PER_PROCESS):
        ours, theirs = context.Pipe(duplex=False)
        with tempfile.TemporaryDirectory() as folder:
            arguments = (
                corpus,
                min(_PER_PROCESS, count - first),
                seed * 1000 + first,
                folder,
                theirs,
            )
            process = context.Process(target=_limited, args=arguments)
            process.start()
            theirs.close()
            try:
                outcomes.add(ours.recv())
            except EOFError:
                process.join()
                where = f"{corpus.name}, seed {seed * 1000 + first}"
                outcomes.failures.append(f"{where}: the process ended ({process.exitcode})")
            process.join()
    return outcomes


def _limited(
    corpus: Corpus, count: int, seed: int, folder: str, pipe: Connection[Any, Any]
) -> None:
    first, inputs = Path(folder) / "first", Path(folder) / "inputs"
    for place in (first, inputs):
        place.mkdir()
    tempfile.tempdir = str(inputs)
    for name, (file, data) in corpus.whole(first).items():  # imports the libraries
        (first / file).write_bytes(data)
        with contextlib.suppress(InputError):
            corpus.read(name, first / file, random.Random(seed))
    status = Path("/proc/self/statm").read_text().split()
    used = int(status[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + MAX_BYTES, used + MAX_BYTES))
    pipe.send(run(corpus, count, seed, inputs))
    pipe.close()


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def stop(signum: int, frame: FrameType | None) -> None:
        raise TooSlowError(f"over {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    # for code that does not return to the interpreter, where no signal handler runs
    faulthandler.dump_traceback_later(2 * seconds, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


def change_bytes(
    data: bytes, rng: random.Random, pieces: Sequence[bytes], most: int, head: int
) -> bytes:
    """Return a copy with changes: bytes replaced, removed, repeated or moved, or the end cut.

    Parameters
    ----------
    data : bytes
    rng : Random
    pieces : sequence of bytes
        Hostile texts that replace bytes.
    most : int
        Maximum number of changes.
    head : int
        Size of the beginning that half of the changes are made in.

    Returns
    -------
    bytes
    """
    out = bytearray(data)
    for _ in range(rng.randint(1, most)):
        size = len(out) if rng.random() < 0.5 else min(len(out), head)
        at, length = rng.randrange(size + 1), rng.randint(1, 8)
        match rng.randrange(11):
            case 0 | 1:
                del out[at : at + length]
            case 2 | 3:
                out[at : at + length] = rng.randbytes(length)
            case 4 | 5:
                out[at:at] = out[max(0, at - 50 * length) : at]
            case 6:
                del out[at:]
            case 7 | 8:
                other = rng.randrange(len(out) + 1)
                out[at : at + length] = out[other : other + length]
            case _:
                piece = rng.choice(pieces)
                out[at : at + len(piece)] = piece
    return bytes(out)


def main(corpora: Sequence[Corpus], description: str | None) -> None:
    """Run the fuzz run of some corpora from the command line, and print a table.

    Parameters
    ----------
    corpora : sequence of Corpus
        They share the inputs.
    description : str or None
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--count", type=int, default=10_000, help="Number of inputs.")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    failures: list[str] = []
    table = {}
    open_count, open_weight = options.count, sum(c.weight for c in corpora)
    for corpus in corpora:
        count = round(open_count * corpus.weight / open_weight)
        open_count, open_weight = open_count - count, open_weight - corpus.weight
        found = run_limited(corpus, count, options.seed)
        table[corpus.name] = {
            "inputs": count,
            "read": found.total("read"),
            "refused": found.total("refused"),
            "failed": len(found.failures),
            "slowest_s": round(found.slowest_s, 2),
            "peak_mb": round(found.peak_mb),
        }
        print(json.dumps({corpus.name: table[corpus.name]}), flush=True)
        failures += found.failures
    for failure in failures[:_FAILURES_KEPT]:
        print(failure)
    print(f"{options.count} inputs, {len(failures)} failures, {time.monotonic() - began:.0f} s")
    raise SystemExit(1 if failures else 0)
