"""A night of an NPG Lite in virtual time: loss, outages and a restart, read against the truth.

python -m benchmarks.recorder.driver_night --hours 8 [--analyze]

The bytes are made here, from the public layout of the notifications, and stored as a recorder
stores them. What is printed: samples that arrived and differ or are missing, the loss that is
reported and the true one, errors of the times, and events where there was no signal.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import twitchsense as ts
from twitchsense.io.device_logs.decoded_device import DecodedDevice
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.records import ConnectionStart, Device, DeviceSetting, LinkEvent, Value
from twitchsense.nightfile.stored_values import read_devices
from twitchsense.nightfile.writer import NightFileWriter

T0 = 1_790_000_000_000_000_000
FS, BATCH, CHANNELS = 500, 10, 3
GAIN = 500.0
DRIFT = 30e-6
KEY = "npg:AA:BB"
DATA = "beb5483e-36e1-4688-b7f5-ea07361b26a8"
CONTROL = "0000ff01-0000-1000-8000-00805f9b34fb"
ROW = np.dtype([("counter", "u1"), ("values", ">u2", (CHANNELS,))])
#: Seconds between two twitches.
TWITCH_S = 60.0


class Night:
    """The truth of a night, made connection by connection.

    Attributes
    ----------
    counts : list of ndarray of int, shape (n, 3)
        Samples that arrived.
    times_s : list of ndarray, shape (n,)
        True time of each, s.
    lost : dict of str to int
        True number of lost samples: in gaps shorter than the counter, longer ones.
    """

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.counts: list[np.ndarray] = []
        self.times_s: list[np.ndarray] = []
        self.lost = {"short": 0, "long": 0}

    def connection(self, start_s: float, stop_s: float, loss: float) -> Iterator[Value]:
        """Yield the values of one connection, from START on."""
        start = ConnectionStart(KEY, T0 + round(start_s * 1e9), "npg", 1)
        yield Value(start, 0, CONTROL, "write", start.time_ns, b"START")
        n_batches = int((stop_s - start_s) * FS) // BATCH
        n = n_batches * BATCH
        times_s = start_s + (np.arange(n) + 1) / FS / (1 + DRIFT)
        rows = np.zeros(n, ROW)
        rows["counter"] = np.arange(n) % 256
        counts = np.rint(2048 + self.rng.normal(0, 3, (n, CHANNELS))).astype(int)
        phase = times_s % TWITCH_S
        shape = (phase - 0.02) / 0.004
        counts[:, 0] += np.rint(60 * -shape * np.exp(-(shape**2) / 2) * (phase < 0.04)).astype(int)
        rows["values"] = counts
        kept = self.rng.random(n_batches) >= loss
        for fade in self.rng.integers(0, max(1, n_batches), n_batches // 60_000):
            kept[fade : fade + int(self.rng.integers(5, 150))] = False  # up to 3 s
        kept[:2] = kept[-1:] = True  # loss before the first packet is part of the outage
        self._count_lost(kept)
        of_samples = np.repeat(kept, BATCH)
        self.counts.append(counts[of_samples])
        self.times_s.append(times_s[of_samples])
        arrival_s = times_s[BATCH - 1 :: BATCH] + 0.02 + self.rng.exponential(0.01, n_batches)
        arrival_ns = T0 + np.rint(np.maximum.accumulate(arrival_s) * 1e9).astype(np.int64)
        data = rows.tobytes()
        size = BATCH * ROW.itemsize
        for number, i in enumerate(np.flatnonzero(kept).tolist(), 1):
            value = data[i * size : (i + 1) * size]
            yield Value(start, number, DATA, "notify", int(arrival_ns[i]), value)

    def _count_lost(self, kept: np.ndarray) -> None:
        gaps = np.diff(np.flatnonzero(kept)) - 1
        samples = gaps[gaps > 0] * BATCH
        self.lost["short"] += int(samples[samples < 256].sum())
        self.lost["long"] += int(samples[samples >= 256].sum())


def write_night(path: Path, hours: float, seed: int) -> Night:
    """Write the night file: 10 outages, and loss from 2 to 20 %."""
    night = Night(seed)
    ends = np.sort(night.rng.uniform(0.02, 0.98, 11)) * hours * 3600
    writer = NightFileWriter(path)
    writer.write([Device(KEY, "AA:BB", "NPG-Lite-3CH:0A:1B", "", "", b"")])
    writer.write([DeviceSetting(KEY, T0, "gain", str(GAIN))])
    start_s = 1.0
    for end_s, loss in zip([*ends, hours * 3600], np.linspace(0.02, 0.2, 12), strict=True):
        if end_s - start_s < 10:
            continue
        writer.write([LinkEvent(KEY, T0 + round(start_s * 1e9), "connected")])
        batch: list[Value] = []
        for value in night.connection(start_s, end_s, float(loss)):
            batch.append(value)
            if len(batch) == 5000:
                writer.write(batch)
                batch = []
        writer.write(batch)
        start_s = end_s + night.rng.uniform(20, 300)
    writer.close()
    return night


def compare(path: Path, night: Night) -> dict[str, object]:
    """Read the night file; compare it with the truth."""
    began = time.monotonic()
    reader = NightFileReader(path)
    decoded = DecodedDevice(reader, read_devices(reader)[0], str(path))
    stream = decoded.streams["emg"]
    loss = stream.loss
    blocks = list(stream.blocks())
    got = np.concatenate([samples for _, samples in blocks])
    times_s = np.concatenate([times for times, _ in blocks]) / 1e9 - T0 / 1e9
    reader.close()
    truth, true_s = np.concatenate(night.counts), np.concatenate(night.times_s)
    same = got.shape == truth.shape
    error_s = times_s - true_s if same else np.array([np.inf])
    return {
        "samples_arrived": len(truth),
        "samples_read": len(got),
        "samples_different": int((got != truth).any(axis=1).sum()) if same else None,
        "true_lost_shorter_than_counter": night.lost["short"],
        "true_lost_longer_than_counter": night.lost["long"],
        "reported_exact": loss.exact,
        "reported_ambiguous": loss.ambiguous,
        "time_error_ms_1_50_99": [round(1e3 * float(q), 1)
                                  for q in np.percentile(error_s, [1, 50, 99])],
        "stated_uncertainty_ms": round(1e3 * stream.clock_error_s, 1),
        "notes": decoded.notes,
        "seconds": round(time.monotonic() - began, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip


def events_without_signal(path: Path, night: Night) -> dict[str, int]:
    """Analyse the night; count the events, and those of which a part has no signal."""
    result = ts.analyze(ts.read(path))
    true_s = np.concatenate(night.times_s)
    gaps = np.flatnonzero(np.diff(true_s) > 1.5 / FS)
    starts, stops = true_s[gaps], true_s[gaps + 1]
    onsets = result.events["onset"].to_numpy() + true_s[0]
    ends = onsets + result.events["duration"].to_numpy()
    # an event in a gap: it begins after the last sample before, and ends before the next one
    inside = [bool(((starts < a) & (b < stops)).any()) for a, b in zip(onsets, ends, strict=True)]
    return {"events": len(onsets), "events_in_gaps": sum(inside)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--analyze", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.night"
        night = write_night(path, arguments.hours, arguments.seed)
        report = {"file_mb": path.stat().st_size // 2**20, **compare(path, night)}
        if arguments.analyze:
            report.update(events_without_signal(path, night))
        print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
