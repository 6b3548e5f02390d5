"""Devices of other makers through real BlueZ: one that does not resend, and a foreign client.

Run by ``tests/bluez_vm/run``.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from firmware_sim.peers.ganglion import Ganglion
from firmware_sim.peers.gatt_server import expose_models
from firmware_sim.peers.npg_lite import DATA, NpgLite
from tests.acquire.peer_recording import query, stored_values
from tests.wearable.simulated_recording import expose_to_bluez

pytestmark = pytest.mark.skipif(
    "TWITCHSENSE_BLUEZ" not in os.environ, reason="needs BlueZ on vhci: tests/bluez_vm/run"
)
VM = Path(__file__).parents[2] / ".bluez-vm"


async def start(*arguments, **environment):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )


def record(path):
    return start("-m", "twitchsense.cli", "record", "--device", "npg", "--out", path)


async def wait_for_values(recorder, path, count):
    """Wait until so many notifications with samples are on disk."""
    sql = "SELECT count(*) FROM value WHERE direction = 'notify'"
    async with asyncio.timeout(90):
        while not path.exists() or query(path, sql)[0][0] < count:
            assert recorder.returncode is None, await recorder.communicate()
            await asyncio.sleep(0.5)


def test_a_device_without_resend_is_recorded_by_one_recorder_and_after_a_kill(tmp_path):
    """What a recorder stored is what was sent, in order, and survives `kill -9`."""
    path, other = tmp_path / "a.night", tmp_path / "b.night"

    async def night():
        async with expose_to_bluez([NpgLite()], expose_models) as (peripheral,):
            first = await record(path)
            await wait_for_values(first, path, 200)
            second = await record(other)
            async with asyncio.timeout(90):
                while b"process" not in (refusal := await second.stderr.readline()):
                    assert refusal, "the second recorder ended"
            second.kill()
            await second.communicate()
            before = [d for *_, uuid, _, d in stored_values(path, "notify") if uuid == DATA]
            first.kill()
            await first.communicate()
            third = await record(path)
            await wait_for_values(third, path, len(before) + 200)
            third.send_signal(signal.SIGTERM)
            _, err = await third.communicate()
            assert third.returncode == 0, err
            return [d for uuid, d in peripheral.sent if uuid == DATA], before, refusal.decode()

    sent, before, refusal = asyncio.run(night())
    assert "is being recorded by process" in refusal, refusal
    stored = stored_values(path, "notify")
    connections = sorted({c for c, *_ in stored})
    assert len(connections) == 2
    assert [d for *_, uuid, _, d in stored if uuid == DATA][: len(before)] == before
    for connection in connections:
        got = [d for c, uuid, _, d in stored if uuid == DATA and c == connection]
        at = sent.index(got[0])
        assert got == sent[at : at + len(got)]  # nothing lost, changed or exchanged


CLIENT = """
import json, time
from brainflow.board_shim import BoardIds, BoardShim, BrainFlowInputParams
params = BrainFlowInputParams()
params.other_info, params.timeout = "fw:auto", 20
BoardShim.enable_board_logger()
board = BoardShim(BoardIds.GANGLION_NATIVE_BOARD, params)
board.prepare_session()
board.start_stream()
time.sleep(12)
board.stop_stream()
data = board.get_board_data()
rows = BoardShim.get_exg_channels(BoardIds.GANGLION_NATIVE_BOARD)
board.release_session()
print(json.dumps(data[rows].T.tolist()))
"""


def test_brainflow_reads_the_simulated_ganglion():
    """BrainFlow counts negative values one step of 19 bits lower than OpenBCI's own decoder."""
    if not (VM / "brainflow" / "brainflow").exists():
        pytest.skip("brainflow 5.23.0 could not be installed")
    model = Ganglion("3.0.2", seed=3)

    async def read():
        async with expose_to_bluez([model], expose_models):
            libraries = VM / "files" / "usr" / "lib" / "x86_64-linux-gnu"
            client = await start(
                "-c",
                CLIENT,
                PYTHONPATH=f"{VM / 'brainflow'}",
                LD_LIBRARY_PATH=f"{libraries}:{VM / 'files' / 'lib' / 'x86_64-linux-gnu'}",
            )
            out, err = await asyncio.wait_for(client.communicate(), 120)
            assert client.returncode == 0, err.decode()[-3000:]
            return np.array(json.loads(out.decode().strip().splitlines()[-1]))

    got = asyncio.run(read())
    counts = np.rint(got * (8388607 * 1.5 * 51) / 1.2e6)
    sent = model.sent["emg"].array()
    sent -= 32 * (sent < 0)
    print(f"brainflow: {len(counts)} of {len(sent)} samples")
    assert len(counts) > 1000
    places = {tuple(row): i for i, row in enumerate(sent)}
    # the first packet after a start has the number 99, which BrainFlow takes for one of 18 bits
    index = [places[tuple(row)] for row in counts[2:]]
    assert (np.diff(index) > 0).all()  # none changed or exchanged; a busy computer may lose some
