import json
import os
import stat

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

import twitchsense as ts
from tests.made_night import make_recording
from twitchsense.errors import InputError
from twitchsense.model.event_table import CONTEXTS, EVENT_COLUMNS, LABELS, REJECTED_COLUMNS
from twitchsense.results import files, save

FILES = {"events.csv", "events.json", "rejected.csv", "epochs.csv", "summary.json", "traces.npz"}


@pytest.fixture(scope="module")
def night():
    return ts.analyze(make_recording(16))


def test_events_are_tagged_and_labelled(night):
    events = night.events
    assert list(events.columns) == [c.name for c in EVENT_COLUMNS]
    assert events["onset"].is_monotonic_increasing
    assert set(events["label"]) <= set(LABELS)
    assert set(events["context"]) <= set(CONTEXTS)
    assert {"twitch", "jerk", "movement"} <= set(events["trial_type"])
    assert list(night.rejected.columns) == [c.name for c in REJECTED_COLUMNS]
    assert "night.csv" in repr(night)


def test_summary_has_counts_rates_and_intervals(night):
    table = night.summary(by=("label", "context"))
    assert list(table.columns) == [
        "label",
        "context",
        "count",
        "hours",
        "rate_per_h",
        "low",
        "high",
    ]
    assert table["count"].sum() == len(night.events)


def test_agreement_with_itself_is_perfect(night):
    assert (night.agreement(night.events).table()["f1"] == 1).all()


def test_progress_goes_up_to_the_end():
    seen = []
    ts.analyze(
        make_recording(2, gap=False), progress=lambda done, total: seen.append((done, total))
    )
    done = [d for d, _ in seen]
    assert max(done) == pytest.approx(120)
    assert {t for _, t in seen} == {120.0}


def test_hypnogram_may_be_a_table_a_path_or_a_hypnogram(tmp_path):
    from twitchsense.sleep.hypnogram.read import read_hypnogram

    recording = make_recording(4, gap=False)
    stages = ["W", "W", "N1", "N2", "N2", "N3", "N3", "R"]
    table = pd.DataFrame({"onset": np.arange(8) * 30.0, "duration": 30.0, "stage": stages})
    path = tmp_path / "stages.csv"
    table.to_csv(path, index=False)
    nights = [ts.analyze(recording, hypnogram=h) for h in (table, path, read_hypnogram(path))]
    for night in nights:
        assert night.onset.time_s == 60.0
        pd.testing.assert_frame_equal(night.events, nights[0].events)
    assert nights[0].summary_dict()["provenance"]["hypnogram"] is True


def test_streaming_is_batch_to_the_last_label(night, monkeypatch):
    """However the recording is cut, the answers are equal, not close."""
    whole = ts.Recording.chunks
    monkeypatch.setattr(ts.Recording, "chunks", lambda self: whole(self, 7.3))
    again = ts.analyze(make_recording(16))
    pd.testing.assert_frame_equal(again.events, night.events, check_exact=True)
    pd.testing.assert_frame_equal(again.rejected, night.rejected, check_exact=True)
    pd.testing.assert_frame_equal(again.epochs, night.epochs, check_exact=True)
    assert again.onset == night.onset
    assert again.summary_dict() == night.summary_dict()


def test_respiratory_events_may_be_a_table_or_a_path(tmp_path):
    recording = make_recording(6, gap=False)
    table = pd.DataFrame({"onset": [190.0], "duration": [12.0]})
    table.to_csv(tmp_path / "breaths.csv", index=False)
    given = (None, table, tmp_path / "breaths.csv")
    nights = [ts.analyze(recording, respiratory=r) for r in given]
    blocks = [n.summary_dict()["leg_movements"] for n in nights]
    assert blocks[1] == blocks[2]
    assert [b["respiratory_events_given"] for b in blocks] == [False, True, True]
    assert blocks[1]["rules"]["wasm2016"]["n_clmr"] == 1  # the movement at 200 s


def test_events_go_to_bids_and_mne(night):
    table, sidecar = night.to_bids()
    assert len(table) == len(night.events)
    assert list(sidecar)[:3] == ["onset", "duration", "trial_type"]
    pytest.importorskip("mne")
    assert len(night.to_annotations()) == len(night.events)


def test_a_recording_without_samples_is_refused():
    with pytest.raises(InputError, match="holds no samples"):
        ts.analyze(ts.Recording((), ()))


def test_plot_average_draws_on_the_axes_given(night):
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert night.plot_average("twitch", ax=ax) is ax
    assert isinstance(night.plot_average("no such kind"), Axes)


# -- files ---------------------------------------------------------------------


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


def test_an_old_report_of_ours_goes_and_another_stays(night, tmp_path):
    night.save(tmp_path)
    night.save(tmp_path, report=False)
    assert not (tmp_path / "report.html").exists()
    (tmp_path / "report.html").write_text("<p>mine</p>")
    night.save(tmp_path, report=False)
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize("when", ["new", "existing"])
def test_a_failure_leaves_nothing_behind(night, tmp_path, monkeypatch, when):
    out = tmp_path / "a" / "b"
    if when == "existing":
        out.mkdir(parents=True)
        (out / "events.csv").write_text("old")

    def full(path, content, write=files.write_synced):
        if path.name == "summary.json":
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(files, "write_synced", full)
    with pytest.raises(InputError, match="No space left"):
        night.save(out, report=False)
    left = sorted(p.name for p in tmp_path.rglob("*"))
    assert left == ([] if when == "new" else ["a", "b", "events.csv"])
    if when == "existing":
        assert (out / "events.csv").read_text() == "old"


def test_an_interrupt_leaves_nothing_behind(night, tmp_path, monkeypatch):
    def stop(path, content):
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "write_synced", stop)
    with pytest.raises(KeyboardInterrupt):
        night.save(tmp_path / "a" / "b", report=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_named(night, tmp_path):
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
def test_a_directory_without_permission_is_named(night, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot be written"):
        night.save(tmp_path / "out")


def test_csv_text_is_no_formula():
    table = pd.DataFrame({"name": ["=1+1", "@x", "-2", "fine", None], "v": [1, np.nan, -0.0, 2, 3]})
    lines = save.to_csv(table).splitlines()
    assert lines[:5] == ["name,v", "'=1+1,1.000000", "'@x,", "'-2,0.000000", "fine,2.000000"]
    assert lines[5] == ",3.000000"


def test_json_has_no_nan():
    text = save.to_json({"a": float("nan"), "b": [np.float64(1.5), np.inf], 3: np.int64(2)})
    assert json.loads(text) == {"a": None, "b": [1.5, None], "3": 2}


@pytest.mark.parametrize(
    ("sensors", "unseen", "seen"),
    [
        ({"emg": False}, ("twitch", "brief_contraction"), ("jerk", "movement", "posture_change")),
        ({"acc": False}, ("jerk", "posture_change"), ("twitch", "movement")),
    ],
)
def test_kind_that_no_sensor_could_see_has_no_rate(sensors, unseen, seen):
    import twitchsense as ts
    from tests.signals import SimulatedLeg

    night = ts.analyze(SimulatedLeg(90).recording(**sensors))
    table = night.summary_dict()["by_kind"]
    assert all(table[kind]["rate_per_h"] is None for kind in unseen)
    assert all(table[kind]["rate_per_h"] is not None for kind in seen)
