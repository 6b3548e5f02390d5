"""The queries of the cohort page run on a dataset that `run_cohort` wrote."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from tests.recordings import make_recording, write_captures
from twitchsense.cohort.manifest import NightEntry
from twitchsense.cohort.run import run_cohort
from twitchsense.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "cohort.md"
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.S)

pytestmark = pytest.mark.slow  # analyses a cohort


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with a cohort of two nights, one that failed, and a table of people."""
    pytest.importorskip("pyarrow")
    home = tmp_path_factory.mktemp("home")
    files = write_captures(make_recording(8, seed=3, gap=False), home)
    hypnogram = home / "stages.csv"
    hypnogram.write_text("onset,duration,stage\n0,120,W\n120,360,N2\n")
    nights = [
        NightEntry(f"p{k}", tuple(files), f"l.csv, line {k}", Settings(), hypnogram) for k in (1, 2)
    ]
    gone = NightEntry("p3", (home / "gone.csv",), "l.csv, line 4", Settings())
    run_cohort([*nights, gone], home / "cohort", workers=1)
    (home / "people.csv").write_text("night,age\np1,41\np2,67\n")
    return home


def run(query, home, monkeypatch):
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.chdir(home)
    with duckdb.connect() as db:
        names = [d[0] for d in db.execute(query).description]
        return pd.DataFrame(db.execute(query).fetchall(), columns=names)


def test_rates_are_pooled_over_nights(home, monkeypatch):
    table = run(QUERIES[0], home, monkeypatch).set_index("label")
    assert table["events"].sum() > 20
    assert (table["events"] % 2 == 0).all()  # two equal nights
    assert table["per_hour"].is_monotonic_decreasing


def test_events_join_a_table_of_your_own(home, monkeypatch):
    table = run(QUERIES[1], home, monkeypatch)
    assert len(table) >= 2
    assert set(table["age"]) == {41, 67}
    assert table["peak_g"].is_monotonic_decreasing


def test_summaries_and_failures_can_be_queried(home, monkeypatch):
    table = run(QUERIES[2], home, monkeypatch)
    assert sorted(table["night"]) == ["p1", "p2"]  # a query without an order has none
    assert all("wasm2016" in text for text in table["leg_movements"])
    (failed,) = run(QUERIES[3], home, monkeypatch).to_dict("records")
    assert (failed["night"], failed["cause"]) == ("p3", "input")
    assert "gone.csv" in failed["reason"]
    assert len(QUERIES) == 4
