"""One night of a cohort, as a worker runs it: read, analyse, write, return the outcome."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from twitchsense.cohort.dataset import read_row, update_row, write_failure, write_night
from twitchsense.cohort.manifest import NightEntry
from twitchsense.errors import InputError, TwitchsenseError
from twitchsense.io.input_files import input_files
from twitchsense.io.read import hash_files
from twitchsense.model.sample_file import SampleFileError
from twitchsense.output_files import cannot_write

log = logging.getLogger(__name__)

#: A file modified more recently (s) may be modified again without a change of its times.
MIN_FILE_AGE_S: Final = 2.0

Status = Literal["done", "kept", "failed", "stop"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of one night.

    Attributes
    ----------
    night : str
        Name of the night.
    status : {'done', 'kept', 'failed', 'stop'}
        ``kept``: an earlier result is up to date. ``stop``: the run cannot continue.
    reason : str
        Reason of a failure or a stop.
    took_s, cpu_s : float
        Wall-clock and processor time including writing, s.
    rss_mb, peak_mb : float
        Resident memory of the worker after the night, and its peak so far, MB.
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
class PreviousResult:
    """Result of a night from an earlier run: its row in ``nights`` or ``failed``.

    Attributes
    ----------
    table : {'nights', 'failed'}
    input_hash : str
        See `hash_inputs`; the column ``key``.
    times_hash : str
        See `hash_file_times`; the column ``stamp``.
    reason : str
        Reason of the failure.
    """

    table: str
    input_hash: str
    times_hash: str
    reason: str = ""

    def outcome(self, night: str) -> Outcome:
        """Return the outcome of a night whose earlier result is up to date."""
        return Outcome(night, "failed" if self.table == "failed" else "kept", self.reason)


@dataclass(frozen=True, slots=True)
class Task:
    """A night to be analysed.

    Attributes
    ----------
    entry : NightEntry
    out : Path
        Directory of the dataset, absolute.
    version : str
        Version of twitchsense; a worker with another version refuses the task.
    previous : PreviousResult or None
        Result of an earlier run.
    token : str
        Name of a file in `out` that a worker must see: evidence of a shared file system.
    """

    entry: NightEntry
    out: Path
    version: str
    previous: PreviousResult | None = None
    token: str = ""


def hash_file_times(entry: NightEntry, version: str) -> str:
    """Hash the paths, sizes and times of the input files, without reading them.

    Parameters
    ----------
    entry : NightEntry
    version : str
        Version of twitchsense.

    Returns
    -------
    str
        Hash of these, the settings and the version. Empty if a file was modified less
        than `MIN_FILE_AGE_S` ago, since its times would not show another modification.

    Raises
    ------
    OSError
        If a file is missing.
    """
    parts: list[Any] = [version, entry.settings.digest()]
    newest = 0
    for path in (part for file in entry.files for part in input_files(file)):
        stat = path.stat()
        # ctime cannot be set back, unlike mtime
        parts.append([str(path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns])
        newest = max(newest, stat.st_mtime_ns, stat.st_ctime_ns)
    old_enough = time.time_ns() - newest > MIN_FILE_AGE_S * 1e9
    return _digest(parts) if old_enough else ""


def hash_inputs(entry: NightEntry, sha256: str, version: str) -> str:
    """Hash everything that a result depends on.

    Parameters
    ----------
    entry : NightEntry
        Its settings, hypnogram and respiratory events are hashed by content.
    sha256 : str
        Hash of the captures' content.
    version : str
        Version of twitchsense.

    Returns
    -------
    str
    """
    optional = [hash_files([p]) if p else "" for p in (entry.hypnogram, entry.respiratory)]
    return _digest([version, entry.settings.digest(), sha256, *optional])


def run_night(task: Task) -> Outcome:
    """Analyse one night in this process.

    Parameters
    ----------
    task : Task

    Returns
    -------
    Outcome
        Errors are returned as an outcome, never raised.
    """
    from twitchsense.threads import limit_threads

    if task.token and not (task.out / task.token).exists():
        reason = f"a worker does not see {task.out}: it must be on a file system all share"
        return Outcome(task.entry.name, "stop", reason)
    try:
        with limit_threads():
            return _analyze_night(task)
    except TwitchsenseError as error:  # the dataset or the temporary folder cannot be written
        return Outcome(task.entry.name, "stop", str(error))
    except OSError as error:
        return Outcome(task.entry.name, "stop", str(cannot_write(task.out, error)))


def record_failure(
    task: Task, cause: str, reason: str, input_hash: str = "", times_hash: str = ""
) -> Outcome:
    """Write the failure of a night to the dataset.

    Parameters
    ----------
    task : Task
    cause : {'input', 'worker', 'error'}
        See the levels of ``cause`` in `FAILED_COLUMNS`.
    reason : str
    input_hash, times_hash : str
        See `hash_inputs` and `hash_file_times`; empty if not known.

    Returns
    -------
    Outcome

    Raises
    ------
    InputError
        If it cannot be written.
    """
    entry = task.entry
    row = {
        "night": entry.name,
        "captures": ", ".join(p.name for p in entry.captures),
        "cause": cause,
        "reason": reason,
        "place": entry.place,
        "key": input_hash,
        "stamp": times_hash,
        "version": task.version,
    }
    write_failure(task.out, row)
    return Outcome(entry.name, "failed", reason)


def _analyze_night(task: Task) -> Outcome:
    from importlib.metadata import version

    from twitchsense.io.read import read
    from twitchsense.results.night import analyze

    entry, wall_start, cpu_start = task.entry, time.perf_counter(), time.process_time()
    if version("twitchsense") != task.version:
        reason = f"a worker has twitchsense {version('twitchsense')}, not {task.version}"
        return Outcome(entry.name, "stop", reason)
    input_hash = times_hash = ""
    settings = entry.settings
    try:
        times_hash = hash_file_times(entry, task.version)
        if task.previous is not None:
            input_hash = hash_inputs(entry, hash_files(entry.captures), task.version)
            if input_hash == task.previous.input_hash:
                update_row(task.out, task.previous.table, entry.name, {"stamp": times_hash})
                return task.previous.outcome(entry.name)
        recording = read(
            *entry.captures, columns=settings.columns, legs=settings.legs, zone=settings.zone
        )
        input_hash = hash_inputs(entry, recording.sha256, task.version)
        night = analyze(
            recording, hypnogram=entry.hypnogram, respiratory=entry.respiratory, settings=settings
        )
    except SampleFileError:
        raise  # the temporary folder is full: every other night would fail too
    except InputError as error:
        input_hash = input_hash or _try_hash_inputs(entry, task.version)
        return record_failure(task, "input", error.command_message, input_hash, times_hash)
    except MemoryError:
        return record_failure(task, "worker", "not enough memory; try fewer workers")
    except Exception as error:
        # an internal error in one night must not end the others
        log.exception("%s", entry.name)
        return record_failure(task, "error", f"{type(error).__name__}: {error}")
    wall_s, cpu_s = time.perf_counter() - wall_start, time.process_time() - cpu_start
    rss_mb, peak_mb = measure_memory_mb()
    row = {"night": entry.name, "version": task.version, "key": input_hash, "stamp": times_hash,
           "took_s": wall_s, "cpu_s": cpu_s, "peak_mb": peak_mb}  # fmt: skip
    write_night(task.out, night, row)
    wall_s, cpu_s = time.perf_counter() - wall_start, time.process_time() - cpu_start
    return Outcome(entry.name, "done", "", wall_s, cpu_s, rss_mb, peak_mb, os.getpid())


def find_previous(out: Path, night: str) -> PreviousResult | None:
    """Find the result of a night in the dataset.

    Parameters
    ----------
    out : Path
        Directory of the dataset.
    night : str
        Name of the night.

    Returns
    -------
    PreviousResult or None
        None if there is no result, or only a failure that may not repeat (a dead worker,
        lack of memory, an internal error).
    """
    row = read_row(out, "nights", night, ("key", "stamp"))
    if row is not None:
        return PreviousResult("nights", row["key"] or "", row["stamp"] or "")
    row = read_row(out, "failed", night, ("key", "stamp", "cause", "reason"))
    if row is None or row["cause"] != "input" or not row["key"]:
        return None
    return PreviousResult("failed", row["key"], row["stamp"] or "", row["reason"] or "")


def measure_memory_mb() -> tuple[float, float]:
    """Return the resident memory of this process and its peak, MB; NaN where unknown."""
    rss_mb = peak_mb = float("nan")
    try:
        import resource
        import sys

        unit = 1e6 if sys.platform == "darwin" else 1e3
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        rss_mb = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (ImportError, OSError):
        pass
    return rss_mb, peak_mb


def _try_hash_inputs(entry: NightEntry, version: str) -> str:
    try:
        return hash_inputs(entry, hash_files(entry.captures), version)
    except InputError:
        return ""


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
