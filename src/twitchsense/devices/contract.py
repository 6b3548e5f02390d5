"""The contract of a device driver: what a driver declares, and what it does with bytes.

A driver opens no connection, reads no clock and writes no file. It

- recognises an advertisement (`Driver.recognize`);
- describes what to read, write and subscribe to, as generators of `twitchsense.devices.dialogue`
  steps that a session executes (`Driver.open`, `Driver.poll`, `Driver.close`);
- turns the values that pass between host and device into samples with a position
  (`Driver.make_decoder`, `Decoder.push`).

A decoder sees every value in order: notifications, and also what the host read and wrote, since
these hold the settings (rate, range, factor). Therefore a log of all values is enough to decode
a night again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from twitchsense.devices.dialogue import Steps
from twitchsense.devices.streams import StreamDescription
from twitchsense.errors import TwitchsenseError


class PacketError(TwitchsenseError):
    """Bytes that do not follow the device's protocol: the refusal of a decoder.

    Parameters
    ----------
    reason : str
        Rule that the bytes break, in snake_case. A driver has a small fixed set of reasons;
        they are stored in night files and counted in reports.
    detail : str, optional
        Explanation appended to the message.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        super().__init__(f"{reason}: {detail}" if detail else str(reason))


class StartRefusedError(TwitchsenseError):
    """The device does not start: raised by `Driver.open` with the device's reason and a cure."""


# ---- values that pass between host and device ------------------------------------------


class Direction(StrEnum):
    """How a value passed between host and device."""

    NOTIFY = "notify"
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Message:
    """One value of a characteristic that was notified, read or written.

    Attributes
    ----------
    characteristic : str
        Full UUID in lower case.
    direction : Direction
        Indications count as notifications. A stack may deliver the answer to a read as a
        notification, so a decoder treats both in the same way.
    data : bytes
        The value.
    arrival_ns : int
        Time on the host's clock, ns; at a write, the time at which it was sent.
    """

    characteristic: str
    direction: Direction
    data: bytes
    arrival_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class SamplePacket:
    """Consecutive samples of one stream.

    Attributes
    ----------
    stream : str
        Name of the stream.
    samples : ndarray of int16, int32, float32 or float64, shape (n, width)
        As sent by the device. The value in the unit of the stream is
        ``samples / counts_per_unit``.
    position : int or None
        Where the samples stand, as the timing of the stream says: the count of the first sample
        (`SampleCounter`), the ticks of the first or last sample (`SampleClock`), or None for a
        stream without a timing.
    arrival_ns : int
        Arrival of the last value that the samples came in, ns.
    restarted : bool
        Whether counter or clock restarted since the packet before: the difference of the
        positions says nothing.
    resent : bool
        Whether the device sent the samples late, on request: the arrival says nothing about
        their time.
    """

    stream: str
    samples: NDArray[Any]
    position: int | None
    arrival_ns: int
    restarted: bool = False
    resent: bool = False


@dataclass(frozen=True, slots=True)
class BatteryLevel:
    """The battery level that the device reported, in percent."""

    percent: int
    arrival_ns: int


@dataclass(frozen=True, slots=True)
class ButtonPress:
    """A press of the device's button.

    Attributes
    ----------
    stream : str
        Stream whose timing `position` follows.
    position : int or None
        Time of the press.
    arrival_ns : int
        Arrival of the report, ns.
    """

    stream: str
    position: int | None
    arrival_ns: int


@dataclass(frozen=True, slots=True)
class Ignored:
    """A valid value that the driver reads nothing from.

    Attributes
    ----------
    reason : str
        ``characteristic``: one that the driver does not know; ``measurement``: one that it does
        not decode; ``reference``: differences from a sample that is not known.
    """

    reason: str


Decoded = SamplePacket | BatteryLevel | ButtonPress | Ignored


class Decoder(Protocol):
    """Turns the values of one connection, or of a whole log, into samples.

    It holds no more than the state of the protocol: settings, an incomplete frame. A decoder that
    holds samples back until it knows their rate or format has an attribute ``waiting``, the
    number of their values: those that wait at the end of a log are reported.
    """

    @property
    def streams(self) -> tuple[StreamDescription, ...]:
        """Streams as far as they are known from the values pushed so far."""
        ...

    def push(self, message: Message) -> list[Decoded]:
        """Decode one value.

        Parameters
        ----------
        message : Message
            The next value. Any bytes are safe.

        Returns
        -------
        list of SamplePacket, BatteryLevel, ButtonPress or Ignored
            Empty for settings, answers, and values that wait for others. `Ignored` for values
            that were read or notified and that the driver reads nothing from.

        Raises
        ------
        PacketError
            If the bytes are not valid. The decoder remains usable: later values are decoded
            as if this one had been lost.
        """
        ...


