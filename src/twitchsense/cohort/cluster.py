"""Nights on a Dask cluster that exists already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, Final

from twitchsense.cohort.task import Outcome, Task, fail, run_night
from twitchsense.errors import InputError, MissingExtraError, TwitchsenseError

_CONNECT_S: Final = 20.0
_WORKERS_S: Final = 60.0


def run_on_dask(tasks: Sequence[Task], address: str) -> Iterator[Outcome]:
    """Do nights on the workers of a Dask scheduler; yield each outcome as it comes.

    A night whose worker dies is given to another, as often as the scheduler allows
    (``distributed.scheduler.allowed-failures``), and then counts as failed.

    Parameters
    ----------
    tasks : sequence of Task
    address : str
        ``host:port`` of the scheduler.

    Raises
    ------
    InputError
        If no scheduler answers there, or it has no workers.
    MissingExtraError
        If dask and distributed are not installed.
    TwitchsenseError
        If the cluster goes away.
    """
    try:
        distributed: Any = import_module("distributed")  # it has no types
    except ImportError as error:
        raise MissingExtraError("cluster", "a Dask cluster") from error
    source = f"--executor dask://{address}"
    try:
        client = distributed.Client(f"tcp://{address}", timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            source, "no Dask scheduler answers there", "start one: dask scheduler"
        ) from error
    with client, client.as_current():
        try:
            client.wait_for_workers(1, timeout=_WORKERS_S)
        except TimeoutError as error:
            raise InputError(
                source, "the scheduler has no workers", f"start some: dask worker {address}"
            ) from error
        futures: dict[Any, Task] = {}
        for task in tasks:
            futures[client.submit(run_night, task, pure=False)] = task
        for future in distributed.as_completed(list(futures)):
            task = futures.pop(future)
            if future.status == "finished":
                yield future.result()
                future.release()
                continue
            fault = future.exception() if future.status == "error" else None
            if not isinstance(fault, distributed.KilledWorker):
                raise TwitchsenseError(
                    f"the Dask cluster failed ({fault or future.status}); "
                    "mend it, and run the same command again to go on"
                )
            reason = "its workers died, often for want of memory; give each worker more"
            yield fail(task, "worker", reason)
