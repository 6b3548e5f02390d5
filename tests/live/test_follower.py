"""Following a night file while it is written: frames, events, status, waveforms, markers."""

from __future__ import annotations

import dataclasses
import re
import sqlite3
import threading
import time
from collections import deque
from datetime import datetime

import numpy as np
import pytest

import twitchsense as ts
from firmware_sim.wearable.encoder import Encoder
from firmware_sim.wearable.firmware import Firmware
from tests.nightfile.builders import KEY, MODEL, T0, device, info_bytes, make_frames, write_night
from tests.signals import unit_potential
from twitchsense.detect.detector import Detector
from twitchsense.devices.v1.v1_frames import decode_frame, decode_info
from twitchsense.errors import InputError
from twitchsense.live import follower as follower_module
from twitchsense.live.follower import NightFollower
from twitchsense.live.v1_stream import V1Stream
from twitchsense.live.waveform_buffer import COLUMNS_PER_S, LENGTH_S, WaveformBuffer
from twitchsense.model.channels import NS, Channel, Chunk
from twitchsense.nightfile.recorder_clock import RecorderClock
from twitchsense.nightfile.writer import (
    BatteryReading,
    Boot,
    LinkEvent,
    Loss,
    NightFileWriter,
    Packet,
)


def query(path, sql):
    with sqlite3.connect(path) as db:
        return db.execute(sql).fetchall()


def test_every_stored_frame_is_read_once(night):
    follower = NightFollower(night)
    stored = query(night, "SELECT count(*) FROM packet")[0][0]
    assert follower.poll() == stored
    assert follower.poll() == 0
    assert follower.frames == stored
    assert set(follower.waveforms) == {"emg1_left", "emg2_left", "acc_left"}


def test_frames_written_while_polling_are_read_once(tmp_path):
    path = tmp_path / "n.night"
    boot, frames = Boot(KEY, 1), make_frames(20)
    file = NightFileWriter(path)
    file.write([device()])

    def write():
        for k in range(0, len(frames), 7):
            batch = [
                Packet(boot, s, T0 + round(at * NS), data) for s, at, data in frames[k : k + 7]
            ]
            file.write(batch)

    follower, seen = NightFollower(path), 0
    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive() or seen < len(frames):
        seen += follower.poll()
    writer.join()
    file.close()
    assert seen == follower.frames == len(frames)


#: Counts of 0.2 µV: a motor unit's potential of 180 µV peak to peak.
BURST = 900 * unit_potential(1000.0)


class OneTwitch:
    """Counts of a still leg with one potential at second 8."""

    def read(self, stream, first, count):
        k = np.arange(first, first + count)
        rng = np.random.default_rng(first)
        if stream == 2:
            still = np.zeros((count, 3))
            still[:, 2] = 4096
            return (still + rng.normal(0, 4, (count, 3))).astype(np.int32)
        values = rng.normal(0, 15, (count, 2))
        inside = (k >= 8000) & (k < 8000 + len(BURST))
        values[inside] += BURST[k[inside] - 8000, None]
        return values.astype(np.int32)


@pytest.fixture
def twitching(tmp_path):
    return write_counts(tmp_path / "quiet.night", OneTwitch(), 14)


def write_counts(path, source, seconds):
    firmware = Firmware(MODEL, source, Encoder(), 1)
    firmware.control(bytes.fromhex("01 01 01000000 00"))
    boot = Boot(KEY, 1)
    file, batch = NightFileWriter(path), []
    file.write([device()])
    while (tick := firmware.next_tick()) < seconds * MODEL.tick_hz:
        before = firmware.ring.next
        firmware.advance(tick)
        at = T0 + round(tick / MODEL.tick_hz * NS)
        batch += [
            Packet(boot, s, at, firmware.ring.get(s)) for s in range(before, firmware.ring.next)
        ]
    file.write([*batch, Loss(boot, 3, 7, "gone", T0), LinkEvent(KEY, T0, "connected")])
    file.close()
    return path


def test_a_twitch_is_shown_and_counted_only_on_request(twitching):
    follower = NightFollower(twitching)
    follower.poll()
    without_counts, with_counts = follower.state(counts=False), follower.state(counts=True)
    [[when, kind, seconds, channel, settled]] = without_counts["events"]
    assert settled
    assert kind == "twitch"
    assert channel in ("emg1_left", "emg2_left")
    assert when == pytest.approx(T0 / NS + 8.0, abs=0.05)
    assert 0.01 < seconds < 0.07
    assert without_counts["counts"] is None
    assert with_counts["counts"] == {"twitch": 1}
    assert without_counts["lost"] == 5
    assert without_counts["over"]


class RepeatedTwitches(OneTwitch):
    """A burst every 5 s."""

    def read(self, stream, first, count):
        if stream == 2:
            return super().read(stream, first, count)
        # the same burst repeated
        k = np.arange(first, first + count) % 5000
        rng = np.random.default_rng(first)
        values = rng.normal(0, 15, (count, 2))
        inside = (k >= 2000) & (k < 2000 + len(BURST))
        values[inside] += BURST[k[inside] - 2000, None]
        return values.astype(np.int32)


