"""Bytes of Movesense's protocol, worked by hand from its description."""

from __future__ import annotations

import struct

import pytest

from tests.devices.movesense_case import notify, subscribed, write
from twitchsense.devices.contract import BatteryLevel, Direction, Ignored, Message, PacketError
from twitchsense.devices.movesense.movesense_decoder import BATTERY_UUID, NOTIFY_UUID
from twitchsense.devices.movesense.movesense_driver import MovesenseDriver

GRAVITY = 9.80665


def decoder(path="/Meas/Acc/52", reference=21):
    return subscribed(MovesenseDriver().make_decoder(), path, reference)


def data(payload, reference=21, code=2, arrival_ns=0):
    return notify(bytes([code, reference]) + bytes(payload), arrival_ns=arrival_ns)


def acc(time_ms=0, n=4, value=1.0):
    return struct.pack(f"<I{3 * n}f", time_ms, *[value] * (3 * n))


def values(decoder, message):
    (packet,) = decoder.push(message)
    spec = next(s for s in decoder.streams if s.name == packet.stream)
    return spec.to_physical(packet.samples).tolist()


def test_acceleration():
    # time 0x00012345 ms; 1.0 = 0x3F800000, -2.0 = 0xC0000000, 0.5 = 0x3F000000, low byte first
    payload = bytes.fromhex("45230100 0000803f 000000c0 0000003f 00000000 0000803f 000000c0")
    made = decoder("/Meas/Acc/26")
    (packet,) = made.push(data(payload, arrival_ns=5))
    assert packet.samples.tolist() == [[1.0, -2.0, 0.5], [0.0, 1.0, -2.0]]
    assert (packet.position, packet.arrival_ns, packet.restarted) == (0x12345, 5, False)
    (spec,) = made.streams
    assert (spec.fs, spec.unit, spec.columns) == (26, "g", ("acc_x_g", "acc_y_g", "acc_z_g"))
    assert spec.timing.samples_per_packet == 2
    assert spec.to_physical(packet.samples)[0] == pytest.approx(
        [1 / GRAVITY, -2 / GRAVITY, 0.5 / GRAVITY], rel=1e-12
    )


def test_ecg_in_mv_and_in_counts():
    # 0xFFEE = -18, 0x0048 = 72: multiples of 0.001 mV
    got = values(decoder("/Meas/Ecg/200/mV"), data(bytes.fromhex("eadc0100 eeff 4800") + bytes(28)))
    assert got[:3] == [[-0.018], [0.072], [0]]
    # -1 and 131072 = 0x00020000 counts of 50 / 2**17 mV
    made = decoder("/Meas/ECG/512")
    got = values(made, data(bytes.fromhex("00000000 ffffffff 00000200") + bytes(56)))
    assert got[:3] == [[-50 / 2**17], [50], [0]]
    assert (made.streams[0].fs, made.streams[0].columns) == (512, ("ecg_mv",))


@pytest.mark.parametrize(("path", "vectors"), [("IMU6", 2), ("IMU6m", 2), ("IMU9", 3)])
def test_acceleration_is_the_first_block_of_an_imu(path, vectors):
    numbers = [float(i) for i in range(6 * vectors)]
    payload = struct.pack(f"<I{6 * vectors}f", 7, *numbers)
    (packet,) = decoder(f"/Meas/{path}/26").push(data(payload))
    assert packet.samples.tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("path", ["/meas/acc/52\0", "Meas/ACC/52", "/Meas/Acc/52/"])
def test_a_path_is_known_in_any_spelling(path):
    assert len(decoder(path).push(data(acc()))) == 1


@pytest.mark.parametrize("path", ["/Meas/Gyro/52", "/Meas/HR", "/Meas/Acc/52/mV", "/Meas/Acc/052"])
def test_other_measurements_are_left_alone(path):
    made = decoder(path)
    assert made.push(data(acc())) == [Ignored("measurement")]
    assert made.streams == ()


# ---- parts -----------------------------------------------------------------------------

#: 16 samples of acceleration are 196 bytes, of which 153 fit into the first notification.
FIRST, REST = slice(None, 153), slice(153, None)


def two_parts(number, arrival_ms, rest_ms=None, n=16):
    """A payload of 16 samples at 208 Hz, which takes 77 ms, in two parts."""
    payload = acc(number * 77, n, float(number))
    rest_ms = arrival_ms if rest_ms is None else rest_ms
    return (
        data(payload[FIRST], arrival_ns=arrival_ms * 10**6),
        data(payload[REST], code=3, arrival_ns=rest_ms * 10**6),
    )


def test_two_parts_are_one_packet():
    made = decoder("/Meas/Acc/208")
    start, rest = two_parts(1, 100)
    assert (made.push(start), made.push(rest)) == ([], [])
    start, rest = two_parts(2, 177)  # it shows that the first two parts belong together
    assert [p.samples[15, 2] for p in made.push(start)] == [1]
    assert [p.samples[15, 2] for p in made.push(rest)] == [2]


def test_parts_of_two_payloads_are_not_joined():
    made = decoder("/Meas/Acc/208")
    for number in range(3):
        for message in two_parts(number, 100 + 77 * number):
            made.push(message)
    start, _ = two_parts(3, 331)
    _, rest = two_parts(4, 408)  # what lies in between is lost
    assert (made.push(start), made.push(rest)) == ([], [])
    start, rest = two_parts(5, 485)
    assert made.push(start) == []
    assert [p.samples[15, 2] for p in made.push(rest)] == [5]


