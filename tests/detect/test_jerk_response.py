"""When the movement that answers some bursts begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.detect.builders import AT, BURST, KICK, MS, FakeSensors
from twitchsense.detect.rules.jerk_rule import BurstTrain, lag_ms, moved_leg, train_response
from twitchsense.settings import JerkSettings

RULE = JerkSettings()


def bursts_at(*times_ms, **changes):
    """Return a train of single bursts."""
    length_ns = BURST.offset_ns - BURST.onset_ns
    onsets = [AT + round(t * MS) for t in times_ms]
    return BurstTrain.of(
        [[replace(BURST, onset_ns=t, offset_ns=t + length_ns, **changes)] for t in onsets]
    )


def seen_at(ms, **changes):
    """Return a movement that begins at a time."""
    onset_ns = AT + round(ms * MS)
    return replace(KICK, onset_ns=onset_ns, offset_ns=onset_ns + 200 * MS, **changes)


class GrowingMovement(FakeSensors):
    """A small movement at once, and a larger one 250 ms later."""

    def response(self, first_ns, last_ns, limit_ns):
        large = seen_at(250, peak_g=1.0)
        return large if last_ns >= large.onset_ns else seen_at(40, peak_g=0.15)


@pytest.mark.parametrize(
    ("ms", "lag"), [(50.0, 50.0), (650.0, 50.0), (290.0, 290.0), (-10.0, -10.0)]
)
def test_lag_is_that_of_the_last_burst_before_the_movement(ms, lag):
    assert lag_ms(bursts_at(0, 300, 600), seen_at(ms)) == pytest.approx(lag)


def test_a_train_whose_first_bursts_are_too_weak_moves_the_leg():
    assert moved_leg(bursts_at(0, 300, 600), seen_at(650), 0.0, RULE)
    assert not moved_leg(bursts_at(0, 300, 600), seen_at(290), 0.0, RULE)


def test_a_movement_begins_with_its_first_part():
    train = BurstTrain.of([[replace(BURST, offset_ns=BURST.onset_ns + 200 * MS)]])
    seen = train_response(train, GrowingMovement(), AT + 2000 * MS, RULE)
    assert (seen.peak_g, lag_ms(train, seen)) == (1.0, pytest.approx(40.0))


@pytest.mark.parametrize(("ms", "moved"), [(-59.0, True), (-61.0, False)])
def test_the_onset_of_a_burst_that_rises_slowly_is_seen_late(ms, moved):
    assert moved_leg(bursts_at(0, rise_ms=40.0), seen_at(ms), 0.0, RULE) is moved
