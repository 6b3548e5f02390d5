"""Sessions with simulated Polar sensors, and their truth."""

from __future__ import annotations

import random

import numpy as np

from firmware_sim.peers.polar import DATA, PolarSensor
from twitchsense.devices.contract import Advertised, Direction, Message
from twitchsense.devices.polar.polar_decoder import CONTROL_UUID, DATA_UUID
from twitchsense.devices.polar.polar_driver import PolarDriver
from twitchsense.devices.streams import SampleClock
from twitchsense.testing import DriverCase, ExpectedStream, SimulatedSession

CLOCK = SampleClock(10**9, "last", epoch="2000-01-01T00:00:00Z", jitter_s=0.002)
UNITS = {"acc": "g", "ecg": "mV"}


def polar_session(sensor, loss=0.0, seed=3, delay_s=lambda number: 0.0):
    """A session that loses a share of the frames, but no answer."""
    rng = random.Random(seed)

    def is_lost(number, data):
        return data[0] != 0xF0 and rng.random() < loss

    return SimulatedSession(PolarDriver(), sensor, is_lost, delay_s)


def polar_case(product="h10", loss=0.2, seconds=30.0, restart=True, options=None, **sensor_options):
    """A session with random loss, and a new battery in the middle.

    The new clock is past the time at which the old one ended: only START shows the restart.
    """
    sensor = PolarSensor(product, seed=5, **sensor_options)
    session = polar_session(sensor, loss)
    session.open(options)
    session.run(seconds)
    if restart:
        session.disconnect()
        session.wait_disconnected(10.0)
        sensor.reboot(session.now_s)
        session.wait_disconnected(seconds + 5.0)
        session.open(options)
        session.run(seconds)
    session.close()
    return case_of(session, sensor, with_loss=not restart)


def case_of(session, sensor, with_loss=False, refused=0, log=None):
    """The case of a log: what the notifications in it hold."""
    log = session.log if log is None else log
    expected = {}
    for name in sensor.sent:
        index = kept(log, sensor, name)
        sent = sensor.sent[name]
        rate = 130 if name == "ecg" else rate_of(session)
        expected[name] = ExpectedStream(
            UNITS[name],
            float(rate),
            sent.array()[index],
            CLOCK,
            np.array(sent.times_s)[index],
            lost=index[-1] + 1 - index[0] - len(index) if with_loss else None,
        )
    advertised = Advertised(sensor.name, frozenset(sensor.advertised_uuids))
    return DriverCase(tuple(log), expected, advertised, refused)


def kept(log, sensor, name):
    """Indices of the samples of a stream that the notifications of a log hold."""
    index = []
    for message in log:
        if message.characteristic != DATA or message.data not in sensor.frames:
            continue
        stream, first, count = sensor.frames[message.data]
        if stream == name:
            index += range(first, first + count)
    return index


def rate_of(session):
    """Rate of the acceleration that the host chose, Hz."""
    writes = [m.data for m in session.log if m.direction is Direction.WRITE]
    starts = [data for data in writes if data[:2] == b"\x02\x02"]
    return int.from_bytes(starts[-1][4:6], "little")


# ---- messages by hand ------------------------------------------------------------------


def notify(data, uuid=DATA_UUID, arrival_ns=0):
    return Message(uuid, Direction.NOTIFY, bytes(data), arrival_ns)


def command(text, direction=Direction.WRITE):
    return Message(CONTROL_UUID, direction, bytes.fromhex(text), 0)


def answer(text):
    return notify(bytes.fromhex(text), CONTROL_UUID)


def started(decoder, start="02 02 00 01 32 00 01 01 10 00 02 01 08 00", factor=""):
    """Push a START of 50 Hz, 16 bit and 8 g, and its answer."""
    decoder.push(command(start))
    decoder.push(answer(f"f0 02 {bytes.fromhex(start)[1]:02x} 00 00 {factor}"))
    return decoder


def frame(kind, content, time_ns=2_000_000_000, measurement=2):
    """A frame of data."""
    return bytes([measurement]) + time_ns.to_bytes(8, "little") + bytes([kind]) + bytes(content)
