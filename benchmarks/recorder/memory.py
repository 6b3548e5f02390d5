"""Memory of the recorder over a night, without the simulated radio, body and Bluetooth host.

Run ``python benchmarks/recorder/memory.py --hours 8``. Of the wearable only the control point and
the ring buffer are simulated, behind a substitute for bleak's client; all samples are zero. The
outages are those of `recorder.night`. Prints the memory of the process after each hour and around
each outage, and the size of the ring buffer at the end of each outage, as JSON. With ``--body``,
only the simulated body of `recorder.night` is run, without recorder and Bluetooth.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from firmware_sim.wearable.encoder import Encoder, StreamSpec
from firmware_sim.wearable.firmware import DeviceModel, Firmware
from firmware_sim.wearable.virtual_time import run_virtual
from twitchsense.acquire.adapter import Adapter, Advertisement
from twitchsense.acquire.recorder import Recorder, make_metadata
from twitchsense.devices.v1 import v1_frames
from twitchsense.devices.v1.v1_driver import V1Driver
from twitchsense.nightfile.loss_report import read_loss_reports
from twitchsense.nightfile.writer import NightFileWriter

START_NS = 1_790_000_000_000_000_000
#: Start (share of the night) and length (s), as in `recorder.night`.
OUTAGES = [(0.05, 3), (0.12, 8), (0.2, 45), (0.27, 120), (0.33, 15), (0.41, 300), (0.5, 5),
           (0.58, 600), (0.7, 60), (0.85, 1200)]  # fmt: skip
_STEP_S = 0.1
_FRAMES = 12  # per step: 120 per second, six times the rate of new frames
_STREAMS = (StreamSpec(1, 1, 2, 1_000_000, 6_553_600), StreamSpec(2, 2, 3, 100_000, 8_000_000))


class ZeroSource:
    """Sample source that is always zero."""

    def read(self, stream: int, first: int, count: int) -> np.ndarray:
        """Return zeros, a row for each sample."""
        return np.zeros((count, 2 if stream == 1 else 3), np.int32)


class Wearable:
    """Simulated firmware whose frames go directly to the connected client."""

    def __init__(self, outages: list[tuple[float, float]]) -> None:
        self.firmware = Firmware(DeviceModel(1, _STREAMS), ZeroSource(), Encoder())
        self.outages = outages
        self.client: Client | None = None

    def is_away(self) -> bool:
        """Return whether the wearable is out of range."""
        now = asyncio.get_running_loop().time()
        return any(start <= now < stop for start, stop in self.outages)

    async def run(self) -> None:
        """Sample, send frames to the client, and disconnect during outages."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_STEP_S)
            self.firmware.advance(int(loop.time() * 32768))
            if self.client is not None and self.is_away():
                self.firmware.unsubscribe()
                lost, self.client = self.client, None
                lost.on_lost()
            for _ in range(_FRAMES if self.client else 0):
                frame = self.firmware.next_frame()
                if frame is None:
                    break
                self.client.listeners[v1_frames.DATA_UUID](None, bytearray(frame))


class Client:
    """What `Link` uses of bleak's client."""

    def __init__(self, wearable: Wearable, on_lost) -> None:
        self.wearable = wearable
        self.on_lost = on_lost
        self.listeners = {}
        self.services = SimpleNamespace(get_characteristic=lambda uuid: uuid)
        self.values = {
            v1_frames.INFO_UUID: Encoder().info(_STREAMS, 32768, 1, ""),
            v1_frames.BATTERY_UUID: b"\x50",
            v1_frames.SERIAL_UUID: b"1",
            v1_frames.FIRMWARE_UUID: b"1",
        }

    async def connect(self) -> None:
        """Connect without delay."""
        self.wearable.client = self

    async def disconnect(self) -> None:
        """Disconnect from the wearable."""
        self.wearable.firmware.unsubscribe()
        self.wearable.client = None

    async def read_gatt_char(self, uuid: str) -> bytes:
        """Return the value of a characteristic."""
        return self.values[uuid]

    async def start_notify(self, uuid: str, listener) -> None:
        """Register a listener."""
        self.listeners[uuid] = listener
        if uuid == v1_frames.DATA_UUID:
            self.wearable.firmware.subscribe()

    async def write_gatt_char(self, uuid: str, request: bytes, response: bool) -> None:
        """Send a request to the control point and deliver its response."""
        answer = self.wearable.firmware.control(request)
        self.listeners[uuid](None, bytearray(answer))


class Bench(Adapter):
    """A radio with one wearable, without air."""

    def __init__(self, wearable: Wearable) -> None:
        super().__init__()
        object.__setattr__(self, "wearable", wearable)

    async def scan(self, seconds, wanted=None, *, unknown=False):
        """Return the wearable, or nothing while it is away."""
        if self.wearable.is_away():
            await asyncio.sleep(seconds)
            return []
        return [Advertisement("00:00:00:00:00:01", "bench", None, None, V1Driver())]

    def lock(self, address):
        """Lock nothing: there is no other recorder."""
        return nullcontext()

    def make_client(self, device, on_lost):
        """Return a client of the wearable."""
        return Client(self.wearable, on_lost)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--body", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    if options.body:
        print(json.dumps({"after_each_hour": sample_body(options.hours)}))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.night"
        print(json.dumps(run_virtual(record(path, options.hours * 3600)), indent=2))


def memory_mb() -> float:
    """Return the resident memory (MB) of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * 4096 / 1e6, 1)


def sample_body(hours: float) -> list[float]:
    """Return the resident memory (MB) after each hour of simulating the body."""
    from firmware_sim.capture import SimulatedCapture
    from firmware_sim.wearable.plug import WearableOptions

    plan = WearableOptions(minutes=hours * 60 + 1, seed=1, drift_ppm=80.0, wander_ppm=4.0)
    samples, result = 0, []
    for block in SimulatedCapture(plan.settings).blocks(5):
        samples += len(block.emg)
        if samples >= (len(result) + 1) * 3_600_000:
            result.append(memory_mb())
    return result


async def record(path: Path, seconds: float) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    outages = [(at * seconds, at * seconds + long) for at, long in OUTAGES]
    wearable = Wearable(outages)
    file = NightFileWriter(path, make_metadata())
    clock = lambda: START_NS + round(loop.time() * 1e9)  # noqa: E731
    recorder = Recorder(Bench(wearable), file, ["bench"], now_ns=clock, inline=True)
    stop = asyncio.Event()
    loop.call_later(seconds, stop.set)
    result: dict[str, object] = {"before": memory_mb()}
    hourly: list[float] = []
    outage_memory: list[dict[str, float]] = []

    async def sample_hourly() -> None:
        while True:
            await asyncio.sleep(3600)
            hourly.append(memory_mb())

    async def sample_outages() -> None:
        status = recorder.sessions[0].status
        for start, end in outages:
            await asyncio.sleep(max(0.0, start - loop.time() - 1))
            entry = {"outage_s": end - start, "before": memory_mb()}
            await asyncio.sleep(max(0.0, end - loop.time()))
            entry["at_its_end"] = memory_mb()
            ring = wearable.firmware.ring
            frames = (ring.get(seq) for seq in range(ring.oldest, ring.next))
            entry["ring_mb"] = round(sum(map(sys.getsizeof, frames)) / 1e6, 1)
            while not status.connected or status.n_missing:
                await asyncio.sleep(1)
            outage_memory.append({**entry, "fetched": memory_mb()})

    tasks = [loop.create_task(w) for w in (wearable.run(), sample_hourly(), sample_outages())]
    await recorder.run(stop)
    for task in tasks:
        task.cancel()
    result["after"] = memory_mb()
    file.close()
    result |= {"after_each_hour": hourly, "outages": outage_memory}
    (report,) = read_loss_reports(path)
    result["frames"] = {"made": report.end, "stored": report.received, "lost": report.lost}
    result["simulator_loaded"] = any(m in sys.modules for m in ("bumble", "scipy"))
    return result


if __name__ == "__main__":
    main()
