"""Nights in which the computer's clock was set: all samples, true rates, and the steps told."""

from __future__ import annotations

import dataclasses
import json
import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twitchsense as ts
from benchmarks.recorder.clock_steps import Truth, run_night
from tests.nightfile.builders import MODEL, T0, device, make_frames, write_night
from tests.nightfile.clock_builders import HZ, crystal, night
from tests.nightfile.value_builders import FS, npg_values, write_values
from twitchsense.cli.app import main
from twitchsense.devices.v1.v1_frames import FLAG_REPLAY
from twitchsense.nightfile.arrival_steps import find_arrival_steps
from twitchsense.nightfile.device_clock import fit_device_clock
from twitchsense.nightfile.recorder_clock import RecorderClock, wall_stretches
from twitchsense.nightfile.records import Boot, HostClockReading, Marker, Packet
from twitchsense.nightfile.writer import NightFileWriter

SECOND = 1_000_000_000


def steps_told(recording):
    """Return the size (s) of each step in the notes."""
    found = [
        re.search(r"clock was set (forward|back) at .* by ([\d.]+) s", note)
        for note in recording.notes
    ]
    return [float(m[2]) * (1 if m[1] == "forward" else -1) for m in found if m]


def write_stepped(path, host_s, *, seconds=60, boots=(1,), models=(MODEL,), extra=()):
    """Write a night whose arrivals are those of a clock `host_s(true seconds)`."""
    rng = np.random.default_rng(1)
    file = NightFileWriter(path)
    for model in models:
        file.write([device(model)])
        start = 0.0
        for count in boots:
            boot = Boot(model.serial, count)
            frames = make_frames(seconds, model=model, boot=count, drift=20e-6, start_s=start)
            file.write(
                Packet(boot, seq, T0 + round(host_s(at + rng.exponential(0.01)) * 1e9), data)
                for seq, at, data in frames
            )
            start += seconds + 5
    file.write(extra)
    file.close()
    return path


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 999),
    steps=st.lists(
        st.tuples(
            st.floats(0.05, 0.95),
            st.one_of(st.floats(0.5, 86400), st.floats(-86400, -0.5)),
        ),
        min_size=1,
        max_size=3,
    ),
    outage=st.floats(0, 0.2),
)
def test_times_stay_within_their_uncertainty(seed, steps, outage):
    seconds, start = 1800.0, 600.0
    t, ticks, arrival = night(0.5, 30e-6, 3.0, seed, [(start, start + outage * seconds)])
    steps = sorted((share * seconds, size) for share, size in steps)
    if any(b[0] - a[0] < 25 for a, b in pairwise(steps)):
        return
    for when, size in steps:
        arrival = arrival + (t >= when) * round(size * 1e9)
    clock = fit_device_clock(ticks, arrival, HZ)
    everywhere = np.arange(1.0, seconds, 1.0)
    error = clock.to_utc(crystal(everywhere, 30e-6, 3.0, 3 * 3600)) - T0 - everywhere * 1e9
    offsets = np.append(0.0, np.cumsum([size for _, size in steps])) * 1e9
    error -= offsets[np.abs(offsets - np.median(error)).argmin()]
    # 2 ms is the least delay
    assert np.abs(error - 2e6).max() / SECOND <= max(1e-3, clock.error_s)
    assert abs(clock.drift_ppm - 30) < 3 + 3 * clock.drift_error_ppm


@pytest.mark.parametrize("size", [-86400.0, -300.0, -1.0, -0.5, 0.5, 1.0, 3600.0, 86400.0])
def test_a_step_is_told_and_costs_nothing(tmp_path, size):
    plain = ts.read(write_night(tmp_path / "a.night", 60, drift=20e-6))
    path = write_stepped(tmp_path / "b.night", lambda at: at + size * (at > 40))
    recording = ts.read(path)
    assert [len(s.samples) for s in recording.segments] == [len(s.samples) for s in plain.segments]
    assert steps_told(recording) == pytest.approx([size], abs=0.02)
    assert abs(recording.start_utc_ns - T0) < 20e6
    for channel in recording.channels:
        nominal = 1000 if channel.kind == "emg" else 100
        assert channel.fs == pytest.approx(nominal, rel=2e-4)
    ((drift, error),) = [
        (float(m[1]), float(m[2]))
        for note in recording.notes
        if (m := re.search(r"clock ([+-][\d.]+) ± ([\d.]+) ppm", note))
    ]
    assert abs(drift - 20) < 3 * error


