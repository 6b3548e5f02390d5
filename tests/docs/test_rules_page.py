"""The detector gives the results that docs/rules.md shows, and the page is up to date."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from twitchsense.model.event_table import LABELS, REJECT_REASONS, TRIAL_TYPES

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))
try:
    from rule_cases import CASES, CONTEXTS
finally:
    sys.path.remove(str(DOCS))


@pytest.mark.slow  # analyses the recording of each picture
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_detector_finds_what_the_picture_shows(case):
    assert len(case.found(case.analyze())) > 0


@pytest.mark.slow
def test_every_kind_label_and_reason_has_a_picture():
    shown = {c.expect.rpartition(":")[2] for c in CASES} | {c.label for c in CASES}
    shown |= set(CONTEXTS.analyze().events["label"])
    assert {*TRIAL_TYPES, *LABELS, *REJECT_REASONS} - shown == set()


def test_doublet_is_one_event():
    doublet = next(c for c in CASES if c.name == "doublet")
    assert len(doublet.found(doublet.analyze())) == 1


def test_labels_of_the_same_events_depend_on_sleep_context():
    events = CONTEXTS.analyze().events
    named = {k: list(events.loc[events["trial_type"] == k, "label"]) for k in ("twitch", "jerk")}
    assert named["twitch"] == [
        "fasciculation_like", "hypnagogic_twitch", "hypnagogic_twitch",
        "fragmentary_myoclonus_like", "rem_twitch",
    ]  # fmt: skip
    assert named["jerk"] == [
        "myoclonic_jerk_awake", "sleep_start", "sleep_start",
        "myoclonic_jerk_asleep", "myoclonic_jerk_asleep",
    ]  # fmt: skip


def test_rules_page_is_up_to_date_and_pictures_are_small():
    sys.path.insert(0, str(DOCS))
    try:
        made = runpy.run_path(str(DOCS / "make_figures.py"))["rules_page"]()
    finally:
        sys.path.remove(str(DOCS))
    assert (DOCS / "rules.md").read_text() == made
    pictures = {p.stem: p for p in (DOCS / "figures" / "rules").glob("*.png")}
    assert set(pictures) == {c.name for c in CASES} | {"contexts"}
    assert max(p.stat().st_size for p in pictures.values()) < 60_000
