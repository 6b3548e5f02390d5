"""Captures that MNE reads: fif and BrainVision, with gaps, units, clock times."""

import datetime

import numpy as np
import pytest

import twitchsense as ts
from tests.io.builders import content, lengths
from tests.io.edf_builder import EdfFile, digital
from twitchsense.errors import InputError, MissingExtraError
from twitchsense.io import read
from twitchsense.model.notes import main_notes

mne = pytest.importorskip("mne")

pytestmark = pytest.mark.filterwarnings("ignore:This filename:RuntimeWarning")

START = datetime.datetime(2026, 3, 1, 21, 10, 5, tzinfo=datetime.UTC)
START_NS = START.timestamp() * 1e9


def signals(n=10_000):
    """Return EMG in µV and acceleration in g, shape (4, n)."""
    rng = np.random.default_rng(6)
    return np.concatenate([rng.normal(0, 12, (1, n)), rng.normal(0, 0.1, (3, n)) + 0.6])


def write_fif(path, fs=500.0, start=START, first=0, annotations=None, types=("emg", *["misc"] * 3)):
    info = mne.create_info(["TA left", "acc_x", "acc_y", "acc_z"], fs, list(types))
    values = signals()
    values[0] *= 1e-6
    raw = mne.io.RawArray(values, info, first_samp=first, verbose="error")
    raw.set_meas_date(start)
    if annotations is not None:
        raw.set_annotations(annotations, verbose="error")
    raw.save(path, fmt="double", verbose="error")
    return path


AXES = {f"acc_{a}": f"acc_{a}_g" for a in "xyz"}


def test_fif_gives_emg_in_microvolts_and_mapped_acceleration(tmp_path):
    path = write_fif(tmp_path / "a_raw.fif")
    recording = read(path, columns=AXES, via="mne")
    assert [(c.name, c.fs, c.leg) for c in recording.channels] == [
        ("emg1_left", 500, "left"),
        ("acc", 500, None),
    ]
    got = content(recording)
    np.testing.assert_allclose(got["emg1_left"][0][1][:, 0], signals()[0], rtol=1e-5)
    np.testing.assert_allclose(got["acc"][0][1].T, signals()[1:], rtol=1e-5)
    assert recording.start_utc_ns == START_NS
    assert any("'TA left' is emg1_left" in note for note in recording.notes)


def test_acceleration_without_a_unit_is_refused_with_a_cure_that_works(tmp_path):
    path = write_fif(tmp_path / "a_raw.fif")
    with pytest.raises(InputError, match="signal acc_x: has no unit") as caught:
        read(path, via="mne")
    assert "--map 'acc_x=acc_x_g'" in caught.value.cure


@pytest.mark.parametrize("fs", [256.0, 500.0, 999.97, 1000.0, 333.3333])
def test_the_rate_is_that_of_the_file(tmp_path, fs):
    path = write_fif(tmp_path / "a_raw.fif", fs)
    assert read(path, columns=AXES, via="mne").channels[0].fs == pytest.approx(fs, rel=1e-6)


def test_fif_that_begins_after_its_date_is_placed_by_its_first_sample(tmp_path):
    path = write_fif(tmp_path / "a_raw.fif", first=2500)
    assert read(path, columns=AXES, via="mne").start_utc_ns == START_NS + 5e9


def test_cropped_edf_begins_at_its_first_sample_that_is_left(tmp_path):
    path = EdfFile(digital()).write(tmp_path / "a.edf")
    raw = mne.io.read_raw(path, verbose="error")
    whole, rest = (read(r, zone="Europe/Berlin") for r in (raw, raw.copy().crop(4.0)))
    assert rest.start_utc_ns - whole.start_utc_ns == 4_000_000_000


