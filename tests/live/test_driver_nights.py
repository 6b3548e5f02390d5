"""The live view of devices that a driver decodes."""

from __future__ import annotations

import numpy as np
import pytest

import twitchsense as ts
from tests.nightfile.builders import T0
from tests.nightfile.value_builders import BATCH, FS, npg_values, write_values
from tests.signals import unit_potential
from twitchsense.acquire.frame_queue import StoredPacket, ValueSource
from twitchsense.acquire.sample_decoder import SampleDecoder
from twitchsense.cli.event_printer import EventPrinter
from twitchsense.devices.contract import Direction, Message
from twitchsense.devices.npg_lite import NpgLiteDriver
from twitchsense.live.follower import NightFollower
from twitchsense.nightfile.records import ConnectionStart

pytestmark = pytest.mark.slow  # whole nights of simulated devices


def twitches(seconds, every_s=10.0):
    """Noise of 3 µV with a large unit potential every 10 s."""
    rng = np.random.default_rng(3)
    signal = rng.normal(0, 3, seconds * FS)
    wave = np.asarray(unit_potential(FS)).ravel() * 200
    for start_s in np.arange(12.0, seconds - 5, every_s):
        at = int(start_s * FS)
        signal[at : at + len(wave)] += wave
    return signal


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    path = tmp_path_factory.mktemp("live") / "a.night"
    return write_values(path, npg_values(twitches(90)), npg_values(twitches(60), start_s=120.0))


def test_live_events_equal_those_of_analyze(night):
    follower = NightFollower(night)
    while follower.poll():
        pass
    assert follower.frames == 150 * FS // BATCH
    recording = ts.read(night)
    table = ts.analyze(recording).events
    assert len(table) >= 10
    assert list(table["trial_type"]) == [e.kind for e in follower.events]
    onsets = [(e.time_ns - T0) / 1e9 for e in follower.events]
    expected = [*np.arange(12.0, 85, 10), *(120 + np.arange(12.0, 55, 10))]
    np.testing.assert_allclose(onsets, expected, atol=0.05)
    # each event says how sure its time is
    assert (table["clock"] == "counter").all()
    (_, first_s), (start_ns, second_s) = recording.channel("emg1").clock_errors
    assert start_ns == pytest.approx(120e9, abs=1e9)  # the counter started anew
    assert 1e-5 < first_s < 0.1
    assert first_s != second_s
    assert list(table["time_error_s"]) == [first_s] * 8 + [second_s] * 5


def test_waveforms_and_state_are_those_of_the_device(night):
    follower = NightFollower(night)
    follower.poll()
    assert set(follower.waveforms) == {"emg1", "emg2", "emg3"}
    state = follower.state(counts=True, now_s=follower.newest_ns / 1e9)
    assert state["frames"] == follower.frames
    assert state["link"] == "connected"
    low, high = state["waveforms"][0]["columns"]
    assert max(v for v in high if v is not None) > 50


def test_a_night_without_a_gain_shows_the_state_alone(tmp_path):
    path = write_values(tmp_path / "a.night", npg_values(twitches(20)), settings={"leg": "left"})
    follower = NightFollower(path)
    assert follower.poll() > 900
    assert follower.waveforms == {}


def test_record_live_prints_the_movements(capsys):
    source = ValueSource(
        ConnectionStart("npg:AA:BB", T0, "npg", 1),
        SampleDecoder(NpgLiteDriver()),
        lambda stored: None,
        {"gain": "500", "leg": "right"},
    )
    stored = [
        StoredPacket(source, stream, packet)
        for at, direction, uuid, data in npg_values(twitches(60))
        for stream, packet in source.decoder.push(
            Message(uuid, Direction(direction), data, T0 + round(at * 1e9))
        )
    ]
    printer = EventPrinter()
    for start in range(0, len(stored), 40):
        printer.push(stored[start : start + 40])
    lines = capsys.readouterr().out.splitlines()
    assert printer.n_events == len(range(12, 55, 10)) == 5
    assert all("emg1_right right" in line for line in lines)
