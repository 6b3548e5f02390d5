"""Driver of Polar's sensors: acceleration, and the ECG of the H10.

H10, OH1, Verity Sense, 360 and Loop speak the same protocol, the Polar Measurement Data service.
Sources: see `twitchsense.devices.polar.polar_control` and `twitchsense.devices.polar.polar_frames`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from twitchsense.devices.contract import Abilities, Advertised, StartRefusedError
from twitchsense.devices.dialogue import Read, Steps, Subscribe
from twitchsense.devices.polar.polar_control import (
    ACC,
    ACC_FEATURE,
    ECG,
    ECG_FEATURE,
    SDK_MODE,
    SDK_MODE_FEATURE,
)
from twitchsense.devices.polar.polar_decoder import (
    BATTERY_UUID,
    CONTROL_UUID,
    DATA_UUID,
    PolarDecoder,
    describe_acc,
    describe_ecg,
)
from twitchsense.devices.polar.polar_dialogues import (
    enter_sdk_mode,
    read_features,
    read_settings,
    select_acc,
    start_measurement,
    stop_measurements,
)
from twitchsense.devices.polar.polar_memory import fetch_memory, open_memory
from twitchsense.errors import InputError

SERVICE_UUID: Final = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
#: Company identifier of Polar Electro Oy in manufacturer data.
_MANUFACTURER: Final = 0x006B
#: Begin of the names of devices with acceleration.
_NAMES: Final = ("POLAR H10", "POLAR OH1", "POLAR SENSE", "POLAR 360", "POLAR LOOP")
#: Range (g) of the usual settings.
_RANGE_G: Final = 8.0
_YES_NO: Final = ("yes", "no")


class PolarDriver:
    """Driver of Polar's sensors; see `Driver`."""

    kind = "polar"
    title = "Polar H10, OH1, Verity Sense, 360, Loop"
    version = 1
    abilities = Abilities(
        resend="after_night",
        while_disconnected="stops",
        restarts_on=frozenset({"power", "start"}),
    )
    typical_streams = (describe_acc(100.0, 1000.0, _RANGE_G), describe_ecg(130.0))
    options: Mapping[str, str] = MappingProxyType(
        {
            "rate": "sampling rate of the acceleration, Hz (default: 100, or the next available)",
            "range": "range of the acceleration, g (default: 8)",
            "ecg": "yes or no: also record the ECG of an H10 (default: yes)",
            "memory": "yes or no: record in the memory of a Verity Sense, 360 or Loop instead of "
            "sending, and fetch the recording at the end (default: no)",
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
        """Choose the settings among the available ones, and start; see `Driver`."""
        rate, range_g = (_number(options, name) for name in ("rate", "range"))
        wants_ecg, in_memory = _yes_no(options, "ecg", "yes"), _yes_no(options, "memory", "no")
        yield Subscribe(CONTROL_UUID)
        yield Subscribe(DATA_UUID)
        features = yield from read_features()
        if not features & ACC_FEATURE:
            raise StartRefusedError(
                "the device sends no acceleration; an H10, OH1, Verity Sense, 360 or Loop does"
            )
        if in_memory:
            yield from open_memory(features, rate, range_g)
            yield Read(BATTERY_UUID, optional=True)
            return
        yield from stop_measurements(ACC, ECG)  # what an earlier connection left running
        if features & SDK_MODE_FEATURE:
            yield from enter_sdk_mode()
        offered = yield from read_settings(ACC)
        yield from start_measurement(ACC, select_acc(offered, rate, range_g))
        if features & ECG_FEATURE and wants_ecg:
            offered = yield from read_settings(ECG)
            yield from start_measurement(
                ECG, {kind: int(values[0]) for kind, values in offered.items()}
            )
        yield Read(BATTERY_UUID, optional=True)

    def poll(self) -> Steps:
        """Read the battery level; see `Driver`."""
        yield Read(BATTERY_UUID, optional=True)

    def close(self) -> Steps:
        """Stop both streams: an H10 goes on until its battery is empty otherwise."""
        yield from stop_measurements(ACC, ECG, SDK_MODE)

    def is_silent(self, options: Mapping[str, str]) -> bool:
        """Return whether the device records in its memory; see `StoringDriver`."""
        return _yes_no(options, "memory", "no")

    def fetch(self, options: Mapping[str, str]) -> Steps:
        """Fetch the recording in the memory; see `StoringDriver`."""
        if _yes_no(options, "memory", "no"):
            yield from fetch_memory(*(_number(options, name) for name in ("rate", "range")))

    def make_decoder(self) -> PolarDecoder:
        """Return a new decoder; see `Driver`."""
        return PolarDecoder()


def _yes_no(options: Mapping[str, str], name: str, default: str) -> bool:
    value = options.get(name, default).lower()
    if value not in _YES_NO:
        raise InputError(name, f"is {value!r}", "give yes or no")
    return value == "yes"


def _number(options: Mapping[str, str], name: str) -> float | None:
    text = options.get(name)
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(name, f"is {text!r}, not a number", "give a number") from None
