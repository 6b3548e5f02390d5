"""Writes files of accelerometers from the public descriptions of their formats."""

from __future__ import annotations

import datetime
import io
import struct
import zipfile
from pathlib import Path

import numpy as np

START = datetime.datetime(2026, 3, 1, 22, 10, 5)


def motion(n, seed=3, limit=4.0):
    """Return gravity with noise in g, shape (n, 3)."""
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(0, 0.3, (n, 3)) + [0.1, -0.2, 0.97], -limit, limit)


# ---- Axivity ---------------------------------------------------------------------------


def cwa_clock(second):
    """Return a clock time as Axivity packs it."""
    t = START + datetime.timedelta(seconds=second)
    return (
        (t.year - 2000) << 26 | t.month << 22 | t.day << 17 | t.hour << 12 | t.minute << 6
        | t.second
    )  # fmt: skip


def pack_10_bits(counts):
    """Pack samples as three mantissas of 10 bits with one exponent; return words and values."""
    words, kept = [], []
    for row in counts.tolist():
        exponent = 0
        while exponent < 3 and max(abs(v >> exponent) for v in row) > 511:
            exponent += 1
        mantissas = [max(-512, min(511, v >> exponent)) for v in row]
        word = exponent << 30
        for axis, m in enumerate(mantissas):
            word |= (m & 0x3FF) << (10 * axis)
        words.append(word)
        kept.append([m << exponent for m in mantissas])
    return np.array(words, "<u4").tobytes(), np.array(kept)


def cwa_sector(data, *, rate, packing, light, count, number, time_s, fractional):
    """Return a sector; `time_s` is that of its first sample, since `START`."""
    hertz = 3200 / (1 << (15 - (rate & 15)))
    second = int(np.floor(time_s)) + 1  # a timestamp lies within its sector
    fraction = 0.25 if fractional else 0.0
    offset = round((second + fraction - time_s) * hertz)
    fraction = time_s + offset / hertz - second if fractional else 0.0
    coded = 0
    if fractional:
        coded = min(0x7FFF, max(0, round(fraction * 32768)))
        offset -= (coded << 1) * int(hertz) >> 16
        coded |= 0x8000
    head = struct.pack(
        "<HHHIIIHHBBBBhH", 0x5841, 508, coded, 7, number, cwa_clock(second), light, 180, 0, 200,
        rate, packing, offset, count,
    )  # fmt: skip
    body = (head + data.ljust(480, b"\0")).ljust(510, b"\0")
    total = int(np.frombuffer(body, "<u2").sum(dtype=np.uint32))
    return body + struct.pack("<H", -total & 0xFFFF)


def write_cwa(
    path: Path,
    g,
    *,
    axes=3,
    packed=True,
    true_hz=100.0,
    skip=(),
    fractional=True,
    scale=0,
    starts=None,
    rate=0x4A,
):
    """Write a CWA file; return the samples as it stores them, of every sector."""
    per_sector = 120 if packed else 240 // axes
    units = 256 if packed else 256 << scale
    counts = np.rint(np.asarray(g) * units).astype(np.int64)
    sectors, kept = [], []
    for number, first in enumerate(range(0, len(counts) - per_sector + 1, per_sector)):
        block = counts[first : first + per_sector]
        if packed:
            data, values = pack_10_bits(block)
        else:
            wide = np.zeros((per_sector, axes), "<i2")
            column = 0 if axes == 3 else 3
            wide[:, column : column + 3] = block
            data, values = wide.tobytes(), block
        kept.append(values / units)
        time_s = first / true_hz if starts is None else starts[number]
        if number not in skip:
            sectors.append(
                cwa_sector(
                    data,
                    rate=rate,
                    packing=axes << 4 | (0 if packed else 2),
                    light=scale << 13,
                    count=per_sector,
                    number=number,
                    time_s=time_s,
                    fractional=fractional,
                )
            )
    header = (b"MD" + struct.pack("<H", 1020)).ljust(1024, b"\xff")
    path.write_bytes(header + b"".join(sectors))
    return kept


# ---- GENEActiv -------------------------------------------------------------------------

