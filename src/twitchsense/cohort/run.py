"""A cohort from its list to its dataset: what is done is kept, the rest is done."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

from twitchsense.cohort.dataset import prepare
from twitchsense.cohort.manifest import ListedNight
from twitchsense.cohort.processes import run_in_processes, usable_cores
from twitchsense.cohort.task import Outcome, Task, fail, find_known, make_stamp
from twitchsense.errors import InputError, TwitchsenseError
from twitchsense.io.read import short_name

_DASK: Final = "dask://"


@dataclass(slots=True)
class Tally:
    """How far a cohort is.

    Attributes
    ----------
    total : int
        Nights of this run.
    done, kept, failed : int
        Analysed now; finished by an earlier run; could not be analysed.
    failures : dict of str to str
        Night and reason.
    left_s : float or None
        Time left, by the size of the files; None before anything is known.
    """

    total: int
    done: int = 0
    kept: int = 0
    failed: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    left_s: float | None = None

    @property
    def ended(self) -> int:
        """Nights that need no more work."""
        return self.done + self.kept + self.failed

    def add(self, outcome: Outcome) -> None:
        """Count a night."""
        if outcome.status == "done":
            self.done += 1
        elif outcome.status == "kept":
            self.kept += 1
        else:
            self.failed += 1
            self.failures[outcome.night] = outcome.reason


#: Called after each night with how far it is, and how that night went.
OnNight = Callable[[Tally, Outcome], None]


def run_cohort(
    nights: Sequence[ListedNight],
    out: Path,
    *,
    executor: str = "processes",
    workers: int | None = None,
    part: tuple[int, int] = (1, 1),
    on_night: OnNight | None = None,
) -> Tally:
    """Analyse the nights of a cohort into a Parquet dataset.

    Nights whose files, settings and version are those of a finished result are kept. A
    night that fails is written down with the reason, and the others go on.

    Parameters
    ----------
    nights : sequence of ListedNight
    out : Path
        Folder of the dataset; see `twitchsense.cohort.tables.TABLES`.
    executor : str
        ``processes`` of this computer, or ``dask://host:port`` of a scheduler.
    workers : int, optional
        Processes; by default one for each usable core.
    part : (int, int)
        Do only part I of N, counted from 1; parts may run at once into one `out`.
    on_night : callable, optional

    Returns
    -------
    Tally

    Raises
    ------
    InputError
        If the dataset can't be written, or the executor can't be used.
    TwitchsenseError
        If the executor fails as a whole.
    """
    address = _address(executor)
    out = out.absolute()
    prepare(out)
    mine = nights[part[0] - 1 :: part[1]]
    tally, clock = Tally(len(mine)), _Clock()
    token = out / f".run-{secrets.token_hex(8)}"

    def tell(outcome: Outcome) -> None:
        if outcome.status == "stop":
            raise TwitchsenseError(outcome.reason)
        tally.add(outcome)
        clock.end(outcome.night)
        tally.left_s = clock.left_s()
        if on_night is not None:
            on_night(tally, outcome)

    try:
        token.touch()
        tasks: list[Task] = []
        for task, outcome in _look(mine, out, token.name):
            if outcome is None:
                tasks.append(task)
            else:
                tell(outcome)
        clock.start(tasks)
        for outcome in _execute(tasks, address, workers or usable_cores()):
            tell(outcome)
    finally:
        token.unlink(missing_ok=True)
    return tally


def _execute(tasks: Sequence[Task], address: str, workers: int) -> Iterator[Outcome]:
    if not tasks:
        return iter(())
    if not address:
        return run_in_processes(tasks, workers)
    from twitchsense.cohort.cluster import run_on_dask

    return run_on_dask(tasks, address)


def _look(
    nights: Sequence[ListedNight], out: Path, token: str
) -> Iterator[tuple[Task, Outcome | None]]:
    """Tell of each night, without reading its files, whether there is anything to do."""
    made_by = version("twitchsense")
    for night in nights:
        task = Task(night, out, made_by, find_known(out, night.night), token)
        if night.fault:
            yield task, fail(task, "input", night.fault)
            continue
        try:
            stamp = make_stamp(night, made_by)
        except (OSError, ValueError) as error:
            yield task, fail(task, "input", _missing(night, error))
            continue
        known = task.known
        if known is not None and stamp and stamp == known.stamp:
            yield task, known.outcome(night.night)
            continue
        yield task, None


def _missing(night: ListedNight, error: OSError | ValueError) -> str:
    """Name the list, the line and the file that is not there."""
    problem = getattr(error, "strerror", None) or str(error)
    for path in night.files:
        try:
            path.stat()
        except FileNotFoundError:
            problem = f"no such file as {short_name(path)}"
        except (OSError, ValueError) as reason:
            why = getattr(reason, "strerror", None) or str(reason)
            problem = f"{short_name(path)} cannot be read ({why})"
        else:
            continue
        break
    return str(InputError(night.place, problem, "check the path"))


def _address(executor: str) -> str:
    """Return ``host:port`` of a Dask scheduler, or nothing for processes."""
    if executor == "processes":
        return ""
    address = executor.removeprefix(_DASK)
    host, _, port = address.rpartition(":")
    if not executor.startswith(_DASK) or not host or not port.isdecimal():
        raise InputError(
            "--executor", f"{executor!r} is none", "write processes, or dask://host:port"
        )
    return address


class _Clock:
    """Tells how long it may still take: by bytes, as nights differ in length."""

    def __init__(self) -> None:
        self._open: dict[str, int] = {}
        self._all = 0
        self._began = 0.0

    def start(self, tasks: Sequence[Task]) -> None:
        """Begin with what is to be done."""
        self._open = {t.night.night: sum(_size(p) for p in t.night.captures) for t in tasks}
        self._all, self._began = sum(self._open.values()), time.monotonic()

    def end(self, night: str) -> None:
        """Take note that a night is done."""
        self._open.pop(night, None)

    def left_s(self) -> float | None:
        """Return the seconds left, or None if nothing can be said yet."""
        left = sum(self._open.values())
        done = self._all - left
        return (time.monotonic() - self._began) * left / done if done else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
