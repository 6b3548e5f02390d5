"""Hypnograms of other programs: what is read, where it lands on the clock, what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tests.sleep.nights import ACC, acc_seconds, detections, recording
from twitchsense.errors import InputError
from twitchsense.settings import Settings
from twitchsense.sleep.context import NOTE_ELSEWHERE, find_context
from twitchsense.sleep.hypnogram.clock_times import NightClock, read_clock_times
from twitchsense.sleep.hypnogram.read import read_hypnogram
from twitchsense.sleep.hypnogram.stage_codes import parse_codes
from twitchsense.sleep.hypnogram.table import NOTE_LIST

BERLIN = "Europe/Berlin"


def clock(start: str, hours: float = 8.0, zone: str | None = BERLIN) -> NightClock:
    """A recording that began at a local time with offset."""
    utc = datetime.fromisoformat(start).astimezone(UTC)
    zero = (utc - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return NightClock(0, round(hours * 3600e6), zero, zone)


def write(tmp_path: Path, text: str, name: str = "stages.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def refused(path: Path, *args, **more) -> str:
    with pytest.raises(InputError) as caught:
        read_hypnogram(path, *args, **more)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- tables with clock times --------


def test_clock_times_with_offset_are_put_on_the_recordings_axis(tmp_path):
    text = "time_utc,duration,stage\n2026-03-01T22:00:00Z,30,W\n2026-03-01T23:00:30+01:00,30,N1\n"
    got = read_hypnogram(write(tmp_path, text), clock("2026-03-01T22:50:00+01:00"))
    assert got.onset_s.tolist() == [600, 630]
    assert got.stage.tolist() == ["W", "N1"]


def test_times_of_day_pass_midnight_and_are_taken_on_the_nights_date(tmp_path):
    text = "start,duration,stage\n23:59:30,30,W\n00:00:00,30,N1\n00:00:30,30,N2\n"
    got = read_hypnogram(write(tmp_path, text), clock("2026-03-01T23:00:00+01:00"))
    assert got.onset_s.tolist() == [3570, 3600, 3630]
    # a night that starts after midnight: the hypnogram began on the day before
    late = read_hypnogram(write(tmp_path, text), clock("2026-03-02T00:40:00+01:00"))
    assert late.onset_s.tolist() == [-2430, -2400, -2370]


def test_am_and_pm_are_read(tmp_path):
    text = "start,duration,stage\n11:59:30 PM,30,W\n12:00:00 AM,30,N1\n"
    got = read_hypnogram(write(tmp_path, text), clock("2026-03-01T23:00:00+01:00"))
    assert got.onset_s.tolist() == [3570, 3600]


def test_lengths_come_from_end_or_from_even_steps(tmp_path):
    when = clock("2026-03-01T23:00:00+01:00")
    text = "start,end,stage\n23:30:00,23:59:00,W\n23:59:00,00:10:00,N1\n"
    assert read_hypnogram(write(tmp_path, text), when).duration_s.tolist() == [1740, 660]
    text = "time,stage\n23:30:00,W\n23:30:20,N1\n23:30:40,N1\n"
    assert read_hypnogram(write(tmp_path, text), when).duration_s.tolist() == [20, 20, 20]
    text = "onset,end,stage\n0,30,W\n30,90,N2\n"
    assert read_hypnogram(write(tmp_path, text)).duration_s.tolist() == [30, 60]


def test_autumn_night_the_hour_that_comes_twice_is_told_by_the_epochs(tmp_path):
    # 25 October 2026: at 03:00 summer time it is 02:00 again
    zone = ZoneInfo(BERLIN)
    utc = [datetime(2026, 10, 25, 0, 0, tzinfo=UTC) + timedelta(minutes=10 * k) for k in range(12)]
    local = [t.astimezone(zone).strftime("%H:%M:%S") for t in utc]
    assert local.count("02:00:00") == 2
    rows = "".join(f"{t},600,N2\n" for t in local)
    got = read_hypnogram(
        write(tmp_path, "start,duration,stage\n" + rows), clock("2026-10-25T01:30:00+02:00")
    )
    assert got.onset_s.tolist() == [1800 + 600 * k for k in range(12)]


@pytest.mark.parametrize(("first", "lands"), [("02:10:00", 3000), ("02:10:00 again", 6600)])
def test_autumn_night_a_start_in_the_double_hour_is_told_by_what_follows(tmp_path, first, lands):
    # epochs up to 02:50, then either 02:00 again or 03:00
    follow = ["02:00:00", "02:10:00"] if "again" not in first else ["03:00:00", "03:10:00"]
    times = [f"02:{m}0:00" for m in range(1, 6)] + follow
    rows = "".join(f"{t},600,N2\n" for t in times)
    got = read_hypnogram(
        write(tmp_path, "start,duration,stage\n" + rows), clock("2026-10-25T01:20:00+02:00")
    )
    assert got.onset_s.tolist() == [lands + 600 * k for k in range(len(times))]


def test_spring_night_has_no_gap_and_a_time_that_never_was_is_refused(tmp_path):
    # 29 March 2026: after 01:59:59 comes 03:00:00
    text = "start,duration,stage\n01:30:00,1800,N2\n03:00:00,1800,N3\n"
    when = clock("2026-03-29T00:30:00+01:00")
    assert read_hypnogram(write(tmp_path, text), when).onset_s.tolist() == [3600, 5400]
    path = write(tmp_path, "start,duration,stage\n02:30:00,1800,N2\n")
    assert "line 2: the local time 2026-03-29 02:30:00 never was" in refused(path, when)


def test_two_time_zones_in_one_trip_each_recording_has_its_own():
    texts = ["2026-05-01T23:30:00"]
    berlin = clock("2026-05-01T23:00:00+02:00")
    tokyo = clock("2026-05-03T23:00:00+09:00", zone="Asia/Tokyo")
    there = read_clock_times(["2026-05-03T23:30:00"], tokyo, "x", str)
    assert read_clock_times(texts, berlin, "x", str)[0] - berlin.zero_us == 1800e6
    assert there[0] - tokyo.zero_us == 1800e6


def test_clock_times_need_a_clock_and_local_ones_a_zone(tmp_path):
    path = write(tmp_path, "start,duration,stage\n23:30:00,30,W\n")
    assert "the recording has none" in refused(path, NightClock(0, 1))
    assert "local times without a zone; name the wearer's time zone" in refused(
        path, clock("2026-03-01T23:00:00+01:00", zone=None)
    )
    mixed = write(
        tmp_path,
        "start,duration,stage\n2026-03-01T23:30:00,30,W\n2026-03-01T23:30:30+01:00,30,W\n",
    )
    assert "line 3: has times with and without offset" in refused(
        mixed, clock("2026-03-01T23:00:00+01:00")
    )
    for bad in ("25:00:00", "23:60:00", "13:00 PM", "2026-13-01T00:00:00", "soon"):
        rows = f"start,duration,stage\n23:30:00,30,W\n{bad},30,W\n"
        said = refused(write(tmp_path, rows), clock("2026-03-01T23:00:00+01:00"))
        assert "line 3" in said
        assert "is no clock time" in said


# -- lists and codes --------


def test_yasa_lists_and_tables_are_read(tmp_path):
    words = write(tmp_path, "WAKE\nN1\nN2\nART\nREM\nUNS\n", "hypno.txt")
    got = read_hypnogram(words)
    assert got.stage.tolist() == ["W", "N1", "N2", "", "R", ""]
    assert got.onset_s.tolist() == [0, 30, 60, 90, 120, 150]
    assert got.notes == (NOTE_LIST,)
    table = write(tmp_path, "Epoch,Stage\n0,WAKE\n1,N2\n")
    assert read_hypnogram(table).stage.tolist() == ["W", "N2"]
    events = write(
        tmp_path, "epoch,onset,duration,value,description\n0,0,60,0,WAKE\n2,60,30,2,N2\n"
    )
    assert read_hypnogram(events).duration_s.tolist() == [60, 30]
    # the list begins with the recording, wherever its axis does
    assert read_hypnogram(words, NightClock(90_000_000, 1)).onset_s[0] == 90


def test_integers_are_refused_without_a_mapping_and_read_with_one(tmp_path):
    path = write(tmp_path, "0\n1\n2\n3\n4\n-1\n")
    said = refused(path)
    assert "line 1: stage '0' is a number, and programs disagree" in said
    assert "--stages yasa" in said
    yasa = read_hypnogram(path, codes=parse_codes("yasa")).stage.tolist()
    assert yasa == ["W", "N1", "N2", "N3", "R", ""]
    ours = read_hypnogram(path, codes=parse_codes("0=W,1=N1,2=N2,3=N3,4=N3,-1=?")).stage.tolist()
    assert ours == ["W", "N1", "N2", "N3", "N3", ""]
    nsrr = write(tmp_path, "onset,duration,stage\n0,30,5\n30,30,4.0\n")
    assert read_hypnogram(nsrr, codes=parse_codes("nsrr")).stage.tolist() == ["R", "N3"]
    # a code that is not in the mapping is still refused
    assert "line 2: stage '5' is a number" in refused(nsrr, codes=parse_codes("0=W"))
    words = write(tmp_path, "onset,duration,stage\n0,30,Wach\n30,30,Tief\n")
    assert read_hypnogram(words, codes=parse_codes("wach=W,tief=N3")).stage.tolist() == ["W", "N3"]


@pytest.mark.parametrize("text", ["0", "0=", "=W", "0=W,,1=N1", "0=Z"])
def test_bad_codes_are_refused(text):
    with pytest.raises(InputError, match=r"--stages: .*(is no pair|unknown stage)"):
        parse_codes(text)


# -- EDF+ --------


def edf(tmp_path: Path, rows, start="2026-03-01 22:30:00") -> Path:
    edfio = pytest.importorskip("edfio")
    when = datetime.fromisoformat(start)
    notes = [edfio.EdfAnnotation(*row) for row in rows]
    signal = edfio.EdfSignal(np.zeros(60), 1.0, label="x", physical_range=(-1, 1))
    file = edfio.Edf([signal], annotations=notes, starttime=when.time(),
                     recording=edfio.Recording(startdate=when.date()))  # fmt: skip
    file.write(tmp_path / "hypnogram.edf")
    return tmp_path / "hypnogram.edf"


def test_edf_annotations_are_read_and_others_left_out(tmp_path):
    rows = [
        (0, 30, "Sleep stage W"), (30, 60, "Sleep stage 1"), (90, 30, "Sleep stage 4"),
        (100, None, "Lights off"), (120, 30, "Sleep stage R"), (150, 30, "Sleep stage ?"),
        (180, 30, "Movement time"), (210, 30, "Sleep stage N3"),
    ]  # fmt: skip
    got = read_hypnogram(edf(tmp_path, rows))
    assert got.stage.tolist() == ["W", "N1", "N3", "R", "", "", "N3"]
    assert got.duration_s.tolist() == [30, 60, 30, 30, 30, 30, 30]
    assert "1 annotations are no sleep stages" in got.notes[0]
    # with the wearer's zone its local start is put on UTC
    later = read_hypnogram(edf(tmp_path, rows), clock("2026-03-01T22:20:00+01:00"))
    assert later.onset_s[0] == 600
    # without a zone it begins with the recording, and says so
    plain = read_hypnogram(edf(tmp_path, rows), NightClock(0, 600_000_000))
    assert plain.onset_s[0] == 0
    assert any("taken to begin with the recording" in note for note in plain.notes)


def test_edf_stages_without_length_last_until_the_next(tmp_path):
    rows = [(0, None, "Sleep stage W"), (300, None, "Sleep stage N2")]
    assert read_hypnogram(edf(tmp_path, rows)).duration_s.tolist() == [300, 30]


def test_edf_without_stages_or_damaged_is_refused(tmp_path):
    said = refused(edf(tmp_path, [(0, None, "Lights off")]))
    assert "no sleep stages among its annotations ('Lights off')" in said
    path = tmp_path / "bad.edf"
    path.write_bytes(b"0       " + b"\xff" * 300)
    assert "is no EDF+ file, or damaged" in refused(path)


# -- Apple Health --------

DTD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!ELEMENT HealthData (ExportDate,Me,Record*)>
<!ATTLIST Record type CDATA #REQUIRED>
]>
"""


