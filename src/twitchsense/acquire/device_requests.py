"""Requests to the control point of a connected device: its state, its clock, and the start."""

from __future__ import annotations

from collections.abc import Callable

from twitchsense.acquire.connection import Connection, DeviceConnectionError, FailureReason
from twitchsense.devices import v1_control
from twitchsense.devices.v1_control import ControlResponse, DeviceState, ResponseStatus
from twitchsense.nightfile.records import Boot, ClockReading


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
    connection: Connection, session_id: int, on_take_over: Callable[[int], None]
) -> DeviceState:
    """Start sampling, taking the device over from another session if necessary.

    Parameters
    ----------
    connection : Connection
        The device.
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
    response = await connection.request(
        lambda t: v1_control.encode_start(t, session_id, take_over=False)
    )
    if response.status is ResponseStatus.OTHER_SESSION:
        on_take_over(require_state(response).session)
        response = await connection.request(
            lambda t: v1_control.encode_start(t, session_id, take_over=True)
        )
    if response.status is not ResponseStatus.OK:
        raise DeviceConnectionError(FailureReason.SILENT, f"START answered {response.status.name}")
    return require_state(response)


async def read_clock(
    connection: Connection, device: str, now_ns: Callable[[], int]
) -> ClockReading:
    """Read the device's clock and boot count.

    Parameters
    ----------
    connection : Connection
        The device.
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
    response = await connection.request(v1_control.encode_clock)
    if response.clock is None:
        raise DeviceConnectionError(FailureReason.SILENT, f"CLOCK answered {response.status.name}")
    ticks, count = response.clock
    return ClockReading(Boot(device, count), ticks, sent_ns, now_ns())
