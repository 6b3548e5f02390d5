"""BIDS data sets: written ones pass the official validator, and are read as they were."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twitchsense as ts
from tests.io.builders import content, lengths, starts
from tests.io.edf_builder import digital, foreign_bids
from tests.nightfile.builders import write_night
from twitchsense.errors import InputError
from twitchsense.io.bids.bids_write import BidsEvents, write_bids
from twitchsense.io.capture_export import export
from twitchsense.model.channels import ArraySamples, Channel, Segment
from twitchsense.model.recording import Recording

UTC_NS = 1_772_399_405_000_000_000


def rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.reader(file, delimiter="\t"))


def night_with_a_gap(folder):
    return ts.read(write_night(folder / "a.night", 30, keep=lambda _, s: s not in (100, 101)))


def two_devices(utc_ns=UTC_NS):
    """Return two EMG devices and an accelerometer, each with its own clock and start."""
    rng = np.random.default_rng(1)
    parts = [
        ("emg_left", "emg", "uV", 999.97, ("emg_left_uv",), 0, 5000),
        ("emg_right", "emg", "uV", 1000.02, ("emg_right_uv",), 250_000_000, 5500),
        ("acc_left", "acc", "g", 100.01, ("acc_left_x_g", "acc_left_y_g", "acc_left_z_g"),
         123_456_000, 600),
    ]  # fmt: skip
    channels, segments = [], []
    for name, kind, unit, fs, columns, start, n in parts:
        x = rng.normal(0, 5 if kind == "emg" else 0.3, (n, len(columns))).astype(np.float32)
        channels.append(Channel(name, kind, unit, fs, columns, columns[0].split("_")[1]))
        segments.append(Segment(name, start, ArraySamples(x)))
    return Recording(tuple(channels), tuple(segments), utc_ns, "Europe/Berlin" if utc_ns else None)


EVENTS = BidsEvents(
    pd.DataFrame(
        {
            "onset": ["1.500000", "3.250000"],
            "duration": ["0.100000", "n/a"],
            "trial_type": ["twitch", "jerk"],
        }
    ),
    {
        "trial_type": {
            "Description": "kind",
            "Levels": {"twitch": "brief", "jerk": "moves the leg"},
            "HED": {"twitch": "Data-feature, Computed-feature", "jerk": "Data-feature"},
        }
    },
)


# ---- written ---------------------------------------------------------------------------


def test_bids_files_and_sidecars(tmp_path):
    one = night_with_a_gap(tmp_path)
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
    channels = rows(emg.with_name(f"{emg.name}_channels.tsv"))
    assert channels == [
        ["name", "type", "units", "description", "reference", "target_muscle"],
        ["emg1_left_uv", "EMG", "uV", "left leg", "n/a", "n/a"],
        ["emg2_left_uv", "EMG", "uV", "left leg", "n/a", "n/a"],
    ]
    motion = out / "sub-01" / "motion" / "sub-01_task-sleep_tracksys-imu"
    table = np.array(rows(motion.with_name(f"{motion.name}_motion.tsv")), float)
    header = rows(motion.with_name(f"{motion.name}_channels.tsv"))
    assert [row[:3] for row in header] == [
        ["name", "component", "type"],
        ["latency", "n/a", "LATENCY"],
        ["acc_left_x", "x", "ACCEL"],
        ["acc_left_y", "y", "ACCEL"],
        ["acc_left_z", "z", "ACCEL"],
    ]
    assert {row[4] for row in header[2:]} == {"m/s^2"}
    (segment,) = one.segments_of("acc_left")
    assert np.allclose(table[:, 1:], segment.samples.read(0, 10**6) * 9.80665, atol=1e-5)
    assert np.allclose(table[:, 0], np.arange(len(table)) / 100, atol=1e-4)
    with pytest.raises(InputError, match="not empty"):
        export(one, "bids", out)


def test_devices_with_own_clocks_have_files_and_times_of_their_own(tmp_path):
    paths = write_bids(two_devices(), tmp_path / "out", EVENTS)
    names = {p.name for p in paths}
    for leg in ("left", "right"):
        stem = f"sub-01_task-sleep_acq-{leg}_recording-{leg}"
        assert {f"{stem}_emg.edf", f"{stem}_channels.tsv", f"{stem}_events.tsv"} <= names
    assert rows(tmp_path / "out" / "sub-01" / "sub-01_scans.tsv")[1:] == [
        ["emg/sub-01_task-sleep_acq-left_recording-left_emg.edf", "2026-03-01T21:10:05.000000Z"],
        ["emg/sub-01_task-sleep_acq-right_recording-right_emg.edf", "2026-03-01T21:10:05.250000Z"],
        ["motion/sub-01_task-sleep_tracksys-imu_motion.tsv", "2026-03-01T21:10:05.123456Z"],
    ]
    onsets = {p.name: [row[0] for row in rows(p)[1:]] for p in paths if p.suffix == ".tsv"}
    right = "sub-01_task-sleep_acq-right_recording-right_events.tsv"
    assert onsets[right] == ["1.250000", "3.000000"]
    assert onsets["sub-01_task-sleep_tracksys-imu_events.tsv"] == ["1.376544", "3.126544"]


def test_devices_on_one_leg_are_numbered(tmp_path):
    one = two_devices()
    renamed = [dataclasses.replace(c, leg="left") for c in one.channels]
    names = {p.name for p in write_bids(dataclasses.replace(one, channels=tuple(renamed)),
                                        tmp_path / "out")}  # fmt: skip
    assert "sub-01_task-sleep_acq-device2_recording-device2_emg.edf" in names


def test_a_name_without_room_in_edf_leaves_no_file(tmp_path):
    recording = Recording.from_arrays({"emg_left_tibialis_anterior_uv": (np.arange(4e3), 1e3)})
    with pytest.raises(InputError, match="16 plain letters"):
        export(recording, "bids", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def validate(folder):
    validator = shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent))
    if validator is None:
        pytest.skip("no BIDS validator (pip install bids-validator-deno)")
    call = [validator, str(folder), "--format", "json"]
    done = subprocess.run(call, capture_output=True, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["modalities"]
    return [i for i in report["issues"]["issues"] if i["severity"] == "error"]


@pytest.mark.slow
@pytest.mark.parametrize("case", ["gap", "devices", "no clock time", "events"])
def test_the_official_validator_finds_no_error(tmp_path, case):
    recording = night_with_a_gap(tmp_path) if case == "gap" else two_devices(
        None if case == "no clock time" else UTC_NS
    )  # fmt: skip
    write_bids(recording, tmp_path / "out", EVENTS if case == "events" else None)
    assert validate(tmp_path / "out") == []


@pytest.mark.slow
def test_the_official_validator_finds_a_missing_field(tmp_path):
    write_bids(two_devices(), tmp_path / "out")
    path = next((tmp_path / "out").rglob("*_emg.json"))
    side = json.loads(path.read_text())
    del side["PowerLineFrequency"]
    path.write_text(json.dumps(side))
    assert validate(tmp_path / "out")


# ---- read ------------------------------------------------------------------------------


@pytest.mark.parametrize("utc_ns", [UTC_NS, None])
def test_a_written_data_set_is_read_as_it_was(tmp_path, utc_ns):
    one = two_devices(utc_ns)
    write_bids(one, tmp_path / "out")
    two = ts.read(tmp_path / "out")
    assert two.start_utc_ns == utc_ns
    for channel in one.channels:
        (before,), ((begin, after),) = one.segments_of(channel.name), content(two)[channel.name]
        kept = before.samples.read(0, len(after))
        step = np.abs(kept).max() / 32767 if channel.kind == "emg" else 1e-6
        np.testing.assert_allclose(after, kept, atol=step)
        assert two.channel(channel.name).fs == pytest.approx(channel.fs, rel=1e-6)
        assert begin == pytest.approx(before.start_ns, abs=2000)


def test_a_data_set_with_gaps_is_read_as_it_was(tmp_path):
    one = night_with_a_gap(tmp_path)
    export(one, "bids", tmp_path / "out")
    two = ts.read(tmp_path / "out")
    assert [c.name for c in two.channels] == [c.name for c in one.channels]
    assert len(two.segments_of("emg1_left")) == len(one.segments_of("emg1_left")) == 2
    for name in ("emg1_left", "acc_left"):
        shift = (two.start_utc_ns or 0) - (one.start_utc_ns or 0)
        begins = [s.start_ns + shift for s in two.segments_of(name)]
        assert begins == pytest.approx([s.start_ns for s in one.segments_of(name)], abs=2e5)


def test_a_file_inside_a_data_set_is_read_alone(tmp_path):
    write_bids(two_devices(), tmp_path / "out")
    motion = next((tmp_path / "out").rglob("*_motion.tsv"))
    recording = ts.read(motion)
    assert [c.name for c in recording.channels] == ["acc_left"]
    assert recording.start_utc_ns == UTC_NS + 123_456_000


@pytest.mark.parametrize(
    ("units", "header_unit", "factor"),
    [("V", b"V", 1), ("V", b"", 1), ("mV", b"", 1e-3), ("n/a", b"V", 1), ("uV", b"V", 1)],
)
def test_channels_of_other_data_sets_are_found_by_their_sidecar(
    tmp_path, units, header_unit, factor
):
    recording = ts.read(foreign_bids(tmp_path / "d", units=units, header_unit=header_unit))
    assert [(c.name, c.leg) for c in recording.channels] == [
        ("emg1_left", "left"),
        ("emg2_right", "right"),
    ]
    got = content(recording)["emg1_left"][0][1][:, 0]
    want = digital(signals=3)[0] / 32768 * 3277 * factor
    np.testing.assert_allclose(got, want, rtol=2e-2, atol=2 * factor)
    assert any("'LTA' is emg1_left" in note for note in recording.notes)
    assert any("left out: Trigger" in note for note in recording.notes)


def test_bad_channels_are_left_out_with_a_note(tmp_path):
    recording = ts.read(foreign_bids(tmp_path / "d", status="bad"))
    assert [c.name for c in recording.channels] == ["emg1_left"]
    assert any("marked as bad and left out: RTA" in note for note in recording.notes)


@pytest.mark.parametrize(
    ("acq", "zone", "utc_ns"),
    [
        ("2026-03-01T22:10:05", "Europe/Berlin", UTC_NS),
        ("2026-03-01T22:10:05", None, None),
        ("2026-03-01T21:10:05Z", None, UTC_NS),
        ("2026-03-01T21:10:05.500000Z", "Asia/Tokyo", UTC_NS + 500_000_000),
        ("1924-03-01T21:10:05", None, None),
    ],
)
def test_the_start_is_that_of_scans_tsv(tmp_path, acq, zone, utc_ns):
    assert ts.read(foreign_bids(tmp_path / "d", acq=acq), zone=zone).start_utc_ns == utc_ns


MOTION = "name\tcomponent\ttype\ttracked_point\tunits\n"


def write_motion(folder, channels, sidecar, table):
    motion = folder / "sub-1" / "motion"
    motion.mkdir(parents=True, exist_ok=True)
    stem = "sub-1_task-sleep_tracksys-imu"
    (motion / f"{stem}_channels.tsv").write_text(MOTION + channels)
    (motion / f"{stem}_motion.json").write_text(json.dumps(sidecar))
    (motion / f"{stem}_motion.tsv").write_text(
        "".join("\t".join(map(str, row)) + "\n" for row in table)
    )
    return folder


POINT = "{p}_ACC_{c}\t{c}\tACCEL\t{p}\t{u}\n"


def axes(point="left_ankle", unit="m/s^2"):
    return "".join(POINT.format(p=point, c=c, u=unit) for c in "xyz")


def gravity(n=3000, seed=2):
    return np.round(np.random.default_rng(seed).normal(0, 0.2, (n, 3)) + [0, 0, 9.8], 4)


@pytest.mark.parametrize(
    ("unit", "scale"), [("m/s^2", 9.80665), ("m/s²", 9.80665), ("g", 1), ("mg", 1000)]
)
def test_motion_of_other_data_sets_is_found_by_its_sidecar(tmp_path, unit, scale):
    g = gravity() / 9.80665
    others = "gyro_x\tx\tGYRO\tleft_ankle\tdeg/s\n"
    table = np.column_stack([g * scale, np.zeros(len(g))])
    folder = write_motion(tmp_path, axes(unit=unit) + others, {"SamplingFrequency": 100}, table)
    recording = ts.read(folder)
    assert [(c.name, c.fs, c.leg) for c in recording.channels] == [("acc_left", 100, "left")]
    np.testing.assert_allclose(content(recording)["acc_left"][0][1], g, atol=1e-5)


def test_compressed_motion_is_read_and_damage_named(tmp_path):
    folder = write_motion(tmp_path, axes(), {"SamplingFrequency": 100}, gravity())
    plain = next(folder.rglob("*_motion.tsv"))
    packed = plain.with_name(plain.name + ".gz")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    want = content(ts.read(plain))["acc_left"][0][1]
    plain.unlink()
    np.testing.assert_array_equal(content(ts.read(folder))["acc_left"][0][1], want)
    packed.write_bytes(packed.read_bytes()[:-500])
    with pytest.raises(InputError, match="damaged gzip data"):
        ts.read(folder)


def test_emg_in_tables_of_emg_and_physiology_is_read(tmp_path):
    x = np.round(np.random.default_rng(1).normal(0, 20, (2000, 2)), 3)
    table = gzip.compress("".join(f"{a}\t{b}\n" for a, b in x.tolist()).encode())
    (tmp_path / "dataset_description.json").write_text("{}")
    about = {"SamplingFrequency": 1000, "StartTime": -5.5, "Columns": ["emg_left", "trigger"]}
    about["emg_left"] = {"Units": "mV"}
    physio = tmp_path / "sub-1" / "func" / "sub-1_task-sleep_physio.tsv.gz"
    physio.parent.mkdir(parents=True)
    physio.write_bytes(table)
    physio.with_name("sub-1_task-sleep_physio.json").write_text(json.dumps(about))
    got = ts.read(physio)
    assert starts(got, "emg_left") == [-5_500_000_000]
    np.testing.assert_allclose(content(got)["emg_left"][0][1][:, 0], x[:, 0] * 1000, rtol=1e-6)
    emg = tmp_path / "sub-1" / "emg" / "sub-1_task-sleep_emg.tsv.gz"
    emg.parent.mkdir()
    emg.write_bytes(table)
    emg.with_name("sub-1_task-sleep_emg.json").write_text('{"SamplingFrequency": 1000}')
    emg.with_name("sub-1_task-sleep_channels.tsv").write_text(
        "name\ttype\tunits\ttarget_muscle\nA\tEMG\tuV\tleft tibialis\nB\tTRIG\tV\tn/a\n"
    )
    assert [(c.name, c.leg, c.fs) for c in ts.read(emg).channels] == [("emg1_left", "left", 1000)]


def test_two_tracked_points_are_two_accelerometers(tmp_path):
    both = axes("LeftShank") + axes("RightShank")
    table = np.column_stack([gravity(), gravity(seed=3)])
    folder = write_motion(tmp_path, both, {"SamplingFrequency": 100}, table)
    assert [c.name for c in ts.read(folder).channels] == ["acc1_left", "acc2_right"]


def test_latency_and_missing_values_make_gaps(tmp_path):
    seconds = np.arange(3000) / 100
    seconds[1000:] += 2.5
    table = [[f"{t:.6f}", *row] for t, row in zip(seconds, gravity().tolist(), strict=True)]
    for i in range(2000, 2100):
        table[i][2] = "n/a"
    channels = "time\tn/a\tLATENCY\tn/a\ts\n" + axes()
    recording = ts.read(write_motion(tmp_path, channels, {}, table))
    assert lengths(recording, "acc_left") == [1000, 1000, 900]
    assert starts(recording, "acc_left") == [0, 12_500_000_000, 23_500_000_000]


def test_the_effective_rate_is_used(tmp_path):
    side = {"SamplingFrequency": 100, "SamplingFrequencyEffective": 98.87}
    recording = ts.read(write_motion(tmp_path, axes(), side, gravity()))
    assert recording.channels[0].fs == pytest.approx(98.87)


@pytest.mark.parametrize(
    ("channels", "sidecar", "table", "problem"),
    [
        ("", {"SamplingFrequency": 100}, [[1, 2, 3]], "has no channels.tsv"),
        (axes(), {}, [[1, 2, 3]], "neither a LATENCY channel nor a SamplingFrequency"),
        (axes(), {"SamplingFrequency": "n/a"}, [[1, 2, 3]], "neither a LATENCY"),
        (axes(unit="counts"), {"SamplingFrequency": 100}, [[1, 2, 3]], "unknown unit 'counts'"),
        (axes(), {"SamplingFrequency": 100}, [[1, 2, 3], [1, 2, 3, 4]], "table of 3 columns"),
        (axes(), {"SamplingFrequency": 100}, [], "no rows|not a table"),
        ("t\tn/a\tLATENCY\tn/a\ts\n" + axes(), {}, [["x", 1, 2, 3]], "line 1: the latency"),
        ("t\tn/a\tLATENCY\tn/a\ts\n" + axes(), {}, [[1, 1, 1, 1], [0, 1, 1, 1]], "backwards"),
    ],
)
def test_unusable_motion_is_refused(tmp_path, channels, sidecar, table, problem):
    folder = write_motion(tmp_path, channels, sidecar, table)
    with pytest.raises(InputError, match=problem):
        ts.read(folder)


def test_folders_with_several_or_no_recordings_are_refused(tmp_path):
    foreign_bids(tmp_path / "d")
    write_motion(tmp_path / "d", axes(), {"SamplingFrequency": 100}, gravity())
    with pytest.raises(InputError, match="holds 2 recordings; give the files of one, such as sub"):
        ts.read(tmp_path / "d")
    (tmp_path / "e").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        ts.read(tmp_path / "e")
    (tmp_path / "d" / "task-rest_emg.json").write_text("{")
    motion = next((tmp_path / "d").rglob("*_motion.json"))
    for damaged in ("{", "[" * 100_000):
        motion.write_text(damaged)
        with pytest.raises(InputError, match="is not JSON"):
            ts.read(motion.with_suffix(".tsv"))
