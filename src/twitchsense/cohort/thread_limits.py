"""One thread to each worker: as many nights as cores are the parallel work already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final

#: What the thread pools of numerical libraries look at when they are loaded.
_NAMES: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "ARROW_IO_THREADS",
)


@contextmanager
def children_with_one_thread() -> Iterator[None]:
    """Have processes started in this block use one thread each."""
    before = {name: os.environ.get(name) for name in _NAMES}
    os.environ.update(dict.fromkeys(_NAMES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def limit_threads() -> AbstractContextManager[Any]:
    """Hold a process that others started, such as a Dask worker, to one thread."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:  # part of the extra cluster; our own workers have their environment
        return nullcontext()
    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits
