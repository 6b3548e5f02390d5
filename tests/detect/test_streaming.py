"""The tables are equal (==) however a recording is cut into chunks."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.detect.builders import leg_with_electrode_noise
from tests.signals import SimulatedLeg, cut_chunks, detect
from twitchsense.detect.detector import Detector
from twitchsense.detect.leg_detector import LegDetector
from twitchsense.errors import TwitchsenseError
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings

SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

kinds = st.sampled_from(["twitch", "jerk", "move", "bump", "burst"])
events = st.lists(st.tuples(st.floats(1, 33), kinds), max_size=12)
gaps = st.lists(st.tuples(st.floats(0, 34), st.floats(0.001, 3)), max_size=3)
cuts = st.lists(st.floats(0, 36), max_size=12)


def leg_with(plan, holes, *, seed, fs, fs_acc):
    leg = SimulatedLeg(35, fs=fs, fs_acc=fs_acc, seed=seed)
    for at, kind in plan:
        if kind == "twitch":
            leg.twitch(at)
        elif kind == "jerk":
            leg.jerk(at)
        elif kind == "move":
            leg.movement(at, 1.2)
        elif kind == "bump":
            leg.oscillation(at)
        else:
            leg.burst(at, 0.2)
    for at, length in holes:
        leg.emg[round(at * fs) : round((at + length) * fs)] = np.nan
        if length > 1:
            leg.acc[round(at * fs_acc) : round((at + length) * fs_acc)] = np.nan
    return leg


def same(a, b):
    pd.testing.assert_frame_equal(a.events, b.events, check_exact=True)
    pd.testing.assert_frame_equal(a.rejected, b.rejected, check_exact=True)
    assert a.valid_s == b.valid_s
    for name, table in a.seconds.items():
        for field in table.__slots__:
            np.testing.assert_array_equal(getattr(table, field), getattr(b.seconds[name], field))


@pytest.mark.slow  # analyses each recording cut in many ways
@SLOW
@given(
    plan=events, holes=gaps, first=cuts, second=cuts, seed=st.integers(0, 9),
    rates=st.sampled_from([(1000.0, 100.0), (500.0, 50.0), (1024.0, 64.0), (200.0, 25.0)]),
)  # fmt: skip
def test_tables_do_not_depend_on_the_chunks(plan, holes, first, second, seed, rates):
    recording = leg_with(plan, holes, seed=seed, fs=rates[0], fs_acc=rates[1]).recording()
    whole = detect(recording, chunks=cut_chunks(recording, []))
    same(whole, detect(recording, chunks=cut_chunks(recording, first)))
    same(whole, detect(recording, chunks=cut_chunks(recording, second)))


lively = st.lists(
    st.tuples(st.floats(1, 33), st.sampled_from(["twitch", "jerk", "bump", "contract"])),
    max_size=8,
)


@pytest.mark.slow
@SLOW
@example([], [], [], 0, 110, 100.0, 0, (1000.0, 100.0)).via("a beat lost where a chunk ended")
@given(
    lively, gaps, cuts, st.integers(0, 9), st.sampled_from([50, 70, 110]),
    st.sampled_from([30.0, 100.0, 300.0]), st.sampled_from([0, 8, 12]),
    st.sampled_from([(1000.0, 100.0), (500.0, 50.0), (1024.0, 64.0), (200.0, 25.0)]),
)  # fmt: skip
def test_ecg_tonic_units_and_bumps_do_not_depend_on_the_chunks(
    plan, holes, edges, seed, bpm, size, hz, rates
):
    leg = SimulatedLeg(35, fs=rates[0], fs_acc=rates[1], seed=seed)
    leg.heart_beats(1, 34, bpm, size)
    if hz:
        leg.tonic_unit(8, 20, hz, 60)
    for at, kind in plan:
        if kind == "contract":
            leg.contraction(at, 0.2)
        else:
            getattr(leg, kind)(at)
    for at, length in holes:
        leg.emg[round(at * rates[0]) : round((at + length) * rates[0])] = np.nan
    recording = leg.recording()
    whole = detect(recording, chunks=cut_chunks(recording, []))
    same(whole, detect(recording, chunks=cut_chunks(recording, edges)))
    same(whole, detect(recording, chunks=cut_chunks(recording, np.arange(0, 36, 0.37))))


def test_sample_by_sample_equals_everything_at_once():
    leg = SimulatedLeg(14, fs=250.0, fs_acc=50.0).jerk(4).twitch(7).movement(9, 1.0)
    recording = leg.recording()
    one = detect(recording, chunks=cut_chunks(recording, np.arange(0, 14, 1 / 250)))
    same(detect(recording, chunks=cut_chunks(recording, [])), one)
    assert len(one.events) == 3


def test_long_activity_in_small_chunks_equals_one_chunk():
    recording = SimulatedLeg(80).burst(20, 27.0, 90).twitch(60).burst(65, 11.0, 90).recording()
    whole = detect(recording, chunks=cut_chunks(recording, []))
    assert list(whole.rejected.reason).count("sustained_activity") == 2
    for step in (0.11, 3.0, 25.0):
        same(whole, detect(recording, chunks=cut_chunks(recording, np.arange(0, 80, step))))


def test_one_channel_after_the_other_equals_side_by_side():
    recording = SimulatedLeg(30).jerk(5).twitch(12).movement(20, 1.0).recording()
    together = list(cut_chunks(recording, np.arange(0, 30, 0.5)))
    apart = sorted(together, key=lambda c: c.channel == "acc")
    same(detect(recording, chunks=together), detect(recording, chunks=apart))
    same(detect(recording, chunks=together), detect(recording, chunks=apart[::-1][::-1]))


def test_default_chunks_of_any_length_give_equal_tables():
    recording = SimulatedLeg(70).jerk(5).twitch(31).movement(50, 1.0).recording()
    whole = detect(recording, chunks=recording.chunks(1000))
    for seconds in (0.25, 1.0, 7.3, 60.0):
        same(whole, detect(recording, chunks=recording.chunks(seconds)))


def test_push_returns_what_close_reports():
    from twitchsense.detect.detector import Detector
    from twitchsense.settings import Settings

    recording = SimulatedLeg(40).jerk(15).twitch(20).recording()
    detector = Detector(Settings(), recording.channels)
    live = [f for chunk in recording.chunks(0.2) for f in detector.push(chunk)]
    final = detector.close()
    assert (
        [f.kind for f in live if not f.reason]
        == list(final.events.trial_type)
        == ["jerk", "twitch"]
    )


def test_channel_order_does_not_matter():
    signals = SimulatedLeg(30).jerk(5).twitch(12).movement(20, 1.0).signals()
    forward = Recording.from_arrays(signals)
    backward = Recording.from_arrays(dict(reversed(signals.items())))
    same(detect(forward), detect(backward))


def test_chunk_out_of_order_is_refused():
    recording = SimulatedLeg(12).recording()
    chunks = list(recording.chunks(1.0))
    with pytest.raises(TwitchsenseError, match="expected sample"):
        detect(recording, chunks=[chunks[0], chunks[2], chunks[2]])
    with pytest.raises(TwitchsenseError, match="from its start"):
        detect(recording, chunks=[chunks[-1]])


def test_no_channels_and_no_chunks_give_empty_tables():
    recording = SimulatedLeg(12).recording()
    nothing = detect(recording, chunks=[])
    assert len(nothing.events) == len(nothing.rejected) == 0
    assert nothing.valid_s == {"acc": 0.0, "emg1": 0.0}
    assert list(nothing.events) == list(detect(recording).events)


@pytest.mark.slow
def test_growing_noise_does_not_depend_on_the_chunks():
    recording = leg_with_electrode_noise().recording()
    whole = detect(recording, chunks=cut_chunks(recording, []))
    assert len(whole.events)
    for step in (0.007, 0.9, 13.0):
        same(whole, detect(recording, chunks=cut_chunks(recording, np.arange(0, 90, step))))


def test_closed_detector_is_freed_at_once():
    """It holds a night's samples, of which the collector of circles knows nothing."""
    leg = SimulatedLeg(15, seed=3)
    leg.twitch(12)
    gc.collect()
    gc.disable()
    try:
        known = {id(thing) for thing in gc.get_objects()}
        detector = Detector(Settings(), leg.recording().channels)
        for chunk in leg.recording().chunks(1):
            detector.push(chunk)
        legs = [
            weakref.ref(thing)
            for thing in gc.get_objects()
            if isinstance(thing, LegDetector) and id(thing) not in known
        ]
        assert len(legs) == 1
        detector.close()
        assert legs[0]() is None
    finally:
        gc.enable()
