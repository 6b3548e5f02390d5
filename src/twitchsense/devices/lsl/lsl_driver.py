"""Driver of streams of the Lab Streaming Layer (LSL), which are received over the network.

LSL is not Bluetooth. `twitchsense.acquire.lsl_adapter` presents a stream like a device with four
characteristics, so that it is recorded, stored and decoded like any other:

- options of the user (written), which the night file keeps for the decoder;
- the description of the stream in XML (read);
- what the first seconds of timestamps say (read, JSON), see `TimestampCheck`;
- blocks of samples with their timestamps (notified), see `encode_block`.

Source of the meaning of timestamps and time correction: documentation of liblsl,
"Time synchronization"; of the description: the XDF specification of metadata.
"""

from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.contract import (
    Abilities,
    Advertised,
    Decoded,
    Direction,
    Ignored,
    Message,
    PacketError,
    SamplePacket,
    StartRefusedError,
)
from twitchsense.devices.dialogue import Read, Steps, Subscribe, Write
from twitchsense.devices.lsl.lsl_description import (
    TICK_HZ,
    TIMESTAMP_TOLERANCE,
    LslLayout,
    parse_description,
)
from twitchsense.devices.streams import SampleClock, StreamDescription
from twitchsense.errors import InputError
from twitchsense.model.channels import NS

OPTIONS_UUID: Final = "15100001-7477-4974-8368-73656e736501"
DESCRIPTION_UUID: Final = "15100002-7477-4974-8368-73656e736501"
TIMESTAMPS_UUID: Final = "15100003-7477-4974-8368-73656e736501"
DATA_UUID: Final = "15100004-7477-4974-8368-73656e736501"