@pytest.mark.parametrize("start", [START, None])
@pytest.mark.parametrize("first", [0, 2500])
def test_time_without_acquisition_is_a_gap(tmp_path, start, first):
    skip = mne.Annotations([4.0, 10.0], [2.0, 1.0], ["BAD_ACQ_SKIP"] * 2)
    path = write_fif(tmp_path / "a_raw.fif", first=first, annotations=skip, start=start)
    recording = read(path, columns=AXES, via="mne")
    assert lengths(recording, "acc") == [2000, 2000, 4500]
    begins = [s.start_ns - recording.start_ns for s in recording.segments_of("acc")]
    assert begins == [0, 6 * 10**9, 11 * 10**9]


def test_a_break_of_unknown_length_is_refused(tmp_path):
    marks = mne.Annotations([4.0], [0.0], ["EDGE boundary"])
    path = write_fif(tmp_path / "a_raw.fif", annotations=marks)
    with pytest.raises(InputError, match=r"4\.000 s: recording went on after a break"):
        read(path, columns=AXES, via="mne")


VHDR = """Brain Vision Data Exchange Header File Version 1.0

[Common Infos]
Codepage=UTF-8
DataFile=a.eeg
MarkerFile=a.vmrk
DataFormat=BINARY
DataOrientation={orientation}
NumberOfChannels=2
SamplingInterval=1000

[Binary Infos]
BinaryFormat={form}

[Channel Infos]
Ch1=emg_left,,{step},{unit}
Ch2=emg_right,,{step},{unit}
"""
VMRK = """Brain Vision Data Exchange Marker File, Version 1.0

[Common Infos]
Codepage=UTF-8
DataFile=a.eeg

[Marker Infos]
Mk1=New Segment,,1,1,0,20260301221005000000
"""


def write_brainvision(folder, form="INT_16", orientation="MULTIPLEXED", unit="µV", extra=""):
    rng = np.random.default_rng(7)
    counts = rng.normal(0, 100, (2, 20_000)).astype("<i2" if form == "INT_16" else "<f4")
    step = 0.1
    text = VHDR.format(form=form, orientation=orientation, step=step, unit=unit)
    (folder / "a.vhdr").write_text(text, encoding="utf-8")
    (folder / "a.vmrk").write_text(VMRK + extra, encoding="utf-8")
    data = counts.T if orientation == "MULTIPLEXED" else counts
    (folder / "a.eeg").write_bytes(np.ascontiguousarray(data).tobytes())
    return folder / "a.vhdr", counts * step


@pytest.mark.parametrize("form", ["INT_16", "IEEE_FLOAT_32"])
@pytest.mark.parametrize("orientation", ["MULTIPLEXED", "VECTORIZED"])
@pytest.mark.parametrize(("unit", "factor"), [("µV", 1), ("mV", 1e3), ("nV", 1e-3)])
def test_brainvision_is_read_in_microvolts(tmp_path, form, orientation, unit, factor):
    path, values = write_brainvision(tmp_path, form, orientation, unit)
    recording = read(path, zone="Europe/Berlin", via="mne")
    got = content(recording)["emg_right"][0][1][:, 0]
    np.testing.assert_allclose(got, values[1] * factor, rtol=1e-5, atol=1e-6)
    assert recording.start_utc_ns == START_NS
    without = read(path, via="mne")
    assert without.start_utc_ns is None
    assert any("22:10:05 local time; clock times are known with --zone" in note
               for note in main_notes(without.notes))  # fmt: skip


def test_a_second_segment_of_brainvision_is_refused(tmp_path):
    again = "Mk2=New Segment,,5001,1,0,20260301231005000000\n"
    path, _ = write_brainvision(tmp_path, extra=again)
    with pytest.raises(InputError, match="break of unknown length"):
        read(path, via="mne")


def test_the_hash_covers_the_samples(tmp_path):
    path, _ = write_brainvision(tmp_path)
    before = read(path, via="mne").sha256
    data = bytearray((tmp_path / "a.eeg").read_bytes())
    data[5000] ^= 1
    (tmp_path / "a.eeg").write_bytes(data)
    assert read(path, via="mne").sha256 != before


def test_edf_by_mne_equals_edf_by_twitchsense(tmp_path):
    path = EdfFile(digital(signals=2), labels=["emg1", "emg2"], units=[b"uV", b"mV"])
    path = path.write(tmp_path / "a.edf")
    one, two = read(path), read(path, via="mne")
    for name, blocks in content(one).items():
        np.testing.assert_allclose(content(two)[name][0][1], blocks[0][1], rtol=1e-5, atol=1e-4)


