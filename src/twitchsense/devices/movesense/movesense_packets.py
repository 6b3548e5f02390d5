"""Packets of Movesense's GATT SensorData protocol: subscriptions, payloads and their parts.

Sources: Movesense, GATT SensorData Protocol specification and Best practices; the formats of the
payloads from docs/movesense-api.md of sensein/movesense-py, read as descriptions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.contract import PacketError

#: Bytes of the time at the start of a payload.
TIME_SIZE: Final = 4
_PATH: Final = re.compile(r"/?meas/(acc|imu6m|imu6|imu9|ecg)/([1-9][0-9]{0,4})(/mv)?/?")
#: Vectors of a sample, acceleration first.
_VECTORS: Final = {"acc": 1, "imu6": 2, "imu6m": 2, "imu9": 3}
_VECTOR_SIZE: Final = 12
#: Longest payload in parts, bytes.
_MAX_PAYLOAD: Final = 4096


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a path subscribes to.

    Attributes
    ----------
    stream : {'acc', 'ecg'}
    fs : float
        Hz.
    vectors : int
        Vectors of a sample (acceleration, gyroscope, magnetometer); 0 for ECG.
    in_mv : bool
        Whether ECG comes as 16-bit multiples of 0.001 mV, instead of 32-bit counts.
    """

    stream: Literal["acc", "ecg"]
    fs: float
    vectors: int = 0
    in_mv: bool = False

    @property
    def sample_size(self) -> int:
        """Bytes of a sample, all its vectors included."""
        if self.stream == "ecg":
            return 2 if self.in_mv else 4
        return _VECTOR_SIZE * self.vectors

    @property
    def expected_count(self) -> int:
        """Samples that a payload holds at least, as far as is known: 77 ms, and 16 of ECG."""
        if self.stream == "ecg":
            return 16
        return min(8, round(self.fs / 13))

    def count(self, payload_size: int) -> int | None:
        """Return the samples of a whole payload; None if it is not a whole one."""
        rest = payload_size - TIME_SIZE
        if rest < self.sample_size or rest % self.sample_size:
            return None
        return rest // self.sample_size

    def decode(self, payload: bytes, count: int) -> NDArray[Any]:
        """Return the samples of a payload, whose beginning is enough for acceleration.

        Parameters
        ----------
        payload : bytes
        count : int
            Samples of the whole payload.

        Returns
        -------
        ndarray of float32, shape (count, 3)
            Acceleration, m/s².
        ndarray of int16 or int32, shape (count, 1)
            ECG.

        Raises
        ------
        PacketError
            ``value`` if a number is not finite.
        """
        if self.stream == "ecg":
            dtype = "<i2" if self.in_mv else "<i4"
            return np.frombuffer(payload, dtype, count, TIME_SIZE).reshape(-1, 1).copy()
        samples = np.frombuffer(payload, "<f4", 3 * count, TIME_SIZE).reshape(-1, 3).copy()
        if not np.isfinite(samples).all():
            raise PacketError("value", "an acceleration is not a finite number")
        return samples

    def needed(self, count: int) -> int:
        """Return the bytes of a payload of `count` samples that hold what is decoded."""
        if self.stream == "ecg":
            return TIME_SIZE + self.sample_size * count
        return TIME_SIZE + _VECTOR_SIZE * count


def parse_path(path: str) -> Subscription | None:
    """Return what a path subscribes to; None if nothing of it is recorded.

    Parameters
    ----------
    path : str
        Such as ``/Meas/Acc/52`` or ``/Meas/ECG/500/mV``, in upper or lower case.

    Returns
    -------
    Subscription or None
    """
    found = _PATH.fullmatch(path.strip("\0").lower())
    if found is None:
        return None
    name, rate, in_mv = found.groups()
    if name == "ecg":
        return Subscription("ecg", float(rate), in_mv=in_mv is not None)
    return None if in_mv else Subscription("acc", float(rate), _VECTORS[name])


def payload_time(payload: bytes) -> int:
    """Return the time of the first sample of a payload, ms."""
    return int.from_bytes(payload[:TIME_SIZE], "little")


_Beginning = tuple[bytes, int, int]


