"""A night of each simulated device on sale, in virtual time, read against its truth.

python -m benchmarks.recorder.driver_nights [--hours 1] [--kinds "npg;polar"]
    [--clock-steps 3] [--analyze]

Each night has 2 to 20 % of the notifications lost, 10 outages and a restart of the device, and
delays of delivery. The values are stored in a night file as a recorder stores them, and read back.
What is printed for each stream: samples that arrived and are not read bit for bit; true and
reported loss by class; errors of the times beside the uncertainty that is stated. With
``--clock-steps`` the computer's clock is set that often while the device is connected, by 1 s to a
day forward or back, and no reading of it is stored, as by an earlier recorder; the errors
are those against its clock in one of the times between.
``--analyze`` counts the events, and those at times without any signal.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

import twitchsense as ts
from firmware_sim.peers.ganglion import RECEIVE, Ganglion
from firmware_sim.peers.gforce import DATA as GFORCE_DATA
from firmware_sim.peers.gforce import GForce
from firmware_sim.peers.movesense import MovesenseSensor
from firmware_sim.peers.myo import EMG as MYO_EMG
from firmware_sim.peers.myo import IMU as MYO_IMU
from firmware_sim.peers.myo import Myo
from firmware_sim.peers.npg_lite import NpgLite
from firmware_sim.peers.peripheral_model import PeripheralModel
from firmware_sim.peers.polar import PolarSensor
from tests.devices import movesense_case, polar_case
from tests.devices.ganglion_case import UV, G, decodable
from tests.devices.gforce_case import received_packets
from twitchsense.devices.npg_lite import DATA_UUID as NPG_DATA
from twitchsense.devices.registry import get_driver
from twitchsense.devices.streams import SampleCounter
from twitchsense.io.device_logs.decoded_device import DecodedDevice, clock_class
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.records import ConnectionStart, Device, DeviceSetting, Value
from twitchsense.nightfile.stored_values import read_devices
from twitchsense.nightfile.writer import NightFileWriter
from twitchsense.testing import SimulatedSession

T0 = 1_790_000_000_000_000_000
N_OUTAGES = 10
#: Mean time (s) between two bursts of the muscle or movements of the leg, their length (s), and
#: how much larger than the noise they are.
BURST_EVERY_S, BURST_S, BURST_RATIO = 30.0, 0.08, 12.0

#: Least time between a step of the clock and an outage.
_MARGIN_NS = 5_000_000_000

#: Returns the indices of the samples of a stream that the values of the log hold.
Arrived = Callable[[object, list, str], np.ndarray]


@dataclass(frozen=True)
class Kind:
    """How a night of one kind of device is made.

    Attributes
    ----------
    driver : str
        Kind of its driver.
    make : callable
        Returns the simulated device.
    arrived : callable
        Returns the samples that arrived, by stream.
    options : dict
        Of the driver.
    scales : dict of str to float
        Factor from the values that the device notes as sent to those that are read.
    keep_first : int
        Notifications of a connection that are not lost.
    gain : str
        Counts per mV that are stored with the device.
    """

    driver: str
    make: Callable
    arrived: Callable
    options: dict = field(default_factory=dict)
    scales: dict = field(default_factory=dict)
    keep_first: int = 0
    gain: str = "1000"


class Bursts(random.Random):
    """Noise of a device that is larger for `BURST_S` now and then, as of a muscle that twitches.

    Parameters
    ----------
    seed : int
    per_second : float
        Values of noise that the device takes in a second.
    scale : float
        Factor of the noise.
    """

    def __init__(self, seed: int, per_second: float, scale: float) -> None:
        super().__init__(seed)
        self._scale = scale
        self._length = round(BURST_S * per_second)
        self._mean = BURST_EVERY_S * per_second
        self._left, self._pause = 0, round(self._mean)

    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        """Return a value of noise."""
        self._pause -= 1
        if self._pause <= 0:
            self._left, self._pause = self._length, round(self._mean * self.uniform(0.5, 1.5))
        self._left -= 1
        ratio = BURST_RATIO if self._left >= 0 else 1.0
        return super().gauss(mu, sigma * self._scale * ratio)


def twitching(model: PeripheralModel, per_second: float, scale: float = 1.0) -> PeripheralModel:
    """Return a device whose signal has bursts."""
    model._random = Bursts(9, per_second, scale)
    return model


# ---- which samples arrived, from the bytes that did --------------------------------------------


def find_in_order(truth: np.ndarray, rows: list) -> np.ndarray:
    """Find blocks of rows in the truth, in order."""
    index, at = [], 0
    width = len(rows[0])
    table = truth.astype(np.int64)
    for block in rows:
        while not np.array_equal(table[at : at + width], block):
            at += 1
        index.append(np.arange(at, at + width))
        at += width
    return np.concatenate(index)


def of_npg(model, log, stream):
    layout = np.dtype([("counter", "u1"), ("values", ">u2", (model.channels,))])
    rows = [np.frombuffer(m.data, layout)["values"] for m in log if m.characteristic == NPG_DATA]
    return find_in_order(model.sent[stream].array(), rows)


def of_myo(model, log, stream):
    truth = model.sent[stream].array()
    if stream == "emg":
        data = [m.data for m in log if m.characteristic in MYO_EMG]
        return find_in_order(truth, [np.frombuffer(d, np.int8).reshape(2, 8) for d in data])
    data = [m.data for m in log if m.characteristic == MYO_IMU]
    rows = [np.frombuffer(d, "<i2")[4:7].reshape(1, 3) for d in data]
    return find_in_order(np.rint(truth * 2048), rows)


def of_polar(model, log, stream):
    return np.array(polar_case.kept(log, model, stream))


def of_movesense(model, log, stream):
    return np.array(movesense_case.kept(log, model, stream))


def of_ganglion(model, log, stream):
    received = [m.data for m in log if m.characteristic == RECEIVE and m.data in model.packets]
    firmware = "2" if model._differences else "3"
    if stream == "acc":
        arrived = set(received)
        return np.flatnonzero([set(packets) <= arrived for packets in model.axes_packets])
    if firmware == "3":  # the first packet after a start has the number -1
        received = [data for data in received if data[0] != 255]
    kept = decodable(received, model, firmware)
    return np.concatenate([np.array(model.packets[data]) for data in kept])


def of_gforce(model, log, stream):
    received = [m.data for m in log if m.characteristic == GFORCE_DATA]
    kept, _ = received_packets(model, received)
    return np.concatenate([np.array(indices) for _, indices in kept])


def npg(channels: int, samples: int) -> Kind:
    """Return the kind of an NPG Lite with so many channels, and samples in a notification."""
    return Kind(
        "npg",
        lambda: twitching(NpgLite(channels, samples, 3, ppm=30.0), 1500),
        of_npg,
        scales={"emg": 0.02},
        gain="50000",
    )


def ganglion(firmware: str) -> Kind:
    """Return the kind of a Ganglion of a firmware."""
    return Kind(
        "ganglion",
        lambda: twitching(Ganglion(firmware, 5, ppm=40.0, amplitude=1500.0), 830),
        of_ganglion,
        {"acc": "yes"},
        {"emg": UV, "acc": G},
        keep_first=5,  # a loss before the first packet is part of the outage
    )


KINDS = {
    "npg": npg(3, 10),
    "npg, 6 channels": npg(6, 25),
    "polar": Kind("polar", lambda: PolarSensor("h10", seed=5, ppm=-25.0), of_polar),
    "polar, Verity Sense": Kind("polar", lambda: PolarSensor("sense", seed=5, ppm=-25.0), of_polar),
    "movesense": Kind("movesense", lambda: MovesenseSensor(seed=5), of_movesense, keep_first=20),
    "ganglion": ganglion("2.0.1"),
    "ganglion, firmware 3": ganglion("3.0.2"),
    "myo": Kind(
        "myo", lambda: twitching(Myo(2, ppm=60.0), 1900), of_myo, {}, {"emg": 1 / 3}, gain="3000"
    ),
    "gforce": Kind(
        "gforce",
        lambda: twitching(GForce(244, 4, ppm=-50.0), 4000, 0.01),
        of_gforce,
        {"stream": "emg", "bits": "12", "rate": "500"},
    ),
    "gforce, acceleration": Kind(
        "gforce",
        lambda: twitching(GForce(244, 4, ppm=-50.0), 150, 3.0),
        of_gforce,
        {"stream": "acc"},
    ),
}


# ---- the night ---------------------------------------------------------------------------------


def run_night(kind: str, hours: float, seed: int) -> tuple:
    """Simulate a night; return the device, the log, and where its connections begin."""
    plan = KINDS[kind]
    driver = get_driver(plan.driver)
    model, rng = plan.make(), random.Random(seed)
    loss, since_open = 0.02, 0

    def is_lost(number, data):
        nonlocal since_open
        since_open += 1
        is_answer = plan.driver == "polar" and data[0] == 0xF0
        return not is_answer and since_open > plan.keep_first and rng.random() < loss

    session = SimulatedSession(driver, model, is_lost, lambda _: 0.02 + rng.expovariate(100), 0.005)
    ends = sorted(rng.uniform(0.02, 0.98) * hours * 3600 for _ in range(N_OUTAGES))
    starts = []
    for number, end_s in enumerate([*ends, hours * 3600]):
        loss = 0.02 + 0.18 * number / N_OUTAGES
        since_open = 0
        starts.append(len(session.log))
        session.open(plan.options)
        while session.now_s < end_s:
            session.run(min(driver.poll_period_s, max(0.5, end_s - session.now_s)))
            session.poll()
        if number == N_OUTAGES:
            session.close()
            break
        session.disconnect()
        session.wait_disconnected(rng.uniform(2, 120))
        if number == N_OUTAGES // 2:
            model.reboot(session.now_s)
            session.wait_disconnected(20.0)
    return model, session.log, starts


def set_clock(log: list, starts: list[int], n_steps: int, seed: int) -> tuple[list, list[float]]:
    """Return the log as stamped by a clock that is set, and the offsets (s) of that clock."""
    rng = random.Random(seed)
    away = [
        (log[n - 1].arrival_ns - _MARGIN_NS, log[n].arrival_ns + _MARGIN_NS) for n in starts[1:]
    ]
    inside = [
        m.arrival_ns for m in log if not any(first < m.arrival_ns < last for first, last in away)
    ]
    times_ns = sorted(rng.sample(inside, n_steps))
    offsets_ns = [0]
    for _ in times_ns:
        size_s = rng.choice([-1, 1]) * 86400 ** rng.random()
        offsets_ns.append(offsets_ns[-1] + round(size_s * 1e9))
    stamped = [
        replace(m, arrival_ns=m.arrival_ns + offsets_ns[bisect(times_ns, m.arrival_ns)])
        for m in log
    ]
    return stamped, [offset / 1e9 for offset in offsets_ns]


def write_night(path: Path, kind: str, log: list, starts: list[int]) -> None:
    """Store the log as a recorder does."""
    plan = KINDS[kind]
    key = f"{plan.driver}:AA:BB"
    writer = NightFileWriter(path)
    writer.write(
        [Device(key, "AA:BB", kind, "", "", b""), DeviceSetting(key, T0, "gain", plan.gain)]
    )
    for start, stop in zip(starts, [*starts[1:], len(log)], strict=True):
        connection = ConnectionStart(key, T0 + log[start].arrival_ns, plan.driver, 1)
        writer.write([connection])
        for first in range(start, stop, 5000):
            writer.write(
                Value(
                    connection,
                    first - start + i,
                    m.characteristic,
                    str(m.direction),
                    T0 + m.arrival_ns,
                    m.data,
                )
                for i, m in enumerate(log[first : min(first + 5000, stop)])
            )
    writer.close()


def true_loss(
    index: np.ndarray, times_s: np.ndarray, outages: list, modulus: int | None, fs: float
) -> dict:
    """Count the samples that are missing, by their gaps; an outage counts with its whole time."""
    gaps = np.diff(index) - 1
    counts = {"short": 0, "long": 0, "over_outages": 0}
    for at in np.flatnonzero((gaps > 0) | (np.diff(times_s[index]) > 1.5 / fs)).tolist():
        before_s, after_s = times_s[index[at]], times_s[index[at + 1]]
        if any(before_s <= end_s <= after_s for end_s in outages):
            counts["over_outages"] += round((after_s - before_s) * fs) - 1
        elif modulus is None or gaps[at] < modulus:
            counts["short"] += int(gaps[at])
        else:
            counts["long"] += int(gaps[at])
    return counts


def compare(
    path: Path, kind: str, model: object, log: list, starts: list[int], offsets_s: list[float]
) -> list[dict]:
    """Read the night file; compare each stream with the truth."""
    reader = NightFileReader(path)
    device = DecodedDevice(reader, read_devices(reader)[0], kind)
    outages = [log[start - 1].arrival_ns / 1e9 for start in starts[1:]]
    rows = []
    for name, stream in device.streams.items():
        blocks = list(device.blocks(name))
        got = np.concatenate([values for _, values in blocks])
        times_s = np.concatenate([times for times, _ in blocks]) / 1e9 - T0 / 1e9
        sent = model.sent[name]
        index, all_times_s = KINDS[kind].arrived(model, log, name), np.array(sent.times_s)
        truth = sent.array()[index] * KINDS[kind].scales.get(name, 1.0)
        same = got.shape == truth.shape
        wrong = None
        if same:
            wrong = int((~np.isclose(got, truth, rtol=1e-9, atol=1e-12)).any(axis=1).sum())
        timing = stream.spec.timing
        modulus = timing.modulus if isinstance(timing, SampleCounter) else None
        lost = true_loss(index, all_times_s, outages, modulus, stream.spec.fs)
        if len(offsets_s) > 1:
            times_s = read_times(path, name)
        error_s = times_s - all_times_s[index] if same else np.array([np.nan])
        error_s -= min(offsets_s, key=lambda offset: abs(offset - np.median(error_s)))
        rows.append(
            {
                "kind": kind,
                "stream": name,
                "arrived": len(truth),
                "read": len(got),
                "different": wrong,
                "true_lost_short": lost["short"],
                "true_lost_long": lost["long"],
                "true_lost_over_outages": lost["over_outages"],
                "exact": stream.loss.exact,
                "ambiguous": stream.loss.ambiguous,
                "unknown": stream.loss.unknown,
                "clock": clock_class(stream.spec),
                "time_error_ms_1_50_99": [
                    round(1e3 * float(q), 1) for q in np.percentile(error_s, [1, 50, 99])
                ],
                "stated_ms": round(1e3 * stream.clock_error_s, 1),
            }
        )
    reader.close()
    return rows


def read_times(path: Path, stream: str) -> np.ndarray:
    """Return the times of a stream's samples as analysed: all runs on one clock."""
    recording = ts.read(path)
    channel = next(c for c in recording.channels if c.name.startswith(stream))
    times_s = [
        (recording.start_utc_ns - T0 + segment.start_ns) / 1e9
        + np.arange(len(segment.samples)) / channel.fs
        for segment in recording.segments_of(channel.name)
    ]
    return np.concatenate(times_s)


