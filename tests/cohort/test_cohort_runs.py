"""Whole cohorts, with workers and runs that are killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.io.edf_builder import EdfFile, digital
from twitchsense.cohort.dataset import create_dataset, part_file_name
from twitchsense.cohort.processes import run_in_processes
from twitchsense.cohort.run import run_cohort
from twitchsense.cohort.task import Task

CLI = [sys.executable, "-m", "twitchsense.cli", "cohort"]
WAIT_S = 300

pytestmark = [
    pytest.mark.slow,  # starts processes in real time, and kills them
    pytest.mark.skipif(sys.platform == "win32", reason="kills processes by signals"),
]


def finished(out: Path) -> dict[str, tuple[int, int]]:
    """Return the finished nights, and when their events were written."""
    events = {p.name: (out / "events" / p.name).stat() for p in (out / "nights").glob("*.parquet")}
    return {name: (s.st_ino, s.st_mtime_ns) for name, s in events.items()}


def wait_for(what, process: subprocess.Popen | None = None):
    end = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < end, "waited too long"
        assert process is None or process.poll() is None, process
        time.sleep(0.02)


def write_long_edf(path: Path) -> Path:
    """Write a capture of many days that takes no space, and takes minutes to analyse."""
    EdfFile(digital(20)).write(path)
    os.truncate(path, 10 << 30)
    return path


@pytest.fixture
def unending(listed):
    """Return a list whose third night takes minutes, and that night's capture."""
    path = write_long_edf(listed.with_name("long.edf"))
    lines = listed.read_text().splitlines(keepends=True)
    listed.write_text("".join([*lines[:3], f"long,{path}\n", *lines[3:]]))
    return listed, path


def test_killed_worker_loses_no_night(nights, tmp_path):
    create_dataset(tmp_path)
    tasks = [Task(n, tmp_path, version("twitchsense")) for n in nights]
    outcomes = []
    for outcome in run_in_processes(tasks, 2):
        outcomes.append(outcome)
        if len(outcomes) == 1:
            for process in multiprocessing.active_children():
                process.kill()
    assert sorted(o.night for o in outcomes) == [n.name for n in nights]
    assert {o.status for o in outcomes} == {"done"}
    assert len({o.worker for o in outcomes}) >= 3
    assert len(finished(tmp_path)) == len(nights)
    assert not multiprocessing.active_children()


def test_night_whose_worker_dies_twice_fails_and_the_others_are_analysed(nights, tmp_path):
    create_dataset(tmp_path / "out")
    path = write_long_edf(tmp_path / "long.edf")
    bad = replace(nights[0], name="bad", captures=(path,))
    tasks = [Task(n, tmp_path / "out", version("twitchsense")) for n in [bad, *nights[1:4]]]
    outcomes, ended = {}, threading.Event()

    def kill() -> None:
        while not ended.wait(0.3):
            for process in multiprocessing.active_children():
                process.kill()

    killer = threading.Thread(target=kill)
    for outcome in run_in_processes(tasks, 2):
        outcomes[outcome.night] = outcome
        if len(outcomes) == 3 and "bad" not in outcomes:
            killer.start()
    ended.set()
    killer.join()
    assert {n: o.status for n, o in outcomes.items() if n != "bad"} == dict.fromkeys(
        ["n1", "n2", "n3"], "done"
    )
    assert outcomes["bad"].status == "failed"
    assert "died twice (killed by SIGKILL)" in outcomes["bad"].reason
    (row,) = pq.read_table(tmp_path / "out" / "failed" / part_file_name("bad")).to_pylist()
    assert row["cause"] == "worker"


