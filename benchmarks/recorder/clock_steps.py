"""Samples and times of nights in which the computer's clock was set.

Run ``python -m benchmarks.recorder.clock_steps --nights 100``: each random night holds one or two
twitchsense v1 wearables, or an NPG Lite (decoded by its driver), with outages, restarts, crystals
that differ and drift, and up to four steps of the computer's clock, of 1 s to a day forward or
back. Every sample carries its number, so that a sample that is missing, moved or stands twice is
seen. The error of a time is the difference from the true time on the computer's clock of the
longest part without a step, apart from the least delay of delivery; within each boot alone if the
notes say that the times hold within the boot. Prints one line of JSON for
each night and a summary.

The files hold no readings of the computer's clock (`RecorderClock`), as if an older recorder had
written them: only arrivals and the device's numbers show the steps. With ``--readings`` they hold
them, and arrivals are by the recorder's own clock, as today. What arrivals alone cannot show is
left out of the random nights of the NPG Lite, whose counter starts anew after half a second: steps
while it is not connected, and steps forward by less than 40 s.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

import twitchsense as ts
from firmware_sim.wearable.encoder import ACC, EMG, Encoder, StreamSpec
from firmware_sim.wearable.firmware import DeviceModel, Firmware
from twitchsense.devices.npg_lite import CONTROL_UUID, DATA_UUID
from twitchsense.devices.v1.v1_frames import FLAG_REPLAY
from twitchsense.nightfile.records import (
    Boot,
    ConnectionStart,
    Device,
    DeviceSetting,
    HostClockReading,
    Packet,
    Value,
)
from twitchsense.nightfile.writer import NightFileWriter

T0 = 1_790_000_000_000_000_000
FS = 500
#: Samples after which the number on the first channel starts anew.
TURN = 4096
#: Least delay of delivery (s).
LEAST_DELAY = 0.004
#: Error (s) between two boots above which a step was not known.
KNOWN_S = 0.5
KINDS = ("one wearable", "two wearables", "driver")


@dataclass
class Truth:
    """What happened in a night: times in true seconds since `T0`.

    Attributes
    ----------
    seconds : float
    steps : list of (float, float)
        Time and size (s) of each step of the computer's clock.
    outages : list of (float, float)
    restarts : list of float
    has_readings : bool
    """

    seconds: float
    steps: list
    outages: list
    restarts: list
    has_readings: bool = False

    def host_s(self, at):
        """Return the computer's clock at true times."""
        return at + sum(size * (at >= when) for when, size in self.steps)

    def arrival_s(self, at):
        """Return the clock that stamps arrivals: the recorder's own, or the computer's."""
        return at if self.has_readings else self.host_s(at)

    def readings(self):
        """Return the readings of the computer's clock that a recorder stores."""
        times = np.arange(0.0, self.seconds, 30.0).tolist()
        times += [when + 1.0 for when, _ in self.steps if when + 1.0 < self.seconds]
        return [
            HostClockReading(
                T0 + round(at * 1e9), T0 + round(self.host_s(at) * 1e9), round(at * 1e9), "boot"
            )
            for at in sorted(times)
        ]

    def is_received(self, at):
        """Return whether a frame of this time is received."""
        return all(not start <= at < stop for start, stop in self.outages)

    def is_knowable(self):
        """Return whether no step falls into a silence in which a wearable restarted.

        Then neither ticks nor arrivals tell a step forward from a longer silence.
        """
        if self.has_readings:
            return True
        for restart in self.restarts:
            first, last = restart - 1.0, restart + 4.0
            for _ in self.outages:
                for start, stop in self.outages:
                    if start <= last and stop >= first:
                        first, last = min(first, start), max(last, stop)
            if any(first <= when <= last for when, _ in self.steps):
                return False
        return True

    def stretch_offsets(self):
        """Return the length and the offset of each part without a step, s."""
        times = [0.0, *(when for when, _ in self.steps), self.seconds]
        offsets = np.cumsum([0.0, *(size for _, size in self.steps)])
        return [(b - a, o) for a, b, o in zip(times, times[1:], offsets, strict=False)]


def random_truth(rng, seconds, kind):
    """Return a random night; steps may fall into outages and, with ticks, beside restarts."""
    count = rng.integers(1, 5)
    steps = [
        (when, float(rng.choice([-1, 1])) * float(np.exp(rng.uniform(0, np.log(86400)))))
        for when in sorted(rng.uniform(0, seconds, count).tolist())
    ]
    outages = []
    for _ in range(rng.integers(0, 4)):
        start = rng.uniform(0, seconds)
        outages.append((start, start + np.exp(rng.uniform(np.log(0.5), np.log(600)))))
    restarts = sorted(rng.uniform(0, seconds, rng.integers(0, 2)).tolist())
    if kind == "driver":
        away = [*outages, *((r - 5, r + 5) for r in restarts)]
        steps = [
            (when, size if size < 0 else size + 40)
            for when, size in steps
            if all(not start - 5 <= when < stop + 5 for start, stop in away)
        ]
    return Truth(seconds, steps, outages, restarts)


