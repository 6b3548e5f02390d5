"""Malformed captures of every kind: refused with place and cure, or read correctly."""

from __future__ import annotations

import gzip
import io
import os
import sys
import zipfile

import numpy as np
import pytest

from tests.io.builders import (
    N_ROWS,
    TIMES,
    VALUES,
    acc,
    content,
    csv_bytes,
    csv_rows,
    emg,
    lengths,
    write,
)
from twitchsense.errors import InputError, MissingExtraError
from twitchsense.io import read


def replaced(index, row):
    lines = csv_rows()
    lines[index] = row
    return csv_bytes(lines)


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("night.csv", csv_bytes())
    return buffer.getvalue()


LONG = csv_bytes([f"{i / 1000:.3f},{i % 7}.5" for i in range(1000)])
NOISE = np.random.default_rng(0).integers(0, 256, 5000, np.uint8).tobytes()
PACKED = gzip.compress(csv_bytes([f"{i / 1000:.3f},{i % 7 * 1.1:.1f}" for i in range(20_000)]))
BIG = [v * 1e3 for v in emg(N_ROWS)]

#: What is wrong -> bytes, place, words of the problem, words of the cure.
REFUSED: dict[str, tuple[bytes, str, str, str]] = {
    "empty file": (b"", "", "empty", "header and rows"),
    "only blank lines": (b"\n\n  \n", "", "empty", "header and rows"),
    "only comments": (b"# a\n# b\n", "", "empty", "header and rows"),
    "header only": (csv_bytes([]), "header", "no rows", "samples"),
    "header without end of line": (b"time_s,emg1_uv", "header", "no rows", "samples"),
    "one row": (csv_bytes(csv_rows(1)), "emg1_uv", "too few samples (1)", "at least 3"),
    "two rows": (csv_bytes(csv_rows(2)), "emg1_uv", "too few samples (2)", "at least 3"),
    "no header": (
        csv_bytes(csv_rows()[1:], csv_rows()[0]),
        "line 1",
        "holds numbers",
        "column names",
    ),
    "no time column": (csv_bytes(header="t,emg1_uv"), "header", "no time column", "--map"),
    "no signal column": (csv_bytes(header="time_s,ecg"), "header", "no signal column", "--map"),
    "no separator": (b"time_s:emg1_uv\n0:1\n", "line 1", "no comma", "commas"),
    "unit missing": (csv_bytes(header="time_s,emg1"), "emg1", "no unit", "--map"),
    "unit unknown": (csv_bytes(header="time_s,emg1_nv"), "emg1_nv", "unknown unit", "--map"),
    "axis missing": (csv_bytes(header="time_s,acc_g"), "acc_g", "no axis", "--map"),
    "foreign EMG header": (csv_bytes(header="time_s,EMG (a.u.)"), "EMG (a.u.)", "no unit", "--map"),
    "column twice": (
        csv_bytes([f"{r},1" for r in csv_rows()], "time_s,emg1_uv,emg1_uv"),
        "emg1_uv",
        "twice",
        "rename",
    ),
    "column twice in two units": (
        csv_bytes([f"{r},1" for r in csv_rows()], "time_s,emg1_uv,EMG1_mV"),
        "EMG1_mV",
        "same signal",
        "keep one",
    ),
    "both time columns": (
        csv_bytes([f"{r},1" for r in csv_rows()], "time_s,emg1_uv,time_utc"),
        "header",
        "more than one time",
        "ignore",
    ),
    "time runs backwards": (replaced(9, "0.007,1"), "line 11", "runs backwards", "sort"),
    "time repeats": (replaced(9, f"{TIMES[8]},1"), "line 11", "repeats", "decimals"),
    "time runs backwards after blank and comment lines": (
        b"# made by hand\n\n" + replaced(9, "\n# pause\n0.007,1"),
        "line 15",
        "runs backwards",
        "sort",
    ),
    "time is text": (replaced(4, "soon,1"), "line 6", "'soon' is not a number", "correct"),
    "time is empty beside a sample": (replaced(4, ",1"), "line 6", "is empty", "correct"),
    "time is infinite": (replaced(4, "inf,1"), "line 6", "not a number", "correct"),
    "time is NUL bytes": (LONG + b"\0\0\0,\0\0\n", "line 1002", "is not", "cut short"),
    "tail of zeros after a crash": (LONG + b"\0" * 300, "line 1002", "is not", "cut short"),
    "time that is neither elapsed nor Unix time": (
        csv_bytes([f"{8_000_000 + i / 1000:.3f},{VALUES[i]}" for i in range(N_ROWS)]),
        "line 2",
        "not in seconds",
        "--time-unit",
    ),
    "clock time under time_s": (
        csv_bytes([f"2026-03-01T22:00:00.{i:03d}Z,{VALUES[i]}" for i in range(N_ROWS)]),
        "line 2",
        "not a number of seconds",
        "time_utc",
    ),
    "clock time without zone": (
        csv_bytes(
            [f"2026-03-01T22:00:00.{i:03d},{VALUES[i]}" for i in range(N_ROWS)], "time_utc,emg1_uv"
        ),
        "line 2",
        "no time zone",
        "+02:00",
    ),
    "clock time partly without zone": (
        csv_bytes(
            [f"2026-03-01T22:00:00.{i:03d}{'Z' * (i != 5)},{VALUES[i]}" for i in range(N_ROWS)],
            "time_utc,emg1_uv",
        ),
        "line 7",
        "no time zone",
        "+02:00",
    ),
    "numbers under time_utc": (
        csv_bytes(header="time_utc,emg1_uv"),
        "line 2",
        "is a number",
        "time_s",
    ),
    "clock time that is none": (
        csv_bytes(
            [f"2026-03-01T22:00:00.{i:03d}Z,1" if i != 3 else "teatime,1" for i in range(N_ROWS)],
            "time_utc,emg1_uv",
        ),
        "line 5",
        "ISO 8601",
        "write times like",
    ),
    "row longer than the header": (replaced(7, "0.007,1,5"), "line 9", "more fields", "points"),
    "row longer than a header with semicolons": (
        csv_bytes([*csv_rows(9, ";"), "0.009;1;5"], "time_s;emg1_uv"),
        "line 11",
        "more fields",
        "one field",
    ),
    "decimal commas between commas": (
        csv_bytes([r.replace(".", ",") for r in csv_rows()]),
        "line 2",
        "more fields",
        "decimal points",
    ),
    "no number in any signal": (
        csv_bytes([f"{t},n/a" for t in TIMES]),
        "emg1_uv",
        "too few samples (0)",
        "numbers",
    ),
    "quotation mark never closed": (
        csv_bytes(['"0.000","1"', *csv_rows()[1:6], '"0.006,1', *csv_rows()[7:]]),
        "line 8",
        "time_s ' \"0.006' is not a number",
        "quotation mark",
    ),
    "a field over two lines": (
        csv_bytes([*csv_rows(6), '0.006,1,"a', 'b"', *csv_rows()[7:]], "time_s,emg1_uv,note"),
        "line 9",
        "time_s 'b\"' is not a number",
        "one line",
    ),
    "marks that seem to be a pair": (
        csv_bytes([*csv_rows(6), '0.006,1,5","a'], "time_s,emg1_uv,inch,note"),
        "line",
        "cannot be split",
        "quotation mark",
    ),
    "binary garbage": (NOISE, "beginning", "binary data", "CSV"),
    "a header and then garbage": (LONG + NOISE, "line 100", "", ""),
    "a line without end": (b"t" * (1 << 20) + b"x", "line 1", "no end of line", "CSV"),
    "Parquet under another name": (b"PAR1" + NOISE, "beginning", "Parquet", ".parquet"),
    "EDF under another name": (b"0       patient", "beginning", "EDF", ".edf"),
    "BDF under another name": (b"\xffBIOSEMI", "beginning", "BDF", ".bdf"),
    "a zip archive or workbook": (zipped(), "beginning", "zip", "save the sheet"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + NOISE, "beginning", "Excel", "save"),
    "a database": (b"SQLite format 3\0", "beginning", "database", ".night"),
    "UTF-16 without mark": (
        csv_bytes().decode().encode("utf-16-le"),
        "beginning",
        "UTF-16",
        "UTF-8",
    ),
    "EMG of a volt": (
        csv_bytes([f"{TIMES[i]},{BIG[i]}" for i in range(N_ROWS)], "time_s,emg1_v"),
        "emg1_v",
        "cannot come",
        "name the column emg1_uv",
    ),
    "raw converter counts": (
        csv_bytes([f"{TIMES[i]},{8_000_000 + i}" for i in range(N_ROWS)]),
        "emg1_uv",
        "cannot come",
        "counts",
    ),
    "mg called g": (
        csv_bytes([f"{i / 100},{1000 + i}" for i in range(N_ROWS)], "time_s,acc_z_g"),
        "acc_z_g",
        "values around 1.02e+03 g",
        "acc_z_mg",
    ),
    "counts called g": (
        csv_bytes([f"{i / 100},{90_000 + i}" for i in range(N_ROWS)], "time_s,acc_z_g"),
        "acc_z_g",
        "cannot come",
        "counts",
    ),
    "counts called mg": (
        csv_bytes([f"{i / 100},{20_000 + i}" for i in range(N_ROWS)], "time_s,acc_z_mg"),
        "acc_z_mg",
        "no leg reaches",
        "counts",
    ),
    "a rate no EMG has": (
        csv_bytes([f"{i / 100},{VALUES[i]}" for i in range(N_ROWS)]),
        "emg1_uv",
        "100 Hz",
        "leave this signal out",
    ),
    "no rate at all": (
        csv_bytes([f"{i**3 / 7000},{VALUES[i]}" for i in range(N_ROWS)]),
        "line",
        "not regular",
        "resample",
    ),
}

