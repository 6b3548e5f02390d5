"""Builds night files without Bluetooth, from frames of the simulated firmware."""

from __future__ import annotations

import sqlite3

import numpy as np

from firmware_sim.wearable.encoder import ACC, EMG, Encoder, StreamSpec
from firmware_sim.wearable.firmware import DeviceModel, Firmware
from twitchsense.nightfile import schema
from twitchsense.nightfile.records import Boot, Device, Packet
from twitchsense.nightfile.row_format import packet_crc
from twitchsense.nightfile.writer import NightFileWriter

T0 = 1_790_000_000_000_000_000
STREAMS = (StreamSpec(1, EMG, 2, 1_000_000, 6_553_600), StreamSpec(2, ACC, 3, 100_000, 8_000_000))
MODEL = DeviceModel(0x0123456789ABCDEF, STREAMS, "left")
KEY = MODEL.serial


class Noise:
    """Counts that depend on stream and index only, so that they can be computed again."""

    def read(self, stream, first, count):
        width = {1: 2, 2: 3}[stream]
        k = np.arange(first, first + count, dtype=np.int64)[:, None]
        mixed = (k * 2654435761 + np.arange(1, width + 1) * 40503 * stream) >> 7
        counts = mixed % 8192 - 4096 + (4096 if stream == 2 else 0)
        return counts.astype(np.int32)


def info_bytes(model=MODEL, encoder=None):
    """Return the *info* characteristic of a model."""
    return (encoder or Encoder()).info(model.streams, model.tick_hz, model.device, model.leg)


def device(model=MODEL):
    """Return the record of a device."""
    return Device(model.serial, "AA:BB", model.name, model.serial, "1.0", info_bytes(model))


def make_frames(seconds, *, model=MODEL, boot=1, drift=0.0, rng=None, start_s=0.0):
    """Return sequence number, time of completion (s) and bytes of all frames."""
    firmware = Firmware(model, Noise(), Encoder(), boot)
    firmware.control(bytes.fromhex("01 01 01000000 00"))
    frames = []
    while True:
        tick = firmware.next_tick()
        at = tick / (model.tick_hz * (1 + drift))
        if at > seconds:
            return frames
        before = firmware.ring.next
        firmware.advance(tick)
        for seq in range(before, firmware.ring.next):
            frames.append((seq, start_s + at, firmware.ring.get(seq)))


def write_night(path, seconds, *, keep=None, boots=(1,), drift=0.0, latency=0.004, model=MODEL):
    """Write a night file of some boots, without the frames that `keep(boot, seq)` rejects."""
    rng = np.random.default_rng(1)
    night = NightFileWriter(path)
    night.write([device(model)])
    start = 0.0
    for count in boots:
        boot = Boot(model.serial, count)
        batch = []
        for seq, at, data in make_frames(
            seconds, model=model, boot=count, drift=drift, start_s=start
        ):
            if keep is None or keep(count, seq):
                arrival = T0 + round((at + latency + rng.exponential(0.01)) * 1e9)
                batch.append(Packet(boot, seq, arrival, data))
        night.write(batch)
        start += seconds + 5
    night.close()
    return path


def downgrade(path, version):
    """Rewrite a night file as a recorder of an earlier schema would have written it."""
    old = path.with_name("old.night")
    db = sqlite3.connect(path)
    db.execute("ATTACH ? AS old", (str(old),))
    for statement in "".join(schema.MIGRATIONS[:version]).split(";\n")[:-1]:
        db.execute(statement.replace("CREATE TABLE ", "CREATE TABLE old.", 1))
    for (table,) in db.execute("SELECT name FROM old.sqlite_master WHERE type = 'table'"):
        names = [row[1] for row in db.execute(f"PRAGMA old.table_info({table})")]
        db.execute(f"INSERT INTO old.{table} SELECT {', '.join(names)} FROM main.{table}")
    db.create_function("old_crc", 3, packet_crc)
    db.execute("UPDATE old.packet SET crc = old_crc(seq, arrival_ns, data)")
    if version >= 3:
        db.execute("UPDATE old.value SET crc = old_crc(number, arrival_ns, data)")
    db.execute(f"PRAGMA old.user_version = {version}")
    db.execute(f"PRAGMA old.application_id = {schema.APPLICATION_ID}")
    db.commit()
    db.close()
    old.replace(path)


def capture_connections(monkeypatch):
    """Return a list to which the SQLite connection of every writer is appended."""
    connections = []

    def connect(path, *, write):
        connections.append(schema.connect(path, write=write))
        return connections[-1]

    monkeypatch.setattr("twitchsense.nightfile.open_file.connect", connect)
    return connections
