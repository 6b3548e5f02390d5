"""Fragmentary myoclonus: index, potentials per minute, excessive pattern."""

from __future__ import annotations

import numpy as np
import pytest

from tests.scoring.builders import (
    SETTINGS,
    STAGES,
    row,
    summary,
)
from tests.sleep.builders import (
    EMG,
    acc_seconds,
    detections,
    emg_seconds,
    events,
    recording,
)
from twitchsense.scoring.indices.fragmentary_myoclonus import count_mini_epochs, find_efm
from twitchsense.sleep.context import find_context


def fm(*rows, **more):
    return summary(*rows, **more)["fragmentary_myoclonus"]


def test_the_fm_index_counts_mini_epochs_and_not_potentials():
    times = [3000.0, 3001.0, 3002.99, 3003.0, 3010.0]
    assert count_mini_epochs(np.array(times), 3.0) == 3
    got = fm(*(row(t, "twitch") for t in times))
    assert got["fm_index"]["sleep"]["count"] == 3
    assert got["fm_index"]["sleep"]["rate_per_h"] == pytest.approx(3 / (100 / 60))
    assert got["potentials_per_min"]["sleep"]["count"] == 5
    assert got["potentials_per_min"]["sleep"]["rate_per_min"] == pytest.approx(5 / 100)


def test_the_fm_index_is_at_most_1200_per_hour():
    rows = [row(1200 + 1.5 * k, "twitch", 0.05) for k in range(1600)]
    got = fm(*rows)
    assert got["fm_index"]["nrem"]["rate_per_h"] == pytest.approx(1200)


def test_nrem_and_rem_have_their_own_hours():
    got = fm(row(100, "twitch"), row(2000, "twitch"), row(5000, "twitch"), row(5010, "twitch"))
    assert got["fm_index"]["nrem"]["count"] == 1
    assert got["fm_index"]["nrem"]["hours"] == pytest.approx(40 / 60)
    assert got["fm_index"]["rem"]["count"] == 2
    assert got["fm_index"]["rem"]["hours"] == pytest.approx(1)
    blind = fm(row(2000, "twitch"), stages=None, emg1=emg_seconds(7200), acc=acc_seconds(7200))
    assert set(blind["fm_index"]) == {"sleep"}
    assert blind["efm_pattern"]["sleep"] == "sleep, stage unknown"
    assert "no hypnogram" in blind["not_computable"]["nrem"]


def test_without_emg_twitch_rates_are_not_computable():
    got = summary(stages=STAGES, acc=acc_seconds(7200))
    assert got["fragmentary_myoclonus"]["not_computable"]["fm_index"] == "no muscle signal (EMG)"
    assert got["fragmentary_myoclonus"]["fm_index"]["sleep"]["rate_per_h"] is None
    assert got["fragmentary_myoclonus"]["efm_pattern"]["verdict"] == "not computable"
    assert "channels" in got["fasciculations"]["not_computable"]


@pytest.mark.parametrize(
    ("per_minute", "minutes", "state"),
    [(6, 20, "present"), (5, 20, "borderline"), (6, 19, "absent"), (3, 30, "absent")],
)
def test_efm_is_borderline_near_its_limit(per_minute, minutes, state):
    step = 60 / per_minute
    rows = [row(1200 + 60 * m + step * k + 1, "twitch", 0.05)
            for m in range(minutes) for k in range(per_minute)]  # fmt: skip
    got = fm(*rows)["efm_pattern"]
    assert got["verdict"] == state
    assert got["minutes_low"] <= got["minutes"] <= got["minutes_high"]
    assert got["judged_min"] == 40


def test_efm_minutes_without_enough_signal_are_not_evaluated():
    context = find_context(
        recording(EMG, seconds=7200), detections(emg1=emg_seconds(7200)), SETTINGS, STAGES
    )
    half = emg_seconds(7200)
    half.valid[1200:3600] = np.arange(2400) % 60 < 29
    got = find_efm(events(), context, {"emg1": half}, SETTINGS)
    assert got.evaluated == 0
    assert got.state == "not computable"
