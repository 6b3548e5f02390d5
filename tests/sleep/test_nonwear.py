"""Non-wear, muscle tone, and the definitions of sleep onset."""

from __future__ import annotations

import numpy as np
import pytest

from tests.sleep.builders import ACC, EMG, acc_seconds, detections, emg_seconds, recording, restless
from twitchsense.settings import ContextSettings, Settings
from twitchsense.sleep.context import NOTE_IMMOBILE, NOTE_STILL, find_context
from twitchsense.sleep.inactivity import EpochGrid
from twitchsense.sleep.nonwear import measure_tone

#: Sleep by sustained inactivity, whose onset is exact on signals as plain as these.
SETTINGS = Settings(context=ContextSettings(estimate_by="inactivity"))


def night(emg, acc, seconds=7200, settings=SETTINGS):
    found = detections(emg1=emg, acc=acc)
    return find_context(recording(EMG, ACC, seconds=seconds), found, settings)


@pytest.mark.parametrize(("minutes", "unworn"), [(9, False), (11, True)])
def test_bad_electrodes_on_a_leg_that_never_turns_are_not_worn(minutes, unworn):
    emg, acc = emg_seconds(7200), restless(acc_seconds(7200), 0, 600)
    emg.valid[3000 : 3000 + 60 * minutes] = False
    context = night(emg, acc)
    assert (context.at([3000 + 30 * minutes]).item() == "unknown") == unworn
    assert any("probably not worn" in note for note in context.notes) == unworn


def test_a_leg_that_turns_is_worn_and_lost_packets_are_not_evidence():
    emg, acc = emg_seconds(7200), restless(acc_seconds(7200), 0, 600)
    emg.valid[3000:5000] = False
    restless(acc, 3000, 5000)
    assert not any("not worn" in note for note in night(emg, acc).notes)
    emg, acc = emg_seconds(7200), restless(acc_seconds(7200), 0, 600)
    keep = np.ones(7200, bool)
    keep[3000:5000] = False
    gone = emg.select(keep)
    assert not any("probably not worn" in note for note in night(gone, acc).notes)


def test_time_on_the_table_before_bed_is_not_sleep():
    """A sensor switched on and left lying for half an hour, then worn."""
    emg, acc = emg_seconds(9000), restless(acc_seconds(9000), 1800, 3600)
    emg.valid[:1800] = False
    context = night(emg, acc, 9000)
    assert context.onset.time_s == pytest.approx(3600, abs=10)
    assert context.at([900.0]).tolist() == ["unknown"]
    # without EMG nobody can tell, and still is called asleep with the note that says so
    alone = find_context(recording(ACC, seconds=9000), detections(acc=acc), SETTINGS)
    assert alone.onset.time_s == 0
    assert NOTE_STILL in alone.notes


def test_a_motionless_leg_is_reported():
    acc = restless(acc_seconds(7200), 0, 600)
    context = find_context(recording(ACC, seconds=7200), detections(acc=acc), SETTINGS)
    assert any("nothing moved for 1" in note for note in context.notes)


def test_tone_is_the_level_above_the_electrode_noise():
    emg = emg_seconds(3600)
    emg.level[:1800] = 5.0  # noise of 3 uV and tone of 4
    emg.level[1800:] = 3.0
    tone = measure_tone([emg], EpochGrid.over(0, 3600 * 10**9))
    assert tone[:60] == pytest.approx(np.full(60, 4.0))
    assert tone[60:] == pytest.approx(np.zeros(60))
    emg.valid[:60] = False
    assert np.isnan(measure_tone([emg], EpochGrid.over(0, 3600 * 10**9))[:2]).all()
    assert np.isnan(measure_tone([], EpochGrid.over(0, 60 * 10**9))).all()


def test_a_tense_muscle_extends_the_late_end_of_the_range():
    """Lying still with a tense leg is evidence of being awake: it widens the range."""
    emg, acc = emg_seconds(7200), restless(acc_seconds(7200), 0, 600)
    calm = night(emg, acc).onset
    emg = emg_seconds(7200)
    emg.level[:3000] = 6.0
    tense = night(emg, acc).onset
    assert tense.time_s == calm.time_s
    assert tense.by_method["tone"] == 3000
    assert calm.by_method["tone"] == pytest.approx(calm.time_s)
    assert tense.high_s == calm.high_s + 3000 - calm.time_s


@pytest.mark.parametrize(
    ("definition", "expected"),
    [("first_epoch", 600), ("persistent_10min", 1500), ("immobile_5min", 600)],
)
def test_each_definition_of_sleep_onset_finds_its_onset(definition, expected):
    # still for 7 min, up again, then asleep
    acc = restless(restless(acc_seconds(7200), 0, 600), 1020, 1500)
    rules = Settings(context=ContextSettings(estimate_by="inactivity", definition=definition))
    found = find_context(recording(ACC, seconds=7200), detections(acc=acc), rules).onset
    assert found.definition == definition
    assert found.time_s == pytest.approx(expected, abs=10)
    assert found.by_method["persistent_10min"] == pytest.approx(1500, abs=10)


def test_immobile_5min_allows_no_second_above_the_limit():
    acc = restless(acc_seconds(7200), 0, 600)
    acc.max[600:1800:100] = 0.06  # small stirrings that turn nothing
    rules = Settings(context=ContextSettings(definition="immobile_5min"))
    still = find_context(recording(ACC, seconds=7200), detections(acc=acc), rules).onset
    assert still.time_s == pytest.approx(1705, abs=10)
    assert still.by_method["first_epoch"] == pytest.approx(600, abs=10)


def test_immobile_5min_with_a_hypnogram_uses_the_first_epoch_and_adds_a_note():
    from tests.sleep.builders import hypnogram

    rules = Settings(context=ContextSettings(definition="immobile_5min"))
    context = find_context(
        recording(ACC, seconds=7200), detections(acc=acc_seconds(7200)), rules,
        hypnogram(("W", 10), ("N1", 5), ("W", 5), ("N2", 100)),
    )  # fmt: skip
    assert context.onset.time_s == 600
    assert context.onset.definition == "first_epoch"
    assert context.onset.by_method == {"first_epoch": 600, "persistent_10min": 1200}
    assert NOTE_IMMOBILE in context.notes


def test_masking_can_be_switched_off():
    from tests.sleep.builders import jerks

    acc = restless(acc_seconds(5400), 0, 1500)
    times = np.arange(1000.3, 1800, 40)
    for t in times.astype(int):
        acc.level[t : t + 2] = 0.25
        acc.mean_vector[t : t + 2] += [0.15, -0.1, 0.0]
    found = detections(jerks(times), acc=acc)
    onsets = [
        find_context(
            recording(ACC, seconds=5400),
            found,
            Settings(context=ContextSettings(estimate_by="inactivity", mask_events=m)),
        ).onset.time_s
        for m in (True, False)
    ]
    assert abs(onsets[0] - 1500) <= 60
    assert onsets[1] > 1740