def test_a_stepped_night_is_analysed_and_exported(tmp_path):
    path = write_stepped(tmp_path / "a.night", lambda at: at + 3600 * (at > 25) - 7200 * (at > 45))
    with pytest.raises(SystemExit) as exit_status:
        main(["analyze", str(path), "--out", str(tmp_path / "r"), "--no-report"])
    assert exit_status.value.code == 0
    notes = json.dumps(json.loads((tmp_path / "r" / "summary.json").read_text()))
    assert "clock was set forward" in notes
    assert "clock was set back" in notes
    with pytest.raises(SystemExit) as exit_status:
        main(["export", str(path), "--to", "csv", "--out", str(tmp_path / "e")])
    assert exit_status.value.code == 0


def test_a_restart_while_the_clock_is_set_back_loses_no_boot(tmp_path):
    path = write_stepped(tmp_path / "a.night", lambda at: at - 300 * (at > 61), boots=(1, 2))
    recording = ts.read(path)
    samples = sum(len(s.samples) for s in recording.segments_of("emg1_left"))
    assert samples == pytest.approx(120_000, abs=200)
    assert any("or more, while the device restarted" in note for note in recording.notes)
    assert any("ms within the boot" in note for note in recording.notes)


def test_a_night_without_readings_states_its_bound_within_the_boot(tmp_path):
    """A step forward while the wearable restarts looks like a longer silence."""
    path = write_stepped(tmp_path / "a.night", lambda at: at + 300 * (at > 61), boots=(1, 2))
    bounds = [note for note in ts.read(path).notes if "times ±" in note]
    assert len(bounds) == 2
    assert all(note.endswith("ms within the boot") for note in bounds)


def test_retransmitted_frames_of_a_boot_follow_those_of_the_boot_before(tmp_path):
    """The wearable restarts out of range, and the clock is set back before it is found again."""
    file = NightFileWriter(tmp_path / "a.night")
    file.write([device()])
    for count, start, first_live in ((1, 0.0, 0.0), (2, 65.0, 40.0)):
        frames = make_frames(60, boot=count, start_s=start)
        late = [f for f in frames if f[1] - start < first_live]
        back = 300 * (count - 1)
        for seq, at, data in frames[len(late) :]:
            arrival = T0 + round((at - back) * 1e9)
            file.write([Packet(Boot(MODEL.serial, count), seq, arrival, data)])
        replayed = [(s, d[:1] + bytes([d[1] | FLAG_REPLAY]) + d[2:]) for s, _, d in late]
        arrival = T0 + round((start + first_live - back) * 1e9)
        file.write(Packet(Boot(MODEL.serial, count), s, arrival, d) for s, d in replayed)
    file.close()
    recording = ts.read(tmp_path / "a.night")
    samples = sum(len(s.samples) for s in recording.segments_of("emg1_left"))
    assert samples == pytest.approx(120_000, abs=200)


def test_two_wearables_stay_on_one_clock(tmp_path):
    other = dataclasses.replace(MODEL, device=MODEL.device ^ 1, leg="right")
    path = write_stepped(
        tmp_path / "a.night", lambda at: at + 2.0 * (at > 40), models=(MODEL, other)
    )
    recording = ts.read(path)
    assert steps_told(recording) == pytest.approx([2.0], abs=0.02)
    left, right = (recording.segments_of(f"emg1_{leg}")[0].start_ns for leg in ("left", "right"))
    assert abs(left - right) < 20e6


def test_a_fade_is_no_step():
    t, ticks, arrival = night(0.5, 0.0, 0.0, 1)
    fade = (t > 600) & (t < 700)
    arrival[fade] = T0 + 700 * SECOND
    assert len(fit_device_clock(ticks, arrival, HZ).stretches) == 1


@pytest.mark.parametrize("size", [-3600.0, -1.0, 45.0, 3600.0])
def test_a_step_is_taken_out_of_the_arrivals_of_a_driver(tmp_path, size):
    values = [
        (at + size * (at > 25), direction, uuid, data)
        for at, direction, uuid, data in npg_values(np.zeros(FS * 60))
    ]
    recording = ts.read(write_values(tmp_path / "a.night", values))
    assert steps_told(recording) == pytest.approx([size], abs=0.02)
    (segment,) = recording.segments_of(recording.channels[0].name)
    assert len(segment.samples) == FS * 60
    assert recording.channels[0].fs == pytest.approx(FS, rel=2e-4)


