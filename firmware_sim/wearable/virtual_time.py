"""An event loop whose time jumps to the next thing to do: a night takes minutes."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class StalledError(Exception):
    """Nothing will ever happen again: a task waits for what nobody does."""


class _Selector(selectors.SelectSelector):
    """Never sleeps: tells the loop how long it would have."""

    slept = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Look at what is ready, and let the time pass."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise StalledError("all tasks wait, and no timer runs")
            self.slept += max(0.0, timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, which begins at 0.

    Work in other threads would be outrun, so none may be waited for.
    """

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Return virtual seconds."""
        return self._virtual.slept


def run_virtual(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
