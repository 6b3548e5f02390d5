"""Nights of devices without resend, read: samples bit for bit, gaps and loss as they were."""

from __future__ import annotations

import asyncio
import re
import sqlite3

import numpy as np
import pytest

import twitchsense as ts
from firmware_sim.peers.npg_lite import DATA, NpgLite
from firmware_sim.peers.twitchsense_v1 import WearableV1
from tests.acquire.peer_recording import record_peers
from tests.nightfile.builders import T0
from twitchsense.errors import InputError
from twitchsense.nightfile.records import DeviceSetting
from twitchsense.nightfile.writer import NightFileWriter

pytestmark = pytest.mark.slow  # records whole nights

KEY = "npg:C4:C3:C2:C1:D0:00"


def set_of_device(path, key, value, device=KEY):
    night = NightFileWriter(path)
    night.write([DeviceSetting(device, T0, key, value)])
    night.close()


def sent_values(peripheral):
    """Samples that were given to the radio, in counts, shape (n, 3)."""
    data = b"".join(d for uuid, d in peripheral.sent if uuid == DATA)
    rows = np.frombuffer(data, [("counter", "u1"), ("values", ">u2", (3,))])
    return rows["values"].astype(float)


def samples_of(recording, channel):
    segments = recording.segments_of(channel)
    return np.concatenate([s.samples.read(0, len(s.samples))[:, 0] for s in segments])


@pytest.fixture(scope="module")
def outage_night(tmp_path_factory):
    """An NPG Lite that is away for 30 s, of which the user stated a gain of 500 counts per mV."""
    path = tmp_path_factory.mktemp("night") / "a.night"

    async def leave(result, radio):
        (controller,) = [c for c in radio.channel.controllers if c.name.startswith("NPG")]
        await asyncio.sleep(30)
        radio.channel.set_conditions(controller, in_range=False)
        await asyncio.sleep(30)
        radio.channel.set_conditions(controller, in_range=True)

    night = record_peers(path, [NpgLite(ppm=40.0)], ["npg"], 120, during=leave)
    set_of_device(path, "gain", "500")
    return path, night.peripherals[0]


def test_samples_are_those_sent_and_the_outage_is_a_gap(outage_night):
    path, peripheral = outage_night
    recording = ts.read(path)
    assert [c.name for c in recording.channels] == ["emg1", "emg2", "emg3"]
    first, second = recording.segments_of("emg1")
    before = sent_values(peripheral)
    got = samples_of(recording, "emg1")
    # what was on the radio when the connection broke never arrived
    n = len(first.samples)
    np.testing.assert_allclose(got[:n], before[:n, 0] * 2, rtol=1e-6)
    start = np.flatnonzero(np.isclose(before[:, 0] * 2, got[n], rtol=1e-6))
    assert any(np.allclose(before[i : i + len(got) - n, 0] * 2, got[n:], rtol=1e-6) for i in start)
    gap_s = (second.start_ns - first.start_ns) / 1e9 - n / 500
    assert 28 < gap_s < 45
    assert recording.channels[0].fs == pytest.approx(500 * (1 + 40e-6), rel=5e-4)


def test_the_notes_state_loss_clock_and_battery(outage_night):
    path, _ = outage_night
    notes = "\n".join(ts.read(path).notes)
    assert re.search(r"NPG-Lite-3CH:0A:1B, emg: at least 0[.\d]* % lost, about [23]\d %", notes)
    assert "% by the times of arrival; times by the sample counter ± " in notes
    assert "battery 87 %" in notes
    assert "87 % to" not in notes
    (channel, *_) = ts.read(path).channels
    assert channel.clock == "counter"
    assert f"± {max(1.0, 1000 * channel.clock_error_s):.0f} ms" in notes


