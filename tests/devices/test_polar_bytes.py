"""Bytes of Polar's measurement service, worked by hand from its description."""

from __future__ import annotations

import struct

import pytest

from tests.devices.polar_case import answer, command, frame, notify, started
from twitchsense.devices.contract import BatteryLevel, Direction, Message, PacketError
from twitchsense.devices.polar.polar_decoder import BATTERY_UUID, DATA_UUID
from twitchsense.devices.polar.polar_driver import PolarDriver

FACTOR = "05 01 " + struct.pack("<f", 0.244).hex()


def decoder():
    return PolarDriver().make_decoder()


def values(decoder, data):
    """Samples of the packet in the unit of its stream."""
    (packet,) = decoder.push(notify(data))
    spec = next(s for s in decoder.streams if s.name == packet.stream)
    return spec.to_physical(packet.samples).tolist()


def test_acceleration_of_16_bits_in_mg():
    # 0xFFF7 = -9, 0xFFFF = -1, 0x03E7 = 999; 0x0100 = 256, 0x8000 = -32768, 0x0001 = 1
    data = frame(1, bytes.fromhex("f7ff ffff e703  0001 0080 0100"), time_ns=0x0102030405060708)
    assert data[1:9].hex() == "0807060504030201"
    made = started(decoder())
    (packet,) = made.push(notify(data, arrival_ns=5))
    assert packet.samples.tolist() == [[-9, -1, 999], [256, -32768, 1]]
    assert (packet.position, packet.arrival_ns, packet.restarted) == (0x0102030405060708, 5, False)
    (spec,) = made.streams
    assert (spec.fs, spec.unit, spec.columns) == (50, "g", ("acc_x_g", "acc_y_g", "acc_z_g"))
    assert spec.limits == (-8, 8)
    assert spec.to_physical(packet.samples)[0].tolist() == [-0.009, -0.001, 0.999]


def test_acceleration_of_8_and_24_bits_in_mg():
    assert values(started(decoder()), frame(0, b"\x7f\x80\xff")) == [[0.127, -0.128, -0.001]]
    data = frame(2, bytes.fromhex("010000 ffffff 000080"))
    assert values(started(decoder()), data) == [[0.001, -0.001, -8388.608]]


def test_ecg_of_24_bits_in_uv():
    made = started(decoder(), "02 00 00 01 82 00 01 01 0e 00")
    # 0xFF8002 = -32766, 0x008002 = 32770
    data = frame(0, bytes.fromhex("0280ff 028000"), measurement=0)
    assert values(made, data) == [[-32.766], [32.770]]
    assert (made.streams[0].fs, made.streams[0].columns) == (130, ("ecg_mv",))


def test_differences_of_10_bits():
    # 10 bits each, the least significant first: 190 = 00 1011 1110, -105 = 11 1001 0111,
    # -85 = 11 1010 1011; together 11 1010 1011 | 11 1001 0111 | 00 1011 1110, last byte first:
    # 0x3A 0xBE 0x5C 0xBE
    content = bytes.fromhex("7107 f06a 9e8d  0a 01 be5cbe3a")
    made = started(decoder(), factor=FACTOR)
    (packet,) = made.push(notify(frame(0x81, content)))
    assert packet.samples.tolist() == [[1905, 27376, -29282], [2095, 27271, -29367]]


def test_blocks_of_several_widths_each_padded_to_bytes():
    # 3 bits: 1, -1, 2 = 010 111 001 = 0xB9 0x00; 5 bits, two samples: 15, -16, 0, 1, -1, 3
    # = 00011 11111 00001 00000 10000 01111 = 0x0F 0x82 0xF0 0x07; 1 bit: 0, -1, 0 = 0x02
    content = bytes.fromhex("0000 0000 0000  0301 b900  0502 0f02f007  0101 02")
    content = content.replace(bytes.fromhex("0f02f007"), pack([15, -16, 0, 1, -1, 3], 5))
    made = started(decoder(), factor=FACTOR)
    (packet,) = made.push(notify(frame(0x81, content)))
    assert packet.samples.tolist() == [
        [0, 0, 0],
        [1, -1, 2],
        [16, -17, 2],
        [17, -18, 5],
        [17, -19, 5],
    ]


