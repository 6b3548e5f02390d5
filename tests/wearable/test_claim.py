"""One recorder for each wearable."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from twitchsense.acquire.claim import claim
from twitchsense.acquire.inbox import Inbox
from twitchsense.acquire.radio import Radio, Sighting
from twitchsense.acquire.session import Session
from twitchsense.errors import InputError
from twitchsense.store.night import NightFile

HOLD = """
import sys, time
from twitchsense.acquire.claim import claim
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


def test_a_session_says_that_the_wearable_is_taken_and_does_not_connect(tmp_path):
    class Here(Radio):
        async def scan(self, seconds, wanted=""):
            return [Sighting("AA:BB", "ts-0001", None, None)]

        def make_client(self, device, on_lost):
            raise AssertionError("connected to a wearable that is taken")

    async def play():
        stop = asyncio.Event()
        night = NightFile(tmp_path / "a.night")

        async def flush():
            pass

        session = Session(Here(), "ts-0001", 1, night, Inbox(), lambda: 0, flush, asyncio.Lock())
        asyncio.get_running_loop().call_later(0.1, stop.set)
        with claim("AA:BB"):
            await session.run(stop)
        night.close()
        return session.progress.last_error

    assert f"AA:BB is being recorded by process {os.getpid()}" in asyncio.run(play())
