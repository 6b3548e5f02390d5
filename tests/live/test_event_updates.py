"""How events of a live view become final, change, or are withdrawn."""

from __future__ import annotations

import pytest

from twitchsense.live.event_updates import EventTracker
from twitchsense.model.candidates import ScoredCandidate

MS = 1_000_000


def candidate(kind, first_ms, last_ms, *, reason="", channel="emg1", leg="left", parts=()):
    return ScoredCandidate(
        first_ms * MS, last_ms * MS, kind, leg, channel, reason=reason, parts=tuple(parts)
    )


def state_of(event):
    return event.candidate.kind, event.final, event.withdrawn


def test_a_final_candidate_is_one_new_event():
    tracker = EventTracker()
    [event] = tracker.update([candidate("movement", 0, 900)], [])
    assert state_of(event) == ("movement", True, False)
    assert tracker.update([], []) == []


def test_a_provisional_event_is_reported_once_and_then_finalized():
    tracker = EventTracker()
    twitch = candidate("twitch", 0, 20)
    [event] = tracker.update([], [twitch])
    assert state_of(event) == ("twitch", False, False)
    assert tracker.update([], [twitch]) == []
    [same] = tracker.update([twitch], [])
    assert same is event
    assert state_of(event) == ("twitch", True, False)


@pytest.mark.parametrize(
    ("final", "expected"),
    [
        ([candidate("jerk", 0, 40)], ("jerk", True, False)),
        ([candidate("movement", -10, 900, channel="emg2")], ("movement", True, False)),
        ([candidate("twitch", 0, 20, reason="mains")], ("twitch", True, True)),
        # of two that overlap it, the one of its own kind
        ([candidate("movement", 15, 900), candidate("twitch", 0, 20)], ("twitch", True, False)),
        # a rejected contraction leaves its parts
        (
            [
                candidate(
                    "movement", 0, 900, reason="weak_contraction",
                    parts=[candidate("twitch", 0, 20), candidate("twitch", 300, 320)],
                )
            ],
            ("twitch", True, False),
        ),
    ],
)  # fmt: skip
def test_a_provisional_event_takes_the_final_result(final, expected):
    tracker = EventTracker()
    [event] = tracker.update([], [candidate("twitch", 0, 20)])
    changed = tracker.update(final, [])
    assert changed[0] is event
    assert state_of(event) == expected
    n_accepted = sum(not f.reason for s in final for f in ((s, *s.parts) if s.reason else (s,)))
    assert sum(not r.withdrawn for r in changed) == n_accepted


def test_one_of_two_provisional_events_that_merge_is_withdrawn():
    tracker = EventTracker()
    tracker.update([], [candidate("twitch", 0, 20), candidate("twitch", 300, 320)])
    changed = tracker.update([candidate("movement", 0, 900)], [])
    assert [state_of(r) for r in changed] == [("movement", True, False), ("twitch", True, True)]


def test_a_candidate_of_the_other_leg_is_another_event():
    tracker = EventTracker()
    tracker.update([], [candidate("twitch", 0, 20)])
    [other] = tracker.update([candidate("jerk", 0, 20, leg="right")], [])
    assert other.number == 2


def test_a_provisional_event_that_changes_its_kind_stays_the_same_event():
    tracker = EventTracker()
    [event] = tracker.update([], [candidate("twitch", 0, 20)])
    [same] = tracker.update([], [candidate("jerk", 0, 60, channel="emg2")])
    assert same is event
    assert state_of(event) == ("jerk", False, False)
