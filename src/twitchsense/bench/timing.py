"""What a piece of work costs."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """Time of a piece of work.

    Attributes
    ----------
    wall_s : float
        Passed on the clock.
    cpu_s : float
        Of the processor, all threads together.
    """

    wall_s: float
    cpu_s: float

    @property
    def seconds(self) -> float:
        """The smaller of the two.

        On a computer with nothing else to do that is the time on the clock (threads
        make it smaller than the processor's); on a busy one, what others took is left out.
        """
        return min(self.wall_s, self.cpu_s)


def measure(job: Callable[[], object], repeats: int = 1) -> Cost:
    """Return the least cost of several runs: what disturbs a run can only add to it."""
    costs = []
    for _ in range(repeats):
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        job()
        costs.append(Cost(time.perf_counter() - wall, time.process_time() - cpu))
    return min(costs, key=lambda cost: cost.seconds)
