"""Streams of one device share its clock; devices of different makers agree about time."""

from __future__ import annotations

import numpy as np
import pytest

import twitchsense as ts
from firmware_sim.peers.npg_lite import NpgLite
from firmware_sim.peers.polar import PolarSensor
from tests.acquire.peer_recording import record_peers
from tests.devices.builders import make_packets, stream
from tests.nightfile.builders import T0
from twitchsense.devices.streams import SampleClock, SampleCounter
from twitchsense.io.channels.gap_detection import TimestampSegmenter
from twitchsense.io.channels.rate_fit import fit_rate
from twitchsense.io.device_logs.decoded_device import DecodedDevice
from twitchsense.io.device_logs.decoded_stream import DecodedStream
from twitchsense.io.device_logs.shared_clock import fit_clocks
from twitchsense.model.notes import main_notes
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.stored_values import read_devices

CLOCK = SampleClock(10**6, "last")


def decoded(fs, size, delay_s, *, start_s=100.0, hz=1.0, seed=1, seconds=120):
    """A stream whose packets take at least `delay_s`; `hz` is the rate of the device's clock."""
    n = round(seconds * fs / size)
    delays_s = delay_s + np.random.default_rng(seed).exponential(0.01, n)
    spec = stream(CLOCK, fs)
    packets = make_packets(spec, [size] * n, [False] * n, delays_s, fs * hz, start_s)
    made = DecodedStream(spec)
    for packet in packets.packets:
        made.push(packet)
    made.finish()
    return made


def time_of(made, tick):
    """UTC (s) of a time of the device's clock."""
    run = made.runs[0]
    since = np.array([tick - made.first_tick(run)])
    return made.clocks[run].to_utc(since)[0] / 1e9


def test_streams_of_one_clock_agree_however_late_their_packets_are():
    fast, slow = decoded(500.0, 10, 0.005), decoded(50.0, 36, 0.080)
    fast.close()
    slow.close()
    assert time_of(slow, 60e6) - time_of(fast, 60e6) == pytest.approx(0.075, abs=0.01)
    fit_clocks([fast, slow])
    assert time_of(slow, 60e6) == time_of(fast, 60e6)
    # that of the packets which took the least time
    assert time_of(fast, 60e6) == pytest.approx(160.005, abs=0.003)


def test_streams_that_did_not_start_anew_together_keep_their_own_clocks():
    one, other = decoded(500.0, 10, 0.005), decoded(50.0, 36, 0.005, start_s=900.0)
    fit_clocks([one, other])
    assert time_of(other, 60e6) - time_of(one, 60e6) == pytest.approx(800, abs=0.1)


