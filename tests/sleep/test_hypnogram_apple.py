"""Hypnograms from Apple Health exports."""

from __future__ import annotations

import pytest

from tests.sleep.builders import (
    APPLE_NIGHT,
    apple_file,
    apple_record,
    night_clock,
    refusal,
    write_text,
)
from twitchsense.sleep.hypnogram.read import read_hypnogram


def test_apple_health_uses_the_app_that_stages_most(tmp_path):
    got = read_hypnogram(
        apple_file(tmp_path, *APPLE_NIGHT), night_clock("2026-03-01T22:30:00+01:00")
    )
    assert got.stage.tolist() == ["W", "N2", "N3", "R"]
    assert (got.onset_s / 60).tolist() == [30, 60, 120, 150]
    assert "'Watch'" in got.notes[0]
    assert "left out 'Phone'" in got.notes[1]


def test_apple_health_in_bed_is_unscored_and_awake_overrides_asleep(tmp_path):
    rows = [
        apple_record("2026-03-01 23:00:00 +0100", "2026-03-02 06:00:00 +0100", "InBed"),
        apple_record("2026-03-01 23:30:00 +0100", "2026-03-02 05:00:00 +0100", "Asleep"),
        apple_record("2026-03-02 01:00:00 +0100", "2026-03-02 01:10:00 +0100", "Awake"),
    ]
    got = read_hypnogram(apple_file(tmp_path, *rows), night_clock("2026-03-01T22:30:00+01:00"))
    assert got.stage.tolist() == ["", "S", "W", "S", ""]
    assert got.asleep.tolist() == [False, True, False, True, False]


def test_apple_health_offsets_differ_on_a_dst_night_and_on_a_trip(tmp_path):
    rows = [
        apple_record("2026-10-25 02:30:00 +0200", "2026-10-25 02:30:00 +0100", "AsleepCore"),
        apple_record("2026-10-25 02:30:00 +0100", "2026-10-25 03:00:00 +0100", "AsleepREM"),
        # two days later in New York; the recording is of Berlin
        apple_record("2026-10-27 02:30:00 -0400", "2026-10-27 03:00:00 -0400", "AsleepDeep"),
    ]
    got = read_hypnogram(apple_file(tmp_path, *rows), night_clock("2026-10-25T01:00:00+02:00"))
    assert got.stage.tolist() == ["N2", "R"]
    assert got.onset_s.tolist() == [5400, 9000]
    assert got.duration_s.tolist() == [3600, 1800]
    far = night_clock("2026-10-26T23:00:00-04:00", zone="America/New_York")
    assert read_hypnogram(apple_file(tmp_path, *rows), far).stage.tolist() == ["N3"]


def test_apple_health_of_another_night_is_refused(tmp_path):
    said = refusal(apple_file(tmp_path, *APPLE_NIGHT), night_clock("2026-03-09T22:30:00+01:00"))
    assert "has 5 sleep records, none within 12 h" in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('<!DOCTYPE h [<!ENTITY a "b">]><HealthData>&a;</HealthData>', "declares XML entities"),
        (
            '<!DOCTYPE h [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">'
            '<!ENTITY c "&b;&b;&b;&b;&b;&b;">]><HealthData>&c;</HealthData>',
            "declares XML entities",
        ),
        ('<!DOCTYPE h SYSTEM "file:///etc/passwd"><HealthData/>', "none within 12 h"),
        (
            '<!DOCTYPE h [<!ENTITY x SYSTEM "file:///etc/passwd">]><HealthData>&x;</HealthData>',
            "declares XML entities",
        ),
        ("<HealthData><Record", "is damaged XML"),
        ("<HealthData></Health>", "is damaged XML"),
        ("<html><body/></html>", "is XML of another kind (<html>)"),
        ("<HealthData/>", "has 0 sleep records"),
        (apple_record("2026-03-01 23:00 +0100", "x", "Awake"), "another kind"),
        (
            "<HealthData>" + apple_record("yesterday", "today", "Awake") + "</HealthData>",
            "not a clock time",
        ),
        (
            "<HealthData>" + apple_record("2026-03-01 23:00:00", "2026-03-01 23:01:00", "Awake")
            + "</HealthData>",
            "local times without a zone",
        ),
        (
            '<HealthData><Record type="HKCategoryTypeIdentifierSleepAnalysis"/></HealthData>',
            "a sleep record has no startDate",
        ),
    ],
)  # fmt: skip
def test_hostile_xml_is_refused_in_one_line(tmp_path, text, says):
    path = write_text(tmp_path, text, "export.xml")
    assert says in refusal(path, night_clock("2026-03-01T22:30:00+01:00"))


def test_a_zip_archive_is_refused_with_the_cure(tmp_path):
    path = tmp_path / "export.zip"
    path.write_bytes(b"PK\x03\x04rest")
    assert "is a ZIP archive; unpack it" in refusal(path)


@pytest.mark.slow  # reads a large export
def test_large_xml_is_read_as_a_stream(tmp_path):
    """Peak memory is bounded by what is kept, not by the file (here 12 MB)."""
    import tracemalloc

    filler = '<Record type="HKQuantityTypeIdentifierHeartRate" value="61" unit="count/min"/>\n'
    path = apple_file(tmp_path, *([filler * 160_000] + APPLE_NIGHT))
    tracemalloc.start()
    read_hypnogram(path, night_clock("2026-03-01T22:30:00+01:00"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 12e6
    assert peak < 6e6


def test_an_unknown_encoding_is_refused(tmp_path):
    path = write_text(
        tmp_path, '<?xml version="1.0" encoding="klingon"?><HealthData/>', "export.xml"
    )
    assert "is damaged XML" in refusal(path, night_clock("2026-03-01T22:30:00+01:00"))
