"""Leg-movement indices beside those of other open scorers on the same marks."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.leg_movement_marks import CLAUSES, night
from benchmarks.leg_movement_scorers import NIGHTS, night_table, our_results, stored_results

PAGE = Path(__file__).parents[2] / "docs" / "scorers.md"
MARKED = {**CLAUSES, **{name: night(seed) for name, seed in NIGHTS.items()}}
#: Lists in which SOMAS finds other periodic movements: intervals of 90 s, series after a short
#: interval, marks that are joined, the last movement, and a respiratory movement that is removed.
SOMAS_DIFFERS = {
    "an interval of exactly 90 s",
    "marks 0.3 s apart on one leg",
    "three marks 0.3 s apart on one leg",
    "four movements, and none after them",
    "night 1",
    "night 2",
}


@pytest.mark.parametrize("name", MARKED)
def test_wasm2016_equals_plmscore_in_every_index(name):
    theirs = stored_results()[name].get("PLMScoRe")
    if theirs is None:
        assert name == "marks of 0.4 s"  # PLMScoRe ends in an error if one movement is left
        return
    ours = our_results(MARKED[name])["wasm2016"]
    assert {index: ours[index] for index in theirs} == theirs


@pytest.mark.parametrize("name", MARKED)
def test_strict_differs_from_somas_in_the_clauses_of_the_page(name):
    theirs = stored_results()[name]["SOMAS"]
    ours = our_results(MARKED[name])["wasm2016-strict"]
    assert (ours["n_plm"] != theirs["n_plm"]) == (name in SOMAS_DIFFERS)


def test_the_nights_hold_what_the_clauses_are_about():
    for seed in NIGHTS.values():
        indices = our_results(night(seed))["wasm2016"]
        assert indices["n_bilateral_lm"] > 50
        assert indices["n_short_imi"] > 20
        assert indices["n_clm"] < indices["n_lm"]
        assert indices["n_plms_nr"] < indices["n_plms"]


def test_the_page_holds_the_figures_of_this_version():
    table = night_table({name: MARKED[name] for name in NIGHTS})
    page = PAGE.read_text("utf-8")
    for line in table.splitlines()[2:]:
        assert line in page
    stored = stored_results()
    for name, marked in CLAUSES.items():
        index = "n_plm_nr" if marked.respiratory else "n_plm"
        ours = [found[index] for found in our_results(marked).values()]
        somas = stored[name]["SOMAS"][index]
        (line,) = [text for text in page.splitlines() if text.startswith(f"| {name} |")]
        cells = [cell.strip() for cell in line.split("|")[2:-1]]
        assert cells[:3] == [str(value) for value in ours]
        assert cells[4] == str(somas)
