"""The driver of the gForce: bytes by hand, the kit with whole packets and with pieces."""

from __future__ import annotations

import pytest

from firmware_sim.peers.gforce import GForce
from tests.devices.gforce_case import gforce_case
from twitchsense.devices.contract import (
    Advertised,
    BatteryLevel,
    Direction,
    Message,
    PacketError,
    StartRefusedError,
)
from twitchsense.devices.gforce.gforce_driver import (
    COMMAND_UUID,
    DATA_UUID,
    SERVICE_UUID,
    GForceDriver,
)
from twitchsense.errors import InputError
from twitchsense.testing import SimulatedSession, check_driver, surviving_mutations

#: The command as the maker's client sends it: 500 Hz, 8 channels, 128 bytes, 8 bits.
CONFIG_8 = bytes.fromhex("3f f401 ff00 80 08")
CONFIG_12 = bytes.fromhex("3f f401 ff00 80 0c")


def notify(data, uuid=DATA_UUID, arrival_ns=0):
    return Message(uuid, Direction.NOTIFY, bytes(data), arrival_ns)


def write(data):
    return Message(COMMAND_UUID, Direction.WRITE, data, 0)


def decoder_with(config):
    decoder = GForceDriver().make_decoder()
    assert decoder.push(write(config)) == []
    return decoder


def refusal(decoder, data, uuid=DATA_UUID):
    with pytest.raises(PacketError) as caught:
        decoder.push(notify(data, uuid))
    return caught.value.reason


def test_8_bits_by_hand():
    # the first sample: 0x80 = 0, 0x81 = 1, 0x00 = -128, 0xff = 127 counts
    sample = bytes.fromhex("80 81 00 ff 7f 80 80 80")
    decoder = decoder_with(CONFIG_8)
    (packet,) = decoder.push(notify(b"\x08" + sample * 16, arrival_ns=3))
    assert packet.samples.shape == (16, 8)
    assert packet.samples[0].tolist() == [0, 1, -128, 127, -1, 0, 0, 0]
    assert (packet.stream, packet.position, packet.arrival_ns) == ("emg", None, 3)
    (emg,) = decoder.streams
    assert (emg.unit, emg.fs, emg.width) == ("uV", 500, 8)
    # the maker's formula: 2.5 V / 1200 / 127 = 16.404199 µV a count
    assert emg.to_physical(packet.samples)[0, 1] == pytest.approx(16.404199, rel=1e-7)


def test_12_bits_by_hand():
    # the low byte first: 0x0800 = 2048 = 0, 0x0801 = 1, 0x0000 = -2048, 0x0fff = 2047
    sample = bytes.fromhex("0008 0108 0000 ff0f 0008 0008 0008 0008")
    decoder = decoder_with(CONFIG_12)
    (packet,) = decoder.push(notify(b"\x08" + sample * 8))
    assert packet.samples[0].tolist() == [0, 1, -2048, 2047, 0, 0, 0, 0]
    # 2.5 V / 1200 / 2047 = 1.0177496 µV a count
    assert decoder.streams[0].to_physical(packet.samples)[0, 1] == pytest.approx(
        1.0177496, rel=1e-7
    )


def test_a_mask_of_two_channels():
    decoder = decoder_with(bytes.fromhex("3f f401 0300 20 08"))
    (packet,) = decoder.push(notify(b"\x08" + bytes(range(100, 132))))
    assert packet.samples[:2].tolist() == [[-28, -27], [-26, -25]]


def test_pieces_by_hand():
    packet = b"\x08" + bytes(range(64, 192))
    pieces = [packet[:50], packet[50:100], packet[100:]]
    decoder = decoder_with(CONFIG_8)
    got = [
        decoder.push(notify(bytes([0xFF, 2 - i]) + p, arrival_ns=i)) for i, p in enumerate(pieces)
    ]
    assert got[:2] == [[], []]
    assert got[2][0].samples.ravel().tolist() == list(range(-64, 64))
    assert got[2][0].arrival_ns == 2


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_lost_piece_takes_the_packet_with_it_and_no_other(lost):
    packet = b"\x08" + bytes(range(64, 192))
    pieces = [bytes([0xFF, 2 - i]) + packet[50 * i : 50 * i + 50] for i in range(3)]
    decoder = decoder_with(CONFIG_8)
    for piece in pieces:
        whole = decoder.push(notify(piece))
    for piece in pieces[:lost] + pieces[lost + 1 :]:
        if pieces.index(piece) < lost:
            assert decoder.push(notify(piece)) == []
        else:
            assert refusal(decoder, piece) == "pieces"
    for piece in pieces:
        again = decoder.push(notify(piece))
    assert again[0].samples.tolist() == whole[0].samples.tolist()


