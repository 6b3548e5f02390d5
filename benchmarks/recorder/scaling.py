"""Number of wearables that one process can record and analyse live, and the cost of each.

python -m benchmarks.recorder.scaling --devices 1 10 25 50 75 100 --seconds 180 --json many.json

Recorder, night file, sessions and live detector are those of `twitchsense record --live`. The
radio is replaced by a client with bleak's methods that replays frames of the simulated wearable
(two EMG channels at 1000 Hz, three axes at 100 Hz) in real time, because a simulated controller
per device would cost more than what is measured. All devices replay the same minutes, each from
its own start. The cost of the replay is measured without a recorder and reported separately.

A run is lossless if every frame sent is in the file byte for byte, none was requested again or
rejected by a full queue, every device showed as many movements as a single one does, and the
process kept up: neither the lateness of the radio callback nor the time from the arrival of a frame
to its movements on the screen doubled from the first half to the second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recorder.replay import BOOT, FrameSequence, ReplayAdapter, ReplayDevice
from firmware_sim.wearable.encoder import Encoder
from twitchsense.acquire.frame_queue import FrameSource, StoredFrame
from twitchsense.acquire.recorder import Recorder, make_metadata
from twitchsense.cli.event_printer import EventPrinter
from twitchsense.cli.record import LIVE_PERIOD_S
from twitchsense.devices.v1 import v1_frames
from twitchsense.live.worker import DetectionWorker
from twitchsense.nightfile.recorder_clock import RecorderClock
from twitchsense.nightfile.records import Boot
from twitchsense.nightfile.writer import NightFileWriter

#: Maximum lateness (s) of the radio callback for arrival times to be usable [E].
LATE_S = 1.0


class TimedPrinter(EventPrinter):
    """The live detector of `record --live`, with its processor time and delay."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        super().__init__()
        self._now_ns = now_ns
        self.wait_s: list[float] = []
        self.spent_s = 0.0

    def push(self, frames: list[StoredFrame]) -> None:
        """Process frames that are on disk."""
        began = time.thread_time()
        super().push(frames)
        self.spent_s += time.thread_time() - began
        # from the arrival of the oldest frame of the batch until its movements are shown
        self.wait_s.append((self._now_ns() - min(f.arrival_ns for f in frames)) / 1e9)


def replay_cost(sequence: FrameSequence, count: int, seconds: float) -> float:
    """Return the processor time (s) per device and second of the replay alone."""

    async def play() -> float:
        adapter = ReplayAdapter(sequence)
        adapter.devices = [ReplayDevice(n, sequence, adapter) for n in range(count)]
        for device in adapter.devices:
            device.listeners[v1_frames.DATA_UUID] = lambda _, data: None
            device.session, device.began = 1, adapter.now()
            adapter.play(device)
        task = asyncio.create_task(adapter.run())
        began = time.process_time()
        await asyncio.sleep(seconds)
        task.cancel()
        return time.process_time() - began

    return asyncio.run(play()) / count / seconds


async def record(
    sequence: FrameSequence, count: int, seconds: float, path: Path, live: bool
) -> dict[str, Any]:
    """Record and analyse `count` devices; return losses, delays and costs."""
    adapter = ReplayAdapter(sequence)
    adapter.devices = [ReplayDevice(n, sequence, adapter) for n in range(count)]
    clock = RecorderClock()
    printer = TimedPrinter(clock)
    worker = DetectionWorker(printer.push) if live else None
    night = NightFileWriter(path, make_metadata())
    recorder = Recorder(
        adapter,  # type: ignore[arg-type]
        night,
        [d.address for d in adapter.devices],
        now_ns=clock,
        period_s=LIVE_PERIOD_S,
        on_stored=worker.put if worker else None,
    )
    stop = asyncio.Event()
    player = asyncio.create_task(adapter.run())
    running = asyncio.create_task(recorder.run(stop))
    while not all(s.status.connected for s in recorder.sessions):
        if running.done():
            running.result()
        await asyncio.sleep(0.05)
    adapter.late_s.clear()
    printer.wait_s.clear()
    cpu, wall, detect = time.process_time(), time.monotonic(), printer.spent_s
    await asyncio.sleep(seconds)
    cpu, wall, detect = time.process_time() - cpu, time.monotonic() - wall, printer.spent_s - detect
    late, wait = np.array(adapter.late_s), np.array(printer.wait_s or [0.0])
    n_requested = sum(d.n_resend for d in adapter.devices)
    stop.set()
    await running
    player.cancel()
    night.close()
    if worker is not None:
        worker.close()
    return {
        "devices": count,
        "seconds": round(wall, 1),
        "sent": [d.sent for d in adapter.devices],
        "frames_sent": sum(d.sent for d in adapter.devices),
        "asked_again": n_requested,
        "not_searched": worker.n_dropped if worker else 0,
        "turned_away": recorder.queue.n_overflows,
        "late_ms": quantiles(late),
        "late_p99_ms_of_halves": halves(late),
        "arrival_to_row_ms": quantiles(wait),
        "arrival_to_row_p99_ms_of_halves": halves(wait),
        "cpu_share_of_one_core": round(cpu / wall, 4),
        "cpu_percent_per_device": round(100 * cpu / wall / count, 3),
        "detector_share_of_that": round(detect / cpu, 3),
        "movements": printer.n_events,
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, 1),
        "stored": check(path, adapter.devices),
    }


