"""Sessions with a simulated Ganglion, with the samples that a receiver can know."""

from __future__ import annotations

import random

import numpy as np

from firmware_sim.peers.ganglion import RECEIVE, Ganglion
from twitchsense.devices.contract import Advertised
from twitchsense.devices.ganglion.ganglion_driver import GanglionDriver
from twitchsense.devices.streams import SampleCounter
from twitchsense.testing import DriverCase, ExpectedStream, SimulatedSession

#: µV per count (reference 1.2 V, gains 1.5 and 51) and g per count.
UV = 1.2e6 / (8388607 * 1.5 * 51)
G = 0.016


def ganglion_case(
    firmware="3.0.2", acc=True, loss=0.1, restart=True, seconds=8.0, seed=5, delay_s=None
):
    """A session with random loss, an outage and a reboot."""
    peripheral = Ganglion(firmware, seed, ppm=200)
    rng = random.Random(seed)
    session = SimulatedSession(
        GanglionDriver(),
        peripheral,
        lambda number, data: len(data) == 20 and data[0] <= 200 and rng.random() < loss,
        delay_s or (lambda number: 0.0),
    )
    options = {"acc": "yes" if acc else "no"}
    session.open(options)
    session.run(seconds)
    if restart:
        session.disconnect()
        session.wait_disconnected(3.45)
        peripheral.reboot(session.now_s)
        session.open(options)
        session.run(seconds)
    session.close()
    received = [
        m.data for m in session.log if m.characteristic == RECEIVE and m.data in peripheral.packets
    ]
    # the first packet after a start of firmware 3 has the number -1
    unnumbered = [d for d in received if firmware[0] == "3" and _is_first(peripheral, d)]
    kept = decodable([d for d in received if d not in unnumbered], peripheral, firmware)
    expected = {"emg": _expected(peripheral, kept, firmware, restart)}
    if acc:
        expected["acc"] = _expected_acc(peripheral, set(received), restart)
    log = tuple(session.log)
    refused = len(received) - len(kept)
    if acc:  # the packet that completes an acceleration is not refused for its EMG
        complete = {p[2] for p in peripheral.axes_packets if set(p) <= set(received)}
        refused -= len(complete & (set(received) - set(kept)))
    return DriverCase(log, expected, Advertised(peripheral.name), refused)


def _is_first(peripheral, data):
    return data[0] == 255 or (data[0] == 99 and _level_before(peripheral, data) is None)


def _level_before(peripheral, data):
    """Number of the packet that was sent before; None at the start of a stream."""
    order = list(peripheral.packets)
    index = order.index(data)
    before = order[index - 1][0] if index else None
    return before if before in (98, 198) else None


def decodable(received, peripheral, firmware):
    """Packets whose samples follow from what was received."""
    if firmware[0] == "3":
        return received
    kept, end = [], None
    for data in received:
        indices = peripheral.packets[data]
        if data[0] == 0 or indices.start == end:
            kept.append(data)
            end = indices.stop
        else:
            end = None
    return kept


def _expected(peripheral, kept, firmware, restart):
    sent = peripheral.sent["emg"]
    index = np.concatenate([np.array(peripheral.packets[d]) for d in kept])
    return ExpectedStream(
        "uV",
        200.0,
        sent.array()[index] * UV,
        SampleCounter(200 if firmware[0] == "3" else 201),
        times_s=np.array(sent.times_s)[index],
        lost=None if restart else int(index[-1] + 1 - index[0] - len(index)),
        relative_tolerance=1e-9,
    )


def _expected_acc(peripheral, received, restart):
    sent = peripheral.sent["acc"]
    whole = [set(packets) <= received for packets in peripheral.axes_packets]
    index = np.flatnonzero(whole)
    return ExpectedStream(
        "g",
        10.0,
        sent.array()[index] * G,
        SampleCounter(10),
        times_s=np.array(sent.times_s)[index],
        lost=None if restart else int(index[-1] + 1 - index[0] - len(index)),
    )
