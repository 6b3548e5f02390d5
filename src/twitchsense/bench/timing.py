"""Wall-clock and processor time of a function call."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """Time of a function call.

    Attributes
    ----------
    wall_s : float
        Wall-clock time, s.
    cpu_s : float
        Processor time of all threads together, s.
    """

    wall_s: float
    cpu_s: float

    @property
    def seconds(self) -> float:
        """The smaller of wall-clock and processor time, s.

        On an idle computer this is the wall-clock time (threads make it smaller than the
        processor time); on a busy one it excludes the time of other processes.
        """
        return min(self.wall_s, self.cpu_s)


def measure_cost(job: Callable[[], object], repeats: int = 1) -> Cost:
    """Measure a function call several times.

    Parameters
    ----------
    job : callable
        Called without arguments.
    repeats : int
        Number of calls.

    Returns
    -------
    Cost
        Cost of the fastest call, because disturbances can only add to the time.
    """
    costs = []
    for _ in range(repeats):
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        job()
        costs.append(Cost(time.perf_counter() - wall, time.process_time() - cpu))
    return min(costs, key=lambda cost: cost.seconds)
