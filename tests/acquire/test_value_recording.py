"""Devices without resend: every value that arrived is stored, over outages and restarts."""

from __future__ import annotations

import asyncio
import re
import tomllib
from dataclasses import replace
from types import SimpleNamespace

import pytest

import twitchsense as ts
from firmware_sim.peers.npg_lite import CONTROL, DATA, NpgLite
from firmware_sim.peers.twitchsense_v1 import WearableV1
from tests.acquire.peer_recording import connection_log, query, record_peers, stored_values
from tests.nightfile.builders import KEY, MODEL, capture_connections, device, write_night
from twitchsense.acquire.device_recording import RecordingContext
from twitchsense.acquire.recorder import make_metadata
from twitchsense.acquire.status import SessionStatus
from twitchsense.errors import InputError
from twitchsense.nightfile.loss_report import read_loss_reports
from twitchsense.nightfile.writer import NightFileWriter


def test_every_notification_is_stored_unchanged(tmp_path):
    path = tmp_path / "a.night"
    night = record_peers(path, [NpgLite()], ["npg"], 40)
    (peripheral,) = night.peripherals
    sent = [data for uuid, data in peripheral.sent if uuid == DATA]
    stored = [data for _, uuid, _, data in stored_values(path, "notify") if uuid == DATA]
    assert len(stored) > 1500
    assert stored == sent[: len(stored)]
    assert len(sent) - len(stored) <= 3  # on their way at the end
    writes = [data for _, _, _, data in stored_values(path, "write")]
    assert writes == [b"START", b"STOP"]
    (status,) = night.status
    assert status.battery == 87
    assert status.valid_s == pytest.approx(len(stored) / 50)
    assert status.loss_text == "0 % lost, known exactly"
    assert query(path, "SELECT device, percent FROM battery") == [("npg:C4:C3:C2:C1:D0:00", 87)]


@pytest.mark.slow
def test_after_an_outage_the_device_is_started_anew(tmp_path):
    path = tmp_path / "a.night"

    async def leave(result, radio):
        (controller,) = [c for c in radio.channel.controllers if c.name.startswith("NPG")]
        await asyncio.sleep(20)
        radio.channel.set_conditions(controller, in_range=False)
        await asyncio.sleep(30)
        radio.channel.set_conditions(controller, in_range=True)

    night = record_peers(path, [NpgLite()], ["npg"], 90, during=leave)
    connections = {row[0] for row in stored_values(path)}
    assert len(connections) == 2
    assert [data for _, _, _, data in stored_values(path, "write")] == [b"START", b"START", b"STOP"]
    events = [event for event, _ in connection_log(path)]
    assert events.count("connected") == 2
    assert "lost" in events
    # nothing is known to be lost, and the device sent nothing for a third of the time
    assert re.match(r"at least 0 % lost, about 3\d % by", night.status[0].loss_text)


@pytest.mark.slow
def test_a_device_that_leaves_does_not_end_the_night_of_another(tmp_path):
    path = tmp_path / "a.night"

    async def leave(result, radio):
        (controller,) = [c for c in radio.channel.controllers if c.name.startswith("NPG")]
        await asyncio.sleep(20)
        radio.channel.set_conditions(controller, in_range=False)

    night = record_peers(path, [WearableV1(), NpgLite()], ["twitchsense", "npg"], 90, during=leave)
    v1, npg = night.status
    assert v1.valid_s > 75
    assert (v1.n_lost, v1.n_missing, v1.n_connections) == (0, 0, 1)
    assert 10 < npg.valid_s < 25
    (report,) = read_loss_reports(path)
    assert report.unresolved == ()
    devices = {row[0].split(":")[0] for row in query(path, "SELECT key FROM device")}
    assert devices == {"0000000000000051", "npg"}