REFUSED_PACKED: dict[str, tuple[bytes, str, str, str]] = {
    "gzip cut short": (PACKED[:-3000], "beginning", "cut short", "copy it again"),
    "gzip cut in its first bytes": (PACKED[:15], "beginning", "cut short", "copy it again"),
    "gzip with a wrong sum": (PACKED[:-8] + b"12345678", "beginning", "damaged", "copy it again"),
    "gzip garbage": (b"\x1f\x8b" + NOISE, "beginning", "damaged", "copy it again"),
}


def check(error: InputError, name: str, place: str, problem: str, cure: str) -> None:
    message = str(error)
    assert name in message
    assert "\n" not in message
    assert "\0" not in message
    assert len(message) < 1000
    assert place in error.place
    assert problem in error.problem
    assert cure in error.cure
    assert error.problem
    assert error.cure


@pytest.mark.parametrize("case", REFUSED)
def test_malformed_csv_is_refused(tmp_path, case):
    data, place, problem, cure = REFUSED[case]
    path = tmp_path / "night.csv"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read(path)
    check(caught.value, "night.csv", place, problem, cure)


@pytest.mark.parametrize("case", REFUSED_PACKED)
def test_malformed_gzipped_csv_is_refused(tmp_path, case):
    data, place, problem, cure = REFUSED_PACKED[case]
    path = tmp_path / "night.csv.gz"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read(path)
    check(caught.value, "night.csv.gz", place, problem, cure)


