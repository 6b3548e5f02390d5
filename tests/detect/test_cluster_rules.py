"""Cluster rules on both sides of each limit, for given candidates (docs/definitions.md)."""

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
    S,
    burst,
    burst_at,
    classify_cluster,
    episode,
    kind_and_reason,
    leg_run,
)
from twitchsense.detect.features.waveform import WAVEFORM_FEATURES
from twitchsense.detect.rules.burst_grouping import (
    CONTRACTION_FEATURES,
    find_contractions,
    group_bursts,
)
from twitchsense.detect.sensors.sensor_queries import AccResponse
from twitchsense.model.candidates import Burst
from twitchsense.settings import JerkSettings, MovementSettings, Settings

# -- twitch ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (burst(2.9), ("twitch", "too_short")),
        (burst(3.0), ("twitch", "")),  # 5 ms, and what measuring may take off it
        (burst(165.0), ("twitch", "")),  # 150 ms plus the tolerance
        (burst(165.1), ("brief_contraction", "")),
        (burst(499.0), ("brief_contraction", "")),
        (burst(500.0), ("brief_contraction", "weak_contraction")),
        (burst(amplitude_uv=44.9), ("twitch", "too_small")),
        (burst(amplitude_uv=45.0), ("twitch", "")),  # 50 µV minus the tolerance
        (burst(saturated=True), ("twitch", "saturation")),
        (burst(floor_uv=15.0), ("twitch", "")),
        (burst(floor_uv=15.1), ("twitch", "noise_floor")),
        (burst(mains_share=0.5), ("twitch", "")),
        (burst(mains_share=0.51), ("twitch", "mains")),
        (burst(low_frequency_share=0.5), ("twitch", "")),
        (burst(low_frequency_share=0.51), ("twitch", "electrode_pop")),
        (burst(electrode_probability=0.90), ("twitch", "")),
        (burst(electrode_probability=0.91), ("twitch", "electrode_pop")),
        (
            burst(electrode_probability=0.91, amplitude_uv=44.9),
            ("twitch", "too_small"),
        ),  # a limit precedes the overrulable reason
    ],
)
@pytest.mark.parametrize("seen", [None, STILL])
def test_bursts_without_movement(candidate, expected, seen):
    assert kind_and_reason(candidate, seen=seen) == expected


@pytest.mark.parametrize(
    ("size", "floor", "expected"),
    [
        (45.0, 4.5, ""), (44.9, 2.0, "too_small"),
        (47.9, 4.8, "too_small"), (48.0, 4.8, ""),  # noise alone reaches ten times its RMS
        (50.0, 9.0, ""), (49.9, 9.0, "too_small"),
    ],
)  # fmt: skip
def test_amplitude_tolerance_of_a_twitch_ends_where_noise_reaches_it(size, floor, expected):
    assert kind_and_reason(burst(amplitude_uv=size, floor_uv=floor), seen=STILL) == (
        "twitch",
        expected,
    )


@pytest.mark.parametrize(("turn", "kind"), [(9.9, "twitch"), (10.0, "brief_contraction")])
def test_twitch_turns_the_leg_by_less_than_10_degrees(turn, kind):
    kinds = {
        f.kind for f in classify_cluster(burst(), episode(peak_g=0.05, turn_deg=turn), seen=STILL)
    }
    assert kinds == {kind}


def test_small_episode_made_by_a_twitch_is_part_of_it():
    findings = classify_cluster(burst(), episode(peak_g=0.05), seen=replace(KICK, peak_g=0.05))
    assert [f.kind for f in findings] == ["twitch"]


def test_bump_at_the_time_of_a_twitch_is_a_candidate_of_its_own():
    late = replace(KICK, onset_ns=AT - 200 * MS)
    findings = classify_cluster(burst(), episode(), seen=late)
    assert [(f.kind, f.reason) for f in findings] == [("twitch", ""), ("movement", "bump")]


