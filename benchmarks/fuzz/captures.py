"""Feed damaged text captures of every dialect to `read`, within the limits of `fuzz.loop`.

Run ``python -m benchmarks.fuzz.captures --count 10000``.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.fuzz.loop import Corpus, main
from tests.io import makers
from twitchsense.io import read

#: Pieces that damage a text file in ways that occur.
PIECES = (
    b"", b",", b";", b"\t", b'"', b"'", b"#", b"\n", b"\r", b"\r\n", b"\0", b"-", b".", b"1e400",
    b"nan", b"-1.#IND", b"#DIV/0!", b"1,234", b"1.234,5", b"sep=;\n", b"\xff\xfe", b"\xef\xbb\xbf",
    b"99999999999999999999", b"2026-13-45T99:99:99", b"{", b"}", b"[", b"]", b"Hz", b"\xc2\xb5V",
    b"x" * 200_000, b"[" * 100_000, b'"a":{' * 20_000, b'"' * 131_073, b"," * 10_000, b"1_0",
    b"(" * 100_000, b"\xed\xb2\x80", "\u202e\uff11\u0662".encode(), b"2026-10-25T02:30:00",
)  # fmt: skip


def seeds() -> dict[str, bytes]:
    """Return a small file of each dialect, by name."""
    rng = np.random.default_rng(0)
    emg, acc = np.round(rng.normal(0, 20, 400), 2), rng.normal([0, 0, 1], 0.01, (400, 3))
    t = [f"{i / 500:.3f}" for i in range(400)]
    x = [f"{v:.2f}" for v in emg]
    files = {
        "plain.csv": makers.lines("time_s,emg1_uv", makers.rows(t, x)),
        "comma.csv": makers.lines(
            "time_s;emg1_uv", [r.replace(".", ",") for r in makers.rows(t, x, sep=";")]
        ),
        "utc.csv": makers.lines(
            "time_utc,emg1_uv",
            makers.rows([f"2026-03-01T22:15:00.{2 * i:03d}Z" for i in range(400)], x),
        ),
        "unix.csv": makers.lines(
            "timestamp,emg1_uv",
            makers.rows([f"{1_772_403_300_000 + 2 * i}" for i in range(400)], x),
        ),
        "opensignals.txt": makers.opensignals(emg),
        "openbci.txt": makers.openbci(emg, acc),
        "openbci4.txt": makers.openbci(emg, version=4),
        "brainflow.csv": makers.brainflow(emg, acc),
        "emgworks.csv": makers.emgworks(emg, acc[:47]),
        "discover.csv": makers.discover(emg, acc[:47]),
        "shimmer.csv": makers.shimmer(emg, acc),
        "actigraph.csv": makers.actigraph(acc, stamped=True),
        "geneactiv.csv": makers.geneactiv(acc),
        "axivity.csv": makers.axivity(acc),
        "ACC.csv": makers.empatica_e4(acc),
        "polar.txt": makers.polar(acc),
        "noraxon.csv": makers.noraxon(emg, acc),
        "phyphox.csv": makers.phyphox(acc),
        "units.csv": makers.logger(emg[:, None], t, "Time (s),EMG1 (mV)", 1e-3),
        "units_line.csv": makers.logger(emg[:, None], t, "Time,EMG LAT\ns,mV", 1e-3),
        "german.csv": makers.logger(acc, makers.clocks(400, "%d.%m.%Y %H:%M:%S"), "Time,X,Y,Z", 1),
        "am_pm.csv": makers.logger(
            acc, makers.clocks(400, "%m/%d/%Y %I:%M:%S", " PM", day=31), "Time,X,Y,Z", 1
        ),
        "blanks.txt": makers.lines("time_s emg1_uv", makers.rows(t, x, sep=" ")),
        "labchart.txt": makers.lines(
            "Interval=\t0.001 s",
            "ChannelTitle=\tEMG LAT",
            "Range=\t10 mV",
            makers.rows(t, x, sep="\t"),
        ),
        "acqknowledge.txt": makers.lines(
            "a.acq",
            "0.5 msec/sample",
            "1 channels",
            "EMG",
            "mV",
            "min,CH1",
            ",400",
            makers.rows(t, x),
        ),
        "movesense.csv": makers.movesense(acc),
        "movesense.json": makers.movesense_json(acc),
    }
    return {name: text.encode() for name, text in files.items()}


def damage(data: bytes, rng: random.Random) -> bytes:
    """Return a file with one to five faults."""
    found = bytearray(data)
    head = min(len(found), 1500)  # headers decide most: half of the faults are there
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        at = rng.randrange(head if rng.random() < 0.5 else len(found) + 1)
        kind = rng.randrange(7)
        if kind == 0:
            found[at:at] = rng.choice(PIECES)
        elif kind == 1:
            del found[at : at + rng.choice((1, 3, 30, 300))]
        elif kind == 2:
            found[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 3:
            del found[at:]
        elif kind == 4:
            found[at:at] = found[max(0, at - 200) : at]
        elif kind == 5:
            lines = bytes(found).split(b"\n")
            rng.shuffle(lines[: rng.randrange(1, 6)])
            i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
            lines[i], lines[j] = lines[j], lines[i]
            found = bytearray(b"\n".join(lines))
        else:
            found = bytearray(bytes(found).replace(rng.choice((b",", b".", b"0", b" ")), b"", 1))
        head = min(len(found), 1500) or 1
    return bytes(found)


def _whole(folder: Path) -> dict[str, tuple[str, bytes]]:
    return {name: (name, data) for name, data in seeds().items()}


def _read(name: str, path: Path, rng: random.Random) -> None:
    read(path, zone=rng.choice((None, "Europe/Berlin")))


CORPUS: Final = Corpus("captures", _whole, damage, _read)

if __name__ == "__main__":
    main([CORPUS], __doc__)
