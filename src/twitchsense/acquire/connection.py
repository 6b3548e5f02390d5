"""One GATT connection to a wearable, over bleak. A connection that ended is not reused."""

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
from twitchsense.devices import v1_frames
from twitchsense.devices.contract import PacketError
from twitchsense.devices.v1_control import ControlResponse, decode_response
from twitchsense.errors import TwitchsenseError

log = logging.getLogger(__name__)

#: Maximum wait (s) for a GATT operation or a response. Longer than any supervision timeout that
#: is requested, so that a lost connection is reported as lost and not as a timeout.
_RESPONSE_TIMEOUT_S: Final = 10.0
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

    def __init__(self, client: BleakClient, lost: asyncio.Event) -> None:
        self.lost = lost
        self._client = client
        self._token = 0
        self._pending: dict[int, asyncio.Future[ControlResponse]] = {}

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
        return bytes(await self._wait_connected(self._client.read_gatt_char(uuid)))

    async def read_text(self, uuid: str) -> str:
        """Read a text characteristic.

        Parameters
        ----------
        uuid : str
            UUID of the characteristic.

        Returns
        -------
        str
            Empty if the device does not have the characteristic.

        Raises
        ------
        DeviceConnectionError
            If the connection ends.
        """
        return (await self._read_optional(uuid)).decode("utf-8", "replace").strip("\0")

    async def read_percent(self, uuid: str) -> int | None:
        """Read a percentage, such as the battery level.

        Parameters
        ----------
        uuid : str
            UUID of the characteristic.

        Returns
        -------
        int or None
            None if the device does not have the characteristic or the value is invalid.

        Raises
        ------
        DeviceConnectionError
            If the connection ends.
        """
        data = await self._read_optional(uuid)
        return data[0] if len(data) == 1 and data[0] <= 100 else None

    async def _read_optional(self, uuid: str) -> bytes:
        try:
            return await self.read(uuid)
        except DeviceConnectionError:
            if self.lost.is_set():
                raise
            return b""

    async def subscribe_responses(self) -> None:
        """Subscribe to the control point; required before `request`.

        Raises
        ------
        DeviceConnectionError
            If the subscription fails or the connection ends.
        """
        start = self._client.start_notify(v1_frames.CONTROL_UUID, self._on_response)
        await self._wait_connected(start)

    async def subscribe_data(self, on_data: Callable[[bytes], None]) -> None:
        """Subscribe to the data characteristic.

        Parameters
        ----------
        on_data : callable
            Called with the value of each notification. It runs in bleak's callback and must
            return at once.

        Raises
        ------
        DeviceConnectionError
            If the subscription fails or the connection ends.
        """

        def on_notification(_: BleakGATTCharacteristic, data: bytearray) -> None:
            on_data(bytes(data))

        start = self._client.start_notify(v1_frames.DATA_UUID, on_notification)
        await self._wait_connected(start)

    async def request(self, encode: Callable[[int], bytes]) -> ControlResponse:
        """Write a request to the control point and wait for its response.

        Parameters
        ----------
        encode : callable
            Returns the bytes of the request for a token (1-255).

        Returns
        -------
        ControlResponse
            The response that carries the same token.

        Raises
        ------
        DeviceConnectionError
            If no response arrives in time or the connection ends.
        """
        self._token = self._token % 255 + 1
        token = self._token
        response: asyncio.Future[ControlResponse] = asyncio.get_running_loop().create_future()
        self._pending[token] = response
        try:
            write = self._client.write_gatt_char(
                v1_frames.CONTROL_UUID, encode(token), response=True
            )
            await self._wait_connected(write)
            return await self._wait_connected(_await_future(response))
        finally:
            self._pending.pop(token, None)

    def _on_response(self, _: BleakGATTCharacteristic, data: bytearray) -> None:
        try:
            response = decode_response(bytes(data))
        except PacketError:
            return  # the request times out
        pending = self._pending.get(response.token)
        if pending is not None and not pending.done():
            pending.set_result(response)

    async def _wait_connected(self, work: Coroutine[Any, Any, T]) -> T:
        """Await `work`, but no longer than the connection lasts and the timeout allows."""
        task = asyncio.ensure_future(work)
        lost = asyncio.ensure_future(self.lost.wait())
        try:
            await asyncio.wait(
                {task, lost}, timeout=_RESPONSE_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
            )
            if task.done() and not task.cancelled():
                with _translate_errors(FailureReason.LOST):
                    return task.result()
            if lost.done():
                raise DeviceConnectionError(FailureReason.LOST, "the connection was lost")
            raise DeviceConnectionError(
                FailureReason.SILENT, f"no answer for {_RESPONSE_TIMEOUT_S:g} s"
            )
        finally:
            task.cancel()
            lost.cancel()
            await asyncio.wait({task, lost})
            if not task.cancelled():
                task.exception()  # retrieved, so that asyncio does not warn about it


async def _await_future(future: asyncio.Future[ControlResponse]) -> ControlResponse:
    return await future


@asynccontextmanager
async def open_connection(
    adapter: Adapter, advertisement: Advertisement
) -> AsyncIterator[Connection]:
    """Connect to a wearable; disconnect on exit, whatever happened.

    Parameters
    ----------
    adapter : Adapter
        Creates the client.
    advertisement : Advertisement
        The device, as found by `Adapter.scan`.

    Yields
    ------
    Connection

    Raises
    ------
    DeviceConnectionError
        If the connection fails, or the device does not have the twitchsense service.
    """
    lost = asyncio.Event()
    client = adapter.make_client(advertisement.device, lost.set)
    try:
        with _translate_errors(FailureReason.CONNECT):
            await asyncio.wait_for(client.connect(), _CONNECT_TIMEOUT_S)
            data = client.services.get_characteristic(v1_frames.DATA_UUID)
        if data is None:
            raise DeviceConnectionError(
                FailureReason.FOREIGN, "the device has no twitchsense service"
            )
        yield Connection(client, lost)
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