def test_without_a_gain_emg_of_counts_is_left_out(tmp_path):
    path = tmp_path / "a.night"
    record_peers(path, [WearableV1(), NpgLite()], ["twitchsense", "npg"], 20)
    recording = ts.read(path)
    assert [c.name for c in recording.channels] == ["emg1_left", "emg2_left", "acc_left"]
    assert any("emg: not analysed: its values have no unit" in n for n in recording.notes)


def test_the_gain_of_a_night_can_be_stated_afterwards(outage_night, tmp_path):
    path, _ = outage_night  # recorded with a gain of 500
    copy = tmp_path / "b.night"
    copy.write_bytes(path.read_bytes())
    set_of_device(copy, "gain", "")
    with pytest.raises(InputError, match=r"have no unit\); give the argument gain"):
        ts.read(copy)
    recorded = samples_of(ts.read(path), "emg1")
    for stated in (500.0, 250.0):
        recording = ts.read(copy, gain=stated)
        np.testing.assert_allclose(samples_of(recording, "emg1") * stated, recorded * 500)
        assert f"gain of {stated:g} counts per mV, as stated" in " ".join(recording.notes)
    notes = " ".join(ts.read(path, gain=1000.0).notes)
    assert "gain of 1000 counts per mV, as stated, in place of 500 in the file" in notes


def test_a_night_without_anything_to_analyse_says_why(tmp_path):
    path = tmp_path / "a.night"
    record_peers(path, [NpgLite()], ["npg"], 10)
    with pytest.raises(InputError, match="its values have no unit"):
        ts.read(path)


def test_two_protocols_share_one_night_and_one_clock(tmp_path):
    path = tmp_path / "a.night"
    record_peers(path, [WearableV1(), NpgLite()], ["twitchsense", "npg"], 40)
    set_of_device(path, "gain", "500", "npg:C4:C3:C2:C1:D0:01")
    set_of_device(path, "leg", "right", "npg:C4:C3:C2:C1:D0:01")
    recording = ts.read(path)
    names = [c.name for c in recording.channels]
    assert names == [
        "emg1_left", "emg1_right", "emg2_left", "emg2_right", "emg3_right", "acc_left",
    ]  # fmt: skip
    (v1,), (npg,) = (recording.segments_of(n) for n in ("emg1_left", "emg1_right"))
    assert abs(v1.start_ns - npg.start_ns) < 10e9
    assert len(npg.samples) > 14_000


def test_damaged_values_are_gaps_with_a_note(outage_night, tmp_path):
    path, _ = outage_night
    copy = tmp_path / "b.night"
    copy.write_bytes(path.read_bytes())
    with sqlite3.connect(copy) as db:
        db.execute("UPDATE value SET data = zeroblob(70) WHERE number = 300")
        db.execute("UPDATE value SET arrival_ns = 'x' WHERE number = 400")
        db.execute("UPDATE value SET direction = 'sideways' WHERE number = 500")
    db.close()
    recording = ts.read(copy)
    assert any("values damaged on the disk" in note for note in recording.notes)
    assert len(recording.segments_of("emg1")) >= 5


def test_a_night_of_a_driver_that_is_not_installed_names_it(outage_night, monkeypatch):
    path, _ = outage_night
    monkeypatch.setattr("twitchsense.io.device_logs.decoded_device.installed_drivers", dict)
    with pytest.raises(InputError, match="of the kind 'npg', which has no driver here"):
        ts.read(path)


def test_a_driver_that_fails_is_named(outage_night, monkeypatch):
    path, _ = outage_night

    def fail(decoder, message):
        raise ZeroDivisionError("a driver's own")

    monkeypatch.setattr("twitchsense.devices.npg_lite.NpgLiteDecoder.push", fail)
    with pytest.raises(InputError, match="the driver npg failed"):
        ts.read(path)


def test_a_night_with_wrong_settings_is_read_as_without(outage_night, tmp_path):
    path, _ = outage_night
    copy = tmp_path / "b.night"
    copy.write_bytes(path.read_bytes())
    set_of_device(copy, "gain", "-3")
    with pytest.raises(InputError, match="its values have no unit"):
        ts.read(copy)
