"""Leg movements of a recording: event table, indices over valid time, not computable."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.scoring.builders import (
    STAGES,
    lm,
    summary,
)
from tests.sleep.builders import (
    acc_seconds,
    drop,
    emg_seconds,
    events,
    hypnogram,
)
from twitchsense import score_limb
from twitchsense.scoring.leg_movements.recording_indices import find_leg_movements
from twitchsense.settings import Settings


def limb(*rows, rules="wasm2016", **more):
    return summary(*rows, **more)["leg_movements"]["rules"][rules]


NIGHT = [lm(1000 + 30 * k) for k in range(10)]  # 7 of them in wake, 3 in sleep


def test_plm_are_split_by_wake_and_sleep_over_their_valid_hours():
    got = limb(*NIGHT)
    assert (got["n_plm"], got["n_plms"], got["n_plmw"], got["n_series"]) == (10, 3, 7, 1)
    assert got["sleep_h"] == pytest.approx(100 / 60)
    assert got["wake_h"] == pytest.approx(20 / 60)
    index = got["plms_index"]
    assert index["count"] == 3
    assert index["rate_per_h"] == pytest.approx(3 / (100 / 60))
    # exact Poisson: 0.6187 to 8.7673 for a count of 3
    assert index["low"] == pytest.approx(0.6187 / (100 / 60), abs=1e-4)
    assert index["high"] == pytest.approx(8.7673 / (100 / 60), abs=1e-4)
    assert got["pi_sleep"] == 1
    assert not {"plms_index", "pi_sleep"} & set(got["not_computable"])


def test_only_valid_time_counts():
    short = limb(*NIGHT, emg1=drop(emg_seconds(7200), 3600, 7200))
    assert short["sleep_h"] == pytest.approx(40 / 60)
    assert short["plms_index"]["rate_per_h"] == pytest.approx(3 / (40 / 60))


def test_a_recording_scores_as_its_event_list_does():
    rng = np.random.default_rng(5)
    times = 600 + np.cumsum(rng.choice([4, 9.9, 10, 25, 60, 90, 90.1], 60))
    rows = [lm(t, leg=str(rng.choice(["left", "right"]))) for t in times]
    stages = pd.DataFrame(
        {"onset": STAGES.onset_s, "duration": STAGES.duration_s, "stage": STAGES.stage}
    )
    marks = pd.DataFrame(rows)[["onset", "duration", "leg"]]
    for rules in ("wasm2016", "aasm"):
        listed = score_limb(marks, stages, rules=rules).indices
        got = limb(*rows, rules=rules)
        for name in ("n_lm", "n_clm", "n_plm", "n_plms", "n_plmw", "n_series", "n_short_imi",
                     "n_isolated", "n_bilateral_lm", "pi_sleep"):  # fmt: skip
            assert got[name] == listed[name], (rules, name)


def test_respiratory_movements_are_removed_when_events_are_given():
    rows = [lm(2000 + 30 * k) for k in range(6)]
    breaths = pd.DataFrame({"onset": [2045.0], "duration": [14.0]})  # ends at 2059
    got = limb(*rows, respiratory=breaths)
    assert (got["n_clmr"], got["n_clm_nr"]) == (1, 5)
    # 2000, 2030, 2090, 2120, 2150: still one series, of five
    assert (got["n_plms_nr"], got["plms_nr_index"]["count"]) == (5, 5)
    none = limb(*rows, respiratory=breaths.iloc[:0])
    assert (none["n_clmr"], none["n_plms_nr"]) == (0, 6)
    not_given = limb(*rows)
    assert not_given["n_clmr"] is None
    assert not_given["not_computable"]["plms_nr_index"] == "no respiratory events were given"


def test_an_index_that_is_not_computable_is_none_with_a_reason():
    awake = limb(*NIGHT, stages=hypnogram(("W", 120)))
    assert awake["n_plms"] == 0
    assert awake["plms_index"]["rate_per_h"] is None
    assert awake["not_computable"]["plms_index"] == "no valid signal in sleep"
    assert awake["pi_sleep"] is None
    assert "pi_sleep" in awake["not_computable"]
    nothing = limb()
    assert nothing["plms_index"]["rate_per_h"] == 0  # looked for, and not there
    assert nothing["pi_sleep"] is None
    assert nothing["mean_plms_duration_s"] is None
    assert nothing["intervals"] == {
        "n": 0, "n_over_90_s": 0, "bin_s": 2, "counts": [0] * 45, "ln_mean": None,
        "ln_sd": None, "median_s": None,
    }  # fmt: skip


def test_without_a_hypnogram_sleep_is_estimated_and_reported_as_such():
    whole = summary(*NIGHT, stages=None, emg1=emg_seconds(7200), acc=acc_seconds(7200))
    block = whole["leg_movements"]
    assert block["sleep_by"] == "accelerometer (estimate)"
    assert block["rules"]["wasm2016"]["n_plms"] == 10
    assert summary(*NIGHT)["leg_movements"]["sleep_by"] == "hypnogram"
    blind = summary(*NIGHT, stages=None, acc=acc_seconds(7200))
    assert blind["leg_movements"]["sensor"] == "acc"


def test_acceleration_alone_gives_counts_and_no_index():
    respiratory = pd.DataFrame({"onset": [100.0], "duration": [10.0]})
    blind = summary(*NIGHT, acc=acc_seconds(7200), respiratory=respiratory)
    got = blind["leg_movements"]["rules"]["wasm2016"]
    assert got["n_plms"] == 3
    indices = [key for key in got if key.endswith("_index")]
    assert len(indices) == 7
    for key in indices:
        assert (got[key]["rate_per_h"], got[key]["low"], got[key]["high"]) == (None, None, None)
    assert got["pi_sleep"] is got["pi_ferri2006"] is None
    assert {got["not_computable"][key] for key in (*indices, "pi_sleep", "pi_ferri2006")} == {
        "needs EMG: acceleration alone misses movements"
    }


def test_both_rules_are_scored():
    rows = [lm(2000 + 7 * k) for k in range(6)]
    assert limb(*rows)["n_plm"] == 0
    assert limb(*rows, rules="aasm")["n_plm"] == 6
    strict = Settings.model_validate({"limb": {"rules": "wasm2016-strict"}})
    names = summary(*rows, settings=strict)["leg_movements"]["rules"]
    assert list(names) == ["wasm2016-strict", "wasm2016", "aasm"]


def test_intervals_fall_into_bins_of_two_seconds():
    times = np.cumsum([2000, 10, 12, 11.999999, 90, 90.5])
    got = limb(*(lm(t) for t in times))["intervals"]
    counts = {k: n for k, n in enumerate(got["counts"]) if n}
    assert counts == {5: 2, 6: 1}  # 10-12 s twice, 12-14 s once; 90 and more in no bin
    assert got["n"] == 5
    assert got["n_over_90_s"] == 1
    assert got["median_s"] == pytest.approx(12)


def test_ferris_periodicity_index_counts_intervals_in_runs_of_three():
    # intervals 20 20 20 | 5 | 20 20 | 95: three of seven in a run of three
    times = np.cumsum([2000, 20, 20, 20, 5, 20, 20, 95])
    got = limb(*(lm(t) for t in times))
    assert got["pi_ferri2006"] == pytest.approx(3 / 7)
    # 10 s exactly is not in (10, 90]
    assert limb(*(lm(2000 + 10 * k) for k in range(5)))["pi_ferri2006"] == 0


def moves(*rows, rules="wasm2016"):
    table = events(*rows)
    return find_leg_movements(table, rules, np.zeros(len(table), bool))


def test_four_movements_every_10_to_90_s_are_a_series_and_every_row_finds_its_movement():
    got = moves(lm(0), lm(10), lm(100), lm(120))
    assert got.series.tolist() == [1, 1, 1, 1]
    assert got.of_event.tolist() == [0, 1, 2, 3]
    assert moves(lm(0), lm(10), lm(100.001), lm(120)).series.max() == 0


def test_a_change_of_posture_or_a_large_movement_ends_a_series_even_when_short():
    for kind in ("posture_change", "gross_movement"):
        got = moves(
            *(lm(20.0 * k) for k in range(4)),
            lm(80, 3.0, kind),
            *(lm(100 + 20.0 * k) for k in range(3)),
        )
        assert got.series.tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
        assert got.movements.clm.tolist() == [True] * 4 + [False] + [True] * 3


def test_legs_that_move_together_are_one_movement_with_two_rows():
    rows = [lm(20.0 * k + d, leg=leg) for k in range(4) for d, leg in ((0, "left"), (0.3, "right"))]
    got = moves(*rows)
    assert len(got.movements) == 4
    assert got.of_event.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert got.series.tolist() == [1] * 4


def test_events_of_other_trains_are_not_leg_movements():
    table = events(*(lm(20.0 * k) for k in range(5)))
    taken = np.array([False, False, True, False, False])
    got = find_leg_movements(table, "wasm2016", taken)
    assert got.of_event.tolist() == [0, 1, -1, 2, 3]


def test_short_marks_are_dropped_and_aasm_drops_long_ones():
    got = moves(lm(0, 0.499), lm(20, 0.5))
    assert got.of_event.tolist() == [-1, 0]
    assert moves(lm(0, 11.0), rules="aasm").of_event.tolist() == [-1]
    assert moves(lm(0, 11.0)).movements.clm.tolist() == [False]
