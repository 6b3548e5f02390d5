"""Tells values that came twice from new ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from twitchsense.devices.contract import Decoded, Decoder, Direction, Message, SamplePacket
from twitchsense.devices.streams import SampleClock, SampleCounter, StreamDescription
from twitchsense.model.channels import NS

#: Time (s) in which the same bytes at the same position are a repetition. A counter that may
#: take the same value again within twice this time tells nothing.
_REPETITION_S: Final = 0.25


class RepeatedValues:
    """Compares each notification with the one before of its characteristic.

    Parameters
    ----------
    has_rows : bool
        Whether the values are rows of a table, where a row may stand twice: the same bytes at the
        same time are a repetition, whatever they hold.
    """

    def __init__(self, *, has_rows: bool) -> None:
        self._has_rows = has_rows
        #: Bytes, arrival (ns), and whether the samples in them have a position.
        self._before: dict[str, tuple[bytes, int, bool]] = {}
        #: Whether the positions of a stream tell a repetition.
        self._lasting: dict[str, bool] = {}

    def is_repeated(self, message: Message) -> bool:
        """Return whether a value is the one before again."""
        if message.direction is not Direction.NOTIFY:
            if message.direction is Direction.WRITE:  # a command, such as that of a new start
                self._before.clear()
            return False
        data, arrival_ns, has_position = self._before.get(message.characteristic, (b"", 0, False))
        if data != message.data or not data:
            return False
        later_ns = message.arrival_ns - arrival_ns
        if self._has_rows and later_ns == 0:
            return True
        return has_position and 0 <= later_ns < _REPETITION_S * NS

    def add(self, message: Message, decoded: Iterable[Decoded], decoder: Decoder) -> None:
        """Note a value that is not repeated, and what the decoder made of it."""
        if message.direction is not Direction.NOTIFY:
            return
        names = {p.stream for p in decoded if isinstance(p, SamplePacket) and not p.resent}
        if not names <= self._lasting.keys():
            self._lasting.update((s.name, _has_lasting_position(s)) for s in decoder.streams)
        has_position = bool(names) and all(self._lasting[name] for name in names)
        self._before[message.characteristic] = message.data, message.arrival_ns, has_position


def _has_lasting_position(spec: StreamDescription) -> bool:
    match spec.timing:
        case SampleCounter(modulus=modulus):
            return modulus is None or modulus / spec.fs > 2 * _REPETITION_S
        case SampleClock():
            return True
        case _:
            return False
