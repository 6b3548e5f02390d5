"""Driver of Movesense sensors: acceleration and ECG over the GATT SensorData protocol.

Sources: see `twitchsense.devices.movesense.movesense_packets`.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from types import MappingProxyType
from typing import Final

from twitchsense.devices.contract import (
    Abilities,
    Advertised,
    StartRefusedError,
)
from twitchsense.devices.dialogue import Expect, Read, Step, Steps, Subscribe, Write
from twitchsense.devices.movesense.movesense_decoder import (
    BATTERY_UUID,
    DATA,
    FETCH_LOG,
    GET,
    NOTIFY_UUID,
    RESPONSE,
    SET_LOGGED,
    SET_LOGGER_STATE,
    SUBSCRIBE,
    SUCCESS,
    UNSUBSCRIBE,
    WRITE_UUID,
    MovesenseDecoder,
    describe_stream,
)
from twitchsense.devices.movesense.movesense_packets import Subscription
from twitchsense.errors import InputError

SERVICE_UUID: Final = "34802252-7185-4d5d-b431-630e7050e8f0"
#: References of the driver's subscriptions.
_ACC_REFERENCE: Final = 21
_ECG_REFERENCE: Final = 22
#: References of commands to the logger, and of the log that is fetched.
_LOGGER_REFERENCE: Final = 23
_LOG_REFERENCE: Final = 24
_READY, _LOGGING = 2, 3
#: Bytes before the entries of the list of logs (message, reference, status, count), and of each:
#: number (u32), time of the last change (u32), size (u64).
_ENTRIES_AT: Final = 5
_ENTRY_SIZE: Final = 16
#: Bytes before the content of a piece of a log: message, reference, place.
_PIECE_AT: Final = 6
_ACC_RATES: Final = (13, 26, 52, 104, 208, 416, 833, 1666)
_ECG_RATES: Final = (125, 128, 200, 250, 256, 500, 512)
_RATE_HZ: Final = 104
#: Longest wait for an answer, s.
_ANSWER_S: Final = 10.0
_PIECE_S: Final = 30.0
_LOG_CHOICES: Final = ("no", "yes", "all")

log = logging.getLogger(__name__)


class MovesenseDriver:
    """Driver of Movesense sensors; see `Driver`."""

    kind = "movesense"
    title = "Movesense HR2, HR+, MD, Active, Flash"
    version = 1
    abilities = Abilities(
        resend="after_night",
        while_disconnected="stops",
        restarts_on=frozenset({"power", "start"}),
    )
    typical_streams = (
        describe_stream(Subscription("acc", float(_RATE_HZ), 1), None),
        describe_stream(Subscription("ecg", 500.0, in_mv=True), None),
    )
    options: Mapping[str, str] = MappingProxyType(
        {
            "rate": "sampling rate of the acceleration, Hz (default: 104)",
            "ecg": "sampling rate of the ECG, Hz, or no (default: no)",
            "log": "yes: log in the sensor's memory too, and fetch at the end what the radio lost; "
            "all: also fetch older logs of this night (default: no)",
        }
    )
    poll_period_s = 600.0

    def recognize(self, advertised: Advertised) -> float:
        """Return 1 for the service and 0.9 for the name; see `Driver`."""
        if SERVICE_UUID in advertised.service_uuids:
            return 1.0
        return 0.9 if advertised.name.upper().startswith("MOVESENSE ") else 0.0

    def open(self, options: Mapping[str, str]) -> Steps:
        """Subscribe to acceleration, and to ECG if wanted; see `Driver`."""
        rate = _choose(options, "rate", str(_RATE_HZ), _ACC_RATES)
        wants_ecg = options.get("ecg", "no").lower() != "no"
        ecg_rate = _choose(options, "ecg", "", _ECG_RATES) if wants_ecg else 0
        wants_log = _log_choice(options) != "no"
        yield Subscribe(NOTIFY_UUID)
        yield from _unsubscribe()  # what an earlier connection left
        if wants_log:
            ecg_path = f"/Meas/ECG/{ecg_rate}/mV" if ecg_rate else ""
            yield from _start_logging(f"/Meas/Acc/{rate}", ecg_path)
        yield from _subscribe(_ACC_REFERENCE, f"/Meas/Acc/{rate}")
        if ecg_rate:
            # firmware before 2.3 knows counts only
            paths = f"/Meas/ECG/{ecg_rate}/mV", f"/Meas/ECG/{ecg_rate}"
            yield from _subscribe(_ECG_REFERENCE, *paths)
        yield Read(BATTERY_UUID, optional=True)

    def poll(self) -> Steps:
        """Read the battery level; see `Driver`."""
        yield Read(BATTERY_UUID, optional=True)

    def close(self) -> Steps:
        """Unsubscribe; see `Driver`."""
        yield from _unsubscribe()

    def is_silent(self, options: Mapping[str, str]) -> bool:
        """Return False: the sensor sends what it logs; see `StoringDriver`."""
        return False

    def fetch(self, options: Mapping[str, str]) -> Steps:
        """End the logging, and fetch the newest log, or all; see `StoringDriver`."""
        choice = _log_choice(options)
        if choice == "no":
            return
        yield from _unsubscribe()
        yield from _command(_LOGGER_REFERENCE, SET_LOGGER_STATE, bytes([_READY]), "end its log")
        answer = yield from _command(
            _LOGGER_REFERENCE, GET, b"/Mem/Logbook/Entries\0", "list its logs"
        )
        starts = range(_ENTRIES_AT, len(answer) - _ENTRY_SIZE + 1, _ENTRY_SIZE)
        numbers = sorted(int.from_bytes(answer[at : at + 4], "little") for at in starts)
        if not numbers:
            raise StartRefusedError("the sensor's memory holds no log")
        for number in numbers if choice == "all" else numbers[-1:]:
            yield from _command(
                _LOG_REFERENCE, FETCH_LOG, number.to_bytes(4, "little"), f"send its log {number}"
            )
            piece = b"".ljust(_PIECE_AT + 1)
            while len(piece) > _PIECE_AT:  # the last one is empty
                found = yield Expect(NOTIFY_UUID, bytes([DATA, _LOG_REFERENCE]), _PIECE_S)
                piece = found or b""

    def make_decoder(self) -> MovesenseDecoder:
        """Return a new decoder; see `Driver`."""
        return MovesenseDecoder()


def _choose(options: Mapping[str, str], name: str, default: str, rates: tuple[int, ...]) -> int:
    text = options.get(name, default)
    if text not in map(str, rates):
        choice = ", ".join(map(str, rates))
        raise InputError(name, f"{text!r} is not available", f"choose one of: {choice}")
    return int(text)


def _log_choice(options: Mapping[str, str]) -> str:
    choice = options.get("log", "no").lower()
    if choice not in _LOG_CHOICES:
        raise InputError("log", f"is {choice!r}", f"choose one of: {', '.join(_LOG_CHOICES)}")
    return choice


def _command(
    reference: int, code: int, parameters: bytes, action: str
) -> Generator[Step, bytes | None, bytes]:
    """Send a command and return its answer, message and status included."""
    yield Write(WRITE_UUID, bytes([code, reference]) + parameters)
    answer = (yield Expect(NOTIFY_UUID, bytes([RESPONSE, reference]), _ANSWER_S)) or b""
    status = int.from_bytes(answer[2:4], "little")
    if status != SUCCESS:
        raise StartRefusedError(f"the sensor does not {action} (status {status})")
    return answer


def _start_logging(*paths: str) -> Steps:
    """Start the logger, unless it runs since an earlier connection.

    A sensor that cannot log, for example because its memory is full, is recorded without a log.
    """
    try:
        state = yield from _command(
            _LOGGER_REFERENCE, GET, b"/Mem/DataLogger/State\0", "say whether it logs"
        )
        if state[4:5] == bytes([_LOGGING]):
            return
        logged = b"".join(path.encode() + b"\0" for path in paths if path)
        yield from _command(_LOGGER_REFERENCE, SET_LOGGED, logged, f"log {' and '.join(paths)}")
        yield from _command(_LOGGER_REFERENCE, SET_LOGGER_STATE, bytes([_LOGGING]), "log")
    except StartRefusedError as error:
        log.warning("%s; recording goes on without a log: clear its memory with its app", error)


def _unsubscribe() -> Steps:
    """End both subscriptions; the answer tells nothing if there was none."""
    for reference in (_ACC_REFERENCE, _ECG_REFERENCE):
        yield Write(WRITE_UUID, bytes([UNSUBSCRIBE, reference]))
        yield Expect(NOTIFY_UUID, bytes([RESPONSE, reference]), _ANSWER_S / 10, optional=True)


def _subscribe(reference: int, *paths: str) -> Steps:
    """Subscribe to the first of several paths that the sensor knows."""
    status = 0
    for path in paths:
        yield Write(WRITE_UUID, bytes([SUBSCRIBE, reference]) + path.encode() + b"\0")
        answer = yield Expect(NOTIFY_UUID, bytes([RESPONSE, reference]), _ANSWER_S)
        status = int.from_bytes((answer or b"")[2:4], "little")
        if status == SUCCESS:
            return
    raise StartRefusedError(
        f"the sensor does not send {paths[-1]} (status {status}); "
        "restart it, and choose another rate if that does not help"
    )
