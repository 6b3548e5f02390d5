"""Raw logs of sessions, and the v1 case that several tests use."""

from __future__ import annotations

import random

import numpy as np

from firmware_sim.peers.twitchsense_v1 import WearableV1
from firmware_sim.wearable.encoder import ACC, EMG
from twitchsense.devices.contract import Advertised
from twitchsense.devices.dialogue import Write
from twitchsense.devices.streams import SampleCounter
from twitchsense.devices.v1 import v1_control
from twitchsense.devices.v1.v1_driver import V1Driver
from twitchsense.devices.v1.v1_frames import CONTROL_UUID
from twitchsense.testing import DriverCase, ExpectedStream, SimulatedSession
from twitchsense.testing.driver_case import decode_case


def resend(first, last):
    yield Write(CONTROL_UUID, v1_control.encode_resend(7, first, last))


def v1_case(mtu=247, loss=0.2, seed=1):
    """A session with random loss, of which the middle is fetched again, and an outage."""
    wearable = WearableV1(mtu)
    rng = random.Random(seed)
    session = SimulatedSession(V1Driver(), wearable, lambda n, data: rng.random() < loss)
    session.open()
    session.run(10)
    session.execute(resend(40, 120))
    session.run(2)
    session.disconnect()
    session.wait_disconnected(5)
    session.open()
    session.run(10)
    session.close()
    packets = decode_case(V1Driver(), tuple(session.log)).packets
    expected = {}
    for name, number, fs, unit in (("emg", EMG, 1000.0, "uV"), ("acc", ACC, 100.0, "g")):
        index = np.unique(
            np.concatenate(
                [p.position + np.arange(len(p.samples)) for p in packets if p.stream == name]
            )
        )
        expected[name] = ExpectedStream(
            unit,
            fs,
            wearable.samples(number, index),
            SampleCounter(None),
            times_s=index / fs,
            time_tolerance_s=0.05,
            lost=int(index[-1] - index[0] + 1 - len(index)),
        )
    advertised = Advertised(wearable.name, frozenset(wearable.advertised_uuids))
    return DriverCase(tuple(session.log), expected, advertised)


def write_log(path, messages, direction=True):
    """Write messages as a raw log."""
    rows = ["time_s,characteristic,direction,hex" if direction else "time_s,characteristic,hex"]
    for m in messages:
        middle = f",{m.direction}" if direction else ""
        rows.append(f"{m.arrival_ns / 1e9:.6f},{m.characteristic}{middle},{m.data.hex()}")
    path.write_text("\n".join(rows) + "\n")
    return path
