"""Respiratory events of laboratories' files and of tables."""

from __future__ import annotations

import pytest

from tests.sleep import lab_builders as lab
from tests.sleep.builders import edf_file, night_clock, write_text
from twitchsense.errors import InputError
from twitchsense.sleep.lab_files.respiratory_events import (
    is_respiratory_event,
    read_respiratory_events,
)

WHEN = night_clock("2026-03-01T22:20:00+01:00")
LATE = night_clock("2026-03-01T22:30:00+01:00")
TIMES = [(430.5, 15.0), (500.0, 20.25)]


def read(tmp_path, text, clock=LATE):
    return read_respiratory_events(write_text(tmp_path, text, "events.txt"), clock)


def said(tmp_path, text, clock=LATE):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, clock)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        lab.nsrr(), lab.profusion(), lab.luna(), lab.luna(form="clock"), lab.remlogic(),
        lab.domino_events(), lab.domino_events().replace("Hypopnea", "Hypopnea;-5;x"),
        "onset\tduration\ttrial_type\n430.5\t15\tObstructive Apnea\n500\t20.25\tHypopnea\n"
        "510\t4\tArousal\n0\t30\tSleep stage W\n",
        "onset,duration\n430.5,15\n500,20.25\n",
        "start,end\n430.5,445.5\n500,520.25\n",
        "start,duration,event\n22:37:10.5,15,OA\n22:38:20,20.25,H\n22:38:30,4,Arousal\n"
        .replace(",H\n", ",Hypopnoe\n"),
    ],
)  # fmt: skip
def test_every_program_gives_the_same_events(tmp_path, text):
    got = read(tmp_path, text)
    assert list(got.events.itertuples(index=False, name=None)) == TIMES
    if "rousal" in text or "AROUSAL" in text:
        assert any("1 annotation" in n or "2 annotations" in n for n in got.notes)
        assert any("arousal" in note.lower() for note in got.notes)


def test_edf_annotations_give_the_same_events(tmp_path):
    rows = [(t, d, name + "@@Flow") for t, d, name in lab.EVENTS] + [(0, 300, "Sleep stage W")]
    got = read_respiratory_events(edf_file(tmp_path, rows), WHEN)
    assert got.events["onset"].tolist() == [1030.5, 1100.0]


@pytest.mark.parametrize(
    ("word", "is_one"),
    [
        ("Obstructive apnea|Obstructive Apnea", True), ("APNEA-CENTRAL", True),
        ("Hypopnea|Hypopnea", True), ("hypopnea_obstructive", True), ("Obst. Apnoe", True),
        ("Hypopnoe", True), ("Apnée mixte", True), ("Ipopnea", True), ("RERA", True),
        ("Respiratory effort related arousal|RERA", True),
        ("OA", True), ("MixedApnea", True), ("H", True), ("Hypopnea with arousal", True),
        ("obstructiveapnea arousal", False), ("Arousal resulting from respiratory effort|x", False),
        ("Arousal (ARO RES)", False), ("SpO2 desaturation|DESAT", False), ("Snoring", False),
        ("Flow Limitation", False), ("Periodic breathing", False), ("Sleep stage 2", False),
        ("PLM Arousal", False), ("Respiratory artifact", False), ("Capnography", False),
    ],
)  # fmt: skip
def test_words_for_respiratory_events(word, is_one):
    assert is_respiratory_event(word) == is_one


def test_files_without_respiratory_events_are_refused_and_the_cure_works(tmp_path):
    for text in (lab.domino_profile(), lab.nsrr(events=()), lab.luna(events=()),
                 "onset,duration,trial_type\n0,30,Sleep stage W\n"):  # fmt: skip
        message = said(tmp_path, text)
        assert "has no respiratory event (" in message
        assert "if there were none, a file with the line onset,duration alone" in message
    assert read(tmp_path, "onset,duration\n").events.empty


def test_every_row_counts_where_the_names_are_codes_of_the_lab(tmp_path):
    got = read(tmp_path, "onset,duration,type of event,label\n1,10,x,E17\n50,10,x,E18\n")
    assert len(got.events) == 2
    assert got.notes == ("all rows count as respiratory events: 'E17', 'E18'",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("onset,duration\n1,-3\n", "line 2: duration is negative"),
        ("onset,duration\n1,\n", "line 2: duration is empty"),
        ("onset\n1\n", "has no column 'duration'"),
        ("onset,duration\n22:99:00,10\n", "not a number"),
        ("start,end\n30,20\n", "duration is negative"),
        (lab.luna().replace("\t445.5\t", "\t.\t"), "has no duration"),
    ],
)
def test_damaged_events_are_refused(tmp_path, text, says):
    assert says in said(tmp_path, text)