def record(start: str, end: str, value: str, app: str = "Watch") -> str:
    kind = "HKCategoryTypeIdentifierSleepAnalysis"
    return (
        f'<Record type="{kind}" sourceName="{app}" startDate="{start}" endDate="{end}" '
        f'value="HKCategoryValueSleepAnalysis{value}"/>\n'
    )


def apple(tmp_path: Path, *records: str, dtd: str = DTD) -> Path:
    other = '<Record type="HKQuantityTypeIdentifierStepCount" value="9" startDate="x"/>\n'
    body = "<HealthData>\n" + other + "".join(records) + "</HealthData>\n"
    return write(tmp_path, dtd + body, "export.xml")


NIGHT = [
    record("2026-03-01 22:50:00 +0100", "2026-03-02 06:00:00 +0100", "InBed", "Phone"),
    record("2026-03-01 23:00:00 +0100", "2026-03-01 23:30:00 +0100", "Awake"),
    record("2026-03-01 23:30:00 +0100", "2026-03-02 00:30:00 +0100", "AsleepCore"),
    record("2026-03-02 00:30:00 +0100", "2026-03-02 01:00:00 +0100", "AsleepDeep"),
    record("2026-03-02 01:00:00 +0100", "2026-03-02 01:20:00 +0100", "AsleepREM"),
]


