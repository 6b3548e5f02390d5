"""Ends without a signal belong to the recording, from every source."""

from __future__ import annotations

import numpy as np
import pytest

import twitchsense as ts
from tests.io.builders import acc, assert_same, emg, write
from tests.nightfile.builders import KEY, T0, write_night
from tests.wearable.simulated_recording import record_simulated
from twitchsense.errors import InputError
from twitchsense.io.capture_export import export
from twitchsense.nightfile.records import LinkEvent
from twitchsense.nightfile.writer import NightFileWriter
from twitchsense.report.summary_sentences import summary_answers
from twitchsense.results.load import open_result

HEARD = {"start": slice(500, 600), "end": slice(0, 100), "both": slice(300, 400)}


def silent(where, seconds=600):
    """Return an EMG and an acceleration column that hold a signal for 100 s of 600."""
    x, a = emg(seconds * 1000), acc(seconds * 100)
    at = HEARD[where]
    for column, fs in ((x, 1000), (a, 100)):
        column[: at.start * fs] = np.nan
        column[at.stop * fs :] = np.nan
    return x, a


def from_arrays(where):
    x, a = silent(where)
    axes = {f"acc_{k}_g": (a[:, i], 100) for i, k in enumerate("xyz")}
    return ts.Recording.from_arrays({"emg1_uv": (x, 1000), **axes})


def length_s(recording):
    return (recording.end_ns - recording.start_ns) / 1e9


@pytest.mark.parametrize("where", HEARD)
def test_duration_includes_ends_without_signal(where, tmp_path):
    night = ts.analyze(from_arrays(where))
    facts = night.summary_dict()
    assert facts["duration_s"] == 600
    assert facts["valid_s"]["emg1"] == pytest.approx(100, abs=2)
    assert len(night.epochs) == 20
    assert (night.epochs["valid"] > 0).sum() <= 5
    said = dict(summary_answers(night))["Was the recording good?"]
    assert not said.startswith("Yes")
    assert "lasted 10 min" in said
    night.save(tmp_path / "out", report=False)
    saved = open_result(tmp_path / "out")
    assert dict(summary_answers(saved))["Was the recording good?"] == said


@pytest.mark.slow  # analyses each recording twice
@pytest.mark.parametrize("clock", ["time_s", "time_utc"])
@pytest.mark.parametrize("where", HEARD)
def test_ends_without_signal_survive_a_round_trip_through_tables(where, clock, tmp_path):
    x, _ = silent(where, 600)
    x = x[::5].copy()
    seconds = np.arange(len(x)) / 200
    stamps = [f"2026-03-01T22:{int(s // 60):02d}:{s % 60:06.3f}Z" for s in seconds]
    time = {"time_s": seconds + 5.0, "time_utc": stamps}[clock]
    recording = ts.read(write(tmp_path / "a.csv", {clock: time, "emg1_uv": x}))
    assert length_s(recording) == pytest.approx(600, abs=1e-6)
    assert recording.segments[0].start_ns == recording.start_ns + HEARD[where].start * 10**9
    for kind in ("csv", "parquet"):
        (path,) = export(recording, kind, tmp_path / kind)
        back = ts.read(path)
        assert_same(recording, back)
        assert (back.start_ns, back.end_ns) == (recording.start_ns, recording.end_ns)
        assert back.start_utc_ns == recording.start_utc_ns


def test_duration_without_such_ends_is_that_of_the_samples(tmp_path):
    time = np.arange(6000) / 200
    recording = ts.read(write(tmp_path / "a.csv", {"time_s": time, "emg1_uv": emg(6000)}))
    assert recording.covers_ns is None
    assert length_s(recording) == 30


def test_a_wearable_lost_before_the_end_leaves_an_end_without_signal(tmp_path):
    night = record_simulated(tmp_path / "a.night", 120, "range@40+1000")
    assert not night.status[0].connected
    recording = ts.read(tmp_path / "a.night")
    heard = max(recording.segment_end_ns(s) for s in recording.segments) - recording.start_ns
    assert heard / 1e9 == pytest.approx(40, abs=6)
    assert length_s(recording) == pytest.approx(120, abs=10)
    (path, *_) = export(recording, "csv", tmp_path / "out")
    assert length_s(ts.read(path)) == pytest.approx(length_s(recording), abs=1e-6)


def test_a_wearable_connected_late_leaves_a_start_without_signal(tmp_path):
    path = write_night(tmp_path / "a.night", 30)
    plain = ts.read(path)
    night = NightFileWriter(path)
    night.write([LinkEvent("AA:BB", T0 - 60_000_000_000, "failed", "does not advertise")])
    night.write([LinkEvent(KEY, T0 + 10_000_000, "connected"), LinkEvent(KEY, T0, "stopped")])
    night.close()
    recording = ts.read(path)
    assert recording.start_utc_ns == T0 - 60_000_000_000
    late = plain.start_utc_ns - recording.start_utc_ns
    assert length_s(recording) == pytest.approx(length_s(plain) + late / 1e9, abs=1e-6)
    assert recording.segments[0].start_ns == late


def test_connection_attempts_of_other_years_are_ignored(tmp_path):
    path = write_night(tmp_path / "a.night", 30)
    plain = ts.read(path)
    night = NightFileWriter(path)
    night.write([LinkEvent("AA:BB", 5, "failed", "1970"), LinkEvent(KEY, 2**61, "lost", "2043")])
    night.close()
    recording = ts.read(path)
    assert length_s(recording) == length_s(plain)


@pytest.mark.parametrize("days", [31.1, 4000.0])
def test_a_recording_longer_than_a_month_is_refused(days, tmp_path):
    time = np.append(np.arange(2000) / 200, days * 86400)
    path = write(tmp_path / "a.csv", {"time_s": time, "emg1_uv": emg(2001)})
    with pytest.raises(InputError, match=rf"lasts {days:,.0f} days .* correct the time"):
        ts.analyze(ts.read(path))
