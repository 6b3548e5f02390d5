"""Dialogues with the control point of Polar's sensors."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Final

from twitchsense.devices.contract import PacketError, StartRefusedError
from twitchsense.devices.dialogue import Expect, Read, Step, Steps, Write
from twitchsense.devices.polar.polar_control import (
    ALREADY_IN_STATE,
    ANSWER,
    ERRORS,
    FEATURES,
    GET_SETTINGS,
    SDK_MODE,
    START,
    STOP,
    ControlAnswer,
    Setting,
    Settings,
    encode_start,
    parse_answer,
    parse_settings,
)
from twitchsense.devices.polar.polar_decoder import CONTROL_UUID
from twitchsense.errors import InputError

#: Rate (Hz) that the driver prefers: the next higher available one, else the highest.
_RATE_HZ: Final = 100.0
#: Range (g) that the driver prefers, likewise.
_RANGE_G: Final = 8.0
#: Longest wait for an answer, s.
_ANSWER_S: Final = 10.0
_STOP_S: Final = 2.0

_Answers = Generator[Step, bytes | None, ControlAnswer]


def read_features() -> Generator[Step, bytes | None, int]:
    """Return the bits that say what the device can send."""
    value = yield Read(CONTROL_UUID)
    if value is None or len(value) < 2 or value[0] != FEATURES:
        raise StartRefusedError("the device does not say what it can send; update its firmware")
    return int.from_bytes(value[1:3], "little")


def send_command(data: bytes) -> _Answers:
    """Send a command and return its answer, of several parts if need be."""
    yield Write(CONTROL_UUID, data)
    prefix = bytes([ANSWER, data[0]])
    parameters = b""
    while True:
        value = yield Expect(CONTROL_UUID, prefix, _ANSWER_S)
        if value is None or len(value) < 4:
            raise StartRefusedError("the device answers too briefly; update its firmware")
        answer = parse_answer(value)
        parameters += answer.parameters
        if not answer.more:
            return ControlAnswer(data[0], answer.measurement, answer.error, False, parameters)


def stop_measurements(*measurements: int) -> Steps:
    """Stop measurements; a device refuses to stop what does not run."""
    for measurement in measurements:
        yield Write(CONTROL_UUID, bytes([STOP, measurement]))
        prefix = bytes([ANSWER, STOP, measurement])
        yield Expect(CONTROL_UUID, prefix, _STOP_S, optional=True)


def check_answer(answer: ControlAnswer, action: str) -> ControlAnswer:
    """Return an answer; raise StartRefusedError with the device's reason if it is an error."""
    if answer.error:
        reason = ERRORS.get(answer.error, f"error {answer.error}")
        raise StartRefusedError(f"the device does not {action}: {reason}")
    return answer


def read_settings(measurement: int) -> Generator[Step, bytes | None, Settings]:
    """Return the available settings."""
    answer = yield from send_command(bytes([GET_SETTINGS, measurement]))
    try:
        settings = parse_settings(check_answer(answer, "list its settings").parameters)
    except PacketError as error:
        raise StartRefusedError(
            f"the device lists unknown settings ({error}); report this with a raw log"
        ) from error
    # the factor is stated again in the answer to START, and is not to be chosen
    return {kind: values for kind, values in settings.items() if values and kind != Setting.FACTOR}


def enter_sdk_mode() -> Steps:
    """Enter the mode with more rates and ranges.

    The device stops its heart rate in it, and also the timer that turns it off after ten minutes
    without a pulse, which a sensor on the leg may not find (polar-ble-sdk issue 382).
    """
    answer = yield from send_command(bytes([START, SDK_MODE]))
    if answer.error != ALREADY_IN_STATE:
        check_answer(answer, "enter its SDK mode")


def select_acc(offered: Settings, rate: float | None, range_g: float | None) -> dict[int, int]:
    """Return one value of each available setting."""
    selected = {kind: int(values[0]) for kind, values in offered.items()}
    wanted = ((Setting.RATE, "rate", rate, _RATE_HZ), (Setting.RANGE, "range", range_g, _RANGE_G))
    for kind, name, value, preferred in wanted:
        values = offered.get(kind, ())
        if value is not None and value not in values:
            choice = ", ".join(f"{v:g}" for v in sorted(values)) or "no setting"
            raise InputError(name, f"{value:g} is not available", f"choose one of: {choice}")
        if value is None and values:
            value = min((v for v in values if v >= preferred), default=max(values))
        if value is not None:
            selected[kind] = int(value)
    return selected


def start_measurement(measurement: int, selected: Mapping[int, int]) -> Steps:
    """Start a measurement with one value of each setting."""
    command = encode_start(measurement, selected)
    check_answer((yield from send_command(command)), "start")
