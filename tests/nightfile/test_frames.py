"""Stored packets decoded in batches: the same frames and counts as one by one."""

from __future__ import annotations

import sqlite3
from dataclasses import fields

import numpy as np
import pytest

import twitchsense as ts
from tests.nightfile.builders import T0, info_bytes, make_frames, write_night
from twitchsense.devices.v1.v1_frames import FLAG_REPLAY, decode_info
from twitchsense.nightfile.frames import DamageCounts, FrameBatch, FrameDecoder
from twitchsense.nightfile.row_format import packet_crc

INFO = decode_info(info_bytes())


def rows_of(seconds):
    frames = [(seq, T0 + round(at * 1e9), data) for seq, at, data in make_frames(seconds)]
    return [(seq, at, data, packet_crc(seq, at, data)) for seq, at, data in frames]


def damage_some(rows, rng):
    """Change some packets, on the disk and before they were stored."""
    out = []
    for seq, at, data, crc in rows:
        if rng.random() < 0.05:
            bad = bytearray(data)
            bad[int(rng.integers(len(bad)))] ^= 1 << int(rng.integers(8))
            data = bytes(bad[: int(rng.integers(1, 2 * len(bad)))])
            crc = packet_crc(seq, at, data) if rng.random() < 0.5 else crc
        elif rng.random() < 0.05:
            seq += 1
            crc = packet_crc(seq, at, data)
        elif rng.random() < 0.2:  # retransmitted: the checksum is computed with the flag cleared
            data = data[:1] + bytes([data[1] | FLAG_REPLAY]) + data[2:]
            crc = packet_crc(seq, at, data)
        out.append((seq, at, data, crc))
    return out


def decode(rows, size):
    damage = DamageCounts()
    decoder = FrameDecoder(INFO, 1 << 30, damage)
    batches = [decoder.push(rows[k : k + size]) for k in range(0, len(rows), size)]
    columns = {
        f.name: np.concatenate([getattr(t, f.name) for t in batches]).tolist()
        for f in fields(FrameBatch)
        if f.name != "payloads"
    }
    samples = {s.id: np.concatenate([t.samples(s) for t in batches]).tolist() for s in INFO.streams}
    return columns, samples, damage


@pytest.mark.slow  # decodes thousands of frames one by one
@pytest.mark.parametrize("seed", range(6))
def test_batches_of_any_size_decode_to_the_same_frames(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    rows = damage_some(rows_of(20), rng) if seed else rows_of(20)
    one_by_one = decode(rows, 1)
    assert len(one_by_one[0]["seq"]) > 200
    for size in (7, 100, len(rows)):
        assert decode(rows, size) == one_by_one
    assert (one_by_one[2] == DamageCounts()) == (seed == 0)
    if not seed:  # valid batches are not decoded packet by packet
        monkeypatch.setattr("twitchsense.nightfile.frames.decode_frame", None)
        decoder = FrameDecoder(INFO, 1 << 30, DamageCounts())
        assert len(decoder.push(rows)) == len(rows)


@pytest.mark.parametrize(
    ("column", "value"), [("data", "text"), ("arrival_ns", "'noon'"), ("crc", 5)]
)
def test_values_of_a_wrong_type_count_as_corrupt(column, value, tmp_path):
    path = write_night(tmp_path / "a.night", 10)
    with sqlite3.connect(path) as db:
        text = f"'{value}'" if value == "text" else value
        db.execute(f"UPDATE packet SET {column} = {text} WHERE seq = 20")
    db.close()
    recording = ts.read(path)
    assert any("1 packets damaged on the disk and 0 that" in n for n in recording.notes)
