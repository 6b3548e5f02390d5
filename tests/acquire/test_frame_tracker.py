"""Bookkeeping of frames: ranges against plain sets, and what may be acknowledged."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.wearable.nights import KEY
from twitchsense.acquire.frame_tracker import Ledger
from twitchsense.acquire.status import Pace
from twitchsense.nightfile.ranges import RangeSet
from twitchsense.nightfile.records import Boot

BOOT = Boot(KEY, 1)
pieces = st.lists(st.tuples(st.integers(0, 60), st.integers(-2, 12)))


@given(pieces, st.integers(0, 70), st.integers(0, 70))
def test_ranges_are_sets(adds, first, stop):
    ranges, plain = RangeSet(), set()
    for start, length in adds:
        ranges.add(start, start + length)
        plain |= set(range(start, start + length))
    assert len(ranges) == len(plain)
    assert {n for n in range(90) if n in ranges} == plain
    assert ranges.stop == max(plain, default=-1) + 1
    assert ranges.first == min(plain, default=None)
    holes = ranges.holes(first, stop)
    assert [n for a, b in holes for n in range(a, b)] == [
        n for n in range(first, stop) if n not in plain
    ]
    assert all(b < c for (_, b), (c, _) in zip(holes, holes[1:], strict=False))
    end = ranges.end_of_run(first)
    assert all(n in plain for n in range(first, end))
    assert end not in plain


numbers = st.lists(st.integers(0, 40))


@given(st.integers(0, 10), numbers, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5))))
def test_only_what_is_on_disk_or_lost_is_acknowledged(begin, stored, given_up):
    ledger = Ledger(BOOT, begin)
    for seq in stored:
        ledger.store(seq)
    for first, length in given_up:
        ledger.give_up(first, first + length)
    point = ledger.ack_point()
    lost = {n for first, length in given_up for n in range(max(begin, first), first + length + 1)}
    settled = set(stored) | lost
    assert point is None or set(range(begin, point + 1)) <= settled
    assert (begin if point is None else point + 1) not in settled
    missing = {n for a, b in ledger.missing() for n in range(a, b + 1)}
    assert missing == set(range(begin, ledger.expected)) - settled
    assert ledger.received == len(set(stored))


@given(st.sets(st.integers(0, 60)), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 4))))
def test_going_on_with_a_night_is_as_if_it_never_stopped(known, lost):
    ranges = [(a, a + n) for a, n in lost]
    again = Ledger(BOOT, 0, sorted(known), ranges)
    fresh = Ledger(BOOT, 0)
    for seq in sorted(known):
        fresh.store(seq)
    for first, last in ranges:
        fresh.expect(last + 1)
        fresh.give_up(first, last)
    assert again.missing() == fresh.missing()
    assert again.ack_point() == fresh.ack_point()


def test_nothing_is_lost_twice_or_after_it_came():
    ledger = Ledger(BOOT, 5)
    ledger.expect(20)
    ledger.store(10)
    assert ledger.give_up(0, 12) == [(5, 9), (11, 12)]
    assert ledger.give_up(0, 13) == [(13, 13)]
    assert not ledger.store(10)


def test_waiting_doubles_up_to_a_limit():
    pace, rng = Pace(0.5, 30.0), random.Random(1)
    delays = [pace.delay(n, rng) for n in (0, 1, 2, 3, 20, 10_000)]
    for delay, most in zip(delays, (0.5, 1, 2, 4, 30, 30), strict=True):
        assert most / 2 <= delay <= most