class NumberedSource:
    """Sample source whose counts are the number of the sample."""

    def __init__(self, run):
        self.run = run

    def read(self, stream, first, count):
        """Return counts of a stream."""
        k = np.arange(first, first + count)
        if stream == 2:
            return np.column_stack([k % 100, k % 7, 4096 + k % 3]).astype(np.int32)
        return numbers(k, self.run).astype(np.int32)


def numbers(k, run):
    """Return two channels from which `number_of` returns the number of the sample."""
    return np.column_stack([k % TURN, 2 * (k // TURN) + k % 2 + 1500 * run])


def number_of(values):
    """Return run and number of samples."""
    high = values[:, 1] % 1500
    return values[:, 1] // 1500, high // 2 * TURN + values[:, 0]


def delays(rng, n):
    """Return delays of delivery: connection events, some of which fail."""
    return LEAST_DELAY + rng.uniform(0, 0.03, n) + 0.03 * (rng.geometric(0.9, n) - 1)


def write_wearable(night, truth, rng, serial, leg):
    """Write the frames of one wearable; return the number of EMG samples, and its crystal."""
    streams = (
        StreamSpec(1, EMG, 2, FS * 1000, 6_553_600),
        StreamSpec(2, ACC, 3, 50_000, 8_000_000),
    )
    model, drift = DeviceModel(serial, streams, leg), rng.uniform(-100e-6, 100e-6)
    encoder = Encoder()
    info = encoder.info(model.streams, model.tick_hz, model.device, model.leg)
    night.write([Device(model.serial, "AA:BB", model.name, model.serial, "1.0", info)])
    written, received_s = 0, -1.0
    bounds = [0.0, *truth.restarts, truth.seconds]
    for run, (start, stop) in enumerate(pairwise(bounds)):
        begin = start + (3.0 if run else 0.0)
        firmware = Firmware(model, NumberedSource(run), encoder, run + 1)
        firmware.control(bytes.fromhex("01 01 01000000 00"))
        boot, batch, resent = Boot(model.serial, run + 1), [], []
        while True:
            tick = firmware.next_tick()
            at = begin + tick / (model.tick_hz * (1 + drift))
            if at > stop:
                break
            before = firmware.ring.next
            firmware.advance(tick)
            for seq in range(before, firmware.ring.next):
                data = firmware.ring.get(seq)
                if not truth.is_received(at):
                    resent.append((seq, data[:1] + bytes([data[1] | FLAG_REPLAY]) + data[2:]))
                    continue
                # half of the outages fit into the memory of the wearable
                if resent and len(resent) % 2:
                    arrival = T0 + round(truth.arrival_s(received_s + 1e-6) * 1e9)
                    batch += [Packet(boot, s, arrival, d) for s, d in resent]
                    written += sum(d[2] for _, d in resent if d[0] == 1)
                resent = []
                received_s = max(received_s, at + float(delays(rng, 1)[0]))
                arrival = T0 + round(truth.arrival_s(received_s) * 1e9)
                batch.append(Packet(boot, seq, arrival, data))
                written += data[2] if data[0] == 1 else 0
        night.write(batch)
    return written, [(begin_of(run, bounds), drift) for run in range(len(bounds) - 1)]


def begin_of(run, bounds):
    """Return the time of sample 0 of a run."""
    return bounds[run] + (3.0 if run else 0.0)


def write_npg(night, truth, rng):
    """Write the values of an NPG Lite, a connection for each outage or restart."""
    key, drift, batch = "npg:AA:BB", rng.uniform(-100e-6, 100e-6), 10
    night.write(
        [
            Device(key, "AA:BB", "NPG-Lite-3CH:0A:1B", "", "", b""),
            DeviceSetting(key, T0, "gain", "1000"),
            DeviceSetting(key, T0, "leg", "left"),
        ]
    )
    written, received_s, runs = 0, -1.0, []
    starts = sorted([0.0, *(stop for _, stop in truth.outages), *truth.restarts])
    bounds = [s for s in starts if s < truth.seconds] + [truth.seconds]
    for run, (begin, stop) in enumerate(pairwise(bounds)):
        runs.append((begin + 0.5, drift))
        connected = T0 + round(truth.arrival_s(begin) * 1e9) + run
        start = ConnectionStart(key, connected, "npg", 1)
        values = [Value(start, 0, CONTROL_UUID, "write", connected, b"START")]
        n = int((stop - begin - 0.5) * FS // batch)
        k = np.arange(max(0, n) * batch)
        counts = np.column_stack([numbers(k, 0), 2 * run + k % 2]).astype(">u2")
        for i in range(max(0, n)):
            at = begin + 0.5 + (i + 1) * batch / FS / (1 + drift)
            if at >= stop or not truth.is_received(at):
                continue
            rows = range(i * batch, (i + 1) * batch)
            data = b"".join(bytes([j % 256]) + counts[j].tobytes() for j in rows)
            received_s = max(received_s, at + float(delays(rng, 1)[0]))
            arrival = T0 + round(truth.arrival_s(received_s) * 1e9)
            values.append(Value(start, len(values), DATA_UUID, "notify", arrival, data))
            written += batch
        night.write([start, *values])
    return written, runs


def run_night(seed, folder, minutes, kind, has_readings=False):
    """Write one random night, read it, and return what was found."""
    rng = np.random.default_rng(seed)
    truth = random_truth(rng, rng.uniform(0.3, 1.0) * minutes * 60, kind)
    truth.has_readings = has_readings
    path = Path(folder) / f"{seed}.night"
    night = NightFileWriter(path)
    if kind == "driver":
        written = {"left": write_npg(night, truth, rng)}
    else:
        written = {"left": write_wearable(night, truth, rng, 0x11, "left")}
        if kind == "two wearables":
            written["right"] = write_wearable(night, truth, rng, 0x22, "right")
    if has_readings:
        night.write(truth.readings())
    night.close()
    recording = ts.read(path)
    result = {"seed": seed, "kind": kind, "minutes": round(truth.seconds / 60, 1)}
    result["steps_s"] = [round(size, 1) for _, size in truth.steps]
    result["written"] = sum(n for n, _ in written.values())
    result["read"], errors, lengths, parts = 0, [], truth.stretch_offsets(), []
    for leg, (_, runs) in written.items():
        n, error, boots = time_errors(recording, leg, runs)
        result["read"] += n
        errors.append(error)
        if any("within the boot" in note for note in recording.notes):
            parts += [(error, boots == boot) for boot in np.unique(boots)]
    offsets = np.array([offset for _, offset in lengths])
    nearest = int(np.abs(offsets - np.median(np.concatenate(errors))).argmin())
    for error, of_boot in parts:
        apart = np.median(error[of_boot]) - offsets[nearest]
        error[of_boot] -= apart if abs(apart) > KNOWN_S else 0.0
    error_s = np.concatenate(errors) - offsets[nearest]
    longest = max(length for length, _ in lengths)
    result["of_longest"] = round(lengths[nearest][0] / longest, 2)
    notes = [n for n in recording.notes if re.search("clock was set (forward|back)", n)]
    result["told"] = len(notes)
    result["knowable"] = truth.is_knowable()
    stated = [float(x) for n in recording.notes for x in re.findall(r"times .*± (\d+) ms", n)]
    result["error_ms"] = round(1000 * float(np.abs(error_s).max()), 1)
    result["p99_ms"] = round(1000 * float(np.percentile(np.abs(error_s), 99)), 1)
    result["stated_ms"] = max(stated, default=0.0)
    return result


def time_errors(recording, leg, runs):
    """Return the number of samples of a leg, and of each the error of its time and its boot."""
    names = sorted(c.name for c in recording.channels if c.kind == "emg" and c.leg == leg)
    is_driver = len(names) == 3
    # a notification of the NPG Lite is complete one sample period after its last sample
    delay = LEAST_DELAY + is_driver / FS
    errors, count, boots = [], 0, []
    parts = [recording.segments_of(name) for name in names]
    fs = next(c.fs for c in recording.channels if c.name == names[0])
    for together in zip(*parts, strict=True):
        one, n = together[0], len(together[0].samples)
        values = np.column_stack([s.samples.read(0, n)[:, 0] for s in together])
        counts = np.rint(values.astype(float) * (1.0 if is_driver else 5.0)).astype(np.int64)
        run, k = number_of(counts)
        if is_driver:
            run = counts[:, 2] // 2
        begin, drift = np.array(runs)[run].T
        true = begin + k / (FS * (1 + drift))
        start_s = (recording.start_utc_ns - T0 + one.start_ns) / 1e9
        errors.append(start_s + np.arange(n) / fs - true - delay)
        count += n
        boots.append(run)
    return count, np.concatenate(errors), np.concatenate(boots)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--nights", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--readings", action="store_true", help="with the computer's clock")
    options = parser.parse_args()
    results = []
    for seed in range(options.seed, options.seed + options.nights):
        with tempfile.TemporaryDirectory() as folder:
            kind = KINDS[seed % len(KINDS)]
            results.append(run_night(seed, folder, options.minutes, kind, options.readings))
        print(json.dumps(results[-1]), flush=True)
    exact = [r for r in results if r["knowable"]]
    print(
        json.dumps(
            {
                "nights": len(results),
                "samples_written": sum(r["written"] for r in results),
                "samples_read": sum(r["read"] for r in results),
                "nights_within_stated": sum(r["error_ms"] <= r["stated_ms"] for r in exact),
                "nights_with_knowable_steps": len(exact),
                "steps": sum(len(r["steps_s"]) for r in exact),
                "steps_told": sum(r["told"] for r in exact),
                "worst_error_ms": max(r["error_ms"] for r in exact),
                "stated_ms": [f(r["stated_ms"] for r in exact) for f in (min, max)],
            }
        )
    )


if __name__ == "__main__":
    main()