def test_edf_of_two_rates_is_not_resampled(tmp_path):
    edfio = pytest.importorskip("edfio")
    emg = edfio.EdfSignal(np.arange(1000.0) % 7, 500, label="emg1", physical_dimension="uV")
    acc = edfio.EdfSignal(np.arange(200.0) % 5, 100, label="acc_x", physical_dimension="g")
    edfio.Edf([emg, acc]).write(tmp_path / "a.edf")
    with pytest.raises(InputError, match=r"resample .* without via='mne'"):
        read(tmp_path / "a.edf", via="mne")
    assert [c.fs for c in read(tmp_path / "a.edf").channels] == [500, 100]


@pytest.mark.parametrize("name", ["a.fif", "a.vhdr", "a.set", "a.gdf", "a.cnt", "a.xyz", "a.edf"])
@pytest.mark.parametrize("data", [b"", b"garbage" * 100, bytes(range(256)) * 8])
@pytest.mark.filterwarnings("ignore")
def test_garbage_is_refused_in_one_line(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        read(tmp_path / name, via="mne")


def test_missing_files_programs_and_mne_are_named(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "a.fif", via="mne")
    write_fif(tmp_path / "a_raw.fif")
    with pytest.raises(InputError, match="'neo' is not known; use one of: mne"):
        read(tmp_path / "a_raw.fif", via="neo")
    monkeypatch.setitem(__import__("sys").modules, "mne", None)
    with pytest.raises(MissingExtraError, match="mne"):
        read(tmp_path / "a_raw.fif", via="mne")


def test_an_object_of_mne_is_read_like_its_file(tmp_path):
    path = write_fif(tmp_path / "a_raw.fif", first=300)
    raw = mne.io.read_raw(path, verbose="error")
    from_file, from_object = (read(data, columns=AXES, via="mne") for data in (path, raw))
    assert (from_object.start_utc_ns, from_object.source) == (from_file.start_utc_ns, "a_raw.fif")
    for name, parts in content(from_file).items():
        np.testing.assert_array_equal(content(from_object)[name][0][1], parts[0][1])


def test_an_object_of_an_edf_file_has_local_time_and_tells_of_resampling(tmp_path):
    edfio = pytest.importorskip("edfio")
    emg = edfio.EdfSignal(np.arange(1000.0) % 7, 500, label="emg1", physical_dimension="uV")
    acc = edfio.EdfSignal(np.arange(200.0) % 5, 100, label="acc_x", physical_dimension="g")
    when = edfio.Recording(startdate=START.date())
    edf = edfio.Edf([emg, acc], recording=when, starttime=datetime.time(22, 10, 5))
    edf.write(tmp_path / "a.edf")
    raw = mne.io.read_raw(tmp_path / "a.edf", verbose="error").pick(["emg1"])
    assert read(raw).start_utc_ns is None
    recording = read(raw, zone="Europe/Berlin")
    assert recording.start_utc_ns == START_NS
    assert any("MNE resampled its slower signals" in note for note in recording.notes)


def test_annotations_of_a_raw_name_its_channels():
    fs = 500.0
    info = mne.create_info(["LAT", "RAT", "C3-A2"], fs, ["emg", "emg", "eeg"])
    rng = np.random.default_rng(3)
    values = rng.normal(0, 3e-6, (3, 20_000))
    for at in (6_000, 12_000):
        values[0, at : at + 25] += 3e-4 * np.hanning(25) * np.sin(np.arange(25) * 1.2)
    raw = mne.io.RawArray(values, info, verbose="error")
    night = ts.analyze(raw)
    assert len(night.events)
    annotations = night.to_annotations()
    assert {name for names in annotations.ch_names for name in names} == {"LAT"}
    raw.set_annotations(annotations)
    np.testing.assert_allclose(raw.annotations.onset, night.events["onset"])
