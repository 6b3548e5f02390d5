"""Sessions with a simulated Myo."""

from __future__ import annotations

import random

import numpy as np

from firmware_sim.peers.myo import EMG, IMU, Myo
from twitchsense.devices.contract import Advertised
from twitchsense.devices.myo import MyoDriver
from twitchsense.devices.streams import SampleCounter
from twitchsense.testing import DriverCase, ExpectedStream, SimulatedSession


def myo_case(loss=0.1, restart=True, seconds=8.0, seed=2, delay_s=None):
    """A session with random loss, and a disconnection in the middle."""
    peripheral = Myo(seed, ppm=300)
    rng = random.Random(seed)
    session = SimulatedSession(
        MyoDriver(),
        peripheral,
        lambda number, data: len(data) > 1 and rng.random() < loss,
        delay_s or (lambda number: 0.0),
    )
    session.open()
    session.run(seconds)
    if restart:
        session.disconnect()
        session.wait_disconnected(3.02)
        peripheral.reboot(session.now_s)
        session.open()
        session.run(seconds)
    session.close()
    emg = [m.data for m in session.log if m.characteristic in EMG]
    acc = [m.data for m in session.log if m.characteristic == IMU]
    emg_rows = [np.frombuffer(data, np.int8).reshape(2, 8) for data in emg]
    acc_rows = [np.frombuffer(data, "<i2")[4:7].reshape(1, 3) / 2048 for data in acc]
    expected = {
        "emg": _expected(
            peripheral.sent["emg"], emg_rows, "count", 200.0, restart, SampleCounter(8)
        ),
        "acc": _expected(peripheral.sent["acc"], acc_rows, "g", 50.0, True, None),
    }
    advertised = Advertised(peripheral.name, frozenset(peripheral.advertised_uuids))
    return DriverCase(tuple(session.log), expected, advertised)


def _expected(sent, received, unit, fs, restart, timing):
    """The samples of the truth that were received, found in order by their values."""
    truth = sent.array()
    index, start = [], 0
    for rows in received:
        while not np.array_equal(truth[start : start + len(rows)], rows):
            start += 1
        index += range(start, start + len(rows))
        start += len(rows)
    lost = None if restart else index[-1] + 1 - index[0] - len(index)
    # a counter places samples to some ms; losses of up to 0.25 s cannot be seen without one
    tolerance_s = 0.3 if timing is None else 0.012
    times_s = np.array(sent.times_s)[index]
    return ExpectedStream(unit, fs, truth[index], timing, times_s, tolerance_s, lost)
