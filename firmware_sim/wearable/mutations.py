"""Mutations of the protocol: firmware that encodes one field wrongly must fail a test.

`MUTATIONS` has at least one mutation of every field of docs/protocol.md, with the check of
``tests/wearable/test_mutations.py`` that must fail first and part of its message. The page
docs/broken.md is generated from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from firmware_sim.wearable.encoder import ACC, EMG, FLAG_GAP, FLAG_REPLAY, MARKER, Encoder
from firmware_sim.wearable.firmware import ACK, CLOCK, RESEND, START, STATUS, STOP

#: The checks of the test and what each verifies, in their order.
CHECKS: Final[Mapping[str, str]] = {
    "link": "the connection log contains the disconnection and the outage, and nothing else",
    "damaged": "no notification was unreadable",
    "book": "every frame is stored, or recorded as lost because the ring buffer overwrote it",
    "info": "the info characteristic is in the night file",
    "samples": "all samples equal those of the source, in physical units and at their time (20 ms)",
    "flags": "REPLAY is set on retransmitted frames only, GAP where samples were skipped",
    "marker": "`analyze` reports the button press at its time",
    "device": "serial number, firmware revision and battery are in the night file",
    "left over": "at the end the wearable does not sample, and all frames on disk are freed",
    "answers": "the responses to unusual requests equal the expected bytes",
    "device information": "all four texts can be read",
}

Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Mutation:
    """One error that firmware may contain.

    Attributes
    ----------
    field : str
        Field of docs/protocol.md.
    wrong : str
        Description of the error.
    place : str
        Bytes that are changed: `place` of `Encoder.intercept`.
    change : callable
        Returns the wrong bytes for the right ones.
    check, says : str
        Check that fails first, and part of its message.
    """

    field: str
    wrong: str
    place: str
    change: Change
    check: str
    says: str


class MutatedEncoder(Encoder):
    """An encoder with one mutation."""

    def __init__(self, mutation: Mutation) -> None:
        self._mutation = mutation

    def intercept(self, place: str, data: bytes) -> bytes:
        """Change the bytes of the mutated field."""
        return self._mutation.change(data) if place == self._mutation.place else data


# -- changes -----------------------------------------------------------------------------------


def _set(at: int, value: int) -> Change:
    return lambda data: data[:at] + bytes([value]) + data[at + 1 :]


def _add(at: int, size: int, number: int) -> Change:
    def change(data: bytes) -> bytes:
        value = int.from_bytes(data[at : at + size], "little") + number
        return data[:at] + (value % (1 << 8 * size)).to_bytes(size, "little") + data[at + size :]

    return change


def _turn(at: int, size: int) -> Change:
    """Reverse the byte order."""
    return lambda data: data[:at] + data[at : at + size][::-1] + data[at + size :]


def _keep(at: int, size: int, bits: int) -> Change:
    """Keep only the low bits of a number."""

    def change(data: bytes) -> bytes:
        value = int.from_bytes(data[at : at + size], "little") & ((1 << bits) - 1)
        return data[:at] + value.to_bytes(size, "little") + data[at + size :]

    return change


def _if(number: int, change: Change, at: int = 0) -> Change:
    """Change only data whose byte `at` has this value."""
    return lambda data: change(data) if len(data) > at and data[at] == number else data


def _samples(kind: int, width: int, change: Callable[..., object]) -> Change:
    """Change the samples, an array of shape (n, width), of the frames of one type."""

    def changed(body: bytes) -> bytes:
        if body[0] != kind:
            return body
        counts = np.frombuffer(body[12:], "<i2").reshape(-1, width).astype(np.int32)
        return body[:12] + np.asarray(change(counts)).astype("<i2").tobytes()

    return changed


def _scale_ticks(body: bytes) -> bytes:
    ticks = int.from_bytes(body[8:12], "little") * 1000 // 32768
    return body[:8] + ticks.to_bytes(4, "little") + body[12:]


def _without(bits: int) -> Change:
    return lambda data: data[:1] + bytes([data[1] & ~bits]) + data[2:]


#: Offsets (bytes) of the sequence number and of the ticks in a frame.
_SEQ, _TICKS = 4, 8
#: Offsets (bytes) of sampling rate and full scale of the EMG in the info characteristic.
_EMG_RATE, _EMG_SCALE = 20, 24

#: Mutations by name, which `--mutate` accepts.
MUTATIONS: Final[Mapping[str, Mutation]] = {
    name: Mutation(field, wrong, place, change, check, says)
    for name, field, wrong, place, change, check, says in [
        # services
        ("service-uuid", "service: service", "another number", "service uuid", _add(0, 1, 1),
         "link", "foreign: no driver recognises it"),
        ("data-uuid", "service: data", "another number", "data uuid", _add(0, 1, 1),
         "link", "foreign: the device has no twitchsense service"),
        ("control-uuid", "service: control", "another number", "control uuid", _add(0, 1, 1),
         "link", "b5a90003"),
        ("info-uuid", "service: info", "another number", "info uuid", _add(0, 1, 1),
         "link", "b5a90004"),
        ("battery", "service: battery", "level of 255 instead of percent", "battery",
         lambda data: bytes([data[0] * 255 // 100]), "device", "battery is set()"),
        ("manufacturer", "service: manufacturer", "empty", "manufacturer", lambda data: b"",
         "device information", "manufacturer"),
        ("model", "service: model", "empty", "model", lambda data: b"",
         "device information", "model"),
        ("serial-number", "service: serial number", "backwards", "serial",
         lambda data: data[::-1], "device", "serial is 1"),
        ("firmware-revision", "service: firmware revision", "another", "firmware",
         lambda data: data + b"0", "device", "firmware is 1.00"),
        ("name", "service: name", "first digits of the serial number", "name",
         lambda data: b"ts-5453", "link", "not_found: ts-0001 does not advertise"),
        ("att-error", "control: att error", "0xFC", "refusal", lambda data: b"\xfc",
         "answers", "before notifications: (<ErrorCode.WRITE_REQUEST_REJECTED: 252>"),
        # Info
        ("major-version", "info: major version", "2", "info", _set(0, 2),
         "link", "version: the device uses version 2"),
        ("minor-version", "info: minor version", "7", "info", _set(1, 7), "info", "minor is 7"),
        ("leg", "info: leg", "left and right exchanged", "info", _set(2, 2),
         "info", "leg is right"),
        ("leg-unknown", "info: leg", "3", "info", _set(2, 3), "link", "info: a value is out of"),
        ("stream-number", "info: number", "one more than there are", "info", _add(3, 1, 1),
         "link", "too_short: info of 40 bytes for 3 streams"),
        ("tick-rate", "info: ticks per second", "half", "info",
         lambda data: data[:4] + (16384).to_bytes(4, "little") + data[8:],
         "info", "tick_hz is 16384"),
        ("tick-rate-byte-order", "info: ticks per second", "byte order", "info", _turn(4, 4),
         "link", "info: a value is out of"),
        ("device-id", "info: device id", "byte order", "info", _turn(8, 8), "info", "device is "),
        ("stream-id", "info: stream id", "EMG announced as 5", "info", _set(16, 5),
         "damaged", "unknown_type"),
        ("kind", "info: kind", "EMG announced as acceleration", "info", _set(17, 2),
         "link", "info: stream 1 is invalid"),
        ("kind-unknown", "info: kind", "EMG announced as of a later version", "info",
         _set(17, 9), "info", "kind is (None"),
        ("values", "info: values", "EMG announced as one channel", "info", _set(18, 1),
         "damaged", "length"),
        ("bits", "info: bits", "24", "info", _set(19, 24), "link", "info: stream 1 is invalid"),
        ("rate", "info: rate", "Hz instead of mHz", "info",
         lambda data: data[:_EMG_RATE] + (1000).to_bytes(4, "little") + data[_EMG_SCALE:],
         "info", "rate_mhz is (1000,"),
        ("rate-byte-order", "info: rate", "byte order", "info", _turn(_EMG_RATE, 4),
         "link", "info: stream 1 is invalid"),
        ("full-scale", "info: full scale", "double", "info", _add(_EMG_SCALE, 4, 6_553_600),
         "samples", "emg1_left: samples are nowhere"),
        ("full-scale-byte-order", "info: full scale", "byte order", "info",
         _turn(_EMG_SCALE, 4), "samples", "emg1_left: samples are nowhere"),
        # frames
        ("type", "frame: type", "4 more", "frame", _add(0, 1, 4), "damaged", "unknown_type"),
        ("type-exchanged", "frame: type", "acceleration sent as EMG", "frame",
         _if(ACC, _set(0, EMG)), "damaged", "length"),
        ("replay", "frame: REPLAY", "never set", "replayed", _without(FLAG_REPLAY),
         "flags", "REPLAY missing from"),
        ("replay-always", "frame: REPLAY", "always set", "sent",
         lambda data: data[:1] + bytes([data[1] | FLAG_REPLAY]) + data[2:],
         "flags", "REPLAY on frame"),
        ("gap", "frame: GAP", "never set", "frame", _without(FLAG_GAP), "flags", "GAP wrong in"),
        ("count", "frame: count", "one more", "frame", _add(2, 1, 1), "damaged", "length"),
        ("boot", "frame: boot", "the boot before", "frame", _add(3, 1, -1),
         "damaged", "boot"),
        ("sequence-width", "frame: sequence", "8 bits", "frame", _keep(_SEQ, 4, 8),
         "book", " received, "),
        ("sequence-byte-order", "frame: sequence", "byte order", "frame", _turn(_SEQ, 4),
         "damaged", "sequence"),
        ("sequence-start", "frame: sequence", "begins at 1", "frame", _add(_SEQ, 4, 1),
         "book", " received, "),
        ("tick-width", "frame: ticks", "16 bits", "frame", _keep(_TICKS, 4, 16),
         "samples", " samples instead of "),
        ("tick-unit", "frame: ticks", "milliseconds", "frame", _scale_ticks,
         "samples", " samples instead of "),
        ("tick-byte-order", "frame: ticks", "byte order", "frame", _turn(_TICKS, 4),
         "samples", "sampling rate of"),
        ("first-sample-tick", "frame: ticks", "of the sample after the last", "frame",
         _if(EMG, _add(_TICKS, 4, 1868)), "samples", " samples instead of "),
        ("byte-order", "frame: samples", "byte order", "frame",
         _samples(EMG, 2, lambda x: x.astype(np.int16).byteswap()),
         "samples", "emg1_left: samples are nowhere"),
        ("sign", "frame: samples", "offset binary", "frame",
         _samples(EMG, 2, lambda x: x ^ 0x8000), "samples", "emg1_left: samples are nowhere"),
        ("scale", "frame: samples", "double", "frame",
         _samples(EMG, 2, lambda x: 2 * x), "samples", "emg1_left: samples are nowhere"),
        ("channel-order", "frame: samples", "channels exchanged", "frame",
         _samples(EMG, 2, lambda x: x[:, ::-1]), "samples", "emg1_left: samples are nowhere"),
        ("channel-blocks", "frame: samples", "channel after channel", "frame",
         _samples(EMG, 2, lambda x: x.T), "samples", "emg1_left: samples are nowhere"),
        ("axis-order", "frame: samples", "z, y, x", "frame",
         _samples(ACC, 3, lambda x: x[:, ::-1]), "samples", "acc_left: samples are nowhere"),
        ("axis-sign", "frame: samples", "z into the skin", "frame",
         _samples(ACC, 3, lambda x: x * [1, 1, -1]), "samples", "acc_left: samples are nowhere"),
        ("time-order", "frame: samples", "the last first", "frame",
         _samples(ACC, 3, lambda x: x[::-1]), "samples", "acc_left: samples are nowhere"),
        ("checksum", "frame: checksum", "byte order", "checksum", _turn(0, 2),
         "damaged", "checksum"),
        ("checksum-inverted", "frame: checksum", "inverted at its end", "checksum",
         lambda data: bytes(byte ^ 0xFF for byte in data), "damaged", "checksum"),
        ("checksum-cover", "frame: checksum", "samples only", "covered",
         lambda data: data[12:], "damaged", "checksum"),
        ("replay-in-checksum", "frame: checksum", "covers REPLAY", "replayed",
         lambda data: data[:-2] + bytes([data[-2] ^ 0x21, data[-1] ^ 0x10]),
         "damaged", "checksum"),
        ("marker-type", "marker: type", "65", "frame", _if(MARKER, _set(0, 65)),
         "damaged", "unknown_type"),
        ("marker-count", "marker: count", "1", "frame", _if(MARKER, _set(2, 1)),
         "damaged", "count"),
        ("marker-ticks", "marker: ticks", "0", "frame",
         _if(MARKER, lambda data: data[:_TICKS] + bytes(4) + data[12:]), "marker", "told at"),
        # fragments
        ("fragment-mark", "fragment: 0xF0", "0xE0", "fragment", _set(0, 0xE0),
         "damaged", "unknown_type"),
        ("fragment-number", "fragment: bits 0-6", "counts from 1", "fragment", _add(1, 1, 1),
         "damaged", "fragment"),
        ("fragment-last", "fragment: bit 7", "set on the first", "fragment",
         lambda data: _set(1, data[1] ^ 0x80)(data), "damaged", "fragment"),
        ("fragment-piece", "fragment: the next piece", "its first byte twice", "fragment",
         lambda data: data[:3] + data[2:], "damaged", "length"),
        # control point
        ("op-start", "op: START", "0x11", "request", _if(START, _set(0, 0x11)),
         "link", "no answer"),
        ("op-stop", "op: STOP", "0x12", "request", _if(STOP, _set(0, 0x12)),
         "link", "no answer"),
        ("op-resend", "op: RESEND", "0x13", "request", _if(RESEND, _set(0, 0x13)),
         "link", "no answer"),
        ("op-ack", "op: ACK", "0x14", "request", _if(ACK, _set(0, 0x14)),
         "link", "no answer"),
        ("op-status", "op: STATUS", "0x15", "request", _if(STATUS, _set(0, 0x15)),
         "link", "no answer"),
        ("op-clock", "op: CLOCK", "0x16", "request", _if(CLOCK, _set(0, 0x16)),
         "link", "no answer"),
        ("request-token", "request: token", "read as the last byte", "request",
         lambda data: data[:1] + data[-1:] + data[2:], "link", "no answer"),
        ("answer-op", "answer: op", "without 0x80", "answer",
         lambda data: _set(0, data[0] & 0x7F)(data), "link", "no answer"),
        ("answer-token", "answer: token", "0", "answer", _set(1, 0), "link", "no answer"),
        ("answer-status", "answer: status", "left out", "answer",
         lambda data: data[:2] + data[3:], "link", "CLOCK answered BAD_ARGUMENT"),
        ("start-session", "start: session", "byte order", "request", _if(START, _turn(2, 4)),
         "left over", "samples on"),
        ("take-over", "start: TAKE OVER", "bit 1", "request",
         _if(START, lambda data: data[:6] + bytes([data[6] >> 1])),
         "link", "START answered OTHER_SESSION"),
        ("stop-session", "stop: session", "byte order", "request", _if(STOP, _turn(2, 4)),
         "left over", "samples on"),
        ("resend-first", "resend: first", "byte order", "request", _if(RESEND, _turn(2, 4)),
         "book", "open"),
        ("resend-last", "resend: last", "not included", "request",
         _if(RESEND, _add(6, 4, -1)), "book", "open"),
        ("ack-sequence", "ack: sequence", "byte order", "request", _if(ACK, _turn(2, 4)),
         "left over", "not freed"),
        ("ack-excluded", "ack: sequence", "not included", "request", _if(ACK, _add(2, 4, -1)),
         "left over", "not freed"),
        ("resend-answer-first", "resend answer: first", "one later", "range", _add(0, 4, 1),
         "answers", "resend: 8309"),
        ("resend-answer-last", "resend answer: last", "not included", "range", _add(4, 4, -1),
         "answers", "resend: 8309"),
        ("clock-ticks", "clock: ticks", "high word first", "clock",
         lambda data: data[4:8] + data[:4] + data[8:], "answers", "clock: 860c"),
        ("clock-boot-count", "clock: boot count", "8 bits", "clock", _keep(8, 4, 8),
         "book", "no book"),
        ("state-boot", "state: boot", "the boot before", "state", _add(0, 1, -1),
         "answers", "start: 81050006"),
        ("state-session", "state: session", "byte order", "state", _turn(1, 4),
         "answers", "start: 8105000701020304"),
        ("state-oldest", "state: oldest", "newest that is gone", "state", _add(5, 4, -1),
         "answers", "start: 8105000704030201ffffffff"),
        ("state-next", "state: next", "newest that is there", "state", _add(9, 4, -1),
         "answers", "start: 810500070403020100000000ffffffff"),
        ("state-dropped", "state: dropped", "0", "state",
         lambda data: data[:13] + bytes(4), "answers", "state: 8507"),
        ("status-ok", "status: OK", "1", "answer", _if(0, _set(2, 1), 2),
         "link", "answered UNKNOWN_OP"),
        ("status-unknown-op", "status: UNKNOWN OP", "3", "answer", _if(1, _set(2, 3), 2),
         "answers", "unknown op: 890203"),
        ("status-bad-length", "status: BAD LENGTH", "3", "answer", _if(2, _set(2, 3), 2),
         "answers", "bad length: 850303"),
        ("status-bad-argument", "status: BAD ARGUMENT", "2", "answer", _if(3, _set(2, 2), 2),
         "answers", "bad argument: 810402"),
        ("status-other-session", "status: OTHER SESSION", "6", "answer",
         _if(4, _set(2, 6), 2), "link", "START answered BUSY"),
        ("status-not-stored", "status: NOT STORED", "6", "answer", _if(5, _set(2, 6), 2),
         "answers", "not stored: 830806"),
        ("status-busy", "status: BUSY", "5", "answer", _if(6, _set(2, 5), 2),
         "answers", "busy: 830b05"),
    ]
}  # fmt: skip
