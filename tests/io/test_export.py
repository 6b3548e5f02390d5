"""Export to EDF+ and BIDS: values and gaps are kept, and other programs read the files."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import twitchsense as ts
from tests.io.builders import content
from tests.nightfile.builders import write_night
from twitchsense.errors import InputError
from twitchsense.io.edf_write import RecordLayout, choose_records
from twitchsense.io.export import export
from twitchsense.model.channels import ArraySamples, Channel, Segment
from twitchsense.model.recording import Recording

edfio = pytest.importorskip("edfio")


def recording_of(*stretches, fs=1000.0, start=None):
    """One EMG channel with stretches (start s, samples)."""
    channel = Channel("emg1", "emg", "uV", fs, ("emg1_uv",))
    segments = tuple(
        Segment("emg1", round(at * 1e9), ArraySamples(np.asarray(x, np.float32).reshape(-1, 1)))
        for at, x in stretches
    )
    return Recording((channel,), segments, start)


def blocks(recording, name):
    return [(s.start_ns, s.samples.read(0, len(s.samples))) for s in recording.segments_of(name)]


def test_edf_round_trip_keeps_gaps(tmp_path):
    night = write_night(tmp_path / "a.night", 30, keep=lambda _, s: s not in (100, 101, 250))
    one = ts.read(night)
    paths = export(one, "edf", tmp_path / "out")
    assert [p.name for p in paths] == ["emg.edf", "acc.edf"]
    two = ts.read(*paths, zone="UTC")
    for channel in one.channels:
        first, second = blocks(one, channel.name), blocks(two, channel.name)
        assert len(first) == len(second) > (1 if channel.kind == "emg" else 0)
        for (at, a), (back, b) in zip(first, second, strict=True):
            top = max(np.abs(x).max() for _, x in first)
            assert np.abs(a - b).max() <= 0.51 * top / 32767
            assert abs(at + one.start_utc_ns - back - two.start_utc_ns) < 2e5


def test_edfio_reads_the_exported_file(tmp_path):
    x = np.random.default_rng(3).normal(0, 30, 20_000)
    (path,) = export(recording_of((0, x), start=1_790_000_000_000_000_000), "edf", tmp_path)
    file = edfio.read_edf(path)
    assert file.num_data_records == 20
    assert [s.label for s in file.signals] == ["emg1_uv"]
    assert file.signals[0].physical_dimension == "uV"
    assert file.signals[0].sampling_frequency == 1000
    assert np.abs(file.signals[0].data - x).max() <= np.abs(x).max() / 32767
    assert file.startdatetime.isoformat() == "2026-09-21T14:13:20"


@pytest.mark.parametrize("top", [1e-4, 0.5, 7.99976, 812.345678, 32767.0, 1_234_567.4])
def test_the_largest_value_of_any_size_fits(top, tmp_path):
    x = np.linspace(-top, top, 5000)
    (path,) = export(recording_of((0, x)), "edf", tmp_path)
    back = edfio.read_edf(path).signals[0].data
    assert np.abs(back - x).max() <= max(top, 1e-3) / 32767


def test_a_value_without_room_in_the_header_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="export to csv"):
        export(recording_of((0, [0.0, 1e8] * 500)), "edf", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_samples_that_fill_no_record_are_logged(tmp_path, caplog):
    long = np.arange(1009.0)  # both lengths prime
    paths = export(recording_of((0, long), (5, np.arange(2003.0))), "edf", tmp_path)
    assert "9 samples at the ends of segments do not fill a record" in caplog.text
    recording = ts.read(*paths)
    assert [len(b) for _, b in blocks(recording, "emg1")] == [7 * 143, 14 * 143]
    assert [at for at, _ in blocks(recording, "emg1")] == [0, 5_000_000_000]
    with pytest.raises(InputError, match="long enough"):
        export(recording_of((0, [1, 2, 3])), "edf", tmp_path / "short")


def test_record_size_divides_all_segments_if_possible():
    assert choose_records([57 * 20, 57 * 3, 57 * 11], 1000).size == 57
    assert choose_records([480_000], 1000) == RecordLayout(1000, 1_000_000)
    assert choose_records([3800, 38], 100).size == 38
    assert choose_records([7, 1009], 1000).size == 504


def _rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.reader(file, delimiter="\t"))


def test_bids_files_and_sidecars(tmp_path):
    one = ts.read(write_night(tmp_path / "a.night", 30, keep=lambda _, s: s not in (100, 101)))
    out = tmp_path / "out"
    paths = export(one, "bids", out)
    assert sorted(paths) == sorted(p for p in out.rglob("*") if p.is_file())
    assert json.loads((out / "dataset_description.json").read_text())["BIDSVersion"]
    emg = out / "sub-01" / "emg" / "sub-01_task-sleep"
    side = json.loads(emg.with_name(f"{emg.name}_emg.json").read_text())
    required = {"TaskName", "EMGPlacementScheme", "EMGReference", "SamplingFrequency",
                "PowerLineFrequency", "SoftwareFilters"}  # fmt: skip
    assert required <= side.keys()
    assert side["RecordingType"] == "discontinuous"
    channels = _rows(emg.with_name(f"{emg.name}_channels.tsv"))
    assert channels == [
        ["name", "type", "units"],
        ["emg1_left_uv", "EMG", "uV"],
        ["emg2_left_uv", "EMG", "uV"],
    ]
    again = ts.read(emg.with_name(f"{emg.name}_emg.edf"))
    assert len(again.segments_of("emg1_left")) == len(one.segments_of("emg1_left")) == 2
    motion = out / "sub-01" / "motion" / "sub-01_task-sleep_tracksys-imu"
    table = np.array(_rows(motion.with_name(f"{motion.name}_motion.tsv")), float)
    header = _rows(motion.with_name(f"{motion.name}_channels.tsv"))
    assert [row[:3] for row in header] == [
        ["name", "component", "type"],
        ["latency", "n/a", "LATENCY"],
        ["acc_left_x_g", "x", "ACCEL"],
        ["acc_left_y_g", "y", "ACCEL"],
        ["acc_left_z_g", "z", "ACCEL"],
    ]
    assert {row[4] for row in header[2:]} == {"m/s^2"}
    (segment,) = one.segments_of("acc_left")
    assert np.allclose(table[:, 1:], segment.samples.read(0, 10**6) * 9.80665, atol=1e-5)
    start = (segment.start_ns - one.start_ns) / 1e9
    assert np.allclose(table[:, 0], start + np.arange(len(table)) / 100, atol=1e-4)
    with pytest.raises(InputError, match="not empty"):
        export(one, "bids", out)


def test_a_bids_validator_finds_no_error(tmp_path):
    validator = shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent))
    if validator is None:
        pytest.skip("no BIDS validator (pip install bids-validator-deno)")
    one = ts.read(write_night(tmp_path / "a.night", 30, keep=lambda _, s: s not in (100, 101)))
    export(one, "bids", tmp_path / "out")
    call = [validator, str(tmp_path / "out"), "--format", "json"]
    report = json.loads(subprocess.run(call, capture_output=True, check=False).stdout)
    assert report["summary"]["modalities"]
    assert [i for i in report["issues"]["issues"] if i["severity"] == "error"] == []


def test_bids_of_two_legs_has_a_file_for_each_clock(tmp_path):
    rng = np.random.default_rng(1)
    recording = Recording.from_arrays(
        {
            "emg_left_uv": (rng.normal(0, 5, 5000), 1000.0),
            "emg_right_uv": (rng.normal(0, 5, 5500), 1000.5),
            "acc_left_x_g": (rng.normal(0, 0.1, 500), 100.0),
        }
    )
    names = {p.name for p in export(recording, "bids", tmp_path / "out")}
    assert {f"sub-01_task-sleep_recording-{n}_emg.edf" for n in (1, 2)} <= names
    assert "sub-01_task-sleep_tracksys-imu_motion.tsv" in names
    assert len(content(recording)) == 3