# -- jerk -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("candidate", "seen", "jerk"),
    [
        (burst(4.9, amplitude_uv=600.0), KICK, False),
        (burst(5.0, amplitude_uv=600.0), KICK, True),
        (burst(300.0), KICK, True),
        (burst(300.1), KICK, False),
        (burst(rise_ms=125.0), KICK, True),
        (burst(rise_ms=125.1), KICK, False),
        (burst(200, amplitude_uv=29.9), KICK, False),  # ten times the noise floor
        (burst(200, amplitude_uv=30.0), KICK, True),
        (burst(saturated=True), KICK, False),
        (burst(), replace(KICK, peak_g=0.099), False),
        (burst(), replace(KICK, peak_g=0.10), True),
        (burst(), replace(KICK, jerk_g_s=4.9), False),
        (burst(), replace(KICK, jerk_g_s=5.0), True),
        (burst(), replace(KICK, onset_ns=AT - 20 * MS), True),
        (burst(), replace(KICK, onset_ns=AT - 31 * MS), False),
        (burst(), replace(KICK, onset_ns=AT + 150 * MS), True),
        (burst(), replace(KICK, onset_ns=AT + 151 * MS), False),
        (burst(), replace(KICK, offset_ns=KICK.onset_ns + 1000 * MS), True),
        (burst(), replace(KICK, offset_ns=KICK.onset_ns + 1001 * MS), False),
        (burst(), None, False),
    ],
)
def test_jerk_needs_a_burst_and_a_response_of_the_leg(candidate, seen, jerk):
    assert (classify_cluster(candidate, seen=seen)[0].kind == "jerk") is jerk


@pytest.mark.parametrize(("turn", "kinds"), [(29.9, ["jerk"]), (30.0, ["jerk", "posture_change"])])
def test_jerk_that_ends_in_a_turn_is_a_jerk_beside_a_posture_change(turn, kinds):
    found = classify_cluster(burst(), episode(turn_deg=turn), seen=KICK)
    assert [f.kind for f in found] == kinds


@pytest.mark.parametrize(("turn", "kind"), [(29.9, "twitch"), (30.0, "jerk")])
def test_leg_that_is_thrown_into_another_position_may_move_for_longer(turn, kind):
    long = replace(KICK, offset_ns=KICK.onset_ns + 1500 * MS)
    found = classify_cluster(burst(), episode(1.5, turn_deg=turn if turn >= 30 else 9.0), seen=long)
    assert found[0].kind == kind


def test_jerk_explains_its_episode():
    assert len(classify_cluster(burst(), episode(), seen=KICK)) == 1


def row(*starts_ms, ms=40.0, sizes=None):
    """Return bursts of one channel that begin at these times."""
    sizes = sizes or [200.0] * len(starts_ms)
    return [
        burst(onset_ns=AT + start * MS, offset_ns=AT + round((start + ms) * MS),
              peak_ns=AT + (start + 10) * MS, amplitude_uv=size, snr_db=20 + size / 100)
        for start, size in zip(starts_ms, sizes, strict=True)
    ]  # fmt: skip


@pytest.mark.parametrize("sizes", [(200.0, 150.0, 100.0), (100.0, 150.0, 600.0)])
def test_a_jerk_of_several_bursts_is_one_jerk(sizes):
    (jerk,) = classify_cluster(*row(0, 80, 160, sizes=sizes), episode(), seen=KICK)
    assert (jerk.kind, jerk.reason) == ("jerk", "")
    assert (jerk.onset_ns, jerk.offset_ns) == (AT, AT + 200 * MS)
    assert jerk.amplitude_uv == max(sizes)


@pytest.mark.parametrize(("pause_ms", "one"), [(60, True), (500, True), (501, False)])
def test_bursts_with_pauses_of_half_a_second_are_one_jerk(pause_ms, one):
    starts = [k * (40 + pause_ms) for k in range(5)]
    found = classify_cluster(*row(*starts), episode(), leg_run(3.0), seen=KICK)
    assert ([f.kind for f in found] == ["jerk"]) is one
    if one:
        assert found[0].offset_ns == AT + (starts[-1] + 40) * MS


def test_train_of_jerks_in_a_run_of_the_leg_movement_rule_is_a_jerk():
    train = row(0, 120, 240, 360, 480, ms=80.0)  # fills two thirds of a run of 0.56 s
    (jerk,) = classify_cluster(*train, leg_run(0.56), episode(), seen=KICK)
    assert (jerk.kind, jerk.reason) == ("jerk", "")
    still = classify_cluster(*train, leg_run(0.56), seen=STILL)
    assert [f.kind for f in still] == ["movement"]


