"""The label table (docs/labels.md): order of the rules, alternatives, confidence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.scoring.builders import lm, row
from tests.sleep.builders import (
    ACC,
    EMG,
    acc_seconds,
    detections,
    emg_seconds,
    events,
    hypnogram,
    recording,
    restless,
)
from twitchsense.model.detections import Detections
from twitchsense.model.event_table import LABELS, REJECTED_COLUMNS, make_table
from twitchsense.scoring.labels.label_confidence import (
    MIN_TRAIN_FACTOR,
    OUTSIDE_CORE_FACTOR,
    state_probabilities,
)
from twitchsense.scoring.labels.label_events import label_detections
from twitchsense.scoring.labels.label_rules import RULES
from twitchsense.settings import PROFILES, ContextSettings, Settings, get_profile
from twitchsense.sleep.context import find_context

#: Sleep by sustained inactivity, whose onset is exact on signals as plain as these.
SETTINGS = Settings(context=ContextSettings(estimate_by="inactivity"))
#: 20 min wake (drowsy from 15), N1 to 25 min, N2 to 60, REM to 90, N3 to 120.
STAGES = hypnogram(("W", 20), ("N1", 5), ("N2", 35), ("R", 30), ("N3", 30))
WAKE, DROWSY, LIGHT, NREM, REM = 5 * 60, 17 * 60, 22 * 60, 40 * 60, 70 * 60


def run(*rows, rejected=(), settings=SETTINGS, stages=STAGES, active_fraction=0.0):
    table = make_table(list(rejected), REJECTED_COLUMNS)
    found = Detections(
        events(*rows), table, {"emg1": emg_seconds(7200, active_fraction=active_fraction)}
    )
    context = find_context(recording(EMG, seconds=7200), found, settings, stages)
    return label_detections(found, context, settings)


def labels(*rows, **more):
    return run(*rows, **more).events["label"].tolist()


def jerk(t, grade="violent", **more):
    return row(t, "jerk", 0.15, grade=grade, **{"peak_g": 0.6, **more})


def contraction(t, **more):
    return row(t, "brief_contraction", 0.3, **more)


def bump(t):
    return {**row(t, "movement", 0.25), "channel": "acc", "reason": "bump"}


# -- each rule -------------------------------------------------------------------------


def test_every_label_has_a_rule_and_every_rule_its_source():
    assert {rule.label for rule in RULES} == set(LABELS)
    assert all(rule.source and rule.condition for rule in RULES)
    numbers = [rule.number for rule in RULES]
    # in the order of the table; trains (3) stand before the kinds (2) they may be made of
    assert [n for n in numbers if n not in (2, 3)] == sorted(n for n in numbers if n not in (2, 3))


def test_rule_3_foot_tremor_in_wake_and_n1_and_high_frequency_movements_in_deeper_sleep():
    def at(start):
        return set(labels(*(contraction(start + k) for k in range(6))))

    assert at(WAKE) == at(DROWSY) == at(LIGHT) == {"hypnagogic_foot_tremor_like"}
    assert at(NREM) == at(REM) == {"high_freq_leg_movement"}


def test_rule_3_tremor_outranks_all_other_labels():
    rows = [row(NREM + k / 5, "twitch", 0.05) for k in range(15)]
    assert set(labels(*rows)) == {"tremor_like"}


def test_rule_3_alternating_legs():
    rows = [contraction(NREM + k * 0.6, leg=("left", "right")[k % 2]) for k in range(8)]
    got = run(*rows).events
    assert set(got["label"]) == {"alma_like"}
    assert set(got["series"]) == {"alma-1"}


def test_rule_4_periodic_series_and_5_isolated_and_short_interval():
    rows = [lm(NREM + 30 * k) for k in range(4)] + [lm(NREM + 300), lm(NREM + 305), lm(NREM + 600)]
    got = run(*rows).events
    periodic = ["periodic_leg_movement_like"] * 4
    rest = ["isolated_leg_movement", "short_interval_leg_movement", "isolated_leg_movement"]
    assert got["label"].tolist() == periodic + rest
    assert got["series"].tolist() == ["plm-1"] * 4 + [""] * 3
    assert got["evidence"][0] == "rule 4; 4 in the train"


def test_rule_5_a_movement_that_is_not_a_candidate_is_a_leg_movement():
    legs = [lm(NREM, 9.0, leg="left"), lm(NREM + 8.5, 9.0, leg="right")]
    assert labels(*legs) == ["leg_movement"] * 2


def test_rule_6_rejected_jolts_of_a_train_become_hiccups():
    got = run(rejected=[bump(NREM + 4 * k) for k in range(8)])
    assert set(got.events["label"]) == {"hiccup_like"}
    assert set(got.events["trial_type"]) == {"jolt"}
    assert set(got.events["series"]) == {"hiccup-1"}
    assert (got.events["confidence"] <= 0.4).all()
    assert got.rejected.empty
    # and a knock or two stay what they were
    few = run(rejected=[bump(NREM), bump(NREM + 4)])
    assert few.events.empty
    assert few.rejected["reason"].tolist() == ["bump", "bump"]


def test_rule_7_clusters_of_violent_jerks_keep_their_context():
    got = run(*(jerk(LIGHT + 5 * k) for k in range(4))).events
    assert set(got["label"]) == {"repetitive_violent_jerks"}
    assert set(got["context"]) == {"sleep_onset"}
    assert set(labels(*(jerk(LIGHT + 15 * k, "moderate") for k in range(3)))) == {"sleep_start"}


def test_violent_sleep_starts_in_a_minute_are_repetitive_and_keep_sleep_start_as_alternative():
    got = run(*(jerk(LIGHT + 20 * k) for k in range(3))).events
    assert set(got["label"]) == {"repetitive_violent_jerks"}
    assert all("sleep_start" in w for w in got["alternatives"])
    # a volley is no sleep start, nor are jerks in deep sleep or far too long ones
    for rows in (
        [jerk(LIGHT + 4 * k) for k in range(3)],
        [jerk(NREM + 20 * k) for k in range(3)],
        [row(LIGHT + 20 * k, "jerk", 0.4, peak_g=0.9, grade="violent") for k in range(3)],
    ):
        got = run(*rows).events
        assert set(got["label"]) == {"repetitive_violent_jerks"}
        assert not any("sleep_start" in w for w in got["alternatives"])


def test_recurring_jerks_have_periodic_movements_as_alternative():
    got = run(*(jerk(LIGHT + 30 * k, "mild", peak_g=0.2) for k in range(5))).events
    assert set(got["label"]) == {"sleep_start"}
    assert all("periodic_leg_movement_like" in w for w in got["alternatives"])
    assert all("recurs every 10-90 s" in w for w in got["evidence"])
    three = run(*(jerk(LIGHT + 30 * k, "mild", peak_g=0.2) for k in range(3))).events
    assert not any("periodic" in w for w in three["alternatives"])


def test_rule_2_a_large_movement_keeps_its_name_beside_a_train():
    rows = [contraction(NREM + k) for k in range(6)] + [row(NREM + 20, "gross_movement", 12.0)]
    assert labels(*rows)[-1] == "gross_movement"


def test_rule_14_wake_active_twitches_are_voluntary_but_not_elsewhere():
    assert labels(row(WAKE, "twitch"), active_fraction=0.3) == ["voluntary_or_unclassified"]
    assert labels(row(NREM, "twitch"), active_fraction=0.3) == ["fragmentary_myoclonus_like"]
    assert labels(row(DROWSY, "twitch"), active_fraction=0.3) == ["hypnagogic_twitch"]
    got = run(row(WAKE, "twitch"), active_fraction=0.3).events
    assert "active wake" in got["evidence"][0]


# -- the pattern of excessive fragmentary myoclonus ------------------------------------


def efm(per_minute, minutes, start=30):
    step = 60 / per_minute
    return [row(60 * start + m * 60 + step * k + 1, "twitch", 0.05)
            for m in range(minutes) for k in range(per_minute)]  # fmt: skip


@pytest.mark.parametrize(
    ("per_minute", "minutes", "state"),
    [(6, 20, "present"), (6, 19, "absent"), (5, 20, "borderline"), (4, 30, "borderline"),
     (3, 30, "absent")],
)  # fmt: skip
def test_efm_needs_five_a_minute_for_twenty_minutes(per_minute, minutes, state):
    stages = hypnogram(("W", 10), ("N2", 110))
    got = run(*efm(per_minute, minutes), stages=stages).events
    flagged = got["evidence"].str.contains("efm_pattern").any()
    assert flagged == (state in ("present", "borderline") and per_minute >= 5)


def test_one_false_alarm_changes_neither_the_efm_pattern_nor_a_series():
    """One twitch too many, or one too few, in every single minute changes nothing."""
    stages = hypnogram(("W", 10), ("N2", 110))
    dense, sparse = efm(7, 30), efm(3, 30)
    extra = [row(60 * (30 + m) + 33.3, "twitch", 0.05) for m in range(30)]
    for rows, found in ((dense, True), (dense + extra, True), (sparse, False)):
        got = run(*rows, stages=stages).events
        assert got["evidence"].str.contains("efm_pattern").any() == found
    # one false movement in the night costs a series no more than itself
    series = [lm(NREM + 25 * k) for k in range(12)]
    for false in (lm(NREM + 130), row(NREM + 130, "gross_movement", 12.0)):
        got = labels(*series, false)
        assert sum(name == "periodic_leg_movement_like" for name in got) >= 11
    # nor does one false jerk name the others
    calm = [jerk(LIGHT), jerk(LIGHT + 120), jerk(LIGHT + 130)]
    assert "repetitive_violent_jerks" not in labels(*calm)


# -- confidence and alternatives ---------------------------------------------------------


def test_the_shortest_series_has_less_confidence_than_a_long_one():
    few, many = (run(*(lm(NREM + 30 * k) for k in range(n))).events for n in (4, 9))
    assert few["confidence"].tolist() == pytest.approx([MIN_TRAIN_FACTOR] * 4)
    assert many["confidence"].tolist() == [1.0] * 9


def test_a_sleep_start_outside_its_core_duration_has_less_confidence():
    rows = [
        row(LIGHT + 100 * k, "jerk", d, peak_g=0.2, grade="mild")
        for k, d in enumerate((0.06, 0.15, 0.28))
    ]
    got = run(*rows).events
    assert got["label"].tolist() == ["sleep_start"] * 3
    assert got["confidence"].tolist() == pytest.approx(
        [OUTSIDE_CORE_FACTOR, 1.0, OUTSIDE_CORE_FACTOR]
    )


def estimated(*rows):
    """Two hours, restless for 20 min: sleep onset is an estimate with a range."""
    acc = restless(acc_seconds(7200), 0, 1200)
    found = detections(events(*rows), emg1=emg_seconds(7200), acc=acc)
    context = find_context(recording(EMG, ACC, seconds=7200), found, SETTINGS)
    return label_detections(found, context, SETTINGS), context


def test_within_the_range_of_sleep_onset_alternatives_have_probabilities():
    times = [300.0, 1100.0, 1205.0, 1900.0, 2600.0, 6000.0]
    found, context = estimated(*(row(t, "twitch") for t in times))
    got = found.events
    assert context.onset.time_s == pytest.approx(1200, abs=10)
    chance = state_probabilities(got, context, SETTINGS)
    assert chance.sum(axis=1) == pytest.approx(np.ones(6))
    assert (chance >= 0).all()
    assert chance[0].tolist() == [1, 0, 0]
    assert chance[-1].tolist() == [0, 0, 1]
    assert got["alternatives"][0] == got["alternatives"][5] == ""
    told = dict(w.split(":") for w in got["alternatives"][3].split("; "))
    assert set(told) <= {"fasciculation_like", "hypnagogic_twitch", "fragmentary_myoclonus_like"}
    assert got["label"][3] not in told
    assert all(0.05 <= float(p) < 1 for p in told.values())


def test_a_context_that_does_not_follow_from_the_onset_is_certain():
    """An awakening soon after the onset, sleep again, and a nap that was too short before it."""
    _, context = estimated(row(300.0, "twitch"))
    low, at, high = context.onset.low_s, context.onset.time_s, context.onset.high_s
    table = pd.DataFrame({"onset": [high - 1, high - 1, low + 1, at + 1]})
    table["context"] = ["wake", "sleep_onset", "drowsy", "sleep_onset"]
    chance = state_probabilities(table, context, SETTINGS).tolist()
    assert chance[0] == [1, 0, 0]
    assert max(chance[3]) < 1
    assert chance[3][1] > 0


def test_with_a_hypnogram_there_are_no_alternatives_by_state():
    got = run(*(row(t, "twitch") for t in (WAKE, DROWSY, LIGHT, NREM))).events
    assert (got["alternatives"] == "").all()


# -- profiles -----------------------------------------------------------------------------


def test_profiles_change_the_settings_they_describe():
    rows = [lm(NREM + 7 * k) for k in range(5)]
    assert set(labels(*rows)) == {"isolated_leg_movement", "short_interval_leg_movement"}
    aasm = get_profile("aasm-2026")
    assert set(labels(*rows, settings=aasm)) == {"periodic_leg_movement_like"}
    wide = get_profile("wide-onset-2026")
    late = row(20 * 60 + 20 * 60, "twitch")
    assert labels(late, settings=wide) == ["hypnagogic_twitch"]
    assert labels(late) == ["fragmentary_myoclonus_like"]


def test_profiles_are_frozen():
    """A released profile never changes: a new one gets a new name."""
    for name, settings in PROFILES.items():
        assert name.rsplit("-", 1)[1].isdecimal()
        with pytest.raises(ValueError, match="frozen"):
            settings.limb.rules = "aasm"
    trains = SETTINGS.trains.model_dump()
    assert trains == {
        "tremor_hz": (3.5, 18.0), "tremor_cycles": 5, "tremor_s": 2.0,
        "fast_hz": (0.3, 4.0), "fast_least": 4, "foot_ms": (250.0, 1000.0), "fast_ms": 100.0,
        "alma_hz": (0.5, 3.0), "alma_ms": (100.0, 500.0), "alma_least": 4, "alma_share": 0.8,
        "fast_cv": 0.5, "fast_g": 0.3, "rock_hz": (0.5, 2.0), "rock_least": 4,
        "rock_share": 0.6, "rock_g": 0.1, "hiccup_s": (1.0, 20.0), "hiccup_least": 5,
        "hiccup_cv": 0.35,
        "hiccup_size": 0.45, "hiccup_ms": 500.0, "hiccup_uv": 50.0, "jerks_least": 3,
        "jerks_s": 60.0, "jerks_per_h": 10, "jerks_violent": 3,
    }  # fmt: skip
    assert SETTINGS.labels.model_dump() == {
        "absorb_s": 1.0, "start_ms": (50.0, 300.0), "start_core_ms": (75.0, 250.0), "volley": 2,
        "volley_s": 10.0, "active_share": 0.2, "efm_per_min": 5, "efm_min": 20.0,
        "fm_epoch_s": 3.0,
    }  # fmt: skip


# -- laws --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_law_labels_are_a_pure_function_of_the_tables(seed):
    """The same rows give the same labels, twice, and whatever else happens hours away."""
    rng = np.random.default_rng(seed)
    kinds = ("twitch", "jerk", "movement", "brief_contraction", "gross_movement")
    rows = []
    for t in np.sort(rng.uniform(100, 3000, 150)):
        kind = str(rng.choice(kinds, p=(0.5, 0.1, 0.2, 0.15, 0.05)))
        length = {"movement": 2.0, "gross_movement": 12.0, "brief_contraction": 0.3}.get(kind, 0.1)
        rows.append(row(t, kind, length, grade="moderate" if kind == "jerk" else ""))
    bumps = [bump(t) for t in np.sort(rng.uniform(100, 3000, 40))]
    once, twice = (run(*rows, rejected=bumps) for _ in range(2))
    assert once.events.equals(twice.events)
    assert once.rejected.equals(twice.rejected)
    assert len(once.events) + len(once.rejected) == 190
    later = run(*rows, row(7000, "twitch"), rejected=bumps).events
    same = ["onset", "trial_type", "label", "series", "alternatives"]
    assert later[same].iloc[:-1].equals(once.events[same])
