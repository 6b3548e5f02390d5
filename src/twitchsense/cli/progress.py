"""Progress with remaining time on a terminal; nothing elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from twitchsense.text import printable


class StepProgress:
    """Shows the current step and, if it is known, its progress."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def start(self, name: str) -> None:
        """Start a step; it replaces the one before it."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name, total=None)

    @property
    def visible(self) -> bool:
        """Whether the bar is shown on a terminal."""
        return not self._bar.disable

    def print(self, text: str) -> None:
        """Print a line on stderr, above the bar if there is one."""
        self._bar.console.print(printable(text, "?"), markup=False, highlight=False, soft_wrap=True)

    def update(self, done: float, total: float) -> None:
        """Set the progress of the step, in any unit."""
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total)


class _OfKnownLength(ProgressColumn):
    """A column that is shown for steps whose length is known (or is not, if inverted)."""

    def __init__(self, column: ProgressColumn, *, known: bool = True) -> None:
        super().__init__()
        self._column, self._known = column, known

    def render(self, task: Task) -> RenderableType:
        """Return the inner column, or nothing."""
        return self._column(task) if (task.total is not None) is self._known else Text("")


@contextmanager
def show_steps(*, quiet: bool = False) -> Iterator[StepProgress]:
    """Show the steps of a block on stderr, if it is a terminal.

    Parameters
    ----------
    quiet : bool
        Show nothing.

    Yields
    ------
    StepProgress
    """
    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        # a step of unknown length has no bar, which would look full
        _OfKnownLength(BarColumn()),
        _OfKnownLength(TaskProgressColumn()),
        _OfKnownLength(TimeRemainingColumn()),
        _OfKnownLength(TimeElapsedColumn(), known=False),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    ) as bar:
        yield StepProgress(bar)
