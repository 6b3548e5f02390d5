"""Recordings in the memory of Polar's sensors: started, fetched, decoded, placed."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest

from firmware_sim.peers.polar import PolarSensor
from firmware_sim.peers.polar_files import FILE, Memory
from tests.acquire.peer_recording import connection_log, record_peers
from tests.devices.logs import write_log
from tests.devices.polar_case import polar_session
from twitchsense.devices.contract import Direction, Message, PacketError, StartRefusedError
from twitchsense.devices.polar.polar_driver import PolarDriver
from twitchsense.devices.polar.polar_files import (
    ResponseFrames,
    encode_request,
    parse_folder,
    parse_request,
)
from twitchsense.devices.polar.polar_recording import RecordingReader
from twitchsense.errors import InputError
from twitchsense.io.device_logs.decode_log import decode_log
from twitchsense.io.read import read
from twitchsense.testing.driver_case import decode_case

OPTIONS = {"memory": "yes"}


def recorded(product="sense", seconds=60.0, leave=False, **sensor_options):
    """A session that records in the memory and fetches the recording."""
    sensor = PolarSensor(product, seed=4, ppm=-30.0, **sensor_options)
    session = polar_session(sensor)
    session.open(OPTIONS)
    session.run(seconds / 2)
    if leave:
        session.disconnect()
        session.wait_disconnected(30.0)
        session.open(OPTIONS)
    session.run(seconds / 2)
    session.execute(PolarDriver().fetch(OPTIONS))
    session.close()
    return session, sensor


@pytest.mark.parametrize(
    ("product", "file_size", "in_mg"),
    [
        ("sense", 1 << 20, True),
        ("sense", 3000, False),
        ("360", 3000, True),
        ("360", 1 << 20, False),
    ],
)
def test_the_recording_stands_between_what_was_sent(product, file_size, in_mg):
    """Bit for bit, or with an error below the resolution of what is sent if that differs."""
    memory = Memory(file_size=file_size, in_mg=in_mg)
    session, sensor = recorded(product, leave=True, memory=memory)
    case = decode_case(PolarDriver(), tuple(session.log))
    sent = sensor.sent["acc"]
    got, times_s = case.samples["acc"], case.times_s["acc"]
    assert case.refused == 0
    assert len(got) > 80 * 50
    online = [m.data for m in session.log if m.data in sensor.frames]
    places = [sensor.frames[frame] for frame in (*online, *sensor.memory.frames)]
    at = np.sort(np.concatenate([np.arange(first, first + n) for _, first, n in places]))
    half_a_step = 0.5 * 8 / 32768 * 1.001 if in_mg else 0.0
    np.testing.assert_allclose(got, sent.array()[at], rtol=1e-9, atol=half_a_step)
    assert np.abs(times_s - np.array(sent.times_s)[at]).max() < 0.05
    assert case.loss["acc"].ambiguous == 0
    assert case.loss["acc"].exact < 4 * 52  # between the measurements


def test_a_device_without_memory_or_that_does_not_record_says_so():
    session = polar_session(PolarSensor("h10"))
    with pytest.raises(StartRefusedError, match="has no memory for recordings"):
        session.open(OPTIONS)
    session = polar_session(PolarSensor("sense"))
    session.open({})
    with pytest.raises(StartRefusedError, match="does not record"):
        session.execute(PolarDriver().fetch(OPTIONS))
    with pytest.raises(InputError, match="give yes or no"):
        next(PolarDriver().open({"memory": "maybe"}))


def test_an_encrypted_recording_is_refused_with_the_reason(tmp_path):
    session, _ = recorded(seconds=20, memory=Memory(encrypted=True))
    path = write_log(tmp_path / "log.csv", session.log)
    report = decode_log(path, PolarDriver(), tmp_path / "out")
    assert report["refused_reasons"].keys() == {"recording"}
    assert "encrypted" in report["refused"][0]["message"]
    assert report["streams"]["acc"]["filled"] == 0


def test_a_clock_that_was_set_between_is_not_bridged():
    session, sensor = recorded(seconds=20)
    log = []
    for message in session.log:
        # the first frames get times of another day
        if message.characteristic.startswith("fb005c82") and message.arrival_ns < 10e9:
            at = int.from_bytes(message.data[1:9], "little") - 90_000 * 10**9
            data = message.data[:1] + at.to_bytes(8, "little") + message.data[9:]
            message = Message(message.characteristic, Direction.NOTIFY, data, message.arrival_ns)
        log.append(message)
    case = decode_case(PolarDriver(), tuple(log))
    assert case.loss["acc"].ambiguous > 52 * 10  # the recording has no run before it


def test_a_recording_by_hand_in_any_pieces():
    start = b"2026-11-30 22:30:00\0"
    frame = struct.pack("<BQB6h", 2, 5_000_000_000, 1, 1, -2, 3, 4, 5, 6)
    settings = bytes.fromhex("0001 3400 0101 1000 0201 0800")
    data = b"\0" + struct.pack("<4I", 0x3D7C4C2B, 1, 0, 7) + start
    data += bytes([len(settings)]) + settings + b"\0"
    data += (struct.pack("<H", len(frame)) + frame) * 2
    for size in (1, 9, len(data)):
        reader, frames = RecordingReader(), []
        for at in range(0, len(data), size):
            frames += reader.push(data[at : at + size])
        assert [f.time_ns for f in frames] == [5_000_000_000] * 2
        assert (reader.fs, reader.range_g, reader.counts_per_g(1)) == (52, 8, 1000)


def test_requests_folders_and_frames_by_hand():
    request = bytes.fromhex("02 0900 0800 1205") + b"/U/0/"
    assert encode_request("/U/0/") == request
    assert parse_request(request) == "/U/0/"
    assert parse_request(b"\x02\x09") == parse_request(b"") == ""
    folder = bytes.fromhex("0a0d 0a09") + b"20261130/" + bytes.fromhex("1000")
    folder += bytes.fromhex("0a0d 0a08") + b"ACC0.REC" + bytes.fromhex("108010")
    assert parse_folder(folder) == ["20261130/", "ACC0.REC"]
    frames = ResponseFrames()
    assert frames.push(b"\x06ab") + frames.push(b"\x13c") == b"abc"
    assert frames.is_complete
    with pytest.raises(PacketError, match="after the last one"):
        frames.push(b"\x23d")
    with pytest.raises(PacketError, match="error 103"):
        ResponseFrames().push(b"\x00\x67\x00")
    with pytest.raises(PacketError, match="frame 2 instead of 0"):
        ResponseFrames().push(b"\x26ab")


def test_damaged_recordings_are_only_refused():
    session, _ = recorded(seconds=20)
    frames = [m for m in session.log if m.characteristic == FILE]
    rng = random.Random(1)
    for _ in range(100):
        decoder = PolarDriver().make_decoder()
        for message in frames:
            data = bytearray(message.data)
            if rng.random() < 0.1:
                data[rng.randrange(len(data))] = rng.randrange(256)
            try:
                decoder.push(Message(FILE, message.direction, bytes(data), 0))
            except PacketError:
                continue


def test_a_night_in_the_memory_is_recorded_and_read(tmp_path):
    path = tmp_path / "a.night"
    sensor = PolarSensor("sense", ppm=-30.0)
    night = record_peers(path, [sensor], ["polar"], 60, options=OPTIONS)
    recording = read(path)
    seconds = sum(len(s.samples) / 52 for s in recording.segments_of("acc"))
    assert seconds > 45
    assert night.status[0].valid_s > 45
    assert "samples are from the device's log" in " ".join(recording.notes)
    events = [event for event, _ in connection_log(path)]
    assert events == ["connected", "stopped"]