@pytest.mark.parametrize("timing", [SampleCounter(8), None])
def test_times_follow_the_arrivals_where_loss_is_hidden(timing):
    """A counter that wraps in 40 ms, or none, hides loss, which adds up to seconds."""
    n, rng = 60_000, np.random.default_rng(2)
    spec = stream(timing, 200.0)
    is_lost = rng.random(n) < np.where(np.arange(n) < n // 2, 0.1, 0.3)
    is_lost[:2] = False
    packets = make_packets(spec, [2] * n, is_lost, 0.02 + rng.exponential(0.005, n))
    made = DecodedStream(spec)
    for packet in packets.packets:
        made.push(packet)
    made.close()
    times_ns = np.concatenate([t for t, _ in made.blocks()])
    times_s = times_ns / 1e9
    truth_s = 100 + (packets.index[:, None] + np.arange(2)).ravel() / 200
    errors_s = times_s - truth_s - 0.02  # the least delay is not stated
    assert np.abs(errors_s).max() <= made.clock_error_s < 0.8
    # a loss is a gap: the samples between two gaps have one rate, and a capture is read from them
    steps_ns = np.diff(times_ns)
    assert np.ptp(steps_ns[steps_ns < 1.5e9 / 200]) <= 2
    segmenter = TimestampSegmenter()
    segmenter.push(times_ns)
    assert len(segmenter.close()) > 100


@pytest.mark.parametrize(("lost", "parts"), [(0.0, 1), (0.008, 20)])
def test_one_rate_holds_while_hidden_loss_begins(lost, parts):
    """Loss within the tolerance of the rate begins after half an hour: it makes gaps."""
    n, rng = 18_000, np.random.default_rng(2)
    spec = stream(None, 50.0, fs_tolerance=0.01)
    is_lost = (rng.random(n) < lost) & (np.arange(n) > n / 2)
    packets = make_packets(spec, [10] * n, is_lost, 0.02 + rng.exponential(0.005, n), 50.1)
    made = DecodedStream(spec)
    for packet in packets.packets:
        made.push(packet)
    made.close()
    times_ns = np.concatenate([t for t, _ in made.blocks()])
    truth_s = 100 + (packets.index[:, None] + np.arange(10)).ravel() / 50.1
    assert np.abs(times_ns / 1e9 - truth_s - 0.02).max() <= made.clock_error_s < 1.2
    segmenter = TimestampSegmenter()
    segmenter.push(times_ns)
    runs = segmenter.close()
    assert len(runs) >= parts if lost else len(runs) == 1
    fit = fit_rate(runs, segmenter.period, segmenter.round_fs, 1)
    assert fit.fs == pytest.approx(50.1, rel=1e-4)
    assert fit.rms_residual_ns < 1e6


@pytest.mark.slow
def test_two_makers_agree_about_common_movements(tmp_path):
    """Common movements stand at the same time within the uncertainty that both state."""
    path = tmp_path / "a.night"
    models = [NpgLite(ppm=40.0), PolarSensor("h10", ppm=-30.0)]
    settings = {"npg": {"gain": "500"}}
    night = record_peers(path, models, ["npg", "polar"], 90, settings=settings)
    reader = NightFileReader(path)
    devices = {d.kind: DecodedDevice(reader, d, "a.night") for d in read_devices(reader)}
    reader.close()
    errors, stated_s = {}, 0.0
    for model, kind, name in zip(models, ("npg", "polar"), ("emg", "acc"), strict=True):
        times_ns = np.concatenate([t for t, _ in devices[kind].blocks(name)])
        values = np.concatenate([v for _, v in devices[kind].blocks(name)])
        sent = model.sent[name]
        true_s = np.array(sent.times_s)[find_rows(sent.array(), values, name)]
        errors[kind] = true_s, (times_ns - T0) / 1e9 - true_s
        stated_s += devices[kind].streams[name].clock_error_s
    assert night.peripherals
    # a movement every second: how its time differs between the devices
    at_s = np.arange(15.0, 80.0)
    differ_s = np.subtract(*(np.interp(at_s, *errors[kind]) for kind in ("npg", "polar")))
    least_delay_s = 0.05  # of delivery, which differs between devices and is not stated
    assert np.ptp(differ_s) <= 2 * stated_s
    assert np.abs(differ_s).max() <= stated_s + least_delay_s
    recording = ts.read(path)
    # an ECG that was recorded along is left out by design and questions nothing
    assert [note for note in recording.notes if "ecg: not analysed" in note]
    assert not [note for note in main_notes(recording.notes) if "ecg" in note]
    assert {c.clock for c in recording.channels} == {"counter", "device"}
    assert sum(c.clock_error_s for c in recording.channels if c.name in ("emg1", "acc")) == (
        pytest.approx(stated_s)
    )


def find_rows(truth, values, name):
    """Indices of the samples that arrived, found in order by their values."""
    wanted = np.round(values * (0.5 if name == "emg" else 1000)).astype(int)  # counts, mg
    table = np.round(truth * (1 if name == "emg" else 1000)).astype(int)
    index, at = [], 0
    for row in wanted:
        while not np.array_equal(table[at], row):
            at += 1
        index.append(at)
        at += 1
    return index
