"""EDF headers as other programs write them: units, decimal commas, dates, lost records."""

import datetime

import numpy as np
import pytest

from tests.io.builders import content, lengths
from tests.io.edf_builder import EdfFile, digital
from twitchsense.errors import InputError
from twitchsense.io import read
from twitchsense.model.units import parse_unit

#: Start of every file here, local time in Berlin.
START = datetime.datetime(2026, 3, 1, 21, 10, 5, tzinfo=datetime.UTC)


def values(recording, name="emg1"):
    return np.concatenate([x for _, x in content(recording)[name]])[:, 0]


# ---- units -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        (b"nV", 1e-3),
        (b"NV", 1e-3),
        (b"nVolt", 1e-3),
        (b"uV", 1),
        ("µV".encode(), 1),
        ("µV".encode("latin-1"), 1),
        ("μV".encode(), 1),
        ("μV".encode("shift-jis"), 1),
        ("µV".encode("cp437"), 1),
        (b"uVolt", 1),
        (b"microV", 1),
        (b"mVolt", 1e3),
        (b"mV", 1e3),
        (b"Volt", 1e6),
        (b"V", 1e6),
    ],
)
def test_units_of_voltage_are_read_in_every_spelling(tmp_path, unit, factor):
    counts, top = digital(), f"{3276.8 / factor:.7f}"[:7]
    low, high = f"-{top}".encode(), f"{float(top) / 32768 * 32767:.7f}"[:8].encode()
    path = EdfFile(counts, units=[unit], physical=(low, high)).write(tmp_path / "a.edf")
    np.testing.assert_allclose(values(read(path)), counts[0] / 10, rtol=1e-3, atol=0.6)


@pytest.mark.parametrize(
    ("unit", "named"),
    [
        ("m/s²", "ms2"), ("m/s^2", "ms2"), ("m/s2", "ms2"), ("m/s/s", "ms2"), ("m.s-2", "ms2"),
        ("mG", "mg"), ("G", "g"), ("milli-g", "mg"), ("m s-2", "ms2"), (" ms^-2", "ms2"),
    ],
)  # fmt: skip
def test_units_of_acceleration_are_read_in_every_spelling(unit, named):
    assert parse_unit(unit) == named


@pytest.mark.parametrize("unit", ["", "kV", "pV", "mmHg", "counts", "uW", "%", "Vrms", "gauss"])
def test_other_units_are_not_guessed(unit):
    assert parse_unit(unit) == ""


@pytest.mark.parametrize("unit", ["nV", "mV", "V", "Volt", "m/s2", "g"])
def test_a_mapping_that_contradicts_the_unit_is_refused_with_a_cure_that_works(tmp_path, unit):
    path = EdfFile(digital(rms=3), units=[unit.encode()], physical=(b"-32.768", b"32.767"))
    path = path.write(tmp_path / "a.edf")
    with pytest.raises(InputError, match=f"signal emg1: is in {unit} but is named") as caught:
        read(path, columns={"emg1": "emg1_uv"})
    if unit.lower().endswith(("v", "volt")):
        cure = caught.value.cure.split("'")[1].split("=")
        assert np.isfinite(values(read(path, columns=dict([cure])))).all()


def test_a_unit_that_is_not_known_is_refused_with_a_cure_that_works(tmp_path):
    path = EdfFile(digital(), labels=["Leg L"], units=[b"arb"]).write(tmp_path / "a.edf")
    with pytest.raises(InputError, match="signal Leg L: has the unknown unit 'arb'") as caught:
        read(path, columns={"Leg L": "emg_left"})
    assert caught.value.cure.endswith("(--map 'Leg L=emg_left_uv')")
    recording = read(path, columns={"Leg L": "emg_left_uv"})
    assert any("unit 'arb' of the header is not known; taken as uv" in n for n in recording.notes)


# ---- decimal commas --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("physical", "record_s"),
    [
        ((b"-3276,8", b"3276,7"), b"1"),
        ((b"-3276,8", b"3276.7"), b"1"),
        ((b"-3276,80", b"+3276,70"), b"1,0"),
        ((b"-3276,8", b"32767e-1"), b"1"),
        ((b"-3276.8\0", b"3276.7\0\0"), b"1\0\0"),
        ((b" -3276,8", b" 3276,7"), b" 1,000"),
    ],
)
def test_decimal_commas_in_the_header_are_read(tmp_path, physical, record_s):
    counts = digital()
    path = EdfFile(counts, physical=physical, record_s=record_s).write(tmp_path / "a.edf")
    recording = read(path)
    assert recording.channels[0].fs == 500
    np.testing.assert_allclose(values(recording), counts[0] / 10, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("limit", [b"", b"abc", b"1.000,5", b"nan", b"-inf", b"1,2,3"])
def test_limits_that_are_no_numbers_are_refused_with_their_signal(tmp_path, limit):
    path = EdfFile(digital(), physical=(limit, b"3276.7")).write(tmp_path / "a.edf")
    with pytest.raises(InputError, match=r"a\.edf, signal emg1: .*physical range"):
        read(path)


# ---- start -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recording", "date"),
    [
        (b"Startdate 01-MAR-2026 X X test", b"01.03.26"),
        (b"recorded in the sleep lab", b"01.03.26"),
        (b"Startdate X X X X", b"01.03.26"),
        (b"Startdate 01-MRZ-2026 X X X", b"01.03.26"),
        (b"Startdate 01-M\xe4r-2026 X X X", b"01.03.26"),
        (b"", b"01/03/26"),
        (b"Startdate", b"01-03-26"),
        (b"Startdate 01-mar-2026", b"01.03.26"),
        (b"Startdate 31-FOO-2026", b"01 03 26"),
        (b"Startdate 31-FEB-2026 X X X", b"01.03.26"),
        (b"Startdate 01-MAR-2026 X X X", b"01.01.85"),
        (b"Startdate 01-MAR-2026 X X X", b"xx.xx.xx"),
    ],
)
@pytest.mark.parametrize("reserved", [b"", b"EDF+C"])
def test_the_start_is_found_in_either_field(tmp_path, recording, date, reserved):
    path = EdfFile(digital(), recording=recording, date=date, reserved=reserved)
    found = read(path.write(tmp_path / "a.edf"), zone="Europe/Berlin")
    assert found.start_utc_ns == START.timestamp() * 1e9


