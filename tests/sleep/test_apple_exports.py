"""Apple Health exports as phones write them: damaged prologs, control characters, odd dates."""

from __future__ import annotations

import pytest

from tests.sleep.builders import APPLE_NIGHT, apple_file, apple_record, night_clock, refusal
from twitchsense.sleep.hypnogram.read import read_hypnogram

WHEN = night_clock("2026-03-01T22:30:00+01:00")
IOS16 = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 12 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout|VisionPrescription)*)>
<!ATTLIST VisionPrescription
  type CDATA #REQUIRED
<!ELEMENT RightEye EMPTY>
]>
"""


def stages(path):
    got = read_hypnogram(path, WHEN)
    assert got.stage.tolist() == ["W", "N2", "N3", "R"]
    assert (got.onset_s / 60).tolist() == [30, 60, 120, 150]
    return got


@pytest.mark.parametrize(
    "prolog",
    [
        IOS16,
        IOS16.replace("\n", "\r\n"),
        "\ufeff" + IOS16,
        IOS16.replace("<!ELEMENT RightEye EMPTY>", "<!ELEMENT RightEye (((a|b)>"),
        IOS16.replace("]>", ""),
        "",
        '<?xml version="1.0"?>\n<!-- made by a phone -->\n',
    ],
)
def test_a_damaged_document_type_is_passed_over(tmp_path, prolog):
    stages(apple_file(tmp_path, *APPLE_NIGHT, dtd=prolog))


@pytest.mark.parametrize("sign", ["\x0b", "\x00", "\x1f", "&#11;", "&#x0B;", "&#x1;", "&#0;"])
def test_control_characters_are_dropped(tmp_path, sign):
    far = apple_record(
        "2026-02-01 23:00:00 +0100", "2026-02-01 23:30:00 +0100", "Awake", f"App{sign}X"
    )
    night = [record.replace("Watch", f"Wat{sign}ch") for record in APPLE_NIGHT]
    got = stages(apple_file(tmp_path, far, *night))
    assert "stages of 'Watch'" in got.notes[0]


def test_bytes_that_are_no_text_are_replaced(tmp_path):
    path = apple_file(tmp_path, *APPLE_NIGHT)
    path.write_bytes(path.read_bytes().replace(b"Phone", b"Pho\xffne"))
    stages(path)


def test_references_and_names_across_blocks_are_kept(tmp_path):
    """A block of the reader may end anywhere, also within a character or a reference."""
    filler = '<Record type="x" sourceName="M&#252;ller &amp; Söhne &#11;"/>\n'
    for extra in range(0, 60, 7):
        stages(apple_file(tmp_path, filler * 4000 + " " * extra, *APPLE_NIGHT))


@pytest.mark.parametrize(
    "date",
    [
        "2019-05-01 11:00:00 p.m. +0200",
        "20150616071820-0700",
        "2019-05-01 11:00:00\u202fPM +0200",
        "1. Mai 2019 um 23:00",
        "2019/05/01T23h00",
        "Wed May 01 23:00:00 2019",
    ],
)
def test_a_record_of_another_year_bars_nothing(tmp_path, date):
    got = stages(apple_file(tmp_path, apple_record(date, date, "Asleep"), *APPLE_NIGHT))
    odd = "2019-05" not in date and "20150616" not in date
    assert any("records of other years with odd dates" in n for n in got.notes) == odd


@pytest.mark.parametrize("date", ["2. March 2026", "yesterday", "2026-13-45 99:00"])
def test_an_odd_date_that_may_be_of_this_night_is_refused(tmp_path, date):
    said = refusal(apple_file(tmp_path, *APPLE_NIGHT, apple_record(date, date, "Awake")), WHEN)
    assert "is not a clock time" in said


def test_values_that_are_not_known_are_named(tmp_path):
    new = apple_record("2026-03-01 23:40:00 +0100", "2026-03-01 23:50:00 +0100", "AsleepNap")
    got = stages(apple_file(tmp_path, *APPLE_NIGHT, new, new))
    assert "Apple Health: left out values that are not known: 'AsleepNap' (2)" in got.notes


def test_twelve_hour_times_of_this_night_are_read(tmp_path):
    def clock(text):
        hour = int(text[11:13])
        half = "p.m." if hour >= 12 else "a.m."
        return f"{text[:11]}{(hour - 1) % 12 + 1:02d}{text[13:19]} {half}{text[19:]}"

    rows = [
        ("2026-03-01 23:00:00 +0100", "2026-03-01 23:30:00 +0100", "Awake"),
        ("2026-03-01 23:30:00 +0100", "2026-03-02 00:30:00 +0100", "AsleepCore"),
        ("2026-03-02 00:30:00 +0100", "2026-03-02 01:00:00 +0100", "AsleepDeep"),
        ("2026-03-02 01:00:00 +0100", "2026-03-02 01:20:00 +0100", "AsleepREM"),
    ]
    stages(apple_file(tmp_path, *(apple_record(clock(a), clock(b), v) for a, b, v in rows)))
