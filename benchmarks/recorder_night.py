"""A rehearsed night over Bluetooth in virtual time, and what of it is exact.

Run ``python benchmarks/recorder_night.py --hours 8``. Prints the figures of
docs/accuracy-wearable.md as JSON. Slow is only the detector at the end (``--no-analyze``).
With them, after each hour, the memory of the whole process and what hangs on the recorder.
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
from firmware_sim.capture import Capture
from firmware_sim.wearable.body import Body
from firmware_sim.wearable.faults import Fault, parse_faults
from firmware_sim.wearable.plug import Air, Plan, open_air
from firmware_sim.wearable.virtual import run_virtual
from twitchsense.acquire.adapter import Adapter
from twitchsense.acquire.connection import Connection
from twitchsense.acquire.recorder import Recorder, make_metadata
from twitchsense.model.channels import ArraySamples
from twitchsense.nightfile.loss_report import read_loss_reports
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.writer import NightFileWriter

#: Classes, code, and what belongs to the simulator or the system.
_FOREIGN = (type, ModuleType, FunctionType, CodeType, asyncio.AbstractEventLoop, asyncio.Task,
            Adapter, Connection, sqlite3.Connection, logging.Logger)  # fmt: skip
T0 = 1_790_000_000_000_000_000
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
        print(json.dumps(rehearse(path, options), indent=2))


async def weigh(recorder: Recorder, memory: list[dict[str, float]], stop: asyncio.Event) -> None:
    """Note each hour the memory in use, and how much of it hangs on the recorder."""
    while not stop.is_set():
        await asyncio.sleep(3600)
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        held = weight(recorder)
        memory.append(
            {"process_mb": round(pages * 4096 / 1e6, 1), "recorder_kb": round(held / 1e3)}
        )


def weight(root: object) -> int:
    """Return the bytes of all that hangs on an object, but for the radio and the loop."""
    seen: dict[int, object] = {}
    todo, total = [root], 0
    while todo:
        thing = todo.pop()
        if id(thing) in seen or isinstance(thing, _FOREIGN):
            continue
        seen[id(thing)] = thing
        total += sys.getsizeof(thing)
        todo += gc.get_referents(thing)
    return total


def start_recorder(air: Air, path: Path, seconds: float) -> tuple[Recorder, asyncio.Event]:
    """Return a recorder of the one wearable in the air, and what stops it after so long."""
    loop = asyncio.get_running_loop()
    (wearable,) = air.wearables
    recorder = Recorder(
        Adapter(air.scanner, air.client),
        NightFileWriter(path, make_metadata()),
        [wearable.model.name],
        now_ns=lambda: T0 + round((loop.time() - wearable._start) * 1e9),
        inline=True,
    )
    stop = asyncio.Event()
    loop.call_later(seconds, stop.set)
    return recorder, stop


def make_faults(hours: float) -> tuple[Fault, ...]:
    """Return what the night does to Bluetooth; shorter nights have shorter outages."""
    seconds, scale = hours * 3600, min(1.0, hours / 8)
    faults = [f"range@{at * seconds}+{max(3.0, long * scale)}" for at, long in OUTAGES]
    faults += [f"noise@{at * seconds}+{seconds}={rate}" for at, rate in NOISE]
    faults += [f"reboot@{0.65 * seconds}", f"damage@{0.3 * seconds}+{0.1 * seconds}=0.001"]
    return parse_faults(",".join(faults))


def rehearse(path: Path, options: argparse.Namespace) -> dict[str, object]:
    seconds = options.hours * 3600
    plan = Plan(
        minutes=options.hours * 60 + 1,
        seed=options.seed,
        drift_ppm=80.0,
        wander_ppm=4.0,
        ring_frames=round(20000 * min(1.0, options.hours / 8)),
        faults=make_faults(options.hours),
    )
    made: dict[int, int] = {}
    boots: dict[int, float] = {}
    crystal = {}
    memory: list[dict[str, float]] = []

    async def night() -> dict[str, int]:
        loop = asyncio.get_running_loop()
        async with open_air(plans=[plan]) as air:
            (wearable,) = air.wearables
            crystal["it"] = wearable.crystal

            def note(firmware) -> None:
                made[firmware.boot_count] = firmware.ring.next
                boots[firmware.boot_count] = wearable._boot_time - wearable._start

            wearable.on_stored = note
            recorder, stop = start_recorder(air, path, seconds)
            weighing = loop.create_task(weigh(recorder, memory, stop))
            await recorder.run(stop)
            weighing.cancel()
            recorder.night.close()
            return {"connections": recorder.sessions[0].status.n_connections}

    began, cpu = time.monotonic(), time.process_time()
    told: dict[str, object] = dict(run_virtual(night()))
    told["hours"] = options.hours
    told["wall_s"] = round(time.monotonic() - began, 1)
    told["cpu_s"] = round(time.process_time() - cpu, 1)
    told["peak_memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    told["after_each_hour"] = memory
    told["file_mb"] = round(path.stat().st_size / 1e6, 1)
    lost: Counter[str] = Counter()
    unaccounted = 0
    for book in read_loss_reports(path):
        lost.update(book.lost)
        missing = made[book.count] - book.received - sum(book.lost.values())
        if book.unbounded_loss:
            lost["reboot"] += missing
        else:
            unaccounted += missing
        unaccounted += sum(b - a + 1 for a, b in book.unresolved)
    told["frames_made"] = sum(made.values())
    told["frames_lost"] = dict(lost)
    told["frames_unaccounted"] = unaccounted
    told |= compare(path, plan, boots, crystal["it"], analyze=not options.no_analyze)
    return told


def clock_errors(clocks, crystal, boots, seconds):
    """Return by how many ms a clock is off, at every second of each boot, outages included."""
    errors = []
    for count, clock in clocks.items():
        since = np.arange(5.0, seconds - boots[count])
        later = [b for b in boots.values() if b > boots[count]]
        since = since[since < min([*later, np.inf]) - boots[count] - 5]
        ticks = np.array([crystal.ticks(s) for s in since])
        mapped = clock.to_utc(ticks) - T0 - (since + boots[count]) * 1e9
        errors.append(np.abs(mapped) / 1e6)
    return np.concatenate(errors)


def compare(path, plan, boots, crystal, *, analyze):
    """Hold the night to the samples of the body, which never saw the encoder."""
    capture = Capture(plan.settings)
    blocks = list(capture.blocks(5))
    emg = np.concatenate([b.emg for b in blocks]).astype(np.int16)
    acc = np.concatenate([b.acc for b in blocks]).astype(np.int16)
    body = Body(capture, plan.model(0).streams)
    reader = NightFileReader(path)
    true = {1: [], 2: []}
    wrong = frames = twice = 0
    clocks = {}
    for source in reader.boots:
        body.boot(boots[source.count])
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
                    begin = first + body._boot[stream.id]
                    part = whole[begin : begin + count]
                    wrong += not np.array_equal(part, sent[at : at + count])
                    true[stream.id].append(part)
                    frames, at = frames + 1, at + count
    reader.close()
    error = clock_errors(clocks, crystal, boots, plan.minutes * 60 - 60)
    told = {
        "frames_read": frames,
        "frames_wrong": wrong,
        "frames_twice": twice,
        "clock_error_ms": {q: round(float(np.percentile(error, q)), 2) for q in (50, 99, 100)},
    }
    if not analyze:
        return told
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
    told["analyze_s"] = round(time.monotonic() - began, 1)
    other = ts.analyze(replace(recording, segments=tuple(segments)))
    told["events"] = len(night.events)
    told["rejected"] = len(night.rejected)
    told["tables_equal"] = bool(
        night.events.equals(other.events) and night.rejected.equals(other.rejected)
    )
    told["valid_share"] = round(
        min(
            sum(len(s.samples) for s in recording.segments_of(c.name)) / c.fs
            for c in recording.channels
        )
        / (plan.minutes * 60 - 60),
        4,
    )
    return told


if __name__ == "__main__":
    main()
