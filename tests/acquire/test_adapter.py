"""Scanning for wearables, and keeping the computer awake."""

from __future__ import annotations

import asyncio
import sys
import time
from types import SimpleNamespace

import pytest
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError

from twitchsense.acquire import keep_awake
from twitchsense.acquire.adapter import (
    Adapter,
    AdapterError,
    Advertisement,
    DeviceSelector,
    open_adapter,
)
from twitchsense.devices.registry import installed_drivers
from twitchsense.devices.v1 import v1_frames
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
        return [DEVICE] if v1_frames.SERVICE_UUID in services else []


@pytest.fixture
def bleak_adapter(monkeypatch):
    monkeypatch.setattr("twitchsense.acquire.adapter.BleakScanner", SilentScanner)
    monkeypatch.setattr("bleak.BleakAdapter", FakeBleakAdapter, raising=False)
    return FakeBleakAdapter


@pytest.mark.parametrize("wanted", ["ts-0001", "TS-0001", "aa:bb"])
def test_a_wearable_that_is_still_connected_is_found_at_once(bleak_adapter, wanted):
    began = time.monotonic()
    found = asyncio.run(Adapter().scan(30.0, DeviceSelector("", wanted)))
    assert [(a.address, a.name, a.rssi, a.device) for a in found] == [
        ("AA:BB", "ts-0001", None, DEVICE)
    ]
    assert found[0].driver.kind == "twitchsense"
    assert time.monotonic() - began < 25  # not the whole scan


@pytest.mark.parametrize("failure", [NotImplementedError(), BleakError("no"), OSError("no")])
def test_systems_that_cannot_list_connections_are_scanned_only(bleak_adapter, failure, monkeypatch):
    monkeypatch.setattr(bleak_adapter, "failure", failure)
    assert asyncio.run(Adapter().scan(0.01, DeviceSelector("", "ts-0001"))) == []


def test_older_bleak_is_scanned_only(bleak_adapter, monkeypatch):
    monkeypatch.delattr("bleak.BleakAdapter")
    assert asyncio.run(Adapter().scan(0.01)) == []


def test_a_device_without_a_name_does_not_match_an_empty_name():
    nameless = Advertisement("AA:BB", "", None, BLEDevice("AA:BB", None, None))
    assert not DeviceSelector("", "").matches(nameless)
    assert DeviceSelector("", "aa:bb").matches(nameless)


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("npg", True),
        ("NPG", True),
        ("npg:0A:1B", True),  # the end of its name
        ("npg:c4:c3", True),  # its address
        ("NPG-Lite-3CH:0A:1B", True),
        ("npg:NPG-Lite-3CH:0A:1B", True),
        ("twitchsense", False),
        ("twitchsense:C4:C3", True),  # stated, though its driver does not recognise it
        ("npg:0A:1C", False),
        ("0A:1B", False),  # the end of a name says nothing without a kind
    ],
)
def test_a_device_is_selected_by_kind_address_or_name(text, matches):
    drivers = installed_drivers()
    found = Advertisement("C4:C3", "NPG-Lite-3CH:0A:1B", -50, DEVICE, drivers["npg"])
    assert DeviceSelector.parse(text, drivers).matches(found) is matches


class AdvertisingScanner(SilentScanner):
    """A scanner that finds one device, whose name and services come in two packets, and a lamp."""

    def __init__(self, callback):
        self.callback = callback

    async def __aenter__(self):
        known, lamp = BLEDevice("C4:C3", None, None), BLEDevice("C4:C4", None, None)
        fields = {"manufacturer_data": {}, "rssi": -60}
        empty = SimpleNamespace(local_name=None, service_uuids=[], **fields)
        self.callback(known, SimpleNamespace(**{**vars(empty), "local_name": "NPG-Lite-3CH"}))
        self.callback(known, empty)
        self.callback(lamp, SimpleNamespace(**{**vars(empty), "local_name": "a lamp"}))
        return self


def test_a_scan_lists_what_a_driver_recognises_and_others_only_where_wanted(monkeypatch):
    monkeypatch.setattr("twitchsense.acquire.adapter.BleakScanner", AdvertisingScanner)
    monkeypatch.delattr("bleak.BleakAdapter", raising=False)
    (found,) = asyncio.run(Adapter().scan(0.01))
    assert (found.name, found.driver.kind) == ("NPG-Lite-3CH", "npg")
    both = asyncio.run(Adapter().scan(0.01, unknown=True))
    assert [(a.name, a.driver is None) for a in both] == [
        ("NPG-Lite-3CH", False),
        ("a lamp", True),
    ]


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


def test_a_missing_bluetooth_service_is_named(monkeypatch):
    def scanner(*args, **kwargs):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("twitchsense.acquire.adapter.BleakScanner", scanner)
    with pytest.raises(AdapterError, match="no Bluetooth service runs on this computer; is there"):
        asyncio.run(Adapter().scan(0.1))
