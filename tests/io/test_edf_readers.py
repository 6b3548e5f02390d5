"""Exported EDF in other programs: equal start, rate and values at any crystal's rate."""

import datetime
import logging

import numpy as np
import pytest

import twitchsense as ts
from tests.io.builders import content
from twitchsense.errors import InputError
from twitchsense.io.capture_export import export
from twitchsense.io.edf.edf_write import choose_records
from twitchsense.model.channels import ArraySamples, Channel, Segment
from twitchsense.model.recording import Recording

#: 22:00 in Berlin.
START = datetime.datetime(2026, 7, 1, 20, tzinfo=datetime.UTC)
#: Rates as crystals give them, and rates on no grid of decimals.
RATES = [1000.0, 999.97, 500.0123, 1000.02, 1259.259259, 333.3333333, 2148.1481, 256.0051, 4000.11]


def recording_at(fs, n=20_000, start=START, zone="Europe/Berlin", shift_ns=0, unit="uV"):
    kind = "emg" if unit == "uV" else "acc"
    name, column = ("emg1", "emg1_uv") if kind == "emg" else ("acc", "acc_x_g")
    samples = np.random.default_rng(8).normal(0, 12, (n, 1)).astype(np.float32)
    channel = Channel(name, kind, unit, fs, (column,))
    utc_ns = None if start is None else round(start.timestamp()) * 10**9
    return Recording((channel,), (Segment(name, shift_ns, ArraySamples(samples)),), utc_ns, zone)


def samples_of(recording):
    ((_, [(_, samples)]),) = content(recording).items()
    return samples[:, 0]


def exported(recording, folder):
    (path,) = export(recording, "edf", folder)
    return path, samples_of(recording)


def tolerance(samples):
    return float(np.abs(samples).max()) / 32767


@pytest.mark.parametrize("fs", RATES)
def test_edflib_reads_equal_start_rate_and_values(tmp_path, fs):
    pyedflib = pytest.importorskip("pyedflib")
    path, samples = exported(recording_at(fs), tmp_path)
    with pyedflib.EdfReader(str(path)) as file:
        values = file.readSignal(0)
        assert file.getStartdatetime() == datetime.datetime(2026, 7, 1, 22)
        assert file.getSampleFrequency(0) == pytest.approx(fs, rel=1e-6)
        assert file.getLabel(0) == "emg1_uv"
        assert file.getPhysicalDimension(0) == "uV"
        drift_s = file.file_duration - len(values) / fs
    assert abs(drift_s) <= 1.0  # EDFlib gives whole seconds
    assert len(samples) - len(values) < 30
    np.testing.assert_allclose(values, samples[: len(values)], atol=tolerance(samples))


@pytest.mark.parametrize("fs", RATES)
def test_edfio_reads_equal_start_rate_and_values(tmp_path, fs):
    edfio = pytest.importorskip("edfio")
    path, samples = exported(recording_at(fs), tmp_path)
    file = edfio.read_edf(path)
    (signal,) = file.signals
    start = datetime.datetime.combine(file.startdate, file.starttime)
    assert start == datetime.datetime(2026, 7, 1, 22)
    assert signal.sampling_frequency == pytest.approx(fs, rel=1e-6)
    np.testing.assert_allclose(signal.data, samples[: len(signal.data)], atol=tolerance(samples))


@pytest.mark.parametrize("fs", RATES)
@pytest.mark.filterwarnings("ignore:.*lazy_loader.*")
def test_mne_reads_equal_start_rate_and_values(tmp_path, fs):
    mne = pytest.importorskip("mne")
    path, samples = exported(recording_at(fs), tmp_path)
    raw = mne.io.read_raw_edf(path, verbose="error")
    # MNE takes the local time of EDF for UTC (docs/captures.md)
    assert raw.info["meas_date"] == datetime.datetime(2026, 7, 1, 22, tzinfo=datetime.UTC)
    assert raw.info["sfreq"] == pytest.approx(fs, rel=1e-6)
    values = raw.get_data()[0] * 1e6
    np.testing.assert_allclose(values, samples[: len(values)], atol=tolerance(samples))


@pytest.mark.parametrize("fs", RATES)
def test_twitchsense_reads_equal_start_rate_and_values(tmp_path, fs):
    path, samples = exported(recording_at(fs), tmp_path)
    recording = ts.read(path)
    assert recording.start_utc_ns == START.timestamp() * 1e9
    assert recording.channels[0].fs == pytest.approx(fs, rel=1e-6)
    back = samples_of(recording)
    np.testing.assert_allclose(back, samples[: len(back)], atol=tolerance(samples))


