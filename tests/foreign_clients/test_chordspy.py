"""Chords (chordspy 0.2.2, MIT), the maker's client, reads the simulated NPG Lite."""

from __future__ import annotations

import asyncio
import importlib.util

import pytest
from bleak import BleakClient

from firmware_sim.peers.gatt_server import serve_models
from firmware_sim.peers.npg_lite import NpgLite
from firmware_sim.wearable.bleak_bumble import patch_bleak
from firmware_sim.wearable.virtual_time import run_virtual
from tests.foreign_clients.packages import install

pytestmark = pytest.mark.slow  # runs other people's clients


@pytest.fixture(scope="module")
def chords_ble(tmp_path_factory):
    folder = install("chordspy==0.2.2", tmp_path_factory.mktemp("chordspy"))
    # the module alone: the package imports a graphical interface
    path = folder / "chordspy" / "chords_ble.py"
    spec = importlib.util.spec_from_file_location("chords_ble", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("channels", [3, 6])
def test_chords_reads_every_sample(chords_ble, channels, capsys):
    async def record():
        model = NpgLite(channels)
        async with serve_models([model], error_rate=0.05) as (_, _, central):
            with patch_bleak(central):
                client = chords_ble.Chords_BLE()
                (found,) = await client.scan_devices()
                client.set_channels_from_name(found.name)
                read, process = [], client.process_sample
                client.process_sample = lambda data: (read.append(bytes(data)), process(data))
                async with BleakClient(found) as connection:
                    data, control = client.DATA_CHAR_UUID, client.CONTROL_CHAR_UUID
                    await connection.start_notify(data, client.notification_handler)
                    await connection.write_gatt_char(control, b"START", response=True)
                    await asyncio.sleep(20)
                return model, read, client.total_missing_samples

    model, read, missing = run_virtual(record())
    values = [
        tuple(int.from_bytes(sample[i : i + 2], "big") for i in range(1, len(sample), 2))
        for sample in read
    ]
    assert len(values) > 9900
    assert values == model.sent["emg"].values[: len(values)]
    assert missing == 0
    assert "Unexpected" not in capsys.readouterr().out
