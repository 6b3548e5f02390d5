"""Stages of laboratories' files, as other programs read them: Luna and MNE."""

from __future__ import annotations

import numpy as np
import pytest

from tests.sleep import lab_builders as lab
from tests.sleep.builders import edf_file, night_clock, write_text
from twitchsense.sleep.hypnogram.read import read_hypnogram
from twitchsense.sleep.lab_files.respiratory_events import read_respiratory_events

WHEN = night_clock("2026-03-01T22:30:00+01:00")
FILES = {
    "nsrr.xml": lab.nsrr(start=""),
    **{f"{form}.annot": lab.luna(form=form)
       for form in ("seconds", "duration", "clock", "elapsed", "epochs", "until")},
}  # fmt: skip


@pytest.fixture
def luna(tmp_path):
    lunapi = pytest.importorskip("lunapi")
    edfio = pytest.importorskip("edfio")
    signal = edfio.EdfSignal(np.zeros(10_200), 10, label="x", physical_range=(-1, 1))
    start = edfio.Recording(startdate=lab.START.date())
    edfio.Edf([signal], starttime=lab.START.time(), recording=start).write(tmp_path / "a.edf")

    def intervals(path, names):
        night = lunapi.proj().inst("a")
        night.attach_edf(str(tmp_path / "a.edf"))
        night.attach_annot(str(path))
        table = night.fetch_annots(names).sort_values("Start")
        return [*table[["Class", "Start", "Stop"]].itertuples(index=False, name=None)]

    return intervals


@pytest.mark.parametrize("name", FILES)
def test_luna_reads_the_same_stages_and_events(tmp_path, name, luna):
    path = write_text(tmp_path, FILES[name], name)
    got = read_hypnogram(path, WHEN)
    theirs = luna(path, ["W", "N1", "N2"])
    times = np.arange(0, 1020, 10) + 1.0
    expected = [next(word for word, a, b in theirs if a <= t < b) for t in times]
    assert got.stage_at(times).tolist() == expected
    if name.endswith(".xml"):
        return  # Luna has its own names for the events of the NSRR
    events = read_respiratory_events(path, WHEN).events
    theirs = luna(path, ["obstructive_apnea", "hypopnea"])
    ours = events.assign(stop=events["onset"] + events["duration"])[["onset", "stop"]]
    assert ours.to_numpy() == pytest.approx(np.array([row[1:] for row in theirs]), abs=1e-4)


def test_mne_reads_the_same_annotations(tmp_path):
    mne = pytest.importorskip("mne")
    words = ["Sleep stage W", "Sleep stage N1", "Sleep stage R", "Sleep stage N3"]
    path = edf_file(tmp_path, [(45.5 + 30 * k, 30, word) for k, word in enumerate(words)])
    theirs = mne.read_annotations(path)
    got = read_hypnogram(path)
    assert got.onset_s == pytest.approx(theirs.onset)
    assert got.duration_s == pytest.approx(theirs.duration)
    assert [f"Sleep stage {stage}" for stage in got.stage] == list(theirs.description)
