"""Axivity, GENEActiv and ActiGraph files, written here from the public format descriptions."""

import zipfile

import numpy as np
import pytest

from tests.io.actigraphy_builder import (
    START,
    TICKS,
    gt3x_info,
    gt3x_log,
    gt3x_parameters,
    gt3x_record,
    motion,
    pack_12_bits,
    write_cwa,
    write_geneactiv,
    write_gt3x,
)
from tests.io.builders import content, lengths
from twitchsense.errors import InputError
from twitchsense.io import read

#: UTC of START in Berlin, ns.
START_NS = 1_772_399_405_000_000_000


def samples_of(recording, name="acc"):
    return [x for _, x in content(recording)[name]]


def begins(recording, name="acc"):
    return [(s.start_ns - recording.start_ns) / 1e9 for s in recording.segments_of(name)]


# ---- Axivity ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 6000),
        ({"packed": False}, 6000),
        ({"packed": False, "axes": 6, "scale": 3}, 6000),
        ({"packed": False, "axes": 9, "scale": 2}, 5980),
        ({"true_hz": 98.87}, 6000),
        ({"true_hz": 101.3, "packed": False}, 6000),
    ],
)
def test_axivity_values_and_the_true_rate_are_read(tmp_path, options, count):
    stored = write_cwa(tmp_path / "a.cwa", motion(6000), **options)
    recording = read(tmp_path / "a.cwa")
    (samples,) = samples_of(recording)
    assert len(samples) == count
    np.testing.assert_allclose(samples, np.concatenate(stored), atol=1e-6)
    assert recording.channels[0].columns == ("acc_x_g", "acc_y_g", "acc_z_g")
    assert recording.channels[0].fs == pytest.approx(options.get("true_hz", 100), rel=1e-4)
    assert "begins at 2026-03-01 22:10:05" in recording.notes[0]
    assert "--zone" in recording.notes[0].cure


def test_axivity_samples_of_every_exponent_are_read(tmp_path):
    g = motion(1200, limit=15.9) * np.repeat([0.01, 1, 4, 15], 300)[:, None]
    stored = write_cwa(tmp_path / "a.cwa", np.clip(g, -15.9, 15.9))
    (samples,) = samples_of(read(tmp_path / "a.cwa"))
    np.testing.assert_allclose(samples, np.concatenate(stored), atol=1e-6)
    assert np.abs(samples).max() > 8


@pytest.mark.parametrize("skip", [(10,), (0,), (10, 11, 12), (5, 20, 21), (1, 48)])
def test_axivity_sectors_that_are_missing_or_damaged_are_gaps(tmp_path, skip):
    stored = write_cwa(tmp_path / "a.cwa", motion(6000), skip=skip)
    recording = read(tmp_path / "a.cwa", zone="Europe/Berlin")
    np.testing.assert_allclose(
        np.concatenate(samples_of(recording)),
        np.concatenate([x for i, x in enumerate(stored) if i not in skip]),
        atol=1e-6,
    )
    write_cwa(tmp_path / "b.cwa", motion(6000))
    data = bytearray((tmp_path / "b.cwa").read_bytes())
    for number in skip:
        data[1024 + 512 * number + 100] ^= 0x55
    (tmp_path / "b.cwa").write_bytes(data)
    damaged = read(tmp_path / "b.cwa", zone="Europe/Berlin")
    assert lengths(damaged, "acc") == lengths(recording, "acc")
    assert begins(damaged) == pytest.approx(begins(recording), abs=1e-3)
    assert f"{len(skip)} damaged, empty or repeated sectors" in damaged.notes[0]


@pytest.mark.parametrize("true_hz", [100.0, 99.2])
def test_axivity_times_to_the_second_give_the_true_rate(tmp_path, true_hz):
    write_cwa(tmp_path / "a.cwa", motion(30_000), fractional=False, true_hz=true_hz)
    recording = read(tmp_path / "a.cwa", zone="Europe/Berlin")
    assert lengths(recording, "acc") == [30_000]
    assert recording.channels[0].fs == pytest.approx(true_hz, rel=5e-3)
    assert any("whole seconds only" in note for note in recording.notes)


