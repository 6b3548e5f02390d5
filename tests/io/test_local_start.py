"""Starts in the hour in which the clocks change: read one way, and told."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tests.io.actigraphy_builder import START, motion, write_cwa
from tests.io.edf_builder import EdfFile, digital, foreign_bids
from tests.io.makers import opensignals
from tests.io.xdf_builder import emg_stream, encode
from twitchsense.io.read import read
from twitchsense.io.tables.local_clock import LocalClock, TimeOptions

ZONE = "Europe/Berlin"
TWICE = datetime.datetime(2026, 10, 25, 2, 30)
NEVER = datetime.datetime(2026, 3, 29, 2, 30)


def edf(folder, at):
    file = EdfFile(digital(8), recording=b"", date=f"{at:%d.%m.%y}".encode(), clock=b"02.30.00")
    return file.write(folder / "a.edf")


def csv(folder, at):
    times = (at + k * datetime.timedelta(milliseconds=2) for k in range(1000))
    rows = "".join(f"{t.isoformat(timespec='milliseconds')},{k % 9}\n" for k, t in enumerate(times))
    path = folder / "a.csv"
    path.write_text("time_local,emg1_uv\n" + rows)
    return path


def excel(folder, at):
    first = (at - datetime.datetime(1899, 12, 30)) / datetime.timedelta(days=1)
    rows = "".join(f"{first + k / 500 / 86400:.12f},{k % 9}\n" for k in range(1000))
    path = folder / "a.csv"
    path.write_text("time_local,emg1_uv\n" + rows)
    return path


def opensignals_text(folder, at):
    path = folder / "a.txt"
    text = opensignals(np.arange(2000.0) % 9)
    path.write_text(text.replace("22:15:0.0", "2:30:0.0").replace("2026-3-1", f"{at.date()}"))
    return path


def axivity(folder, at):
    first = (at - START).total_seconds()
    write_cwa(folder / "a.cwa", motion(1200), starts=[first + 1.2 * k for k in range(10)])
    return folder / "a.cwa"


def xdf(folder, at):
    path = folder / "a.xdf"
    path.write_bytes(encode([emg_stream()], recorded=at.isoformat()))
    return path


def bids(folder, at):
    return foreign_bids(folder / "d", acq=at.isoformat())


@pytest.mark.parametrize("make", [edf, csv, excel, opensignals_text, axivity, xdf, bids])
@pytest.mark.parametrize(("at", "says"), [(TWICE, "occurs twice"), (NEVER, "does not occur")])
def test_a_start_with_two_readings_or_none_is_told(tmp_path, make, at, says):
    path = make(tmp_path, at)
    recording = read(path, zone=ZONE)
    first = at.replace(tzinfo=ZoneInfo(ZONE)).timestamp()
    assert recording.start_utc_ns == pytest.approx(first * 1e9, abs=2e6)
    (note,) = (note for note in recording.notes if says in note)
    assert "--start" in note.cure
    stated = read(path, zone=ZONE, start=f"{at.isoformat()}+01:00").notes
    assert not any("--start" in getattr(note, "cure", "") for note in stated)


@pytest.mark.parametrize("make", [edf, csv])
def test_a_start_outside_that_hour_is_not_told(tmp_path, make):
    for at in (NEVER, TWICE):
        assert not any("occur" in note for note in read(make(tmp_path, at)).notes)
        later = read(make(tmp_path, at + datetime.timedelta(days=1)), zone=ZONE)
        assert not any("occur" in note for note in later.notes)


@pytest.mark.parametrize(
    ("before", "after", "utc", "told"),
    [
        ("2026-10-25 01:31", "2026-10-25 02:30", "00:30", True),  # two readings: the earlier one
        ("2026-10-25 02:11", "2026-10-25 02:40", "00:40", True),
        ("2026-10-25 01:31", "2026-10-25 03:30", "02:30", True),  # one by the zone
        ("2026-03-29 01:31", "2026-03-29 03:30", "01:30", True),
        ("2026-03-29 01:31", "2026-03-29 02:30", "01:30", False),  # the clock was not set
        ("2026-10-25 02:59", "2026-10-25 02:00", "01:00", False),
        ("2026-10-25 02:50", "2026-10-25 02:20", "01:20", True),
        ("2026-10-24 01:31", "2026-10-24 03:30", "01:30", False),
    ],
)
def test_a_pause_in_which_the_clocks_change_is_told(before, after, utc, told):
    times = np.array([before, after], "datetime64[ns]").astype(np.int64)
    whole, parts = LocalClock(TimeOptions(zone=ZONE)), LocalClock(TimeOptions(zone=ZONE))
    got = whole.to_utc(times, np.ones(2, bool))
    assert str(got.astype("datetime64[ns]")[1])[11:16] == utc
    assert [parts.start_to_utc(t) for t in times] == got.tolist()
    assert bool(whole.pause_note) == told
    assert whole.pause_note == parts.pause_note


def test_a_file_with_a_pause_in_which_the_clocks_change_has_a_note(tmp_path):
    path = csv(tmp_path, datetime.datetime(2026, 10, 25, 1, 30))
    rows = path.read_text().splitlines(keepends=True)
    later = [row.replace("T01:3", "T03:3") for row in rows[1:]]
    path.write_text("".join(rows + later))
    recording = read(path, zone=ZONE)
    assert recording.segments[1].start_ns == 3 * 3600 * 10**9
    (note,) = (n for n in recording.notes if "clocks of Europe/Berlin changed" in n)
    assert "time_utc" in note.cure
