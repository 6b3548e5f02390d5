"""Executor: an existing Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, Final

from twitchsense.cohort.task import Outcome, Task, record_failure, run_night
from twitchsense.errors import InputError, MissingExtraError, TwitchsenseError

#: Time (s) to connect to the scheduler.
CONNECT_TIMEOUT_S: Final = 20.0
#: Time (s) until the scheduler has a worker.
WORKERS_TIMEOUT_S: Final = 60.0


def run_on_dask(tasks: Sequence[Task], address: str) -> Iterator[Outcome]:
    """Run tasks on the workers of a Dask scheduler.

    A night whose worker dies is retried on another worker as often as the scheduler allows
    (``distributed.scheduler.allowed-failures``), and then counts as failed.

    Parameters
    ----------
    tasks : sequence of Task
    address : str
        ``host:port`` of the scheduler.

    Yields
    ------
    Outcome
        Outcome of each night, as it finishes.

    Raises
    ------
    InputError
        If no scheduler responds at the address, or it has no workers.
    MissingExtraError
        If dask and distributed are not installed.
    TwitchsenseError
        If the cluster fails.
    """
    try:
        distributed: Any = import_module("distributed")  # untyped
    except ImportError as error:
        raise MissingExtraError("cluster", "a Dask cluster") from error
    source = f"--executor dask://{address}"
    try:
        client = distributed.Client(
            f"tcp://{address}", timeout=CONNECT_TIMEOUT_S, set_as_default=False
        )
    except (OSError, ValueError) as error:
        raise InputError(
            source, "no Dask scheduler responds at this address", "start one: dask scheduler"
        ) from error
    with client, client.as_current():
        try:
            client.wait_for_workers(1, timeout=WORKERS_TIMEOUT_S)
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
            failure = future.exception() if future.status == "error" else None
            if not isinstance(failure, distributed.KilledWorker):
                raise TwitchsenseError(
                    f"the Dask cluster failed ({failure or future.status}); "
                    "repair it, and run the same command again to resume"
                )
            reason = "its workers died, often for want of memory; give each worker more"
            yield record_failure(task, "worker", reason)
