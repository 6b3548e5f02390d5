"""What can be wrong with bytes from the air."""

from __future__ import annotations

from enum import StrEnum

from twitchsense.errors import TwitchsenseError


class Reason(StrEnum):
    """Why bytes are refused."""

    TOO_SHORT = "too_short"
    LENGTH = "length"
    COUNT = "count"
    CHECKSUM = "checksum"
    UNKNOWN_TYPE = "unknown_type"
    OFF_GRID = "off_grid"
    FRAGMENT = "fragment"
    UNKNOWN_OP = "unknown_op"
    UNKNOWN_STATUS = "unknown_status"
    VERSION = "version"
    INFO = "info"


class PacketError(TwitchsenseError):
    """Bytes that do not follow the protocol.

    Parameters
    ----------
    reason : Reason
    detail : str
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
