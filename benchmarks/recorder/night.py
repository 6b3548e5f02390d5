"""A night recorded over simulated Bluetooth in virtual time: completeness and exact times.

Run ``python benchmarks/recorder/night.py --hours 8``. Prints the figures of
docs/accuracy-wearable.md as JSON, among them the memory of the process and of the recorder's
objects after each hour. The detector at the end takes long; ``--no-analyze`` skips it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import resource
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import numpy as np

import twitchsense as ts
from firmware_sim.capture import SimulatedCapture
from firmware_sim.wearable.capture_source import CaptureSource
from firmware_sim.wearable.faults import Fault, parse_faults
from firmware_sim.wearable.plug import SimulatedRadio, WearableOptions, open_air
from firmware_sim.wearable.virtual_time import run_virtual
from twitchsense.acquire.adapter import Adapter
from twitchsense.acquire.connection import Connection
from twitchsense.acquire.recorder import Recorder, make_metadata
from twitchsense.model.channels import ArraySamples
from twitchsense.nightfile.loss_report import read_loss_reports
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.writer import NightFileWriter

#: Objects that do not count as the recorder's memory: classes, code, simulator, system.
_EXCLUDED = (type, ModuleType, FunctionType, CodeType, asyncio.AbstractEventLoop, asyncio.Task,
            Adapter, Connection, sqlite3.Connection, logging.Logger)  # fmt: skip
START_NS = 1_790_000_000_000_000_000
#: Start (share of the night) and length (s); the last is longer than the ring buffer.
OUTAGES = [(0.05, 3), (0.12, 8), (0.2, 45), (0.27, 120), (0.33, 15), (0.41, 300), (0.5, 5),
           (0.58, 600), (0.7, 60), (0.85, 1200)]  # fmt: skip
NOISE = [(0.0, 0.02), (0.1, 0.10), (0.3, 0.20), (0.45, 0.30), (0.6, 0.05), (0.9, 0.10)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-analyze", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tonight.night"
        print(json.dumps(record_night(path, options), indent=2))


async def sample_memory(
    recorder: Recorder, memory: list[dict[str, float]], stop: asyncio.Event
) -> None:
    """Record the memory of the process and of the recorder's objects every hour."""
    while not stop.is_set():
        await asyncio.sleep(3600)
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        held = size_of(recorder)
        memory.append(
            {"process_mb": round(pages * 4096 / 1e6, 1), "recorder_kb": round(held / 1e3)}
        )


def size_of(root: object) -> int:
    """Return the size (bytes) of everything an object refers to, except `_EXCLUDED`."""
    seen: dict[int, object] = {}
    pending, total = [root], 0
    while pending:
        item = pending.pop()
        if id(item) in seen or isinstance(item, _EXCLUDED):
            continue
        seen[id(item)] = item
        total += sys.getsizeof(item)
        pending += gc.get_referents(item)
    return total


def start_recorder(
    air: SimulatedRadio, path: Path, seconds: float
) -> tuple[Recorder, asyncio.Event]:
    """Return a recorder of the simulated wearable, and the event that stops it after `seconds`."""
    loop = asyncio.get_running_loop()
    (wearable,) = air.wearables
    recorder = Recorder(
        Adapter(air.scanner, air.client),
        NightFileWriter(path, make_metadata()),
        [wearable.model.name],
        now_ns=lambda: START_NS + round((loop.time() - wearable._start) * 1e9),
        inline=True,
    )
    stop = asyncio.Event()
    loop.call_later(seconds, stop.set)
    return recorder, stop


def make_faults(hours: float) -> tuple[Fault, ...]:
    """Return the Bluetooth faults of a night; shorter nights have shorter outages."""
    seconds, scale = hours * 3600, min(1.0, hours / 8)
    faults = [f"range@{at * seconds}+{max(3.0, long * scale)}" for at, long in OUTAGES]
    faults += [f"noise@{at * seconds}+{seconds}={rate}" for at, rate in NOISE]
    faults += [f"reboot@{0.65 * seconds}", f"damage@{0.3 * seconds}+{0.1 * seconds}=0.001"]
    return parse_faults(",".join(faults))


