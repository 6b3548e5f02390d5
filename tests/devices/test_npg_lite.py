"""The driver of the NPG Lite: bytes by hand, the kit, and a simulated peripheral."""

from __future__ import annotations

import pytest

from tests.devices.builders import npg_case
from twitchsense.devices.contract import Advertised, BatteryLevel, Direction, Message, PacketError
from twitchsense.devices.npg_lite import (
    BATTERY_UUID,
    CONTROL_UUID,
    DATA_UUID,
    SERVICE_UUID,
    NpgLiteDriver,
)
from twitchsense.testing import check_driver, surviving_mutations


def notify(data, uuid=DATA_UUID, arrival_ns=0):
    return Message(uuid, Direction.NOTIFY, bytes(data), arrival_ns)


def batch(first=250, n=10, channels=3, value=0x0801):
    sample = value.to_bytes(2, "big") * channels
    return b"".join(bytes([(first + i) % 256]) + sample for i in range(n))


def test_bytes_by_hand():
    # counters 255 and 0; 0x0FFF = 4095, 0x0100 = 256 and 0x0001 = 1, the high byte first
    data = bytes.fromhex("ff 0fff 0100 0001  00 0000 0800 07ff") + batch(1, 8)
    (packet,) = NpgLiteDriver().make_decoder().push(notify(data, arrival_ns=5))
    assert packet.samples[:2].tolist() == [[4095, 256, 1], [0, 2048, 2047]]
    assert (packet.position, packet.arrival_ns, packet.restarted) == (255, 5, False)


@pytest.mark.parametrize(
    ("channels", "n", "fs"), [(3, 10, 500), (6, 10, 500), (3, 25, 250), (6, 25, 250), (3, 1, 500)]
)
def test_the_size_of_a_notification_tells_channels_and_rate(channels, n, fs):
    decoder = NpgLiteDriver().make_decoder()
    assert decoder.streams == ()
    (packet,) = decoder.push(notify(batch(0, n, channels)))
    assert packet.samples.shape == (n, channels)
    assert (decoder.streams[0].fs, decoder.streams[0].width) == (fs, channels)
    assert decoder.streams[0].columns[0] == "emg1_count"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "length"),
        (batch()[:-1], "length"),
        (batch(n=9), "length"),
        (batch(n=9) + batch(0, 1), "counter"),
        (batch(value=0x1000), "range"),
        (batch(n=25), "layout"),
    ],
)
def test_other_bytes_are_refused_with_the_reason(data, reason):
    decoder = NpgLiteDriver().make_decoder()
    decoder.push(notify(batch()))
    with pytest.raises(PacketError) as caught:
        decoder.push(notify(data))
    assert caught.value.reason == reason
    assert len(decoder.push(notify(batch()))) == 1


def test_a_start_restarts_the_counter_of_the_next_packet_only():
    decoder = NpgLiteDriver().make_decoder()
    start = Message(CONTROL_UUID, Direction.WRITE, b"START", 0)
    assert decoder.push(start) == []
    packets = [*decoder.push(notify(batch())), *decoder.push(start)]
    packets += [*decoder.push(notify(batch())), *decoder.push(notify(batch()))]
    assert [p.restarted for p in packets] == [False, True, False]


def test_battery():
    decoder = NpgLiteDriver().make_decoder()
    assert decoder.push(notify(b"\x57", BATTERY_UUID, 9)) == [BatteryLevel(87, 9)]
    with pytest.raises(PacketError, match="battery"):
        decoder.push(notify(b"\x65", BATTERY_UUID))


def test_recognition():
    driver = NpgLiteDriver()
    by_name = driver.recognize(Advertised("NPG-Lite-3CH:0A:1B"))
    by_service = driver.recognize(Advertised("", frozenset({SERVICE_UUID})))
    assert by_name > by_service > 0
    assert driver.recognize(Advertised("Polar H10 1234")) == 0


@pytest.mark.parametrize(("channels", "samples"), [(3, 10), (6, 25)])
def test_the_kit_passes_with_loss_and_a_restart(channels, samples):
    check_driver(NpgLiteDriver(), npg_case(channels, samples))


def test_the_loss_is_the_true_one():
    case = npg_case(loss=0.3, restart=False, seconds=30)
    assert case.expected["emg"].lost > 1000
    check_driver(NpgLiteDriver(), case)


@pytest.mark.slow
def test_the_kit_notices_every_wrong_driver():
    assert surviving_mutations(NpgLiteDriver(), npg_case()) == []