def test_acceleration_by_hand():
    # 0x00010000 = 65536 = 1 g, 0xffff8000 = -32768 = -0.5 g; its rate is found after 2 s
    data = b"\x01" + bytes.fromhex("00000100 0080ffff 01000000")
    decoder = GForceDriver().make_decoder()
    got = [decoder.push(notify(data, arrival_ns=i * 20_000_000)) for i in range(102)]
    packets = [p for one in got for p in one]
    assert len(packets) == 102
    assert (packets[0].samples / 65536).tolist() == [[1.0, -0.5, 1 / 65536]]
    assert [p.arrival_ns for p in packets[:2]] == [0, 20_000_000]
    assert decoder.streams[0].fs == 50


def test_an_acceleration_of_no_known_rate_is_refused():
    data = b"\x01" + bytes(12)
    decoder = GForceDriver().make_decoder()
    for i in range(3):
        assert decoder.push(notify(data, arrival_ns=i * 900_000_000)) == []
    with pytest.raises(PacketError, match="settings"):
        decoder.push(notify(data, arrival_ns=3_000_000_000))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "type"),
        (b"\x00", "type"),
        (b"\x77" + bytes(20), "type"),
        (b"\x08", "length"),
        (b"\x08" + bytes(127), "length"),
        (b"\x08" + bytes(120), "length"),
        (b"\x01" + bytes(11), "length"),
        (b"\x01" + b"\x7f" * 12, "range"),
        (b"\xff", "pieces"),
        (b"\xff\x00\x08", "pieces"),
    ],
)
def test_other_bytes_are_refused_with_the_reason(data, reason):
    decoder = decoder_with(CONFIG_8)
    assert refusal(decoder, data) == reason
    assert len(decoder.push(notify(b"\x08" + bytes(128)))) == 1


def test_values_of_more_than_12_bits_are_refused():
    decoder = decoder_with(CONFIG_12)
    assert refusal(decoder, b"\x08" + b"\x00\x10" * 64) == "range"


@pytest.mark.parametrize(
    "config",
    ["3f", "3f f401 ff00 80 0a", "3f f401 0000 80 08", "3f f501 ff00 80 08", "3f f401 ff00 00 08"],
)
def test_other_settings_are_refused(config):
    with pytest.raises(PacketError, match="settings"):
        GForceDriver().make_decoder().push(write(bytes.fromhex(config)))


def test_emg_without_settings_is_refused():
    assert refusal(GForceDriver().make_decoder(), b"\x08" + bytes(128)) == "settings"


def test_the_answer_of_a_refused_command_restores_the_settings_before():
    decoder = decoder_with(CONFIG_8)
    decoder.push(write(CONFIG_12))
    assert decoder.push(notify(b"\x02\x3f", COMMAND_UUID)) == []
    assert decoder.streams[0].resolution == pytest.approx(16.4, abs=0.01)


def test_the_answer_with_the_settings_is_enough():
    decoder = GForceDriver().make_decoder()
    decoder.push(notify(b"\x00\x46" + CONFIG_12[1:], COMMAND_UUID))
    assert len(decoder.push(notify(b"\x08" + b"\x00\x08" * 64))) == 1


def test_battery():
    decoder = GForceDriver().make_decoder()
    assert decoder.push(notify(b"\x00\x08\x57", COMMAND_UUID, 9)) == [BatteryLevel(87, 9)]
    assert refusal(decoder, b"\x00\x08\x65", COMMAND_UUID) == "battery"


@pytest.mark.parametrize(
    ("stream", "bits", "rate", "size"),
    [
        ("emg", "12", "500", 244),
        ("emg", "12", "500", 20),
        ("emg", "8", "1000", 20),
        ("acc", "12", "500", 244),
    ],
)
def test_the_kit_passes_with_loss_and_a_disconnection(stream, bits, rate, size):
    check_driver(GForceDriver(), gforce_case(stream, bits, rate, size))


@pytest.mark.slow
@pytest.mark.parametrize("stream", ["emg", "acc"])
def test_the_kit_notices_every_wrong_driver(stream):
    assert surviving_mutations(GForceDriver(), gforce_case(stream)) == []


def test_a_device_that_refuses_the_settings_is_reported():
    class Old(GForce):
        def write(self, uuid, data, now_s):
            if data[-1:] == b"\x0c":
                self.notify(uuid, b"\x02\x3f")
            else:
                super().write(uuid, data, now_s)

    with pytest.raises(StartRefusedError, match="bits=8"):
        SimulatedSession(GForceDriver(), Old()).open()
    session = SimulatedSession(GForceDriver(), Old())
    session.open({"bits": "8"})
    session.run(1)
    assert sum(m.characteristic == DATA_UUID for m in session.log) > 20


@pytest.mark.parametrize(
    "options", [{"stream": "ecg"}, {"bits": "16"}, {"rate": "2000"}, {"rate": "1000", "bits": "12"}]
)
def test_options_that_the_device_lacks_are_refused(options):
    with pytest.raises(InputError, match="choose"):
        list(GForceDriver().open(options))


def test_recognition():
    driver = GForceDriver()
    both = driver.recognize(Advertised("gForcePro+(0A1B)", frozenset({SERVICE_UUID})))
    assert both > driver.recognize(Advertised("gForcePro")) > 0
    assert driver.recognize(Advertised("Headphones")) == 0
