"""Detection beside recording: in a thread of its own, and more at a time when there is more.

What a detector costs is mostly per call, whatever the length of what it is given. So the
frames that came since its last turn are joined: with one wearable those of a tenth of a
second, with fifty as many as came while it was busy with the others. The detector finds
the same in every cutting.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from twitchsense.acquire.inbox import Lane, Stored
from twitchsense.devices.twitch import MARKER, Frame, Info

log = logging.getLogger(__name__)

#: Frames that may wait: a minute of fifty wearables. More are left out of what is shown.
LIMIT: Final = 60_000


class Aside:
    """Hands frames on in a thread, so that recording never waits for it.

    Parameters
    ----------
    show : callable
        Called in the thread, with joined frames. If it fails, nothing more is shown, and
        the recording goes on.
    limit : int
        Frames that may wait.

    Attributes
    ----------
    left_out : int
        Frames that found no room. They are on disk.
    """

    def __init__(self, show: Callable[[list[Stored]], None], limit: int = LIMIT) -> None:
        self.left_out = 0
        self._show = show
        self._limit = limit
        self._queue: queue.SimpleQueue[list[Stored] | None] = queue.SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._thread.start()

    def put(self, frames: list[Stored]) -> None:
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
            frames: list[Stored] = []
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
                self._show(join_frames(frames))
            except Exception:
                failed = True
                log.exception("live: stopped looking for movements; the recording goes on")


def join_frames(stored: Iterable[Stored]) -> list[Stored]:
    """Join frames of one stream that follow each other without a gap.

    Parameters
    ----------
    stored : iterable of Stored
        Of any number of connections.

    Returns
    -------
    list of Stored
        Of each connection and stream in order. A joined frame has the time of its last
        part. Replayed frames and markers are not joined.
    """
    done: dict[int, list[list[Stored]]] = {}
    open_: dict[tuple[int, int], list[Stored]] = {}
    for one in stored:
        key = id(one.lane), one.frame.type
        last = open_.get(key)
        if last is not None and _follows(one.lane.info, last[-1].frame, one.frame):
            last.append(one)
            continue
        open_[key] = [one]
        done.setdefault(key[0], []).append(open_[key])
    return [_join(part) for parts in done.values() for part in parts]


def _follows(info: Info, before: Frame, after: Frame) -> bool:
    """Tell whether a frame begins one sample after another ended."""
    stream = info.by_id.get(after.type)
    if after.type == MARKER or stream is None or before.replayed or after.replayed:
        return False
    period = info.tick_hz / stream.fs
    ticks = (after.ticks - before.ticks) % (1 << 32)
    return abs(ticks - len(before.samples) * period) < period / 2


def _join(parts: list[Stored]) -> Stored:
    if len(parts) == 1:
        return parts[0]
    first, last = parts[0].frame, parts[-1]
    lane: Lane = last.lane
    samples = np.concatenate([p.frame.samples for p in parts])
    return Stored(lane, replace(first, samples=samples), last.arrival_ns)
