"""Gives every option that takes a path what is no usual file or folder.

``python -m benchmarks.faults.odd_paths``: pipes, devices, sockets, folders, loops of links, links
to nothing, empty and sparse files, noise, names that are too long or hold control characters.
Each command must end with status 0 or 2, within 60 s of processor time and 1 GB, without a
traceback, and leave no new file unless it succeeds. The exit status is 1 if one did not.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.faults.commands import run, write_inputs
from tests.nightfile.builders import write_night
from twitchsense.cli.app import main as command_line

#: Limits of a command: processor time, and time by the clock on a busy computer (s).
_CPU_S, _TIMEOUT_S = 60, 600
_MEMORY = 1 << 30

#: Command lines with good inputs; a word with a path gives the name of the option before it.
COMMANDS = (
    "analyze emg.csv --out new",
    "analyze emg.csv --out new --hypnogram stages.csv --respiratory breaths.csv --no-report "
    "--settings settings.toml",
    "analyze a.night --out new --no-report",
    "report results",
    "report results --compare results-b",
    "report results --for-visit",
    "trend nights --out new --diary diary.csv --exposure alcohol_g",
    "cohort list.csv --out new --workers 1 --settings settings.toml",
    "demo --out new --minutes 1",
    "decode log.csv --device twitchsense --out new",
    "export emg.csv --to csv --out new",
    "export emg.csv --to edf --out new --events results/events.csv",
    "export emg.csv --to bids --out new --events results",
    "export results --to annot --out new",
    "export a.night --to parquet --out new",
    "repair a.night --out new",
    "repair a.night --out new --like b.night",
    "agree results/events.csv truth.csv",
    "agree results/events.csv truth.csv --indices results --hypnogram stages.csv",
    "score-limb movements.csv --hypnogram stages.csv --respiratory breaths.csv",
    "live a.night",
    "devices --log log.csv",
    "record --device sim --out new.night --duration 2",
    "record --device sim --raw raw.csv --duration 2 --out new.night",
)


def write_good(folder: Path) -> None:
    """Write good inputs of all commands."""
    write_inputs(folder)
    for name in ("emg.csv", "truth.csv"):
        shutil.copy(folder / "capture" / name, folder / name)
    rows = "".join(f"{30 * k},{'N2' if k % 7 else 'W'}\n" for k in range(4))
    (folder / "stages.csv").write_text("onset,stage\n" + rows)
    (folder / "breaths.csv").write_text("onset,duration,event\n5,12,apnea\n")
    (folder / "settings.toml").write_text("[twitch]\nmin_duration_ms = 10\n")
    (folder / "diary.csv").write_text("night,alcohol_g\n2026-03-01,10\n2026-03-02,0\n")
    for name in ("a.night", "b.night"):
        write_night(folder / name, 20)


def odd_things(place: Path) -> Iterator[tuple[str, str]]:
    """Make odd files in a folder, and yield the kind and the path of each."""
    os.mkfifo(place / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place / "s.csv"))
    (place / "folder.csv").mkdir()
    (place / "loop.csv").symlink_to(place / "loop.csv")
    (place / "dangling.csv").symlink_to(place / "missing" / "x")
    (place / "zero.csv").symlink_to("/dev/zero")
    (place / "null.csv").symlink_to("/dev/null")
    (place / "full.csv").symlink_to("/dev/full")
    (place / "empty.csv").touch()
    (place / "nul.csv").write_bytes(bytes(100_000))
    (place / "noise.csv").write_bytes(os.urandom(100_000))
    (place / "words.csv").write_text("a letter to nobody\n" * 100)
    with (place / "sparse.csv").open("wb") as sparse:
        sparse.truncate(3 << 30)
    (place / "self").symlink_to(".")
    names = (
        "pipe.csv", "s.csv", "folder.csv", "loop.csv", "dangling.csv", "zero.csv", "null.csv",
        "full.csv", "empty.csv", "nul.csv", "noise.csv", "words.csv", "sparse.csv",
    )  # fmt: skip
    yield from ((name.partition(".")[0], str(place / name)) for name in names)
    yield "below a file", str(place / "words.csv" / "x.csv")
    yield "name too long", str(place / ("x" * 300))
    yield "path too long", str(place / "/".join(["self"] * 2000) / "x.csv")
    yield "control characters", str(place / "a\nb\x1b[2J.csv")
    yield "no UTF-8", os.fsdecode(bytes(place) + b"/\xff\xfe.csv")
    yield "empty name", ""
    yield "minus", "-"
    yield "read-only system", "/proc/twitchsense/x.csv"
    yield "memory of the process", "/proc/self/mem"
    yield "wild card", str(place / "*.csv")


def cases(good: Path, place: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the name, the kind, and the arguments of each case."""
    odd = list(odd_things(place))
    for text in COMMANDS:
        words = [str(good / w) if (good / w).exists() else w for w in text.split()]
        for number, word in enumerate(words):
            is_output = word in ("new", "new.night", "raw.csv")
            if not is_output and not word.startswith(str(good)):
                continue
            for kind, path in odd:
                yield text, f"{Path(word).name}: {kind}", [
                    *words[:number], path, *words[number + 1 :]
                ]  # fmt: skip


