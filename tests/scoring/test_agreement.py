"""Matching and agreement: hand-worked cases, and properties of every pair of lists."""

from __future__ import annotations

import itertools
import json
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twitchsense.errors import InputError
from twitchsense.scoring.agreement.category_agreement import compare_pairs
from twitchsense.scoring.agreement.compare_events import match, read_events

KINDS = ("twitch", "jerk", "movement")


def table(*rows) -> pd.DataFrame:
    return pd.DataFrame(
        [(*r, "twitch")[:3] if len(r) < 3 else r for r in rows],
        columns=["onset", "duration", "trial_type"],
    ).astype({"onset": float, "duration": float, "trial_type": object})


def scores(result, kind: str = "any") -> pd.Series:
    return result.table().set_index("kind").loc[kind]


lists = st.lists(
    st.tuples(
        st.integers(0, 3000).map(lambda ms: ms / 1000),
        st.sampled_from([0.01, 0.05, 0.2, 0.8, float("nan")]),
        st.sampled_from(KINDS),
    ),
    max_size=9,
).map(lambda rows: table(*rows))


def test_scores_equal_a_hand_worked_night():
    truth = table((10, 0.05), (20, 0.05), (30, 0.2, "jerk"), (40, 2, "movement"), (50, 0.05))
    found = table(
        (10.02, 0.06), (30.01, 0.1, "twitch"), (41.9, 1, "movement"), (50.09, 0.05), (60, 0.05)
    )
    got = match(found, truth, hours=2)
    twitch = scores(got, "twitch")
    assert (twitch["n_truth"], twitch["n_found"], twitch["tp"]) == (3, 4, 2)
    assert twitch["sensitivity"] == pytest.approx(2 / 3)
    assert twitch["sensitivity_low"] == pytest.approx(0.0943, abs=1e-4)  # Clopper-Pearson
    assert twitch["sensitivity_high"] == pytest.approx(0.9916, abs=1e-4)
    assert twitch["precision"] == 0.5
    assert twitch["f1"] == pytest.approx(2 * 2 / 7)
    assert twitch["f1_low"] < twitch["f1"] < twitch["f1_high"]
    assert twitch["false_alarms_per_h"] == 1
    assert twitch["false_alarms_per_h_high"] == pytest.approx(7.2247 / 2, abs=1e-4)
    assert twitch["onset_error_s"] == pytest.approx(0.055)
    assert twitch["duration_error_s"] == pytest.approx(0.005)
    jerk = scores(got, "jerk")
    assert (jerk["tp"], jerk["sensitivity"]) == (0, 0)
    assert np.isnan(jerk["precision"])
    assert np.isnan(jerk["onset_error_s"])
    assert scores(got)["tp"] == 4  # whatever they were called
    assert got.confusion.loc["jerk", "twitch"] == 1
    assert got.confusion.loc["twitch", "(none)"] == 1
    assert got.confusion.loc["(none)", "twitch"] == 1
    assert got.misses["onset"].tolist() == [20, 30]
    assert got.misses["taken_for"].tolist() == ["", "twitch"]
    assert got.false_alarms["onset"].tolist() == [30.01, 60]
    assert got.false_alarms["taken_for"].tolist() == ["jerk", ""]


@pytest.mark.parametrize(
    ("kind", "apart", "together"),
    [("twitch", 0.1, True), ("twitch", 0.100001, False), ("jerk", 0.1, True), ("jerk", 0.11, False),
     ("movement", 0.5, True), ("movement", 0.501, False), ("something_else", 0.5, True)],
)  # fmt: skip
def test_tolerances_by_kind_include_their_ends(kind, apart, together):
    # 0.3 - 0.2 is not 0.1 in floats: times are compared in microseconds
    got = match(table((0.2 + apart, 0.0, kind)), table((0.2, 0.0, kind)))
    assert scores(got)["tp"] == int(together)


