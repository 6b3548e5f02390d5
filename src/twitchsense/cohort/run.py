"""Run a cohort: analyse the nights of a list that have no current result in the dataset."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

from twitchsense.cohort.dataset import create_dataset
from twitchsense.cohort.manifest import NightEntry
from twitchsense.cohort.processes import available_cores, run_in_processes
from twitchsense.cohort.task import Outcome, Task, find_previous, hash_file_times, record_failure
from twitchsense.deferred_signals import deferred_signals
from twitchsense.errors import InputError
from twitchsense.io.read import display_name
from twitchsense.output_files import write_file

_DASK: Final = "dask://"


@dataclass(slots=True)
class CohortProgress:
    """Progress of a cohort.

    Attributes
    ----------
    total : int
        Number of nights of this run.
    done, kept, failed : int
        Nights analysed by this run; finished by an earlier run; that could not be analysed.
    failures : dict of str to str
        Name of the night and reason.
    remaining_s : float or None
        Estimated remaining time, s; None before the first night has finished.
    """

    total: int
    done: int = 0
    kept: int = 0
    failed: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    remaining_s: float | None = None

    @property
    def finished(self) -> int:
        """Number of nights that are done, kept or failed."""
        return self.done + self.kept + self.failed

    def add(self, outcome: Outcome) -> None:
        """Count the outcome of a night."""
        if outcome.status == "done":
            self.done += 1
        elif outcome.status == "kept":
            self.kept += 1
        else:
            self.failed += 1
            self.failures[outcome.night] = outcome.reason


#: Called after each night with the progress of the cohort and the outcome of the night.
NightCallback = Callable[[CohortProgress, Outcome], None]


def run_cohort(
    nights: Sequence[NightEntry],
    out: Path,
    *,
    executor: str = "processes",
    workers: int | None = None,
    part: tuple[int, int] = (1, 1),
    on_night: NightCallback | None = None,
) -> CohortProgress:
    """Analyse the nights of a cohort into a Parquet dataset.

    A night is kept if its files, settings and the version are those of a finished result.
    The failure of a night is written to the dataset with its reason, and does not end the run.

    Parameters
    ----------
    nights : sequence of NightEntry
    out : Path
        Directory of the dataset; for its tables see
        `twitchsense.cohort.dataset.TABLES`.
    executor : str
        ``processes`` of this computer, or ``dask://host:port`` of a scheduler.
    workers : int, optional
        Number of processes; by default one per available core.
    part : (int, int)
        Run only part I of N, counted from 1; parts may run concurrently into one `out`.
    on_night : callable, optional
        Called after each night with the progress and the outcome.

    Returns
    -------
    CohortProgress

    Raises
    ------
    InputError
        If the dataset or the temporary folder cannot be written, or the executor cannot be
        used: the run stops.
    TwitchsenseError
        If the executor fails as a whole.
    """
    address = _parse_executor(executor)
    out = out.absolute()
    create_dataset(out, (night.settings for night in nights))
    selected = nights[part[0] - 1 :: part[1]]
    progress, remaining = CohortProgress(len(selected)), RemainingTime()
    token = out / f".run-{secrets.token_hex(8)}"

    def add(outcome: Outcome) -> None:
        if outcome.status == "stop":
            raise InputError(
                str(out),
                f"the run has stopped: {outcome.reason}",
                "then run the same command again; finished nights are kept",
            )
        progress.add(outcome)
        remaining.finish(outcome.night)
        progress.remaining_s = remaining.estimate_s()
        if on_night is not None:
            on_night(progress, outcome)

    try:
        write_file(token, "")
        tasks: list[Task] = []
        for task, outcome in _plan_tasks(selected, out, token.name):
            if outcome is None:
                tasks.append(task)
            else:
                add(outcome)
        remaining.start(tasks)
        with closing(_execute(tasks, address, workers or available_cores())) as outcomes:
            for outcome in outcomes:
                add(outcome)
    finally:
        with deferred_signals(), suppress(OSError):
            token.unlink(missing_ok=True)
    return progress


def _execute(tasks: Sequence[Task], address: str, workers: int) -> Generator[Outcome]:
    if not tasks:
        return
    if not address:
        yield from run_in_processes(tasks, workers)
        return
    from twitchsense.cohort.cluster import run_on_dask

    yield from run_on_dask(tasks, address)


def _plan_tasks(
    nights: Sequence[NightEntry], out: Path, token: str
) -> Iterator[tuple[Task, Outcome | None]]:
    """Yield the task of each night, with its outcome if that is known without reading files."""
    this_version = version("twitchsense")
    for entry in nights:
        task = Task(entry, out, this_version, find_previous(out, entry.name), token)
        if entry.error:
            yield task, record_failure(task, "input", entry.error)
            continue
        try:
            times_hash = hash_file_times(entry, this_version)
        except (OSError, ValueError) as error:
            yield task, record_failure(task, "input", _explain_missing_file(entry, error))
            continue
        previous = task.previous
        if previous is not None and times_hash and times_hash == previous.times_hash:
            yield task, previous.outcome(entry.name)
            continue
        yield task, None


def _explain_missing_file(entry: NightEntry, error: OSError | ValueError) -> str:
    """Return the message for a file that cannot be read: list, line, file and reason."""
    problem = getattr(error, "strerror", None) or str(error)
    for path in entry.files:
        try:
            path.stat()
        except FileNotFoundError:
            problem = f"no such file as {display_name(path)}"
        except (OSError, ValueError) as failure:
            reason = getattr(failure, "strerror", None) or str(failure)
            problem = f"{display_name(path)} cannot be read ({reason})"
        else:
            continue
        break
    return str(InputError(entry.place, problem, "check the path"))


def _parse_executor(executor: str) -> str:
    """Return ``host:port`` of a Dask scheduler, or an empty string for processes."""
    if executor == "processes":
        return ""
    address = executor.removeprefix(_DASK)
    host, _, port = address.rpartition(":")
    if not executor.startswith(_DASK) or not host or not port.isdecimal():
        raise InputError(
            "--executor", f"{executor!r} is not an executor", "write processes, or dask://host:port"
        )
    return address


class RemainingTime:
    """Estimates the remaining time by the size of the files, as nights differ in length."""

    def __init__(self) -> None:
        self._open_bytes: dict[str, int] = {}
        self._total_bytes = 0
        self._start_s = 0.0

    def start(self, tasks: Sequence[Task]) -> None:
        """Start the clock.

        Parameters
        ----------
        tasks : sequence of Task
            The nights to be analysed.
        """
        self._open_bytes = {t.entry.name: sum(map(file_size, t.entry.captures)) for t in tasks}
        self._total_bytes = sum(self._open_bytes.values())
        self._start_s = time.monotonic()

    def finish(self, night: str) -> None:
        """Mark a night as finished, by its name."""
        self._open_bytes.pop(night, None)

    def estimate_s(self) -> float | None:
        """Return the remaining time in seconds, or None if no night has finished yet."""
        open_bytes = sum(self._open_bytes.values())
        done_bytes = self._total_bytes - open_bytes
        if not done_bytes:
            return None
        return (time.monotonic() - self._start_s) * open_bytes / done_bytes


def file_size(path: Path) -> int:
    """Return the size of a file in bytes; 0 if it cannot be read."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
