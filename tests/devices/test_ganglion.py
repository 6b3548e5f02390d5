"""The driver of the Ganglion: bytes by hand, OpenBCI's vectors, the kit with both firmwares."""

from __future__ import annotations

import numpy as np
import pytest

from tests.devices.ganglion_case import UV, ganglion_case
from twitchsense.devices.contract import Advertised, Direction, Message, PacketError
from twitchsense.devices.ganglion.ganglion_driver import (
    COMMAND_UUID,
    DATA_UUID,
    SERVICE_UUID,
    SOFTWARE_UUID,
    GanglionDriver,
)
from twitchsense.devices.ganglion.ganglion_frames import unpack_values
from twitchsense.errors import InputError
from twitchsense.testing import check_driver, surviving_mutations
from twitchsense.testing.driver_case import decode_case

# OpenBCI_JavaScript_Utilities, test/openBCIUtilities-test.js, "decompressDeltas18Bit" and
# "decompressDeltas19Bit": payloads and the values beside them (MIT licence, © OpenBCI).
NEGATIVE = [[-3, -5, -7, -11], [-262139, -198429, -262137, -4095]]
VECTORS = [
    (
        18,
        "0000000020002800048000bc00070028c00a",
        [[0, 2, 10, 4], [131074, 245760, 114698, 49162]],
    ),
    (18, "ffff7fffbfffe7fff500014f8e30001ff001", NEGATIVE),
    (
        19,
        "000000000800050000480009f001b000300008",
        [[0, 2, 10, 4], [262148, 507910, 393222, 8]],
    ),
    (19, "ffffbfffeffffcffff58000b3e38e0003ff001", NEGATIVE),
]


def notify(data, uuid=DATA_UUID, arrival_ns=0):
    return Message(uuid, Direction.NOTIFY, bytes(data), arrival_ns)


def write(data):
    return Message(COMMAND_UUID, Direction.WRITE, data, 0)


def read_version(text):
    return Message(SOFTWARE_UUID, Direction.READ, text, 0)


def decoder_of(version):
    decoder = GanglionDriver().make_decoder()
    decoder.push(read_version(version))
    return decoder


def packet(number, payload=b"", fill=0):
    return bytes([number]) + payload + bytes([fill]) * (19 - len(payload))


def uv(packet):
    return (packet.samples * UV).round(6).tolist()


@pytest.mark.parametrize(("bits", "payload", "values"), VECTORS)
def test_published_vectors(bits, payload, values):
    data = b"\x01" + bytes.fromhex(payload)
    assert unpack_values(data + bytes(20 - len(data)), bits).tolist() == values


def test_19_bits_by_hand():
    # firmware 3, 19 bits, 8 values: 2, then -1 (all ones), then zeros. The values are the
    # highest 19 of 24 bits: 2 << 5 = 64 counts, -1 << 5 = -32 counts.
    bits = f"{2:019b}" + "1" * 19 + "0" * 19 * 6
    data = packet(100, int(bits, 2).to_bytes(19, "big"))
    (decoded,) = decoder_of(b"3.0.2").push(notify(data, arrival_ns=7))
    assert decoded.samples.tolist() == [[64, -32, 0, 0], [0, 0, 0, 0]]
    assert (decoded.stream, decoded.position, decoded.arrival_ns) == ("emg", 0, 7)
    assert uv(decoded)[0][:2] == [
        0.119677,
        -0.059838,
    ]  # 64 and 32 times 1.2 V / (8388607 x 1.5 x 51)


def test_18_bits_and_acceleration_by_hand():
    # firmware 3, 18 bits: value 4 of the second sample is 3 (negative: lowest bit) = 3 - 2**18
    bits = "0" * 18 * 7 + f"{3:018b}"
    payload = int(bits, 2).to_bytes(18, "big")
    decoder = decoder_of(b"3.0.2")
    axes = {1: 0x40, 2: 0xC0, 3: 0x01}  # 64, -64 and 1: 1.024 g, -1.024 g, 0.016 g
    decoded = [
        item
        for number, axis in axes.items()
        for item in decoder.push(notify(packet(number, payload + bytes([axis]))))
    ]
    emg = [d for d in decoded if d.stream == "emg"]
    assert [d.position for d in emg] == [2, 4, 6]
    assert emg[0].samples.tolist() == [[0] * 4, [0, 0, 0, (3 - 2**18) * 64]]
    (acc,) = [d for d in decoded if d.stream == "acc"]
    assert acc.position == 0
    assert (acc.samples / 62.5).tolist() == [[1.024, -1.024, 0.016]]


def test_differences_of_firmware_2_by_hand():
    decoder = decoder_of(b"2.0.1")
    # an uncompressed sample: 0x000100 = 256, 0xFFFFFF = -1, 0x800000 = -8388608, 0
    raw = bytes.fromhex("000100 ffffff 800000 000000") + b"ABCDEFG"
    (first,) = decoder.push(notify(packet(0, raw)))
    assert first.samples.tolist() == [[256, -1, -8388608, 0]]
    assert first.position == 0
    # 19 bits: channel 1 falls by 6 and then rises by 4 (2**19 - 4, lowest bit set: -3)
    values = [6, 0, 0, 0, 2**19 - 3, 0, 0, 0]
    payload = int("".join(f"{v:019b}" for v in values), 2).to_bytes(19, "big")
    (second,) = decoder.push(notify(packet(101, payload)))
    assert second.samples[:, 0].tolist() == [250, 253]
    assert second.position == 1
    # packet 103 without 102: its differences say nothing, until the next uncompressed sample
    for number in (103, 104):
        with pytest.raises(PacketError) as caught:
            decoder.push(notify(packet(number, payload)))
        assert caught.value.reason == "reference"
    assert len(decoder.push(notify(packet(0, raw[:11] + b"\1" + b"ABCDEFG")))) == 1


