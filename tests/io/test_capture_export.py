"""Export to EDF+ and BIDS: values and gaps are kept, and other programs read the files."""

from __future__ import annotations

import numpy as np
import pytest

import twitchsense as ts
from tests.io.builders import assert_same
from tests.nightfile.builders import write_night
from twitchsense.errors import InputError
from twitchsense.io.capture_export import export
from twitchsense.io.edf.edf_write import RecordLayout, choose_records
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
    assert (file.startdate.isoformat(), file.starttime.isoformat()) == ("2026-09-21", "14:13:20")


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
    said = f"{paths[0].name}: 9 samples at the ends of segments do not fill a record"
    assert any(message.startswith(said) for message in caplog.messages)
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


def test_csv_has_the_shortest_numbers_that_are_the_same_samples(tmp_path):
    values = np.array([-0.2, 4.6, 1 / 3, 0.0, 1e-7, 123456.7] * 20, np.float32)
    recording = Recording.from_arrays({"emg1_uv": (values, 1000)})
    (path,) = export(recording, "csv", tmp_path)
    assert path.read_text().splitlines()[1:4] == [
        "0.000000000,-0.2", "0.001000000,4.6", "0.002000000,0.33333334",
    ]  # fmt: skip
    assert_same(ts.read(path), recording)
