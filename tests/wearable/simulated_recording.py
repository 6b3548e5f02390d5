"""Recordings of simulated wearables in virtual time, with the frames they produced."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from firmware_sim.wearable.faults import parse_faults
from firmware_sim.wearable.plug import WearableOptions, open_air
from firmware_sim.wearable.serve import expose_controller
from firmware_sim.wearable.virtual_time import run_virtual
from tests.nightfile.builders import T0, Noise
from twitchsense.acquire.adapter import Adapter, AdapterError
from twitchsense.acquire.recorder import Recorder, make_metadata
from twitchsense.nightfile.loss_report import read_loss_reports
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.recorder_clock import RecorderClock
from twitchsense.nightfile.writer import NightFileWriter


@dataclass
class SimulatedRecording:
    """What the simulator produced, and what was recorded."""

    path: object
    #: (device, boot count) -> every frame the firmware produced, in order
    truth: dict = field(default_factory=dict)
    boot_times: dict = field(default_factory=dict)
    status: list = field(default_factory=list)
    air: object = None
    recorder: object = None
    task: object = None

    def check(self, *, lost=()):
        """Every frame is stored bit for bit, or reported lost for one of these reasons."""
        books = {(b.device, b.count): b for b in read_loss_reports(self.path)}
        reader = NightFileReader(self.path)
        for (device, count), frames in self.truth.items():
            if not frames:
                continue
            book = books[device, count]
            assert book.unresolved == ()
            assert set(book.lost) <= set(lost)
            rows = dict(
                reader.query(
                    "SELECT seq, data FROM packet JOIN boot ON boot.id = packet.boot "
                    "JOIN device ON device.id = boot.device WHERE key = ? AND count = ?",
                    device,
                    count,
                )
            )
            assert len(rows) == book.received
            for seq, data in rows.items():
                plain = bytes([data[0], data[1] & ~1, *data[2:]])
                assert plain == frames[seq]
            missing = len(frames) - len(rows)
            told = sum(book.lost.values())
            if book.unbounded_loss:
                assert book.unbounded_loss in lost
                assert missing >= told
            else:
                assert missing == told
        assert reader.query("SELECT detail FROM link WHERE event = 'error'") == []
        assert books.keys() == {key for key, frames in self.truth.items() if frames}
        reader.close()
        return books


def record_simulated(
    path, seconds, faults="", *, plans=None, mtu=247, during=None, inline=True, **options
):
    """Record simulated wearables for `seconds` of virtual time."""
    options.setdefault("source", lambda model: Noise())
    made = plans or [WearableOptions(faults=parse_faults(faults), **options)]

    async def night():
        loop = asyncio.get_running_loop()
        async with open_air(wearable_options=made, mtu=mtu) as air:
            radio = Adapter(air.scanner, air.client)
            now_ns = lambda: T0 + round(loop.time() * 1e9)  # noqa: E731
            return await _record(path, seconds, air, radio, during, now_ns=now_ns, inline=inline)

    return run_virtual(night())


def record_on_bluez(path, seconds, *faults):
    """Record wearables, each with its faults, through this computer's Bluetooth (vhci).

    In real time, which starts when all are connected.
    """
    made = [WearableOptions(source=lambda model: Noise()) for _ in faults]

    def during(result, loop, stop):
        async def wait():
            sessions = result.recorder.sessions
            while not all(s.status.connected for s in sessions):
                await asyncio.sleep(0.2)
            loop.call_later(seconds, stop.set)
            pairs = zip(result.air.wearables, faults, strict=True)
            await asyncio.gather(*[w.inject_faults(parse_faults(f)) for w, f in pairs])

        result.task = asyncio.ensure_future(wait())

    async def night():
        async with expose_to_bluez(made) as air:
            return await _record(path, 120, air, Adapter(), during, now_ns=RecorderClock())

    return asyncio.run(night())


@asynccontextmanager
async def expose_to_bluez(plans, expose=expose_controller):
    """Expose devices once BlueZ has accepted their controller, which must answer within 2 s."""
    for _ in range(3):
        async with expose("vhci", plans) as air:
            for _ in range(30):
                with contextlib.suppress(AdapterError):
                    await Adapter().scan(0.1)
                    yield air
                    return
                await asyncio.sleep(0.5)
    raise AssertionError("BlueZ does not take the controller")


async def _record(path, seconds, air, radio, during, **options):
    loop = asyncio.get_running_loop()
    result = SimulatedRecording(path, air=air)
    for wearable in air.wearables:
        wearable.on_stored = lambda firmware, w=wearable: collect_frames(result, w, firmware)
    file = NightFileWriter(path, make_metadata())
    names = [w.model.name for w in air.wearables]
    result.recorder = recorder = Recorder(radio, file, names, **options)
    stop = asyncio.Event()
    loop.call_later(seconds, stop.set)
    if during is not None:
        during(result, loop, stop)
    await recorder.run(stop)
    file.close()
    result.status = [s.status for s in recorder.sessions]
    return result


def collect_frames(result, wearable, firmware):
    key = (firmware.model.serial, firmware.boot_count)
    frames = result.truth.setdefault(key, [])
    result.boot_times[key] = wearable.boot_time_s
    ring = firmware.ring
    while len(frames) < ring.next:
        frames.append(ring.get(len(frames)))