@pytest.mark.parametrize("clock", [b"22:10:05", b"22-10-05", b"22.10.05"])
def test_clock_times_with_other_separators_are_read(tmp_path, clock):
    path = EdfFile(digital(), clock=clock).write(tmp_path / "a.edf")
    assert read(path, zone="Europe/Berlin").start_utc_ns == START.timestamp() * 1e9


@pytest.mark.parametrize(
    ("recording", "date", "clock"),
    [
        (b"Startdate X X X X", b"01.01.85", b"22.10.05"),
        (b"", b"xx.xx.xx", b"22.10.05"),
        (b"", b"31.02.26", b"22.10.05"),
        (b"Startdate 01-MAR-2026", b"01.03.26", b"25.10.05"),
        (b"Startdate 01-MAR-2026", b"01.03.26", b""),
    ],
)
def test_an_unknown_start_gives_no_utc(tmp_path, recording, date, clock):
    path = EdfFile(digital(), recording=recording, date=date, clock=clock)
    path = path.write(tmp_path / "a.edf")
    with pytest.raises(InputError, match=r"start time is unknown .* leave out the time zone"):
        read(path, zone="Europe/Berlin")
    assert read(path).start_utc_ns is None


@pytest.mark.parametrize("offset", ["+01:00", "-05:00", "+05:45", "+00:00"])
def test_an_offset_from_utc_in_the_header_needs_no_zone(tmp_path, offset):
    path = EdfFile(digital(), recording=f"Startdate 01-MAR-2026 X X t UTC{offset}".encode())
    path = path.write(tmp_path / "a.edf")
    start = datetime.datetime.fromisoformat(f"2026-03-01T22:10:05{offset}")
    assert read(path).start_utc_ns == start.timestamp() * 1e9
    assert read(path, zone="Europe/Berlin").start_utc_ns == start.timestamp() * 1e9


# ---- number of records -----------------------------------------------------------------


@pytest.mark.parametrize("reserved", [b"", b"EDF+C"])
@pytest.mark.parametrize(
    ("cut", "seconds"), [(100, 19), (1, 19), (1100, 18), (5000, 15), (20_000, 2)]
)
def test_whole_records_of_a_file_that_was_cut_are_read(tmp_path, reserved, cut, seconds):
    counts = digital()
    path = EdfFile(counts, reserved=reserved).write(tmp_path / "a.edf")
    data = path.read_bytes()
    size = (len(data) - 256 * (3 if reserved else 2)) // 20
    cut = min(cut, 20 * size - size * seconds)
    path.write_bytes(data[: len(data) - cut])
    recording = read(path)
    expected = (20 * size - cut) // size
    assert lengths(recording, "emg1") == [expected * 500]
    assert any(f"announces 20 records, the file has {expected}" in n for n in recording.notes)
    np.testing.assert_allclose(values(recording), counts[0, : expected * 500] / 10, atol=1e-3)


@pytest.mark.parametrize("announced", [0, 1, 19])
def test_records_beyond_the_announced_number_are_read_with_a_note(tmp_path, announced):
    path = EdfFile(digital(), announced=announced).write(tmp_path / "a.edf")
    recording = read(path)
    assert lengths(recording, "emg1") == [10_000]
    assert any("longer than announced" in n for n in recording.notes)


def test_an_unknown_number_of_records_gives_no_note_unless_one_is_cut(tmp_path):
    path = EdfFile(digital(), announced=-1).write(tmp_path / "a.edf")
    assert read(path).notes == ()
    path.write_bytes(path.read_bytes()[:-3])
    assert read(path).notes == (f"{path.name}: the last record is cut and left out",)


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, b"1       "), (184, b"99999999"), (236, b"many    "), (244, b"1e30    "),
        (244, b"-1      "), (252, b"0   "), (252, b"9999"), (252, b"-3  "),
        (256 + 16 + 80 + 8 + 32 + 80, b"-500    "), (256 + 16 + 80 + 8 + 32 + 80, b"5e200   "),
    ],
)  # fmt: skip
def test_damaged_fields_are_refused_or_do_not_matter(tmp_path, at, value):
    path = EdfFile(digital()).write(tmp_path / "a.edf")
    data = bytearray(path.read_bytes())
    data[at : at + len(value)] = value
    path.write_bytes(data)
    if at == 184:  # the number of signals gives the size of the header
        assert lengths(read(path), "emg1") == [10_000]
        return
    with pytest.raises(InputError, match=r"a\.edf, (header|signal emg1)|no records"):
        read(path)
