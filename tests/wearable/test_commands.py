"""The commands, in real time and in processes of their own: sim, two processes over HCI, kill."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import twitchsense as ts
from tests.nightfile.builders import write_night
from twitchsense.cli.app import main
from twitchsense.cli.device_options import parse_options
from twitchsense.errors import InputError
from twitchsense.nightfile.loss_report import read_loss_reports


def run(*arguments, expect=0):
    with pytest.raises(SystemExit) as left:
        main([str(a) for a in arguments])
    assert left.value.code == expect


def spawn(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def server():
    """A wearable in a process of its own, over HCI on TCP."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--transport", f"tcp-server:127.0.0.1:{port}", "--minutes", "2"]
    process = spawn("firmware_sim", "serve", *options)
    assert "serving ts-0001" in process.stderr.readline()
    yield f"sim@tcp-client:127.0.0.1:{port}"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=240)


@pytest.mark.slow  # starts processes in real time
def test_record_sim_then_analyze(tmp_path, capsys):
    night = tmp_path / "tonight.night"
    run("record", "--device", "sim", "--out", night, "--duration", 8, "--option", "seed=4")
    said = capsys.readouterr().err
    assert "lost 0 frames" in said
    assert "not fetched" not in said
    # the simulated wearable is made anew, and the night goes on
    run("record", "--device", "sim", "--out", night, "--duration", 4, "-q")
    assert [b.received > 40 for b in read_loss_reports(night)] == [True, True]
    run("analyze", night, "--out", tmp_path / "out", "--no-report")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["unix", "pty"])
def test_a_served_pair_of_wearables_is_recorded(kind, tmp_path):
    place = tmp_path / "wire"
    ours, theirs = {
        "unix": (f"unix-server:{place}", f"unix-client:{place}"),
        "pty": (f"pty:{place}", f"serial:{place}"),
    }[kind]
    process = spawn("firmware_sim", "serve", "--transport", ours, "--legs", "both")
    assert "serving ts-0001, ts-0002" in process.stderr.readline()
    night = tmp_path / "a.night"
    run("record", "--device", f"sim@{theirs}", "--out", night, "--duration", 8, "--min-valid", 0)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=240)
    books = read_loss_reports(night)
    assert len(books) == 2
    assert all(b.unresolved == () and b.received == b.end - b.begin > 20 for b in books)


def test_a_transport_without_a_wearable_is_an_error(tmp_path, capsys):
    device = f"sim@unix-client:{tmp_path / 'nobody'}"
    run("record", "--device", device, "--out", tmp_path / "a.night", "--duration", 3, expect=1)
    assert "sim: cannot be opened" in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_over_hci(server, tmp_path, capsys):
    night = tmp_path / "a.night"
    run("devices", "--device", server, "--json", "--seconds", 3)
    (found,) = json.loads(capsys.readouterr().out)
    assert found["name"] == "ts-0001"
    run("record", "--device", server, "--out", night, "--duration", 6, "-q")
    # the wearable has stopped, and starts again for the same night
    run("record", "--device", server, "--out", night, "--duration", 6, "-q")
    (book,) = read_loss_reports(night)
    assert book.unresolved == ()
    assert book.received > 100
    assert ts.read(night).channels


@pytest.mark.slow
def test_a_killed_recorder_loses_nothing(server, tmp_path):
    """kill -9 at random, over and over; then one that may end: every frame is there."""
    night = tmp_path / "a.night"
    rng = np.random.default_rng(8)
    acknowledged = -1
    for _ in range(2):
        child = spawn("twitchsense.cli", "record", "--device", server, "--out", night)
        deadline = time.monotonic() + 60
        while not night.exists() and time.monotonic() < deadline:
            time.sleep(0.1)  # on a busy computer the start alone takes seconds
        time.sleep(2.0 + rng.uniform(0, 2))
        child.kill()
        child.communicate()
        assert night.exists()
        for book in read_loss_reports(night):
            assert book.end - 1 >= acknowledged  # it never shrinks
            acknowledged = book.end - 1
    child = spawn("twitchsense.cli", "record", "--device", server, "--out", night, "--duration", 10)
    told = child.communicate(timeout=240)[1]
    assert child.returncode == 0, told
    (book,) = read_loss_reports(night)
    assert book.received == book.end > max(acknowledged, 60)