@pytest.mark.parametrize(("n_merged", "kinds"), [(1, ["movement"]), (8, ["jerk"])])
def test_fast_train_of_jerks_that_is_measured_as_one_burst_is_a_jerk(n_merged, kinds):
    whole = burst(600.0, n_merged=n_merged)
    found = classify_cluster(whole, leg_run(0.6), episode(0.7), seen=KICK)
    assert [f.kind for f in found] == kinds
    still = classify_cluster(whole, leg_run(0.6), seen=STILL)
    assert [f.kind for f in still] == ["movement"]


def test_fast_train_that_grows_rises_within_its_first_burst():
    growing = burst(600.0, n_merged=8, rise_ms=140.0)
    (train,) = classify_cluster(growing, leg_run(0.6), episode(0.7), seen=KICK)
    assert (train.kind, train.rise_ms) == ("jerk", 75.0)


def test_train_with_a_burst_longer_than_a_jerk_is_a_movement():
    (whole,) = classify_cluster(*row(0, 360, ms=301.0), leg_run(0.66), episode(), seen=KICK)
    assert whole.kind == "movement"


def test_row_of_bursts_without_movement_is_no_jerk():
    assert {f.kind for f in classify_cluster(*row(0, 80, 160), seen=STILL)} == {"twitch"}


def test_burst_above_electrode_noise_is_classified_on_its_own():
    hiss = burst(40_000.0, amplitude_uv=30.0)
    inside = row(3000, ms=20.0)
    quiet = AccResponse(0.003, 0.4, AT, AT + 50 * MS)
    (whole,) = classify_cluster(hiss, *inside, leg_run(40.0, 12.0), seen=quiet)
    assert whole.reason == "sustained_activity"
    assert [(p.kind, p.reason, p.onset_ns) for p in whole.parts][-1] == (
        "twitch", "", AT + 3000 * MS,
    )  # fmt: skip
    assert whole.amplitude_uv == 30.0


@pytest.mark.parametrize(
    ("peak_g", "jerk_g_s", "grade"),
    [
        (0.299, 6, "mild"), (0.30, 6, "moderate"), (0.499, 6, "moderate"), (0.50, 6, "violent"),
        (0.12, 19.9, "mild"), (0.12, 20.0, "violent"),
    ],
)  # fmt: skip
def test_grades(peak_g, jerk_g_s, grade):
    (finding,) = classify_cluster(burst(), seen=replace(KICK, peak_g=peak_g, jerk_g_s=jerk_g_s))
    assert finding.grade == grade


# -- movement -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hz", "items", "seen", "reason"),
    [
        (179.0, [], STILL, ""),
        (181.0, [], STILL, "noise_floor"),
        (181.0, [episode(peak_g=0.05)], STILL, ""),  # the leg moved
        (181.0, [], None, ""),  # without an accelerometer, movement is unknown
    ],
)
def test_high_frequency_contraction_is_noise_unless_the_leg_moves(hz, items, seen, reason):
    hiss = burst(1000, log_frequency=np.log(hz))
    assert kind_and_reason(hiss, leg_run(1.0), *items, seen=seen)[1] == reason


@pytest.mark.parametrize(
    ("length_s", "median_uv", "items", "seen", "expected"),
    [
        (0.499, 20.0, [], None, ("brief_contraction", "")),
        (0.5, 20.0, [], None, ("movement", "")),
        (10.0, 20.0, [], None, ("movement", "")),
        (10.001, 20.0, [], None, ("gross_movement", "")),
        (10.001, 20.0, [], STILL, ("gross_movement", "sustained_activity")),
        (10.001, 20.0, [episode(9.0)], KICK, ("gross_movement", "")),
        (2.0, 2.0, [], None, ("movement", "")),
        (2.0, 1.9, [], None, ("movement", "weak_contraction")),
        (2.0, 20.0, [episode(1.5, turn_deg=29.9)], KICK, ("movement", "")),
        (2.0, 20.0, [episode(1.5, turn_deg=30.0)], KICK, ("posture_change", "")),
        (2.0, 20.0, [episode(10.1)], KICK, ("gross_movement", "")),
        (2.0, 20.0, [episode(1.5, turn_deg=np.nan)], KICK, ("movement", "")),
    ],
)
def test_contractions(length_s, median_uv, items, seen, expected):
    long = burst(length_s * 1000)
    assert kind_and_reason(long, leg_run(length_s, median_uv), *items, seen=seen) == expected


