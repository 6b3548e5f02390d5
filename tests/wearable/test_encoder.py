"""The device's side of the protocol, held to the same hand-worked bytes."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_sim.wearable.encoder import ACC, EMG, Encoder, StreamSpec, crc16, split_frame
from firmware_sim.wearable.firmware import DeviceModel, Firmware
from tests.wearable.vectors import VECTORS, unhex

KINDS = {"emg": EMG, "acc": ACC}
STREAMS = (StreamSpec(1, EMG, 2, 1_000_000, 6_553_600), StreamSpec(2, ACC, 3, 100_000, 8_000_000))
MODEL = DeviceModel(0x0123456789ABCDEF, STREAMS, "left", ring_frames=10)


class Counting:
    """A source whose samples say their index."""

    def read(self, stream, first, count):
        width = {1: 2, 2: 3}[stream]
        return np.repeat(np.arange(first, first + count)[:, None] % 30000, width, axis=1)


def test_checksum_has_the_published_value():
    assert crc16(b"123456789") == 0x29B1


def test_info():
    vector = VECTORS["info"]["usual"]
    assert Encoder().info(STREAMS, 32768, vector["device"], vector["leg"]) == unhex(vector["bytes"])


@pytest.mark.parametrize("vector", VECTORS["frame"], ids=lambda v: v["name"])
def test_frame(vector):
    encoder = Encoder()
    fresh = encoder.frame(
        vector["type"],
        vector["flags"] & ~1,
        vector["boot"],
        vector["seq"],
        vector["ticks"],
        np.array(vector["samples"], np.int32),
    )
    replay = vector["flags"] & 1
    assert (encoder.replayed(fresh) if replay else fresh) == unhex(vector["bytes"])


@pytest.mark.parametrize("grid", VECTORS["grid"], ids=lambda g: str(g["rate_mhz"]))
def test_grid(grid):
    spec = StreamSpec(1, EMG, 1, grid["rate_mhz"], 1)
    assert [spec.due_tick(k, grid["tick_hz"]) for k in grid["samples"]] == grid["ticks"]


def test_fragments():
    vector = VECTORS["fragments"]
    pieces = [unhex(p) for p in vector["pieces"]]
    assert split_frame(unhex(vector["whole"]), vector["mtu"]) == pieces
    assert split_frame(unhex(vector["whole"]), 23) == [unhex(vector["whole"])]


def firmware() -> Firmware:
    return Firmware(MODEL, Counting(), Encoder(), boot_count=263)


def test_start_response_equals_the_vector():
    device = firmware()
    session = VECTORS["request"][0]["session"]
    assert device.control(unhex(VECTORS["request"][0]["bytes"]))[:2] == unhex("81 11")
    device.advance(32768)  # 17 frames of EMG, 2 of acceleration
    assert device.ring.next == 19
    device.press_button()
    device.ring.dropped = 3  # the vector's state
    answer = unhex(VECTORS["response"][0]["bytes"])
    assert device.session == session
    assert device.control(unhex(VECTORS["request"][0]["bytes"])) == answer
    other = bytes.fromhex("01 11 01000000 00")
    assert device.control(other)[2] == 4
    assert device.session == session


def test_clock_response_equals_the_vector():
    device = firmware()
    device.advance(2**32 + 10)
    assert device.control(unhex("06 16")) == unhex(VECTORS["response"][4]["bytes"])


@pytest.mark.parametrize(
    ("request_", "answer"),
    [("", "80 00 02"), ("05", "85 00 02"), ("77 01", "f7 01 01"), ("05 01 00", "85 01 02"),
     ("01 01 00000000 00", "81 01 03"), ("03 01 00000000 00000000", "83 01 03"),
     ("04 01 00000000", "84 01 03")],
)  # fmt: skip
def test_invalid_requests_get_an_error_status(request_, answer):
    assert firmware().control(unhex(request_)) == unhex(answer)


def test_new_frames_are_sent_before_requested_ones():
    device = firmware()
    device.control(unhex("01 01 01000000 00"))
    device.advance(16384)  # half a second: 8 + 1 frames
    device.subscribe()
    assert not device.has_frame()
    assert device.control(unhex("03 02 00000000 02000000")) == unhex("83 02 00 00000000 02000000")
    device.advance(16384 + 4000)
    sent = []
    while (frame := device.next_frame()) is not None:
        sent.append((int.from_bytes(frame[4:8], "little"), frame[1] & 1))
    assert sent == [(9, 0), (10, 0), (0 + 1, 1), (2, 1)]  # 0 fell out of the ring of 10
    device.unsubscribe()
    device.advance(32768)
    assert not device.has_frame()


def test_a_reboot_clears_everything_but_the_boot_count():
    device = firmware()
    device.control(unhex("01 01 01000000 00"))
    device.advance(32768)
    device.reboot()
    assert (device.ring.next, device.session, device.boot_count) == (0, 0, 264)
