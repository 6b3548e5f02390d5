"""Rates per valid hour and their exact intervals (docs/definitions.md, Labels and words)."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

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
from twitchsense.errors import InputError
from twitchsense.model.channels import Channel, Segment
from twitchsense.model.event_table import CONTEXTS, LABELS, TRIAL_TYPES, make_table
from twitchsense.model.recording import Recording
from twitchsense.scoring import summary as summary_module
from twitchsense.scoring.confidence_intervals import binomial_interval, poisson_interval
from twitchsense.scoring.labels import label_detections
from twitchsense.scoring.rates import rate, summary_table
from twitchsense.scoring.summary import build_summary
from twitchsense.scoring.valid_hours import measure_valid_hours
from twitchsense.settings import Settings
from twitchsense.sleep.context import find_context
from twitchsense.sleep.valid_time import union_of_valid

SETTINGS = Settings()


@pytest.mark.parametrize(
    # Garwood 1936; the table printed in most books of statistics
    ("count", "low", "high"),
    [(0, 0, 3.689), (1, 0.0253, 5.572), (2, 0.242, 7.225), (5, 1.623, 11.668),
     (10, 4.795, 18.390), (20, 12.217, 30.888), (50, 37.111, 65.919), (100, 81.364, 121.627)],
)  # fmt: skip
def test_counts_have_the_published_exact_interval(count, low, high):
    got = poisson_interval(count)
    assert float(got[0]) == pytest.approx(low, abs=0.001)
    assert float(got[1]) == pytest.approx(high, abs=0.001)


@given(st.integers(0, 5000), st.floats(0.5, 0.999))
def test_counts_agree_with_the_chi_square_form(count, level):
    low, high = poisson_interval(count, level)
    tail = (1 - level) / 2
    expected = stats.chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    assert float(low) == pytest.approx(expected, rel=1e-7)
    assert float(high) == pytest.approx(stats.chi2.ppf(1 - tail, 2 * count + 2) / 2, rel=1e-7)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0, 0.3085), (10, 10, 0.6915, 1), (5, 10, 0.1871, 0.8129), (1, 20, 0.0013, 0.2487)],
)
def test_shares_have_the_published_clopper_pearson_interval(hits, n, low, high):
    got = binomial_interval(hits, n)
    assert float(got[0]) == pytest.approx(low, abs=5e-5)
    assert float(got[1]) == pytest.approx(high, abs=5e-5)
    ends = stats.binomtest(hits, n).proportion_ci(method="exact")
    assert [float(g) for g in got] == pytest.approx([ends.low, ends.high])


def test_no_signal_is_not_zero_events():
    assert np.isnan(rate(0, 0.0)).all()
    assert np.isnan(rate(3, float("nan"))).all()
    assert np.isnan(binomial_interval(0, 0)).all()
    assert rate(0, 2.0) == (0.0, 0.0, pytest.approx(3.6889 / 2, abs=1e-4))
    assert rate(10, 4.0)[0] == 2.5


def test_time_two_channels_share_counts_once_and_cuts_are_exact():
    one, two = emg_seconds(100), emg_seconds(100, 50.25)
    both = union_of_valid([one, two])
    assert both.seconds_between(0, 1000) == pytest.approx(150.25)
    assert both.seconds_between([0, 50, 140, 200], [10.5, 51, 160, 300]) == pytest.approx(
        [10.5, 1, 10.25, 0]
    )
    gap = union_of_valid([drop(one, 20, 30)])
    assert gap.seconds_between(0, 1000) == 90
    assert gap.seconds_between([19.5, 25], [30.5, 26]) == pytest.approx([1, 0])
    assert union_of_valid([]).seconds_between([0.0], [1.0]) == 0


def night(legs: bool = False):
    """Two hours: 20 min wake, then sleep; 10 min of EMG lost, 30 min of ACC invalid."""
    emg = drop(emg_seconds(7200), 600, 1200)
    acc = acc_seconds(7200)
    acc.valid[5400:] = False
    table = events(
        {"onset": 100.0, "trial_type": "twitch"},
        {"onset": 200.0, "trial_type": "twitch"},
        {"onset": 1300.0, "trial_type": "jerk", "peak_g": 0.5},
        {"onset": 4000.0, "trial_type": "twitch"},
        {"onset": 4100.0, "trial_type": "movement", "duration": 2.0},
        {"onset": 4200.0, "trial_type": "gross_movement", "duration": 12.0},
    )
    rec = recording(EMG, ACC, seconds=7200)
    found = detections(table, emg1=emg, acc=acc)
    context = find_context(rec, found, SETTINGS, hypnogram(("W", 20), ("N2", 40), ("R", 60)))
    return rec, label_detections(found, context, SETTINGS), context


def test_6_4_the_denominator_is_valid_time_in_that_context():
    rec, found, context = night()
    hours = measure_valid_hours(rec.channels, found.seconds, context)
    assert hours.total("emg") == pytest.approx(6600 / 3600)
    assert hours.total("acc") == pytest.approx(5400 / 3600)
    assert hours.total("emg", context="wake") == pytest.approx(600 / 3600)
    assert hours.total("emg", context="drowsy") == pytest.approx(0)
    assert hours.total("acc", context="drowsy") == pytest.approx(300 / 3600)
    assert hours.total("emg", context="asleep", stage="R") == pytest.approx(1)
    assert hours.total("acc", stage="R") == pytest.approx(0.5)
    table = summary_table(found.events, hours).set_index(["label", "context"])
    row = table.loc[("fasciculation_like", "wake")]
    assert (row["count"], row["hours"]) == (2, pytest.approx(1 / 6))
    assert row["rate_per_h"] == pytest.approx(12)
    assert (row["low"], row["high"]) == (
        pytest.approx(0.2422 * 6, abs=0.01),
        pytest.approx(43.35, abs=0.01),
    )
    # no event, but time in which there might have been one
    assert table.loc[("fasciculation_like", "asleep"), "count"] == 0
    assert table.loc[("fasciculation_like", "asleep"), "rate_per_h"] == 0
    # jerks and large movements go by the accelerometer's time
    assert table.loc[("sleep_start", "sleep_onset"), "hours"] == pytest.approx(1 / 6)
    assert table.loc[("gross_movement", "asleep"), "hours"] == pytest.approx(3600 / 3600)
    assert table["count"].sum() == len(found.events)


def test_groups_of_all_kinds_of_columns():
    rec, found, context = night()
    hours = measure_valid_hours(rec.channels, found.seconds, context)
    kinds = summary_table(found.events, hours, ["trial_type"]).set_index("trial_type")
    assert kinds.loc["twitch", "count"] == 3
    assert kinds.loc["twitch", "hours"] == pytest.approx(6600 / 3600)
    assert kinds.loc["jerk", "hours"] == pytest.approx(1.5)
    contexts = summary_table(found.events, hours, ("context",)).set_index("context")
    assert contexts.loc["asleep", "count"] == 3
    whole = summary_table(found.events, hours, ())
    assert whole["count"].tolist() == [6]
    stages = summary_table(found.events, hours, ("stage", "context"))
    assert set(stages["stage"]) == {"W", "N2", "R"}
    with pytest.raises(InputError, match="can't group by 'onset'"):
        summary_table(found.events, hours, ("onset",))


def test_no_events_leave_contexts_with_zero_counts_and_labels_without_rows():
    rec, found, context = night()
    hours = measure_valid_hours(rec.channels, found.seconds, context)
    empty = make_table([])
    assert summary_table(empty, hours).empty
    contexts = summary_table(empty, hours, ("context",))
    assert (contexts["count"] == 0).all()
    # the drowsy minutes have acceleration but no EMG: no rate, rather than a rate of zero
    assert contexts["context"][contexts["hours"] == 0].tolist() == ["drowsy"]
    assert (contexts["rate_per_h"].isna() == (contexts["hours"] == 0)).all()
    assert list(summary_table(empty, hours)) == [
        "label", "context", "count", "hours", "rate_per_h", "low", "high",
    ]  # fmt: skip


def test_each_leg_has_its_own_hours_and_both_count_once():
    left = Channel("emg_left", "emg", "uV", 1000.0, ("emg_left_uv",), leg="left")
    right = Channel("emg2", "emg", "uV", 1000.0, ("emg2_uv",))
    found = detections(
        events({"onset": 5.0, "trial_type": "twitch", "leg": "left"}),
        emg_left=emg_seconds(3600),
        emg2=emg_seconds(1800),
    )
    rec = recording(left, right, seconds=3600)
    context = find_context(rec, found, SETTINGS)
    hours = measure_valid_hours(rec.channels, found.seconds, context, {"emg2": "right"})
    assert hours.total("emg", leg="left") == 1
    assert hours.total("emg", leg="right") == 0.5
    assert hours.total("emg") == 1
    table = summary_table(found.events, hours, ("leg", "trial_type"))
    assert table["leg"].tolist() == ["left", "right"]
    assert table["count"].tolist() == [1, 0]
    assert table["hours"].tolist() == [1, 0.5]


def test_a_recording_without_emg_uses_the_accelerometer_and_the_other_way_round():
    rec = recording(ACC, seconds=3600)
    found = detections(acc=acc_seconds(3600))
    context = find_context(rec, found, SETTINGS)
    assert measure_valid_hours(rec.channels, found.seconds, context).total("emg") == 1
    rec = recording(EMG, seconds=3600)
    found = detections(emg1=emg_seconds(3600))
    context = find_context(rec, found, SETTINGS)
    assert measure_valid_hours(rec.channels, found.seconds, context).total("acc") == 1
    nothing = Recording((), ())
    context = find_context(nothing, detections(), SETTINGS)
    assert measure_valid_hours((), {}, context).total("emg") == 0


def test_summary_is_plain_json_with_what_the_contract_asks_for():
    rec, found, context = night()
    got = build_summary(rec, found, context, SETTINGS, hypnogram_given=True)
    assert json.loads(json.dumps(got, allow_nan=False)) == got
    assert got["valid_s"] == {"emg1": 6600, "acc": 5400}
    assert got["sleep_onset"] == {
        "time_s": 1200, "low_s": 1185, "high_s": 1215, "source": "hypnogram",
    }  # fmt: skip
    assert got["sleep_onset_methods"] == {
        "definition": "first_epoch",
        "opinions_s": {"first_epoch": 1200, "persistent_10min": 1200},
    }
    assert set(got["by_kind"]) == set(TRIAL_TYPES)
    assert set(got["by_label"]) == set(LABELS)
    assert set(got["by_context"]) == set(CONTEXTS)
    assert got["by_kind"]["twitch"]["count"] == 3
    assert got["by_kind"]["brief_contraction"]["rate_per_h"] == 0
    twitches = got["by_context"]["wake"]["by_label"]["fasciculation_like"]
    assert twitches["rate_per_h"] == pytest.approx(12)
    nowhere = got["by_context"]["unknown"]["by_kind"]["twitch"]
    assert nowhere == {"count": 0, "hours": 0, "rate_per_h": None, "low": None, "high": None}
    assert got["valid_hours"]["emg"]["total"] == pytest.approx(
        sum(got["valid_hours"]["emg"][c] for c in CONTEXTS)
    )
    provenance = got["provenance"]
    assert provenance["source"] == "night.csv"  # no path of a machine
    assert provenance["sha256"] == "ab" * 32
    assert provenance["settings"] == SETTINGS.digest()
    assert provenance["hypnogram"] is True
    assert set(provenance["versions"]) == {"twitchsense", "numpy", "scipy", "pandas", "python"}


def test_summary_reports_clock_and_gaps():
    emg = recording(EMG, seconds=10)
    (first,) = emg.segments
    later = Segment(first.channel, 15_000_000_000, first.samples)
    last = Segment(first.channel, 25_500_000_000, first.samples)
    rec = Recording((EMG, ACC), (first, later, last))
    found = detections(emg1=emg_seconds(10), acc=acc_seconds(0))
    context = find_context(rec, found, SETTINGS)
    got = build_summary(rec, found, context, SETTINGS, hypnogram_given=False)
    assert got["clock"]["channels"]["emg1"] == {
        "fs": 1000.0, "fs_error": 0.0, "n_segments": 3, "n_gaps": 2, "lost_s": 5.5,
        "longest_gap_s": 5.0, "start_s": 0.0, "end_s": 35.5,
    }  # fmt: skip
    assert got["clock"]["channels"]["acc"]["n_segments"] == 0
    assert got["clock"]["channels"]["acc"]["start_s"] is None
    assert got["sleep_onset"] == {"time_s": None, "low_s": None, "high_s": None, "source": "none"}


def test_summary_tolerates_a_source_tree_that_was_never_installed(monkeypatch):
    def missing(name: str) -> str:
        raise summary_module.PackageNotFoundError(name)

    monkeypatch.setattr(summary_module, "version", missing)
    rec, found, context = night()
    got = build_summary(rec, found, context, SETTINGS, hypnogram_given=True)
    assert got["provenance"]["versions"]["numpy"] == "unknown"
