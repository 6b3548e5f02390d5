"""What becomes of a movement that was shown early."""

from __future__ import annotations

import pytest

from twitchsense.live.event_updates import EventTracker
from twitchsense.model.candidates import ScoredCandidate

MS = 1_000_000


def finding(kind, first_ms, last_ms, *, reason="", channel="emg1", leg="left", parts=()):
    return ScoredCandidate(
        first_ms * MS, last_ms * MS, kind, leg, channel, reason=reason, parts=tuple(parts)
    )


def now(row):
    return row.finding.kind, row.settled, row.gone


def test_what_is_settled_at_once_is_one_new_row():
    rows = EventTracker()
    [row] = rows.update([finding("movement", 0, 900)], [])
    assert now(row) == ("movement", True, False)
    assert rows.update([], []) == []


def test_what_was_shown_early_is_told_once_and_then_settled():
    rows = EventTracker()
    twitch = finding("twitch", 0, 20)
    [row] = rows.update([], [twitch])
    assert now(row) == ("twitch", False, False)
    assert rows.update([], [twitch]) == []
    [same] = rows.update([twitch], [])
    assert same is row
    assert now(row) == ("twitch", True, False)


@pytest.mark.parametrize(
    ("settled", "became"),
    [
        ([finding("jerk", 0, 40)], ("jerk", True, False)),
        ([finding("movement", -10, 900, channel="emg2")], ("movement", True, False)),
        ([finding("twitch", 0, 20, reason="mains")], ("twitch", True, True)),
        # of two that touch it, that of its own kind
        ([finding("movement", 15, 900), finding("twitch", 0, 20)], ("twitch", True, False)),
        # a contraction that is turned down leaves its parts
        (
            [
                finding(
                    "movement", 0, 900, reason="weak_contraction",
                    parts=[finding("twitch", 0, 20), finding("twitch", 300, 320)],
                )
            ],
            ("twitch", True, False),
        ),
    ],
)  # fmt: skip
def test_what_it_becomes(settled, became):
    rows = EventTracker()
    [row] = rows.update([], [finding("twitch", 0, 20)])
    changed = rows.update(settled, [])
    assert changed[0] is row
    assert now(row) == became
    standing = sum(not f.reason for s in settled for f in ((s, *s.parts) if s.reason else (s,)))
    assert sum(not r.gone for r in changed) == standing


def test_two_that_become_one_movement_are_one_row_less():
    rows = EventTracker()
    rows.update([], [finding("twitch", 0, 20), finding("twitch", 300, 320)])
    changed = rows.update([finding("movement", 0, 900)], [])
    assert [now(r) for r in changed] == [("movement", True, False), ("twitch", True, True)]


def test_the_other_leg_is_another_movement():
    rows = EventTracker()
    rows.update([], [finding("twitch", 0, 20)])
    [other] = rows.update([finding("jerk", 0, 20, leg="right")], [])
    assert other.number == 2


def test_what_is_seen_again_as_something_else_is_the_same_row():
    rows = EventTracker()
    [row] = rows.update([], [finding("twitch", 0, 20)])
    [same] = rows.update([], [finding("jerk", 0, 60, channel="emg2")])
    assert same is row
    assert now(row) == ("jerk", False, False)
