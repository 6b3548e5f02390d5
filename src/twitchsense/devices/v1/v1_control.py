"""Requests and responses of the control point of "twitchsense v1" (docs/protocol.md, 5)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from twitchsense.devices.contract import PacketError
from twitchsense.devices.framing import PacketErrorReason


class Opcode(IntEnum):
    """Operation of a request."""

    START = 1
    STOP = 2
    RESEND = 3
    ACK = 4
    STATUS = 5
    CLOCK = 6


class ResponseStatus(IntEnum):
    """Result of a request."""

    OK = 0
    UNKNOWN_OP = 1
    BAD_LENGTH = 2
    BAD_ARGUMENT = 3
    OTHER_SESSION = 4
    NOT_STORED = 5
    BUSY = 6


_STATE = struct.Struct("<BIIII")
_RANGE = struct.Struct("<II")
_CLOCK = struct.Struct("<QI")
_ANSWER: Final = 0x80
_OPS: Final = frozenset(map(int, Opcode))
_STATUSES: Final = frozenset(map(int, ResponseStatus))
_WITH_STATE: Final = {Opcode.START, Opcode.STOP, Opcode.ACK, Opcode.STATUS}


@dataclass(frozen=True, slots=True)
class DeviceState:
    """State of a device.

    Attributes
    ----------
    boot : int
        Low 8 bits of the boot count.
    session : int
        Session that the device samples for; 0 if it does not sample.
    oldest, next : int
        The ring buffer holds the frames `oldest` to ``next - 1``.
    dropped : int
        Frames that were overwritten before they were acknowledged, since boot.
    """

    boot: int
    session: int
    oldest: int
    next: int
    dropped: int


@dataclass(frozen=True, slots=True)
class ControlResponse:
    """A response of the control point.

    Attributes
    ----------
    op : Opcode
        Operation of the request.
    token : int
        Token of the request.
    status : ResponseStatus
        Result of the request.
    state : DeviceState or None
        State of the device, where the response contains one.
    range : (first, last) or None
        Frames that will be sent after RESEND, both ends included.
    clock : (ticks, boot count) or None
        Reading of the device's clock.
    """

    op: Opcode
    token: int
    status: ResponseStatus
    state: DeviceState | None = None
    range: tuple[int, int] | None = None
    clock: tuple[int, int] | None = None


def encode_start(token: int, session: int, *, take_over: bool) -> bytes:
    """Encode a request to sample for a session, ending another one if `take_over`.

    Parameters
    ----------
    token : int
        Token of the request (1-255), which the response repeats.
    session : int
        Session id, not 0.
    take_over : bool
        Whether to end another session.

    Returns
    -------
    bytes
    """
    return struct.pack("<BBIB", Opcode.START, token, session, take_over)


def encode_stop(token: int, session: int) -> bytes:
    """Encode a request to stop sampling for a session.

    Parameters
    ----------
    token : int
        Token of the request (1-255), which the response repeats.
    session : int
        Session id.

    Returns
    -------
    bytes
    """
    return struct.pack("<BBI", Opcode.STOP, token, session)


def encode_resend(token: int, first: int, last: int) -> bytes:
    """Encode a request to retransmit the frames `first` to `last`, both included.

    Parameters
    ----------
    token : int
        Token of the request (1-255), which the response repeats.
    first, last : int
        Sequence numbers.

    Returns
    -------
    bytes
    """
    return struct.pack("<BBII", Opcode.RESEND, token, first, last)


def encode_ack(token: int, seq: int) -> bytes:
    """Encode the acknowledgement that all frames up to `seq` are on disk.

    Parameters
    ----------
    token : int
        Token of the request (1-255), which the response repeats.
    seq : int
        Sequence number.

    Returns
    -------
    bytes
    """
    return struct.pack("<BBI", Opcode.ACK, token, seq)


def encode_status(token: int) -> bytes:
    """Encode a request for the state of the device.

    Parameters
    ----------
    token : int
        Token of the request (1-255), which the response repeats.

    Returns
    -------
    bytes
    """
    return bytes((Opcode.STATUS, token))


def encode_clock(token: int) -> bytes:
    """Encode a request for the full tick counter.

    Parameters
    ----------
    token : int
        Token of the request (1-255), which the response repeats.

    Returns
    -------
    bytes
    """
    return bytes((Opcode.CLOCK, token))


def response_prefix(request: bytes) -> bytes:
    """Return the first bytes of the answer to a request: its operation and its token.

    Parameters
    ----------
    request : bytes
        An encoded request.

    Returns
    -------
    bytes
    """
    return bytes((request[0] | _ANSWER, request[1]))


def decode_response(data: bytes) -> ControlResponse:
    """Decode a notification of the control point.

    Parameters
    ----------
    data : bytes
        Value of the notification.

    Returns
    -------
    ControlResponse

    Raises
    ------
    PacketError
        If the bytes are not a valid response.
    """
    if len(data) < 3:
        raise PacketError(PacketErrorReason.TOO_SHORT, f"response of {len(data)} bytes")
    if not data[0] & _ANSWER or data[0] ^ _ANSWER not in _OPS:
        raise PacketError(PacketErrorReason.UNKNOWN_OP, f"0x{data[0]:02x}")
    if data[2] not in _STATUSES:
        raise PacketError(PacketErrorReason.UNKNOWN_STATUS, str(data[2]))
    op, token, result, body = Opcode(data[0] ^ _ANSWER), data[1], ResponseStatus(data[2]), data[3:]
    if result is ResponseStatus.OTHER_SESSION or (
        result is ResponseStatus.OK and op in _WITH_STATE
    ):
        return ControlResponse(op, token, result, state=DeviceState(*_unpack(_STATE, body)))
    if result is not ResponseStatus.OK:
        return ControlResponse(op, token, result)
    if op is Opcode.RESEND:
        first, last = _unpack(_RANGE, body)
        return ControlResponse(op, token, result, range=(first, last))
    ticks, boots = _unpack(_CLOCK, body)
    return ControlResponse(op, token, result, clock=(ticks, boots))


def _unpack(layout: struct.Struct, body: bytes) -> tuple[int, ...]:
    if len(body) != layout.size:
        raise PacketError(PacketErrorReason.LENGTH, f"{len(body)} bytes instead of {layout.size}")
    return layout.unpack(body)
