"""Runs a command in a forked process, with a full disk or a signal at a chosen instant."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.faults.commands import Command
from twitchsense import output_files
from twitchsense.cli.app import main

#: Variable of the environment that says that this process may mount file systems.
OWN_DISK = "FAULTS_OWN_DISK"
#: Operations on files at which a signal can be sent.
_FILE_EVENTS = frozenset(
    ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "tempfile.mkdtemp", "os.scandir")
)
#: Exit status of a run that could not begin.
_FAILED_TO_START = 99
#: Standard output and error of a command, in its working folder.
STDOUT, STDERR = "stdout", "stderr"


@dataclass(frozen=True)
class Fault:
    """A fault and its instant.

    Attributes
    ----------
    signal : int
        0 for none.
    after_cpu_s : float
        Processor time that the command has used when the signal is sent: the same instant of the
        run on an idle computer and on a busy one.
    at_file_event : int
        Number of the operation on an output file at which the signal is sent, from 1; 0: by
        `after_cpu_s`.
    free_bytes : int or None
        Space on the disk.
    """

    signal: int = 0
    after_cpu_s: float = 0.0
    at_file_event: int = 0
    free_bytes: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What a run left behind.

    Attributes
    ----------
    status : int
        Exit status; negative: killed by this signal.
    files : dict
        Name and hash of each file of the working folder; folders end in a slash.
    took_s : float
    cpu_s : float
        Processor time, worker processes included.
    n_events : int
        Operations on output files.
    n_bytes, largest : int
        Size of all files, and of the largest.
    message : str
        Standard error.
    """

    status: int
    files: dict[str, str]
    took_s: float
    cpu_s: float
    n_events: int
    n_bytes: int
    largest: int
    message: str


def run_with_fault(command: Command, inputs: Path, place: Path, fault: Fault) -> Outcome:
    """Run a command with a fault in the folder `place`, which must not exist."""
    place.mkdir()
    own_disk = fault.free_bytes is not None and OWN_DISK in os.environ
    if own_disk:
        _mount(place)
    try:
        work = place / "work"
        work.mkdir()
        if command.old:
            shutil.copytree(inputs / command.old, work / "out")
        if own_disk:
            _leave_free(place, fault.free_bytes or 0)
        (place.parent / f"{place.name}.{STDERR}").touch()
        start_s = time.monotonic()
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read_end)
            _be_the_command(command, inputs, place, fault, write_end, own_disk=own_disk)
        os.close(write_end)
        with suppress(OSError):  # whichever of the two processes comes first
            os.setpgid(pid, pid)
        if fault.signal and not fault.at_file_event:
            _wait_until_used(pid, fault.after_cpu_s)
            with suppress(ProcessLookupError):
                # Ctrl-C reaches all processes of the terminal
                (os.killpg if fault.signal == signal.SIGINT else os.kill)(pid, fault.signal)
        with os.fdopen(read_end) as pipe:
            n_events = int(pipe.read() or 0)
        _, status, used = os.wait4(pid, 0)
        status = os.waitstatus_to_exitcode(status)
        took_s = time.monotonic() - start_s
        message = (place.parent / f"{place.name}.{STDERR}").read_text(errors="replace")
        sizes = [p.stat().st_size for p in work.rglob("*") if p.is_file()]
        total, largest = sum(sizes), max(sizes, default=0)
        cpu_s = used.ru_utime + used.ru_stime
        return Outcome(status, list_files(work), took_s, cpu_s, n_events, total, largest, message)
    finally:
        (place.parent / f"{place.name}.{STDERR}").unlink(missing_ok=True)
        if own_disk:
            subprocess.run(["umount", "-l", str(place)], check=True)
        shutil.rmtree(place)


def _wait_until_used(pid: int, cpu_s: float) -> None:
    """Wait until a process and its children have used this processor time, or it has ended."""
    while not _has_ended(pid) and _used_s(pid) < cpu_s:
        time.sleep(0.01)


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _used_s(group: int) -> float:
    """Return the processor time of a group of processes, and of those of it that have ended."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[2]) == group:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def list_files(folder: Path) -> dict[str, str]:
    """Return the hash of each file below a folder by its name; folders end in a slash."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir():
            found[name + "/"] = ""
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _be_the_command(
    command: Command, inputs: Path, place: Path, fault: Fault, report: int, *, own_disk: bool
) -> None:
    """Run the command in this forked process, and end it."""
    status = _FAILED_TO_START
    try:
        _prepare(place, fault, own_disk=own_disk)
        n_events = _count_file_events(place, fault)
        status = _run(command, inputs)
        output_files._remove_all_stages()  # as at the exit of the interpreter
        os.write(report, str(n_events()).encode())
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _run(command: Command, inputs: Path) -> int:
    try:
        main.main([a.replace("{in}", str(inputs)) for a in command.arguments])
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0


def _prepare(place: Path, fault: Fault, *, own_disk: bool) -> None:
    os.setpgid(0, 0)
    os.chdir(place / "work")
    stderr = os.open(f"../../{place.name}.{STDERR}", os.O_WRONLY | os.O_CREAT)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(STDOUT, os.O_WRONLY | os.O_CREAT), 1)
    os.dup2(stderr, 2)
    if fault.free_bytes is not None and not own_disk:
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault.free_bytes, resource.RLIM_INFINITY))


def _count_file_events(place: Path, fault: Fault) -> Callable[[], int]:
    """Count the operations on output files, and send the signal; return the counter."""
    n_events, process = 0, os.getpid()

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal n_events
        if event not in _FILE_EVENTS or os.getpid() != process or not _in_output(arguments, place):
            return
        n_events += 1
        if n_events == fault.at_file_event:
            os.kill(process, fault.signal)

    sys.addaudithook(watch)
    return lambda: n_events


def _in_output(arguments: tuple[Any, ...], place: Path) -> bool:
    name = arguments[0] if arguments else None
    if not isinstance(name, str):
        return False
    return Path.cwd().joinpath(name).is_relative_to(place / "work")


def can_mount() -> bool:
    """Return whether this process may mount a small file system."""
    command = "mkdir -p /tmp/.faults-mount && mount -t tmpfs -o size=64k none /tmp/.faults-mount"
    clean = "umount /tmp/.faults-mount; rmdir /tmp/.faults-mount"
    return not subprocess.run(
        ["unshare", "-rm", "sh", "-c", f"{command} && {clean}"], capture_output=True, check=False
    ).returncode


def _mount(place: Path) -> None:
    options = ["-t", "tmpfs", "-o", "size=64m", "none", str(place)]
    subprocess.run(["mount", *options], check=True)
    # at least one block is in use: a size of 0 would mean no limit
    (place / "used").write_bytes(bytes(1))


def _leave_free(place: Path, n_bytes: int) -> None:
    space = os.statvfs(place)
    used = (space.f_blocks - space.f_bfree) * space.f_frsize
    subprocess.run(["mount", "-o", f"remount,size={used + n_bytes}", str(place)], check=True)