@pytest.mark.slow  # writes a large file
def test_gzip_damaged_after_the_first_rows_is_refused(tmp_path):
    rng = np.random.default_rng(0)
    lines = [f"{i / 1000:.3f},{v:.3f}" for i, v in enumerate(rng.normal(0, 9, 150_000))]
    packed = gzip.compress(csv_bytes(lines))
    for damaged in (packed[: len(packed) * 9 // 10], packed[:-8] + b"12345678"):
        path = tmp_path / "night.csv.gz"
        path.write_bytes(damaged)
        with pytest.raises(InputError) as caught:
            read(path)
        check(caught.value, "night.csv.gz", "after line 131", "damaged", "gzip -dc")


#: What is odd -> bytes that hold the plain capture all the same.
READ: dict[str, bytes] = {
    "plain": csv_bytes(),
    "byte order mark": b"\xef\xbb\xbf" + csv_bytes(),
    "Windows line ends": csv_bytes(end="\r\n"),
    "old Mac line ends": csv_bytes(end="\r"),
    "mixed line ends": csv_bytes(
        [csv_rows()[0] + "\r", *csv_rows()[1:20], csv_rows()[20] + "\r", *csv_rows()[21:]]
    ),
    "no end of the last line": csv_bytes()[:-1],
    "empty lines at the end": csv_bytes() + b"\n\n\r\n",
    "empty rows at the end": csv_bytes() + b",\n,\n",
    "empty lines between": csv_bytes([csv_rows()[0], "", *csv_rows()[1:]]),
    "comments": b"# by me\n\n" + csv_bytes([*csv_rows(9), "# pause", *csv_rows()[9:]]),
    "semicolons": csv_bytes(csv_rows(sep=";"), "time_s;emg1_uv"),
    "UTF-16": csv_bytes().decode().encode("utf-16"),
    "UTF-16, big endian": b"\xfe\xff" + csv_bytes().decode().encode("utf-16-be"),
    "bars": csv_bytes(csv_rows(sep="|"), "time_s|emg1_uv"),
    "blanks": csv_bytes(csv_rows(sep=" "), "time_s emg1_uv"),
    "blanks of any number": csv_bytes(
        [f"  {r} " for r in csv_rows(sep="   ")], "  time_s   emg1_uv"
    ),
    "blanks, as numpy.savetxt writes": csv_bytes(csv_rows(sep=" "), "# time_s emg1_uv"),
    "blanks, below prose": b"time series of emg data\n"
    + csv_bytes(csv_rows(sep=" "), "time_s emg1_uv"),
    "tabs": csv_bytes(csv_rows(sep="\t"), "time_s\temg1_uv"),
    "decimal commas": csv_bytes([r.replace(".", ",") for r in csv_rows(sep=";")], "time_s;emg1_uv"),
    "quoted header": csv_bytes(header='"time_s","emg1_uv"'),
    "everything quoted": csv_bytes([f'"{t}","{x}"' for t, x in zip(TIMES, VALUES, strict=True)]),
    "spaces in the header": csv_bytes(header=" time_s , emg1_uv "),
    "spaces before numbers": csv_bytes([r.replace(",", ", ") for r in csv_rows()]),
    "capitals": csv_bytes(header="TIME_S,EMG1_uV"),
    "Greek mu": csv_bytes(header="time_s,emg1_μV"),
    "micro sign in Latin-1": csv_bytes().replace(b"emg1_uv", b"emg1_\xb5V"),
    "a comma after every row": csv_bytes([f"{r}," for r in csv_rows()]),
    "a nameless last column": csv_bytes([f"{r},7" for r in csv_rows()], "time_s,emg1_uv,"),
    "columns of others": csv_bytes([f"a,{r},7" for r in csv_rows()], "who,time_s,emg1_uv,heart"),
    "a field of ten megabytes": csv_bytes(
        [f"{'a' * 10_000_000 * (i == 3)},{r}" for i, r in enumerate(csv_rows())], "x,time_s,emg1_uv"
    ),
}


@pytest.mark.parametrize("case", READ)
def test_unusual_but_valid_csv_is_read(tmp_path, case):
    path = tmp_path / "night.csv"
    path.write_bytes(READ[case])
    [(start, samples)] = content(read(path))["emg1"]
    assert start == 0
    np.testing.assert_array_equal(samples[:, 0], emg(N_ROWS).astype(np.float32))


@pytest.mark.parametrize(
    "cell",
    ["", "NaN", "nan", "NA", "-", "?", "abc", "inf", "-inf", "1e400", "1e39", "True", "1,5"[:2],
     "\0", "0x1p", "9" * 5000, "1_000", "\ufffd"],
)  # fmt: skip
def test_a_cell_without_a_number_is_a_gap(tmp_path, cell):
    path = tmp_path / "night.csv"
    path.write_bytes(replaced(10, f"{TIMES[10]},{cell}"))
    if cell == "1,":  # an empty field too many is no field
        assert lengths(read(path), "emg1") == [N_ROWS]
    else:
        assert lengths(read(path), "emg1") == [10, N_ROWS - 11]


def test_a_column_of_booleans_holds_no_samples(tmp_path):
    path = tmp_path / "night.csv"
    path.write_bytes(csv_bytes([f"{r},True" for r in csv_rows()], "time_s,emg1_uv,emg2_uv"))
    recording = read(path)
    assert [c.name for c in recording.channels] == ["emg1"]


def test_paths_that_are_no_capture_are_refused(tmp_path):
    cases = [
        (tmp_path / "missing.csv", "no such file", "path"),
        (tmp_path, "is a folder", "files in it"),
        (write(tmp_path / "night.dat", {"time_s": [0.0]}), "known endings", ".csv"),
    ]
    for path, problem, cure in cases:
        with pytest.raises(InputError) as caught:
            read(path)
        check(caught.value, path.name, "", problem, cure)
    with pytest.raises(InputError, match="no file given"):
        read()


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (PermissionError(13, "Permission denied"), "no permission"),
        (OSError(5, "I/O"), "I/O"),
    ],
)
def test_os_errors_become_input_errors(tmp_path, monkeypatch, error, problem):
    path = write(tmp_path / "night.csv", {"time_s": np.arange(9) / 1e3, "emg1_uv": emg(9)})

    def refuse(*_, **__):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("hashlib.file_digest", refuse)
        with pytest.raises(InputError, match=problem):
            read(path)
    monkeypatch.setattr(sys.modules["twitchsense.io.read"], "merge", refuse)
    with pytest.raises(InputError, match=problem):
        read(path)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)
