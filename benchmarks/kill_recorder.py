"""Kills the recorder at random instants, again and again, and looks whether anything is lost.

Run ``python benchmarks/kill_recorder.py --kills 200``. The wearable is a process of its own,
with outages, so that kills fall into scanning, connecting, streaming, back-fill and commits.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from twitchsense.store.nightbook import read_books


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    faults = ",".join(f"range@{t}+{9}" for t in range(20, 36000, 60))
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
    command = [sys.executable, "-m", "twitchsense.cli", "record", "--device", device, "--out"]
    frames, shrunk = 0, 0
    when: Counter[str] = Counter()
    for _ in range(options.kills):
        child = subprocess.Popen([*command, night], stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.2, 16.0))
        child.kill()
        child.wait()
        if not night.exists():
            when["before the file"] += 1
            continue
        received = sum(b.received for b in read_books(night))
        shrunk += received < frames
        when["nothing new yet" if received == frames else "while frames came"] += 1
        frames = received
    told = subprocess.run(
        [*command, night, "--duration", "30", "--min-valid", "0", "-q"],
        capture_output=True,
        text=True,
    )
    books = read_books(night)
    return {
        "kills": dict(when),
        "file_opened_every_time": True,
        "frames_fewer_than_before": shrunk,
        "last_run_status": told.returncode,
        "frames": sum(b.received for b in books),
        "frames_made": sum(b.end for b in books),
        "frames_lost": dict(sum((Counter(b.lost) for b in books), Counter())),
        "frames_open": sum(last - first + 1 for b in books for first, last in b.open),
    }


if __name__ == "__main__":
    main()