@pytest.mark.parametrize("fs", RATES)
@pytest.mark.parametrize("hours", [1, 8, 24])
def test_a_night_drifts_by_less_than_two_milliseconds(fs, hours):
    n = round(fs * 3600 * hours)
    layout = choose_records([n], fs)
    rate = layout.size / (layout.duration_us / 1e6)
    assert abs(n / rate - n / fs) <= 0.002
    assert n % layout.size < fs


@pytest.mark.parametrize(
    ("shift_ns", "second", "fraction"),
    [
        (-502, 0, 0.0),
        (-90_000, 0, 0.0),
        (0, 0, 0.0),
        (250_000_000, 0, 0.25),
        (999_999_950, 1, 0.0),
        (-200_000_000, 59, 0.8),
        (30_123_456_700, 30, 0.1234567),
    ],
)
def test_the_start_is_rounded_before_it_is_cut_to_seconds(tmp_path, shift_ns, second, fraction):
    pyedflib = pytest.importorskip("pyedflib")
    path, _ = exported(recording_at(999.97, shift_ns=shift_ns), tmp_path)
    with pyedflib.EdfReader(str(path)) as file:
        assert file.getStartdatetime().second == second
        assert file.starttime_subsecond / 1e7 == pytest.approx(fraction, abs=1e-7)
    back = ts.read(path)
    assert abs(back.start_utc_ns + back.segments[0].start_ns
               - START.timestamp() * 1e9 - shift_ns) <= 100_000  # fmt: skip


# ---- local time ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "header"),
    [
        (None, b"01.07.2620.00.00"),
        ("UTC", b"01.07.2620.00.00"),
        ("Europe/Berlin", b"01.07.2622.00.00"),
        ("America/New_York", b"01.07.2616.00.00"),
        ("Asia/Kathmandu", b"02.07.2601.45.00"),
        ("Pacific/Auckland", b"02.07.2608.00.00"),
    ],
)
@pytest.mark.parametrize("reader_zone", [None, "Europe/Berlin", "Asia/Tokyo"])
def test_the_header_holds_local_time_and_reading_needs_no_zone(
    tmp_path, caplog, zone, header, reader_zone
):
    path, _ = exported(recording_at(1000.0, zone=zone), tmp_path)
    assert path.read_bytes()[168:184] == header
    assert ("begins in UTC; give --zone" in caplog.text) == (zone is None)
    assert ts.read(path, zone=reader_zone).start_utc_ns == START.timestamp() * 1e9


@pytest.mark.parametrize("fold", [0, 1])
def test_the_hour_that_occurs_twice_is_kept_apart(tmp_path, fold):
    start = datetime.datetime(2026, 10, 25, fold, 30, tzinfo=datetime.UTC)  # 02:30 in Berlin
    path, _ = exported(recording_at(1000.0, start=start), tmp_path)
    assert path.read_bytes()[176:184] == b"02.30.00"
    assert ts.read(path, zone="Europe/Berlin").start_utc_ns == start.timestamp() * 1e9


def test_a_recording_without_clock_time_has_an_anonymous_start(tmp_path, caplog):
    path, _ = exported(recording_at(1000.0, start=None, zone=None), tmp_path)
    assert path.read_bytes()[88:104].startswith(b"Startdate X X")
    assert caplog.text == ""
    assert ts.read(path).start_utc_ns is None


# ---- names -----------------------------------------------------------------------------


def test_a_long_name_loses_its_unit_but_no_letter(tmp_path):
    samples = np.random.default_rng(1).normal(0, 5, 4000)
    recording = Recording.from_arrays({"emg_left_tibial_uv": (samples, 1000.0)})
    (path,) = export(recording, "edf", tmp_path)
    assert [c.columns for c in ts.read(path).channels] == [("emg_left_tibial_uv",)]


@pytest.mark.parametrize("name", ["emg_left_tibialis_anterior_uv", "emg_größe_uv"])
def test_a_name_without_room_in_edf_is_refused_and_leaves_nothing(tmp_path, name):
    recording = Recording.from_arrays({name: (np.arange(4000.0) % 7, 1000.0)})
    with pytest.raises(InputError, match="16 plain letters"):
        export(recording, "edf", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_gaps_are_separate_records_that_begin_after_each_other(tmp_path, caplog):
    caplog.set_level(logging.ERROR)
    fs, rng = 999.97, np.random.default_rng(2)
    channel = Channel("emg1", "emg", "uV", fs, ("emg1_uv",))
    segments, at = [], 0
    for n in (5000, 4000, 7000):
        x = rng.normal(0, 10, (n, 1)).astype(np.float32)
        segments.append(Segment("emg1", at, ArraySamples(x)))
        at += round(n * 1e9 / fs) + 12_000_000
    (path,) = export(Recording((channel,), tuple(segments)), "edf", tmp_path)
    back = ts.read(path)
    begins = [s.start_ns for s in back.segments]
    assert np.allclose(begins, [s.start_ns for s in segments], atol=3e5)
