"""An event loop in virtual time, which skips all waiting: a night takes minutes."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class StalledError(Exception):
    """Deadlock: all tasks wait and no timer is set."""


class _Selector(selectors.SelectSelector):
    """A selector that never sleeps but adds up the time it would have slept."""

    slept = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Return what is ready; if nothing is, advance the virtual time by `timeout`."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise StalledError("all tasks wait, and no timer runs")
            self.slept += max(0.0, timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, which starts at 0.

    Nothing may wait for another thread: virtual time would run on meanwhile.
    """

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Return virtual seconds."""
        return self._virtual.slept

    def skip(self, seconds: float) -> None:
        """Advance the virtual time while no callback runs, as a callback that blocks does."""
        self._virtual.slept += seconds


def run_virtual(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
