"""pymyo 2.2.3 (MIT), unmodified, reads the simulated Myo, and gets the driver's numbers."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from bleak import BleakScanner

from firmware_sim.peers.gatt_server import serve_models
from firmware_sim.peers.myo import Myo
from firmware_sim.wearable.bleak_bumble import patch_bleak
from firmware_sim.wearable.virtual_time import run_virtual
from tests.foreign_clients.packages import importable, install
from twitchsense.devices.contract import Direction, Message
from twitchsense.devices.myo import SERVICE_UUID, MyoDriver

pytestmark = pytest.mark.slow  # runs other people's clients


@pytest.fixture(scope="module")
def pymyo(tmp_path_factory):
    with importable(install("pymyo==2.2.3", tmp_path_factory.mktemp("pymyo"))):
        import pymyo
        import pymyo.types

        yield pymyo


def test_pymyo_and_the_driver_read_the_same(pymyo):
    async def record():
        model = Myo(seed=3)
        async with serve_models([model]) as (_, peripherals, central):
            with patch_bleak(central):
                found = await BleakScanner.find_device_by_filter(
                    lambda device, adv: SERVICE_UUID in adv.service_uuids
                )
                emg, acc = [], []
                async with pymyo.Myo(found) as client:
                    client.on_emg(lambda samples: emg.extend(samples))
                    client.on_imu(lambda orientation, acceleration, gyro: acc.append(acceleration))
                    battery = await client.battery
                    await client.set_sleep_mode(pymyo.types.SleepMode.NEVER_SLEEP)
                    await client.set_mode(
                        emg_mode=pymyo.types.EmgMode.EMG_RAW, imu_mode=pymyo.types.ImuMode.DATA
                    )
                    await asyncio.sleep(20)
                return model, emg, acc, battery, peripherals[0]

    model, emg, acc, battery, peripheral = run_virtual(record())
    assert battery == model.percent
    assert not peripheral.dropped
    assert len(emg) > 3900
    assert len(acc) > 970
    assert emg == [tuple(map(int, row)) for row in model.sent["emg"].values[: len(emg)]]
    assert acc == model.sent["acc"].values[: len(acc)]
    # the same notifications, decoded by the driver
    decoder = MyoDriver().make_decoder()
    got = {"emg": [], "acc": []}
    for uuid, data in peripheral.sent:
        for packet in decoder.push(Message(uuid, Direction.NOTIFY, data, 0)):
            got[packet.stream].append(packet.samples)
    assert np.array_equal(np.concatenate(got["emg"])[: len(emg)], emg)
    assert np.array_equal(np.concatenate(got["acc"])[: len(acc)] / 2048, acc)