@pytest.mark.parametrize(
    ("first", "second", "apart_s"), [(44.0, -44.0, 1.3), (44.0, 3000.0, 0.05), (1000.0, -1.2, 0.3)]
)
def test_steps_that_follow_each_other_move_no_sample(tmp_path, first, second, apart_s):
    values = [
        (at + first * (at > 25) + second * (at > 25 + apart_s), direction, uuid, data)
        for at, direction, uuid, data in npg_values(np.zeros(FS * 60))
    ]
    recording = ts.read(write_values(tmp_path / "a.night", values))
    (segment,) = recording.segments_of(recording.channels[0].name)
    assert len(segment.samples) == FS * 60
    last_s = (recording.start_utc_ns + segment.start_ns - T0) / 1e9
    assert last_s == pytest.approx(first + second, abs=0.03)


def test_one_damaged_arrival_is_no_step():
    arrival = T0 + np.arange(1000) * SECOND // 50
    arrival[500] += 1 << 50
    rows = np.arange(1000)
    assert len(find_arrival_steps(rows, np.zeros(1000, np.int64), arrival)) == 0


@pytest.mark.parametrize("kind", ["one wearable", "two wearables", "driver"])
def test_random_nights(tmp_path, kind):
    """A short form of `benchmarks.recorder.clock_steps`."""
    result = run_night(
        {"one wearable": 3, "two wearables": 1, "driver": 5}[kind], tmp_path, 5, kind
    )
    assert result["read"] == result["written"]
    assert result["error_ms"] <= result["stated_ms"]


def test_the_truth_of_a_night_knows_its_steps():
    truth = Truth(100.0, [(30.0, 5.0), (60.0, -7.0)], [(10.0, 20.0)], [])
    assert truth.host_s(70.0) == 68.0
    assert truth.stretch_offsets() == [(30.0, 0.0), (30.0, 5.0), (40.0, -2.0)]
    assert not truth.is_received(15.0)


# -- the clock of the recorder ---------------------------------------------------------


def test_the_recorders_clock_is_not_set_with_that_of_the_computer(monkeypatch):
    clock = RecorderClock()
    before = clock()
    monkeypatch.setattr("time.time_ns", lambda: before + 3600 * SECOND)
    assert 0 <= clock() - before < SECOND
    reading = clock.read()
    assert reading.wall_ns - reading.time_ns == pytest.approx(3600 * SECOND, abs=SECOND)
    # a recorder that resumes the night goes on with the same clock
    if reading.boot:
        assert abs(RecorderClock(reading)() - clock()) < SECOND // 100
    other_boot = dataclasses.replace(reading, boot="another")
    assert RecorderClock(other_boot)() - clock() == pytest.approx(3600 * SECOND, abs=SECOND)


def test_readings_are_joined_between_steps():
    def reading(at_s, wall_s, boot="a", ticks_s=None):
        ticks = at_s if ticks_s is None else ticks_s
        return HostClockReading(T0 + at_s * SECOND, T0 + wall_s * SECOND, ticks * SECOND, boot)

    readings = [reading(0, 0), reading(60, 60), reading(70, 3670), reading(130, 3730)]
    readings.append(reading(200, 200, "b", 10))
    first, second, third = wall_stretches(readings)
    assert (first.offset_ns, second.offset_ns, third.offset_ns) == (0, 3600 * SECOND, 0)
    assert [s.follows_step for s in (first, second, third)] == [False, True, False]


def test_utc_is_that_of_the_longest_part_without_a_step(tmp_path):
    """The computer starts an hour late, and its clock is set 10 s after."""
    readings = [
        HostClockReading(T0 + at * SECOND, T0 + (at + 3600 * (at > 10)) * SECOND, at * SECOND, "x")
        for at in range(0, 61, 5)
    ]
    marker = Marker(T0 + 30 * SECOND, "lights out")
    path = write_stepped(tmp_path / "a.night", lambda at: at, extra=[*readings, marker])
    recording = ts.read(path)
    assert steps_told(recording) == [3600.0]
    assert abs(recording.start_utc_ns - T0 - 3600 * SECOND) < 20e6
    # T0 is 14:13:20 UTC
    assert any(note.startswith("marker at 15:13:50 UTC: lights out") for note in recording.notes)