def test_a_file_without_permission_is_refused(tmp_path):
    path = write(tmp_path / "night.csv", {"time_s": np.arange(9) / 1e3, "emg1_uv": emg(9)})
    path.chmod(0)
    with pytest.raises(InputError, match="no permission"):
        read(path)


def test_hostile_names_stay_on_one_line(tmp_path):
    path = tmp_path / "night\n\x1b[31m.csv"
    path.write_bytes(csv_bytes(header="time_s,emg1_\x1b[0mzz"))
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value).isprintable()


def test_very_long_paths_keep_the_name_in_the_message(tmp_path):
    folder = tmp_path / ("d" * 120) / ("e" * 120)
    folder.mkdir(parents=True)
    with pytest.raises(InputError, match=r"night\.csv: no such file"):
        read(folder / "night.csv")


@pytest.mark.parametrize(
    ("mapping", "problem", "cure"),
    [
        ({"Temps": "time_s"}, "'Temps', which is not", "choose from: Time, emg1_uv"),
        ({"Time": "time_s", "emg1_uv": "emg1_xx"}, "unknown unit", "--map"),
        ({"Time": "zeit"}, "no time column", "--map"),
        ({"Time": "time_s", "emg1_uv": "ignore"}, "no signal", "--map"),
    ],
)
def test_mappings_that_do_not_fit_are_refused(tmp_path, mapping, problem, cure):
    path = tmp_path / "night.csv"
    path.write_bytes(csv_bytes(header="Time,emg1_uv"))
    with pytest.raises(InputError) as caught:
        read(path, columns=mapping | ({"Time": "time_s"} if "Temps" in mapping else {}))
    check(caught.value, "night.csv", "", problem, cure)