def main() -> int:
    """Run all cases; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    options = parser.parse_args()
    statuses: Counter[int] = Counter()
    n_bad, slowest_s = 0, 0.0
    with tempfile.TemporaryDirectory(prefix="odd-", dir="/tmp") as name:
        folder = Path(name)
        good, place, work = folder / "good", folder / "o", folder / "work"
        for path in (good, place):
            path.mkdir()
        write_good(good)
        import_all(good, folder / "warm")
        for text, kind, arguments in cases(good, place):
            if options.only not in f"{text} {kind}":
                continue
            work.mkdir()
            before = names_below(folder)
            ended = run_limited(arguments, work)
            new = names_below(folder) - before
            statuses[ended.status] += 1
            slowest_s = max(slowest_s, ended.took_s)
            problem = ended.problem(new)
            if problem:
                n_bad += 1
                print(f"{text} | {kind}: {problem}")
                print("    " + ended.message.strip()[-600:].replace("\n", "\n    "), flush=True)
            shutil.rmtree(work)
            for left in new:
                if (folder / left).is_file():
                    (folder / left).unlink()
    print(f"{statuses.total()} cases, exit statuses {dict(statuses)}, slowest {slowest_s:.1f} s")
    return 1 if n_bad else 0


def import_all(good: Path, warm: Path) -> None:
    """Import what the commands import, before processes are forked."""
    run(["analyze", str(good / "emg.csv"), "--out", str(warm), "-q"])
    for name in command_line.list_commands(click.Context(command_line)):
        command_line.get_command(click.Context(command_line), name)


def names_below(folder: Path) -> set[str]:
    """Return the paths of all files and folders below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@dataclass(frozen=True)
class Ended:
    """How a command ended: status (negative: signal), messages, processor time."""

    status: int
    message: str
    took_s: float

    def problem(self, new: set[str]) -> str:
        """Return what is wrong with the end of a command that left new files; "" if nothing."""
        wrong = self.status not in (0, 2) or "Traceback" in self.message
        silent = self.status == 2 and not self.message.strip()
        if wrong or silent or (self.status and new) or self.took_s > _CPU_S:
            return f"exit {self.status}, {self.took_s:.1f} s, left {sorted(new)[:3]}"
        return ""


def run_limited(arguments: list[str], work: Path) -> Ended:
    """Run a command in a forked process, with limits of memory and time."""
    with tempfile.TemporaryFile("w+", errors="replace") as messages:
        pid = os.fork()
        if pid == 0:
            status = 99
            try:
                os.setpgid(0, 0)
                os.chdir(work)
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                os.dup2(messages.fileno(), 2)
                used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
                resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, used + _MEMORY))
                signal.alarm(_TIMEOUT_S)
                try:
                    command_line.main(arguments)
                    status = 0
                except SystemExit as ended:
                    status = ended.code if isinstance(ended.code, int) else 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        _, status, used = os.wait4(pid, 0)
        messages.seek(0)
        took_s = used.ru_utime + used.ru_stime
        return Ended(os.waitstatus_to_exitcode(status), messages.read(), took_s)


if __name__ == "__main__":
    sys.exit(main())
