"""Feed damaged files to every reader of stages and respiratory events.

Only `InputError` may be raised, in one line, and no file may take longer than a minute. Each
file is one of the nights of the tests with one or two changes: bytes removed, replaced,
repeated or moved, or a cell replaced by a hostile one.

Run ``python -m benchmarks.fuzz_hypnograms --count 20000``.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.sleep import builders, lab_builders, watch_builders
from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.read import read_hypnogram
from twitchsense.sleep.lab_files.respiratory_events import read_respiratory_events

#: Cells that have broken readers: huge, negative, not finite, of another kind, of other dates.
HOSTILE = (
    b"", b"-1", b"1e308", b"nan", b"inf", b"99999999999999999999", b"0x10", b"\xd9\xa3", b"-0",
    b"2026-10-25T02:30:00", b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00", b"24:00:00",
    b"null", b"[]", b"{}", b"<", b"&#0;", b"\"", b"\x00", b"\xff\xfe", b"1,5", b"...", b"e:0", b"+",
    b"true", b"Sleep stage", b"@@", b"W",
)  # fmt: skip


def whole_files(folder: Path) -> dict[str, bytes]:
    """Return an undamaged file of every format."""
    rows = [(0, 300, "Sleep stage W"), (300, 120, "Sleep stage N2@@C3"), (310, 12, "Hypopnea")]
    files = {
        "EDF+": builders.edf_file(folder, rows).read_bytes(),
        "Apple Health": builders.apple_file(folder, *builders.APPLE_NIGHT).read_bytes(),
        "Fitbit": builders.fitbit_log(
            *builders.FITBIT_STAGES, short=[("2026-03-01T23:30:00.000", "wake", 60)]
        ).encode(),
        "table": b"onset,duration,stage\n0,30,W\n30,30,N1\n60,30,N2\n",
        "clock times": b"start,end,stage\n23:30:00,23:59:00,W\n23:59:00,00:10:00,N1\n",
        "changes": b"time,stage\n22:30:00,W\n22:40:00,N1\n22:45:00,N2\n",
        "list": b"WAKE\nN1\n\nN2\nREM\n",
        "epoch numbers": b"Epoch,Stage\n0,WAKE\n1,N1\n5,N2\n",
        "BIDS": b"onset\tduration\ttrial_type\n0\t300\tSleep stage W\n300\t12\tHypopnea\n",
        "NSRR": lab_builders.nsrr().encode(),
        "Profusion": lab_builders.profusion().encode(),
        "RemLogic": lab_builders.remlogic().encode(),
        "DOMINO profile": lab_builders.domino_profile().encode(),
        "DOMINO events": lab_builders.domino_events().encode(),
        "YASA": json.dumps({"values": ["WAKE", "N2"], "n_stages": 5, "freq": "30s"}).encode(),
    }
    forms = ("seconds", "duration", "clock", "elapsed", "epochs", "until")
    files |= {f"Luna {form}": lab_builders.luna(form=form).encode() for form in forms}
    files |= {name: text.encode() for name, text in watch_builders.FILES.items()}
    return files


def damage(data: bytes, rng: random.Random) -> bytes:
    """Return a copy with one or two changes."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 2)):
        at, length = rng.randrange(len(out) + 1), rng.randint(1, 8)
        match rng.randrange(6):
            case 0:
                del out[at : at + length]
            case 1:
                out[at : at + rng.randrange(2)] = rng.randbytes(rng.randint(1, 5))
            case 2:
                out[at:at] = out[max(0, at - 50 * length) : at]
            case 3:
                del out[at:]
            case 4:
                other = rng.randrange(len(out) + 1)
                out[at : at + length] = out[other : other + length]
            case _:
                out[at : at + length] = rng.choice(HOSTILE)
    return bytes(out)


def fuzz(count: int, seed: int, folder: Path) -> Counter[str]:
    """Read damaged files; return how many of each format were read and refused.

    Raises
    ------
    AssertionError
        If an error has more than one line, or reading takes longer than a minute.
    """
    rng = random.Random(seed)
    files = whole_files(folder)
    path = folder / "damaged"
    when = builders.night_clock("2026-03-01T22:30:00+01:00")
    outcomes: Counter[str] = Counter()
    for k in range(count):
        name = list(files)[k % len(files)]
        path.write_bytes(damage(files[name], rng))
        began = time.monotonic()
        for read in (read_hypnogram, read_respiratory_events):
            for clock in (when, None):
                try:
                    read(path, clock)
                    outcomes[f"{name}: read"] += 1
                except InputError as error:
                    if "\n" in str(error):
                        raise AssertionError(str(error)) from error
                    outcomes[f"{name}: refused"] += 1
        assert time.monotonic() - began < 60, name
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = fuzz(options.count, options.seed, Path(folder))
    for name, number in sorted(outcomes.items()):
        print(f"{number:7d} {name}")


if __name__ == "__main__":
    main()
