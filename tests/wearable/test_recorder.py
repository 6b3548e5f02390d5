"""Recorded over GATT, ATT, L2CAP and HCI in virtual time: nothing lost, nothing invented."""

from __future__ import annotations

import asyncio
import sqlite3

import numpy as np
import pytest

import twitchsense as ts
from firmware_sim.wearable.plug import WearableOptions, open_air
from firmware_sim.wearable.virtual_time import run_virtual
from tests.nightfile.builders import T0, Noise
from tests.wearable.simulated_recording import SimulatedRecording, collect_frames, record_simulated
from twitchsense.acquire.adapter import Adapter
from twitchsense.acquire.recorder import Recorder, make_metadata
from twitchsense.nightfile.loss_report import read_loss_reports
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.writer import NightFileWriter


def connection_log(path):
    reader = NightFileReader(path)
    rows = reader.query("SELECT event, detail FROM link ORDER BY id")
    reader.close()
    return rows


def test_a_minute_without_faults(tmp_path):
    night = record_simulated(tmp_path / "a.night", 60)
    night.check()
    assert night.status[0].n_connections == 1
    assert night.status[0].battery == 100
    reader = NightFileReader(tmp_path / "a.night")
    assert {percent for _, _, percent in reader.battery_readings()} == {100}
    reader.close()
    recording = ts.read(tmp_path / "a.night")
    assert [len(recording.segments_of(c.name)) for c in recording.channels] == [1, 1, 1]


FAULTS = {
    "out_of_range": ("range@20+30", ()),
    "short_fade": ("range@20+3", ()),
    "noise": ("noise@5+50=0.3", ()),
    "hangup": ("hangup@20,hangup@22,hangup@40", ()),
    "silence": ("silence@20+15", ()),
    "skipped_samples": ("skip@20=0.4", ()),
    "damaged_frames": ("damage@5+40=0.05", ()),
    "reboot": ("reboot@30", ("reboot",)),
    "reboot_out_of_range": ("range@20+30,reboot@30", ("reboot",)),
    "button": ("button@20,button@21", ()),
}


@pytest.mark.slow  # records many nights in virtual time
@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_leaves_all_frames_stored_or_reported_lost(kind, tmp_path):
    faults, lost = FAULTS[kind]
    night = record_simulated(tmp_path / "a.night", 90, faults)
    night.check(lost=lost)
    if kind in ("short_fade", "noise", "damaged_frames", "button"):
        assert night.status[0].n_connections == 1
    if kind == "silence":
        assert any("stalled" in detail for _, detail in connection_log(tmp_path / "a.night"))


def test_an_outage_longer_than_the_ring_buffer_is_reported_lost(tmp_path):
    night = record_simulated(tmp_path / "a.night", 120, "range@20+60", ring_frames=400)
    (book,) = night.check(lost=("ring_overflow",)).values()
    # 60 s, and the time to notice and connect, make about 20 frames a second
    made_away = book.lost["ring_overflow"]
    assert 500 < made_away < 1400


@pytest.mark.slow
def test_sample_times_follow_a_drifting_clock(tmp_path):
    """Five minutes with a fast, wandering crystal and an outage: within 5 ms of the truth."""
    night = record_simulated(
        tmp_path / "a.night", 300, "range@100+60", drift_ppm=100.0, wander_ppm=4.0
    )
    night.check()
    reader = NightFileReader(tmp_path / "a.night")
    (source,) = reader.boots
    clock = reader.load(source).clock
    (wearable,) = night.air.wearables
    (start,) = night.boot_times.values()
    seconds = np.arange(10.0, 300.0)
    ticks = np.array([wearable.clock.ticks(s - start) for s in seconds])
    error = clock.to_utc(ticks) - T0 - seconds * 1e9
    assert np.percentile(np.abs(error), 99) < 5e6
    assert clock.drift_ppm == pytest.approx(100, abs=10)
    reader.close()


def test_small_mtu_sends_fragments(tmp_path):
    night = record_simulated(tmp_path / "a.night", 20, mtu=60)
    night.check()
    assert night.status[0].n_stored > 300


def test_two_legs_share_one_clock(tmp_path):
    plans = [
        WearableOptions(leg="left", drift_ppm=40, source=lambda m: Noise()),
        WearableOptions(leg="right", drift_ppm=-40, source=lambda m: Noise()),
    ]
    night = record_simulated(tmp_path / "a.night", 60, plans=plans)
    assert len(night.check()) == 2
    recording = ts.read(tmp_path / "a.night")
    names = {c.name for c in recording.channels}
    assert names == {f"{n}_{leg}" for n in ("emg1", "emg2", "acc") for leg in ("left", "right")}
    starts = [recording.segments_of(n)[0].start_ns for n in sorted(names)]
    assert np.ptp(starts) < 3e9


def test_a_blocked_event_loop_loses_nothing(tmp_path):
    """Three seconds in which no callback runs: what came meanwhile waits in the stack."""

    def during(result, loop, stop):
        # virtual time moves on while the loop does nothing, as a real clock would
        def block():
            loop.skip(3.0)

        loop.call_later(20.0, block)

    record_simulated(tmp_path / "a.night", 40, during=during).check()


