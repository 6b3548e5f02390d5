"""Feed damaged files to every reader of stages and respiratory events.

The limits are those of `fuzz.loop`. Each file is one of the nights of the tests with one or two
changes: bytes removed, replaced, repeated or moved, or a cell replaced by a hostile one.

Run ``python -m benchmarks.fuzz.hypnograms --count 20000``.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Final

from benchmarks.fuzz.loop import Corpus, change_bytes, main
from tests.sleep import builders, lab_builders, watch_builders
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
    return change_bytes(data, rng, HOSTILE, 2, len(data))


def _whole(folder: Path) -> dict[str, tuple[str, bytes]]:
    return {name: ("damaged", data) for name, data in whole_files(folder).items()}


def _read(name: str, path: Path, rng: random.Random) -> None:
    when = builders.night_clock("2026-03-01T22:30:00+01:00") if rng.random() < 0.8 else None
    if rng.random() < 0.7:
        read_hypnogram(path, when)
    else:
        read_respiratory_events(path, when)


CORPUS: Final = Corpus("hypnograms", _whole, damage, _read)

if __name__ == "__main__":
    main([CORPUS], __doc__)
