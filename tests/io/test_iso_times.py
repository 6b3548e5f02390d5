"""ISO times are parsed as arrays, and give what the parser of any text gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from twitchsense.errors import InputError
from twitchsense.io.read import read
from twitchsense.io.text import csv
from twitchsense.io.text.csv import CsvTable

ZONE = timezone(timedelta(hours=-3, minutes=-30))
START = datetime(2026, 3, 1, 23, 59, 58, tzinfo=ZONE)
ROWS = 600


def utc_ms(at):
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


FORMS = {
    "milliseconds": utc_ms,
    "isoformat": datetime.isoformat,  # without decimals at whole seconds
    "blank": lambda at: at.isoformat(" ", "microseconds"),
    "nanoseconds": lambda at: utc_ms(at)[:-1] + "000000Z",
    "local": lambda at: at.replace(tzinfo=None).isoformat(),
}


def write(path, form, cells=None, name="time_utc"):
    times = [FORMS[form](START + timedelta(milliseconds=5 * i)) for i in range(ROWS)]
    for row, cell in (cells or {}).items():
        times[row] = cell
    signal = 20 * np.random.default_rng(1).standard_normal(ROWS)
    rows = (f"{t},{v:.2f}" for t, v in zip(times, signal, strict=True))
    path.write_text("\n".join([f"{name},emg1_uv", *rows, ""]))
    return path


def outcome(path):
    try:
        recording = read(path)
    except InputError as error:
        return str(error)
    segments = [
        (s.start_ns, s.samples.read(0, len(s.samples)).tobytes()) for s in recording.segments
    ]
    return recording.start_utc_ns, recording.channels, recording.notes, segments


def assert_same_as_text(path, monkeypatch):
    found = outcome(path)
    with monkeypatch.context() as patch:
        patch.setattr(csv, "fixed_width", lambda cells, name: 0)
        assert outcome(path) == found
    return found


@pytest.mark.parametrize("form", FORMS)
def test_regular_times_never_become_text(form, tmp_path, monkeypatch):
    name = "time_local" if form == "local" else "time_utc"
    path = write(tmp_path / "night.csv", form, name=name)
    start_ns, channels, *_ = assert_same_as_text(path, monkeypatch)
    assert channels[0].fs == pytest.approx(200)
    assert start_ns == (None if form == "local" else round(START.timestamp() * 1e9))

    def refuse(*args, **options):
        raise AssertionError("a regular time is parsed as text")

    monkeypatch.setattr(pd, "to_datetime", refuse)
    read(path)


CELLS = {
    "missing": "",
    "NA": "NA",
    "no number": "2026-03-02T03:3x:00.000Z",
    "no such day": "2026-02-30T03:30:00.000Z",
    "no such hour": "2026-03-02T24:30:00.000Z",
    "long": "2026-03-02T03:30:00.000000000000000000Z",
    "no zone": "2026-03-02T03:30:00.000",
    "far": "2300-03-02T03:30:00.000Z",
    "not ASCII": "2026\u201103\u201102T03:30:00.000Z",
    "repeated": FORMS["milliseconds"](START + timedelta(milliseconds=5 * 399)),
    "backwards": FORMS["milliseconds"](START),
    "another zone": (START + timedelta(milliseconds=2001)).isoformat(),
}


@pytest.mark.parametrize(
    ("cell", "row"),
    [*((cell, 400) for cell in CELLS.values()), (CELLS["no zone"], 0), (CELLS["missing"], 0)],
)
def test_an_irregular_time_is_read_or_refused_as_text_is(cell, row, tmp_path, monkeypatch):
    blocks = CsvTable.blocks
    monkeypatch.setattr(CsvTable, "blocks", lambda self, rows=100: blocks(self, min(rows, 100)))
    path = write(tmp_path / "night.csv", "milliseconds", {row: cell})
    assert_same_as_text(path, monkeypatch)


def test_bytes_that_are_no_text_are_replaced(tmp_path):
    path = write(tmp_path / "night.csv", "milliseconds")
    path.write_bytes(path.read_bytes().replace(b"time_utc,emg1_uv\n", b"time_utc,emg1_uv,note\n"))
    lines = path.read_bytes().split(b"\n")
    lines[5] += b",4 \xb5V \xe2\x82"
    path.write_bytes(b"\n".join(lines))
    assert len(read(path).segments) == 1
