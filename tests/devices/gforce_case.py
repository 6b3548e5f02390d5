"""Sessions with a simulated gForce."""

from __future__ import annotations

import random

import numpy as np

from firmware_sim.peers.gforce import DATA, GForce
from twitchsense.devices.contract import Advertised
from twitchsense.devices.gforce.gforce_driver import GForceDriver
from twitchsense.testing import DriverCase, ExpectedStream, SimulatedSession


def gforce_case(
    stream="emg", bits="12", rate="500", size=244, loss=0.02, restart=True, seconds=8.0, seed=4
):
    """A session with random loss of notifications, and a disconnection in the middle."""
    peripheral = GForce(size, seed, ppm=150)
    rng = random.Random(seed)

    def is_lost(number, data):
        is_data = data[0] in (0x01, 0x08, 0xFF) and len(data) > 3
        return is_data and rng.random() < loss

    session = SimulatedSession(GForceDriver(), peripheral, is_lost)
    options = {"stream": stream, "bits": bits, "rate": rate}
    session.open(options)
    session.run(seconds)
    if restart:
        session.disconnect()
        session.wait_disconnected(3.7)
        session.open(options)
        session.run(seconds)
    session.close()
    received = [m.data for m in session.log if m.characteristic == DATA]
    kept, refused = received_packets(peripheral, received)
    sent = peripheral.sent[stream]
    index = np.concatenate([np.array(indices) for _, indices in kept])
    expected = ExpectedStream(
        unit="uV" if stream == "emg" else "g",
        fs=float(rate) if stream == "emg" else 50.0,
        samples=sent.array()[index],
        timing=None,
        times_s=np.array(sent.times_s)[index],
        time_tolerance_s=0.3,
        relative_tolerance=1e-9,
    )
    advertised = Advertised(peripheral.name, frozenset(peripheral.advertised_uuids))
    return DriverCase(tuple(session.log), {stream: expected}, advertised, refused)


def received_packets(peripheral, received):
    """Packets of which all notifications arrived, and the number of pieces without their start.

    Notifications are found in the order in which they were sent.
    """
    kept, refused, at = [], 0, 0
    for notifications, content in zip(peripheral.contents, peripheral.indices, strict=True):
        got = []
        for data in notifications:
            if at < len(received) and received[at] == data:
                got.append(True)
                at += 1
            else:
                got.append(False)
        if all(got):
            kept.append(content)
        elif False in got:
            refused += sum(got[got.index(False) :])
    assert at == len(received)
    return kept, refused
