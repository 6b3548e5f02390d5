"""Logs of drivers and simulated peripherals, and synthetic packets with their truth."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from firmware_sim.peers.npg_lite import NpgLite
from twitchsense.devices.contract import Advertised, SamplePacket
from twitchsense.devices.npg_lite import DATA_UUID, NpgLiteDriver
from twitchsense.devices.streams import SampleClock, SampleCounter, StreamDescription
from twitchsense.testing import DriverCase, ExpectedStream, SimulatedSession

NS = 1_000_000_000


def npg_case(channels=3, samples=10, loss=0.2, seed=3, seconds=12.0, restart=True):
    """A session with an NPG Lite: random loss, and a disconnection in the middle."""
    peripheral = NpgLite(channels, samples, seed)
    rng = random.Random(seed)

    def is_lost(number, data):
        return len(data) == samples * (1 + 2 * channels) and rng.random() < loss

    session = SimulatedSession(NpgLiteDriver(), peripheral, is_lost)
    session.open()
    session.run(seconds)
    if restart:
        session.disconnect()
        session.wait_disconnected(3.0)
        session.open()
        session.run(seconds)
    session.close()
    data = [m.data for m in session.log if m.characteristic == DATA_UUID]
    values, times_s, missing = _kept(peripheral, data, channels, samples)
    expected = ExpectedStream(
        unit="count",
        fs=peripheral.fs,
        samples=values,
        timing=SampleCounter(256),
        times_s=times_s,
        lost=None if restart else missing,
    )
    advertised = Advertised(peripheral.name)
    return DriverCase(tuple(session.log), {"emg": expected}, advertised)


def _kept(peripheral, data, channels, samples):
    """Samples of the truth that the notifications hold, found in order by their bytes."""
    sent = peripheral.sent["emg"]
    truth = sent.array()
    width = 1 + 2 * channels
    index = []
    start = 0
    for value in data:
        batch = np.array(
            [
                [int.from_bytes(row[1 + 2 * i : 3 + 2 * i], "big") for i in range(channels)]
                for row in (value[j : j + width] for j in range(0, len(value), width))
            ]
        )
        while not np.array_equal(truth[start : start + samples], batch):
            start += 1
        index += range(start, start + samples)
        start += samples
    missing = index[-1] + 1 - index[0] - len(index)
    return truth[index], np.array(sent.times_s)[index], missing


@dataclass
class Packets:
    """Packets of a stream with their truth.

    Attributes
    ----------
    spec : StreamDescription
    packets : list of SamplePacket
        Those that arrived.
    index : ndarray of int64
        True index of the first sample of each.
    lost : int
        Samples lost between the first and the last packet that arrived.
    """

    spec: StreamDescription
    packets: list
    index: np.ndarray
    lost: int


def make_packets(spec, sizes, is_lost, delays_s, true_fs=None, start_s=100.0):
    """Packets of one run: each with a size, a loss and a delay of delivery; the order is kept."""
    fs = true_fs or spec.fs
    packets, index = [], []
    first, arrival_ns = 0, 0
    for size, lost, delay_s in zip(sizes, is_lost, delays_s, strict=True):
        last = first + size - 1
        due_ns = round((start_s + last / fs + delay_s) * NS)
        if not lost:
            arrival_ns = max(arrival_ns, due_ns)
            samples = np.arange(first, first + size, dtype=np.int32)[:, None]
            packets.append(
                SamplePacket(spec.name, samples, _position(spec, first, size, fs), arrival_ns)
            )
            index.append(first)
        first += size
    total = index[-1] + len(packets[-1].samples) - index[0] if index else 0
    missing = total - sum(len(p.samples) for p in packets)
    return Packets(spec, packets, np.array(index, np.int64), missing)


def _position(spec, first, size, fs):
    match spec.timing:
        case SampleCounter(modulus=None):
            return first
        case SampleCounter(modulus=modulus):
            return first % modulus
        case SampleClock(tick_hz=hz, sample=sample, modulus=modulus):
            stated = first if sample == "first" else first + size - 1
            ticks = round(stated / fs * hz)
            return ticks if modulus is None else ticks % modulus
    return None


def stream(timing, fs=500.0, **changes):
    return StreamDescription("emg", "emg", 1, fs, "count", 1.0, timing, 1.0, **changes)
