"""Kill the recorder repeatedly at chosen moments, and check that no frame is lost.

Run ``python -m benchmarks.recorder.kill --kills 200``. The wearable runs in a separate process,
with outages. Kills cycle through `MOMENTS`, which are recognized by the recorder's messages and the
modification times of its files; checkpoints are forced every few seconds. A frame that was
acknowledged without being stored would be freed by the wearable and appear in the last loss report
as lost; there must be none.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from twitchsense.nightfile.loss_report import read_loss_reports

_TIMEOUT_S = 60.0
#: The final run of 30 s may end in an outage, or before all missing frames are retransmitted;
#: it is repeated up to this many times.
_MAX_FINAL_RUNS = 10
#: The command `record`, with a checkpoint after 40 pages of write-ahead log instead of 1000.
_RECORD = """
import sys
import twitchsense.nightfile.open_file as night
from twitchsense.acquire.device_lock import lock_device
from twitchsense.acquire.adapter import Adapter
from twitchsense.cli.app import main
night.CHECKPOINT_PAGES = 40
Adapter.lock = lambda self, address: lock_device(address)
main(["record", "-v", *sys.argv[1:]])
"""
MOMENTS = ("starting", "connecting", "back-fill", "commit", "checkpoint", "any time")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    faults = ",".join(f"range@{t}+{7}" for t in range(20, 36000, 60))
    address = f"127.0.0.1:{port}"
    serve = ["serve", "--transport", f"tcp-server:{address}", "--faults", faults]
    server = subprocess.Popen(
        [sys.executable, "-m", "firmware_sim", *serve], stderr=subprocess.PIPE, text=True
    )
    assert server.stderr is not None
    server.stderr.readline()
    try:
        with tempfile.TemporaryDirectory() as folder:
            night = Path(folder) / "a.night"
            print(json.dumps(run(night, f"sim@tcp-client:{address}", options), indent=2))
    finally:
        server.terminate()
        server.wait()


def run(night: Path, device: str, options: argparse.Namespace) -> dict[str, object]:
    rng = random.Random(options.seed)
    arguments = ["--device", device, "--out", str(night)]
    frames = n_shrunk = n_corrupt = 0
    reached_count: Counter[str] = Counter()
    for number in range(options.kills):
        moment = MOMENTS[number % len(MOMENTS)]
        log = night.with_suffix(".log")
        with log.open("w") as messages:
            child = subprocess.Popen([sys.executable, "-c", _RECORD, *arguments], stderr=messages)
            reached = wait_for(moment, night, log, rng)
            child.kill()
            child.wait()
        reached_count[moment if reached else f"{moment}: not reached"] += 1
        if number % 20 == 19:
            print(f"{number + 1} kills", file=sys.stderr, flush=True)
        if not night.exists():
            continue
        received = sum(b.received for b in read_loss_reports(night))
        n_shrunk += received < frames
        frames = received
        with closing(sqlite3.connect(f"file:{night}?mode=ro", uri=True)) as db:
            n_corrupt += db.execute("PRAGMA integrity_check").fetchone() != ("ok",)
    runs = 0
    while runs < _MAX_FINAL_RUNS and (
        not runs or any(b.unresolved for b in read_loss_reports(night))
    ):
        last = subprocess.run(
            [sys.executable, "-c", _RECORD, *arguments, "--duration", "30", "--min-valid", "0"],
            capture_output=True,
            text=True,
        )
        runs += 1
    reports = read_loss_reports(night)
    return {
        "kills": dict(reached_count),
        "frames_fewer_than_before": n_shrunk,
        "files_unsound": n_corrupt,
        "runs_of_30_s_until_nothing_was_open": runs,
        "last_run_status": last.returncode,
        "frames": sum(b.received for b in reports),
        "frames_made": sum(b.end for b in reports),
        "frames_lost": dict(sum((Counter(b.lost) for b in reports), Counter())),
        "frames_open": sum(last - first + 1 for b in reports for first, last in b.unresolved),
    }


def wait_for(moment: str, night: Path, log: Path, rng: random.Random) -> bool:
    """Wait until the recorder has reached a moment; return whether it did."""
    if moment == "starting":
        time.sleep(rng.uniform(0.2, 2.0))
        return True
    if not _until(lambda: "scanning" in log.read_text()):
        return False
    if moment == "connecting":
        time.sleep(rng.uniform(0.0, 1.0))
        return ": connected" not in log.read_text()
    if not _until(lambda: ": connected" in log.read_text()):
        return False
    if moment == "back-fill":  # retransmission of the frames made meanwhile
        time.sleep(rng.uniform(0.0, 1.0))
        return True
    if moment == "any time":
        time.sleep(rng.uniform(0.0, 12.0))
        return True
    file = night if moment == "checkpoint" else night.with_name(night.name + "-wal")
    before = file.stat().st_mtime_ns
    reached = _until(lambda: file.stat().st_mtime_ns != before)
    time.sleep(rng.choice((0.0, 0.0, 0.001, 0.003)))
    return reached


def _until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + _TIMEOUT_S
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.0005)
    return True


if __name__ == "__main__":
    main()