@pytest.mark.parametrize("change", ["missing", "repeated", "swapped"])
def test_axivity_sectors_without_fractions_are_placed_by_their_sequence(tmp_path, change):
    stored = write_cwa(tmp_path / "a.cwa", motion(30_000), fractional=False)
    data = (tmp_path / "a.cwa").read_bytes()
    sectors = [data[i : i + 512] for i in range(1024, len(data), 512)]
    lost = {4, 50, 51, 120, 200} if change == "missing" else set()
    order = [i for i in range(len(sectors)) if i not in lost]
    if change == "repeated":
        order = [*order[:61], 60, *order[61:]]
    elif change == "swapped":
        order[60:62] = [61, 60]
    (tmp_path / "a.cwa").write_bytes(data[:1024] + b"".join(sectors[i] for i in order))
    got = read(tmp_path / "a.cwa", zone="Europe/Berlin")
    assert got.channels[0].fs == pytest.approx(100, rel=1e-3)
    assert len(got.segments) == (5 if lost else 1)
    kept = np.concatenate([x for i, x in enumerate(stored) if i not in lost])
    np.testing.assert_allclose(np.concatenate(samples_of(got)), kept, atol=1e-6)
    truth = [0.0, 6.0, 62.4, 145.2, 241.2]
    assert begins(got) == pytest.approx(truth[: len(got.segments)], abs=0.02)


def test_axivity_start_is_placed_by_the_zone(tmp_path):
    write_cwa(tmp_path / "a.cwa", motion(6000))
    recording = read(tmp_path / "a.cwa", zone="Europe/Berlin")
    assert recording.start_utc_ns == pytest.approx(START_NS, abs=2e6)
    assert read(tmp_path / "a.cwa").start_utc_ns is None


def test_axivity_clock_that_jumps_back_is_refused_with_its_sector(tmp_path):
    starts = [i * 1.2 - (30 if i >= 20 else 0) for i in range(50)]
    write_cwa(tmp_path / "a.cwa", motion(6000), starts=starts)
    with pytest.raises(InputError, match=r"a\.cwa, sector 21: time runs backwards"):
        read(tmp_path / "a.cwa")


def test_axivity_rate_that_changes_is_refused_with_its_sector(tmp_path):
    write_cwa(tmp_path / "a.cwa", motion(1200))
    data = (tmp_path / "a.cwa").read_bytes()
    write_cwa(tmp_path / "b.cwa", motion(1200), rate=0x49)
    (tmp_path / "a.cwa").write_bytes(data + (tmp_path / "b.cwa").read_bytes()[1024:])
    with pytest.raises(InputError, match=r"a\.cwa, sector 11: the rate or range"):
        read(tmp_path / "a.cwa")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not an Axivity file"),
        (b"time_s,acc_x_g\n0,1\n", "not an Axivity file"),
        (b"MD" + bytes(1022), "no samples"),
        (b"MD" + bytes(5000), "no samples"),
    ],
)
def test_axivity_garbage_is_refused(tmp_path, data, problem):
    (tmp_path / "a.cwa").write_bytes(data)
    with pytest.raises(InputError, match=problem):
        read(tmp_path / "a.cwa")


def test_axes_are_renamed_by_the_mapping(tmp_path):
    write_cwa(tmp_path / "a.cwa", motion(1200))
    names = {f"acc_{a}": f"acc_left_{a}" for a in "xyz"}
    assert read(tmp_path / "a.cwa", columns=names).channels[0].leg == "left"
    with pytest.raises(InputError, match="choose from: acc_x, acc_y, acc_z"):
        read(tmp_path / "a.cwa", columns={"x": "acc_x_g"})


# ---- GENEActiv -------------------------------------------------------------------------


