"""EDF, EDF+ and BDF captures."""

import datetime

import numpy as np
import pytest

from tests.io.builders import assert_same, content, emg, lengths, starts, write
from twitchsense.errors import InputError
from twitchsense.io import read
from twitchsense.model.recording import Recording

edfio = pytest.importorskip("edfio")


def signal(kind, x, fs, label, unit):
    return kind(x, fs, label=label, physical_dimension=unit, physical_range=(-100, 100))


def make(path, extra=(), seconds=30, record_s=None, annotate=False):
    bdf = path.suffix == ".bdf"
    kind = edfio.BdfSignal if bdf else edfio.EdfSignal
    x, a = emg(seconds * 1000), np.linspace(-1, 1, seconds * 100)
    signals = [
        signal(kind, x, 1000, "emg_left", "uV"),
        signal(kind, a, 100, "acc_x", "g"),
        *(signal(kind, x, 1000, *more) for more in extra),
    ]
    file = (edfio.Bdf if bdf else edfio.Edf)(
        signals,
        starttime=datetime.time(22, 10, 5),
        recording=edfio.Recording(startdate=datetime.date(2026, 3, 1)),
        data_record_duration=record_s,
    )
    if annotate:
        file.set_annotations([edfio.EdfAnnotation(1, None, "lights off")])
    file.write(path)
    return path, [s.data for s in signals]


@pytest.mark.parametrize("name", ["a.edf", "a.bdf"])
@pytest.mark.parametrize("annotate", [False, True])
@pytest.mark.parametrize("record_s", [None, 0.5])
def test_values_rates_and_channel_order_are_read(tmp_path, name, annotate, record_s):
    path, (x, a, _) = make(tmp_path / name, [("SpO2", "%")], record_s=record_s, annotate=annotate)
    recording = read(path)
    want = Recording.from_arrays({"emg_left_uv": (x, 1000), "acc_x_g": (a, 100)})
    assert recording.channels == want.channels
    assert recording.channels[0].leg == "left"
    assert recording.start_utc_ns is None
    for name_, of in content(recording).items():
        [(start, samples)] = of
        assert start == 0
        np.testing.assert_allclose(samples, content(want)[name_][0][1], rtol=1e-6, atol=1e-5)
    assert "left out: SpO2" in recording.notes[0]


@pytest.mark.parametrize("annotate", [False, True])
def test_local_start_becomes_utc_with_a_zone(annotate, tmp_path):
    path, _ = make(tmp_path / "a.edf", annotate=annotate)
    recording = read(path, zone="Europe/Berlin")
    assert recording.start_utc_ns == 1_772_399_405_000_000_000
    assert starts(recording, "emg_left") == [0]


def test_block_size_does_not_change_the_recording(tmp_path, monkeypatch):
    path, _ = make(tmp_path / "a.bdf", annotate=True)
    want = read(path)
    monkeypatch.setattr("twitchsense.io.edf.edf.BLOCK_BYTES", 7000)
    assert_same(read(path), want)


def test_edf_and_csv_are_one_recording(tmp_path):
    path, _ = make(tmp_path / "a.edf")
    other = write(tmp_path / "b.csv", {"time_s": np.arange(900) / 1000, "emg_right_uv": emg(900)})
    assert [c.name for c in read(path, other).channels] == ["emg_left", "emg_right", "acc"]


def test_labels_are_mapped_and_units_come_from_the_header(tmp_path):
    extra = [("EMG RAT", "mV"), ("Leg 2", "uV"), ("Leg 3", ""), ("EMG chin", "uV")]
    path, data = make(tmp_path / "a.edf", extra)
    mapping = {
        "EMG RAT": "emg_right",
        "Leg 2": "emg_left_2_uv",
        "Leg 3": "emg3_mv",
        "emg_left": "ignore",
    }
    recording = read(path, columns=mapping)
    assert [c.name for c in recording.channels] == ["emg3", "emg_left_2", "emg_right", "acc"]
    got = content(recording)["emg_right"][0][1][:, 0]
    np.testing.assert_allclose(got, data[2] * 1000, rtol=1e-6, atol=1e-2)
    assert "left out: EMG chin" in recording.notes[0]


