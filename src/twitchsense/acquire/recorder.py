"""All wearables of a night into one file: about once a second, what came goes to the disk."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from twitchsense.acquire.adapter import Radio
from twitchsense.acquire.frame_queue import Inbox, Stored, decode
from twitchsense.acquire.session import Session
from twitchsense.acquire.status import Pace
from twitchsense.nightfile.records import Record
from twitchsense.nightfile.schema import StorageError
from twitchsense.nightfile.writer import NightFile

log = logging.getLogger(__name__)

PERIOD_S: Final = 1.0


def host_clock() -> Callable[[], int]:
    """Return a clock of UTC in ns that never jumps, and goes on while the computer sleeps."""
    # where there is none that counts sleep (macOS counts it in this one)
    number = getattr(time, "CLOCK_BOOTTIME", None)

    def ticks() -> int:
        return time.monotonic_ns() if number is None else time.clock_gettime_ns(number)

    base = time.time_ns() - ticks()
    return lambda: base + ticks()


class Recorder:
    """Records one or more wearables into one night file.

    Parameters
    ----------
    radio : Radio
    night : NightFile
        Its meta data hold the session id of the night.
    addresses : sequence of str
        Address or name of each wearable.
    now_ns : callable
        UTC in ns: one clock for all of them.
    inline : bool
        Write on the event loop instead of a thread: for virtual time, which must not run
        on while a thread works.
    period_s : float
        Between commits.
    on_stored : callable, optional
        Called on the event loop with the frames of each commit.
    """

    def __init__(
        self,
        radio: Radio,
        night: NightFile,
        addresses: Sequence[str],
        *,
        now_ns: Callable[[], int],
        inline: bool = False,
        period_s: float = PERIOD_S,
        on_stored: Callable[[list[Stored]], None] | None = None,
        pace: Pace | None = None,
    ) -> None:
        number = int(night.meta()["session"])
        self.night = night
        self.inbox = Inbox()
        self.storage_error = ""
        turn = asyncio.Lock()
        self.sessions = [
            Session(radio, a, number, night, self.inbox, now_ns, self.flush, turn, pace or Pace())
            for a in addresses
        ]
        self._period_s = period_s
        self._on_stored = on_stored
        self._pool = None if inline else ThreadPoolExecutor(1, "night")
        self._turn = asyncio.Lock()
        self._records: list[Record] = []
        self._frames: list[Stored] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Record until `stop` is set, then stop the wearables and write what is left.

        Raises
        ------
        StorageError
            If the last frames could not be written.
        """
        tasks = [asyncio.create_task(s.run(stop)) for s in self.sessions]
        try:
            while not all(t.done() for t in tasks):
                await asyncio.wait(tasks, timeout=self._period_s)
                await self.flush()
            for task in tasks:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.flush()
            if self._pool is not None:
                self._pool.shutdown()
        if self.storage_error:
            raise StorageError(self.storage_error)

    async def flush(self) -> None:
        """Write what came. If the disk refuses, keep it and try again next time."""
        async with self._turn:
            items = self.inbox.take()
            if items:
                records, frames = decode(items)
                self._records += records
                self._frames += frames
            if not self._records:
                return
            self.inbox.held = len(self._records)
            try:
                if self._pool is None:
                    self.night.write(self._records)
                else:
                    loop = asyncio.get_running_loop()
                    await loop.run_in_executor(self._pool, self.night.write, self._records)
            except StorageError as error:
                if not self.storage_error:
                    log.error("%s", error)
                self.storage_error = str(error)
                return
            self.storage_error = ""
            self.inbox.held = 0
            frames, self._records, self._frames = self._frames, [], []
        for frame in frames:
            frame.lane.on_stored(frame)
        if self._on_stored is not None and frames:
            self._on_stored(frames)


def new_meta() -> dict[str, str]:
    """Return what a new night file must know."""
    return {"session": str(secrets.randbelow(2**32 - 1) + 1)}
