"""Nights on the cores of this computer, one process to each.

Each worker hangs on a pipe of its own, so that one that is killed takes nothing with it:
its night is known, is tried once more in a fresh process, and then counts as failed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, Final

from twitchsense.cohort.task import Outcome, Task, fail, run_night
from twitchsense.cohort.thread_limits import children_with_one_thread

_TRIES: Final = 2
_GIVE_UP_S: Final = 5.0


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_in_processes(tasks: Sequence[Task], workers: int) -> Iterator[Outcome]:
    """Do nights in processes of this computer; yield each outcome as it comes.

    Parameters
    ----------
    tasks : sequence of Task
    workers : int
        Processes; no more than tasks are started.

    Raises
    ------
    InputError
        If a failure can't be written down.
    """
    waiting = deque(tasks)
    tries: Counter[str] = Counter()
    lanes: list[_Lane] = []
    with children_with_one_thread():
        try:
            lanes += [_Lane() for _ in range(min(workers, len(tasks)))]
            for lane in lanes:
                lane.start(waiting.popleft())
            while busy := {lane.pipe: lane for lane in lanes if lane.task is not None}:
                for pipe in wait(list(busy)):
                    lane = busy[pipe]  # type: ignore[index]
                    task, outcome = lane.finish()
                    if outcome is None:
                        tries[task.night.night] += 1
                        why = lane.replace()
                        if tries[task.night.night] < _TRIES:
                            waiting.appendleft(task)
                        else:
                            reason = f"its worker died twice ({why}), often for want of memory; "
                            outcome = fail(task, "worker", reason + "try fewer --workers")
                    if waiting:
                        lane.start(waiting.popleft())
                    if outcome is not None:
                        yield outcome
        finally:
            for lane in lanes:
                lane.end()


class _Lane:
    """A worker process and what it is doing."""

    def __init__(self) -> None:
        self.task: Task | None = None
        self._open()

    def _open(self) -> None:
        # a fresh interpreter: nothing of ours, such as locks held by threads, is copied
        context = multiprocessing.get_context("spawn")
        self.pipe, far = context.Pipe()
        self._process = context.Process(target=_serve, args=(far,), daemon=True)
        self._process.start()
        far.close()  # so that its death is the end of the pipe

    def start(self, task: Task) -> None:
        self.task = task
        try:
            self.pipe.send(task)
        except OSError:  # it was killed while it had nothing to do
            self.replace()
            self.pipe.send(task)

    def finish(self) -> tuple[Task, Outcome | None]:
        """Return the task that ended and its outcome; None if the process died."""
        assert self.task is not None
        task, self.task = self.task, None
        try:
            outcome: Outcome = self.pipe.recv()
        except (EOFError, OSError):
            return task, None
        return task, outcome

    def replace(self) -> str:
        """Put a fresh process in the place of a dead one; return how that died."""
        code = self.end()
        self._open()
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit status {code}"

    def end(self) -> int | None:
        """Let the process go, whatever it does; return its exit code."""
        self.pipe.close()
        if self.task is not None:
            self._process.terminate()
        self._process.join(_GIVE_UP_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        return self._process.exitcode


def _serve(pipe: Connection[Any, Any]) -> None:
    """Do what comes through the pipe, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started us
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        outcome = run_night(task)
        try:
            pipe.send(outcome)
        except OSError:  # who started us is gone; the night is written
            return
