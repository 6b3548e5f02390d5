"""Finding wearables, and keeping the computer awake."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError

from twitchsense.acquire import keep_awake
from twitchsense.acquire.adapter import Radio, Sighting, open_radio
from twitchsense.devices import v1_frames
from twitchsense.errors import InputError

DEVICE = BLEDevice("AA:BB", "ts-0001", None)


class Silent:
    """A scanner that hears nobody: a wearable that is connected does not advertise."""

    def __init__(self, callback):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass


class Adapter:
    failure: Exception | None = None

    @classmethod
    async def get(cls):
        return cls()

    async def get_connected_devices(self, services):
        if self.failure is not None:
            raise self.failure
        assert services == [v1_frames.SERVICE]
        return [DEVICE]


@pytest.fixture
def adapter(monkeypatch):
    monkeypatch.setattr("twitchsense.acquire.adapter.BleakScanner", Silent)
    monkeypatch.setattr("bleak.BleakAdapter", Adapter, raising=False)
    return Adapter


@pytest.mark.parametrize("wanted", ["ts-0001", "TS-0001", "aa:bb"])
def test_a_wearable_that_is_still_connected_is_found_at_once(adapter, wanted):
    began = time.monotonic()
    found = asyncio.run(Radio().scan(30.0, wanted))
    assert found == [Sighting("AA:BB", "ts-0001", None, DEVICE)]
    assert time.monotonic() - began < 25  # not the whole scan


@pytest.mark.parametrize("failure", [NotImplementedError(), BleakError("no"), OSError("no")])
def test_systems_that_cannot_tell_are_scanned_only(adapter, failure, monkeypatch):
    monkeypatch.setattr(adapter, "failure", failure)
    assert asyncio.run(Radio().scan(0.01, "ts-0001")) == []


def test_older_bleak_is_scanned_only(adapter, monkeypatch):
    monkeypatch.delattr("bleak.BleakAdapter")
    assert asyncio.run(Radio().scan(0.01)) == []


def test_nobody_answers_to_no_name():
    nameless = Sighting("AA:BB", "", None, BLEDevice("AA:BB", None, None))
    assert not nameless.answers_to("")
    assert nameless.answers_to("aa:bb")


def test_a_radio_that_does_not_exist():
    async def use():
        async with open_radio("carrier-pigeon"):
            pass

    with pytest.raises(InputError, match="no such radio"):
        asyncio.run(use())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other ways")
@pytest.mark.parametrize(
    ("command", "works"),
    [(["cat"], True), (["false"], False), (["/does/not/exist"], False), (None, False)],
)
def test_whether_sleep_is_held_off_is_told_truly(command, works, monkeypatch):
    monkeypatch.setattr(keep_awake, "_command", lambda: command)
    with keep_awake.keep_awake() as told:
        assert told is works