def test_overlap_matches_beyond_the_tolerance_but_touching_does_not():
    assert scores(match(table((3, 1, "movement")), table((0, 3.01, "movement"))))["tp"] == 1
    assert scores(match(table((3, 1, "movement")), table((0, 3, "movement"))))["tp"] == 0


def test_tolerance_may_be_one_number_or_given_by_kind():
    truth, found = table((0, 0.0), (9, 0.0, "jerk")), table((0.3, 0.0), (9.3, 0.0, "jerk"))
    assert scores(match(found, truth))["tp"] == 0
    assert scores(match(found, truth, tolerance_s=0.3))["tp"] == 2
    assert scores(match(found, truth, tolerance_s={"jerk": 0.3}))["tp"] == 1
    assert scores(match(found, truth, tolerance_s=0))["tp"] == 0
    for bad in (-1, float("nan"), {"jerk": -0.1}):
        with pytest.raises(InputError, match="tolerance"):
            match(found, truth, tolerance_s=bad)


def test_the_best_matching_is_not_the_greedy_one():
    # the nearest pair (0.10, 0.09) would leave both others alone
    got = match(table((0.09, 0), (0.19, 0)), table((0.0, 0), (0.1, 0)))
    assert scores(got)["tp"] == 2
    assert got.pairs["onset_error_s"].to_numpy() == pytest.approx([0.09, 0.09])


def test_the_same_kind_comes_before_more_pairs_and_before_nearness():
    got = match(table((0.08, 0), (0.0, 0, "jerk")), table((0.0, 0)))
    assert got.pairs["found_kind"].tolist() == ["twitch"]
    assert got.false_alarms["trial_type"].tolist() == ["jerk"]


def test_legs_must_agree_where_both_are_named():
    truth = table((0, 0.05), (0, 0.05)).assign(leg=["left", "right"])
    found = table((0.01, 0.05), (0.01, 0.05)).assign(leg=["left", "left"])
    assert scores(match(found, truth))["tp"] == 1
    assert scores(match(found.assign(leg=[None, "left"]), truth))["tp"] == 2
    assert scores(match(found.drop(columns="leg"), truth))["tp"] == 2


def test_the_overlap_follows_the_leg_rule_of_the_matching():
    truth = table((0, 0.05), (9, 0.05)).assign(leg=["left", "right"])
    found = table((0.01, 0.05), (9.01, 0.05))
    for legs in (["", ""], ["left", ""], ["left", "right"]):
        got = match(found.assign(leg=legs), truth).table()
        assert got["overlap_sensitivity"].tolist() == [1, 1], legs
        assert got["overlap_precision"].tolist() == [1, 1], legs
    got = match(found.assign(leg=["right", ""]), truth).table()
    assert got["overlap_sensitivity"].tolist() == [0.5, 0.5]


def test_a_word_that_is_no_leg_is_refused():
    truth = table((0, 0.05)).assign(leg="links")
    with pytest.raises(InputError, match=r"truth, row 1: leg is 'links'; write left or right"):
        match(table((0, 0.05)), truth)
    assert scores(match(table((0, 0.05)).assign(leg="left"), truth.assign(leg="L")))["tp"] == 1


def test_kinds_are_compared_without_regard_to_case():
    truth = table((0, 0.05, "Twitch"), (5, 1, "Gross movement"), (9, 1, "Phasic"), (20, 1, "Any"))
    found = table((0, 0.05), (5, 1, "gross_movement"), (9, 1, "PHASIC"), (30, 1, "Artifact"))
    got = match(found, truth)
    assert got.table()["kind"].tolist() == ["twitch", "gross_movement", "Any", "Phasic", "any"]
    assert got.table()["tp"].tolist() == [1, 1, 0, 1, 3]
    kinds = compare_pairs(got.pairs, found, truth)["trial_type"]
    assert (kinds.n_pairs, kinds.n_equal) == (3, 3)


