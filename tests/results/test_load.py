"""Reopening a result directory: it suffices to make the report again."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import twitchsense as ts
from tests.recordings import make_recording
from twitchsense.cli.app import main
from twitchsense.errors import InputError
from twitchsense.model.event_table import EVENT_COLUMNS
from twitchsense.report.event_windows import (
    MAX_BYTES,
    MISSING_SAMPLE,
    RESOLUTION,
    average_span_s,
    channels_shown,
    cut_event_windows,
)
from twitchsense.results.load import open_result
from twitchsense.scoring.result_checksums import KEY

COLUMNS = [c.name for c in EVENT_COLUMNS]
HUGE = ",".join(COLUMNS).encode() + b"\n" + b",".join([b"9" * 400] * len(COLUMNS)) + b"\n"


@pytest.fixture(scope="module")
def night():  # shorter than that of the package
    return ts.analyze(make_recording(8))


@pytest.fixture(scope="module")
def result(night, tmp_path_factory):
    return night.save(tmp_path_factory.mktemp("saved") / "result", words="after <b> a run")


@pytest.fixture
def copy(result, tmp_path):
    return shutil.copytree(result, tmp_path / "copy")


@pytest.mark.slow  # renders the report again
def test_report_from_a_reopened_result_equals_the_first(copy):
    first = (copy / "report.html").read_bytes()
    (copy / "report.html").unlink()
    done = CliRunner().invoke(main, ["report", str(copy), "-q"])
    assert (done.exit_code, done.output) == (0, "")
    assert (copy / "report.html").read_bytes() == first
    assert b"after &lt;b&gt; a run" in first


def test_a_copy_may_get_other_words_and_is_sound(result, tmp_path):
    for words in ("before a trip", None):
        again = open_result(open_result(result).save(tmp_path, report=False, words=words))
        assert again.summary_json["words"] == (words or "after <b> a run")
    assert (tmp_path / "summary.json").read_bytes() == (result / "summary.json").read_bytes()


def test_windows_hold_the_samples_of_the_recording(night):
    for trace in cut_event_windows(night):
        channel = night.recording.channel(trace.channel)
        times, samples = night.recording.window(
            trace.channel,
            trace.start_ns - 1,
            trace.start_ns + round(len(trace.samples) * 1e9 / trace.fs),
        )
        seen = trace.samples[:, 0] != MISSING_SAMPLE
        assert seen.sum() in (len(times), len(times) - 1)
        step = RESOLUTION[channel.kind]
        theirs = samples[: seen.sum()].astype(float)
        assert np.abs(trace.samples[seen] * step - theirs).max() <= step / 2 + 1e-6


def test_windows_of_a_reopened_result_are_the_same(result):
    saved = open_result(result)
    again = cut_event_windows(saved)
    assert len(again) == len(saved.traces)
    for mine, theirs in zip(again, saved.traces, strict=True):
        assert (mine.event, mine.channel) == (theirs.event, theirs.channel)
        assert abs(mine.start_ns - theirs.start_ns) <= 1e9 / theirs.fs
    assert sum(t.samples.nbytes for t in again) <= MAX_BYTES


def test_windows_hold_what_the_average_of_their_kind_needs(night, result):
    saved = open_result(result)
    for kind, rows in night.events.groupby("trial_type"):
        first, last = average_span_s(rows)
        for _, event in rows.iterrows():
            bounds = [round((event["onset"] + t) * 1e9) for t in (first, last)]
            for channel in channels_shown(saved.recording, event):
                n = [len(x.recording.window(channel.name, *bounds)[0]) for x in (night, saved)]
                assert abs(n[1] - n[0]) <= 1, kind


def test_window_budget_keeps_the_strongest_of_each_kind(night):
    few = {t.event for t in cut_event_windows(night, 40_000)}
    events = night.events
    jerks = events[events["trial_type"] == "jerk"]
    assert int(jerks["peak_g"].idxmax()) in few
    assert len(few) < len(events)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("summary.json", None, "is missing"),
        ("summary.json", b"{", "is not JSON"),
        ("summary.json", b"[]", "is not a summary"),
        ("events.csv", b"a,b\n1,2\n", "has no column 'onset'"),
        ("events.csv", b"\xff\xfe", "cannot be read"),
        ("events.csv", HUGE, "too large a number"),
        ("traces.npz", None, "is missing"),
        ("epochs.csv", b"", "is not a table of epochs"),
        ("traces.npz", b"PK\x03\x04rubbish", "cannot be used"),
        ("traces.npz", b"", "cannot be used"),
    ],
)
def test_damaged_file_of_an_earlier_version_is_named_with_its_cure(copy, name, content, says):
    summary = json.loads((copy / "summary.json").read_text("utf-8"))
    del summary[KEY]  # earlier versions wrote no checksums
    (copy / "summary.json").write_text(json.dumps(summary), "utf-8")
    if content is None:
        (copy / name).unlink()
    else:
        (copy / name).write_bytes(content)
    with pytest.raises(InputError, match=says) as error:
        open_result(copy)
    assert name in str(error.value)
    assert CliRunner().invoke(main, ["report", str(copy)]).exit_code == 2


@pytest.mark.parametrize(
    ("key", "value", "for_visit"),
    [("sleep_onset_methods", True, False), ("by_kind", {"movement": {"hours": "=1+1"}}, True)],
)
def test_a_value_of_another_form_in_an_earlier_result_is_refused(copy, key, value, for_visit):
    summary = json.loads((copy / "summary.json").read_text("utf-8"))
    del summary[KEY]
    (copy / "summary.json").write_text(json.dumps({**summary, key: value}), "utf-8")
    (copy / "report.html").write_text("as before", "utf-8")
    done = CliRunner().invoke(main, ["report", str(copy), *(["--for-visit"] * for_visit)])
    assert done.exit_code == 2
    assert "a value that cannot be used" in done.stderr
    assert (copy / "report.html").read_text("utf-8") == "as before"


def test_a_result_of_an_earlier_version_has_no_clock_of_its_events(copy):
    summary = json.loads((copy / "summary.json").read_text("utf-8"))
    del summary[KEY]
    (copy / "summary.json").write_text(json.dumps(summary), "utf-8")
    events = pd.read_csv(copy / "events.csv", dtype=str, keep_default_na=False)
    events.drop(columns=["clock", "time_error_s"]).to_csv(copy / "events.csv", index=False)
    reopened = open_result(copy).events
    assert list(reopened.columns) == list(events.columns)
    assert (reopened["clock"] == "").all()
    assert reopened["time_error_s"].isna().all()


@pytest.mark.parametrize("name", ["summary.json", "events.csv", "rejected.csv", "epochs.csv"])
def test_one_changed_character_of_a_result_is_refused(copy, name):
    text = (copy / name).read_text("utf-8")
    at = next((i for i, c in enumerate(text) if c.isdigit()), len(text) - 2)
    (copy / name).write_text(text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :], "utf-8")
    with pytest.raises(InputError, match="was changed or damaged"):
        open_result(copy)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04rubbish"])
def test_damaged_traces_are_refused_and_do_not_count_as_interruption(copy, content):
    (copy / "traces.npz").write_bytes(content)
    done = CliRunner().invoke(main, ["report", str(copy)])
    assert done.exit_code == 2
    assert "run analyze again" in done.output


def test_tables_of_two_analyses_are_not_mixed(copy):
    old = (copy / "events.csv").read_bytes()
    (copy / "events.csv").write_bytes(old[: old.rstrip().rindex(b"\n") + 1])
    with pytest.raises(InputError, match="belongs to another analysis"):
        open_result(copy)


def test_summary_in_another_layout_has_the_same_checksum(copy):
    summary = json.loads((copy / "summary.json").read_text("utf-8"))
    (copy / "summary.json").write_text(json.dumps(summary), "utf-8")
    assert open_result(copy).summary_json == summary


@pytest.mark.parametrize("table", ["events", "rejected", "epochs"])
def test_tables_of_a_reopened_result_are_the_same_to_the_last_bit(night, result, table):
    saved = getattr(open_result(result), table)
    pd.testing.assert_frame_equal(
        saved, getattr(night, table).reset_index(drop=True), check_exact=True
    )


def test_a_reopened_result_answers_like_the_night(night, result):
    saved = open_result(result)
    for by in ("label", ("label", "context"), ("leg", "stage")):
        pd.testing.assert_frame_equal(saved.summary(by), night.summary(by), check_exact=True)
    truth = night.events.iloc[::2]
    pd.testing.assert_frame_equal(saved.agreement(truth).table(), night.agreement(truth).table())
    assert saved.to_bids()[1] == night.to_bids()[1]
    assert saved.valid_s == night.valid_s
    assert saved.notes == list(night.notes)


def test_a_reopened_result_is_saved_unchanged(result, tmp_path):
    copied = open_result(result).save(tmp_path / "again", report=False)
    names = {p.name for p in result.iterdir()} - {"report.html"}
    assert {p.name for p in copied.iterdir()} == names
    assert all((copied / name).read_bytes() == (result / name).read_bytes() for name in names)


def test_a_result_of_an_earlier_version_has_rounded_numbers_and_no_valid_hours(night, copy):
    with np.load(copy / "traces.npz") as arrays:
        kept = {k: v for k, v in arrays.items() if k.split("/")[0] not in ("events", "epochs")}
        meta = json.loads(kept["meta"].tobytes())
    del meta["valid_hours"]
    kept["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    np.savez_compressed(copy / "traces.npz", **kept)
    summary = json.loads((copy / "summary.json").read_text())
    del summary[KEY]
    (copy / "summary.json").write_text(json.dumps(summary))
    saved = open_result(copy)
    np.testing.assert_allclose(saved.events["onset"], night.events["onset"], atol=5e-7)
    with pytest.raises(InputError, match="does not hold the valid hours; run analyze again"):
        saved.summary()