@pytest.mark.slow
def test_sigterm_ends_cleanly(tmp_path):
    night = tmp_path / "a.night"
    child = spawn("twitchsense.cli", "record", "--device", "sim", "--out", night, "--min-valid", 0)
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        if night.exists():
            with sqlite3.connect(f"file:{night}?mode=ro", uri=True) as db:
                (count,) = db.execute("SELECT count(*) FROM packet").fetchone()
            db.close()
            if count > 20:
                break
        time.sleep(0.3)
    child.send_signal(signal.SIGTERM)
    told = child.communicate(timeout=240)[1]
    assert child.returncode == 0, told
    assert "Night:" in told
    assert not night.with_name("a.night-wal").exists()
    (book,) = read_loss_reports(night)
    assert book.unresolved == ()


@pytest.mark.slow
def test_a_night_with_too_little_valid_signal_fails(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("twitchsense.cli.simulated_devices.SIMULATOR_SCAN_S", 1.5)
    faults = "faults=range@0+100"
    run("record", "--device", "sim", "--out", tmp_path / "a.night", "--duration", 3,
        "--option", faults, expect=2)  # fmt: skip
    assert "no simulated wearable was found" in capsys.readouterr().err
    faults = "faults=silence@0+100"
    run("record", "--device", "sim", "--out", tmp_path / "b.night", "--duration", 5,
        "--option", faults, expect=1)  # fmt: skip
    assert "ONLY 0% OF THE TIME WAS RECORDED" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--device", "sim", "--out", "x.csv"), "is not the name of a night file"),
        (("--device", "sim", "--out", "x.night", "--option", "seed"), "is not a pair"),
        (("--device", "sim", "--out", "x.night", "--option", "faults=hail@3"), "is not a fault"),
        (("--device", "sim", "--out", "x.night", "--option", "colour=3"), "colour"),
        (("--device", "sim", "--device", "sim", "--out", "x.night"), "is named twice"),
        (("--device", "sim", "--device", "npg", "--out", "x.night"), "can't be combined"),
        (("--device", "npg", "--device", "sim", "--out", "x.night"), "can't be combined"),
    ],
)
def test_wrong_usage_is_an_error(arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("record", *arguments, expect=2)
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_options_become_numbers_where_possible():
    assert parse_options(("seed=3", "drift_ppm=-2.5", "leg=left", "serial=0012", "gain=0.5")) == {
        "seed": 3,
        "drift_ppm": -2.5,
        "leg": "left",
        "serial": "0012",
        "gain": 0.5,
    }
    with pytest.raises(InputError):
        parse_options(("=3",))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_exported_files_can_be_read_back(kind, tmp_path, capsys):
    night = write_night(tmp_path / "a.night", 20, keep=lambda _, s: s not in (100, 101))
    run("export", night, "--to", kind, "--out", tmp_path / "out")
    files = sorted((tmp_path / "out").iterdir())
    assert {f.name for f in files} == {f"emg.{kind}", f"acc.{kind}"}
    one, two = ts.read(night), ts.read(*files)
    for channel in one.channels:
        first, second = one.segments_of(channel.name), two.segments_of(channel.name)
        assert [len(s.samples) for s in first] == [len(s.samples) for s in second]
        for a, b in zip(first, second, strict=True):
            assert np.array_equal(a.samples.read(0, len(a.samples)), b.samples.read(0, 10**9))
            assert abs(a.start_ns + one.start_utc_ns - b.start_ns - two.start_utc_ns) < 1e5
    run("export", night, "--to", kind, "--out", tmp_path / "out", expect=2)
    assert "already exists" in capsys.readouterr().err
    if kind == "csv":
        assert "time_utc" in pd.read_csv(files[0], nrows=2).columns


def test_devices_without_an_adapter_reports_an_error(capsys, monkeypatch):
    class Broken:
        def __init__(self, *_, **__):
            raise OSError("no adapter")

    monkeypatch.setattr("twitchsense.acquire.adapter.BleakScanner", Broken)
    run("devices", "--seconds", 1, expect=1)
    assert "cannot scan for Bluetooth devices: no adapter" in capsys.readouterr().err
