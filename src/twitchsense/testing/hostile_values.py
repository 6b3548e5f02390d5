"""Damaged and random values for a decoder, which may only refuse them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from twitchsense.devices.contract import Direction, Driver, Message, PacketError, SamplePacket
from twitchsense.errors import TwitchsenseError

#: Values after which a new decoder is made. Every second one first decodes half of the log, so
#: that it knows the settings.
_VALUES_PER_DECODER: Final = 1000
#: Bytes of a random value.
_MAX_RANDOM_BYTES: Final = 64


class HostileValueError(TwitchsenseError):
    """A decoder raised another exception than `PacketError`, or an unknown stream."""


def push_hostile_values(
    driver: Driver, log: Sequence[Message], count: int, seed: int = 1
) -> Counter[str]:
    """Push values of a log that were cut, extended, changed or replaced by random bytes.

    Parameters
    ----------
    driver : Driver
    log : sequence of Message
        A log that the driver decodes.
    count : int
        Number of values.
    seed : int

    Returns
    -------
    Counter of str
        Number of values by outcome: ``decoded``, or the reason of the refusal.

    Raises
    ------
    HostileValueError
        If the decoder raises anything but `PacketError`.
    """
    rng = random.Random(seed)
    outcomes: Counter[str] = Counter()
    decoder = driver.make_decoder()
    for number in range(count):
        if number % _VALUES_PER_DECODER == 0:
            decoder = driver.make_decoder()
            for message in log[: len(log) // 2 * (number // _VALUES_PER_DECODER % 2)]:
                try:
                    decoder.push(message)
                except PacketError:
                    continue
        message = _damaged(log, rng)
        try:
            for item in decoder.push(message):
                if isinstance(item, SamplePacket):
                    names = [stream.name for stream in decoder.streams]
                    assert item.stream in names, f"a packet of {item.stream} among {names}"
            outcomes["decoded"] += 1
        except PacketError as error:
            outcomes[str(error.reason)] += 1
        except Exception as error:
            value = f"{message.characteristic} {message.direction} {message.data.hex()}"
            raise HostileValueError(f"{error!r} at {value}") from error
    return outcomes


def _damaged(log: Sequence[Message], rng: random.Random) -> Message:
    message = rng.choice(log)
    data = bytearray(message.data)
    match rng.randrange(6):
        case 0:
            data = bytearray(rng.randbytes(rng.randrange(_MAX_RANDOM_BYTES)))
        case 1:
            del data[rng.randrange(len(data) + 1) :]
        case 2:
            data += rng.randbytes(rng.randrange(1, 16))
        case 3:
            pass  # as it was, out of its order
        case _:
            for _ in range(rng.randrange(1, 4)):
                if data:
                    data[rng.randrange(len(data))] = rng.randrange(256)
    direction = rng.choice(list(Direction)) if rng.random() < 0.1 else message.direction
    return replace(message, data=bytes(data), direction=direction)
