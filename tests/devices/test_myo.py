"""The driver of the Myo: bytes by hand, the kit, and a simulated armband."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from firmware_sim.peers.myo import Myo
from tests.devices.myo_case import myo_case
from twitchsense.cli.devices import devices
from twitchsense.devices.contract import (
    Advertised,
    BatteryLevel,
    Direction,
    Message,
    PacketError,
)
from twitchsense.devices.myo import (
    BATTERY_UUID,
    COMMAND_UUID,
    EMG_UUIDS,
    IMU_UUID,
    NEVER_SLEEP,
    SERVICE_UUID,
    START,
    MyoDriver,
)
from twitchsense.testing import SimulatedSession, check_driver, surviving_mutations
from twitchsense.testing.driver_case import decode_case


def notify(data, uuid=EMG_UUIDS[0], arrival_ns=0):
    return Message(uuid, Direction.NOTIFY, bytes(data), arrival_ns)


def test_the_uuids_are_those_of_the_header():
    assert SERVICE_UUID == "d5060001-a904-deb9-4748-2c7f4a124842"
    assert EMG_UUIDS[3] == "d5060405-a904-deb9-4748-2c7f4a124842"
    assert IMU_UUID == "d5060402-a904-deb9-4748-2c7f4a124842"


def test_emg_by_hand():
    # two samples of eight signed bytes: 0x80 = -128, 0x7f = 127, 0xff = -1
    data = bytes.fromhex("80 7f ff 00 01 02 03 04  fe fd 10 f0 00 00 00 05")
    (packet,) = MyoDriver().make_decoder().push(notify(data, EMG_UUIDS[2], 5))
    assert packet.samples.tolist() == [
        [-128, 127, -1, 0, 1, 2, 3, 4],
        [-2, -3, 16, -16, 0, 0, 0, 5],
    ]
    assert (packet.stream, packet.position, packet.arrival_ns) == ("emg", 4, 5)


def test_acceleration_by_hand():
    # quaternion (8 bytes); 0x0800 = 2048 = 1 g, 0xfc00 = -1024 = -0.5 g, 0x0001; gyroscope
    data = bytes.fromhex("0040000000000000 0008 00fc 0100 112233445566")
    (packet,) = MyoDriver().make_decoder().push(notify(data, IMU_UUID))
    assert (packet.samples / 2048).tolist() == [[1.0, -0.5, 1 / 2048]]
    assert (packet.stream, packet.position) == ("acc", None)


def test_emg_has_no_unit_and_half_the_band():
    emg, acc = MyoDriver().make_decoder().streams
    assert (emg.unit, emg.fs, emg.band_hz) == ("count", 200, (0, 100))
    assert (emg.limits, emg.resolution) == ((-128, 127), 1)
    assert emg.columns[0] == "emg1_count"
    assert acc.columns == ("acc_x_g", "acc_y_g", "acc_z_g")


@pytest.mark.parametrize(
    ("uuid", "data", "reason"),
    [
        (EMG_UUIDS[1], b"", "length"),
        (EMG_UUIDS[1], bytes(15), "length"),
        (IMU_UUID, bytes(21), "length"),
        (BATTERY_UUID, b"\x65", "battery"),
        (BATTERY_UUID, b"", "battery"),
    ],
)
def test_other_bytes_are_refused_with_the_reason(uuid, data, reason):
    decoder = MyoDriver().make_decoder()
    with pytest.raises(PacketError) as caught:
        decoder.push(notify(data, uuid))
    assert caught.value.reason == reason
    assert len(decoder.push(notify(bytes(16)))) == 1


def test_battery():
    decoder = MyoDriver().make_decoder()
    assert decoder.push(notify(b"\x57", BATTERY_UUID, 9)) == [BatteryLevel(87, 9)]


def test_a_start_restarts_the_turn_of_the_characteristics():
    decoder = MyoDriver().make_decoder()
    start = Message(COMMAND_UUID, Direction.WRITE, START, 0)
    assert decoder.push(start) == []
    packets = [*decoder.push(notify(bytes(16))), *decoder.push(start)]
    packets += [*decoder.push(notify(bytes(16))), *decoder.push(notify(bytes(16)))]
    assert [p.restarted for p in packets] == [False, True, False]


def test_the_kit_passes_with_loss_and_a_restart():
    check_driver(MyoDriver(), myo_case(loss=0.05))


@pytest.mark.slow
def test_the_loss_is_the_true_one():
    case = myo_case(loss=0.05, restart=False, seconds=20)
    assert case.expected["emg"].lost > 100
    check_driver(MyoDriver(), case)
    assert decode_case(MyoDriver(), case.log).loss["emg"].exact == 0


@pytest.mark.slow
def test_the_kit_notices_every_wrong_driver():
    assert surviving_mutations(MyoDriver(), myo_case(loss=0.02)) == []


def test_a_stall_is_no_loss():
    case = myo_case(
        loss=0.0, restart=False, seconds=20, delay_s=lambda n: max(0.0, 2.0 - abs(n - 1500) / 100)
    )
    decoded = decode_case(MyoDriver(), case.log)
    assert decoded.loss["emg"].total == decoded.loss["acc"].total == 0


def test_the_device_stays_awake_and_sleeps_after_the_night():
    peripheral = Myo()
    session = SimulatedSession(MyoDriver(), peripheral)
    session.open()
    session.run(100)
    session.poll()
    assert not peripheral.asleep
    assert len(peripheral.sent["emg"].values) > 19_900
    assert [m.data for m in session.log if m.characteristic == COMMAND_UUID][-1] == NEVER_SLEEP
    session.close()
    peripheral.advance(session.now_s + 100)
    assert peripheral.asleep


def test_recognition():
    driver = MyoDriver()
    assert driver.recognize(Advertised("", frozenset({SERVICE_UUID}))) == 1
    assert 0 < driver.recognize(Advertised("My Myo")) < 1
    assert driver.recognize(Advertised("Myomo")) == 0


def test_the_list_of_devices_does_not_call_a_loss_known_exactly():
    result = CliRunner().invoke(devices, ["--known", "--json"])
    (myo,) = [d for d in json.loads(result.output) if d["kind"] == "myo"]
    assert myo["streams"][0]["loss"] == "is known up to a multiple of 0.04 s"
