"""Lost packets: a short gap neither ends a segment nor becomes an event."""

from __future__ import annotations

import numpy as np
import pytest

from tests.signals import SimulatedLeg, cut_chunks, detect
from twitchsense.detect.candidates.burst_search import BurstSearch
from twitchsense.detect.candidates.short_gaps import MAX_GAP_S, ShortGaps
from twitchsense.detect.detector import Detector
from twitchsense.results.night import analyze
from twitchsense.settings import Settings

S = 1_000_000_000


def with_losses(leg, loss, *, packet_s=0.02, seed=3, acc=True):
    """Remove random packets of both sensors; return the fraction of the EMG that is left."""
    rng = np.random.default_rng(seed)
    lost = rng.random(round(len(leg.emg) / leg.fs / packet_s)) < loss
    leg.emg[np.repeat(lost, round(packet_s * leg.fs))] = np.nan
    if acc:
        leg.acc[np.repeat(lost, round(packet_s * leg.fs_acc))] = np.nan
    return 1 - lost.mean()


def night(seed=0, **options):
    leg = SimulatedLeg(300, seed=seed, **options)
    times = np.arange(15.0, 290.0, 5.0)
    for k, at in enumerate(times):
        if k % 3:
            leg.twitch(at)
        else:
            leg.jerk(at)
    return leg, times


def found_at(found, times):
    onsets = found.events.onset.to_numpy()
    return np.array([np.abs(onsets - t).min(initial=9.0) < 0.1 for t in times])


@pytest.mark.slow
@pytest.mark.parametrize("loss", [0.0025, 0.02, 0.1])
def test_lost_packets_cost_what_they_hold_and_no_more(loss):
    leg, times = night()
    left = with_losses(leg, loss)
    found = detect(leg.recording())
    assert found.valid_s["emg1"] == pytest.approx(300 * left, abs=0.05)
    assert found.valid_s["acc"] == pytest.approx(300 * left, abs=0.05)
    assert found_at(found, times).mean() > 1 - 3 * loss - 0.05
    assert set(found.events.trial_type) == {"twitch", "jerk"}
    assert len(found.events) <= len(times)


@pytest.mark.slow
@pytest.mark.parametrize("hum_uv", [0.0, 40.0])
@pytest.mark.parametrize("fs", [1000.0, 500.0, 250.0])
def test_gaps_themselves_are_no_events(hum_uv, fs):
    leg = SimulatedLeg(300, fs=fs)
    t = np.arange(len(leg.emg)) / fs
    leg.emg += hum_uv * np.sin(2 * np.pi * 50.02 * t) + 200 * np.sin(2 * np.pi * 0.3 * t)
    with_losses(leg, 0.05)
    assert len(detect(leg.recording()).events) == 0


@pytest.mark.parametrize(("gap_s", "goes_on"), [(0.001, True), (0.25, True), (0.251, False)])
def test_a_longer_gap_begins_a_new_segment(gap_s, goes_on):
    """Three seconds of noise after a gap: a new segment has no floor of the quiet before."""
    leg = SimulatedLeg(33)
    leg.emg[30_000 : 30_000 + round(gap_s * 1000)] = np.nan
    leg.emg[30_500:] *= 12
    found = detect(leg.recording(acc=False))
    assert (len(found.rejected) + len(found.events) > 0) == goes_on


def test_times_after_many_gaps_are_those_of_the_recording():
    leg, times = night()
    with_losses(leg, 0.1, packet_s=0.01, acc=False)
    leg.acc[:] = np.nan
    found = detect(leg.recording(acc=False))
    onsets = found.events.onset.to_numpy()
    late = onsets[onsets > 250]
    assert len(late) >= 5
    for onset in late:
        assert np.abs(times - onset).min() < 0.02


@pytest.mark.slow
def test_loss_of_both_sensors_gives_equal_tables_for_any_chunks():
    leg, _ = night(seed=2)
    leg.emg, leg.acc = leg.emg[:60_000], leg.acc[:6_000]
    with_losses(leg, 0.1)
    recording = leg.recording()
    whole = detect(recording, chunks=cut_chunks(recording, []))
    pieces = detect(recording, chunks=cut_chunks(recording, np.arange(0, 60, 0.013)))
    assert whole.events.equals(pieces.events)
    assert whole.rejected.equals(pieces.rejected)
    assert whole.valid_s == pieces.valid_s
    blocks = list(recording.blocks(17))
    assert max(map(len, blocks)) > 50  # a block is searched in one piece across its gaps
    detector = Detector(Settings(), recording.channels)
    for block in blocks:
        detector.push(*block)
    joined = detector.close()
    assert joined.events.equals(pieces.events)
    assert joined.rejected.equals(pieces.rejected)
    assert joined.valid_s == pieces.valid_s


def test_many_short_gaps_are_searched_in_few_pieces(monkeypatch):
    leg, _ = night()
    leg.emg, leg.acc = leg.emg[:60_000], leg.acc[:6_000]
    with_losses(leg, 0.1)
    searched = []
    search = BurstSearch.push
    monkeypatch.setattr(
        BurstSearch, "push", lambda self, *signals: searched.append(1) or search(self, *signals)
    )
    recording = leg.recording()
    assert len(recording.segments_of("emg1")) > 200
    analyze(recording)
    assert len(searched) <= 4


def test_lost_time_is_taken_from_the_seconds_it_falls_in():
    gaps = ShortGaps(5 * S, 100.0)
    for lost, n in ((0, 50), (10, 80), (25, 300), (1, 1)):
        gaps.push(np.zeros((n, 1), np.float32), lost)
    # samples 50-59, 140-164 and 465 are lost
    expected = [0.10, 0.25, 0, 0, 0.01, 0]
    np.testing.assert_allclose(gaps.lost_s(6, 100), expected, atol=1e-6)
    np.testing.assert_allclose(gaps.lost_s(3, 150), [0.2, 0.15, 0], atol=1e-6)
    assert gaps.mostly_lost(5 * S + 500_000_000, 5 * S + 615_000_000)
    assert not gaps.mostly_lost(5 * S + 400_000_000, 5 * S + 610_000_000)
    assert not gaps.mostly_lost(6 * S, 6 * S + 400_000_000)


def test_the_line_joins_the_samples_beside_the_gap():
    gaps = ShortGaps(0, 100.0)
    gaps.push(np.array([[1.0, -2.0]], np.float32))
    gaps.push(np.array([[5.0, 2.0]], np.float32), 3)
    joined, lines = gaps.take()
    np.testing.assert_allclose(joined, [[1, -2], [2, -1], [3, 0], [4, 1], [5, 2]])
    assert lines == [(1, 4)]
    gaps.push(np.array([[5.0, 4.0]], np.float32), 1)
    joined, lines = gaps.take()
    np.testing.assert_allclose(joined, [[5, 3], [5, 4]])
    assert lines == [(0, 1)]
    assert len(gaps.take()[0]) == 0


@pytest.mark.parametrize("n", [1, 25, 26, 0, -3])
def test_only_gaps_up_to_a_quarter_of_a_second_are_short(n):
    gaps = ShortGaps(7, 100.0)
    assert gaps.lost_before(7) == 0  # nothing has been pushed
    gaps.push(np.zeros((50, 3), np.float32))
    expected = n if 0 < n <= MAX_GAP_S * 100 else 0
    for jitter_ns in (-4_000_000, 0, 4_000_000):
        assert gaps.lost_before(7 + (50 + n) * 10_000_000 + jitter_ns) == expected