def test_the_tolerance_in_use_is_told():
    truth = table((0, 0.05), (5, 1, "movement"), (9, 1, "LM"))
    got = match(table((0, 0.05)), truth, tolerance_s={"twitch": 0.2})
    assert got.to_dict()["tolerance_s"] == {"twitch": 0.2, "movement": 0.5, "LM": 0.5}
    assert match(table((0, 0.05)), truth, tolerance_s=0.3).tolerance_s["LM"] == 0.3


def test_artifacts_are_ignored_in_both_tables():
    truth = table((0, 1, "artifact"), (5, 0.05))
    got = match(table((5, 0.05), (9, 1, "artifact")), truth)
    assert (scores(got)["n_truth"], scores(got)["n_found"], scores(got)["tp"]) == (1, 1, 1)
    assert scores(match(table(), truth, ignore=()))["n_truth"] == 2


@pytest.mark.parametrize("nameless", ["events", "truth"])
def test_artifacts_are_ignored_where_the_other_table_has_no_kinds(nameless):
    lists = {"events": table((1, 0.1), (5, 0.1)), "truth": table((1, 0.1), (5, 0.1))}
    lists[nameless] = lists[nameless].drop(columns="trial_type").iloc[:1]
    other = "truth" if nameless == "events" else "events"
    lists[other].loc[1, "trial_type"] = "artifact"
    got = scores(match(**lists), "event")
    assert (got["n_truth"], got["n_found"], got["tp"]) == (1, 1, 1)


def test_without_kinds_only_times_are_compared():
    got = match(table((0, 0.05, "jerk")), table((0, 0.05)).drop(columns="trial_type"))
    assert got.table()["kind"].tolist() == ["event", "any"]
    assert scores(got, "event")["tp"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "onset,duration,leg\n3,0.5,left\n9,,left\n",
        "onset_s,duration_s,leg\n3,0.5,left\n9,n/a,left\n",
        "Start (s);End (s);Leg\n3,0;3,5;left\n9,0;;left\n",
        "leg\tBegin\tstop\nleft\t3\t3.5\nleft\t9\tnan\n",
        "Onset,Duration,Side\n3,0.5,L\n9,,Left leg\n",
    ],
)
def test_marks_are_read_by_the_names_of_scoring_programs(tmp_path, text):
    path = tmp_path / "marks.csv"
    path.write_text(text)
    marks = read_events(path)
    assert marks["onset"].tolist() == [3.0, 9.0]
    assert marks["duration"].tolist() == pytest.approx([0.5, float("nan")], nan_ok=True)
    assert marks["leg"].tolist() == ["left", "left"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("start,type\n3,a\n", "has no column 'duration'"),
        ("onset_ms,duration\n3000,1\n", "has no column 'onset'"),
        ("start,end\n3,2\n", "duration is negative"),
        ("start,end\n22:10:03,22:10:04\n", "line 2: start holds clock times"),
    ],
)
def test_marks_whose_times_are_unclear_are_refused(tmp_path, text, says):
    path = tmp_path / "marks.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        read_events(path)


def test_empty_lists_give_a_result_and_not_an_error():
    got = match(table(), table(), hours=1)
    assert got.table()["kind"].tolist() == ["any"]
    assert scores(got)["false_alarms_per_h"] == 0
    assert np.isnan(scores(got)["sensitivity"])
    assert got.misses.empty
    assert got.false_alarms.empty
    assert scores(match(table((1, 1)), table()))["n_found"] == 1
    assert scores(match(table(), table((1, 1))))["sensitivity"] == 0


