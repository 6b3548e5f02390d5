"""Runs every command with a full disk and with signals; what it leaves must be whole or nothing.

``python -m benchmarks.faults``: the disk full at every multiple of 64 kB of the output, SIGTERM
and SIGINT at 50 instants each, spread evenly over the processor time of the run, and one of them
at every operation on a file of the output. ``--short`` takes a few instants of the quick
commands. The exit status is 1 if any part was left.

The disk is a small file system in memory, if this user may mount one (``unshare -rm``);
otherwise no single file may grow beyond the size.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.faults.commands import COMMANDS, Command, write_inputs
from benchmarks.faults.injection import (
    OWN_DISK,
    STDOUT,
    Fault,
    Outcome,
    can_mount,
    list_files,
    run_with_fault,
)

_STEP_BYTES = 64 * 1024
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Run the campaign; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few instants of each command")
    parser.add_argument("--only", default="", help="commands whose name contains this")
    parser.add_argument("--instants", type=int, default=50)
    options = parser.parse_args()
    if not os.environ.get(OWN_DISK) and not options.short and can_mount():
        os.environ[OWN_DISK] = "1"
        os.execvp(
            "unshare", ["unshare", "-rm", sys.executable, "-m", "benchmarks.faults", *sys.argv[1:]]
        )
    # a shell lets what it starts in the background ignore SIGINT
    signal.signal(signal.SIGINT, signal.default_int_handler)
    failures = 0
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        inputs = Path(folder).resolve() / "inputs"
        inputs.mkdir()
        write_inputs(inputs, short=options.short)
        print("| command | runs | whole | none | parts | exit statuses | slowest, s |")
        print("|---|---|---|---|---|---|---|", flush=True)
        for command in COMMANDS:
            if options.only in command.name and (command.short or not options.short):
                failures += _try(command, inputs, options.instants, short=options.short)
    return 1 if failures else 0


def _try(command: Command, inputs: Path, instants: int, *, short: bool) -> int:
    """Run a command with all faults; print its row, and return the number of failures."""
    place = inputs.parent / "run"
    start_s = time.monotonic()
    good = run_with_fault(command, inputs, place, Fault())
    before = _files_before(command, inputs)
    found: Counter[str] = Counter()
    statuses: Counter[int] = Counter()
    slowest_s = 0.0
    for fault in _faults(good, instants, short=short):
        outcome = run_with_fault(command, inputs, place, fault)
        verdict = judge(command, outcome, before, good.files)
        found[verdict] += 1
        statuses[outcome.status] += 1
        slowest_s = max(slowest_s, outcome.took_s)
        if verdict == "parts" or "Traceback" in outcome.message or outcome.status == 1:
            print(f"{command.name}: {fault}: {verdict}, exit {outcome.status}", file=sys.stderr)
            print("  not as before:", _difference(outcome.files, before), file=sys.stderr)
            print("  not as after:", _difference(outcome.files, good.files), file=sys.stderr)
            print("  " + outcome.message[-2000:].replace("\n", "\n  "), file=sys.stderr)
    listed = ", ".join(f"{status}: {n}" for status, n in sorted(statuses.items()))
    row = (found.total(), found["whole"], found["none"], found["parts"], listed)
    print(f"| {command.name} | {' | '.join(map(str, row))} | {slowest_s:.1f} |", flush=True)
    print(f"{command.name}: {time.monotonic() - start_s:.0f} s", file=sys.stderr)
    return found["parts"] + statuses[1]


def _faults(good: Outcome, instants: int, *, short: bool) -> Iterator[Fault]:
    if short:
        yield Fault(free_bytes=good.largest // 2)
        yield Fault(signal.SIGTERM, at_file_event=max(1, good.n_events // 2))
        yield Fault(signal.SIGINT, at_file_event=max(1, good.n_events - 2))
        return
    for n_bytes in range(0, good.n_bytes + _STEP_BYTES, _STEP_BYTES):
        yield Fault(free_bytes=n_bytes)
    for number in _SIGNALS:
        for k in range(instants):
            yield Fault(number, after_cpu_s=good.cpu_s * (k + 0.5) / instants)
    for k in range(1, good.n_events + 1):
        yield Fault(_SIGNALS[k % 2], at_file_event=k)


def _files_before(command: Command, inputs: Path) -> dict[str, str]:
    if not command.old:
        return {}
    return {"out/": "", **{f"out/{k}": v for k, v in list_files(inputs / command.old).items()}}


def judge(command: Command, outcome: Outcome, before: dict[str, str], after: dict[str, str]) -> str:
    """Return whether a run left the ``whole`` output, ``none`` of it, or ``parts``."""
    verdicts = set()
    names = {*outcome.files, *before, *after} - {STDOUT}
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(command.whole_parts(name), []).append(name)
    for group in groups.values():
        left = {n: _content(command, outcome.files, n) for n in group}
        if left == {n: _content(command, after, n) for n in group}:
            verdicts.add("whole")
        elif left == {n: _content(command, before, n) for n in group}:
            verdicts.add("none")
        else:
            return "parts"
    if outcome.files.get(STDOUT) != after[STDOUT]:
        # a pipe or a redirected file cannot be taken back: the exit status tells
        if outcome.status == 0:
            return "parts"
        verdicts.add("none")
    return "none" if "none" in verdicts else "whole"


def _content(command: Command, files: dict[str, str], name: str) -> str | None:
    if name in files and name.endswith(command.varies):
        return "any"
    return files.get(name)


def _difference(left: dict[str, str], before: dict[str, str]) -> list[str]:
    return sorted(name for name in {*left, *before} if left.get(name) != before.get(name))


if __name__ == "__main__":
    sys.exit(main())
