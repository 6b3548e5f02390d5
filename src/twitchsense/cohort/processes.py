"""Executor: worker processes on this computer, one per core.

Each worker has its own pipe, so that a killed worker affects only the night it was
analysing: that night is retried once in a new process, and then counts as failed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import warnings
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any, Final, NoReturn

from twitchsense.cohort.task import Outcome, Task, record_failure, run_night
from twitchsense.deferred_signals import deferred_signals
from twitchsense.threads import single_threaded_children

#: Attempts at a night whose worker dies.
_MAX_ATTEMPTS: Final = 2
#: Time (s) that a worker has to exit before it is killed.
_TERMINATE_TIMEOUT_S: Final = 5.0


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_in_processes(tasks: Sequence[Task], workers: int) -> Iterator[Outcome]:
    """Run tasks in processes of this computer.

    Parameters
    ----------
    tasks : sequence of Task
    workers : int
        Number of processes; at most one per task is started.

    Yields
    ------
    Outcome
        Outcome of each night, as it finishes.

    Raises
    ------
    InputError
        If a failure cannot be written to the dataset.
    """
    queue = deque(tasks)
    attempts: Counter[str] = Counter()
    pool: list[_Worker] = []
    with single_threaded_children():
        try:
            pool += [_Worker() for _ in range(min(workers, len(tasks)))]
            for worker in pool:
                worker.start(queue.popleft())
            while busy := {w.pipe: w for w in pool if w.task is not None}:
                for pipe in wait(list(busy)):
                    worker = busy[pipe]  # type: ignore[index]
                    task, outcome = worker.finish()
                    if outcome is None:
                        attempts[task.entry.name] += 1
                        cause = worker.restart()
                        if attempts[task.entry.name] < _MAX_ATTEMPTS:
                            queue.appendleft(task)
                        else:
                            reason = f"its worker died twice ({cause}), often for want of memory; "
                            outcome = record_failure(task, "worker", reason + "try fewer --workers")
                    if queue:
                        worker.start(queue.popleft())
                    if outcome is not None:
                        yield outcome
        finally:
            with deferred_signals():
                for worker in pool:
                    worker.terminate()
                for worker in pool:
                    worker.stop()


class _Worker:
    """A worker process and its current task."""

    def __init__(self) -> None:
        self.task: Task | None = None
        self._open()

    def _open(self) -> None:
        # a new interpreter: a fork would copy locks that other threads hold
        context = multiprocessing.get_context("spawn")
        self.pipe, child_pipe = context.Pipe()
        self._process = context.Process(target=_worker_main, args=(child_pipe,), daemon=True)
        with _sigint_blocked():
            self._process.start()
        child_pipe.close()  # so that the pipe reaches its end when the process dies

    def start(self, task: Task) -> None:
        self.task = task
        try:
            self.pipe.send(task)
        except OSError:  # it was killed while idle
            self.restart()
            self.pipe.send(task)

    def finish(self) -> tuple[Task, Outcome | None]:
        """Return the finished task and its outcome, None if the process died."""
        assert self.task is not None
        task, self.task = self.task, None
        try:
            outcome: Outcome = self.pipe.recv()
        except (EOFError, OSError):
            return task, None
        return task, outcome

    def restart(self) -> str:
        """Replace a dead process by a new one; return how it died."""
        code = self.stop()
        self._open()
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit status {code}"

    def terminate(self) -> None:
        """Tell the process to end, and to remove what it has half written."""
        self.pipe.close()
        if self.task is not None:
            self._process.terminate()

    def stop(self) -> int | None:
        """End the process, terminating its task if it has one; return its exit code."""
        self.terminate()
        self._process.join(_TERMINATE_TIMEOUT_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        return self._process.exitcode


@contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Block SIGINT; a process that is started meanwhile inherits this until it ignores it.

    Ctrl-C reaches all processes of a terminal, also one that is still importing its modules.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # its start would end the blocking
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """End this process by an exception, so that it removes its temporary files."""
    raise SystemExit(128 + number)


def _worker_main(pipe: Connection[Any, Any]) -> None:
    """Run the tasks that come through the pipe, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles Ctrl-C
    signal.signal(signal.SIGTERM, _end)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # warnings of libraries are not for the user
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        outcome = run_night(task)
        try:
            pipe.send(outcome)
        except OSError:  # the parent process is gone; the night is written
            return
