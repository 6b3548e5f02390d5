"""Export of events: MNE annotations and BIDS tables."""

from __future__ import annotations

import builtins
import json

import pytest

from tests.sleep.builders import events
from twitchsense.errors import InputError, MissingExtraError
from twitchsense.model.event_table import EVENT_COLUMNS, make_table
from twitchsense.scoring.annotations import to_annotations, to_bids

TABLE = events(
    {"onset": 1.5, "trial_type": "twitch", "label": "fasciculation_like"},
    {"onset": 9.0, "trial_type": "jerk", "label": "", "amplitude_uv": float("nan")},
    {"onset": 9.25, "trial_type": "jolt", "duration": float("nan"), "label": "hiccup_like"},
)


def test_mne_annotations_have_the_labels_and_the_start():
    pytest.importorskip("mne")
    got = to_annotations(TABLE, 1_772_573_400_000_000_000)
    assert got.onset.tolist() == [1.5, 9.0, 9.25]
    assert got.duration.tolist() == [0.1, 0.1, 0.0]
    assert got.description.tolist() == ["fasciculation_like", "n/a", "hiccup_like"]
    assert got.orig_time.isoformat() == "2026-03-03T21:30:00+00:00"
    kinds = to_annotations(TABLE, description="trial_type")
    assert kinds.description.tolist() == ["twitch", "jerk", "jolt"]
    assert kinds.orig_time is None
    assert len(to_annotations(make_table([]))) == 0
    with pytest.raises(InputError, match="no column 'colour'"):
        to_annotations(TABLE, description="colour")


def test_mne_is_imported_only_when_needed(monkeypatch):
    real = builtins.__import__

    def without_mne(name, *args, **kwargs):
        if name == "mne":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_mne)
    with pytest.raises(MissingExtraError, match=r"needs an extra: .*\[mne\]"):
        to_annotations(TABLE)


def test_bids_columns_begin_with_onset_and_duration_and_say_n_a():
    table, sidecar = to_bids(TABLE)
    assert list(table)[:3] == ["onset", "duration", "trial_type"]
    assert set(table) == {c.name for c in EVENT_COLUMNS}
    assert table["onset"].tolist() == ["1.500000", "9.000000", "9.250000"]
    assert table["duration"].tolist() == ["0.100000", "0.100000", "n/a"]
    assert table["amplitude_uv"].tolist() == ["200", "n/a", "200"]
    assert table["label"].tolist() == ["fasciculation_like", "n/a", "hiccup_like"]
    assert set(sidecar) == set(table)
    assert sidecar["onset"]["Units"] == "s"
    assert "hiccup_like" in sidecar["label"]["Levels"]
    json.dumps(sidecar)
    empty, _ = to_bids(make_table([]))
    assert empty.empty
    assert list(empty)[:2] == ["onset", "duration"]


def test_bids_text_cannot_break_its_cell():
    odd = TABLE.assign(evidence=["a\tb", "c\nd", ""])
    assert to_bids(odd)[0]["evidence"].tolist() == ["a b", "c d", "n/a"]
