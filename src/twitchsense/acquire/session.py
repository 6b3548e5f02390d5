"""One wearable for one night: connect, subscribe, start, mend, and begin again when it breaks.

The session decides what is missing and says what is lost; it never decodes samples and
never touches the disk. `Recorder` does that and tells the session what is stored.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from typing import Final

from twitchsense.acquire.adapter import Radio, RadioError, Sighting
from twitchsense.acquire.connection import Link, LinkError, LinkReason, open_link
from twitchsense.acquire.frame_queue import Arrival, Inbox, Lane, Stored
from twitchsense.acquire.frame_tracker import Ledger
from twitchsense.acquire.retransmit import OVERFLOW, Backfill, state_of
from twitchsense.acquire.status import Pace, Progress
from twitchsense.devices import v1_control, v1_frames
from twitchsense.devices.packet import PacketError
from twitchsense.devices.v1_control import State, Status
from twitchsense.errors import InputError, TwitchsenseError
from twitchsense.nightfile.records import (
    Battery,
    Boot,
    ClockReading,
    Device,
    LinkEvent,
    Loss,
    Record,
    Start,
)
from twitchsense.nightfile.schema import StorageError
from twitchsense.nightfile.writer import NightFile

log = logging.getLogger(__name__)

REBOOT: Final = "reboot"

_SCAN_S: Final = 10.0
_TICK_S: Final = 0.5  # how often holes are looked for
_CLOCK_S: Final = 600.0
_STALL_S: Final = 10.0  # connected, but no data for this long: a broken connection
_FAREWELL_S: Final = 5.0  # at the end, without a frame that was asked for


class SessionError(TwitchsenseError):
    """A session has ended at a fault of twitchsense; what came until then is in the night.

    Parameters
    ----------
    address : str
    cause : Exception
    """

    def __init__(self, address: str, cause: Exception) -> None:
        super().__init__(
            f"{address}: recording has ended at a fault of twitchsense ({cause!r}); what came "
            "is in the night: record on into it, and report this with the messages above"
        )


@dataclass
class Session:
    """One wearable for one night.

    Parameters
    ----------
    radio : Radio
    address : str
        Address or name of the device.
    number : int
        Session id of the night, not 0.
    night : NightFile
        Read once for each boot, to go on with.
    inbox : Inbox
    now_ns : callable
        UTC in ns.
    flush : callable
        Writes what came, and returns when it is on disk.
    turn : asyncio.Lock
        Held while scanning and connecting, shared by all sessions.
    """

    radio: Radio
    address: str
    number: int
    night: NightFile
    inbox: Inbox
    now_ns: Callable[[], int]
    flush: Callable[[], Awaitable[None]]
    turn: asyncio.Lock
    pace: Pace = field(default_factory=Pace)
    rng: random.Random = field(default_factory=random.Random)
    progress: Progress = field(default_factory=Progress)
    ledgers: dict[Boot, Ledger] = field(default_factory=dict)
    current: Ledger | None = None
    _key: str = ""
    _backfill: Backfill | None = None
    _last_data: float = 0.0
    _acked: int = -1
    _known_device: bool = False
    #: What keeps others off each address that the wearable was seen under.
    _claims: dict[str, ExitStack] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Record until `stop` is set.

        Raises
        ------
        SessionError
            At a fault of twitchsense, which trying again would not mend.
        """
        try:
            await self._run(stop)
        finally:
            while self._claims:
                self._claims.popitem()[1].close()

    async def _run(self, stop: asyncio.Event) -> None:
        failures = 0
        ended = False
        while not stop.is_set():
            try:
                async with AsyncExitStack() as stack:
                    # computers dislike two scans or two attempts to connect at once
                    async with self.turn:
                        sighting = await self._find()
                        link = await stack.enter_async_context(open_link(self.radio, sighting))
                    started = await self._begin(link, sighting)
                    failures = 0
                    await self._stream(link, started, stop)
                    ended = True
            except (LinkError, RadioError) as error:
                self.progress.last_error = str(error)
                self._note("failed" if not self.progress.connected else "lost", str(error))
            except PacketError as error:
                self.progress.last_error = str(error)
                self._note("refused", str(error))
            except (OSError, StorageError) as error:
                self.progress.last_error = str(error)
                self._note("error", str(error))
            except Exception as error:
                # links and radios turn the errors of back ends into theirs: this is our fault,
                # and to try again for the rest of the night would hide it
                log.exception("%s: a fault of twitchsense", self.address)
                self.progress.last_error = repr(error)
                self._note("error", repr(error))
                raise SessionError(self.address, error) from error
            finally:
                self.progress.connected = False
            if stop.is_set():
                break
            await _sleep(self.pace.delay(failures, self.rng), stop)
            failures += 1
        if not ended:
            # until now it was tried in vain: that belongs to the night
            self._note("stopped", "without a connection")

    def stored(self, frame: Stored) -> None:
        """Take note that a frame is on disk."""
        ledger = self.ledgers.get(frame.lane.boot)
        if ledger is not None and ledger.store(frame.frame.seq):
            self.progress.count(frame)
        if self._backfill is not None and frame.lane.boot == self._backfill.ledger.boot:
            self._backfill.came(frame.frame)

    # -- connecting ----------------------------------------------------------------

    async def _find(self) -> Sighting:
        for sighting in await self.radio.scan(_SCAN_S, self.address):
            if sighting.answers_to(self.address):
                self._claim(sighting.address)
                return sighting
        raise LinkError(LinkReason.NOT_FOUND, f"{self.address} does not advertise")

    def _claim(self, address: str) -> None:
        """Keep others off the wearable until the night is over, outages included."""
        if address in self._claims:
            return
        claim = ExitStack()
        try:
            claim.enter_context(self.radio.claim(address))
        except InputError as error:
            raise LinkError(LinkReason.TAKEN, f"{address} {error.problem}") from error
        self._claims[address] = claim

    async def _begin(self, link: Link, sighting: Sighting) -> Lane:
        raw = await link.read(v1_frames.INFO)
        info = v1_frames.decode_info(raw)
        self._key = f"{info.device:016X}"
        if not self._known_device:
            serial = await link.read_text(v1_frames.SERIAL)
            firmware = await link.read_text(v1_frames.FIRMWARE)
            place = (sighting.address, sighting.name, serial, firmware)
            self._put(Device(self._key, *place, raw))
            self._known_device = True
        await self._read_battery(link)
        # data may come as soon as they are subscribed: the lane must be known before
        await link.subscribe_answers()
        reading, boot = await self._read_clock(link)
        before = state_of(await link.ask(v1_control.status))
        if before.next < self.night.stop(boot):
            # its frames would be taken for those that have their numbers already
            raise LinkError(
                LinkReason.FOREIGN,
                "its frames are numbered anew but its boot count did not rise: "
                "record it into another night",
            )
        lane = Lane(info, boot, before.next, self.stored)
        self._last_data = asyncio.get_running_loop().time()
        await link.subscribe(lambda data: self._take(lane, data))
        state = await self._start(link)
        await self.flush()  # what came on the connection before is on disk, or not missing yet
        self._put(reading)
        self._enter(boot, before, state)
        self.progress.connected = True
        self.progress.connections += 1
        if self.progress.since is None:
            self.progress.since = asyncio.get_running_loop().time()
        detail = f"boot {boot.count}, ring {state.oldest} to {state.next}, dropped {state.dropped}"
        self._note("connected", detail)
        return lane

    async def _start(self, link: Link) -> State:
        answer = await link.ask(lambda t: v1_control.start(t, self.number, take_over=False))
        if answer.status is Status.OTHER_SESSION:
            self._note("take_over", f"session {state_of(answer).session:08x} ended")
            answer = await link.ask(lambda t: v1_control.start(t, self.number, take_over=True))
        if answer.status is not Status.OK:
            raise LinkError(LinkReason.SILENT, f"START answered {answer.status.name}")
        return state_of(answer)

    async def _read_clock(self, link: Link) -> tuple[ClockReading, Boot]:
        sent = self.now_ns()
        answer = await link.ask(v1_control.clock)
        if answer.clock is None:
            raise LinkError(LinkReason.SILENT, f"CLOCK answered {answer.status.name}")
        ticks, count = answer.clock
        boot = Boot(self._key, count)
        return ClockReading(boot, ticks, sent, self.now_ns()), boot

    async def _read_battery(self, link: Link) -> None:
        self.progress.battery = await link.read_percent(v1_frames.BATTERY)
        if self.progress.battery is not None:
            self._put(Battery(self._key, self.now_ns(), self.progress.battery))

    def _enter(self, boot: Boot, before: State, state: State) -> None:
        """Open the ledger of a boot; close that of the boot before."""
        if boot not in self.ledgers:
            known = self.night.known(boot)
            # frames made before our START are not ours, unless it was ours already
            ours = before.session == self.number
            begin = self.night.start(boot)
            if begin is None:
                begin = before.oldest if ours else state.next
                self._put(Start(boot, begin, self.now_ns()))
            self.ledgers[boot] = Ledger(boot, begin, known, self.night.losses(boot))
            for count in self.night.boots(boot.device):
                if count != boot.count:
                    self._close_boot(Boot(boot.device, count))
        self.current = self.ledgers[boot]
        self.current.expect(state.next)
        self._backfill = Backfill(self.current, self._give_up)
        self._acked = -1
        self._give_up(0, state.oldest - 1, OVERFLOW)

    def _close_boot(self, boot: Boot) -> None:
        """Give up what a device forgot when it started anew."""
        if self.night.is_closed(boot):
            return
        ledger = self.ledgers.get(boot)
        if ledger is None:
            begin = self.night.start(boot) or 0
            known, lost = self.night.known(boot), self.night.losses(boot)
            ledger = Ledger(boot, begin, known, lost)
            self.ledgers[boot] = ledger
        for first, last in ledger.missing():
            self._lose(ledger, first, last, REBOOT)
        # nobody knows how many frames were made after the last we know of
        self._put(Loss(boot, ledger.expected, None, REBOOT, self.now_ns()))

    # -- streaming -------------------------------------------------------------------

    def _take(self, lane: Lane, data: bytes) -> None:
        """Stamp a notification and put it away: all that happens in the callback."""
        self._last_data = asyncio.get_running_loop().time()
        self.inbox.put(Arrival(lane, self.now_ns(), data))

    async def _stream(self, link: Link, lane: Lane, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        next_ack = next_clock = loop.time()
        while not stop.is_set():
            now = loop.time()
            if link.lost.is_set():
                raise LinkError(LinkReason.LOST, "the connection was lost")
            if now - self._last_data > _STALL_S:
                raise LinkError(LinkReason.STALLED, f"no data for {_STALL_S:g} s")
            await self._mend(link)
            if now >= next_ack:
                await self._acknowledge(link)
                next_ack = now + 1.0
            if now >= next_clock:
                self._put((await self._read_clock(link))[0])
                await self._read_battery(link)
                next_clock = now + _CLOCK_S
            with_stop = asyncio.ensure_future(stop.wait())
            with_loss = asyncio.ensure_future(link.lost.wait())
            await asyncio.wait(
                {with_stop, with_loss}, timeout=_TICK_S, return_when=asyncio.FIRST_COMPLETED
            )
            with_stop.cancel()
            with_loss.cancel()
        await self._end(link)

    async def _end(self, link: Link) -> None:
        """Stop sampling, and fetch what is still there."""
        await link.ask(lambda t: v1_control.stop(t, self.number))
        state = state_of(await link.ask(v1_control.status))
        assert self.current is not None
        self.current.expect(state.next)
        await self.flush()  # what came but is not on disk yet is not missing
        loop = asyncio.get_running_loop()
        quiet_since, before = loop.time(), -1
        while self.current.missing() and loop.time() - quiet_since < _FAREWELL_S:
            await self._mend(link)
            await asyncio.sleep(_TICK_S)
            if self.current.received != before:
                quiet_since, before = loop.time(), self.current.received
        self.progress.missing = sum(b - a + 1 for a, b in self.current.missing())
        await self._acknowledge(link)
        self._note("stopped", "")

    async def _mend(self, link: Link) -> None:
        assert self._backfill is not None
        await self._backfill.ask(link)
        self.progress.missing = self._backfill.missing
        self.progress.made = sum(ledger.expected - ledger.begin for ledger in self.ledgers.values())

    async def _acknowledge(self, link: Link) -> None:
        ledger = self.current
        assert ledger is not None
        point = ledger.ack_point()
        if point is not None and point > self._acked:
            answer = await link.ask(lambda t: v1_control.ack(t, point))
            if answer.state is not None:
                self._acked = point

    # -- notes ----------------------------------------------------------------------

    def _give_up(self, first: int, last: int, reason: str) -> None:
        if self.current is not None:
            self._lose(self.current, first, min(last, self.current.expected - 1), reason)

    def _lose(self, ledger: Ledger, first: int, last: int, reason: str) -> None:
        for start, stop in ledger.give_up(first, last):
            self._put(Loss(ledger.boot, start, stop, reason, self.now_ns()))
            self.progress.lost += stop - start + 1

    def _note(self, event: str, detail: str) -> None:
        log.info("%s: %s %s", self.address, event, detail)
        self._put(LinkEvent(self._key or self.address, self.now_ns(), event, detail))

    def _put(self, record: Record) -> None:
        self.inbox.note(record)


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    waiting = asyncio.ensure_future(stop.wait())
    await asyncio.wait({waiting}, timeout=seconds)
    waiting.cancel()
