"""Threads: background work where several cores may be used, and the limit of a worker to one."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar

from twitchsense.errors import InputError

P = ParamSpec("P")
T = TypeVar("T")

#: Environment variable with the maximum number of threads of an analysis; by default the cores
#: that the process may use.
VARIABLE: Final = "TWITCHSENSE_THREADS"
#: Environment variables that size the thread pools of numerical libraries at import.
_THREAD_VARIABLES: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "ARROW_IO_THREADS",
    VARIABLE,
)


def usable_threads() -> int:
    """Return how many threads may work at once.

    Returns
    -------
    int

    Raises
    ------
    InputError
        If the environment variable is not a whole number from 1 on.
    """
    given = os.environ.get(VARIABLE, "")
    if given and not (given.isdecimal() and int(given) > 0):
        raise InputError(
            VARIABLE, f"{given!r} is not a number of threads", "give a whole number from 1 on"
        )
    if given:
        return int(given)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """Yield the items of an iterator, each computed while the caller uses the one before.

    Parameters
    ----------
    items : iterator
        Used in another thread, unless `usable_threads` is 1.

    Yields
    ------
    object
    """
    if usable_threads() < 2:
        yield from items
        return
    end = object()
    with ThreadPoolExecutor(1, "ahead") as pool:
        following = pool.submit(next, items, end)
        while (item := following.result()) is not end:
            following = pool.submit(next, items, end)
            yield item  # type: ignore[misc]


class BackgroundThread:
    """Runs functions in the background, one after the other; a context manager.

    With one usable thread, each function runs when it is started.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "background") if usable_threads() > 1 else None

    def __enter__(self) -> BackgroundThread:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=error is not None)

    def start(
        self, function: Callable[P, T], *args: P.args, **options: P.kwargs
    ) -> Callable[[], T]:
        """Start a function.

        Parameters
        ----------
        function : callable
        *args, **options
            Its arguments.

        Returns
        -------
        callable
            Waits for the end of the function and returns its result, or raises its error.
        """
        if self._pool is not None:
            return self._pool.submit(function, *args, **options).result
        result = function(*args, **options)
        return lambda: result


@contextmanager
def single_threaded_children() -> Iterator[None]:
    """Limit processes started in this block to one thread each."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def limit_threads() -> AbstractContextManager[Any]:
    """Limit this process, such as a Dask worker, to one thread.

    Returns
    -------
    context manager
        Does nothing if threadpoolctl is not installed.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:  # part of the extra "cluster"; own workers are limited by their environment
        return nullcontext()
    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits
