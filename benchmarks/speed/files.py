"""Captures and night files: to all result files, and what recording them costs."""

from __future__ import annotations

import tempfile
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from firmware_sim.wearable.firmware import Firmware, Model
from firmware_sim.wearable.wire import ACC, EMG, StreamSpec, Wire
from twitchsense.acquire.frame_queue import FrameSource, Notification, decode_notifications
from twitchsense.bench.process import run_in_process
from twitchsense.bench.synthetic import Arrays, make_tile
from twitchsense.bench.throughput import time_files, write_csv
from twitchsense.bench.timing import measure_cost
from twitchsense.devices.v1_frames import decode_info
from twitchsense.nightfile.records import Boot, Device
from twitchsense.nightfile.writer import NightFile

T0 = 1_790_000_000_000_000_000
STREAMS = (StreamSpec(1, EMG, 2, 1_000_000, 6_553_600), StreamSpec(2, ACC, 3, 100_000, 8_000_000))
#: So much is committed once a second, as the recorder does, and measured; the rest is
#: there for its readers, and a commit waits for the disk.
MEASURED_S = 600
MODEL = Model(0x0123456789ABCDEF, STREAMS, "left")


class Tile:
    """What the simulated firmware samples: a made-up tile, repeated."""

    def __init__(self, arrays: Arrays) -> None:
        emg = np.stack([arrays[f"emg{i}_uv"][0] for i in (1, 2)], axis=1)
        acc = np.stack([arrays[f"acc_{axis}_g"][0] for axis in "xyz"], axis=1)
        self._counts = {
            1: np.rint(emg / 0.2).astype(np.int32),
            2: np.rint(acc * 4096).astype(np.int32),
        }

    def read(self, stream: int, first: int, count: int) -> np.ndarray:
        """Return counts from an index on."""
        return self._counts[stream].take(range(first, first + count), axis=0, mode="wrap")


def record(path: Path, arrays: Arrays, seconds: float) -> float:
    """Write a night file; return what the recorder's part of it cost, in cores.

    That is decoding frames and committing them once a second, without a radio: frames are made
    by the simulated firmware a minute ahead, outside of the measured time.
    """
    firmware = Firmware(MODEL, Tile(arrays), Wire())
    firmware.control(bytes.fromhex("01 01 01000000 00"))
    info = Wire().info(MODEL.streams, MODEL.tick_hz, MODEL.device, MODEL.leg)
    night = NightFile(path)
    night.write([Device(MODEL.serial, "AA:BB", MODEL.name, MODEL.serial, "1.0", info)])
    lane = FrameSource(decode_info(info), Boot(MODEL.serial, 1), 0, lambda stored: None)
    cpu_s, measured_s = 0.0, 0

    def store(batches: list[list[Notification]]) -> None:
        for batch in batches:
            night.write(decode_notifications(list(batch))[0])

    for minute in range(round(seconds / 60)):
        batches = _frames(firmware, lane, 60.0 * minute)
        if measured_s < MEASURED_S:
            cpu_s += measure_cost(lambda b=batches: store(b)).cpu_s
            measured_s += 60
        else:
            store([list(chain.from_iterable(batches))])
    night.close()
    return cpu_s / measured_s


def _frames(firmware: Firmware, lane: FrameSource, first_s: float) -> list[list[Notification]]:
    batches: list[list[Notification]] = [[] for _ in range(60)]
    while True:
        tick = firmware.next_tick()
        at = tick / MODEL.tick_hz
        if at >= first_s + 60:
            return batches
        before = firmware.ring.next
        firmware.advance(tick)
        for seq in range(before, firmware.ring.next):
            arrival = T0 + round((at + 0.004) * 1e9)
            batches[int(at - first_s)].append(Notification(lane, arrival, firmware.ring.get(seq)))


def measure_files(hours: float) -> dict[str, Any]:
    """Measure CSV -> results, night file -> results, the memory of both, and the recorder."""
    tile = make_tile()
    seconds = 3600 * hours
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        captures = write_csv(tile, seconds, folder)
        told: dict[str, Any] = {"hours": hours, "csv": time_files(captures, folder)}
        told["csv"] |= _memory(captures, folder)
        for path in captures:
            path.unlink()
        night = folder / "tonight.night"
        cores = record(night, tile, seconds)
        told["recorder"] = {"share_of_core": cores, "megabytes": night.stat().st_size / 1e6}
        told["night"] = _memory([night], folder)
    return told


def _memory(captures: list[Path], folder: Path) -> dict[str, Any]:
    """Run in a process of its own: its time is that of one go, imports left out."""
    names, out = [str(p) for p in captures], str(folder / "result")
    told = run_in_process(f"analyze_files({names!r}, {out!r})")
    told["once_s"] = told.pop("seconds")
    return told
