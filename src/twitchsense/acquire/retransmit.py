"""Asks a wearable for the frames that did not come, some at a time, and knows when to give up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from twitchsense.acquire.connection import Link, LinkError, LinkReason
from twitchsense.acquire.frame_tracker import Ledger
from twitchsense.devices import v1_control
from twitchsense.devices.v1_control import Response, State, Status
from twitchsense.devices.v1_frames import Frame

OVERFLOW: Final = "ring_overflow"
UNREADABLE: Final = "unreadable"

_RANGE: Final = 400  # frames asked for at once: 2 s of a good connection
_RANGES: Final = 4  # asked for and under way
_PATIENCE_S: Final = 8.0  # without a frame sent again, ask again
_TRIES: Final = 5  # a frame that the device holds but that never comes whole


@dataclass
class _Asked:
    """A range under way."""

    first: int
    last: int
    since: float


class Backfill:
    """The holes of one connection's boot.

    Parameters
    ----------
    ledger : Ledger
    give_up : callable
        Takes first, last and the reason.
    """

    def __init__(self, ledger: Ledger, give_up: Callable[[int, int, str], None]) -> None:
        self.ledger = ledger
        self.missing = 0
        self._give_up = give_up
        self._asked: list[_Asked] = []
        self._tries: dict[int, int] = {}

    def came(self, frame: Frame) -> None:
        """Take note that a frame is on disk."""
        self._tries.pop(frame.seq, None)
        if not frame.replayed:
            return
        now = asyncio.get_running_loop().time()
        for asked in self._asked:
            if asked.first <= frame.seq <= asked.last:
                asked.first, asked.since = frame.seq + 1, now
        self._asked = [a for a in self._asked if a.first <= a.last]

    async def ask(self, link: Link) -> None:
        """Ask for holes, as many at a time as may be under way.

        Raises
        ------
        LinkError
        """
        now = asyncio.get_running_loop().time()
        self._asked = [a for a in self._asked if now - a.since < _PATIENCE_S]
        missing = self.ledger.missing()
        self.missing = sum(last - first + 1 for first, last in missing)
        for first, last in missing:
            for start in range(first, last + 1, _RANGE):
                if len(self._asked) >= _RANGES:
                    return
                stop = min(last, start + _RANGE - 1)
                if any(a.first <= stop and start <= a.last for a in self._asked):
                    continue
                if not await self._ask_for(link, start, stop):
                    return

    async def _ask_for(self, link: Link, first: int, last: int) -> bool:
        answer = await link.ask(lambda t: v1_control.resend(t, first, last))
        if answer.status is Status.NOT_STORED:
            state = state_of(await link.ask(v1_control.status))
            self._give_up(first, min(last, state.oldest - 1), OVERFLOW)
            return True
        if answer.range is None:
            return False  # BUSY, or not made yet: later
        start, stop = answer.range
        self._give_up(first, start - 1, OVERFLOW)
        self._asked.append(_Asked(start, stop, asyncio.get_running_loop().time()))
        self._tries[start] = self._tries.get(start, 0) + 1
        if self._tries[start] > _TRIES:
            # the device has it, but it never comes whole: one bad frame must not hold
            # up the acknowledgement of a whole night
            self._give_up(start, start, UNREADABLE)
            self._tries.pop(start)
        return True


def state_of(answer: Response) -> State:
    """Return the state in an answer.

    Raises
    ------
    LinkError
        If it has none.
    """
    if answer.state is None:
        raise LinkError(LinkReason.SILENT, f"{answer.op.name} answered {answer.status.name}")
    return answer.state
