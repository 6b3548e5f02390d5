"""``twitchsense score-limb`` with files of a sleep laboratory, and its notes."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from click.testing import CliRunner

from tests.sleep import lab_builders as lab
from twitchsense.cli.app import main

#: Seconds from the start of the laboratory's recording at 22:30:00.
MOVES = "onset,duration,leg\n" + "".join(f"{t},1,left\n" for t in (425, 446, 467, 488, 509, 530))

EARLIER = datetime(2026, 3, 1, 22)


@pytest.fixture
def files(tmp_path):
    texts = {
        "moves.csv": MOVES, "nsrr.xml": lab.nsrr(), "remlogic.txt": lab.remlogic(),
        "profile.txt": lab.domino_profile(), "flow.txt": lab.domino_events(),
        "luna.annot": lab.luna(), "shifted.txt": lab.domino_events(start=EARLIER),
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return {name: str(tmp_path / name) for name in texts}


def run(*args):
    return CliRunner().invoke(main, ["score-limb", *args])


def loaded(*args):
    result = run(*args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("stages", "breaths", "more"),
    [
        ("nsrr.xml", "nsrr.xml", ()),
        ("luna.annot", "luna.annot", ()),
        ("profile.txt", "flow.txt", ()),
        ("profile.txt", "flow.txt", ("--start", "22:30:00")),
        ("profile.txt", "nsrr.xml", ("--start", "2026-03-01 22:30:00", "--zone", "Europe/Berlin")),
        ("remlogic.txt", "remlogic.txt", ("--start", "22:30:00")),
        (
            "remlogic.txt",
            "flow.txt",
            ("--start", "2026-03-01T21:30:00Z", "--zone", "Europe/Berlin"),
        ),
    ],
)
def test_files_of_one_night_give_one_score(files, stages, breaths, more):
    found = loaded(
        files["moves.csv"], "--hypnogram", files[stages], "--respiratory", files[breaths], *more
    )
    assert (found["n_plms"], found["n_clmr"], found["n_clm_nr"]) == (6, 2, 4)
    assert found["plms_index"] == pytest.approx(6 / 0.2)
    assert {m["stage"] for m in found["movements"]} == {"N2"}


def test_every_note_is_shown(files):
    stages = ("--hypnogram", files["nsrr.xml"], "--respiratory", files["nsrr.xml"])
    notes = loaded(files["moves.csv"], *stages)["notes"]
    assert any("begins at 22:30:00, taken as second 0 of the marks" in n for n in notes)
    assert any("left out 3 annotations that are not sleep stages: " in n for n in notes)
    assert any(
        "left out 1 annotation that is not a respiratory event: 'Arousal|" in n for n in notes
    )
    shown = run(files["moves.csv"], *stages)
    assert shown.exit_code == 0
    for note in notes:
        assert f"Note: {note}" in " ".join(shown.stdout.split())


def test_movements_in_no_scored_epoch_are_counted(files, tmp_path):
    moves = tmp_path / "more.csv"
    moves.write_text(MOVES + "5000,1,right\n")
    notes = loaded(str(moves), "--hypnogram", files["profile.txt"])["notes"]
    assert any(n.startswith("1 of 7 movements lie in no scored epoch") for n in notes)


def refused(*args):
    result = run(*args)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_clock_times_without_a_start_are_refused_and_the_cure_works(files):
    args = (files["moves.csv"], "--hypnogram", files["remlogic.txt"])
    assert "has clock times; give the clock time of second 0: --start 22:30:00" in refused(*args)
    assert loaded(*args, "--start", "22:30:00")["n_plms"] == 6


def test_files_that_begin_at_different_times_are_refused_and_the_cure_works(files):
    args = (
        files["moves.csv"],
        "--hypnogram",
        files["profile.txt"],
        "--respiratory",
        files["shifted.txt"],
    )
    said = refused(*args)
    assert "begins at 2026-03-01 22:00:00, but profile.txt at 2026-03-01 22:30:00" in said
    assert "--start '2026-03-01 22:30:00'" in said
    assert loaded(*args, "--start", "2026-03-01 22:30:00")["n_plms"] == 6


def test_a_hypnogram_of_another_time_is_refused(files, tmp_path):
    moves = tmp_path / "late.csv"
    moves.write_text("onset,duration,leg\n9000,1,left\n")
    said = refused(str(moves), "--hypnogram", files["profile.txt"])
    assert "covers 0 to 1020 s, and all movements lie outside it (9000 to 9000 s)" in said
    assert "or --start with the clock time of second 0" in said
    assert (
        loaded(str(moves), "--hypnogram", files["profile.txt"], "--start", "20:05:00")["n_lm"] == 1
    )


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--start", "soon"), "--start: 'soon' is not a clock time"),
        (("--zone", "Mars"), "no such time zone"),
        (("--start", "2026-03-01T21:30:00Z"), "name the wearer's time zone, such as --zone"),
    ],
)
def test_a_wrong_start_or_zone_is_refused(files, more, says):
    assert says in refused(files["moves.csv"], "--hypnogram", files["profile.txt"], *more)
