"""Notes that change the result: recognised, in order of weight, printed with their cure."""

import copy
import json
import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import twitchsense as ts
from tests.recordings import make_recording, write_captures
from twitchsense.cli.analyze import print_summary
from twitchsense.cli.app import main
from twitchsense.model.notes import Note, main_notes, with_source


def run(*args):
    return CliRunner().invoke(main, [str(a) for a in args])


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Return 20 s of EMG and acceleration in one table."""
    rng = np.random.default_rng(1)
    n = 20_000
    frame = pd.DataFrame({"time_s": np.arange(n) / 1000, "emg1_uv": rng.normal(0, 4, n)})
    for axis, rest in (("x", 0.0), ("y", 0.0), ("z", 1.0)):
        frame[f"acc_{axis}_g"] = rest + rng.normal(0, 0.002, n)
    return frame


def notes_of(frame, folder):
    path = folder / "night.csv"
    frame.round(5).to_csv(path, index=False)
    return main_notes(ts.read(path).notes)


def scaled(name, factor):
    return lambda t: t.assign(**{c: t[c] * factor for c in t if c.startswith(name)})


CASES = {
    "nothing": (lambda t: t, None),
    "acceleration in m/s2": (scaled("acc", 9.81), "m/s2"),
    "EMG in mV": (scaled("emg", 0.001), "name it emg1_mv"),
    "EMG in nV": (scaled("emg", 1000), "if it is in nV or counts, convert it"),
    "counts": (lambda t: t.assign(emg1_uv=(t["emg1_uv"] + 512).round()), "convert them with"),
    "rectified": (lambda t: t.assign(emg1_uv=t["emg1_uv"].abs()), "export the raw EMG"),
    "dropped columns": (lambda t: t.rename(columns=lambda c: c.replace("acc_", "")), "--map"),
    "Unix time": (lambda t: t.assign(time_s=(t["time_s"] * 1000 + 1.77e12).round()), "time-unit"),
}


@pytest.mark.parametrize("case", CASES)
def test_suspicious_input_gets_a_note_with_its_cure(table, tmp_path, case):
    change, words = CASES[case]
    notes = notes_of(change(table), tmp_path)
    assert (notes == []) == (words is None)
    if words is not None:
        assert words in notes[0]


def test_an_envelope_is_noted_and_an_offset_is_not(table, tmp_path):
    envelope = table["emg1_uv"].abs().rolling(100, min_periods=1).mean() + 0.01
    drift = 3 + 2 * np.sin(np.arange(len(table)) / 2000)
    assert "has no negative values" in notes_of(table.assign(emg1_uv=envelope * drift), tmp_path)[0]
    offset = notes_of(table.assign(emg1_uv=table["emg1_uv"] + 300), tmp_path)
    assert not any("negative" in note for note in offset)


def test_the_heaviest_note_is_first_and_information_is_left_out():
    notes = [
        "emg1: 1 gap, 0.200 s in all, longest 0.200 s",
        Note("sleep", "sleep was estimated from stillness of the leg"),
        with_source("night.csv", Note("unread", "left out: X, Y, Z", "name them with --map")),
        Note("unit", "acc: 9.79 g at rest instead of 1 g; if these are m/s2, name them acc_x_ms2"),
        with_source("night.csv", "read as a table"),
    ]
    shown = main_notes([*notes, notes[1]])
    assert [note.kind for note in shown] == ["unit", "unread", "sleep"]
    assert shown[1] == "night.csv: left out: X, Y, Z; name them with --map"


def test_a_long_note_keeps_its_cure():
    (shown,) = main_notes([Note("unread", "left out: " + "X, " * 500, "name them with --map")])
    assert len(shown) <= 402
    assert shown.endswith("…; name them with --map")


@pytest.mark.parametrize("copy", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))])
def test_a_copied_note_keeps_its_kind_and_cure(copy):
    note = copy(Note("times", "t is read as seconds", "state the times"))
    assert (note, note.kind, note.cure) == ("t is read as seconds", "times", "state the times")


@pytest.fixture(scope="module")
def analysed(tmp_path_factory):
    """Return the outcome of analyze with a hypnogram of an hour for 5 min, without a zone."""
    folder = tmp_path_factory.mktemp("long")
    captures = write_captures(make_recording(5, utc=False, gap=False), folder)
    emg = pd.read_csv(captures[0]).assign(room="unread")  # a column that a note names
    emg.to_csv(captures[0], index=False)
    stages = folder / "stages.csv"
    rows = [f"{30 * i},30,{'W' if i < 12 else 'N2'}\n" for i in range(120)]
    stages.write_text("onset,duration,stage\n" + "".join(rows))
    out = folder / "out"
    options = ("--out", out, "--hypnogram", stages, "--no-report", "--json", "--words", "a <b>")
    return run("analyze", *captures, *options), out


def test_a_hypnogram_that_does_not_fit_is_questioned_at_the_end(analysed):
    done, _ = analysed
    assert done.exit_code == 0, done.stderr
    *_, others, place = done.stderr.splitlines()
    assert "Note: the hypnogram lasts 60.0 min, 55.0 of them before or after" in done.stderr
    assert others.endswith(" in summary.json.")
    assert "sleep began after the end of the recording" in done.stderr
    assert place.startswith("Results: ")


def test_json_holds_the_notes_and_is_what_is_saved(analysed):
    done, out = analysed
    printed = json.loads(done.stdout)
    assert any(n.startswith("the hypnogram lasts 60.0 min") for n in printed["main_notes"])
    saved = json.loads((out / "summary.json").read_text("utf-8"))
    assert saved["main_notes"] == printed["main_notes"]
    assert saved["main_note_kinds"][0] == "stages"
    opened = ts.open_result(out)
    assert [(n, n.kind) for n in opened.main_notes] == list(
        zip(saved["main_notes"], saved["main_note_kinds"], strict=True)
    )
    assert set(printed) <= set(saved)
    assert saved["words"] == "a <b>"


def test_no_path_is_in_what_is_saved_and_printed(analysed):
    done, out = analysed
    assert any(": left out: room" in note for note in json.loads(done.stdout)["notes"])
    for text in (done.stdout, *(f.read_text("latin-1") for f in out.iterdir())):
        assert str(out.parent) not in text


@pytest.mark.parametrize("option", [["--open"], ["--compare", "x"]])
def test_options_of_the_report_need_a_report(tmp_path, option):
    done = run("analyze", "x.csv", "--out", tmp_path / "o", *option, "--no-report")
    assert done.exit_code == 2
    assert "leave out --no-report" in done.stderr


def test_nights_to_compare_with_are_looked_for_before_the_analysis(tmp_path):
    done = run("analyze", "x.csv", "--out", tmp_path / "o", "--compare", tmp_path / "none")
    assert done.exit_code == 2
    assert "none: holds no summary.json" in done.stderr


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_the_terminal_says_that_a_time_is_utc(monkeypatch, capsys, tmp_path, zone):
    for name, text in (
        ("quality_word", "Yes"),
        ("valid_time_sentences", "All of it."),
        ("sleep_onset_sentence", "According to the hypnogram, sleep began at 21:50."),
    ):
        monkeypatch.setattr(f"twitchsense.report.summary_sentences.{name}", lambda _, t=text: t)
    recording = SimpleNamespace(zone=zone)
    night = SimpleNamespace(events=[], main_notes=[], notes=[], recording=recording)
    print_summary(night, tmp_path, report=False)
    assert ("Times are in UTC." in capsys.readouterr().err) == (zone != "Europe/Berlin")
