"""Bytes that other people published, decoded to the values that they published beside them.

Polar's licence and the missing one of movesense-py do not allow to copy them. Where
``TWITCHSENSE_PUBLIC_FIXTURES`` names a folder with the working copies ``polar-ble-sdk`` and
``movesense-py``, they are read from there. The vectors of the Ganglion (MIT) stand in
`tests/devices/test_ganglion.py`.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from tests.devices.movesense_case import notify, subscribed
from twitchsense.devices.movesense.movesense_driver import MovesenseDriver
from twitchsense.devices.polar.polar_frames import decode_acc, decode_ecg, parse_frame
from twitchsense.devices.polar.polar_recording import RecordingReader

FOLDER = "TWITCHSENSE_PUBLIC_FIXTURES"
POLAR = (
    "polar-ble-sdk/sources/Android/android-communications/library/src/test/java/com/polar/"
    "androidcommunications/api/ble/model"
)


def fixture(name):
    if FOLDER not in os.environ:
        pytest.skip(f"{FOLDER} names no folder with public test data")
    path = Path(os.environ[FOLDER]) / name
    if not path.exists():
        pytest.skip(f"{path} is missing")
    return path.read_text(encoding="utf-8")


def kotlin_bytes(text, name):
    """The bytes of a Kotlin ``byteArrayOf`` with constants."""
    body = re.search(rf"{name} = byteArrayOf\((.*?)\n?\s*\)\n", text, re.DOTALL)[1]
    body = re.sub(r"//.*", "", body)
    return bytes(int(value, 16) for value in re.findall(r"0x([0-9A-Fa-f]{2})\.toByte\(", body))


def kotlin_test(text, name):
    """The text of one test of a Kotlin class."""
    return text.split(f"fun `{name}`")[1].split("@Test")[0]


@pytest.mark.parametrize(
    ("name", "first_two", "size"),
    [
        ("process acc raw data frame type 1", [[-9, -1, 999], [-8, -2, 997]], 36),
        (
            "process acc compressed data type 0",
            [[1905, 27376, -29282], [1905 + 190, 27376 - 105, -29282 - 85]],
            57,
        ),
        ("process acc compressed data type 1", [[-15, 20, 1008], [-20, 17, 1008]], None),
    ],
)
def test_acceleration_of_polars_sdk(name, first_two, size):
    test = kotlin_test(fixture(f"{POLAR}/gatt/client/pmd/model/AccDataTest.kt"), name)
    data = kotlin_bytes(test, "accDataFrameHeader") + kotlin_bytes(test, "accDataFrameContent")
    frame = parse_frame(data)
    samples = decode_acc(frame.kind, frame.content)
    assert samples[:2].tolist() == first_two
    assert size is None or (len(samples), frame.time_ns) == (size, 2_000_000_000)


def test_ecg_of_polars_sdk():
    text = fixture(f"{POLAR}/gatt/client/pmd/model/EcgDataTest.kt")
    test = kotlin_test(text, "process raw ecg data type 0")
    content = kotlin_bytes(test + ")\n", "ecgDataFrameContent")
    values = [int(v) for v in re.findall(r"val ecgValue[12] = (-?[0-9]+)", test)]
    assert decode_ecg(0, content)[:, 0].tolist() == values


def test_a_recording_of_polars_sdk():
    text = fixture(f"{POLAR}/offlinerecording/OfflineRecordingDataTest.kt")
    text = text.split("object MockAccOfflineRecordingData")[1].split("object ")[0]
    reader = RecordingReader()
    frames = reader.push(kotlin_bytes(text, "accOfflineFrame"))
    samples = decode_acc(frames[0].kind, frames[0].content)
    assert (reader.fs, reader.range_g) == (0x34, 8)
    assert samples[:2].tolist() == [[-11, 28, 997], [-10, 27, 997]]
    assert frames[-1].time_ns == 0x777D25DB22F2730


@pytest.mark.parametrize("path", ["/Meas/Acc/52", "/Meas/IMU6/52", "/Meas/IMU9/52"])
def test_acceleration_of_a_movesense_sensor(path):
    found = json.loads(fixture("movesense-py/tests/fixtures/validation/fixture.json"))
    channel = found["channels"][path]
    packet = decode_movesense(path, channel)
    expected = [[v["x"], v["y"], v["z"]] for v in channel["json_entry"]["ArrayAcc"]]
    assert packet.position == channel["json_entry"]["Timestamp"]
    np.testing.assert_allclose(packet.samples, expected, rtol=1e-7)


def test_ecg_of_a_movesense_sensor():
    found = json.loads(fixture("movesense-py/tests/fixtures/validation/fixture.json"))
    channel = found["channels"]["/Meas/Ecg/200/mV"]
    packet = decode_movesense("/Meas/Ecg/200/mV", channel)
    assert packet.position == channel["json_entry"]["Timestamp"]
    np.testing.assert_allclose(packet.samples[:, 0] / 1000, channel["json_entry"]["Samples"])


def decode_movesense(path, channel):
    decoder = subscribed(MovesenseDriver().make_decoder(), path)
    data = bytes.fromhex(channel["packet_hex"])
    for _ in range(2):  # the first one shows how many samples a payload holds
        packets = decoder.push(notify(b"\x02\x15" + data))
        if packets:
            return packets[0]
    raise AssertionError("no packet")
