"""Feed damaged settings, diaries, exposures, event lists, lists of nights and results.

The limits are those of `fuzz.loop`. Run ``python -m benchmarks.fuzz.documents --count 10000``.
"""

from __future__ import annotations

import functools
import json
import random
from pathlib import Path
from typing import Final

import pandas as pd

import twitchsense as ts
from benchmarks.fuzz.loop import Corpus, change_bytes, main
from tests.recordings import make_recording
from twitchsense.cohort.manifest import read_manifest
from twitchsense.results.load import open_result
from twitchsense.scoring.agreement.compare_events import match, read_events
from twitchsense.scoring.result_checksums import KEY
from twitchsense.settings import Settings, load_settings
from twitchsense.trend.diary import Diary, read_diary
from twitchsense.trend.exposure import select_exposures
from twitchsense.trend.nights import read_nights

#: Texts that have broken parsers.
HOSTILE = (
    b"", b"-1", b"1e308", b"1e999", b"nan", b"inf", b"9" * 400, b"9" * 5000, b"[" * 3000, b"{" * 50,
    b"2026-99-99", b"0001-01-01", b"9999-12-31T23:59:59-14:00", b"*a", b"&a [*a]", b"<<: *a\n",
    b"!!python/name:x", b"\0", b"\xff\xfe", b"\t", b"\n", b'"""', b"'", b"=", b"a.b.c = 1\n",
    b"null", b"[]", b"{}", b"true", b"any", b"(none)", b"\xef\xbb\xbf", b";", b"../../x",
    b" " * 60_000, b">=", b"x" * 200_000, b"[" * 100_000, b'"a":{' * 20_000, b'"' * 131_073,
    b"." * 100_000, b"(" * 100_000, b"\r", b"\xed\xb2\x80", "\u202e\u2066".encode(), b"-0", b"1_0",
    "\uff11\u0662".encode(), b"1970-01-01T00:00:00-23:59", b"2026-10-25T02:30:00",
)  # fmt: skip

SETTINGS = b"""
zone = "Europe/Berlin"
[emg]
open_k = 6.0
close_k = 3
[twitch]
[jerk]
[context]
drowsy_min = 10.0
[legs]
emg1 = "left"
[columns]
Time = "time_s"
[stages]
0 = "W"
"""
DIARIES = {
    "diary.csv": b"date,caffeine_mg,exercise,note\n2026-03-01,80,none,\n2026-03-02,160,run,late\n",
    "diary.toml": b'exposures = ["caffeine_mg>100"]\n[[day]]\ndate = 2026-03-01\ncaffeine_mg = 80\n'
    b'[[day]]\ndate = 2026-03-02\ncaffeine_mg = 160\nnote = "late"\n',
    "diary.yaml": b"exposures: [exercise]\ndays:\n - {date: 2026-03-01, exercise: run}\n"
    b" - date: 2026-03-02\n   exercise: none\n   caffeine_hour: '15:30'\n",
}
OTHERS = {
    "settings.toml": SETTINGS,
    "exposure.txt": b"caffeine_mg > 100",
    "events.csv": b"onset,duration,trial_type,leg\n1.5,0.1,twitch,left\n2.5,0.2,jerk,\n9,n/a,x,\n",
    "nights.csv": b"captures,night,zone,map,stages\na.csv;b.csv,one,Europe/Berlin,T=time_s,yasa\n",
    "nights.txt": b"# nights\na.csv;b.csv\nc.edf\n",
}


def _whole(folder: Path) -> dict[str, tuple[str, bytes]]:
    files = {name: (name, data) for name, data in (DIARIES | OTHERS).items()}
    for name, content in _result().items():
        for version in ("result", "earlier"):
            path = folder / version / name
            path.parent.mkdir(exist_ok=True)
            if version == "earlier" and name == "summary.json":
                summary = json.loads(content)
                del summary[KEY]
                content = json.dumps(summary).encode()
            path.write_bytes(content)
            files[f"{version}/{name}"] = (f"{version}/{name}", content)
    return files


@functools.cache
def _result() -> dict[str, bytes]:
    from twitchsense.results.save import format_files

    found = format_files(ts.analyze(make_recording(6)))
    files = {name: text.encode() if isinstance(text, str) else text for name, text in found}
    return {name: data for name, data in files.items() if name != "events.json"}


def damage(data: bytes, rng: random.Random) -> bytes:
    """Return a copy with one to three changes."""
    return change_bytes(data, rng, HOSTILE, 3, 400)


def _read(name: str, path: Path, rng: random.Random) -> None:
    if name in DIARIES:
        select_exposures(read_diary(path), [])
    elif name == "settings.toml":
        load_settings(path)
    elif name == "exposure.txt":
        diary = Diary("diary", ("caffeine_mg",), {})
        select_exposures(diary, [path.read_bytes().decode("utf-8", "replace")])
    elif name == "events.csv":
        events = read_events(path)
        match(events, pd.DataFrame({"onset": [1.0], "duration": [0.1], "trial_type": ["twitch"]}))
    elif name.startswith("nights"):
        read_manifest(path, lambda values, file: Settings())
    elif name.startswith("earlier"):
        open_result(path.parent)
    else:
        open_result(path.parent)
        read_nights([path.parent])


CORPUS: Final = Corpus("documents", _whole, damage, _read)

if __name__ == "__main__":
    main([CORPUS], __doc__)
