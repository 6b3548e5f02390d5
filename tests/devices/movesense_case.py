"""Sessions with simulated Movesense sensors, and their truth."""

from __future__ import annotations

import random

import numpy as np

from firmware_sim.peers.movesense import NOTIFY, WRITE, MovesenseSensor
from twitchsense.devices.contract import Advertised, Direction, Message
from twitchsense.devices.dialogue import Write
from twitchsense.devices.movesense.movesense_decoder import NOTIFY_UUID, WRITE_UUID
from twitchsense.devices.movesense.movesense_driver import MovesenseDriver
from twitchsense.devices.streams import SampleClock
from twitchsense.testing import DriverCase, ExpectedStream, SimulatedSession

UNITS = {"acc": "g", "ecg": "mV"}


def subscribe(path, reference=40):
    """A dialogue that subscribes to another path than the driver does."""
    yield Write(WRITE, bytes([1, reference]) + path.encode() + b"\0")


def movesense_session(sensor, loss=0.0, seed=3, step_s=0.02):
    """A session that loses a share of the notifications of data.

    It loses none of the first ones of a subscription, since the first payload in parts waits for
    the second.
    """
    rng = random.Random(seed)
    count, subscriptions = 0, []

    def is_lost(number, data):
        nonlocal count, subscriptions
        if list(sensor.active.values()) != subscriptions:
            count, subscriptions = 0, list(sensor.active.values())
        count += 1
        return count > 20 and rng.random() < loss

    return SimulatedSession(MovesenseDriver(), sensor, is_lost, step_s=step_s)


def movesense_case(
    options=None, path=None, loss=0.2, seconds=30.0, restart=True, step_s=0.02, **sensor_options
):
    """A session with random loss, and a new battery in the middle.

    The new clock is past the time at which the old one ended: only SUBSCRIBE shows the restart.
    """
    sensor = MovesenseSensor(seed=5, **sensor_options)
    session = movesense_session(sensor, loss, step_s=step_s)

    def start():
        if path is None:
            session.open(options)
            return
        session.open({})
        session.execute(end(21))
        session.execute(subscribe(path))

    start()
    session.run(seconds)
    if restart:
        session.disconnect()
        session.wait_disconnected(10.0)
        sensor.reboot(session.now_s)
        session.wait_disconnected(seconds + 5.0)
        start()
        session.run(seconds)
    session.close()
    return case_of(session, sensor, with_loss=not restart)


def end(reference):
    yield Write(WRITE, bytes([2, reference]))


def case_of(session, sensor, with_loss=False, refused=0, log=None):
    """The case of a log: what the notifications in it hold."""
    log = session.log if log is None else log
    expected = {}
    for name in sensor.sent:
        index = kept(log, sensor, name)
        if not index:
            continue
        sent = sensor.sent[name]
        rate, count = rate_and_count(session, sensor, name)
        expected[name] = ExpectedStream(
            UNITS[name],
            float(rate),
            sent.array()[index],
            SampleClock(1000, "first", 2**32, samples_per_packet=count),
            np.array(sent.times_s)[index],
            lost=index[-1] + 1 - index[0] - len(index) if with_loss else None,
        )
    refused += rests_without_beginning(log)
    return DriverCase(tuple(log), expected, Advertised(sensor.name), refused)


def rests_without_beginning(log):
    """Number of rests of payloads whose beginning was lost, and which are needed.

    Of an IMU, the rests are not needed once the number of samples is known.
    """
    count, has_beginning, is_needed, path = 0, False, True, ""
    for message in log:
        code = message.data[0] if message.characteristic in (NOTIFY, WRITE) else 0
        if message.direction is Direction.WRITE and code == 1:
            has_beginning, is_needed, path = False, True, message.data[2:].decode().lower()
        elif message.direction is Direction.NOTIFY and code == 2:
            has_beginning = True
        elif message.direction is Direction.NOTIFY and code == 3:
            count += is_needed and not has_beginning
            is_needed = is_needed and not (has_beginning and "imu" in path)
            has_beginning = False
    return count


def kept(log, sensor, name):
    """Indices of the samples of a stream that the notifications of a log hold."""
    index = []
    values = [m.data for m in log if m.characteristic == NOTIFY]
    for i, data in enumerate(values):
        stream, first, count, parts = sensor.packets.get(data, ("", 0, 0, ()))
        whole = len(parts) == 1 or values[i : i + len(parts)] == list(parts)
        if stream == name and (whole or len(data) - 6 >= 12 * count):
            index += range(first, first + count)
    return index


def rate_and_count(session, sensor, name):
    """Rate (Hz) of the latest subscription of a stream, and samples of its packets."""
    paths = [
        m.data[2:].rstrip(b"\0").decode().lower().split("/")
        for m in session.log
        if m.direction is Direction.WRITE and m.data[0] == 1
    ]
    kinds = ("ecg",) if name == "ecg" else ("acc", "imu6", "imu6m", "imu9")
    rate = [int(path[3]) for path in paths if path[2] in kinds][-1]
    return rate, [n for stream, _, n, _ in sensor.packets.values() if stream == name][-1]


# ---- messages by hand ------------------------------------------------------------------


def notify(data, uuid=NOTIFY_UUID, arrival_ns=0):
    return Message(uuid, Direction.NOTIFY, bytes(data), arrival_ns)


def write(data):
    return Message(WRITE_UUID, Direction.WRITE, bytes(data), 0)


def subscribed(decoder, path="/Meas/Acc/52", reference=21, status=200):
    """Push a SUBSCRIBE and its answer."""
    decoder.push(write(bytes([1, reference]) + path.encode() + b"\0"))
    decoder.push(notify(bytes([1, reference]) + status.to_bytes(2, "little")))
    return decoder
