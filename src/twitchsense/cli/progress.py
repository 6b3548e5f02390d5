"""Progress with time left, on a terminal; silence elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from twitchsense.text import printable


class Steps:
    """Shows which step runs, and how far it is if it can tell."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def step(self, name: str) -> None:
        """Begin a step."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name, total=None)

    @property
    def visible(self) -> bool:
        """Whether there is a terminal to show it on."""
        return not self._bar.disable

    def say(self, text: str) -> None:
        """Say a line on stderr, above the bar if there is one."""
        self._bar.console.print(printable(text, "?"), markup=False, highlight=False, soft_wrap=True)

    def progress(self, done: float, total: float) -> None:
        """Say how far the step is, in any unit."""
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total)


@contextmanager
def steps(*, quiet: bool = False) -> Iterator[Steps]:
    """Show steps on stderr while the block runs, if stderr is a terminal."""
    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    ) as bar:
        yield Steps(bar)
