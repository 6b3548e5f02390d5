"""Requests to the control point of twitchsense v1: its state, its clock, and the start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from twitchsense.acquire.connection import (
    RESPONSE_TIMEOUT_S,
    Connection,
    DeviceConnectionError,
    FailureReason,
)
from twitchsense.devices.contract import Message, PacketError
from twitchsense.devices.v1 import v1_control, v1_frames
from twitchsense.devices.v1.v1_control import (
    ControlResponse,
    DeviceState,
    ResponseStatus,
    decode_response,
)
from twitchsense.nightfile.records import Boot, ClockReading


class ControlPoint:
    """The control point of a connected device: each request has a token, its response the same.

    Parameters
    ----------
    connection : Connection
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._token = 0
        self._pending: dict[int, asyncio.Future[ControlResponse]] = {}

    async def subscribe(self) -> None:
        """Subscribe to the responses; required before `request`.

        Raises
        ------
        DeviceConnectionError
            If the subscription fails or the connection ends.
        """
        await self._connection.subscribe(v1_frames.CONTROL_UUID, self._on_response)

    async def request(self, encode: Callable[[int], bytes]) -> ControlResponse:
        """Write a request and wait for its response.

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
            await self._connection.write(v1_frames.CONTROL_UUID, encode(token))
            return await self._connection.wait_for(_await_future(response), RESPONSE_TIMEOUT_S)
        finally:
            self._pending.pop(token, None)

    def _on_response(self, message: Message) -> None:
        try:
            response = decode_response(message.data)
        except PacketError:
            return  # the request times out
        pending = self._pending.get(response.token)
        if pending is not None and not pending.done():
            pending.set_result(response)


async def _await_future(future: asyncio.Future[ControlResponse]) -> ControlResponse:
    return await future


def require_state(response: ControlResponse) -> DeviceState:
    """Return the device state in a response.

    Parameters
    ----------
    response : ControlResponse
        Response of the control point.

    Returns
    -------
    DeviceState

    Raises
    ------
    DeviceConnectionError
        If the response holds no state.
    """
    if response.state is None:
        raise DeviceConnectionError(
            FailureReason.SILENT, f"{response.op.name} answered {response.status.name}"
        )
    return response.state


async def start_device(
    control: ControlPoint, session_id: int, on_take_over: Callable[[int], None]
) -> DeviceState:
    """Start sampling, taking the device over from another session if necessary.

    Parameters
    ----------
    control : ControlPoint
    session_id : int
        Session id of the night.
    on_take_over : callable
        Called with the id of the session that is ended, if there is one.

    Returns
    -------
    DeviceState

    Raises
    ------
    DeviceConnectionError
        If the device refuses.
    """
    response = await control.request(
        lambda t: v1_control.encode_start(t, session_id, take_over=False)
    )
    if response.status is ResponseStatus.OTHER_SESSION:
        on_take_over(require_state(response).session)
        response = await control.request(
            lambda t: v1_control.encode_start(t, session_id, take_over=True)
        )
    if response.status is not ResponseStatus.OK:
        raise DeviceConnectionError(FailureReason.SILENT, f"START answered {response.status.name}")
    return require_state(response)


async def read_clock(control: ControlPoint, device: str, now_ns: Callable[[], int]) -> ClockReading:
    """Read the device's clock and boot count.

    Parameters
    ----------
    control : ControlPoint
    device : str
        Key of the device.
    now_ns : callable
        Returns UTC in ns; read before the request and after the response.

    Returns
    -------
    ClockReading

    Raises
    ------
    DeviceConnectionError
        If the response holds no clock.
    """
    sent_ns = now_ns()
    response = await control.request(v1_control.encode_clock)
    if response.clock is None:
        raise DeviceConnectionError(FailureReason.SILENT, f"CLOCK answered {response.status.name}")
    ticks, count = response.clock
    return ClockReading(Boot(device, count), ticks, sent_ns, now_ns())
