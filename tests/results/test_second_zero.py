"""What second 0 of a recording is: of ``time_s``, of times of day, and with a stated start."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import twitchsense as ts
from tests.signals import add_waveform, band_noise, damped_oscillation, rest_acc, unit_potential
from twitchsense.errors import InputError
from twitchsense.io.capture_export import export
from twitchsense.model.channels import NS
from twitchsense.report.night_intervals import recording_bounds
from twitchsense.report.summary_sentences import sleep_onset_sentence
from twitchsense.report.time_labels import WallClock, onset_label
from twitchsense.results.annotation_export import write_events
from twitchsense.results.inputs import to_hypnogram
from twitchsense.results.load import open_result
from twitchsense.settings import Settings
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.read import read_hypnogram
from twitchsense.sleep.onset import SleepOnset

FS, LENGTH_S, LATE_S = 250, 150, 3600
START = {"start": "2026-03-01T23:59:00+01:00", "zone": "Europe/Berlin"}
STAGES = ["W", "W", "N2", "N2", "N2"]


@pytest.fixture(scope="module")
def captures(tmp_path_factory):
    """One signal with times from 0 s, from 3600 s, and times of day across midnight."""
    folder, rng = tmp_path_factory.mktemp("captures"), np.random.default_rng(5)
    n = FS * LENGTH_S
    emg = band_noise(n, FS, 2.5, rng, high=100)
    acc = rest_acc(n, rng)
    for at_s in (20.0, 50.0, 80.0, 110.0):
        add_waveform(emg, at_s, FS, 300 * unit_potential(FS, 0.01))
    for at_s in (35.0, 95.0):
        shake = damped_oscillation(FS, 0.3)
        acc[round(at_s * FS) :][: len(shake), 0] += shake
    seconds = np.arange(n) / FS
    clock = pd.Timestamp("2026-03-01T23:59:00") + pd.to_timedelta(seconds, unit="s")
    times = {
        "from_0": ("time_s", seconds),
        "late": ("time_s", seconds + LATE_S),
        "of_day": ("time", clock.strftime("%H:%M:%S.%f").str[:-3]),
    }
    paths = {}
    for name, (column, values) in times.items():
        table = pd.DataFrame({column: values, "emg1_uv": emg.round(2)})
        for i, axis in enumerate("xyz"):
            table[f"acc_{axis}_g"] = acc[:, i].round(4)
        paths[name] = folder / f"{name}.csv"
        table.to_csv(paths[name], index=False)
    return paths


@pytest.fixture(scope="module")
def recordings(captures):
    made = {name: ts.read(path) for name, path in captures.items()}
    for name in ("late", "of_day"):
        made[f"{name}, started"] = ts.read(captures[name], **START)
    return made


@pytest.fixture(scope="module")
def nights(recordings):
    return {name: ts.analyze(recording, hypnogram=STAGES) for name, recording in recordings.items()}


def onsets(night, from_s=0.0):
    return night.events["onset"].to_numpy() - from_s


def hypnogram_table(from_s):
    onset = from_s + 30.0 * np.arange(len(STAGES))
    return pd.DataFrame({"onset": onset, "duration": 30.0, "stage": STAGES})


def test_events_count_from_second_zero_of_time_s_and_from_the_first_row_of_times_of_day(nights):
    expected = onsets(nights["from_0"])
    assert len(expected) >= 4
    for name, night in nights.items():
        first_s = LATE_S if name.startswith("late") else 0
        np.testing.assert_allclose(onsets(night, first_s), expected, atol=1e-6)
        for column in ("trial_type", "label", "context", "stage"):
            assert night.events[column].equals(nights["from_0"].events[column]), column
        assert night.summary_dict()["sleep_onset"]["time_s"] == first_s + 60


def test_a_stated_start_is_the_clock_time_of_the_first_row(recordings):
    stated = pd.Timestamp(START["start"]).value
    for name in ("late", "of_day"):
        recording = recordings[f"{name}, started"]
        assert recording.start_utc_ns + recording.start_ns == stated
        assert not [n for n in recording.notes if n.startswith("start:")]


def test_the_page_shows_times_from_the_start_of_the_recording(nights, tmp_path):
    nights["late"].report(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "sleep began 60 s into the recording" in page
    assert "Twitch at 0:00:19" in page


@pytest.mark.parametrize("name", ["late, started", "of_day, started"])
def test_a_stated_start_is_that_of_the_heading(nights, name):
    clock = WallClock.of(nights[name].recording)
    start, stop = recording_bounds(nights[name])
    assert clock.format_dates(start, stop) == "1–2 March 2026"
    assert (clock.format_minute(start), clock.format_minute(stop)) == ("23:59", "00:01")
    assert "sleep began at 00:00" in sleep_onset_sentence(nights[name])


@pytest.mark.parametrize("name", ["from_0", "late", "of_day"])
def test_estimated_sleep_onset_is_said_from_the_start(recordings, name):
    recording = recordings[name]
    start_s = recording.start_ns / NS
    onset = SleepOnset(start_s + 10, start_s, start_s + 120, "accelerometer")
    events = pd.DataFrame({"onset": []})
    night = SimpleNamespace(recording=recording, onset=onset, events=events)
    assert "until 2 min into the recording:" in sleep_onset_sentence(night)
    assert onset_label(night) == "asleep by 0:02, perhaps from the start"
    night.onset = SleepOnset(start_s + 70, start_s + 60, start_s + 120, "accelerometer")
    assert "around 70 s into the recording, between 60 s and 2 min" in sleep_onset_sentence(night)
    assert onset_label(night) == "sleep onset 0:01 (0:01–0:02)"
    night.onset = SleepOnset(start_s + 600, start_s + 585, start_s + 615, "hypnogram")
    assert "sleep began after the end of the recording" in sleep_onset_sentence(night)


@pytest.mark.parametrize(("name", "from_s"), [("late", LATE_S), ("of_day", 0)])
def test_a_hypnogram_is_on_the_axis_of_events(recordings, tmp_path, name, from_s):
    path = tmp_path / "stages.csv"
    hypnogram_table(from_s).to_csv(path, index=False)
    for given in (path, hypnogram_table(from_s), np.array(STAGES), STAGES):
        found = to_hypnogram(given, recordings[name], Settings(), None, None)
        np.testing.assert_array_equal(found.onset_s, from_s + 30.0 * np.arange(len(STAGES)))


def test_onsets_from_the_first_row_of_a_late_recording_are_refused_with_a_cure_that_works(
    recordings, tmp_path
):
    path, clock = tmp_path / "stages.csv", NightClock.from_recording(recordings["late"])
    hypnogram_table(0).to_csv(path, index=False)
    with pytest.raises(InputError, match="add 3600 to its onsets if they count from the first row"):
        read_hypnogram(path, clock)
    hypnogram_table(LATE_S).to_csv(path, index=False)
    read_hypnogram(path, clock)


def test_onsets_that_may_count_from_the_first_row_of_a_late_recording_are_noted(recordings):
    long = pd.DataFrame({"onset": [0.0], "duration": [2.0 * LATE_S], "stage": ["N2"]})
    notes = ts.analyze(recordings["late"], hypnogram=long).main_notes
    assert any("3600 s before its first row; add 3600 to onsets" in note for note in notes)
    notes = ts.analyze(recordings["late"], hypnogram=hypnogram_table(LATE_S)).main_notes
    assert not any("second 0" in note for note in notes)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("late", "edf"), ("late, started", "csv"), ("of_day", "edf")],
)
def test_export_and_analysis_again_find_the_same(nights, tmp_path, name, kind):
    night = nights[name]
    read = ts.read(*export(night.recording, kind, tmp_path))
    again, shift_s = ts.analyze(read, hypnogram=STAGES), 0.0
    if night.recording.start_utc_ns is not None:  # clock times count from the first row
        assert read.start_utc_ns == pd.Timestamp(START["start"]).value
        shift_s = LATE_S
    np.testing.assert_allclose(onsets(again, -shift_s), onsets(night), atol=0.002)
    assert list(again.events["label"]) == list(night.events["label"])


def test_annotations_count_from_the_start_of_the_exported_edf(nights, tmp_path):
    nights["late"].save(tmp_path / "results", report=False)
    text = write_events(open_result(tmp_path / "results"), "annot", tmp_path / "out").read_text()
    starts = [float(r.split("\t")[3]) for r in text.splitlines() if r.startswith("hypnagogic")]
    np.testing.assert_allclose(starts, onsets(nights["from_0"]), atol=0.01)


def test_files_with_times_of_day_continue_each_other_and_unknown_order_is_refused(tmp_path):
    def write(name, start):
        clock = pd.Timestamp(f"2026-03-01T{start}") + pd.to_timedelta(
            np.arange(900) / 250, unit="s"
        )
        path = tmp_path / name
        rows = "".join(f"{t:%H:%M:%S.%f},{k % 7}\n" for k, t in enumerate(clock))
        path.write_text("time,emg1_uv\n" + rows)
        return path

    evening, later = write("a.csv", "22:00:00"), write("b.csv", "22:30:00")
    after_midnight = write("c.csv", "00:10:00")
    recording = ts.read(later, evening)
    assert [s.start_ns for s in recording.segments] == [0, 1800 * NS]
    with pytest.raises(InputError, match="times of day have no date") as refusal:
        ts.read(evening, after_midnight)
    assert refusal.value.cure.startswith("write date and time")
