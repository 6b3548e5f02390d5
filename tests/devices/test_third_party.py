"""A driver in a package of its own, the one of the docs, is found, tested, recorded and read."""

from __future__ import annotations

import json
import random
import shutil
import tomllib
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from click.testing import CliRunner

import twitchsense as ts
from firmware_sim.peers.peripheral_model import CharacteristicModel, PeripheralModel
from tests.acquire.peer_recording import record_peers
from twitchsense.cli.app import main
from twitchsense.devices.contract import Advertised
from twitchsense.devices.registry import get_driver
from twitchsense.devices.streams import SampleCounter
from twitchsense.errors import InputError
from twitchsense.testing import (
    DriverCase,
    ExpectedStream,
    SimulatedSession,
    check_driver,
    surviving_mutations,
)

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "acme_sensor"
SERVICE = "ac3e0001-0000-4000-8000-00c0ffee0001"
CONTROL = "ac3e0002-0000-4000-8000-00c0ffee0001"
DATA = "ac3e0003-0000-4000-8000-00c0ffee0001"


class AcmeSensor(PeripheralModel):
    """The device, from the description of its packets in the docs."""

    name = "Acme 17"
    advertised_uuids = (SERVICE,)
    services: ClassVar = {
        SERVICE: (
            CharacteristicModel(CONTROL, frozenset({"write"})),
            CharacteristicModel(DATA, frozenset({"notify"})),
        )
    }

    def __init__(self):
        super().__init__()
        self.rate, self.number, self.next_s, self.rows = 0, 0, 0.0, []
        self.random = random.Random(4)

    def disconnect(self, now_s):
        super().disconnect(now_s)
        self.rate = 0

    def write(self, uuid, data, now_s):
        self.advance(now_s)
        self.rate = data[1] if data[0] == 1 else 0
        self.number, self.next_s, self.rows = 0, now_s, []

    def advance(self, now_s):
        while self.rate and self.next_s + 1 / self.rate <= now_s:
            self.next_s += 1 / self.rate
            row = tuple(self.random.randrange(-900, 900) + bias for bias in (0, 40, 1000))
            self.record("acc", self.next_s, tuple(v / 1000 for v in row))
            self.rows.append(row)
            if len(self.rows) == 8:
                values = b"".join(
                    v.to_bytes(2, "little", signed=True) for r in self.rows for v in r
                )
                self.notify(DATA, self.number.to_bytes(2, "little") + values)
                self.number = (self.number + 1) % 65536
                self.rows = []


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    """Install the package of the example, as pip does."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    site = tmp_path / "site"
    info = site / f"acme_sensor-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    lines = [
        f"[{group}]\n" + "\n".join(f"{k} = {v}" for k, v in entries.items())
        for group, entries in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    shutil.copy(EXAMPLE / "acme_sensor.py", site)
    monkeypatch.syspath_prepend(site)


def acme_case():
    """A session with loss and an outage."""
    sensor, rng = AcmeSensor(), random.Random(1)
    session = SimulatedSession(get_driver("acme"), sensor, lambda n, data: rng.random() < 0.2)
    session.open()
    session.run(15)
    session.disconnect()
    session.wait_disconnected(4)
    session.open()
    session.run(15)
    session.close()
    packets = [m.data for m in session.log if m.characteristic == DATA]
    truth, times_s = sensor.sent["acc"].array(), np.array(sensor.sent["acc"].times_s)
    index, start = [], 0
    for data in packets:
        values = np.frombuffer(data[2:], "<i2").reshape(8, 3) / 1000
        while not np.array_equal(truth[start : start + 8], values):
            start += 1
        index += range(start, start + 8)
    expected = ExpectedStream(
        "g", 100.0, truth[index], SampleCounter(8 * 2**16), times_s=times_s[index]
    )
    advertised = Advertised(sensor.name, frozenset({SERVICE}))
    return DriverCase(tuple(session.log), {"acc": expected}, advertised)


def test_it_passes_the_kit_and_no_wrong_driver_does():
    case = acme_case()
    check_driver(get_driver("acme"), case)
    assert surviving_mutations(get_driver("acme"), case) == []


def test_it_is_listed_with_its_options():
    done = CliRunner().invoke(main, ["devices", "--known", "--json"])
    (acme,) = [d for d in json.loads(done.stdout) if d["kind"] == "acme"]
    assert acme["options"] == {"rate": "50 or 100 Hz; 100 if not stated"}


def test_a_night_of_it_is_recorded_and_read(tmp_path):
    path = tmp_path / "a.night"
    night = record_peers(path, [AcmeSensor()], ["acme"], 40, options={"rate": "50"})
    (channel,) = (recording := ts.read(path)).channels
    assert (channel.name, round(channel.fs)) == ("acc", 50)
    (segment,) = recording.segments_of("acc")
    got = segment.samples.read(0, len(segment.samples))
    sent = night.peripherals[0].model.sent["acc"].array()
    np.testing.assert_allclose(got, sent[: len(got)], atol=1e-6)
    assert len(got) > 1700


def test_an_option_that_the_device_does_not_offer_ends_the_recording(tmp_path):
    with pytest.raises(InputError, match="rate=70 is not available"):
        record_peers(tmp_path / "a.night", [AcmeSensor()], ["acme"], 20, options={"rate": "70"})


def test_the_example_is_short():
    assert len((EXAMPLE / "acme_sensor.py").read_text().splitlines()) < 150
