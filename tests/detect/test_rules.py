"""Level-1 rules at both sides of each boundary, on given candidates (criteria 6.1, 6.5)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twitchsense.detect.candidates import Burst, Episode, LegRun
from twitchsense.detect.fusion import Cluster
from twitchsense.detect.response import Response
from twitchsense.detect.rules import Rules
from twitchsense.settings import Settings

MS = 1_000_000
S = 1_000 * MS
AT = 100 * S

BURST = Burst(
    channel="emg1", onset_ns=AT, offset_ns=AT + 40 * MS, amplitude_uv=200.0, rise_ms=10.0,
    snr_db=25.0, margin=4.0, floor_uv=3.0, slow_share=0.1, contact=0.1, mains_share=0.0,
    stuck=False, shape=np.zeros(64, np.float32),
)  # fmt: skip
EPISODE = Episode(
    channel="acc", onset_ns=AT + 30 * MS, offset_ns=AT + 330 * MS, peak_g=0.25, jerk_g_s=12.0,
    rise_ms=40.0, turn_deg=1.0, margin=10.0,
)  # fmt: skip
KICK = Response(0.25, 12.0, AT + 30 * MS, AT + 250 * MS)


def burst(ms=40.0, **changes):
    return replace(BURST, offset_ns=AT + round(ms * MS), **changes)


def episode(length_s=0.3, **changes):
    return replace(EPISODE, offset_ns=EPISODE.onset_ns + round(length_s * S), **changes)


class Senses:
    """What a leg would answer."""

    def __init__(self, seen=None, emg=True):
        self.seen, self.emg = seen, emg

    def response(self, first_ns, last_ns, limit_ns):
        return self.seen

    def has_emg(self, time_ns):
        return self.emg


def decide(*items, seen=None, emg=True, settings=None):
    cluster = Cluster()
    for item in items:
        cluster.add(item)
    return Rules(settings or Settings(), Senses(seen, emg), "left").decide(cluster)


def one(*items, **senses):
    (finding,) = decide(*items, **senses)
    return finding.kind, finding.reason


STILL = Response(0.003, 0.4, AT, AT + 50 * MS)

# -- twitch ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (burst(4.9), ("twitch", "too_short")),
        (burst(5.0), ("twitch", "")),
        (burst(150.0), ("twitch", "")),
        (burst(150.1), ("brief_contraction", "")),
        (burst(499.0), ("brief_contraction", "")),
        (burst(500.0), ("brief_contraction", "weak_contraction")),
        (burst(amplitude_uv=49.9), ("twitch", "too_small")),
        (burst(amplitude_uv=50.0), ("twitch", "")),
        (burst(stuck=True), ("twitch", "saturation")),
        (burst(floor_uv=15.0), ("twitch", "")),
        (burst(floor_uv=15.1), ("twitch", "noise_floor")),
        (burst(mains_share=0.5), ("twitch", "")),
        (burst(mains_share=0.51), ("twitch", "mains")),
        (burst(slow_share=0.5), ("twitch", "")),
        (burst(slow_share=0.51), ("twitch", "electrode_pop")),
        (burst(contact=0.90), ("twitch", "")),
        (burst(contact=0.91), ("twitch", "electrode_pop")),
    ],
)
@pytest.mark.parametrize("seen", [None, STILL])
def test_bursts_of_a_leg_that_stays_still(candidate, expected, seen):
    assert one(candidate, seen=seen) == expected


@pytest.mark.parametrize(("turn", "kind"), [(9.9, "twitch"), (10.0, "brief_contraction")])
def test_twitch_turns_the_leg_by_less_than_10_degrees(turn, kind):
    kinds = {f.kind for f in decide(burst(), episode(peak_g=0.05, turn_deg=turn), seen=STILL)}
    assert kinds == {kind}


def test_small_episode_made_by_a_twitch_is_part_of_it():
    findings = decide(burst(), episode(peak_g=0.05), seen=replace(KICK, peak_g=0.05))
    assert [f.kind for f in findings] == ["twitch"]


def test_bump_that_coincides_with_a_twitch_stands_beside_it():
    late = replace(KICK, onset_ns=AT - 200 * MS)
    findings = decide(burst(), episode(), seen=late)
    assert [(f.kind, f.reason) for f in findings] == [("twitch", ""), ("movement", "bump")]


# -- jerk -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("candidate", "seen", "jerk"),
    [
        (burst(9.9), KICK, False),
        (burst(10.0), KICK, True),
        (burst(300.0), KICK, True),
        (burst(300.1), KICK, False),
        (burst(rise_ms=100.0), KICK, True),
        (burst(rise_ms=100.1), KICK, False),
        (burst(amplitude_uv=49.0), KICK, False),
        (burst(stuck=True), KICK, False),
        (burst(), replace(KICK, peak_g=0.099), False),
        (burst(), replace(KICK, peak_g=0.10), True),
        (burst(), replace(KICK, jerk_g_s=4.9), False),
        (burst(), replace(KICK, jerk_g_s=5.0), True),
        (burst(), replace(KICK, onset_ns=AT - 20 * MS), True),
        (burst(), replace(KICK, onset_ns=AT - 21 * MS), False),
        (burst(), replace(KICK, onset_ns=AT + 150 * MS), True),
        (burst(), replace(KICK, onset_ns=AT + 151 * MS), False),
        (burst(), replace(KICK, offset_ns=KICK.onset_ns + 1000 * MS), True),
        (burst(), replace(KICK, offset_ns=KICK.onset_ns + 1001 * MS), False),
        (burst(), None, False),
    ],
)
def test_jerk_needs_burst_and_throw(candidate, seen, jerk):
    assert (decide(candidate, seen=seen)[0].kind == "jerk") is jerk


@pytest.mark.parametrize(("turn", "kind"), [(29.9, "jerk"), (30.0, "brief_contraction")])
def test_jerk_leaves_the_leg_where_it_was(turn, kind):
    assert decide(burst(), episode(turn_deg=turn), seen=KICK)[0].kind == kind


def test_jerk_takes_its_episode_with_it():
    assert len(decide(burst(), episode(), seen=KICK)) == 1


@pytest.mark.parametrize(
    ("peak_g", "jerk_g_s", "grade"),
    [
        (0.299, 6, "mild"), (0.30, 6, "moderate"), (0.499, 6, "moderate"), (0.50, 6, "violent"),
        (0.12, 19.9, "mild"), (0.12, 20.0, "violent"),
    ],
)  # fmt: skip
def test_grades(peak_g, jerk_g_s, grade):
    (finding,) = decide(burst(), seen=replace(KICK, peak_g=peak_g, jerk_g_s=jerk_g_s))
    assert finding.grade == grade


# -- movement -----------------------------------------------------------------------


def leg_run(length_s, median_uv=20.0):
    return LegRun("emg1", AT - 75 * MS, AT + round((length_s + 0.075) * S), median_uv)


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
    assert one(long, leg_run(length_s, median_uv), *items, seen=seen) == expected


def test_hum_that_is_strong_enough_for_a_movement_is_none():
    assert one(burst(2000, mains_share=0.9), leg_run(2.0)) == ("movement", "mains")


def test_hum_does_not_undo_a_posture_change():
    turned = episode(1.5, turn_deg=60.0)
    findings = decide(burst(2000, mains_share=0.9), leg_run(2.0), turned, seen=KICK)
    assert [(f.kind, f.reason) for f in findings] == [("movement", "mains"), ("posture_change", "")]


@pytest.mark.parametrize(("swayed_s", "reason"), [(2.9, "sustained_activity"), (3.0, "")])
def test_long_activity_with_a_bump_is_no_gross_movement(swayed_s, reason):
    assert one(burst(12_000), leg_run(12.0), episode(swayed_s), seen=KICK) == (
        "gross_movement",
        reason,
    )


@pytest.mark.parametrize(
    ("ms", "size", "kind"),
    [(25, 149, "twitch"), (25, 150, "jerk"), (26, 149, "jerk"), (26, 49, "twitch")],
)
def test_single_unit_is_too_weak_to_throw_a_leg(ms, size, kind):
    assert decide(burst(ms, amplitude_uv=size), seen=KICK)[0].kind == kind


def test_confidence_is_lower_without_acceleration_and_missing_for_the_rejected():
    with_acc = decide(burst(2000), leg_run(2.0), episode(1.5), seen=KICK)[0]
    without = decide(burst(2000), leg_run(2.0))[0]
    rejected = decide(burst(amplitude_uv=10.0))[0]
    assert without.confidence < with_acc.confidence <= 1
    assert np.isnan(rejected.confidence)


# -- acceleration alone ------------------------------------------------------------------


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
        (episode(3.0), False, ("gross_movement", "")),
        (episode(2.999), True, ("movement", "bump")),
        (episode(3.0), True, ("gross_movement", "")),
        (episode(turn_deg=29.9), True, ("movement", "bump")),
        (episode(turn_deg=30.0), True, ("posture_change", "")),
        (episode(turn_deg=np.nan), True, ("movement", "bump")),
    ],
)
def test_episodes_without_a_burst(candidate, emg, expected):
    assert one(candidate, emg=emg) == expected


def test_one_sensor_alone_is_never_more_than_half_sure_of_a_jerk():
    assert decide(episode(margin=1e6), emg=False)[0].confidence <= 0.5


def test_jerk_without_emg_has_a_grade_and_no_amplitude():
    (finding,) = decide(episode(peak_g=0.6), emg=False)
    assert finding.grade == "violent"
    assert np.isnan(finding.amplitude_uv)


# -- several channels -----------------------------------------------------------------------


def test_two_channels_of_one_leg_are_one_row_by_the_better_one():
    better = burst(channel="emg2", snr_db=30.0, amplitude_uv=300.0)
    findings = decide(burst(), better)
    assert [(f.channel, f.amplitude_uv) for f in findings] == [("emg2", 300.0)]


def test_two_bursts_of_one_channel_are_two_rows():
    later = replace(BURST, onset_ns=AT + 60 * MS, offset_ns=AT + 90 * MS)
    assert len(decide(burst(40), later)) == 2


def test_leg_is_that_of_the_sensor():
    assert decide(burst())[0].leg == "left"
