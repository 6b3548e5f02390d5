"""Hostile connections to the live page while a simulated night is recorded.

``python -m benchmarks.faults.live_page --minutes 5 --connections 1000``. A recorder, the live page
and the hostile clients are processes of their own; a legitimate view reads its stream and stores
a marker every ten seconds. The recorder must lose nothing, the view must stay usable, and the
processor time of the page must return to that before.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import multiprocessing
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.faults.hostile_clients import attack
from twitchsense.nightfile.loss_report import read_loss_reports

_CLI = [sys.executable, "-m", "twitchsense.cli"]
_REST_S = 20.0
_MARKER_PERIOD_S = 10.0


class View(threading.Thread):
    """A browser that has the page open: it reads the stream and stores markers."""

    def __init__(self, port: int, token: str) -> None:
        super().__init__(daemon=True)
        self.port, self.token = port, token
        answer = self._ask("GET", "/")
        assert answer.status == 200, answer.status
        self.cookie = (answer.getheader("Set-Cookie") or "").split(";")[0]
        self.gaps_s: list[float] = []
        self.marker_s: list[float] = []
        self.failed_markers = 0
        self.frames = 0
        self.stop = threading.Event()

    def _ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> http.client.HTTPResponse:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        link.request(method, f"{path}?token={self.token}", body=body, headers=headers)
        answer = link.getresponse()
        if path != "/news":
            answer.read()
        return answer

    def run(self) -> None:
        """Read the stream until `stop` is set."""
        stream = self._ask("GET", "/news", Cookie=self.cookie)
        last_s, next_marker_s = time.monotonic(), time.monotonic()
        while not self.stop.is_set():
            line = stream.readline()
            if not line:
                break
            if not line.startswith(b"data: "):
                continue
            now_s = time.monotonic()
            self.gaps_s.append(now_s - last_s)
            self.frames, last_s = json.loads(line[6:])["frames"], now_s
            if now_s >= next_marker_s:
                next_marker_s = now_s + _MARKER_PERIOD_S
                threading.Thread(target=self._mark, daemon=True).start()

    def _mark(self) -> None:
        start_s = time.monotonic()
        origin = f"http://127.0.0.1:{self.port}"
        try:
            answer = self._ask("POST", "/marker", b"here", Cookie=self.cookie, Origin=origin)
            assert answer.status == 200
        except (OSError, AssertionError, http.client.HTTPException):
            self.failed_markers += 1
        else:
            self.marker_s.append(time.monotonic() - start_s)


def main() -> int:
    """Run the campaign; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=1000)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    with tempfile.TemporaryDirectory() as folder:
        night = Path(folder) / "tonight.night"
        record = subprocess.Popen(
            [*_CLI, "record", "--device", "sim", "--out", str(night), "-q", "--min-valid", "0",
             "--option", "minutes=60"]
        )  # fmt: skip
        while not night.exists():
            time.sleep(0.2)
        errors = Path(folder) / "errors"
        page = subprocess.Popen(
            [*_CLI, "live", str(night), "--browser"],
            stdout=subprocess.PIPE, stderr=errors.open("w"), text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        try:
            return _measure(page, record, night, errors, options.minutes, options.connections)
        finally:
            page.kill()
            record.kill()


def _measure(
    page: subprocess.Popen[str],
    record: subprocess.Popen[bytes],
    night: Path,
    errors: Path,
    minutes: float,
    connections: int,
) -> int:
    assert page.stdout is not None
    found = re.search(r":(\d+)/\?token=(\S+)", page.stdout.readline())
    assert found is not None
    view = View(int(found[1]), found[2])
    view.start()
    time.sleep(10)
    before = _cpu_share(page.pid, _REST_S)
    n_before = len(view.gaps_s)
    arguments = (view.port, view.token, view.cookie, connections, minutes * 60)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        attacked = pool.apply_async(_attack, arguments)
        time.sleep(5)
        during = _cpu_share(page.pid, minutes * 60 - 10)
        n_threads = len(list(Path(f"/proc/{page.pid}/task").iterdir()))
        n_files = len(list(Path(f"/proc/{page.pid}/fd").iterdir()))
        made = attacked.get()
    n_after = len(view.gaps_s)
    time.sleep(10)
    after = _cpu_share(page.pid, _REST_S)
    view.stop.set()
    page.send_signal(signal.SIGINT)
    status = page.wait(30)
    record.send_signal(signal.SIGTERM)
    record.wait(60)
    with sqlite3.connect(night) as db:
        (n_markers,) = db.execute("SELECT count(*) FROM marker WHERE text = 'here'").fetchone()
    reports = read_loss_reports(night)
    lost = sum(sum(report.lost.values()) for report in reports)
    unresolved = sum(b - a + 1 for report in reports for a, b in report.unresolved)
    quiet, busy = view.gaps_s[:n_before], view.gaps_s[n_before:n_after]
    n_frames, n_lines = sum(r.received for r in reports), len(errors.read_text().splitlines())
    rows = (
        ("hostile connections made, of all kinds", f"{made.total()}"),
        ("frames recorded, lost, not fetched", f"{n_frames}, {lost}, {unresolved}"),
        ("longest gap of the view before, during", f"{max(quiet):.2f}, {max(busy):.2f} s"),
        ("messages of the view during the attack", f"{len(busy)}"),
        ("markers stored, failed", f"{n_markers}, {view.failed_markers}"),
        ("slowest marker", f"{max(view.marker_s):.2f} s"),
        ("processor time of the page before, during", f"{before:.0%}, {during:.0%}"),
        ("processor time of the page after", f"{after:.0%}"),
        ("threads, open files of the page during the attack", f"{n_threads}, {n_files}"),
        ("lines on its standard error, exit status", f"{n_lines}, {status}"),
    )
    print("| measured | value |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")
    return 1 if lost or view.failed_markers or after > before + 0.2 else 0


def _attack(*arguments: object) -> object:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    return asyncio.run(attack(*arguments))  # type: ignore[arg-type]


def _cpu_share(pid: int, seconds: float) -> float:
    """Return the processor time of a process over a span, in cores."""
    start = _cpu_s(pid)
    time.sleep(seconds)
    return (_cpu_s(pid) - start) / seconds


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