def events_without_signal(path: Path) -> dict[str, object]:
    """Analyse the night; count the events, and those that are outside their channel's segments."""
    recording = ts.read(path)
    result = ts.analyze(recording)
    spans, start_ns = {}, recording.start_ns
    for channel in recording.channels:
        parts = recording.segments_of(channel.name)
        begin = np.array([(s.start_ns - start_ns) / 1e9 for s in parts])
        spans[channel.name] = begin, begin + [len(s.samples) / channel.fs for s in parts]
    outside = 0
    for name, onset, duration in result.events[["channel", "onset", "duration"]].itertuples(
        index=False
    ):
        begin, end = spans[name]
        outside += not ((begin < onset + duration) & (onset < end)).any()
    return {
        "samples": {
            c.name: sum(len(s.samples) for s in recording.segments_of(c.name))
            for c in recording.channels
        },
        "segments": {name: len(begin) for name, (begin, _) in spans.items()},
        "valid_h": {n: round(v / 3600, 2) for n, v in result.valid_s.items()},
        "events": result.events["trial_type"].value_counts().to_dict(),
        "events_without_signal": outside,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default=";".join(KINDS), help="separated by semicolons")
    parser.add_argument("--clock-steps", type=int, default=0)
    parser.add_argument("--analyze", action="store_true")
    arguments = parser.parse_args()
    for kind in arguments.kinds.split(";"):
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.night"
            model, log, starts = run_night(kind, arguments.hours, arguments.seed)
            stamped, offsets_s = set_clock(log, starts, arguments.clock_steps, arguments.seed)
            write_night(path, kind, stamped, starts)
            for row in compare(path, kind, model, log, starts, offsets_s):
                print(json.dumps(row), flush=True)
            if arguments.analyze:
                print(json.dumps({"kind": kind, **events_without_signal(path)}), flush=True)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"# {kind}: {time.monotonic() - began:.0f} s, {peak} MB", flush=True)


if __name__ == "__main__":
    main()
