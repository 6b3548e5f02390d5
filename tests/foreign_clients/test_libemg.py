"""libemg 2.0.3 (MIT), unmodified, reads the simulated gForce, and gets the driver's numbers.

Its module is a copy of the maker's client. It is loaded alone, since the package imports
libraries for machine learning.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import sys
import types

import numpy as np
import pytest

from firmware_sim.peers.gatt_server import serve_models
from firmware_sim.peers.gforce import GForce
from firmware_sim.wearable.bleak_bumble import patch_bleak
from firmware_sim.wearable.virtual_time import run_virtual
from tests.foreign_clients.packages import install
from twitchsense.devices.contract import Direction, Message
from twitchsense.devices.gforce.gforce_driver import COMMAND_UUID, GForceDriver


@pytest.fixture(scope="module")
def streamer(tmp_path_factory):
    folder = install("libemg==2.0.3", tmp_path_factory.mktemp("libemg")) / "libemg"
    package = types.ModuleType("libemg")
    package.__path__ = [str(folder)]
    path = folder / "_streamers" / "_oymotion_windows_streamer.py"
    spec = importlib.util.spec_from_file_location("oymotion_streamer", path)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "libemg", package)
        patch.setitem(sys.modules, "oymotion_streamer", module)
        spec.loader.exec_module(module)
        yield module


def make_client(streamer):
    """Return a client; it joins pieces to a list, which its own conversion does not take."""

    class Client(streamer.Gforce):
        def _convert_emg_to_uv(self, data):
            return super()._convert_emg_to_uv(bytes(data))

    return Client()


@pytest.mark.parametrize(("bits", "size"), [(8, 244), (12, 244), (12, 100)])
def test_libemg_and_the_driver_read_the_same(streamer, bits, size):
    got = []

    async def record():
        async with serve_models([model], error_rate=0.02) as (_, peripherals, central):
            with patch_bleak(central):
                client = make_client(streamer)
                await client.connect()
                config = streamer.EmgRawDataConfig(500, batch_len=128, resolution=bits)
                await client.set_emg_raw_data_config(config)
                levels.append(await client.get_battery_level())
                queue = await client.start_streaming()
                await client.set_subscription(streamer.DataSubscription.EMG_RAW)
                await asyncio.sleep(20)
                while not queue.empty():
                    got.append(queue.get_nowait())
                sent.extend(peripherals[0].sent)
                assert not peripherals[0].dropped

    model, levels, sent = GForce(size, seed=5), [], []
    with contextlib.suppress(asyncio.CancelledError):  # the client cancels all at its end
        run_virtual(record())
    volts = np.concatenate(got)
    assert levels == [model.percent]
    assert len(volts) > 9800
    truth = model.sent["emg"].array()[: len(volts)]
    np.testing.assert_allclose(volts * 1e6, truth, rtol=1e-5, atol=1e-3)
    decoder = GForceDriver().make_decoder()
    config = bytes.fromhex("3ff401ff0080") + bytes([bits])
    decoder.push(Message(COMMAND_UUID, Direction.WRITE, config, 0))
    packets = [
        packet
        for uuid, data in sent
        for packet in decoder.push(Message(uuid, Direction.NOTIFY, data, 0))
        if hasattr(packet, "samples")
    ]
    ours = decoder.streams[0].to_physical(np.concatenate([p.samples for p in packets]))
    np.testing.assert_allclose(ours[: len(volts)], truth, rtol=1e-9)
