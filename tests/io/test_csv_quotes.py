"""An unclosed quotation mark in a CSV affects its own cell only."""

import gzip
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.io.builders import TIMES, VALUES, content, csv_bytes, lengths
from twitchsense.io import read
from twitchsense.io.text import csv_rows
from twitchsense.io.text.csv_rows import escape_unclosed_quotes, is_comment

N = 5000
NOTED = "time_s,emg1_uv,note"


def guarded(data, separator=","):
    return b"".join(escape_unclosed_quotes(io.BufferedReader(io.BytesIO(data)), separator))


def noted(notes, end="\n"):
    """Return a capture with notes in some rows."""
    lines = [f"{i / 1000:.3f},{i % 9}.5,{notes.get(i, '')}" for i in range(N)]
    return (end.join([NOTED, *lines]) + end).encode()


@pytest.mark.parametrize("cell", ['"', '1"', '"1', '1"0', '"1"0"', '"1""'])
@pytest.mark.parametrize("row", [3, 4000, N - 1])
def test_an_unclosed_quote_in_a_signal_is_a_gap_of_one_sample(tmp_path, cell, row):
    lines = [f"{i / 1000:.3f},{cell if i == row else i % 9}" for i in range(N)]
    path = tmp_path / "night.csv"
    path.write_bytes(csv_bytes(lines))
    assert lengths(read(path), "emg1") == [n for n in (row, N - row - 1) if n]


@pytest.mark.parametrize(
    "notes",
    [
        {20: '"'},
        {20: '"up', 4000: '"down'},  # between them lie 4 s, which must not be swallowed
        {20: '5" nail', 30: 'a 6" one', 4000: '"lights off, 22:10"'},
        {20: '"she said ""oh"""', 21: '"a, b"', 22: '""'},
        {20: '"a # b"', 21: '# 5" nail', 23: '"a # b'},
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_unclosed_quotes_in_an_ignored_column_lose_no_sample(tmp_path, notes, end):
    path = tmp_path / "night.csv"
    path.write_bytes(noted(notes, end))
    [(start, samples)] = content(read(path))["emg1"]
    assert start == 0
    np.testing.assert_array_equal(samples[:, 0], np.arange(N) % 9 + np.float32(0.5))


def test_unclosed_quotes_in_a_gzipped_capture_with_semicolons(tmp_path):
    lines = [
        f"{t};{x};{'<up' * (i == 7)}" for i, (t, x) in enumerate(zip(TIMES, VALUES, strict=True))
    ]
    path = tmp_path / "night.csv.gz"
    path.write_bytes(gzip.compress(csv_bytes(lines, NOTED.replace(",", ";")).replace(b"<", b'"')))
    assert lengths(read(path), "emg1") == [len(TIMES)]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (b'1,"a', b'1, "a'),
        (b'"a,"b",c', b'"a,"b",c'),  # a field "a,"b and then c
        (b'"x","a', b'"x", "a'),
        (b'"a;"b",c', b'"a;"b",c'),
        (b'1,"a,"b', b'1,"a,"b'),
        (b'1,"a,b,"', b'1,"a,b,"'),
        (b'1,",2,"x"y', b'1,",2,"x"y'),
        (b'"', b' "'),
        (b'a"', b'a"'),
        (b'1,"""', b'1, """'),
        (b'5" nail,"oops', b'5" nail, "oops'),
        (b'1,2 # "x', b'1,2 # "x'),
        (b'1,2 # ,"x', b'1,2 # , "x'),
        (b'1,"a # b', b'1, "a # b'),
    ],
)
def test_only_unclosed_quotes_are_escaped(row, expected):
    rest = b'3,"4"\n'
    assert guarded(row + b"\n" + rest) == expected + b"\n" + rest
    assert guarded(rest + row) == rest + expected


def test_rows_over_a_megabyte_are_unchanged():
    row = b'"' + b"a" * (3 << 20) + b"\n"
    assert guarded(row + b"1,2\n") == row + b"1,2\n"


@given(st.lists(st.text('",a# \n\r', max_size=12).map(str.encode), max_size=30))
def test_only_comments_go_and_blanks_come_row_by_row(parts):
    data = b"".join(parts)
    whole = guarded(data)
    lines = data.splitlines(keepends=True)
    kept = [line[len(line.rstrip(b"\r\n")) :] if is_comment(line) else line for line in lines]
    assert whole.replace(b" ", b"") == b"".join(kept).replace(b" ", b"")
    assert guarded(whole) == whole
    assert b"".join(guarded(line) for line in data.splitlines(keepends=True)) == whole


def test_block_size_does_not_change_the_escaping(monkeypatch):
    data = noted({20: '"up', 2500: '"a, b"', 4000: '5" nail'})
    whole = guarded(data)
    monkeypatch.setattr(csv_rows, "READ_BYTES", 7)
    assert guarded(data) == whole
    assert whole.count(b' "up') == 1
    assert len(whole) == len(data) + 1
