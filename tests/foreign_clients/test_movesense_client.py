"""movesense-py (sensein, commit 800da2a) reads the simulated Movesense sensor.

It is on no package index, and states no licence: it is run, and no part of it is here.
"""

from __future__ import annotations

import asyncio
import importlib

import numpy as np
import pytest

from firmware_sim.peers.gatt_server import serve_models
from firmware_sim.peers.movesense import MovesenseSensor
from firmware_sim.wearable.bleak_bumble import patch_bleak
from firmware_sim.wearable.virtual_time import run_virtual
from tests.foreign_clients.packages import importable, install
from twitchsense.devices.contract import Direction, Message
from twitchsense.devices.movesense.movesense_driver import MovesenseDriver
from twitchsense.testing.driver_case import decode_case

pytestmark = pytest.mark.slow  # runs other people's clients

SOURCE = "movesense @ git+https://github.com/sensein/movesense-py@800da2a"
GRAVITY = 9.80665


@pytest.fixture(scope="module")
def movesense(tmp_path_factory):
    with importable(install(SOURCE, tmp_path_factory.mktemp("movesense"))):
        try:
            sensor = importlib.import_module("movesense.sensor")
            protocol = importlib.import_module("movesense.protocol")
        except ImportError as error:
            pytest.skip(f"movesense-py cannot be imported: {error}")
        yield sensor, protocol


class TappedMovesense(MovesenseSensor):
    """A sensor that notes what the client writes and what it answers."""

    def __init__(self, **options):
        super().__init__(**options)
        self.log = []

    def write(self, uuid, data, now_s):
        self.log.append(Message(uuid, Direction.WRITE, data, round(now_s * 1e9)))
        super().write(uuid, data, now_s)

    def notifications(self, now_s):
        sent = super().notifications(now_s)
        self.log += [Message(u, Direction.NOTIFY, data, round(now_s * 1e9)) for u, data in sent]
        return sent


def read_by(movesense, sensor, path, seconds):
    """Samples that the client reads from a path, and their times (ms)."""
    client_module, protocol = movesense

    async def use():
        rows, times = [], []
        async with serve_models([sensor], error_rate=0.05) as (_, peripherals, central):
            with patch_bleak(central):
                async with client_module.SensorCommand("000019", set_time=False) as client:
                    status = await client.get_status()
                    done = await client.subscribe_to_resource(path, reference=7)
                    assert done["success"]
                    await asyncio.sleep(seconds)
                    assert (await client.unsubscribe_from_resource(7))["success"]
                    while not client.data_queue.empty():
                        payload = client.data_queue.get_nowait()["data_payload"]
                        packet = protocol.parse_subscription_packet(payload, path)
                        rows += packet.values
                        times.append(packet.timestamp_ms)
            assert peripherals[0].dropped == []
        return status, np.array(rows, np.float64).reshape(len(rows), -1), times

    return run_virtual(use())


@pytest.mark.parametrize(
    ("path", "stream", "scale", "digits", "options"),
    [
        ("/Meas/Acc/52", "acc", 1 / GRAVITY, 1e-7, {}),
        ("/Meas/IMU6/52", "acc", 1 / GRAVITY, 1e-7, {}),
        ("/Meas/IMU9/52", "acc", 1 / GRAVITY, 1e-7, {}),
        ("/Meas/ECG/200/mV", "ecg", 1.0, 1e-7, {}),
        ("/Meas/ECG/125", "ecg", 50 / 2**17, 1e-7, {"has_mv": False}),
    ],
)
def test_movesense_py_and_our_driver_read_the_same(movesense, path, stream, scale, digits, options):
    sensor = TappedMovesense(**options)
    _, rows, times = read_by(movesense, sensor, path, 15)
    width = 3 if stream == "acc" else 1
    got = rows[:, :width] * scale
    sent = sensor.sent[stream].array()[: len(got)]
    decoded = decode_case(MovesenseDriver(), tuple(sensor.log))
    assert len(got) > 700
    np.testing.assert_allclose(got, sent, atol=digits)  # the client rounds to seven digits
    np.testing.assert_allclose(decoded.samples[stream][: len(got)], sent, rtol=1e-12)
    assert [p.position for p in decoded.packets][: len(times)] == times
    assert decoded.refused == 0


def test_movesense_py_fetches_the_log_that_our_driver_reads(movesense, tmp_path):
    client_module, _ = movesense
    sensor = TappedMovesense()
    file = tmp_path / "log.sbem"

    async def use():
        async with serve_models([sensor]) as (_, _, central):
            with patch_bleak(central):
                async with client_module.SensorCommand("000019", set_time=False) as client:
                    paths = b"/Meas/Acc/52\0/Meas/ECG/200/mV\0"
                    assert (await client.configure_device(bytearray(paths)))["success"]
                    assert (await client.start_logging())["success"]
                    assert (await client.get_status())["dlstate"] == 3
                    assert (await client.subscribe_to_resource("/Meas/Acc/52", 7))["success"]
                    await asyncio.sleep(10)
                    assert (await client.fetch_data(1, output_file=str(file)))["status_code"] == 409
                    assert (await client.unsubscribe_from_resource(7))["success"]
                    assert (await client.stop_logging())["success"]
                    while not client.data_queue.empty():
                        client.data_queue.get_nowait()
                    (entry,) = (await client.get_log_list())["entries"]
                    assert entry["size"] == len(sensor.logbook.files[1])
                    done = await client.fetch_data(entry["id"], output_file=str(file))
                    assert done["success"], done

    run_virtual(use())
    assert file.read_bytes() == bytes(sensor.logbook.files[1])
    decoded = decode_case(MovesenseDriver(), tuple(sensor.log))
    assert decoded.refused == 0
    got, sent = decoded.samples["acc"], sensor.sent["acc"].array()
    (at,) = np.flatnonzero(np.isclose(sent, got[0], rtol=1e-12).all(axis=1))
    assert len(got) > 400
    np.testing.assert_allclose(got, sent[at : at + len(got)], rtol=1e-12)