def test_text_and_impedance_are_no_samples():
    # both texts are those of OpenBCI_NodeJS_Ganglion's tests (MIT licence)
    decoder = GanglionDriver().make_decoder()
    for data in ("ce616363656c65726f6d6574657220656e61626c", "cf65640a", "ca313230375a"):
        assert decoder.push(notify(bytes.fromhex(data))) == []
    assert decoder.streams == ()
    assert decoder.push(notify(b"\xceOpenBCI Ganglion v3")) == []
    assert [s.name for s in decoder.streams] == ["emg", "acc"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "length"),
        (packet(1)[:-1], "length"),
        (packet(1) + b"\0", "length"),
        (packet(208), "number"),
        (packet(255), "unnumbered"),
        (packet(5, fill=1), "repeated"),
    ],
)
def test_other_bytes_are_refused_with_the_reason(data, reason):
    decoder = decoder_of(b"3.0.2")
    decoder.push(notify(packet(5, fill=1)))
    with pytest.raises(PacketError) as caught:
        decoder.push(notify(data))
    assert caught.value.reason == reason
    assert len(decoder.push(notify(packet(6)))) == 1


def test_other_versions_are_refused():
    decoder = decoder_of(b"3.0.2")
    for version in (b"", b"4.0.0", b"2.0.1"):
        with pytest.raises(PacketError, match="version"):
            decoder.push(read_version(version))


def test_numbers_after_a_start_of_firmware_3_count_from_minus_one():
    decoder = decoder_of(b"3.0.2")
    decoder.push(write(b"b"))
    with pytest.raises(PacketError, match="unnumbered"):
        decoder.push(notify(packet(99, fill=1)))
    positions = [
        item.position
        for number in (100, 198, 100, 101)
        for item in decoder.push(notify(packet(number, fill=number)))
    ]
    assert positions == [2, 198, 0, 2]


def test_a_log_that_begins_at_packet_99_of_18_bits_loses_that_packet_alone():
    decoder = decoder_of(b"3.0.2")
    with pytest.raises(PacketError, match="unnumbered"):
        decoder.push(notify(packet(99, fill=1)))
    positions = [
        d.position for n in (0, 1, 99) for d in decoder.push(notify(packet(n, fill=n + 1)))
    ]
    assert positions == [0, 2, 198]


def test_a_start_restarts_the_counter_of_the_next_packet_only():
    decoder = decoder_of(b"3.0.2")
    assert decoder.push(write(b"b")) == []
    packets = [*decoder.push(notify(packet(0))), *decoder.push(write(b"b"))]
    packets += [*decoder.push(notify(packet(0, fill=1))), *decoder.push(notify(packet(1)))]
    assert [p.restarted for p in packets] == [False, True, False]


@pytest.mark.parametrize("acc", [True, False])
@pytest.mark.parametrize("firmware", ["3.0.2", "2.0.1"])
def test_the_kit_passes_with_loss_and_a_restart(firmware, acc):
    check_driver(GanglionDriver(), ganglion_case(firmware, acc, loss=0.02))


@pytest.mark.slow
@pytest.mark.parametrize(("firmware", "loss"), [("3.0.2", 0.2), ("2.0.1", 0.02)])
def test_the_loss_is_the_true_one(firmware, loss):
    case = ganglion_case(firmware, loss=loss, restart=False, seconds=30)
    assert case.expected["emg"].lost > 1000
    check_driver(GanglionDriver(), case)


@pytest.mark.slow
@pytest.mark.parametrize("firmware", ["3.0.2", "2.0.1"])
def test_the_kit_notices_every_wrong_driver(firmware):
    assert surviving_mutations(GanglionDriver(), ganglion_case(firmware, loss=0.02)) == []


def test_a_stall_is_no_loss():
    case = ganglion_case(
        loss=0.0, restart=False, seconds=20, delay_s=lambda n: max(0.0, 4.0 - abs(n - 1000) / 100)
    )
    decoded = decode_case(GanglionDriver(), case.log)
    assert decoded.loss["emg"].total == decoded.loss["acc"].total == 0


@pytest.mark.parametrize("loss", [0.0, 0.05])
@pytest.mark.parametrize("acc", [True, False])
@pytest.mark.parametrize("firmware", ["3.0.2", "2.0.1"])
def test_the_packets_alone_tell_the_firmware(firmware, acc, loss):
    case = ganglion_case(firmware, acc, loss, restart=False)
    log = tuple(m for m in case.log if m.characteristic == DATA_UUID)
    decoded = decode_case(GanglionDriver(), log)
    samples = decoded.samples["emg"]
    wanted = case.expected["emg"].samples
    assert samples.shape == wanted.shape
    np.testing.assert_allclose(samples, wanted, rtol=1e-9)


def test_packets_that_could_be_of_both_firmwares_are_refused():
    decoder = GanglionDriver().make_decoder()
    packets = [notify(packet(1 + i % 98, fill=i % 2 + 1)) for i in range(1001)]
    for message in packets[:-1]:
        assert decoder.push(message) == []
    with pytest.raises(PacketError, match="firmware"):
        decoder.push(packets[-1])
    assert decoder.streams == ()


def test_recognition():
    driver = GanglionDriver()
    assert driver.recognize(Advertised("Ganglion-54ca")) > driver.recognize(Advertised("Simblee"))
    assert 0 < driver.recognize(Advertised("", frozenset({SERVICE_UUID}))) < 0.5
    assert driver.recognize(Advertised("NPG-Lite-3CH:0A:1B")) == 0


def test_an_unknown_option_is_refused():
    with pytest.raises(InputError, match="choose yes or no"):
        list(GanglionDriver().open({"acc": "maybe"}))
