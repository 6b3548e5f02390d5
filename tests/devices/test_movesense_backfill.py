"""What a Movesense sensor logged fills what the radio lost."""

from __future__ import annotations

import asyncio
import random
import struct

import numpy as np
import pytest

from firmware_sim.peers.movesense import MovesenseSensor
from firmware_sim.peers.movesense_logbook import Logbook
from tests.acquire.peer_recording import connection_log, record_peers
from tests.devices.logs import write_log
from tests.devices.movesense_case import kept, movesense_session
from twitchsense.devices.contract import PacketError, StartRefusedError
from twitchsense.devices.movesense.movesense_driver import MovesenseDriver
from twitchsense.devices.movesense.movesense_log import LogReader
from twitchsense.errors import InputError
from twitchsense.io.device_logs.decode_log import decode_log
from twitchsense.io.read import read
from twitchsense.testing.driver_case import decode_case

OPTIONS = {"rate": "52", "log": "yes"}


def recorded(reboot=False, options=OPTIONS, loss=0.2, seed=7, **sensor_options):
    """A session with loss and an outage, after which the log is fetched."""
    sensor = MovesenseSensor(seed=seed, ppm=40.0, **sensor_options)
    session = movesense_session(sensor, loss, step_s=0.05)
    session.open(options)
    session.run(20)
    session.disconnect()
    session.wait_disconnected(15.0)
    if reboot:
        sensor.reboot(session.now_s)
        session.wait_disconnected(40.0)
    session.open(options)
    session.run(20)
    n_live = len(session.log)
    session.execute(MovesenseDriver().fetch(options))
    session.close()
    return session, sensor, n_live


def decoded(messages):
    return decode_case(MovesenseDriver(), tuple(messages))


@pytest.mark.parametrize("clock_ms", [0, 2**32 - 17_000])
def test_the_log_fills_every_gap_bit_for_bit(clock_ms):
    options = {"rate": "104", "ecg": "250", "log": "yes"}
    session, sensor, n_live = recorded(options=options, clock_ms=clock_ms)
    case = decoded(session.log)
    for name in ("acc", "ecg"):
        sent, first = sensor.sent[name], kept(session.log[:n_live], sensor, name)[0]
        n = len(case.samples[name])
        assert len(sent.times_s) - first - n < 16  # the last packet is not complete
        index = slice(first, first + n)
        np.testing.assert_allclose(case.samples[name], sent.array()[index], rtol=1e-12)
        assert (case.loss[name].exact, case.loss[name].ambiguous) == (0, 0)
        assert np.abs(case.times_s[name] - np.array(sent.times_s)[index]).max() < 0.06


def test_a_log_after_a_restart_does_not_fill_what_was_before():
    session, sensor, n_live = recorded(reboot=True)
    case, live = decoded(session.log), decoded(session.log[:n_live])
    assert case.loss["acc"].ambiguous == live.loss["acc"].ambiguous > 0
    assert 0 < case.loss["acc"].exact < live.loss["acc"].exact
    assert set(sensor.logbook.files) == {1, 2}


def test_older_logs_are_fetched_on_request():
    options = {**OPTIONS, "log": "all"}
    session, _, _ = recorded(reboot=True, options=options)
    case = decoded(session.log)
    assert case.loss["acc"].exact == 0
    assert case.loss["acc"].ambiguous > 0  # while the sensor was off


def test_a_log_of_other_values_fills_nothing():
    """The times alone do not show that a log belongs to a connection."""
    session, _, n_live = recorded()
    other, _, n_other = recorded(seed=8, loss=0.0)
    live = decoded(session.log[:n_live])
    case = decoded(session.log[:n_live] + other.log[n_other:])
    assert decoded(session.log).loss["acc"].exact == 0
    assert case.loss["acc"].exact == live.loss["acc"].exact > 0


def test_a_log_without_descriptions_is_refused_with_the_reason(tmp_path):
    session, sensor, n_live = recorded(logbook=Logbook(has_descriptions=False))
    live = decoded(session.log[:n_live])
    path = write_log(tmp_path / "log.csv", session.log)
    report = decode_log(path, MovesenseDriver(), tmp_path / "out")
    assert report["refused_reasons"]["descriptor"] > 10
    assert report["loss"]["exact"] == live.loss["acc"].exact
    assert report["streams"]["acc"]["filled"] == 0


def test_a_full_memory_fills_what_it_holds():
    session, _, n_live = recorded(logbook=Logbook(capacity=15_000))
    case, live = decoded(session.log), decoded(session.log[:n_live])
    assert 0 < case.loss["acc"].exact < live.loss["acc"].exact