def moved_by(item, seconds):
    by = round(seconds * S)
    moved = replace(item, onset_ns=item.onset_ns + by, offset_ns=item.offset_ns + by)
    return replace(moved, peak_ns=item.peak_ns + by) if isinstance(item, Burst) else moved


def test_one_turn_with_several_contractions_is_one_posture_change():
    turned = moved_by(episode(9.0, turn_deg=60.0), -1.0)
    rows = [
        (0.0, {}),
        (3.0, {"amplitude_uv": 999.0}),
        (12.0, {}),  # after the turn
    ]
    items = [moved_by(x, s) for s, changes in rows for x in (burst(1000, **changes), leg_run(1.0))]
    seen = replace(KICK, peak_g=0.7)
    found = classify_cluster(*items, turned, seen=seen)
    assert [f.kind for f in found] == ["posture_change", "movement"]
    turn = found[0]
    assert turn.onset_ns == turned.onset_ns
    assert turn.offset_ns == turned.offset_ns
    assert (turn.amplitude_uv, turn.peak_g) == (999.0, 0.7)
    # a contraction that outlasts the turn does not lengthen the event
    late = [moved_by(burst(3000), 6.5), moved_by(leg_run(3.0), 6.5)]
    (turn,) = classify_cluster(*late, turned, seen=seen)
    assert (turn.onset_ns, turn.offset_ns) == (turned.onset_ns, turned.offset_ns)


def test_two_turns_are_two_posture_changes():
    items = [
        moved_by(x, s)
        for s in (0.0, 4.0)
        for x in (burst(1000), leg_run(1.0), episode(1.5, turn_deg=60.0))
    ]
    found = classify_cluster(*items, seen=KICK)
    assert [f.kind for f in found] == ["posture_change"] * 2


def test_mains_above_the_movement_threshold_is_rejected():
    assert kind_and_reason(burst(2000, mains_share=0.9), leg_run(2.0)) == ("movement", "mains")


def test_mains_does_not_reject_a_posture_change():
    turned = episode(1.5, turn_deg=60.0)
    findings = classify_cluster(burst(2000, mains_share=0.9), leg_run(2.0), turned, seen=KICK)
    assert [(f.kind, f.reason) for f in findings] == [("movement", "mains"), ("posture_change", "")]


@pytest.mark.parametrize(("swayed_s", "reason"), [(2.9, "sustained_activity"), (3.0, "")])
def test_long_activity_with_a_bump_is_no_gross_movement(swayed_s, reason):
    assert kind_and_reason(burst(12_000), leg_run(12.0), episode(swayed_s), seen=KICK) == (
        "gross_movement",
        reason,
    )


@pytest.mark.parametrize(
    ("ms", "size", "kind"),
    [(5, 59, "twitch"), (5, 61, "jerk"), (9, 33, "twitch"), (10, 31, "jerk")],
)
def test_burst_of_small_impulse_is_no_jerk(ms, size, kind):
    assert classify_cluster(burst(ms, amplitude_uv=size), seen=KICK)[0].kind == kind


def test_impulse_of_a_doublet_leaves_out_the_pause():
    pair = burst(100, amplitude_uv=50.0, active_s=0.0059)
    assert classify_cluster(pair, seen=KICK)[0].kind == "twitch"
    assert classify_cluster(replace(pair, active_s=0.0061), seen=KICK)[0].kind == "jerk"


@pytest.mark.parametrize("lag_ms", [-400, -31, 151, 200])
def test_movement_at_another_time_is_not_that_of_a_strong_burst(lag_ms):
    seen = replace(KICK, onset_ns=AT + lag_ms * MS, offset_ns=AT + (lag_ms + 300) * MS)
    assert classify_cluster(burst(100, amplitude_uv=3000.0), seen=seen)[0].kind == "twitch"


