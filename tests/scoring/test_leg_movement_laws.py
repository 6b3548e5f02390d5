"""Leg movements on random nights: a plain reimplementation, and invariances."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scoring import leg_movement_oracle
from tests.scoring.builders import random_night
from twitchsense import score_limb

RULES = ("wasm2016", "wasm2016-strict", "aasm")
REAL = Path(__file__).parents[3] / "shared" / "data" / "sleep_limb_bursts_rbdtector"

nights = st.integers(0, 2**31).map(lambda seed: random_night(np.random.default_rng(seed)))
rules = st.sampled_from(RULES)


@pytest.mark.slow  # random nights against a plain reimplementation
@pytest.mark.parametrize("reading", RULES[:2])
@pytest.mark.parametrize("block", range(2))
def test_indices_equal_a_plain_reimplementation(block, reading):
    counted = dict.fromkeys(("n_plm", "n_short_imi", "n_bilateral_lm", "n_clmr", "n_plm_nr"), 0)
    for seed in range(100):
        moves, stages, events = random_night(np.random.default_rng([block, seed]), n=25 + seed // 2)
        found = score_limb(moves, stages, events, reading).indices
        tuples = [list(f.itertuples(index=False, name=None)) for f in (moves, stages, events)]
        assert found == leg_movement_oracle.score(*tuples, strict=reading == "wasm2016-strict"), (
            seed
        )
        for name in counted:
            counted[name] += found[name]
    assert min(counted.values()) > 20  # the nights do hold what is compared


@pytest.mark.slow
@given(nights, rules, st.integers(-8, 24), st.sampled_from([0.0, 0.1, 0.000001]))
@settings(deadline=None, max_examples=60)
def test_a_shift_in_time_changes_no_index(night, rule, hours, more):
    later = [frame.assign(onset=frame["onset"] + 3600.0 * hours + more) for frame in night]
    assert score_limb(*later, rules=rule).indices == score_limb(*night, rules=rule).indices


@given(nights, rules)
@settings(deadline=None, max_examples=60)
def test_swapping_the_legs_changes_no_index(night, rule):
    moves, stages, events = night
    swapped = moves.assign(leg=moves["leg"].map({"left": "right", "right": "left"}))
    was, now = score_limb(moves, stages, events, rule), score_limb(swapped, stages, events, rule)
    assert now.indices == was.indices
    legs = was.movements["leg"].map({"left": "right", "right": "left", "both": "both"})
    pd.testing.assert_frame_equal(now.movements, was.movements.assign(leg=legs))


@given(nights, rules, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=40)
def test_the_order_of_rows_changes_no_index(night, rule, random):
    moves, stages, events = night
    rows = list(range(len(moves)))
    random.shuffle(rows)
    was = score_limb(moves, stages, events, rule)
    now = score_limb(moves.iloc[rows], stages, events.iloc[::-1], rule)
    pd.testing.assert_frame_equal(now.movements, was.movements)


@given(nights, nights, rules)
@settings(deadline=None, max_examples=40)
def test_two_nights_in_one_list_add_up(first, second, rule):
    apart = [frame.assign(onset=frame["onset"] + 7200.0) for frame in second]
    both = [pd.concat(pair, ignore_index=True) for pair in zip(first, apart, strict=True)]
    whole = score_limb(*both, rules=rule).indices
    halves = [score_limb(*night, rules=rule).indices for night in (first, apart)]
    for name in whole:
        if name.startswith("n_"):
            assert whole[name] == halves[0][name] + halves[1][name], name


@given(nights)
@settings(deadline=None, max_examples=60)
def test_strict_series_are_part_of_the_lenient_ones(night):
    lenient, strict = (score_limb(*night, rules=name).movements for name in RULES[:2])
    assert not (strict["plm"] & ~lenient["plm"]).any()
    assert not (strict["plm"] & strict["short_imi"]).any()
    assert not (strict["plm_nr"] & ~lenient["plm_nr"]).any()


@given(nights, rules)
@settings(deadline=None, max_examples=40)
def test_the_table_agrees_with_the_indices(night, rule):
    score = score_limb(*night, rules=rule)
    table, found = score.movements, score.indices
    assert (table["plm"] <= table["clm"]).all()
    sizes = table.groupby("series").size()
    assert sizes.index.tolist() == list(range(1, found["n_series"] + 1))
    assert (sizes >= 4).all()
    assert sizes.sum() == found["n_plm"]
    assert (table["onset"].diff().dropna() > 0).all()
    assert found["n_plms"] + found["n_plmw"] <= found["n_plm"]
    assert found["n_clmr"] + found["n_clm_nr"] == found["n_clm"]


def _real(name):
    if not REAL.is_dir():
        pytest.skip("the real recordings (shared/data) are not beside the project")
    return pd.read_csv(REAL / name).rename(columns={"onset_s": "onset", "duration_s": "duration"})


@pytest.mark.parametrize("scorer", ["scorer1", "scorer2"])
@pytest.mark.parametrize("reading", RULES[:2])
def test_indices_of_human_marks_equal_a_plain_reimplementation(scorer, reading):
    leg = r"^(Left|Right)Leg(?:Phasic|Tonic|Any)$"
    marks = _real(f"{scorer}.csv")
    marks["leg"] = marks["label"].str.extract(leg)[0].str.lower()
    marks = marks.dropna(subset="leg")[["onset", "duration", "leg"]]
    stages, events = _real("sleep_profile.csv"), _real("flow_events.csv")[["onset", "duration"]]
    stages["stage"] = stages["stage"].replace({"Wake": "W", "REM": "R"})
    found = score_limb(marks, stages, events, reading).indices
    tuples = [list(f.itertuples(index=False, name=None)) for f in (marks, stages, events)]
    assert found == leg_movement_oracle.score(*tuples, strict=reading == "wasm2016-strict")
    assert found["n_lm"] > 20
