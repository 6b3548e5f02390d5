"""Limit numerical libraries to one thread per worker: the nights already run in parallel."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final

#: Environment variables that size the thread pools of numerical libraries at import.
_THREAD_VARIABLES: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "ARROW_IO_THREADS",
    "TWITCHSENSE_THREADS",
)


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