def test_files_that_contradict_each_other_are_refused(tmp_path):
    t = np.arange(N_ROWS) / 1000
    clock = [f"2026-03-01T22:00:00.{i:03d}Z" for i in range(N_ROWS)]
    one = write(tmp_path / "one.csv", {"time_s": t, "emg1_uv": emg(N_ROWS)})
    utc = write(tmp_path / "utc.csv", {"time_utc": clock, "emg2_uv": emg(N_ROWS)})
    same = write(tmp_path / "same.csv", {"time_s": t + 0.01, "emg1_uv": emg(N_ROWS)})
    copy = write(tmp_path / "copy.csv", {"time_s": t, "emg1_uv": emg(N_ROWS)})
    axes = {"time_s": t * 10, "acc_x_g": acc(N_ROWS)[:, 2]}
    left = write(tmp_path / "x.csv", axes)
    right = write(tmp_path / "y.csv", {"time_s": t * 10 + 1, "acc_y_g": acc(N_ROWS)[:, 2]})
    for files, problem, cure in [
        ((one, utc), "has time_", "same time column"),
        ((one, same), "at the same time", "emg1, emg2"),
        ((one, copy), "given twice", "once"),
        ((left, right), "other axes", "same axes"),
    ]:
        with pytest.raises(InputError) as caught:
            read(*files)
        assert any(f.name in str(caught.value) for f in files)
        assert problem in caught.value.problem
        assert cure in caught.value.cure


def test_an_unknown_time_zone_is_refused(tmp_path):
    path = write(tmp_path / "night.csv", {"time_s": np.arange(9) / 1e3, "emg1_uv": emg(9)})
    for zone in ("Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(InputError, match="Europe/Berlin"):
            read(path, zone=zone)


@pytest.mark.parametrize(("name", "library"), [("a.parquet", "pyarrow")])
def test_a_missing_library_is_named(tmp_path, monkeypatch, name, library):
    path = tmp_path / name
    path.write_bytes(NOISE)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=r"needs an extra: .*\[parquet\]"):
        read(path)
