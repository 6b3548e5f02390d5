"""Channels searched side by side, one thread each.

The compiled kernels and numpy let go of the interpreter's lock, so that channels share the cores.
Results do not depend on the threads: a channel is searched by one thread at a time, and nothing
is shared between channels until all of them are done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from twitchsense.dsp.engine import kernels
from twitchsense.threads import usable_threads


def max_threads() -> int:
    """Return how many channels may be searched at once.

    Without the compiled engine one, because scipy's filters hold the interpreter's lock.

    Returns
    -------
    int

    Raises
    ------
    InputError
        As `usable_threads`.
    """
    return 1 if kernels() is None else usable_threads()


class ChannelThreads:
    """Runs the searches of several channels, in threads where there are cores for them.

    Parameters
    ----------
    n_channels : int
    """

    def __init__(self, n_channels: int) -> None:
        threads = min(n_channels, max_threads())
        # the calling thread is one of them
        self._pool = ThreadPoolExecutor(threads - 1, "channel") if threads > 1 else None

    def run(self, searches: Sequence[Callable[[], None]]) -> None:
        """Run all searches, and wait for them.

        Parameters
        ----------
        searches : sequence of callable
            The longest first.
        """
        if self._pool is None or len(searches) < 2:
            for search in searches:
                search()
            return
        others = [self._pool.submit(search) for search in searches[1:]]
        try:
            searches[0]()
            for search, other in zip(searches[1:], others, strict=True):
                if other.cancel():  # it has not begun, and this thread is free
                    search()
        finally:
            for other in others:
                if not other.cancelled():
                    other.result()

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()
