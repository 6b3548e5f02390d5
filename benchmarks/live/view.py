"""The live view over a night at 60 times real time, and its latency in real time.

python -m benchmarks.live.view --hours 8 --speed 60     memory and completeness of the follower;
    with --view browser or --view terminal, of the whole view
python -m benchmarks.live.view --latency 60             latency over 60 s in real time

A separate process writes the frames of the simulated wearable to a night file, in batches like
the recorder; the view follows that file. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from firmware_sim.capture import SimulatedCapture
from firmware_sim.wearable.capture_source import CaptureSource
from firmware_sim.wearable.encoder import Encoder
from firmware_sim.wearable.firmware import Firmware
from firmware_sim.wearable.plug import make_options
from twitchsense.live.follower import NightFollower
from twitchsense.live.web import LiveServer
from twitchsense.nightfile.writer import Boot, Device, NightFileWriter, Packet

NS = 1_000_000_000
_BATCH_S = 1.0


def write(path: Path, hours: float, speed: float) -> None:
    """Write a night to a file at `speed` times real time."""
    plan = make_options(minutes=hours * 60 + 1)
    model = plan.model(0)
    firmware = Firmware(
        model, CaptureSource(SimulatedCapture(plan.settings), model.streams), Encoder(), 1
    )
    firmware.control(bytes.fromhex("01 01 01000000 00"))
    night, boot = NightFileWriter(path), Boot(model.serial, 1)
    info = Encoder().info(model.streams, model.tick_hz, model.device, model.leg)
    night.write([Device(model.serial, "AA", model.name, model.serial, "1", info)])
    t0, began, due, batch = time.time_ns(), time.monotonic(), _BATCH_S, []
    while (at := (tick := firmware.next_tick()) / model.tick_hz) < hours * 3600:
        before = firmware.ring.next
        firmware.advance(tick)
        for seq in range(before, firmware.ring.next):
            batch.append(Packet(boot, seq, t0 + round(at * NS), firmware.ring.get(seq)))
        if at >= due:
            night.write(batch)
            batch, due = [], due + _BATCH_S
            time.sleep(max(0.0, began + at / speed - time.monotonic()))
    night.write(batch)
    night.close()


def resident_mb() -> float:
    """Return the resident memory (MB) of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


@asynccontextmanager
async def view_of(
    kind: str, follower: NightFollower
) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Open a view; yield a function that updates it and returns the number of new frames."""

    async def look() -> int:
        new = follower.poll()
        follower.state(counts=True)
        return new

    async def look_at_terminal() -> int:
        before = follower.frames
        await app.poll()
        return follower.frames - before

    if kind == "terminal":
        from twitchsense.live.terminal import LiveApp

        app = LiveApp(follower, counts=True)
        async with app.run_test(size=(100, 36)):
            yield look_at_terminal
    elif kind == "browser":
        server = LiveServer(follower, counts=True)
        server.start()
        stream, _ = open_event_stream(server)
        threading.Thread(
            target=lambda: [None for _ in iter(stream.readline, b"")], daemon=True
        ).start()
        yield look
        server.stop()
    else:
        yield look


def open_event_stream(
    server: LiveServer,
) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
    """Open the event stream as a browser does."""
    link = http.client.HTTPConnection("127.0.0.1", server.port)
    link.request("GET", f"/?token={server.token}")
    answer = link.getresponse()
    cookie = answer.headers["Set-Cookie"].split(";")[0]
    answer.read()
    link.request("GET", f"/news?token={server.token}", headers={"Cookie": cookie})
    return link.getresponse(), link


async def follow(hours: float, speed: float, kind: str) -> dict[str, object]:
    """Follow a night file to its end, and return speed, completeness and memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "n.night"
        writer = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.live.view", "--write", str(path),
             "--hours", str(hours), "--speed", str(speed)]
        )  # fmt: skip
        while not (path.exists() and path.stat().st_size):
            time.sleep(0.1)
        time.sleep(0.5)
        follower, first, began = NightFollower(path), 0, time.monotonic()
        memory: list[float] = []
        async with view_of(kind, follower) as look:
            while True:
                ended = writer.poll() is not None
                new = await look()
                if follower.newest_ns:
                    first = first or follower.newest_ns
                    if follower.newest_ns - first >= len(memory) * 600 * NS:
                        memory.append(round(resident_mb(), 1))
                if not new:
                    if ended:
                        break
                    await asyncio.sleep(0.1)
        wall_s = time.monotonic() - began
        with sqlite3.connect(path) as db:
            stored = db.execute("SELECT count(*) FROM packet").fetchone()[0]
        return {
            "hours": hours,
            "wall_s": round(wall_s),
            "speed": round(hours * 3600 / wall_s, 1),
            "frames_seen": follower.frames,
            "frames_stored": stored,
            "events": follower.counts,
            "memory_mb_every_10_minutes": memory,
        }


def latency(seconds: float) -> dict[str, object]:
    """Record the simulator in real time, and measure the age of samples in the event stream."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "n.night"
        recorder = subprocess.Popen(
            [sys.executable, "-m", "twitchsense.cli", "record", "--device", "sim", "--live",
             "--out", str(path), "-q", "--duration", str(seconds)], stdout=subprocess.DEVNULL
        )  # fmt: skip
        while not (path.exists() and path.stat().st_size):
            time.sleep(0.1)
        follower = NightFollower(path)
        server = LiveServer(follower)
        server.start()

        def look() -> None:
            while not server.stopped.is_set():
                if not follower.poll():
                    time.sleep(0.2)

        threading.Thread(target=look, daemon=True).start()
        stream, _ = open_event_stream(server)
        ages, last = [], 0.0
        while recorder.poll() is None:
            line = stream.readline()
            if not line.startswith(b"data: "):
                continue
            state = json.loads(line[6:])
            if state["newest"] > last:
                # the oldest new sample of this message has waited longest
                if last:
                    ages.append(time.time() - last)
                last = state["newest"]
        server.stop()
        q = np.quantile(ages, [0.5, 0.95, 1.0])
        return {
            "messages": len(ages),
            "age_s_of_the_oldest_new_sample": dict(zip(("median", "p95", "max"),
                                                       q.round(3).tolist(), strict=True)),
        }  # fmt: skip


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--speed", type=float, default=60.0)
    parser.add_argument("--view", choices=("none", "browser", "terminal"), default="none")
    parser.add_argument("--latency", type=float)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    if options.write:
        write(options.write, options.hours, options.speed)
    elif options.latency:
        print(json.dumps(latency(options.latency), indent=2))
    else:
        result = asyncio.run(follow(options.hours, options.speed, options.view))
        print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
