"""Damages night files and repairs them: every sound packet is recovered, and none is invented.

Run with ``python -m benchmarks.recorder.damaged_nights --count 1000``. Each file gets one kind
of damage. A packet is sound if the bytes of its record are still somewhere in the file or in its
log.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.nightfile.builders import KEY, T0, device, downgrade, make_frames, write_night
from tests.nightfile.value_builders import npg_values, write_values
from twitchsense.errors import InputError, TwitchsenseError
from twitchsense.io.read import read
from twitchsense.nightfile.records import Boot, ClockReading, DeviceSetting, Marker, Packet
from twitchsense.nightfile.recovery import recover
from twitchsense.nightfile.writer import NightFileWriter

PAGE = 4096
#: What identifies a packet or value, and its bytes.
Content = tuple[object, ...]
_PACKETS = (
    "SELECT key, count, seq, arrival_ns, data FROM packet "
    "JOIN boot ON boot.id = boot JOIN device ON device.id = device"
)
_VALUES = (
    "SELECT key, connection.time_ns, number, uuid, direction, arrival_ns, data FROM value "
    "JOIN connection ON connection.id = connection JOIN device ON device.id = device "
    "JOIN characteristic ON characteristic.id = characteristic"
)
#: First bytes of the records of packets and values.
_HEADS = tuple(bytes([size, 0]) for size in (7, 8, 9, 10, 11))
_DESCRIPTIONS = (
    "SELECT key, address, name, info FROM device",
    "SELECT device.key, device_setting.key, value FROM device_setting "
    "JOIN device ON device.id = device",
)


@dataclass
class Night:
    """A night file before the damage, with what it holds."""

    name: str
    files: dict[str, bytes]
    contents: set[Content]
    descriptions: set[Content]
    #: File, position and bytes of each copy of the data of each packet.
    records: list[tuple[Content, list[tuple[str, int, bytes]]]] = field(default_factory=list)


def load(path: Path, name: str) -> Night:
    """Read an undamaged night file and its log."""
    files = {
        suffix: file.read_bytes()
        for suffix in ("", "-wal")
        if (file := path.with_name(path.name + suffix)).exists()
    }
    night = Night(name, files, *read_contents(path))
    for content in sorted(night.contents, key=repr):
        night.records.append((content, find_records(content, files)))
    return night


def find_records(content: Content, files: dict[str, bytes]) -> list[tuple[str, int, bytes]]:
    """Return file, position and bytes of each copy of the record of a packet or value."""
    *_, arrival_ns, data = content
    assert isinstance(arrival_ns, int)
    assert isinstance(data, bytes)
    stored = arrival_ns.to_bytes(8, "big") + data
    copies = []
    for suffix, text in files.items():
        for at in find_all(text, stored):
            end = at + len(stored)
            for start in range(at - 1, at - 40, -1):
                # the record begins with the size of its header; type 0 of the id follows.
                # A number may hold these bytes too; behind the data stands the checksum
                if text[start : start + 2] in _HEADS:
                    size = record_size(text[start : start + 40])
                    if end <= start + size <= end + 8:
                        copies.append((suffix, start, text[start : start + size]))
                        break
    return copies


def record_size(head: bytes) -> int:
    """Return the size of a record from its header."""
    at, size = 1, head[0]
    while at < head[0]:
        kind = head[at]
        at += 1
        if kind >= 0x80:
            kind = (kind & 0x7F) << 7 | head[at]
            at += 1
        size += (kind - 12) // 2 if kind >= 12 else (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)[kind]
    return size


def find_all(text: bytes, part: bytes) -> Iterator[int]:
    """Yield every position of a part."""
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def read_contents(path: Path) -> tuple[set[Content], set[Content]]:
    """Return the packets and values, and the descriptions, of an undamaged file."""
    db = sqlite3.connect(path)
    try:
        schema = db.execute("PRAGMA user_version").fetchone()[0]
        contents = set(db.execute(_PACKETS))
        if schema >= 3:
            contents |= set(db.execute(_VALUES))
        queries = _DESCRIPTIONS[: 2 if schema >= 3 else 1]
        descriptions = {row for sql in queries for row in db.execute(sql)}
        return contents, descriptions
    finally:
        db.close()


def make_nights(folder: Path) -> list[Night]:
    """Return nights of each kind of device, schema and state."""
    one = write_night(folder / "one.night", 120, boots=(1, 2))
    two = folder / "two.night"
    shutil.copy(one, two)
    night = NightFileWriter(two)
    boot = Boot(KEY, 3)
    night.write([DeviceSetting(KEY, T0, "leg", "right"), Marker(T0, "lights out")])
    night.write([ClockReading(boot, 32768 * k, T0 + k * 10**9, T0 + k * 10**9) for k in range(60)])
    night.close()
    values = write_values(
        folder / "values.night",
        npg_values([float(k % 700) for k in range(30_000)]),
        npg_values([float(k % 300) for k in range(10_000)], start_s=100),
    )
    old = folder / "earlier.night"
    shutil.copy(one, old)
    downgrade(old, 3)
    live = folder / "live.night"
    night = NightFileWriter(live)
    night.write([device()])
    frames = make_frames(120)
    for start in range(0, len(frames), 40):
        night.write(
            Packet(Boot(KEY, 1), seq, T0 + round(at * 1e9), data)
            for seq, at, data in frames[start : start + 40]
        )
    copy = folder / "log.night"
    for suffix in ("", "-wal"):  # as a copy while the recorder was killed
        shutil.copy(f"{live}{suffix}", f"{copy}{suffix}")
    night.close()
    nights = []
    for path in (one, two, values, old):
        nights.append(load(path, path.stem))
    loaded = load_with_log(copy)
    return [*nights, loaded]


def load_with_log(path: Path) -> Night:
    """Read a night whose log was not transferred, and leave the log as it is."""
    files = {s: Path(f"{path}{s}").read_bytes() for s in ("", "-wal")}
    night = load(path, path.stem)  # SQLite removes the log when it closes the file
    fresh = Night(night.name, files, night.contents, night.descriptions)
    fresh.records += [(content, find_records(content, files)) for content, _ in night.records]
    return fresh


_COLUMNS = (
    "files", "sound", "recovered", "missed", "invented", "changed", "refused", "like", "unchecked",
)  # fmt: skip
Damage = Callable[[dict[str, bytearray], random.Random], None]


def _largest(files: dict[str, bytearray]) -> bytearray:
    return max(files.values(), key=len)


def _any(files: dict[str, bytearray], rng: random.Random) -> bytearray:
    return rng.choice([data for data in files.values() if len(data) > 2 * PAGE] or [files[""]])


def _page(data: bytearray, rng: random.Random) -> int:
    return rng.randrange(len(data) // PAGE) * PAGE


def zeroed_page(files: dict[str, bytearray], rng: random.Random) -> None:
    data = _any(files, rng)
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = _page(data, rng)
        data[at : at + PAGE] = bytes(PAGE)


def random_page(files: dict[str, bytearray], rng: random.Random) -> None:
    data = _any(files, rng)
    at = _page(data, rng)
    data[at : at + PAGE] = rng.randbytes(PAGE)


def swapped_pages(files: dict[str, bytearray], rng: random.Random) -> None:
    data = _largest(files)
    a, b = _page(data, rng), _page(data, rng)
    data[a : a + PAGE], data[b : b + PAGE] = data[b : b + PAGE], data[a : a + PAGE]


def half_page(files: dict[str, bytearray], rng: random.Random) -> None:
    data = _any(files, rng)
    at = _page(data, rng) + rng.randrange(PAGE)
    stop = at - at % PAGE + PAGE
    data[at:stop] = bytes(stop - at)


def page_heads(files: dict[str, bytearray], rng: random.Random) -> None:
    data = files[""]
    for _ in range(rng.choice([1, 5, 50])):
        at = _page(data, rng)
        length = rng.choice([1, 8, 60])
        data[at : at + length] = rng.randbytes(length)


def one_byte(files: dict[str, bytearray], rng: random.Random) -> None:
    data = _any(files, rng)
    data[rng.randrange(len(data))] = rng.randrange(256)


def many_bytes(files: dict[str, bytearray], rng: random.Random) -> None:
    data = _any(files, rng)
    for _ in range(rng.choice([10, 100, 1000])):
        data[rng.randrange(len(data))] = rng.randrange(256)


def cut_tail(files: dict[str, bytearray], rng: random.Random) -> None:
    data = _any(files, rng)
    del data[rng.randrange(len(data) // 4, len(data)) :]


def file_header(files: dict[str, bytearray], rng: random.Random) -> None:
    length = rng.choice([1, 4, 18, 100])
    at = rng.randrange(101 - length)
    files[""][at : at + length] = rng.randbytes(length)


def log_header(files: dict[str, bytearray], rng: random.Random) -> None:
    data = files.get("-wal") or files[""]
    length = rng.choice([1, 4, 32])
    data[:length] = rng.randbytes(length)


DAMAGES: tuple[Damage, ...] = (
    zeroed_page, random_page, swapped_pages, half_page, page_heads, one_byte, many_bytes,
    cut_tail, file_header, log_header,
)  # fmt: skip


def sound(night: Night, files: dict[str, bytearray]) -> set[Content]:
    """Return the packets and values of which a copy is still in the files."""
    found = set()
    for content, copies in night.records:
        for suffix, at, record in copies:
            if files[suffix][at : at + len(record)] == record:
                found.add(content)
                break
        else:
            if any(data.find(copies[0][2]) >= 0 for data in files.values()):
                found.add(content)  # its page has moved
    return found


def main() -> int:
    """Print the counts for each kind of damage; return 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    totals: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        nights = make_nights(folder)
        for number in range(options.count):
            rng = random.Random(options.seed * 1_000_000 + number)
            night, damage = (
                nights[number % len(nights)],
                DAMAGES[number // len(nights) % len(DAMAGES)],
            )
            total = totals.setdefault(damage.__name__, Counter())
            problem = _try_one(night, damage, rng, folder / "case", total)
            if problem:
                print(f"case {number}, {night.name}, {damage.__name__}: {problem}", flush=True)
    print(f"{'damage':14s} {'  '.join(_COLUMNS)}  s")
    everything: Counter[str] = Counter()
    for kind, total in totals.items():
        everything.update(total)
        _print(kind, total)
    _print("all", everything)
    share = everything["recovered"] / max(1, everything["sound"])
    print(f"{share:.4%} of the sound packets recovered")
    return int(share < 0.999 or everything["invented"] > 0 or everything["changed"] > 0)


def _print(kind: str, total: Counter[str]) -> None:
    counts = "  ".join(str(total[c]) for c in _COLUMNS)
    print(f"{kind:14s} {counts}  {total['ms'] / 1e3:.1f}")


def _repair(path: Path, out: Path, like: Path, total: Counter[str]) -> None:
    """Repair a file as a user would: with another night if the message asks for one."""
    try:
        recover(path, out)
    except InputError as error:
        if "--like" not in str(error):
            raise
        total["like"] += 1
        recover(path, out, like)


def _try_one(
    night: Night, damage: Damage, rng: random.Random, folder: Path, total: Counter[str]
) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    files = {suffix: bytearray(data) for suffix, data in night.files.items()}
    damage(files, rng)
    path, out = folder / "a.night", folder / "new.night"
    for suffix, data in files.items():
        Path(f"{path}{suffix}").write_bytes(data)
    before = _hashes(folder)
    total["files"] += 1
    expected = sound(night, files)
    total["sound"] += len(expected)
    start = time.monotonic()
    problem = ""
    found: set[Content] = set()
    try:
        _repair(path, out, folder.parent / f"{night.name}.night", total)
        found, descriptions = read_contents(out)
        if descriptions - night.descriptions:
            # schema 3 has no checksum of descriptions
            total["unchecked" if night.name == "earlier" else "invented"] += 1
            problem = f"descriptions {descriptions - night.descriptions}"
        read(out)
    except InputError as error:
        total["refused"] += 1
        problem = str(error)
    except TwitchsenseError as error:
        problem = str(error)
    total["ms"] += round(1000 * (time.monotonic() - start))
    out.unlink(missing_ok=True)
    if _hashes(folder) != before:
        total["changed"] += 1
        problem += " the original was changed, or parts were left"
    total["recovered"] += len(found & expected)
    total["missed"] += len(expected - found)
    total["invented"] += len(found - night.contents)
    if expected - found or found - night.contents:
        problem += f" {len(expected - found)} missed, {len(found - night.contents)} invented"
    return problem


def _hashes(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


if __name__ == "__main__":
    sys.exit(main())