#: Head of a block: time correction (s; NaN: unknown), LSL clock of this computer when the block
#: was taken (s), number of samples.
_HEAD: Final = struct.Struct("<ddI")
#: Delay (s) of the last sample of a block that its timestamp may state. Another delay means that
#: the sender's timestamps are not of the LSL clock; only the arrival tells the time then.
_DELAYS_S: Final = (-0.5, 60.0)
#: Distance (s) of irregular timestamps beyond which samples are missing.
_IRREGULAR_GAP_S: Final = 0.25
#: Largest relative difference between nominal and true rate.
_MAX_RATE_ERROR: Final = 0.05
#: Samples from which timestamps are examined.
_MIN_TIMESTAMPS: Final = 20
_MAX_SAMPLES: Final = 1_000_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TimestampCheck:
    """What the timestamps of the first seconds say.

    Attributes
    ----------
    regular : bool
        Whether all of them stand on a grid, as those of a clock do. Timestamps that the sender
        takes when a packet arrives vary with the delay of its delivery.
    period_s : float
        Median distance of two timestamps, s; 0 if there were too few.
    """

    regular: bool
    period_s: float

    @classmethod
    def of(cls, times_s: Floats) -> TimestampCheck:
        """Judge timestamps.

        Parameters
        ----------
        times_s : ndarray of float64, shape (n,)
            In s.

        Returns
        -------
        TimestampCheck
        """
        steps = np.diff(times_s)
        if len(steps) < _MIN_TIMESTAMPS or not (period := float(np.median(steps))) > 0:
            return cls(False, 0.0)
        multiples = np.maximum(np.rint(steps / period), 1)
        deviations = np.abs(steps / period - multiples)
        return cls(bool((deviations <= TIMESTAMP_TOLERANCE * multiples).all()), period)

    def to_bytes(self) -> bytes:
        """Return it as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> TimestampCheck:
        """Parse JSON; PacketError if it is none."""
        try:
            found = json.loads(data)
            return cls(bool(found["regular"]), float(found["period_s"]))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise PacketError("timestamps", "not a judgement of timestamps") from error


def encode_block(
    correction_s: float, taken_s: float, times_s: Floats, samples: NDArray[Any]
) -> bytes:
    """Return the value that holds a block of samples.

    Parameters
    ----------
    correction_s : float
        To be added to a timestamp to get the LSL clock of this computer, s; NaN if it is unknown.
    taken_s : float
        LSL clock of this computer when the block was taken, s.
    times_s : ndarray of float64, shape (n,)
        As the sender made them, s.
    samples : ndarray, shape (n, channels)
        As received.

    Returns
    -------
    bytes
    """
    head = _HEAD.pack(correction_s, taken_s, len(times_s))
    values = samples.astype(samples.dtype.newbyteorder("<"), copy=False)
    return head + times_s.astype("<f8", copy=False).tobytes() + values.tobytes()


class LslDriver:
    """Driver of LSL streams; see `Driver`."""

    kind = "lsl"
    title = "Stream of the Lab Streaming Layer"
    version = 1
    abilities = Abilities(
        resend="none", while_disconnected="continues", restarts_on=frozenset({"power", "connect"})
    )
    typical_streams: tuple[StreamDescription, ...] = (
        StreamDescription("emg", "emg", 1, 1000.0, "uV", 1.0, SampleClock(TICK_HZ, "last"), 1.0),
    )
    options: Mapping[str, str] = MappingProxyType(
        {
            "kind": "emg, acc or ecg, of channels whose type says nothing else",
            "unit": "uV, mV, V, g, mg or m/s2, of channels that state none",
            "timestamps": "regular or irregular: whether the timestamps are those of a clock",
        }
    )
    poll_period_s = 600.0

    def recognize(self, advertised: Advertised) -> float:
        """Return 0: streams do not advertise over Bluetooth."""
        return 0.0

    def open(self, options: Mapping[str, str]) -> Steps:
        """Read the description and subscribe; see `Driver`."""
        _check_options(options)
        yield Write(OPTIONS_UUID, json.dumps(dict(options)).encode())
        description = yield Read(DESCRIPTION_UUID)
        assert description is not None
        layout = parse_description(description, options, regular=False)
        if not layout.streams:
            raise StartRefusedError("; ".join(layout.problems))
        check = TimestampCheck.from_bytes((yield Read(TIMESTAMPS_UUID)) or b"")
        if check.period_s and abs(check.period_s * layout.fs - 1) > _MAX_RATE_ERROR:
            raise StartRefusedError(
                f"the stream states {layout.fs:g} Hz and sends {1 / check.period_s:.4g} Hz; "
                "correct the nominal rate in the sending program"
            )
        yield Subscribe(DATA_UUID)

    def poll(self) -> Steps:
        """Do nothing; see `Driver`."""
        yield from ()

    def close(self) -> Steps:
        """Do nothing; see `Driver`."""
        yield from ()

    def make_decoder(self) -> LslDecoder:
        """Return a new decoder; see `Driver`."""
        return LslDecoder()


def _check_options(options: Mapping[str, str]) -> None:
    allowed = {
        "kind": ("emg", "acc", "ecg"),
        "unit": ("uV", "mV", "V", "g", "mg", "m/s2"),
        "timestamps": ("regular", "irregular"),
    }
    for key, value in options.items():
        if value not in allowed[key]:
            raise InputError(
                "--option", f"{key}={value} is not known", f"choose {', '.join(allowed[key])}"
            )


class LslDecoder:
    """Decoder of LSL streams; see `Decoder`.

    Samples that are not numbers are left out, as lost ones are. Reasons of refusals: those of
    `parse_description`, ``options``, ``timestamps``, ``length``, ``undescribed``.
    """

    def __init__(self) -> None:
        self._options: dict[str, str] = {}
        self._xml = b""
        self._layout: LslLayout | None = None
        self._regular = False
        self._started: set[str] = set()
        self._restarted: set[str] = set()

    @property
    def streams(self) -> tuple[StreamDescription, ...]:
        """Streams; empty until the description was read."""
        return () if self._layout is None else tuple(s.stream for s in self._layout.streams)

    def push(self, message: Message) -> list[Decoded]:
        """Decode one value; see `Decoder`."""
        match message.characteristic:
            case uuid if uuid == OPTIONS_UUID:
                self._options = _parse_options(message.data)
                self._layout = None
            case uuid if uuid == DESCRIPTION_UUID:
                self._xml, self._layout = message.data, None
                self._restarted = set(self._started)
                parse_description(message.data, self._options, regular=False)
            case uuid if uuid == TIMESTAMPS_UUID:
                stated = self._options.get("timestamps")
                is_regular = TimestampCheck.from_bytes(message.data).regular
                self._regular = stated == "regular" if stated else is_regular
                self._layout = parse_description(self._xml, self._options, regular=self._regular)
            case uuid if uuid == DATA_UUID and message.direction is Direction.NOTIFY:
                return self._decode_block(message)
            case _ if message.direction is not Direction.WRITE:
                return [Ignored("characteristic")]
        return []

    def _decode_block(self, message: Message) -> list[Decoded]:
        layout, data = self._layout, message.data
        if layout is None:
            raise PacketError("undescribed", "samples before the description of the stream")
        if len(data) < _HEAD.size:
            raise PacketError("length", f"{len(data)} bytes")
        correction_s, taken_s, n = _HEAD.unpack_from(data)
        size = n * (8 + layout.channels * layout.dtype.itemsize)
        if not 0 < n <= _MAX_SAMPLES or len(data) != _HEAD.size + size:
            raise PacketError("length", f"{len(data)} bytes for {n} samples")
        times_s = np.frombuffer(data, "<f8", n, _HEAD.size).astype(np.float64)
        if not (np.abs(times_s) < np.iinfo(np.int64).max / (4 * NS)).all():
            raise PacketError("timestamps", "a timestamp that is not a time")
        values = np.frombuffer(data, layout.dtype, offset=_HEAD.size + 8 * n)
        samples = _as_native(values.reshape(n, layout.channels))
        late_s = taken_s - (times_s[-1] + correction_s)
        if not _DELAYS_S[0] <= late_s <= _DELAYS_S[1]:
            late_s = 0.0
        last_ns = message.arrival_ns - round(late_s * NS)
        decoded: list[Decoded] = []
        longest_s = 1.5 / layout.fs if self._regular else _IRREGULAR_GAP_S
        for part in layout.streams:
            name = part.stream.name
            block = samples[:, part.columns]
            for start, stop in _runs(times_s, np.isfinite(block).all(axis=1), longest_s):
                before_ns = round((times_s[-1] - times_s[stop - 1]) * NS)
                position = round(times_s[stop - 1] * TICK_HZ) if self._regular else None
                restarted = name in self._restarted
                decoded.append(
                    SamplePacket(name, block[start:stop], position, last_ns - before_ns, restarted)
                )
                self._restarted.discard(name)
                self._started.add(name)
        return decoded


def _runs(times_s: Floats, usable: NDArray[np.bool_], longest_s: float) -> list[tuple[int, int]]:
    """Return the ranges of usable samples between which nothing is missing."""
    steps = np.diff(times_s)
    cuts = np.flatnonzero((steps > longest_s) | (steps < 0) | (usable[1:] != usable[:-1])) + 1
    edges = [0, *cuts.tolist(), len(times_s)]
    return [(a, b) for a, b in itertools.pairwise(edges) if usable[a]]


def _as_native(values: NDArray[Any]) -> NDArray[Any]:
    """Return values of a type that samples have; see `SamplePacket`."""
    native = values.dtype.newbyteorder("=")
    if native == np.int8:
        native = np.dtype(np.int16)
    elif native == np.int64:
        native = np.dtype(np.float64)
    return values.astype(native)


def _parse_options(data: bytes) -> dict[str, str]:
    try:
        return {str(k): str(v) for k, v in dict(json.loads(data)).items()}
    except (ValueError, TypeError, RecursionError) as error:
        raise PacketError("options", "not the options of a stream") from error