def test_the_size_of_a_poll_does_not_change_the_events(tmp_path, monkeypatch):
    path = write_counts(tmp_path / "long.night", RepeatedTwitches(), 60)
    whole, pieces = NightFollower(path), NightFollower(path)
    assert whole.poll() > 1000
    monkeypatch.setattr(follower_module, "BATCH_ROWS", 7)
    while pieces.poll():
        pass
    assert len(whole.events) >= 9
    assert pieces.events == whole.events
    assert pieces.counts == whole.counts


@pytest.mark.slow  # follows eight minutes
def test_memory_of_the_detector_does_not_grow(tmp_path):
    def size(thing, seen):
        """Count all that hangs on an object."""
        if id(thing) in seen:
            return 0
        seen.add(id(thing))
        if isinstance(thing, np.ndarray):
            return thing.size
        if isinstance(thing, dict):
            parts = list(thing.values())
        elif isinstance(thing, (list, tuple, set, deque)):
            parts = list(thing)
        else:
            parts = list(getattr(thing, "__dict__", {}).values())
            parts += [
                getattr(thing, n) for n in getattr(thing, "__slots__", ()) if n != "__weakref__"
            ]
        return 1 + sum(size(p, seen) for p in parts)

    sizes = []
    for seconds in (90, 480):  # at other times a history may just have grown
        follower = NightFollower(
            write_counts(tmp_path / f"{seconds}.night", RepeatedTwitches(), seconds)
        )
        while follower.poll():
            pass
        sizes.append(size(follower, set()))
    assert sizes[1] < 1.1 * sizes[0]


def test_connection_status_texts(tmp_path):
    path = tmp_path / "n.night"
    file = NightFileWriter(path)
    file.write([device()])
    follower = NightFollower(path)

    def status_after(*events):
        file.write([LinkEvent(key, T0, event, "detail") for key, event in events])
        follower.poll()
        return follower.state(counts=False)["link"]

    assert status_after() == "waiting for the first connection"
    assert status_after((KEY, "failed"), (KEY, "connected"), (KEY, "take_over")) == "connected"
    assert status_after(("OTHER", "connected")) == "connected"
    assert (
        status_after((KEY, "lost")) == f"{KEY[-4:]}: connection lost, trying again, THER: connected"
    )
    assert status_after((KEY, "stopped"), ("OTHER", "stopped")) == "the recording was ended"
    file.close()


def test_an_abandoned_night_is_over_and_shows_when_it_ended(twitching):
    follower = NightFollower(twitching)
    follower.poll()
    newest = follower.newest_ns / NS
    when = f"{datetime.fromtimestamp(newest):%H:%M}"
    near, old = (follower.state(counts=False, now_s=newest + s) for s in (30, 5_648_515))
    assert near["link"] == f"the recording stopped unexpectedly at {when}; no recorder is running"
    assert near["silent"]
    day = f"{datetime.fromtimestamp(newest):%Y-%m-%d}"
    assert (
        old["link"]
        == f"the recording stopped unexpectedly at {when} on {day}; no recorder is running"
    )


def test_silence_during_a_recording_shows_its_duration(tmp_path):
    path = write_counts(tmp_path / "n.night", OneTwitch(), 3)
    file = NightFileWriter(path)  # a recorder that waits for its wearable
    follower = NightFollower(path)
    follower.poll()
    state = follower.state(counts=False, now_s=follower.newest_ns / NS + 7200)
    assert not state["over"]
    assert state["link"] == "no signal for 2 h: connected"
    file.write([LinkEvent(KEY, T0, "stopped")])
    file.close()
    follower.poll()
    state = follower.state(counts=False, now_s=follower.newest_ns / NS + 7200)
    assert state["over"]
    assert re.fullmatch(r"the recording ended at \d\d:\d\d", state["link"])
    assert not state["silent"]


@pytest.mark.parametrize("drift", [-5e-4, 5e-4])
def test_clock_drift_is_corrected_in_the_waveform_times(drift, monkeypatch):
    monkeypatch.setattr(Detector, "push", lambda detector, *chunks: [])  # only the times matter
    monkeypatch.setattr(Detector, "peek", lambda detector: [])
    seconds, pushed = 200, []
    stream = V1Stream(KEY, decode_info(info_bytes()), on_chunk=pushed.append)
    rng = np.random.default_rng(1)
    for _, at, data in make_frames(seconds, drift=drift):
        arrival = T0 + round((at + 0.004 + rng.exponential(0.02)) * NS)
        stream.push([(decode_frame(data, stream.info), arrival)])
    chunk = [p for p in pushed if p.channel == "emg1_left"][-1]
    by_rate = chunk.segment_start_ns + round(chunk.first_index / 1000 * NS)
    truth = T0 / NS + chunk.first_index / 1000 / (1 + drift)
    assert abs(by_rate / NS - truth) > 0.07
    assert (by_rate + stream.drift_ns(by_rate)) / NS == pytest.approx(truth, abs=0.03)


