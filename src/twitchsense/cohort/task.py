"""One night of a cohort, as a worker does it: read, analyse, write, and say how it went."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from twitchsense.cohort.dataset import change_row, read_row, write_failed, write_night
from twitchsense.cohort.manifest import ListedNight
from twitchsense.errors import InputError, TwitchsenseError
from twitchsense.io.read import hash_files

log = logging.getLogger(__name__)

#: A file changed this recently may change again without its times telling.
_SETTLED_S: Final = 2.0

Status = Literal["done", "kept", "failed", "stop"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a night went.

    Attributes
    ----------
    night : str
    status : {'done', 'kept', 'failed', 'stop'}
        ``kept``: nothing it depends on has changed. ``stop``: no night can be done so.
    reason : str
        Why it failed or why we must stop.
    took_s, cpu_s : float
        Writing included.
    rss_mb, peak_mb : float
        Memory of the worker after it, and its peak so far.
    worker : int
        Process id.
    """

    night: str
    status: Status
    reason: str = ""
    took_s: float = 0.0
    cpu_s: float = 0.0
    rss_mb: float = 0.0
    peak_mb: float = 0.0
    worker: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier run left of a night: its row in ``nights`` or ``failed``."""

    table: str
    key: str
    stamp: str
    reason: str = ""

    def outcome(self, night: str) -> Outcome:
        """Return how the night stands if nothing has changed."""
        return Outcome(night, "failed" if self.table == "failed" else "kept", self.reason)


@dataclass(frozen=True, slots=True)
class Task:
    """A night to be done.

    Attributes
    ----------
    night : ListedNight
    out : Path
        The dataset, absolute.
    version : str
        Of twitchsense: a worker with another one must not mix its results in.
    known : Known or None
    token : str
        A file in `out` that a worker must see, to write where we read.
    """

    night: ListedNight
    out: Path
    version: str
    known: Known | None = None
    token: str = ""


def make_stamp(night: ListedNight, version: str) -> str:
    """Return a hash of all that tells, without reading a file, that nothing changed.

    Empty if a file was changed a moment ago: its times would not tell another change.

    Raises
    ------
    OSError
        If a file is not there.
    """
    parts: list[Any] = [version, night.settings.digest()]
    newest = 0
    for path in night.files:
        stat = path.stat()
        # the time of the last change of the inode can't be set back, that of the content can
        parts.append([str(path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns])
        newest = max(newest, stat.st_mtime_ns, stat.st_ctime_ns)
    settled = time.time_ns() - newest > _SETTLED_S * 1e9
    return _digest(parts) if settled else ""


def make_key(night: ListedNight, sha256: str, version: str) -> str:
    """Return the hash of all that a result depends on: content, settings, version."""
    extra = [hash_files([p]) if p else "" for p in (night.hypnogram, night.respiratory)]
    return _digest([version, night.settings.digest(), sha256, *extra])


def run_night(task: Task) -> Outcome:
    """Do one night in this process. It never raises: the outcome tells."""
    from twitchsense.cohort.thread_limits import limit_threads

    if task.token and not (task.out / task.token).exists():
        reason = f"a worker does not see {task.out}: it must be on a file system all share"
        return Outcome(task.night.night, "stop", reason)
    try:
        with limit_threads():
            return _run(task)
    except TwitchsenseError as error:  # the dataset can't be written
        return Outcome(task.night.night, "stop", str(error))


def fail(task: Task, cause: str, reason: str, key: str = "", stamp: str = "") -> Outcome:
    """Write down that a night failed, and why.

    Raises
    ------
    InputError
        If it can't be written.
    """
    night = task.night
    row = {
        "night": night.night,
        "captures": ", ".join(p.name for p in night.captures),
        "cause": cause,
        "reason": reason,
        "place": night.place,
        "key": key,
        "stamp": stamp,
        "version": task.version,
    }
    write_failed(task.out, row)
    return Outcome(night.night, "failed", reason)


def _run(task: Task) -> Outcome:
    from importlib.metadata import version

    from twitchsense.io.read import read
    from twitchsense.results.night import analyze

    night, began, cpu = task.night, time.perf_counter(), time.process_time()
    if version("twitchsense") != task.version:
        reason = f"a worker has twitchsense {version('twitchsense')}, not {task.version}"
        return Outcome(night.night, "stop", reason)
    key = stamp = ""
    settings = night.settings
    try:
        stamp = make_stamp(night, task.version)
        if task.known is not None:
            key = make_key(night, hash_files(night.captures), task.version)
            if key == task.known.key:
                change_row(task.out, task.known.table, night.night, {"stamp": stamp})
                return task.known.outcome(night.night)
        recording = read(
            *night.captures, columns=settings.columns, legs=settings.legs, zone=settings.zone
        )
        key = make_key(night, recording.sha256, task.version)
        found = analyze(
            recording, hypnogram=night.hypnogram, respiratory=night.respiratory, settings=settings
        )
    except InputError as error:
        return fail(task, "input", str(error), key or _try_key(night, task.version), stamp)
    except MemoryError:
        return fail(task, "worker", "not enough memory; try fewer workers")
    except Exception as error:
        # a fault of ours in one night must not end the others
        log.exception("%s", night.night)
        return fail(task, "error", f"{type(error).__name__}: {error}")
    took, used = time.perf_counter() - began, time.process_time() - cpu
    rss, peak = memory_mb()
    row = {"night": night.night, "version": task.version, "key": key, "stamp": stamp,
           "took_s": took, "cpu_s": used, "peak_mb": peak}  # fmt: skip
    write_night(task.out, found, row)
    took, used = time.perf_counter() - began, time.process_time() - cpu
    return Outcome(night.night, "done", "", took, used, rss, peak, os.getpid())


def find_known(out: Path, night: str) -> Known | None:
    """Return what an earlier run left of a night that need not be repeated."""
    row = read_row(out, "nights", night, ("key", "stamp"))
    if row is not None:
        return Known("nights", row["key"] or "", row["stamp"] or "")
    row = read_row(out, "failed", night, ("key", "stamp", "cause", "reason"))
    if row is None or row["cause"] != "input" or not row["key"]:
        return None  # what failed for want of memory or a worker may go well now
    return Known("failed", row["key"], row["stamp"] or "", row["reason"] or "")


def memory_mb() -> tuple[float, float]:
    """Return this process's memory in use and its peak, MB; NaN where they can't be told."""
    rss = peak = float("nan")
    try:
        import resource
        import sys

        unit = 1e6 if sys.platform == "darwin" else 1e3
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        rss = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (ImportError, OSError):
        pass
    return rss, peak


def _try_key(night: ListedNight, version: str) -> str:
    try:
        return make_key(night, hash_files(night.captures), version)
    except InputError:
        return ""


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
