"""One connection to a wearable, over bleak. It is used once and thrown away."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from typing import Any, Final, TypeVar

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakError

from twitchsense.acquire.adapter import Radio, Sighting
from twitchsense.devices import v1_frames
from twitchsense.devices.packet import PacketError
from twitchsense.devices.v1_control import Response, decode_response
from twitchsense.errors import TwitchsenseError

log = logging.getLogger(__name__)

#: Longer than any supervision timeout we ask for, so that the loss is told first.
_ANSWER_S: Final = 10.0
_CONNECT_S: Final = 30.0
_CLOSE_S: Final = 5.0


T = TypeVar("T")


class LinkReason(StrEnum):
    """Why there is no connection any more."""

    NOT_FOUND = "not_found"
    TAKEN = "taken"
    CONNECT = "connect"
    LOST = "lost"
    FOREIGN = "foreign"
    SILENT = "silent"
    STALLED = "stalled"


class LinkError(TwitchsenseError):
    """The connection can't be made, or has ended.

    Parameters
    ----------
    reason : LinkReason
    detail : str
    """

    def __init__(self, reason: LinkReason, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else str(reason))


class Link:
    """A connection that is up. Get one from `open_link`."""

    def __init__(self, client: BleakClient, lost: asyncio.Event) -> None:
        self.lost = lost
        self.bad_answers = 0
        self._client = client
        self._token = 0
        self._waiting: dict[int, asyncio.Future[Response]] = {}

    async def read(self, uuid: str) -> bytes:
        """Read a characteristic.

        Raises
        ------
        LinkError
        """
        return bytes(await self._guard(self._client.read_gatt_char(uuid)))

    async def read_text(self, uuid: str) -> str:
        """Read a text, or return an empty one if the device has none."""
        return (await self._read_optional(uuid)).decode("utf-8", "replace").strip("\0")

    async def read_percent(self, uuid: str) -> int | None:
        """Read a percentage, or return None if the device has none or one that can't be."""
        data = await self._read_optional(uuid)
        return data[0] if len(data) == 1 and data[0] <= 100 else None

    async def _read_optional(self, uuid: str) -> bytes:
        try:
            return await self.read(uuid)
        except LinkError:
            if self.lost.is_set():
                raise
            return b""

    async def subscribe_answers(self) -> None:
        """Take the answers of the control point, which `ask` needs.

        Raises
        ------
        LinkError
        """
        await self._guard(self._client.start_notify(v1_frames.CONTROL, self._on_answer))

    async def subscribe(self, on_data: Callable[[bytes], None]) -> None:
        """Take data; `on_data` must only put them away.

        Raises
        ------
        LinkError
        """

        def take(_: BleakGATTCharacteristic, data: bytearray) -> None:
            on_data(bytes(data))

        await self._guard(self._client.start_notify(v1_frames.DATA, take))

    async def ask(self, request: Callable[[int], bytes]) -> Response:
        """Send a request, made with a token, and wait for its answer.

        Raises
        ------
        LinkError
        """
        self._token = self._token % 255 + 1
        token = self._token
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting[token] = answer
        try:
            await self._guard(
                self._client.write_gatt_char(v1_frames.CONTROL, request(token), response=True)
            )
            return await self._guard(_wait(answer))
        finally:
            self._waiting.pop(token, None)

    def _on_answer(self, _: BleakGATTCharacteristic, data: bytearray) -> None:
        try:
            response = decode_response(bytes(data))
        except PacketError:
            self.bad_answers += 1  # the asker runs into its time limit
            return
        waiting = self._waiting.get(response.token)
        if waiting is not None and not waiting.done():
            waiting.set_result(response)

    async def _guard(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for work, but not longer than the connection lives."""
        task = asyncio.ensure_future(work)
        lost = asyncio.ensure_future(self.lost.wait())
        try:
            await asyncio.wait({task, lost}, timeout=_ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
            if task.done() and not task.cancelled():
                with _back_end(LinkReason.LOST):
                    return task.result()
            if lost.done():
                raise LinkError(LinkReason.LOST, "the connection was lost")
            raise LinkError(LinkReason.SILENT, f"no answer for {_ANSWER_S:g} s")
        finally:
            task.cancel()
            lost.cancel()
            await asyncio.wait({task, lost})
            if not task.cancelled():
                task.exception()  # seen: nobody else will look


async def _wait(answer: asyncio.Future[Response]) -> Response:
    return await answer


@asynccontextmanager
async def open_link(radio: Radio, sighting: Sighting) -> AsyncIterator[Link]:
    """Connect; disconnect at the end, whatever happened.

    Raises
    ------
    LinkError
    """
    lost = asyncio.Event()
    client = radio.make_client(sighting.device, lost.set)
    try:
        with _back_end(LinkReason.CONNECT):
            await asyncio.wait_for(client.connect(), _CONNECT_S)
            data = client.services.get_characteristic(v1_frames.DATA)
        if data is None:
            raise LinkError(LinkReason.FOREIGN, "the device has no twitchsense service")
        yield Link(client, lost)
    finally:
        with contextlib.suppress(LinkError), _back_end(LinkReason.LOST):
            await asyncio.wait_for(client.disconnect(), _CLOSE_S)


@contextmanager
def _back_end(reason: LinkReason) -> Iterator[None]:
    """Turn every error of bleak and what it stands on into one of the connection.

    Back ends have errors that nobody has listed; none of them may end a night. Nothing of
    ours is called in here, so that our own faults are not taken for theirs.
    """
    try:
        yield
    except (BleakError, OSError, EOFError) as error:
        raise LinkError(reason, str(error) or type(error).__name__) from error
    except Exception as error:
        log.warning("unexpected error of the Bluetooth back end", exc_info=True)
        raise LinkError(reason, repr(error)) from error