def test_the_battery_level_is_the_last_one_read(tmp_path):
    path = tmp_path / "n.night"
    file = NightFileWriter(path)
    file.write([device(), BatteryReading(KEY, T0, 90)])
    follower = NightFollower(path)
    assert follower.state(counts=False)["battery"] == "unknown"
    follower.poll()
    assert follower.state(counts=False)["battery"] == "90 %"
    file.write([BatteryReading(KEY, T0, 89), BatteryReading("OTHER", T0, 40)])
    follower.poll()
    assert follower.state(counts=False)["battery"] == "89 % and 40 %"
    file.close()


def test_a_gap_has_no_waveform(twitching):
    follower = NightFollower(twitching)
    follower.poll()
    newest = follower.newest_ns / NS
    assert not follower.state(counts=False, now_s=newest + 1)["silent"]
    assert follower.state(counts=False, now_s=newest + 6)["silent"]
    [waveform, *_] = follower.state(counts=False, now_s=newest + 10)["waveforms"]
    low, high = waveform["columns"]
    assert len(low) == len(high) == COLUMNS_PER_S * LENGTH_S
    assert high[-50] is None
    assert high[-150] is not None


def test_a_waveform_buffer_keeps_extremes_and_gaps():
    waveform = WaveformBuffer(Channel("emg1", "emg", "uV", 1000.0, ("emg1_uv",)))
    wave = np.zeros((2000, 1), np.float32)
    wave[1234] = 90
    waveform.push(Chunk("emg1", 100 * NS, 0, wave[:1000]))
    waveform.push(Chunk("emg1", 100 * NS, 1000, wave[1000:]))
    waveform.push(Chunk("emg1", 104 * NS, 0, np.zeros((1000, 1), np.float32)))
    _, high = waveform.columns(104.99)
    assert high[-50:-30].index(max(h for h in high[-50:-30] if h is not None)) == 12
    assert high[-30:-10] == [None] * 20
    assert None not in high[-10:]


def test_memory_of_a_waveform_buffer_does_not_grow():
    waveform = WaveformBuffer(Channel("emg1", "emg", "uV", 1000.0, ("emg1_uv",)))
    for k in range(200):
        waveform.push(Chunk("emg1", 0, 1000 * k, np.ones((1000, 1), np.float32)))
    assert waveform.size == COLUMNS_PER_S * LENGTH_S


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("lights out", "lights out"),
        ("", "marker"),
        ("'); DROP TABLE marker; --", "'); DROP TABLE marker; --"),
        ("a\x00b\u202e\nc", "a b  c"),
        ("x" * 10_000, "x" * 200),
    ],
)
def test_a_marker_is_stored_while_the_recorder_writes(tmp_path, given, stored):
    path = tmp_path / "n.night"
    file = NightFileWriter(path)
    file.write([device()])
    before = time.time_ns()
    NightFollower(path).add_marker(given)
    file.write([LinkEvent(KEY, T0, "connected")])  # the recorder goes on
    file.close()
    [(when, text)] = query(path, "SELECT time_ns, text FROM marker")
    assert text == stored
    assert before <= when <= time.time_ns()


@pytest.mark.parametrize("is_read", [True, False])
def test_a_view_follows_the_clock_of_the_recorder(tmp_path, is_read):
    """The computer's clock was set forward by an hour after the recorder started."""
    path, boot = tmp_path / "n.night", Boot(KEY, 1)
    clock = RecorderClock()
    reading = clock.read()
    behind = 3600 * NS
    file = NightFileWriter(path)
    file.write([device(), LinkEvent(KEY, clock() - behind, "connected")])
    if is_read:  # files of earlier versions hold no readings
        file.write([dataclasses.replace(reading, time_ns=reading.time_ns - behind)])
    frames = make_frames(2)
    follower = NightFollower(path)
    for part in (frames[:10], frames[10:20]):
        file.write(Packet(boot, seq, clock() - behind, data) for seq, _, data in part)
        follower.poll()
    state = follower.state(counts=False)
    assert not state["silent"]
    assert state["link"] == "connected"
    follower.add_marker("lights out")
    file.close()
    ((when, _),) = query(path, "SELECT time_ns, text FROM marker")
    assert abs(when - (clock() - behind)) < 10 * NS


def test_a_file_that_is_not_a_night_file_is_rejected(tmp_path):
    path = tmp_path / "x.night"
    path.write_text("hello")
    with pytest.raises(InputError):
        NightFollower(path).poll()
    with pytest.raises(InputError, match="the marker was not stored"):
        NightFollower(tmp_path / "none.night").add_marker("x")


def test_live_events_equal_those_of_analyze(twitching):
    follower = NightFollower(twitching)
    follower.poll()
    table = ts.analyze(ts.read(twitching)).events
    assert list(table["trial_type"]) == [e.kind for e in follower.events]


def test_both_boots_of_a_night_are_read(tmp_path):
    follower = NightFollower(write_night(tmp_path / "n.night", 4, boots=(1, 2)))
    follower.poll()
    assert follower.frames == 2 * len(make_frames(4))
