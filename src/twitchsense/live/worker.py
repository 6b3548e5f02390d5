"""Detection beside recording: in a thread of its own, and more at a time when there is more.

What a detector costs is mostly per call, whatever the length of what it is given. So it
gets all frames that came since its last turn: with one wearable those of a tenth of a
second, with fifty as many as came while it was busy with the others. It finds the same
in every cutting.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Final

from twitchsense.acquire.frame_queue import StoredFrame

log = logging.getLogger(__name__)

#: Frames that may wait: a minute of fifty wearables. More are left out of what is shown.
MAX_QUEUED_FRAMES: Final = 60_000


class DetectionWorker:
    """Hands frames on in a thread, so that recording never waits for it.

    Parameters
    ----------
    show : callable
        Called in the thread, with frames of any number of wearables. If it fails, nothing
        more is shown, and the recording goes on.
    limit : int
        Frames that may wait.

    Attributes
    ----------
    left_out : int
        Frames that found no room. They are on disk.
    """

    def __init__(
        self, show: Callable[[list[StoredFrame]], None], limit: int = MAX_QUEUED_FRAMES
    ) -> None:
        self.left_out = 0
        self._show = show
        self._limit = limit
        self._queue: queue.SimpleQueue[list[StoredFrame] | None] = queue.SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._thread.start()

    def put(self, frames: list[StoredFrame]) -> None:
        """Take frames that are on disk; returns at once."""
        with self._lock:
            if self._waiting + len(frames) > self._limit:
                if not self.left_out:
                    log.warning("live: this computer is too slow to look for movements in time")
                self.left_out += len(frames)
                return
            self._waiting += len(frames)
        self._queue.put(frames)

    def close(self) -> None:
        """Show what waits, and end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        ended = failed = False
        while not ended:
            frames: list[StoredFrame] = []
            parts = [self._queue.get()]
            while not self._queue.empty():
                parts.append(self._queue.get())
            for part in parts:
                ended = ended or part is None
                frames += part or []
            with self._lock:
                self._waiting -= len(frames)
            if not frames or failed:
                continue
            try:
                self._show(frames)
            except Exception:
                failed = True
                log.exception("live: stopped looking for movements; the recording goes on")
