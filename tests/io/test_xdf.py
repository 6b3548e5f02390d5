"""XDF files of LabRecorder, written here from the specification, with pyxdf as the oracle."""

import dataclasses
import logging
import struct

import numpy as np
import pytest

from tests.io.builders import content, lengths
from tests.io.xdf_builder import acc_stream, chunk, emg_stream, encode
from twitchsense.errors import InputError
from twitchsense.io import read
from twitchsense.io.xdf import xdf_file
from twitchsense.io.xdf.xdf_clock import OffsetCorrection

#: UTC of the file header, ns.
START_NS = 1_772_399_405_000_000_000


def write(folder, *streams, **options):
    path = folder / "a.xdf"
    path.write_bytes(encode(streams, **options))
    return path


def all_of(recording, name):
    return np.concatenate([x for _, x in content(recording)[name]])


def begins(recording, name):
    return [(s.start_ns - recording.start_ns) / 1e9 for s in recording.segments_of(name)]


# ---- streams and channels --------------------------------------------------------------


@pytest.mark.parametrize("form", ["float32", "double64"])
@pytest.mark.parametrize("stamp_all", [False, True])
def test_emg_and_acceleration_are_found_by_their_description(tmp_path, form, stamp_all):
    emg, acc = (dataclasses.replace(s, form=form, stamp_all=stamp_all)
                for s in (emg_stream(), acc_stream()))  # fmt: skip
    recording = read(write(tmp_path, emg, acc))
    assert [(c.name, c.fs, c.leg) for c in recording.channels] == [
        ("emg1_left", 1000, "left"),
        ("emg2_right", 1000, "right"),
        ("acc", 100, None),
    ]
    np.testing.assert_allclose(all_of(recording, "emg2_right")[:, 0], emg.samples[:, 1], rtol=1e-6)
    np.testing.assert_allclose(all_of(recording, "acc"), acc.samples / 9.80665, rtol=1e-5)
    assert begins(recording, "acc") == pytest.approx([0.2], abs=1e-6)
    assert recording.start_utc_ns == START_NS
    assert any("'TA left' is emg1_left" in note for note in recording.notes)
    assert any("start is that of the file header" in note for note in recording.notes)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("microvolts", 1), ("uV", 1), ("µV", 1), ("millivolts", 1e3), ("volts", 1e6), ("nV", 1e-3)],
)
def test_units_of_the_description_are_used(tmp_path, unit, factor):
    emg = emg_stream(units=[unit] * 2)
    emg.samples /= factor
    recording = read(write(tmp_path, emg))
    np.testing.assert_allclose(
        all_of(recording, "emg1_left")[:, 0], emg.samples[:, 0] * factor, rtol=1e-5, atol=1e-4
    )


@pytest.mark.parametrize("unit", ["", "counts"])
def test_emg_without_a_known_unit_is_refused_with_a_cure_that_works(tmp_path, unit):
    path = write(tmp_path, emg_stream(units=[unit, "uV"]))
    with pytest.raises(InputError, match=r"a\.xdf, signal TA left: has") as caught:
        read(path)
    theirs, ours = caught.value.cure.split("'")[1].split("=")
    assert all_of(read(path, columns={theirs: ours}), ours.removesuffix("_uv")).size


def test_other_types_are_left_out_until_they_are_mapped(tmp_path):
    path = write(tmp_path, emg_stream(kind="EXG", labels=["C3", "C4"]), acc_stream())
    recording = read(path)
    assert [c.name for c in recording.channels] == ["acc"]
    assert "left out: C3, C4" in recording.notes[0]
    mapped = read(path, columns={"C3": "emg_left", "C4": "ignore"})
    assert [c.name for c in mapped.channels] == ["emg_left", "acc"]


def test_streams_without_labels_are_named_by_the_stream(tmp_path):
    emg = emg_stream(labels=[], units=[])
    with pytest.raises(InputError, match=r"columns=\{'Leg 1': 'emg1_uv'\}"):
        read(write(tmp_path, emg))
    recording = read(tmp_path / "a.xdf", columns={"Leg 1": "emg1_mv", "Leg 2": "ignore"})
    assert [c.name for c in recording.channels] == ["emg1"]