def check(path: Path, devices: list[ReplayDevice]) -> dict[str, int]:
    """Compare the file with the sent frames, byte for byte."""
    db = sqlite3.connect(path)
    same = wrong = 0
    rows = db.execute(
        "SELECT device.key, seq, data FROM packet JOIN boot ON boot.id = packet.boot "
        "JOIN device ON device.id = boot.device"
    )
    sent = {f"{d.sequence.model.device + d.number:016X}": d for d in devices}
    for key, seq, data in rows:
        device = sent[key]
        equal = seq < device.sent and bytes(data) == device.sequence.frames[seq]
        same, wrong = same + equal, wrong + (not equal)
    damaged = db.execute("SELECT count(*) FROM damaged").fetchone()[0]
    lost = db.execute("SELECT count(*) FROM loss").fetchone()[0]
    db.close()
    return {"same": same, "wrong": wrong, "damaged": damaged, "losses": lost}


def quantiles(values: np.ndarray) -> dict[str, float]:
    """Return median, 99th percentile and maximum, converted from s to ms."""
    q = np.quantile(values, [0.5, 0.99, 1.0]) * 1e3
    return dict(zip(("median", "p99", "most"), q.round(1).tolist(), strict=True))


def halves(values: np.ndarray) -> list[float]:
    """Return the 99th percentile (ms) of each half of the run: growth means falling behind."""
    half = max(len(values) // 2, 1)
    return [round(float(np.quantile(x, 0.99)) * 1e3, 1) for x in (values[:half], values[-half:])]


def is_lossless(run: dict[str, Any]) -> bool:
    """Return whether a run lost nothing and kept up."""
    stored = run["stored"]
    whole = stored["same"] == run["frames_sent"]
    clean = not (
        stored["wrong"] + stored["damaged"] + stored["losses"]
        + run["asked_again"] + run["turned_away"] + run["not_searched"]
    )  # fmt: skip
    first, second = run["late_p99_ms_of_halves"]
    in_time = second < LATE_S * 1e3 and second < 2 * max(first, 100.0)
    if "movements_if_alone" in run:
        first, second = run["arrival_to_row_p99_ms_of_halves"]
        in_time = in_time and second < 2 * max(first, LATE_S * 1e3)
        clean = clean and run["movements"] == run["movements_if_alone"]
    return whole and clean and in_time


def movements_of_one(sequence: FrameSequence) -> list[int]:
    """Return the number of movements that a single device has shown after each frame."""
    model = sequence.model
    data = Encoder().info(model.streams, model.tick_hz, model.device, "")
    info = v1_frames.decode_info(bytes(data))
    source = FrameSource(info, Boot(model.serial, BOOT), 0, lambda _: None)
    view, found = EventPrinter(), [0]
    for due, data in zip(sequence.due, sequence.frames, strict=True):
        view.push([StoredFrame(source, v1_frames.decode_frame(data, info), round(due * 1e9))])
        found.append(view.n_events)
    return found


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress output: movements are counted, not printed."""
    with (
        Path(os.devnull).open("w") as null,
        contextlib.redirect_stdout(null),
        contextlib.redirect_stderr(null),
    ):
        yield


def measure(count: int, seconds: float, scenario: str, live: bool) -> dict[str, Any]:
    """Record `count` devices in this process."""
    sequence = FrameSequence.make(seconds + 0.1 * count + 10, scenario)
    with tempfile.TemporaryDirectory() as folder, quiet():
        run = asyncio.run(record(sequence, count, seconds, Path(folder) / "n.night", live))
    sent = run.pop("sent")
    run["replay_percent_per_device"] = round(100 * replay_cost(sequence, count, 5.0), 3)
    if live:
        with quiet():
            alone = movements_of_one(sequence)
        run["movements_if_alone"] = sum(alone[n] for n in sent)
    run["lossless"] = is_lossless(run)
    return run


def main() -> None:
    """Measure each number of devices in a separate process."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 10, 25, 50, 75, 100])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--scenario", default="night")
    parser.add_argument("--no-detector", action="store_true", help="only record")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    logging.getLogger("twitchsense").setLevel(logging.CRITICAL)
    if len(options.devices) == 1:
        live = not options.no_detector
        runs = [measure(options.devices[0], options.seconds, options.scenario, live)]
    else:
        same = ["--seconds", str(options.seconds), "--scenario", options.scenario]
        same += ["--no-detector"] if options.no_detector else []
        runs = []
        for count in options.devices:
            command = [sys.executable, "-m", "benchmarks.recorder.scaling", "--devices", str(count)]
            done = subprocess.run([*command, *same], capture_output=True, text=True, check=True)
            runs += json.loads(done.stdout)
            print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
    text = json.dumps(runs, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