class PartJoiner:
    """Joins the parts of the payloads of one subscription.

    A part has no number. If both the rest of one payload and the beginning of the next are lost,
    the next one's rest follows the first one's beginning. Therefore a rest is joined only if it
    came before the next payload was complete in the device, or if the time of the next beginning
    shows that none is missing in between. Acceleration that stands whole in the beginning needs
    no rest, as soon as the number of samples is known. What is not joined is a loss by the clock.

    Parameters
    ----------
    subscription : Subscription
    """

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        #: Samples of every payload, once known: all of a subscription have the same number.
        self.count: int | None = None
        #: Beginning of a payload, with its arrival (ns) and the size of its first part.
        self._start: _Beginning | None = None
        #: A payload whose parts may belong to two.
        self._doubtful: tuple[bytes, int] | None = None
        self._has_parts = False
        self._floor_ns: float | None = None
        self._floor_at_ns = 0

    def begin(self, payload: bytes, arrival_ns: int) -> list[tuple[bytes, int]]:
        """Take a payload or its beginning, and return the payloads that are complete.

        Parameters
        ----------
        payload : bytes
        arrival_ns : int

        Returns
        -------
        list of (bytes, int)
            Payloads with their arrival (ns).

        Raises
        ------
        PacketError
            ``length`` if it is too short, or its number of samples is not that of the others.
        """
        if len(payload) <= TIME_SIZE:
            raise PacketError("length", f"a payload of {len(payload)} bytes")
        complete = self._confirm(payload)
        before, self._start = self._start, None
        if self.count is None:
            complete += self._learn(payload, before)
        if self.count is None or (
            self._has_parts and len(payload) < self._subscription.needed(self.count)
        ):
            self._start = payload, arrival_ns, len(payload)
            return complete
        whole = TIME_SIZE + self._subscription.sample_size * self.count
        if not self._subscription.needed(self.count) <= len(payload) <= whole:
            raise PacketError("length", f"a payload of {len(payload)} bytes instead of {whole}")
        self._note_delay(payload, arrival_ns)
        return [*complete, (payload, arrival_ns)]

    def extend(self, part: bytes, arrival_ns: int) -> list[tuple[bytes, int]]:
        """Take the rest of a payload; see `begin`.

        Raises
        ------
        PacketError
            ``part`` if there is nothing that it continues.
        """
        if self._start is None:
            if self._has_parts and self._subscription.vectors > 1:
                return []  # of the gyroscope or magnetometer
            raise PacketError("part", "the rest of a payload whose beginning is missing")
        start, first_ns, first_size = self._start
        payload = start + part
        count = self._subscription.count(len(payload))
        if count is None or (self.count is not None and count < self.count):
            if len(payload) > _MAX_PAYLOAD:
                self._start = None
                raise PacketError("length", f"a payload of more than {_MAX_PAYLOAD} bytes")
            self._start = payload, first_ns, first_size
            return []
        self._start = None
        self._has_parts = True
        self.count = self.count or count
        if count != self.count:
            raise PacketError("length", f"{count} samples instead of {self.count}")
        on_time = self._is_on_time(payload, arrival_ns)
        self._note_delay(payload, first_ns)
        if first_size >= self._subscription.needed(count):
            return [(payload, first_ns)]
        if on_time:
            return [(payload, arrival_ns)]
        self._doubtful = payload, arrival_ns
        return []

    def _learn(self, payload: bytes, before: _Beginning | None) -> list[tuple[bytes, int]]:
        """Decide whether payloads come whole; return the one before if it was one."""
        count = self._subscription.count(len(payload))
        if count is None or self._has_parts:
            return []
        if count >= self._subscription.expected_count:
            self.count = count
        elif before is not None and len(before[0]) == before[2] == len(payload):
            # two of the same size, and no rest: fewer samples than usual
            self.count = count
            return [before[:2]]
        return []

    @property
    def _period_ns(self) -> float:
        """Time of a payload, ns."""
        return (self.count or 0) / self._subscription.fs * 1e9

    def _confirm(self, following: bytes) -> list[tuple[bytes, int]]:
        """Return the doubtful payload if the next one follows it directly."""
        if self._doubtful is None:
            return []
        payload, arrival_ns = self._doubtful
        self._doubtful = None
        step_ms = (payload_time(following) - payload_time(payload)) % (1 << 32)
        if step_ms * 1e6 >= 1.5 * self._period_ns:
            return []  # a gap by the device's clock
        return [(payload, arrival_ns)]

    def _is_on_time(self, payload: bytes, arrival_ns: int) -> bool:
        """Return whether all parts came before the next payload can have been complete."""
        if self._floor_ns is None:
            return False
        delay_ns = arrival_ns - payload_time(payload) * 1e6
        return delay_ns - self._floor_ns < self._period_ns / 2

    def _note_delay(self, payload: bytes, arrival_ns: int) -> None:
        """Keep the smallest delay; it may rise by 200 ppm, as clocks do."""
        delay_ns = arrival_ns - payload_time(payload) * 1e6
        if self._floor_ns is not None:
            self._floor_ns += 2e-4 * max(0, arrival_ns - self._floor_at_ns)
        if self._floor_ns is None or delay_ns < self._floor_ns:
            self._floor_ns = delay_ns
        self._floor_at_ns = arrival_ns
