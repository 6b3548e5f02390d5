"""Valid time: the union of valid signal over channels."""

from __future__ import annotations

import pytest

from tests.sleep.builders import (
    drop,
    emg_seconds,
)
from twitchsense.sleep.valid_time import union_of_valid


def test_shared_time_of_two_channels_counts_once_with_exact_limits():
    one, two = emg_seconds(100), emg_seconds(100, 50.25)
    both = union_of_valid([one, two])
    assert both.seconds_between(0, 1000) == pytest.approx(150.25)
    assert both.seconds_between([0, 50, 140, 200], [10.5, 51, 160, 300]) == pytest.approx(
        [10.5, 1, 10.25, 0]
    )
    gap = union_of_valid([drop(one, 20, 30)])
    assert gap.seconds_between(0, 1000) == 90
    assert gap.seconds_between([19.5, 25], [30.5, 26]) == pytest.approx([1, 0])
    assert union_of_valid([]).seconds_between([0.0], [1.0]) == 0
