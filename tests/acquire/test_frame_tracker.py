"""Bookkeeping of frames against plain sets and acknowledgement."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.nightfile.builders import KEY
from twitchsense.acquire.frame_tracker import FrameTracker
from twitchsense.nightfile.records import Boot

BOOT = Boot(KEY, 1)


numbers = st.lists(st.integers(0, 40))


@given(st.integers(0, 10), numbers, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5))))
def test_only_what_is_on_disk_or_lost_is_acknowledged(first_seq, stored, lost_ranges):
    tracker = FrameTracker(BOOT, first_seq)
    for seq in stored:
        tracker.mark_stored(seq)
    for first, length in lost_ranges:
        tracker.mark_lost(first, first + length)
    acked = tracker.ack_seq
    lost = {
        n for first, length in lost_ranges for n in range(max(first_seq, first), first + length + 1)
    }
    resolved = set(stored) | lost
    assert acked is None or set(range(first_seq, acked + 1)) <= resolved
    assert (first_seq if acked is None else acked + 1) not in resolved
    missing = {n for a, b in tracker.missing_ranges() for n in range(a, b + 1)}
    assert missing == set(range(first_seq, tracker.end_seq)) - resolved
    assert tracker.n_stored == len(set(stored))


@given(st.sets(st.integers(0, 60)), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 4))))
def test_a_resumed_tracker_equals_one_that_never_stopped(known, lost):
    ranges = [(a, a + n) for a, n in lost]
    resumed = FrameTracker(BOOT, 0, sorted(known), ranges)
    fresh = FrameTracker(BOOT, 0)
    for seq in sorted(known):
        fresh.mark_stored(seq)
    for first, last in ranges:
        fresh.extend(last + 1)
        fresh.mark_lost(first, last)
    assert resumed.missing_ranges() == fresh.missing_ranges()
    assert resumed.ack_seq == fresh.ack_seq


def test_a_frame_is_lost_once_and_never_after_it_was_stored():
    tracker = FrameTracker(BOOT, 5)
    tracker.extend(20)
    tracker.mark_stored(10)
    assert tracker.mark_lost(0, 12) == [(5, 9), (11, 12)]
    assert tracker.mark_lost(0, 13) == [(13, 13)]
    assert not tracker.mark_stored(10)
