"""The lock on each wearable, and sessions that fail."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack

import pytest

from twitchsense.acquire.adapter import Adapter, AdapterError, Advertisement
from twitchsense.acquire.device_lock import lock_device
from twitchsense.acquire.frame_queue import FrameQueue
from twitchsense.acquire.session import Session, SessionError
from twitchsense.devices.v1.v1_driver import V1Driver
from twitchsense.errors import InputError
from twitchsense.nightfile.loss_report import read_loss_reports
from twitchsense.nightfile.writer import NightFileWriter

HOLD = """
import sys, time
from twitchsense.acquire.device_lock import lock_device
with lock_device("AA:BB"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_a_locked_device_names_its_holder_until_that_process_dies(place):
    holder = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        message = f"AA:BB: is being recorded by process {holder.pid}"
        with pytest.raises(InputError, match=message), lock_device("AA:BB"):
            pass
        with lock_device("AA:CC"):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with lock_device("AA:BB"):
        pass


def test_the_lock_is_released_on_exit(place):
    for _ in range(2):
        with lock_device("AA:BB"):
            assert [p.name for p in (place / "twitchsense").iterdir()] == ["AA-BB.lock"]
    assert list((place / "twitchsense").iterdir()) == []


def test_without_a_lock_folder_the_device_is_recorded_with_a_warning(monkeypatch, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "file"))
    with lock_device("AA:BB"):
        assert "cannot prevent other recorders from using AA:BB" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="users have no numbers there")
def test_a_user_without_a_name_has_locks(monkeypatch, tmp_path, caplog):
    for name in ("XDG_RUNTIME_DIR", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    import pwd

    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)  # as in a container
    with lock_device("AA:BB"):
        assert (tmp_path / f"twitchsense-{os.getuid()}" / "AA-BB.lock").exists()
    assert caplog.text == ""


class NeverConnects(Adapter):
    """An adapter that finds one wearable and never connects."""

    async def scan(self, timeout_s, wanted=None, *, unknown=False):
        return [Advertisement("AA:BB", "ts-0001", None, None, V1Driver())]

    def make_client(self, device, on_lost):
        raise AdapterError("no adapter")


async def run_session(adapter, tmp_path, seconds=0.1):
    """Run a session for some seconds on an adapter and return it."""
    stop = asyncio.Event()
    night = NightFileWriter(tmp_path / "a.night")

    async def flush():
        pass

    session = Session(adapter, "ts-0001", 1, night, FrameQueue(), lambda: 0, flush, asyncio.Lock())
    asyncio.get_running_loop().call_later(seconds, stop.set)
    try:
        await session.run(stop)
    finally:
        night.close()
    return session


def test_a_session_does_not_connect_to_a_locked_wearable(tmp_path):
    class Taken(NeverConnects):
        def make_client(self, device, on_lost):
            raise AssertionError("connected to a wearable that is taken")

    with lock_device("AA:BB"):
        session = asyncio.run(run_session(Taken(), tmp_path))
    message = f"AA:BB is being recorded by process {os.getpid()}"
    assert message in session.status.last_error


@pytest.mark.slow  # starts processes, or waits in real time
def test_a_session_holds_its_lock_through_failures_and_releases_it_at_the_end(place):
    held = []

    class Watched(NeverConnects):
        def make_client(self, device, on_lost):
            held.append([p.name for p in (place / "twitchsense").glob("[!f]*")])
            return super().make_client(device, on_lost)

    session = asyncio.run(run_session(Watched(), place, 3.0))
    assert "no adapter" in session.status.last_error
    assert len(held) > 1  # locked once, not again at each attempt
    assert held == [["AA-BB.lock"]] * len(held)
    assert list((place / "twitchsense").iterdir()) == []


def test_an_unexpected_error_ends_the_session_and_releases_the_lock(place, caplog):
    class Wrong(NeverConnects):
        def make_client(self, device, on_lost):
            return None.connect

    with pytest.raises(
        SessionError, match=r"ts-0001: recording stopped because of an error .*NoneType"
    ):
        asyncio.run(run_session(Wrong(), place, 600.0))
    assert "an error in twitchsense" in caplog.text
    assert list((place / "twitchsense").iterdir()) == []


def test_an_adapter_that_cannot_lock_ends_the_session(tmp_path):
    class Wrong(NeverConnects):
        lock = None

    with pytest.raises(SessionError, match="not callable"):
        asyncio.run(run_session(Wrong(), tmp_path, 600.0))


@pytest.mark.slow
def test_an_undocumented_error_of_the_back_end_is_retried(tmp_path, caplog):
    attempts = []

    class Client:
        async def connect(self):
            attempts.append("connect")
            raise KeyError("org.bluez")

        async def disconnect(self):
            raise AttributeError("_bus")

    class Odd(NeverConnects):
        def make_client(self, device, on_lost):
            return Client()

    session = asyncio.run(run_session(Odd(), tmp_path, 3.0))
    assert len(attempts) > 1
    assert session.status.last_error == "connect: KeyError('org.bluez')"
    assert "unexpected error of the Bluetooth back end" in caplog.text


#: The command with a simulator of its own. Its wearable has the same address in every process
#: and must be locked as if the adapter were the computer's own.
RECORD = """
import sys
from twitchsense.acquire.device_lock import lock_device
from twitchsense.acquire.adapter import Adapter
from twitchsense.cli.app import main
Adapter.lock = lambda self, address: lock_device(address)
main(["record", "--device", "sim", "-v", "--min-valid", "0", "--out", sys.argv[1]])
"""


@pytest.mark.slow
def test_of_two_recorders_one_waits_until_the_other_is_killed(place):
    pytest.importorskip("bumble")
    with ExitStack() as stack:

        def record(name):
            command = [sys.executable, "-c", RECORD, str(place / name)]
            process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
            stack.enter_context(process)  # waits for it
            stack.callback(process.kill)
            return process

        def wait_for_line(process, wanted):
            return next((line for line in process.stderr if wanted in line), "")

        first = record("first.night")
        assert wait_for_line(first, ": connected boot")
        second = record("second.night")
        assert f"is being recorded by process {first.pid}" in wait_for_line(second, ": failed")
        first.kill()
        assert wait_for_line(second, ": connected boot")
        time.sleep(2.5)
        second.send_signal(signal.SIGTERM)
        assert second.wait() == 0
    for name in ("first.night", "second.night"):
        (book,) = read_loss_reports(place / name)
        assert book.received + sum(book.lost.values()) == book.end
    assert book.received > 0