#: Lines of the header between those that a reader needs, as many as devices write.
_CAPABILITIES = """Device Model:1.1
Device Firmware Version:Ver1.30 date 05Aug11
Calibration Date:2012-04-03 11:08:52:000

Device Capabilities
Accelerometer Range:-8 to 8
Accelerometer Resolution:0.0039
Accelerometer Units:g
Light Meter Range:0 to 5000
Light Meter Resolution:5
Light Meter Units:lux
Temperature Sensor Range:0 to 70
Temperature Sensor Resolution:0.1
Temperature Sensor Units:deg. C
"""
_TRIAL = [
    "Trial Info", "Study Centre", "Study Code", "Investigator ID", "Exercise Type",
    "Config Operator ID", "Config Time", "Config Notes", "Extract Operator ID", "Extract Time",
    "Extract Notes",
]  # fmt: skip
_SUBJECT = [
    "Subject Info", "Device Location Code", "Subject Code", "Date of Birth", "Sex", "Height",
    "Weight", "Handedness Code", "Subject Notes",
]  # fmt: skip
GENEACTIV_HEADER = (
    "Device Identity\nDevice Unique Serial Code:012967\nDevice Type:GENEActiv\n"
    + _CAPABILITIES
    + """
Configuration Info
Measurement Frequency:{fs} Hz
Measurement Period:216 Hours
Start Time:2026-03-01 22:10:05:000
Time Zone:{zone}

"""
    + "\n\n".join(
        "\n".join([title, *(f"{name}:" for name in names)]) for title, *names in (_TRIAL, _SUBJECT)
    )
    + """

Calibration Data
x gain:25875
x offset:439
y gain:25734
y offset:-662
z gain:25538
z offset:-3056
Volts:300
Lux:800

Memory Status
Number of Pages:{pages}

"""
)
GAINS, OFFSETS = np.array([25875, 25734, 25538]), np.array([439, -662, -3056])


def write_geneactiv(
    path: Path, g, *, fs="100.0", zone="GMT +01:00", skip=(), starts=None, newline="\r\n"
):
    """Write a GENEActiv file; return the samples as it stores them, of every page."""
    counts = np.clip(np.rint((np.asarray(g) * GAINS + OFFSETS) / 100), -2048, 2047).astype(int)
    pages, kept = [], []
    for number, first in enumerate(range(0, len(counts) - 299, 300)):
        block = counts[first : first + 300]
        kept.append((block * 100 - OFFSETS) / GAINS)
        second = number * 300 / float(fs) if starts is None else starts[number]
        when = START + datetime.timedelta(seconds=round(second, 3))
        digits = "".join(
            f"{x & 0xFFF:03X}{y & 0xFFF:03X}{z & 0xFFF:03X}{(number * 7 % 1024) << 2:03X}"
            for x, y, z in block.tolist()
        )
        if number not in skip:
            pages.append(
                f"Recorded Data\nDevice Unique Serial Code:012967\nSequence Number:{number}\n"
                f"Page Time:{when:%Y-%m-%d %H:%M:%S}:{when.microsecond // 1000:03d}\nUnassigned:\n"
                f"Temperature:21.5\nBattery voltage:4.1493\nDevice Status:Recording\n"
                f"Measurement Frequency:{fs}\n{digits}\n"
            )
    text = GENEACTIV_HEADER.format(fs=fs, zone=zone, pages=len(pages)) + "".join(pages)
    path.write_bytes(text.replace("\n", newline).encode())
    return kept


# ---- ActiGraph -------------------------------------------------------------------------

TICKS = (START - datetime.datetime(1, 1, 1)) // datetime.timedelta(microseconds=1) * 10
UNIX = (START - datetime.datetime(1970, 1, 1)) // datetime.timedelta(seconds=1)


def pack_12_bits(counts):
    """Pack samples as 12 bits each, high bits first, in the order y, x, z."""
    digits = "".join(f"{v & 0xFFF:03x}" for row in counts[:, [1, 0, 2]].tolist() for v in row)
    return bytes.fromhex(digits + "0" * (len(digits) % 2))


def gt3x_record(kind, second, payload):
    body = struct.pack("<BBIH", 0x1E, kind, UNIX + second, len(payload)) + payload
    check = 0
    for byte in body:
        check ^= byte
    return body + bytes([check ^ 0xFF])


def gt3x_parameters(units):
    """Return a record of parameters with the counts per g."""
    exponent = 9
    encoded = round(units / 2**exponent * 0x800000) | exponent << 24
    values = struct.pack("<HHI", 1, 2, 3) + struct.pack("<HHI", 0, 55, encoded)
    return gt3x_record(21, -1, values)


def gt3x_info(fs, zone="+01:00:00", scale="256.0", serial="TAS1E00000001"):
    lines = [f"Serial Number: {serial}", "Device Type: Link", f"Sample Rate: {fs}",
             f"Start Date: {TICKS}", f"TimeZone: {zone}"]  # fmt: skip
    if scale:
        lines.append(f"Acceleration Scale: {scale}")
    return "\r\n".join(lines) + "\r\n"


def gt3x_log(g, fs, *, kind=26, units=256, skip=(), before=b""):
    """Return log.bin, and the samples of every second as it stores them."""
    counts = np.rint(np.asarray(g) * units).astype(np.int64)
    log, kept = before, []
    for second, first in enumerate(range(0, len(counts) - fs + 1, fs)):
        block = counts[first : first + fs]
        kept.append(block / units)
        if second in skip:
            log += gt3x_record(kind, second, b"\0")  # asleep: one byte
            continue
        payload = block.astype("<i2").tobytes() if kind == 26 else pack_12_bits(block)
        log += gt3x_record(kind, second, payload)
        if second % 10 == 0:
            log += gt3x_record(2, second, b"\x0f\xd1")  # battery
    return log, kept


def write_gt3x(path: Path, files: dict[str, bytes | str]) -> Path:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    path.write_bytes(data.getvalue())
    return path
