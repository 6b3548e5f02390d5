"""Feed damaged files to every reader of binary captures, within the limits of `fuzz.loop`.

Each file is a whole one of the tests with one to three changes: bytes replaced, removed, repeated
or moved, a number replaced by an extreme one, or the end cut off.

Run ``python -m benchmarks.fuzz.archives --count 10000``.
"""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.fuzz.loop import Corpus, change_bytes, main
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
from twitchsense.io import read
from twitchsense.io.bids.bids_write import write_bids
from twitchsense.model.recording import Recording

#: Texts and numbers that have broken readers.
HOSTILE = (
    b"", b"-1", b"1e308", b"nan", b"inf", b"99999999", b"0", b"\0\0\0\0", b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80", b"1,5", b"\t", b"\n", b"<", b"&#0;", b"+9",
)  # fmt: skip


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
    for form in ("numbers", "dates", "text"):
        (folder / f"{form}.parquet").write_bytes(parquet(form))
    files = {p.name: (p.name, p.read_bytes()) for p in sorted(folder.iterdir()) if p.is_file()}
    signals = {f"acc_{a}_g": (motion(500)[:, i], 100.0) for i, a in enumerate("xyz")}
    write_bids(Recording.from_arrays(signals), folder / "bids")
    motion_file = next((folder / "bids").rglob("*_motion.tsv"))
    for part in (motion_file, *motion_file.parent.glob("*_channels.tsv")):
        files[part.name] = (str(part.relative_to(folder)), part.read_bytes())
    return files


def parquet(form: str) -> bytes:
    """Return a Parquet file with numbers, dates or text as times."""
    import pyarrow
    import pyarrow.parquet

    ms = 1_772_403_300_000 + 2 * np.arange(1000)
    times = {
        "numbers": ("time_s", pyarrow.array(np.arange(1000) / 500)),
        "dates": ("time_utc", pyarrow.array(ms).cast(pyarrow.timestamp("ms", "UTC"))),
        "text": ("time_s", pyarrow.array([f"{i / 500:.3f}" for i in range(1000)])),
    }
    name, column = times[form]
    table = pyarrow.table({name: column, "emg1_uv": np.sin(np.arange(1000))})
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer, compression="none" if form == "dates" else "snappy")
    return buffer.getvalue()


def damage(data: bytes, rng: random.Random) -> bytes:
    """Return a copy with one to three changes, often inside a file of an archive.

    The checksum of a file inside an archive still fits.
    """
    if not data.startswith(b"PK") or rng.random() < 0.2:
        return change_bytes(data, rng, HOSTILE, 3, 600)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    signals = next(name for name in inside if name.endswith(".bin"))
    name = signals if rng.random() < 0.8 else "info.txt"
    inside[name] = change_bytes(inside[name], rng, HOSTILE, 3, 600)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in inside.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _read(name: str, path: Path, rng: random.Random) -> None:
    target = next(path.parent.glob("*_motion.tsv")) if "sub-01" in name else path
    read(target, zone=rng.choice((None, "Europe/Berlin")))


CORPUS: Final = Corpus("archives", whole_files, damage, _read)

if __name__ == "__main__":
    main([CORPUS], __doc__)
