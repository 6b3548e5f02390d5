"""One recorder for each wearable."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from twitchsense.acquire.adapter import Radio, RadioError, Sighting
from twitchsense.acquire.device_lock import claim
from twitchsense.acquire.frame_queue import Inbox
from twitchsense.acquire.session import Session, SessionError
from twitchsense.errors import InputError
from twitchsense.nightfile.loss_report import read_books
from twitchsense.nightfile.writer import NightFile

HOLD = """
import sys, time
from twitchsense.acquire.device_lock import claim
with claim("AA:BB"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_a_second_recorder_is_told_who_has_it_until_that_one_dies(place):
    holder = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        told = f"AA:BB: is being recorded by process {holder.pid}"
        with pytest.raises(InputError, match=told), claim("AA:BB"):
            pass
        with claim("AA:CC"):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with claim("AA:BB"):
        pass


def test_it_is_free_again_afterwards(place):
    for _ in range(2):
        with claim("AA:BB"):
            assert [p.name for p in (place / "twitchsense").iterdir()] == ["AA-BB.lock"]
    assert list((place / "twitchsense").iterdir()) == []


def test_without_a_place_for_locks_it_is_recorded_all_the_same(monkeypatch, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "file"))
    with claim("AA:BB"):
        assert "cannot keep other recorders off AA:BB" in caplog.text


class Here(Radio):
    """A radio that sees one wearable and never connects."""

    async def scan(self, seconds, wanted=""):
        return [Sighting("AA:BB", "ts-0001", None, None)]

    def make_client(self, device, on_lost):
        raise RadioError("no adapter")


async def play(radio, tmp_path, seconds=0.1):
    """Let a session run for a while on a radio; return it."""
    stop = asyncio.Event()
    night = NightFile(tmp_path / "a.night")

    async def flush():
        pass

    session = Session(radio, "ts-0001", 1, night, Inbox(), lambda: 0, flush, asyncio.Lock())
    asyncio.get_running_loop().call_later(seconds, stop.set)
    try:
        await session.run(stop)
    finally:
        night.close()
    return session


def test_a_session_says_that_the_wearable_is_taken_and_does_not_connect(tmp_path):
    class Taken(Here):
        def make_client(self, device, on_lost):
            raise AssertionError("connected to a wearable that is taken")

    with claim("AA:BB"):
        session = asyncio.run(play(Taken(), tmp_path))
    told = f"AA:BB is being recorded by process {os.getpid()}"
    assert told in session.progress.last_error


def test_a_session_keeps_its_wearable_through_failures_and_lets_go_at_the_end(place):
    held = []

    class Looking(Here):
        def make_client(self, device, on_lost):
            held.append([p.name for p in (place / "twitchsense").iterdir()])
            return super().make_client(device, on_lost)

    session = asyncio.run(play(Looking(), place, 3.0))
    assert "no adapter" in session.progress.last_error
    assert len(held) > 1  # claimed once, not again at each attempt
    assert held == [["AA-BB.lock"]] * len(held)
    assert list((place / "twitchsense").iterdir()) == []


def test_a_fault_of_ours_ends_the_session_and_lets_the_wearable_go(place, caplog):
    class Wrong(Here):
        def make_client(self, device, on_lost):
            return None.connect

    with pytest.raises(SessionError, match=r"ts-0001: recording has ended at a fault .*NoneType"):
        asyncio.run(play(Wrong(), place, 600.0))
    assert "a fault of twitchsense" in caplog.text
    assert list((place / "twitchsense").iterdir()) == []


def test_a_radio_that_cannot_claim_ends_the_session(tmp_path):
    class Wrong(Here):
        claim = None

    with pytest.raises(SessionError, match="not callable"):
        asyncio.run(play(Wrong(), tmp_path, 600.0))


def test_an_error_of_the_back_end_that_nobody_listed_is_tried_again(tmp_path, caplog):
    tries = []

    class Client:
        async def connect(self):
            tries.append("connect")
            raise KeyError("org.bluez")

        async def disconnect(self):
            raise AttributeError("_bus")

    class Odd(Here):
        def make_client(self, device, on_lost):
            return Client()

    session = asyncio.run(play(Odd(), tmp_path, 3.0))
    assert len(tries) > 1
    assert session.progress.last_error == "connect: KeyError('org.bluez')"
    assert "unexpected error of the Bluetooth back end" in caplog.text


#: The command, with a simulator of its own whose wearable has the same address everywhere,
#: and that must be claimed as if the radio were the computer's own.
RECORD = """
import sys
from twitchsense.acquire.device_lock import claim
from twitchsense.acquire.adapter import Radio
from twitchsense.cli.app import main
Radio.claim = lambda self, address: claim(address)
main(["record", "--device", "sim", "-v", "--min-valid", "0", "--out", sys.argv[1]])
"""


def test_of_two_recorders_one_waits_until_the_other_is_killed(place):
    pytest.importorskip("bumble")
    with ExitStack() as stack:

        def record(name):
            command = [sys.executable, "-c", RECORD, str(place / name)]
            process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
            stack.enter_context(process)  # waits for it
            stack.callback(process.kill)
            return process

        def hear(process, wanted):
            return next((line for line in process.stderr if wanted in line), "")

        first = record("first.night")
        assert hear(first, ": connected boot")
        second = record("second.night")
        assert f"is being recorded by process {first.pid}" in hear(second, ": failed")
        first.kill()
        assert hear(second, ": connected boot")
        time.sleep(2.5)
        second.send_signal(signal.SIGTERM)
        assert second.wait() == 0
    for name in ("first.night", "second.night"):
        (book,) = read_books(place / name)
        assert book.received + sum(book.lost.values()) == book.end
    assert book.received > 0