def test_killed_run_resumes_without_repeating_nights(unending, tmp_path):
    (listed, path), out = unending, tmp_path / "out"
    process = subprocess.Popen(
        [*CLI, str(listed), "--out", str(out), "--workers", "2", "-q"], start_new_session=True
    )
    wait_for(lambda: out.exists() and len(finished(out)) >= 2, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = finished(out)
    assert 2 <= len(before) <= 6
    EdfFile(digital(20)).write(path)
    for path in out.glob("*/*.parquet"):
        pq.read_table(path)  # whole, or not there
    result = subprocess.run(
        [*CLI, str(listed), "--out", str(out), "--workers", "2", "--json"],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=True,
    )
    report = json.loads(result.stdout)
    assert (report["total"], report["kept"], report["done"]) == (7, len(before), 7 - len(before))
    after = finished(out)
    assert len(after) == 7
    assert {name: after[name] for name in before} == before  # none is done twice
    assert "7 nights:" in result.stderr


def test_sigterm_ends_the_workers(unending, tmp_path):
    (listed, _), out = unending, tmp_path / "out"
    process = subprocess.Popen([*CLI, str(listed), "--out", str(out), "--workers", "2", "-q"])
    wait_for(lambda: out.exists() and len(finished(out)) >= 1, process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    pids = [int(p) for p in children.read_text().split()] if children.exists() else []
    process.terminate()
    assert process.wait(timeout=WAIT_S) == 128 + signal.SIGTERM
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    assert not list(out.glob(".run-*"))


def test_parts_share_one_dataset(nights, tmp_path):
    seen = []
    for part in ((1, 2), (2, 2)):
        tally = run_cohort(
            nights[:3], tmp_path, workers=1, part=part, on_night=lambda t, o: seen.append(o.night)
        )
        assert tally.done == tally.total
    assert sorted(seen) == ["n0", "n1", "n2"]
    assert run_cohort(nights[:3], tmp_path).kept == 3


def test_killed_dask_worker_loses_no_night(listed, tmp_path):
    pytest.importorskip("distributed")
    out, place = tmp_path / "out", tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    common = ["--scheduler-file", str(place), "--no-dashboard"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    started = [
        subprocess.Popen([*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *common],
                         **quiet)
    ]  # fmt: skip
    try:
        wait_for(place.exists, started[0])
        address = json.loads(place.read_text())["address"].removeprefix("tcp://")
        worker = [*dask, "worker", "--nthreads", "1", "--no-nanny", *common]
        started += [subprocess.Popen(worker, **quiet) for _ in range(2)]
        run = subprocess.Popen(
            [*CLI, str(listed), "--out", str(out), "--executor", f"dask://{address}", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(run)
        wait_for(lambda: out.exists() and len(finished(out)) >= 1, run)
        started[1].kill()
        stdout, stderr = run.communicate(timeout=WAIT_S)
        assert run.returncode == 0, stderr
        assert json.loads(stdout)["done"] == 6
        assert len(finished(out)) == 6
    finally:
        for process in started:
            process.kill()
            process.communicate()


def test_missing_scheduler_is_an_error_of_one_line(listed, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    script = (
        "import sys, twitchsense.cohort.cluster as c; c.CONNECT_TIMEOUT_S = 1.0\n"
        "from twitchsense.cli.app import main; sys.argv[0] = 'twitchsense'; main()"
    )
    given = ["cohort", str(listed), "--out", str(tmp_path / "o"), "--executor",
             "dask://127.0.0.1:9", "-q"]  # fmt: skip
    result = subprocess.run(
        [sys.executable, "-c", script, *given], capture_output=True, text=True, timeout=WAIT_S
    )
    assert result.returncode == 2, result.stderr
    assert (
        "--executor dask://127.0.0.1:9: no Dask scheduler responds at this address" in result.stderr
    )
    assert "Traceback" not in result.stderr


def test_a_worker_that_is_still_starting_is_not_interrupted_by_ctrl_c(monkeypatch):
    """It printed a traceback of its imports; it inherits the signals that are blocked."""
    blocked = []

    def start(process):
        blocked.append(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        raise OSError

    monkeypatch.setattr(multiprocessing.process.BaseProcess, "start", start)
    with pytest.raises(OSError, match=r"^$"):
        next(run_in_processes([None], 1))
    assert [signal.SIGINT in mask for mask in blocked] == [True]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
