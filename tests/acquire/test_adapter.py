"""Scanning for wearables, and keeping the computer awake."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError

from twitchsense.acquire import keep_awake
from twitchsense.acquire.adapter import Adapter, Advertisement, open_adapter
from twitchsense.devices import v1_frames
from twitchsense.errors import InputError

DEVICE = BLEDevice("AA:BB", "ts-0001", None)


class SilentScanner:
    """A scanner that finds nothing: a connected wearable does not advertise."""

    def __init__(self, callback):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass


class FakeBleakAdapter:
    failure: Exception | None = None

    @classmethod
    async def get(cls):
        return cls()

    async def get_connected_devices(self, services):
        if self.failure is not None:
            raise self.failure
        assert services == [v1_frames.SERVICE_UUID]
        return [DEVICE]


@pytest.fixture
def bleak_adapter(monkeypatch):
    monkeypatch.setattr("twitchsense.acquire.adapter.BleakScanner", SilentScanner)
    monkeypatch.setattr("bleak.BleakAdapter", FakeBleakAdapter, raising=False)
    return FakeBleakAdapter


@pytest.mark.parametrize("wanted", ["ts-0001", "TS-0001", "aa:bb"])
def test_a_wearable_that_is_still_connected_is_found_at_once(bleak_adapter, wanted):
    began = time.monotonic()
    found = asyncio.run(Adapter().scan(30.0, wanted))
    assert found == [Advertisement("AA:BB", "ts-0001", None, DEVICE)]
    assert time.monotonic() - began < 25  # not the whole scan


@pytest.mark.parametrize("failure", [NotImplementedError(), BleakError("no"), OSError("no")])
def test_systems_that_cannot_list_connections_are_scanned_only(bleak_adapter, failure, monkeypatch):
    monkeypatch.setattr(bleak_adapter, "failure", failure)
    assert asyncio.run(Adapter().scan(0.01, "ts-0001")) == []


def test_older_bleak_is_scanned_only(bleak_adapter, monkeypatch):
    monkeypatch.delattr("bleak.BleakAdapter")
    assert asyncio.run(Adapter().scan(0.01)) == []


def test_a_device_without_a_name_does_not_match_an_empty_name():
    nameless = Advertisement("AA:BB", "", None, BLEDevice("AA:BB", None, None))
    assert not nameless.matches("")
    assert nameless.matches("aa:bb")


def test_an_unknown_plug_in_is_rejected():
    async def use():
        async with open_adapter("carrier-pigeon"):
            pass

    with pytest.raises(InputError, match="no such Bluetooth plug-in"):
        asyncio.run(use())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other ways")
@pytest.mark.parametrize(
    ("command", "works"),
    [(["cat"], True), (["false"], False), (["/does/not/exist"], False), (None, False)],
)
def test_keep_awake_reports_whether_sleep_is_prevented(command, works, monkeypatch):
    monkeypatch.setattr(keep_awake, "inhibit_command", lambda: command)
    with keep_awake.keep_awake() as awake:
        assert awake is works
