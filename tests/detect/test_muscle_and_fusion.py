from __future__ import annotations

from dataclasses import replace

from tests.detect.test_rules import AT, BURST, EPISODE, MS, S, leg_run
from twitchsense.detect.candidates import LegRun
from twitchsense.detect.fusion import LINK_NS, Fusion
from twitchsense.detect.muscle import contractions, group_bursts
from twitchsense.settings import MovementSettings

RULE = MovementSettings()


def at(start_ms, stop_ms, **changes):
    return replace(
        BURST, onset_ns=AT + round(start_ms * MS), offset_ns=AT + round(stop_ms * MS), **changes
    )


def test_row_of_twitches_chained_by_the_half_second_rule_stays_a_row():
    twitches = [at(k, k + 20) for k in range(0, 1000, 100)]
    found, left = contractions(group_bursts(twitches), [leg_run(0.92)], RULE)
    assert found == []
    assert len(left) == 10


def test_bursts_that_fill_half_of_a_run_are_one_contraction():
    bursts = [at(0, 300), at(500, 800)]
    (found,), left = contractions(group_bursts(bursts), [leg_run(0.8)], RULE)
    assert left == []
    assert (found.onset_ns, found.offset_ns) == (AT, AT + 800 * MS)
    sparse = [at(0, 190), at(610, 800)]
    assert contractions(group_bursts(sparse), [leg_run(0.8)], RULE)[0] == []


def test_runs_of_two_channels_are_one_contraction():
    bursts = [at(0, 1500), at(200, 2000, channel="emg2", snr_db=40.0, amplitude_uv=900.0)]
    runs = [leg_run(1.5), LegRun("emg2", AT, AT + 2 * S, 50.0)]
    (found,), _ = contractions(group_bursts(bursts), runs, RULE)
    assert found.best.channel == "emg2"
    assert found.excess_uv == 50.0
    assert found.amplitude_uv == 900.0
    assert found.duration_s == 2.0


def test_run_without_a_burst_is_nothing():
    assert contractions([], [leg_run(2.0)], RULE) == ([], [])


def test_channel_that_spans_two_bursts_of_another_joins_them():
    bursts = [at(0, 10), at(0, 60, channel="emg2"), at(40, 50)]
    assert len(group_bursts(bursts)) == 1


def test_bursts_far_apart_are_groups_of_their_own():
    assert len(group_bursts([at(0, 10), at(31, 40, channel="emg2")])) == 2
    assert len(group_bursts([at(0, 10), at(30, 40, channel="emg2")])) == 1


def clusters(items, settled):
    seen = []
    fusion = Fusion(lambda c: seen.append(c) or [])
    fusion.add(items)
    fusion.settle(settled)
    return seen, fusion


def test_candidates_within_the_link_are_one_cluster():
    near = replace(EPISODE, onset_ns=AT + 40 * MS + LINK_NS)
    far = replace(near, onset_ns=near.onset_ns + 1)
    assert len(clusters([at(0, 40), near], None)[0]) == 1
    assert len(clusters([at(0, 40), far], None)[0]) == 2


def test_cluster_waits_until_nothing_can_join_it():
    end = AT + 40 * MS
    seen, fusion = clusters([at(0, 40)], end + LINK_NS)
    assert seen == []
    assert fusion.oldest_ns == AT
    fusion.settle(end + LINK_NS + 1)
    assert len(seen) == 1
    assert fusion.oldest_ns is None
    assert fusion.settle(None) == []


def test_first_cluster_is_decided_while_the_second_waits():
    seen, fusion = clusters([at(0, 40), at(5000, 5040)], AT + 5001 * MS)
    assert len(seen) == 1
    assert fusion.oldest_ns == AT + 5000 * MS
