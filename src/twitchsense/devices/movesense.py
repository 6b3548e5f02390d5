"""Driver of Movesense sensors: acceleration and ECG over the GATT SensorData protocol.

Sources: see `twitchsense.devices.movesense_packets`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from twitchsense.devices.contract import (
    Abilities,
    Advertised,
    StartRefusedError,
)
from twitchsense.devices.dialogue import Expect, Read, Steps, Subscribe, Write
from twitchsense.devices.movesense_decoder import (
    BATTERY_UUID,
    NOTIFY_UUID,
    RESPONSE,
    SUBSCRIBE,
    SUCCESS,
    UNSUBSCRIBE,
    WRITE_UUID,
    MovesenseDecoder,
    describe_stream,
)
from twitchsense.devices.movesense_packets import Subscription
from twitchsense.errors import InputError

SERVICE_UUID: Final = "34802252-7185-4d5d-b431-630e7050e8f0"
#: References of the driver's subscriptions.
_ACC_REFERENCE: Final = 21
_ECG_REFERENCE: Final = 22
_ACC_RATES: Final = (13, 26, 52, 104, 208, 416, 833, 1666)
_ECG_RATES: Final = (125, 128, 200, 250, 256, 500, 512)
_RATE_HZ: Final = 104
#: Longest wait for an answer, s.
_ANSWER_S: Final = 10.0


class MovesenseDriver:
    """Driver of Movesense sensors; see `Driver`."""

    kind = "movesense"
    title = "Movesense HR2, HR+, MD, Active, Flash"
    version = 1
    abilities = Abilities(
        resend="none", while_disconnected="stops", restarts_on=frozenset({"power", "start"})
    )
    typical_streams = (
        describe_stream(Subscription("acc", float(_RATE_HZ), 1), None),
        describe_stream(Subscription("ecg", 500.0, in_mv=True), None),
    )
    options: Mapping[str, str] = MappingProxyType(
        {
            "rate": "sampling rate of the acceleration, Hz (default: 104)",
            "ecg": "sampling rate of the ECG, Hz, or no (default: no)",
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
        yield Subscribe(NOTIFY_UUID)
        yield from _unsubscribe()  # what an earlier connection left
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

    def make_decoder(self) -> MovesenseDecoder:
        """Return a new decoder; see `Driver`."""
        return MovesenseDecoder()


def _choose(options: Mapping[str, str], name: str, default: str, rates: tuple[int, ...]) -> int:
    text = options.get(name, default)
    if text not in map(str, rates):
        choice = ", ".join(map(str, rates))
        raise InputError(name, f"{text!r} is not on offer", f"choose one of: {choice}")
    return int(text)


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