def test_apple_health_the_source_that_stages_most_is_taken(tmp_path):
    got = read_hypnogram(apple(tmp_path, *NIGHT), clock("2026-03-01T22:30:00+01:00"))
    assert got.stage.tolist() == ["W", "N2", "N3", "R"]
    assert (got.onset_s / 60).tolist() == [30, 60, 120, 150]
    assert "'Watch'" in got.notes[0]
    assert "left out 'Phone'" in got.notes[1]


def test_apple_health_in_bed_says_nothing_of_sleep_and_awake_lies_over_asleep(tmp_path):
    rows = [
        record("2026-03-01 23:00:00 +0100", "2026-03-02 06:00:00 +0100", "InBed"),
        record("2026-03-01 23:30:00 +0100", "2026-03-02 05:00:00 +0100", "Asleep"),
        record("2026-03-02 01:00:00 +0100", "2026-03-02 01:10:00 +0100", "Awake"),
    ]
    got = read_hypnogram(apple(tmp_path, *rows), clock("2026-03-01T22:30:00+01:00"))
    assert got.stage.tolist() == ["", "S", "W", "S", ""]
    assert got.asleep.tolist() == [False, True, False, True, False]


def test_apple_health_offsets_differ_on_a_dst_night_and_on_a_trip(tmp_path):
    rows = [
        record("2026-10-25 02:30:00 +0200", "2026-10-25 02:30:00 +0100", "AsleepCore"),
        record("2026-10-25 02:30:00 +0100", "2026-10-25 03:00:00 +0100", "AsleepREM"),
        # two days later in New York; the recording is of Berlin
        record("2026-10-27 02:30:00 -0400", "2026-10-27 03:00:00 -0400", "AsleepDeep"),
    ]
    got = read_hypnogram(apple(tmp_path, *rows), clock("2026-10-25T01:00:00+02:00"))
    assert got.stage.tolist() == ["N2", "R"]
    assert got.onset_s.tolist() == [5400, 9000]
    assert got.duration_s.tolist() == [3600, 1800]
    far = clock("2026-10-26T23:00:00-04:00", zone="America/New_York")
    assert read_hypnogram(apple(tmp_path, *rows), far).stage.tolist() == ["N3"]


