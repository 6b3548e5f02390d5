"""The five contexts (docs/definitions.md) and the columns they fill."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sleep.builders import (
    ACC,
    EMG,
    acc_seconds,
    detections,
    drop,
    emg_seconds,
    events,
    hypnogram,
    recording,
    restless,
)
from twitchsense.model.recording import Recording
from twitchsense.settings import ContextSettings, Settings
from twitchsense.sleep.context import (
    NOTE_ELSEWHERE,
    NOTE_NO_SLEEP,
    NOTE_NO_SOURCE,
    NOTE_STILL,
    add_context,
    find_context,
)
from twitchsense.sleep.context_intervals import ContextIntervals
from twitchsense.sleep.hypnogram.model import Hypnogram
from twitchsense.sleep.onset import onset_from_hypnogram

YASA = Path(__file__).parents[3] / "shared" / "data" / "hypnograms_yasa"
#: Sleep by sustained inactivity, whose onset is exact on signals as plain as these.
SETTINGS = Settings(context=ContextSettings(estimate_by="inactivity"))


def by_stages(stages: Hypnogram, seconds: float = 7200, rules: ContextSettings | None = None):
    night = detections(emg1=emg_seconds(int(seconds)))
    chosen = Settings(context=rules or ContextSettings())
    return find_context(recording(EMG, seconds=seconds), night, chosen, stages)


def at(context, *minutes: float) -> list[str]:
    return context.at(np.array(minutes) * 60).tolist()


def test_drowsy_is_5_min_before_and_sleep_onset_10_min_after():
    context = by_stages(hypnogram(("W", 20), ("N1", 5), ("N2", 95)))
    assert at(context, 0, 14.99, 15, 19.99) == ["wake", "wake", "drowsy", "drowsy"]
    assert at(context, 20, 29.99, 30, 119.9) == ["sleep_onset", "sleep_onset", "asleep", "asleep"]
    assert at(context, -0.1, 120.1) == ["unknown", "unknown"]
    assert context.onset.time_s == 1200
    assert (context.onset.low_s, context.onset.high_s) == (1185, 1215)
    assert context.onset.source == "hypnogram"


def test_both_windows_are_settings():
    rules = ContextSettings(drowsy_min=0, onset_min=2.5)
    context = by_stages(hypnogram(("W", 20), ("N2", 100)), rules=rules)
    assert at(context, 19.99, 20, 22.49, 22.5) == ["wake", "sleep_onset", "sleep_onset", "asleep"]


def test_short_wake_within_the_first_ten_minutes_stays_sleep_onset():
    context = by_stages(hypnogram(("W", 20), ("N1", 2), ("W", 4), ("N1", 10), ("W", 2), ("N2", 82)))
    assert at(context, 23) == ["sleep_onset"]  # the window is one of time
    assert context.stage_at([23 * 60.0]).tolist() == ["W"]
    assert at(context, 36.5, 38.5) == ["wake", "asleep"]  # later, even short wake is wake


def test_sleep_after_five_minutes_of_wake_has_its_own_windows():
    context = by_stages(hypnogram(("W", 10), ("N2", 30), ("W", 12), ("N2", 68)))
    assert at(context, 39.9, 40, 46.9) == ["asleep", "wake", "wake"]
    assert at(context, 47, 51.9, 52, 61.9, 62) == [
        "drowsy", "drowsy", "sleep_onset", "sleep_onset", "asleep",
    ]  # fmt: skip
    assert context.onset.time_s == 600  # minutes still count from the first onset


def test_wake_of_less_than_five_minutes_makes_no_new_onset():
    for minutes, after in ((4.5, "asleep"), (5, "sleep_onset")):
        context = by_stages(hypnogram(("W", 10), ("N2", 30), ("W", minutes), ("N2", 60)))
        assert at(context, 40 + minutes) == [after]
    assert at(context, 40, 44.9) == ["drowsy", "drowsy"]


def test_long_wake_soon_after_the_onset_is_wake_and_not_sleep_onset():
    context = by_stages(hypnogram(("W", 10), ("N1", 1), ("W", 8), ("N2", 60)))
    assert at(context, 10.5, 11.5, 13.9, 14, 19) == [
        "sleep_onset", "wake", "wake", "drowsy", "sleep_onset",
    ]  # fmt: skip


def test_final_wake_makes_no_new_onset():
    context = by_stages(hypnogram(("W", 10), ("N2", 60), ("W", 50)))
    assert at(context, 70, 119) == ["wake", "wake"]


def test_unscored_epochs_and_gaps_are_unknown_even_inside_a_window():
    context = by_stages(hypnogram(("W", 18), ("", 1), ("W", 1), ("N2", 1), ("", 1), ("N2", 30)))
    assert at(context, 18.5, 19.5, 20.5, 21.5, 22.5) == [
        "unknown", "drowsy", "sleep_onset", "unknown", "sleep_onset",
    ]  # fmt: skip


def test_a_hypnogram_without_sleep_has_no_onset():
    context = by_stages(hypnogram(("W", 120)))
    assert context.onset.time_s is None
    assert context.onset.source == "none"
    assert NOTE_NO_SLEEP in context.notes
    assert at(context, 0, 119) == ["wake", "wake"]
    assert add_context(events({"onset": 60.0}), context)["min_from_onset"].isna().all()


def test_persistent_onset_needs_ten_uninterrupted_minutes():
    stages = hypnogram(
        ("W", 10), ("N1", 9.5), ("W", 5), ("N1", 5), ("", 0.5), ("N2", 10), ("W", 30)
    )
    first = onset_from_hypnogram(stages, "first_epoch")
    persistent = onset_from_hypnogram(stages, "persistent_10min")
    assert first.time_s == 600
    assert persistent.time_s == 30 * 60
    context = by_stages(stages, rules=ContextSettings(definition="persistent_10min"))
    # sleep that did not last is part of falling asleep
    assert at(context, 9, 12, 20, 26, 31) == ["wake", "drowsy", "wake", "drowsy", "sleep_onset"]
    short = onset_from_hypnogram(hypnogram(("W", 10), ("N1", 9.5)), "persistent_10min")
    assert short.time_s is None
    never = by_stages(
        hypnogram(("W", 10), ("N1", 9.5)), rules=ContextSettings(definition="persistent_10min")
    )
    assert at(never, 5, 12) == ["wake", "drowsy"]


def test_a_hypnogram_with_other_epochs_keeps_its_exact_limits():
    context = by_stages(hypnogram(("W", 20), ("N2", 60), start_s=7.3, epoch_s=20))
    edge = 7.3 + 1200
    assert context.at([edge - 0.001, edge]).tolist() == ["drowsy", "sleep_onset"]
    assert context.onset.time_s == pytest.approx(edge)


def test_a_hypnogram_without_common_time_is_reported():
    context = by_stages(hypnogram(("W", 20), ("N2", 60), start_s=80_000))
    assert NOTE_ELSEWHERE in context.notes
    assert set(context.epochs["context"]) == {"unknown"}
    assert context.at([100.0, 79_999.0]).tolist() == ["unknown", "unknown"]


def test_accelerometer_night_has_all_contexts_and_a_note_on_its_limits():
    acc = restless(restless(acc_seconds(9000), 0, 1200), 5000, 5600)
    acc = drop(acc, 7000, 7600)
    night = detections(acc=acc)
    context = find_context(recording(ACC, seconds=9000), night, SETTINGS)
    assert context.onset.time_s == pytest.approx(1200, abs=5)
    got = context.at([300, 1000, 1210, 2000, 5100, 5500, 5700, 6900, 7300, 8000]).tolist()
    assert got == [
        "wake", "drowsy", "sleep_onset", "asleep", "wake", "drowsy", "sleep_onset", "asleep",
        "unknown", "asleep",
    ]  # fmt: skip
    assert NOTE_STILL in context.notes
    assert (context.stage_at([0.0, 5.0]) == "").all()


def test_turning_over_in_sleep_is_not_wake():
    acc = acc_seconds(3600)
    acc.mean_vector[1800:] = [0, 1, 0]
    context = find_context(recording(ACC, seconds=3600), detections(acc=acc), SETTINGS)
    assert set(context.at(np.arange(700.0, 3600))) == {"asleep"}


def test_undecided_time_before_the_onset_is_drowsy_and_elsewhere_unknown():
    acc = drop(restless(acc_seconds(3600), 0, 600), 840, 842)
    acc = drop(acc, 838, 848)
    context = find_context(recording(ACC, seconds=3600), detections(acc=acc), SETTINGS)
    assert context.onset.time_s == 850
    assert context.at([700.0, 845.0]).tolist() == ["drowsy", "unknown"]
    short = find_context(recording(ACC, seconds=120), detections(acc=acc_seconds(120)), SETTINGS)
    assert short.at([60.0]).tolist() == ["unknown"]  # two minutes tell nothing


def test_without_hypnogram_and_accelerometer_context_is_unknown():
    context = find_context(recording(EMG, seconds=90), detections(emg1=emg_seconds(90)), SETTINGS)
    assert context.epochs["context"].tolist() == ["unknown"] * 3
    assert NOTE_NO_SOURCE in context.notes
    assert context.epochs["activity"].isna().all()


def test_epochs_have_their_documented_columns_and_cover_the_recording():
    night = detections(emg1=emg_seconds(100, 47), acc=acc_seconds(100, 47))
    context = find_context(
        recording(EMG, ACC, seconds=100, start_s=47), night, SETTINGS, hypnogram(("N2", 2))
    )
    epochs = context.epochs
    assert list(epochs) == ["onset", "duration", "context", "stage", "activity", "valid"]
    assert epochs["onset"].tolist() == [30, 60, 90, 120]
    assert (epochs["duration"] == 30).all()
    assert epochs["stage"].tolist() == ["N2", "N2", "N2", ""]
    assert epochs["context"].tolist() == ["sleep_onset"] * 3 + ["unknown"]
    assert epochs["valid"].to_numpy() == pytest.approx([13 / 30, 1, 1, 27 / 30])
    assert any("an EMG channel" in note for note in context.notes)


def test_valid_is_of_any_emg_channel_and_of_the_accelerometer_without_emg():
    two = (EMG, type(EMG)("emg2", "emg", "uV", 1000.0, ("emg2_uv",)))
    one, other = emg_seconds(60), emg_seconds(60, 0.4)
    one.valid[:30] = False
    other.valid[15:] = False
    context = find_context(recording(*two, seconds=60), detections(emg1=one, emg2=other), SETTINGS)
    assert context.epochs["valid"].to_numpy() == pytest.approx([15 / 30, 1])
    acc = acc_seconds(60)
    acc.valid[:] = False
    context = find_context(recording(ACC, seconds=60), detections(acc=acc), SETTINGS)
    assert (context.epochs["valid"] == 0).all()
    assert any("an accelerometer" in note for note in context.notes)


def test_an_empty_recording_has_no_epochs():
    context = find_context(Recording((), ()), detections(), SETTINGS)
    assert context.epochs.empty
    assert context.at([1.0]).tolist() == ["unknown"]
    assert np.isnan(context.activity_at([1.0])).all()
    assert ContextIntervals(np.empty(0, np.int64), np.empty(0, "U7")).at([1.0]).tolist() == [
        "unknown"
    ]


def test_activity_at_returns_the_activity_of_the_epoch():
    acc = acc_seconds(60)
    acc.level[30:] = 0.05
    context = find_context(recording(ACC, seconds=60), detections(acc=acc), SETTINGS)
    got = context.activity_at([-1, 29.9, 30, 61])
    assert got == pytest.approx([np.nan, 0.002, 0.05, np.nan], nan_ok=True)


def test_add_context_fills_three_columns_and_nothing_else():
    table = events(*({"onset": 60.0 * m, "trial_type": "twitch"} for m in (1, 17, 22, 50)))
    before = table.copy()
    context = by_stages(hypnogram(("W", 20), ("N1", 5), ("R", 95)))
    tagged = add_context(table, context)
    assert tagged["context"].tolist() == ["wake", "drowsy", "sleep_onset", "asleep"]
    assert tagged["stage"].tolist() == ["W", "W", "N1", "R"]
    assert tagged["min_from_onset"].tolist() == [-19, -3, 2, 30]
    pd.testing.assert_frame_equal(table, before)
    rest = [c for c in table if c not in ("context", "stage", "min_from_onset")]
    pd.testing.assert_frame_equal(tagged[rest], table[rest])
    assert add_context(events(), context).empty


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["W", "N1", "N2", "R", ""]), st.integers(1, 20)),
        min_size=1,
        max_size=12,
    )
)
def test_law_windows_follow_minutes_from_onset(parts):
    """What holds for every hypnogram, second by second."""
    context = by_stages(hypnogram(*((s, m / 2) for s, m in parts)), seconds=600)
    times = np.arange(0, sum(m for _, m in parts) * 30.0, 7.0)
    where, stage = context.at(times), context.stage_at(times)
    assert ((where == "unknown") == (stage == "")).all()
    if context.onset.time_s is None:
        assert not np.isin(stage, ["N1", "N2", "R"]).any()
        return
    minutes = (times - context.onset.time_s) / 60
    known = stage != ""
    assert ((where == "drowsy") & (minutes < 0) == known & (minutes >= -5) & (minutes < 0)).all()
    assert (where[known & (minutes < -5)] == "wake").all()
    first = known & (minutes >= 0) & (minutes < 10)
    assert np.isin(where[first], ["sleep_onset", "wake", "drowsy"]).all()
    asleep = np.isin(stage, ["N1", "N2", "R"])
    assert (where[first & asleep] == "sleep_onset").all()
    assert np.isin(where[asleep], ["sleep_onset", "asleep"]).all()
    later_wake = (stage == "W") & (minutes >= 0)
    assert (where[later_wake] != "asleep").all()


@pytest.mark.parametrize(("name", "onset_s"), [("full_night.csv", None), ("nap_sub02.csv", None)])
def test_real_hypnograms_have_an_onset_at_the_first_epoch_that_is_not_wake(name, onset_s):
    if not (YASA / name).exists():
        pytest.skip("the real hypnograms (shared/data) are not here")
    table = pd.read_csv(YASA / name).rename(columns={"onset_s": "onset"}).assign(duration=30)
    context = by_stages(Hypnogram.from_frame(table), seconds=30 * len(table))
    asleep = table["stage"] != "W"
    assert context.onset.time_s == table["onset"][asleep].iloc[0]
    late = table["onset"] >= context.onset.time_s + 600
    assert (context.epochs["context"][late & (table["stage"] == "N3")] != "wake").all()
    assert (context.epochs["stage"] == table["stage"]).all()