def test_a_log_of_which_nothing_was_received_has_no_time(tmp_path):
    """Only the commands to the logger, and the log: no sample has an arrival."""
    session, _, _ = recorded()
    log = [m for m in session.log if m.data[:2] != b"\x02\x15"]  # acceleration as it was sent
    report = decode_log(write_log(tmp_path / "log.csv", log), MovesenseDriver(), tmp_path / "out")
    assert report["streams"] == {}
    assert decoded(log).samples == {}


def test_without_the_option_nothing_is_logged_or_fetched():
    session, sensor, n_live = recorded(options={"rate": "52"})
    assert not any(m.data[:1] in (b"\x03", b"\x09") for m in session.log[n_live:])
    assert sensor.logbook.files == {}
    with pytest.raises(InputError, match="choose one of: no, yes, all"):
        next(MovesenseDriver().open({"log": "maybe"}))


def test_a_sensor_without_a_log_says_so():
    session = movesense_session(MovesenseSensor())
    session.open({})
    with pytest.raises(StartRefusedError, match="holds no log"):
        session.execute(MovesenseDriver().fetch(OPTIONS))


@pytest.mark.parametrize("kind", ["missing", "foreign", "huge"])
def test_bytes_that_are_no_log_are_refused(kind):
    reader = LogReader()
    match kind:
        case "missing":
            reader.push(0, b"SBEM0112")
            with pytest.raises(PacketError, match="from 8 on are missing"):
                reader.push(9, b"\0")
        case "foreign":
            with pytest.raises(PacketError, match="compressed"):
                reader.push(0, b"\x1f\x8b\0\0\0\0\0\0")
        case "huge":
            with pytest.raises(PacketError, match="a chunk of"):
                reader.push(0, b"SBEM0112\x01\xff\xff\xff\xff\x7f")
    with pytest.raises(PacketError):
        reader.push(0, b"SBEM0112")


def test_a_log_by_hand_in_any_pieces():
    """Two samples at 1000 ms, as a Flash sensor writes them."""

    def described(number, text):
        content = struct.pack("<H", number) + text
        return bytes([0, len(content)]) + content

    data = (
        b"SBEM0112"
        + described(13, b"<PTH>Samples+Array.MeasIMU6.Timestamp\n<FRM>uint32\0")
        + described(39, b"<PTH>Samples.Array.MeasIMU6.ArrayAcc+x\n<FRM>float32\0")
        + described(40, b"<PTH>Samples.Array.MeasIMU6.ArrayAcc.y\n<FRM>float32\0")
        + described(41, b"<PTH>Samples.Array.MeasIMU6.ArrayAcc.z\n<FRM>float32\0")
        + described(42, b"<PTH>Samples.Array.MeasIMU6.ArrayGyro+x\n<FRM>float32\0")
        + described(54, b"<PTH>[\0")
        + described(55, b"<PTH>]\0")
        + described(89, b"<GRP>39,40,41\0")
        + described(90, b"<GRP>42,42,42\0")
        + described(94, b"<GRP>13,54,89,89,55,54,90,90,55\0")
        + bytes([94, 52])
        + struct.pack("<I12f", 1000, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, *[9.0] * 6)
    )
    for size in (1, 7, len(data)):
        reader, found = LogReader(), []
        for at in range(0, len(data), size):
            found += reader.push(at, data[at : at + size])
        (payload,) = found
        assert (payload.stream, payload.time_ms) == ("acc", 1000)
        assert payload.samples.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_damaged_logs_are_only_refused():
    session, sensor, _ = recorded(loss=0.0)
    whole = bytes(sensor.logbook.files[1])[:3000]
    rng = random.Random(1)
    for _ in range(200):
        data, reader = bytearray(whole), LogReader()
        for _ in range(rng.randrange(1, 5)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        for at in range(0, len(data), 149):
            try:
                reader.push(at, bytes(data[at : at + 149]))
            except PacketError:
                continue


def test_a_night_with_an_outage_is_filled_from_the_log(tmp_path):
    path = tmp_path / "a.night"

    async def leave(result, radio):
        (controller,) = [c for c in radio.channel.controllers if c.name.startswith("Move")]
        await asyncio.sleep(10)
        radio.channel.set_conditions(controller, in_range=False)
        await asyncio.sleep(20)
        radio.channel.set_conditions(controller, in_range=True)

    sensor = MovesenseSensor(ppm=40.0)
    record_peers(path, [sensor], ["movesense"], 50, during=leave, options=OPTIONS)
    recording = read(path)
    (segment,) = recording.segments_of("acc")
    got = segment.samples.read(0, len(segment.samples))
    sent = sensor.sent["acc"].array()
    (at,) = np.flatnonzero(np.isclose(sent, got[0], atol=1e-6).all(axis=1))
    np.testing.assert_allclose(got, sent[at : at + len(got)], atol=1e-6)
    assert len(got) > 52 * 40
    notes = " ".join(recording.notes)
    assert "samples are from the device's log; after that 0 % lost" in notes
    assert [event for event, _ in connection_log(path)][-1] == "stopped"
