"""One night in the formats of sleep laboratories gives one hypnogram."""

from __future__ import annotations

import pytest

from tests.sleep import lab_builders as lab
from tests.sleep.builders import edf_file, night_clock, refusal, write_text
from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.read import read_hypnogram
from twitchsense.sleep.hypnogram.stage_codes import parse_codes
from twitchsense.sleep.lab_files.lab_text import read_lab_text

WHEN = night_clock("2026-03-01T22:20:00+01:00")
LUNA_FORMS = ("seconds", "duration", "clock", "dated", "elapsed", "epochs", "until")
FILES = {
    "NSRR": lab.nsrr(),
    "NSRR without a clock": lab.nsrr(start=""),
    "Profusion": lab.profusion(),
    "RemLogic": lab.remlogic(),
    "DOMINO": lab.domino_profile(),
    "DOMINO, Windows": lab.domino_profile().replace("\n", "\r\n"),
    "DOMINO, US": lab.domino_profile().replace("01.03.2026 22:30:00", "3/1/2026 10:30:00 PM"),
    "Luna, without a header": "".join(
        line + "\n" for line in lab.luna(form="clock").splitlines()[2:]
    ),
    **{f"Luna, {form}": lab.luna(form=form) for form in LUNA_FORMS},
}
#: These have no clock time, and begin with the recording.
WITHOUT_CLOCK = {"NSRR without a clock", "Profusion", *(f"Luna, {f}" for f in LUNA_FORMS)} - {
    "Luna, clock",
    "Luna, dated",
}


@pytest.mark.parametrize("name", FILES)
def test_every_program_gives_the_same_stages(tmp_path, name):
    got = read_hypnogram(write_text(tmp_path, FILES[name], "stages.txt"), WHEN)
    zero = 0 if name in WITHOUT_CLOCK else 600
    at = [zero + t for t in (0, 299.9, 300, 419.9, 420, 1019.9)]
    assert got.stage_at(at).tolist() == ["W", "W", "N1", "N1", "N2", "N2"]
    assert got.stage_at([zero - 1, zero + 1021]).tolist() == ["", ""]
    said = any("taken to begin with the recording" in note for note in got.notes)
    assert said == (name in WITHOUT_CLOCK)


