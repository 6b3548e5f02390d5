"""Time from captures and night files to all result files, and the cost of recording."""

from __future__ import annotations

import tempfile
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cohort_scaling import measure as measure_cohort
from firmware_sim.wearable.encoder import ACC, EMG, Encoder, StreamSpec
from firmware_sim.wearable.firmware import DeviceModel, Firmware
from twitchsense.acquire.frame_queue import FrameSource, Notification, decode_notifications
from twitchsense.bench.process import measure_cost, run_in_process
from twitchsense.bench.synthetic import Arrays, make_tile
from twitchsense.bench.throughput import time_files, write_csv
from twitchsense.cohort.manifest import NightEntry
from twitchsense.devices.v1.v1_frames import decode_info
from twitchsense.nightfile.records import Boot, Device
from twitchsense.nightfile.writer import NightFileWriter
from twitchsense.settings import Settings

START_NS = 1_790_000_000_000_000_000
STREAMS = (StreamSpec(1, EMG, 2, 1_000_000, 6_553_600), StreamSpec(2, ACC, 3, 100_000, 8_000_000))
#: Nights of the cohort whose processor time is measured.
COHORT_NIGHTS = 4
#: Signal (s) that is committed once per second, as by the recorder, and measured. The rest is
#: written in larger commits, because each commit waits for the disk.
MEASURED_S = 600
MODEL = DeviceModel(0x0123456789ABCDEF, STREAMS, "left")


class Tile:
    """Sample source of the simulated firmware: a synthetic tile, repeated."""

    def __init__(self, arrays: Arrays) -> None:
        emg = np.stack([arrays[f"emg{i}_uv"][0] for i in (1, 2)], axis=1)
        acc = np.stack([arrays[f"acc_{axis}_g"][0] for axis in "xyz"], axis=1)
        self._counts = {
            1: np.rint(emg / 0.2).astype(np.int32),
            2: np.rint(acc * 4096).astype(np.int32),
        }

    def read(self, stream: int, first: int, count: int) -> np.ndarray:
        """Return ``count`` samples of a stream, in ADC counts."""
        return self._counts[stream].take(range(first, first + count), axis=0, mode="wrap")


def record(path: Path, arrays: Arrays, seconds: float) -> float:
    """Write a night file and measure the recorder's share of a core.

    Measured are decoding frames and committing them once per second, without a radio. The
    simulated firmware makes the frames a minute ahead, outside the measured time.

    Parameters
    ----------
    path : Path
    arrays : dict
        Synthetic signals, repeated as needed.
    seconds : float
        Length of the night.

    Returns
    -------
    float
        Processor time over signal time.
    """
    firmware = Firmware(MODEL, Tile(arrays), Encoder())
    firmware.control(bytes.fromhex("01 01 01000000 00"))
    info = Encoder().info(MODEL.streams, MODEL.tick_hz, MODEL.device, MODEL.leg)
    night = NightFileWriter(path)
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
            arrival = START_NS + round((at + 0.004) * 1e9)
            batches[int(at - first_s)].append(Notification(lane, arrival, firmware.ring.get(seq)))


def measure_files(hours: float) -> dict[str, Any]:
    """Measure CSV and night file to results (time and memory), and the recorder."""
    tile = make_tile()
    seconds = 3600 * hours
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        captures = write_csv(tile, seconds, folder)
        measured: dict[str, Any] = {"hours": hours, "csv": time_files(captures, folder)}
        measured["csv"] |= _memory(captures, folder)
        measured["cohort"] = _cohort(captures, folder / "cohort")
        for path in captures:
            path.unlink()
        night = folder / "tonight.night"
        share_of_core = record(night, tile, seconds)
        measured["recorder"] = {
            "share_of_core": share_of_core,
            "megabytes": night.stat().st_size / 1e6,
        }
        measured["night"] = _memory([night], folder)
    return measured


def _cohort(captures: list[Path], out: Path) -> dict[str, Any]:
    """Analyse the same night several times in one worker of a cohort."""
    names = [f"night {k}" for k in range(COHORT_NIGHTS)]
    nights = [NightEntry(name, tuple(captures), name, Settings()) for name in names]
    measured = measure_cohort(nights, out, 1)
    hours = 1000 * measured["cpu_s_per_night"] / 3600
    return measured | {"vcpu_hours_per_1000_nights": hours}


def _memory(captures: list[Path], folder: Path) -> dict[str, Any]:
    """Analyse once in a fresh process; ``once_s`` is the time without imports."""
    names, out = [str(p) for p in captures], str(folder / "result")
    measured = run_in_process(f"analyze_files({names!r}, {out!r})")
    measured["once_s"] = measured.pop("seconds")
    return measured
