"""`to_categories`: levels of the glossary, and missing values."""

from __future__ import annotations

import pandas as pd

import twitchsense as ts
from twitchsense.model.event_table import CONTEXTS, LABELS


def test_columns_with_levels_are_categories_and_empty_text_is_missing(night):
    before = night.events.copy()
    events = ts.to_categories(night.events)
    assert list(events["label"].cat.categories) == list(LABELS)
    assert list(events["context"].cat.categories) == list(CONTEXTS)
    assert events["label"].astype(str).tolist() == before["label"].tolist()
    for name in ("stage", "leg", "grade", "series"):
        assert events[name].isna().tolist() == (before[name] == "").tolist()
        assert events[name].dropna().tolist() == before[name][before[name] != ""].tolist()
    assert (events["grade"].isna() | (events["trial_type"] == "jerk")).all()
    assert events.select_dtypes("number").equals(before.select_dtypes("number"))
    pd.testing.assert_frame_equal(night.events, before)


def test_other_tables_and_files_are_converted_too(night, tmp_path):
    rejected = ts.to_categories(night.rejected)
    assert "too_short" in rejected["reason"].cat.categories
    assert ts.to_categories(night.epochs)["context"].dtype == "category"
    file = night.save(tmp_path, report=False) / "events.csv"
    read = ts.to_categories(pd.read_csv(file))
    assert read["label"].tolist() == night.events["label"].tolist()
    assert read["grade"].isna().tolist() == (night.events["grade"] == "").tolist()


def test_an_unknown_value_is_kept_behind_the_levels():
    table = pd.DataFrame({"context": ["asleep", "", "dreaming"], "onset": [1.0, 2.0, 3.0]})
    context = ts.to_categories(table)["context"]
    assert context.tolist()[::2] == ["asleep", "dreaming"]
    assert context.isna().tolist() == [False, True, False]
    assert context.cat.categories[-1] == "dreaming"
