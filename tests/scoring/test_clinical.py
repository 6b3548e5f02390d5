"""Clinical figures of recordings: counts over valid time in that state, or not computable."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tests.sleep.nights import (
    ACC,
    EMG,
    acc_seconds,
    detections,
    drop,
    emg_seconds,
    events,
    hypnogram,
    recording,
)
from twitchsense import score_limb
from twitchsense.scoring.fragmentary_myoclonus import count_mini_epochs, find_efm
from twitchsense.scoring.labels import label_detections
from twitchsense.scoring.summary import build_summary
from twitchsense.settings import Settings
from twitchsense.sleep.context import find_context

SETTINGS = Settings()
#: 20 min wake, 40 min N2, 60 min REM.
STAGES = hypnogram(("W", 20), ("N2", 40), ("R", 60))


def row(onset, kind, duration=0.1, **more):
    return {"onset": float(onset), "trial_type": kind, "duration": duration, "peak_g": 0.05, **more}


def lm(t, **more):
    return row(t, "movement", 2.0, **more)


def summary(*rows, stages=STAGES, respiratory=None, settings=SETTINGS, **seconds):
    seconds = seconds or {"emg1": emg_seconds(7200)}
    channels = tuple(EMG if n.startswith("emg") else ACC for n in seconds)
    rec = recording(*channels, seconds=7200)
    found = detections(events(*rows), **seconds)
    context = find_context(rec, found, settings, stages)
    found = label_detections(found, context, settings)
    return build_summary(rec, found, context, settings, stages is not None, respiratory)


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


def test_not_computable_is_a_value_of_its_own():
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


def test_without_hypnogram_sleep_is_the_accelerometers_and_says_so():
    whole = summary(*NIGHT, stages=None, emg1=emg_seconds(7200), acc=acc_seconds(7200))
    block = whole["leg_movements"]
    assert block["sleep_by"] == "accelerometer (estimate)"
    assert block["rules"]["wasm2016"]["n_plms"] == 10
    assert summary(*NIGHT)["leg_movements"]["sleep_by"] == "hypnogram"
    blind = summary(*NIGHT, stages=None, acc=acc_seconds(7200))
    assert blind["leg_movements"]["sensor"] == "acc"


def test_both_rules_stand_side_by_side():
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


# -- fragmentary myoclonus ------------------------------------------------------------


def fm(*rows, **more):
    return summary(*rows, **more)["fragmentary_myoclonus"]


def test_the_index_counts_mini_epochs_and_not_potentials():
    times = [3000.0, 3001.0, 3002.99, 3003.0, 3010.0]
    assert count_mini_epochs(np.array(times), 3.0) == 3
    got = fm(*(row(t, "twitch") for t in times))
    assert got["fm_index"]["sleep"]["count"] == 3
    assert got["fm_index"]["sleep"]["rate_per_h"] == pytest.approx(3 / (100 / 60))
    assert got["potentials_per_min"]["sleep"]["count"] == 5
    assert got["potentials_per_min"]["sleep"]["rate_per_min"] == pytest.approx(5 / 100)


def test_the_index_ends_at_1200_an_hour():
    rows = [row(1200 + 1.5 * k, "twitch", 0.05) for k in range(1600)]
    got = fm(*rows)
    assert got["fm_index"]["nrem"]["rate_per_h"] == pytest.approx(1200)


def test_nrem_and_rem_have_hours_of_their_own():
    got = fm(row(100, "twitch"), row(2000, "twitch"), row(5000, "twitch"), row(5010, "twitch"))
    assert got["fm_index"]["nrem"]["count"] == 1
    assert got["fm_index"]["nrem"]["hours"] == pytest.approx(40 / 60)
    assert got["fm_index"]["rem"]["count"] == 2
    assert got["fm_index"]["rem"]["hours"] == pytest.approx(1)
    blind = fm(row(2000, "twitch"), stages=None, emg1=emg_seconds(7200), acc=acc_seconds(7200))
    assert set(blind["fm_index"]) == {"sleep"}
    assert blind["efm_pattern"]["sleep"] == "sleep, stage unknown"
    assert "no hypnogram" in blind["not_computable"]["nrem"]


def test_without_emg_nothing_is_said_of_twitches():
    got = summary(stages=STAGES, acc=acc_seconds(7200))
    assert got["fragmentary_myoclonus"]["not_computable"]["fm_index"] == "no muscle signal (EMG)"
    assert got["fragmentary_myoclonus"]["fm_index"]["sleep"]["rate_per_h"] is None
    assert got["fragmentary_myoclonus"]["efm_pattern"]["verdict"] == "not computable"
    assert "channels" in got["fasciculations"]["not_computable"]


@pytest.mark.parametrize(
    ("per_minute", "minutes", "verdict"),
    [(6, 20, "present"), (5, 20, "borderline"), (6, 19, "absent"), (3, 30, "absent")],
)
def test_the_efm_verdict_says_how_far_it_is_from_the_limit(per_minute, minutes, verdict):
    step = 60 / per_minute
    rows = [row(1200 + 60 * m + step * k + 1, "twitch", 0.05)
            for m in range(minutes) for k in range(per_minute)]  # fmt: skip
    got = fm(*rows)["efm_pattern"]
    assert got["verdict"] == verdict
    assert got["minutes_low"] <= got["minutes"] <= got["minutes_high"]
    assert got["judged_min"] == 40


def test_efm_minutes_without_enough_signal_are_not_judged():
    context = find_context(
        recording(EMG, seconds=7200), detections(emg1=emg_seconds(7200)), SETTINGS, STAGES
    )
    half = emg_seconds(7200)
    half.valid[1200:3600] = np.arange(2400) % 60 < 29
    got = find_efm(events(), context, {"emg1": half}, SETTINGS)
    assert got.evaluated == 0
    assert got.verdict == "not computable"


# -- fasciculations ---------------------------------------------------------------------


def test_fasciculations_per_minute_of_rest():
    times = [60.0, 60.1, 65.0, 200.0]
    got = summary(*(row(t, "twitch", 0.02) for t in times))["fasciculations"]["channels"]["emg1"]
    # 15 min of wake before the drowsy window
    assert got["minutes"] == pytest.approx(15)
    assert got["count"] == 4
    assert got["rate_per_min"] == pytest.approx(4 / 15)
    assert got["most_in_1_min"] == 3
    assert got["most_in_2_min"] == 3
    assert got["n_isolated"] == 2  # 65 and 200; 60.0 and 60.1 are neighbours


def test_active_wake_is_in_no_denominator():
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


# -- the rest -----------------------------------------------------------------------------


def test_trains_are_counted_and_told_whether_they_hang_by_a_thread():
    rows = [lm(2000 + 30 * k) for k in range(4)] + [lm(4000 + 30 * k) for k in range(6)]
    got = summary(*rows)["trains"]["periodic_leg_movement_like"]
    assert got["trains"]["count"] == 2
    assert got["events"] == 10
    assert got["robust"] == 1


def test_labels_are_counted_over_the_contexts_they_can_occur_in():
    got = summary(row(100, "twitch"), row(5000, "twitch"))["by_label"]
    assert got["fasciculation_like"]["hours"] == pytest.approx(15 / 60)
    assert got["rem_twitch"]["hours"] == pytest.approx(1)
    assert got["fragmentary_myoclonus_like"]["hours"] == pytest.approx(30 / 60)  # N2 after 10 min
    assert got["hypnagogic_twitch"]["hours"] == pytest.approx(15 / 60)
    assert got["voluntary_or_unclassified"]["hours"] == pytest.approx(2)
    blind = summary(stages=None, emg1=emg_seconds(7200), acc=acc_seconds(7200))["by_label"]
    assert blind["rem_twitch"]["rate_per_h"] is None  # no stage, no rate


def test_everything_is_plain_json():
    breaths = pd.DataFrame({"onset": [2045.0], "duration": [14.0]})
    for got in (summary(*NIGHT, respiratory=breaths), summary(), summary(stages=None)):
        assert json.loads(json.dumps(got, allow_nan=False)) == got
