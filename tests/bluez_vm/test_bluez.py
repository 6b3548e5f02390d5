"""The session and the commands of the other tiers through real BlueZ, in real time.

Run by ``tests/bluez_vm/run``. Several wearables share a night, so that it stays short.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

import pytest

from firmware_sim.wearable.plug import WearableOptions
from tests.nightfile.builders import Noise
from tests.wearable.simulated_recording import (
    SimulatedRecording,
    collect_frames,
    expose_to_bluez,
    record_on_bluez,
)
from twitchsense.nightfile.loss_report import read_loss_reports

pytestmark = pytest.mark.skipif(
    "TWITCHSENSE_BLUEZ" not in os.environ, reason="needs BlueZ on vhci: tests/bluez_vm/run"
)


def test_lost_connections_are_restored(tmp_path):
    """Out of range for longer than the supervision timeout; hung up on; a reboot."""
    night = record_on_bluez(tmp_path / "a.night", 30, "range@3+9", "hangup@3,hangup@15", "reboot@3")
    night.check(lost=("reboot",))
    assert [p.n_connections >= 2 for p in night.status] == [True, True, True]


def test_packet_errors_lose_no_frames(tmp_path):
    """A fade shorter than the timeout that the wearable asks for; packet errors; damage."""
    night = record_on_bluez(
        tmp_path / "a.night", 20, "range@5+3", "noise@2+15=0.3", "damage@2+15=0.05"
    )
    night.check()
    assert [p.n_connections for p in night.status] == [1, 1, 1]
    assert [p.battery for p in night.status] == [100, 100, 100]


def test_the_commands_work_with_bluez(tmp_path):
    """`devices`; `record` killed, frozen for 3 s, and ended by SIGTERM: nothing is lost."""
    path = tmp_path / "a.night"

    async def run(*arguments):
        return await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "twitchsense.cli", *map(str, arguments)],
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def record_until(frames):
        recorder = await run("record", "--device", "ts-0001", "--out", path)
        async with asyncio.timeout(90):
            while not path.exists() or sum(b.received for b in read_loss_reports(path)) < frames:
                assert recorder.returncode is None, await recorder.communicate()
                await asyncio.sleep(0.5)
        return recorder

    async def night():
        result = SimulatedRecording(path)
        async with expose_to_bluez([WearableOptions(source=lambda model: Noise())]) as air:
            (wearable,) = air.wearables
            wearable.on_stored = lambda firmware: collect_frames(result, wearable, firmware)
            out, err = await (await run("devices", "--json", "--seconds", 5)).communicate()
            assert out, err
            assert [d["name"] for d in json.loads(out)] == ["ts-0001"]
            first = await record_until(60)
            first.kill()
            await first.communicate()
            second = await record_until(300)
            second.send_signal(signal.SIGSTOP)
            await asyncio.sleep(3)
            second.send_signal(signal.SIGCONT)
            await asyncio.sleep(3)
            second.send_signal(signal.SIGTERM)
            _, err = await second.communicate()
            assert second.returncode == 0, err
            assert not wearable.firmware.session
        return result

    (book,) = asyncio.run(night()).check().values()
    assert book.begin == 0
    assert book.received == book.end
