"""Cluster rules: queries to the sensors, explained episodes, limits, and confidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.detect.builders import (
    AT,
    BURST,
    EPISODE,
    KICK,
    MS,
    STILL,
    FakeSensors,
    S,
    burst,
    classify_cluster,
    episode,
    leg_run,
)
from twitchsense.model.candidates import LegMovementRun
from twitchsense.settings import JerkSettings, MovementSettings, Settings, TwitchSettings


def margin(ratio):
    """Return the confidence for a ratio of value to threshold (docs/detection.md)."""
    return 1 - 0.5 * np.exp(1 - ratio)


# -- interval in which a response is sought ------------------------------------------


class RecordingSensors(FakeSensors):
    """Records the queries."""

    def __init__(self):
        super().__init__()
        self.queries = []

    def response(self, first_ns, last_ns, limit_ns):
        self.queries.append((first_ns - AT, last_ns - AT, limit_ns - AT))


def queries(*items):
    sensors = RecordingSensors()
    classify_cluster(*items, sensors=sensors)
    return sensors.queries


@pytest.mark.parametrize(("ms", "last_ms"), [(40, 150), (50, 150), (60, 160), (200, 300)])
def test_response_to_a_burst_is_sought_from_20_ms_before_to_150_ms_after_its_onset(ms, last_ms):
    assert set(queries(burst(ms))) == {(-20 * MS, last_ms * MS, (ms + 200) * MS)}


def test_response_to_a_contraction_is_sought_until_150_ms_after_it():
    *_, whole = queries(burst(2000), leg_run(2.0))  # the queries before are those of its parts
    assert whole == (0, 2150 * MS, 2275 * MS)


@pytest.mark.parametrize(
    ("last", "end_ms"),
    [(leg_run(0.4), 475), (episode(0.6), 630), (LegMovementRun("e", AT, AT, 1.0), 40)],
)
def test_query_ends_where_no_candidate_could_join_the_cluster(last, end_ms):
    assert queries(burst(), last)[0][2] == (end_ms + 200) * MS


# -- explained episodes ----------------------------------------------------------------


def at(first_ms, last_ms, **changes):
    return replace(EPISODE, onset_ns=AT + first_ms * MS, offset_ns=AT + last_ms * MS, **changes)


def kinds(*items, **senses):
    return [f.kind for f in classify_cluster(*items, **senses)]


@pytest.mark.parametrize(
    ("moved", "own"),
    [((-300, 29), False), ((-300, 30), True), ((250, 500), True), ((251, 500), False)],
)
def test_jerk_explains_the_episodes_that_overlap_its_response(moved, own):
    assert kinds(burst(), at(*moved), seen=KICK) == (["jerk"] if own else ["jerk", "movement"])


@pytest.mark.parametrize(
    ("moved", "own"),
    [((-300, -21), False), ((-300, -20), True), ((150, 350), True), ((151, 350), False)],
)
def test_twitch_explains_the_small_episodes_in_its_window(moved, own):
    expected = ["twitch"] if own else ["twitch", "movement"]
    assert kinds(burst(), at(*moved, peak_g=0.02), seen=STILL) == expected


@pytest.mark.parametrize(("length_s", "own"), [(1.0, True), (1.01, False)])
def test_twitch_explains_no_long_episode(length_s, own):
    expected = ["twitch"] if own else ["twitch", "movement"]
    assert kinds(burst(), episode(length_s), seen=STILL) == expected


@pytest.mark.parametrize(("peak_g", "own"), [(0.099, True), (0.10, False)])
def test_twitch_explains_no_episode_as_large_as_a_jerk(peak_g, own):
    slow = replace(KICK, peak_g=peak_g, jerk_g_s=1.0)
    assert kinds(burst(), episode(), seen=slow) == (["twitch"] if own else ["twitch", "movement"])


def test_rejected_burst_explains_no_episode():
    findings = classify_cluster(burst(amplitude_uv=10.0), episode(), seen=STILL)
    assert [f.reason for f in findings] == ["too_small", "bump"]


@pytest.mark.parametrize(
    ("moved", "own"),
    [((-300, -1), False), ((-300, 0), True), ((2000, 2200), True), ((2001, 2200), False)],
)
def test_contraction_explains_the_episodes_that_overlap_it(moved, own):
    found = kinds(burst(2000), leg_run(2.0), at(*moved))
    assert found == (["movement"] if own else ["movement", "movement"])


@pytest.mark.parametrize(
    ("moved", "kind"),
    [
        ((-300, -20), "brief_contraction"),
        ((-300, -21), "twitch"),
        ((150, 350), "brief_contraction"),
        ((151, 350), "twitch"),
    ],
)
def test_only_a_turn_at_the_time_of_the_burst_counts(moved, kind):
    assert kinds(burst(), at(*moved, turn_deg=12.0), seen=STILL)[0] == kind


def test_unknown_turn_is_ignored_and_the_largest_known_turn_counts():
    unknown = episode(turn_deg=np.nan)
    assert kinds(burst(), unknown, seen=STILL)[0] == "twitch"
    turns = [unknown, episode(turn_deg=12.0), episode(turn_deg=2.0)]
    assert kinds(burst(), *turns, seen=STILL)[0] == "brief_contraction"


def test_leg_without_episodes_has_not_turned():
    least = Settings(
        twitch=TwitchSettings(max_turn_deg=0.5),
        jerk=JerkSettings(max_turn_deg=0.5),
        movement=MovementSettings(turn_deg=0.5),
    )
    assert kinds(burst(), settings=least) == ["twitch"]
    assert kinds(burst(), seen=KICK, settings=least) == ["jerk"]
    assert kinds(burst(2000), leg_run(2.0), settings=least) == ["movement"]
    unknown = episode(turn_deg=np.nan)
    assert kinds(burst(2000), leg_run(2.0), unknown, settings=least) == ["movement"]
    assert kinds(unknown, settings=least) == ["movement"]


# -- contractions --------------------------------------------------------------------------


def test_a_contraction_lasts_from_its_first_burst_to_its_last():
    loud = replace(BURST, onset_ns=AT + 500 * MS, offset_ns=AT + 800 * MS, snr_db=40.0)
    last = replace(BURST, onset_ns=AT + 850 * MS, offset_ns=AT + 900 * MS)
    (finding,) = classify_cluster(burst(400, amplitude_uv=300.0), loud, last, leg_run(0.9))
    assert (finding.onset_ns, finding.offset_ns) == (AT, AT + 900 * MS)
    assert (finding.snr_db, finding.amplitude_uv) == (40.0, 300.0)


def test_rejected_contraction_has_its_whole_duration_and_amplitude():
    loud = replace(BURST, onset_ns=AT + 500 * MS, offset_ns=AT + 900 * MS, snr_db=40.0)
    hum = burst(450, mains_share=0.9, amplitude_uv=300.0)
    (finding,) = classify_cluster(hum, loud, leg_run(0.9))
    assert finding.reason == "mains"  # by the longest burst, not by that of the greatest SNR
    assert (finding.onset_ns, finding.offset_ns) == (AT, AT + 900 * MS)
    assert (finding.snr_db, finding.amplitude_uv) == (40.0, 300.0)
    assert np.isnan(finding.confidence)


@pytest.mark.parametrize(("moved", "reason"), [([], "electrode_pop"), ([episode(1.5)], "")])
def test_contraction_like_an_electrode_artefact_is_rejected_unless_the_leg_moves(moved, reason):
    (finding,) = classify_cluster(burst(2000, low_frequency_share=0.9), leg_run(2.0), *moved)
    assert finding.reason == reason


@pytest.mark.parametrize(("length_s", "median_uv"), [(12.0, 20.0), (2.0, 1.0)])
def test_the_first_reason_is_kept(length_s, median_uv):
    pop = burst(length_s * 1000, low_frequency_share=0.9)
    (finding,) = classify_cluster(pop, leg_run(length_s, median_uv), seen=STILL)
    assert finding.reason == "electrode_pop"


def test_acceleration_of_a_contraction_is_the_largest_of_response_and_episodes():
    items = burst(2000), leg_run(2.0)
    moved = [episode(0.3, peak_g=0.7, jerk_g_s=3.0), at(600, 900, peak_g=0.2, jerk_g_s=30.0)]
    kicked = replace(KICK, peak_g=0.9, jerk_g_s=9.0)

    def motion(*episodes, seen=None):
        (finding,) = classify_cluster(*items, *episodes, seen=seen)
        return finding.peak_g, finding.jerk_g_s

    assert motion(*moved) == (0.7, 30.0)
    assert motion(*moved, seen=kicked) == (0.9, 30.0)
    assert motion(seen=kicked) == (0.9, 9.0)
    assert np.isnan(motion()).all()


def test_durations_of_the_episodes_of_a_long_contraction_are_added_up():
    swaying = [at(100, 1700), at(4000, 5600)]  # 1.6 s each
    (finding,) = classify_cluster(burst(12_000), leg_run(12.0), *swaying, seen=KICK)
    assert (finding.kind, finding.reason) == ("gross_movement", "")


def test_sustained_activity_needs_a_long_contraction():
    patient = Settings(movement=MovementSettings(acc_gross_s=20.0))
    moved = episode(10.5)

    def reason(ms):
        return classify_cluster(burst(ms), leg_run(ms / 1000), moved, seen=KICK, settings=patient)[
            0
        ].reason

    assert reason(5_000) == reason(10_000) == ""
    assert reason(10_001) == "sustained_activity"


# -- limits finer than a sample ----------------------------------------------------------


@pytest.mark.parametrize(
    "seen",
    [
        replace(KICK, onset_ns=AT + 150 * MS + 1),
        replace(KICK, onset_ns=AT - 30 * MS - 1),  # it rises for 10 ms
        replace(KICK, offset_ns=KICK.onset_ns + S + 1),
    ],
)
def test_a_nanosecond_too_late_too_early_or_too_long_is_no_jerk(seen):
    assert kinds(burst(), seen=seen) == ["twitch"]


def test_minimum_duration_of_a_movement_is_exact():
    assert [f.reason for f in classify_cluster(burst(499.999))] == [""]
    assert [f.reason for f in classify_cluster(burst(500.0))] == ["weak_contraction"]


def test_durations_are_measured_at_the_start_of_a_recording():
    first = replace(BURST, onset_ns=0, offset_ns=40 * MS)
    assert kinds(first, seen=replace(KICK, onset_ns=30 * MS, offset_ns=1030 * MS)) == ["jerk"]
    assert kinds(first, seen=replace(KICK, onset_ns=30 * MS, offset_ns=1230 * MS)) == ["twitch"]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([burst(600.0)], ("brief_contraction", "weak_contraction")),
        ([burst(4, amplitude_uv=60.0)], ("twitch", "")),
        ([burst(), episode(turn_deg=60.0)], ("jerk", "")),
        ([burst(2000), leg_run(2.0), episode(1.5, turn_deg=60.0)], ("posture_change", "")),
        ([episode(4.0)], ("gross_movement", "")),
    ],
)
def test_values_far_beyond_a_limit_are_treated_like_those_just_beyond_it(items, expected):
    finding = classify_cluster(*items, seen=KICK)[0]
    assert (finding.kind, finding.reason) == expected


@pytest.mark.parametrize("only", [{"jerk_g_s": 5.0}, {"rise_ms": 150.0}])
def test_limits_of_a_jerk_without_emg_are_inclusive(only):
    assert kinds(episode(**only), emg=False) == ["jerk"]


def test_jerk_is_violent_by_peak_or_by_rate_of_change():
    slow = replace(KICK, peak_g=0.5, jerk_g_s=5.0)
    steep = replace(KICK, peak_g=0.1, jerk_g_s=30.0)
    assert [classify_cluster(burst(), seen=s)[0].grade for s in (slow, steep)] == [
        "violent",
        "violent",
    ]


def test_of_two_channels_of_equal_snr_the_later_name_is_chosen():
    (finding,) = classify_cluster(
        burst(amplitude_uv=90.0), burst(channel="emg2", amplitude_uv=80.0)
    )
    assert (finding.channel, finding.amplitude_uv) == ("emg2", 80.0)


def test_duration_of_a_candidate_is_that_of_its_burst():
    for ms, seen in ((40, None), (40, KICK), (200, None)):
        finding = classify_cluster(burst(ms), seen=seen)[0]
        assert (finding.onset_ns, finding.offset_ns) == (AT, AT + ms * MS)
        assert (finding.amplitude_uv, finding.rise_ms, finding.snr_db) == (200.0, 10.0, 25.0)
        assert finding.waveform is BURST.waveform


# -- confidence ----------------------------------------------------------------------------


def confidence(*members, **sensors):
    return classify_cluster(*members, **sensors)[0].confidence


def test_confidence_of_a_jerk_is_the_probability_of_the_model():
    assert confidence(burst(100), seen=KICK) == 0.8


def test_bursts_and_movements_get_their_confidence_from_the_models():
    assert np.isnan(confidence(burst(), seen=STILL))
    assert np.isnan(confidence(burst(2000), leg_run(2.0), episode(1.5), seen=KICK))


def test_confidence_of_a_posture_change_follows_its_excess():
    turned = episode(1.5, turn_deg=60.0)
    assert confidence(burst(2000), leg_run(2.0, 14.0), turned, seen=KICK) == pytest.approx(
        margin(1.75)
    )


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        (episode(turn_deg=45.0), margin(1.5)),
        (episode(10.5, threshold_ratio=1.4), margin(1.4)),
        (episode(threshold_ratio=1.4), 0.9 * margin(1.4)),  # a jerk
        (episode(1.5, threshold_ratio=1.4), 0.5 * margin(1.4)),
    ],
)
def test_confidence_of_acceleration_alone(moved, expected):
    assert confidence(moved, emg=False) == pytest.approx(expected)


def test_rejected_episodes_have_no_confidence():
    assert np.isnan(confidence(episode(peak_g=0.01), emg=False))  # acc_micro_event
    assert np.isnan(confidence(episode(), emg=True))  # bump


def test_emg_is_queried_at_the_onset_of_the_episode():
    class OneMoment(FakeSensors):
        def emg_usable(self, time_ns):
            return time_ns == EPISODE.onset_ns

    (finding,) = classify_cluster(episode(), sensors=OneMoment())
    assert finding.reason == "bump"


def test_candidate_of_an_episode_has_its_measurements():
    (finding,) = classify_cluster(episode(0.3, channel="acc_left"), emg=False)
    assert (finding.onset_ns, finding.offset_ns) == (EPISODE.onset_ns, EPISODE.onset_ns + 300 * MS)
    assert (finding.channel, finding.leg) == ("acc_left", "left")
    assert (finding.peak_g, finding.jerk_g_s) == (0.25, 12.0)
    assert finding.grade == "mild"
    others = [episode(1.5), episode(4.0), episode(turn_deg=60.0)]
    assert [classify_cluster(e, emg=False)[0].grade for e in others] == [
        "",
        "",
        "",
    ]  # only jerks have a grade