def test_late_parts_are_joined_if_the_next_time_follows():
    made = decoder("/Meas/Acc/208")
    for number in range(3):
        for message in two_parts(number, 100 + 77 * number):
            made.push(message)
    start, rest = two_parts(3, 331, rest_ms=400)
    assert (made.push(start), made.push(rest)) == ([], [])
    assert [p.samples[15, 2] for p in made.push(two_parts(4, 408)[0])] == [3]


def test_a_beginning_of_whole_samples_is_no_whole_payload():
    made = decoder()  # four samples at 52 Hz, of which the first part holds two
    payload = acc(7, 4, 2.0)
    assert made.push(data(payload[:28])) == []
    made.push(data(payload[28:], code=3))
    for number in range(1, 4):
        payload = acc(7 + 77 * number, 4, float(number))
        made.push(data(payload[:28], arrival_ns=77 * number * 10**6))
        packets = made.push(data(payload[28:], code=3, arrival_ns=77 * number * 10**6))
        assert [p.samples.shape for p in packets] == [(4, 3)]


def test_payloads_with_fewer_samples_than_usual_are_whole_if_no_rest_comes():
    made = decoder()
    assert made.push(data(acc(7, 2), arrival_ns=1)) == []
    packets = made.push(data(acc(45, 2), arrival_ns=2))
    assert [(p.position, p.arrival_ns, len(p.samples)) for p in packets] == [(7, 1, 2), (45, 2, 2)]


def test_a_rest_without_its_beginning_is_refused():
    made = decoder("/Meas/Acc/208")
    with pytest.raises(PacketError, match="part"):
        made.push(two_parts(1, 100)[1])


# ---- refusals --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (notify(b""), "length"),
        (notify(b"\x02"), "length"),
        (data(b"\0\0\0"), "length"),
        (data(acc()[:-1]), "length"),
        (data(acc(n=3)), "length"),
        (data(acc(n=5)), "length"),
        (data(acc(value=float("nan"))), "value"),
        (data(acc(value=float("inf"))), "value"),
        (data(acc(), reference=99), "subscription"),
        (data(acc(), code=3), "part"),
        (data(acc(), code=4), "message"),
        (write(b"\x01"), "command"),
        (write(b"\x01\x16/Meas/\xff"), "command"),
        (notify(b"\x65", BATTERY_UUID), "battery"),
    ],
)
def test_other_bytes_are_refused_with_the_reason(message, reason):
    made = decoder()
    made.push(data(acc()))
    with pytest.raises(PacketError) as caught:
        made.push(message)
    assert caught.value.reason == reason
    assert len(made.push(data(acc()))) == 1


def test_battery():
    assert decoder().push(notify(b"\x57", BATTERY_UUID, 9)) == [BatteryLevel(87, 9)]


def test_a_write_to_the_characteristic_of_notifications_is_no_data():
    message = Message(NOTIFY_UUID, Direction.WRITE, data(acc()).data, 0)
    assert decoder().push(message) == []


# ---- subscriptions ---------------------------------------------------------------------


def test_references_tell_the_streams_apart():
    made = subscribed(decoder(), "/Meas/ECG/125/mV", 5)
    assert made.push(data(acc()))[0].stream == "acc"
    assert made.push(data(bytes(36), reference=5))[0].stream == "ecg"
    assert [s.name for s in made.streams] == ["acc", "ecg"]


def test_a_second_subscription_restarts_the_next_packet_of_its_stream_only():
    made = subscribed(decoder(), "/Meas/ECG/125/mV", 5)
    packets = [*made.push(data(acc())), *made.push(data(bytes(36), reference=5))]
    subscribed(made)
    packets += [*made.push(data(acc())), *made.push(data(bytes(36), reference=5))]
    packets += made.push(data(acc()))
    assert [p.restarted for p in packets] == [False, False, True, False, False]


def test_a_refused_subscription_changes_nothing():
    made = decoder()
    made.push(data(acc()))
    subscribed(made, status=409)
    subscribed(made, "/Meas/Acc/104", status=404)
    (packet,) = made.push(data(acc()))
    assert (made.streams[0].fs, packet.restarted) == (52, False)


def test_acceleration_from_two_subscriptions_is_refused_but_may_move_to_another():
    made = subscribed(decoder(), "/Meas/IMU6/52", 5)
    imu = bytes(4 + 24 * 4)
    made.push(data(acc()))
    with pytest.raises(PacketError, match="twice"):
        made.push(data(imu, reference=5))
    made.push(write(b"\x02\x15"))
    assert len(made.push(data(imu, reference=5))) == 1


def test_data_of_other_commands_is_left_alone():
    made = decoder()
    made.push(write(b"\x04\x07/Meas/Temp\0"))  # GET
    assert made.push(data(bytes(100), reference=7)) == [Ignored("measurement")]


def test_an_answer_that_is_missing_does_not_matter():
    made = MovesenseDriver().make_decoder()
    made.push(write(b"\x01\x15/Meas/Acc/52\0"))
    assert len(made.push(data(acc()))) == 1
    made.push(write(b"\x02\x15"))
    made.push(write(b"\x01\x15/Meas/Acc/104\0"))
    made.push(data(acc(n=8)))
    assert made.streams[0].fs == 104