def pack(numbers, bits):
    """Pack signed numbers as strings of bits, the first number at the end."""
    text = "".join(format(n & (2**bits - 1), f"0{bits}b") for n in reversed(numbers))
    return int(text, 2).to_bytes((len(text) + 7) // 8, "little")


@pytest.mark.parametrize("bits", range(2, 17))
def test_every_width_keeps_its_largest_numbers(bits):
    top = 2 ** (bits - 1) - 1
    steps = [top, -top - 1, 0, -top - 1, top, 1]
    first = struct.pack("<hhh", -top // 2, top // 2, 0)
    content = first + bytes([bits, 2]) + pack(steps, bits)
    made = started(decoder(), factor=FACTOR)
    (packet,) = made.push(notify(frame(0x81, content)))
    assert (packet.samples[1] - packet.samples[0]).tolist() == steps[:3]
    assert (packet.samples[2] - packet.samples[1]).tolist() == steps[3:]


def test_the_factor_leads_to_mg_or_to_g():
    content = bytes.fromhex("e803 18fc 0000")  # 1000, -1000, 0
    scale = struct.unpack("<f", struct.pack("<f", 0.244))[0]
    got = values(started(decoder(), factor=FACTOR), frame(0x81, content))[0]
    assert got == pytest.approx([scale, -scale, 0], rel=1e-12)
    per_g = "05 01 " + struct.pack("<f", 2.44e-4).hex()
    scale = struct.unpack("<f", struct.pack("<f", 2.44e-4))[0] * 1000
    got = values(started(decoder(), factor=per_g), frame(0x80, content))[0]
    assert got == pytest.approx([scale, -scale, 0], rel=1e-12)


def test_an_answer_without_a_factor_means_one():
    assert values(started(decoder()), frame(0x81, bytes.fromhex("e803 18fc 0000"))) == [[1, -1, 0]]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "length"),
        (frame(1, b""), "length"),
        (frame(1, bytes(7)), "length"),
        (frame(3, bytes(6)), "frame_type"),
        (frame(0x82, bytes(6)), "frame_type"),
        (frame(0, bytes(6), measurement=4), "measurement"),
        (frame(0, bytes(6), measurement=0x82), "measurement"),
        (frame(1, bytes(6), time_ns=2**63), "time"),
        (frame(1, bytes(6), measurement=0), "frame_type"),
        (frame(0x81, bytes(5)), "length"),
        (frame(0x81, bytes.fromhex("000000000000 08")), "length"),
        (frame(0x81, bytes.fromhex("000000000000 0801 0000")), "length"),
        (frame(0x81, bytes.fromhex("000000000000 0001")), "delta"),
        (frame(0x81, bytes.fromhex("000000000000 2101") + bytes(13)), "delta"),
        (frame(0x81, bytes.fromhex("ff7f 0000 0000 0801 010000")), "range"),
    ],
)
def test_other_frames_are_refused_with_the_reason(data, reason):
    made = started(decoder())
    made.push(notify(frame(1, bytes(6))))
    with pytest.raises(PacketError) as caught:
        made.push(notify(data))
    assert caught.value.reason == reason
    assert len(made.push(notify(frame(1, bytes(6))))) == 1


def test_a_frame_in_another_scale_is_refused_and_one_in_the_same_is_not():
    made = started(decoder(), factor=FACTOR)
    made.push(notify(frame(1, bytes(6))))
    assert len(made.push(notify(frame(2, bytes(9))))) == 1
    with pytest.raises(PacketError, match="frame_type"):
        made.push(notify(frame(0x81, bytes(6))))


def test_battery():
    assert decoder().push(notify(b"\x57", BATTERY_UUID, 9)) == [BatteryLevel(87, 9)]
    with pytest.raises(PacketError, match="battery"):
        decoder().push(notify(b"\x65", BATTERY_UUID))


# ---- settings --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["f0 02 02", "", "02", "f0 02 02 00 00 07 01 00", "f0 02 02 00 00 00 02 32 00"]
)
def test_damaged_commands_and_answers_are_refused(text):
    with pytest.raises(PacketError):
        decoder().push(command(text))


@pytest.mark.parametrize("factor", ["00000000", "0000c07f", "0000807f", "000080bf"])
def test_a_factor_that_is_no_positive_number_is_refused(factor):
    made = decoder()
    made.push(command("02 02 00 01 34 00"))
    with pytest.raises(PacketError, match="settings"):
        made.push(answer("f0 02 02 00 00 05 01" + factor))
    with pytest.raises(PacketError, match="settings"):
        made.push(notify(frame(0x81, bytes(6))))


def test_compressed_frames_without_the_answer_are_refused():
    made = decoder()
    made.push(command("02 02 00 01 34 00"))
    with pytest.raises(PacketError, match="settings"):
        made.push(notify(frame(0x81, bytes(6))))
    assert len(made.push(notify(frame(1, bytes(6))))) == 1


def test_a_log_without_directions_holds_the_commands_as_notifications():
    made = decoder()
    made.push(command("02 02 00 01 34 00", Direction.NOTIFY))
    made.push(answer("f0 02 02 00 00 " + FACTOR))
    made.push(notify(frame(0x81, bytes(6))))
    assert made.streams[0].fs == 52


