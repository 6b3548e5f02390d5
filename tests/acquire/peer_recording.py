"""Recordings of simulated peripherals of other makers, in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from firmware_sim.peers.gatt_server import serve_models
from firmware_sim.wearable.virtual_time import run_virtual
from tests.nightfile.builders import T0
from twitchsense.acquire.adapter import Adapter
from twitchsense.acquire.recorder import Recorder, make_metadata
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.writer import NightFileWriter


@dataclass
class PeerRecording:
    """What was recorded.

    Attributes
    ----------
    peripherals : list of GattPeripheral
        Their `sent` and `dropped` notifications are the truth.
    status : list of SessionStatus
    recorder : Recorder
    """

    peripherals: list = field(default_factory=list)
    status: list = field(default_factory=list)
    recorder: object = None


def record_peers(path, models, devices, seconds, *, during=None, start_s=0, **options):
    """Record peripherals for some seconds of virtual time.

    `during(result, radio)` is a coroutine function that runs beside the recording.
    """

    async def night():
        loop = asyncio.get_running_loop()
        async with serve_models(models, error_rate=0.02) as (radio, peripherals, _):
            file = NightFileWriter(path, make_metadata())
            result = PeerRecording(peripherals)
            result.recorder = Recorder(
                Adapter(radio.scanner, radio.client),
                file,
                devices,
                now_ns=lambda: T0 + round((start_s + loop.time()) * 1e9),
                inline=True,
                **options,
            )
            stop = asyncio.Event()
            loop.call_later(seconds, stop.set)
            beside = asyncio.ensure_future(during(result, radio)) if during else None
            try:
                await result.recorder.run(stop)
            finally:
                file.close()
            if beside is not None:
                await beside
            result.status = [s.status for s in result.recorder.sessions]
            return result

    return run_virtual(night())


def query(path, sql):
    """Return the rows of a query on a night file."""
    reader = NightFileReader(path)
    try:
        return reader.query(sql)
    finally:
        reader.close()


def stored_values(path, direction=None):
    """Return (connection, characteristic, direction, data) of the stored values, in order."""
    rows = query(
        path,
        "SELECT connection, uuid, direction, data FROM value "
        "JOIN characteristic ON characteristic.id = characteristic ORDER BY value.id",
    )
    return [row for row in rows if direction in (None, row[2])]


def connection_log(path):
    """Return (event, detail) of the connection log."""
    return query(path, "SELECT event, detail FROM link ORDER BY id")
