"""Feed damaged inputs of every kind to their readers, and some of them to whole commands.

The limits are those of `fuzz.loop`: exit status 0 or 2, 1 GB beyond the libraries, a minute, no
traceback, nothing left behind.

Run ``python -m benchmarks.fuzz.inputs --count 10000``.
"""

from __future__ import annotations

import random
import shutil
import warnings
from pathlib import Path
from typing import Final

from click.testing import CliRunner

from benchmarks.fuzz import archives as fuzz_archives
from benchmarks.fuzz import captures as fuzz_captures
from benchmarks.fuzz import documents as fuzz_documents
from benchmarks.fuzz import hypnograms as fuzz_hypnograms
from benchmarks.fuzz.loop import Corpus, change_bytes, main
from tests.sleep import builders
from twitchsense.cli.app import main as twitchsense
from twitchsense.errors import InputError

_GOOD: Final = "good.csv"
_CAPTURE: Final = b"time_utc,emg1_uv\n" + b"".join(
    b"2026-03-01T22:15:%06.3fZ,%d\n" % (i / 500, (i * i) % 23 - 11) for i in range(10_000)
)
_FILES: Final = {
    "capture": ("capture.csv", _CAPTURE),
    "settings": ("settings.toml", fuzz_documents.SETTINGS.replace(b"Time =", b"# Time =")),
    "diary": ("diary.yaml", fuzz_documents.DIARIES["diary.yaml"]),
    "events": ("events.csv", fuzz_documents.OTHERS["events.csv"]),
    "nights": ("nights.csv", b"captures,night,zone\ngood.csv,one,Europe/Berlin\n"),
    "stages": ("stages.json", builders.fitbit_log(*builders.FITBIT_STAGES).encode()),
}


def _whole(folder: Path) -> dict[str, tuple[str, bytes]]:
    (folder / _GOOD).write_bytes(_CAPTURE)
    fuzz_documents.CORPUS.whole(folder)
    return {
        **_FILES,
        "report": ("result/summary.json", (folder / "result/summary.json").read_bytes()),
    }


def _damage(data: bytes, rng: random.Random) -> bytes:
    return change_bytes(data, rng, fuzz_documents.HOSTILE, 2, 400)


def _command(name: str, path: Path, rng: random.Random) -> None:
    """Run a command with a damaged file, in this process."""
    folder = path.parent.parent if name == "report" else path.parent
    good, out = folder / _GOOD, folder / "out"
    zone = ("--zone", "Europe/Berlin")
    arguments = {
        "capture": ["analyze", path, "--out", out, "--no-report"],
        "settings": ["analyze", good, "--out", out, "--no-report", "--settings", path],
        "stages": ["analyze", good, "--out", out, "--no-report", "--hypnogram", path, *zone],
        "diary": ["trend", folder / "result", "--diary", path, "--out", out],
        "events": ["agree", path, path, "--json"],
        "nights": ["cohort", path, "--out", out, "--workers", "1"],
        "report": ["trend", path.parent, "--out", out],
    }[name]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = CliRunner().invoke(twitchsense, [str(a) for a in arguments])
    problem = done.output.strip().splitlines()[-1:]
    if done.exit_code not in (0, 2) or "Traceback" in done.output:
        raise AssertionError(f"exit status {done.exit_code}: {done.output[-500:]}")
    if done.exit_code == 2 and out.exists() and name != "nights":
        raise AssertionError(f"left results behind: {problem}")
    shutil.rmtree(out, ignore_errors=True)
    if done.exit_code == 2:
        raise InputError(name, *(problem or ["refused"]), "")


COMMANDS: Final = Corpus("commands", _whole, _damage, _command, weight=0.1)
CORPORA: Final = (
    fuzz_captures.CORPUS,
    fuzz_archives.CORPUS,
    fuzz_hypnograms.CORPUS,
    fuzz_documents.CORPUS,
    COMMANDS,
)

if __name__ == "__main__":
    main(CORPORA, __doc__)
