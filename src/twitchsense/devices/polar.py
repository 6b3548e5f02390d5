"""Driver of Polar's sensors: acceleration, and the ECG of the H10.

H10, OH1, Verity Sense, 360 and Loop speak the same protocol, the Polar Measurement Data service.
Sources: see `twitchsense.devices.polar_control` and `twitchsense.devices.polar_frames`.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from types import MappingProxyType
from typing import Final

from twitchsense.devices.contract import Abilities, Advertised, PacketError, StartRefusedError
from twitchsense.devices.dialogue import Expect, Read, Step, Steps, Subscribe, Write
from twitchsense.devices.polar_control import (
    ACC,
    ACC_FEATURE,
    ALREADY_IN_STATE,
    ANSWER,
    ECG,
    ECG_FEATURE,
    ERRORS,
    FEATURES,
    GET_SETTINGS,
    SDK_MODE,
    SDK_MODE_FEATURE,
    START,
    STOP,
    ControlAnswer,
    Setting,
    Settings,
    encode_start,
    parse_answer,
    parse_settings,
)
from twitchsense.devices.polar_decoder import (
    BATTERY_UUID,
    CONTROL_UUID,
    DATA_UUID,
    PolarDecoder,
    describe_acc,
    describe_ecg,
)
from twitchsense.errors import InputError

SERVICE_UUID: Final = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
#: Company identifier of Polar Electro Oy in manufacturer data.
_MANUFACTURER: Final = 0x006B
#: Begin of the names of devices with acceleration.
_NAMES: Final = ("POLAR H10", "POLAR OH1", "POLAR SENSE", "POLAR 360", "POLAR LOOP")
#: Rate (Hz) that the driver prefers: the next higher one on offer, else the highest.
_RATE_HZ: Final = 100.0
#: Range (g) that the driver prefers, likewise.
_RANGE_G: Final = 8.0
#: Longest wait for an answer, s.
_ANSWER_S: Final = 10.0
_STOP_S: Final = 2.0
_YES_NO: Final = ("yes", "no")

_Answers = Generator[Step, bytes | None, ControlAnswer]


class PolarDriver:
    """Driver of Polar's sensors; see `Driver`."""

    kind = "polar"
    title = "Polar H10, OH1, Verity Sense, 360, Loop"
    version = 1
    abilities = Abilities(
        resend="none", while_disconnected="stops", restarts_on=frozenset({"power", "start"})
    )
    typical_streams = (describe_acc(100.0, 1000.0, _RANGE_G), describe_ecg(130.0))
    options: Mapping[str, str] = MappingProxyType(
        {
            "rate": "sampling rate of the acceleration, Hz (default: 100, or the next on offer)",
            "range": "range of the acceleration, g (default: 8)",
            "ecg": "yes or no: also record the ECG of an H10 (default: yes)",
        }
    )
    poll_period_s = 600.0

    def recognize(self, advertised: Advertised) -> float:
        """Return 1 for the service, 0.9 for a name, 0.5 for another device of Polar's."""
        name = advertised.name.upper()
        if SERVICE_UUID in advertised.service_uuids:
            return 1.0
        if name.startswith(_NAMES):
            return 0.9
        is_polar = name.startswith("POLAR ") or _MANUFACTURER in advertised.manufacturer_data
        return 0.5 if is_polar else 0.0

    def open(self, options: Mapping[str, str]) -> Steps:
        """Choose the settings among those on offer, and start; see `Driver`."""
        rate, range_g = (_number(options, name) for name in ("rate", "range"))
        wants_ecg = options.get("ecg", "yes").lower()
        if wants_ecg not in _YES_NO:
            raise InputError("ecg", f"is {wants_ecg!r}", "give yes or no")
        yield Subscribe(CONTROL_UUID)
        yield Subscribe(DATA_UUID)
        features = yield from _read_features()
        if not features & ACC_FEATURE:
            raise StartRefusedError(
                "the device sends no acceleration; an H10, OH1, Verity Sense, 360 or Loop does"
            )
        yield from _stop(ACC, ECG)  # what an earlier connection left running
        if features & SDK_MODE_FEATURE:
            yield from _enter_sdk_mode()
        offered = yield from _read_settings(ACC)
        yield from _start(ACC, _select_acc(offered, rate, range_g))
        if features & ECG_FEATURE and wants_ecg == "yes":
            offered = yield from _read_settings(ECG)
            yield from _start(ECG, {kind: int(values[0]) for kind, values in offered.items()})
        yield Read(BATTERY_UUID, optional=True)

    def poll(self) -> Steps:
        """Read the battery level; see `Driver`."""
        yield Read(BATTERY_UUID, optional=True)

    def close(self) -> Steps:
        """Stop both streams: an H10 goes on until its battery is empty otherwise."""
        yield from _stop(ACC, ECG, SDK_MODE)

    def make_decoder(self) -> PolarDecoder:
        """Return a new decoder; see `Driver`."""
        return PolarDecoder()