def test_edf_annotations_give_the_same_stages(tmp_path):
    rows = [(0, 300, "Sleep stage W"), (300, 120, "Sleep stage N1"), (420, 600, "Sleep stage N2")]
    got = read_hypnogram(edf_file(tmp_path, rows), WHEN)
    assert got.stage_at([600, 900, 1020, 1619]).tolist() == ["W", "N1", "N2", "N2"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_text_of_any_encoding_is_read(tmp_path, encoding):
    text = lab.domino_profile().replace("Unit: ", "Unit: Müller")
    path = tmp_path / "Schlafprofil.txt"
    path.write_bytes(text.encode(encoding))
    assert read_hypnogram(path, WHEN).stage_at([900]).tolist() == ["N1"]
    path.write_bytes(lab.nsrr().replace("UTF-8", "UTF-16").encode("utf-16"))
    assert read_hypnogram(path, WHEN).stage_at([900]).tolist() == ["N1"]


def test_a_night_passes_midnight_in_every_list(tmp_path):
    stages = (("W", 200), ("N2", 40))
    for text in (lab.domino_profile(stages), lab.remlogic(stages), lab.luna(stages, form="clock")):
        got = read_hypnogram(write_text(tmp_path, text, "s.txt"), WHEN)
        assert got.stage_at([600, 6599, 6600, 7799]).tolist() == ["W", "W", "N2", "N2"]


def test_events_beside_the_stages_are_named(tmp_path):
    for text in (lab.nsrr(), lab.profusion(), lab.remlogic(), lab.luna()):
        got = read_hypnogram(write_text(tmp_path, text, "s.txt"), WHEN)
        (note,) = [n for n in got.notes if "are not sleep stages" in n]
        assert note.startswith("left out 3 annotations")
        assert "ypopnea" in note.lower()


def test_holes_are_unscored(tmp_path):
    text = "".join(line + "\n" for line in lab.domino_profile().splitlines() if "22:31" not in line)
    got = read_hypnogram(write_text(tmp_path, text, "s.txt"), WHEN)
    assert got.stage_at([600, 660, 719, 720]).tolist() == ["W", "", "", "W"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (lab.domino_profile().replace("N1\n", "Tiefschlaf\n", 1), "unknown stage 'Tiefschlaf'"),
        (lab.domino_events(), "has no sleep stages among its annotations ('Obstructive Apnea'"),
        (lab.domino_profile() + "rubbish\n", "line 42: is not a row of times and a name"),
        (lab.domino_profile().replace("22:30:30,000", "22:61:30,000"), "is not a clock time"),
        (lab.domino_profile().replace("01.03.2026 ", ""), "Start Time has no date"),
        (lab.remlogic().replace("\t30\t", "\tlong\t", 1), "line 7: duration is 'long'"),
        (lab.remlogic().replace("SLEEP-S1", "SLEEP-S9", 1), "unknown stage 'SLEEP-S9'"),
        (lab.nsrr().replace("Wake|0", "Stage 8 sleep|8"), "unknown stage 'Stage 8 sleep|8'"),
        (lab.nsrr().replace("<Start>300<", "<Start>soon<"), "Start is 'soon'"),
        (lab.nsrr()[:-40], "is damaged XML"),
        (lab.profusion().replace("<SleepStage>2", "<SleepStage>11", 1), "stage '11'"),
        (lab.profusion().replace("<EpochLength>30", "<EpochLength>0"), "EpochLength is '0'"),
        (lab.luna().replace("\t60\t", "\tlater\t"), "start is 'later'"),
        (lab.luna().replace("\t60\t90\t", "\t60\t50\t"), "stop '50' does not follow start '60'"),
        (lab.luna() + "N2\t1\n", "has 2 columns, not 3, 4 or 6"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><PSGAnnotation/>', "declares XML entities"),
        ("<PSGAnnotation/>", "has no sleep stages among its annotations (none)"),
    ],
)  # fmt: skip
def test_damaged_files_are_refused_with_their_place(tmp_path, text, says):
    said = refusal(write_text(tmp_path, text, "s.txt"), WHEN)
    assert says in said


@pytest.mark.parametrize(
    "text",
    [
        lab.domino_profile().replace("Rate: 30 s\n", ""),
        lab.domino_profile().replace(",000", ""),
        lab.domino_profile().replace("Wake", "Wach").replace("; ", ";"),
        lab.remlogic().replace(":", "."),
        lab.remlogic().replace("22:", "10:").replace("\tSLEEP", " PM\tSLEEP")
        .replace("\tAPNEA", " PM\tAPNEA").replace("\tHYPOP", " PM\tHYPOP")
        .replace("\tAROUSAL", " PM\tAROUSAL"),
    ],
)  # fmt: skip
def test_other_settings_of_the_program_are_read(tmp_path, text):
    got = read_hypnogram(write_text(tmp_path, text, "s.txt"), WHEN)
    assert got.stage_at([600, 899, 900, 1019, 1020]).tolist() == ["W", "W", "N1", "N1", "N2"]


def test_a_word_that_is_refused_can_be_defined_as_the_message_says(tmp_path):
    text = lab.domino_profile().replace("N1\n", "Tiefschlaf\n")
    path = write_text(tmp_path, text, "s.txt")
    assert "--stages 'Tiefschlaf=N2'" in refusal(path, WHEN)
    got = read_hypnogram(path, WHEN, parse_codes("Tiefschlaf=N3"))
    assert got.stage_at([900, 1019]).tolist() == ["N3", "N3"]


def test_a_list_of_another_night_is_refused(tmp_path):
    other = night_clock("2026-04-01T22:20:00+02:00")
    path = write_text(tmp_path, lab.domino_profile(), "s.txt")
    assert "lies outside the recording" in refusal(path, other)


def test_clock_times_need_the_zone_of_the_wearer(tmp_path):
    path = write_text(tmp_path, lab.remlogic(), "s.txt")
    assert "name the wearer's time zone" in refusal(
        path, night_clock("2026-03-01T22:20Z", zone=None)
    )
    assert "--start 22:30:00" in refusal(path)
    assert "the recording has none" in refusal(path, NightClock(0, 1_000_000_000))


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"PK\x03\x04" + b"\0" * 30 + b"xl/workbook.xml", "is an Excel workbook; save it as CSV"),
        (b"PK\x03\x04" + b"\0" * 30 + b"export.xml", "is a ZIP archive; unpack it"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 60, "is an old Excel or Office file; save it as CSV"),
        (b"SQLite format 3\0", "a database (Noxturnal, Gadgetbridge); export the stages as text"),
        (b"\x89HDF\r\n", "is an HDF5 file; export the stages as CSV"),
        (b"MATLAB 5.0 MAT-file", "is a MATLAB file; export the stages as CSV"),
        (b"%PDF-1.7", "is a PDF report"),
        (b"\x0e\x20\x54\x08\0\0\0\0.FIT\0\0", "is a FIT file; give the JSON of Garmin Connect"),
    ],
)
def test_files_that_are_known_but_not_read_are_named(tmp_path, raw, says):
    path = tmp_path / "file"
    path.write_bytes(raw)
    assert says in refusal(path, WHEN)


def test_bids_events_and_label_tables_are_read(tmp_path):
    bids = "onset\tduration\ttrial_type\n0\t300\tSleep stage W\n300\t900\tSleep stage N2\n"
    got = read_hypnogram(write_text(tmp_path, bids, "events.tsv"))
    assert got.duration_s.tolist() == [300, 900]
    mixed = bids + "310\t12\tHypopnea\n1200\t30\tSleep stage R\n"
    got = read_hypnogram(write_text(tmp_path, mixed, "events.tsv"))
    assert got.stage.tolist() == ["W", "N2", "R"]
    assert got.notes == ("left out 1 annotation that is not a sleep stage: 'Hypopnea'",)
    labels = "No.,StartTime,Label\n1,22:30:00,WK\n2,22:30:30,WK\n3,22:31:00,N1\n"
    got = read_hypnogram(write_text(tmp_path, labels), WHEN)
    assert got.onset_s.tolist() == [600, 630, 660]
    unknown = bids.replace("stage N2", "stage NREM")
    assert "unknown stage 'Sleep stage NREM'" in refusal(write_text(tmp_path, unknown))


@pytest.mark.parametrize(
    ("text", "piece"),
    [(lab.domino_profile(), "\t"), (lab.luna(form="epochs"), "1")],
)
def test_an_endless_line_is_refused_unread(tmp_path, text, piece):
    """Patterns of rows took minutes, and Python raises for numbers of so many digits."""
    path = tmp_path / "stages.txt"
    path.write_text(text.rstrip("\n") + piece * 200_000 + "\n")
    with pytest.raises(InputError, match="characters in one line"):
        read_lab_text(path, path.name)
