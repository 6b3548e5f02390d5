"""What every simulated peripheral does: a GATT server without a radio, in any time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class CharacteristicModel:
    """A characteristic.

    Attributes
    ----------
    uuid : str
        Full UUID in lower case.
    properties : frozenset of str
        Of ``read``, ``write``, ``write_without_response``, ``notify``, ``indicate``.
    """

    uuid: str
    properties: frozenset[str]


@dataclass
class SentSamples:
    """Samples of one stream that a peripheral took, as the truth for tests.

    Attributes
    ----------
    times_s : list of float
        Time of each sample on the clock of the simulation, s.
    values : list of tuple
        Values of each sample, in the unit of the stream.
    """

    times_s: list[float] = field(default_factory=list)
    values: list[tuple[float, ...]] = field(default_factory=list)

    def array(self) -> NDArray[np.float64]:
        """Return the values, shape (n, width)."""
        return np.array(self.values, np.float64)


class PeripheralModel(ABC):
    """A peripheral that a driver or a Bluetooth server calls.

    Time is given with every call, so that a night takes seconds.

    Attributes
    ----------
    name : str
        Advertised name.
    advertised_uuids : tuple of str
        Advertised service UUIDs.
    services : dict of str to tuple of CharacteristicModel
        By service UUID.
    sent : dict of str to SentSamples
        All samples taken, by stream.
    subscribed : set of str
        Characteristics whose notifications the host enabled.
    """

    name: str = ""
    advertised_uuids: tuple[str, ...] = ()
    services: ClassVar[dict[str, tuple[CharacteristicModel, ...]]] = {}

    def __init__(self) -> None:
        self.sent: dict[str, SentSamples] = {}
        self.subscribed: set[str] = set()
        self._queue: list[tuple[str, bytes]] = []

    def has(self, uuid: str) -> bool:
        """Return whether there is such a characteristic."""
        return any(c.uuid == uuid for chars in self.services.values() for c in chars)

    def connect(self, now_s: float) -> None:
        """Begin a connection."""
        self.subscribed.clear()
        self._queue.clear()

    def disconnect(self, now_s: float) -> None:
        """End a connection; notifications that wait are lost."""
        self._queue.clear()

    def reboot(self, now_s: float) -> None:
        """Restart, as after a change of the battery."""
        self.disconnect(now_s)

    def subscribe(self, uuid: str, now_s: float) -> None:
        """Enable notifications of a characteristic."""
        self.subscribed.add(uuid)

    def read(self, uuid: str, now_s: float) -> bytes:
        """Return the value of a characteristic."""
        return b""

    @abstractmethod
    def write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Take a value that the host writes."""

    @abstractmethod
    def advance(self, now_s: float) -> None:
        """Take the samples up to a time, and queue the notifications that are complete."""

    def notifications(self, now_s: float) -> list[tuple[str, bytes]]:
        """Return the notifications up to a time: pairs of UUID and value."""
        self.advance(now_s)
        queue, self._queue = self._queue, []
        return queue

    def notify(self, uuid: str, data: bytes) -> None:
        """Queue a notification."""
        self._queue.append((uuid, data))

    def record(self, stream: str, time_s: float, values: tuple[float, ...]) -> None:
        """Note a sample as taken."""
        sent = self.sent.setdefault(stream, SentSamples())
        sent.times_s.append(time_s)
        sent.values.append(values)