@pytest.mark.parametrize(
    ("probability", "electrode", "peak_g", "kind"),
    [
        # neither sign of a jerk, one, both
        (0.5, 0.6, 0.25, "jerk"), (0.49, 0.6, 0.49, "twitch"),
        (0.35, 0.6, 0.6, "jerk"), (0.34, 0.6, 0.6, "twitch"),
        (0.35, 0.4, 0.49, "jerk"), (0.34, 0.4, 0.49, "twitch"),
        (0.25, 0.4, 0.6, "jerk"), (0.24, 0.4, 0.6, "twitch"),
    ],
)  # fmt: skip
def test_signs_of_both_sensors_decide_what_the_jerk_model_doubts(
    probability, electrode, peak_g, kind
):
    of_muscle, kick = burst(electrode_probability=electrode), replace(KICK, peak_g=peak_g)
    found = classify_cluster(of_muscle, episode(), seen=kick, jerk_probability=probability)
    assert found[0].kind == kind
    assert [f.reason for f in found] == (["", "bump"] if kind == "twitch" else [""])


def test_knock_of_a_loose_electrode_moves_the_leg_at_once():
    pop = burst(electrode_probability=0.6)
    knock = replace(KICK, peak_g=0.6, onset_ns=AT - MS)
    for seen, kind in ((knock, "twitch"), (replace(knock, onset_ns=AT), "jerk")):
        assert classify_cluster(pop, seen=seen, jerk_probability=0.49)[0].kind == kind


def test_min_impulse_is_a_setting():
    none = Settings(jerk=JerkSettings(min_impulse_uvs=0.0))
    most = Settings(jerk=JerkSettings(min_impulse_uvs=8.1))
    assert (
        classify_cluster(burst(12, amplitude_uv=60.0), seen=KICK, settings=none)[0].kind == "jerk"
    )
    assert classify_cluster(burst(40), seen=KICK, settings=most)[0].kind == "twitch"  # 8 µV·s


# -- parts of a contraction ---------------------------------------------------------


def test_parts_of_a_contraction_are_its_bursts():
    second = burst(300, onset_ns=AT + 350 * MS, offset_ns=AT + 650 * MS, amplitude_uv=90.0)
    (whole,) = classify_cluster(burst(300), second, leg_run(0.65))
    assert whole.kind == "movement"
    assert [(f.kind, f.onset_ns, f.amplitude_uv) for f in whole.parts] == [
        ("brief_contraction", AT, 200.0), ("brief_contraction", AT + 350 * MS, 90.0),
    ]  # fmt: skip
    assert all(f.reason == "" and f.features is BURST.waveform_features for f in whole.parts)


def test_a_contraction_of_one_burst_has_no_parts():
    assert classify_cluster(burst(2000), leg_run(2.0))[0].parts == ()


def test_jerk_beside_a_contraction_is_an_event_of_its_own():
    second = burst(650, onset_ns=AT + 350 * MS, offset_ns=AT + 1000 * MS)
    found = classify_cluster(burst(300), second, leg_run(1.0), episode(), seen=KICK)
    assert [f.kind for f in found] == ["jerk", "movement"]
    jerk, movement = found
    assert (jerk.onset_ns, jerk.offset_ns) == (AT, AT + 300 * MS)
    assert (movement.onset_ns, movement.offset_ns) == (second.onset_ns, second.offset_ns)


def test_episodes_of_a_rejected_contraction_are_explained_by_its_parts():
    hum = burst(400, mains_share=0.9)
    second = burst(60, onset_ns=AT + 450 * MS, offset_ns=AT + 510 * MS, active_s=0.06)
    small = replace(EPISODE, onset_ns=AT + 460 * MS, offset_ns=AT + 560 * MS, peak_g=0.05)
    whole, *rest = classify_cluster(
        hum, second, leg_run(0.51), small, seen=replace(KICK, peak_g=0.05)
    )
    assert whole.reason == "mains"
    assert [f.reason for f in whole.parts] == ["mains", ""]
    assert rest == []  # a part explains the small episode


