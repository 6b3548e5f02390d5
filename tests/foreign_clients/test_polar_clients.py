"""bleakheart 0.2.0 (MPL-2.0) and polar-python 1.1.1 (MIT) read the simulated Polar sensors."""

from __future__ import annotations

import asyncio
import importlib

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner

from firmware_sim.peers.gatt_server import serve_models
from firmware_sim.peers.polar import CONTROL, PolarSensor
from firmware_sim.wearable.bleak_bumble import patch_bleak
from firmware_sim.wearable.virtual_time import run_virtual
from tests.foreign_clients.packages import importable, install
from twitchsense.devices.contract import Direction, Message
from twitchsense.devices.polar.polar_driver import PolarDriver
from twitchsense.testing.driver_case import decode_case

pytestmark = pytest.mark.slow  # runs other people's clients


@pytest.fixture(scope="module")
def bleakheart(tmp_path_factory):
    with importable(install("bleakheart==0.2.0", tmp_path_factory.mktemp("bleakheart"))):
        yield importlib.import_module("bleakheart")


@pytest.fixture(scope="module")
def polar_python(tmp_path_factory):
    with importable(install("polar-python==1.1.1", tmp_path_factory.mktemp("polar_python"))):
        yield importlib.import_module("polar_python")


class TappedSensor(PolarSensor):
    """A sensor that notes what the client writes and what it answers."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.log = []

    def write(self, uuid, data, now_s):
        self.log.append(Message(uuid, Direction.WRITE, data, round(now_s * 1e9)))
        super().write(uuid, data, now_s)

    def notifications(self, now_s):
        sent = super().notifications(now_s)
        self.log += [Message(u, Direction.NOTIFY, data, round(now_s * 1e9)) for u, data in sent]
        return sent


async def with_client(sensor, use):
    """Run a client against a sensor behind a radio that repeats a packet in twenty."""
    async with serve_models([sensor], error_rate=0.05) as (_, peripherals, central):
        with patch_bleak(central):
            found = await BleakScanner.find_device_by_name(sensor.name)
            result = await use(found)
        assert peripherals[0].dropped == []
    return result


def ours(sensor):
    """What our driver reads of the same values."""
    decoded = decode_case(PolarDriver(), tuple(sensor.log))
    assert decoded.refused == 0
    return decoded.samples


def check(sensor, got, stream, scale, least):
    """Compare a client's samples with the truth and with our driver's."""
    got = np.array(got, np.float64).reshape(len(got), -1)
    assert len(got) > least
    np.testing.assert_allclose(got * scale, sensor.sent[stream].array()[: len(got)], rtol=1e-12)
    np.testing.assert_allclose(got * scale, ours(sensor)[stream][: len(got)], rtol=1e-12)


def test_bleakheart_reads_acceleration_and_ecg_of_an_h10(bleakheart):
    sensor = TappedSensor("h10")

    async def use(found):
        acc, ecg = [], []
        async with BleakClient(found) as client:
            battery = await bleakheart.BatteryLevel(client).read()
            heart = bleakheart.PolarMeasurementData(
                client,
                callback=lambda item: (acc if item[0] == "ACC" else ecg).extend(item[2]),
            )
            available = await heart.available_measurements()
            offered = await heart.available_settings("ACC")
            for name in ("ACC", "ECG"):
                error, text, _ = await heart.start_streaming(name)
                assert (error, text) == (0, "SUCCESS")
            await asyncio.sleep(20)
            for name in ("ACC", "ECG"):
                assert (await heart.stop_streaming(name))[0] == 0
        return battery, available, offered, acc, ecg

    battery, available, offered, acc, ecg = run_virtual(with_client(sensor, use))
    assert battery == 64
    assert {"ACC", "ECG"} <= set(available)
    assert offered["SAMPLE_RATE"] == [25, 50, 100, 200]
    check(sensor, acc, "acc", 1e-3, 3900)
    check(sensor, ecg, "ecg", 1e-3, 2400)


def test_polar_python_reads_acceleration_and_ecg_of_an_h10(polar_python):
    sensor = TappedSensor("h10", frame_type=1)

    async def use(found):
        acc, ecg = [], []
        async with polar_python.PolarDevice(found) as device:
            await device.start_acc_stream(lambda d: acc.extend(d.data), 100, 16, 4)
            await device.start_ecg_stream(lambda d: ecg.extend(d.data), 130, 14)
            await asyncio.sleep(20)
            await device.stop_acc_stream()
        return acc, ecg

    acc, ecg = run_virtual(with_client(sensor, use))
    check(sensor, acc, "acc", 1e-3, 1900)
    check(sensor, ecg, "ecg", 1e-3, 2400)


@pytest.mark.parametrize("frame_type", [0, 1])
def test_polar_python_reads_compressed_acceleration_of_a_verity_sense(polar_python, frame_type):
    sensor = TappedSensor("sense", frame_type=frame_type)

    async def use(found):
        acc, offered = [], []
        async with polar_python.PolarDevice(found) as device:
            features = await device.get_available_features()
            acc_feature = next(f for f in features if f.name == "ACC")
            for setting in (await device.request_stream_settings(acc_feature)).settings:
                offered.append((setting.type.name, setting.values))
            await device.start_acc_stream(lambda d: acc.extend(d.data), 52, 16, 8, 3)
            await asyncio.sleep(30)
        return acc, offered

    acc, offered = run_virtual(with_client(sensor, use))
    assert dict(offered) == {
        "SAMPLE_RATE": [52], "RESOLUTION": [16], "RANGE": [8], "CHANNELS": [3]
    }  # fmt: skip
    # the client cuts off fractions of mg
    got = np.array(acc)
    assert len(got) > 1400
    truth = np.trunc(sensor.sent["acc"].array()[: len(got)] * 1000)
    assert np.abs(got - truth).max() <= 1  # rounding before the cut
    assert (got == truth).mean() > 0.999
    np.testing.assert_allclose(
        ours(sensor)["acc"][: len(got)], sensor.sent["acc"].array()[: len(got)], rtol=1e-12
    )


def test_our_driver_reads_the_same_sensor_over_the_radio():
    """Its own dialogue, executed on bleak."""
    sensor = TappedSensor("sense")

    async def use(found):
        received = []
        async with BleakClient(found) as client:
            await run_dialogue(client, PolarDriver().open({"rate": "104"}), received)
            await asyncio.sleep(20)
            await run_dialogue(client, PolarDriver().close(), received)
        return received

    received = run_virtual(with_client(sensor, use))
    samples = decode_case(PolarDriver(), tuple(received)).samples["acc"]
    assert len(samples) > 1900
    np.testing.assert_allclose(samples, sensor.sent["acc"].array()[: len(samples)], rtol=1e-12)
    assert sensor.running == {}


async def run_dialogue(client, steps, received):
    """Execute a dialogue on a client, and note every value."""
    loop = asyncio.get_running_loop()

    def note(uuid, direction, data):
        received.append(Message(uuid, direction, bytes(data), round(loop.time() * 1e9)))

    value, since = None, len(received)
    while True:
        try:
            step = steps.send(value)
        except StopIteration:
            return
        value = None
        match type(step).__name__:
            case "Subscribe":
                uuid = step.characteristic
                await client.start_notify(
                    uuid, lambda _, data, uuid=uuid: note(uuid, Direction.NOTIFY, data)
                )
            case "Read":
                value = bytes(await client.read_gatt_char(step.characteristic))
                note(step.characteristic, Direction.READ, value)
            case "Write":
                since = len(received)
                note(step.characteristic, Direction.WRITE, step.data)
                await client.write_gatt_char(step.characteristic, step.data, response=True)
            case "Expect":
                async with asyncio.timeout(step.timeout_s):
                    while value is None:
                        answers = [
                            m.data
                            for m in received[since:]
                            if m.characteristic == CONTROL
                            and m.direction is Direction.NOTIFY
                            and m.data.startswith(step.prefix)
                        ]
                        value = answers[0] if answers else None
                        await asyncio.sleep(0.02)
