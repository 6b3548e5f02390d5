"""One GATT connection to a device, over bleak. A connection that ended is not reused."""

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

from twitchsense.acquire.adapter import Adapter, Advertisement
from twitchsense.devices.contract import Direction, Message
from twitchsense.errors import TwitchsenseError

log = logging.getLogger(__name__)

#: Maximum wait (s) for a GATT operation or a response. Longer than any supervision timeout that
#: is requested, so that a lost connection is reported as lost and not as a timeout.
RESPONSE_TIMEOUT_S: Final = 10.0
#: Maximum time (s) to connect and discover the services.
_CONNECT_TIMEOUT_S: Final = 30.0
#: Maximum time (s) to disconnect.
_DISCONNECT_TIMEOUT_S: Final = 5.0


T = TypeVar("T")


class FailureReason(StrEnum):
    """Why there is no connection. The values appear in the log of the night file."""

    NOT_FOUND = "not_found"
    TAKEN = "taken"
    CONNECT = "connect"
    LOST = "lost"
    FOREIGN = "foreign"
    SILENT = "silent"
    STALLED = "stalled"


class DeviceConnectionError(TwitchsenseError):
    """The connection cannot be established, or has ended.

    Parameters
    ----------
    reason : FailureReason
        Class of the failure.
    detail : str, optional
        Explanation appended to the message.
    """

    def __init__(self, reason: FailureReason, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else str(reason))


class Connection:
    """An established connection; created by `open_connection`.

    Attributes
    ----------
    lost : asyncio.Event
        Set when the connection has ended.
    """

    def __init__(
        self,
        client: BleakClient,
        lost: asyncio.Event,
        now_ns: Callable[[], int],
        on_message: Callable[[Message], None],
    ) -> None:
        self.lost = lost
        self._client = client
        self._now_ns = now_ns
        self._on_message = on_message

    def has(self, uuid: str) -> bool:
        """Return whether the device has a characteristic."""
        with _translate_errors(FailureReason.LOST):
            return self._client.services.get_characteristic(uuid) is not None

    def characteristics(self) -> list[tuple[str, frozenset[str]]]:
        """Return the UUID (lower case) and the properties of each characteristic."""
        with _translate_errors(FailureReason.LOST):
            found = self._client.services.characteristics.values()
            return [(c.uuid.lower(), frozenset(c.properties)) for c in found]

    async def read(self, uuid: str) -> bytes:
        """Read a characteristic.

        Parameters
        ----------
        uuid : str
            UUID of the characteristic.

        Returns
        -------
        bytes

        Raises
        ------
        DeviceConnectionError
            If the read fails or the connection ends.
        """
        value = bytes(await self._wait_connected(self._client.read_gatt_char(uuid)))
        self._pass_on(uuid, Direction.READ, value)
        return value

    async def read_optional(self, uuid: str) -> bytes | None:
        """Read a characteristic that the device may lack.

        Parameters
        ----------
        uuid : str
            UUID of the characteristic.

        Returns
        -------
        bytes or None
            None if it cannot be read.

        Raises
        ------
        DeviceConnectionError
            If the connection ends.
        """
        try:
            return await self.read(uuid)
        except DeviceConnectionError:
            if self.lost.is_set():
                raise
            return None

    async def write(self, uuid: str, data: bytes, *, with_response: bool = True) -> None:
        """Write a characteristic.

        Parameters
        ----------
        uuid : str
            UUID of the characteristic.
        data : bytes
        with_response : bool
            Whether the device confirms the write.

        Raises
        ------
        DeviceConnectionError
            If the write fails or the connection ends.
        """
        # before the write, because the answer may arrive before the confirmation
        self._pass_on(uuid, Direction.WRITE, data)
        write = self._client.write_gatt_char(uuid, data, response=with_response)
        await self._wait_connected(write)

    async def subscribe(self, uuid: str, on_value: Callable[[Message], None] | None = None) -> None:
        """Enable the notifications or indications of a characteristic.

        Parameters
        ----------
        uuid : str
            UUID of the characteristic.
        on_value : callable, optional
            Called with each value. It runs in bleak's callback and must return at once.

        Raises
        ------
        DeviceConnectionError
            If the subscription fails or the connection ends.
        """

        def on_notification(_: BleakGATTCharacteristic, data: bytearray) -> None:
            message = self._pass_on(uuid, Direction.NOTIFY, bytes(data))
            if on_value is not None:
                on_value(message)

        await self._wait_connected(self._client.start_notify(uuid, on_notification))

    def _pass_on(self, uuid: str, direction: Direction, value: bytes) -> Message:
        message = Message(uuid, direction, value, self._now_ns())
        self._on_message(message)
        return message

    async def wait_for(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """Await `work`, but no longer than the connection lasts.

        Parameters
        ----------
        work : coroutine
        timeout_s : float
            Longest wait, s.

        Returns
        -------
        object
            Result of `work`.

        Raises
        ------
        DeviceConnectionError
            If the connection or the time ends before.
        """
        task = asyncio.ensure_future(work)
        lost = asyncio.ensure_future(self.lost.wait())
        try:
            await asyncio.wait({task, lost}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if task.done() and not task.cancelled():
                with _translate_errors(FailureReason.LOST):
                    return task.result()
            if lost.done():
                raise DeviceConnectionError(FailureReason.LOST, "the connection was lost")
            raise DeviceConnectionError(FailureReason.SILENT, f"no answer for {timeout_s:g} s")
        finally:
            task.cancel()
            lost.cancel()
            await asyncio.wait({task, lost})
            if not task.cancelled():
                task.exception()  # retrieved, so that asyncio does not warn about it

    async def _wait_connected(self, work: Coroutine[Any, Any, T]) -> T:
        return await self.wait_for(work, RESPONSE_TIMEOUT_S)


@asynccontextmanager
async def open_connection(
    adapter: Adapter,
    advertisement: Advertisement,
    now_ns: Callable[[], int],
    on_message: Callable[[Message], None],
) -> AsyncIterator[Connection]:
    """Connect to a device; disconnect on exit, whatever happened.

    Parameters
    ----------
    adapter : Adapter
        Creates the client.
    advertisement : Advertisement
        The device, as found by `Adapter.scan`.
    now_ns : callable
        Returns UTC in ns.
    on_message : callable
        Called with every value that is read, written or notified, in this order. It must return
        at once.

    Yields
    ------
    Connection

    Raises
    ------
    DeviceConnectionError
        If the connection fails.
    """
    lost = asyncio.Event()
    client = adapter.make_client(advertisement.device, lost.set)
    try:
        with _translate_errors(FailureReason.CONNECT):
            await asyncio.wait_for(client.connect(), _CONNECT_TIMEOUT_S)
        yield Connection(client, lost, now_ns, on_message)
    finally:
        with contextlib.suppress(DeviceConnectionError), _translate_errors(FailureReason.LOST):
            await asyncio.wait_for(client.disconnect(), _DISCONNECT_TIMEOUT_S)


@contextmanager
def _translate_errors(reason: FailureReason) -> Iterator[None]:
    """Raise every error of bleak and its back ends as `DeviceConnectionError`.

    Back ends raise undocumented errors, none of which may end a night. The block must contain
    calls to bleak only: an error of twitchsense would be mistaken for one of the back end.
    """
    try:
        yield
    except (BleakError, OSError, EOFError) as error:
        raise DeviceConnectionError(reason, str(error) or type(error).__name__) from error
    except Exception as error:
        log.warning("unexpected error of the Bluetooth back end", exc_info=True)
        raise DeviceConnectionError(reason, repr(error)) from error
