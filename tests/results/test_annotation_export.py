"""Events of a result directory for Luna, the NSRR, MNE and BIDS."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import twitchsense as ts
from tests.sleep.builders import events
from twitchsense.cli.app import main
from twitchsense.errors import InputError
from twitchsense.io.bids.bids_write import write_bids
from twitchsense.io.capture_export import export
from twitchsense.results.annotation_export import bids_events, write_events
from twitchsense.scoring.annotations import to_luna, to_nsrr
from twitchsense.sleep.hypnogram.read import read_hypnogram

TABLE = events(
    {"onset": 10.5, "trial_type": "twitch", "label": "fasciculation_like", "channel": "emg1"},
    {"onset": 60.25, "trial_type": "movement", "duration": 1.5, "channel": "emg1",
     "label": "periodic_leg_movement_like", "leg": "left", "series": "plm-1"},
    {"onset": 61.0, "trial_type": "jerk", "duration": float("nan"), "label": "", "channel": "acc",
     "amplitude_uv": float("nan")},
)  # fmt: skip
EPOCHS = pd.DataFrame(
    {
        "onset": np.arange(6) * 30.0,
        "duration": np.full(6, 30.0),
        "stage": ["W", "W", "N1", "N2", "", "R"],
    }
)
STAGES = [(0.0, 60.0, "W"), (60.0, 30.0, "N1"), (90.0, 30.0, "N2"), (150.0, 30.0, "R")]


@pytest.fixture(scope="module")
def saved(night, tmp_path_factory):
    """Return results of captures in files, and these files."""
    folder = tmp_path_factory.mktemp("results")
    captures = export(night.recording, "csv", folder / "captures")
    again = ts.analyze(ts.read(*captures))
    again.save(folder / "results", report=False)
    return ts.open_result(folder / "results"), captures


def luna_rows(text):
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines[0].split("\t") == ["class", "instance", "channel", "start", "stop", "meta"]
    return [line.split("\t") for line in lines[1:]]


def test_luna_files_have_a_class_for_each_label_and_stage():
    text = to_luna(TABLE, EPOCHS)
    rows = luna_rows(text)
    assert [(r[0], float(r[3]), float(r[4])) for r in rows] == [
        ("W", 0, 60),
        ("fasciculation_like", 10.5, 10.6),
        ("N1", 60, 90),
        ("periodic_leg_movement_like", 60.25, 61.75),
        ("jerk", 61, 61),
        ("N2", 90, 120),
        ("R", 150, 180),
    ]
    assert rows[3][2] == "emg1"
    meta = dict(pair.split("=") for pair in rows[3][5].split("|"))
    assert (meta["leg"], meta["amplitude_uv"], meta["series"]) == ("left", "200", "plm-1")
    assert "amplitude_uv" not in rows[4][5]
    keys = "trial_type[txt] context[txt] leg[txt] amplitude_uv[num]"
    assert f"# periodic_leg_movement_like | event of twitchsense | {keys}" in text
    assert luna_rows(to_luna(TABLE.iloc[:0])) == []


def test_nsrr_files_have_the_concepts_of_the_nsrr():
    root = ET.fromstring(to_nsrr(TABLE, EPOCHS).encode())
    scored = [
        (e.findtext("EventType"), e.findtext("EventConcept"), float(e.findtext("Start")),
         float(e.findtext("Duration")), e.findtext("SignalLocation"))
        for e in root.iter("ScoredEvent")
    ]  # fmt: skip
    assert ("Stages|Stages", "Stage 1 sleep|1", 60.0, 30.0, None) in scored
    movement = "Periodic leg movement - left|PLM (Left)"
    assert ("Limb Movement|Limb Movement", movement, 60.25, 1.5, "emg1") in scored
    assert ("Movement|Movement", "jerk|jerk", 61.0, 0.0, "acc") in scored


@pytest.mark.parametrize(("name", "write"), [("a.annot", to_luna), ("a.xml", to_nsrr)])
def test_the_stages_are_read_back(tmp_path, name, write):
    (tmp_path / name).write_text(write(TABLE, EPOCHS), encoding="utf-8")
    got = read_hypnogram(tmp_path / name)
    known = [(o, d, s) for o, d, s in zip(got.onset_s, got.duration_s, got.stage, strict=True) if s]
    assert known == STAGES


@pytest.mark.parametrize("label", ["a|b", "<x>&", 'say "x"', "tab\there", "line\nbreak"])
def test_hostile_labels_leave_the_files_whole(label):
    table = TABLE.assign(label=label, channel=label, series=label)
    assert all(len(row) == 6 for row in luna_rows(to_luna(table)))
    pairs = [pair for row in luna_rows(to_luna(table)) for pair in row[5].split("|")]
    assert {pair.count("=") for pair in pairs} == {1}
    concepts = {e.text for e in ET.fromstring(to_nsrr(table).encode()).iter("EventConcept")}
    assert concepts == {f"{label}|{label}"}


def test_luna_reads_the_file(tmp_path):
    lunapi = pytest.importorskip("lunapi")
    recording = ts.Recording.from_arrays({"emg1_uv": (np.arange(200_000.0) % 9, 1000.0)})
    (path,) = export(recording, "edf", tmp_path)
    (tmp_path / "a.annot").write_text(to_luna(TABLE, EPOCHS), encoding="utf-8")
    instance = lunapi.proj().inst("a")
    instance.attach_edf(str(path))
    instance.attach_annot(str(tmp_path / "a.annot"))
    found = instance.fetch_annots(["periodic_leg_movement_like", "fasciculation_like"])
    assert sorted(found["Start"].round(4).tolist()) == [10.5, 60.25]


@pytest.mark.slow
@pytest.mark.parametrize("start", [None, 1_772_399_405_250_000_000])
def test_mne_annotations_have_channels_and_extras(saved, tmp_path, start):
    mne = pytest.importorskip("mne")
    night, _ = saved
    recording = dataclasses.replace(night.recording, start_utc_ns=start)
    path = write_events(dataclasses.replace(night, recording=recording), "mne", tmp_path)
    assert path.suffix == (".txt" if start is None else ".csv")
    back = mne.read_annotations(path)
    zero = 0.0 if start is None else back.orig_time.timestamp() - start / 1e9
    assert len(back) == len(night.events) > 3
    for mark, event in zip(back, night.events.itertuples(), strict=True):
        assert mark["onset"] + zero == pytest.approx(event.onset, abs=1e-5)
        assert set(mark["ch_names"]) == set(night.recording.channel(event.channel).columns)
        assert mark["extras"]["trial_type"] == event.trial_type
        amplitude = mark["extras"]["amplitude_uv"]
        assert np.isnan(event.amplitude_uv) == (amplitude == "")
        assert amplitude == "" or float(amplitude) == pytest.approx(event.amplitude_uv)
    assert "label" not in back[0]["extras"]


@pytest.mark.slow
def test_mne_annotations_fit_the_exported_edf(saved, tmp_path):
    mne = pytest.importorskip("mne")
    night, captures = saved
    paths = export(ts.read(*captures), "edf", tmp_path / "edf")
    raws = [mne.io.read_raw_edf(p, verbose="error") for p in paths]
    names = {name for raw in raws for name in raw.ch_names}
    for marks in mne.read_annotations(write_events(night, "mne", tmp_path)):
        assert set(marks["ch_names"]) <= names


def validator_errors(folder):
    validator = shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent))
    if validator is None:
        pytest.skip("no BIDS validator (pip install bids-validator-deno)")
    call = [validator, str(folder), "--format", "json"]
    report = json.loads(subprocess.run(call, capture_output=True, check=False).stdout)
    return [i for i in report["issues"]["issues"] if i["severity"] == "error"]


@pytest.mark.slow
def test_bids_events_pass_the_official_validator(saved, tmp_path):
    night, captures = saved
    recording = ts.read(*captures)
    write_bids(recording, tmp_path / "out", bids_events(night, recording))
    assert list((tmp_path / "out").rglob("*_events.tsv"))
    assert validator_errors(tmp_path / "out") == []
    path = next((tmp_path / "out").rglob("*_events.json"))
    sidecar = json.loads(path.read_text())
    assert set(sidecar["trial_type"]["HED"]) == set(sidecar["trial_type"]["Levels"])
    sidecar["trial_type"]["HED"]["jerk"] = "No-such-tag"
    path.write_text(json.dumps(sidecar))
    assert validator_errors(tmp_path / "out")


def test_results_of_other_files_are_refused(saved, night):
    with pytest.raises(InputError, match="was analysed from other files"):
        bids_events(saved[0], dataclasses.replace(night.recording, sha256="other"))


def run(*words):
    return CliRunner().invoke(main, [str(w) for w in words])


@pytest.mark.parametrize(("kind", "name"), [("annot", "events.annot"), ("nsrr", "events-nsrr.xml")])
def test_the_command_writes_events_once(saved, tmp_path, kind, name):
    night, captures = saved
    words = ("export", night.directory, "--to", kind, "--out", tmp_path / "o")
    assert run(*words).exit_code == 0
    assert (tmp_path / "o" / name).stat().st_size > 500
    repeated = run(*words)
    assert repeated.exit_code == 2
    assert "already exists" in repeated.stderr
    of_file = run("export", captures[0], "--to", kind, "--out", tmp_path / "p")
    assert of_file.exit_code == 2
    assert "a file, which has no events" in of_file.stderr
    assert not (tmp_path / "p").exists()


@pytest.mark.slow
def test_the_command_adds_events_to_bids(saved, tmp_path):
    night, captures = saved
    done = run("export", *captures, "--to", "bids", "--events", night.directory, "--out",
               tmp_path / "o")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    tables = [pd.read_csv(p, sep="\t") for p in (tmp_path / "o").rglob("*_events.tsv")]
    assert [len(t) for t in tables] == [len(night.events)] * 2
    wrong = run("export", *captures, "--to", "edf", "--events", night.directory, "--out",
                tmp_path / "q")  # fmt: skip
    assert wrong.exit_code == 2
    assert "use --to bids" in wrong.stderr
