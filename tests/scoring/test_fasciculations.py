"""Fasciculation-like twitches per minute of wake at rest."""

from __future__ import annotations

import pytest

from tests.scoring.builders import (
    row,
    summary,
)
from tests.sleep.builders import (
    emg_seconds,
    hypnogram,
)


def test_fasciculations_are_counted_per_minute_of_rest():
    times = [60.0, 60.1, 65.0, 200.0]
    got = summary(*(row(t, "twitch", 0.02) for t in times))["fasciculations"]["channels"]["emg1"]
    # 15 min of wake before the drowsy window
    assert got["minutes"] == pytest.approx(15)
    assert got["count"] == 4
    assert got["rate_per_min"] == pytest.approx(4 / 15)
    assert got["most_in_1_min"] == 3
    assert got["most_in_2_min"] == 3
    assert got["n_isolated"] == 2  # 65 and 200; 60.0 and 60.1 are neighbours


def test_active_wake_is_excluded_from_the_denominator():
    busy = emg_seconds(7200)
    busy.active_fraction[:450] = 0.9
    got = summary(row(700, "twitch"), emg1=busy)["fasciculations"]["channels"]["emg1"]
    assert got["count"] == 1
    assert 6.5 < got["minutes"] < 7.6
    full = emg_seconds(7200, active_fraction=0.9)
    none = summary(emg1=full)["fasciculations"]
    assert none["channels"]["emg1"]["rate_per_min"] is None
    assert none["channels"]["emg1"]["most_in_1_min"] is None
    assert none["not_computable"]["emg1"] == "no valid wake at rest"


def test_time_of_unknown_context_is_not_wake():
    rows = [row(t, "twitch") for t in (60.0, 65.0, 6000.0)]
    blind = summary(*rows, stages=None)
    block = blind["fasciculations"]
    cell = block["channels"]["emg1"]
    assert (cell["count"], cell["minutes"], cell["rate_per_min"]) == (0, 0, None)
    assert block["not_computable"]["emg1"] == "not known when the person was awake"
    assert blind["by_label"]["fasciculation_like"]["count"] == 3  # they keep the label
    part = summary(*rows, stages=hypnogram(("W", 30)))["fasciculations"]["channels"]["emg1"]
    assert (part["count"], part["minutes"]) == (2, pytest.approx(30))