def record_night(path: Path, options: argparse.Namespace) -> dict[str, object]:
    seconds = options.hours * 3600
    plan = WearableOptions(
        minutes=options.hours * 60 + 1,
        seed=options.seed,
        drift_ppm=80.0,
        wander_ppm=4.0,
        ring_frames=round(20000 * min(1.0, options.hours / 8)),
        faults=make_faults(options.hours),
    )
    n_made: dict[int, int] = {}
    boots: dict[int, float] = {}
    crystal = {}
    memory: list[dict[str, float]] = []

    async def night() -> dict[str, int]:
        loop = asyncio.get_running_loop()
        async with open_air(wearable_options=[plan]) as air:
            (wearable,) = air.wearables
            crystal["wearable"] = wearable.clock

            def collect(firmware) -> None:
                n_made[firmware.boot_count] = firmware.ring.next
                boots[firmware.boot_count] = wearable.boot_time_s - wearable._start

            wearable.on_stored = collect
            recorder, stop = start_recorder(air, path, seconds)
            memory_task = loop.create_task(sample_memory(recorder, memory, stop))
            await recorder.run(stop)
            memory_task.cancel()
            recorder.night.close()
            return {"connections": recorder.sessions[0].status.n_connections}

    began, cpu = time.monotonic(), time.process_time()
    result: dict[str, object] = dict(run_virtual(night()))
    result["hours"] = options.hours
    result["wall_s"] = round(time.monotonic() - began, 1)
    result["cpu_s"] = round(time.process_time() - cpu, 1)
    result["peak_memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    result["after_each_hour"] = memory
    result["file_mb"] = round(path.stat().st_size / 1e6, 1)
    lost: Counter[str] = Counter()
    unaccounted = 0
    for report in read_loss_reports(path):
        lost.update(report.lost)
        missing = n_made[report.count] - report.received - sum(report.lost.values())
        if report.unbounded_loss:
            lost["reboot"] += missing
        else:
            unaccounted += missing
        unaccounted += sum(b - a + 1 for a, b in report.unresolved)
    result["frames_made"] = sum(n_made.values())
    result["frames_lost"] = dict(lost)
    result["frames_unaccounted"] = unaccounted
    result |= compare(path, plan, boots, crystal["wearable"], analyze=not options.no_analyze)
    return result


def clock_errors(clocks, crystal, boots, seconds):
    """Return the clock error (ms) at every second of each boot, outages included."""
    errors = []
    for count, clock in clocks.items():
        since = np.arange(5.0, seconds - boots[count])
        later = [b for b in boots.values() if b > boots[count]]
        since = since[since < min([*later, np.inf]) - boots[count] - 5]
        ticks = np.array([crystal.ticks(s) for s in since])
        mapped = clock.to_utc(ticks) - START_NS - (since + boots[count]) * 1e9
        errors.append(np.abs(mapped) / 1e6)
    return np.concatenate(errors)


def compare(path, plan, boots, crystal, *, analyze):
    """Compare the night file with the samples of the simulated body, before encoding."""
    capture = SimulatedCapture(plan.settings)
    blocks = list(capture.blocks(5))
    emg = np.concatenate([b.emg for b in blocks]).astype(np.int16)
    acc = np.concatenate([b.acc for b in blocks]).astype(np.int16)
    body = CaptureSource(capture, plan.model(0).streams)
    reader = NightFileReader(path)
    true = {1: [], 2: []}
    wrong = frames = twice = 0
    clocks = {}
    for source in reader.boots:
        body.restart(boots[source.count])
        clocks[source.count] = reader.load(source).clock
        seen = set()
        for batch in reader.frames(source):
            twice += sum(seq in seen for seq in batch.seq.tolist())
            seen.update(batch.seq.tolist())
            for stream in source.info.streams:
                mine = batch.type == stream.id
                sent, at = batch.samples(stream), 0
                places = zip(batch.first[mine].tolist(), batch.count[mine].tolist(), strict=True)
                for first, count in places:
                    whole = emg if stream.id == 1 else acc
                    begin = first + body._boot_sample[stream.id]
                    part = whole[begin : begin + count]
                    wrong += not np.array_equal(part, sent[at : at + count])
                    true[stream.id].append(part)
                    frames, at = frames + 1, at + count
    reader.close()
    error = clock_errors(clocks, crystal, boots, plan.minutes * 60 - 60)
    result = {
        "frames_read": frames,
        "frames_wrong": wrong,
        "frames_twice": twice,
        "clock_error_ms": {q: round(float(np.percentile(error, q)), 2) for q in (50, 99, 100)},
    }
    if not analyze:
        return result
    recording = ts.read(path)
    arrays = {
        1: (np.concatenate(true[1]) * 0.2).astype(np.float32),
        2: (np.concatenate(true[2]) / 4096).astype(np.float32),
    }
    segments = []
    for channel in recording.channels:
        column = int(channel.name[3]) - 1 if channel.kind == "emg" else slice(None)
        whole = arrays[1 if channel.kind == "emg" else 2][:, column].reshape(-1, channel.width)
        at = 0
        for segment in recording.segments_of(channel.name):
            part = ArraySamples(whole[at : at + len(segment.samples)])
            segments.append(replace(segment, samples=part))
            at += len(segment.samples)
        assert at == len(whole)
    began = time.monotonic()
    night = ts.analyze(recording)
    result["analyze_s"] = round(time.monotonic() - began, 1)
    other = ts.analyze(replace(recording, segments=tuple(segments)))
    result["events"] = len(night.events)
    result["rejected"] = len(night.rejected)
    result["tables_equal"] = bool(
        night.events.equals(other.events) and night.rejected.equals(other.rejected)
    )
    result["valid_share"] = round(
        min(
            sum(len(s.samples) for s in recording.segments_of(c.name)) / c.fs
            for c in recording.channels
        )
        / (plan.minutes * 60 - 60),
        4,
    )
    return result


if __name__ == "__main__":
    main()