def test_a_full_disk_is_reported_and_recovered_from(tmp_path, monkeypatch):
    seen, connections, connect = [], [], sqlite3.connect

    def keep(*arguments, **options):
        connections.append(connect(*arguments, **options))
        return connections[-1]

    monkeypatch.setattr(sqlite3, "connect", keep)

    def during(result, loop, stop):
        db = connections[-1]  # that of the writer, which was opened just before

        def fill():
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages}")

        def look():
            (wearable,) = result.air.wearables
            stored = result.recorder.night.stored_seqs(
                result.recorder.sessions[0].recording.tracker.boot
            )
            # the device keeps what is not on disk: nothing of it was acknowledged
            seen.append((result.recorder.storage_error, wearable.firmware.ring.oldest))
            assert wearable.firmware.ring.oldest <= len(stored)

        loop.call_later(20.0, fill)
        loop.call_later(40.0, look)
        loop.call_later(41.0, lambda: db.execute("PRAGMA max_page_count = 1000000"))

    night = record_simulated(tmp_path / "a.night", 60, during=during)
    night.check()
    assert "full" in seen[0][0]
    assert night.recorder.storage_error == ""


def test_a_full_queue_is_counted_and_its_frames_are_retransmitted(tmp_path):
    def during(result, loop, stop):
        queue = result.recorder.queue
        loop.call_later(20.0, lambda: setattr(queue, "limit", 3))
        loop.call_later(30.0, lambda: setattr(queue, "limit", 40_000))

    night = record_simulated(tmp_path / "a.night", 60, during=during)
    assert night.recorder.queue.n_overflows > 50
    night.check()


def record_in_turn(*paths_and_seconds, plan=None):
    """Record one wearable with one recorder after the other; a negative time is a kill.

    A kill is as kill -9: no STOP, no last commit; the connection just goes.
    """

    async def night():
        loop = asyncio.get_running_loop()
        result = SimulatedRecording(None)
        async with open_air(
            wearable_options=[plan or WearableOptions(source=lambda m: Noise())]
        ) as air:
            (wearable,) = air.wearables
            wearable.on_stored = lambda firmware: collect_frames(result, wearable, firmware)
            radio = Adapter(air.scanner, air.client)
            for path, seconds in paths_and_seconds:
                recorder = Recorder(
                    radio,
                    NightFileWriter(path, make_metadata()),
                    [wearable.model.name],
                    now_ns=lambda: T0 + round(loop.time() * 1e9),
                    inline=True,
                )
                stop = asyncio.Event()
                task = asyncio.create_task(recorder.run(stop))
                await asyncio.sleep(abs(seconds))
                if seconds < 0:
                    recorder.night.write = lambda records: None
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
                    await asyncio.sleep(20)
                    assert wearable.firmware.session  # it samples on
                else:
                    stop.set()
                    await task
                    assert not wearable.firmware.session
                recorder.night.close()
        return result

    return run_virtual(night())


@pytest.mark.slow
@pytest.mark.parametrize("first", [-30.0, -4.0, -4.5, -5.0])
@pytest.mark.parametrize("second", [-3.5, -4.5, -6.0])
def test_recording_resumes_in_the_same_night_after_a_kill(first, second, tmp_path):
    """Two recorders die, at times in the middle of connecting; the third fetches all."""
    path = tmp_path / "a.night"
    night = record_in_turn((path, first), (path, second), (path, 40.0))
    night.path = path
    (book,) = night.check().values()
    assert book.received == book.end
    assert book.begin == 0


def test_a_device_whose_boot_count_did_not_rise_is_rejected(tmp_path):
    """Its frames can't be told from those of before: better an error than nothing, silently."""
    path = tmp_path / "a.night"
    record_simulated(path, 20).check()
    before = read_loss_reports(path)
    record_simulated(path, 20)
    assert read_loss_reports(path) == before
    assert any("boot count did not change" in detail for _, detail in connection_log(path))


def test_a_new_boot_resumes_the_same_night(tmp_path):
    path = tmp_path / "a.night"
    record_simulated(path, 20)
    resumed = record_simulated(path, 20, boot_count=2)
    first, second = read_loss_reports(path)
    # frames of before tell nothing about the link
    assert 250 < resumed.status[0].n_produced <= second.end
    assert first.received == first.end > 250
    assert second.received == second.end > 250


def test_each_night_has_its_own_frames(tmp_path):
    """The wearable was not switched off between two nights: its numbers go on."""
    one, two = tmp_path / "a.night", tmp_path / "b.night"
    night = record_in_turn((one, 20.0), (two, 20.0))
    first, second = (read_loss_reports(path)[0] for path in (one, two))
    assert first.unresolved == second.unresolved == ()
    assert (first.begin, second.begin) == (0, first.end)
    (frames,) = night.truth.values()
    assert first.received + second.received == len(frames) == second.end


def test_another_session_is_taken_over(tmp_path):
    """A recorder that was killed left its session running; another night begins."""
    one, two = tmp_path / "a.night", tmp_path / "b.night"
    record_in_turn((one, -20.0), (two, 20.0))
    (book,) = read_loss_reports(two)
    assert book.unresolved == ()
    assert book.begin > 300
    assert any(event == "take_over" for event, _ in connection_log(two))
