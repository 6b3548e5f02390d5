"""What a recorder stores when the clock of the computer is set."""

from __future__ import annotations

import asyncio

from twitchsense.acquire.adapter import Adapter
from twitchsense.acquire.recorder import Recorder, make_metadata
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.recorder_clock import RecorderClock
from twitchsense.nightfile.writer import NightFileWriter

SECOND = 1_000_000_000


def test_a_step_of_the_computers_clock_is_stored_at_once(tmp_path, monkeypatch, caplog):
    path = tmp_path / "n.night"
    night = NightFileWriter(path, make_metadata())
    clock, step_ns = RecorderClock(), 0
    monkeypatch.setattr("time.time_ns", lambda: clock() + step_ns)

    async def record():
        nonlocal step_ns
        recorder = Recorder(Adapter(), night, ["none"], now_ns=clock, period_s=0.05)
        stop = asyncio.Event()
        recorder.sessions[0].run = lambda _: stop.wait()
        task = asyncio.create_task(recorder.run(stop))
        await asyncio.sleep(0.2)
        step_ns = -300 * SECOND
        await asyncio.sleep(0.2)
        stop.set()
        await task

    asyncio.run(record())
    night.close()
    assert "the computer's clock was set back by 300.0" in caplog.text
    reader = NightFileReader(path)
    readings = reader.host_clock_readings()
    assert reader.last_host_clock() == readings[-1]
    reader.close()
    # at the start, at the step and at the end
    assert [round((r.wall_ns - r.time_ns) / SECOND) for r in readings] == [0, -300, -300]
