"""Sessions with a simulated LSL stream, whose bytes are written by hand."""

from __future__ import annotations

import json
import random
import struct

import numpy as np

from twitchsense.devices.contract import Advertised
from twitchsense.devices.lsl.lsl_driver import (
    DATA_UUID,
    DESCRIPTION_UUID,
    OPTIONS_UUID,
    TIMESTAMPS_UUID,
    LslDriver,
)
from twitchsense.devices.streams import SampleClock
from twitchsense.testing import DriverCase, ExpectedStream, SimulatedSession

FS = 200.0
CLOCK = SampleClock(10**6, "last", epoch="clock of the sending computer", jitter_s=0.1 / FS)
CHANNELS = [("emg", "EMG", "mV"), ("z", "ACC", "m/s^2"), ("x", "ACC", "m/s^2"),
            ("y", "ACC", "m/s^2")]  # fmt: skip


class LslStream:
    """A stream of four channels in double precision; its clock is that of the network, 5 s ahead.

    The sender's device loses samples before they are sent: the timestamps jump.
    """

    def __init__(self, loss=0.1, seed=2):
        self.rng = random.Random(seed)
        self.loss = loss
        self.number = 0
        self.ahead_s = 5.0
        self.rows = {}
        self.sent = []
        self.subscribed = False

    def has(self, uuid):
        return uuid in (OPTIONS_UUID, DESCRIPTION_UUID, TIMESTAMPS_UUID, DATA_UUID)

    def connect(self, now_s):
        self.subscribed = False

    disconnect = connect

    def subscribe(self, uuid, now_s):
        self.subscribed = True
        self.number = int(now_s * FS)

    def write(self, uuid, data, now_s):
        assert (uuid, json.loads(data)) == (OPTIONS_UUID, {})

    def read(self, uuid, now_s):
        if uuid == TIMESTAMPS_UUID:
            return b'{"period_s": 0.005, "regular": true}'
        rows = "".join(
            f"<channel><label>{a}</label><type>{b}</type><unit>{c}</unit></channel>"
            for a, b, c in CHANNELS
        )
        return (
            "<info><name>leg</name><type>Mixed</type><channel_count>4</channel_count>"
            f"<channel_format>double64</channel_format><nominal_srate>{FS}</nominal_srate>"
            f"<desc><channels>{rows}</channels></desc></info>"
        ).encode()

    def notifications(self, now_s):
        due = int(now_s * FS)
        if not self.subscribed or due - self.number < 20:
            return []
        block = range(self.number, due)
        self.number = due
        kept = [n for n in block if self.rng.random() >= self.loss / 5 or n % 7]
        if self.rng.random() < self.loss:
            kept = kept[:5] + kept[12:]
        for n in kept:
            self.rows[n] = tuple(self.rng.randrange(-900, 900) / 8 for _ in CHANNELS)
        times_s = [n / FS + self.ahead_s for n in kept]
        data = struct.pack("<ddI", -self.ahead_s, now_s, len(kept))
        data += struct.pack(f"<{len(kept)}d", *times_s)
        for n in kept:
            data += struct.pack("<4d", *self.rows[n])
        self.sent.append((data, kept))
        return [(DATA_UUID, data)]


def lsl_case(restart=True, seconds=15.0, loss=0.1):
    """A session with lost samples, lost blocks, and a sender whose clock starts anew."""
    stream, rng = LslStream(loss), random.Random(8)
    session = SimulatedSession(LslDriver(), stream, lambda number, data: rng.random() < loss)
    session.open()
    session.run(seconds)
    if restart:
        session.disconnect()
        session.wait_disconnected(7.0)
        stream.ahead_s = 3.0  # another computer, whose clock differs
        session.open()
        session.run(seconds)
    session.close()
    received = {m.data for m in session.log if m.characteristic == DATA_UUID}
    index = np.array([n for data, kept in stream.sent if data in received for n in kept])
    values = np.array([stream.rows[n] for n in index.tolist()])
    lost = None if restart else int(index[-1] + 1 - index[0] - len(index))
    expected = {
        "emg": ExpectedStream("uV", FS, values[:, :1] * 1000, CLOCK, index / FS, lost=lost),
        "acc": ExpectedStream(
            "g", FS, values[:, [2, 3, 1]] / 9.80665, CLOCK, index / FS, lost=lost
        ),
    }
    return DriverCase(tuple(session.log), expected, Advertised("leg"))