def test_features_of_a_contraction():
    bursts = [burst_at(0, 200), burst_at(300, 400), burst_at(500, 1000)]
    kurtosis = WAVEFORM_FEATURES.index("log_kurtosis")
    for k, b in enumerate(bursts):
        b.waveform_features[kurtosis] = float(k)
    (found,), _ = find_contractions(group_bursts(bursts), [leg_run(1.0)], MovementSettings())
    table = dict(zip(CONTRACTION_FEATURES, found.features().tolist(), strict=True))
    shares = {"bursts_per_s": 3.0, "longest_burst_share": 0.5, "active_share": 0.8}
    means = {f"mean_{name}": 1.0 for name in WAVEFORM_FEATURES}
    means["mean_log_kurtosis"] = (0.1 + 2 * 0.5) / 0.8
    assert table == pytest.approx(shares | means, abs=1e-6)


# -- acceleration without EMG ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("candidate", "emg", "expected"),
    [
        (episode(), False, ("jerk", "")),
        (episode(peak_g=0.149), False, ("movement", "acc_micro_event")),
        (episode(peak_g=0.15), False, ("jerk", "")),
        (episode(jerk_g_s=4.9), False, ("movement", "acc_micro_event")),
        (episode(rise_ms=151), False, ("movement", "acc_micro_event")),
        (episode(1.0), False, ("jerk", "")),
        (episode(1.001), False, ("movement", "")),
        (episode(0.499, peak_g=0.05), False, ("movement", "acc_micro_event")),
        (episode(0.5, peak_g=0.05), False, ("movement", "")),
        (episode(2.999), False, ("movement", "")),
        (episode(10.0), False, ("movement", "")),
        (episode(10.001), False, ("gross_movement", "")),
        (episode(3.0, turn_deg=9.9), False, ("movement", "")),
        (episode(3.0, turn_deg=10.0), False, ("gross_movement", "")),
        (episode(2.999, turn_deg=10.0), False, ("movement", "")),
        (episode(2.999), True, ("movement", "bump")),
        (episode(3.0), True, ("gross_movement", "")),
        (episode(turn_deg=29.9), True, ("movement", "bump")),
        (episode(turn_deg=30.0), True, ("posture_change", "")),
        (episode(turn_deg=np.nan), True, ("movement", "bump")),
    ],
)
def test_episodes_without_a_burst(candidate, emg, expected):
    assert kind_and_reason(candidate, emg=emg) == expected


def test_a_jolt_without_emg_is_surer_to_be_a_jerk_the_longer_it_lasts():
    short, equal, long = (
        classify_cluster(episode(duration_s, threshold_ratio=1e6), emg=False)[0].confidence
        for duration_s in (0.05, 0.08, 0.3)
    )
    assert short < 0.25
    assert equal == pytest.approx(0.5)
    assert long == 0.9


def test_jerk_without_emg_has_a_grade_and_no_amplitude():
    (finding,) = classify_cluster(episode(peak_g=0.6), emg=False)
    assert finding.grade == "violent"
    assert np.isnan(finding.amplitude_uv)


# -- several channels -----------------------------------------------------------------------


def test_two_channels_of_one_leg_are_one_candidate_from_the_channel_of_greater_snr():
    better = burst(channel="emg2", snr_db=30.0, amplitude_uv=300.0)
    findings = classify_cluster(burst(), better)
    assert [(f.channel, f.amplitude_uv) for f in findings] == [("emg2", 300.0)]


def test_two_bursts_of_one_channel_are_two_candidates():
    later = replace(BURST, onset_ns=AT + 160 * MS, offset_ns=AT + 190 * MS)
    assert len(classify_cluster(burst(40), later)) == 2


def test_leg_of_a_candidate_is_that_of_its_channel():
    assert classify_cluster(burst())[0].leg == "left"


def test_acceleration_without_a_burst_is_a_bump_where_emg_would_show_a_jerk():
    assert kind_and_reason(episode(), emg=False) == ("jerk", "")
    assert kind_and_reason(episode(), emg=False, noisy=True) == ("movement", "bump")
    # the few µV of a slow movement would not be visible
    assert kind_and_reason(episode(1.5), emg=False, noisy=True) == ("movement", "")