def test_the_dictionary_is_plain_json():
    got = match(table((0, float("nan"))), table((0, 0.05), (9, 1, "jerk")), hours=np.float64(8))
    data = got.to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["hours"] == 8
    assert data["kinds"]["twitch"]["tp"] == 1
    assert data["kinds"]["twitch"]["duration_error_s"] is None
    assert data["kinds"]["jerk"]["precision"] is None
    assert data["confusion"]["jerk"] == {"twitch": 0, "jerk": 0, "(none)": 1}
    assert match(table(), table()).to_dict()["hours"] is None
    assert match(table(), table()).to_dict()["kinds"]["any"]["false_alarms_per_h"] is None


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (table((0, 1)).drop(columns="duration"), "truth: has no column 'duration'"),
        (table((0, -1)), "a duration is negative"),
        (table((float("nan"), 1)), "not finite"),
        (table((0, float("inf"))), "not finite"),
        (table((0, 1)).assign(onset="a"), "onset is not numeric in every row"),
        (table((1e300, 1)), "a time is later than 31 years"),
        (table((0, 1e12)), "a time is later than 31 years"),
        (table((0, 1, "any")), "has the kind 'any'"),
        (table((0, 1, "(none)")), "has the kind '\\(none\\)'"),
    ],
)
def test_bad_tables_are_refused(frame, says):
    with pytest.raises(InputError, match=says):
        match(table(), frame)


def test_the_tables_given_are_not_changed_and_keep_their_columns():
    truth = table((0, 1), (5, 1)).assign(scorer="A")
    truth.index = pd.Index([7, 7])
    before = truth.copy()
    got = match(table(), truth)
    pd.testing.assert_frame_equal(truth, before)
    assert got.misses["scorer"].tolist() == ["A", "A"]


@pytest.mark.slow  # hundreds of random lists
@settings(max_examples=60, deadline=None)
@given(lists, lists)
def test_law_matching_is_one_to_one_and_counts_add_up(found, truth):
    got = match(found, truth)
    assert got.pairs["truth"].is_unique
    assert got.pairs["found"].is_unique
    per_kind = got.table().set_index("kind").drop(index="any")
    assert per_kind["n_truth"].sum() == len(truth)
    assert per_kind["n_found"].sum() == len(found)
    assert len(got.misses) == len(truth) - per_kind["tp"].sum()
    assert len(got.false_alarms) == len(found) - per_kind["tp"].sum()
    assert got.confusion.to_numpy().sum() == len(truth) + len(found) - len(got.pairs)
    assert (got.confusion.to_numpy() >= 0).all()


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(lists, lists)
def test_law_swapping_sides_swaps_misses_and_false_alarms(found, truth):
    one, other = match(found, truth), match(truth, found)
    # which of two wrong kinds stays alone may differ where they tie, how many may not
    assert len(one.pairs) == len(other.pairs)
    np.testing.assert_array_equal(
        np.diag(one.confusion.to_numpy()), np.diag(other.confusion.to_numpy())
    )
    a, b = one.table().set_index("kind"), other.table().set_index("kind")
    np.testing.assert_array_equal(a["sensitivity"], b["precision"])
    np.testing.assert_array_equal(a["f1"], b["f1"])
    assert len(one.misses) == len(other.false_alarms)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(lists, lists, st.integers(-40_000_000, 40_000_000), st.randoms())
def test_law_neither_shift_nor_order_matters(found, truth, shift_ms, random):
    one = match(found, truth)
    shift = shift_ms / 1000
    order = random.sample(range(len(found)), len(found))
    moved = found.assign(onset=found["onset"] + shift).iloc[order]
    other = match(moved, truth.assign(onset=truth["onset"] + shift))
    columns = ["kind", "n_truth", "n_found", "tp"]
    pd.testing.assert_frame_equal(one.table()[columns], other.table()[columns])
    assert np.square(one.pairs["onset_error_s"]).sum() == pytest.approx(
        np.square(other.pairs["onset_error_s"]).sum(), abs=1e-6
    )


@settings(max_examples=60, deadline=None)
@given(lists)
def test_law_a_list_agrees_with_itself(found):
    got = match(found, found)
    assert len(got.pairs) == len(found)
    assert got.misses.empty
    assert (got.pairs["onset_error_s"] == 0).all()