# ---- drivers -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Advertised:
    """What a device says of itself in its advertisement.

    Attributes
    ----------
    name : str
        Local name, or empty.
    service_uuids : frozenset of str
        Full UUIDs in lower case.
    manufacturer_data : mapping of int to bytes
        By company identifier.
    """

    name: str = ""
    service_uuids: frozenset[str] = frozenset()
    manufacturer_data: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a device can do, as far as it differs between devices.

    Attributes
    ----------
    resend : {'none', 'after_night', 'live'}
        Whether lost samples can be fetched: never, from a log in the device once the night is
        over, or while recording. The last is the ability of twitchsense v1 alone, whose frames
        the recorder numbers, requests and acknowledges itself.
    while_disconnected : {'stops', 'continues', 'stores'}
        What the device does without a connection: it stops and must be started again, it goes
        on and the samples are lost, or it stores them.
    restarts_on : frozenset of {'power', 'connect', 'start'}
        Events at which its counter or clock restarts.
    """

    resend: Literal["none", "after_night", "live"] = "none"
    while_disconnected: Literal["stops", "continues", "stores"] = "stops"
    restarts_on: frozenset[Literal["power", "connect", "start"]] = frozenset({"power"})


class Driver(Protocol):
    """A driver of one kind of device. It has no state, and is made without arguments.

    Attributes
    ----------
    kind : str
        Short name for the command line, lower case: ``polar``, ``npg``.
    title : str
        Name of the devices as their users know it.
    version : int
        Version of the decoder. It rises with every change that alters decoded values.
    abilities : Abilities
    typical_streams : tuple of StreamDescription
        Streams that the device sends in its usual settings. The streams of a decoder may differ
        in rate and scale, not in name, kind and unit.
    options : mapping of str to str
        Names of the options of `open` and what they mean.
    poll_period_s : float
        Time between two runs of `poll`, s.
    """

    @property
    def kind(self) -> str: ...  # noqa: D102

    @property
    def title(self) -> str: ...  # noqa: D102

    @property
    def version(self) -> int: ...  # noqa: D102

    @property
    def abilities(self) -> Abilities: ...  # noqa: D102

    @property
    def typical_streams(self) -> tuple[StreamDescription, ...]: ...  # noqa: D102

    @property
    def options(self) -> Mapping[str, str]: ...  # noqa: D102

    @property
    def poll_period_s(self) -> float: ...  # noqa: D102

    def recognize(self, advertised: Advertised) -> float:
        """Return how surely an advertisement is that of such a device.

        Parameters
        ----------
        advertised : Advertised

        Returns
        -------
        float
            0 for another device, 1 for a service UUID that nobody else uses, about 0.5 for a
            name that another device could have.
        """
        ...

    def open(self, options: Mapping[str, str]) -> Steps:
        """Return the dialogue that starts the streams; it runs after every connection.

        Parameters
        ----------
        options : mapping of str to str
            Options of the user; keys are those of `Driver.options`.

        Raises
        ------
        InputError
            While it runs, if an option has a value that the device does not offer.
        StartRefusedError
            While it runs, if the device refuses.
        """
        ...

    def poll(self) -> Steps:
        """Return the dialogue that keeps the device awake and reads its battery."""
        ...

    def close(self) -> Steps:
        """Return the dialogue that stops the streams and lets the device sleep."""
        ...

    def make_decoder(self) -> Decoder:
        """Return a new decoder."""
        ...


class StoringDriver(Driver, Protocol):
    """A driver of a device whose log is fetched after the night (``resend="after_night"``).

    The samples of the log are decoded into packets with `SamplePacket.resent` set. `restarted` is
    set in the first one of each log. They fill gaps where the log is of the same clock: it holds
    packets that were received, with the same times and values. A log without such packets counts
    where the clock has an epoch in UTC and agrees with the arrivals before and after the log.
    """

    def is_silent(self, options: Mapping[str, str]) -> bool:
        """Return whether the device sends nothing while it stores, so that silence is no fault."""
        ...

    def fetch(self, options: Mapping[str, str]) -> Steps:
        """Return the dialogue that fetches the log; it runs before that of `close`.

        Parameters
        ----------
        options : mapping of str to str
            As of `Driver.open`.

        Raises
        ------
        StartRefusedError
            While it runs, if the device refuses.
        """
        ...


def full_uuid(short: int) -> str:
    """Return the full UUID of a number assigned by the Bluetooth SIG.

    Parameters
    ----------
    short : int
        16-bit number, such as 0x2A19.

    Returns
    -------
    str
        In lower case.
    """
    return f"{short:08x}-0000-1000-8000-00805f9b34fb"