def test_apple_health_of_another_night_is_refused(tmp_path):
    said = refused(apple(tmp_path, *NIGHT), clock("2026-03-09T22:30:00+01:00"))
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
        (record("2026-03-01 23:00 +0100", "x", "Awake"), "another kind"),
        ("<HealthData>" + record("yesterday", "today", "Awake") + "</HealthData>", "no clock time"),
        (
            "<HealthData>" + record("2026-03-01 23:00:00", "2026-03-01 23:01:00", "Awake")
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
    path = write(tmp_path, text, "export.xml")
    assert says in refused(path, clock("2026-03-01T22:30:00+01:00"))


def test_a_zip_archive_is_refused_with_the_cure(tmp_path):
    path = tmp_path / "export.zip"
    path.write_bytes(b"PK\x03\x04rest")
    assert "is a ZIP archive; unpack it" in refused(path)


def test_large_xml_is_read_piece_by_piece(tmp_path):
    """Peak memory is bounded by what is kept, not by the file (here 12 MB)."""
    import tracemalloc

    filler = '<Record type="HKQuantityTypeIdentifierHeartRate" value="61" unit="count/min"/>\n'
    path = apple(tmp_path, *([filler * 160_000] + NIGHT))
    tracemalloc.start()
    read_hypnogram(path, clock("2026-03-01T22:30:00+01:00"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 12e6
    assert peak < 6e6


# -- Fitbit --------


def fitbit(*rows, short=(), wrap=True):
    def levels(table):
        return [{"dateTime": t, "level": level, "seconds": s} for t, level, s in table]

    log = {
        "dateOfSleep": "2026-03-02",
        "levels": {"data": levels(rows), "shortData": levels(short)},
    }
    return json.dumps({"sleep": [log]} if wrap else [log])


STAGED = (
    ("2026-03-01T23:00:00.000", "wake", 600),
    ("2026-03-01T23:10:00.000", "light", 3000),
    ("2026-03-02T00:00:00.000", "deep", 1800),
    ("2026-03-02T00:30:00.000", "rem", 1200),
)


@pytest.mark.parametrize("wrap", [True, False])
def test_fitbit_stages_with_short_wakes_over_them(tmp_path, wrap):
    text = fitbit(*STAGED, short=[("2026-03-01T23:30:00.000", "wake", 60)], wrap=wrap)
    got = read_hypnogram(write(tmp_path, text, "s.json"), clock("2026-03-01T22:30:00+01:00"))
    assert got.stage.tolist() == ["W", "N2", "W", "N2", "N3", "R"]
    assert (got.onset_s / 60).tolist() == [30, 40, 60, 61, 90, 120]


def test_fitbit_classic_words(tmp_path):
    rows = [
        ("2026-03-01T23:00:00.000", "awake", 60),
        ("2026-03-01T23:01:00.000", "restless", 60),
        ("2026-03-01T23:02:00.000", "asleep", 600),
    ]
    got = read_hypnogram(
        write(tmp_path, fitbit(*rows), "s.json"), clock("2026-03-01T22:30:00+01:00")
    )
    assert got.stage.tolist() == ["W", "W", "S"]


def test_fitbit_on_a_dst_night_is_told_by_the_lengths(tmp_path):
    rows = [
        ("2026-10-25T01:30:00.000", "light", 5400),  # to 02:00, the second time
        ("2026-10-25T02:00:00.000", "rem", 1800),
        ("2026-10-25T02:30:00.000", "deep", 3600),
    ]
    got = read_hypnogram(
        write(tmp_path, fitbit(*rows), "s.json"), clock("2026-10-25T01:00:00+02:00")
    )
    assert got.onset_s.tolist() == [1800, 7200, 9000]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is damaged JSON"),
        ("[" * 100_000, "is damaged JSON"),
        ("{}", "is JSON without Fitbit's sleep levels"),
        ('[1, "a", null]', "is JSON without Fitbit's sleep levels"),
        ('{"levels": 3}', "log 1: has levels without data"),
        ('{"levels": {"data": {}}}', "another night"),
        ('{"levels": {"data": {"a": 1}}}', "log 1, data: is no list"),
        ('{"levels": {"data": [3]}}', "log 1, data 1: is no level"),
        ('{"levels": {"data": [{"dateTime": 3, "level": "wake", "seconds": 1}]}}', "no dateTime"),
        (fitbit(("2026-03-01T23:00:00.000", "wake", -5)), "seconds is -5"),
        (fitbit(("2026-03-01T23:00:00.000", "wake", 1e400)), "seconds is"),
        (fitbit(("2026-03-01T23:00:00.000", "wake", True)), "seconds is True"),
        (fitbit(("2026-03-01T23:00:00.000", "dreaming", 5)), "unknown stage 'dreaming'"),
        (fitbit(("never", "wake", 5)), "log 1, data 1: 'never' is no clock time"),
        (fitbit(("2020-03-01T23:00:00.000", "wake", 5)), "has 1 sleep logs, none within 12 h"),
    ],
)
def test_wrong_json_is_refused_in_one_line(tmp_path, text, says):
    path = write(tmp_path, text, "sleep.json")
    said = refused(path, clock("2026-03-01T22:30:00+01:00"))
    assert says in said or ("another night" in says and "none within 12 h" in said)


def test_files_with_clock_times_need_a_recording(tmp_path):
    for text in (fitbit(*STAGED), DTD + "<HealthData/>"):
        assert "has clock times" in refused(write(tmp_path, text, "x"))


def test_mutated_files_are_read_or_refused_in_one_line(tmp_path):
    """600 damaged files of all kinds: nothing but a hypnogram or one clear error."""
    whole = {
        "apple": apple(tmp_path, *NIGHT).read_bytes(),
        "fitbit": fitbit(*STAGED, short=[("2026-03-01T23:30:00.000", "wake", 60)]).encode(),
        "edf": edf(tmp_path, [(0, 30, "Sleep stage W"), (30, 30, "Sleep stage N2")]).read_bytes(),
        "csv": b"onset,duration,stage\n0,30,W\n30,30,N1\n60,30,N2\n",
        "clock": b"start,end,stage\n23:30:00,23:59:00,W\n23:59:00,00:10:00,N1\n",
        "list": b"WAKE\nN1\nN2\nREM\n",
    }
    rng = np.random.default_rng(7)
    path, when = tmp_path / "x", clock("2026-03-01T22:30:00+01:00")
    read, said = 0, []
    for k in range(600):
        data = bytearray(whole[list(whole)[k % len(whole)]])
        for _ in range(rng.integers(1, 5)):
            at = int(rng.integers(len(data) + 1))
            if rng.random() < 0.5:
                data[at : at + int(rng.integers(1, 20))] = b""
            else:
                data[at : at + int(rng.integers(2))] = rng.bytes(int(rng.integers(1, 5)))
        path.write_bytes(data)
        try:
            got = read_hypnogram(path, when)
        except InputError as error:
            said.append(str(error))
        else:
            read += 1
            assert (np.diff(got.onset_s) > 0).all()
    assert not any("\n" in message for message in said)
    assert 10 < read < 500


def test_an_unknown_encoding_is_refused(tmp_path):
    path = write(tmp_path, '<?xml version="1.0" encoding="klingon"?><HealthData/>', "export.xml")
    assert "is damaged XML" in refused(path, clock("2026-03-01T22:30:00+01:00"))


# -- on the recording --------


def night(hours: float, got):
    acc = acc_seconds(round(hours * 3600))
    return find_context(recording(ACC, seconds=hours * 3600), detections(acc=acc), Settings(), got)


def test_a_hypnogram_that_ends_early_is_reported_and_the_rest_is_unknown(tmp_path):
    text = "onset,duration,stage\n" + "".join(
        f"{30 * k},30,{'W' if k < 20 else 'N2'}\n" for k in range(120)
    )
    context = night(2.0, read_hypnogram(write(tmp_path, text)))
    assert any("covers 60.0 of 120.0 min" in note for note in context.notes)
    assert context.at([3599.0, 3601.0]).tolist() == ["asleep", "unknown"]
    whole = night(1.0, read_hypnogram(write(tmp_path, text)))
    assert not any("covers" in note for note in whole.notes)


def test_a_half_hour_nap(tmp_path):
    text = "onset,duration,stage\n" + "".join(
        f"{30 * k},30,{'W' if k < 12 else 'N1' if k < 20 else 'N2'}\n" for k in range(60)
    )
    context = night(0.5, read_hypnogram(write(tmp_path, text)))
    assert context.onset.time_s == 360
    assert context.at([59, 61, 361, 959, 961]).tolist() == [
        "wake", "drowsy", "sleep_onset", "sleep_onset", "asleep",
    ]  # fmt: skip


def test_another_night_is_noted(tmp_path):
    context = night(0.5, read_hypnogram(write(tmp_path, "onset,duration,stage\n9e4,30,N2\n")))
    assert NOTE_ELSEWHERE in context.notes
