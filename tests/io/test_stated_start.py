"""read(start=...): the clock time of the first row, stated by the user."""

import re
from datetime import UTC, date, datetime

import pytest

import twitchsense as ts
from twitchsense.errors import InputError
from twitchsense.model.notes import main_notes
from twitchsense.model.stated_start import parse_start

_WINTER_NS = 1_772_400_600_000_000_000  # 2026-03-01T21:30:00Z


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "emg.csv"
    rows = "".join(f"{k / 250:.3f},{k % 7}\n" for k in range(900))
    path.write_text("time_s,emg1_uv\n" + rows)
    return path


@pytest.mark.parametrize(
    ("start", "zone"),
    [
        ("2026-03-01T22:30:00+01:00", None),
        ("2026-03-01T21:30Z", None),
        ("2026-03-01 22:30", "Europe/Berlin"),
        (datetime(2026, 3, 1, 22, 30), "Europe/Berlin"),
        (datetime(2026, 3, 1, 21, 30, tzinfo=UTC), None),
    ],
)
def test_a_stated_start_gives_a_file_its_clock(capture, start, zone):
    recording = ts.read(capture, start=start, zone=zone)
    assert recording.start_utc_ns == _WINTER_NS
    assert not [n for n in recording.notes if n.startswith("start:")]


def test_a_stated_start_replaces_that_of_the_file_and_is_told(tmp_path):
    path = tmp_path / "emg.csv"
    times = [f"2026-03-01T21:35:{k / 250:06.3f}Z" for k in range(900)]
    path.write_text("time_utc,emg1_uv\n" + "".join(f"{t},1.5\n" for t in times))
    recording = ts.read(path, start="2026-03-01T21:30:00Z")
    assert recording.start_utc_ns == _WINTER_NS
    assert any("the files say +300.000 s" in note for note in recording.notes)


def test_a_stated_start_needs_no_zone_of_the_file(tmp_path):
    path = tmp_path / "emg.csv"
    times = [f"2026-03-01T21:35:{k / 250:06.3f}" for k in range(900)]
    path.write_text("time_local,emg1_uv\n" + "".join(f"{t},{k % 7}\n" for k, t in enumerate(times)))
    assert any("with --zone" in note for note in main_notes(ts.read(path).notes))
    for note in main_notes(ts.read(path, start="2026-03-01T21:30:00Z").notes):
        assert "zone" not in note


@pytest.mark.parametrize(
    ("start", "zone", "problem"),
    [
        ("tonight", None, "not a date and time"),
        ("2026-03-01", "Europe/Berlin", "no time of day"),
        ("2026-03-01T22:30", None, "no time zone"),
        ("2026-10-25T02:30", "Europe/Berlin", "occurs twice or never"),
        ("2026-03-29T02:30", "Europe/Berlin", "occurs twice or never"),
        ("9999-12-31T23:59-12:00", None, "year 9999"),
        ("0001-01-01T00:00+14:00", None, "year 1;"),
        (date(2026, 3, 1), "Europe/Berlin", "of the type date"),
    ],
)
def test_a_start_that_is_no_single_moment_is_refused(start, zone, problem):
    with pytest.raises(InputError, match=re.escape(problem)):
        parse_start(start, zone)
