"""Sleep in the terms of sleep laboratories."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from twitchsense.report.sleep_statistics import (
    estimated_sleep_s,
    format_sleep,
    hypnogram_statistics,
    sleep_rows,
)
from twitchsense.sleep.onset import SleepOnset

STAGES = ["", "W", "W", "N1", "N2", "W", "R", "N3", "N2", "W", ""]


def make_night(stages, contexts, onset):
    n = len(contexts)
    epochs = pd.DataFrame(
        {"onset": [60.0 * k for k in range(n)], "duration": 60.0, "context": contexts,
         "stage": stages}
    )  # fmt: skip
    recording = SimpleNamespace(start_ns=0, end_ns=n * 60_000_000_000, start_utc_ns=None)
    return SimpleNamespace(epochs=epochs, recording=recording, onset=onset)


def test_hypnogram_is_counted_from_its_first_to_its_last_epoch():
    night = make_night(STAGES, ["asleep"] * 11, SleepOnset(180.0, 180.0, 180.0, "hypnogram"))
    sleep = hypnogram_statistics(night)
    assert sleep.in_bed_s == 9 * 60
    assert sleep.asleep_s == 5 * 60
    assert sleep.latency_s == 2 * 60
    assert sleep.waso_s == 2 * 60
    assert sleep.stage_s == {"W": 240.0, "R": 60.0, "N1": 60.0, "N2": 120.0, "N3": 60.0}
    assert round(sleep.efficiency, 3) == round(5 / 9, 3)
    rows = {row["name"]: row["value"] for row in sleep_rows(night, {})}
    assert rows["Sleep efficiency"] == "56 %"
    assert rows["Wake after sleep onset (WASO)"] == "2 min"
    assert rows["N2"] == "2 min"
    assert rows["PLMS index"] == "can’t be told"


def test_sleep_efficiency_agrees_with_the_times_beside_it():
    assert [format_sleep(s) for s in (570, 720, 5990, 6000, 25500)] == [
        "9.5 min", "12 min", "99.8 min", "1 h 40 min", "7 h 5 min",
    ]  # fmt: skip


def test_estimate_has_the_range_of_sleep_onset():
    contexts = ["wake"] * 3 + ["sleep_onset"] * 2 + ["asleep"] * 6
    night = make_night([""] * 11, contexts, SleepOnset(180.0, 60.0, 300.0, "accelerometer"))
    assert hypnogram_statistics(night) is None
    assert estimated_sleep_s(night) == (6 * 60.0, 10 * 60.0)
    rows = {row["name"]: row["value"] for row in sleep_rows(night, {})}
    assert rows["Total sleep time"] == "6 min to 10 min"
    assert rows["Sleep latency"] == "3 min (1–5)"
    assert rows["Time in bed"] == rows["N1, N2, N3, REM sleep"] == "can’t be told"


def test_without_sleep_onset_nothing_is_estimated():
    night = make_night([""] * 4, ["unknown"] * 4, SleepOnset(None, None, None, "none"))
    rows = {row["name"]: row["value"] for row in sleep_rows(night, {})}
    assert set(rows.values()) == {"can’t be told"}
