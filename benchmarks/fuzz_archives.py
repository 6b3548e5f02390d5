"""Feed damaged files to every reader of binary captures.

Only `InputError` may be raised, in one line; no file may take longer than a minute or more than
2 GB. Each file is a whole one of the tests with one to three changes: bytes replaced, removed,
repeated or moved, a number replaced by an extreme one, or the end cut off.

Run ``python -m benchmarks.fuzz_archives --count 10000``.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from pathlib import Path

from tests.io.actigraphy_builder import (
    gt3x_info,
    gt3x_log,
    motion,
    pack_12_bits,
    write_cwa,
    write_geneactiv,
    write_gt3x,
)
from tests.io.edf_builder import EdfFile, digital
from tests.io.xdf_builder import acc_stream, emg_stream, encode
from twitchsense.errors import InputError
from twitchsense.io import read
from twitchsense.io.bids import write_bids
from twitchsense.model.recording import Recording

#: Texts and numbers that have broken readers.
HOSTILE = (
    b"", b"-1", b"1e308", b"nan", b"inf", b"99999999", b"0", b"\0\0\0\0", b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80", b"1,5", b"\t", b"\n", b"<", b"&#0;", b"+9",
)  # fmt: skip
#: Archives, and the file inside that is damaged.
ARCHIVES = {"log.gt3x": "log.bin", "old.gt3x": "activity.bin"}
#: Largest memory in bytes and longest time in s of a file.
MAX_BYTES, MAX_S = 2 * 2**30, 60


def whole_files(folder: Path) -> dict[str, tuple[str, bytes]]:
    """Return name and content of an undamaged file of every format."""
    write_cwa(folder / "packed.cwa", motion(2400))
    write_cwa(folder / "wide.cwa", motion(2400), packed=False, axes=6, scale=3)
    write_geneactiv(folder / "a.bin", motion(2400))
    log, _ = gt3x_log(motion(2000), 100)
    write_gt3x(folder / "log.gt3x", {"info.txt": gt3x_info(100), "log.bin": log})
    old = {"info.txt": gt3x_info(30, serial="NEO1A"), "activity.bin": pack_12_bits(
        (motion(1000) * 341).astype(int)
    )}  # fmt: skip
    write_gt3x(folder / "old.gt3x", old)
    (folder / "a.xdf").write_bytes(encode([emg_stream(4000), acc_stream(400)]))
    EdfFile(digital(8)).write(folder / "plain.edf")
    EdfFile(digital(8), reserved=b"EDF+C").write(folder / "plus.edf")
    files = {p.name: (p.name, p.read_bytes()) for p in sorted(folder.iterdir())}
    signals = {f"acc_{a}_g": (motion(500)[:, i], 100.0) for i, a in enumerate("xyz")}
    write_bids(Recording.from_arrays(signals), folder / "bids")
    motion_file = next((folder / "bids").rglob("*_motion.tsv"))
    for part in (motion_file, *motion_file.parent.glob("*_channels.tsv")):
        files[part.name] = (str(part.relative_to(folder)), part.read_bytes())
    return files


def damage(data: bytes, rng: random.Random) -> bytes:
    """Return a copy with one to three changes; the header is changed as often as the rest."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        size = len(out) if rng.random() < 0.5 else min(len(out), 600)
        at, length = rng.randrange(size + 1), rng.randint(1, 8)
        match rng.randrange(6):
            case 0:
                del out[at : at + length]
            case 1:
                out[at : at + length] = rng.randbytes(length)
            case 2:
                out[at:at] = out[max(0, at - 50 * length) : at]
            case 3:
                del out[at:]
            case 4:
                other = rng.randrange(len(out) + 1)
                out[at : at + length] = out[other : other + length]
            case _:
                text = rng.choice(HOSTILE)
                out[at : at + len(text)] = text
    return bytes(out)


def _damage_member(path: Path, member: str, rng: random.Random) -> None:
    """Damage a file inside an archive, whose checksum then still fits."""
    with zipfile.ZipFile(path) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    name = member if rng.random() < 0.8 else "info.txt"
    write_gt3x(path, {**inside, name: damage(inside[name], rng)})


def fuzz(count: int, seed: int, folder: Path) -> Counter[str]:
    """Read damaged files; return how many of each format were read and refused.

    Raises
    ------
    AssertionError
        If an error has more than one line, or a file takes too much time or memory.
    """
    rng = random.Random(seed)
    files = whole_files(folder)
    outcomes: Counter[str] = Counter()
    for k in range(count):
        kind = list(files)[k % len(files)]
        name, data = files[kind]
        path = folder / name
        if kind in ARCHIVES and rng.random() < 0.8:
            _damage_member(path, ARCHIVES[kind], rng)
        else:
            path.write_bytes(damage(data, rng))
        target = next(path.parent.glob("*_motion.tsv")) if "sub-01" in name else path
        began = time.monotonic()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                read(target, zone=rng.choice((None, "Europe/Berlin")))
            outcomes[f"{kind}: read"] += 1
        except InputError as error:
            if "\n" in str(error):
                raise AssertionError(str(error)) from error
            outcomes[f"{kind}: refused"] += 1
        except BaseException as error:
            kept = Path(tempfile.gettempdir()) / f"damaged-{seed}-{k}-{Path(name).name}"
            kept.write_bytes(path.read_bytes())
            raise AssertionError(f"file {k}, kept as {kept}") from error
        assert time.monotonic() - began < MAX_S, kind
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < MAX_BYTES, kind
        path.write_bytes(data)
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = fuzz(options.count, options.seed, Path(folder))
    for name, number in sorted(outcomes.items()):
        print(f"{number:7d} {name}")


if __name__ == "__main__":
    main()