def test_labels_that_repeat_carry_the_name_of_their_stream(tmp_path):
    one, two = acc_stream(), acc_stream(number=3)
    two.name = "IMU right"
    recording = read(write(tmp_path, one, two))
    assert [c.name for c in recording.channels] == ["acc1", "acc2_right"]


def test_axes_in_two_streams_are_refused(tmp_path):
    one = acc_stream(labels=["acc_x", "q1", "q2"])
    two = acc_stream(number=3, labels=["q3", "acc_y", "q4"], kind="other")
    with pytest.raises(InputError, match="axes of one accelerometer in different streams"):
        read(write(tmp_path, dataclasses.replace(one, kind="other"), two))


# ---- time ------------------------------------------------------------------------------


@pytest.mark.parametrize("true_fs", [1000.0, 999.7, 1000.31, 1011.0])
@pytest.mark.parametrize("stamp_all", [False, True])
def test_the_true_rate_is_fitted(tmp_path, true_fs, stamp_all):
    emg = emg_stream(60_000, true_fs=true_fs, stamp_all=stamp_all)
    recording = read(write(tmp_path, emg))
    assert lengths(recording, "emg1_left") == [60_000]
    assert recording.channels[0].fs == pytest.approx(true_fs, rel=1e-6)


@pytest.mark.parametrize(
    ("jitter_s", "per_chunk"), [(0.0002, 50), (0.004, 50), (0.02, 100), (0.001, 7), (0.05, 200)]
)
def test_late_packets_move_no_sample_and_make_no_gap(tmp_path, jitter_s, per_chunk):
    emg = emg_stream(60_000, per_chunk=per_chunk)
    late = np.random.default_rng(5).exponential(jitter_s, 60_000 // per_chunk + 1)
    emg.times = emg.times + np.repeat(late, per_chunk)[:60_000]
    recording = read(write(tmp_path, emg))
    assert lengths(recording, "emg1_left") == [60_000]
    assert recording.channels[0].fs == pytest.approx(1000, rel=2e-4)


@pytest.mark.parametrize("stamp_all", [False, True])
@pytest.mark.parametrize(("first", "count"), [(5000, 1000), (10_000, 300), (19_000, 5000)])
def test_lost_samples_are_a_gap_of_their_length(tmp_path, stamp_all, first, count):
    emg = emg_stream(30_000, stamp_all=stamp_all)
    kept = np.r_[0:first, first + count : 30_000]
    emg.samples, emg.times = emg.samples[kept], emg.times[kept]
    recording = read(write(tmp_path, emg))
    assert lengths(recording, "emg1_left") == [first, 30_000 - first - count]
    assert begins(recording, "emg1_left") == pytest.approx([0, (first + count) / 1000], abs=2e-3)
    np.testing.assert_allclose(all_of(recording, "emg1_left")[:, 0], emg.samples[:, 0], rtol=1e-6)


RNG = np.random.default_rng(3)
GRID = np.arange(20_000) / 1000
ONE_IN_TEN = RNG.random(20_000) > 0.1
PACKETS = np.repeat(RNG.random(1000) > 0.1, 20)


@pytest.mark.parametrize("nominal", [0, 1000])
@pytest.mark.parametrize(
    ("times", "segments"),
    [
        (GRID[ONE_IN_TEN], np.count_nonzero(np.diff(GRID[ONE_IN_TEN]) > 0.0015) + 1),
        (np.repeat(GRID[::20], 20)[PACKETS], np.count_nonzero(np.diff(PACKETS) == 1) // 2 + 1),
        (GRID[np.arange(20_000) % 5 != 4], 4000),
        (np.repeat(GRID[::50], 50), 1),
        (np.sort(GRID + RNG.normal(0, 4e-4, 20_000)), 1),
    ],
    ids=["lost", "lost packets", "every fifth lost", "packets", "jitter"],
)
def test_timestamps_of_each_sample_tell_the_rate_and_the_losses(tmp_path, nominal, times, segments):
    emg = emg_stream(len(times), stamp_all=True)
    got = read(write(tmp_path, dataclasses.replace(emg, times=5000 + times, fs=nominal)))
    assert got.channels[0].fs == pytest.approx(1000, rel=1e-5)
    assert len(got.segments_of("emg1_left")) == segments
    np.testing.assert_allclose(all_of(got, "emg1_left")[:, 0], emg.samples[:, 0], rtol=1e-6)


@pytest.mark.parametrize(
    "times",
    [
        np.cumsum(RNG.exponential(0.001, 20_000)),
        np.concatenate([GRID[:10_000], 10 + GRID[:10_000] * 2]),
        np.sort(GRID[ONE_IN_TEN] + RNG.normal(0, 4e-4, ONE_IN_TEN.sum())),
    ],
    ids=["random", "rate that changes", "losses and jitter"],
)
def test_a_stream_without_a_constant_rate_is_refused(tmp_path, times):
    emg = dataclasses.replace(emg_stream(len(times), stamp_all=True), times=5000 + times, fs=0)
    acc = acc_stream()
    with pytest.raises(InputError, match=r"stream 'Leg': its samples have no constant rate"):
        read(write(tmp_path, emg, acc))
    ignored = {"TA left": "ignore", "TA right": "ignore"}
    assert [c.name for c in read(tmp_path / "a.xdf", columns=ignored).channels] == ["acc"]


def test_packets_that_tell_no_rate_are_read_with_the_stated_one(tmp_path):
    times = np.maximum.accumulate(GRID[::20] + RNG.exponential(0.02, 1000))
    emg = emg_stream(stamp_all=True)
    emg = dataclasses.replace(emg, times=5000 + np.repeat(times, 20), fs=0)
    with pytest.raises(InputError, match=r"stream 'Leg': several rows have one time.*fs"):
        read(write(tmp_path, emg))
    assert read(tmp_path / "a.xdf", fs=1000).channels[0].fs == pytest.approx(1000, rel=1e-3)


def test_a_rate_other_than_the_stated_one_is_noted(tmp_path):
    got = read(write(tmp_path, dataclasses.replace(emg_stream(stamp_all=True), fs=500)))
    assert got.channels[0].fs == 1000
    assert any("states 500 Hz, but its timestamps are those of 1000 Hz" in n for n in got.notes)


def offsets_of(start, seconds, offset, drift=0.0, noise=1e-4, seed=1):
    rng = np.random.default_rng(seed)
    times = start + np.arange(0, seconds, 5.0)
    return [(t, offset + drift * (t - start) + rng.normal(0, noise)) for t in times]


@pytest.mark.parametrize(
    ("offset", "drift"), [(1234.5, 0), (-800.25, 0), (0, 50e-6), (37, -200e-6), (1e6, 1e-5)]
)
def test_clock_offsets_bring_streams_together(tmp_path, offset, drift):
    emg = emg_stream(60_000, start=5000.0)
    theirs = acc_stream(6000, start=5000.0)
    theirs.times = 5000.0 - offset + (np.arange(6000) / 100) * (1 - drift)
    theirs.offsets = offsets_of(5000.0 - offset, 60, offset, drift)
    recording = read(write(tmp_path, emg, theirs))
    (at,) = begins(recording, "acc")
    assert at == pytest.approx(0, abs=1e-3)
    assert recording.channel("acc").fs == pytest.approx(100, rel=2e-5)


def test_a_clock_that_was_set_anew_is_a_gap(tmp_path):
    n = 6000
    acc = acc_stream(2 * n, start=5000.0)
    acc.times = np.concatenate([5000 + np.arange(n) / 100, 20 + np.arange(n) / 100])
    acc.offsets = offsets_of(5000.0, 60, 0.0) + offsets_of(20.0, 60, 5050.0)
    data = encode([dataclasses.replace(acc, offsets=[])])
    path = tmp_path / "a.xdf"
    # in the order of recording, which a sort by the stream's own clock would lose
    parts = [p for _, p in acc.chunks()]
    count = len(acc.offsets)
    body = b"".join(parts[: count // 2] + parts[count : count + n // 50])
    body += b"".join(parts[count // 2 : count] + parts[count + n // 50 :])
    head = data[: data.index(acc.header()) + len(acc.header())]
    path.write_bytes(head + body)
    recording = read(path)
    assert lengths(recording, "acc") == [n, n]
    assert begins(recording, "acc") == pytest.approx([0, 70], abs=5e-3)
    path.write_bytes(head + b"".join(parts[count:]))
    with pytest.raises(InputError, match=r"stream 'IMU', after 59\.5 s: time runs backwards"):
        read(path)


def test_outliers_among_clock_offsets_do_not_matter():
    times = np.arange(0, 600, 5.0)
    offsets = 3.0 + 1e-5 * times
    disturbed = offsets.copy()
    disturbed[[3, 50, 51, 100]] += [0.4, 0.2, 0.3, -0.5]
    correct = OffsetCorrection(times.tolist(), disturbed.tolist())
    np.testing.assert_allclose(correct(times), times + offsets, atol=1e-3)


@pytest.mark.parametrize("recorded", ["", "yesterday", "2026-03-01T22:10:05"])
def test_a_start_without_a_zone_takes_the_zone_or_none(tmp_path, recorded):
    path = write(tmp_path, emg_stream(), recorded=recorded)
    assert read(path).start_utc_ns is None
    wanted = START_NS if recorded.startswith("2026") else None
    assert read(path, zone="Europe/Berlin").start_utc_ns == wanted


# ---- other readers, damage -------------------------------------------------------------


@pytest.mark.parametrize("form", ["float32", "double64", "int16", "int32"])
@pytest.mark.parametrize("stamp_all", [False, True])
def test_pyxdf_reads_equal_samples_and_times(tmp_path, form, stamp_all):
    pyxdf = pytest.importorskip("pyxdf")
    logging.getLogger("pyxdf").setLevel(logging.ERROR)
    emg = emg_stream(form=form, stamp_all=stamp_all, offsets=offsets_of(5000.0, 20, 0.25, noise=0))
    path = write(tmp_path, emg)
    (stream,), _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    recording = read(path)
    got = all_of(recording, "emg1_left")[:, 0]
    np.testing.assert_allclose(got, stream["time_series"][:, 0], rtol=1e-6)
    times = np.asarray(stream["time_stamps"])
    ours = np.arange(len(got)) / recording.channels[0].fs
    np.testing.assert_allclose(ours, times - times[0], atol=1e-5)


@pytest.mark.parametrize("block", [70, 999, 4096])
def test_block_size_does_not_change_the_recording(tmp_path, monkeypatch, block):
    path = write(tmp_path, emg_stream(stamp_all=True), acc_stream())
    want = content(read(path))
    monkeypatch.setattr(xdf_file, "BLOCK_BYTES", block)
    got = content(read(path))
    for name in want:
        np.testing.assert_array_equal(got[name][0][1], want[name][0][1])


@pytest.mark.parametrize("cut", [1, 100, 5000, 100_000])
def test_a_file_that_was_cut_is_read_to_its_last_whole_chunk(tmp_path, cut):
    path = write(tmp_path, emg_stream())
    path.write_bytes(path.read_bytes()[:-cut])
    recording = read(path)
    assert lengths(recording, "emg1_left")[0] >= 20_000 - cut // 9 - 100
    if cut > 100:
        assert any("damaged at 1 places" in note for note in recording.notes)


def test_reading_goes_on_at_the_next_boundary_after_damage(tmp_path):
    path = write(tmp_path, emg_stream())
    data = bytearray(path.read_bytes())
    at = data.index(chunk(3, b"")[-2:] + struct.pack("<IB", 1, 4), 60_000)
    data[at - 6 : at] = b"\xff" * 6
    path.write_bytes(data)
    recording = read(path)
    counts = lengths(recording, "emg1_left")
    assert len(counts) == 2
    assert 20_000 - 21 * 50 <= sum(counts) < 20_000


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not an XDF file"),
        (b"XDF", "not an XDF file"),
        (b"XDF:", "no stream of numbers"),
        (b"XDF:" + b"\xff" * 500, "no stream of numbers"),
        (encode([]), "no stream of numbers"),
        (encode([emg_stream(0)]), "hold no samples"),
        (encode([dataclasses.replace(emg_stream(), times=np.full(20_000, np.inf))]), "usable time"),
    ],
)
def test_files_without_samples_are_refused(tmp_path, data, problem):
    (tmp_path / "a.xdf").write_bytes(data)
    with pytest.raises(InputError, match=problem):
        read(tmp_path / "a.xdf")
