"""Runs a driver against a model of its peripheral, without a radio and in any time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from twitchsense.devices.contract import Direction, Driver, Message
from twitchsense.devices.dialogue import Expect, Read, Steps, Subscribe, Write
from twitchsense.errors import TwitchsenseError
from twitchsense.model.channels import NS

#: Notifications that wait for a step that expects them.
_MAX_ANSWERS: Final = 1000
#: Decides about a notification: its number and value; True if the radio loses it.
IsLost = Callable[[int, bytes], bool]
#: Returns the delay of a notification by its number, s.
Delay = Callable[[int], float]


class Peripheral(Protocol):
    """A model of a peripheral: its GATT server, with the time given in every call."""

    def has(self, uuid: str) -> bool:
        """Return whether there is such a characteristic."""
        ...

    def connect(self, now_s: float) -> None:
        """Begin a connection."""
        ...

    def disconnect(self, now_s: float) -> None:
        """End a connection."""
        ...

    def subscribe(self, uuid: str, now_s: float) -> None:
        """Enable notifications."""
        ...

    def read(self, uuid: str, now_s: float) -> bytes:
        """Return the value of a characteristic."""
        ...

    def write(self, uuid: str, data: bytes, now_s: float) -> None:
        """Take a value."""
        ...

    def notifications(self, now_s: float) -> list[tuple[str, bytes]]:
        """Return the notifications up to a time: pairs of UUID and value."""
        ...


class DialogueError(TwitchsenseError):
    """A step of a driver cannot be executed: the peripheral lacks what it needs."""


class SimulatedSession:
    """A session of a driver with a simulated peripheral.

    Parameters
    ----------
    driver : Driver
    peripheral : Peripheral
    is_lost : callable, optional
        Loses notifications of subscribed characteristics, but none during a dialogue.
    delay_s : callable, optional
        Delay of each notification; their order is kept, as Bluetooth does.
    step_s : float
        Time that a step of a dialogue takes, and period at which notifications are fetched, s.

    Attributes
    ----------
    log : list of Message
        All values so far, in order.
    lost : list of bytes
        Notifications that were lost.
    now_s : float
        Time of the simulation, s.
    """

    def __init__(
        self,
        driver: Driver,
        peripheral: Peripheral,
        is_lost: IsLost = lambda number, data: False,
        delay_s: Delay = lambda number: 0.0,
        step_s: float = 0.02,
    ) -> None:
        self.log: list[Message] = []
        self.lost: list[bytes] = []
        self.now_s = 0.0
        self._driver = driver
        self._peripheral = peripheral
        self._is_lost = is_lost
        self._delay_s = delay_s
        self._step_s = step_s
        self._number = 0
        self._arrival_ns = 0
        self._subscribed: set[str] = set()
        self._answers: deque[tuple[str, bytes]] = deque(maxlen=_MAX_ANSWERS)
        self._in_dialogue = False

    def open(self, options: Mapping[str, str] | None = None) -> None:
        """Connect, and run the driver's dialogue that starts the streams."""
        self._subscribed.clear()
        self._peripheral.connect(self.now_s)
        self.execute(self._driver.open(options or {}))

    def poll(self) -> None:
        """Run the driver's dialogue that keeps the device awake."""
        self.execute(self._driver.poll())

    def close(self) -> None:
        """Run the driver's dialogue that stops the streams, and disconnect."""
        self.execute(self._driver.close())
        self.disconnect()

    def disconnect(self) -> None:
        """End the connection without a dialogue, as the radio does."""
        self._peripheral.disconnect(self.now_s)

    def run(self, seconds: float) -> None:
        """Receive notifications for a time."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self._advance(min(self._step_s, end_s - self.now_s))

    def wait_disconnected(self, seconds: float) -> None:
        """Let time pass without a connection."""
        self.now_s += seconds

    def _advance(self, seconds: float) -> None:
        self.now_s += seconds
        for uuid, data in self._peripheral.notifications(self.now_s):
            if uuid in self._subscribed:
                self._receive(uuid, data)

    def _receive(self, uuid: str, data: bytes) -> None:
        self._number += 1
        if not self._in_dialogue and self._is_lost(self._number, data):
            self.lost.append(data)
            return
        arrival_ns = round((self.now_s + self._delay_s(self._number)) * NS)
        self._arrival_ns = max(self._arrival_ns, arrival_ns)
        self.log.append(Message(uuid, Direction.NOTIFY, data, self._arrival_ns))
        self._answers.append((uuid, data))

    def _note(self, uuid: str, direction: Direction, data: bytes) -> None:
        self._arrival_ns = max(self._arrival_ns, round(self.now_s * NS))
        self.log.append(Message(uuid, direction, data, self._arrival_ns))

    def execute(self, steps: Steps) -> None:
        """Run a dialogue."""
        self._in_dialogue = True
        try:
            self._run_steps(steps)
        finally:
            self._in_dialogue = False

    def _run_steps(self, steps: Steps) -> None:
        value: bytes | None = None
        while True:
            try:
                step = steps.send(value)
            except StopIteration:
                return
            value = None
            match step:
                case Write(uuid, data):
                    self._answers.clear()
                    self._require(uuid)
                    self._note(uuid, Direction.WRITE, data)
                    self._peripheral.write(uuid, data, self.now_s)
                    self._advance(self._step_s)
                case Read(uuid, optional):
                    if self._require(uuid, optional):
                        value = self._peripheral.read(uuid, self.now_s)
                        self._note(uuid, Direction.READ, value)
                case Subscribe(uuid, optional):
                    if self._require(uuid, optional):
                        self._subscribed.add(uuid)
                        self._peripheral.subscribe(uuid, self.now_s)
                case Expect():
                    value = self._wait(step)

    def _require(self, uuid: str, optional: bool = False) -> bool:
        found = self._peripheral.has(uuid)
        if not found and not optional:
            raise DialogueError(f"the peripheral has no characteristic {uuid}")
        return found

    def _wait(self, step: Expect) -> bytes | None:
        end_s = self.now_s + step.timeout_s
        while True:
            for i, (uuid, data) in enumerate(self._answers):
                if uuid == step.characteristic and data.startswith(step.prefix):
                    del self._answers[i]
                    return data
            if self.now_s >= end_s:
                break
            self._advance(self._step_s)
        if step.optional:
            return None
        raise DialogueError(f"no answer on {step.characteristic} in {step.timeout_s:g} s")