def _number(options: Mapping[str, str], name: str) -> float | None:
    text = options.get(name)
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(name, f"is {text!r}, not a number", "give a number") from None


def _read_features() -> Generator[Step, bytes | None, int]:
    value = yield Read(CONTROL_UUID)
    if value is None or len(value) < 2 or value[0] != FEATURES:
        raise StartRefusedError("the device does not say what it can send; update its firmware")
    return int.from_bytes(value[1:3], "little")


def _command(data: bytes) -> _Answers:
    """Send a command and return its answer, of several parts if need be."""
    yield Write(CONTROL_UUID, data)
    prefix = bytes([ANSWER, data[0], data[1]])
    parameters = b""
    while True:
        value = yield Expect(CONTROL_UUID, prefix, _ANSWER_S)
        if value is None or len(value) < 4:
            raise StartRefusedError("the device answers too briefly; update its firmware")
        answer = parse_answer(value)
        parameters += answer.parameters
        if not answer.more:
            return ControlAnswer(data[0], data[1], answer.error, False, parameters)


def _stop(*measurements: int) -> Steps:
    """Stop measurements; a device refuses to stop what does not run."""
    for measurement in measurements:
        yield Write(CONTROL_UUID, bytes([STOP, measurement]))
        prefix = bytes([ANSWER, STOP, measurement])
        yield Expect(CONTROL_UUID, prefix, _STOP_S, optional=True)


def _check(answer: ControlAnswer, action: str) -> ControlAnswer:
    if answer.error:
        reason = ERRORS.get(answer.error, f"error {answer.error}")
        raise StartRefusedError(f"the device does not {action}: {reason}")
    return answer


def _read_settings(measurement: int) -> Generator[Step, bytes | None, Settings]:
    answer = yield from _command(bytes([GET_SETTINGS, measurement]))
    try:
        settings = parse_settings(_check(answer, "list its settings").parameters)
    except PacketError as error:
        raise StartRefusedError(
            f"the device lists unknown settings ({error}); report this with a raw log"
        ) from error
    # the factor is stated again in the answer to START, and is not to be chosen
    return {kind: values for kind, values in settings.items() if values and kind != Setting.FACTOR}


def _enter_sdk_mode() -> Steps:
    """Enter the mode with more rates and ranges.

    The device stops its heart rate in it, and also the timer that turns it off after ten minutes
    without a pulse, which a sensor on the leg may not find (polar-ble-sdk issue 382).
    """
    answer = yield from _command(bytes([START, SDK_MODE]))
    if answer.error != ALREADY_IN_STATE:
        _check(answer, "enter its SDK mode")


def _select_acc(offered: Settings, rate: float | None, range_g: float | None) -> dict[int, int]:
    """Return one value of each setting on offer."""
    selected = {kind: int(values[0]) for kind, values in offered.items()}
    wanted = ((Setting.RATE, "rate", rate, _RATE_HZ), (Setting.RANGE, "range", range_g, _RANGE_G))
    for kind, name, value, preferred in wanted:
        values = offered.get(kind, ())
        if value is not None and value not in values:
            choice = ", ".join(f"{v:g}" for v in sorted(values)) or "no setting"
            raise InputError(name, f"{value:g} is not on offer", f"choose one of: {choice}")
        if value is None and values:
            value = min((v for v in values if v >= preferred), default=max(values))
        if value is not None:
            selected[kind] = int(value)
    return selected


def _start(measurement: int, selected: Mapping[int, int]) -> Steps:
    command = encode_start(measurement, selected)
    _check((yield from _command(command)), "start")
