"""Result files: their names and content, and failures that leave nothing behind."""

import json
import os
import stat

import numpy as np
import pandas as pd
import pytest

import twitchsense as ts
from tests.full_disk import full_disk
from tests.recordings import make_recording
from twitchsense.errors import InputError
from twitchsense.model.event_table import EVENT_COLUMNS, REJECTED_COLUMNS
from twitchsense.results import save

FILES = {"events.csv", "events.json", "rejected.csv", "epochs.csv", "summary.json", "traces.npz"}


def test_save_writes_the_files_of_the_contract(night, tmp_path):
    out = tmp_path / "new" / "out"
    night.save(out)
    assert {p.name for p in out.iterdir()} == FILES | {"report.html"}
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["out"]
    events = pd.read_csv(out / "events.csv", keep_default_na=False)
    assert list(events.columns) == [c.name for c in EVENT_COLUMNS]
    assert events["onset"].astype(float).is_monotonic_increasing
    assert events["onset"].astype(str).str.fullmatch(r"\d+\.\d+").all()
    twitches = events[events["trial_type"] == "twitch"]
    assert (twitches["grade"] == "").all()
    assert (events[["clock", "time_error_s"]] == "").all(axis=None)  # arrays tell no clock
    assert list(pd.read_csv(out / "rejected.csv").columns) == [c.name for c in REJECTED_COLUMNS]
    epochs = pd.read_csv(out / "epochs.csv")
    assert list(epochs.columns) == ["onset", "duration", "context", "stage", "activity", "valid"]
    glossary = json.loads((out / "events.json").read_text("utf-8"))
    assert {*events.columns, *epochs.columns, "reason"} <= set(glossary)
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert set(summary["sleep_onset"]) == {"time_s", "low_s", "high_s", "source"}
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(out.stat().st_mode) == 0o777 & ~umask


def test_save_into_a_directory_leaves_other_files_alone(night, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "events.csv").write_text("old")
    night.save(tmp_path, report=False)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "events.csv").read_text().startswith("onset,")
    assert {p.name for p in tmp_path.iterdir()} == FILES | {"notes.txt"}


@pytest.mark.slow  # renders reports
def test_save_without_report_removes_only_a_generated_report(night, tmp_path):
    night.save(tmp_path)
    night.save(tmp_path, report=False)
    assert not (tmp_path / "report.html").exists()
    (tmp_path / "report.html").write_text("<p>mine</p>")
    night.save(tmp_path, report=False)
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize("when", ["new", "existing"])
def test_failed_save_leaves_nothing_behind(night, tmp_path, when):
    out = tmp_path / "a" / "b"
    if when == "existing":
        out.mkdir(parents=True)
        (out / "events.csv").write_text("old")

    with full_disk(), pytest.raises(InputError, match="File too large"):
        night.save(out, report=False)
    left = sorted(p.name for p in tmp_path.rglob("*"))
    assert left == ([] if when == "new" else ["a", "b", "events.csv"])
    if when == "existing":
        assert (out / "events.csv").read_text() == "old"


def test_interrupted_save_leaves_nothing_behind(night, tmp_path, monkeypatch):
    def stop(night):
        raise KeyboardInterrupt

    monkeypatch.setattr(save, "pack_traces", stop)
    with pytest.raises(KeyboardInterrupt):
        night.save(tmp_path / "a" / "b", report=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_save_onto_a_file_names_it(night, tmp_path):
    (tmp_path / "out").write_text("x")
    for place in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(InputError, match="is a file, not a directory"):
            night.save(place)
    (tmp_path / "dir" / "events.csv").mkdir(parents=True)
    with pytest.raises(InputError, match="is a directory"):
        night.save(tmp_path / "dir", report=False)
    with pytest.raises(InputError, match="is a directory"):
        night.report(tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_save_without_permission_names_the_directory(night, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot be written"):
        night.save(tmp_path / "out")


def test_csv_text_never_starts_a_formula():
    table = pd.DataFrame({"name": ["=1+1", "@x", "-2", "fine", None], "v": [1, np.nan, -0.0, 2, 3]})
    lines = save.to_csv(table).splitlines()
    assert lines[:5] == ["name,v", "'=1+1,1.000000", "'@x,", "'-2,0.000000", "fine,2.000000"]
    assert lines[5] == ",3.000000"


def test_a_long_table_is_formatted_as_its_pieces():
    n = 5000
    names = np.where(np.arange(n) % 2, "a", "")
    table = pd.DataFrame({"name": names, "v": np.arange(n) / 3, "w": np.arange(n) % 3 > 0})
    first, rest = save.to_csv(table[:3001]), save.to_csv(table[3001:])
    assert save.to_csv(table) == first + rest.split("\n", 1)[1]
    assert save.to_csv(table).count("\n") == n + 1


def test_json_has_null_instead_of_nan():
    text = save.to_json({"a": float("nan"), "b": [np.float64(1.5), np.inf], 3: np.int64(2)})
    assert json.loads(text) == {"a": None, "b": [1.5, None], "3": 2}


def test_events_json_states_the_limits_in_force(tmp_path):
    settings = ts.Settings.model_validate(
        {"twitch": {"max_ms": 123.5}, "limb": {"rules": "aasm"}, "jerk": {"violent_g": 0.625}}
    )
    ts.analyze(make_recording(6), settings=settings).save(tmp_path, report=False)
    text = (tmp_path / "events.json").read_text("utf-8")
    entries = json.loads(text)
    assert "5-123.5 ms" in entries["trial_type"]["Levels"]["twitch"]
    assert "less than 5 s" in entries["label"]["Levels"]["short_interval_leg_movement"]
    assert "at least 0.625 g" in entries["grade"]["Levels"]["violent"]
    assert "50 % of the peak" in entries["rise_ms"]["Description"]
    assert "{" not in "".join(str(entry["Description"]) for entry in entries.values())


def test_bids_sidecar_states_the_limits_in_force(night):
    sidecar = night.to_bids()[1]
    assert "5-150 ms" in sidecar["trial_type"]["Levels"]["twitch"]
