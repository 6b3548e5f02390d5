"""One night of a cohort: what it writes, when it is kept, and what a failure leaves."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from importlib import import_module
from importlib.metadata import version

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.full_disk import full_disk
from twitchsense.cohort import task as tasks
from twitchsense.cohort.dataset import TABLES, create_dataset, part_file_name
from twitchsense.cohort.run import run_cohort
from twitchsense.cohort.task import Task, find_previous, run_night
from twitchsense.io.read import read
from twitchsense.results.night import analyze
from twitchsense.settings import TwitchSettings, get_profile

VERSION = version("twitchsense")


@pytest.fixture
def out(tmp_path):
    create_dataset(tmp_path / "out")
    return tmp_path / "out"


def run(night, out):
    return run_night(Task(night, out, VERSION, find_previous(out, night.name)))


def table(out, name, night):
    path = out / name / part_file_name(night)
    return pq.read_table(path).to_pylist() if path.exists() else None


@pytest.fixture
def own(nights, tmp_path):
    """Return a night whose files may be changed, and are not new."""
    files = []
    for path in nights[0].captures:
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes())
        files.append(copy)
    return replace(nights[0], captures=tuple(files))


def test_tables_hold_what_analyze_finds(nights, out):
    outcome = run(nights[1], out)
    assert outcome.status == "done"
    assert outcome.worker == os.getpid()
    assert outcome.peak_mb > 10
    found = analyze(read(*nights[1].captures))
    for name, expected in (("events", found.events), ("rejected", found.rejected)):
        piece = pd.DataFrame(table(out, name, "n1"), columns=[c.name for c in TABLES[name]])
        assert len(piece) == len(expected)
        assert set(piece.pop("night")) <= {"n1"}
        for column in expected:
            assert piece[column].tolist() == [None if v in ("", None) or v != v else v
                                              for v in expected[column]], column  # fmt: skip
    assert len(table(out, "epochs", "n1")) == len(found.epochs)
    rates = {(r["grouping"], r["name"], r["context"]): r for r in table(out, "rates", "n1")}
    cell = found.summary_dict()["by_kind"]["twitch"]
    assert rates["kind", "twitch", "any"]["count"] == cell["count"] > 0
    assert rates["kind", "twitch", "any"]["low"] == cell["low"]
    (row,) = table(out, "nights", "n1")
    assert json.loads(row["summary"])["by_kind"]["twitch"] == cell
    assert row["input"] == found.recording.sha256
    assert row["n_events"] == len(found.events)


def test_columns_json_describes_every_column(nights, out):
    run(nights[1], out)
    described = json.loads((out / "columns.json").read_text())
    for name in ("events", "rejected", "epochs", "rates", "nights"):
        piece = pq.read_schema(out / name / part_file_name("n1"))
        assert piece.names == [c.name for c in TABLES[name]] == list(described[name])


def test_columns_json_states_the_limits_that_all_nights_share(tmp_path):
    long = get_profile("default-2026").model_copy(
        update={"twitch": TwitchSettings(max_ms=170.5), "legs": {"emg1": "left"}}
    )

    def described(*settings):
        create_dataset(tmp_path, settings)
        columns = json.loads((tmp_path / "columns.json").read_text("utf-8"))
        return columns["events"]["trial_type"]["Levels"]["twitch"]

    default = get_profile("default-2026")
    assert "5-150 ms" in described(default, default, default.model_copy(update={"zone": "UTC"}))
    assert "5-170.5 ms" in described(long)
    assert "<twitch.min_ms>-<twitch.max_ms> ms" in described(default, long)


def test_unchanged_content_is_kept_though_file_times_changed(own, out, monkeypatch):
    assert run(own, out).status == "done"
    events = (out / "events" / part_file_name("n0")).stat().st_mtime_ns
    os.utime(own.captures[0])  # as by a copy
    monkeypatch.setattr(tasks, "MIN_FILE_AGE_S", 0.0)
    assert run(own, out).status == "kept"
    assert (out / "events" / part_file_name("n0")).stat().st_mtime_ns == events
    # now its times are known: nothing is read to keep it
    monkeypatch.setattr(tasks, "run_night", None)
    assert run_cohort([own], out).kept == 1


def test_times_of_a_file_modified_just_now_are_not_trusted(own, out):
    os.utime(own.captures[0])
    run(own, out)
    assert find_previous(out, "n0").times_hash == ""


@pytest.mark.slow  # analyses a night several times
@pytest.mark.parametrize("what", ["content", "settings", "hypnogram", "version", "damage"])
def test_changed_input_is_analysed_again(own, out, what, monkeypatch, tmp_path):
    run(own, out)
    changed, version_run = own, VERSION
    if what == "content":
        text = own.captures[0].read_text()
        own.captures[0].write_text(text.replace("\n0.5,", "\n0.5,1", 1))
    elif what == "settings":
        changed = replace(own, settings=get_profile("aasm-2026"))
    elif what == "hypnogram":
        (tmp_path / "h.csv").write_text("onset,duration,stage\n0,60,N2\n")
        changed = replace(own, hypnogram=tmp_path / "h.csv")
    elif what == "version":
        version_run = "99"
        monkeypatch.setattr("importlib.metadata.version", lambda _: version_run)
    else:
        (out / "nights" / part_file_name("n0")).write_bytes(b"PAR1 half")
    previous = find_previous(out, "n0")
    assert run_night(Task(changed, out, version_run, previous)).status == "done"
    (row,) = table(out, "nights", "n0")
    assert previous is None or row["key"] != previous.input_hash


def test_failed_night_has_its_reason_and_no_earlier_tables(own, out):
    run(own, out)
    text = own.captures[0].read_text()
    own.captures[0].write_text(text.replace("\n0.5,", "\n0.5,x,", 1))
    outcome = run(own, out)
    assert outcome.status == "failed"
    assert "emg1.csv, line 502: more fields than the header's 2" in outcome.reason
    (row,) = table(out, "failed", "n0")
    assert (row["cause"], row["reason"]) == ("input", outcome.reason)
    assert all(table(out, name, "n0") is None for name in TABLES if name != "failed")
    # the same bytes fail the same way: they are not read again to find that out
    previous = find_previous(out, "n0")
    assert previous.outcome("n0").reason == outcome.reason
    own.captures[0].write_text(text)
    assert run(own, out).status == "done"
    assert table(out, "failed", "n0") is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "cause", "reason"),
    [
        (RuntimeError("odd"), "error", "RuntimeError: odd"),
        (MemoryError(), "worker", "not enough memory; try fewer workers"),
    ],
)
def test_internal_error_fails_one_night_and_is_retried(
    nights, out, monkeypatch, error, cause, reason, caplog
):
    def broken(*args, **kwargs):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("twitchsense.results.night.analyze", broken)
        outcome = run(nights[0], out)
    assert (outcome.status, outcome.reason) == ("failed", reason)
    assert table(out, "failed", "n0")[0]["cause"] == cause
    assert find_previous(out, "n0") is None
    assert run(nights[0], out).status == "done"


@pytest.mark.slow
def test_a_full_disk_ends_the_run_and_leaves_no_part_of_the_night(nights, out, monkeypatch):
    before = sorted(out.rglob("*"))
    with full_disk():
        outcome = run(nights[0], out)
    assert outcome.status == "stop"
    assert "temporary folder" in outcome.reason
    assert "TMPDIR" in outcome.reason

    found = analyze(read(*nights[0].captures))
    monkeypatch.setattr("twitchsense.results.night.analyze", lambda *_, **__: found)
    reader = import_module("twitchsense.io.read")
    monkeypatch.setattr(reader, "read", lambda *_, **__: found.recording)
    with full_disk(4000):  # some tables are smaller
        outcome = run(nights[0], out)
    assert outcome.status == "stop"
    assert "cannot be written (File too large)" in outcome.reason
    assert sorted(out.rglob("*")) == before


def test_unwritable_dataset_ends_the_run(nights, out):
    (out / "epochs" / part_file_name("n0")).mkdir()
    outcome = run(nights[0], out)
    assert outcome.status == "stop"
    assert "is a directory" in outcome.reason
    assert table(out, "nights", "n0") is None


def test_worker_without_the_dataset_or_with_another_version_ends_the_run(nights, out):
    outcome = run_night(Task(nights[0], out, VERSION, token=".run-elsewhere"))
    assert outcome.status == "stop"
    assert "file system all share" in outcome.reason
    outcome = run_night(Task(nights[0], out, "0.0.9"))
    assert outcome.reason == f"a worker has twitchsense {VERSION}, not 0.0.9"


def test_missing_files_are_failed_nights_that_name_list_and_line(nights, out, tmp_path):
    gone = replace(nights[0], captures=(tmp_path / "gone.csv",))
    long = replace(nights[1], captures=(tmp_path / ("x" * 300),))
    null = replace(nights[2], error="s.toml: cannot be read; give a TOML file")
    began = time.monotonic()
    tally = run_cohort([gone, long, null], out)
    assert time.monotonic() > began
    assert (tally.failed, tally.finished) == (3, 3)
    assert tally.failures["n0"].startswith("list.csv, line 2: no such file as ")
    assert "File name too long" in tally.failures["n1"]
    assert tally.failures["n2"] == null.error
    assert not list(out.glob(".run-*"))
