"""Signals that end the program: held back during a step that must not be cut, never lost."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

#: Signals that end a command; SIGHUP: the terminal was closed (not on Windows).
ENDING_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
#: Time (s) after which a signal that was lost in a callback is sent again.
_REPEAT_S: Final = 0.02


@contextmanager
def deferred_signals() -> Iterator[None]:
    """Hold back the signals that end a command until the block has ended.

    Only the main thread is interrupted by signals; in another thread this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        arrived.append(number)

    handlers = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    # None: set outside Python; it cannot be put back
    usual = {n: h for n, h in handlers.items() if h is not None and h is not signal.SIG_IGN}
    for number in usual:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
        for number in dict.fromkeys(arrived):
            signal.raise_signal(number)


def repeat_lost_signals() -> None:
    """Send a signal again if Python ignores the exception of its handler.

    Python ignores exceptions in callbacks of weak references and in finalizers. A signal whose
    handler happens to run there would be lost, and the command would go on.
    """
    usual = sys.unraisablehook

    def repeat(unraisable: UnraisableHookArgs) -> None:
        number = _signal_of(unraisable.exc_value)
        if number is None:
            usual(unraisable)
            return
        while True:
            timer = threading.Timer(_REPEAT_S, os.kill, [os.getpid(), number])
            timer.daemon = True
            try:
                timer.start()
                return
            except RuntimeError:  # Python is ending already
                return
            except (KeyboardInterrupt, SystemExit):
                pass  # on a busy computer the signal came before the timer had started

    sys.unraisablehook = repeat


def _signal_of(error: BaseException | None) -> signal.Signals | None:
    """Return the signal whose handler raised an exception, or None."""
    if isinstance(error, KeyboardInterrupt):
        return signal.SIGINT
    if isinstance(error, SystemExit) and isinstance(error.code, int) and error.code > 128:
        return signal.Signals(error.code - 128)
    return None
