"""Detection in a thread of its own, so that recording never waits for it.

The cost of a detector is mostly per call and hardly depends on the number of samples. The
thread therefore processes all frames that have arrived since its last turn at once: a tenth of
a second with one wearable, more with many. The result does not depend on the chunking.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Final

from twitchsense.acquire.frame_queue import Stored

log = logging.getLogger(__name__)

#: Maximum number of queued frames: a minute of fifty wearables.
MAX_QUEUED_FRAMES: Final = 60_000


class DetectionWorker:
    """Passes frames to a function in a thread.

    Parameters
    ----------
    process : callable
        Called in the thread with frames of any number of wearables. After an exception it is
        not called again; the recording continues.
    limit : int
        Maximum number of queued frames.

    Attributes
    ----------
    n_dropped : int
        Frames that were not processed because the queue was full. They are on disk.
    """

    def __init__(
        self, process: Callable[[list[Stored]], None], limit: int = MAX_QUEUED_FRAMES
    ) -> None:
        self.n_dropped = 0
        self._process = process
        self._limit = limit
        self._queue: queue.SimpleQueue[list[Stored] | None] = queue.SimpleQueue()
        self._n_queued = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._thread.start()

    def put(self, frames: list[Stored]) -> None:
        """Queue frames that are on disk, or drop them if the queue is full."""
        with self._lock:
            if self._n_queued + len(frames) > self._limit:
                if not self.n_dropped:
                    log.warning("live: this computer is too slow to detect movements in time")
                self.n_dropped += len(frames)
                return
            self._n_queued += len(frames)
        self._queue.put(frames)

    def close(self) -> None:
        """Process what is queued and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        closed = failed = False
        while not closed:
            frames: list[Stored] = []
            batches = [self._queue.get()]
            while not self._queue.empty():
                batches.append(self._queue.get())
            for batch in batches:
                closed = closed or batch is None
                frames += batch or []
            with self._lock:
                self._n_queued -= len(frames)
            if not frames or failed:
                continue
            try:
                self._process(frames)
            except Exception:
                failed = True
                log.exception("live: detection stopped after an error; the recording continues")
