"""Writes XDF files from the public specification (XDF 1.0)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np

CODES = {"float32": "<f4", "double64": "<f8", "int16": "<i2", "int32": "<i4"}
BOUNDARY = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")


def chunk(tag, content):
    """Return a chunk, with a length of one, four or eight bytes as it needs."""
    length = len(content) + 2
    if length < 256:
        head = b"\x01" + struct.pack("<B", length)
    else:
        head = b"\x04" + struct.pack("<I", length)
    return head + struct.pack("<H", tag) + content


@dataclass
class Stream:
    """A stream: samples of shape (n, channels), and the time of each by its own clock."""

    number: int
    name: str
    samples: np.ndarray
    times: np.ndarray
    fs: float
    kind: str = "EMG"
    labels: list = field(default_factory=list)
    units: list = field(default_factory=list)
    types: list = field(default_factory=list)
    form: str = "float32"
    per_chunk: int = 50
    offsets: list = field(default_factory=list)  # (time, offset)
    stamp_all: bool = False

    def header(self):
        channels = "".join(
            f"<channel><label>{label}</label><unit>{unit}</unit><type>{kind}</type></channel>"
            for label, unit, kind in zip(
                self.labels, self.units, self.types or [self.kind] * len(self.labels), strict=True
            )
        )
        desc = f"<desc><channels>{channels}</channels></desc>" if channels else "<desc/>"
        xml = (
            f'<?xml version="1.0"?><info><name>{self.name}</name><type>{self.kind}</type>'
            f"<channel_count>{self.samples.shape[1]}</channel_count>"
            f"<nominal_srate>{self.fs}</nominal_srate>"
            f"<channel_format>{self.form}</channel_format>{desc}</info>"
        )
        return chunk(2, struct.pack("<I", self.number) + xml.encode())

    def chunks(self):
        """Yield time and bytes of each chunk of samples and of each clock offset."""
        for time, offset in self.offsets:
            yield time + offset, chunk(4, struct.pack("<Idd", self.number, time, offset))
        values = self.samples.astype(CODES[self.form])
        for first in range(0, len(values), self.per_chunk):
            rows = b""
            block = values[first : first + self.per_chunk]
            for i, row in enumerate(block):
                if i == 0 or self.stamp_all:
                    rows += b"\x08" + struct.pack("<d", self.times[first + i]) + row.tobytes()
                else:
                    rows += b"\0" + row.tobytes()
            count = struct.pack("<BI", 4, len(block))
            yield self.times[first], chunk(3, struct.pack("<I", self.number) + count + rows)


def encode(streams, recorded="2026-03-01T22:10:05+0100"):
    """Return an XDF file."""
    when = f"<datetime>{recorded}</datetime>" if recorded else ""
    head = f'<?xml version="1.0"?><info><version>1.0</version>{when}</info>'
    data = b"XDF:" + chunk(1, head.encode())
    data += b"".join(s.header() for s in streams)
    parts = sorted(
        ((time, i, part) for i, s in enumerate(streams) for time, part in s.chunks()),
        key=lambda p: p[0],
    )
    for n, (_, _, part) in enumerate(parts):
        data += part
        if n % 20 == 19:
            data += chunk(5, BOUNDARY)
    for s in streams:
        data += chunk(6, struct.pack("<I", s.number) + b"<info/>")
    return data


def emg_stream(n=20_000, fs=1000.0, true_fs=None, start=5000.0, number=1, **more):
    """Return a stream of two EMG channels in µV."""
    rng = np.random.default_rng(number)
    samples = rng.normal(0, 12, (n, 2))
    times = start + np.arange(n) / (true_fs or fs)
    options = {"labels": ["TA left", "TA right"], "units": ["microvolts"] * 2, **more}
    return Stream(number, "Leg", samples, times, fs, **options)


def acc_stream(n=2000, fs=100.0, true_fs=None, start=5000.2, number=2, **more):
    """Return a stream of an accelerometer in m/s²."""
    rng = np.random.default_rng(number)
    samples = rng.normal(0, 0.3, (n, 3)) + [0, 0, 9.8]
    times = start + np.arange(n) / (true_fs or fs)
    options = {"labels": ["X", "Y", "Z"], "units": ["m/s^2"] * 3, "kind": "Accelerometer", **more}
    return Stream(number, "IMU", samples, times, fs, **options)