@pytest.mark.parametrize(
    ("extra", "mapping", "problem", "cure"),
    [
        ([("emg2", "counts")], {}, "unknown unit 'counts'", "--map 'emg2=emg2_uv'"),
        ([("emg2", "")], {}, "has no unit", "--map 'emg2=emg2_uv'"),
        ([("emg2_mv", "uV")], {}, "is in uV but is named emg2_mv", "--map 'emg2_mv=emg2'"),
        ([("emg2", "nV")], {"emg2": "emg2_uv"}, "is in nV but", "--map 'emg2=emg2'"),
        ([("acc_y", "g")], {}, "different rates", "one rate"),
        ([], {"emg_left": "ignore", "acc_x": "ignore"}, "no signal with a known name", "--map"),
        ([], {"emg9": "emg9_uv"}, "'emg9', which is not", "choose from: emg_left, acc_x"),
    ],
)
def test_unusable_headers_are_refused(tmp_path, extra, mapping, problem, cure):
    path, _ = make(tmp_path / "a.edf", extra)
    with pytest.raises(InputError) as caught:
        read(path, columns=mapping)
    assert "a.edf" in str(caught.value)
    assert problem in caught.value.problem
    assert cure in caught.value.cure


def header_field(path, at, value):
    data = bytearray(path.read_bytes())
    data[at : at + len(value)] = value
    path.write_bytes(data)
    return path


def test_a_file_still_being_written_has_no_count(tmp_path):
    path, _ = make(tmp_path / "a.edf")
    header_field(path, 236, b"-1      ")
    path.write_bytes(path.read_bytes()[:-1000])
    assert lengths(read(path), "emg_left") == [29_000]


def test_a_file_without_records_is_refused(tmp_path):
    path, _ = make(tmp_path / "a.edf")
    size = int(path.read_bytes()[184:192])
    path.write_bytes(path.read_bytes()[:size])
    header_field(path, 236, b"0       ")
    with pytest.raises(InputError, match="no records"):
        read(path)


@pytest.mark.parametrize(
    "data", [b"", b"time_s,emg1_uv\n0,1\n", b"0       " + b"x" * 600, bytes(range(256)) * 20]
)
def test_garbage_is_refused(tmp_path, data):
    path = tmp_path / "a.edf"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.edf"):
        read(path)


def test_an_empty_range_and_an_empty_record_are_refused(tmp_path):
    path, _ = make(tmp_path / "a.edf")
    # digital minimum of the first of two signals
    header_field(path, 256 + 2 * (16 + 80 + 8 + 8 + 8), b"32767   ")
    with pytest.raises(InputError, match="range is empty"):
        read(path)
    path, _ = make(tmp_path / "b.edf")
    header_field(path, 244, b"0       ")
    with pytest.raises(InputError, match=r"b\.edf, header"):
        read(path)


def test_record_onsets_make_gaps(tmp_path):
    path, _ = make(tmp_path / "a.edf", seconds=5, annotate=True)
    data = path.read_bytes()
    assert data.count(b"+3\x14\x14") == 1
    moved = data.replace(b"+3\x14\x14", b"+7\x14\x14").replace(b"+4\x14\x14", b"+8\x14\x14")
    path.write_bytes(moved)
    recording = read(path)
    assert lengths(recording, "emg_left") == [3000, 2000]
    assert starts(recording, "emg_left") == [0, 7 * 10**9]
    path.write_bytes(data.replace(b"+3\x14\x14", b"?3\x14\x14"))
    with pytest.raises(InputError, match="record 4: the record has no onset"):
        read(path)


def test_records_that_run_backwards_are_refused(tmp_path):
    path, _ = make(tmp_path / "a.edf", seconds=5, annotate=True)
    data = path.read_bytes().replace(b"+3\x14\x14", b"+1\x14\x14")
    path.write_bytes(data)
    with pytest.raises(InputError, match="record 4: time runs backwards"):
        read(path)


def test_a_rate_outside_the_range_of_emg_is_refused(tmp_path):
    path, _ = make(tmp_path / "a.edf")
    with pytest.raises(InputError, match=r"signal .*|column acc_x"):
        read(path, columns={"emg_left": "ignore", "acc_x": "emg1_uv"})


def test_a_file_of_annotations_only_is_named(tmp_path):
    path = tmp_path / "hypnogram.edf"
    edfio.Edf([], annotations=[edfio.EdfAnnotation(0, 30, "Sleep stage W")]).write(path)
    with pytest.raises(InputError, match=r"holds annotations only.*hypnogram"):
        read(path)