@pytest.mark.parametrize("fs", ["100.0", "85.7", "40.0", "75.0"])
@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_geneactiv_values_rate_and_utc_are_read(tmp_path, fs, newline):
    stored = write_geneactiv(tmp_path / "a.bin", motion(6000), fs=fs, newline=newline)
    recording = read(tmp_path / "a.bin")
    (samples,) = samples_of(recording)
    np.testing.assert_allclose(samples, np.concatenate(stored), atol=1e-6)
    assert recording.channels[0].fs == pytest.approx(float(fs), rel=1e-4)
    assert recording.start_utc_ns == pytest.approx(START_NS, abs=5e5)  # times in ms


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("GMT +01:00", 1), ("GMT -05:00", -5), ("GMT +05:30", 5.5), ("GMT+00:00", 0)],
)
def test_geneactiv_offset_from_utc_is_used(tmp_path, zone, hours):
    write_geneactiv(tmp_path / "a.bin", motion(900), zone=zone)
    want = START_NS + (1 - hours) * 3600e9
    assert read(tmp_path / "a.bin", zone="Asia/Tokyo").start_utc_ns == want


def test_geneactiv_without_an_offset_takes_the_zone(tmp_path):
    write_geneactiv(tmp_path / "a.bin", motion(900), zone="")
    assert read(tmp_path / "a.bin", zone="Europe/Berlin").start_utc_ns == START_NS
    assert read(tmp_path / "a.bin").start_utc_ns is None


@pytest.mark.parametrize("skip", [(5,), (0,), (7, 8), (3, 12), (18,)])
def test_geneactiv_pages_that_are_missing_or_damaged_are_gaps(tmp_path, skip):
    stored = write_geneactiv(tmp_path / "a.bin", motion(6000), skip=skip)
    recording = read(tmp_path / "a.bin")
    want = np.concatenate([x for i, x in enumerate(stored) if i not in skip])
    np.testing.assert_allclose(np.concatenate(samples_of(recording)), want, atol=1e-6)
    write_geneactiv(tmp_path / "b.bin", motion(6000))
    lines = (tmp_path / "b.bin").read_bytes().split(b"\r\n")
    pages = [i for i, line in enumerate(lines) if line == b"Recorded Data"]
    for number in skip:
        lines[pages[number] + 9] = lines[pages[number] + 9].replace(b"0", b"?")
    (tmp_path / "b.bin").write_bytes(b"\r\n".join(lines))
    damaged = read(tmp_path / "b.bin")
    assert lengths(damaged, "acc") == lengths(recording, "acc")
    assert f"{len(skip)} damaged pages" in damaged.notes[0]


def test_geneactiv_page_that_lost_digits_is_a_gap(tmp_path):
    write_geneactiv(tmp_path / "a.bin", motion(1500))
    data = (tmp_path / "a.bin").read_bytes()
    at = data.index(b"Sequence Number:2") + 2000  # among the digits of the third page
    (tmp_path / "a.bin").write_bytes(data[:at] + data[at + 17 :])
    got = read(tmp_path / "a.bin")
    assert lengths(got, "acc") == [600, 600]
    assert "1 damaged pages" in got.notes[0]


def test_geneactiv_page_that_was_cut_keeps_its_whole_samples(tmp_path):
    stored = write_geneactiv(tmp_path / "a.bin", motion(900))
    (tmp_path / "a.bin").write_bytes((tmp_path / "a.bin").read_bytes()[:-1207])
    (samples,) = samples_of(read(tmp_path / "a.bin"))
    assert len(samples) == 799
    np.testing.assert_allclose(samples, np.concatenate(stored)[:799], atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b"Device Identity", b"Something else", "not a GENEActiv file"),
        (b"x gain:25875", b"x gain:", "no 'x gain'"),
        (b"z offset:-3056", b"w offset:1", "no 'z offset'"),
        (b"y gain:25734", b"y gain:0", "gain of the calibration is 0"),
        (b"Recorded Data", b"Recorded", "no samples"),
    ],
)
def test_geneactiv_damage_is_refused(tmp_path, old, new, problem):
    write_geneactiv(tmp_path / "a.bin", motion(900))
    (tmp_path / "a.bin").write_bytes((tmp_path / "a.bin").read_bytes().replace(old, new))
    with pytest.raises(InputError, match=problem):
        read(tmp_path / "a.bin")