def test_a_device_that_sends_nothing_is_connected_anew(tmp_path):
    path = tmp_path / "a.night"

    async def fall_silent(result, radio):
        await asyncio.sleep(20)
        result.peripherals[0].model.write(CONTROL, b"STOP", 20.0)

    record_peers(path, [NpgLite()], ["npg"], 80, during=fall_silent)
    log = connection_log(path)
    assert [d for e, d in log if e == "lost"] == ["stalled: no samples for 30 s"]
    assert [e for e, _ in log].count("connected") == 2


def test_a_device_of_another_kind_is_refused_by_name(tmp_path):
    path = tmp_path / "a.night"
    night = record_peers(path, [WearableV1()], ["npg:C4:C3:C2:C1:D0:00"], 20)
    assert "is it of another kind?" in night.status[0].last_error
    assert night.status[0].n_stored == 0


def test_a_device_that_no_driver_recognises_is_refused_with_a_cure(tmp_path):
    lamp = NpgLite()
    lamp.name = "a lamp"
    night = record_peers(tmp_path / "a.night", [lamp], ["a lamp"], 20)
    assert "give its kind (--device KIND:ID)" in night.status[0].last_error
    night = record_peers(tmp_path / "b.night", [lamp], ["npg:a lamp"], 20)
    assert night.status[0].valid_s > 15


@pytest.mark.slow
def test_after_a_kill_the_night_goes_on(tmp_path):
    """As kill -9: no STOP, no last commit; values that were committed are there."""
    path = tmp_path / "a.night"

    async def kill(result, radio):
        await asyncio.sleep(20.5)
        result.recorder.night.write = lambda records: None

    record_peers(path, [NpgLite()], ["npg"], 30, during=kill)
    first = stored_values(path)
    assert len(first) > 800
    record_peers(path, [NpgLite(seed=5)], ["npg"], 30, start_s=60)
    both = stored_values(path)
    assert both[: len(first)] == first
    assert len(both) > len(first) + 1300
    assert len({row[0] for row in both}) == 2
    assert len(query(path, "SELECT key FROM device")) == 1


@pytest.mark.slow
def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    databases = capture_connections(monkeypatch)
    path = tmp_path / "a.night"
    errors = []

    async def fill(result, radio):
        await asyncio.sleep(15)
        pages = databases[-1].execute("PRAGMA page_count").fetchone()[0]
        databases[-1].execute(f"PRAGMA max_page_count = {pages}")
        await asyncio.sleep(20)
        errors.append(result.recorder.storage_error)
        databases[-1].execute("PRAGMA max_page_count = 1000000")

    night = record_peers(path, [NpgLite()], ["npg"], 60, during=fill)
    assert "full" in errors[0]
    (peripheral,) = night.peripherals
    sent = [data for uuid, data in peripheral.sent if uuid == DATA]
    stored = [data for _, uuid, _, data in stored_values(path, "notify") if uuid == DATA]
    assert stored == sent[: len(stored)]
    assert len(sent) - len(stored) <= 3


def test_what_does_not_fit_into_the_queue_leaves_a_gap_in_the_numbers(tmp_path):
    path = tmp_path / "a.night"

    async def choke(result, radio):
        await asyncio.sleep(15)
        result.recorder.queue.limit = 10
        await asyncio.sleep(5)
        result.recorder.queue.limit = 40_000

    night = record_peers(path, [NpgLite()], ["npg"], 30, during=choke)
    numbers = [row[0] for row in query(path, "SELECT number FROM value ORDER BY id")]
    dropped = numbers[-1] + 1 - len(numbers)
    assert dropped == night.recorder.queue.n_overflows > 100


def test_an_error_of_a_driver_does_not_end_the_night(tmp_path, monkeypatch, caplog):
    def fail(decoder, message):
        raise ZeroDivisionError("a driver's own")

    monkeypatch.setattr("twitchsense.devices.npg_lite.NpgLiteDecoder.push", fail)
    path = tmp_path / "a.night"
    record_peers(path, [NpgLite()], ["npg"], 20)
    assert len(stored_values(path, "notify")) > 800
    assert "an error in the driver npg" in caplog.text