def test_an_answer_in_two_parts():
    made = decoder()
    made.push(command("02 02 00 01 34 00"))
    made.push(answer("f0 02 02 00 01 " + FACTOR[:8]))
    made.push(answer("f0 02 02 00 00 " + FACTOR[8:]))
    assert len(made.push(notify(frame(0x81, bytes(6))))) == 1


def test_a_refused_start_changes_nothing():
    made = started(decoder())
    made.push(notify(frame(1, bytes(6))))
    made.push(command("02 02 00 01 c8 00"))
    made.push(answer("f0 02 02 06"))
    (packet,) = made.push(notify(frame(1, bytes(6))))
    assert (made.streams[0].fs, packet.restarted) == (50, False)


def test_a_start_of_other_measurements_and_of_recordings_in_the_device_changes_nothing():
    made = started(decoder())
    made.push(command("02 05 00 01 c8 00"))
    made.push(command("02 82 00 01 0d 00"))
    made.push(answer("f0 02 82 00 00 05 01 00000040"))
    made.push(command("02 09"))
    made.push(answer("f0 02 09 00 00"))
    assert values(made, frame(0x81, bytes.fromhex("e80300000000"))) == [[1, 0, 0]]
    assert made.streams[0].fs == 50


def test_a_second_start_restarts_the_next_packet_of_its_stream_only():
    made = started(started(decoder()), "02 00 00 01 82 00")
    packets = [*made.push(notify(frame(1, bytes(6)))), *made.push(notify(ecg()))]
    started(made)
    packets += [*made.push(notify(frame(1, bytes(6)))), *made.push(notify(ecg()))]
    packets += made.push(notify(frame(1, bytes(6))))
    assert [p.restarted for p in packets] == [False, False, True, False, False]


def ecg():
    return frame(0, bytes(6), measurement=0)


def test_the_only_rate_on_offer_is_the_rate():
    made = decoder()
    made.push(answer("f0 01 02 00 00 00 01 34 00 01 01 10 00 02 01 08 00 04 01 03"))
    made.push(answer("f0 02 02 00 00 " + FACTOR))
    made.push(notify(frame(0x81, bytes(6))))
    assert (made.streams[0].fs, made.streams[0].limits) == (52, (-8, 8))


# ---- without commands ------------------------------------------------------------------


def frames_at(fs, numbers, size=36):
    return [
        notify(frame(1, bytes(6 * size), time_ns=10**18 + round(size * n / fs * 1e9)), arrival_ns=n)
        for n in numbers
    ]


@pytest.mark.parametrize(("fs", "stated"), [(50, 50), (52, 52), (98.9, 100), (210, 208), (25, 25)])
def test_without_commands_the_first_frames_wait_for_the_rate(fs, stated):
    made = decoder()
    # one frame in two is lost at the start, which looks like half the rate
    pushed = [made.push(m) for m in frames_at(fs, [0, 2, 4, 6, 8, 10, 11, 12, 13, 14])]
    assert [len(p) for p in pushed] == [0, 0, 0, 0, 0, 0, 0, 0, 9, 1]
    assert [p.arrival_ns for p in pushed[-2]] == [0, 2, 4, 6, 8, 10, 11, 12, 13]
    assert made.streams[0].fs == stated


def test_the_ecg_has_one_rate_from_which_a_sensor_may_differ():
    made = decoder()
    for number in range(12):
        data = frame(0, bytes(219), time_ns=round(73 * number / 125 * 1e9), measurement=0)
        packets = made.push(notify(data))
    assert (len(packets), made.streams[0].fs) == (1, 130)


def test_without_commands_a_rate_between_two_on_offer_is_refused():
    made = decoder()
    messages = frames_at(51, range(34))
    assert [made.push(m) for m in messages[:32]] == [[]] * 32
    for message in messages[32:]:
        with pytest.raises(PacketError, match="settings"):
            made.push(message)
    assert made.streams == ()


def test_frames_that_wait_are_not_placed_with_the_rate_of_a_later_start():
    made = decoder()
    made.push(frames_at(50, [0])[0])
    with pytest.raises(PacketError, match="1 frames before START"):
        made.push(command("02 02 00 01 c8 00"))
    assert len(made.push(notify(frame(1, bytes(6))))) == 1
    assert made.streams[0].fs == 200


def test_a_command_on_the_data_characteristic_is_no_frame():
    write = Message(DATA_UUID, Direction.WRITE, frame(1, bytes(6)), 0)
    assert started(decoder()).push(write) == []