# ---- ActiGraph -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [0, 26])
@pytest.mark.parametrize("fs", [30, 100, 75])
def test_actigraph_values_rate_and_utc_are_read(tmp_path, kind, fs):
    log, stored = gt3x_log(motion(60 * fs), fs, kind=kind)
    path = write_gt3x(tmp_path / "a.gt3x", {"info.txt": gt3x_info(fs), "log.bin": log})
    recording = read(path)
    (samples,) = samples_of(recording)
    np.testing.assert_allclose(samples, np.concatenate(stored), atol=1e-6)
    assert recording.channels[0].fs == fs
    assert recording.start_utc_ns == START_NS
    assert recording.notes == ()


@pytest.mark.parametrize("kind", [0, 26])
@pytest.mark.parametrize("skip", [(10,), (10, 11, 12), (3, 40), (0, 1), (58, 59)])
def test_actigraph_idle_sleep_is_a_gap(tmp_path, kind, skip):
    log, stored = gt3x_log(motion(6000), 100, kind=kind, skip=skip)
    path = write_gt3x(tmp_path / "a.gt3x", {"info.txt": gt3x_info(100), "log.bin": log})
    recording = read(path)
    want = np.concatenate([x for i, x in enumerate(stored) if i not in skip])
    np.testing.assert_allclose(np.concatenate(samples_of(recording)), want, atol=1e-6)
    missing = recording.end_ns - recording.start_ns - len(want) * 10**7
    inside = [i for i in skip if 0 < i < 58 and i != 1]
    assert missing == len(inside) * 10**9


@pytest.mark.parametrize(
    ("info", "before", "units"),
    [
        ({"scale": "341.0"}, b"", 341),
        ({"scale": "256,0"}, b"", 256),
        ({"scale": None, "serial": "NEO1A"}, b"", 341),
        ({"scale": None, "serial": "MOS2D"}, b"", 256),
        ({"scale": "256.0"}, gt3x_parameters(341.0), 341),
    ],
)
def test_actigraph_scale_is_found(tmp_path, info, before, units):
    log, stored = gt3x_log(motion(900), 30, kind=0, units=units, before=before)
    path = write_gt3x(tmp_path / "a.gt3x", {"info.txt": gt3x_info(30, **info), "log.bin": log})
    (samples,) = samples_of(read(path))
    np.testing.assert_allclose(samples, np.concatenate(stored), atol=1e-4)


def test_actigraph_stream_of_older_devices_is_read(tmp_path):
    counts = np.rint(motion(1003) * 341).astype(int)
    info = gt3x_info(30, scale=None, serial="NEO1C0411")
    path = write_gt3x(tmp_path / "a.gt3x", {"info.txt": info, "activity.bin": pack_12_bits(counts)})
    recording = read(path)
    (samples,) = samples_of(recording)
    np.testing.assert_allclose(samples, counts / 341, atol=1e-6)
    assert recording.start_utc_ns == START_NS


def test_actigraph_clock_in_utc_is_not_shifted(tmp_path):
    meta = gt3x_record(6, -5, b'{"UsedUtc":true,"UtcOffset":"+01:00:00"}')
    log, _ = gt3x_log(motion(900), 30, before=meta)
    path = write_gt3x(tmp_path / "a.gt3x", {"info.txt": gt3x_info(30), "log.bin": log})
    assert read(path).start_utc_ns == START_NS + 3600 * 10**9