@pytest.mark.parametrize(("key", "first", "second"), [("leg", "left", "right"), ("gain", "9", "8")])
def test_a_night_keeps_the_leg_and_the_gain_of_what_it_holds(tmp_path, caplog, key, first, second):
    """What is stated is valid for the whole night: another leg would relabel the first part."""
    plain = replace(MODEL, leg="")
    night = NightFileWriter(write_night(tmp_path / "a.night", 1, model=plain))

    def record(settings, own_leg=None):
        queue = SimpleNamespace(put_record=lambda record: night.write([record]))
        RecordingContext(
            "npg", 1, night, queue, lambda: 0, None, SessionStatus(), settings, {}
        ).record_device(device(plain), own_leg)

    record({key: first})
    assert f"--{key} {first} is also valid for what is recorded before" in caplog.text
    with pytest.raises(InputError) as refused:
        record({key: second})
    assert f"--{key}: is {first} for ts-" in refused.value.command_message
    record({})
    record({key: first})
    assert night.settings(KEY) == {key: first}
    if key == "leg":
        with pytest.raises(InputError, match="leave --leg out"):
            record({key: second}, own_leg=second)
    night.close()


def test_a_wrong_leg_ends_the_recording_at_its_start(tmp_path):
    path = tmp_path / "a.night"
    record_peers(path, [NpgLite()], ["npg"], 3, settings={"npg": {"leg": "left"}})
    before = query(path, "SELECT * FROM value")
    models, settings = [NpgLite(), WearableV1()], {"npg": {"leg": "right"}}
    with pytest.raises(InputError, match="leg of data already recorded would change"):
        record_peers(path, models, ["npg", "twitchsense"], 10, start_s=60, settings=settings)
    assert query(path, "SELECT * FROM value") == before
    assert query(path, "SELECT value FROM device_setting") == [("left",)]
    assert len(query(path, "SELECT * FROM packet")) < 20


def test_a_device_that_connects_late_is_recorded_with_the_leg_of_the_night(
    tmp_path, caplog, monkeypatch
):
    """Nobody is there to correct the command: the night goes on, and the leg is correctable."""
    path = tmp_path / "a.night"
    record_peers(path, [NpgLite()], ["npg"], 3, settings={"npg": {"leg": "left", "gain": "500"}})
    before = len(query(path, "SELECT * FROM value"))
    monkeypatch.setattr("twitchsense.acquire.device_recording.START_S", 0.0)
    settings = {"npg": {"leg": "right", "gain": "400"}}
    record_peers(path, [NpgLite()], ["npg"], 10, start_s=60, settings=settings)
    assert len(query(path, "SELECT * FROM value")) > before + 100
    assert {c.leg for c in ts.read(path).channels} == {"left"}
    said = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    (leg,) = [text for text in said if "--leg" in text]
    assert "is recorded on with the leg of this night (left), without --leg right" in leg
    (gain,) = [text for text in said if "--gain" in text]
    assert "analyze --gain 400 states another one" in gain
    (line,) = re.findall(r"legs = .*?}", leg)
    cured = ts.read(path, **tomllib.loads(line))
    assert {c.leg for c in cured.channels} == {"right"}


def test_another_leg_than_the_device_says_is_told_at_once(tmp_path, caplog):
    night = NightFileWriter(tmp_path / "a.night", make_metadata())
    queue = SimpleNamespace(put_record=lambda record: night.write([record]))
    for stated in ("left", "right"):
        RecordingContext(
            "ts", 1, night, queue, lambda: 0, None, SessionStatus(), {"leg": stated}, {}
        ).record_device(device(MODEL), "left")
    assert len(caplog.messages) == 1
    assert "says that it is on the left leg; --leg right counts" in caplog.text
    assert f'legs = {{"{KEY}" = "left"}}' in caplog.text
    assert night.settings(KEY) == {"leg": "right"}
    night.close()
