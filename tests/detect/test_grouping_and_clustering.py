from __future__ import annotations

from dataclasses import replace

import pytest

from tests.detect.builders import AT, EPISODE, MS, S, burst_at, leg_run
from twitchsense.detect.rules.burst_grouping import find_contractions, group_bursts, merge_doublets
from twitchsense.detect.rules.clustering import LINK_NS, ClusterQueue
from twitchsense.model.candidates import LegMovementRun
from twitchsense.settings import MovementSettings

RULE = MovementSettings()


def test_twitches_linked_by_the_half_second_rule_are_no_contraction():
    twitches = [burst_at(k, k + 20) for k in range(0, 1000, 100)]
    found, left = find_contractions(group_bursts(twitches), [leg_run(0.92)], RULE)
    assert found == []
    assert len(left) == 10


def test_bursts_that_fill_half_of_a_run_are_one_contraction():
    bursts = [burst_at(0, 300), burst_at(500, 800)]
    (found,), left = find_contractions(group_bursts(bursts), [leg_run(0.8)], RULE)
    assert left == []
    assert (found.onset_ns, found.offset_ns) == (AT, AT + 800 * MS)
    sparse = [burst_at(0, 190), burst_at(610, 800)]
    assert find_contractions(group_bursts(sparse), [leg_run(0.8)], RULE)[0] == []


def test_runs_of_two_channels_are_one_contraction():
    bursts = [
        burst_at(0, 1500),
        burst_at(200, 2000, channel="emg2", snr_db=40.0, amplitude_uv=900.0),
    ]
    runs = [leg_run(1.5), LegMovementRun("emg2", AT, AT + 2 * S, 50.0)]
    (found,), _ = find_contractions(group_bursts(bursts), runs, RULE)
    assert found.best.channel == "emg2"
    assert found.excess_uv == 50.0
    assert found.amplitude_uv == 900.0
    assert found.duration_s == 2.0


def test_run_without_a_burst_is_no_contraction():
    assert find_contractions([], [leg_run(2.0)], RULE) == ([], [])


def test_burst_that_spans_two_bursts_of_another_channel_joins_them():
    bursts = [burst_at(0, 10), burst_at(0, 60, channel="emg2"), burst_at(40, 50)]
    assert len(group_bursts(bursts)) == 1


def test_bursts_far_apart_are_groups_of_their_own():
    assert len(group_bursts([burst_at(0, 10), burst_at(31, 40, channel="emg2")])) == 2
    assert len(group_bursts([burst_at(0, 10), burst_at(30, 40, channel="emg2")])) == 1


def queue_of(*candidates):
    queue = ClusterQueue()
    queue.add(candidates)
    return queue


def test_candidates_within_the_link_are_one_cluster():
    near = replace(EPISODE, onset_ns=AT + 40 * MS + LINK_NS)
    far = replace(near, onset_ns=near.onset_ns + 1)
    assert len(queue_of(burst_at(0, 40), near).take_complete(None)) == 1
    assert len(queue_of(burst_at(0, 40), far).take_complete(None)) == 2


def test_cluster_is_complete_once_no_candidate_can_join_it():
    end = AT + 40 * MS
    queue = queue_of(burst_at(0, 40))
    assert queue.take_complete(end + LINK_NS) == []
    assert queue.oldest_ns == AT
    assert len(queue.take_complete(end + LINK_NS + 1)) == 1
    assert queue.oldest_ns is None
    assert queue.take_complete(None) == []


def test_first_cluster_is_complete_while_the_second_waits():
    queue = queue_of(burst_at(0, 40), burst_at(5000, 5040))
    assert len(queue.take_complete(AT + 5001 * MS)) == 1
    assert queue.oldest_ns == AT + 5000 * MS


# -- pairs -----------------------------------------------------------------------------


def joined(*bursts):
    """Return the bounds of each group in ms after pairs were joined."""
    groups = merge_doublets(group_bursts(bursts))
    return [((g[0].onset_ns - AT) / MS, (max(b.offset_ns for b in g) - AT) / MS) for g in groups]


@pytest.mark.parametrize(("gap_ms", "one"), [(30, True), (115, True), (115.1, False)])
def test_two_bursts_up_to_115_ms_apart_are_one(gap_ms, one):
    pair = burst_at(0, 20), burst_at(gap_ms, gap_ms + 20)
    assert joined(*pair) == ([(0, gap_ms + 20)] if one else [(0, 20), (gap_ms, gap_ms + 20)])


@pytest.mark.parametrize(("end_ms", "groups"), [(150, 1), (150.1, 2)])
def test_doublet_is_no_longer_than_a_twitch(end_ms, groups):
    assert len(joined(burst_at(0, 20), burst_at(100, end_ms))) == groups


@pytest.mark.parametrize(("size", "groups"), [(51, 1), (49, 2), (799, 1), (801, 2)])
def test_doublet_has_similar_amplitudes(size, groups):
    assert len(joined(burst_at(0, 20), burst_at(60, 80, amplitude_uv=size))) == groups


def test_three_bursts_are_not_merged():
    assert len(joined(burst_at(0, 20), burst_at(60, 80), burst_at(120, 140))) == 3
    assert len(joined(burst_at(0, 20), burst_at(60, 80), burst_at(176, 190))) == 2
    assert (
        len(joined(burst_at(0, 20), burst_at(60, 80), burst_at(300, 320), burst_at(360, 380))) == 2
    )


def test_merged_doublet_has_the_larger_amplitude_and_the_activity_of_both():
    loud = burst_at(60, 90, snr_db=40.0, amplitude_uv=300.0, channel="emg2")
    ((pair,),) = merge_doublets(group_bursts([burst_at(0, 20), loud]))
    assert (pair.channel, pair.amplitude_uv) == ("emg2", 300.0)
    assert (pair.onset_ns, pair.offset_ns) == (AT, AT + 90 * MS)
    assert pair.active_s == pytest.approx(0.05)
    assert pair.peak_ns == loud.peak_ns


def test_merging_nothing_gives_nothing():
    assert merge_doublets([]) == []
    assert joined(burst_at(0, 20)) == [(0, 20)]


def test_recent_candidates_stay_in_the_queue():
    queue = queue_of(burst_at(0, 40), burst_at(1000, 1040))
    assert [len(c.bursts) for c in queue.recent()] == [1, 1]
    assert [len(c.bursts) for c in queue.recent()] == [1, 1]
    assert len(queue.take_complete(None)) == 2


def test_last_second_of_a_long_cluster_is_recent():
    queue = queue_of(*(burst_at(k, k + 40) for k in range(0, 3000, 100)))
    assert [len(c.bursts) for c in queue.recent()] == [10]