@pytest.mark.parametrize("at", [500, 5000, 9000])
@pytest.mark.parametrize("junk", [b"", b"\x1e\x1a\0\0\0\0\x10", b"\x1e" * 40, bytes(700)])
def test_actigraph_damage_costs_its_record_only(tmp_path, at, junk):
    log, _ = gt3x_log(motion(6000), 100)
    damaged = log[:at] + junk + log[at + 20 :]
    path = write_gt3x(tmp_path / "a.gt3x", {"info.txt": gt3x_info(100), "log.bin": damaged})
    recording = read(path)
    assert sum(lengths(recording, "acc")) in (5800, 5900)
    assert "damaged at 1 places" in recording.notes[0]


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"log.bin": b""}, "not an ActiGraph file"),
        ({"info.txt": gt3x_info(30)}, "neither log.bin nor activity.bin"),
        ({"info.txt": "Sample Rate: many", "log.bin": b""}, "no number 'Sample Rate'"),
        ({"info.txt": gt3x_info(99999), "log.bin": b""}, "a rate of"),
        ({"info.txt": gt3x_info(30), "log.bin": gt3x_record(2, 0, b"12")}, "no raw acceleration"),
        (
            {
                "info.txt": gt3x_info(30, scale=None, serial="XYZ"),
                "log.bin": gt3x_log(motion(60), 30)[0],
            },
            "serial number 'XYZ'",
        ),
    ],
)
def test_actigraph_archives_without_samples_are_refused(tmp_path, files, problem):
    path = write_gt3x(tmp_path / "a.gt3x", files)
    with pytest.raises(InputError, match=problem):
        read(path)


@pytest.mark.parametrize("kind", [0, 26])
@pytest.mark.parametrize("share", [0.3, 0.97])
def test_a_cut_actigraph_archive_is_read_as_far_as_it_goes(tmp_path, kind, share):
    g = motion(120 * 30)
    log, kept = gt3x_log(g, 30, kind=kind)
    stop = f"Last Sample Time: {TICKS + 120 * 10**7}\r\n"
    path = write_gt3x(tmp_path / "a.gt3x", {"info.txt": gt3x_info(30) + stop, "log.bin": log})
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    got = read(path)
    ((start, x),) = content(got)["acc"]
    np.testing.assert_allclose(x, np.concatenate(kept)[: len(x)], atol=1e-6)
    assert 0.8 * share < len(x) / len(g) < 1
    missing_h = 120 / 3600 - len(x) / 30 / 3600
    (note,) = [n for n in got.notes if "cut" in n]
    assert f"{missing_h:.2f} h are missing" in note
    path.write_bytes(data[: len(data) // 2].replace(b"info.txt", b"other.tx"))
    with pytest.raises(InputError, match="download it from the device again"):
        read(path)


def test_cut_files_of_other_accelerometers_are_read_with_a_note(tmp_path):
    write_cwa(tmp_path / "a.cwa", motion(2400))
    write_geneactiv(tmp_path / "a.bin", motion(1200))
    for name, note in (("a.cwa", "cut within a sector"), ("a.bin", "of 4 pages, 3 are in it")):
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:-5700])
        assert any(note in n for n in read(path).notes)


def test_actigraph_files_that_are_no_archive_are_refused(tmp_path):
    path = tmp_path / "a.gt3x"
    for data in (b"", b"PK\3\4garbage", bytes(range(256)) * 20):
        path.write_bytes(data)
        with pytest.raises(InputError, match="not an ActiGraph file"):
            read(path)
    log, _ = gt3x_log(motion(3000), 30)
    write_gt3x(path, {"info.txt": gt3x_info(30), "log.bin": log})
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("log.bin").header_offset + 100
    data[at : at + 40] = bytes(40)
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        read(path)


def test_several_days_are_one_recording(tmp_path):
    write_cwa(tmp_path / "1.cwa", motion(6000))
    later = [i * 1.2 + 3600 for i in range(50)]
    write_cwa(tmp_path / "2.cwa", motion(6000, seed=9), starts=later)
    recording = read(tmp_path / "2.cwa", tmp_path / "1.cwa", zone="Europe/Berlin")
    assert lengths(recording, "acc") == [6000, 6000]
    assert begins(recording) == pytest.approx([0, 3600], abs=0.01)
    assert START.hour == 22