small = st.lists(
    st.tuples(st.integers(0, 400).map(lambda ms: ms / 1000), st.just(0.0), st.sampled_from(KINDS)),
    max_size=4,
).map(lambda rows: table(*rows))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(small, small)
def test_law_no_other_matching_is_better(found, truth):
    """Against every possible one-to-one matching, tried one by one."""
    got = match(found, truth)
    tolerance = {"twitch": 0.1, "jerk": 0.1, "movement": 0.5}

    def fits(a, b) -> bool:
        limit = max(tolerance[a.trial_type], tolerance[b.trial_type])
        return abs(round(a.onset * 1e6) - round(b.onset * 1e6)) <= round(limit * 1e6)

    best = (0, 0, 0.0)
    real, seen = list(truth.itertuples()), list(found.itertuples())
    blanks = [None] * len(real)
    for choice in set(itertools.permutations([*range(len(seen)), *blanks], len(real))):
        pairs = [(a, seen[k]) for a, k in zip(real, choice, strict=True) if k is not None]
        if all(fits(a, b) for a, b in pairs):
            same = sum(a.trial_type == b.trial_type for a, b in pairs)
            error = sum((a.onset - b.onset) ** 2 for a, b in pairs)
            best = max(best, (same, len(pairs), -error))
    same = int((got.pairs["truth_kind"] == got.pairs["found_kind"]).sum())
    error = float(np.square(got.pairs["onset_error_s"]).sum())
    assert (same, len(got.pairs)) == best[:2]
    assert -error == pytest.approx(best[2], abs=1e-9)


def test_a_hundred_thousand_events_are_matched_in_seconds():
    rng = np.random.default_rng(0)
    onset = np.sort(rng.uniform(0, 8 * 3600, 100_000))
    truth = pd.DataFrame(
        {"onset": onset, "duration": 0.05, "trial_type": rng.choice(KINDS, 100_000)}
    )
    found = truth.assign(onset=onset + rng.normal(0, 0.02, 100_000))[rng.random(100_000) < 0.9]
    start = time.perf_counter()
    got = match(found, truth)
    assert time.perf_counter() - start < 20  # about 1 s
    assert scores(got)["sensitivity"] > 0.89


def test_event_lists_are_read_from_files(tmp_path):
    path = tmp_path / "truth.tsv"
    path.write_text(
        "onset\tduration\ttrial_type\tleg\tnote\n1.5\t0.1\tjerk\tn/a\tx\n0\tn/a\tn/a\tleft\t\n"
    )
    got = read_events(path)
    assert got["onset"].tolist() == [1.5, 0]
    assert np.isnan(got["duration"].iloc[1])
    assert got["trial_type"].tolist() == ["jerk", ""]
    assert got["leg"].tolist() == ["", "left"]
    assert got["note"].tolist() == ["x", ""]
    assert scores(match(got, got))["tp"] == 2
    path.write_text("onset,duration\n")
    assert read_events(path).empty
    for text, says in (
        ("onset,duration\n1,-1\n", "line 2: duration is negative"),
        ("onset,trial_type\n1,jerk\n", "has no column 'duration'"),
        ("onset,duration\n,1\n", "line 2: onset is empty"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=says):
            read_events(path)


def test_many_kinds_are_scored_and_too_many_are_refused():
    onset = 10.0 * np.arange(1001)
    many = pd.DataFrame(
        {"onset": onset, "duration": 1.0, "trial_type": [f"k{i}" for i in range(1001)]}
    )
    few = many[:1000]
    found = match(few, few)
    assert (found.table()["tp"] == [*[1] * 1000, 1000]).all()
    assert (np.diag(found.confusion)[:1000] == 1).all()
    with pytest.raises(InputError, match="1001 kinds in trial_type"):
        match(many, few)
